// Which framing does this client speak? Decided per connection from its first bytes, so that clients of different framings
// share one server:
//
//     first byte 0-9 (where digits may not start a message)   lenN, N = the run of digits before the first other byte;
//                                                             behind `0000` a run may be several lengths of 4 digits, all
//                                                             but the last of empty messages
//     first byte 0                                            be8
//     LF seen                                                 line
//     a complete message, no LF, 300 ms of silence            raw; becomes line when an LF comes after all
//     text that is not complete, and the end of the stream    raw: nothing can complete it any more
//
// A message too long for the limit does not decide: LF or silence behind it does, and then it is answered. Who waits for
// that answer before it goes on would otherwise be taken to be still inside of it.

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
const ZERO = 0x30;

/** Silence, in ms, after which bytes without LF count as a message. */
export const SILENCE_MS = 300;
/** How many digits the lengths have that may be several in one run of digits: as in the course. */
const COURSE_DIGITS = 4;
/** The longest such run. */
const MAX_RUN = 32;

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
  /** What was taken for a length of 8 digits may have been two of 4, the first of an empty message. */
  #mayBeTwo = false;

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
    if (!this.#decided) return null;
    try {
      return this.#framer.cut(queue);
    } catch (error) {
      if (!this.#mayBeTwo || !isShort(error)) throw error;
      this.#useDigits(COURSE_DIGITS, false);
      return this.#framer.cut(queue);
    }
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    this.#framer.seal(buffer, start, bodyBytes);
  }

  silence(queue: ByteQueue): void {
    if (this.#decided) return this.#framer.silence?.(queue);
    if (!this.#raw.skipping) {
      if (this.#options.lengths && queue.length > 0 && isDigit(queue.at(0))) return this.#countEmpty(queue);
      if (!this.#holdsMessage(queue)) return;
    }
    this.#raw.silence();
    this.#use(this.#raw);
  }

  end(queue: ByteQueue): Uint8Array | null {
    if (!this.#decided) this.silence(queue);
    if (!this.#decided && queue.length > 0 && !this.#beginsLength(queue)) this.#use(this.#raw);
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
    if (!this.#raw.skipping) {
      const first = queue.at(0);
      if (this.#options.lengths && first === 0) return this.#use(new BigEndianFramer(this.#maxBytes));
      if (this.#options.lengths && isDigit(first)) return this.#countDigits(queue);
    }
    if (queue.indexOf(LF, this.#searched) >= 0) return this.#useLines(queue);
    this.#searched = queue.length;
    if (queue.length <= this.#maxBytes + 1 && !this.#raw.skipping) return;
    this.#raw.cut(queue);
    this.#searched = queue.length;
  }

  #countDigits(queue: ByteQueue): void {
    const { digits, zeros } = countRun(queue);
    const ended = digits < queue.length;
    if (digits <= MAX_DIGITS) {
      if (ended) this.#useDigits(digits, zeros >= COURSE_DIGITS);
      return;
    }
    const several = digits <= MAX_RUN && zeros >= digits - COURSE_DIGITS;
    if (!several || (ended && digits % COURSE_DIGITS > 0)) {
      throw new ProtocolError(
        `length field is not a number of 1 to ${MAX_DIGITS} digits: "${escapeBytes(queue.peek(MAX_DIGITS + 1))}"`,
        { fatal: true, offset: MAX_DIGITS },
      );
    }
    if (ended) this.#useSeveral(digits);
  }

  /** Zeros alone, and silence: the lengths of empty messages. */
  #countEmpty(queue: ByteQueue): void {
    const { digits, zeros } = countRun(queue);
    if (zeros === digits && digits % COURSE_DIGITS === 0) this.#useSeveral(digits);
  }

  /** A run of so many digits is whole lengths: of 8 digits, as long as those of 4 can be read so, too. */
  #useSeveral(digits: number): void {
    const isEven = digits % MAX_DIGITS === 0;
    this.#useDigits(isEven ? MAX_DIGITS : COURSE_DIGITS, isEven);
  }

  #useDigits(digits: number, mayBeTwo: boolean): void {
    this.#mayBeTwo = mayBeTwo && digits === MAX_DIGITS;
    this.#use(new DigitsFramer(digits, this.#maxBytes));
  }

  #beginsLength(queue: ByteQueue): boolean {
    return this.#options.lengths && (queue.at(0) === 0 || isDigit(queue.at(0)));
  }

  #holdsMessage(queue: ByteQueue): boolean {
    if (queue.length === 0 || this.#beginsLength(queue)) return false;
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

/** How many digits stand at the front of the queue, and how many of them are zeros before any other. */
function countRun(queue: ByteQueue): { digits: number; zeros: number } {
  let digits = 0;
  let zeros = 0;
  while (digits < queue.length && digits <= MAX_RUN && isDigit(queue.at(digits))) {
    if (zeros === digits && queue.at(digits) === ZERO) zeros++;
    digits++;
  }
  return { digits, zeros };
}

/** Whether a length ends behind the digits of the course. */
function isShort(error: unknown): boolean {
  return error instanceof ProtocolError && error.fatal && error.offset === COURSE_DIGITS;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
