import { assert, assertEquals } from "@std/assert";
import { BlockPool } from "../lib/net/block_pool.ts";
import { Channel, LINGER_MS } from "../lib/net/channel.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { bytes, collect, settle, test } from "./helpers.ts";
import { follow, makeChannel, readAll, textCodec } from "./net_helpers.ts";

/** Whether a promise has settled by now. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false };
  void promise.finally(() => state.done = true);
  return state;
}

test("closing writes what is queued, ends the stream, and waits for the peer to do the same", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock });
  for (let i = 0; i < 3; i++) channel.send(`m${i}`);
  const closed = channel.close();
  const state = watch(closed);
  assert(channel.ending);
  assertEquals(await readAll(peer), "m0\nm1\nm2\n");
  await settle();
  assertEquals(state.done, false);
  await peer.closeWrite();
  await closed;
  assertEquals([channel.reason, clock.next()], ["closed", null]);
});

test("a peer that does not end its stream is waited for so long and no longer", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock });
  channel.send("bye");
  const closed = channel.close();
  const state = watch(closed);
  await readAll(peer);
  await settle();
  clock.advance(LINGER_MS - 1);
  await settle();
  assertEquals(state.done, false);
  clock.advance(1);
  await closed;
  assertEquals([channel.reason, clock.next()], ["closed", null]);
});

test("a peer that does not read is given the same time, and what was lost is said", async () => {
  const clock = new VirtualClock();
  const { channel } = makeChannel({ clock }, 4);
  channel.send("123456789");
  const closed = channel.close(50);
  const state = watch(closed);
  await settle();
  clock.advance(49);
  await settle();
  assertEquals(state.done, false);
  clock.advance(1);
  await closed;
  assertEquals([channel.reason, clock.next()], ["6 bytes could not be delivered", null]);
});

test("what a peer takes to read what is queued is not given to it once more for its end", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock }, 4);
  channel.send("123456789");
  const closed = channel.close(50);
  await settle();
  clock.advance(40);
  assertEquals(await readAll(peer), "123456789\n");
  const state = watch(closed);
  clock.advance(9);
  await settle();
  assertEquals(state.done, false);
  clock.advance(1);
  await closed;
  assertEquals([channel.reason, clock.next()], ["closed", null]);
});

test("what comes while a channel closes is neither delivered nor in the way", async () => {
  const { channel, peer } = makeChannel();
  const { got, ended } = follow(channel);
  await peer.write(bytes("one\n"));
  await settle();
  const closed = channel.close();
  for (let i = 0; i < 5; i++) await peer.write(bytes("late\n"));
  await peer.closeWrite();
  await ended;
  await closed;
  assertEquals(got, ["one"]);
});

test("after the peer's end of stream, closing waits for nothing but the queue", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock });
  const { ended } = follow(channel);
  await peer.closeWrite();
  await ended;
  channel.send("last words");
  await channel.close();
  assertEquals([await readAll(peer), channel.reason], ["last words\n", "end of stream"]);
});

test("closing twice is closing once", async () => {
  const trace = collect(["close"]);
  const { channel, peer } = makeChannel({ trace });
  const closed = channel.close();
  assert(channel.close() === closed);
  await peer.closeWrite();
  await closed;
  channel.abort("too late");
  await channel.close();
  assertEquals(trace.events.map(({ reason }) => reason), ["closed"]);
});

test("aborting drops what is queued, at once, even while closing", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock }, 4);
  const { ended } = follow(channel);
  channel.send("123456789");
  const closed = channel.close();
  await settle();
  channel.abort("that is enough");
  await Promise.all([closed, ended, channel.flushed()]);
  assertEquals([channel.reason, channel.queuedBytes, channel.send("more")], ["that is enough", 0, false]);
  assertEquals(await readAll(peer), "1234");
  assertEquals(clock.next(), null);
});

test("the first reason stands", async () => {
  const { channel, peer } = makeChannel();
  assertEquals(channel.reason, null);
  channel.because("EXIT").because("something else");
  await peer.closeWrite();
  await channel.close();
  assertEquals(channel.reason, "EXIT");
});

test("closing the write direction leaves the other one open", async () => {
  const { channel, peer } = makeChannel();
  channel.send("no more from me");
  await channel.closeWrite();
  assertEquals(await readAll(peer), "no more from me\n");
  await peer.write(bytes("but from me\n"));
  assertEquals(await channel.receive(), "but from me");
  channel.abort("done");
});

test("a peer that vanishes while the channel closes does not hold it up", async () => {
  const clock = new VirtualClock();
  const { channel, peer } = makeChannel({ clock });
  channel.send("bye");
  const closed = channel.close();
  await settle();
  peer.reset();
  await closed;
  assertEquals(clock.next(), null);
});

test("where the stream cannot be ended any more, nothing is waited for, nor read", async () => {
  const clock = new VirtualClock();
  const [ours] = memoryPair();
  let reads = 0;
  ours.closeWrite = () => Promise.reject(new Deno.errors.NotConnected("the peer has reset the connection"));
  ours.read = () => {
    reads++;
    return new Promise(() => {});
  };
  const channel = new Channel(ours, { framer: new LineFramer(64), codec: textCodec, clock });
  channel.send("bye");
  await channel.close();
  assertEquals([channel.reason, reads, clock.next()], ["closed", 0, null]);
});

test("thousands that close at once share what they throw their peers' last words into", async () => {
  const clock = new VirtualClock();
  const before = Deno.memoryUsage().external;
  const channels = Array.from({ length: 2000 }, () => makeChannel({ clock }).channel);
  const closing = channels.map((channel) => channel.close(1000));
  await settle();
  const perChannel = (Deno.memoryUsage().external - before) / channels.length;
  clock.advance(1000);
  await Promise.all(closing);
  assert(perChannel < 20_000, `${perChannel} bytes each`);
});

/** A channel that cannot write any more, while a read is under way. */
function cutOff() {
  const clock = new VirtualClock();
  let arrive = (_text: string | null) => {};
  let closed = false;
  const [end] = memoryPair();
  const channel = new Channel({
    ...end,
    read: (into) =>
      new Promise((resolve, reject) => {
        arrive = (text) => {
          if (text === null) return reject(new Deno.errors.ConnectionReset("gone"));
          into.set(bytes(text));
          resolve(text.length);
        };
      }),
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
    close: () => void (closed = true),
  }, { framer: new LineFramer(64), codec: textCodec, clock });
  return { clock, channel, ...follow(channel), arrive: (text: string | null) => arrive(text), isClosed: () => closed };
}

for (
  const [how, say] of [
    ["", (channel: Channel<string>) => void channel.send("hello")],
    [", in the middle of a pour", (channel: Channel<string>) => {
      const read = (into: Uint8Array) => Promise.resolve(into.length);
      void channel.pour(read, 1000, new BlockPool({ maxBytes: 100 }));
    }],
  ] as const
) {
  test(`what a peer said before it went is read, though it can be told nothing more${how}`, async () => {
    const { channel, got, ended, arrive, isClosed } = cutOff();
    say(channel);
    await settle();
    assertEquals([channel.send("more"), isClosed()], [false, false]);
    arrive("too many\nbye\n");
    await settle();
    arrive(null);
    await ended;
    assertEquals([got, channel.reason, isClosed()], [["too many", "bye"], "reset by peer", true]);
  });

  test(`where nothing more comes of a peer that takes nothing, the channel is closed after a while${how}`, async () => {
    const { clock, channel, got, ended, arrive, isClosed } = cutOff();
    say(channel);
    await settle();
    clock.advance(LINGER_MS - 1);
    await settle();
    assertEquals(isClosed(), false);
    clock.advance(1);
    await settle();
    assertEquals([isClosed(), channel.reason, clock.next()], [true, "reset by peer", null]);
    arrive(null);
    await ended;
    assertEquals(got, []);
  });
}

test("what has come in the moment in which a write fails is read, too", async () => {
  const [end] = memoryPair();
  let reads = 0;
  let [arrive, fail] = [(_text: string) => {}, (_error: Error) => {}];
  const channel = new Channel({
    ...end,
    read(into) {
      if (++reads > 1) return Promise.reject(new Deno.errors.ConnectionReset("gone"));
      return new Promise((resolve) => arrive = (text) => resolve((into.set(bytes(text)), text.length)));
    },
    write: () => new Promise((_, reject) => (fail = reject)),
  }, { framer: new LineFramer(64), codec: textCodec });
  const { got, ended } = follow(channel);
  channel.send("hello");
  await settle();
  arrive("too many\n");
  fail(new Deno.errors.BrokenPipe("gone"));
  await ended;
  assertEquals([got, channel.reason], [["too many"], "reset by peer"]);
});
