// Files in chunks: what is on the wire. A PDU is the same on TCP and on UDP, where it is one datagram. All numbers are
// big-endian.
//
//      0      1      2        6        10       12       16
//     ┌──────┬──────┬────────┬────────┬────────┬────────┬───────────────┐
//     │ type │ flags│ session│  seq   │ length │ crc32  │ payload       │
//     │  u8  │  u8  │  u32   │  u32   │  u16   │  u32   │ length bytes  │
//     └──────┴──────┴────────┴────────┴────────┴────────┴───────────────┘
//
// The checksum covers header and payload, with 0 in its own place. seq counts chunks.
//
//     OPEN    the sender: size u64 (all ones: not known) · chunk u16 · window u16 · arq u8 · name     flag 1: resume
//     ACCEPT  seq: the first chunk wanted · window u16 · with resume the SHA-256 of what is there
//     DATA    seq: the chunk                                                flag 1: please acknowledge now
//     ACK     seq: the next chunk expected · selective repeat: a bit for each one behind it, lowest first
//     FIN     seq: how many chunks there are · SHA-256 of the file
//     DONE    seq: the same · duplicates u32 · the file is where it belongs
//     ERROR   code u16 · text; from either end, and the last word of the session

import { ProtocolError } from "../../protocol/errors.ts";
import { type BasicPdu, errorPayload, readU32, seal, typeOf, unseal, writeU32 } from "../pdu.ts";
import { fileNameProblem, MAX_FILE_NAME } from "../names.ts";
import { decodeText, encodeText } from "../../protocol/text.ts";

export { readError } from "../pdu.ts";

export const HEADER_BYTES = 16;
/** The longest payload, in bytes: it fits into a datagram of IPv4. */
export const MAX_PAYLOAD = 65_491;
/** The largest chunk, in bytes. */
export const MAX_CHUNK = 65_000;
export const DEFAULT_CHUNK = 100;
export const MAX_WINDOW = 65_535;
const DIGEST_BYTES = 32;
/** The most chunks a file may have: seq is 32 bits wide and never wraps. */
export const MAX_CHUNKS = 0xffff_ffff;

export const PDU_TYPES = ["OPEN", "ACCEPT", "DATA", "ACK", "FIN", "DONE", "ERROR"] as const;
export type PduType = typeof PDU_TYPES[number];

/** In OPEN: go on where an interrupted transfer has ended. */
const FLAG_RESUME = 1;
/** In DATA: nothing follows before an acknowledgement. */
export const FLAG_PUSH = 1;

/** The ways to be reliable, or not to be; the place in this list is the number on the wire. */
export const SCHEMES = ["none", "stop-and-wait", "go-back-n", "selective-repeat"] as const;
export type Scheme = typeof SCHEMES[number];

/** What ERROR says, as numbers. */
export const ERROR_CODES = {
  request: 1,
  name: 2,
  exists: 3,
  tooLarge: 4,
  disk: 5,
  digest: 6,
  lost: 7,
  unknownSession: 8,
  busy: 9,
  timeout: 10,
  cancelled: 11,
} as const;

/** One message. */
export interface Pdu extends BasicPdu<PduType> {
  /** The whole PDU as bytes, where it has been built before. */
  readonly wire?: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * The bytes of a PDU.
 *
 * @param into where they are written, if there is room; what is returned is a view of it then
 */
export function encodePdu(pdu: Pdu, into?: Uint8Array): Uint8Array {
  if (pdu.wire) return pdu.wire;
  const length = HEADER_BYTES + pdu.payload.length;
  const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
  bytes.set(pdu.payload, HEADER_BYTES);
  sealPdu(bytes, pdu.type, pdu.flags, pdu.session, pdu.seq);
  return bytes;
}

/** Writes the header before a payload that stands in its place already. */
export function sealPdu(bytes: Uint8Array, type: PduType, flags: number, session: number, seq: number): void {
  const length = bytes.length - HEADER_BYTES;
  if (length > MAX_PAYLOAD) throw new ProtocolError(`${length} bytes do not fit into a PDU`, { side: "local" });
  bytes[10] = length >>> 8;
  bytes[11] = length;
  seal(bytes, HEADER_BYTES, PDU_TYPES.indexOf(type) + 1, flags, session, seq);
}

/**
 * Reads a PDU; its payload is a view of `bytes`.
 *
 * @throws {ProtocolError} for what is none: too short, of no known type, of another length than it says, or changed on the way
 */
export function decodePdu(bytes: Uint8Array): Pdu {
  const type = typeOf(bytes, HEADER_BYTES, PDU_TYPES);
  const length = payloadBytes(bytes);
  if (length !== bytes.length - HEADER_BYTES) {
    throw new ProtocolError(`truncated PDU: ${bytes.length - HEADER_BYTES} bytes of ${length}`, { offset: 10 });
  }
  return unseal(bytes, HEADER_BYTES, type);
}

/** How long the payload behind this header is. */
export function payloadBytes(header: Uint8Array): number {
  return (header[10] << 8) | header[11];
}

/** What OPEN says of a transfer. */
export interface Offer {
  readonly name: string;
  /** In bytes; null when nobody knows it yet (standard input). */
  readonly size: number | null;
  readonly chunk: number;
  readonly window: number;
  readonly scheme: Scheme;
  readonly resume: boolean;
}

const SIZE_UNKNOWN = 0xffff_ffff_ffff_ffffn;

export function openPdu(session: number, offer: Offer): Pdu {
  const name = encodeText(offer.name);
  const payload = new Uint8Array(13 + name.length);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, offer.size === null ? SIZE_UNKNOWN : BigInt(offer.size));
  view.setUint16(8, offer.chunk);
  view.setUint16(10, offer.window);
  payload[12] = SCHEMES.indexOf(offer.scheme);
  payload.set(name, 13);
  return { type: "OPEN", flags: offer.resume ? FLAG_RESUME : 0, session, seq: 0, payload };
}

/** @throws {ProtocolError} for an OPEN that cannot be meant */
export function readOffer({ flags, payload }: Pdu): Offer {
  if (payload.length < 13) throw new ProtocolError("OPEN is too short", { offset: HEADER_BYTES });
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const size = view.getBigUint64(0);
  const [chunk, window] = [view.getUint16(8), view.getUint16(10)];
  const scheme = SCHEMES[payload[12]];
  if (chunk < 1 || chunk > MAX_CHUNK) {
    throw new ProtocolError(`no such chunk size: ${chunk}`, { offset: HEADER_BYTES + 8 });
  }
  if (window < 1) throw new ProtocolError("no such window: 0", { offset: HEADER_BYTES + 10 });
  if (scheme === undefined) {
    throw new ProtocolError(`no such ARQ scheme: ${payload[12]}`, { offset: HEADER_BYTES + 12 });
  }
  // Which is always a safe integer.
  if (size !== SIZE_UNKNOWN && (size + BigInt(chunk) - 1n) / BigInt(chunk) > BigInt(MAX_CHUNKS)) {
    throw new ProtocolError(`too large: ${size} bytes in chunks of ${chunk}`, { offset: HEADER_BYTES });
  }
  if (payload.length - 13 > MAX_FILE_NAME) {
    throw new ProtocolError(`the name is too long: ${payload.length - 13} bytes, the limit is ${MAX_FILE_NAME}`);
  }
  return {
    name: decodeText(payload.subarray(13)),
    size: size === SIZE_UNKNOWN ? null : Number(size),
    chunk,
    window,
    scheme,
    resume: (flags & FLAG_RESUME) !== 0,
  };
}

/** @param digest of what is there before `seq`, where a transfer goes on */
export function acceptPdu(session: number, seq: number, window: number, digest: Uint8Array | null): Pdu {
  const payload = new Uint8Array(2 + (digest?.length ?? 0));
  payload[0] = window >>> 8;
  payload[1] = window;
  if (digest) payload.set(digest, 2);
  return { type: "ACCEPT", flags: 0, session, seq, payload };
}

/** What ACCEPT says, or null when it is too short for that. */
export function readAccept({ payload }: Pdu): { readonly window: number; readonly digest: Uint8Array | null } | null {
  const window = payload.length < 2 ? 0 : (payload[0] << 8) | payload[1];
  if (window < 1) return null;
  return { window, digest: payload.length === 2 + DIGEST_BYTES ? payload.slice(2) : null };
}

/** @param bitmap which chunks behind `seq` have come: bit 0 of byte 0 is chunk `seq` + 1 */
export function ackPdu(session: number, seq: number, bitmap: Uint8Array = NOTHING): Pdu {
  return { type: "ACK", flags: 0, session, seq, payload: bitmap };
}

export function finPdu(session: number, seq: number, digest: Uint8Array): Pdu {
  return { type: "FIN", flags: 0, session, seq, payload: digest };
}

export function donePdu(session: number, seq: number, duplicates: number): Pdu {
  const payload = new Uint8Array(4);
  writeU32(payload, 0, duplicates);
  return { type: "DONE", flags: 0, session, seq, payload };
}

/** How many chunks the receiver has got twice. */
export function readDuplicates({ payload }: Pdu): number {
  return payload.length < 4 ? 0 : readU32(payload, 0);
}

export function errorPdu(session: number, code: number, text: string): Pdu {
  return { type: "ERROR", flags: 0, session, seq: 0, payload: errorPayload(code, text, 1024) };
}

/** How many chunks a file has. */
export function chunksOf(size: number, chunk: number): number {
  return Math.ceil(size / chunk);
}

/** What a received file is called until it is complete. */
export const PART = ".part";

/** Why a file cannot be received under that name; null when it can. */
export function nameProblem(name: string): string | null {
  if (name.toLowerCase().endsWith(PART)) return `it ends with ${PART}, as unfinished files do`;
  return fileNameProblem(name, MAX_FILE_NAME - PART.length);
}

/** Numbers as ranges: `7-9, 12`; of very many only the first. */
export function formatRanges(ranges: Iterable<readonly [first: number, last: number]>, most = 20): string {
  const shown: string[] = [];
  for (const [first, last] of ranges) {
    if (shown.length === most) {
      shown.push("…");
      break;
    }
    shown.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return shown.join(", ");
}

/** What goes wrong at the receiver, in words. */
export const refusal = {
  name: (name: string, why: string) => `not a file name: "${name}": ${why}`,
  exists: (name: string) => `there is a file ${name} already`,
  tooLarge: (size: number, limit: number) => `too large: ${size} bytes, the limit is ${limit}`,
  busy: (name: string, from: string) => `${name} is being received from ${from}`,
  tooManyAtOnce: (limit: number) => `you are sending ${limit} files already: finish one of them first`,
  tooMany: (limit: number) => `${limit} transfers have been opened and not begun`,
  unknownSession: () => "no such session: it was never opened, or the receiver has been started anew",
  digest: () => "the digest is another: what arrived is not what was sent",
  lost: (lost: number, chunks: number, ranges: string) => `lost ${lost} of ${chunks} chunks: ${ranges}`,
  noRoom: () => "what other files take leaves no room to remember which chunks are missing",
  silent: (ms: number) => `nothing came for ${ms / 1000} s`,
};
