// What waits to be written to one connection. Messages are encoded straight into one buffer while the previous one is being
// written, so that however many messages gather meanwhile leave in one write: that is what makes a relay fast.
//
//     send, send, send ─► [ filling ]     [ in flight ] ─► conn.write
//                             └── swapped when the write is done ──┘

import { type Framer, tooLongToSend } from "../protocol/framing.ts";
import { writeText } from "../protocol/text.ts";
import type { Conn } from "./conn.ts";

const FIRST_BYTES = 512;
/** A buffer larger than this is given back when it has been written, unless another size is said. */
const KEEP_BYTES = 65_536;
/** Its callbacks run when this turn's input has been handled; a promise is cheaper than `queueMicrotask`. */
const TURN_END = Promise.resolve();
/** The queues with something that leaves then: one callback for all, so that their writes follow each other at once. */
let due: SendQueue[] = [];

function flushDue(): void {
  const queues = due;
  due = [];
  for (const queue of queues) queue.flush();
}

/** Told about the fate of a queue. */
export interface SendQueueEvents {
  /** More than `limitBytes` wait, in more than one frame: the peer does not read. */
  onFull(queuedBytes: number): void;
  onError(error: unknown): void;
  /** Called with the bytes that have just been written, if present. */
  onWritten?(bytes: Uint8Array): void;
}

/** Frames that leave together. */
interface Batch {
  buffer: Uint8Array;
  /** How much of it is filled. */
  bytes: number;
  /** Where those frames end that have to leave in a write of their own. */
  readonly ends: number[];
}

const emptyBatch = (): Batch => ({ buffer: new Uint8Array(0), bytes: 0, ends: [] });

/** Frames in, ordered writes out. */
export class SendQueue {
  #conn: Conn;
  readonly #limitBytes: number;
  readonly #coalesce: boolean;
  readonly #keepBytes: number;
  readonly #events: SendQueueEvents;
  #filling = emptyBatch();
  #spare: Batch | null = null;
  #inFlight: Batch | null = null;
  /** How much of `#inFlight` has been written, what is being written, and the end of a frame that comes next in `ends`. */
  #written = 0;
  #part = this.#filling.buffer;
  #endAt = 0;
  #scheduled = false;
  /** What was queued before `hold` and is not in flight yet. */
  #front: Batch | null = null;
  #held = false;
  #dead = false;
  #waiters: (() => void)[] = [];

  constructor(conn: Conn, limitBytes: number, coalesce: boolean, events: SendQueueEvents, keepBytes = KEEP_BYTES) {
    this.#conn = conn;
    this.#keepBytes = keepBytes;
    this.#limitBytes = limitBytes;
    this.#coalesce = coalesce;
    this.#events = events;
  }

  /** Bytes accepted and not yet handed to the system. */
  get queuedBytes(): number {
    return this.#filling.bytes + this.#leavingBytes;
  }

  /** Of these, what nothing holds. */
  get #leavingBytes(): number {
    return (this.#front?.bytes ?? 0) + (this.#inFlight === null ? 0 : this.#inFlight.bytes - this.#written);
  }

  /**
   * Queues one frame.
   *
   * @returns false when the connection is gone
   * @throws {ProtocolError} of side `local` when the framing cannot carry so many bytes; nothing is queued then
   */
  push(framer: Framer, body: Uint8Array | string): boolean {
    if (this.#dead) return false;
    const batch = this.#filling;
    const start = batch.bytes;
    const bodyAt = start + framer.headBytes;
    // A UTF-16 unit takes at most three bytes in UTF-8.
    const most = (typeof body === "string" ? 3 : 1) * body.length;
    reserve(batch, framer.headBytes + most + framer.tailBytes);
    let bodyBytes = body.length;
    if (typeof body === "string") bodyBytes = writeText(body, batch.buffer, bodyAt);
    else batch.buffer.set(body, bodyAt);
    if (bodyBytes > framer.maxBody) throw tooLongToSend(framer, bodyBytes);
    framer.seal(batch.buffer, start, bodyBytes);
    batch.bytes = bodyAt + bodyBytes + framer.tailBytes;
    if ((!this.#coalesce || !framer.coalesces) && batch.bytes > start) batch.ends.push(batch.bytes);
    const queued = this.queuedBytes;
    // A frame that is alone waits for nobody yet, however long it is.
    if (queued > this.#limitBytes && queued > batch.bytes - start) {
      this.stop();
      this.#events.onFull(queued);
      return false;
    }
    if (this.#inFlight === null && !this.#scheduled && !this.#held) {
      // Not now but when this turn's input has been handled: then all that it brings leaves together.
      this.#scheduled = true;
      if (due.push(this) === 1) TURN_END.then(flushDue);
    }
    return true;
  }

  /** Resolves when everything queued, but for what is held, has been handed to the system, or cannot be any more. */
  flushed(): Promise<void> {
    if (this.#dead || (this.#leavingBytes === 0 && (this.#held || this.#filling.bytes === 0))) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Holds what is queued from now on until `release`: what is queued already leaves. */
  hold(): void {
    if (this.#inFlight === null) this.flush();
    else if (this.#filling.bytes > 0) {
      this.#front = this.#filling;
      this.#filling = emptyBatch();
    }
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  /** What is queued from now on leaves by another connection. Call it when all is flushed. */
  moveTo(conn: Conn): void {
    this.#conn = conn;
  }

  /** Drops what waits and accepts nothing more. */
  stop(): void {
    this.#dead = true;
    this.#filling = emptyBatch();
    this.#spare = this.#inFlight = this.#front = null;
    this.#settle();
  }

  /** Has what is queued leave now and not at the end of the turn, for who knows that nothing more comes in this one. */
  flush(): void {
    this.#scheduled = false;
    if (this.#dead || this.#held || this.#inFlight !== null || this.#filling.bytes === 0) return;
    const batch = this.#filling;
    this.#filling = this.#spare ?? emptyBatch();
    this.#spare = null;
    this.#launch(batch);
  }

  #launch(batch: Batch): void {
    this.#inFlight = batch;
    this.#written = this.#endAt = 0;
    this.#write(batch);
  }

  #write({ buffer, bytes, ends }: Batch): void {
    this.#part = buffer.subarray(this.#written, ends[this.#endAt] ?? bytes);
    this.#conn.write(this.#part).then(this.#wrote, this.#failed);
  }

  readonly #wrote = (bytes: number) => {
    const batch = this.#inFlight;
    if (batch === null) return; // it was stopped meanwhile
    this.#events.onWritten?.(bytes === this.#part.length ? this.#part : this.#part.subarray(0, bytes));
    this.#written += bytes;
    if (this.#written === batch.ends[this.#endAt]) this.#endAt++;
    if (this.#written < batch.bytes) return this.#write(batch);
    this.#inFlight = null;
    batch.bytes = batch.ends.length = 0;
    if (batch.buffer.length <= this.#keepBytes) this.#spare = batch;
    const front = this.#front;
    this.#front = null;
    if (front !== null) this.#launch(front);
    else if (this.#filling.bytes > 0 && !this.#held) this.flush();
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

/** Makes room for more. */
function reserve(batch: Batch, bytes: number): void {
  const needed = batch.bytes + bytes;
  if (needed <= batch.buffer.length) return;
  const grown = new Uint8Array(Math.max(FIRST_BYTES, needed, 2 * batch.buffer.length));
  grown.set(batch.buffer.subarray(0, batch.bytes));
  batch.buffer = grown;
}
