// What a bad network does to what is sent over it, as a pure decision: a plan is asked about each piece, in order, and says
// when it arrives, how often, and what of it. The same seed decides the same.

import type { Millis } from "../protocol/clock.ts";
import { Random } from "../protocol/random.ts";

/** How bad the network is; what is absent does not happen. Probabilities are of each piece, from 0 to 1. */
export interface Impairment {
  /** It never arrives. */
  readonly loss?: number;
  /** It arrives twice. */
  readonly duplicate?: number;
  /** It is overtaken: it takes up to `reorderMs` longer. */
  readonly reorder?: number;
  /** @default {50} */
  readonly reorderMs?: Millis;
  /** One of its bits arrives wrong. */
  readonly corrupt?: number;
  /** How long everything takes, in one direction. */
  readonly delayMs?: Millis;
  /** And how much longer at most. */
  readonly jitterMs?: Millis;
}

/** How one piece arrives. */
export interface Arrival {
  readonly at: Millis;
  readonly bytes: Uint8Array;
}

/** What was done so far. */
export interface Tally {
  pieces: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
}

/** The decisions for one direction of one connection. */
export class ImpairmentPlan {
  readonly tally: Tally = { pieces: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  readonly #impairment: Impairment;
  readonly #random: Random;

  constructor(impairment: Impairment, seed: number) {
    this.#impairment = impairment;
    this.#random = new Random(seed);
  }

  /** How a piece sent `now` arrives: not at all, once, or twice; changed bytes are a copy. */
  apply(bytes: Uint8Array, now: Millis): Arrival[] {
    const { loss = 0, duplicate = 0 } = this.#impairment;
    this.tally.pieces++;
    if (this.#random.chance(loss)) {
      this.tally.lost++;
      return [];
    }
    const arrivals = [this.#arrive(bytes, now)];
    if (this.#random.chance(duplicate)) {
      this.tally.duplicated++;
      arrivals.push(this.#arrive(bytes, now));
    }
    return arrivals;
  }

  #arrive(bytes: Uint8Array, now: Millis): Arrival {
    const { reorder = 0, reorderMs = 50, corrupt = 0, delayMs = 0, jitterMs = 0 } = this.#impairment;
    let at = now + delayMs + this.#random.next() * jitterMs;
    if (this.#random.chance(reorder)) {
      this.tally.reordered++;
      at += this.#random.next() * reorderMs;
    }
    if (bytes.length === 0 || !this.#random.chance(corrupt)) return { at, bytes };
    this.tally.corrupted++;
    const wrong = bytes.slice();
    wrong[this.#random.int(0, bytes.length - 1)] ^= 1 << this.#random.int(0, 7);
    return { at, bytes: wrong };
  }
}
