// The system's clock, where a few milliseconds count.

import { assert, assertEquals } from "@std/assert";
import { pause, shortPause, systemClock } from "../lib/net/clock.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { settle, test } from "./helpers.ts";

test("where timers come late, a short pause ends in time, and everything else has its turn meanwhile", async () => {
  let other = false;
  const waiting = pause(1).then(() => other = true);
  const begun = performance.now();
  await shortPause(50, systemClock, true);
  assert(performance.now() - begun >= 50);
  assert(other);
  await waiting;
});

test("on a clock of a test's, a short pause is as long as that says", async () => {
  const clock = new VirtualClock();
  let ended = false;
  const pausing = shortPause(5, clock, true).then(() => ended = true);
  await settle();
  assertEquals(ended, false);
  clock.advance(5);
  await pausing;
});
