// The clock of the system. Its virtual sibling is in lib/protocol.

import type { Clock, Millis } from "../protocol/clock.ts";

/** `setTimeout` takes 31 bits: more would fire at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Monotonic time and real timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  at(when: Millis, run: () => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const left = Math.max(0, when - performance.now());
      timer = left > MAX_TIMEOUT ? setTimeout(arm, MAX_TIMEOUT) : setTimeout(run, left);
    };
    arm();
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

/** Resolves after `ms`. */
export function pause(ms: Millis, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
}
