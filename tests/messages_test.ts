// One-way messages with a log (assignment 1), at the server: what is printed there, what comes back at quit in every framing
// and at every size, and what is refused.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { messages } from "../lib/exercises/messages/mod.ts";
import { MessageLog } from "../lib/exercises/messages/protocol.ts";
import { serveMessages } from "../lib/exercises/messages/server.ts";
import type { RunningServer, ServeContext } from "../lib/exercises/exercise.ts";
import type { Random } from "../lib/protocol/random.ts";
import { decodeText, encodeText } from "../lib/protocol/text.ts";
import { canReset, type ChatClient, FakeConsole, Guests, sendAndReset, serveContext, serving } from "./chat_helpers.ts";
import { bytes, collect, type Collected, eventually, Peer, property, settle, test, within } from "./helpers.ts";

/** A server in this process and what a test knows of it. */
interface Served {
  readonly port: number;
  readonly console: FakeConsole;
  readonly trace: Collected;
  readonly server: RunningServer;
  /** Connects a client that frames with `wire`. */
  join(wire: string): Promise<ChatClient>;
  /** Connects a client that is only bytes. */
  peer(): Promise<Peer>;
}

/** Runs `fn` with a server, and ends that and its clients. */
async function withMessages(
  fn: (served: Served) => Promise<void>,
  changes: Partial<ServeContext> = {},
  maxKept?: number,
): Promise<void> {
  const console = new FakeConsole([]);
  const trace = collect(["close", "note", "warning"]);
  const server = serveMessages(serveContext(messages, { console, trace, ...changes }), maxKept);
  await serving(server, async (port) => {
    using guests = new Guests(port);
    await fn({ port, console, trace, server, join: (wire) => guests.join(wire), peer: () => guests.peer() });
    assertEquals(trace.of("warning"), []);
  });
}

/** Every frame to the end of the stream. */
async function frames(client: ChatClient): Promise<string[]> {
  const got: string[] = [];
  for (let text = await client.next(); text !== null; text = await client.next()) got.push(text);
  return got;
}

test("lines are printed as they come, and come back at quit in order, before the connection ends", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    await client.send("hello\nhow are you\r\n");
    await console.shows("how are you");
    await client.send("grüß dich 🙂\nquit\n");
    assertEquals(await client.rest(), "hello\nhow are you\ngrüß dich 🙂\n");
    const { hostname, port } = client.conn.localAddr as Deno.NetAddr;
    const from = `${hostname}:${port}`;
    const texts = ["hello", "how are you", "grüß dich 🙂"];
    assertEquals(console.printed, texts.map((text) => `${from}: ${text}`));
    assertEquals(console.events, texts.map((text) => ({ event: "message", from, text })));
  }));

test("with --wire len4 the log is one message, in which LF joins", () =>
  withMessages(async ({ join }) => {
    const client = await join("len4");
    await client.send("hello", "two\r\nlines", "bye", "quit");
    assertEquals(await frames(client), ["hello\ntwo\\r\\nlines\nbye"]);
  }, { wire: "len4" }));

test("with --wire len2 a long log takes several messages, and joined by LF they are the whole", () =>
  withMessages(async ({ join }) => {
    const client = await join("len2");
    const sent = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(i, "ö").slice(0, 49));
    await client.send(...sent, "quit");
    const got = await frames(client);
    assert(got.length > 30 && got.every((frame) => encodeText(frame).length <= 99), `${got.length} frames`);
    assertEquals(got.join("\n").split("\n"), sent);
  }, { wire: "len2" }));

test("bytes without LF are messages by silence, and the log comes back without LF at its end", () =>
  withMessages(async ({ peer, console, trace }) => {
    const client = await peer();
    for (const text of ["hello", "how are you"]) {
      await client.send(text);
      await console.shows(text);
    }
    await client.send("quit");
    assertEquals(await client.rest(), "hello\nhow are you");
    assertEquals(trace.of("note").map(({ text }) => text), ["client frames with nothing: one read is one message"]);
  }));

test("quit is quit in any case, and only when it is all of a message", () =>
  withMessages(async ({ peer }) => {
    for (const quit of ["quit", "QUIT", "Quit", " qUiT ", "quit\r"]) {
      const client = await peer();
      await client.send(`quit now\nquits\n${quit}\n`);
      assertEquals(await client.rest(), "quit now\nquits\n", quit);
    }
  }));

test("what is behind quit is neither printed nor returned", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    await client.send("before\nquit\nafter\nquit\n");
    assertEquals(await client.rest(), "before\n");
    assertEquals(console.printed.length, 1);
  }));

for (const [wire, quit, answer] of [["auto", "quit\n", ""], ["raw", "quit", ""], ["len4", "0004quit", "0000"]]) {
  test(`with --wire ${wire} an empty log is an empty answer, then the end of the stream`, () =>
    withMessages(async ({ peer, console }) => {
      const client = await peer();
      await client.send(quit);
      assertEquals(await client.rest(), answer);
      assertEquals(console.printed, []);
    }, { wire }));
}

test("an empty line is a message, the first one, too", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    await client.send("\na\n\nb\n\nquit\n");
    assertEquals(await client.rest(), "\na\n\nb\n\n");
    assertEquals(console.events.map(({ text }) => text), ["", "a", "", "b", ""]);
  }));

test("a message beyond --max-log is refused, neither printed nor kept, and what was accepted comes back", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    // 4 + LF + 5 = 10: that is the bound; then not even an empty one fits.
    await client.send("four\nsix-ab\nfive5\nx\n\nquit\n");
    const log = "ERROR log full: 10 bytes are kept, this message is not; say quit to get them\n";
    assertEquals(await client.rest(), `${log.repeat(3)}four\nfive5\n`);
    assertEquals(console.events.map(({ text }) => text), ["four", "five5"]);
  }, { options: { "max-log": 10 } }));

test("all sessions together have a bound, and one that ends makes room", () =>
  withMessages(
    async ({ peer, console }) => {
      const [first, second] = [await peer(), await peer()];
      await first.send("0123456789\n");
      await console.shows("0123456789");
      await second.send("x\n");
      assertMatch(await second.line(), /^ERROR server full: it keeps the messages of all, and this one is not kept; /);
      await first.send("quit\n");
      assertEquals(await first.rest(), "0123456789\n");
      await second.send("y\nquit\n");
      assertEquals(await second.rest(), "y\n");
    },
    {},
    10,
  ));

test("a session of tens of thousands of messages, up to the bound of 1 MiB, comes back to a reader of small bites", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    const sent = Array.from({ length: 32_768 }, (_, i) => `message ${i}`.padEnd(31, "."));
    await client.send(sent.map((text) => `${text}\n`).join(""), "beyond\nquit\n");
    const [refused, ...log] = decodeText(bytes(...await bites(client.conn, 1500))).split("\n");
    assertMatch(refused, /^ERROR log full: 1048576 bytes are kept/);
    assertEquals([log.length, log.pop()], [sent.length + 1, ""]);
    assert(log.every((line, i) => line === sent[i]), "the log is not what was sent");
    assertEquals(console.printed.length, sent.length);
  }));

test("a log that is larger than any buffer waits for a reader who is late", () =>
  withMessages(async ({ peer }) => {
    const client = await peer();
    const line = `${"x".repeat(8190)}é`.slice(0, 8190);
    await client.send(`${line}\n`.repeat(2048), "quit\n");
    for (let i = 0; i < 200; i++) await settle();
    let length = 0;
    for (const bite of await bites(client.conn, 65_536)) length += bite.length;
    assertEquals(length, 2048 * (line.length + 1));
  }, { options: { "max-log": 64 * 1_048_576 } }));

test("a small --max-queue cuts no message of the log in two", () =>
  withMessages(async ({ join }) => {
    const client = await join("len4");
    const long = "x".repeat(3000);
    await client.send(long, "short", "quit");
    assertEquals([await client.next(), await client.next()], [`${long}\nshort`, null]);
  }, { wire: "len4", limits: { queueBytes: 1024 } }));

test("answers that have not left yet do not count as a client that does not read", () =>
  withMessages(async ({ peer }) => {
    const client = await peer();
    const kept = "x".repeat(600);
    await client.send(`${kept}\n${"beyond, and refused\n".repeat(6)}quit\n`);
    const refused = "ERROR log full: 600 bytes are kept, this message is not; say quit to get them\n";
    assertEquals(await client.rest(), `${refused.repeat(6)}${kept}\n`);
  }, { options: { "max-log": 600 }, limits: { queueBytes: 1024 } }));

test("what a client that vanished has not taken of its log is room once, and not twice", () =>
  withMessages(
    async ({ peer, port, trace, console }) => {
      const line = `${"x".repeat(8191)}\n`;
      const gone = await Peer.connect({ hostname: "127.0.0.1", port });
      await gone.send(line.repeat(2048), "quit\n"); // more than the system's buffers hold
      await eventually("all of it", () => console.printed.length === 2048);
      await gone.read(1);
      gone.close();
      await trace.until("its end", ({ type }) => type === "close");
      const next = await peer();
      await next.send(line.repeat(2049));
      assertMatch(await next.line(), /^ERROR server full/);
    },
    { options: { "max-log": 64 * 1_048_576 } },
    2048 * 8192 - 1,
  ));

test("a log on its way takes room until it has been taken: who says quit and does not read makes none", () =>
  withMessages(
    async ({ peer, console }) => {
      const lines = `${"x".repeat(8191)}\n`.repeat(2048); // more than the system's buffers hold
      const [first, second] = [await peer(), await peer()];
      await first.send(lines, "quit\n");
      await eventually("all of it", () => console.printed.length === 2048);
      await first.read(1);
      const answers = second.rest();
      await second.send(lines, "quit\n");
      assertMatch((await answers).slice(0, 40), /^ERROR server full/);
      assertEquals((await first.rest()).length, lines.length - 1);
    },
    { options: { "max-log": 64 * 1_048_576 } },
    2048 * 8192 - 1,
  ));

test("a log that is on its way comes whole where the server shuts down, or the client has nothing more to send", () =>
  withMessages(async ({ peer, server }) => {
    const client = await peer();
    const line = "x".repeat(8191);
    await client.send(`${line}\n`.repeat(2048), "quit\n");
    await client.conn.closeWrite();
    assertEquals(await client.conn.read(new Uint8Array(1)), 1);
    const over = server.shutdown(50_000);
    let length = 1;
    let errors = 0;
    for (const bite of await bites(client.conn, 65_536)) {
      length += bite.length;
      errors += bite.includes(0x45) ? 1 : 0;
    }
    await over;
    assertEquals([length, errors], [2048 * 8192, 0]);
  }, { options: { "max-log": 64 * 1_048_576 } }));

/** Everything to the end of the stream, never more than `size` bytes at once, with a turn of the event loop between. */
async function bites(conn: Deno.TcpConn, size: number): Promise<Uint8Array[]> {
  const got: Uint8Array[] = [];
  for (;;) {
    const bite = new Uint8Array(size);
    const count = await within(conn.read(bite), "more of the log");
    if (count === null) return got;
    got.push(bite.subarray(0, count));
    await settle();
  }
}

test("a log that is longer than --max-queue reaches a client that reads", () =>
  withMessages(async ({ peer }) => {
    const client = await peer();
    const sent = `${"x".repeat(99)}\n`.repeat(300);
    await client.send(sent, "quit\n");
    assertEquals((await client.rest()).length, sent.length);
  }, { limits: { queueBytes: 4096 } }));

test("two clients at once get their own logs only", () =>
  withMessages(async ({ join, console }) => {
    const [alice, bob] = [await join("line"), await join("line")];
    for (let i = 0; i < 10; i++) {
      await alice.send(`alice ${i}`);
      await bob.send(`bob ${i}`);
    }
    await bob.send("quit");
    const log = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name} ${i}`);
    assertEquals(await frames(bob), log("bob", 10));
    await alice.send("alice 10", "quit");
    assertEquals(await frames(alice), log("alice", 11));
    assertEquals(new Set(console.events.map(({ from }) => from)).size, 2);
  }));

test("a client that resets in the middle harms nobody", () =>
  withMessages(async ({ port, peer, trace, console }) => {
    const client = await peer();
    await client.send("before\n");
    await sendAndReset(port, bytes("gone\nhalf a mess"), () => console.shows("gone"));
    await trace.until("the end of its session", ({ type }) => type === "close");
    await client.send("behind\nquit\n");
    assertEquals(await client.rest(), "before\nbehind\n");
  }), canReset);

test("invalid UTF-8 and what is too long get one ERROR each, and the session goes on", () =>
  withMessages(async ({ peer, console }) => {
    const client = await peer();
    await client.send("good\n", "bad ", 0xff, "\n", "x".repeat(8192), "\n", "x".repeat(8193), "\nend\nquit\n");
    assertEquals(await client.line(), "ERROR invalid UTF-8 at byte 4");
    assertEquals(await client.line(), "ERROR message too long: more than 8192 bytes");
    assertEquals(await client.rest(), `good\n${"x".repeat(8192)}\nend\n`);
    assertEquals(console.printed.length, 3);
  }));

/** A message of characters of one to four bytes, line ends among them. */
function someText(random: Random): string {
  const length = random.chance(0.2) ? 0 : random.int(1, 30);
  return Array.from({ length }, () => random.pick(["a", "b", " ", "é", "漢", "🙂", "\n", "\r"])).join("");
}

/** A log of some messages, and what it is on the wire. */
function someLog(random: Random): { log: MessageLog; whole: string } {
  const texts = Array.from({ length: random.int(0, 40) }, () => someText(random));
  const log = new MessageLog(1_000_000);
  for (const text of texts) assert(log.add(text));
  const whole = texts.map((text) => text.replaceAll("\n", "\\n").replaceAll("\r", "\\r")).join("\n");
  assertEquals(log.length, encodeText(whole).length);
  return { log, whole };
}

/** The parts of a log, each of which is whole characters of at most `maxPart` bytes. */
function partsOf(log: MessageLog, maxPart: number, keepEnds: boolean): string[] {
  return Array.from(log.take(maxPart, keepEnds), (part) => {
    assert(part.length <= maxPart, `a part of ${part.length} bytes where ${maxPart} are the limit`);
    return decodeText(part);
  });
}

property("with their ends, the parts of a log are the whole, and no character is split", 500, (random) => {
  const { log, whole } = someLog(random);
  const parts = partsOf(log, random.int(4, 200), true);
  assertEquals(parts.join(""), whole);
  assert(parts.every((part) => part !== ""));
  assertEquals(log.length, 0);
});

property("without their ends, parts as long as any message joined by LF are the whole", 500, (random) => {
  const { log, whole } = someLog(random);
  const longest = Math.max(4, ...whole.split("\n").map((line) => encodeText(line).length));
  assertEquals(partsOf(log, random.int(longest, 2 * longest), false).join("\n"), whole);
  assertEquals(log.length, 0);
});

property("where a message is longer than a part, nothing of it is lost and no character is split", 500, (random) => {
  const { log, whole } = someLog(random);
  const parts = partsOf(log, random.int(4, 20), false);
  assertEquals(parts.join("").replaceAll("\n", ""), whole.replaceAll("\n", ""));
});

property("a log keeps what fits, LF included, and nothing else", 200, (random) => {
  const log = new MessageLog(random.int(1, 200));
  const kept: string[] = [];
  for (let i = 0; i < 40; i++) {
    const text = someText(random).replaceAll(/[\r\n]/g, "");
    const fits = encodeText([...kept, text].join("\n")).length <= log.maxBytes;
    assertEquals(log.add(text), fits);
    if (fits) kept.push(text);
  }
  assertEquals(partsOf(log, 10_000, true).join(""), kept.join("\n"));
});
