// Noticing silence without a timer per message: what has been read is counted, and the count compared now and then.

import type { Clock, Millis } from "../protocol/clock.ts";
import { systemClock } from "./clock.ts";

/** How often, as a part of the time allowed, the count is compared: silence is noticed at most this much late. */
const LATE = 1 / 8;

/**
 * Calls `onIdle` once when `source.reads` has not changed for `idleMs`.
 *
 * @returns what cancels it
 */
export function watchIdle(
  source: { readonly reads: number },
  idleMs: Millis,
  onIdle: () => void,
  clock: Clock = systemClock,
): () => void {
  let seen = source.reads;
  let since = clock.now();
  let cancel = () => {};
  const look = () => {
    const now = clock.now();
    if (source.reads !== seen) {
      seen = source.reads;
      since = now;
    } else if (now - since >= idleMs) return onIdle();
    cancel = clock.at(Math.min(now + idleMs * LATE, Math.max(since + idleMs, now + 1)), look);
  };
  look();
  return () => cancel();
}
