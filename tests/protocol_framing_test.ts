import { assertEquals, assertThrows } from "@std/assert";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import {
  BigEndianFramer,
  DigitsFramer,
  type Framer,
  LineFramer,
  makeFramer,
  RawFramer,
  wrap,
} from "../lib/protocol/framing.ts";
import { bytes, cutAll, everyWay, property, test } from "./helpers.ts";

const LIMIT = 64;
const NAMES = ["line", "len1", "len2", "len3", "len4", "len5", "len6", "len7", "len8", "be8"];
const make = (name: string, maxBytes = LIMIT): Framer => makeFramer(name, maxBytes)!;

test("frames are cut the same way however the stream arrives", () => {
  for (const name of NAMES) {
    const bodies = ["NAME a", "", "hë🦕", "x", "MSG b 1"];
    const frames = bodies.map((body) => wrap(make(name), bytes(body)));
    assertEquals(everyWay(frames, (chunks) => cutAll(make(name), chunks)), bodies, name);
  }
});

test("each framing looks on the wire as its comment says", () => {
  const wire = (name: string, body: string) => wrap(make(name), bytes(body));
  assertEquals(wire("line", "NAME alice"), bytes("NAME alice\n"));
  assertEquals(wire("len4", "NAME alice"), bytes("0010NAME alice"));
  assertEquals(wire("len2", "é"), bytes("02é"));
  assertEquals(wire("len8", ""), bytes("00000000"));
  assertEquals(wire("be8", "NAME alice"), bytes(0, 0, 0, 0, 0, 0, 0, 10, "NAME alice"));
  assertEquals(wire("raw", "NAME alice"), bytes("NAME alice"));
});

test("a framer is sealed into the middle of a buffer, too", () => {
  for (const name of NAMES) {
    const framer = make(name);
    const expected = wrap(framer, bytes("body"));
    const buffer = new Uint8Array(40).fill(0xee);
    buffer.set(bytes("body"), 7 + framer.headBytes);
    framer.seal(buffer, 7, 4);
    assertEquals(buffer.subarray(7, 7 + expected.length), expected, name);
    assertEquals([buffer[6], buffer[7 + expected.length]], [0xee, 0xee], name);
  }
});

test("a line may end in LF or CR LF, and only one CR before LF is dropped", () => {
  const stream = bytes("a\nb\r\nc\r\r\nd\re\n\n\r\n\r\r\n");
  const cut = everyWay([stream], (chunks) => cutAll(new LineFramer(LIMIT), chunks));
  assertEquals(cut, ["a", "b", "c\r", "d\re", "", "", "\r"]);
});

test("a line without its end is no frame, neither during the stream nor after it", () => {
  const queue = new ByteQueue();
  const framer: Framer = new LineFramer(LIMIT);
  assertEquals(cutAll(framer, [bytes("GET_NAM")], queue), []);
  assertEquals(framer.end?.(queue) ?? null, null);
  assertEquals(cutAll(framer, [bytes("ES\n")], queue), ["GET_NAMES"]);
});

test("lengths count bytes, not characters", () => {
  const short = cutAll(new DigitsFramer(2, LIMIT), [bytes("07MSG b é")]);
  assertEquals(short, ["MSG b \ufffd", '!!length field is not a number: "\\xa9"']);
  assertEquals(cutAll(new DigitsFramer(2, LIMIT), [bytes("08MSG b é02ok")]), ["MSG b é", "ok"]);
});

test("a length field that is not a number is fatal, and says where it is wrong", () => {
  const cases: [string, number][] = [
    ["NAME alice", 0],
    ["00x5hello", 2],
    ["-001x", 0],
    ["+001x", 0],
    ["0x10x", 1],
    ["1e3 x", 1],
    ["  10x", 0],
    ["001\n", 3],
    ["٠٠٠٥", 0], // digits, but not ASCII ones
  ];
  for (const [text, offset] of cases) {
    const cut = everyWay([bytes(text)], (chunks) => cutAll(new DigitsFramer(4, LIMIT), chunks));
    assertEquals(cut.length, 1, text);
    assertEquals(cut[0].slice(0, 33), '!!length field is not a number: "', text);
    const queue = new ByteQueue();
    queue.push(bytes(text));
    const error = assertThrows(() => new DigitsFramer(4, LIMIT).cut(queue), ProtocolError);
    assertEquals([error.offset, error.fatal, error.kind, error.side], [offset, true, "protocol", "remote"], text);
  }
});

test("a wrong length field is answered at its first wrong byte, before the head is complete", () => {
  assertEquals(cutAll(new DigitsFramer(8, LIMIT), [bytes("N")]).length, 1);
  assertEquals(cutAll(new DigitsFramer(8, LIMIT), [bytes("0000000")]), []);
});

test("control characters in a wrong length field are not repeated raw", () => {
  const [answer] = cutAll(new DigitsFramer(4, LIMIT), [bytes("0\x1b[2J")]);
  assertEquals(answer.includes("\x1b"), false);
});

test("be8 lengths that no stream can hold are fatal, large ones that it can are refused once", () => {
  const head = (length: bigint) => {
    const field = new Uint8Array(8);
    new DataView(field.buffer).setBigUint64(0, length);
    return field;
  };
  const cut = (length: bigint, ...more: Uint8Array[]) =>
    everyWay([head(length), ...more], (chunks) => cutAll(new BigEndianFramer(LIMIT), chunks));
  for (const length of [2n ** 64n - 1n, 2n ** 63n, 2n ** 53n]) {
    const [error, ...others] = cut(length, bytes("some body"));
    assertEquals([error.slice(0, 24), others], ["!!length field says " + `${Number(length)}`.slice(0, 4), []]);
  }
  const most = 0x00ff_ffff_ffff_ffffn;
  assertEquals(cut(most, bytes("x")), [`!!length field says ${most} bytes`]); // exactly
  assertEquals(cut(2n ** 53n - 1n, bytes("some body")), [`!message too long: ${2 ** 53 - 1} bytes, the limit is 64`]);
  assertEquals(cut(2n ** 32n + 3n, bytes("abc")), [`!message too long: ${2 ** 32 + 3} bytes, the limit is 64`]);
  assertEquals(cut(3n, bytes("abc"), head(0n), head(1n), bytes("d")), ["abc", "", "d"]);
});

test("raw takes what a read brought, drops one CR at its end, and promises no more", () => {
  const cut = cutAll(new RawFramer(LIMIT), [bytes("NAME a"), bytes("GET_NAMES\r"), bytes("x\r\r"), bytes("\r")]);
  assertEquals(cut, ["NAME a", "GET_NAMES", "x\r", ""]);
  assertEquals(new RawFramer(LIMIT).cut(new ByteQueue()), null);
});

test("frames that lines and raw cannot mark stay as they are on the way out", () => {
  assertEquals(wrap(new RawFramer(LIMIT), bytes()), bytes());
  assertEquals(wrap(new LineFramer(LIMIT), bytes()), bytes("\n"));
});

test("a body that the length field has no room for is our error, and nothing is sent", () => {
  const refused = (name: string, length: number) =>
    assertThrows(() => wrap(make(name), new Uint8Array(length)), ProtocolError);
  const error = refused("len2", 100);
  assertEquals(
    [error.side, error.kind, error.fatal, error.message],
    ["local", "limit", false, "100 bytes do not fit: len2 carries 99 at most"],
  );
  refused("len1", 10);
  refused("len4", 10_000);
  assertEquals(wrap(make("len2"), new Uint8Array(99)).length, 101);
  assertEquals(wrap(make("len1"), new Uint8Array(9)).length, 10);
});

test("our own limit is for what comes in: longer frames may go out", () => {
  assertEquals(wrap(make("len4", 8), new Uint8Array(9999)).length, 10_003);
  assertEquals(wrap(make("line", 8), new Uint8Array(9999)).length, 10_000);
});

test("framers are made by the names that --wire takes, and by no others", () => {
  for (const name of [...NAMES, "raw"]) assertEquals(makeFramer(name, LIMIT)?.name, name);
  for (const name of ["", "auto", "len0", "len9", "len10", "len", "LINE", "line ", "xlen4", "len4x"]) {
    assertEquals(makeFramer(name, LIMIT), null, name);
  }
});

property("what is wrapped is cut again, whatever it is and however it arrives", 300, (random) => {
  const name = random.pick(NAMES);
  const alphabet = ["a", "\0", "é", "漢", "🦕", "\x1b", "0", "9", " ", "\t", ...(name === "line" ? [] : ["\r", "\n"])];
  const longest = Math.min(make(name).maxBody, 300);
  const bodies = Array.from({ length: random.int(0, 8) }, () => {
    let body = "";
    for (let i = random.int(0, 60); i > 0; i--) body += random.pick(alphabet);
    while (bytes(body).length > longest) body = body.slice(0, -1).replace(/[\ud800-\udbff]$/, "");
    return body;
  });
  const stream = bytes(...bodies.map((body) => wrap(make(name), bytes(body))));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const end = at + random.int(1, random.chance(0.3) ? 400 : 10);
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  assertEquals(cutAll(make(name, longest), chunks, new ByteQueue(random.int(1, 64))), bodies, name);
});
