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
