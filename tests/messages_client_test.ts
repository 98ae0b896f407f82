// One-way messages, at the client and with other people's programs: a Python client and server that frame with nothing but
// time, and nc.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import net from "node:net";
import { connectMessages } from "../lib/exercises/messages/client.ts";
import { messages } from "../lib/exercises/messages/mod.ts";
import { serveMessages } from "../lib/exercises/messages/server.ts";
import type { ServeContext } from "../lib/exercises/exercise.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import {
  canReset,
  ChatClient,
  connectContext,
  endOfScript,
  FakeConsole,
  type Resettable,
  serveContext,
  serving,
  withListener,
} from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, skipUnless, test, within } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** Runs `fn` with a server of netlab's. */
function withServer(
  fn: (port: number, console: FakeConsole) => Promise<void>,
  changes: Partial<ServeContext> = {},
): Promise<void> {
  const console = new FakeConsole([]);
  return serving(serveMessages(serveContext(messages, { console, ...changes })), (port) => fn(port, console));
}

/** Runs the client with a script, to its end. */
async function runScript(port: number, script: readonly string[], wire = "line", refusals = 0): Promise<FakeConsole> {
  const console = new FakeConsole(script);
  await endOfScript(connectMessages(connectContext(port, console, { wire })), refusals);
  return console;
}

/** A server that a test plays. */
const withPlayed = (play: (client: ChatClient) => Promise<void>, fn: (port: number) => Promise<void>, wire = "line") =>
  withListener((conn) => play(new ChatClient(conn, wire)), fn);

const logged = (text: string) => ({ event: "logged", text });

for (const [wire, served] of [["line", "auto"], ["len2", "len2"], ["len4", "len4"], ["raw", "auto"], ["raw", "raw"]]) {
  test(`a script with --wire ${wire} prints its log, from a server with --wire ${served}`, () =>
    withServer(async (port, server) => {
      const script = ["hello", "how are you", "", "  ", "grüß dich", "QUIT", "no"];
      const { printed, events, notes } = await runScript(port, script, wire);
      // Without framing, an empty message is nothing.
      const texts = script.slice(0, 5).filter((text) => wire !== "raw" || text !== "");
      const unsent = "not sent: an empty message is no bytes at all with --wire raw";
      assertEquals(notes.slice(1), wire === "raw" ? [unsent] : []);
      assertEquals(printed, texts);
      assertEquals(events, texts.map(logged));
      assertEquals(server.events.map(({ text }) => text), texts);
    }, { wire: served }));
}

test("a script of empty lines is a log of them, and a person who presses Enter says nothing", () =>
  withServer(async (port) => {
    assertEquals((await runScript(port, ["", ""])).printed, ["", ""]);
    const person = new FakeConsole(["", "hello", " ", "quit"], true);
    await within(connectMessages(connectContext(port, person, { wire: "line" })), "the client's end");
    assertEquals(person.printed, ["hello"]);
  }));

test("a script without quit ends with one, and prints its log", () =>
  withServer(async (port) => {
    assertEquals((await runScript(port, ["hello", "bye"])).printed, ["hello", "bye"]);
    assertEquals((await runScript(port, [])).printed, []);
  }));

for (const wire of ["line", "len2", "len4"]) {
  test(`a log of ten thousand messages is printed with --wire ${wire}`, () =>
    withServer(async (port) => {
      const script = Array.from({ length: 10_000 }, (_, i) => `message ${i} é`);
      assertEquals((await runScript(port, script, wire)).printed, script);
    }, { wire }));
}

test("a message that looks like a refusal is none when the log repeats it", () =>
  withServer(async (port) => {
    assertEquals((await runScript(port, ["ERROR is my first word", "ERROR"])).printed, [
      "ERROR is my first word",
      "ERROR",
    ]);
  }));

test("a refusal is shown when it comes, and the log behind it", () =>
  withServer(async (port) => {
    const { printed, events } = await runScript(port, ["four", "too long for this", "five5"], "line", 1);
    const refusal = "ERROR log full: 10 bytes are kept, this message is not; say quit to get them";
    assertEquals(printed, [refusal, "four", "five5"]);
    assertEquals(events, [{ event: "reply", text: refusal }, logged("four"), logged("five5")]);
  }, { options: { "max-log": 10 } }));

test("a server that ends before quit was said is a failure", () =>
  withPlayed(async (server) => {
    await server.receive();
    await server.conn.write(bytes("I am leaving\nand now"));
  }, async (port) => {
    const console = new FakeConsole();
    console.type("hello");
    const context = connectContext(port, console, { wire: "line" });
    const error = await assertRejects(() => within(connectMessages(context), "the client's end"), NetlabError);
    assertStringIncludes(error.message, `the server 127.0.0.1:${port} ended the connection`);
    assertEquals([error.kind, console.printed], ["transport", ["I am leaving"]]);
    assertStringIncludes(error.hint!, "what it said last has no end, and is dropped");
  }));

/** What the client prints of a log that a server sends in these writes, and ends; an error in place of nothing. */
async function showLog(wire: string, ...writes: (string | Uint8Array)[]): Promise<string[]> {
  let printed: string[] = [];
  await withPlayed(async (server) => {
    await server.receive();
    for (const part of writes) await server.sendBytes(part);
  }, async (port) => {
    const console = new FakeConsole([]);
    const running = connectMessages(connectContext(port, console, { wire }));
    const failure = await within(running.then(() => [], (error) => [`failed: ${error.message}`]), "the client's end");
    printed = [...console.printed, ...failure];
  }, wire);
  return printed;
}

test("with --wire raw a log that takes many reads is printed line by line, and no character is lost", async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}: ${"é漢".repeat(i % 20)}`);
  assertEquals(await showLog("raw", lines.join("\n")), lines);
});

test("with --wire raw an LF behind the log is no line of it", async () => {
  assertEquals(await showLog("raw", "hello\nbye\n"), ["hello", "bye"]);
});

test("a log that ends inside a message is a failure, or is shown", async () => {
  for (const [wire, sent] of [["line", "hello\nlast words"], ["len4", "0020hello\nlast words"]]) {
    const shown = (await showLog(wire, sent)).join("\n");
    assert(/last words|^failed: /m.test(shown), `${wire}: silent, and exits as if all were well: "${shown}"`);
  }
});

test("of a server that does not end the connection behind its log, all that it sent is shown before the client fails", async () => {
  for (const wire of ["line", "raw"]) {
    const console = new FakeConsole([]);
    await withPlayed(async (server) => {
      await server.receive();
      await server.sendBytes("hello\nhow are you");
      await server.next().catch(() => {});
    }, async (port) => {
      const running = connectMessages(connectContext(port, console, { wire, idleMs: 50 }));
      const error = await assertRejects(() => within(running, "the client's end"), NetlabError);
      assertEquals([error.kind, console.printed], ["timeout", ["hello", "how are you"]]);
    }, wire);
  }
});

test("of a server that does not understand quit, the person is told why that may be", () => {
  const console = new FakeConsole([]);
  return withPlayed(async (server) => {
    await server.receive();
    await console.shows("nothing has come from");
  }, async (port) => {
    await within(connectMessages(connectContext(port, console, { wire: "line" })), "the client's end");
    const why = `nothing has come from 127.0.0.1:${port}: does it frame with line? otherwise try another --wire`;
    assertEquals(console.notes.slice(1), [why]);
  });
});

test("a connection that is cut while the log comes is a failure", async () => {
  const server = net.createServer((socket: Resettable) => void socket.once("data", () => socket.resetAndDestroy!()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const running = connectMessages(connectContext(port, new FakeConsole([]), { wire: "line" }));
  const error = await assertRejects(() => within(running, "the client's end"), NetlabError);
  assertEquals(error.kind, "transport");
  assertStringIncludes(error.message, `the server 127.0.0.1:${port} ended the connection (reset by peer)`);
  await new Promise((resolve) => server.close(resolve));
}, canReset);

test("with --json everything that netlab connect messages prints is JSON", () =>
  withServer(async (port) => {
    const options = { input: "hello\nhow are you\nquit\n" };
    const { status, out } = await runProgram(`connect messages 127.0.0.1:${port} --json`, options);
    assertEquals(status, 0);
    assertEquals(out.trimEnd().split("\n").map((line) => JSON.parse(line)), [logged("hello"), logged("how are you")]);
  }));

test("netlab connect messages prints its log on standard output, and nothing else", () =>
  withServer(async (port) => {
    const { status, out, err } = await runProgram(`connect messages 127.0.0.1 ${port}`, { input: "hello\nbye" });
    assertEquals([status, out], [0, "hello\nbye\n"]);
    assertEquals(err, `connected to 127.0.0.1:${port}; each line is a message, quit ends and shows them all\n`);
  }));

test("a Python client that frames with nothing but time gets its log", () =>
  withServer(async (port, console) => {
    const command = ["python3", "tests/peers/messages_seed_client.py"];
    const { status, out, err } = await runProgram([`${port}`, "hello", "how are you", "grüß dich"], { command });
    assertEquals([status, out, err], [0, "hello\nhow are you\ngrüß dich\n", ""]);
    assertEquals(console.events.map(({ text }) => text), ["hello", "how are you", "grüß dich"]);
  }), PYTHON);

test("netlab's client with --wire raw gets its log from a Python server that takes a read for a message", async () => {
  await using server = new Program([], { command: ["python3", "tests/peers/messages_seed_server.py"] });
  const port = await server.out.line();
  const options = { input: "hello\nhow are you\nfine\nquit\n" };
  const client = await runProgram(`connect messages 127.0.0.1 ${port} --wire raw --quiet`, options);
  assertEquals(client, { status: 0, out: "hello\nhow are you\nfine\n", err: "" });
  const { status, out } = await server.result();
  const seen = ["hello", "how are you", "fine", "quit"].map((text) => `Client: ${text}\n`).join("");
  assertEquals([status, out], [0, `${port}\n${seen}`]);
}, PYTHON);

test("nc gets its log", () =>
  withServer(async (port) => {
    const { out } = await runProgram(["127.0.0.1", `${port}`], { command: ["nc"], input: "a\nb\nquit\n" });
    assertEquals(out, "a\nb\n");
  }), skipUnless("nc"));
