// What a receiver counts: loss, order, duplicates and jitter of numbered datagrams.

import type { Millis } from "../../protocol/clock.ts";
import { Gaps } from "../gaps.ts";
import type { Piece } from "./protocol.ts";

/** A number so far ahead is not of this stream, unless the next one follows it (RFC 3550, A.1). */
const MAX_AHEAD = 65_536;
/** How many holes are remembered: what would fill an earlier one is not late, but lost. */
const MAX_GAPS = 10_000;

/** How a piece came. */
export type Arrival = "new" | "late" | "duplicate" | "wild";

/** Counts what comes. */
export class Tally {
  /** Pieces that came, each once, and their bytes. */
  packets = 0;
  bytes = 0;
  /** Came behind one with a higher number (RFC 4737, section 3). */
  reordered = 0;
  duplicates = 0;
  /** Behind the highest number that has come, or is known to have been sent. */
  next = 0;
  /** Of the interarrival times, as RFC 3550 estimates it (section 6.4.1, code in A.8), in ms. */
  jitterMs: Millis = 0;
  #highest = -1;
  /** The last that was too far ahead. */
  #wild = NaN;
  readonly #come = new Gaps(MAX_GAPS);
  /** The same of the bytes of the file. */
  readonly #bytesCome = new Gaps(MAX_GAPS);
  /** Of the last that came: when it came, less when it is to be played. */
  #transit: Millis | null = null;
  /** What was sent before has times of another schedule. */
  #runStart = 0;

  /** Pieces that did not come, of those that must have been sent. */
  get lost(): number {
    return this.#come.missing(this.next);
  }

  /** Bytes that did not come, of a file of `size`: a server may say of two pieces that they are in one place. */
  missingBytes(size: number): number {
    return this.#bytesCome.missing(size);
  }

  /** Holes: runs of numbers that did not come. */
  get gaps(): number {
    return this.#come.count + (this.#come.next < this.next ? 1 : 0);
  }

  /** Counts a piece that has come. */
  take({ seq, offset, timeMs, bytes }: Piece, now: Millis): Arrival {
    if (seq >= this.next + MAX_AHEAD && seq !== this.#wild + 1) {
      this.#wild = seq;
      return "wild";
    }
    if (!this.#come.add(seq)) {
      this.duplicates++;
      return "duplicate";
    }
    this.#measure(seq, now - timeMs);
    this.packets++;
    this.bytes += bytes.length;
    if (bytes.length > 0) this.#bytesCome.add(offset, offset + bytes.length - 1);
    if (seq < this.#highest) this.reordered++;
    this.#highest = Math.max(this.#highest, seq);
    if (seq < this.next) return "late";
    this.next = seq + 1;
    return "new";
  }

  /** So many have been sent. */
  expect(total: number): void {
    if (total <= this.next + MAX_AHEAD) this.next = Math.max(this.next, total);
  }

  /** From `seq` on the server sends by a new schedule: it was told to pause, to go on, or to go elsewhere. */
  restart(seq: number): void {
    this.#runStart = seq;
    this.#transit = null;
  }

  #measure(seq: number, transit: Millis): void {
    if (seq < this.#runStart) return;
    if (this.#transit !== null) this.jitterMs += (Math.abs(transit - this.#transit) - this.jitterMs) / 16;
    this.#transit = transit;
  }
}
