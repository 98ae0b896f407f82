// Framing: how one message is told from the next in a byte stream.
//
//     line   NAME alice\n          ends at LF, one CR before it dropped
//     lenN   0010NAME alice        N decimal digits (1 to 8): how many bytes follow
//     be8    00 00 00 00 00 00 00 0a NAME alice     the same in 8 bytes, big-endian
//     raw    NAME alice            one read is one message
//
// A framer cuts frames off a queue. A frame that is too long is answered once (a recoverable error) and skipped exactly,
// without keeping it in memory. `auto_framing.ts` finds out which of these a client speaks.

import type { ByteQueue } from "./byte_queue.ts";
import { ProtocolError } from "./errors.ts";
import { escapeBytes } from "./text.ts";

const LF = 0x0a;
const CR = 0x0d;
const ZERO = 0x30;

/** The most digits a decimal length field may have. */
export const MAX_DIGITS = 8;

/** Tells frames apart, in both directions. One framer serves one connection: it remembers what it is skipping. */
export interface Framer {
  /** Its name on the command line: `line`, `len4`, `be8`, `raw`. */
  readonly name: string;
  /** Bytes that stand before and after a body on the wire. */
  readonly headBytes: number;
  readonly tailBytes: number;
  /** The longest body that this framing can carry. */
  readonly maxBody: number;
  /** False where frames must leave in one write each, because the peer takes one read for one message. */
  readonly coalesces: boolean;
  /**
   * Cuts one frame off the queue, or null when more bytes are needed. The frame is a view, valid until the queue is filled.
   *
   * @throws {ProtocolError} once for each frame that cannot be had. Unless it is `fatal`, call again for the next one.
   */
  cut(queue: ByteQueue): Uint8Array | null;
  /** Writes head and tail around a body of `bodyBytes` that stands at `start + headBytes` in `buffer`. */
  seal(buffer: Uint8Array, start: number, bodyBytes: number): void;
  /**
   * The stream has ended: what is left is a frame, or null when it is none (an unfinished one is never delivered). Throws as
   * `cut`.
   */
  end?(queue: ByteQueue): Uint8Array | null;
  /** How much should be read at once, at least, where much is about to come; asked before each read. */
  readonly readBytes?: number;
  /** After how many ms of silence `silence` wants to be called while bytes wait; null for not at all. */
  readonly silenceMs?: number | null;
  /** Nothing came for `silenceMs`. */
  silence?(queue: ByteQueue): void;
  /** For connections that carry datagrams, which need no cutting: what of this one is the message. Throws as `cut`. */
  whole?(datagram: Uint8Array): Uint8Array;
}

/** A complete frame around `body`. @throws {ProtocolError} of side `local` where the framing has no room for it */
export function wrap(framer: Framer, body: Uint8Array): Uint8Array<ArrayBuffer> {
  if (body.length > framer.maxBody) throw tooLongToSend(framer, body.length);
  const frame = new Uint8Array(framer.headBytes + body.length + framer.tailBytes);
  frame.set(body, framer.headBytes);
  framer.seal(frame, 0, body.length);
  return frame;
}

/** The error for a body that a framing has no room for. */
export function tooLongToSend(framer: Framer, bodyBytes: number): ProtocolError {
  return new ProtocolError(`${bodyBytes} bytes do not fit: ${framer.name} carries ${framer.maxBody} at most`, {
    kind: "limit",
    side: "local",
  });
}

/**
 * The error for what is longer than a limit.
 *
 * @param bytes null where nobody has counted them
 */
export function tooLong(bytes: number | null, maxBytes: number): ProtocolError {
  const size = bytes === null ? `more than ${maxBytes} bytes` : `${bytes} bytes, the limit is ${maxBytes}`;
  return new ProtocolError(`message too long: ${size}`, { kind: "limit" });
}

/** `line`: a frame ends at LF; one CR before it is dropped. */
export class LineFramer implements Framer {
  readonly name = "line";
  readonly headBytes = 0;
  readonly tailBytes = 1;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  readonly #maxBytes: number;
  /** How much of the queue is known to hold no LF, so that a slow line is not searched again and again. */
  #searched = 0;
  #skipping: boolean;

  /** @param skipping whether the stream begins inside a line that is to be dropped */
  constructor(maxBytes: number, skipping = false) {
    this.#maxBytes = maxBytes;
    this.#skipping = skipping;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    for (;;) {
      const end = queue.indexOf(LF, this.#searched);
      if (this.#skipping) {
        queue.skip(end < 0 ? queue.length : end + 1);
        if (end < 0) return null;
        this.#skipping = false;
        continue;
      }
      if (end < 0) {
        this.#searched = queue.length;
        // One byte more than the limit may still be the CR of a line that just fits.
        if (queue.length <= this.#maxBytes + 1) return null;
        queue.skip(queue.length);
        this.#searched = 0;
        this.#skipping = true;
        throw this.#tooLong();
      }
      this.#searched = 0;
      let body = queue.take(end + 1).subarray(0, end);
      if (body.length > 0 && body[body.length - 1] === CR) body = body.subarray(0, -1);
      if (body.length > this.#maxBytes) throw this.#tooLong();
      return body;
    }
  }

  // The same words whether its end has come yet or not: the answer must not depend on how the stream was split.
  #tooLong(): ProtocolError {
    return tooLong(null, this.#maxBytes);
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    buffer[start + bodyBytes] = LF;
  }
}

/** What `lenN` and `be8` share: a length of fixed width, then that many bytes. */
abstract class LengthFramer implements Framer {
  abstract readonly name: string;
  abstract readonly maxBody: number;
  readonly headBytes: number;
  readonly tailBytes = 0;
  readonly coalesces = true;
  readonly #maxBytes: number;
  #skip = 0;

  constructor(headBytes: number, maxBytes: number) {
    this.headBytes = headBytes;
    this.#maxBytes = maxBytes;
  }

  /** The length that the first `headBytes` bytes say. */
  protected abstract readLength(queue: ByteQueue): number;
  abstract seal(buffer: Uint8Array, start: number, bodyBytes: number): void;

  cut(queue: ByteQueue): Uint8Array | null {
    if (this.#skip > 0) {
      this.#skip -= queue.skip(this.#skip);
      if (this.#skip > 0) return null;
    }
    if (queue.length < this.headBytes) {
      this.checkPart(queue);
      return null;
    }
    const bodyBytes = this.readLength(queue);
    if (bodyBytes > this.#maxBytes) {
      queue.skip(this.headBytes);
      this.#skip = bodyBytes - queue.skip(bodyBytes);
      throw tooLong(bodyBytes, this.#maxBytes);
    }
    if (queue.length < this.headBytes + bodyBytes) return null;
    queue.skip(this.headBytes);
    return queue.take(bodyBytes);
  }

  /** Looks at a head that is not complete yet. */
  protected checkPart(_queue: ByteQueue): void {}
}

/** `lenN`: N decimal ASCII digits, zero-padded, count the bytes of the body that follows. */
export class DigitsFramer extends LengthFramer {
  readonly name: string;
  readonly maxBody: number;

  constructor(digits: number, maxBytes: number) {
    super(digits, maxBytes);
    this.name = `len${digits}`;
    this.maxBody = 10 ** digits - 1;
  }

  protected override readLength(queue: ByteQueue): number {
    return this.#digits(queue, this.headBytes);
  }

  // A peer that does not frame is told at its first byte: it may not send a whole head before it waits for an answer.
  protected override checkPart(queue: ByteQueue): void {
    this.#digits(queue, queue.length);
  }

  #digits(queue: ByteQueue, count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const digit = queue.at(i) - ZERO;
      if (digit < 0 || digit > 9) throw this.#notANumber(queue, i);
      value = 10 * value + digit;
    }
    return value;
  }

  #notANumber(queue: ByteQueue, offset: number): ProtocolError {
    // Up to the wrong byte and no further: whether more has come yet is chance.
    const field = escapeBytes(queue.peek(offset + 1));
    return new ProtocolError(`length field is not a number: "${field}"`, {
      fatal: true,
      offset,
      hint: `a length is ${this.headBytes} decimal digits and counts bytes, not characters`,
    });
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    for (let i = start + this.headBytes - 1; i >= start; i--) {
      buffer[i] = ZERO + (bodyBytes % 10);
      bodyBytes = Math.floor(bodyBytes / 10);
    }
  }
}

/** `be8`: the length is an unsigned 64-bit integer, big-endian. */
export class BigEndianFramer extends LengthFramer {
  readonly name = "be8";
  readonly maxBody = Number.MAX_SAFE_INTEGER;

  constructor(maxBytes: number) {
    super(8, maxBytes);
  }

  protected override readLength(queue: ByteQueue): number {
    const head = queue.peek(8);
    const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0);
    // A number this large cannot be skipped byte for byte in a lifetime, let alone exactly.
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ProtocolError(`length field says ${length} bytes`, { fatal: true, offset: 0 });
    }
    return Number(length);
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    new DataView(buffer.buffer, buffer.byteOffset + start, 8).setBigUint64(0, BigInt(bodyBytes));
  }
}

/** What is read at once where there is no limit: then no message is too long, and a long one comes in pieces. */
const PIECE_BYTES = 65_536;
/** The rest of a message that does not fit into one read comes at once: after so many ms without more it is over. */
const RAW_REST_MS = 20;

/**
 * `raw`: one read is one message. A byte stream does not promise that; it serves old programs that frame nothing. One read
 * brings all that the limit allows; what is longer is answered when all of it has come, so that the next message, which may
 * wait for that answer, is not taken for a part of it.
 */
export class RawFramer implements Framer {
  readonly name = "raw";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = false;
  readonly readBytes: number;
  readonly #maxBytes: number;
  /** How much of a message that is too long has been dropped; its last byte waits for its end. */
  #dropped = 0;
  #over = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.readBytes = maxBytes === Infinity ? PIECE_BYTES : maxBytes + 1;
  }

  /** Whether it is inside a message that is too long, of which nobody has been told yet. */
  get skipping(): boolean {
    return this.#dropped > 0;
  }

  get silenceMs(): number | null {
    return this.skipping && !this.#over ? RAW_REST_MS : null;
  }

  silence(): void {
    this.#over = this.skipping;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    if (this.#over) {
      const bytes = this.#dropped + queue.skip(1);
      this.#dropped = 0;
      this.#over = false;
      throw tooLong(bytes, this.#maxBytes);
    }
    if (queue.length === 0) return null;
    if (!this.skipping) {
      const end = queue.length - (queue.at(queue.length - 1) === CR ? 1 : 0);
      if (end <= this.#maxBytes) return queue.take(queue.length).subarray(0, end);
    }
    this.#dropped += queue.skip(queue.length - 1);
    return null;
  }

  end(queue: ByteQueue): Uint8Array | null {
    this.silence();
    return this.cut(queue);
  }

  seal(): void {}
}

/** UDP: one datagram is one message. To a peer whose datagrams end with LF, as those of `nc -u` do, ours do so, too. */
export class DatagramFramer implements Framer {
  readonly name = "datagram";
  readonly headBytes = 0;
  tailBytes = 0;
  /** What fits into one datagram of IPv4, an LF included. */
  readonly maxBody = 65_506;
  readonly coalesces = false;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  whole(datagram: Uint8Array): Uint8Array {
    let end = datagram.length;
    this.tailBytes = datagram[end - 1] === LF ? 1 : 0;
    end -= this.tailBytes;
    if (datagram[end - 1] === CR) end--;
    if (end > this.#maxBytes) throw tooLong(end, this.#maxBytes);
    return datagram.subarray(0, end);
  }

  cut(): null {
    return null;
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    if (this.tailBytes === 1) buffer[start + bodyBytes] = LF;
  }
}

/** The names that `--wire` takes, apart from `auto`, for messages and for help. */
export const WIRE_NAMES = "line, len1 to len8, be8, raw";

/**
 * The framer of that name: one of `WIRE_NAMES`, `lenN` for `len4`, or `datagram`.
 *
 * @param maxBytes the longest body that is accepted from the peer
 * @returns null when there is no framing of that name (`auto` is not one: see `AutoFramer`)
 */
export function makeFramer(name: string, maxBytes: number): Framer | null {
  if (name === "datagram") return new DatagramFramer(maxBytes);
  if (name === "line") return new LineFramer(maxBytes);
  if (name === "raw") return new RawFramer(maxBytes);
  if (name === "be8") return new BigEndianFramer(maxBytes);
  const digits = /^len([1-8])$/.exec(name)?.[1] ?? (name === "lenN" ? "4" : null);
  return digits === null ? null : new DigitsFramer(Number(digits), maxBytes);
}
