// Which framing does this client speak? Decided per connection from its first bytes, so that clients of different framings
// share one server:
//
//     first byte 0-9 (where digits may not start a message)   lenN, N = the run of digits before the first other byte
//     first byte 0                                            be8
//     LF seen                                                 line
//     a complete message, no LF, 300 ms of silence            raw; becomes line when an LF comes after all
//
// A message too long for the limit is answered at once, and does not decide: LF or silence behind it does.

import type { ByteQueue } from "./byte_queue.ts";
import { NetlabError, ProtocolError } from "./errors.ts";
import {
  BigEndianFramer,
  DigitsFramer,
  type Framer,
  LineFramer,
  makeFramer,
  MAX_DIGITS,
  RawFramer,
  tooLong,
  WIRE_NAMES,
} from "./framing.ts";
import { decodeLossy, escapeBytes } from "./text.ts";

const LF = 0x0a;

/** Silence, in ms, after which bytes without LF count as a message. */
export const SILENCE_MS = 300;

/** What `AutoFramer` has to know about the exercise. */
export interface AutoFramingOptions {
  /** The longest body that is accepted, in bytes. */
  readonly maxBytes: number;
  /** Whether a leading digit or zero byte means a length field (it cannot where a message may start with a digit). */
  readonly lengths: boolean;
  /** Whether `text` is all that a client would send as one message: a command that lacks nothing. */
  readonly isComplete: (text: string) => boolean;
  /** Told when the framing is known, and again if it changes. */
  readonly onDecided?: (framing: Framer) => void;
}

/** A framer that becomes another one when it has seen enough. Until then it answers with lines. */
export class AutoFramer implements Framer {
  readonly #options: AutoFramingOptions;
  /** Before anything is known, an answer (to silence, to a full server) is a line: every kind of client can show it. */
  #framer: Framer;
  #decided = false;
  readonly #raw: RawFramer;
  /** How much of the queue has been searched for LF. */
  #searched = 0;
  /** What comes belongs to a message that was too long, before it is known what ends it: its last byte waits for that. */
  #skipping = false;

  constructor(options: AutoFramingOptions) {
    this.#options = options;
    this.#framer = new LineFramer(options.maxBytes);
    this.#raw = new RawFramer(options.maxBytes);
  }

  get name(): string {
    return this.#decided ? this.#framer.name : "auto";
  }
  get headBytes(): number {
    return this.#framer.headBytes;
  }
  get tailBytes(): number {
    return this.#framer.tailBytes;
  }
  get maxBody(): number {
    return this.#framer.maxBody;
  }
  get coalesces(): boolean {
    return this.#framer.coalesces;
  }
  get silenceMs(): number | null {
    return this.#decided ? this.#framer.silenceMs ?? null : SILENCE_MS;
  }

  /** Who may turn out to be raw is read as if it were: the next read begins before that is known. */
  get readBytes(): number {
    return (this.#decided || this.#searched === 0 ? this.#framer : this.#raw).readBytes ?? 0;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    if (!this.#decided) this.#decide(queue);
    else if (this.#framer === this.#raw && queue.indexOf(LF) >= 0) this.#useLines(queue);
    return this.#decided ? this.#framer.cut(queue) : null;
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    this.#framer.seal(buffer, start, bodyBytes);
  }

  silence(queue: ByteQueue): void {
    if (this.#decided) return this.#framer.silence?.(queue);
    if (this.#skipping) queue.skip(queue.length);
    else if (!this.#holdsMessage(queue)) return;
    this.#use(this.#raw);
  }

  end(queue: ByteQueue): Uint8Array | null {
    if (!this.#decided) this.silence(queue);
    return this.#framer.end?.(queue) ?? null;
  }

  get #maxBytes(): number {
    return this.#options.maxBytes;
  }

  #use(framer: Framer): void {
    this.#framer = framer;
    this.#decided = true;
    this.#options.onDecided?.(framer);
  }

  /** Without framing a message was too long, and an LF ends it after all: nobody has been told yet. */
  #useLines(queue: ByteQueue): void {
    const { skipping } = this.#raw;
    this.#use(new LineFramer(this.#maxBytes, skipping));
    if (!skipping) return;
    queue.skip(1);
    throw tooLong(null, this.#maxBytes);
  }

  #decide(queue: ByteQueue): void {
    if (queue.length === 0) return;
    if (this.#skipping) {
      if (queue.indexOf(LF) >= 0) this.#use(new LineFramer(this.#maxBytes, true));
      else queue.skip(queue.length - 1);
      return;
    }
    const first = queue.at(0);
    if (this.#options.lengths && first === 0) return this.#use(new BigEndianFramer(this.#maxBytes));
    if (this.#options.lengths && isDigit(first)) return this.#countDigits(queue);
    if (queue.indexOf(LF, this.#searched) >= 0) return this.#use(new LineFramer(this.#maxBytes));
    this.#searched = queue.length;
    if (queue.length <= this.#maxBytes + 1) return;
    // A message too long for the limit needs no LF to be refused.
    queue.skip(queue.length - 1);
    this.#searched = 0;
    this.#skipping = true;
    throw tooLong(null, this.#maxBytes);
  }

  #countDigits(queue: ByteQueue): void {
    let digits = 1;
    while (digits < queue.length && digits <= MAX_DIGITS && isDigit(queue.at(digits))) digits++;
    if (digits > MAX_DIGITS) {
      throw new ProtocolError(
        `length field is not a number of 1 to ${MAX_DIGITS} digits: "${escapeBytes(queue.peek(digits))}"`,
        { fatal: true, offset: MAX_DIGITS },
      );
    }
    if (digits < queue.length) this.#use(new DigitsFramer(digits, this.#maxBytes));
  }

  #holdsMessage(queue: ByteQueue): boolean {
    if (queue.length === 0) return false;
    const first = queue.at(0);
    if (this.#options.lengths && (first === 0 || isDigit(first))) return false;
    return this.#options.isComplete(decodeLossy(queue.peek(queue.length)).replace(/\r$/, ""));
  }
}

/**
 * The framer of a server's connection: the one that `--wire` names, or one that finds out.
 *
 * @throws {NetlabError} of kind `usage` when there is none of that name
 */
export function makeServerFramer(wire: string, options: AutoFramingOptions): Framer {
  const framer = wire === "auto" ? new AutoFramer(options) : makeFramer(wire, options.maxBytes);
  if (framer === null) throw new NetlabError("usage", `no such framing: ${wire} (auto, ${WIRE_NAMES})`);
  return framer;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
