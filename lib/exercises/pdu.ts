// How a PDU of the binary exercises begins: type u8 · flags u8 · session u32 · seq u32 · what it has of its own · crc32 u32.
// The checksum covers header and payload, with 0 in its own place. All numbers are big-endian.

import { crc32 } from "../protocol/crc32.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { decodeLossy, encodeText, escapeText, truncateText } from "../protocol/text.ts";

/** One message; `type` stands as a number, its place in a list from 1. */
export interface BasicPdu<T extends string> {
  readonly type: T;
  readonly flags: number;
  readonly session: number;
  readonly seq: number;
  readonly payload: Uint8Array;
}

const CRC_BYTES = 4;

/** Writes the header before a payload, and behind what it has of its own; these stand in their places already. */
export function seal(
  bytes: Uint8Array,
  headerBytes: number,
  type: number,
  flags: number,
  session: number,
  seq: number,
) {
  const crcAt = headerBytes - CRC_BYTES;
  bytes[0] = type;
  bytes[1] = flags;
  writeU32(bytes, 2, session);
  writeU32(bytes, 6, seq);
  writeU32(bytes, crcAt, 0);
  writeU32(bytes, crcAt, crc32(bytes));
}

/** @throws {ProtocolError} when there is no whole header, or of no known type */
export function typeOf<T extends string>(bytes: Uint8Array, headerBytes: number, types: readonly T[]): T {
  if (bytes.length < headerBytes) {
    throw new ProtocolError(`truncated PDU: ${bytes.length} bytes, a header has ${headerBytes}`);
  }
  const type = types[bytes[0] - 1];
  if (type === undefined) throw new ProtocolError(`no such type of PDU: ${bytes[0]}`, { offset: 0 });
  return type;
}

/**
 * Reads a PDU whose type is known; its payload is a view of `bytes`.
 *
 * @throws {ProtocolError} when it was changed on the way
 */
export function unseal<T extends string>(bytes: Uint8Array, headerBytes: number, type: T): BasicPdu<T> {
  const crcAt = headerBytes - CRC_BYTES;
  const crc = readU32(bytes, crcAt);
  // One run over all of it is faster than three around the checksum, which then gets its place back.
  writeU32(bytes, crcAt, 0);
  const own = crc32(bytes);
  writeU32(bytes, crcAt, crc);
  if (own !== crc) throw new ProtocolError("checksum is wrong: changed on the way", { offset: crcAt });
  const payload = bytes.subarray(headerBytes);
  return { type, flags: bytes[1], session: readU32(bytes, 2), seq: readU32(bytes, 6), payload };
}

/** The payload of an ERROR: its code in two bytes, and its text, of which at most `maxBytes` bytes go. */
export function errorPayload(code: number, text: string, maxBytes: number): Uint8Array {
  const body = encodeText(truncateText(escapeText(text), maxBytes));
  const payload = new Uint8Array(2 + body.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(body, 2);
  return payload;
}

/** What an ERROR says; 0 where it is too short to have a code. */
export function readError({ payload }: BasicPdu<string>): { readonly code: number; readonly text: string } {
  return { code: payload.length < 2 ? 0 : (payload[0] << 8) | payload[1], text: decodeLossy(payload.subarray(2)) };
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
