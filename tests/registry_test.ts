// What holds of every exercise, generated from the registry: its description is sane, its sample dialogue is what its server
// really says, and nothing that a stranger sends ends its server.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { findCommand } from "../lib/cli/command.ts";
import { commands } from "../lib/cli/commands.ts";
import { allOptions } from "../lib/cli/completions.ts";
import type { DialogueLine } from "../lib/exercises/exercise.ts";
import { spellingOf } from "../lib/exercises/notation.ts";
import { exercises, findExercise } from "../lib/exercises/registry.ts";
import { chooseChecks } from "../lib/grade/grading.ts";
import { DEFAULT_LIMITS } from "../lib/net/limits.ts";
import { makeFramer, wrap } from "../lib/protocol/framing.ts";
import type { Random } from "../lib/protocol/random.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { canReset, ChatClient, clientCount, FakeConsole, sendAndReset, serveContext } from "./chat_helpers.ts";
import { bytes, collect, type Collected, eventually, Peer, property, test, within } from "./helpers.ts";
import { type Explained, explained } from "./registry_helpers.ts";

const STREAMS = explained.filter(({ transports }) => transports.includes("tcp"));

test("what cannot be asked of a server at which nobody sits is needed by no check of one", async () => {
  const subject = { type: "address", host: "127.0.0.1", port: 1 } as const;
  for (const exercise of exercises) {
    const grading = await exercise.grading();
    for (const transport of exercise.transports) {
      const { checks } = chooseChecks(exercise, grading, "server", { transport, subject });
      const names = checks.map(({ name }) => name);
      const needed = checks.flatMap(({ needs = [] }) => needs);
      assertEquals(needed.filter((name) => !names.includes(name)), [], exercise.name);
    }
  }
});

test("every exercise has a name, a port and a summary of its own, and can be found", () => {
  for (const key of ["name", "port", "summary"] as const) {
    assertEquals(
      new Set(exercises.map((exercise) => exercise[key])).size,
      exercises.length,
      `two have the same ${key}`,
    );
  }
  for (const exercise of exercises) {
    const { name, summary, port, transports } = exercise;
    assertEquals(findExercise(name), exercise);
    assertMatch(name, /^[a-z]+$/);
    assertMatch(summary, /^[^\n]{10,72}[^\n.]$/);
    assert(port >= 1024 && port <= 65_535);
    assert(transports.length > 0 && new Set(transports).size === transports.length);
  }
  assertEquals(findExercise("nothing"), undefined);
});

/** What is no framing that all share. */
const OWN_WIRES = ["auto", "pdu", "seed"];

test("every exercise names framings that exist, and a client's that is one of them", () => {
  for (const { name, wires, clientWire } of exercises) {
    assertEquals(new Set(wires).size, wires.length);
    for (const wire of wires) assert(OWN_WIRES.includes(wire) || makeFramer(wire, 1), `${name}: ${wire}`);
    assert(wires.includes(clientWire.replace(/^len\d$/, "lenN")), `${name}: its client's ${clientWire}`);
    assert(clientWire !== "auto", "a client cannot find out what a server speaks");
  }
});

test("where a person at the server types, whoever calls may be silent for as long before the first word as behind it", () => {
  for (const { name, explain, limits } of explained) {
    if (!explain.dialogue.some(({ typed }) => typed !== undefined)) continue;
    assertEquals(limits?.firstByteMs, limits?.idleMs ?? DEFAULT_LIMITS.idleMs, name);
  }
});

test("every exercise explains itself, and its examples are command lines of its own", async () => {
  for (const { name, explain, serveExamples, connectExamples, grading } of explained) {
    assert(explain.wire.length > 100);
    assert(explain.wire.split("\n").every((line) => line.length <= 120), `${name}: a line too wide for a terminal`);
    assert(explain.messages.length > 0 && explain.dialogue.length > 1);
    for (const { form, meaning } of explain.messages) assert(form !== "" && meaning !== "");
    for (const { who } of explain.dialogue) assertMatch(who, /^[CS][a-z]?$/);
    for (const { command } of serveExamples) assert(command.startsWith(`netlab serve ${name}`));
    for (const { command } of connectExamples) assert(command.startsWith(`netlab connect ${name}`));
    const { checks, clientChecks, bugs } = await grading();
    assert(checks.length > 0 && clientChecks.length > 0 && bugs.length > 0);
  }
});

test("an option is of one type whatever the exercise, so that words can be told before the exercise is known", () => {
  for (const name of ["serve", "connect"]) {
    const command = findCommand(commands, name)!;
    const first = new Map(allOptions(command).map((spec) => [spec.name, spec]));
    for (const spec of allOptions(command)) {
      assertMatch(spec.name, /^[a-z]+(-[a-z]+)*$/);
      assertEquals([spec.type, spec.bare], [first.get(spec.name)!.type, first.get(spec.name)!.bare], `--${spec.name}`);
    }
    for (const exercise of exercises) {
      const names = command.options([exercise.name]).map((spec) => spec.name);
      assertEquals(names.filter((one, index) => names.indexOf(one) !== index), [], `${exercise.name}: said twice`);
    }
  }
});

/** A server that runs, what is seen of it, and how many connections it should have had. */
interface Running {
  readonly exercise: Explained;
  readonly port: number;
  readonly trace: Collected;
  /** The person at the server. */
  readonly console: FakeConsole;
  opened: number;
}

/** Runs `fn` with a server; afterwards nobody may be left on it, and it must still serve. */
async function withServer(exercise: Explained, fn: (running: Running) => Promise<void>): Promise<void> {
  const trace = collect(["open", "close", "bytes", "warning"]);
  const console = new FakeConsole();
  const context = serveContext(exercise, { trace, console });
  // Garbage is made of the dialogue: by chance it may be all of it, and leave what the dialogue leaves.
  const server = await exercise.serve({ ...context, options: { ...context.options, overwrite: true } });
  const running: Running = { exercise, port: server.address.port, trace, console, opened: 0 };
  try {
    await fn(running);
    await eventually("the server to forget them", () => !clientCount(server));
    // Which labels those get who come now depends on who came before: nobody can say what would be typed.
    const { dialogue } = exercise.explain;
    await playDialogue(running, running.opened === 0 ? dialogue : dialogue.slice(0, firstTyped(dialogue)));
    const { opened } = running;
    await trace.until(`${opened} closed connections`, () => trace.of("close").length >= opened);
    await eventually("the server to forget them", () => !clientCount(server));
    assertEquals(trace.of("open").length, opened);
    assertEquals(trace.of("warning"), []);
  } finally {
    server.abort();
    await within(server.finished, "the end of the server");
  }
}

/** Where in a dialogue somebody first types something at the server. */
function firstTyped(dialogue: readonly DialogueLine[]): number {
  const index = dialogue.findIndex(({ typed }) => typed !== undefined);
  return index < 0 ? dialogue.length : index;
}

/** Whether the first message of the dialogue is answered by the server itself, and at once. */
function answersAtOnce({ explain: { dialogue: [, second] } }: Explained): boolean {
  return second.who.startsWith("S") && second.typed === undefined;
}

/** Plays the sample dialogue: each text of the server's must be what really comes. */
async function playDialogue(running: Running, dialogue = running.exercise.explain.dialogue): Promise<void> {
  const clients = new Map<string, ChatClient>();
  try {
    let asked = "";
    for (const { who, text, typed } of dialogue) {
      let client = clients.get(who.slice(1));
      if (!client) {
        client = await ChatClient.connect(
          running.port,
          running.exercise.clientWire,
          running.exercise.explain.makeNotation?.(),
        );
        running.opened++;
        clients.set(who.slice(1), client);
      }
      if (typed !== undefined) {
        // Whoever answers has seen the question.
        await running.console.shows(asked);
        running.console.type(typed);
      }
      if (who.startsWith("C")) {
        await client.send(asked = text);
        continue;
      }
      assertEquals(await client.receive(), text);
      asked = ""; // all that was asked has been seen
    }
  } finally {
    for (const client of clients.values()) client.close();
  }
}

/** Sends bytes and ends the stream, reads whatever comes, and hangs up. */
async function sendAndEnd(running: Running, ...chunks: Uint8Array[]): Promise<void> {
  const peer = await Peer.connect({ hostname: "127.0.0.1", port: running.port });
  running.opened++;
  try {
    for (const chunk of chunks) await peer.send(chunk);
    await peer.conn.closeWrite();
    await peer.rest();
  } catch (error) {
    // The server may have had enough before everything was sent.
    if (!/reset|pipe|not connected/i.test(String(error))) throw error;
  } finally {
    peer.close();
  }
}

/** A message in one framing: in writing, or a body that may be none. */
function frame(exercise: Explained, wire: string, message: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const { makeFramer, codec } = spellingOf(exercise.explain, "tcp", wire);
  const body = typeof message === "string" ? codec.encode(message) : message;
  return wrap(makeFramer(), typeof body === "string" ? encodeText(body) : body);
}

/** The first message of the sample dialogue. */
function greeting(exercise: Explained, wire: string): Uint8Array<ArrayBuffer> {
  return frame(exercise, wire, exercise.explain.dialogue[0].text);
}

for (const exercise of STREAMS) {
  const wires = exercise.wires.filter((wire) => wire !== "auto" && wire !== "seed");
  const framed = wires.filter((wire) => wire !== "raw");

  test(`${exercise.name}: the dialogue that explain shows is what its server says`, () =>
    withServer(exercise, () => Promise.resolve()));

  test(`${exercise.name}: a mebibyte without an end, of any kind, costs nobody anything`, () =>
    withServer(exercise, async (running) => {
      for (const byte of [0x00, 0x31, 0x39, 0x61, 0x20, 0xff]) {
        await sendAndEnd(running, new Uint8Array(1_048_576).fill(byte));
        for (const wire of wires) {
          await sendAndEnd(running, greeting(exercise, wire), new Uint8Array(1_048_576).fill(byte));
        }
      }
    }));

  test(`${exercise.name}: text that is no UTF-8 and control characters harm nobody`, () =>
    withServer(exercise, async (running) => {
      const bodies = [
        bytes(0xff, 0xfe, 0xfd),
        bytes("NAME ", 0xc3),
        bytes("NAME ", 0xc3, 0x28),
        bytes(0xed, 0xa0, 0x80),
        bytes(0xf4, 0x90, 0x80, 0x80),
        bytes("\x1b[2J\x1b]0;title\x07"),
        bytes("\0"),
        bytes("a\0b\x7f\x9b31m\r\r\b"),
        Uint8Array.from({ length: 32 }, (_, i) => i),
        new Uint8Array(0),
      ];
      for (const wire of wires) {
        for (const body of bodies) await sendAndEnd(running, frame(exercise, wire, body));
      }
    }));

  test(`${exercise.name}: a stream that ends inside a frame, at any byte, ends one session`, () =>
    withServer(exercise, async (running) => {
      for (const wire of framed) {
        const frame = greeting(exercise, wire);
        for (let cut = 0; cut < frame.length; cut++) await sendAndEnd(running, frame.subarray(0, cut));
        for (let cut = 1; cut < frame.length; cut++) await sendAndEnd(running, frame, frame.subarray(0, cut));
      }
    }));

  test(
    `${exercise.name}: a reset, wherever it comes, ends one session, and the log says that it was one`,
    () =>
      withServer(exercise, async (running) => {
        for (const wire of framed) {
          const frame = greeting(exercise, wire);
          for (const cut of [0, 1, 4, frame.length - 1]) {
            const answerBytes = answersAtOnce(exercise) ? 1 : 0;
            const remote = await sendAndReset(running.port, bytes(frame, frame.subarray(0, cut)), answerBytes);
            running.opened++;
            const { id } = await running.trace.until("the connection", (event) => event.remote === remote);
            const { reason } = await running.trace.until(
              "its end",
              (event) => event.type === "close" && event.id === id,
            );
            assertEquals(reason, "reset by peer");
          }
        }
      }),
    canReset,
  );

  property(
    `${exercise.name}: connections of garbage harm nobody (10 servers, 40 connections each)`,
    10,
    (random) =>
      withServer(exercise, async (running) => {
        const cases = Array.from({ length: 40 }, () => garbage(exercise, wires, random));
        await Promise.all(cases.map((chunks) => sendAndEnd(running, ...chunks)));
      }),
  );
}

/** Bytes that begin like a client's, or like nothing, with mistakes in them, cut into writes anywhere. */
function garbage(exercise: Explained, wires: readonly string[], random: Random): Uint8Array[] {
  const texts = exercise.explain.dialogue.map(({ text }) => text);
  const wire = random.pick(wires);
  const parts = Array.from({ length: random.int(1, 8) }, () => {
    if (random.chance(0.2)) return random.bytes(random.int(0, 200));
    const message = frame(exercise, wire, random.pick(texts));
    if (random.chance(0.3)) message[random.int(0, message.length - 1)] = random.uint32() & 0xff;
    return random.chance(0.1) ? message.subarray(random.int(0, message.length)) : message;
  });
  const all = bytes(...parts);
  const cut = random.int(0, all.length);
  return random.chance(0.5) ? [all] : [all.subarray(0, cut), all.subarray(cut)];
}
