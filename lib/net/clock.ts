// The clock of the system. Its virtual sibling is in lib/protocol.

import type { Clock, Millis } from "../protocol/clock.ts";

/** Monotonic time and real timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  at(when: Millis, run: () => void): () => void {
    const timer = setTimeout(run, Math.max(0, when - performance.now()));
    return () => clearTimeout(timer);
  },
};

/** Resolves `true` after `ms`, or `false` as soon as `promise` settles; the timer never outlives it. */
export async function outlasts(promise: Promise<unknown>, ms: Millis, clock: Clock = systemClock): Promise<boolean> {
  let cancel = () => {};
  const timer = new Promise<boolean>((resolve) => (cancel = clock.at(clock.now() + ms, () => resolve(true))));
  const settled = promise.then(() => false, () => false);
  try {
    return await Promise.race([settled, timer]);
  } finally {
    cancel();
  }
}
