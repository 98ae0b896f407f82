// The PDUs of transfer byte for byte (checksums by Python's zlib.crc32), their refusals, their writing, names, and what counts
// chunks.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Gaps } from "../lib/exercises/gaps.ts";
import { formatPdu, parsePdu } from "../lib/exercises/transfer/notation.ts";
import {
  acceptPdu,
  ackPdu,
  chunksOf,
  decodePdu,
  donePdu,
  encodePdu,
  errorPdu,
  finPdu,
  formatRanges,
  HEADER_BYTES,
  MAX_CHUNK,
  MAX_PAYLOAD,
  nameProblem,
  type Offer,
  openPdu,
  payloadBytes,
  type Pdu,
  PDU_TYPES,
  readAccept,
  readDuplicates,
  readError,
  readOffer,
  SCHEMES,
} from "../lib/exercises/transfer/protocol.ts";
import { crc32 } from "../lib/protocol/crc32.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import type { Random } from "../lib/protocol/random.ts";
import { encodeText, hasUnsafe } from "../lib/protocol/text.ts";
import { bytes, property, test } from "./helpers.ts";

const SESSION = 0x0102_0304;
const DIGEST = Uint8Array.from({ length: 32 }, (_, i) => i);
const DIGEST_HEX = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OFFER: Offer = {
  name: "né 1.txt",
  size: 1_234_567,
  chunk: 1400,
  window: 256,
  scheme: "selective-repeat",
  resume: true,
};

const data = (seq: number, flags: number, text: string): Pdu => ({
  ...{ type: "DATA", flags, session: SESSION, seq, payload: encodeText(text) } as const,
});

/** What it is, and: type flags · session · seq · length · crc32 · payload. */
const WIRE: [Pdu, string][] = [
  [openPdu(SESSION, OFFER), "0101 01020304 00000000 0016 5f08008c 000000000012d687 0578 0100 03 6ec3a920312e747874"],
  [
    openPdu(0xfeed_beef, { name: "-", size: null, chunk: 100, window: 1, scheme: "stop-and-wait", resume: false }),
    "0100 feedbeef 00000000 000e 2d1a0212 ffffffffffffffff 0064 0001 01 2d",
  ],
  [acceptPdu(SESSION, 0, 256, null), "0200 01020304 00000000 0002 567debeb 0100"],
  [acceptPdu(SESSION, 0xffff_fffe, 16, DIGEST), `0200 01020304 fffffffe 0022 7f12dc44 0010 ${DIGEST_HEX}`],
  [data(0xffff_fffe, 1, "hello"), "0301 01020304 fffffffe 0005 af72aa5e 68656c6c6f"],
  [{ ...data(0, 0, "\0"), session: 0 }, "0300 00000000 00000000 0001 5129799c 00"],
  [ackPdu(SESSION, 70_000), "0400 01020304 00011170 0000 499c0740"],
  [ackPdu(SESSION, 5, bytes(0x05, 0x80)), "0400 01020304 00000005 0002 9b425405 0580"],
  [finPdu(SESSION, 3, DIGEST), `0500 01020304 00000003 0020 fce33ade ${DIGEST_HEX}`],
  [donePdu(SESSION, 3, 70_000), "0600 01020304 00000003 0004 d53cfef9 00011170"],
  [errorPdu(SESSION, 2, "no"), "0700 01020304 00000000 0004 0e50752b 0002 6e6f"],
];

const fromHex = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (pair) => parseInt(pair, 16));

test("every PDU has the layout that its header comment says, byte for byte", () => {
  for (const [pdu, hex] of WIRE) {
    assertEquals(encodePdu(pdu), fromHex(hex), pdu.type);
    assertEquals(decodePdu(fromHex(hex)), pdu);
    assertEquals(payloadBytes(fromHex(hex)), pdu.payload.length);
  }
  assertEquals(new Set(WIRE.map(([{ type }]) => type)), new Set(PDU_TYPES));
});

test("the checksum is CRC-32 as zip has it", () => {
  assertEquals(crc32(encodeText("123456789")), 0xcbf4_3926);
  assertEquals(crc32(new Uint8Array(0)), 0);
});

test("a PDU with any one bit flipped is refused", () => {
  for (const [pdu, hex] of WIRE) {
    const wire = fromHex(hex);
    for (let bit = 0; bit < 8 * wire.length; bit++) {
      const wrong = wire.slice();
      wrong[bit >> 3] ^= 1 << (bit & 7);
      assertThrows(() => decodePdu(wrong), ProtocolError, undefined, `${pdu.type} with bit ${bit} flipped`);
    }
  }
});

test("a PDU cut off anywhere, or with a byte too many, is refused", () => {
  for (const [, hex] of WIRE) {
    const wire = fromHex(hex);
    for (let length = 0; length < wire.length; length++) {
      assertThrows(() => decodePdu(wire.subarray(0, length)), ProtocolError, "truncated PDU");
    }
    assertThrows(() => decodePdu(bytes(wire, 0)), ProtocolError, "truncated PDU");
  }
});

test("a refusal of a PDU says what is wrong with it, and where", () => {
  const wrong = (at: number, value: number) => {
    const wire = encodePdu(data(1, 0, "hello"));
    wire[at] = value;
    const error = assertThrows(() => decodePdu(wire), ProtocolError);
    return [error.message, error.offset, error.side];
  };
  assertEquals(wrong(0, 0), ["no such type of PDU: 0", 0, "remote"]);
  assertEquals(wrong(0, 8), ["no such type of PDU: 8", 0, "remote"]);
  assertEquals(wrong(11, 6), ["truncated PDU: 5 bytes of 6", 10, "remote"]);
  assertEquals(wrong(10, 1), ["truncated PDU: 5 bytes of 261", 10, "remote"]);
  assertEquals(wrong(20, 0), ["checksum is wrong: changed on the way", 12, "remote"]);
});

const drawPdu = (random: Random): Pdu => ({
  type: random.pick(PDU_TYPES),
  flags: random.int(0, 255),
  session: random.uint32(),
  seq: random.uint32(),
  payload: random.bytes(random.pick([0, 1, 2, 30, 255, 256, 1400])),
});

property("whatever the fields are, they come back", 1000, (random) => {
  const pdu = drawPdu(random);
  assertEquals(decodePdu(encodePdu(pdu)), pdu);
});

property("random bytes are no PDU, even with a type and a length that could be right", 2000, (random) => {
  const wire = random.bytes(random.int(0, 60));
  if (random.chance(0.8) && wire.length >= HEADER_BYTES) {
    wire.set([random.int(1, 7)]), wire.set([0, wire.length - 16], 10);
  }
  assertThrows(() => decodePdu(wire), ProtocolError);
});

test("the longest payload passes, and one byte more is our own mistake", () => {
  const longest = { ...data(0, 0, ""), payload: new Uint8Array(MAX_PAYLOAD) };
  assertEquals(decodePdu(encodePdu(longest)).payload.length, MAX_PAYLOAD);
  const longer = { ...longest, payload: new Uint8Array(MAX_PAYLOAD + 1) };
  assertEquals(assertThrows(() => encodePdu(longer), ProtocolError, "65492 bytes do not fit into a PDU").side, "local");
});

property("an offer comes back as it was made", 500, (random) => {
  const chunk = random.int(1, MAX_CHUNK);
  const offer: Offer = {
    name: random.pick(["a", "file name.txt", "داده", "📦 box", "x".repeat(255)]),
    size: random.pick([null, 0, 1, random.uint32(), chunk * 0xffff_ffff]),
    chunk,
    window: random.int(1, 65_535),
    scheme: random.pick(SCHEMES),
    resume: random.chance(0.5),
  };
  assertEquals(readOffer(decodePdu(encodePdu(openPdu(7, offer)))), offer);
});

test("an offer that cannot be meant is refused", () => {
  const refused = (change: (payload: Uint8Array) => Uint8Array | void) => {
    const { payload, ...open } = openPdu(1, OFFER);
    return assertThrows(() => readOffer({ ...open, payload: change(payload) ?? payload }), ProtocolError).message;
  };
  const cut = "OPEN is too short";
  for (const length of [0, 1, 12]) assertEquals(refused((payload) => payload.subarray(0, length)), cut);
  assertEquals(refused((payload) => payload.set([0, 0], 8)), "no such chunk size: 0");
  assertEquals(refused((payload) => payload.set([0xfd, 0xe9], 8)), "no such chunk size: 65001");
  assertEquals(refused((payload) => payload.set([0, 0], 10)), "no such window: 0");
  assertEquals(refused((payload) => payload.set([4], 12)), "no such ARQ scheme: 4");
  assertEquals(
    refused((payload) => bytes(payload, "x".repeat(247))),
    "the name is too long: 256 bytes, the limit is 255",
  );
  assertEquals(refused((payload) => bytes(payload, 0xff)), "invalid UTF-8 at byte 9");
});

test("ACCEPT without a window, or with a window of 0, says nothing; what it says is kept", () => {
  const accept = (...payload: number[]) => readAccept({ ...acceptPdu(1, 0, 1, null), payload: bytes(...payload) });
  assertEquals([accept(), accept(1), accept(0, 0)], [null, null, null]);
  assertEquals(accept(1, 2), { window: 258, digest: null });
  assertEquals(readAccept(acceptPdu(1, 9, 65_535, DIGEST)), { window: 65_535, digest: DIGEST });
  const pdu = acceptPdu(1, 9, 1, DIGEST);
  const read = readAccept(pdu);
  pdu.payload.fill(0);
  assertEquals(read?.digest, DIGEST);
});

test("DONE and ERROR that are too short are read as far as they go", () => {
  assertEquals(readDuplicates({ ...donePdu(1, 0, 5), payload: bytes(1, 2, 3) }), 0);
  assertEquals(readDuplicates(donePdu(1, 0, 0xffff_ffff)), 0xffff_ffff);
  assertEquals(readError({ ...errorPdu(1, 0, ""), payload: bytes(9) }), { code: 0, text: "" });
  assertEquals(readError({ ...errorPdu(1, 0, ""), payload: bytes(1, 2, 0xff) }), { code: 258, text: "\ufffd" });
});

test("the text of an ERROR is written out, and cut off where it is too long", () => {
  assertEquals(readError(errorPdu(1, 5, "disk\x1b[31m full")).text, "disk\\x1b[31m full");
  assertEquals(readError(errorPdu(1, 5, "é".repeat(2000))).text, "é".repeat(512));
});

test("in writing, a PDU shows its fields", () => {
  const written = WIRE.map(([pdu]) => formatPdu(pdu));
  const s = "session=16909060";
  assertEquals(written, [
    `OPEN ${s} size=1234567 chunk=1400 window=256 arq=selective-repeat resume "né 1.txt"`,
    'OPEN session=4276993775 size=unknown chunk=100 window=1 arq=stop-and-wait "-"',
    `ACCEPT ${s} seq=0 window=256`,
    `ACCEPT ${s} seq=4294967294 window=16 digest=${DIGEST_HEX}`,
    `DATA ${s} seq=4294967294 push "hello"`,
    'DATA session=0 seq=0 "\\x00"',
    `ACK ${s} seq=70000`,
    `ACK ${s} seq=5 bitmap=1010000000000001`,
    `FIN ${s} seq=3 digest=${DIGEST_HEX}`,
    `DONE ${s} seq=3 duplicates=70000`,
    `ERROR ${s} code=2 "no"`,
  ]);
  for (const [i, [pdu]] of WIRE.entries()) assertEquals(parsePdu(written[i]), pdu);
});

test("what is written less fully has the usual rest", () => {
  const open = readOffer(parsePdu('OPEN "a"'));
  assertEquals(open, { name: "a", size: 0, chunk: 100, window: 1, scheme: "stop-and-wait", resume: false });
  assertEquals(parsePdu("ACK seq=3"), { type: "ACK", flags: 0, session: 0, seq: 3, payload: new Uint8Array(0) });
  assertEquals(parsePdu('DATA "a\\r\\n\\x00\\t"').payload, bytes("a\r\n\0\t"));
});

test("what is no PDU in writing is our own mistake", () => {
  for (const text of ["", "data", "HELLO", "DATA  x", 'DATA "open', ' DATA "x"', "FIN\n"]) {
    assertEquals(assertThrows(() => parsePdu(text), ProtocolError, "not a PDU", text).side, "local");
  }
});

property("a chunk of any bytes that fits is read as it was written", 1000, (random) => {
  const letters = ["a", '"', " ", "\\", "\\x41", "\n", "\r", "\t", "\0", "\x1b", "é", "\u202e", "\u200b", "😀"];
  const payload = random.chance(0.5)
    ? random.bytes(random.int(0, 64))
    : bytes(...Array.from({ length: random.int(0, 12) }, () => random.pick(letters)));
  assertEquals(parsePdu(formatPdu({ ...data(1, 0, ""), payload })).payload, payload);
});

test("a name with controls or a backslash in it is read as it was written", () => {
  for (const name of ["a\x1bb", "a\nb", "a\\nb", 'say "hi"', "a\u202eb"]) {
    assertEquals(readOffer(parsePdu(formatPdu(openPdu(1, { ...OFFER, name })))).name, name);
  }
});

property("any PDU that arrives can be shown, however little sense it makes", 1000, (random) => {
  const text = formatPdu(drawPdu(random));
  assert(!hasUnsafe(text) && !text.includes("\t"), JSON.stringify(text));
});

const GOOD = [
  ...[
    "a",
    "file.txt",
    "file name.txt",
    "a b  c.txt",
    "README",
    ".profile",
    "..a",
    "a..b",
    "-rf",
    "~",
    "#1",
    "100%",
    "a&b;c",
  ],
  ...[
    "$HOME",
    "`x`",
    "'x'",
    "(1) [2] {3}.tar.gz",
    "résumé.pdf",
    "文件.txt",
    "پرونده.txt",
    "Файл",
    "📦.zip",
    "👩‍💻.png",
    "می‌خواهم",
  ],
  ...[
    "console.log",
    "con1",
    "com",
    "com10",
    "lpt",
    "nula",
    "auxiliary.c",
    "xcon",
    "a.con",
    "part",
    "x.part.txt",
    "x.partial",
  ],
  ...[" leading space", "x".repeat(250), "é".repeat(125), "\u3000x"],
];

const BAD: Record<string, string[]> = {
  "it is empty": [""],
  "it is a folder": [".", ".."],
  "it leads into another folder": [
    "/",
    "/etc/passwd",
    "../x",
    "a/b",
    "a/",
    "./a",
    "..\\x",
    "C:\\x",
    "\\\\host\\share",
    "a\\",
  ],
  "it has control characters": [
    ...[
      "a\0b",
      "\0",
      "a\nb",
      "a\r",
      "a\tb",
      "\x1b[2J",
      "a\x7f",
      "a\x85b",
      "a\u202eb",
      "a\u200bb",
      "\ufeffa",
      "a\u2028b",
    ],
    ...["a\ud800b", "a\u{e0041}b", "a\u2066b"],
  ],
  'it has one of < > : " | ? *': [
    "C:",
    "a:b",
    "nul:",
    "<a",
    "a>",
    'a"b',
    "a|b",
    "what?",
    "*",
    "file.txt:stream",
    "file.txt::$DATA",
  ],
  "it ends with a dot or a space": ["a.", "a ", "...", " ", "a.txt. .", "con ", "x.part "],
  "it is a device on Windows": [
    ...[
      "CON",
      "con",
      "Con.txt",
      "PRN",
      "AUX.c",
      "NUL",
      "nul.tar.gz",
      "COM1",
      "com9.txt",
      "COM0",
      "LPT1",
      "lpt¹",
      "COM²",
      "com³.x",
    ],
    ...["CONIN$", "conout$.txt", "CLOCK$", "CON .txt", "aux\u00a0"],
  ],
  "it ends with .part, as unfinished files do": ["a.part", "a.PART", ".part"],
  "it is longer than 250 bytes": ["x".repeat(251), "é".repeat(126), "😀".repeat(63)],
};

test("a plain file name is one, with spaces and in any script", () => {
  assert(GOOD.length >= 20);
  for (const name of GOOD) assertEquals(nameProblem(name), null, name);
});

test("a name that is no plain file name on some system is refused, and it says why", () => {
  assert(Object.values(BAD).flat().length >= 40);
  for (const [why, names] of Object.entries(BAD)) {
    for (const name of names) assertEquals(nameProblem(name), why, JSON.stringify(name));
  }
});

test("numbers are shown as ranges, and of very many only the first", () => {
  assertEquals(formatRanges([]), "");
  assertEquals(formatRanges([[7, 9], [12, 12], [20, 21]]), "7-9, 12, 20-21");
  assertEquals(formatRanges([[0, 0], [2, 2], [4, 4]], 3), "0, 2, 4");
  assertEquals(formatRanges([[0, 0], [2, 2], [4, 4]], 2), "0, 2, …");
  const many = formatRanges(Array.from({ length: 21 }, (_, i) => [2 * i, 2 * i] as const));
  assert(many.endsWith(", 38, …"), many);
});

test("a file has as many chunks as are needed, and an empty one none", () => {
  assertEquals([0, 1, 99, 100, 101, 200, 201].map((size) => chunksOf(size, 100)), [0, 1, 1, 1, 2, 2, 3]);
  assertEquals(chunksOf(4_294_967_295, 1), 4_294_967_295);
});

property("gaps know what a set of the numbers knows", 500, (random) => {
  const [gaps, set] = [new Gaps(), new Set<number>()];
  const most = random.pick([5, 20, 200]);
  const longest = random.pick([0, 3, 20]);
  for (let i = random.int(0, 2 * most); i > 0; i--) {
    const first = random.int(0, most - 1);
    const last = Math.min(most - 1, first + random.int(0, longest));
    const before = set.size;
    for (let number = first; number <= last; number++) set.add(number);
    assertEquals(
      last === first ? gaps.add(first) : gaps.add(first, last),
      set.size > before,
      `add ${first} to ${last}`,
    );
  }
  const total = Math.max(-1, ...set) + 1 + random.int(0, 5);
  const missing = Array.from({ length: total }, (_, i) => i).filter((number) => !set.has(number));
  const ranges = [...gaps.ranges(total)];
  assertEquals(
    ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
    missing,
  );
  assert(ranges.every(([first], i) => i === 0 || first > ranges[i - 1][1] + 1), "two ranges that touch are one");
  assertEquals(gaps.missing(total), missing.length);
});

test("gaps cost nothing for numbers that come in order, wherever they start", () => {
  const gaps = new Gaps();
  for (let i = 0; i < 10; i++) assert(gaps.add(4_294_967_280 + i));
  assertEquals([...gaps.ranges(4_294_967_290)], [[0, 4_294_967_279]]);
  assertEquals(gaps.missing(4_294_967_290), 4_294_967_280);
});
