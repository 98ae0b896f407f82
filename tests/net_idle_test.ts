import { assertEquals } from "@std/assert";
import { outlasts, systemClock } from "../lib/net/clock.ts";
import { watchIdle } from "../lib/net/idle.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { settle, test } from "./helpers.ts";

const IDLE_MS = 800;
/** Silence may be noticed by this much late. */
const LATE_MS = IDLE_MS / 8;

function makeWatch() {
  const clock = new VirtualClock(5000);
  const source = { reads: 0 };
  const idle: number[] = [];
  const cancel = watchIdle(source, IDLE_MS, () => idle.push(clock.now() - 5000), clock);
  return { clock, source, idle, cancel };
}

test("silence from the beginning is noticed at its time, not before, and once", () => {
  const { clock, idle } = makeWatch();
  clock.advance(IDLE_MS - 1);
  assertEquals(idle, []);
  clock.advance(1);
  assertEquals(idle, [IDLE_MS]);
  clock.advance(10 * IDLE_MS);
  assertEquals([idle.length, clock.next()], [1, null]);
});

test("whoever says something now and then is not idle, and silence counts from the last word", () => {
  const { clock, source, idle } = makeWatch();
  for (let i = 0; i < 20; i++) {
    clock.advance(IDLE_MS - LATE_MS);
    source.reads++;
  }
  assertEquals(idle, []);
  const last = clock.now() - 5000;
  clock.advance(IDLE_MS - 1);
  assertEquals(idle, []);
  clock.advance(LATE_MS + 1);
  assertEquals(idle.length, 1);
  assertEquals(idle[0] >= last + IDLE_MS && idle[0] <= last + IDLE_MS + LATE_MS, true, `${idle[0]} after ${last}`);
});

test("what has no count for a while is not idle meanwhile", () => {
  const { clock, source, idle } = makeWatch();
  source.reads = NaN;
  clock.advance(10 * IDLE_MS);
  source.reads = 0;
  clock.advance(IDLE_MS - LATE_MS);
  assertEquals(idle, []);
  clock.advance(2 * LATE_MS);
  assertEquals(idle.length, 1);
});

test("a watch that is cancelled leaves no timer, even after it has looked a few times", () => {
  const { clock, idle, cancel } = makeWatch();
  clock.advance(IDLE_MS / 2);
  cancel();
  assertEquals(clock.next(), null);
  clock.advance(10 * IDLE_MS);
  assertEquals(idle, []);
});

test("a promise that settles in time does not outlast it, and leaves no timer", async () => {
  const clock = new VirtualClock();
  assertEquals(await outlasts(Promise.resolve(), 100, clock), false);
  assertEquals(await outlasts(Promise.reject(new Error("failed")), 100, clock), false);
  assertEquals(clock.next(), null);
});

test("a promise that takes longer is given up at the time said", async () => {
  const clock = new VirtualClock();
  let answer: boolean | null = null;
  const waiting = outlasts(new Promise(() => {}), 100, clock).then((late) => answer = late);
  clock.advance(99);
  await settle();
  assertEquals(answer, null);
  clock.advance(1);
  await waiting;
  assertEquals([answer, clock.next()], [true, null]);
});

test("the clock of the system does not run backwards, and its timers can be cancelled", async () => {
  const before = systemClock.now();
  const fired: string[] = [];
  const cancel = systemClock.at(before, () => fired.push("cancelled"));
  cancel();
  await new Promise<void>((resolve) => systemClock.at(before - 1000, resolve));
  assertEquals([fired, systemClock.now() >= before], [[], true]);
});
