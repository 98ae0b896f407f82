// How long to wait for an acknowledgement before sending again (RFC 6298).
//
//     first round trip R:  SRTT = R             RTTVAR = R / 2
//     each one after:      RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|     SRTT = 7/8 SRTT + 1/8 R
//     RTO = SRTT + max(G, 4 RTTVAR), doubled by each timeout until the next round trip is measured
//
// Only what was sent once is measured (Karn's rule): of what was sent twice nobody knows which copy was acknowledged. That is
// the caller's part.

import type { Millis } from "./clock.ts";

/** G, the clock's grain. */
const GRAIN_MS: Millis = 1;

/** The bounds of the estimate, in ms. */
export interface RtoOptions {
  /** Before anything is known: RFC 6298 (2.1). @default {1000} */
  readonly initialMs?: Millis;
  /** The RFC recommends 1 s; what runs today uses less, and a class does not want to wait. @default {200} */
  readonly minMs?: Millis;
  /** Where doubling ends; the RFC allows it from 60 s on, which is longer than a lesson waits. @default {4000} */
  readonly maxMs?: Millis;
  /** Waits exactly so long, always, in place of all that. */
  readonly fixedMs?: Millis;
}

/** The retransmission timeout of one connection. */
export class RtoEstimator {
  readonly #options: Required<Omit<RtoOptions, "fixedMs">>;
  readonly #fixedMs: Millis | undefined;
  #rtoMs: Millis;
  #srttMs: Millis | null = null;
  #rttvarMs: Millis = 0;
  #minRttMs: Millis | null = null;
  #rttSumMs: Millis = 0;
  #rttCount = 0;

  constructor({ initialMs = 1000, minMs = 200, maxMs = 4000, fixedMs }: RtoOptions = {}) {
    this.#options = { initialMs, minMs, maxMs };
    this.#fixedMs = fixedMs;
    this.#rtoMs = fixedMs ?? initialMs;
  }

  /** How long to wait now. */
  get rtoMs(): Millis {
    return this.#rtoMs;
  }

  /** The smoothed round trip time; null before the first measurement. */
  get srttMs(): Millis | null {
    return this.#srttMs;
  }

  /** The shortest round trip so far; null before the first. */
  get minRttMs(): Millis | null {
    return this.#minRttMs;
  }

  /** The mean of all round trips so far; null before the first. */
  get meanRttMs(): Millis | null {
    return this.#rttCount === 0 ? null : this.#rttSumMs / this.#rttCount;
  }

  /** Takes in a round trip of something that was sent once. */
  sample(rttMs: Millis): void {
    this.#minRttMs = Math.min(this.#minRttMs ?? Infinity, rttMs);
    this.#rttSumMs += rttMs;
    this.#rttCount++;
    if (this.#srttMs === null) {
      this.#srttMs = rttMs;
      this.#rttvarMs = rttMs / 2;
    } else {
      this.#rttvarMs = 0.75 * this.#rttvarMs + 0.25 * Math.abs(this.#srttMs - rttMs);
      this.#srttMs = 0.875 * this.#srttMs + 0.125 * rttMs;
    }
    this.endBackOff();
  }

  /** A timeout has passed: the next one is twice as long. */
  backOff(): void {
    if (this.#fixedMs === undefined) this.#rtoMs = this.#bounded(2 * this.#rtoMs);
  }

  /** What was measured last counts again; where nothing was, as at the beginning. */
  endBackOff(): void {
    const { initialMs } = this.#options;
    this.#rtoMs = this.#fixedMs ??
      (this.#srttMs === null ? initialMs : this.#bounded(this.#srttMs + Math.max(GRAIN_MS, 4 * this.#rttvarMs)));
  }

  #bounded(ms: Millis): Millis {
    return Math.min(this.#options.maxMs, Math.max(this.#options.minMs, ms));
  }
}
