// A ladder, as lib/trace/ladder.ts draws it in lines, as a sequence diagram in SVG: a column an end, time from top to bottom.

import stringWidth from "fast-string-width";
import { type Content, type Markup, markup } from "./markup.ts";
import { show } from "./text.ts";

/** A line of a ladder. */
export interface Rung {
  /** `14:03:59.042`. */
  readonly at: string;
  /** The end of the connection that is netlab's, or its address while it has no name. */
  readonly who: string;
  /** A message to netlab or from it; null for what is no message. */
  readonly direction: "in" | "out" | null;
  readonly text: string;
}

const LINE = /^(\d\d:\d\d:\d\d\.\d{3}) {2}(\S(?:.*?\S)?) {2,}(?:── (.*) ─{2,}▶|◀─{2,} (.*) ──|(\S.*))$/;

/** What stands before a message or a note. */
const HEAD_OF_LINE = /^\d\d:\d\d:\d\d\.\d{3} {2}\S(?:.*?\S)? {2,}(?:── |◀─{2,} )?/;

/** Messages and notes in a line each: what is longer than its room goes on in the rows below, in the same column. */
function unfold(rows: readonly string[]): string[] {
  const lines: string[] = [];
  let column = Infinity;
  for (const row of rows) {
    const head = HEAD_OF_LINE.exec(row)?.[0];
    const before = lines.at(-1);
    if (head !== undefined || before === undefined || row.slice(0, column).trim() !== "") {
      column = head === undefined ? Infinity : stringWidth(head);
      lines.push(row);
      continue;
    }
    // An arrow to the left is drawn in its first row, and ends behind the text of that.
    const end = / {2}◀─{2,} .* ──$/.test(before) ? " ──" : "";
    lines[lines.length - 1] = before.slice(0, before.length - end.length) + row.slice(column) + end;
  }
  return lines;
}

/** Reads lines of a ladder; null stands for one that is none. */
export function readLadder(rows: readonly string[]): (Rung | null)[] {
  const rungs = unfold(rows).map((line): Rung | null => {
    const [, at, who, received, sent, note] = LINE.exec(line) ?? [];
    if (at === undefined) return null;
    const direction = received !== undefined ? "in" : sent !== undefined ? "out" : null;
    return { at, who, direction, text: received ?? sent ?? note };
  });
  // A connection opens under an address and has its name from then on.
  const named = new Set<string>();
  return rungs.map((rung, i) => {
    const opens = rung !== null && rung.direction === null && rung.text.startsWith("connected to ");
    if (!opens) return rung;
    const next = rungs.slice(i + 1).find((later) => later !== null && later.who !== rung.who && !named.has(later.who));
    if (!next) return rung;
    named.add(next.who);
    return { ...rung, who: next.who, text: "connects" };
  });
}

const WIDTH = 900;
const LEFT = 76;
const MARGIN = 64;
const LINE_HEIGHT = 15;
const CHAR = 7.3;
const MAX_LINES = 4;
const HEAD = 44;

/** The diagram, or nothing when no line is a rung. @param program what is judged: its side has the other name */
export function sequenceDiagram(ladder: readonly string[], program: "server" | "client"): Markup | undefined {
  const rungs = readLadder(ladder);
  const ends = [...new Set(rungs.flatMap((rung) => rung === null ? [] : [rung.who]))];
  if (ends.length === 0) return undefined;
  const far = WIDTH - MARGIN;
  const near = LEFT + MARGIN;
  const gap = Math.min(170, (far - near) / Math.max(ends.length, 2));
  const column = (who: string) => near + ends.indexOf(who) * gap;
  const start = rungs.find((rung) => rung !== null)!.at;
  const drawn: Content[] = [];
  let y = HEAD + 14;
  let before: string | null = null;
  for (const rung of rungs) {
    if (rung === null) {
      drawn.push(markup`<text x="${near + 10}" y="${y + 4}" class="note">…</text>`);
      y += 26;
      continue;
    }
    const at = since(start, rung.at);
    const time = at === before ? undefined : markup`<text x="${LEFT - 10}" y="${y + 4}" class="time">${at}</text>`;
    before = at;
    const x = column(rung.who);
    if (rung.direction === null) {
      const text = fold(rung.text, WIDTH - x - 16, 1)[0];
      drawn.push(markup`${time}<circle cx="${x}" cy="${y}" r="3.5" class="dot"/>
<text x="${x + 10}" y="${y + 4}" class="note">${text}</text>`);
      y += 26;
      continue;
    }
    const texts = fold(rung.text === "" ? "(empty)" : rung.text, far - x - 28, MAX_LINES);
    const [from, to] = rung.direction === "out" ? [x, far] : [far, x];
    const tip = rung.direction === "out" ? -1 : 1;
    const bottom = y + (texts.length - 1) * LINE_HEIGHT + 8;
    drawn.push(
      markup`<g class="${rung.direction}">${time}${
        texts.map((text, i) => markup`<text x="${x + 14}" y="${y + 2 + i * LINE_HEIGHT}" class="said">${text}</text>`)
      }
<path d="M${from} ${bottom}H${to + tip * 2}M${to + tip * 8} ${bottom - 4.5}L${to} ${bottom}L${to + tip * 8} ${
        bottom + 4.5
      }" class="arrow"/></g>`,
    );
    y = bottom + 24;
  }
  const heads = [
    ...ends.map((who) => head(who, column(who), gap, program === "client")),
    head(program === "server" ? "the server" : "netlab", far, 2 * MARGIN, program === "server"),
  ];
  const lifelines = [...ends.map(column), far].map((x) =>
    markup`<line x1="${x}" y1="${HEAD - 8}" x2="${x}" y2="${y}" class="life"/>`
  );
  return markup`<svg viewBox="0 0 ${WIDTH} ${y + 4}" width="${WIDTH}" height="${
    y + 4
  }" role="img" aria-label="The conversation as a sequence diagram; the same as text follows">
${lifelines}
${heads}
${drawn}
</svg>`;
}

/** A name in a box. */
function head(name: string, x: number, room: number, judged: boolean): Markup {
  const [text] = fold(name, room - 18, 1);
  const width = Math.max(56, stringWidth(text) * CHAR + 20);
  return markup`<g class="${judged ? "head judged" : "head"}"><rect x="${
    x - width / 2
  }" y="6" width="${width}" height="26" rx="6"/>
<text x="${x}" y="23" text-anchor="middle">${text}</text></g>`;
}

/** `+12 ms`; midnight may lie between. */
function since(start: string, at: string): string {
  const [from, to] = [start, at].map((time) => {
    const [hours, minutes, seconds] = time.split(":").map(Number);
    return (hours * 60 + minutes) * 60_000 + Math.round(seconds * 1000);
  });
  return `+${(to - from + 86_400_000) % 86_400_000} ms`;
}

/** Text in lines that fit into `room`, the last one cut where there would be more. */
function fold(text: string, room: number, maxLines: number): string[] {
  const columns = Math.max(6, Math.floor(room / CHAR));
  const lines = [""];
  for (const character of show(text)) {
    const line = lines[lines.length - 1] + character;
    if (stringWidth(line) <= columns) lines[lines.length - 1] = line;
    else if (lines.length < maxLines) lines.push(character);
    else {
      lines[lines.length - 1] = `${[...lines[lines.length - 1]].slice(0, -1).join("")}…`;
      break;
    }
  }
  return lines;
}
