// When chunks may leave, where a window is larger than what a socket's buffer holds (on Linux 92 datagrams of 1400 bytes, 25
// of 4000), or there is none: sent all at once, most of it would be lost, and UDP tells nobody.
//
//     at most a burst back to back ─► one more for each that is acknowledged, and a quarter of a burst a ms besides
//     at most `limit` on the way ───► two bursts at first, then what fills the path, and one and a quarter more
//
// What fills the path shows in the round trip (TCP Vegas, Brakmo and Peterson 1995): where it takes longer than the shortest
// one did, chunks wait in a queue behind others. Of those on the way the share shortest / last is moving.

import type { Millis } from "../../protocol/clock.ts";

/** How many chunks may leave back to back. */
export const BURST = 32;
/** The same of large chunks, in bytes of a socket's buffer: a third of what Linux gives it. */
const BURST_BYTES = 65_536;
/** What the system keeps with each datagram, in bytes. */
const KEPT_BYTES = 400;

/** How many chunks of so many bytes may leave back to back: each takes a block whose size is a power of two. */
export function burstOf(chunk: number): number {
  const block = 2 ** Math.ceil(Math.log2(chunk + KEPT_BYTES));
  return Math.max(1, Math.min(BURST, Math.floor(BURST_BYTES / block)));
}

/** How many chunks may leave now. */
export class Pacer {
  readonly #window: number;
  readonly #burst: number;
  #tokens: number;
  #tokensAt: Millis;
  #limit: number;
  #until: Millis | null = null;

  constructor(window: number, burst: number, now: Millis) {
    this.#window = window;
    this.#burst = this.#tokens = burst;
    this.#limit = Math.min(2 * burst, window);
    this.#tokensAt = now;
  }

  /** Each chunk whose number is one less than a multiple of this asks to be acknowledged: more are always on the way. */
  get pushEvery(): number {
    return Math.ceil(this.#burst / 2);
  }

  /** When it is to be asked again, because too many have just left; null when that is not what keeps anything. */
  get until(): Millis | null {
    return this.#until;
  }

  /** Whether one more may leave, with so many on the way. */
  mayLeave(inFlight: number, now: Millis): boolean {
    if (inFlight >= this.#limit) return false;
    if (this.#tokens >= 1) return true;
    this.#until ??= now + 1;
    return false;
  }

  /** One has left. */
  left(): void {
    this.#tokens--;
  }

  /** Time has passed, and so many have been acknowledged. */
  refill(acknowledged: number, now: Millis): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + acknowledged + this.#burst / 4 * (now - this.#tokensAt));
    this.#tokensAt = now;
    this.#until = null;
  }

  /**
   * So many were on the way when some of them were acknowledged, and that took so long. The limit is raised slowly: a
   * program that has just started is slow, and its first round trips are not the shortest.
   */
  measured(acknowledged: number, inFlight: number, rttMs: Millis, minRttMs: Millis): void {
    const moving = inFlight * (minRttMs / Math.max(rttMs, minRttMs, 1e-3));
    this.#limit = Math.min(this.#limit + acknowledged / 4, moving + 1.25 * this.#burst, this.#window);
  }

  /** What was on the way is lost: nothing is known of the path any more. */
  lost(): void {
    this.#limit = Math.min(2 * this.#burst, this.#window);
  }
}
