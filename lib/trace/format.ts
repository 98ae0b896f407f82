// What all that is shown to people shares: labels, times, pieces and columns.

import stringWidth from "fast-string-width";
import type { ConnectionId, TraceEvent } from "../protocol/trace.ts";

/** Remembers what each connection is called: its address, then the name it took. */
export class Labels {
  readonly #labels = new Map<ConnectionId, string>();

  /** Learns from an event. Call `forget` after the last one of a connection has been shown. */
  learn(event: TraceEvent): void {
    if (event.type === "open") this.#labels.set(event.id, event.remote);
    if (event.type === "label") this.#labels.set(event.id, event.label);
  }

  /** Nothing for 0, too: a datagram of somebody who is no client has that number. */
  of(id: ConnectionId | undefined): string {
    return !id ? "" : this.#labels.get(id) ?? `#${id}`;
  }

  forget(id: ConnectionId): void {
    this.#labels.delete(id);
  }
}

/** `14:03:59`, or with milliseconds `14:03:59.042`, in local time. */
export function clockTime(at: number, withMillis = false): string {
  const date = new Date(at);
  const two = (n: number) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMillis ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** Made when it is needed: that takes longer than to use it. */
let segmenter: Intl.Segmenter | undefined;

/** `text` in pieces of at most `columns`, of which nothing is lost: what was sent is shown as it is. */
export function pieces(text: string, columns: number): string[] {
  if (stringWidth(text) <= columns) return [text];
  const all: string[] = [];
  let piece = "";
  let width = 0;
  for (const { segment } of (segmenter ??= new Intl.Segmenter()).segment(text)) {
    const more = stringWidth(segment);
    if (piece !== "" && width + more > columns) {
      all.push(piece);
      piece = "";
      width = 0;
    }
    piece += segment;
    width += more;
  }
  return [...all, piece];
}

/** Texts as a column: all as wide as the widest is on a terminal. */
export function column(texts: readonly string[]): string[] {
  const width = Math.max(...texts.map((text) => stringWidth(text)));
  return texts.map((text) => text + " ".repeat(width - stringWidth(text)));
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const HEX = BYTES.map((byte) => byte.toString(16).padStart(2, "0"));
const ASCII = BYTES.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");

/** The classic dump: offset, 16 bytes in hex, the same as ASCII. */
export function hexDump(bytes: Uint8Array): string[] {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    let hex = "";
    let text = "";
    for (const [i, byte] of bytes.subarray(offset, offset + 16).entries()) {
      hex += `${i === 8 ? "  " : " "}${HEX[byte]}`;
      text += ASCII[byte];
    }
    rows.push(`${offset.toString(16).padStart(6, "0")} ${hex.padEnd(49)}  |${text}|`);
  }
  return rows;
}
