// The blocks through which files are poured: used again, few at once, and no more than fit.

import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { BlockPool, type Read } from "../lib/net/block_pool.ts";
import { property, settle, test } from "./helpers.ts";
import { makeChannel, readAll } from "./net_helpers.ts";

/** Fills whatever it is given. */
const endless: Read = (into) => Promise.resolve(into.length);

/** A pool that so many pours use. */
function poolOf(pours: number, options: ConstructorParameters<typeof BlockPool>[0] = {}): BlockPool {
  const pool = new BlockPool(options);
  for (let i = 0; i < pours; i++) pool.enter();
  return pool;
}

test("the block that was given back last is used next", async () => {
  const pool = poolOf(2, { maxBytes: 64 });
  const [first, second] = [await pool.fill(endless, 64), await pool.fill(endless, 64)];
  assert(first.buffer !== second.buffer);
  pool.giveBack(second);
  pool.giveBack(first);
  assert((await pool.fill(endless, 64)).buffer === first.buffer);
  assert((await pool.fill(endless, 64)).buffer === second.buffer);
});

test("two read at once, and the others in the order in which they came", async () => {
  const pool = poolOf(5);
  const begun: number[] = [];
  const reads: PromiseWithResolvers<number>[] = [];
  const fills = [0, 1, 2, 3, 4].map((who) =>
    pool.fill(() => (begun.push(who), reads[who] = Promise.withResolvers(), reads[who].promise), 10)
  );
  await settle();
  assertEquals(begun, [0, 1]);
  reads[1].resolve(7);
  assertEquals((await fills[1]).length, 7);
  await settle();
  assertEquals(begun, [0, 1, 2]);
  reads[2].reject(new Error("broken disk"));
  await assertRejects(() => fills[2], Error, "broken disk");
  await settle();
  assertEquals(begun, [0, 1, 2, 3]);
  for (const who of [0, 3]) reads[who].resolve(1);
  await settle();
  reads[4].resolve(1);
  assertEquals((await Promise.all([fills[0], fills[3], fills[4]])).map(({ length }) => length), [1, 1, 1]);
});

test("the block of a read that failed is used again", async () => {
  const pool = poolOf(1);
  let buffer: unknown;
  await assertRejects(
    () => pool.fill((into) => (buffer = into.buffer, Promise.reject(new Error("broken"))), 10),
    Error,
  );
  assert((await pool.fill(endless, 10)).buffer === buffer);
});

test("no more is read than was asked for, and nothing at the end", async () => {
  const pool = poolOf(1, { maxBytes: 100 });
  assertEquals((await pool.fill(endless, 30)).length, 30);
  assertEquals((await pool.fill(endless, 3000)).length, 100);
  assertEquals((await pool.fill(() => Promise.resolve(null), 30)).length, 0);
});

property("however many pour and hold a block each, these fit, or are of the least size", 100, async (random) => {
  const [minBytes, maxBytes] = [random.int(1, 100), random.int(100, 5000)];
  const totalBytes = random.int(1000, 100_000);
  const pours = random.int(1, 300);
  const pool = poolOf(pours, { minBytes, maxBytes, totalBytes });
  let held = 0;
  for (let i = 0; i < pours; i++) held += (await pool.fill(endless, Infinity)).buffer.byteLength;
  assertLessOrEqual(held, Math.max(totalBytes, 2 * minBytes * pours));
});

test("blocks grow again when others have ended; those of another size are not kept, nor many when all have ended", async () => {
  const pool = poolOf(10, { minBytes: 10, maxBytes: 100, totalBytes: 400 });
  const fillAll = (count: number) => Promise.all(Array.from({ length: count }, () => pool.fill(endless, Infinity)));
  const small = await fillAll(10);
  assertEquals(small.map(({ length }) => length), Array(10).fill(25));
  for (let i = 0; i < 6; i++) pool.leave();
  small.forEach((block) => pool.giveBack(block));
  const large = await fillAll(4);
  assertEquals(large.map(({ length }) => length), Array(4).fill(100));
  large.forEach((block) => pool.giveBack(block));
  for (let i = 0; i < 4; i++) pool.leave();
  pool.enter();
  const old = new Set<unknown>(large.map(({ buffer }) => buffer));
  assertEquals((await fillAll(4)).filter(({ buffer }) => old.has(buffer)).length, 2);
});

test("a hundred connections that take what comes need a handful of blocks, and one that does not keeps its own", async () => {
  const pool = new BlockPool({ maxBytes: 100 });
  const buffers = new Set<unknown>();
  const read: Read = (into) => (buffers.add(into.buffer), Promise.resolve(into.length));
  const stuck = makeChannel({}, 10);
  const waiting = stuck.channel.pour(read, 10_000, pool);
  await settle();
  const texts = await Promise.all(Array.from({ length: 100 }, async () => {
    const { channel, peer } = makeChannel({}, 1000);
    const reading = readAll(peer);
    assertEquals(await channel.pour(read, 2000, pool), 2000);
    await channel.closeWrite();
    channel.abort("done");
    return await reading;
  }));
  assert(texts.every(({ length }) => length === 2000));
  assertLessOrEqual(buffers.size, 12);
  stuck.channel.abort("enough");
  assertEquals(await waiting, 0);
});

test("a block whose write was given up is not used again", async () => {
  const pool = new BlockPool({ maxBytes: 100 });
  const used: unknown[] = [];
  const read: Read = (into) => (used.push(into.buffer), Promise.resolve(into.length));
  const stuck = makeChannel({}, 10);
  const waiting = stuck.channel.pour(read, 100, pool);
  await settle();
  stuck.channel.abort("enough");
  await waiting;
  const { channel, peer } = makeChannel({}, 1000);
  const reading = readAll(peer);
  await channel.pour(read, 100, pool);
  channel.abort("done");
  await reading;
  assertEquals(used.length, 2);
  assert(used[0] !== used[1]);
});

test("a block is given back once: two that pour next have one each", async () => {
  const pool = poolOf(1, { maxBytes: 100 }); // somebody else is pouring: all blocks are kept
  const { channel } = makeChannel({}, 1000);
  assertEquals(await channel.pour(endless, 250, pool), 250);
  channel.abort("done");
  const [first, second] = await Promise.all([pool.fill(endless, 100), pool.fill(endless, 100)]);
  assert(first.buffer !== second.buffer);
});
