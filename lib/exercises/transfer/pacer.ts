// When chunks may leave, where a window is larger than what a socket's buffer holds (on Linux 92 datagrams of 1400 bytes):
// sent all at once, most of it would be lost, and UDP tells nobody.
//
//     at most BURST back to back ─► one more for each that is acknowledged, and PER_MS besides
//     at most `limit` on the way ─► ROOM at first, then what fills the path, and QUEUED more
//
// What fills the path shows in the round trip (TCP Vegas, Brakmo and Peterson 1995): where it takes longer than the shortest
// one did, chunks wait in a queue behind others. Of those on the way the share shortest / last is moving.

import type { Millis } from "../../protocol/clock.ts";

export const BURST = 32;
export const ROOM = 64;
const PER_MS = 8;
export const QUEUED = 40;

/** How many chunks may leave now. */
export class Pacer {
  readonly #window: number;
  #tokens = BURST;
  #tokensAt: Millis;
  #limit: number;
  #until: Millis | null = null;

  constructor(window: number, now: Millis) {
    this.#window = window;
    this.#limit = Math.min(ROOM, window);
    this.#tokensAt = now;
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
    this.#tokens = Math.min(BURST, this.#tokens + acknowledged + PER_MS * (now - this.#tokensAt));
    this.#tokensAt = now;
    this.#until = null;
  }

  /**
   * So many were on the way when some of them were acknowledged, and that took so long. The limit is raised slowly: a
   * program that has just started is slow, and its first round trips are not the shortest.
   */
  measured(acknowledged: number, inFlight: number, rttMs: Millis, minRttMs: Millis): void {
    const moving = inFlight * (minRttMs / Math.max(rttMs, minRttMs, 1e-3));
    this.#limit = Math.min(this.#limit + acknowledged / 4, moving + QUEUED, this.#window);
  }

  /** What was on the way is lost: nothing is known of the path any more. */
  lost(): void {
    this.#limit = Math.min(ROOM, this.#window);
  }
}
