// Whether what came is framed in another way than it should be. What cannot be known is not said.

import { CAUSES } from "../exercises/causes.ts";
import { decodeLossy } from "../protocol/text.ts";

/** How messages are told apart in the framings of text, for a student. */
function rule(wire: string): string | null {
  if (wire === "line") return "every message ends with a newline, \\n";
  if (wire === "be8") return "every message begins with the number of its bytes, in 8 bytes, the highest first";
  const digits = digitsOf(wire);
  return digits === 0 ? null : `every message begins with the number of its bytes, in ${digits} digits`;
}

/** How many decimal digits a length has; 0 in framings that have none. */
const digitsOf = (wire: string) => Number(/^len(\d)$/.exec(wire)?.[1] ?? 0);

/**
 * What is wrong with the framing of what came where no message could be read of it, if that is known.
 *
 * @param bytes all that came
 * @param wire the framing that it should have
 * @returns a sentence for the student, or null where nothing is known to be wrong
 */
export function whyMisframed(bytes: Uint8Array, wire: string): string | null {
  const right = rule(wire);
  if (right === null || bytes.length === 0) return null;
  if (countsCharacters(bytes, wire)) return CAUSES.characters;
  const guess = guessFraming(bytes);
  if (guess === wire) return null;
  // An end of line behind what has a length makes a line of it.
  const wrong = guess === null || guess === "line" ? whyWrongLength(bytes, wire) : null;
  if (guess === null || wrong !== null) return wrong;
  return `what came is framed as with --wire ${guess} (${rule(guess)}), and not as with --wire ${wire} (${right}): ` +
    `frame in that way, or grade with --wire ${guess}`;
}

/** Why nothing came, for a student; with the framing, where that has to be known: a line everybody expects. */
export function whySilent(wire: string): string {
  const expected = wire === "line" ? null : rule(wire);
  return expected === null ? CAUSES.silence : `${CAUSES.silence}. With --wire ${wire}, as here, ${expected}`;
}

/** The one framing in which bytes are whole messages of at least a byte, and in which hardly anything else is; else null. */
export function guessFraming(bytes: Uint8Array): string | null {
  const text = [2, 3, 4, 5, 6, 7, 8].map((digits) => `len${digits}`)
    .filter((name) => isInFrames(bytes, Number(name[3]), (head) => readDigits(head)));
  const found = [
    // A number may be an answer without framing: that of a length has zeros before it, or stands before words.
    ...startsWithZero(bytes) || bytes.some((byte) => byte > NINE) ? text : [],
    ...isInFrames(bytes, 8, readBigEndian) ? ["be8"] : [],
    ...isLines(bytes) ? ["line"] : [],
  ];
  return found.length === 1 ? found[0] : null;
}

const [ZERO, NINE, LF, SPACE] = [0x30, 0x39, 0x0a, 0x20];

const startsWithZero = (bytes: Uint8Array) => bytes[0] === ZERO;

/** Lines, and at least one: with nothing behind the last, and no control characters in them. */
const isLines = (bytes: Uint8Array) =>
  bytes.at(-1) === LF && bytes.every((byte) => byte >= SPACE || (byte >= 0x09 && byte <= 0x0d));

/** Whether bytes are messages whose lengths are right for characters, and wrong for bytes. */
function countsCharacters(bytes: Uint8Array, wire: string): boolean {
  const digits = digitsOf(wire);
  const text = decodeLossy(bytes);
  if (digits === 0 || text.includes("\ufffd")) return false;
  const characters = Uint8Array.from(Array.from(text, (character) => Math.min(character.codePointAt(0)!, 0xff)));
  return isInFrames(characters, digits, readDigits) && !isInFrames(bytes, digits, readDigits);
}

/** What is wrong with the first length in decimal digits that is not right for its message. */
function whyWrongLength(bytes: Uint8Array, wire: string): string | null {
  const digits = digitsOf(wire);
  for (let at = 0; digits > 0 && at + digits <= bytes.length;) {
    const length = readDigits(bytes.subarray(at, at + digits));
    if (length === null) break;
    const came = bytes.length - at - digits;
    at += digits + length;
    if (came > length && isLineEnd(bytes.subarray(at))) {
      return "behind a message there is an end of line that its length does not count: send none, or count it";
    }
    if (came < length) {
      return `the length before a message says ${length} bytes, and ${came} came: it is the number of the bytes that ` +
        "follow, without its own digits";
    }
  }
  return null;
}

/** Whether bytes begin with an end of line, and go on, if they do, with a length. */
const isLineEnd = (bytes: Uint8Array) => /^\r?\n(\d|$)/.test(decodeLossy(bytes));

/** Whether bytes are messages, each with its length before it. @param read null for what is no length */
function isInFrames(bytes: Uint8Array, headBytes: number, read: (head: Uint8Array) => number | null): boolean {
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.length - at < headBytes ? null : read(bytes.subarray(at, at + headBytes));
    if (length === null || length === 0) return false;
    at += headBytes + length;
  }
  return bytes.length > 0 && at === bytes.length;
}

const readDigits = (head: Uint8Array) =>
  head.every((byte) => byte >= ZERO && byte <= NINE) ? head.reduce((value, byte) => value * 10 + byte - ZERO, 0) : null;

const readBigEndian = (head: Uint8Array) => head.reduce((value, byte) => value * 256 + byte, 0);
