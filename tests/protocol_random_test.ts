import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { Random } from "../lib/protocol/random.ts";
import { test } from "./helpers.ts";

const draw = (seed: number, count = 100) => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.uint32());
};

test("the same seed gives the same numbers, another seed others", () => {
  assertEquals(draw(42), draw(42));
  assertNotEquals(draw(42), draw(43));
  assertNotEquals(draw(1), draw(1 + 2 ** 32), "the upper half of a seed must count");
  assertEquals(new Random(42).seed, 42);
});

test("the numbers of a seed never change, so that a recorded seed stays good", () => {
  // From the published sfc32: a = 1, b = 0, c = 0, counter = 1, twelve rounds thrown away.
  let [a, b, c, d] = [1, 0, 0, 1];
  const round = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) round();
  assertEquals(draw(1, 20), Array.from({ length: 20 }, round));
});

test("numbers are spread evenly", () => {
  const random = new Random(7);
  const buckets = new Array<number>(16).fill(0);
  const bits = new Array<number>(32).fill(0);
  const count = 64_000;
  for (let i = 0; i < count; i++) {
    buckets[Math.floor(random.next() * 16)]++;
    const number = random.uint32();
    for (let bit = 0; bit < 32; bit++) bits[bit] += (number >>> bit) & 1;
  }
  // Five standard deviations: 61 for a bucket of 4000, 126 for a bit of 32,000.
  for (const hits of buckets) assertLess(Math.abs(hits - count / 16), 310);
  for (const ones of bits) assertLess(Math.abs(ones - count / 2), 640);
});

test("int draws every number from low to high and no other", () => {
  const random = new Random(3);
  const drawn = Array.from({ length: 1000 }, () => random.int(-2, 3));
  assertEquals([...new Set(drawn)].sort((a, b) => a - b), [-2, -1, 0, 1, 2, 3]);
  assertEquals(random.int(5, 5), 5);
});

test("next is at least 0 and less than 1", () => {
  const random = new Random(9);
  for (let i = 0; i < 10_000; i++) {
    const number = random.next();
    assert(number >= 0 && number < 1);
  }
});

test("chance is as likely as it says", () => {
  const random = new Random(11);
  const hits = (p: number) => Array.from({ length: 10_000 }, () => random.chance(p)).filter(Boolean).length;
  assertEquals([hits(0), hits(1)], [0, 10_000]);
  assertLess(Math.abs(hits(0.1) - 1000), 150);
});

test("pick takes one of the items, bytes as many bytes as asked", () => {
  const random = new Random(13);
  const items = ["a", "b", "c"];
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(items)));
  assertEquals([...picked].sort(), items);
  assertEquals(random.bytes(0).length, 0);
  const some = random.bytes(10_000);
  assertEquals([some.length, new Set(some).size], [10_000, 256]);
});
