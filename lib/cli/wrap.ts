// Text for people, broken between words to fit the width.

import stringWidth from "fast-string-width";

/** `text` in lines of at most `width` columns; a longer word gets a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of text.split(/\s+/)) {
    if (line === null) line = word;
    else if (stringWidth(`${line} ${word}`) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === null ? lines : [...lines, line];
}

/** The same for paragraphs with empty lines between them. One with an indented line is a table, and stays as it is. */
export function wrapParagraphs(text: string, width: number): string[] {
  return text.split("\n\n").flatMap((paragraph, i) => [
    ...(i > 0 ? [""] : []),
    ...(/^ /m.test(paragraph) ? paragraph.split("\n") : wrapText(paragraph, width)),
  ]);
}

/** Less than this beside the first column, and the second stands below it. */
const MIN_BESIDE = 24;

/** A table of two columns, indented by two, whose second is broken to fit `width`. */
export function wrapTable(rows: readonly (readonly [head: string, text: string])[], width: number): string[] {
  const head = Math.max(...rows.map(([head]) => stringWidth(head)));
  const below = width - head - 4 < MIN_BESIDE;
  const at = below ? 6 : head + 4;
  return rows.flatMap(([first, text]) => {
    const lines = wrapText(text, width - at).map((line) => " ".repeat(at) + line);
    if (below && stringWidth(first) + 4 > at) return [`  ${first}`, ...lines];
    return [`  ${first}`.padEnd(at + first.length - stringWidth(first)) + lines[0].slice(at), ...lines.slice(1)];
  });
}
