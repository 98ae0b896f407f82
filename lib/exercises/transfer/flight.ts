// What has been sent and not acknowledged yet: when, whether for the first time, and what of it is lost.
//
//     SENT ── acknowledged ─► ACKED, or gone with all before it
//       └─ lost ─► LOST ── sent again ─► RESENT ── …

import type { Millis } from "../../protocol/clock.ts";

const EMPTY = 0;
const SENT = 1;
const RESENT = 2;
const ACKED = 3;
const LOST = 4;

/** What an acknowledgement brought. */
export interface News {
  /** How many chunks were acknowledged for the first time. */
  readonly count: number;
  /** When the first of them was sent, which tells the round trip; null if one was sent again, and others waited for that. */
  readonly first: Millis | null;
  /** When the last of those was sent that were sent once. */
  readonly newest: Millis;
}

/** The window, a slot for each chunk: chunk s is in slot s mod window. */
export class Flight {
  readonly #window: number;
  readonly #timed: boolean;
  readonly #state: Uint8Array;
  readonly #sentAt: Float64Array;
  /** What was sent, oldest first. An entry that no longer says when its chunk was sent last is void. */
  readonly #sendings: { readonly seq: number; readonly at: Millis }[] = [];
  #oldest = 0;
  readonly #lost: number[] = [];
  #base: number;
  #size = 0;

  /**
   * @param base the first chunk
   * @param timed whether each has a timer of its own
   */
  constructor(window: number, base: number, timed: boolean) {
    this.#window = window;
    this.#base = base;
    this.#timed = timed;
    this.#state = new Uint8Array(window);
    this.#sentAt = new Float64Array(window);
  }

  /** How many are on the way, and not lost. */
  get size(): number {
    return this.#size;
  }

  /** When that chunk on the way was sent that was sent the longest ago; null when none is. */
  get oldestAt(): Millis | null {
    return this.#oldestSending()?.at ?? null;
  }

  /** The next that is to be sent again. */
  get lost(): number | null {
    while (this.#lost.length > 0) {
      const seq = this.#lost[0];
      if (seq >= this.#base && this.#state[seq % this.#window] === LOST) return seq;
      this.#lost.shift();
    }
    return null;
  }

  sent(seq: number, again: boolean, now: Millis): void {
    const slot = seq % this.#window;
    if (!this.#isOnTheWay(slot)) this.#size++;
    this.#state[slot] = again ? RESENT : SENT;
    this.#sentAt[slot] = now;
    if (this.#timed) this.#sendings.push({ seq, at: now });
  }

  /** Whatever was sent up to then is lost. */
  lose(upTo: Millis): void {
    for (let oldest; (oldest = this.#oldestSending()) !== null && oldest.at <= upTo;) {
      this.#state[oldest.seq % this.#window] = LOST;
      this.#lost.push(oldest.seq);
      this.#size--;
    }
  }

  /**
   * Takes in an acknowledgement.
   *
   * @param seq all before it have come
   * @param bitmap which of those behind it have
   * @param end behind the last that was sent
   */
  acknowledge(seq: number, bitmap: Uint8Array, end: number, now: Millis): News {
    let count = 0;
    let first: Millis | null = null;
    let newest = -Infinity;
    let again = false;
    const take = (slot: number, state: number) => {
      const before = this.#state[slot];
      const at = this.#sentAt[slot];
      if (this.#isOnTheWay(slot)) this.#size--;
      this.#state[slot] = state;
      if (before === ACKED) return;
      count++;
      if (before === SENT) {
        first ??= at;
        newest = Math.max(newest, at);
      } else again = true;
    };
    for (let one = this.#base; one < seq; one++) take(one % this.#window, EMPTY);
    this.#base = seq;
    const last = Math.min(end - 1, seq + 8 * bitmap.length);
    for (let one = seq + 1; one <= last; one++) {
      const bit = one - seq - 1;
      if ((bitmap[bit >> 3] >> (bit & 7) & 1) === 1) take(one % this.#window, ACKED);
    }
    // A receiver that takes back what it said is not believed: the chunk waits for its timer again.
    if (seq < end && this.#state[seq % this.#window] === ACKED) this.sent(seq, true, now);
    return { count, first: again ? null : first, newest };
  }

  #isOnTheWay(slot: number): boolean {
    return this.#state[slot] === SENT || this.#state[slot] === RESENT;
  }

  #oldestSending(): { readonly seq: number; readonly at: Millis } | null {
    for (; this.#oldest < this.#sendings.length; this.#oldest++) {
      const { seq, at } = this.#sendings[this.#oldest];
      const slot = seq % this.#window;
      if (seq < this.#base || !this.#isOnTheWay(slot) || this.#sentAt[slot] !== at) continue;
      if (this.#oldest > 4096) this.#sendings.splice(0, this.#oldest), this.#oldest = 0;
      return this.#sendings[this.#oldest];
    }
    this.#sendings.length = this.#oldest = 0;
    return null;
  }
}
