// What waits to be written to one connection. Messages are encoded straight into one buffer while the previous one is being
// written, so that however many messages gather meanwhile leave in one write: that is what makes a relay fast.
//
//     send, send, send ─► [ filling ]     [ in flight ] ─► conn.write
//                             └── swapped when the write is done ──┘

import { type Framer, tooLongToSend } from "../protocol/framing.ts";
import { writeText } from "../protocol/text.ts";
import type { Conn } from "./conn.ts";

const FIRST_BYTES = 512;
/** A buffer larger than this is given back when it has been written. */
const KEEP_BYTES = 65_536;
/** Its callbacks run when this turn's input has been handled; a promise is cheaper than `queueMicrotask`. */
const TURN_END = Promise.resolve();

/** Told about the fate of a queue. */
export interface SendQueueEvents {
  /** More than `limitBytes` wait: the peer does not read. */
  onFull(queuedBytes: number): void;
  onError(error: unknown): void;
  /** Called with the bytes that have just been written, if present. */
  onWritten?(bytes: Uint8Array): void;
}

/** Frames in, ordered writes out. */
export class SendQueue {
  #conn: Conn;
  readonly #limitBytes: number;
  readonly #coalesce: boolean;
  readonly #events: SendQueueEvents;
  #filling: Uint8Array = new Uint8Array(0);
  #used = 0;
  #spare: Uint8Array | null = null;
  #inFlight: Uint8Array | null = null;
  /** How much of `#inFlight` has been written. */
  #written = 0;
  /** Ends of frames that have to leave in a write of their own, in the two buffers. */
  #ends: number[] = [];
  #inFlightEnds: number[] = [];
  #scheduled = false;
  /** What was queued before `hold` and is not in flight yet. */
  #front: Uint8Array | null = null;
  #frontEnds: number[] = [];
  #held = false;
  #dead = false;
  #waiters: (() => void)[] = [];

  constructor(conn: Conn, limitBytes: number, coalesce: boolean, events: SendQueueEvents) {
    this.#conn = conn;
    this.#limitBytes = limitBytes;
    this.#coalesce = coalesce;
    this.#events = events;
  }

  /** Bytes accepted and not yet handed to the system. */
  get queuedBytes(): number {
    return this.#used + this.#leavingBytes;
  }

  /** Of these, what nothing holds. */
  get #leavingBytes(): number {
    return (this.#front?.length ?? 0) + (this.#inFlight === null ? 0 : this.#inFlight.length - this.#written);
  }

  /**
   * Queues one frame.
   *
   * @returns false when the connection is gone
   * @throws {ProtocolError} of side `local` when the framing cannot carry so many bytes; nothing is queued then
   */
  push(framer: Framer, body: Uint8Array | string): boolean {
    if (this.#dead) return false;
    const start = this.#used;
    const bodyAt = start + framer.headBytes;
    // A UTF-16 unit takes at most three bytes in UTF-8.
    this.#reserve(framer.headBytes + (typeof body === "string" ? 3 : 1) * body.length + framer.tailBytes);
    let bodyBytes = body.length;
    if (typeof body === "string") bodyBytes = writeText(body, this.#filling, bodyAt);
    else this.#filling.set(body, bodyAt);
    if (bodyBytes > framer.maxBody) throw tooLongToSend(framer, bodyBytes);
    framer.seal(this.#filling, start, bodyBytes);
    this.#used = bodyAt + bodyBytes + framer.tailBytes;
    if ((!this.#coalesce || !framer.coalesces) && this.#used > start) this.#ends.push(this.#used);
    if (this.queuedBytes > this.#limitBytes) {
      const queued = this.queuedBytes;
      this.stop();
      this.#events.onFull(queued);
      return false;
    }
    if (this.#inFlight === null && !this.#scheduled && !this.#held) {
      // Not now but when this turn's input has been handled: then all that it brings leaves together.
      this.#scheduled = true;
      TURN_END.then(this.#flush);
    }
    return true;
  }

  /** Resolves when everything queued, but for what is held, has been handed to the system, or cannot be any more. */
  flushed(): Promise<void> {
    if (this.#dead || (this.#leavingBytes === 0 && (this.#held || this.#used === 0))) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Holds what is queued from now on until `release`: what is queued already leaves. */
  hold(): void {
    if (this.#inFlight === null) this.#flush();
    else if (this.#used > 0) {
      this.#front = this.#filling.subarray(0, this.#used);
      this.#frontEnds = this.#ends;
      this.#ends = [];
      this.#filling = new Uint8Array(0);
      this.#used = 0;
    }
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  /** What is queued from now on leaves by another connection. Call it when all is flushed. */
  moveTo(conn: Conn): void {
    this.#conn = conn;
  }

  /** Drops what waits and accepts nothing more. */
  stop(): void {
    this.#dead = true;
    this.#filling = new Uint8Array(0);
    this.#used = 0;
    this.#spare = null;
    this.#inFlight = null;
    this.#front = null;
    this.#settle();
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#filling.length) return;
    const grown = new Uint8Array(Math.max(FIRST_BYTES, needed, 2 * this.#filling.length));
    grown.set(this.#filling.subarray(0, this.#used));
    this.#filling = grown;
  }

  readonly #flush = () => {
    this.#scheduled = false;
    if (this.#dead || this.#held || this.#inFlight !== null || this.#used === 0) return;
    const whole = this.#filling.subarray(0, this.#used);
    const ends = this.#ends;
    if (this.#ends.length > 0) this.#ends = [];
    this.#filling = this.#spare ?? new Uint8Array(0);
    this.#spare = null;
    this.#used = 0;
    this.#launch(whole, ends);
  };

  #launch(whole: Uint8Array, ends: number[]): void {
    this.#inFlight = whole;
    this.#written = 0;
    this.#inFlightEnds = ends;
    this.#write();
  }

  #write(): void {
    const whole = this.#inFlight!;
    const end = this.#inFlightEnds[0] ?? whole.length;
    const part = this.#written === 0 && end === whole.length ? whole : whole.subarray(this.#written, end);
    this.#conn.write(part).then(this.#wrote, this.#failed);
  }

  readonly #wrote = (bytes: number) => {
    const whole = this.#inFlight;
    if (this.#dead || whole === null) return;
    this.#events.onWritten?.(whole.subarray(this.#written, this.#written + bytes));
    this.#written += bytes;
    if (this.#written === this.#inFlightEnds[0]) this.#inFlightEnds.shift();
    if (this.#written < whole.length) return this.#write();
    this.#inFlight = null;
    if (whole.buffer.byteLength <= KEEP_BYTES) this.#spare = new Uint8Array(whole.buffer);
    const front = this.#front;
    this.#front = null;
    if (front !== null) this.#launch(front, this.#frontEnds);
    else if (this.#used > 0 && !this.#held) this.#flush();
    else this.#settle();
  };

  readonly #failed = (error: unknown) => {
    if (this.#dead) return;
    this.stop();
    this.#events.onError(error);
  };

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
