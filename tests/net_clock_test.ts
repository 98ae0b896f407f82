// The system's clock, where a few milliseconds count.

import { assert, assertEquals } from "@std/assert";
import { outlasts, pause, shortPause, systemClock } from "../lib/net/clock.ts";
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

test("who was held up sees what has come meanwhile before it is too late", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [ours, theirs] = await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
  const late = outlasts(ours.read(new Uint8Array(1)), 200);
  const written = theirs.write(new Uint8Array(1));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  assertEquals(await late, false);
  await written;
  ours.close();
  theirs.close();
});

test("what was cancelled does not run, even where the runtime lets the timer fire", async () => {
  const clearTimeout = globalThis.clearTimeout;
  let runs = 0;
  globalThis.clearTimeout = () => {};
  try {
    systemClock.at(systemClock.now(), () => runs++)();
    await pause(2);
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
  assertEquals(runs, 0);
});
