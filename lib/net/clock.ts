// The clock of the system. Its virtual sibling is in lib/protocol.

import type { Clock, Millis } from "../protocol/clock.ts";

/** `setTimeout` takes 31 bits: more would fire at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** A timer that is so late, in ms, is one of a process that was held up, as by Ctrl-Z: what has come meanwhile comes first. */
const HELD_UP_MS = 100;
const FIRST_MS = 20;

/** Monotonic time and real timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  at(when: Millis, run: () => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    let cancelled = false;
    const due = Math.max(when, performance.now());
    const set = (then: () => void, ms: Millis) => {
      // In Deno 2.6 a timer may fire after it was cleared, if the process was held up.
      timer = setTimeout(() => cancelled || then(), ms);
    };
    const ring = () => performance.now() - due < HELD_UP_MS ? run() : set(run, FIRST_MS);
    const arm = () => {
      const left = Math.max(0, when - performance.now());
      if (left > MAX_TIMEOUT) set(arm, MAX_TIMEOUT);
      else set(ring, left);
    };
    arm();
    return () => {
      cancelled = true;
      clearTimeout(timer);
    };
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

/** Whether timers come at the system's ticks, up to 16 ms late: those of Windows do. */
const TICKS = Deno.build.os === "windows";

/**
 * Resolves after `ms` that may be few, where each one counts: if timers come too late for that, everything else has its turn
 * until then, and the processor no rest.
 */
export async function shortPause(ms: Millis, clock: Clock = systemClock, ticks = TICKS): Promise<void> {
  if (!ticks || clock !== systemClock) return await pause(ms, clock);
  const { setImmediate } = await import("node:timers/promises");
  for (const end = clock.now() + ms; clock.now() < end;) await setImmediate();
}

/** Resolves after `ms`. */
export function pause(ms: Millis, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
}
