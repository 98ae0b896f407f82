import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Channel, LINGER_MS } from "../lib/net/channel.ts";
import type { Conn } from "../lib/net/conn.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import type { Codec } from "../lib/protocol/codec.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { DigitsFramer, LineFramer, makeFramer, RawFramer, wrap } from "../lib/protocol/framing.ts";
import { decodeText } from "../lib/protocol/text.ts";
import { bytes, settle, splits, test } from "./helpers.ts";
import { follow, FRAME_LIMIT as LIMIT, makeChannel, readAll, textCodec } from "./net_helpers.ts";

test("each hands over every message, however the stream is split", async () => {
  for (const name of ["line", "len2", "be8"]) {
    const texts = ["one", "", "zwölf🦕", "!\x1b"];
    const frames = texts.map((text) => wrap(makeFramer(name, LIMIT)!, bytes(text)));
    for (const { how, chunks } of splits(...frames)) {
      const { channel, peer } = makeChannel({ framer: makeFramer(name, LIMIT)! });
      const { got, ended } = follow(channel);
      for (const chunk of chunks) await peer.write(chunk);
      await peer.closeWrite();
      await ended;
      assertEquals([got, channel.reason], [texts, "end of stream"], `${name}, ${how}`);
      await channel.close();
    }
  }
});

test("receive hands over one message at a time, then null", async () => {
  for (const { how, chunks } of splits(bytes("one\n"), bytes("two\r\n"), bytes("\n"))) {
    const { channel, peer } = makeChannel();
    for (const chunk of chunks) await peer.write(chunk);
    await peer.closeWrite();
    const got = [await channel.receive(), await channel.receive(), await channel.receive()];
    assertEquals([got, await channel.receive(), await channel.receive()], [["one", "two", ""], null, null], how);
    await channel.close();
  }
});

test("what cannot be read is reported in its place, and the channel goes on", async () => {
  const { channel, peer } = makeChannel();
  const { got, ended } = follow(channel);
  await peer.write(bytes("good\n", "bad", 0xff, "\n", "x".repeat(LIMIT + 1), "\n", "better\n"));
  await peer.closeWrite();
  await ended;
  assertEquals(got, [
    "good",
    "!invalid UTF-8 at byte 3",
    `!message too long: more than 64 bytes`,
    "better",
  ]);
  await channel.close();
});

test("receive throws what cannot be read, and goes on when called again", async () => {
  const { channel, peer } = makeChannel();
  await peer.write(bytes("one\n", 0xff, "\ntwo\n"));
  assertEquals(await channel.receive(), "one");
  await assertRejects(() => channel.receive(), ProtocolError, "invalid UTF-8");
  assertEquals(await channel.receive(), "two");
  channel.abort("done");
});

test("a fatal error ends the reading and becomes the reason, but the answer still leaves", async () => {
  const { channel, peer } = makeChannel({ framer: new DigitsFramer(4, LIMIT) });
  const { got, ended } = follow(channel);
  await peer.write(bytes("0003oneabcd0003two"));
  await ended;
  channel.send("ERROR");
  const closed = channel.close();
  await peer.closeWrite();
  assertEquals(await readAll(peer), "0005ERROR");
  await closed;
  assertEquals(got, ["one", '!length field is not a number: "a"']);
  assertEquals(
    channel.reason,
    'protocol error: length field is not a number: "a": a length is 4 decimal digits and counts bytes, not characters',
  );
});

test("replies still arrive after the peer has ended its direction", async () => {
  const { channel, peer } = makeChannel();
  const session = channel.each((text) => void channel.send(`re: ${text}`), () => {});
  await peer.write(bytes("one\ntwo\n"));
  await peer.closeWrite();
  await session;
  await channel.close();
  assertEquals([await readAll(peer), channel.reason], ["re: one\nre: two\n", "end of stream"]);
});

test("the answers to what one read brought leave in one write; of a channel alone, before the next read begins", async () => {
  const [conn, peer] = memoryPair();
  const calls: string[] = [];
  const watched: Conn = {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    read: (into) => (calls.push("read"), conn.read(into)),
    write: (out) => (calls.push(`write ${decodeText(out)}`), conn.write(out)),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
  };
  const channel = new Channel(watched, { framer: new LineFramer(LIMIT), codec: textCodec });
  const session = channel.each((text) => void channel.send(text.toUpperCase()), () => {});
  await peer.write(bytes("one\ntwo\nthr"));
  await settle();
  await peer.write(bytes("ee\n"));
  await settle();
  await peer.closeWrite();
  await session;
  assertEquals(calls, ["read", "write ONE\nTWO\n", "read", "write THREE\n", "read"]);
  await channel.close();
});

test("a stream that ends inside a message says so and delivers no half", async () => {
  const { channel, peer } = makeChannel();
  const { got, ended } = follow(channel);
  await peer.write(bytes("whole\nhal"));
  await peer.closeWrite();
  await ended;
  assertEquals([got, channel.reason], [["whole"], "end of stream inside a message"]);
  await channel.close();
});

test("a reset ends the channel at once, whoever waits", async () => {
  const { channel, peer } = makeChannel();
  const { got, ended } = follow(channel);
  await peer.write(bytes("one\n"));
  await settle();
  peer.reset();
  await ended;
  assertEquals([got, channel.reason, channel.ending], [["one"], "reset by peer", true]);
  assertEquals(channel.send("too late"), false);
  await channel.flushed();
  await channel.close();
});

test("a reset inside a message leaves it truncated, and between two it does not", async () => {
  for (const [text, truncated] of [["one\ntw", true], ["one\n", false]] as const) {
    const { channel, peer } = makeChannel();
    await peer.write(bytes(text));
    assertEquals([await channel.receive(), channel.truncated], ["one", false]);
    peer.reset();
    assertEquals([await channel.receive(), channel.truncated], [null, truncated]);
  }
});

test("a write that fails ends the channel, and reading with it", async () => {
  const { channel, peer } = makeChannel();
  const { ended } = follow(channel);
  peer.close();
  assert(channel.send("nobody reads this"));
  await ended;
  await channel.flushed();
  assert(["reset by peer", "end of stream"].includes(channel.reason!), channel.reason!);
  await channel.close();
});

for (const speaks of [true, false]) {
  test(`a peer that cannot be written to ${speaks ? "is heard to its end" : "and says nothing is waited for a second"}`, async () => {
    const clock = new VirtualClock();
    const [ours, peer] = memoryPair();
    const conn = { ...ours, write: () => Promise.reject(new Deno.errors.BrokenPipe("it is gone")) };
    const channel = new Channel(conn, { framer: new LineFramer(LIMIT), codec: textCodec, clock });
    const { got, ended } = follow(channel);
    await settle();
    channel.send("are you there?");
    await settle();
    assertEquals([channel.ending, channel.reason !== null], [false, true]);
    const { reason } = channel;
    if (speaks) await peer.write(bytes("no\n"));
    await settle();
    clock.advance(LINGER_MS);
    await settle();
    assertEquals([got, channel.ending], speaks ? [["no"], false] : [[], true]);
    await peer.closeWrite();
    await ended;
    assertEquals(channel.reason, reason);
    await channel.close();
  });
}

test("a peer that does not read is cut when its queue is full", async () => {
  const { channel } = makeChannel({ queueBytes: 100 }, 10);
  const { ended } = follow(channel);
  let sent = 0;
  while (channel.send("123456789")) sent++;
  await ended;
  assertEquals([sent, channel.queuedBytes, channel.ending], [10, 0, true]);
  assertEquals(channel.reason, "too slow: 110 bytes waited for it to read");
});

test("a message that does not fit the framing throws, and the channel lives on", async () => {
  const { channel, peer } = makeChannel({ framer: new DigitsFramer(1, LIMIT) });
  const error = assertThrows(() => channel.send("0123456789"), ProtocolError);
  assertEquals(error.side, "local");
  channel.send("ok");
  await channel.flushed();
  const buffer = new Uint8Array(100);
  assertEquals(await peer.read(buffer), 3);
  channel.abort("done");
});

test("sendStart sends what is no text byte for byte", async () => {
  const codec: Codec<Uint8Array> = { decode: (frame) => frame, encode: (bytes) => bytes };
  const [ours, peer] = memoryPair();
  const channel = new Channel(ours, { framer: makeFramer("len4", LIMIT)!, codec });
  channel.sendStart(bytes(7, 0xfe, 0xc3, 0, "ERROR"));
  await channel.closeWrite();
  const got = new Uint8Array(100);
  assertEquals(got.subarray(0, (await peer.read(got))!), bytes("0009", 7, 0xfe, 0xc3, 0, "ERROR"));
  channel.abort("done");
});

test("sendStart sends as much as fits, cut between characters", async () => {
  const { channel, peer } = makeChannel({ framer: new DigitsFramer(1, LIMIT) });
  channel.sendStart("ok");
  channel.sendStart("ERROR é🦕!");
  channel.sendStart("12345678é");
  await channel.closeWrite();
  assertEquals(await readAll(peer), "2ok8ERROR é812345678");
  channel.abort("done");
  assertEquals(channel.sendStart("gone"), false);
});

test("each stops at once when the session closes the channel", async () => {
  const { channel, peer } = makeChannel();
  const got: string[] = [];
  const ended = channel.each((text) => {
    got.push(text);
    void channel.because("said bye").close();
  }, () => {});
  await peer.write(bytes("bye\nmore\nand more\n"));
  await peer.closeWrite();
  await ended;
  await channel.close();
  assertEquals([got, channel.reason], [["bye"], "said bye"]);
});

test("raw messages leave in a write each, and a read each is a message", async () => {
  const { channel, peer } = makeChannel({ framer: new RawFramer(LIMIT) });
  const { got, ended } = follow(channel);
  channel.send("one");
  channel.send("two");
  const buffer = new Uint8Array(100);
  assertEquals([await peer.read(buffer), await peer.read(buffer)], [3, 3]);
  await peer.write(bytes("three"));
  await peer.write(bytes("four\r"));
  await peer.closeWrite();
  await ended;
  assertEquals(got, ["three", "four"]);
  await channel.close();
});

test("reads grow while they come back full, and shrink after eight small ones in a row", async () => {
  // Empty lines, in reads that are full (Infinity) or of one byte.
  const reads = [...Array(7).fill(Infinity), ...Array(7).fill(1), Infinity, ...Array(30).fill(1)];
  const asked: number[] = [];
  const conn: Conn = {
    ...{ localAddr: { transport: "unix", path: "" }, remoteAddr: { transport: "unix", path: "" } },
    read(into) {
      const most = reads[asked.length];
      if (most === undefined) return Promise.resolve(null);
      asked.push(into.length);
      return Promise.resolve(into.subarray(0, most).fill(0x0a).length);
    },
    write: ({ length }) => Promise.resolve(length),
    closeWrite: () => Promise.resolve(),
    close() {},
  };
  const channel = new Channel(conn, { framer: new LineFramer(LIMIT), codec: textCodec });
  await channel.each(() => {}, () => {});
  await channel.close();
  const growing = [2048, 4096, 8192, 16_384, 32_768];
  // It takes four shrunk reads until the memory is given back, and with 4096 bytes that is little enough.
  const large = 2 + 7 + 1 + 8 + 3;
  assertEquals(asked, [...growing, ...Array(large).fill(65_536), ...Array(30 - 8 - 3).fill(4096)]);
});
