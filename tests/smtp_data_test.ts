// Content on the wire against a reference of regular expressions, in all pieces; and that dots cost no more than they may.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { DataDecoder, DataEncoder, NewlineCheck } from "../lib/exercises/smtp/data.ts";
import type { Random } from "../lib/protocol/random.ts";
import { decodeLossy, encodeText } from "../lib/protocol/text.ts";
import { bytes, everyWay, property, test } from "./helpers.ts";
import { withOffice } from "./smtp_server_helpers.ts";

/** What a decoder makes of a stream: the content, and what stands behind the end; null where that has not come. */
function decodeAll(chunks: readonly Uint8Array[]): { content: string; rest: string | null } {
  const decoder = new DataDecoder();
  const content: Uint8Array[] = [];
  for (const [i, chunk] of chunks.entries()) {
    const before = chunk.slice();
    const decoded = decoder.decode(chunk);
    assertEquals(chunk, before, "the input was changed");
    content.push(...decoded.content.map((piece) => piece.slice()));
    if (decoded.end < 0) continue;
    return {
      content: decodeLossy(bytes(...content)),
      rest: decodeLossy(bytes(chunk.subarray(decoded.end), ...chunks.slice(i + 1))),
    };
  }
  return { content: decodeLossy(bytes(...content)), rest: null };
}

/** The same by regular expressions, on the whole text. */
function decodeReference(wire: string): { content: string; rest: string | null } {
  const end = /(?<=^|\r\n)\.\r\n/.exec(wire);
  const lines = end === null ? wire : wire.slice(0, end.index);
  // What may yet become an end is nobody's content.
  const sure = end === null ? lines.replace(/(?<=^|\r\n)\.\r?$/, "") : lines;
  return {
    content: sure.replaceAll(/(?<=^|\r\n)\./g, ""),
    rest: end === null ? null : wire.slice(end.index + end[0].length),
  };
}

function encodeAll(chunks: readonly Uint8Array[]): string {
  const encoder = new DataEncoder();
  return decodeLossy(bytes(...chunks.map((chunk) => encoder.encode(chunk).slice()), encoder.end()));
}

function encodeReference(content: string): string {
  return `${content.replaceAll(/(?<=^|\r\n)\./g, "..")}${/(?:^|\r\n)$/.test(content) ? "" : "\r\n"}.\r\n`;
}

/** Whether a check finds a CR or LF that stands alone. */
function findsBare(chunks: readonly Uint8Array[]): boolean {
  const check = new NewlineCheck();
  const right = chunks.map((chunk) => check.check(chunk));
  return right.includes(false) || check.afterCr;
}

const PIECES = [
  "\r\n",
  "\r",
  "\n",
  ".",
  "..",
  "x",
  "\r\n.",
  "\r\n.\r\n",
  ".\r",
  "\r\n..",
  "a line of text that is longer than a few",
];

const drawText = (random: Random) => Array.from({ length: random.int(0, 12) }, () => random.pick(PIECES)).join("");

function drawChunks(random: Random, wire: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wire.length;) chunks.push(wire.subarray(at, at += random.int(0, 5)));
  return chunks;
}

const LINES: [string, string, string | null][] = [
  ["", "", null],
  [".\r\n", "", ""],
  ["x\r\n.\r\nNOOP\r\n", "x\r\n", "NOOP\r\n"],
  ["..\r\n.\r\n", ".\r\n", ""],
  [".x\r\n.\r\n", "x\r\n", ""],
  ["x.\r\n.\r\n", "x.\r\n", ""],
  [".\r\r\n.\r\n", "\r\r\n", ""],
  [".\r.\r\n.\r\n", "\r.\r\n", ""],
  [".\r", "", null],
  [".\rx", "\rx", null],
  [".\n.\r\n", "\n.\r\n", null],
  ["\r\r\n.\r\n", "\r\r\n", ""],
  ["x\n.\n\n.\r\n\r.\r", "x\n.\n\n.\r\n\r.\r", null],
  ["\r\n.\r\n.\r\n", "\r\n", ".\r\n"],
];

test("dots and ends of content, however they arrive", () => {
  for (const [wire, content, rest] of LINES) {
    assertEquals(everyWay([encodeText(wire)], decodeAll), { content, rest }, JSON.stringify(wire));
    assertEquals(decodeReference(wire), { content, rest }, `the reference: ${JSON.stringify(wire)}`);
  }
});

property("a decoder does what the reference does, in all pieces", 3000, (random) => {
  const wire = drawText(random);
  const expected = decodeReference(wire);
  assertEquals(decodeAll([encodeText(wire)]), expected, JSON.stringify(wire));
  assertEquals(decodeAll(drawChunks(random, encodeText(wire))), expected, JSON.stringify(wire));
});

property("an encoder does what the reference does, in all pieces", 3000, (random) => {
  const content = drawText(random);
  const expected = encodeReference(content);
  assertEquals(encodeAll([encodeText(content)]), expected, JSON.stringify(content));
  assertEquals(encodeAll(drawChunks(random, encodeText(content))), expected, JSON.stringify(content));
});

property("what is encoded is decoded, with a line end at its end", 2000, (random) => {
  const content = drawText(random);
  const wire = encodeText(`${encodeAll([encodeText(content)])}QUIT\r\n`);
  const expected = /(?:^|\r\n)$/.test(content) ? content : `${content}\r\n`;
  assertEquals(decodeAll(drawChunks(random, wire)), { content: expected, rest: "QUIT\r\n" }, JSON.stringify(content));
});

property("bytes of any kind pass", 300, (random) => {
  const content = bytes(random.bytes(random.int(0, 300)), "\r\n");
  const [encoder, decoder] = [new DataEncoder(), new DataDecoder()];
  const wire = bytes(...drawChunks(random, content).map((chunk) => encoder.encode(chunk).slice()), encoder.end());
  const decoded = drawChunks(random, wire).flatMap((chunk) =>
    decoder.decode(chunk).content.map((piece) => piece.slice())
  );
  assertEquals(bytes(...decoded), content);
});

property("a CR or LF alone is found, in all pieces", 3000, (random) => {
  const text = drawText(random);
  const expected = /(?<!\r)\n|\r(?!\n)/.test(text);
  assertEquals(findsBare([encodeText(text)]), expected, JSON.stringify(text));
  assertEquals(findsBare(drawChunks(random, encodeText(text))), expected, JSON.stringify(text));
});

test("a decoder hands out two pieces of an input at most, however many dots went", () => {
  const { content } = new DataDecoder().decode(encodeText("..\r\n".repeat(1000)));
  assertEquals(content.length, 1);
  const decoder = new DataDecoder();
  decoder.decode(encodeText(".\r"));
  assertEquals(decoder.decode(encodeText("x\r\n..\r\n")).content.length, 2);
});

test("content without dots is not copied", () => {
  const wire = encodeText("a line\r\nanother\r\n.\r\n");
  const [piece] = new DataDecoder().decode(wire).content;
  assert(piece.buffer === wire.buffer && piece.length === wire.length - 3);
  const content = encodeText("a line\r\nanother\r\n");
  assert(new DataEncoder().encode(content).buffer === content.buffer);
});

const ROUNDS = 40;

/**
 * Fails when the least time that `costly` takes is not less than five times the least that `plain` does: what else the machine
 * does only adds, so both are tried, in turns, until it leaves them alone for long enough.
 */
async function assertAtMostFiveTimes(
  costly: () => void | Promise<void>,
  plain: () => void | Promise<void>,
): Promise<void> {
  const least = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS && (round < 3 || least[0] >= 5 * least[1]); round++) {
    for (const [i, work] of [costly, plain].entries()) {
      const start = performance.now();
      await work();
      least[i] = Math.min(least[i], performance.now() - start);
    }
  }
  assertLess(least[0], 5 * least[1]);
}

const MILLION = 1_000_000;
const dots = encodeText("..\r\n".repeat(MILLION));
const plain = encodeText("xx\r\n".repeat(MILLION));

test("a message of a million lines of two dots costs the server at most five times one without dots", () =>
  withOffice({ "no-fsync": true }, async ({ call }) => {
    const client = await call();
    const send = async (content: Uint8Array) => {
      await client.begin();
      await client.say(content, ".\r\n");
      assertMatch(await client.reply(), /^250/);
    };
    await assertAtMostFiveTimes(() => send(dots), () => send(plain));
  }));

test("putting dots into a million lines costs at most five times what lines without them do", async () => {
  const encode = (content: Uint8Array) => {
    const encoder = new DataEncoder();
    for (let at = 0; at < content.length; at += 65_536) encoder.encode(content.subarray(at, at + 65_536));
  };
  await assertAtMostFiveTimes(() => encode(dots), () => encode(plain));
});
