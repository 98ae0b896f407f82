import { assert, assertEquals, assertInstanceOf, assertLessOrEqual, assertThrows } from "@std/assert";
import { AutoFramer, SILENCE_MS } from "../lib/protocol/auto_framing.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { wrap } from "../lib/protocol/framing.ts";
import type { Random } from "../lib/protocol/random.ts";
import { decodeLossy } from "../lib/protocol/text.ts";
import { bytes, cutAll, everyWay, property, test } from "./helpers.ts";

const LIMIT = 32;

/** A connection whose framing is not known yet: what it decides is in `decided`. */
class Connection {
  readonly decided: string[] = [];
  readonly queue = new ByteQueue();
  readonly framer: AutoFramer;

  constructor(lengths: boolean, isComplete: (text: string) => boolean) {
    this.framer = new AutoFramer({
      maxBytes: LIMIT,
      lengths,
      isComplete,
      onDecided: (framer) => this.decided.push(framer.name),
    });
  }

  receive(...chunks: (string | Uint8Array)[]): string[] {
    return cutAll(this.framer, chunks.map((chunk) => bytes(chunk)), this.queue);
  }

  silence(): string[] {
    this.framer.silence(this.queue);
    return this.receive("");
  }

  end(): string | null {
    const frame = this.framer.end(this.queue);
    return frame === null ? null : decodeLossy(frame);
  }
}

/** As chat: commands start with a letter. */
const chat = () => new Connection(true, (text) => /^(EXIT|GET_NAMES|NAME +\S+|MSG +\S+ .+|[^EGNM].*)$/s.test(text));
/** As the exercises in which every text is a message. */
const freeText = () => new Connection(false, () => true);

const be8 = (body: string) => bytes(0, 0, 0, 0, 0, 0, 0, bytes(body).length, body);

test("chat: the first bytes decide, however they arrive", () => {
  const cases: [string, Uint8Array[], string[]][] = [
    ["len1", [bytes("6NAME a"), bytes("4EXIT")], ["NAME a", "EXIT"]],
    ["len2", [bytes("10NAME alice"), bytes("09GET_NAMES")], ["NAME alice", "GET_NAMES"]],
    ["len4", [bytes("0009NAME Zoë"), bytes("0004EXIT")], ["NAME Zoë", "EXIT"]],
    ["len8", [bytes("00000004EXIT"), bytes("00000000")], ["EXIT", ""]],
    ["be8", [be8("NAME 🦕"), be8("EXIT")], ["NAME 🦕", "EXIT"]],
    ["line", [bytes("NAME alice\n"), bytes("GET_NAMES\r\n"), bytes("\n")], ["NAME alice", "GET_NAMES", ""]],
    ["line", [bytes("\n"), bytes("0010NAME alice\n")], ["", "0010NAME alice"]],
  ];
  for (const [name, frames, expected] of cases) {
    const cut = everyWay(frames, (chunks) => {
      const connection = chat();
      const cut = connection.receive(...chunks);
      assertEquals(connection.decided, [name]);
      assertEquals(connection.framer.name, name);
      return cut;
    });
    assertEquals(cut, expected);
  }
});

test("free text: digits and zero bytes are text, and LF means lines", () => {
  for (const text of ["10 apples", "0010NAME alice", "\0\0\0\0\0\0\0\x01a", "123456789012"]) {
    const frames = [bytes(text, "\n"), bytes("more\r\n")];
    const cut = everyWay(frames, (chunks) => {
      const connection = freeText();
      const cut = connection.receive(...chunks);
      assertEquals(connection.decided, ["line"]);
      return cut;
    });
    assertEquals(cut, [text, "more"]);
  }
});

test("nothing is decided before the digits have ended", () => {
  const connection = chat();
  for (const digit of "0010") {
    assertEquals(connection.receive(digit), []);
    assertEquals([connection.framer.name, connection.framer.silenceMs], ["auto", SILENCE_MS]);
  }
  assertEquals(connection.receive("N"), []);
  assertEquals([connection.framer.name, connection.framer.silenceMs], ["len4", null]);
  assertEquals(connection.receive("AME alice"), ["NAME alice"]);
});

test("silence does not make a message of digits or of a zero byte, nor of nothing", () => {
  for (const start of ["0010", "7", "0", "000", "00000", "\0", "\0\0\0\0", ""]) {
    const connection = chat();
    assertEquals(
      [connection.receive(start), connection.silence(), connection.end()],
      [[], [], null],
      JSON.stringify(start),
    );
    assertEquals(connection.decided, start.startsWith("\0") ? ["be8"] : [], JSON.stringify(start));
  }
});

test("a complete message, no LF and silence mean raw", () => {
  for (const make of [chat, freeText]) {
    for (const [sent, text] of [["NAME alice", "NAME alice"], ["GET_NAMES\r", "GET_NAMES"]]) {
      const connection = make();
      assertEquals(connection.receive(sent), []);
      assertEquals(connection.silence(), [text]);
      assertEquals([connection.decided, connection.framer.silenceMs, connection.framer.coalesces], [
        ["raw"],
        null,
        false,
      ]);
      assertEquals(connection.receive("MSG bob hi"), ["MSG bob hi"]);
    }
  }
});

test("a message as long as the limit may be raw, with a CR behind it too", () => {
  const body = `MSG bob ${"x".repeat(LIMIT - 8)}`;
  for (const end of ["", "\r"]) {
    const connection = chat();
    connection.receive(body + end);
    assertEquals(connection.silence(), [body]);
  }
});

test("what is incomplete stays undecided in silence, and goes on where it was", () => {
  const connection = chat();
  assertEquals([connection.receive("NAM"), connection.silence()], [[], []]);
  assertEquals([connection.receive("E"), connection.silence()], [[], []]);
  assertEquals(connection.receive(" ali"), []);
  assertEquals(connection.decided, []);
  assertEquals(connection.receive("ce\n"), ["NAME alice"]);
  assertEquals(connection.decided, ["line"]);
});

test("silence after a decision changes nothing", () => {
  const connection = chat();
  connection.receive("NAME alice\nGET_NAMES");
  assertEquals([connection.silence(), connection.decided], [[], ["line"]]);
  assertEquals(connection.receive("\n"), ["GET_NAMES"]);
});

test("a raw connection that sends LF becomes line, for good", () => {
  const connection = chat();
  connection.receive("NAME alice");
  connection.silence();
  assertEquals(connection.receive("GET_NAMES\nMSG bob one\r\nMSG bob t"), ["GET_NAMES", "MSG bob one"]);
  assertEquals(connection.decided, ["raw", "line"]);
  assertEquals(connection.receive("wo\n", "EXIT"), ["MSG bob two"]);
  assertEquals(connection.decided, ["raw", "line"]);
});

test("the end of the stream delivers a complete message that nothing framed", () => {
  const connection = chat();
  connection.receive("NAME alice");
  assertEquals([connection.end(), connection.decided], ["NAME alice", ["raw"]]);
});

test("the end of the stream makes a message of text that nothing can complete any more: it is answered, too", () => {
  for (const start of ["NAM", "NAME", "MSG bob\r"]) {
    const connection = chat();
    assertEquals([connection.receive(start), connection.silence(), connection.decided], [[], [], []]);
    assertEquals([connection.end(), connection.decided], [start.replace("\r", ""), ["raw"]]);
  }
});

test("the end of the stream delivers nothing that is unfinished", () => {
  for (const start of ["0010NAME", "0010", "NAME alice\nGET_NAMES", "\0\0\0\0\0\0\0\x04EXI", ""]) {
    const connection = chat();
    connection.receive(start);
    assertEquals(connection.end(), null, start);
  }
});

test("chat: lengths of empty messages before the first are told from a longer length", () => {
  const one = ["0010NAME alice", "0009GET_NAMES"];
  const cases: [frames: string[], decided: string[], cut: string[]][] = [
    // Read as 8 digits, the first two lengths say the same, but for the empty message.
    [["0000", ...one], ["len8", "len4"], ["NAME alice", "GET_NAMES"]],
    [["0000", "0010NAME alice", "0000", "0000", ...one], ["len8", "len4"], [
      "NAME alice",
      "",
      "NAME alice",
      "GET_NAMES",
    ]],
    [["0000", "0000", ...one], ["len4"], ["", "", "NAME alice", "GET_NAMES"]],
    [["0000", "0000", "0000", ...one], ["len8", "len4"], ["", "NAME alice", "GET_NAMES"]],
    [["00000000", "00000010NAME alice", "00000009GET_NAMES"], ["len8"], ["", "NAME alice", "GET_NAMES"]],
  ];
  for (const [frames, decided, expected] of cases) {
    const cut = everyWay(frames.map((frame) => bytes(frame)), (chunks) => {
      const connection = chat();
      const cut = connection.receive(...chunks);
      assertEquals(connection.decided, decided);
      return cut;
    });
    assertEquals(cut, expected);
  }
  assertEquals(chat().receive(`${"0".repeat(33)}`), ['!!length field is not a number of 1 to 8 digits: "000000000"']);
});

test("chat: four zeros and silence are the length of an empty message, which is answered", () => {
  for (const zeros of [4, 8, 12]) {
    const connection = chat();
    assertEquals([connection.receive("0".repeat(zeros)), connection.decided], [[], []]);
    const width = zeros === 8 ? 8 : 4;
    assertEquals(connection.silence(), Array(zeros / width).fill(""));
    assertEquals(connection.decided, [`len${width}`]);
    assertEquals(connection.receive("0010NAME alice", "0009GET_NAMES"), ["NAME alice", "GET_NAMES"]);
    assertEquals(connection.framer.name, "len4");
  }
});

test("a length of 8 digits that ends too early is as wrong as any where it cannot have been two", () => {
  const narrow = chat();
  narrow.receive("0000", "0010NAME alice", "0009GET_NAMES");
  assertEquals(narrow.receive("00x"), ['!!length field is not a number: "00x"']);
  assertEquals(chat().receive("00000004EXIT", "001x"), ["EXIT", '!!length field is not a number: "001x"']);
  const tooLong = ["!message too long: 10000 bytes, the limit is 32", '!!length field is not a number: "0009G"'];
  assertEquals(chat().receive("00010000", "x".repeat(10_000), "0009GET_NAMES"), tooLong);
});

test("more than eight digits are no length, and fatal", () => {
  const cut = everyWay([bytes("0000000010NAME alice")], (chunks) => chat().receive(...chunks));
  assertEquals(cut, ['!!length field is not a number of 1 to 8 digits: "000000001"']);
  const queue = new ByteQueue();
  queue.push(bytes("123456789"));
  const error = assertThrows(() => chat().framer.cut(queue), ProtocolError);
  assertEquals([error.fatal, error.offset], [true, 8]);
});

test("a message over the limit is answered once, when its LF has come, which makes the connection line", () => {
  const connection = chat();
  assertEquals(connection.receive(`MSG bob ${"x".repeat(LIMIT)}`, "x".repeat(1000)), []);
  assertEquals([connection.queue.length, connection.decided], [1, []]);
  assertEquals(connection.receive("x\nEXIT\n"), ["!message too long: more than 32 bytes", "EXIT"]);
  assertEquals(connection.decided, ["line"]);
  const frames = [bytes(`MSG bob ${"y".repeat(LIMIT)}\n`), bytes("EXIT\n")];
  const cut = everyWay(frames, (chunks) => chat().receive(...chunks));
  assertEquals(cut, ["!message too long: more than 32 bytes", "EXIT"]);
});

test("a message over the limit that silence ends is answered then, and the connection is raw", () => {
  for (const make of [chat, freeText]) {
    for (const last of ["x", "0"]) {
      const connection = make();
      assertEquals(connection.receive("x".repeat(LIMIT + 2), "x".repeat(3 * LIMIT), last), []);
      assertEquals([connection.queue.length, connection.framer.silenceMs], [1, SILENCE_MS]);
      assertEquals(connection.silence(), ["!message too long: 131 bytes, the limit is 32"]);
      assertEquals([connection.decided, connection.framer.silenceMs], [["raw"], null]);
      assertEquals(connection.receive("EXIT", "EXIT"), ["EXIT", "EXIT"]);
    }
  }
});

test("a message over the limit that the end of the stream ends is still answered", () => {
  const connection = freeText();
  connection.receive("x".repeat(LIMIT + 2));
  assertThrows(() => connection.end(), ProtocolError, "message too long: 34 bytes, the limit is 32");
});

test("once it is raw, what is over the limit is answered when silence or an LF has ended it", () => {
  const begin = () => {
    const connection = freeText();
    connection.receive("hello");
    connection.silence();
    assertEquals(connection.receive("x".repeat(LIMIT + 1), "x".repeat(LIMIT)), []);
    return connection;
  };
  const silent = begin();
  assertEquals(silent.silence(), ["!message too long: 65 bytes, the limit is 32"]);
  assertEquals(silent.receive("again"), ["again"]);
  const ended = begin();
  assertEquals(ended.receive("x\nagain\n"), ["!message too long: more than 32 bytes", "again"]);
  assertEquals(ended.decided, ["raw", "line"]);
});

test("lengths over the limit are answered and skipped after the decision, too", () => {
  const frames = [bytes("0040", "x".repeat(40)), bytes("0004EXIT")];
  const cut = everyWay(frames, (chunks) => chat().receive(...chunks));
  assertEquals(cut, ["!message too long: 40 bytes, the limit is 32", "EXIT"]);
});

test("answers are lines until the framing is known, and in the client's framing from then on", () => {
  const connection = chat();
  assertEquals(wrap(connection.framer, bytes("ERROR")), bytes("ERROR\n"));
  connection.receive("002");
  assertEquals(wrap(connection.framer, bytes("ERROR")), bytes("ERROR\n"));
  connection.receive("X");
  assertEquals(wrap(connection.framer, bytes("ERROR")), bytes("005ERROR"));
  assertEquals(connection.framer.maxBody, 999);
});

/** Bytes that look like several framings at once, cut at random. */
function anyStream(random: Random): { stream: Uint8Array; chunks: Uint8Array[] } {
  const parts = ["NAME a", "EXIT", "MSG b x", "\n", "\r\n", "0", "4", "0004", "0010NAME alice", "\0", be8("hi"), "é🦕"];
  const stream = bytes(
    ...Array.from({ length: random.int(1, 20) }, () => random.chance(0.1) ? random.bytes(5) : random.pick(parts)),
  );
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const end = at + random.int(1, 12);
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  return { stream, chunks };
}

property("without silence, the decision and the frames do not depend on how the stream is split", 500, (random) => {
  const make = random.pick([chat, freeText]);
  const { stream, chunks } = anyStream(random);
  const [one, other] = [make(), make()];
  assertEquals(one.receive(...chunks), other.receive(stream));
  assertEquals(one.decided, other.decided);
});

property("random bytes and silences throw nothing but protocol errors, and little is kept", 500, (random) => {
  const connection = random.pick([chat, freeText])();
  for (const chunk of anyStream(random).chunks) {
    const cut = [...connection.receive(chunk), ...(random.chance(0.3) ? connection.silence() : [])];
    if (cut.some((one) => one.startsWith("!!"))) return;
    assertLessOrEqual(connection.queue.length, LIMIT + 8);
  }
  try {
    connection.end();
  } catch (error) {
    assertInstanceOf(error, ProtocolError);
  }
  assertLessOrEqual(connection.decided.length, 2);
  assert(connection.decided.length < 2 || connection.decided.join() === "raw,line");
});
