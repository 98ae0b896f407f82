// The ladder: each message as an arrow between the peer (left) and this program (right), as a textbook draws it.
//
//     14:03:59.042  127.0.0.1:50312  ── NAME alice ────────────────────────────────────────▶
//     14:03:59.043  alice            ◀─────────────────────────────────────── HELLO alice ──

import { cyan, dim, green, yellow } from "@std/fmt/colors";
import stringWidth from "fast-string-width";
import { escapeText } from "../protocol/text.ts";
import type { Sink } from "./bus.ts";
import { clockTime, hexDump, Labels } from "./format.ts";

const LABEL_WIDTH = 16;

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
  const room = Math.max(20, (options.width ?? 80) - 14 - LABEL_WIDTH - 2);
  const arrow = (text: string, direction: "in" | "out") => {
    const line = "─".repeat(Math.max(2, room - stringWidth(text) - 5));
    return direction === "in" ? cyan(`── ${text} ${line}▶`) : green(`◀${line} ${text} ──`);
  };
  return {
    kinds: ["open", "close", "label", "note", "warning", "message", ...(options.hex ? ["bytes" as const] : [])],
    event(event, at) {
      labels.learn(event);
      const label = [...escapeText(labels.of(event.id))].slice(0, 2 * LABEL_WIDTH).join("");
      const pad = " ".repeat(Math.max(0, LABEL_WIDTH - stringWidth(label)));
      const head = `${dim(clockTime(at, true))}  ${label}${pad}  `;
      if (event.type === "message") write(head + arrow(escapeText(event.text), event.direction));
      else if (event.type === "open") write(`${head}${dim(`connected to ${event.local}`)}`);
      else if (event.type === "close") write(head + dim(`closed: ${escapeText(event.reason)}`));
      else if (event.type === "note") write(head + dim(`(${escapeText(event.text)})`));
      else if (event.type === "warning") write(head + yellow(`warning: ${escapeText(event.text)}`));
      else if (event.type === "bytes") {
        const title = `${event.bytes.length} bytes ${event.direction === "in" ? "from" : "to"} ${label}`;
        write(`${head}${dim(title)}`);
        for (const row of hexDump(event.bytes)) write(dim(`              ${row}`));
      }
      if (event.type === "close") labels.forget(event.id);
    },
  };
}
