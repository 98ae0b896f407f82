import { assert, assertEquals } from "@std/assert";
import { RtoEstimator, type RtoOptions } from "../lib/protocol/rto.ts";
import { property, test } from "./helpers.ts";

/** Without bounds that would hide the formula. */
const OPEN: RtoOptions = { minMs: 0, maxMs: 1_000_000 };

function sampled(options: RtoOptions, ...rtts: number[]): RtoEstimator {
  const rto = new RtoEstimator(options);
  for (const rtt of rtts) rto.sample(rtt);
  return rto;
}

test("before anything is measured, the timeout is a second and nothing is known", () => {
  const rto = new RtoEstimator();
  assertEquals([rto.rtoMs, rto.srttMs, rto.meanRttMs], [1000, null, null]);
  assertEquals(new RtoEstimator({ initialMs: 250 }).rtoMs, 250);
});

test("the first round trip R makes SRTT = R, RTTVAR = R/2: RTO = 3 R", () => {
  const rto = sampled(OPEN, 100);
  assertEquals([rto.srttMs, rto.rtoMs], [100, 300]);
});

test("later round trips move the estimate by 1/8 and the variation by 1/4, as computed by hand", () => {
  // RTTVAR = 3/4 · 50 + 1/4 · |100 - 200| = 62.5, with the old SRTT; SRTT = 7/8 · 100 + 1/8 · 200 = 112.5
  const rto = sampled(OPEN, 100, 200);
  assertEquals([rto.srttMs, rto.rtoMs], [112.5, 362.5]);
  // RTTVAR = 3/4 · 62.5 + 1/4 · |112.5 - 40| = 65; SRTT = 7/8 · 112.5 + 1/8 · 40 = 103.4375
  rto.sample(40);
  assertEquals([rto.srttMs, rto.rtoMs], [103.4375, 363.4375]);
});

test("of round trips that do not vary, the grain of the clock remains: RTO comes down to SRTT + 1", () => {
  const rto = sampled(OPEN, ...Array<number>(100).fill(500));
  assertEquals(rto.srttMs, 500);
  assert(Math.abs(rto.rtoMs - 501) < 1e-9, `${rto.rtoMs}`);
});

test("an estimate is kept between its bounds", () => {
  assertEquals(sampled({}, 1).rtoMs, 200);
  assertEquals(sampled({}, 66).rtoMs, 200);
  assertEquals(sampled({}, 67).rtoMs, 201);
  assertEquals(sampled({}, 10_000).rtoMs, 4000);
  assertEquals(sampled({ minMs: 1000 }, 1).rtoMs, 1000);
});

test("each timeout doubles it, up to the bound and no further", () => {
  const rto = new RtoEstimator();
  const seen = Array.from({ length: 5 }, () => (rto.backOff(), rto.rtoMs));
  assertEquals(seen, [2000, 4000, 4000, 4000, 4000]);
});

test("a measurement ends the doubling", () => {
  const rto = sampled(OPEN, 100);
  rto.backOff();
  rto.backOff();
  assertEquals([rto.rtoMs, rto.srttMs], [1200, 100]);
  // RTTVAR = 3/4 · 50 = 37.5
  rto.sample(100);
  assertEquals(rto.rtoMs, 250);
});

test("the doubling can be ended without a measurement: what was measured before counts, or else what was at first", () => {
  const rto = sampled(OPEN, 100);
  rto.backOff();
  rto.backOff();
  rto.endBackOff();
  assertEquals([rto.rtoMs, rto.srttMs], [300, 100]);
  const unmeasured = new RtoEstimator();
  unmeasured.backOff();
  unmeasured.endBackOff();
  assertEquals(unmeasured.rtoMs, 1000);
});

test("the mean of all round trips is known, each counted the same", () => {
  const rto = sampled({}, 30, 7, 90, 1);
  assertEquals(rto.meanRttMs, 32);
  rto.backOff();
  assertEquals(rto.meanRttMs, 32);
});

test("a fixed timeout stays, whatever is measured and however often it passes; the rest is measured all the same", () => {
  const rto = new RtoEstimator({ fixedMs: 2000 });
  rto.backOff();
  assertEquals(rto.rtoMs, 2000);
  rto.sample(10);
  assertEquals([rto.rtoMs, rto.srttMs, rto.meanRttMs], [2000, 10, 10]);
  rto.backOff();
  assertEquals(rto.rtoMs, 2000);
});

property("the timeout is never below the smoothed round trip, and never outside its bounds", 500, (random) => {
  const rto = new RtoEstimator();
  for (let i = 0; i < 40; i++) {
    if (random.chance(0.3)) rto.backOff();
    else rto.sample(random.next() * 10 ** random.int(0, 4));
    assert(rto.rtoMs >= 200 && rto.rtoMs <= 4000, `${rto.rtoMs}`);
    if (rto.srttMs !== null) assert(rto.rtoMs >= Math.min(4000, rto.srttMs), `${rto.rtoMs} < ${rto.srttMs}`);
  }
});
