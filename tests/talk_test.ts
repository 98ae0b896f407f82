// Lockstep chat over sockets, TCP and UDP: netlab's client and server with a person or a script at each end, the second
// caller, partners who leave or vanish, and what UDP loses and doubles. Other people's programs come last.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connectTalk } from "../lib/exercises/talk/client.ts";
import { talk } from "../lib/exercises/talk/mod.ts";
import { serveTalk } from "../lib/exercises/talk/server.ts";
import type { ConnectContext, RunningServer, ServeContext, Transport } from "../lib/exercises/exercise.ts";
import type { Conn } from "../lib/net/conn.ts";
import { connectUdp } from "../lib/net/datagram_peers.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { decodeText } from "../lib/protocol/text.ts";
import {
  canReset,
  ChatClient,
  clientCount,
  connectContext,
  FakeConsole,
  sendAndReset,
  serveContext,
  withListener,
} from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, collect, type Collected, eventually, skipUnless, skipUnlessSignals, test, within } from "./helpers.ts";

const PYTHON = skipUnless("python3");
const WAIT = "ERROR wait for the reply";
const BUSY = "ERROR busy";
const NOT_SENT = "not sent: wait for the reply";
/** Short enough not to be waited for, and long enough for an answer on loopback that is not lost. */
const RESEND = { "resend-after": 50 };

/** Netlab's client. */
interface Caller {
  readonly console: FakeConsole;
  /** Resolves when it has ended, with why that was a failure, if it was. */
  readonly ended: Promise<string | null>;
}

/** A client that is only text, and keeps no turns. */
interface Bare {
  send(text: string): Promise<void>;
  receive(): Promise<string>;
}

/** Runs netlab's client. */
function call(port: number, transport: Transport, console: FakeConsole, changes: Partial<ConnectContext> = {}): Caller {
  const running = connectTalk(connectContext(port, console, { transport, wire: "line", ...changes }));
  const ended = within(running.then(() => null, (error) => error.message), "the end of the client");
  ended.catch(() => {}); // whoever waits for it is told
  return { console, ended };
}

/** A server with somebody at it, and what calls it. */
class Desk {
  readonly server: RunningServer;
  readonly trace: Collected = collect(["open", "close", "note", "warning"]);
  readonly console: FakeConsole;
  readonly transport: Transport;
  readonly #callers: Caller[] = [];
  readonly #open: { close(): void }[] = [];

  constructor(transport: Transport, console: FakeConsole, changes: Partial<ServeContext>) {
    this.transport = transport;
    this.console = console;
    this.server = serveTalk(serveContext(talk, { transport, console, trace: this.trace, ...changes }));
  }

  get port(): number {
    return this.server.address.port;
  }

  /** Netlab's client calls, with a person at it unless there is a script. */
  call(script?: readonly string[], changes: Partial<ConnectContext> = {}): Caller {
    const caller = call(this.port, this.transport, new FakeConsole(script, script === undefined), changes);
    this.#callers.push(caller);
    return caller;
  }

  /** Another program calls. */
  async bare(): Promise<Bare> {
    const client = this.transport === "tcp"
      ? await ChatClient.connect(this.port, "line")
      : new Datagrams(await connectUdp("127.0.0.1", this.port));
    this.#open.push(client);
    return client;
  }

  /** Resolves when there is room for the next. */
  async free(): Promise<void> {
    await eventually("the partner to be forgotten", () => clientCount(this.server) === 0);
  }

  /** Another program calls, is taken, and says this. */
  async taken(text: string): Promise<Bare> {
    await this.free();
    const bare = await this.bare();
    await bare.send(text);
    await this.console.shows(text);
    return bare;
  }

  async close(): Promise<void> {
    for (const client of this.#open) client.close();
    this.server.abort();
    for (const { console } of this.#callers) console.endInput();
    this.console.endInput();
    await Promise.all(this.#callers.map(({ ended }) => ended));
    await within(this.server.finished, "the end of the server");
    assertEquals(this.trace.of("warning"), []);
  }
}

/** Bare datagrams, each a message. */
class Datagrams implements Bare {
  readonly #conn: Conn;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  async send(text: string): Promise<void> {
    await this.#conn.write(bytes(text));
  }

  async receive(): Promise<string> {
    return decodeText((await within(this.#conn.receive!(), "a datagram"))!);
  }

  close(): void {
    this.#conn.close();
  }
}

/** Runs `fn` with a server at which somebody sits, or a script is. */
async function withTalk(
  transport: Transport,
  fn: (desk: Desk) => Promise<void>,
  changes: Partial<ServeContext> & { script?: readonly string[] } = {},
): Promise<void> {
  const { script, ...others } = changes;
  const desk = new Desk(transport, new FakeConsole(script, script === undefined), others);
  try {
    await fn(desk);
  } finally {
    await desk.close();
  }
}

/** What was said at one end, without where it came from. */
const said = ({ events }: FakeConsole) => events.map(({ event, text }) => `${event}: ${text}`);

for (const transport of ["tcp", "udp"] as const) {
  const named = transport.toUpperCase();

  test(`${named}: two people take turns, and each sees what the other typed`, () =>
    withTalk(transport, async (desk) => {
      const caller = desk.call();
      for (let i = 0; i < 5; i++) {
        caller.console.type(`question ${i} é`);
        await desk.console.shows(`question ${i} é`);
        desk.console.type(`answer ${i} 🙂`);
        await caller.console.shows(`answer ${i} 🙂`);
      }
      const [{ remote }] = desk.trace.of("open");
      assertEquals(desk.console.printed, Array.from({ length: 5 }, (_, i) => `${remote}: question ${i} é`));
      assertEquals(caller.console.printed, Array.from({ length: 5 }, (_, i) => `answer ${i} 🙂`));
      assertEquals(desk.console.events[0], { event: "message", from: remote, text: "question 0 é" });
      assertEquals(caller.console.events[0], { event: "message", text: "answer 0 🙂" });
    }));

  test(`${named}: what is typed out of turn is not sent, and said so, at both ends`, () =>
    withTalk(transport, async (desk) => {
      const { console } = desk.call();
      console.type("hello", "are you there?");
      await console.shows(NOT_SENT);
      await desk.console.shows("hello");
      desk.console.type("welcome", "what is it?");
      await desk.console.shows(NOT_SENT);
      await console.shows("welcome");
      console.type("nothing");
      await desk.console.shows("nothing");
      assertEquals([said(desk.console), said(console)], [["message: hello", "message: nothing"], ["message: welcome"]]);
    }));

  test(`${named}: before anybody has called, nothing can be said`, () =>
    withTalk(transport, async (desk) => {
      desk.console.type("hello?", "/bye");
      await desk.console.shows("not sent: nobody is there yet");
      const bare = await desk.bare();
      await bare.send("hello");
      await desk.console.shows("hello");
      desk.console.type("hi");
      assertEquals(await bare.receive(), "hi");
    }));

  test(`${named}: a message out of turn is answered, not shown, and costs nothing else`, () =>
    withTalk(transport, async (desk) => {
      const bare = await desk.bare();
      await bare.send("hello");
      for (let i = 0; i < 3; i++) {
        await bare.send(`out of turn ${i}`);
        assertEquals(await bare.receive(), WAIT);
      }
      desk.console.type("hi");
      assertEquals(await bare.receive(), "hi");
      await bare.send("in turn");
      await desk.console.shows("in turn");
      assertEquals(said(desk.console), ["message: hello", "message: in turn"]);
    }));

  test(`${named}: a message that is too long is no turn: another may be sent at once`, () =>
    withTalk(transport, async (desk) => {
      const { console } = desk.call();
      console.type("x".repeat(8193));
      await console.shows("ERROR message too long");
      console.type("y".repeat(8192));
      await desk.console.shows("y".repeat(8192));
      assertEquals(desk.console.printed.length, 1);
    }));

  test(`${named}: controls and what is no UTF-8 harm neither person`, () =>
    withTalk(transport, async (desk) => {
      const bare = await desk.bare();
      for (const text of ["", " ", "\t"]) await bare.send(text);
      await bare.send("\0\x1b[2J");
      await desk.console.shows("\0");
      desk.console.type("a\0b\x1b");
      assertEquals(await bare.receive(), "a\0b\x1b");
      assertEquals(desk.console.printed.length, 1);
    }));

  test(`${named}: the second caller is told that the server is busy, and may call when the first has left`, () =>
    withTalk(transport, async (desk) => {
      const first = desk.call();
      first.console.type("hello");
      await desk.console.shows("hello");
      const second = desk.call();
      second.console.type("let me in");
      assertStringIncludes(await second.ended ?? "nothing", "ended the con");
      assertEquals(second.console.printed, [BUSY]);
      desk.console.type("we are undisturbed");
      await first.console.shows("we are undisturbed");
      first.console.type("/bye");
      assertEquals(await first.ended, null);
      await desk.console.shows("the conversation is over");
      await desk.taken("me, at last");
      assertEquals(said(desk.console).filter((text) => text.includes("let me in")), []);
    }));

  test(`${named}: /bye at the client ends it well, and tells the person at the server`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call();
      console.type("hello");
      await desk.console.shows("hello");
      console.type(" /bye ", "never sent");
      assertEquals(await ended, null);
      await desk.console.shows("the conversation is over");
      desk.console.type("where are you?");
      await desk.console.shows("not sent: nobody is there yet");
    }));

  test(`${named}: the end of input is as /bye`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call();
      console.type("hello");
      await desk.console.shows("hello");
      console.endInput();
      assertEquals(await ended, null);
      await desk.console.shows("the conversation is over");
    }));

  test(`${named}: /bye at the server ends the client, and the next may call`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call();
      console.type("hello");
      await desk.console.shows("hello");
      desk.console.type("/bye");
      assertStringIncludes(
        await ended ?? "nothing",
        transport === "tcp" ? "ended the connection" : "has ended the con",
      );
      assertEquals(console.printed, transport === "tcp" ? [] : ["ERROR your partner has left"]);
      await desk.console.shows("the conversation is over");
      await desk.taken("I am the next");
    }));

  test(`${named}: a server that shuts down says so`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call();
      console.type("hello");
      await desk.console.shows("hello");
      await desk.server.shutdown(1000);
      assert(await ended !== null);
      assertEquals(console.printed, ["ERROR server is shutting down"]);
    }));

  test(`${named}: the end of input at the server stops it`, () => {
    const stopped = Promise.withResolvers<void>();
    return withTalk(transport, async (desk) => {
      desk.console.endInput();
      await within(stopped.promise, "the server to be stopped");
    }, { stop: stopped.resolve });
  });

  test(`${named}: Tab completes /bye at both ends`, () =>
    withTalk(transport, async (desk) => {
      const { console } = desk.call();
      await console.shows(`${transport === "udp" ? "calling" : "connected to"} 127.0.0.1:${desk.port}`);
      for (const { complete } of [desk.console, console]) {
        assertEquals([complete("/b"), complete("b"), complete("")], [["/bye"], [], []]);
      }
    }));

  test(`${named}: two scripts answer each other in turn`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call(["one", "", "two", "three"]);
      assertEquals(await ended, null);
      assertEquals(said(console), ["message: eins", "message: zwei", "message: drei"]);
      assertEquals(said(desk.console).slice(0, 3), ["message: one", "message: two", "message: three"]);
      assertEquals([...console.notes, ...desk.console.notes].filter((note) => note.startsWith("not sent")), []);
    }, { script: ["eins", "zwei", "", "drei"] }));

  test(`${named}: a server's script goes on with the next caller`, () =>
    withTalk(transport, async (desk) => {
      for (const answer of ["for the first", "for the second"]) {
        const { console, ended } = desk.call(["hello"]);
        assertEquals([await ended, console.printed], [null, [answer]]);
        await desk.free();
      }
    }, { script: ["for the first", "for the second"] }));

  test(`${named}: a script whose partner says nothing ends at --idle`, () =>
    withTalk(transport, async (desk) => {
      const { ended } = desk.call(["hello"], { idleMs: 50 });
      assertStringIncludes(await ended ?? "nothing", "has said nothing for");
      assertEquals(said(desk.console)[0], "message: hello");
    }));

  test(`${named}: a script whose partner does not answer gives up, though nobody has said --idle`, () =>
    withTalk(transport, async (desk) => {
      const { ended } = desk.call(["hello", "more"], { options: { "resend-after": 10 } });
      assertStringIncludes(await ended ?? "nothing", transport === "udp" ? "answered, 4 times" : "answered for 40ms");
      assertEquals(said(desk.console)[0], "message: hello");
    }));

  test(`${named}: with --json everything that both programs print is JSON`, async () => {
    const options = `--json --transport ${transport}`;
    await using server = new Program(`serve talk --host 127.0.0.1 --port 0 ${options}`);
    await server.type("hi", "fine");
    const { port } = JSON.parse(await server.out.line());
    const client = await runProgram(`connect talk 127.0.0.1:${port} ${options}`, { input: "hello\nhow are you\n" });
    assertEquals(client.out, ["hi", "fine"].map((text) => `{"event":"message","text":"${text}"}\n`).join(""));
    assertEquals(client.status, 0);
    server.signal("SIGINT");
    const lines = (await server.result()).out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const shown = lines.filter(({ event }) => event === "message").map(({ text }) => text);
    assertEquals(shown, ["hello", "how are you"]);
  }, skipUnlessSignals());
}

test("over UDP a refusal is not refused: two servers that a forger introduced would never end", () =>
  withTalk("udp", async (desk) => {
    await desk.taken("hello");
    const stranger = await desk.bare();
    await stranger.send(BUSY);
    await stranger.send("hello?\n");
    assertEquals(await stranger.receive(), `${BUSY}\n`); // the answer to the second: the first had no LF
  }));

test("UDP: a datagram that says nothing takes nobody's place, and who has said something keeps it", () =>
  withTalk("udp", async (desk) => {
    const unreadable = await connectUdp("127.0.0.1", desk.port);
    await unreadable.write(bytes(0xff));
    assertStringIncludes(decodeText((await within(unreadable.receive!(), "a refusal"))!), "ERROR invalid UTF-8");
    unreadable.close();
    for (const text of ["", " ", "ERROR", WAIT]) await (await desk.bare()).send(text);
    const partner = await desk.bare();
    await partner.send("hello");
    await desk.console.shows("hello");
    for (const text of ["", "let me in"]) {
      const other = await desk.bare();
      await other.send(text);
      assertEquals(await other.receive(), BUSY);
    }
    desk.console.type("who is there?");
    assertEquals(await partner.receive(), "who is there?");
    assertEquals(clientCount(desk.server), 1);
    assert(!desk.console.notes.includes("the conversation is over"), "nothing had been said in it");
  }));

test("UDP: who was spoken to keeps the place, though it has said nothing", () =>
  withTalk("udp", async (desk) => {
    const partner = await desk.bare();
    await partner.send("");
    await desk.trace.until("the caller", ({ type }) => type === "open");
    desk.console.type("is there anybody?");
    assertEquals(await partner.receive(), "is there anybody?");
    const other = await desk.bare();
    await other.send("yes");
    assertEquals(await other.receive(), BUSY);
    await partner.send("yes, I am");
    await desk.console.shows("yes, I am");
  }));

test("TCP: a script whose partner does not answer is told of both: how it frames, and that a person may need longer", () =>
  withTalk("tcp", async ({ port }) => {
    const context = { transport: "tcp", wire: "line", options: { "resend-after": 10 } } as const;
    const failure = await assertRejects(
      () => connectTalk(connectContext(port, new FakeConsole(["hello"], false), context)),
      NetlabError,
    );
    assertEquals(
      failure.hint,
      "does it frame with line? otherwise try another --wire; a person may need longer: say it with --idle",
    );
  }));

test("TCP: either may begin", () =>
  withTalk("tcp", async (desk) => {
    const { console } = desk.call();
    await desk.trace.until("the caller", ({ type }) => type === "open");
    desk.console.type("good morning");
    await console.shows("good morning");
    console.type("good morning to you");
    await desk.console.shows("good morning to you");
  }));

test("UDP: who calls without a word is a partner, and the server may begin", () =>
  withTalk("udp", async (desk) => {
    const bare = await desk.bare();
    await bare.send("");
    await desk.trace.until("the caller", ({ type }) => type === "open");
    desk.console.type("is there anybody?");
    assertEquals(await bare.receive(), "is there anybody?");
    await bare.send("yes");
    await desk.console.shows("yes");
  }));

test("TCP: a partner who vanishes ends the conversation, and the next may call", () =>
  withTalk("tcp", async (desk) => {
    const vanishing = sendAndReset(desk.port, bytes("hello\n"), 1);
    await desk.console.shows("hello");
    desk.console.type("stay");
    await vanishing;
    await desk.console.shows("the conversation is over");
    assertEquals(desk.trace.of("close").map(({ reason }) => reason), ["reset by peer"]);
    desk.console.type("are you still there?");
    await desk.console.shows("not sent: nobody is there yet");
    await desk.taken("I am the next");
  }), canReset);

test("UDP: a partner who says goodbye is gone at once, and the next may call", () =>
  withTalk("udp", async (desk) => {
    const bare = await desk.bare();
    await bare.send("hello");
    await bare.send("ERROR your partner has left");
    await desk.console.shows("the conversation is over");
    await desk.taken("I am the next");
    assertEquals(said(desk.console), [
      "message: hello",
      "refused: ERROR your partner has left",
      "message: I am the next",
    ]);
  }));

test("UDP: a client that is interrupted, or gives up, says goodbye, and the next may call", () =>
  withTalk("udp", async (desk) => {
    let interrupt = () => {};
    const ways: [changes: Partial<ConnectContext>, failure: string][] = [
      [{ onInterrupt: (leave) => void (interrupt = leave) }, "interrupted"],
      [{ idleMs: 50 }, "has said nothing for 50ms"],
      [{ options: RESEND }, "has not answered, 4 times"],
    ];
    for (const [i, [changes, failure]] of ways.entries()) {
      const { ended, console } = desk.call([`hello ${i}`, "never sent"], changes);
      await desk.console.shows(`hello ${i}`);
      interrupt();
      assertStringIncludes(await ended ?? "nothing", failure);
      assertEquals(console.printed, []);
      await desk.free();
      assertEquals(said(desk.console).slice(-2), [`message: hello ${i}`, "refused: ERROR your partner has left"]);
    }
    await desk.taken("I am the next");
  }));

test("UDP: a client that the other has left says nothing more", () =>
  withTalk("udp", async (desk) => {
    const first = desk.call();
    first.console.type("hello");
    await desk.console.shows("hello");
    desk.console.type("/bye");
    await first.ended;
    await desk.taken("I am the next");
    assertEquals(said(desk.console), ["message: hello", "message: I am the next"]);
  }));

test("UDP: of the same twice one is shown, and what is not the same is out of turn", () =>
  withTalk("udp", async (desk) => {
    const bare = await desk.bare();
    for (const text of ["hello", "hello", "hello", "what now?"]) await bare.send(text);
    assertEquals(await bare.receive(), WAIT);
    desk.console.type("hi");
    assertEquals(await bare.receive(), "hi");
    await bare.send("hello");
    await eventually("it to be shown again", () => desk.console.printed.length === 2);
    assertEquals(said(desk.console), ["message: hello", "message: hello"]);
  }));

/** Runs netlab's client over UDP, with a person at it or a script, against a socket that only does what the test says. */
async function withSilent(
  script: readonly string[] | undefined,
  fn: (caller: Caller, next: () => Promise<string>, answer: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  let from: Deno.Addr;
  const next = async () => {
    const [datagram, sender] = await within(socket.receive(), "a datagram");
    from = sender;
    return decodeText(datagram);
  };
  const console = new FakeConsole(script, script === undefined);
  const caller = call((socket.addr as Deno.NetAddr).port, "udp", console, { options: RESEND });
  try {
    await fn(caller, next, async (text) => void await socket.send(bytes(text), from));
  } finally {
    console.endInput();
    await caller.ended;
    socket.close();
  }
}

test("UDP: after --resend-after without an answer the person is told, and may send again", () =>
  withSilent(undefined, async ({ console }, next, answer) => {
    console.type("hello", "too early");
    await console.shows(NOT_SENT);
    await console.shows("no answer for 0.05 s: something may be lost; you can send again");
    console.type("hello");
    assertEquals([await next(), await next()], ["hello", "hello"]);
    await answer("here I am");
    await console.shows("here I am");
    assertEquals(said(console), ["message: here I am"]);
  }));

test("UDP: the person at the server, too, may send again what was lost", () =>
  withTalk("udp", async (desk) => {
    const bare = await desk.bare();
    await bare.send("hello");
    await desk.console.shows("hello");
    desk.console.type("hi");
    await desk.console.shows("no answer for 0.05 s");
    desk.console.type("hi");
    assertEquals([await bare.receive(), await bare.receive()], ["hi", "hi"]);
    await bare.send("all is well");
    await desk.console.shows("all is well");
  }, { options: RESEND }));

test("UDP: a script sends again what was lost, and goes on when it is answered", () =>
  withSilent(["one", "two"], async ({ console, ended }, next, answer) => {
    for (let i = 0; i < 3; i++) assertEquals(await next(), "one");
    await answer("eins");
    assertEquals(await next(), "two");
    await answer("zwei");
    // What it has already sent again when the answer comes changes nothing.
    assertEquals(await ended, null);
    assertEquals(said(console), ["message: eins", "message: zwei"]);
  }));

test("UDP: a script that is never answered sends four times, and fails", () =>
  withSilent(["hello"], async ({ console, ended }, next) => {
    for (let i = 0; i < 4; i++) assertEquals(await next(), "hello");
    assertStringIncludes(await ended ?? "nothing", "has not answered, 4 times");
    assertEquals(console.printed, []);
  }));

test("UDP: a client refuses what comes out of turn, and does not show it", () =>
  withSilent(undefined, async ({ console }, next, answer) => {
    console.type("hello");
    assertEquals(await next(), "hello");
    await answer("hi");
    await answer("hi");
    await answer("and another");
    assertEquals(await next(), WAIT);
    assertEquals(said(console), ["message: hi"]);
  }));

test("TCP: a client refuses what comes out of turn, and does not show it", () => {
  const refusals: string[] = [];
  return withListener(async (conn) => {
    const server = new ChatClient(conn, "line");
    await server.send("one", "two", "three");
    refusals.push(await server.receive(), await server.receive());
  }, async (port) => {
    const { console, ended } = call(port, "tcp", new FakeConsole(undefined, true));
    assertStringIncludes(await ended ?? "nothing", "ended the connection");
    assertEquals([refusals, said(console)], [[WAIT, WAIT], ["message: one"]]);
  });
});

for (const [transport, wire, bytes, room] of [["tcp", "len2", 100, 99], ["udp", "datagram", 70_000, 65_506]] as const) {
  const why = `not sent: ${bytes} bytes do not fit: ${wire} carries ${room} at most`;

  test(`${transport.toUpperCase()}: for what ${wire} has no room for nobody waits, at either end`, () =>
    withTalk(transport, async (desk) => {
      const { console } = desk.call(undefined, { wire });
      for (const [from, to] of [[console, desk.console], [desk.console, console]]) {
        from.type("x".repeat(bytes));
        await from.shows(why);
        from.type("something shorter");
        await to.shows("something shorter");
      }
    }, { wire }));

  test(`${transport.toUpperCase()}: a script of which a line had no room in ${wire} goes on, and has failed`, () =>
    withTalk(transport, async (desk) => {
      const { console, ended } = desk.call(["x".repeat(bytes), "hello"], { wire });
      assertEquals(await ended, "a line of the script failed");
      assertEquals([console.notes.slice(1), said(console)], [[why], ["message: hi"]]);
    }, { wire, script: ["hi"] }));
}

test("TCP: a refusal for which there is no room is cut short", () =>
  withTalk("tcp", async (desk) => {
    const bare = await ChatClient.connect(desk.port, "len1");
    await bare.send("one", "two");
    assertEquals(await bare.receive(), "ERROR wai");
    bare.close();
  }, { wire: "len1" }));

test("TCP: with --wire raw a script talks to a program that takes a read for a message", () => {
  const heard: string[] = [];
  return withListener(async (conn) => {
    const server = new ChatClient(conn, "raw");
    for (const answer of ["eins", "zwei"]) {
      heard.push(await server.receive());
      await server.send(answer);
    }
    assertEquals(await server.next(), null);
  }, async (port) => {
    const { console, ended } = call(port, "tcp", new FakeConsole(["one", "two"]), { wire: "raw" });
    assertEquals([await ended, heard, said(console)], [null, ["one", "two"], ["message: eins", "message: zwei"]]);
  });
});

for (const [transport, file] of [["tcp", "talk_seed_client.py"], ["udp", "talk_seed_udp.py"]] as const) {
  test(
    `${transport.toUpperCase()}: a Python client of bare send and recv talks to a script`,
    () =>
      withTalk(transport, async ({ port, console }) => {
        const command = ["python3", `tests/peers/${file}`, `${port}`];
        const result = await runProgram([], { command, input: "hello\nwie geht's, Jürgen?\n" });
        assertEquals(result, { status: 0, out: "Server: hi\nServer: très bien\n", err: "" });
        assertEquals(said(console), ["message: hello", "message: wie geht's, Jürgen?"]);
      }, { script: ["hi", "très bien"] }),
    PYTHON,
  );
}

test("UDP: netlab's client talks to a Python server of bare datagrams", async () => {
  await using server = new Program([], { command: ["python3", "tests/peers/talk_seed_udp.py"] });
  await server.type("hi", "fine");
  const { console, ended } = call(Number(await server.out.line()), "udp", new FakeConsole(["hello", "how are you"]));
  assertEquals([await ended, said(console)], [null, ["message: hi", "message: fine"]]);
  assertEquals([await server.out.line(), await server.out.line()], ["Client: hello", "Client: how are you"]);
}, PYTHON);

for (const [transport, options] of [["tcp", ""], ["udp", "-u"]] as const) {
  test(`${transport.toUpperCase()}: somebody at nc talks in turn`, () =>
    withTalk(transport, async (desk) => {
      await using nc = new Program(`${options} 127.0.0.1 ${desk.port}`, { command: ["nc"] });
      for (const [question, answer] of [["hello", "hi"], ["how are you", "fine"]]) {
        await nc.type(question);
        await desk.console.shows(question);
        await nc.type("and?");
        assertEquals(await nc.out.line(), WAIT);
        desk.console.type(answer);
        assertEquals(await nc.out.line(), answer);
      }
      assertEquals(said(desk.console), ["message: hello", "message: how are you"]);
    }), skipUnless("nc"));
}
