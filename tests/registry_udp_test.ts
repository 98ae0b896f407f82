// What every exercise over UDP owes to whatever comes in: hostile datagrams, from strangers or from a client itself, cost
// nobody else anything, and the server goes on answering. Generated from the registry.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { DialogueLine, ServeContext } from "../lib/exercises/exercise.ts";
import { type Spelling, spellingOf } from "../lib/exercises/notation.ts";
import type { Conn } from "../lib/net/conn.ts";
import { connectUdp } from "../lib/net/datagram_peers.ts";
import type { Random } from "../lib/protocol/random.ts";
import { decodeText } from "../lib/protocol/text.ts";
import { clientCount, FakeConsole, serveContext } from "./chat_helpers.ts";
import { bytes, collect, property, test, within } from "./helpers.ts";
import { type Explained, explained } from "./registry_helpers.ts";

const DATAGRAMS = explained.filter(({ transports }) => transports.includes("udp"));

/** What somebody may send who means no good, or does not know better. */
const HOSTILE: readonly Uint8Array<ArrayBuffer>[] = [
  bytes(),
  bytes(0),
  bytes("\n"),
  bytes("\r\n"),
  bytes(0xff),
  bytes(0xc3),
  bytes("text ", 0xff, 0xfe, " and more"),
  bytes(0xed, 0xa0, 0x80),
  new Uint8Array(100),
  bytes("\x1b[2J\x1b]0;title\x07\x7f\x9b31m"),
  new Uint8Array(65_507),
  new Uint8Array(65_507).fill(0x61),
  new Uint8Array(65_507).fill(0x39),
  new Uint8Array(65_507).fill(0xff),
];

/** A server that runs, and who has called it. */
class Desk {
  readonly #clients: Conn[] = [];
  readonly #port: number;
  readonly console: FakeConsole;

  constructor(port: number, console: FakeConsole) {
    this.#port = port;
    this.console = console;
  }

  /** A socket that has sent nothing yet. */
  async client(): Promise<Conn> {
    const client = await connectUdp("127.0.0.1", this.#port);
    this.#clients.push(client);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** Runs `fn` with a server, which nothing may have put out of order. */
async function withServer(
  exercise: Explained,
  fn: (desk: Desk) => Promise<void>,
  changes: Partial<ServeContext> = {},
): Promise<void> {
  const trace = collect(["warning"]);
  const console = new FakeConsole();
  const server = await exercise.serve(serveContext(exercise, { transport: "udp", trace, console, ...changes }));
  const desk = new Desk(server.address.port, console);
  try {
    await fn(desk);
    assertEquals(trace.of("warning"), []);
  } finally {
    desk.close();
    server.abort();
    await within(server.finished, "the end of the server");
  }
  assertEquals(clientCount(server) ?? 0, 0);
}

async function receiveBytes(client: Conn): Promise<Uint8Array> {
  return (await within(client.receive!(), "an answer"))!;
}

async function receive(client: Conn): Promise<string> {
  return decodeText(await receiveBytes(client));
}

/** Plays lines of the sample dialogue with one client, and `before` each of the client's. */
async function play(
  { codec }: Spelling,
  desk: Desk,
  client: Conn,
  lines: readonly DialogueLine[],
  before = () => Promise.resolve(),
) {
  let asked = "";
  for (const { who, text, typed } of lines) {
    if (typed !== undefined) {
      // Whoever answers has seen the question.
      await desk.console.shows(asked);
      desk.console.type(typed);
    }
    if (who.startsWith("C")) {
      await before();
      await client.write(bytes(codec.encode(asked = text)));
      continue;
    }
    assertEquals(codec.decode(await receiveBytes(client)), text);
    asked = ""; // all that was asked has been seen
  }
}

/**
 * Somebody who has not called yet gets what is due to strangers: an answer, or that the server is busy with another; where that
 * is a person, a second message is out of turn. So what was sent before has been taken: more at once could be too much for
 * the system's own buffer.
 */
async function answersStranger(exercise: Explained, desk: Desk): Promise<void> {
  const { explain: { dialogue, makeNotation }, limits } = exercise;
  const { codec } = spellingOf(exercise.explain, "udp", "");
  const stranger = await desk.client();
  // Files of one name come one at a time.
  const greeting = makeNotation ? STRAY : dialogue[0].text;
  const answer = makeNotation
    ? /^ERROR session=9 code=8 /
    : limits?.maxClients === 1
    ? /^ERROR (busy|wait for the reply)$/
    : null;
  await stranger.write(bytes(codec.encode(greeting)));
  if (limits?.maxClients === 1) await stranger.write(bytes(codec.encode("are you there?")));
  const answered = codec.decode(await receiveBytes(stranger));
  if (answer) assertMatch(answered, answer);
  else assertEquals(answered, dialogue[1].text);
}

/** A PDU of a session that nobody has opened. */
const STRAY = "FIN session=9 seq=0";

for (const exercise of DATAGRAMS) {
  const { name, explain: { dialogue } } = exercise;
  const spelling = spellingOf(exercise.explain, "udp", "");
  const oneClient = dialogue.every(({ who }) => who.length === 1);

  if (oneClient) {
    test(`${name} over UDP: the dialogue that explain shows is what its server says`, () =>
      withServer(exercise, async (desk) => await play(spelling, desk, await desk.client(), dialogue)));

    test(`${name} over UDP: strangers' hostile datagrams do not disturb a client`, () =>
      withServer(exercise, async (desk) => {
        const client = await desk.client();
        await client.write(bytes(spelling.codec.encode(dialogue[0].text)));
        const next = dialogue.findIndex(({ who }, i) => i > 0 && who === "C");
        const first = next < 0 ? dialogue.length : next;
        if (dialogue[1].typed !== undefined) await desk.console.shows(dialogue[0].text);
        await play(spelling, desk, client, dialogue.slice(1, first));
        await play(spelling, desk, client, dialogue.slice(first), async () => {
          for (const datagram of HOSTILE) {
            await (await desk.client()).write(datagram);
            await answersStranger(exercise, desk);
          }
        });
      }));
  }

  test(`${name} over UDP: after any hostile datagram the server still answers others`, async () => {
    for (const datagram of HOSTILE) {
      await withServer(exercise, async (desk) => {
        await (await desk.client()).write(datagram);
        await answersStranger(exercise, desk);
      });
    }
  });

  if (exercise.explain.makeNotation) {
    test(`${name} over UDP: who is one too many gets a message that can be read`, () =>
      withServer(exercise, async (desk) => {
        // By then the first is being served, and not done.
        const beginning = dialogue.slice(0, 4);
        await play(spelling, desk, await desk.client(), beginning);
        const second = await desk.client();
        let answer = "";
        for (const { text } of beginning.filter(({ who }) => who === "C")) {
          if (answer.startsWith("ERROR")) break;
          await second.write(bytes(spelling.codec.encode(text)));
          answer = spelling.codec.decode(await receiveBytes(second));
        }
        assertMatch(answer, /^ERROR .*(server full|being served)/);
      }, { limits: { maxClients: 1 } }));
  } else {
    test(`${name} over UDP: what is wrong gets one answer each, and what follows is served`, () =>
      withServer(exercise, async (desk) => {
        const client = await desk.client();
        for (const sent of [bytes(0xff), new Uint8Array(65_507).fill(0x31), bytes("12", 0xc3)]) {
          await client.write(sent);
        }
        assertMatch(await receive(client), /^ERROR invalid UTF-8 at byte 0/);
        assertMatch(await receive(client), /^ERROR (?!invalid UTF-8)/);
        assertMatch(await receive(client), /^ERROR invalid UTF-8 at byte 3/);
        if (oneClient) await play(spelling, desk, client, dialogue);
      }));
  }

  property(
    `${name} over UDP: random datagrams of many clients harm nobody (10 servers, 100 each)`,
    10,
    (random) =>
      withServer(exercise, async (desk) => {
        const clients = await Promise.all(Array.from({ length: random.int(1, 10) }, () => desk.client()));
        for (let i = 0; i < 100; i++) {
          await random.pick(clients).write(garbage(exercise, random));
          await answersStranger(exercise, desk);
        }
      }),
  );
}

/** Bytes like a client's, with mistakes in them, or like nothing. */
function garbage(exercise: Explained, random: Random): Uint8Array {
  if (random.chance(0.1)) return random.pick(HOSTILE);
  if (random.chance(0.3)) return random.bytes(random.int(0, 2000));
  const { codec } = spellingOf(exercise.explain, "udp", "");
  const text = bytes(codec.encode(random.pick(exercise.explain.dialogue).text));
  for (let i = random.int(0, 3); i > 0; i--) text[random.int(0, text.length - 1)] = random.uint32() & 0xff;
  return random.chance(0.2) ? text.subarray(random.int(0, text.length)) : text;
}

test("there are exercises over UDP", () => assert(DATAGRAMS.length >= 2));
