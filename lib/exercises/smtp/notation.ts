// SMTP in writing, for checks and for `explain`: lines, whose CR LF is not written; where LF stands alone, it is. What is new
// in every run, the name that a message gets, is left out.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import { type Framer, LineFramer } from "../../protocol/framing.ts";
import { decodeLossy } from "../../protocol/text.ts";
import type { Notation } from "../exercise.ts";

const CR = 0x0d;
const LF = 0x0a;
/** Real servers write long lines: more than RFC 5321 section 4.5.3.1.5 allows. */
const MAX_LINE = 65_536;

/** Lines that end in CR LF; from others LF will do, and is seen. */
class CrlfFramer implements Framer {
  readonly name = "line";
  readonly headBytes = 0;
  readonly tailBytes = 2;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  readonly #lines = new LineFramer(MAX_LINE);

  cut(queue: ByteQueue): Uint8Array | null {
    const before = queue.length;
    const line = this.#lines.cut(queue);
    // A line that was passed over because it was too long went with this one, and nobody asks how this one ended.
    return line !== null && before - queue.length === line.length + 1 ? Uint8Array.of(...line, LF) : line;
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    buffer[start + bodyBytes] = CR;
    buffer[start + bodyBytes + 1] = LF;
  }
}

const codec: Codec<string> = {
  decode: (frame) => decodeLossy(frame).replace(/(taken as) \d+\.M\d+P\S+$/, "$1 …"),
  encode: (text) => text,
};

/** The notation: there is nothing to remember of a conversation. */
export function makeNotation(): Notation {
  return { makeFramer: () => new CrlfFramer(), codec };
}
