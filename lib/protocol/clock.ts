// Time as an argument: the interface, and a clock that only moves when told. The clock of the system is in lib/net.

/** Milliseconds since an arbitrary start; never runs backwards. */
export type Millis = number;

/** A source of time and of one-shot timers. */
export interface Clock {
  now(): Millis;
  /** Runs `run` once at `when` (at once, but not during this call, if that has passed). The result cancels it. */
  at(when: Millis, run: () => void): () => void;
}

/** A clock for tests: minutes pass in microseconds, and timers fire in order of time, then of setting. */
export class VirtualClock implements Clock {
  #now: Millis;
  #order = 0;
  readonly #timers = new Map<number, { when: Millis; run: () => void }>();

  constructor(start: Millis = 0) {
    this.#now = start;
  }

  now(): Millis {
    return this.#now;
  }

  at(when: Millis, run: () => void): () => void {
    const id = this.#order++;
    this.#timers.set(id, { when, run });
    return () => void this.#timers.delete(id);
  }

  /** When the next timer fires, or null when none is set. */
  next(): Millis | null {
    let soonest: Millis | null = null;
    for (const { when } of this.#timers.values()) if (soonest === null || when < soonest) soonest = when;
    return soonest;
  }

  /** Moves to `when`, firing on the way every timer that falls due, those set meanwhile included. */
  advanceTo(when: Millis): void {
    for (;;) {
      const due = this.next();
      if (due === null || due > when) break;
      this.#now = Math.max(this.#now, due);
      for (const [id, timer] of this.#timers) {
        if (timer.when !== due) continue;
        this.#timers.delete(id);
        timer.run();
        break;
      }
    }
    this.#now = Math.max(this.#now, when);
  }

  /** Moves by `ms`. */
  advance(ms: Millis): void {
    this.advanceTo(this.#now + ms);
  }
}
