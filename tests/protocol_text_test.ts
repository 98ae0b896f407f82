import { assert, assertEquals, assertInstanceOf, assertLessOrEqual, assertMatch, assertThrows } from "@std/assert";
import { ProtocolError } from "../lib/protocol/errors.ts";
import {
  decodeLossy,
  decodeText,
  encodeText,
  escapeBytes,
  escapeText,
  hasUnsafe,
  safeJson,
  truncateText,
  utf8Length,
  writeText,
} from "../lib/protocol/text.ts";
import { bytes, property, test } from "./helpers.ts";

const FAMILY = "👨\u200d👩\u200d👧";

test("text survives encoding and strict decoding, a byte order mark included", () => {
  for (const text of ["", "hello", "æøå", "漢字", "🦕", FAMILY, "\ufeffmarked", "e\u0301", "\0\x1b"]) {
    assertEquals(decodeText(encodeText(text)), text);
  }
});

test("bytes that are not UTF-8 are refused, with the offset of the first wrong one", () => {
  const wrong: [Uint8Array, number][] = [
    [bytes(0xff), 0],
    [bytes("abc", 0xff), 3],
    [bytes("abc", 0x80, "def"), 3],
    [bytes("é", 0xc3, 0x28), 3], // after 0xc3 only a continuation byte could stand
    [bytes("ab", 0xc0, 0xaf), 2], // overlong
    [bytes("漢", 0xed, 0xa0, 0x80), 4], // a surrogate
    [bytes("a", 0xf4, 0x90, 0x80, 0x80), 2], // beyond U+10FFFF
    [bytes("ab", 0xe6, 0xbc), 4], // cut off: what is missing would stand there
  ];
  for (const [input, offset] of wrong) {
    const error = assertThrows(() => decodeText(input), ProtocolError, `invalid UTF-8 at byte ${offset}`);
    assertEquals([error.offset, error.kind, error.side, error.fatal], [offset, "protocol", "remote", false]);
  }
});

test("a long text is searched for the wrong byte, wherever it is", () => {
  for (const at of [0, 1, 999, 1000, 4094, 4095]) {
    const input = new Uint8Array(4096).fill(0x61);
    input[at] = 0xff;
    const error = assertThrows(() => decodeText(input), ProtocolError);
    assertEquals(error.offset, at);
  }
});

test("lossy decoding never refuses", () => {
  assertEquals(decodeLossy(bytes("a", 0xff, "b")), "a\ufffdb");
});

test("characters that steer a terminal are written out", () => {
  const cases: [string, string][] = [
    ["\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"],
    ["a\0b", "a\\x00b"],
    ["bell\x07 back\x08 del\x7f", "bell\\x07 back\\x08 del\\x7f"],
    ["c1: \x9b31m", "c1: \\u{9b}31m"],
    ["two\nlines\r\n", "two\\nlines\\r\\n"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["alice\u3164\u1160", "alice\\u{3164}\\u{1160}"],
    ["\u200fmark\u2066isolate\u2069", "\\u{200f}mark\\u{2066}isolate\\u{2069}"],
    ["zero\u200bwidth\ufeff\u2060", "zero\\u{200b}width\\u{feff}\\u{2060}"],
    ["separators\u2028\u2029", "separators\\u{2028}\\u{2029}"],
    ["tag\u{e0041}", "tag\\u{e0041}"],
    ["lone \ud800 high", "lone \\u{d800} high"],
    ["lone \udc00 low", "lone \\u{dc00} low"],
  ];
  for (const [text, escaped] of cases) {
    assertEquals(escapeText(text), escaped);
    assert(hasUnsafe(text), escaped);
    assert(!hasUnsafe(escaped), escaped);
  }
});

test("what is harmless stays as it is", () => {
  for (const text of ["plain", "tab\there", "æ漢🦕", FAMILY, "❤️", "می\u200cخواهم", "e\u0301", "שלום", "a\\x1bb"]) {
    assertEquals(escapeText(text), text);
    assert(!hasUnsafe(text));
  }
});

test("short and long texts are treated alike", () => {
  for (const length of [0, 1, 62, 63, 64, 65, 100]) {
    const plain = "x".repeat(length);
    assertEquals([escapeText(plain), hasUnsafe(plain), decodeText(bytes(plain))], [plain, false, plain]);
    for (
      const [end, escaped] of [["\x1b", "\\x1b"], ["\x7f", "\\x7f"], ["\x80", "\\u{80}"], ["\u202e", "\\u{202e}"], [
        "é",
        "é",
      ]]
    ) {
      assertEquals([escapeText(plain + end), hasUnsafe(plain + end)], [plain + escaped, end !== "é"]);
      assertEquals(decodeText(bytes(plain + end)), plain + end);
    }
    const error = assertThrows(() => decodeText(bytes(plain, 0xff)), ProtocolError);
    assertEquals(error.offset, length);
    const into = new Uint8Array(length + 10).fill(0xee);
    assertEquals(writeText(`${plain}é`, into, 3), length + 2);
    assertEquals(into, bytes(0xee, 0xee, 0xee, plain, "é", new Uint8Array(5).fill(0xee)));
    assertEquals(writeText(plain, into, 0), length);
  }
});

test("what a text has in UTF-8 is counted as it is encoded, lone surrogates too", () => {
  for (const text of ["", "x", "é", "x€", FAMILY, "\ud83d", "\udc68x", "x".repeat(1000) + "é"]) {
    assertEquals(utf8Length(text), encodeText(text).length, text);
  }
});

test("JSON is written on one line, safe to show, and loses nothing", () => {
  const values = ["\x1b[2J\x9b\u202e\u2028\n\ud800", { "a\u200b": ["\u{e0041}", FAMILY, null, 1.5] }];
  assertEquals(safeJson(values[0]), '"\\u001b[2J\\u009b\\u202e\\u2028\\n\\ud800"');
  assertEquals(safeJson("\u{e0041}"), '"\\udb40\\udc41"');
  for (const value of values) {
    assert(!hasUnsafe(safeJson(value)));
    assertEquals(JSON.parse(safeJson(value)), value);
  }
});

test("bytes are shown as text where they are UTF-8, and every control is visible", () => {
  assertEquals(escapeBytes(bytes("NAME zoë\r\n")), "NAME zoë\\r\\n");
  assertEquals(escapeBytes(bytes("a\tb\0", 0x1b)), "a\\tb\\x00\\x1b");
  assertEquals(escapeBytes(bytes("a", 0xff, 0x80, "b\n")), "a\\xff\\x80b\\n");
  assertEquals(escapeBytes(bytes()), "");
});

test("long bytes are cut, and their number said", () => {
  assertEquals(escapeBytes(bytes("abcdef"), 4), "abcd… (6 bytes)");
  assertEquals(escapeBytes(bytes("abcd"), 4), "abcd");
});

test("truncated text keeps its characters whole", () => {
  const text = "ab🦕cd";
  const expected = ["", "a", "ab", "ab", "ab", "ab", "ab🦕", "ab🦕c", "ab🦕cd", "ab🦕cd"];
  assertEquals(expected.map((_, maxBytes) => truncateText(text, maxBytes)), expected);
  assertEquals(truncateText("ééé", 5), "éé");
  assertEquals(truncateText(text, -1), "");
  assertEquals(truncateText(text, Infinity), text);
  assertEquals(truncateText("", 0), "");
});

/** Text of all kinds: plain, multi-byte, astral, controls, lone surrogates. */
function anyText(random: { int(low: number, high: number): number; chance(p: number): boolean }): string {
  return Array.from({ length: random.int(0, 40) }, () => {
    if (random.chance(0.4)) return String.fromCodePoint(random.int(0x20, 0x7e));
    return String.fromCodePoint(random.chance(0.5) ? random.int(0, 0xffff) : random.int(0, 0x10ffff));
  }).join("");
}

property("escaped text is safe, and escaping it again changes nothing", 500, (random) => {
  const escaped = escapeText(anyText(random));
  assert(!hasUnsafe(escaped), escaped);
  assertEquals(escapeText(escaped), escaped);
});

property("escaped bytes are safe and on one line, whatever they are", 500, (random) => {
  const shown = escapeBytes(random.bytes(random.int(0, 64)), random.int(0, 64));
  assert(!hasUnsafe(shown), shown);
  assert(!shown.includes("\t"));
});

property("random bytes either decode to what encodes to them, or fail with a protocol error", 500, (random) => {
  const input = random.chance(0.5)
    ? random.bytes(random.int(0, 8))
    : encodeText(anyText(random)).slice(random.int(0, 3));
  try {
    assertEquals(encodeText(decodeText(input)), input);
  } catch (error) {
    assertInstanceOf(error, ProtocolError);
    assertMatch(error.message, /^invalid UTF-8 at byte \d+$/);
    assertLessOrEqual(error.offset!, input.length);
    // Up to there it could still be right; with that byte it cannot.
    const decode = (length: number) =>
      new TextDecoder("utf-8", { fatal: true }).decode(input.subarray(0, length), { stream: true });
    decode(error.offset!);
    if (error.offset! < input.length) assertThrows(() => decode(error.offset! + 1), TypeError);
  }
});

property("truncated text is a prefix, fits, and one more character would not", 500, (random) => {
  const text = anyText(random).toWellFormed();
  const maxBytes = random.int(0, 60);
  const cut = truncateText(text, maxBytes);
  assert(text.startsWith(cut));
  assertLessOrEqual(encodeText(cut).length, maxBytes);
  const next = [...text.slice(cut.length)][0];
  if (next !== undefined) assert(encodeText(cut + next).length > maxBytes);
});
