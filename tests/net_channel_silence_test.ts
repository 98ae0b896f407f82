import { assert, assertEquals } from "@std/assert";
import { AutoFramer, SILENCE_MS } from "../lib/protocol/auto_framing.ts";
import type { MemoryConn } from "../lib/net/memory.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { bytes, collect, settle, test } from "./helpers.ts";
import { follow, FRAME_LIMIT as LIMIT, makeChannel } from "./net_helpers.ts";

/** A channel that finds out the framing, under a clock that the test moves. */
function makeAuto(maxBytes = LIMIT, isComplete = (text: string) => text.startsWith("NAME "), capacity?: number) {
  const clock = new VirtualClock();
  const decided: string[] = [];
  const framer = new AutoFramer({
    maxBytes,
    lengths: true,
    isComplete,
    onDecided: ({ name }) => decided.push(name),
  });
  const { channel, peer } = makeChannel({ framer, clock }, capacity);
  return { clock, decided, channel, peer, ...follow(channel) };
}

test("300 ms of silence make a message of bytes without LF, 299 do not", async () => {
  const { clock, decided, channel, peer, got, ended } = makeAuto();
  await settle();
  assertEquals(clock.next(), null, "no timer while nothing waits");
  await peer.write(bytes("NAME alice"));
  await settle();
  clock.advance(SILENCE_MS - 1);
  await settle();
  assertEquals(decided, []);
  clock.advance(1);
  await settle();
  assertEquals([got, decided, clock.next()], [["NAME alice"], ["raw"], null]);
  await peer.write(bytes("NAME bob"));
  await settle();
  assertEquals(got, ["NAME alice", "NAME bob"], "once it is raw, nothing waits for silence");
  await peer.closeWrite();
  await ended;
  await channel.close();
});

test("where any text is a message, a single byte and silence are one", async () => {
  const { clock, channel, peer, got, ended } = makeAuto(LIMIT, () => true);
  await peer.write(bytes("y"));
  await settle();
  clock.advance(SILENCE_MS);
  await settle();
  assertEquals(got, ["y"]);
  await peer.closeWrite();
  await ended;
  await channel.close();
});

test("what comes at once without framing is one message, however long, from the second on", async () => {
  const { clock, channel, peer, got, ended } = makeAuto(8192);
  await peer.write(bytes("NAME a"));
  await settle();
  clock.advance(SILENCE_MS);
  for (const length of [5000, 1, 8192]) {
    await settle();
    await peer.write(bytes("x".repeat(length)));
  }
  await peer.closeWrite();
  await ended;
  assertEquals(got.map(({ length }) => length), [6, 5000, 1, 8192]);
  await channel.close();
});

test("what one message may have is one read, and what is longer one error, with nothing of it taken for a message", async () => {
  const { clock, channel, peer, got, ended } = makeAuto(65_536, undefined, 1_048_576);
  const tooLong = (bytes: number) => `!message too long: ${bytes} bytes, the limit is 65536`;
  await peer.write(bytes("NAME a"));
  await settle();
  clock.advance(SILENCE_MS);
  for (const length of [20_000, 65_537, 65_536, 200_000, 2]) {
    await settle();
    await sendAll(peer, bytes("x".repeat(length)));
    await settle();
    if (length > 65_536) {
      assertEquals(got.at(-1)!.length, got.length === 2 ? 20_000 : 65_536, "the answer waits for the message's end");
      clock.advance(20);
    }
  }
  await peer.closeWrite();
  await ended;
  const shown = got.slice(1).map((text) => text.startsWith("x") ? text.length : text);
  assertEquals(shown, [20_000, tooLong(65_537), 65_536, tooLong(200_000), 2]);
  assertEquals(clock.next(), null);
  await channel.close();
});

test("a first message that is too long is answered once, and the next one is understood", async () => {
  const { clock, decided, channel, peer, got, ended } = makeAuto();
  await sendAll(peer, bytes("x".repeat(20_000)));
  await settle();
  assertEquals([got, decided], [[], []], "who goes on at the answer would still be inside of it");
  clock.advance(SILENCE_MS);
  await settle();
  assertEquals([got, decided, clock.next()], [["!message too long: 20000 bytes, the limit is 64"], ["raw"], null]);
  await peer.write(bytes("hello"));
  await settle();
  assertEquals(got.slice(1), ["hello"]);
  await peer.closeWrite();
  await ended;
  await channel.close();
});

/** Writes all of it, however little is taken at once. */
async function sendAll(peer: MemoryConn, bytes: Uint8Array): Promise<void> {
  for (let left = bytes; left.length > 0;) left = left.subarray(await peer.write(left));
}

test("silence counts from the last byte that came", async () => {
  const { clock, decided, channel, peer, got, ended } = makeAuto();
  for (const part of ["NAME a", "li", "ce"]) {
    await peer.write(bytes(part));
    await settle();
    clock.advance(SILENCE_MS - 1);
    await settle();
  }
  assertEquals(decided, []);
  clock.advance(1);
  await settle();
  assertEquals(got, ["NAME alice"]);
  await peer.closeWrite();
  await ended;
  await channel.close();
});

test("silence after an unfinished message decides nothing, and more bytes are still read", async () => {
  const { clock, decided, channel, peer, got, ended } = makeAuto();
  await peer.write(bytes("NAM"));
  await settle();
  clock.advance(60_000);
  await settle();
  assertEquals([decided, got, clock.next()], [[], [], null]);
  await peer.write(bytes("E alice\nNAME bob\n"));
  await peer.closeWrite();
  await ended;
  assertEquals([decided, got], [["line"], ["NAME alice", "NAME bob"]]);
  await channel.close();
});

test("a complete message that nothing framed is delivered at the end of the stream", async () => {
  const { clock, channel, peer, got, ended } = makeAuto();
  await peer.write(bytes("NAME alice"));
  await peer.closeWrite();
  await ended;
  assertEquals([got, clock.next()], [["NAME alice"], null]);
  assertEquals(channel.reason, "end of stream");
  await channel.close();
});

test("what happens is traced: open, bytes, messages, close with its reason", async () => {
  const trace = collect();
  const { channel, peer } = makeChannel({ trace, id: 7 });
  const { ended } = follow(channel);
  await peer.write(bytes("NA"));
  await peer.write(bytes("ME \x1b[2J\n"));
  await settle();
  channel.send("HELLO \x1b");
  channel.send("bye");
  await peer.closeWrite();
  await ended;
  await channel.close();
  assertEquals(trace.events, [
    { type: "open", id: 7, transport: "tcp", local: "memory:1", remote: "memory:2" },
    { type: "bytes", id: 7, direction: "in", bytes: "NA" },
    { type: "bytes", id: 7, direction: "in", bytes: "ME \\x1b[2J\\n" },
    { type: "message", id: 7, direction: "in", text: "NAME \\x1b[2J" },
    { type: "message", id: 7, direction: "out", text: "HELLO \\x1b" },
    { type: "message", id: 7, direction: "out", text: "bye" },
    { type: "bytes", id: 7, direction: "out", bytes: "HELLO \\x1b\\nbye\\n" },
    { type: "close", id: 7, reason: "end of stream" },
  ]);
});

test("channels number themselves, unlike one another", () => {
  const [one, other] = [makeChannel(), makeChannel()];
  assert(one.channel.id !== other.channel.id);
  assertEquals(one.channel.remote, "memory:2");
  one.channel.abort("done");
  other.channel.abort("done");
});
