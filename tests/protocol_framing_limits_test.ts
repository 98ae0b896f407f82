import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { type Framer, LineFramer, makeFramer, RawFramer, wrap } from "../lib/protocol/framing.ts";
import { bytes, cutAll, everyWay, property, test } from "./helpers.ts";

const LIMIT = 24;
const NAMES = ["line", "len2", "len4", "len8", "be8"];
const make = (name: string): Framer => makeFramer(name, LIMIT)!;
const frame = (name: string, body: string) => wrap(make(name), bytes(body));

for (const name of NAMES) {
  test(`${name}: a body of the limit passes, one byte more is answered once, and the next frame is whole`, () => {
    for (const size of [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, LIMIT + 3, 3 * LIMIT]) {
      const frames = [frame(name, "before"), frame(name, "x".repeat(size)), frame(name, "after")];
      const cut = everyWay(frames, (chunks) => cutAll(make(name), chunks));
      const fits = size <= LIMIT;
      assertEquals([cut.length, cut[0], cut[2]], [3, "before", "after"], `${size} bytes`);
      if (fits) assertEquals(cut[1], "x".repeat(size));
      else assertEquals(cut[1].startsWith("!message too long: "), true, cut[1]);
    }
  });

  test(`${name}: several bodies over the limit in a row are answered once each`, () => {
    const long = frame(name, "y".repeat(2 * LIMIT));
    const frames = [long, long, frame(name, ""), long, frame(name, "end")];
    const cut = everyWay(frames, (chunks) => cutAll(make(name), chunks));
    assertEquals(cut.map((one) => one.slice(0, 18)), [
      "!message too long:",
      "!message too long:",
      "",
      "!message too long:",
      "end",
    ]);
  });
}

test("the limit of a line is without its CR LF", () => {
  const fits = "z".repeat(LIMIT);
  const stream = [bytes(`${fits}\r\n`), bytes(`${fits}z\r\n`), bytes(`${fits}\rz\n`), bytes("ok\r\n")];
  const cut = everyWay(stream, (chunks) => cutAll(new LineFramer(LIMIT), chunks));
  assertEquals([cut.length, cut[0], cut[3]], [4, fits, "ok"]);
});

test("a length that promises more than comes delivers nothing", () => {
  const queue = new ByteQueue();
  const framer = make("len4");
  assertEquals(everyWay([bytes("0010NAME")], (chunks) => cutAll(make("len4"), chunks)), []);
  assertEquals(cutAll(framer, [bytes("0010NAME")], queue), []);
  assertEquals(framer.end?.(queue) ?? null, null);
});

test("a length that promises less than comes is followed to the letter", () => {
  const cut = everyWay([bytes("0004NAME alice")], (chunks) => cutAll(make("len4"), chunks));
  assertEquals([cut[0], cut.length, cut[1].startsWith("!!")], ["NAME", 2, true]);
});

test("the largest length that fits the field is refused once and skipped to its last byte", () => {
  const body = "q".repeat(9999);
  const cut = cutAll(make("len4"), [bytes("9999"), bytes(body.slice(0, 5000)), bytes(body.slice(5000), "0002ok")]);
  assertEquals(cut, [`!message too long: 9999 bytes, the limit is ${LIMIT}`, "ok"]);
});

test("raw refuses what is longer than the limit, not counting the CR that it drops", () => {
  const fits = "r".repeat(LIMIT);
  const framer = new RawFramer(LIMIT);
  const queue = new ByteQueue();
  assertEquals(cutAll(framer, [bytes(fits), bytes(`${fits}\r`), bytes(`${fits}r`)], queue), [fits, fits]);
  framer.silence();
  const answer = `!message too long: ${LIMIT + 1} bytes, the limit is ${LIMIT}`;
  assertEquals(cutAll(framer, [bytes()], queue), [answer]);
  assertEquals([cutAll(framer, [bytes("ok")], queue), framer.silenceMs], [["ok"], null]);
});

test("raw: a message over the limit is one, in however many reads it comes, and its end is none", () => {
  const long = bytes("r".repeat(2 * LIMIT), "\r", "r".repeat(LIMIT));
  for (let i = LIMIT + 2; i <= long.length; i++) {
    for (
      const chunks of [[long.subarray(0, i), long.subarray(i)], [long.subarray(0, i), ...splitAll(long.subarray(i))]]
    ) {
      const framer = new RawFramer(LIMIT);
      const queue = new ByteQueue();
      assertEquals([cutAll(framer, chunks, queue), framer.skipping], [[], true]);
      framer.silence();
      const answer = `!message too long: ${3 * LIMIT + 1} bytes, the limit is ${LIMIT}`;
      assertEquals(cutAll(framer, [bytes(), bytes("ok")], queue), [answer, "ok"]);
    }
  }
});

test("raw: what is too long is answered at the end of the stream, too", () => {
  const framer = new RawFramer(LIMIT);
  const queue = new ByteQueue();
  assertEquals(cutAll(framer, [bytes("r".repeat(LIMIT + 1))], queue), []);
  assertThrows(() => framer.end(queue), ProtocolError, "message too long");
  assertEquals(framer.end(queue), null);
});

const splitAll = (stream: Uint8Array) => Array.from(stream, (_, i) => stream.subarray(i, i + 1));

/** Feeds `size` bytes in reads of 64 KiB, as a channel does; the most memory that the queue held. */
function mostMemory(
  framer: Framer,
  first: Uint8Array,
  size: number,
): { cut: number; capacity: number; waiting: number } {
  const queue = new ByteQueue();
  let cut = cutAll(framer, [first], queue).length;
  let capacity = 0;
  let waiting = 0;
  for (let fed = 0; fed < size; fed += 65_536) {
    queue.space(65_536).fill(0x61, 0, 65_536);
    queue.commit(65_536);
    cut += cutAll(framer, [bytes()], queue).length;
    capacity = Math.max(capacity, queue.capacity);
    waiting = Math.max(waiting, queue.length);
  }
  return { cut, capacity, waiting };
}

test("a line of 1 MiB without LF, and a body of 1 MiB over the limit, take no memory", () => {
  for (const [name, head] of [["line", ""], ["len8", "01048576"], ["be8", bytes(0, 0, 0, 0, 0, 0x10, 0, 0)]] as const) {
    const { cut, capacity, waiting } = mostMemory(make(name), bytes(head), 2 ** 20);
    assertEquals([cut, waiting], [1, 0], name);
    assertLessOrEqual(capacity, 2 * 65_536, name);
  }
});

test("a line that is long but allowed is not searched from its start at every byte", () => {
  // Counting instead of timing: what the framer asks of the queue.
  let looked = 0;
  class Counting extends ByteQueue {
    override indexOf(byte: number, from = 0): number {
      looked += this.length - from;
      return super.indexOf(byte, from);
    }
  }
  const framer = new LineFramer(20_000);
  const queue = new Counting();
  for (let i = 0; i < 10_000; i++) cutAll(framer, [bytes("a")], queue);
  assertEquals(cutAll(framer, [bytes("\n")], queue).length, 1);
  assertLessOrEqual(looked, 20_002);
});

property(
  "random bytes throw nothing but protocol errors, end, and leave no more than one frame waiting",
  400,
  (random) => {
    const name = random.pick([...NAMES, "len1", "raw"]);
    const alphabet = random.pick(["0123456789", "0123456789\n\rab", "\0\x01\x08a", "a\n", ""]);
    const queue = new ByteQueue(random.int(1, 32));
    const chunks = Array.from({ length: random.int(0, 30) }, () => {
      const size = random.int(0, 40);
      if (alphabet === "" || random.chance(0.1)) return random.bytes(size);
      return bytes(Array.from({ length: size }, () => alphabet[random.int(0, alphabet.length - 1)]).join(""));
    });
    const cut = cutAll(make(name), chunks, queue);
    const good = cut.filter((one) => !one.startsWith("!"));
    for (const body of good) assertLessOrEqual([...body].length, LIMIT, name);
    if (!cut.some((one) => one.startsWith("!!"))) assertLessOrEqual(queue.length, LIMIT + 8, name);
    if (name !== "raw") {
      assertEquals(
        cutAll(make(name), [bytes(...chunks)]),
        cut,
        `${name}: not the same when coalesced`,
      );
    }
  },
);
