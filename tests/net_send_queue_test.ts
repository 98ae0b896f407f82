import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import type { Conn } from "../lib/net/conn.ts";
import { SendQueue } from "../lib/net/send_queue.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { DigitsFramer, LineFramer, RawFramer } from "../lib/protocol/framing.ts";
import { bytes, property, settle, test } from "./helpers.ts";

const line = new LineFramer(1024);
const raw = new RawFramer(1024);
const len2 = new DigitsFramer(2, 1024);

/** A connection whose writes are pending until the test lets them through. */
class SlowConn implements Conn {
  readonly localAddr: Deno.Addr = { transport: "tcp", hostname: "fake", port: 1 };
  readonly remoteAddr: Deno.Addr = { transport: "tcp", hostname: "fake", port: 2 };
  /** What each call of `write` was given. */
  readonly writes: string[] = [];
  readonly #pending: { length: number; resolve: (count: number) => void; reject: (error: Error) => void }[] = [];

  read(): Promise<number | null> {
    return Promise.resolve(null);
  }
  write(data: Uint8Array): Promise<number> {
    this.writes.push(new TextDecoder().decode(data));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#pending.push({ length: data.length, resolve, reject });
    assertEquals(this.#pending.length, 1, "a write began before the last one was done");
    return promise;
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}

  /** How many bytes the pending write has. */
  get waiting(): number {
    return this.#pending[0]?.length ?? 0;
  }

  /** Ends the pending write, after `count` bytes if given, and lets what follows happen. */
  async done(count?: number): Promise<void> {
    const { length, resolve } = this.#pending.shift()!;
    resolve(count ?? length);
    await settle();
  }
  async fail(error: Error): Promise<void> {
    this.#pending.shift()!.reject(error);
    await settle();
  }
}

/** A queue on a slow connection, and what it reported. */
function makeQueue(limitBytes = 1000, coalesce = true, keepBytes?: number) {
  const conn = new SlowConn();
  const events: string[] = [];
  const written: Uint8Array[] = [];
  const queue = new SendQueue(conn, limitBytes, coalesce, {
    onFull: (queued) => events.push(`full ${queued}`),
    onError: (error) => events.push(`error ${(error as Error).message}`),
    onWritten: (some) => written.push(some.slice()),
  }, keepBytes);
  return {
    ...{ conn, events, queue },
    written: () => new TextDecoder().decode(bytes(...written)),
    writtenBytes: () => written.reduce((sum, { length }) => sum + length, 0),
  };
}

test("messages sent in one turn leave in one write, in order", async () => {
  const { conn, queue, written } = makeQueue();
  for (let i = 0; i < 5; i++) assert(queue.push(line, `m${i}`));
  assertEquals(conn.writes, []);
  await settle();
  assertEquals(conn.writes, ["m0\nm1\nm2\nm3\nm4\n"]);
  assertEquals(written(), "");
  await conn.done();
  assertEquals(written(), "m0\nm1\nm2\nm3\nm4\n");
  assertEquals(queue.queuedBytes, 0);
});

test("what gathers during a write leaves together in the next one", async () => {
  const { conn, queue } = makeQueue();
  queue.push(line, "first");
  await settle();
  for (const text of ["a", "b", "c"]) {
    queue.push(line, text);
    await settle();
  }
  assertEquals(conn.writes, ["first\n"]);
  await conn.done();
  assertEquals(conn.writes, ["first\n", "a\nb\nc\n"]);
  await conn.done();
  assertEquals(conn.writes.length, 2);
});

test("a write that takes only a part is continued where it stopped", async () => {
  const { conn, queue, written } = makeQueue();
  queue.push(len2, "hello");
  await settle();
  await conn.done(1);
  queue.push(len2, "x");
  await conn.done(4);
  await conn.done(2);
  await conn.done();
  assertEquals(conn.writes, ["05hello", "5hello", "lo", "01x"]);
  assertEquals(written(), "05hello01x");
});

test("without coalescing each message has a write of its own, sent in one turn or during a write", async () => {
  const { conn, queue } = makeQueue(1000, false);
  for (const text of ["one", "two", "three"]) queue.push(len2, text);
  await settle();
  queue.push(len2, "four");
  queue.push(len2, "five");
  for (let i = 0; i < 5; i++) await conn.done();
  assertEquals(conn.writes, ["03one", "03two", "05three", "04four", "04five"]);
});

test("without coalescing a part that remains is not joined with the next message", async () => {
  const { conn, queue } = makeQueue(1000, false);
  queue.push(line, "one");
  queue.push(line, "two");
  await settle();
  await conn.done(2);
  await conn.done();
  await conn.done();
  assertEquals(conn.writes, ["one\n", "e\n", "two\n"]);
});

test("raw messages are never joined, and an empty one writes nothing", async () => {
  const { conn, queue, written } = makeQueue();
  for (const text of ["", "one", "", "two", ""]) assert(queue.push(raw, text));
  await settle();
  await conn.done();
  await conn.done();
  assertEquals(conn.writes, ["one", "two"]);
  assertEquals(written(), "onetwo");
  await queue.flushed();
});

test("text and bytes are framed alike, and lengths count bytes", async () => {
  const { conn, queue } = makeQueue();
  queue.push(len2, "é🦕");
  queue.push(len2, bytes("é🦕"));
  queue.push(len2, "");
  await settle();
  assertEquals(conn.writes, ["06é🦕06é🦕00"]);
  await conn.done();
});

test("text of every length and kind is framed as its UTF-8 bytes", async () => {
  const len4 = new DigitsFramer(4, 1024);
  for (const end of ["", "a", "é", "🦕", "\ud800"]) {
    for (const length of [0, 1, 2, 61, 62, 63, 64, 65, 66, 200]) {
      const { conn, queue } = makeQueue();
      const text = "x".repeat(length) + end;
      queue.push(len4, text);
      queue.push(len4, bytes(text));
      await settle();
      const [first, second] = [
        conn.writes[0].slice(0, conn.writes[0].length / 2),
        conn.writes[0].slice(conn.writes[0].length / 2),
      ];
      assertEquals(first, second);
      assertEquals(first.slice(4), text.toWellFormed());
      await conn.done();
    }
  }
});

test("a message that the framing cannot carry is refused, and what was queued before and after is whole", async () => {
  const { conn, queue } = makeQueue();
  queue.push(len2, "before");
  for (const body of ["x".repeat(100), "é".repeat(50), new Uint8Array(100)]) {
    const error = assertThrows(() => queue.push(len2, body), ProtocolError, "100 bytes do not fit: len2 carries 99");
    assertEquals([error.side, error.kind], ["local", "limit"]);
  }
  queue.push(len2, "after");
  await settle();
  assertEquals(conn.writes, ["06before05after"]);
  await conn.done();
});

test("a queue of exactly its limit is kept, one byte more ends it", async () => {
  const { conn, events, queue } = makeQueue(10);
  assert(queue.push(line, "12345"));
  assert(queue.push(line, "123"));
  assertEquals([queue.queuedBytes, events], [10, []]);
  await settle();
  // What is in flight counts until it is written.
  assertEquals([queue.queuedBytes, queue.push(line, "")], [10, false]);
  assertEquals(events, ["full 11"]);
  assertEquals([queue.push(line, "more"), queue.queuedBytes], [false, 0]);
  await conn.done();
  assertEquals(conn.writes.length, 1);
});

test("a frame that is alone is kept, however long it is: nobody has failed to read yet", async () => {
  const { conn, events, queue } = makeQueue(10);
  assert(queue.push(line, "x".repeat(1000)));
  assertEquals([queue.queuedBytes, events], [1001, []]);
  assertEquals([queue.push(line, ""), events], [false, ["full 1002"]]);
  await conn.done().catch(() => {});
});

test("what has been written makes room again", async () => {
  const { conn, events, queue } = makeQueue(10);
  queue.push(line, "12345678");
  await settle();
  await conn.done(5);
  assertEquals(queue.queuedBytes, 4);
  assert(queue.push(line, "12345"));
  await conn.done();
  await conn.done();
  assertEquals([queue.queuedBytes, events], [0, []]);
});

test("flushed waits for everything, and no longer", async () => {
  const { conn, queue } = makeQueue();
  await queue.flushed();
  queue.push(line, "one");
  let flushed = false;
  const waiting = queue.flushed().then(() => flushed = true);
  await settle();
  queue.push(line, "two");
  await conn.done();
  assertEquals(flushed, false);
  await conn.done();
  await waiting;
});

test("a failed write is reported once, ends the queue, and lets who waits go on", async () => {
  const { conn, events, queue } = makeQueue();
  queue.push(line, "one");
  await settle();
  queue.push(line, "two");
  const flushed = queue.flushed();
  await conn.fail(new Error("broken"));
  await flushed;
  assertEquals([events, queue.push(line, "three"), queue.queuedBytes], [["error broken"], false, 0]);
  assertEquals(conn.writes, ["one\n"]);
});

test("a stopped queue writes nothing more, and a write that ends afterwards is ignored", async () => {
  const { conn, events, queue, written } = makeQueue();
  queue.push(line, "one");
  await settle();
  queue.push(line, "two");
  queue.stop();
  await queue.flushed();
  await conn.done();
  assertEquals([conn.writes, written(), events], [["one\n"], "", []]);
  const other = makeQueue();
  other.queue.push(line, "never");
  other.queue.stop();
  await settle();
  assertEquals(other.conn.writes, []);
});

test("a failing write after stop is nobody's business", async () => {
  const { conn, events, queue } = makeQueue();
  queue.push(line, "one");
  await settle();
  queue.stop();
  await conn.fail(new Error("closed"));
  assertEquals(events, []);
});

property("whatever is sent arrives whole and in order, and is counted, however the writes go", 50, async (random) => {
  const coalesce = random.chance(0.5);
  // Buffers are used again, or given back as too large.
  const { conn, queue, written, writtenBytes } = makeQueue(1_000_000, coalesce, random.pick([65_536, 600]));
  let sent = "";
  for (let step = 0; step < 60; step++) {
    if (random.chance(0.6)) {
      const text = "é".repeat(random.int(0, 200)) + step;
      queue.push(line, text);
      sent += `${text}\n`;
    }
    if (random.chance(0.3)) await settle();
    if (random.chance(0.5) && conn.waiting > 0) await conn.done(random.int(1, conn.waiting));
    assertEquals(queue.queuedBytes, bytes(sent).length - writtenBytes());
  }
  await settle();
  while (conn.waiting > 0) await conn.done(random.int(1, conn.waiting));
  assertEquals(written().length, sent.length);
  assert(written() === sent);
  if (!coalesce) { for (const write of conn.writes) assertLessOrEqual(write.split("\n").length, 2); }
});
