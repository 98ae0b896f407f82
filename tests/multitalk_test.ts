// One operator and many clients: labels, what is sent to whom, what the operator may do wrong, relaying, and clients that
// vanish or do not read. Other people's clients and scripts come last.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connectMultitalk } from "../lib/exercises/multitalk/client.ts";
import { multitalk } from "../lib/exercises/multitalk/mod.ts";
import { serveMultitalk } from "../lib/exercises/multitalk/server.ts";
import type { RunningServer, ServeContext } from "../lib/exercises/exercise.ts";
import {
  canReset,
  ChatClient,
  clientCount,
  connectContext,
  FakeConsole,
  sendAndReset,
  serveContext,
} from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, collect, type Collected, eventually, skipUnless, skipUnlessSignals, test, within } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** A server, its operator, and who is connected. */
class Desk {
  readonly console: FakeConsole;
  readonly trace: Collected = collect(["open", "close", "label", "warning"]);
  readonly server: RunningServer;
  readonly #clients: ChatClient[] = [];

  /** @param script whether the operator is no person: what is typed comes from a pipe */
  constructor(changes: Partial<ServeContext>, script: boolean) {
    this.console = new FakeConsole(undefined, !script);
    this.server = serveMultitalk(serveContext(multitalk, { console: this.console, trace: this.trace, ...changes }));
  }

  get port(): number {
    return this.server.address.port;
  }

  /** So many clients, one after the other: c1, c2, … */
  async join(count: number, wire = "line"): Promise<ChatClient[]> {
    const joined: ChatClient[] = [];
    for (let i = 0; i < count; i++) {
      const before = this.trace.of("label").length;
      joined.push(await ChatClient.connect(this.port, wire));
      await this.trace.until("its label", () => this.trace.of("label").length > before);
    }
    this.#clients.push(...joined);
    return joined;
  }

  /** Types lines, and returns what is printed up to the answer to one that is wrong. */
  async typed(...lines: string[]): Promise<string[]> {
    const before = this.console.printed.length;
    this.console.type(...lines, "?fence?");
    const fence = "to whom? @label message, @all message, or help";
    await eventually("the answer", () => this.console.printed.length > before && this.console.printed.at(-1) === fence);
    return this.console.printed.slice(before, -1);
  }

  /** Asserts that exactly these messages reach a client, and then the next one to all. */
  async expect(client: ChatClient, ...expected: string[]): Promise<void> {
    this.console.type("@all fence");
    for (const text of [...expected, "fence"]) assertEquals(await client.receive(), text);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.server.abort();
    this.console.endInput();
    await within(this.server.finished, "the end of the server");
  }
}

async function withDesk(
  fn: (desk: Desk) => Promise<void>,
  { script = false, ...changes }: Partial<ServeContext> & { script?: boolean } = {},
): Promise<void> {
  const desk = new Desk(changes, script);
  try {
    await fn(desk);
    assertEquals(desk.trace.of("warning"), []);
  } finally {
    await desk.close();
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test("what clients write is printed under their labels, which they have in the order in which they came", () =>
  withDesk(async (desk) => {
    const clients = await desk.join(3);
    for (const i of [1, 0, 2, 1]) {
      await clients[i].send(`I am ${i} é`);
      await eventually("it", () => desk.console.printed.at(-1) === `c${i + 1}: I am ${i} é`);
    }
    assertEquals(desk.console.printed.length, 4);
    assertEquals(desk.console.events[0], { event: "message", from: "c2", text: "I am 1 é" });
    assertEquals(desk.trace.of("label").map(({ label }) => label), ["c1", "c2", "c3"]);
  }));

test("@label reaches that client and nobody else, @all everybody", () =>
  withDesk(async (desk) => {
    const clients = await desk.join(3);
    desk.console.type(
      "@c1 first",
      "@c2: to the second",
      "  @c3, with  spaces ",
      "@all everybody",
      "@ALL @c1 is a text",
    );
    const expected = ["first", "to the second", "with  spaces"];
    for (const [i, client] of clients.entries()) {
      await desk.expect(client, expected[i], "everybody", "@c1 is a text", ...numbers(i).map(() => "fence"));
    }
    assertEquals(desk.console.printed, []);
  }));

test("nobody waits for anybody: a client sends much without an answer, and so does the operator", () =>
  withDesk(async (desk) => {
    const [client] = await desk.join(1);
    desk.console.type(...numbers(100).map((i) => `@c1 down ${i}`));
    await client.send(...numbers(100).map((i) => `up ${i}`));
    await eventually("all", () => desk.console.printed.length === 100);
    assertEquals(desk.console.printed, numbers(100).map((i) => `c1: up ${i}`));
    await desk.expect(client, ...numbers(100).map((i) => `down ${i}`));
  }));

test("list shows who is connected, and where from", () =>
  withDesk(async (desk) => {
    assertEquals(await desk.typed("list"), ["nobody is connected"]);
    const clients = await desk.join(2);
    const from = clients.map(({ conn }) => `127.0.0.1:${(conn.localAddr as Deno.NetAddr).port}`);
    assertEquals(await desk.typed("list"), [`c1  ${from[0]}`, `c2  ${from[1]}`]);
    const [first] = desk.console.events.filter(({ event }) => event === "client");
    assertEquals(first, { event: "client", label: "c1", remote: from[0] });
    clients[0].close();
    await eventually("it to be forgotten", () => clientCount(desk.server) === 1);
    assertEquals(await desk.typed("list"), [`c2  ${from[1]}`]);
  }));

test("a client that is given another label is called that, and its place in the list stays", () =>
  withDesk(async (desk) => {
    const [alice] = await desk.join(2);
    assertEquals(await desk.typed("label c1 älice"), []);
    await alice.send("it is me");
    await desk.console.shows("älice: it is me");
    await desk.typed("@älice welcome", "label @älice alice");
    await desk.expect(alice, "welcome");
    assertEquals((await desk.typed("list")).map((line) => line.split(" ")[0]), ["alice", "c2"]);
    assertEquals(await desk.typed("@c1 who?"), ["nobody is called c1: list shows who is connected"]);
    assertEquals(desk.trace.of("label").map(({ label }) => label), ["c1", "c2", "älice", "alice"]);
  }));

test("a label that a client has already is given to it once more", () =>
  withDesk(async (desk) => {
    await desk.join(1);
    assertEquals(await desk.typed("label c1 c1"), []);
    assertEquals((await desk.typed("list")).map((line) => line.split(" ")[0]), ["c1"]);
  }));

test("in the list addresses stand below each other, however wide the characters of the labels are", () =>
  withDesk(async (desk) => {
    const from = (await desk.join(2)).map(({ conn }) => `127.0.0.1:${(conn.localAddr as Deno.NetAddr).port}`);
    await desk.typed("label c1 山田");
    assertEquals(await desk.typed("list"), [`山田  ${from[0]}`, `c2    ${from[1]}`]);
  }));

test("a label that a client was given is not given to the next by itself", () =>
  withDesk(async (desk) => {
    await desk.join(1);
    await desk.typed("label c1 c2");
    await desk.join(2);
    assertEquals((await desk.typed("list")).map((line) => line.split(" ")[0]), ["c2", "c3", "c4"]);
  }));

test("labels that cannot be are refused", () =>
  withDesk(async (desk) => {
    const clients = await desk.join(2);
    for (
      const [line, why] of [
        ["label", "label <old> <new>"],
        ["label c1", "label <old> <new>"],
        ["label c1 c2", "label taken: c2"],
        ["label c9 alice", "nobody is called c9: list shows who is connected"],
        ["label c1 all", "invalid label: all is reserved"],
        ["label c1 ALL", "invalid label: all is reserved"],
        ["label c1 two words", "invalid label: use letters, digits, _ - ."],
        [`label c1 ${"x".repeat(33)}`, "invalid label: more than 32 characters"],
      ]
    ) assertEquals(await desk.typed(line), [why], line);
    await desk.expect(clients[0]);
    assertEquals((await desk.typed("list")).map((line) => line.split(" ")[0]), ["c1", "c2"]);
  }));

test("what the operator types wrong is told, and goes to nobody", () =>
  withDesk(async (desk) => {
    assertEquals(await desk.typed("@all hello"), ["nobody is connected"]);
    const [client] = await desk.join(1);
    for (
      const [line, why] of [
        ["hello", "to whom? @label message, @all message, or help"],
        ["@", "say what? @label message"],
        ["@ hello", "nobody is called that: list shows who is connected"],
        ["@c1", "say what? @c1 message"],
        ["@all", "say what? @all message"],
        ["@c2 hello", "nobody is called c2: list shows who is connected"],
        ["kick", "nobody is called that: list shows who is connected"],
        ["kick c2", "nobody is called c2: list shows who is connected"],
      ]
    ) assertEquals(await desk.typed(line), [why], line);
    assertEquals(desk.console.events.at(-2)?.event, "error");
    assertEquals(await desk.typed("", "  "), []);
    await desk.expect(client);
  }));

test("who is kicked is told so and gone, and the others stay", () =>
  withDesk(async (desk) => {
    const [alice, bob, carol] = await desk.join(3);
    desk.console.type("kick c2", "KICK @c3");
    for (const client of [bob, carol]) {
      assertEquals(await client.receive(), "ERROR kicked by the operator");
      await client.ended();
      client.close();
    }
    await desk.trace.until("their ends", () => desk.trace.of("close").length === 2);
    await desk.expect(alice);
    assertEquals(desk.trace.of("close").map(({ reason }) => reason), ["kicked", "kicked"]);
  }));

test("who is kicked is off the list at once, and the operator does not wait until the client hangs up, too", () =>
  withDesk(async (desk) => {
    const [alice, bob] = await desk.join(2);
    desk.console.type("kick c2");
    assertEquals(await bob.receive(), "ERROR kicked by the operator");
    await desk.expect(alice);
    assertEquals(desk.trace.of("close"), []);
    assertEquals((await desk.typed("list")).map((line) => line.split(" ")[0]), ["c1"]);
  }));

test("help shows every command, and exit ends the server", () => {
  const stopped = Promise.withResolvers<void>();
  return withDesk(async (desk) => {
    const help = (await desk.typed("help")).join("\n");
    for (const form of ["@label <message>", "@all <message>", "list", "label <old> <new>", "kick <label>", "exit"]) {
      assertStringIncludes(help, `  ${form} `);
    }
    desk.console.type("exit");
    await within(stopped.promise, "the server to be stopped");
  }, { stop: stopped.resolve });
});

test("what is typed while the server ends is said not to be sent", () =>
  withDesk(async (desk) => {
    const [client] = await desk.join(1);
    void desk.server.shutdown(5000);
    assertEquals(await client.receive(), "ERROR server is shutting down");
    await client.ended();
    const [answer] = await desk.typed("@c1 too late");
    assert(/^(not sent to c1|nobody is called c1:)/.test(answer), answer);
  }));

test("Tab completes commands and labels", () =>
  withDesk(async (desk) => {
    await desk.join(2);
    await desk.typed("label c1 alice");
    const { complete } = desk.console;
    assertEquals(complete("@"), ["@alice ", "@c2 ", "@all "]);
    assertEquals([complete("@al"), complete("@x"), complete("@c2 h")], [["@alice ", "@all "], [], []]);
    assertEquals([complete("k"), complete("kick "), complete("kick c")], [["kick "], ["kick alice ", "kick c2 "], [
      "kick c2 ",
    ]]);
    assertEquals([complete("label a"), complete("label alice b"), complete("list ")], [["label alice "], [], []]);
  }));

test("without --relay clients do not hear each other", () =>
  withDesk(async (desk) => {
    const [alice, bob] = await desk.join(2);
    await alice.send("hello");
    await desk.console.shows("c1: hello");
    await desk.expect(bob);
  }));

for (const [relay, label] of [["labelled", "älice: "], ["bare", ""]]) {
  test(`with --relay=${relay} the others hear what a client writes, and it does not hear itself`, () =>
    withDesk(async (desk) => {
      const [alice, bob, carol] = await desk.join(3);
      await desk.typed("label c1 älice");
      await alice.send("hello", "a\x1b[2Jb");
      for (const client of [bob, carol]) {
        assertEquals([await client.receive(), await client.receive()], [`${label}hello`, `${label}a\\x1b[2Jb`]);
      }
      await desk.expect(alice);
      await desk.console.shows("älice: hello");
    }, { options: { relay } }));
}

test("a message of the full length is relayed to netlab's client, label and escapes included", () =>
  withDesk(async (desk) => {
    const [alice] = await desk.join(1);
    const console = new FakeConsole();
    const running = connectMultitalk(connectContext(desk.port, console, { wire: "line" }));
    await desk.trace.until("its label", ({ label }) => label === "c2");
    await alice.send("\x01".repeat(8192));
    await eventually("it", () => console.printed.length === 1);
    assertEquals(console.printed, [`c1: ${"\\x01".repeat(8192)}`]);
    console.endInput();
    await within(running, "the client's end");
  }, { options: { relay: "labelled" } }));

test("of fifty clients that send fifty lines each every line is printed, labelled right, in order", () =>
  withDesk(async (desk) => {
    const clients = await desk.join(50);
    await Promise.all(clients.map(async (client, i) => {
      for (const j of numbers(50)) await client.send(`client ${i + 1} line ${j}`);
    }));
    await eventually("all lines", () => desk.console.printed.length === 2500);
    for (const i of numbers(50)) {
      const own = desk.console.printed.filter((line) => line.startsWith(`c${i + 1}: `));
      assertEquals(own, numbers(50).map((j) => `c${i + 1}: client ${i + 1} line ${j}`));
    }
  }));

test("a client that vanishes takes nothing with it but its label", () =>
  withDesk(async (desk) => {
    const [alice] = await desk.join(1);
    const vanishing = sendAndReset(desk.port, bytes("gone\nhalf a li"), 1);
    await desk.console.shows("c2: gone");
    desk.console.type("@c2 stay");
    await vanishing;
    await desk.trace.until("its end", ({ type }) => type === "close");
    await eventually("it to be forgotten", () => clientCount(desk.server) === 1);
    assertEquals(await desk.typed("@c2 are you there?"), ["nobody is called c2: list shows who is connected"]);
    await alice.send("I am here");
    await desk.console.shows("c1: I am here");
    await desk.expect(alice);
    assertEquals(desk.trace.of("close").map(({ reason }) => reason), ["reset by peer"]);
  }), canReset);

test("a client that never reads does not stop the others, and is cut when too much waits for it", () =>
  withDesk(async (desk) => {
    const [, reader] = await desk.join(2);
    const text = "x".repeat(8000);
    for (let i = 0; desk.trace.of("close").length === 0; i++) {
      assert(i < 20_000, "its queue has no end");
      desk.console.type(`@all ${i} ${text}`);
      assertEquals(await reader.receive(), `${i} ${text}`);
    }
    assertStringIncludes(String(desk.trace.of("close")[0].reason), "too slow");
    await reader.send("I read");
    await desk.console.shows("c2: I read");
  }));

test("with --relay a client that never reads does not stop the others, either", () =>
  withDesk(async (desk) => {
    const [, writer, reader] = await desk.join(3);
    const text = "x".repeat(8000);
    for (let i = 0; desk.trace.of("close").length === 0; i++) {
      assert(i < 20_000, "its queue has no end");
      await writer.send(`${i} ${text}`);
      assertEquals(await reader.receive(), `c2: ${i} ${text}`);
    }
    await desk.expect(writer);
  }, { options: { relay: "labelled" }, limits: { queueBytes: 200_000 } }));

test("a script of the operator's may be longer than a client's queue, if the client reads", () =>
  withDesk(async (desk) => {
    const [client] = await desk.join(1);
    const sent = numbers(1000).map((i) => `${i} ${"x".repeat(1000)}`);
    desk.console.type(...sent.map((text) => `@c1 ${text}`));
    for (const text of sent) assertEquals(await client.receive(), text);
  }, { limits: { queueBytes: 65_536 }, script: true }));

test("with --wire raw each line of the operator's script is a read of its own", () =>
  withDesk(async (desk) => {
    const [client] = await desk.join(1, "raw");
    const sent = numbers(8).map((i) => `message ${i}`);
    desk.console.type(...sent.map((text) => `@c1 ${text}`));
    for (const text of sent) assertEquals(await client.receive(), text);
  }, { wire: "raw", script: true }));

test("netlab's client sends a script, shows what comes, and ends well", () =>
  withDesk(async (desk) => {
    const console = new FakeConsole();
    const running = connectMultitalk(connectContext(desk.port, console, { wire: "line" }));
    console.type("hello", "", "nobody waits");
    await desk.console.shows("c1: nobody waits");
    desk.console.type("@c1 welcome");
    await console.shows("welcome");
    assertEquals(console.events, [{ event: "message", text: "welcome" }]);
    console.endInput();
    await within(running, "the client's end");
    assertEquals(desk.console.printed, ["c1: hello", "c1: ", "c1: nobody waits"]);
  }));

test("a Python client of bare send and recv is printed, and is answered without LF", () =>
  withDesk(async (desk) => {
    await using client = new Program([`${desk.port}`], {
      command: ["python3", "tests/peers/multitalk_seed_client.py"],
    });
    for (const [question, answer] of [["hello", "welcome"], ["is this Jürgen?", "no"]]) {
      await client.type(question);
      await desk.console.shows(`c1: ${question}`);
      desk.console.type(`@c1 ${answer}`);
      assertEquals(await client.out.line(), `Received: ${answer}`);
    }
    await client.endInput();
    const { status, err } = await client.result();
    assertEquals([status, err, desk.console.printed.length], [0, "", 2]);
  }), PYTHON);

test("somebody at nc is printed and answered", () =>
  withDesk(async (desk) => {
    await using nc = new Program(`127.0.0.1 ${desk.port}`, { command: ["nc"] });
    await nc.type("hello", "again");
    await desk.console.shows("c1: again");
    desk.console.type("@c1 welcome");
    assertEquals([await nc.out.line(), desk.console.printed], ["welcome", ["c1: hello", "c1: again"]]);
  }), skipUnless("nc"));

test("an operator may be a pipe: what is typed there is done, and its end is not the server's", async () => {
  await using server = new Program("serve multitalk --host 127.0.0.1 --port 0 --json");
  const { port } = JSON.parse(await server.out.line());
  const client = await ChatClient.connect(port, "line");
  try {
    await client.send("hello");
    await server.out.until(/\{"event":"message","from":"c1","text":"hello"\}\n/);
    await server.type("label c1 alice", "@alice welcome");
    assertEquals(await client.receive(), "welcome");
    await server.endInput();
    await client.send("are you there?");
    await server.out.until(/\{"event":"message","from":"alice","text":"are you there\?"\}\n/);
  } finally {
    client.close();
  }
  server.signal("SIGINT");
  const { status, out } = await server.result();
  for (const line of out.trimEnd().split("\n")) JSON.parse(line);
  assertEquals(status, 0);
}, skipUnlessSignals());

test("exit in an operator's script ends the server well", async () => {
  const options = { input: "list\n@c1 nobody\nexit\nlist\n" };
  const { status, out } = await runProgram("serve multitalk --host 127.0.0.1 --port 0 --quiet", options);
  const lines = out.trimEnd().split("\n").slice(1);
  assertEquals([status, lines], [0, [
    "nobody is connected",
    "nobody is called c1: list shows who is connected",
  ]]);
});
