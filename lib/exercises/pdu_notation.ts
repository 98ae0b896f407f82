// PDUs in writing, for the exercises that have them: `TYPE session=1 seq=0 flag "bytes"`.

import { ProtocolError } from "../protocol/errors.ts";
import { encodeText, escapeBytes } from "../protocol/text.ts";
import type { BasicPdu } from "./pdu.ts";

/** A PDU in writing; one whose fields cannot be read is shown with its bytes, of which `most` are shown. */
export function formatWords<P extends BasicPdu<string>>(
  pdu: P,
  fieldsOf: (pdu: P) => string[],
  most: number,
): string {
  const head = [pdu.type, `session=${pdu.session}`];
  try {
    return [...head, ...fieldsOf(pdu)].join(" ");
  } catch (error) {
    return [...head, `(${(error as Error).message})`, quoteBytes(pdu.payload, most)].join(" ");
  }
}

/** Takes a PDU in writing apart. @throws {ProtocolError} of side `local` for what is none */
export function parseWords<T extends string>(text: string, types: readonly T[]) {
  const apart = /^([A-Z]+)((?: [^" ]+)*)(?: "(.*)")?$/s.exec(text);
  const type = types.find((one) => one === apart?.[1]);
  if (!apart || type === undefined) throw new ProtocolError(`not a PDU: ${text}`, { side: "local" });
  const words = apart[2].split(" ").filter((word) => word !== "");
  const named: Record<string, string> = Object.fromEntries(words.map((word) => word.split("=", 2)));
  return { type, words, named, quoted: parseBytes(apart[3] ?? "") };
}

/** What numbers stand for, for people: `{ tooLarge: 4 }` is `4 too large`. */
export function describeCodes(codes: Readonly<Record<string, number>>): string {
  const inWords = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return Object.entries(codes).map(([name, code]) => `${code} ${inWords(name)}`).join(", ");
}

/** A datagram in writing, whatever it is. */
export function describeBytes<P>(bytes: Uint8Array, decode: (bytes: Uint8Array) => P, format: (pdu: P) => string) {
  try {
    return format(decode(bytes));
  } catch (error) {
    return `(${(error as Error).message}) ${escapeBytes(bytes, 64)}`;
  }
}

/** Bytes in quotes, as `parseWords` reads them: their own backslashes are doubled. Of more than `most` only the beginning. */
export function quoteBytes(bytes: Uint8Array, most: number): string {
  const parts: string[] = [];
  let left = bytes.subarray(0, most);
  for (let at; (at = left.indexOf(BACKSLASH)) >= 0; left = left.subarray(at + 1)) {
    parts.push(escapeBytes(left.subarray(0, at)));
  }
  parts.push(escapeBytes(left));
  return `"${parts.join("\\\\")}"${bytes.length > most ? ` … (${bytes.length} bytes)` : ""}`;
}

const BACKSLASH = 0x5c;

/** Undoes what `quoteBytes` does to few. */
function parseBytes(text: string): Uint8Array {
  const parts = text.match(/\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|\\.|[^\\]+/gis) ?? [];
  const bytes = parts.flatMap((part) => {
    if (!part.startsWith("\\")) return [...encodeText(part)];
    if (part.startsWith("\\u{")) return [...encodeText(String.fromCodePoint(parseInt(part.slice(3), 16)))];
    if (part[1] === "x") return [parseInt(part.slice(2), 16)];
    return [ESCAPES[part[1]] ?? part.charCodeAt(1)];
  });
  return Uint8Array.from(bytes);
}

const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09 };

export function parseHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
}
