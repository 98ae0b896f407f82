import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Arrival, type Impairment, ImpairmentPlan } from "../lib/faults/plan.ts";
import { Random } from "../lib/protocol/random.ts";
import { property, test } from "./helpers.ts";

const PIECES = 100_000;
const PIECE = new Uint8Array(20);

/** Sends one piece a millisecond. */
function run(impairment: Impairment, seed = 1, pieces = PIECES): { plan: ImpairmentPlan; arrivals: Arrival[][] } {
  const plan = new ImpairmentPlan(impairment, seed);
  return { plan, arrivals: Array.from({ length: pieces }, (_, at) => plan.apply(PIECE, at)) };
}

/** `count` of `of` is what probability `p` makes it: within five standard deviations. */
function assertRate(count: number, of: number, p: number): void {
  const deviations = Math.abs(count - of * p) / Math.sqrt(of * p * (1 - p));
  assert(deviations < 5, `${count} of ${of} is no ${100 * p} %: ${deviations.toFixed(1)} standard deviations off`);
}

/** How many bits differ. */
function bitsApart(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, i) => sum + (byte ^ b[i]).toString(2).replaceAll("0", "").length, 0);
}

const EVERYTHING: Impairment = { loss: 0.2, duplicate: 0.2, reorder: 0.2, corrupt: 0.2, delayMs: 10, jitterMs: 5 };

test("a plan of nothing hands every piece over at once, the same array", () => {
  const plan = new ImpairmentPlan({}, 1);
  for (let at = 0; at < 1000; at++) {
    const [arrival, ...others] = plan.apply(PIECE, at);
    assert(arrival.bytes === PIECE);
    assertEquals([arrival.at, others], [at, []]);
  }
  assertEquals(plan.tally, { pieces: 1000, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 });
});

test("the same seed decides the same, another seed something else", () => {
  const first = run(EVERYTHING, 7, 2000);
  assertEquals(run(EVERYTHING, 7, 2000), first);
  assertNotEquals(run(EVERYTHING, 8, 2000).arrivals, first.arrivals);
});

for (const p of [0.001, 0.05, 0.5, 0.9]) {
  test(`with a probability of ${p}, that share is lost, doubled, overtaken, changed`, () => {
    assertRate(run({ loss: p }).plan.tally.lost, PIECES, p);
    assertRate(run({ duplicate: p }).plan.tally.duplicated, PIECES, p);
    assertRate(run({ reorder: p }).plan.tally.reordered, PIECES, p);
    assertRate(run({ corrupt: p }).plan.tally.corrupted, PIECES, p);
  });
}

test("with all at once, each has its own share: of the pieces, or of their arrivals", () => {
  const { tally } = run(EVERYTHING).plan;
  const arrived = PIECES - tally.lost;
  assertRate(tally.lost, PIECES, 0.2);
  assertRate(tally.duplicated, arrived, 0.2);
  assertRate(tally.reordered, arrived + tally.duplicated, 0.2);
  assertRate(tally.corrupted, arrived + tally.duplicated, 0.2);
});

test("a probability of 0 never happens, and one of 1 always does", () => {
  const never = run({ loss: 0, duplicate: 0, reorder: 0, corrupt: 0 }).plan.tally;
  assertEquals(never, { pieces: PIECES, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 });
  assertEquals(run({ loss: 1 }).plan.tally.lost, PIECES);
  assert(run({ loss: 1 }, 1, 100).arrivals.every((arrivals) => arrivals.length === 0));
  const always = run({ duplicate: 1, reorder: 1, corrupt: 1 }).plan.tally;
  const twice = 2 * PIECES;
  assertEquals(always, { pieces: PIECES, lost: 0, duplicated: PIECES, reordered: twice, corrupted: twice });
});

test("the tally adds up to what arrived", () => {
  const { plan: { tally }, arrivals } = run(EVERYTHING);
  assertEquals(tally.pieces, PIECES);
  assertEquals(arrivals.filter((one) => one.length === 0).length, tally.lost);
  assertEquals(arrivals.filter((one) => one.length === 2).length, tally.duplicated);
  assertEquals(arrivals.flat().length, tally.pieces - tally.lost + tally.duplicated);
  assertEquals(arrivals.flat().filter(({ bytes }) => bytes !== PIECE).length, tally.corrupted);
});

property("a changed piece is a copy with one bit different, and what was sent stays as it is", 200, (random) => {
  const sent = random.bytes(random.int(1, 50));
  const kept = sent.slice();
  const plan = new ImpairmentPlan({ corrupt: 1, duplicate: 0.5 }, random.uint32());
  for (const { bytes } of plan.apply(sent, 0)) assertEquals([bytes.length, bitsApart(bytes, sent)], [sent.length, 1]);
  assertEquals(sent, kept);
});

test("every bit of a piece is changed as often as any other", () => {
  const hits = new Array<number>(32).fill(0);
  const plan = new ImpairmentPlan({ corrupt: 1 }, 3);
  const sent = new Uint8Array(4);
  for (let i = 0; i < PIECES; i++) {
    const [{ bytes }] = plan.apply(sent, i);
    hits[new DataView(bytes.slice().reverse().buffer).getUint32(0).toString(2).length - 1]++;
  }
  for (const hit of hits) assertRate(hit, PIECES, 1 / 32);
});

test("an empty piece has no bit to change, and arrives", () => {
  const plan = new ImpairmentPlan({ corrupt: 1 }, 1);
  assertEquals(plan.apply(new Uint8Array(0), 5), [{ at: 5, bytes: new Uint8Array(0) }]);
  assertEquals(plan.tally.corrupted, 0);
});

test("the delay is of every piece, the jitter on top of it, both within their bounds", () => {
  const late = (impairment: Impairment) => run(impairment).arrivals.map(([{ at }], sentAt) => at - sentAt);
  assert(late({ delayMs: 30 }).every((ms) => ms === 30));
  const jittered = late({ delayMs: 30, jitterMs: 20 });
  assert(jittered.every((ms) => ms >= 30 && ms < 50 + 1e-6));
  const mean = jittered.reduce((sum, ms) => sum + ms, 0) / PIECES;
  assert(Math.abs(mean - 40) < 0.2, `a mean of ${mean} ms is not in the middle`);
});

test("only a piece that is overtaken takes longer, 50 ms at most unless told otherwise", () => {
  for (const [reorderMs, most] of [[undefined, 50], [5, 5]] as const) {
    const { plan, arrivals } = run({ reorder: 0.3, reorderMs });
    const late = arrivals.map(([{ at }], sentAt) => at - sentAt).filter((ms) => ms > 0);
    assertRate(late.length, PIECES, 0.3);
    assert(late.length <= plan.tally.reordered);
    assert(late.every((ms) => ms < most + 1e-6) && late.some((ms) => ms > 0.99 * most));
    const mean = late.reduce((sum, ms) => sum + ms, 0) / late.length;
    assert(Math.abs(mean - most / 2) < most / 50, `a mean of ${mean} ms is not in the middle`);
  }
});

test("two copies take their own ways: each has its own delay and its own wrong bit", () => {
  const pairs = run({ duplicate: 1, jitterMs: 10, corrupt: 0.5 }, 1, 1000).arrivals;
  assert(pairs.filter(([a, b]) => a.at !== b.at).length > 990);
  assert(pairs.filter(([a, b]) => (a.bytes === PIECE) !== (b.bytes === PIECE)).length > 400);
});

test("plans with the same seed do not depend on each other", () => {
  const alone = run(EVERYTHING, 9, 500).arrivals;
  const [one, other] = [new ImpairmentPlan(EVERYTHING, 9), new ImpairmentPlan(EVERYTHING, 9)];
  const random = new Random(1);
  const seen = Array.from({ length: 500 }, (_, at) => {
    if (random.chance(0.5)) other.apply(PIECE, at);
    return one.apply(PIECE, at);
  });
  assertEquals(seen, alone);
});
