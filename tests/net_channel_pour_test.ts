// Pouring: bytes of a file between the messages of a channel, uncopied, in order, and no faster than the peer reads.

import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { BlockPool } from "../lib/net/block_pool.ts";
import type { Channel } from "../lib/net/channel.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { Server } from "../lib/net/server.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { bytes, collect, property, settle, test } from "./helpers.ts";
import { makeChannel, readAll, textCodec } from "./net_helpers.ts";

/** Reads from `content` as a file does, at most `most` bytes at a time, and notes what it was asked for. */
function source(content: Uint8Array, most = Infinity) {
  const asked: number[] = [];
  let at = 0;
  const read = (into: Uint8Array): Promise<number | null> => {
    asked.push(into.length);
    const part = content.subarray(at, at + Math.min(most, into.length));
    into.set(part);
    at += part.length;
    return Promise.resolve(part.length > 0 ? part.length : null);
  };
  return { read, asked };
}

/** Blocks of that many bytes. */
const blocksOf = (maxBytes: number) => new BlockPool({ maxBytes });

/** Pours `content`, and reads what arrives up to the end of the stream. */
async function pourAll(content: Uint8Array, block: number, most = Infinity, count = content.length) {
  const { channel, peer } = makeChannel({}, 100);
  const reading = readAll(peer);
  const written = await channel.pour(source(content, most).read, count, blocksOf(block));
  await channel.closeWrite();
  channel.abort("done");
  return { written, text: await reading };
}

const DIGITS = bytes("0123456789".repeat(100));

test("what is poured comes behind what was sent before and before what is sent after", async () => {
  const { channel, peer } = makeChannel({}, 10);
  const reading = readAll(peer);
  channel.send("before");
  channel.send("and before");
  const pouring = channel.pour(source(DIGITS).read, DIGITS.length, blocksOf(64));
  channel.send("after");
  assertEquals(await pouring, DIGITS.length);
  channel.send("and after");
  await channel.closeWrite();
  channel.abort("done");
  assertEquals(await reading, `before\nand before\n${"0123456789".repeat(100)}after\nand after\n`);
});

test("messages sent in the middle of a pour wait for its end", async () => {
  const { channel, peer } = makeChannel({}, 10);
  const { read } = source(DIGITS, 100);
  let asked = 0;
  const pouring = channel.pour((into) => (channel.send(`during ${asked++}`), read(into)), DIGITS.length, blocksOf(100));
  const reading = readAll(peer);
  await pouring;
  await channel.closeWrite();
  channel.abort("done");
  const during = Array.from({ length: 10 }, (_, i) => `during ${i}\n`).join("");
  assertEquals(await reading, "0123456789".repeat(100) + during);
});

test("two pours, each waited for, follow each other", async () => {
  const { channel, peer } = makeChannel({}, 10);
  const reading = readAll(peer);
  for (const text of ["first", "second"]) {
    channel.send(text);
    await channel.pour(source(bytes(`<${text}>`)).read, text.length + 2, blocksOf(3));
  }
  await channel.closeWrite();
  channel.abort("done");
  assertEquals(await reading, "first\n<first>second\n<second>");
});

property("whatever the sizes of blocks, reads and pipes, the same bytes arrive", 200, async (random) => {
  const content = Uint8Array.from({ length: random.int(0, 3000) }, () => random.int(0x20, 0x7e));
  const result = await pourAll(content, random.int(1, 700), random.int(1, 400));
  assertEquals(result, { written: content.length, text: new TextDecoder().decode(content) });
});

test("no more is read than was promised, and never more than a block at once", async () => {
  const { channel, peer } = makeChannel();
  const { read, asked } = source(DIGITS);
  assertEquals(await channel.pour(read, 250, blocksOf(100)), 250);
  assertEquals(asked, [100, 100, 50]);
  channel.abort("done");
  assertEquals(await readAll(peer), "0123456789".repeat(25));
});

test("nothing to pour is nothing read and nothing written", async () => {
  const { channel, peer } = makeChannel();
  const { read, asked } = source(DIGITS);
  assertEquals([await channel.pour(read, 0, blocksOf(100)), asked], [0, []]);
  channel.send("next");
  await channel.closeWrite();
  assertEquals(await readAll(peer), "next\n");
  channel.abort("done");
});

test("a source that ends early says how much there was, and the channel goes on", async () => {
  const { channel, peer } = makeChannel();
  assertEquals(await channel.pour(source(bytes("short")).read, 1000, blocksOf(3)), 5);
  channel.send("next");
  await channel.closeWrite();
  assertEquals(await readAll(peer), "shortnext\n");
  channel.abort("done");
});

test("a source that fails is an error, and what is sent afterwards leaves", async () => {
  const { channel, peer } = makeChannel();
  const { read } = source(DIGITS);
  let asked = 0;
  const failing = (into: Uint8Array) => ++asked > 2 ? Promise.reject(new Error("broken disk")) : read(into);
  await assertRejects(() => channel.pour(failing, 1000, blocksOf(100)), Error, "broken disk");
  channel.send("sorry");
  await channel.closeWrite();
  const text = await readAll(peer);
  assertEquals(text.slice(-6), "sorry\n");
  assertLessOrEqual(text.length, 206);
  channel.abort("done");
});

test("an abort in the middle ends the pour, which counts whole blocks that left", async () => {
  const { channel, peer } = makeChannel({}, 100);
  const pouring = channel.pour(source(DIGITS).read, 1000, blocksOf(100));
  const buffer = new Uint8Array(150);
  for (let came = 0; came < 200;) came += (await peer.read(buffer))!;
  channel.abort("enough");
  const written = await pouring;
  assert(written >= 100 && written <= 300, `${written}`);
  assertEquals([channel.reason, channel.send("more")], ["enough", false]);
});

test("an abort waits for the read that is under way, so that the file may be closed", async () => {
  const { channel } = makeChannel({}, 10);
  const disk = Promise.withResolvers<number>();
  let [asked, done] = [0, false];
  // The first block cannot leave, and the second is being read.
  const read = (into: Uint8Array) => asked++ === 0 ? Promise.resolve(into.length) : disk.promise;
  const pouring = channel.pour(read, 1000, blocksOf(100)).then((written) => (done = true, written));
  await settle();
  channel.abort("enough");
  await settle();
  assertEquals([asked, done], [2, false]);
  disk.resolve(100);
  assertEquals(await pouring, 0);
});

test("a peer that resets in the middle ends the pour and gives the reason", async () => {
  const { channel, peer } = makeChannel({}, 100);
  const pouring = channel.pour(source(DIGITS).read, 1000, blocksOf(100));
  await peer.read(new Uint8Array(50));
  peer.reset();
  const written = await pouring;
  assert(written < 1000);
  assertEquals(channel.reason, "reset by peer");
});

test("a channel that is closed already takes nothing", async () => {
  const { channel } = makeChannel();
  channel.abort("gone");
  assertEquals(await channel.pour(source(DIGITS).read, 1000, blocksOf(100)), 0);
});

test("close waits for a pour, with or without a message behind it", async () => {
  for (const last of ["", "after"]) {
    const { channel, peer } = makeChannel({}, 100);
    const pouring = channel.pour(source(DIGITS).read, 1000, blocksOf(100));
    if (last !== "") await settle().then(() => channel.send(last));
    const closing = channel.close();
    const text = await readAll(peer);
    await peer.closeWrite();
    assertEquals([await pouring, text.slice(1000)], [1000, last && `${last}\n`]);
    await closing;
  }
});

test("a peer that does not read stops the source: two blocks are held, and no more", async () => {
  const { channel, peer } = makeChannel({}, 100);
  const { read, asked } = source(new Uint8Array(100_000));
  const pouring = channel.pour(read, 100_000, blocksOf(50));
  await settle();
  // Two blocks fill the pipe, one is being written, and one has been read behind it.
  assertLessOrEqual(asked.length, 4);
  await peer.read(new Uint8Array(100));
  await settle();
  assertLessOrEqual(asked.length, 6);
  channel.abort("enough");
  await pouring;
});

test("poured bytes do not count as queued: a peer that reads slowly is not cut for them", async () => {
  const { channel, peer } = makeChannel({ queueBytes: 64 }, 10);
  const pouring = channel.pour(source(DIGITS).read, 1000, blocksOf(500));
  await settle();
  assertEquals(channel.queuedBytes, 0);
  const reading = readAll(peer);
  assertEquals(await pouring, 1000);
  await channel.closeWrite();
  assertEquals((await reading).length, 1000);
  channel.abort("done");
});

test("poured bytes are traced as they leave, in order with messages", async () => {
  const trace = collect(["bytes"]);
  const { channel, peer } = makeChannel({ trace }, 4);
  const reading = readAll(peer);
  channel.send("a");
  await channel.pour(source(bytes("poured bytes")).read, 12, blocksOf(5));
  channel.send("b");
  await channel.closeWrite();
  assertEquals(await reading, "a\npoured bytesb\n");
  assertEquals(trace.of("bytes").map(({ bytes }) => bytes).join(""), "a\\npoured bytesb\\n");
  assert(trace.of("bytes").every(({ direction }) => direction === "out"));
  channel.abort("done");
});

test("the trace may keep what it is given only while it is told: blocks are used again", async () => {
  const copies: string[] = [];
  const trace = collect(["bytes"]);
  const { channel, peer } = makeChannel({ trace }, 1000);
  await channel.pour(source(bytes("aaaabbbbcccc")).read, 12, blocksOf(4));
  for (const event of trace.of("bytes")) copies.push(String(event.bytes));
  assertEquals(copies, ["aaaa", "bbbb", "cccc"]);
  channel.abort("done");
  assertEquals(await readAll(peer), "aaaabbbbcccc");
});

/** A session that pours 1000 bytes when it is told anything, on a server whose clock stands still. */
function pourer(clock: VirtualClock): { server: Server<string, string>; channels: Channel<string>[] } {
  const channels: Channel<string>[] = [];
  const server = new Server<string, string>({
    listen: null,
    clock,
    limits: { idleMs: 1000, firstByteMs: 1000 },
    codec: textCodec,
    makeFramer: () => new LineFramer(100),
    farewells: { refuse: (why) => `ERROR ${why}`, bad: (error) => `ERROR ${error.message}` },
    session(channel) {
      channels.push(channel);
      return {
        onMessage: async () => void await channel.pour(source(DIGITS).read, 1000, blocksOf(10)),
        onEnd: () => {},
      };
    },
  });
  return { server, channels };
}

test("a client that takes its bytes slowly is not idle, and one that takes none is", async () => {
  const clock = new VirtualClock();
  const { server } = pourer(clock);
  const [ours, peer] = memoryPair(10);
  const channel = server.adopt(ours);
  await peer.write(bytes("go\n"));
  for (let i = 0; i < 20; i++) {
    assert(await peer.read(new Uint8Array(10)) !== null);
    await settle();
    clock.advance(900);
  }
  assertEquals([channel.ending, channel.reason], [false, null]);
  for (let i = 0; i < 10; i++) {
    await settle();
    clock.advance(1000);
  }
  assertEquals(channel.reason, "idle for 1 s");
  server.abort();
  await server.finished;
});
