// Many peers with many connections and names for them (assignment 3): connecting, naming, listing, sending to one and to all;
// what is refused; what is left when one goes; and other people's programs among them.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ServeContext } from "../lib/exercises/exercise.ts";
import { mesh } from "../lib/exercises/mesh/mod.ts";
import { connectMesh, serveMesh } from "../lib/exercises/mesh/server.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { canReset, clientCount, connectContext, FakeConsole, sendAndReset } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, eventually, type Peer, skipUnless, skipUnlessIpv6, test, within } from "./helpers.ts";
import { portOf, Station, withThree } from "./node_helpers.ts";

const PYTHON = skipUnless("python3");
const SEED = { command: ["python3", "tests/peers/mesh_seed.py"] };

/** A node; its console is a person's: a script would wait for those who do not read. */
class MeshStation extends Station {
  constructor(changes: Partial<ServeContext>) {
    super(mesh, serveMesh, true, changes);
  }

  /** `host:port`, as those see it whom it was called by. */
  get where(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The messages that were shown, with who they are from. */
  get messages(): string[] {
    return this.console.events.filter(({ event }) => event === "message").map(({ from, text }) => `${from}: ${text}`);
  }

  /** What was shown that is no message. */
  get answers(): string[] {
    return this.console.printed.filter((_, i) => this.console.events[i].event !== "message");
  }

  /** Types lines, and returns what they are answered with when all are done. */
  async ask(...lines: string[]): Promise<string[]> {
    const before = this.answers.length;
    this.type(...lines, "fence");
    const isFence = (text: string) => text.startsWith("no such command: fence");
    await eventually(`the answer to ${lines}`, () => this.answers.slice(before).some(isFence));
    return this.answers.slice(before).filter((text) => !isFence(text));
  }

  /** Resolves when it has been shown so many messages, and returns them. */
  async got(count: number): Promise<string[]> {
    await eventually(`${count} messages`, () => this.messages.length >= count);
    return this.messages;
  }
}

type Nodes = (alice: MeshStation, bob: MeshStation, carol: MeshStation) => Promise<void>;

const withNodes = (fn: Nodes, changes: Partial<ServeContext> = {}) => withThree(() => new MeshStation(changes), fn);

/** How a caller is listed. */
const addressOf = (caller: Peer) => `127.0.0.1:${portOf(caller)}`;

/** Runs `fn` with alice, who has called bob and carol and named them so; both call her alice. */
const withStar = (fn: Nodes) =>
  withNodes(async (alice, bob, carol) => {
    assertEquals(await alice.ask(`connect ${bob.where} bob`, `connect ${carol.where} carol`), []);
    for (const other of [bob, carol]) {
      await other.has(1);
      assertEquals(await other.ask("alias 127.0.0.1 alice"), []);
    }
    await fn(alice, bob, carol);
  });

test("a connection may be named in the line that makes it, and goes by that name", () =>
  withNodes(async (alice, bob) => {
    assertEquals(await alice.ask(`connect 127.0.0.1 ${bob.port} bob`, "list"), [`bob  ${bob.where}  we called`]);
    alice.type("send bob hello,   bob ");
    await bob.got(1);
    bob.type("send 127.0.0.1 hi, whoever you are");
    assertEquals(await alice.got(1), ["bob: hi, whoever you are"]);
    assertMatch(bob.messages[0], /^127\.0\.0\.1:\d+: hello, {3}bob $/);
    assertEquals(alice.trace.of("label").map(({ label }) => label), ["bob"]);
  }));

for (const word of ["alias", "set_alias", "SET_ALIAS"]) {
  test(`"${word}" names a connection, or renames it, and the old name is free`, () =>
    withNodes(async (alice, bob, carol) => {
      assertEquals(await alice.ask(`connect ${bob.where}`, `${word} ${bob.where} bob`, `${word} bob robert`), []);
      assertMatch((await alice.ask("send bob hello"))[0], /^nobody is called bob/);
      assertEquals(await alice.ask(`${word} robert robert`, `connect ${carol.where} bob`), []);
      assertEquals(await alice.ask("list"), [
        `robert  ${bob.where}  we called`,
        `bob     ${carol.where}  we called`,
      ]);
    }));
}

for (const word of ["list", "list_connections", "List_Connections"]) {
  test(`"${word}" shows all connections in the order in which they were made, and who called`, () =>
    withNodes(async (alice, bob) => {
      assertEquals(await alice.ask(word), ["nobody is connected"]);
      const address = addressOf(await alice.caller());
      await alice.has(1);
      assertEquals(await alice.ask(`connect ${bob.where} bob`, word), [
        `-    ${address}  called us`,
        `bob  ${bob.where}  we called`,
      ]);
    }));
}

test("many callers from one address are each addressed by host:port", () =>
  withNodes(async (alice) => {
    const callers = await Promise.all(Array.from({ length: 20 }, () => alice.caller()));
    await alice.has(20);
    alice.type(...callers.map(addressOf).map((address) => `send ${address} you are ${address}`));
    for (const caller of callers) assertEquals(await caller.line(), `you are ${addressOf(caller)}`);
    for (const caller of callers) await caller.send(`I am ${addressOf(caller)}\n`);
    const expected = callers.map(addressOf).map((address) => `${address}: I am ${address}`);
    assertEquals(new Set(await alice.got(20)), new Set(expected));
    assertEquals(await alice.ask(...callers.map((caller, i) => `alias ${addressOf(caller)} c${i}`)), []);
    alice.type(...callers.map((_, i) => `send c${i} you are c${i}`));
    for (const [i, caller] of callers.entries()) assertEquals(await caller.line(), `you are c${i}`);
  }));

test("an address that several share is ambiguous, says whom it may mean, and sends to nobody", () =>
  withStar(async (alice, bob, carol) => {
    const address = addressOf(await alice.caller());
    await alice.has(3);
    for (const line of ["send 127.0.0.1 hello", "disconnect 127.0.0.1", "alias 127.0.0.1 home"]) {
      assertEquals(await alice.ask(line), [`127.0.0.1 has 3 connections: say which: bob, carol, ${address}`]);
    }
    assertEquals(await alice.ask(`send ${bob.where} only bob`), []);
    assertEquals([await bob.got(1), carol.messages], [["alice: only bob"], []]);
    assertEquals(clientCount(alice.server), 3);
  }));

test("a host by its name, as it was typed, means the connection, too", () =>
  withNodes(async (alice, bob) => {
    assertEquals(await alice.ask(`connect localhost ${bob.port}`, "send localhost one"), []);
    assertEquals(await alice.ask(`send localhost:${bob.port} two`, `send ${bob.where} three`), []);
    assertEquals((await bob.got(3)).map((text) => text.split(": ")[1]), ["one", "two", "three"]);
  }));

test("over IPv6 an address is written with brackets where a port follows", () =>
  withNodes(async (alice, bob) => {
    assertEquals(await alice.ask(`connect ::1 ${bob.port}`, "send ::1 one", "send [::1] two"), []);
    assertEquals(await alice.ask(`send [::1]:${bob.port} three`), []);
    assertEquals((await bob.got(3)).map((text) => text.split(": ")[1]), ["one", "two", "three"]);
  }, { host: "::1" }), skipUnlessIpv6());

test("a broadcast reaches everybody once, whoever called, and not its sender", () =>
  withStar(async (alice, bob, carol) => {
    const peer = await alice.caller();
    await alice.has(3);
    alice.type("broadcast hello,   all ", "broadcast bye");
    const expected = ["alice: hello,   all ", "alice: bye"];
    assertEquals([await bob.got(2), await carol.got(2)], [expected, expected]);
    assertEquals([await peer.line(), await peer.line()], ["hello,   all ", "bye"]);
    bob.type("broadcast and you");
    assertEquals([await alice.got(1), carol.messages], [["bob: and you"], expected]);
  }));

test("three nodes that all know each other may all speak at once", () =>
  withStar(async (alice, bob, carol) => {
    assertEquals(await bob.ask(`connect ${carol.where} carol`), []);
    await carol.has(2);
    const { remote } = [...carol.trace.of("open")].at(-1)!;
    assertEquals(await carol.ask(`alias ${remote} bob`), []);
    for (const [who, station] of [["alice", alice], ["bob", bob], ["carol", carol]] as const) {
      station.type(...Array.from({ length: 200 }, (_, i) => `broadcast ${who} ${i}`));
    }
    for (const station of [alice, bob, carol]) {
      for (const other of new Set((await station.got(400)).map((text) => text.split(":")[0]))) {
        const heard = station.messages.filter((text) => text.startsWith(`${other}:`));
        assertEquals(heard, Array.from({ length: 200 }, (_, i) => `${other}: ${other} ${i}`));
      }
      assertEquals(station.messages.length, 400);
    }
  }));

test("disconnect ends one connection, and nobody else's", () =>
  withStar(async (alice, bob, carol) => {
    assertEquals(await alice.ask("disconnect bob", "list"), [`carol  ${carol.where}  we called`]);
    await bob.has(0);
    assertMatch((await alice.ask("send bob hello"))[0], /^nobody is called bob/);
    alice.type("broadcast still here");
    assertEquals([await carol.got(1), bob.messages], [["alice: still here"], []]);
    assertEquals(await bob.ask("list"), ["nobody is connected"]);
  }));

for (
  const [typed, said] of [
    ["sned bob hi", /^no such command: sned: connect, send, broadcast, alias, list, disconnect, help, exit$/],
    ["send", /^send <who> <message>$/],
    ["send bob", /^send <who> <message>$/],
    ["send dave hello", /^nobody is called dave: list shows who is connected$/],
    ["send 127.0.0.1:1 hello", /^nobody is called 127\.0\.0\.1:1: /],
    ["broadcast", /^broadcast <message>$/],
    ["alias", /^alias <who> <alias>$/],
    ["alias bob", /^alias <who> <alias>$/],
    ["alias dave david", /^nobody is called dave: /],
    ["alias bob carol", /^alias taken: carol is 127\.0\.0\.1:\d+$/],
    ["alias bob two words", /^invalid alias: use letters, digits, _ - \.$/],
    ["alias bob 127.0.0.1", /^invalid alias: it is an address$/],
    ["alias bob 127.0.0.1:80", /^invalid alias: use letters, digits, _ - \.$/],
    [`alias bob ${"x".repeat(33)}`, /^invalid alias: more than 32 characters$/],
    ["disconnect", /^who\? an alias, an address, or host:port$/],
    ["disconnect dave", /^nobody is called dave: /],
    ["connect 127.0.0.1", /^connect <host> <port> \[alias\]$/],
    ["connect 127.0.0.1 70000 dave", /^not a port: "70000": a port is a number from 1 to 65535$/],
    ["connect 127.0.0.1 4000 dave too", /^connect <host> <port> \[alias\]$/],
    ["connect 127.0.0.1 4000 bob", /^alias taken: bob is 127\.0\.0\.1:\d+$/],
    ["connect 127.0.0.1 4000 a/b", /^invalid alias: use letters, digits, _ - \.$/],
  ] as const
) {
  test(`"${typed}" is answered with what is wrong, and nothing happens`, () =>
    withStar(async (alice, bob, carol) => {
      const [answer, ...more] = await alice.ask(typed);
      assertMatch(answer, said);
      assertEquals(more, []);
      assertEquals(await alice.ask("list"), [`bob    ${bob.where}  we called`, `carol  ${carol.where}  we called`]);
      alice.type("broadcast end");
      assertEquals([await bob.got(1), await carol.got(1)], [["alice: end"], ["alice: end"]]);
    }));
}

test("in the list addresses stand below each other, however wide the characters of the aliases are", () =>
  withStar(async (alice, bob, carol) => {
    assertEquals(await alice.ask("alias bob 山田", "list"), [
      `山田   ${bob.where}  we called`,
      `carol  ${carol.where}  we called`,
    ]);
  }));

test("a broadcast to nobody says so", () =>
  withNodes(async (alice) => assertEquals(await alice.ask("broadcast hello"), ["nobody is connected"])));

test("a call that is refused says so, and takes no alias", () =>
  withNodes(async (alice, bob, carol) => {
    // Nobody listens at a caller's port, and nobody else can take it meanwhile.
    const address = addressOf(await carol.caller());
    const [answer] = await alice.ask(`connect ${address} bob`);
    assert(answer.startsWith(`cannot connect to ${address}: connection refused: `), answer);
    assertEquals(await alice.ask(`connect ${bob.where} bob`, "send bob hello"), []);
    await bob.got(1);
  }));

test("a node may call itself: it hears what it sends there, on the other end of the connection", () =>
  withNodes(async (alice) => {
    assertEquals(await alice.ask(`connect ${alice.where} me`), []);
    await alice.has(2);
    alice.type("send me hello");
    assertMatch((await alice.got(1))[0], /^127\.0\.0\.1:\d+: hello$/);
    assertEquals(await alice.ask("disconnect me"), []);
    await alice.has(0);
  }));

test("an alias is free when its connection ends, and so is its address", () =>
  withStar(async (alice, bob, carol) => {
    bob.type("exit");
    await within(bob.server.finished, "bob's end");
    await alice.has(1);
    assertEquals(await alice.ask("list"), [`carol  ${carol.where}  we called`]);
    assertEquals(await alice.ask("alias carol bob", "send bob you are bob now"), []);
    assertEquals(await carol.got(1), ["alice: you are bob now"]);
    assertEquals(await alice.ask("send 127.0.0.1 and alone"), []);
  }));

test("after disconnect an alias is free at once, even when the other does not hang up", () =>
  withNodes(async (alice, bob) => {
    const address = addressOf(await alice.caller());
    await alice.has(1);
    assertEquals(await alice.ask(`alias ${address} bob`, "disconnect bob", `connect ${bob.where} bob`), []);
    assertEquals(await alice.ask("list"), [`bob  ${bob.where}  we called`]);
  }));

test(
  "a peer that resets is let go with its alias, the log says so, and the others stay",
  () =>
    withStar(async (alice, bob, carol) => {
      const from = await sendAndReset(alice.port, bytes("hello\nhalf a mess"), () => alice.console.shows("hello"));
      const { reason } = await alice.trace.until("its end", ({ type }) => type === "close");
      await alice.has(2);
      assertEquals([reason, alice.messages], ["reset by peer", [`${from}: hello`]]);
      assertMatch((await alice.ask(`send ${from} hello?`))[0], /^nobody is called/);
      assertEquals(await alice.ask("broadcast still here"), []);
      assertEquals([await bob.got(1), await carol.got(1)], [["alice: still here"], ["alice: still here"]]);
    }),
  canReset,
);

test("one that does not read is cut when too much waits for it, and the others get everything", () =>
  withNodes(async (alice, bob) => {
    await alice.caller();
    await alice.has(1);
    assertEquals(await alice.ask(`connect ${bob.where} bob`), []);
    const text = "x".repeat(8000);
    // More than the system's buffers hold, and no faster than bob reads.
    for (let sent = 10; sent <= 4000 && clientCount(alice.server) === 2; sent += 10) {
      alice.type(...Array.from({ length: 10 }, () => `broadcast ${text}`));
      await bob.got(sent);
    }
    await alice.has(1);
    assertMatch(String(alice.trace.of("close")[0].reason), /^too slow: \d+ bytes/);
    alice.type("send bob end");
    await bob.console.shows(": end");
    assertEquals(bob.messages.filter((message) => message.endsWith(text)).length, bob.messages.length - 1);
  }, { limits: { queueBytes: 200_000 } }));

test("no two connections go by the same name, even to one that was called twice", () =>
  withNodes(async (alice, bob) => {
    await alice.ask(`connect ${bob.where}`, `connect ${bob.where}`);
    assertEquals(new Set(alice.console.complete("send ")).size, clientCount(alice.server));
    await bob.caller();
    await bob.has(2);
    assertEquals(bob.trace.of("open").length, 2, "it was called to find that out");
  }));

test("who is connected is not called once more under another name of its host", () =>
  withNodes(async (alice, bob) => {
    const answers = await alice.ask(
      `connect ${bob.where}`,
      `connect localhost ${bob.port} bob`,
      `alias ${bob.where} bob`,
    );
    assertEquals(answers, [`already connected to ${bob.where}: disconnect it first`]);
    await bob.has(1);
    assertEquals(alice.console.complete("send "), ["send bob "]);
  }));

test("Tab completes commands, and behind those that are about somebody, aliases and addresses", () =>
  withStar(async ({ console }, bob) => {
    assertEquals(console.complete("di"), ["disconnect "]);
    assertEquals(console.complete("send "), ["send bob ", "send carol "]);
    assertEquals(console.complete("alias c"), ["alias carol "]);
    assertEquals(console.complete("set_alias b"), ["set_alias bob "]);
    assertEquals(console.complete("disconnect x"), []);
    assertEquals(console.complete("broadcast b"), []);
    assertEquals(console.complete("send bob c"), []);
    assertEquals(bob.console.complete("send a"), ["send alice "]);
    await bob.ask("disconnect alice");
    await eventually("bob to be gone", () => console.complete("send ").length === 1);
  }));

test("what Tab completes to may be entered as it is, with its space at the end", () =>
  withStar(async (alice, bob) => {
    const [line] = alice.console.complete("disconnect b");
    assertEquals(await alice.ask(line, "alias carol caroline "), []);
    await bob.has(0);
    assertEquals(await alice.ask("send caroline hello"), []);
  }));

test("exit delivers what was sent to everybody, hangs up, and leaves nothing behind", () =>
  withStar(async (alice, bob, carol) => {
    alice.type(...Array.from({ length: 1000 }, (_, i) => `broadcast ${i}`), "exit", "broadcast too late");
    await within(alice.server.finished, "alice's end");
    for (const other of [bob, carol]) {
      await other.has(0);
      assertEquals(other.messages, Array.from({ length: 1000 }, (_, i) => `alice: ${i}`));
    }
    assertEquals(clientCount(alice.server), 0);
  }));

test("a node that only calls may call more, and ends with its input", () =>
  withNodes(async (alice, bob) => {
    const script = [
      `alias ${alice.where} alice`,
      `connect ${bob.where} bob`,
      "send alice one",
      "broadcast two",
      "list",
    ];
    const console = new FakeConsole(script);
    await within(connectMesh(connectContext(alice.port, console, { wire: "line" })), "its end");
    assertEquals(console.printed, [`alice  ${alice.where}  we called`, `bob    ${bob.where}  we called`]);
    assertEquals([alice.messages.length, bob.messages.length], [2, 1]);
  }));

test("a node that only calls leaves when it has heard nothing for as long as --idle says", () =>
  withNodes(async (alice) => {
    const running = connectMesh(connectContext(alice.port, new FakeConsole(), { wire: "line", idleMs: 50 }));
    const error = await assertRejects(() => within(running, "its end"), NetlabError);
    assertEquals([error.kind, error.message], ["timeout", `127.0.0.1:${alice.port} has said nothing for 50ms`]);
  }));

test("netlab mesh does what a script says, and with --json everything it prints is an object", () =>
  withNodes(async (alice, bob) => {
    const script = [
      `connect ${alice.where} alice`,
      `connect ${bob.where}`,
      "list",
      "send alice hi",
      "send eve hi",
      "exit",
    ];
    const options = { input: script.map((line) => `${line}\n`).join("") };
    const { status, out } = await runProgram("mesh --host 127.0.0.1 --port 0 --json", options);
    const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(events.filter(({ event }) => event === "connection"), [
      { event: "connection", alias: "alice", remote: alice.where, called: true },
      { event: "connection", alias: null, remote: bob.where, called: true },
    ]);
    // One of its lines could not be done.
    assertEquals([status, events[0].event, events.filter(({ event }) => event === "error").length], [
      1,
      "listening",
      1,
    ]);
    assertEquals([alice.messages.length, bob.messages.length], [1, 0]);
  }));

test(
  "a Python node that frames nothing calls netlab, and is called by it, among others",
  () =>
    withNodes(async (alice, bob) => {
      await using seed = new Program([], SEED);
      const port = await seed.out.line();
      assertEquals(await alice.ask(`connect 127.0.0.1 ${port} seed`, `connect ${bob.where} bob`), []);
      assertEquals(await seed.out.line(), "peer1 connected");
      await seed.type(`connect 127.0.0.1 ${bob.port} bob`);
      assertEquals(await seed.out.line(), "bob connected");
      await seed.type("broadcast hello, all", "send bob only you");
      assertEquals(await alice.got(1), ["seed: hello, all"]);
      // Two sends of one that frames nothing may arrive as one read.
      await eventually("both", () => bob.messages.join("").includes("only you"));
      alice.type("broadcast hi");
      assertEquals(await seed.out.line(), "peer1: 'hi'");
      assert((await bob.got(2)).at(-1)!.endsWith(": hi"));
      await seed.type("exit");
      await alice.has(1);
      assertEquals(await alice.ask("list"), [`bob  ${bob.where}  we called`]);
    }),
  PYTHON,
);
