// What every stream exercise owes to whatever comes in: the same result however it is split, one clear answer to what is
// wrong, and a word to those who are sent away. Generated from the registry.

import { assertEquals, assertMatch } from "@std/assert";
import type { DialogueLine, ServeContext } from "../lib/exercises/exercise.ts";
import { spellingOf } from "../lib/exercises/notation.ts";
import { Channel } from "../lib/net/channel.ts";
import { connectTcp } from "../lib/net/client.ts";
import { wrap } from "../lib/protocol/framing.ts";
import { ChatClient, FakeConsole, serveContext, serving } from "./chat_helpers.ts";
import { bytes, Peer, test, within } from "./helpers.ts";
import { type Explained, explained } from "./registry_helpers.ts";

/** Runs `fn` with a server that lives only for it. */
function withServer<T>(
  exercise: Explained,
  changes: Partial<ServeContext>,
  fn: (address: { hostname: string; port: number }) => Promise<T>,
): Promise<T> {
  const server = exercise.serve(serveContext(exercise, { console: new FakeConsole(), ...changes }));
  return serving(server, (port) => fn({ hostname: "127.0.0.1", port }));
}

/** What one client says before anybody types anything at the server. */
function opening({ explain: { dialogue } }: Explained): string[] {
  const isTyped = ({ typed }: DialogueLine) => typed !== undefined;
  const end = dialogue.findIndex(isTyped);
  const [{ who: first }] = dialogue;
  return dialogue.slice(0, end < 0 ? undefined : end).filter(({ who }) => who === first).map(({ text }) => text);
}

/** Everything that a client gets, and that the server's person sees, when the client sends these chunks and no more. */
function outcome(exercise: Explained, wire: string, chunks: readonly Uint8Array[]): Promise<string> {
  const console = new FakeConsole();
  return withServer(exercise, { wire, console }, async (address) => {
    const peer = await Peer.connect(address);
    try {
      for (const chunk of chunks) await peer.send(chunk);
      await peer.conn.closeWrite();
      const answers = await peer.rest();
      const events = console.events.map(({ event, text }) => `${event}: ${text}`);
      return [answers, ...events].join("|");
    } finally {
      peer.close();
    }
  });
}

for (const exercise of explained.filter(({ transports }) => transports.includes("tcp"))) {
  const { name, detects, wires } = exercise;
  const wireFor = (wire: string) => detects.includes(wire.replace(/^len\d$/, "lenN")) ? "auto" : wire;

  for (const wire of ["line", "len4", "be8", "pdu"].filter((one) => wires.includes(one.replace(/^len\d$/, "lenN")))) {
    test(`${name}: the result is the same whole, byte by byte, and split anywhere (${wire})`, async () => {
      const client = spellingOf(exercise.explain, "tcp", wire);
      const encode = (text: string) => bytes(client.codec.encode(text));
      const all = bytes(...opening(exercise).map((text) => wrap(client.makeFramer(), encode(text))));
      const whole = await outcome(exercise, wireFor(wire), [all]);
      assertMatch(whole, /[^|]/);
      const splits = Array.from({ length: all.length - 1 }, (_, i) => [all.subarray(0, i + 1), all.subarray(i + 1)]);
      const ways = [Array.from(all, (byte) => bytes(byte)), ...splits];
      const results = await Promise.all(ways.map((chunks) => outcome(exercise, wireFor(wire), chunks)));
      assertEquals(new Set(results), new Set([whole]));
    });
  }

  if (exercise.explain.makeNotation && wires.includes("pdu")) {
    const { makeFramer, codec } = spellingOf(exercise.explain, "tcp", exercise.clientWire);
    /** What a client is told, in its last word, that sends what is no message. */
    const lastWord = async (address: { hostname: string; port: number }) => {
      const conn = await connectTcp(address.hostname, address.port);
      const channel = new Channel(conn, { framer: makeFramer(), codec });
      try {
        await conn.write(bytes(0xff));
        const answer = await within(channel.receive(), "an answer");
        assertEquals(await within(channel.receive(), "the end"), null);
        return `${answer}`;
      } finally {
        channel.abort("done");
      }
    };

    test(`${name}: who sends what is no message is told so in one that can be read`, () =>
      withServer(exercise, {}, async (address) => {
        assertMatch(await lastWord(address), /^ERROR .*no such type/);
      }));

    test(`${name}: one client more than there is room for is told so in a message that can be read`, () =>
      withServer(exercise, { limits: { maxClients: 1 } }, async (address) => {
        const first = await Peer.connect(address);
        try {
          await first.send(codec.encode(exercise.explain.dialogue[0].text) as Uint8Array);
          await first.read(1);
          assertMatch(await lastWord(address), /^ERROR .*server full/);
        } finally {
          first.close();
        }
      }));
  }
  if (exercise.explain.makeNotation) continue; // what is no line of text has tests of its own

  test(`${name}: what is wrong gets one answer each, and what follows is served`, () =>
    withServer(exercise, {}, async (address) => {
      const peer = await Peer.connect(address);
      try {
        await peer.send(0xff, 0xfe, "\n", "x".repeat(100_000), "\n", 0xc3, "\n");
        assertMatch(await peer.line(), /^ERROR (400 )?invalid UTF-8 at byte 0/);
        assertMatch(await peer.line(), /^ERROR (400 )?message too long: more than \d+ bytes$/);
        assertMatch(await peer.line(), /^ERROR (400 )?invalid UTF-8 at byte 1$/);
      } finally {
        peer.close();
      }
    }));

  test(`${name}: one client more than there is room for is told so, and sent away`, () =>
    withServer(exercise, { limits: { maxClients: 1 } }, async (address) => {
      const first = await ChatClient.connect(address.port, "line");
      const second = await ChatClient.connect(address.port, "line");
      try {
        await second.send(exercise.explain.dialogue[0].text);
        const why = exercise.limits?.maxClients === 1 ? "busy" : "server full: 1 client";
        assertEquals(await second.receive(), `ERROR ${why}`);
        await second.ended();
        await first.send("\xff".repeat(100_000));
        assertMatch(await first.receive(), /^ERROR (400 )?message too long/);
      } finally {
        first.close();
        second.close();
      }
    }));

  test(`${name}: a client that says nothing is sent away, and so is one that falls silent`, () =>
    withServer(exercise, { limits: { firstByteMs: 40, idleMs: 80 } }, async (address) => {
      const ends = [["", /^ERROR idle for 0\.04 s\n$/], [
        "\xff\n",
        /^ERROR [^\n]*\nERROR idle for 0\.08 s\n$/,
      ]] as const;
      for (const [sent, expected] of ends) {
        let said = "ERROR busy";
        // Where there is room for one only, the one before may not be quite gone.
        while (said.startsWith("ERROR busy")) said = await hear(address, sent);
        assertMatch(said, expected);
      }
    }));
}

/** All that a client gets that sends this, and then nothing. */
async function hear(address: { hostname: string; port: number }, sent: string): Promise<string> {
  const peer = await Peer.connect(address);
  try {
    await peer.send(Uint8Array.from(sent, (character) => character.charCodeAt(0)));
    return await peer.rest();
  } finally {
    peer.close();
  }
}
