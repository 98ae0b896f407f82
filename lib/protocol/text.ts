// Text on the wire and on the screen: strict UTF-8 in, and nothing that could steer a terminal out.

import { ProtocolError } from "./errors.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The bytes of `text` in UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/**
 * Decodes UTF-8 and refuses anything that is not.
 *
 * @throws {ProtocolError} naming the offset of the first wrong byte.
 */
export function decodeText(bytes: Uint8Array): string {
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

// Control and format characters (bidirectional marks, zero-width ones, tags), line and paragraph separators, surrogates.
// Tab is harmless; emoji and Persian need the two joiners.
const UNSAFE = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]--[\t\u200c\u200d]]/v;
const UNSAFE_ALL = new RegExp(UNSAFE.source, "gv");

/** Whether `text` holds a character that must not reach a terminal as it is. */
export function hasUnsafe(text: string): boolean {
  return UNSAFE.test(text);
}

/** `text` with every control, invisible or reordering character written out: `\x1b`, `\n`, `\u{202e}`. */
export function escapeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, escapeOne) : text;
}

function escapeOne(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
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

/** The longest prefix of `text` whose UTF-8 form takes at most `maxBytes` bytes; characters stay whole. */
export function truncateText(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.min(Math.max(maxBytes, 0), 3 * text.length)));
  return read === text.length ? text : text.slice(0, read);
}
