// The lines of a server's replies, cut by their LF. An LF without a CR is remarked on, and so is a line that does not end: with
// `--compat course`, silence ends it.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Framer } from "../../protocol/framing.ts";
import { decodeLossy, escapeText } from "../../protocol/text.ts";
import { HINT_MS, SILENCE_MS } from "./client_messages.ts";

const LF = 0x0a;
const CR = 0x0d;
/** RFC 5321 has 512 bytes (section 4.5.3.1.5); a client bears more. */
const MAX_LINE = 8192;

/** The server's lines. */
export class ReplyFramer implements Framer {
  readonly name = "smtp";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  readonly #compat: boolean;
  readonly #onProblem: (text: string) => void;
  /** Bytes behind the line that was cut last. */
  waiting = 0;
  #silent = false;
  #told = false;

  /** @param onProblem told, once, of what is wrong with a line's end */
  constructor(compat: boolean, onProblem: (text: string) => void) {
    this.#compat = compat;
    this.#onProblem = onProblem;
  }

  get silenceMs(): number | null {
    return this.#silent ? null : this.#compat ? SILENCE_MS : HINT_MS;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    const line = this.#cut(queue);
    this.waiting = queue.length;
    return line;
  }

  #cut(queue: ByteQueue): Uint8Array | null {
    const end = queue.indexOf(LF);
    if (end > MAX_LINE || (end < 0 && queue.length > MAX_LINE)) {
      throw new ProtocolError(`a line of more than ${MAX_LINE} bytes`, { fatal: true, kind: "limit" });
    }
    if (end >= 0) {
      const line = queue.take(end + 1);
      if (end > 0 && line[end - 1] === CR) return line.subarray(0, end - 1);
      this.#once("the server ends its lines with LF alone: CRLF it should be (RFC 5321 2.3.8)");
      return line.subarray(0, end);
    }
    const silent = this.#silent;
    this.#silent = false;
    return silent && queue.length > 0 ? queue.take(queue.length) : null;
  }

  silence(queue: ByteQueue): void {
    this.#unended(queue, "the server is silent: ");
    this.#silent = this.#compat;
  }

  end(queue: ByteQueue): Uint8Array | null {
    if (queue.length > 0) this.#unended(queue);
    return this.#compat && queue.length > 0 ? queue.take(queue.length) : null;
  }

  #unended(queue: ByteQueue, why = ""): void {
    const text = escapeText(decodeLossy(queue.peek(Math.min(queue.length, 100))));
    const lack = `"${text}" has no CRLF at its end (RFC 5321 2.3.8)`;
    this.#once(this.#compat ? lack : `${why}${lack}; --compat course does not mind`);
  }

  seal(): void {}

  #once(text: string): void {
    if (!this.#told) this.#onProblem(text);
    this.#told = true;
  }
}
