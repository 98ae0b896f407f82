// Two peers with one connection (assignment 2): what each can do, whoever called; who is sent away; what is left when one goes;
// scripts; and other people's programs at the other end.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ServeContext } from "../lib/exercises/exercise.ts";
import { Node } from "../lib/exercises/node.ts";
import { peer } from "../lib/exercises/peer/mod.ts";
import { FORMS } from "../lib/exercises/peer/protocol.ts";
import { formatAddress } from "../lib/net/conn.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { NO_TRACE } from "../lib/protocol/trace.ts";
import { connectPeer, servePeer } from "../lib/exercises/peer/server.ts";
import { canReset, clientCount, connectContext, FakeConsole, sendAndReset, withListener } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import {
  bytes,
  eventually,
  Peer,
  skipIf,
  skipUnless,
  skipUnlessIpv6,
  skipUnlessSignals,
  test,
  within,
} from "./helpers.ts";
import { portOf, Station, withThree } from "./node_helpers.ts";

const PYTHON = skipUnless("python3");
const NC = skipUnless("nc");
const LOOPBACKS = skipIf(Deno.build.os === "linux" ? null : "only Linux has more than one loopback address");
const SEED = { command: ["python3", "tests/peers/peer_seed.py"] };

/** A peer, and how it is called. */
class PeerStation extends Station {
  constructor(changes: Partial<ServeContext>) {
    super(peer, servePeer, false, changes);
  }

  /** What is typed elsewhere to connect to it. */
  get connect(): string {
    return `connect 127.0.0.1 ${this.port}`;
  }

  /** The texts of the messages that were shown. */
  get texts(): unknown[] {
    return this.console.events.filter(({ event }) => event === "message").map(({ text }) => text);
  }
}

const withPeers = (
  fn: (alice: PeerStation, bob: PeerStation, carol: PeerStation) => Promise<void>,
  changes: Partial<ServeContext> = {},
) => withThree(() => new PeerStation(changes), fn);

/** A port at which nobody listens, and that nobody else can take meanwhile: a caller's. */
const deafPort = async (station: Station) => portOf(await station.caller());

const numbered = (who: string, count: number) => Array.from({ length: count }, (_, i) => `${who} ${i}`);
const sends = (texts: readonly string[]) => texts.map((text) => `send ${text}`);

test("two peers on one machine talk in both directions, whoever called", () =>
  withPeers(async (alice, bob) => {
    alice.type(bob.connect, "send hello, bob", "send   how are you  ");
    await bob.console.shows("how are you");
    bob.type("send grüß dich 🙂");
    await alice.console.shows("grüß dich 🙂");
    assertEquals(bob.texts, ["hello, bob", "how are you  "]);
    assertEquals(alice.console.printed, [`127.0.0.1:${bob.port}: grüß dich 🙂`]);
  }));

test("what is shown says who sent it, on the line and in its event", () =>
  withPeers(async (alice) => {
    const caller = await alice.caller();
    await caller.send("hello\n");
    await alice.console.shows("hello");
    const from = `127.0.0.1:${(caller.conn.localAddr as Deno.NetAddr).port}`;
    assertEquals(alice.console.printed, [`${from}: hello`]);
    assertEquals(alice.console.events, [{ event: "message", from, text: "hello" }]);
  }));

test("five thousand messages each way at once all arrive, in order", () =>
  withPeers(async (alice, bob) => {
    alice.type(bob.connect);
    await bob.has(1);
    alice.type(...sends(numbered("alice", 5000)));
    bob.type(...sends(numbered("bob", 5000)));
    await eventually("all of them", () => alice.texts.length === 5000 && bob.texts.length === 5000);
    assertEquals([alice.texts, bob.texts], [numbered("bob", 5000), numbered("alice", 5000)]);
  }));

test("neither waits for the other: one that has read nothing yet may say all it has", () =>
  withPeers(async (alice) => {
    const caller = await alice.caller();
    await caller.send("I am here\n");
    await alice.console.shows("I am here");
    const texts = numbered("x".repeat(90), 5000);
    alice.type(...sends(texts));
    await caller.send(texts.map((text) => `${text}\n`).join(""));
    await eventually("all of them", () => alice.texts.length === 5001);
    assertEquals(alice.texts.slice(1), texts);
    for (const text of texts) assertEquals(await caller.line(), text);
  }));

test("a peer is called by host and port in any of the usual forms, by commands in any case", () =>
  withPeers(async (alice, { port }) => {
    for (const form of [`127.0.0.1 ${port}`, `127.0.0.1:${port}`, `  127.0.0.1   ${port}  `, `localhost ${port}`]) {
      alice.type(`connect ${form}`, "Send hello", "DISCONNECT");
    }
    alice.type("help");
    await alice.console.shows("hang up and leave");
    await eventually("the last to be closed", () => alice.trace.of("close").length === 4);
    assertEquals([alice.trace.of("open").length, alice.console.printed.length], [4, FORMS.length]);
  }));

test("a second caller is told that the peer is busy, and sent away; the first is not disturbed", () =>
  withPeers(async (alice) => {
    const first = await alice.caller();
    await first.send("I was first\n");
    await alice.console.shows("I was first");
    const second = await alice.caller();
    await second.send("me too\n");
    assertEquals(await second.rest(), "ERROR busy\n");
    alice.type("send and you stay");
    assertEquals(await first.line(), "and you stay");
    assertEquals(alice.texts, ["I was first"]);
  }));

test("a peer that has called somebody is as busy as one that was called", () =>
  withPeers(async (alice, bob, carol) => {
    alice.type(bob.connect);
    await bob.has(1);
    for (const { connect } of [alice, bob]) {
      carol.type(connect);
      await carol.trace.until("the end of it", () => carol.trace.of("close").length === carol.trace.of("open").length);
    }
    await eventually("both refusals", () => carol.texts.length === 2);
    assertEquals(carol.texts, ["ERROR busy", "ERROR busy"]);
    assertEquals([clientCount(alice.server), clientCount(bob.server)], [1, 1]);
  }));

test("who is connected has to disconnect before calling another", () =>
  withPeers(async (alice, bob, carol) => {
    alice.type(bob.connect, carol.connect, "send still you", "disconnect", carol.connect, "send now you");
    await carol.console.shows("now you");
    assertEquals(alice.console.printed, [`already connected to 127.0.0.1:${bob.port}: disconnect first`]);
    assertEquals([bob.texts, carol.texts], [["still you"], ["now you"]]);
    await bob.has(0);
  }));

test("two that call each other at the same moment have one connection, and talk", async () => {
  // Who of them keeps its call depends on the ports.
  for (let round = 0; round < 6; round++) {
    await withPeers(async (alice, bob) => {
      alice.type(bob.connect, "send from alice");
      bob.type(alice.connect, "send from bob");
      await Promise.all([alice.console.shows("from bob"), bob.console.shows("from alice")]);
      assertEquals([clientCount(alice.server), clientCount(bob.server)], [1, 1]);
      const said = [...alice.console.printed, ...bob.console.printed].filter((text) => !text.includes("from"));
      assertMatch(said.join("\n"), /^already connected to 127\.0\.0\.1:\d+: disconnect first$/);
    });
  }
});

/** A peer calls bob, who is only bytes, and is called by him before it has heard of him; whose call stays is for the ports to say. */
async function callsThatCross(station: Station): Promise<{ called: Deno.Conn; calling: Peer; bobsStays: boolean }> {
  using bob = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  station.type(`connect 127.0.0.1 ${(bob.addr as Deno.NetAddr).port}`);
  const called = await bob.accept();
  await station.has(1);
  const calling = await station.caller();
  return { called, calling, bobsStays: formatAddress(calling.conn.localAddr) < formatAddress(called.remoteAddr) };
}

test("of two calls that cross, and both stand when that is found out, that of the smaller address stays", () =>
  withPeers(async (alice) => {
    // Whose address is the smaller depends on the ports, which are others each time.
    for (const seen = new Set<boolean>(); seen.size < 2;) {
      const { called, calling, bobsStays } = await callsThatCross(alice);
      if (bobsStays) {
        await called.write(bytes("ERROR busy\n"));
        called.close();
        const text = `it is me, bob, at ${(calling.conn.localAddr as Deno.NetAddr).port}`;
        await calling.send(`${text}\n`);
        await alice.console.shows(text);
        await calling.conn.closeWrite();
      } else {
        await calling.send("it is me\n");
        assertEquals(await calling.rest(), "ERROR busy\n");
        called.close();
      }
      await alice.has(0);
      seen.add(bobsStays);
    }
  }));

test("of two calls that cross, and both stay, the second is refused a second later", () =>
  withPeers(async (alice) => {
    for (let waited = false; !waited;) {
      const { called, calling, bobsStays } = await callsThatCross(alice);
      waited = bobsStays;
      await calling.send("it is me\n");
      assertEquals(await calling.rest(), "ERROR busy\n");
      // It has waited for that, and waits for nobody any more.
      const another = await alice.caller();
      await another.send("me too\n");
      assertEquals(await another.rest(), "ERROR busy\n");
      called.close();
      await alice.has(0);
    }
  }));

test("who was called may hang up as well, and then both are free", () =>
  withPeers(async (alice, bob, carol) => {
    alice.type(bob.connect, "send hello");
    await bob.console.shows("hello");
    bob.type("disconnect", "send are you there?", carol.connect, "send hello, carol");
    await carol.console.shows("hello, carol");
    assertMatch(bob.console.printed[1], /^not connected: connect <host> <port>/);
    await alice.has(0);
    assertEquals([bob.trace.of("close")[0].reason, alice.trace.of("close")[0].reason], [
      "disconnected",
      "end of stream",
    ]);
  }));

test("after disconnect another may be called at once, even when the first does not hang up", () =>
  withPeers(async (alice, bob) => {
    const mute = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = mute.accept();
    try {
      alice.type(`connect 127.0.0.1 ${(mute.addr as Deno.NetAddr).port}`, "disconnect", bob.connect, "help");
      await alice.console.shows("hang up and leave");
      assertEquals(alice.console.printed.filter((line) => line.startsWith("already connected")), []);
      await bob.has(1);
    } finally {
      (await accepted).close();
      mute.close();
    }
  }));

for (
  const [typed, said] of [
    ["sned hello", "no such command: sned: connect, send, disconnect, help, exit"],
    ["send", "send what? send <message>"],
    ["send   ", "send what? send <message>"],
    ["send hello", "not connected: connect <host> <port>, or wait to be called"],
    ["disconnect", "not connected: connect <host> <port>, or wait to be called"],
    ["connect", "connect <host> <port>"],
    ["connect 127.0.0.1", "connect <host> <port>"],
    ["connect 127.0.0.1 4000 bob", "connect <host> <port>"],
    ["connect 127.0.0.1 65536", `not a port: "65536": a port is a number from 1 to 65535`],
    ["connect 127.0.0.1:", `no port behind "127.0.0.1:": a port is a number from 1 to 65535`],
  ]
) {
  test(`"${typed}" is answered with what is wrong, and nothing happens`, () =>
    withPeers(async ({ console, server, trace }) => {
      console.type(typed, "", "help");
      await console.shows("hang up and leave");
      assertEquals([console.printed[0], console.events[0]], [said, { event: "error", text: said }]);
      assertEquals([console.printed.length, clientCount(server), trace.events], [1 + FORMS.length, 0, []]);
    }));
}

test("a message longer than the limit is not shown, its sender is told, and the next one is shown", () =>
  withPeers(async (alice, bob) => {
    alice.type(bob.connect, `send ${"é".repeat(4097)}`, `send ${"é".repeat(4096)}`);
    await alice.console.shows("8192");
    await eventually("the second", () => bob.texts.length > 0);
    assertEquals(bob.texts, ["é".repeat(4096)]);
  }));

test("a call that is refused says so, and the next one is made", () =>
  withPeers(async (alice, bob, carol) => {
    const port = await deafPort(carol);
    alice.type(`connect 127.0.0.1 ${port}`, bob.connect, "send hello");
    await bob.console.shows("hello");
    assertEquals(alice.console.printed.length, 1);
    assertMatch(alice.console.printed[0], new RegExp(`^cannot connect to 127.0.0.1:${port}: connection refused: `));
  }));

test("who calls itself is told so, is connected to nobody, and can go on", () =>
  withPeers(async (alice, bob) => {
    alice.type(alice.connect);
    await eventually("an answer", () => alice.console.printed.length > 0);
    assertEquals(alice.console.printed[0], `127.0.0.1 ${alice.port} is this peer itself`);
    await alice.has(0);
    alice.type(bob.connect, "send hello");
    await bob.console.shows("hello");
  }));

for (const [host, here] of [["0.0.0.0", "127.0.1.1"], ["::", "127.0.1.1"], ["::", "::ffff:127.0.1.1"]]) {
  test(`who listens everywhere, at ${host}, is itself at ${here}`, () =>
    withPeers(async (alice) => {
      alice.type(`connect ${here} ${alice.port}`);
      await alice.console.shows(`${here} ${alice.port} is this peer itself`);
      await alice.has(0);
    }, { host }), LOOPBACKS.ignore || host === "0.0.0.0" ? LOOPBACKS : skipUnlessIpv6());
}

test("a peer that vanishes is let go, the log says how, and another may call", () =>
  withPeers(async (alice) => {
    await sendAndReset(alice.port, bytes("hello\nhalf a mess"), () => alice.console.shows("hello"));
    assertEquals((await alice.trace.until("its end", ({ type }) => type === "close")).reason, "reset by peer");
    await alice.has(0);
    alice.type("send are you there?");
    await alice.console.shows("not connected");
    const next = await alice.caller();
    await next.send("here I am\n");
    await alice.console.shows("here I am");
    assertEquals(alice.texts, ["hello", "here I am"]);
  }), canReset);

test("a peer that only ends its own direction has hung up", () =>
  withPeers(async (alice) => {
    const caller = await alice.caller();
    await caller.send("bye\nhalf a mess");
    await caller.conn.closeWrite();
    assertEquals(await caller.rest(), "");
    await alice.has(0);
    assertEquals([alice.texts, alice.console.notes.length], [["bye"], 1], "whoever calls may frame as it likes");
    assertEquals(alice.trace.of("close").map(({ reason }) => reason), ["end of stream inside a message"]);
  }));

test("exit delivers what was sent, hangs up, and leaves nothing behind", () =>
  withPeers(async (alice, bob) => {
    const texts = numbered("last words", 3000);
    alice.type(bob.connect, ...sends(texts), "exit", "send too late");
    await within(alice.server.finished, "alice's end");
    await bob.has(0);
    assertEquals([clientCount(alice.server), bob.texts], [0, texts]);
  }));

test("what is typed while the program ends is said not to be sent", () =>
  withPeers(async (alice) => {
    const caller = await alice.caller();
    await alice.has(1);
    void alice.server.shutdown(5000);
    assertEquals(await caller.rest(), "");
    alice.type("send too late", "help");
    await alice.console.shows("hang up and leave");
    assertMatch(alice.console.printed[0], /^not (sent|connected): /);
  }));

test("exit with nobody connected, and while somebody is being sent away, is no more than that", () =>
  withPeers(async (alice, bob) => {
    const first = await bob.caller();
    await first.send("hello\n");
    await bob.console.shows("hello");
    const second = await bob.caller();
    await bob.trace.until("the second caller", () => bob.trace.of("open").length === 2);
    alice.type("exit");
    bob.type("exit");
    await within(Promise.all([alice.server.finished, bob.server.finished]), "their end");
    assertEquals(await first.rest(), "");
    assertMatch(await second.rest(), /^(ERROR [^\n]+\n)?$/);
    await bob.trace.until("both ends", () => bob.trace.of("close").length === 2);
  }));

test("bytes without LF are messages by silence, and are answered without LF", () =>
  withPeers(async (alice) => {
    const caller = await alice.caller();
    await caller.send("hello");
    await alice.console.shows("hello");
    alice.type("send hi");
    assertEquals(await caller.read(2), "hi");
    alice.type("exit");
    assertEquals(await caller.rest(), "");
  }));

test("with --wire len4 a message has a length before it, in both directions", () =>
  withPeers(async (alice, bob) => {
    alice.type(bob.connect, "send grüß dich");
    await bob.console.shows("grüß dich");
    bob.type("disconnect");
    await alice.has(0);
    const caller = await alice.caller();
    await caller.send("0005", "hello");
    await alice.console.shows("hello");
    alice.type("send é");
    assertEquals(await caller.read(6), "0002é");
  }, { wire: "len4" }));

test("a peer that only calls shows what comes, and ends with its input, when all has been delivered", () =>
  withPeers(async (alice) => {
    const console = new FakeConsole();
    const running = connectPeer(connectContext(alice.port, console, { wire: "line", idleMs: 3_600_000 }));
    console.type("send hello");
    await alice.console.shows("hello");
    alice.type("send hi");
    await console.shows("hi");
    console.type(...sends(numbered("message", 1000)));
    console.endInput();
    await within(running, "its end");
    await alice.has(0);
    assertEquals(alice.texts, ["hello", ...numbered("message", 1000)]);
  }));

for (const wire of ["raw", "auto"]) {
  test(`with --wire raw each line of a script is a read of its own, by a peer of --wire ${wire}`, () =>
    withPeers(async (alice) => {
      const texts = numbered("message", 8);
      const console = new FakeConsole(sends(texts));
      await within(connectPeer(connectContext(alice.port, console, { wire: "raw" })), "its end");
      await alice.has(0);
      assertEquals(alice.texts, texts);
    }, { wire }));
}

test("a peer that only calls is told of what cannot be read, and so is who said it", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.send(Uint8Array.of(0xff, 0x0a), "hello\n");
    assertEquals(await peer.line(), "ERROR invalid UTF-8 at byte 0");
  }, async (port) => {
    const console = new FakeConsole();
    const running = connectPeer(connectContext(port, console, { wire: "line" }));
    await console.shows("hello");
    assertEquals(console.notes.at(-1), "unreadable: invalid UTF-8 at byte 0");
    console.endInput();
    await within(running, "its end");
  }));

test("a peer that only calls may hang up and call another", () =>
  withPeers(async (alice, bob) => {
    const console = new FakeConsole(["send one", "disconnect", "send lost", bob.connect, "send two", "exit"]);
    const running = connectPeer(connectContext(alice.port, console, { wire: "line" }));
    const error = await assertRejects(() => within(running, "its end"), NetlabError);
    assertEquals([error.kind, error.message], ["reply", "a line of the script failed"]);
    await alice.has(0);
    await bob.has(0);
    assertEquals([alice.texts, bob.texts], [["one"], ["two"]]);
    assertMatch(console.printed.join("\n"), /^not connected/);
    const [first, second] = [alice, bob].map(({ port }) => `127.0.0.1:${port}`);
    assertEquals(console.notes, [
      `connected to ${first}`,
      "commands: connect, send, disconnect, help, exit",
      `${first} left: disconnected`,
      `connected to ${second}`,
    ], "who leaves is told nothing about it");
  }));

test("a peer that only calls is told when the other has hung up", () =>
  withPeers(async (alice) => {
    const console = new FakeConsole();
    const running = connectPeer(connectContext(alice.port, console, { wire: "line" }));
    console.type("send hello");
    await alice.console.shows("hello");
    alice.type("disconnect");
    await console.shows(`127.0.0.1:${alice.port} left: end of stream`);
    console.endInput();
    await within(running, "its end");
  }));

test("a peer that only calls leaves when it has heard nothing for as long as --idle says", () =>
  withPeers(async (alice) => {
    const console = new FakeConsole();
    const running = connectPeer(connectContext(alice.port, console, { wire: "line", idleMs: 50 }));
    const error = await assertRejects(() => within(running, "its end"), NetlabError);
    assertEquals([error.kind, error.message], ["timeout", `127.0.0.1:${alice.port} has said nothing for 50ms`]);
    await alice.has(0);
    assertEquals(alice.console.printed, []);
  }));

test("a last message without its end is said, with what to do, and a script has failed by it", () =>
  withListener(async (conn) => {
    await conn.read(new Uint8Array(10));
    await conn.write(bytes("hello\nbye"));
  }, async (port) => {
    for (const [interactive, failure] of [[false, "a line of the script failed"], [true, null]] as const) {
      const console = new FakeConsole(undefined, interactive);
      const running = connectPeer(connectContext(port, console, { wire: "line" }));
      console.type("send hi");
      await console.shows(
        `the last message of 127.0.0.1:${port} has no end, and is dropped: does it frame with line? otherwise try another --wire`,
      );
      console.endInput();
      assertEquals(await within(running, "its end").then(() => null, ({ message }) => message), failure);
      assertEquals(console.printed, [`127.0.0.1:${port}: hello`]);
    }
  }));

test("a person who leaves does not wait for whom they have called", async () => {
  for (const leave of ["exit", null]) {
    const console = new FakeConsole(undefined, true);
    const never = Promise.withResolvers<void>();
    const node = new Node({ console, trace: NO_TRACE, transport: "tcp", wire: "line", listen: null, limits: {} });
    const operating = node.operate({ forms: FORMS, label: () => "", run: () => never.promise });
    console.type("connect 127.0.0.1 1");
    if (leave === null) console.endInput();
    else console.type(leave);
    await within(operating, "its end");
    never.resolve();
    await node.shutdown(0);
  }
});

test("netlab peer does what a script says, and leaves at its exit", () =>
  withPeers(async (alice) => {
    const script = [alice.connect, "send hello", "send bye", "disconnect", "exit", "send never"];
    const run = (lines: readonly string[]) =>
      runProgram("peer --host 127.0.0.1 --port 0 --quiet", { input: lines.map((line) => `${line}\n`).join("") });
    const done = await run(script);
    assertEquals([done.status, done.err], [0, ""]);
    assertEquals(alice.texts, ["hello", "bye"]);
    const failed = await run(["connect", ...script]);
    assertEquals([failed.status, failed.err], [1, "netlab: a line of the script failed\n"]);
    assertMatch(failed.out, /^peer listens on 127\.0\.0\.1:\d+ \(tcp\)\nconnect <host> <port>\n$/);
    assertEquals(alice.texts, ["hello", "bye", "hello", "bye"]);
  }));

test("a script whose peer is busy has failed, whoever runs it; a person's dialogue has not", () =>
  withPeers(async (alice, bob) => {
    await alice.caller();
    await alice.has(1);
    const refused = { name: "NetlabError", kind: "reply", message: "an answer was ERROR" };
    const outcome = (running: Promise<void>) =>
      within(running, "its end").then(() => null, ({ name, kind, message }) => ({ name, kind, message }));
    for (const [interactive, expected] of [[false, refused], [true, null]] as const) {
      const console = new FakeConsole(undefined, interactive);
      const running = outcome(connectPeer(connectContext(alice.port, console, { wire: "line" })));
      await console.shows("ERROR busy");
      console.endInput();
      assertEquals(await running, expected);
    }
    bob.type(alice.connect);
    await bob.console.shows("ERROR busy");
    bob.type("exit");
    assertEquals(await outcome(bob.server.finished), refused);
    bob.isOver = true;
  }));

test("a script that has come to its end hears what is refused of it, with and without exit", () =>
  withPeers(async (alice) => {
    await alice.caller();
    await alice.has(1);
    for (const more of ["", "\nexit\nsend never"]) {
      const options = { input: `send hello${more}` };
      const { status, out } = await runProgram(`connect peer 127.0.0.1:${alice.port} --quiet`, options);
      assertEquals([status, out], [1, `127.0.0.1:${alice.port}: ERROR busy\n`]);
      const calling = { input: `connect 127.0.0.1 ${alice.port}\nsend hello\nexit${more}` };
      const called = await runProgram("peer --host 127.0.0.1 --port 0 --quiet", calling);
      assertEquals([called.status, called.out.endsWith(": ERROR busy\n")], [1, true]);
    }
  }));

test("a script that has no exit, and of which a line has failed, has failed when Ctrl-C ends what serves on", () =>
  withPeers(async (alice, bob) => {
    for (const station of [alice, bob]) {
      if (station === bob) station.type("send to nobody");
      station.console.endInput();
      const caller = await station.caller();
      await caller.send("ERROR that answers no line of it\n");
      await station.console.shows("ERROR that answers no line of it");
    }
    const outcome = ({ server }: Station) => {
      void server.shutdown(5000);
      return within(server.finished, "its end").then(() => null, ({ message }) => message);
    };
    alice.isOver = bob.isOver = true;
    assertEquals([await outcome(alice), await outcome(bob)], [null, "a line of the script failed"]);
  }));

test("netlab peer stays after the end of its script, so that others can call, and Ctrl-C ends it", async () => {
  await using program = new Program("peer --host 127.0.0.1 --port 0 --quiet");
  const port = Number((await program.out.line()).match(/:(\d+) /)![1]);
  await program.endInput();
  const caller = await Peer.connect({ hostname: "127.0.0.1", port });
  await caller.send("hello\u001b[2J\n");
  assertMatch(await program.out.line(), /^127\.0\.0\.1:\d+: hello\\x1b\[2J$/);
  program.signal("SIGINT");
  assertEquals(await caller.rest(), "");
  caller.close();
  assertEquals((await program.result()).status, 0);
}, skipUnlessSignals());

test("netlab connect peer runs a script against a peer, and fails where there is none", () =>
  withPeers(async (alice, bob) => {
    const options = { input: "send hello\nsend bye" };
    const done = await runProgram(`connect peer 127.0.0.1:${alice.port} --quiet`, options);
    assertEquals(done, { status: 0, out: "", err: "" });
    assertEquals(alice.texts, ["hello", "bye"]);
    const { status, err } = await runProgram(`connect peer 127.0.0.1 ${await deafPort(bob)}`, options);
    assert(status !== 0);
    assertMatch(err, /connection refused/);
  }));

test("with --json every line of netlab peer is an object: where it listens, who comes, what is said, what fails", async () => {
  await using program = new Program("peer --host 127.0.0.1 --port 0 --json");
  const { port } = JSON.parse(await program.out.line());
  const caller = await Peer.connect({ hostname: "127.0.0.1", port });
  await caller.send("hello\n");
  const from = await program.out.until(/"event":"message","from":"([^"]+)"/);
  await program.type("nonsense", "exit");
  assertEquals(await caller.rest(), "");
  caller.close();
  const { status, out } = await program.result();
  const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([status, events.map(({ event }) => event)], [1, [
    "listening",
    "open",
    "note",
    "message",
    "error",
    "close",
  ]]);
  assertEquals(events[3], { event: "message", from, text: "hello" });
});

test("a Python peer that frames nothing calls netlab, and they talk", () =>
  withPeers(async (alice) => {
    await using seed = new Program([], SEED);
    await seed.out.line();
    await seed.type(alice.connect);
    assertEquals(await seed.out.line(), "connected");
    await seed.type("send grüß dich");
    await alice.console.shows("grüß dich");
    alice.type("send hi, seed");
    assertEquals(await seed.out.line(), "peer: 'hi, seed'");
    await seed.type("send bye", "exit");
    await alice.has(0);
    assertEquals(alice.texts, ["grüß dich", "bye"]);
  }), PYTHON);

test(
  "netlab calls a Python peer that frames nothing; as soon as that has spoken, no LF is sent",
  () =>
    withPeers(async (alice) => {
      await using seed = new Program([], SEED);
      alice.type(`connect 127.0.0.1 ${await seed.out.line()}`, "send hello");
      assertEquals([await seed.out.line(), await seed.out.line()], ["connected", String.raw`peer: 'hello\n'`]);
      await seed.type("send hi");
      await alice.console.shows("hi");
      alice.type("send how are you");
      assertEquals(await seed.out.line(), "peer: 'how are you'");
      alice.type("disconnect");
      assertEquals(await seed.out.line(), "disconnected");
    }),
  PYTHON,
);

test("with --wire raw a Python peer that is called never sees an LF", () =>
  withPeers(async (alice) => {
    await using seed = new Program([], SEED);
    alice.type(`connect 127.0.0.1 ${await seed.out.line()}`, "send hello");
    assertEquals([await seed.out.line(), await seed.out.line()], ["connected", "peer: 'hello'"]);
    alice.type("exit");
    assertEquals(await seed.out.line(), "disconnected");
  }, { wire: "raw" }), PYTHON);

test("nc calls netlab, and they talk", () =>
  withPeers(async (alice) => {
    await using nc = new Program(["127.0.0.1", `${alice.port}`], { command: ["nc"] });
    await nc.type("hello from nc");
    await alice.console.shows("hello from nc");
    alice.type("send hello, nc", "send bye");
    assertEquals([await nc.out.line(), await nc.out.line()], ["hello, nc", "bye"]);
    alice.type("disconnect");
    await nc.endInput();
    assertEquals((await nc.result()).status, 0);
  }), NC);

test("netlab calls nc, and they talk", () =>
  withPeers(async (alice) => {
    await using nc = new Program(["-v", "-l", "127.0.0.1", "0"], { command: ["nc"] });
    alice.type(`connect 127.0.0.1 ${await nc.err.until(/Listening on \S+ (\d+)\n/)}`, "send hello, nc");
    assertEquals(await nc.out.line(), "hello, nc");
    await nc.type("hello from nc");
    await alice.console.shows("hello from nc");
    nc.signal("SIGTERM");
    await alice.has(0);
  }), NC);
