// The ladder: each message as an arrow between the peer (left) and this program (right), as a textbook draws it.
//
//     14:03:59.042  127.0.0.1:50312  ── NAME alice ────────────────────────────────────────▶
//     14:03:59.043  alice            ◀─────────────────────────────────────── HELLO alice ──

import { cyan, dim, green, yellow } from "@std/fmt/colors";
import stringWidth from "fast-string-width";
import { count, escapeText } from "../protocol/text.ts";
import type { Sink } from "./bus.ts";
import { clockTime, hexDump, Labels, pieces } from "./format.ts";

const LABEL_WIDTH = 16;
/** The least that a message gets of a row, however narrow the screen. */
const MIN_ROOM = 20;

/** How the ladder looks. */
export interface LadderOptions {
  /** Adds a dump of the bytes of each read and write. @default {false} */
  readonly hex?: boolean;
  /** Columns of the terminal. @default {80} */
  readonly width?: number;
}

/** A sink that draws the ladder. @param write takes one line without its end */
export function ladderSink(write: (line: string) => void, options: LadderOptions = {}): Sink {
  const labels = new Labels();
  const columns = options.width ?? 80;
  /** A message as an arrow; one that is longer than its room goes on in the rows below. */
  const arrow = (text: string, direction: "in" | "out", room: number) => {
    const rows = pieces(text, room - 7);
    const last = rows.length - 1;
    const line = "─".repeat(Math.max(2, room - stringWidth(rows[direction === "in" ? last : 0]) - 5));
    if (direction === "in") {
      return rows.map((row, i) => cyan(`${i === 0 ? "──" : "  "} ${row}${i === last ? ` ${line}▶` : ""}`));
    }
    return rows.map((row, i) => green(i === 0 ? `◀${line} ${row} ──` : `${" ".repeat(line.length + 2)}${row}`));
  };
  return {
    kinds: ["open", "close", "label", "note", "warning", "message", ...(options.hex ? ["bytes" as const] : [])],
    event(event, at) {
      labels.learn(event);
      const label = [...escapeText(labels.of(event.id))].slice(0, 2 * LABEL_WIDTH).join("");
      const pad = " ".repeat(Math.max(0, LABEL_WIDTH - stringWidth(label)));
      const head = `${dim(clockTime(at, true))}  ${label}${pad}  `;
      const indent = stringWidth(head);
      const room = Math.max(MIN_ROOM, columns - indent);
      const draw = (rows: string[]) => rows.forEach((row, i) => write((i === 0 ? head : " ".repeat(indent)) + row));
      const say = (text: string, style: (text: string) => string) => draw(pieces(text, room).map((row) => style(row)));
      if (event.type === "message") draw(arrow(escapeText(event.text), event.direction, room));
      else if (event.type === "open") say(`connected to ${event.local}`, dim);
      else if (event.type === "close") say(`closed: ${escapeText(event.reason)}`, dim);
      else if (event.type === "note") say(`(${escapeText(event.text)})`, dim);
      else if (event.type === "warning") say(`warning: ${escapeText(event.text)}`, yellow);
      else if (event.type === "bytes") {
        const title = `${count(event.bytes.length, "byte")} ${event.direction === "in" ? "from" : "to"} ${
          label || "a stranger"
        }`;
        write(`${head}${dim(title)}`);
        for (const row of hexDump(event.bytes)) write(dim(`              ${row}`));
      }
      if (event.type === "close") labels.forget(event.id);
    },
  };
}
