// Text on the wire and on the screen: strict UTF-8 in, and nothing that could steer a terminal out.

import { ProtocolError } from "./errors.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const bytewise = new TextDecoder("windows-1252");
const encoder = new TextEncoder();
/** Up to this many characters a loop over ASCII beats a call of the runtime's coders (bench/README.md). */
const SHORT_TEXT = 64;

/** The bytes of `text` in UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** A character for each byte, of which only those of ASCII are right: for looking in bytes for words. */
export function decodeAscii(bytes: Uint8Array): string {
  return bytewise.decode(bytes);
}

/** Where `wanted` first stands in `bytes` at or after `from`, or -1. */
export function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

/** How many bytes `text` has in UTF-8. */
export function utf8Length(text: string): number {
  let i = 0;
  while (i < text.length && text.charCodeAt(i) < 0x80) i++;
  return i === text.length ? i : encodeText(text).length;
}

/** `text` without these characters at its end. A regular expression may take the square of its length for that. */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1])) end--;
  return text.slice(0, end);
}

/** Writes `text` as UTF-8 into `into` at `at` and returns its length in bytes; there must be room for all of it. */
export function writeText(text: string, into: Uint8Array, at: number): number {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      into[at + i] = code;
    }
    if (i === text.length) return i;
  }
  return encoder.encodeInto(text, into.subarray(at)).written;
}

/**
 * Decodes UTF-8 and refuses anything that is not.
 *
 * @throws {ProtocolError} naming the offset of the first wrong byte.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_TEXT) {
    const codes = new Array<number>(bytes.length);
    let i = 0;
    for (; i < bytes.length && bytes[i] < 0x80; i++) codes[i] = bytes[i];
    if (i === bytes.length) return String.fromCharCode.apply(null, codes);
  }
  try {
    return strict.decode(bytes);
  } catch {
    const offset = invalidOffset(bytes);
    throw new ProtocolError(`invalid UTF-8 at byte ${offset}`, { offset });
  }
}

/** Decodes UTF-8, with U+FFFD where it is wrong: for guessing and for showing, never for delivering. */
export function decodeLossy(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** The length of the longest prefix of `bytes` that is valid, a character cut off at its end apart. */
function invalidOffset(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isValidSoFar(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isValidSoFar(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

// Control and format characters (bidirectional marks, zero-width ones, tags), line and paragraph separators, surrogates, and
// letters that cannot be seen. Tab is harmless; emoji and Persian need the two joiners.
const UNSAFE = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}[\p{Lo}&&\p{Default_Ignorable_Code_Point}]]--[\t\u200c\u200d]]/v;
const UNSAFE_ALL = new RegExp(UNSAFE.source, "gv");

/** Whether `text` holds a character that must not reach a terminal as it is. */
export function hasUnsafe(text: string): boolean {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e) break;
    }
    if (i === text.length) return false;
  }
  return UNSAFE.test(text);
}

/** `text` with every control, invisible or reordering character written out: `\x1b`, `\n`, `\u{202e}`. */
export function escapeText(text: string): string {
  return hasUnsafe(text) ? text.replace(UNSAFE_ALL, escapeOne) : text;
}

function escapeOne(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  const code = character.codePointAt(0)!;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/**
 * `value` as JSON in which what `escapeText` would write out is a `\u` escape: safe to show, and nothing lost.
 *
 * @param indent spaces a level; on one line when 0
 */
export function safeJson(value: unknown, indent = 0): string {
  const unit = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
  const escape = (character: string) =>
    Array.from({ length: character.length }, (_, i) => unit(character.charCodeAt(i))).join("");
  // Within JSON an end of line is only ever there to indent.
  return JSON.stringify(value, null, indent).replace(UNSAFE_ALL, (one) => one === "\n" ? one : escape(one));
}

/** Bytes for people: UTF-8 where it is UTF-8, `\xNN` where it is not, controls written out (`\r\n` stays visible). */
export function escapeBytes(bytes: Uint8Array, maxBytes = Infinity): string {
  const shown = bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
  const more = bytes.length > maxBytes ? `… (${bytes.length} bytes)` : "";
  let text: string;
  try {
    text = strict.decode(shown);
  } catch {
    text = "";
    for (const byte of shown) {
      text += byte >= 0x80 ? `\\x${byte.toString(16)}` : String.fromCharCode(byte);
    }
  }
  return text.replace(/\t/g, "\\t").replace(UNSAFE_ALL, escapeOne) + more;
}

/** `1 byte`, `2 bytes`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** The longest prefix of `text` whose UTF-8 form takes at most `maxBytes` bytes; characters stay whole. */
export function truncateText(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.min(Math.max(maxBytes, 0), 3 * text.length)));
  return read === text.length ? text : text.slice(0, read);
}
