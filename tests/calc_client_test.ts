// The calculator's client: one question from the command line, scripts that ask ahead, servers that fall silent, lose
// datagrams or leave; and other people's programs: Python's first client and server, and nc.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connectCalc } from "../lib/exercises/calc/client.ts";
import { calc } from "../lib/exercises/calc/mod.ts";
import { serveCalc } from "../lib/exercises/calc/server.ts";
import type { ConnectContext, ServeContext } from "../lib/exercises/exercise.ts";
import { outlasts } from "../lib/net/clock.ts";
import { type ErrorKind, NetlabError } from "../lib/protocol/errors.ts";
import { decodeText, encodeText } from "../lib/protocol/text.ts";
import { TraceBus } from "../lib/trace/bus.ts";
import {
  ChatClient,
  connectContext,
  endOfScript,
  FakeConsole,
  serveContext,
  serving,
  withListener,
} from "./chat_helpers.ts";
import { netlab, Program, runProgram } from "./cli_helpers.ts";
import { Peer, skipUnless, test, within } from "./helpers.ts";

const PYTHON = skipUnless("python3");
const NC = skipUnless("nc");
const TRANSPORTS = ["tcp", "udp"] as const;

/** Runs `fn` with a server of netlab's. */
const withServer = (fn: (port: number) => Promise<void>, changes: Partial<ServeContext> = {}) =>
  serving(serveCalc(serveContext(calc, changes)), fn);

/** A server over TCP that a test plays. */
const withPlayed = (play: (client: ChatClient) => Promise<void>, fn: (port: number) => Promise<void>) =>
  withListener((conn) => play(new ChatClient(conn, "line")), fn);

/** A server over UDP that a test plays: `answers` says what a datagram, the first being number 1, is answered with. */
async function withDatagrams(
  answers: (question: string, number: number) => readonly string[],
  fn: (port: number, asked: readonly string[]) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const serving = (async () => {
    for await (const [datagram, from] of socket) {
      const question = decodeText(datagram);
      for (const answer of answers(question, asked.push(question))) await socket.send(encodeText(answer), from);
    }
  })();
  try {
    await fn((socket.addr as Deno.NetAddr).port, asked);
  } finally {
    socket.close();
    await serving;
  }
}

/** Runs the client to its end: with a script, or with `args` for one question. */
async function run(
  port: number,
  script: readonly string[],
  changes: Partial<ConnectContext> = {},
  refusals = 0,
): Promise<FakeConsole> {
  const console = new FakeConsole(script);
  const context = connectContext(port, console, { wire: "line", ...changes });
  await endOfScript(connectCalc(context), refusals);
  return console;
}

/** Asserts that the client fails, with these words. */
async function assertFails(running: Promise<unknown>, kind: ErrorKind, message: string): Promise<void> {
  const error = await assertRejects(() => running, NetlabError);
  assertEquals([error.kind, error.message], [kind, message]);
}

const result = (text: string) => ({ event: "result", text });
const parseLines = (out: string) => out.trimEnd().split("\n").map((line) => JSON.parse(line));

for (const transport of TRANSPORTS) {
  test(`netlab connect calc prints the result of the words behind the address, over ${transport}`, () =>
    withServer(async (port) => {
      const program = await runProgram(`connect calc 127.0.0.1 ${port} 7 * 6 --transport ${transport}`);
      assertEquals(program, { status: 0, out: "42\n", err: "" });
    }, { transport }));

  test(`a refusal is said on standard error, and is a failure, over ${transport}`, () =>
    withServer(async (port) => {
      for (const [words, why] of [["1 / 0", "division by zero"], ["4.5 + 1", "not an integer: 4.5"]]) {
        const got = await netlab(`connect calc 127.0.0.1 ${port} ${words} --transport ${transport}`);
        assertEquals(got, { status: 1, out: "", err: `netlab: the server says: ERROR ${why}\n` });
      }
    }, { transport }));

  test(`a script is answered line by line, refusals too, over ${transport}`, () =>
    withServer(async (port) => {
      const { printed, events } = await run(port, ["7 * 6", "", "1 / 0", " ", "7,6,-", "-7 % 3"], { transport }, 1);
      assertEquals(printed, ["42", "ERROR division by zero", "1", "2"]);
      assertEquals(events, printed.map(result));
    }, { transport }));

  test(`with --json everything on standard output is JSON, over ${transport}`, () =>
    withServer(async (port) => {
      const line = `connect calc 127.0.0.1:${port} --json --transport ${transport}`;
      const script = await runProgram(line, { input: "7 / 2\n1 / 0" });
      assertEquals([script.status, parseLines(script.out)], [1, [result("3.5"), result("ERROR division by zero")]]);
      assertEquals(parseLines((await netlab(`${line} 7 / 2`)).out), [result("3.5")]);
      const refused = await netlab(`${line} 1 / 0`);
      assertEquals([refused.status, parseLines(refused.out)], [1, [result("ERROR division by zero")]]);
    }, { transport }));
}

test("over UDP a host that does not exist is said before anything is asked, and nobody is called connected", async () => {
  const { status, out, err } = await runProgram("connect calc no-such-host.invalid --transport udp");
  assertEquals([status, out], [1, ""]);
  assertMatch(err, /^netlab: cannot connect to no-such-host\.invalid:9003: no such host: .*\n$/);
  await withServer(async (port) => {
    const asked = await runProgram(`connect calc --port ${port} --transport udp`, { input: "7 * 6" });
    assertEquals([asked.status, asked.out], [0, "42\n"]);
    assertEquals(asked.err, `asking 127.0.0.1:${port} over UDP; try 7 * 6 (end with Ctrl-D)\n`);
  }, { transport: "udp" });
});

test("negative numbers are words, wherever the operator stands and wherever the address is said", () =>
  withServer(async (port) => {
    const address = [`127.0.0.1 ${port}`, `127.0.0.1:${port}`, `--port ${port}`, `--quiet --port=${port}`];
    for (const [words, out] of [["-7 / 2", "-3.5"], ["7 - -6", "13"], ["- -7 6", "-13"], ["-7 -6 *", "42"]]) {
      for (const where of address) {
        const got = await netlab(`connect calc ${where} ${words}`);
        assertEquals(got, { status: 0, out: `${out}\n`, err: "" }, `${where} ${words}`);
      }
    }
  }));

test("a question without spaces is told from the address before it", () =>
  withServer(async (port) => {
    for (const where of [`--port ${port}`, `localhost ${port}`, `127.0.0.1:${port}`, `127.0.0.1 ${port}`]) {
      for (const [word, out] of [["7*6", "42"], ["-7*6", "-42"], ["7,6,*", "42"]]) {
        const line = ["connect", "calc", ...where.split(" "), word];
        // Where the address is not taken for one, the server of the default port is asked: there must be none.
        const got = await netlab(line, where.startsWith("--") ? {} : { NETLAB_PORT: "1" });
        assertEquals(got, { status: 0, out: `${out}\n`, err: "" }, line.join(" "));
      }
    }
  }, { host: "127.0.0.1" }));

test("a question in one word with spaces is one, too", () =>
  withServer(async (port) => {
    assertEquals((await netlab(["connect", "calc", `127.0.0.1:${port}`, "* 7 6"])).out, "42\n");
  }));

test("five thousand questions from standard input are answered in order", () =>
  withServer(async (port) => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i);
    const input = numbers.map((i) => `${i} * ${i}\n`).join("");
    const { status, out, err } = await runProgram(`connect calc 127.0.0.1 ${port} --quiet`, { input });
    assertEquals([status, err], [0, ""]);
    assert(out === numbers.map((i) => `${i * i}\n`).join(""), "the answers are not those to the questions");
  }));

test("a script asks ahead: the server may read all before it answers", () =>
  withPlayed(async (server) => {
    const questions: string[] = [];
    while (questions.length < 500) questions.push(await server.receive());
    await server.send(...questions.map((question) => question.replace(" + 0", "")));
    assertEquals(await server.next(), null);
  }, async (port) => {
    const numbers = Array.from({ length: 500 }, (_, i) => `${i}`);
    assertEquals((await run(port, numbers.map((i) => `${i} + 0`))).printed, numbers);
  }));

for (const [wire, served] of [["len4", "len4"], ["raw", "auto"], ["raw", "raw"]]) {
  test(`a script with --wire ${wire} is answered by a server with --wire ${served}`, () =>
    withServer(async (port) => {
      assertEquals((await run(port, ["7 * 6", "1 / 3", "12 5 -"], { wire })).printed, [
        "42",
        "0.3333333333333333",
        "7",
      ]);
    }, { wire: served }));
}

test("with --wire raw each question of a script waits for the answer to the one before", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    assertEquals(await peer.read(5), "7 * 6");
    const second = peer.read(5);
    // Longer than the pause between messages that nothing frames.
    assert(await outlasts(second, 600), "it did not wait");
    await peer.send("42");
    assertEquals(await within(second, "the second question"), "7 + 6");
    await peer.send("13");
    await peer.rest();
  }, async (port) => {
    assertEquals((await run(port, ["7 * 6", "7 + 6"], { wire: "raw" })).printed, ["42", "13"]);
  }));

test("with --wire raw an answer in pieces is more answers than questions, and the client still leaves in good order", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.read(5);
    await peer.send("4");
    await peer.read(5);
    await peer.send("2");
    await peer.read(5);
    await peer.send("13");
    await peer.rest();
  }, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectCalc(connectContext(port, console, { wire: "raw" }));
    for (const piece of ["4", "2", "13"]) {
      console.type("7 * 6");
      await console.shows(piece);
    }
    console.endInput();
    await within(running, "the client's end");
  }));

test("netlab serve calc divides as --division says, and says where it is", async () => {
  await using server = new Program("serve calc --host 127.0.0.1 --port 0 --division floor --quiet");
  const port = /:(\d+)/.exec(await server.out.line())![1];
  assertEquals((await netlab(`connect calc 127.0.0.1 ${port} -7 / 2`)).out, "-4\n");
});

test("a server that hangs up without an answer is a failure", () =>
  withPlayed(async (server) => void await server.receive(), async (port) => {
    const message = `127.0.0.1:${port} ended the connection without an answer (end of stream)`;
    await assertFails(run(port, [], { args: ["7", "*", "6"] }), "transport", message);
    const left = `the server 127.0.0.1:${port} ended the connection (end of stream)`;
    await assertFails(run(port, ["7 * 6", "7 + 6"]), "transport", left);
  }));

test("of a server whose last answer has no end, what to do is said", () =>
  withListener(async (conn) => {
    await conn.read(new Uint8Array(10));
    await conn.write(encodeText("42"));
  }, async (port) => {
    for (const [script, args] of [[[], ["7", "*", "6"]], [["7 * 6"], []]]) {
      const error = await assertRejects(() => run(port, script, { args }), NetlabError);
      assertMatch(error.hint ?? "", /does it frame with line\? otherwise try another --wire$/);
    }
  }));

test("a server that owes answers and falls silent is a failure, and what it answered is shown", () =>
  withPlayed(async (server) => {
    await server.send((await server.receive()).length.toString());
    while (await server.next() !== null);
  }, async (port) => {
    const console = new FakeConsole(["7 * 6", "7 + 6"]);
    const running = connectCalc(connectContext(port, console, { wire: "line", idleMs: 100 }));
    await assertFails(running, "timeout", `127.0.0.1:${port} has said nothing for 100ms`);
    assertEquals(console.printed, ["5"]);
  }));

test("a server that says nothing to a question is a failure", () =>
  withPlayed(async (server) => void await server.next().then(() => server.next()), async (port) => {
    const running = run(port, [], { args: ["7", "*", "6"], idleMs: 50 });
    await assertFails(running, "timeout", `no answer from 127.0.0.1:${port} in 0.05 s`);
  }));

test("of a server that never says a word, the person is told why that may be, and a script has failed", () =>
  withPlayed(async (server) => {
    while (await server.next() !== null);
  }, async (port) => {
    const console = new FakeConsole(["7 * 6"]);
    const running = connectCalc(connectContext(port, console, { wire: "line" }));
    await console.shows(
      `nothing has come from 127.0.0.1:${port}: does it frame with line? otherwise try another --wire`,
    );
    await assertFails(running, "timeout", "a question was not answered in 5 s");
  }));

test("an answer that cannot be read is said to be the server's, with what to do about its framing", () =>
  withListener(async (conn) => {
    await conn.read(new Uint8Array(64));
    await conn.write(encodeText("no length"));
  }, async (port) => {
    const asked = await netlab(`connect calc 127.0.0.1 ${port} 7 * 6 --wire len4`);
    const why = 'length field is not a number: "n": the server does not frame with len4: try another --wire';
    assertEquals(asked, { status: 1, out: "", err: `netlab: cannot read the server: ${why}\n` });
  }));

test("over UDP a question that is lost is asked again", () =>
  withDatagrams((question, number) => number === 1 ? [] : [`${question} again`], async (port, asked) => {
    const { printed } = await run(port, [], { transport: "udp", args: ["7", "*", "6"], idleMs: 500 });
    assertEquals([printed, asked[0], asked[1]], [["7 * 6 again"], "7 * 6", "7 * 6"]);
  }));

test("over UDP an answer that comes twice is not taken for the next one", () =>
  withDatagrams((question) => [`to ${question}`, `to ${question}`], async (port) => {
    const { printed } = await run(port, ["1 + 1", "2 + 2", "3 + 3"], { transport: "udp" });
    assertEquals(printed, ["to 1 + 1", "to 2 + 2", "to 3 + 3"]);
  }));

test("over UDP a datagram with nothing in it is no answer", async () => {
  await withDatagrams((question) => ["", "\n", String(eval(question))], async (port) => {
    const { printed } = await run(port, ["7 * 6", "7 + 6"], { transport: "udp" });
    assertEquals(printed, ["42", "13"]);
  });
  await withDatagrams(() => [""], (port) => {
    const asked = run(port, [], { transport: "udp", args: ["7", "*", "6"], idleMs: 500 });
    return assertFails(asked, "timeout", `no answer from 127.0.0.1:${port} in 0.5 s`);
  });
});

test("a blank line is no answer", async () => {
  await withPlayed(async (server) => {
    await server.receive();
    await server.send("", "42");
  }, async (port) => assertEquals((await run(port, [], { args: ["7", "*", "6"] })).printed, ["42"]));
  await withPlayed(async (server) => {
    await server.receive();
    await server.send("");
    while (await server.next() !== null);
  }, async (port) => {
    const message = `127.0.0.1:${port} has said nothing for 100ms`;
    await assertFails(run(port, ["7 * 6"], { idleMs: 100 }), "timeout", message);
  });
});

test("over UDP what is traced are the questions, each from a port of its own, and nothing before them", () =>
  withServer(async (port) => {
    const trace = new TraceBus();
    const traced: string[] = [];
    trace.attach({ kinds: ["open", "message"], event: (event) => traced.push(event.type) });
    await run(port, ["1 + 1", "2 + 2"], { transport: "udp", trace });
    assertEquals(traced, ["open", "message", "message", "open", "message", "message"]);
  }, { transport: "udp" }));

test("over UDP a person whose question has no answer, or is too long, may ask once more", () =>
  withDatagrams((question) => question === "7 * 6" ? ["42"] : [], async (port) => {
    const console = new FakeConsole(["1 + 1", "1".repeat(70_000), "7 * 6"], true);
    await within(connectCalc(connectContext(port, console, { transport: "udp", idleMs: 500 })), "the client's end");
    assertEquals(console.printed, ["42"]);
    assertEquals(console.notes.slice(1), [
      `no answer from 127.0.0.1:${port} in 0.5 s: does the server run, and with --transport udp?`,
      "70000 bytes do not fit: datagram carries 65506 at most",
    ]);
  }));

test("over UDP a question that is too long is a line of the script that failed, and the others are asked", () =>
  withServer(async (port) => {
    const console = new FakeConsole(["1 + 1", "1".repeat(70_000), "2 + 2"]);
    await assertFails(
      connectCalc(connectContext(port, console, { transport: "udp" })),
      "reply",
      "a line of the script failed",
    );
    assertEquals(console.printed, ["2", "4"]);
    assertEquals(console.notes.slice(1), ["70000 bytes do not fit: datagram carries 65506 at most"]);
  }, { transport: "udp" }));

test("over UDP a server that never answers is a failure that says what to look at", () =>
  withDatagrams(() => [], async (port, asked) => {
    const { status, out, err } = await netlab(`connect calc 127.0.0.1 ${port} 7 * 6 --transport udp --idle 100ms`);
    const message =
      `netlab: no answer from 127.0.0.1:${port} in 0.1 s: does the server run, and with --transport udp?\n`;
    assertEquals([status, out, err], [124, "", message]);
    assertEquals(new Set(asked), new Set(["7 * 6"]));
    assert(asked.length > 1, "it was asked only once");
  }));

test("a Python client that sends the operator last and no LF is answered", () =>
  withServer(async (port) => {
    const command = ["python3", "tests/peers/calc_seed_client.py"];
    const { status, out, err } = await runProgram([`${port}`, "7 6 *", "7 2 /", "7 0 /"], { command });
    assertEquals([status, err], [0, ""]);
    assertEquals(out, "Result: 42\nResult: 3.5\nResult: ERROR division by zero\n");
  }), PYTHON);

test("netlab's client with --wire raw is answered by a Python server that takes a read for a question", async () => {
  await using server = new Program([], { command: ["python3", "tests/peers/calc_seed_server.py"] });
  const port = await server.out.line();
  const cases = [["7 * 6", "42"], ["12 5 -", "7"], ["-7 / 2", "-3.5"], ["1 / 0", "Error: division by zero"]];
  for (const [words, out] of cases) {
    const client = await netlab(`connect calc 127.0.0.1 ${port} ${words} --wire raw`);
    assertEquals(client, { status: 0, out: `${out}\n`, err: "" }, words);
  }
}, PYTHON);

for (const transport of TRANSPORTS) {
  const options = transport === "udp" ? ["-u"] : [];
  test(`${["nc", ...options].join(" ")} is answered line by line`, () =>
    withServer(async (port) => {
      await using nc = new Program([...options, "127.0.0.1", `${port}`], { command: ["nc"] });
      for (const [question, answer] of [["7 * 6", "42"], ["7 / 2", "3.5"], ["1 / 0", "ERROR division by zero"]]) {
        await nc.type(question);
        assertEquals(await nc.out.line(), answer);
      }
    }, { transport }), NC);
}
