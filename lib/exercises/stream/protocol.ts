// Media in real time: what is on the wire. A PDU is a datagram. All numbers are big-endian.
//
//      0      1      2        6        10       14
//     ┌──────┬──────┬────────┬────────┬────────┬──────────┐
//     │ type │ flags│ session│  seq   │ crc32  │ payload  │
//     │  u8  │  u8  │  u32   │  u32   │  u32   │          │
//     └──────┴──────┴────────┴────────┴────────┴──────────┘
//
// The checksum covers header and payload, with 0 in its own place. The session is the client's, random, and bound to its
// address.
//
//     REQUEST  the client: start u32 ms · cookie 16 bytes (zeros: none yet) · name
//     COOKIE   cookie 16 bytes: ask again with it
//     INFO     size u64 · duration u32 ms (all ones: not known) · rate u32 bytes/s · media type     flag 1: rate is assumed
//     DATA     seq: counts datagrams · offset u64 · media time u32 ms · bytes of the file
//     REPORT   the client, every second · seq: behind the highest that came · lost u32 · jitter u32 µs
//     CONTROL  seq: counts commands · action u8 · position u32 ms · first u32
//              the server repeats it: where it is now, and the seq of the first DATA behind the command
//     FIN      the server: seq: how many DATA there were · flags: number of the last command · the client: it leaves
//     ERROR    code u16 · text; the last word of the session
//
//     client                                 server
//       │ REQUEST start name, no cookie ────► │   at most 64 bytes in 10 s go to who has not returned the cookie
//       │ ◄─────────────────────────── COOKIE │
//       │ REQUEST start name, cookie ───────► │
//       │ ◄───────────────────────────── INFO │
//       │ ◄──────────────── DATA 0, 1, 2, … ──│   at the media's own rate
//       │ REPORT ───────────────────────────► │   no report for 5 s: the client has vanished
//       │ ◄──────────────────────────── FIN n │   again after each REPORT that follows
//       │ FIN ──────────────────────────────► │

import { ProtocolError } from "../../protocol/errors.ts";
import { decodeLossy, decodeText, encodeText, truncateText } from "../../protocol/text.ts";
import { MAX_FILE_NAME } from "../names.ts";
import { type BasicPdu, errorPayload, seal, typeOf, unseal } from "../pdu.ts";

export { readError } from "../pdu.ts";

export const HEADER_BYTES = 14;
export const COOKIE_BYTES = 16;
/** The header of DATA, its own fields included. */
const DATA_HEADER = HEADER_BYTES + 12;
/** A datagram of DATA is as long as the seed says, 1000 to 2000 bytes, and so is what it carries; the last may be shorter. */
export const MIN_PAYLOAD = 1000;
export const MAX_PAYLOAD = 2000 - DATA_HEADER;
/** What may go to an address that has not shown that it hears us, in bytes, and in how many ms. */
export const UNPROVEN_BYTES = 64;
export const BUDGET_MS = 10_000;
/** How often a receiver reports, in ms. */
export const REPORT_MS = 1000;
/** What is taken for the rate where nobody knows it: that of a usual mp3, 128 kbit/s, in bytes/s. */
export const ASSUMED_RATE = 16_000;

export const PDU_TYPES = ["REQUEST", "COOKIE", "INFO", "DATA", "REPORT", "CONTROL", "FIN", "ERROR"] as const;
export type PduType = typeof PDU_TYPES[number];

/** In INFO: nobody knows the media's rate. */
const FLAG_ASSUMED = 1;

/** What CONTROL asks for; the place in this list, from 1, is the number on the wire. */
export const ACTIONS = ["pause", "resume", "seek"] as const;
export type Action = typeof ACTIONS[number];

/** What ERROR says, as numbers. */
export const ERROR_CODES = {
  request: 1,
  name: 2,
  missing: 3,
  forbidden: 4,
  disk: 5,
  unknownSession: 8,
  busy: 9,
  cancelled: 11,
} as const;

/** One message. */
export type Pdu = BasicPdu<PduType>;

const UNKNOWN = 0xffff_ffff;

/**
 * The bytes of a PDU.
 *
 * @param into where they are written, if there is room; what is returned is a view of it then
 */
export function encodePdu({ type, flags, session, seq, payload }: Pdu, into?: Uint8Array): Uint8Array {
  const length = HEADER_BYTES + payload.length;
  const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
  bytes.set(payload, HEADER_BYTES);
  seal(bytes, HEADER_BYTES, PDU_TYPES.indexOf(type) + 1, flags, session, seq);
  return bytes;
}

/**
 * Reads a PDU; its payload is a view of `bytes`.
 *
 * @throws {ProtocolError} for what is none: too short, of no known type, or changed on the way
 */
export function decodePdu(bytes: Uint8Array): Pdu {
  return unseal(bytes, HEADER_BYTES, typeOf(bytes, HEADER_BYTES, PDU_TYPES));
}

/** The session that a datagram names; null where it is too short to be a PDU. */
export function sessionOf(bytes: Uint8Array): number | null {
  return bytes.length < HEADER_BYTES ? null : viewOf(bytes).getUint32(2);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A payload of that many bytes, and a view to write it with. */
function fields(length: number): { readonly payload: Uint8Array<ArrayBuffer>; readonly view: DataView } {
  const payload = new Uint8Array(length);
  return { payload, view: new DataView(payload.buffer) };
}

/** Says that a payload is long enough. @throws {ProtocolError} when it is not */
function requireBytes({ type, payload }: Pdu, length: number): DataView {
  if (payload.length < length) throw new ProtocolError(`${type} is too short`, { offset: HEADER_BYTES });
  return viewOf(payload);
}

/** What a client asks for. */
export interface Request {
  readonly name: string;
  /** Where to begin, in ms. */
  readonly startMs: number;
  /** Zeros, as long as none has been given. */
  readonly cookie: Uint8Array;
}

export const NO_COOKIE: Uint8Array = new Uint8Array(COOKIE_BYTES);

export function requestPdu(session: number, { name, startMs, cookie }: Request): Pdu {
  const text = encodeText(name);
  const { payload, view } = fields(4 + COOKIE_BYTES + text.length);
  view.setUint32(0, startMs);
  payload.set(cookie, 4);
  payload.set(text, 4 + COOKIE_BYTES);
  return { type: "REQUEST", flags: 0, session, seq: 0, payload };
}

/** @throws {ProtocolError} for a REQUEST that cannot be meant */
export function readRequest(pdu: Pdu): Request {
  const view = requireBytes(pdu, 4 + COOKIE_BYTES);
  const name = pdu.payload.subarray(4 + COOKIE_BYTES);
  if (name.length > MAX_FILE_NAME) {
    throw new ProtocolError(`the name is too long: ${name.length} bytes, the limit is ${MAX_FILE_NAME}`);
  }
  return {
    name: decodeText(name),
    startMs: view.getUint32(0),
    cookie: pdu.payload.slice(4, 4 + COOKIE_BYTES),
  };
}

export function cookiePdu(session: number, cookie: Uint8Array): Pdu {
  return { type: "COOKIE", flags: 0, session, seq: 0, payload: cookie };
}

/** The cookie that was given. @throws {ProtocolError} when it is none */
export function readCookie(pdu: Pdu): Uint8Array {
  requireBytes(pdu, COOKIE_BYTES);
  return pdu.payload.slice(0, COOKIE_BYTES);
}

/** What is known of a medium. */
export interface Info {
  /** In bytes. */
  readonly size: number;
  /** Null when nobody knows it. */
  readonly durationMs: number | null;
  /** At which it is sent, in bytes/s. */
  readonly rate: number;
  /** Whether that is a guess. */
  readonly assumed: boolean;
  /** As in a Content-Type; empty when nobody knows it. */
  readonly mediaType: string;
}

export function infoPdu(session: number, { size, durationMs, rate, assumed, mediaType }: Info): Pdu {
  const text = encodeText(truncateText(mediaType, 200));
  const { payload, view } = fields(16 + text.length);
  view.setBigUint64(0, BigInt(size));
  view.setUint32(8, durationMs === null ? UNKNOWN : Math.min(Math.round(durationMs), UNKNOWN - 1));
  view.setUint32(12, Math.round(rate));
  payload.set(text, 16);
  return { type: "INFO", flags: assumed ? FLAG_ASSUMED : 0, session, seq: 0, payload };
}

/** @throws {ProtocolError} for an INFO that cannot be true */
export function readInfo(pdu: Pdu): Info {
  const view = requireBytes(pdu, 16);
  const size = view.getBigUint64(0);
  const [duration, rate] = [view.getUint32(8), view.getUint32(12)];
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError(`too large: ${size} bytes`);
  if (rate === 0) throw new ProtocolError("no such rate: 0 bytes/s", { offset: HEADER_BYTES + 12 });
  return {
    size: Number(size),
    durationMs: duration === UNKNOWN ? null : duration,
    rate,
    assumed: (pdu.flags & FLAG_ASSUMED) !== 0,
    mediaType: decodeLossy(pdu.payload.subarray(16, 216)),
  };
}

/** A piece of the medium. */
export interface Piece {
  readonly seq: number;
  /** Where it stands in the file, in bytes. */
  readonly offset: number;
  /** When it is to be played, in ms from the beginning of the medium. */
  readonly timeMs: number;
  readonly bytes: Uint8Array;
}

export function dataPdu(session: number, { seq, offset, timeMs, bytes }: Piece): Pdu {
  const { payload, view } = fields(12 + bytes.length);
  view.setBigUint64(0, BigInt(offset));
  view.setUint32(8, Math.floor(timeMs));
  payload.set(bytes, 12);
  return { type: "DATA", flags: 0, session, seq, payload };
}

/** @throws {ProtocolError} for DATA that cannot be */
export function readData(pdu: Pdu): Piece {
  const view = requireBytes(pdu, 13);
  const offset = view.getBigUint64(0);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError(`no such offset: ${offset}`);
  return { seq: pdu.seq, offset: Number(offset), timeMs: view.getUint32(8), bytes: pdu.payload.subarray(12) };
}

/** What a receiver says of what came. */
export interface Report {
  /** Behind the highest seq that came. */
  readonly next: number;
  readonly lost: number;
  /** RFC 3550, section 6.4.1. */
  readonly jitterMs: number;
}

export function reportPdu(session: number, { next, lost, jitterMs }: Report): Pdu {
  const { payload, view } = fields(8);
  view.setUint32(0, lost);
  view.setUint32(4, Math.round(1000 * jitterMs));
  return { type: "REPORT", flags: 0, session, seq: next, payload };
}

/** @throws {ProtocolError} for a REPORT that is too short */
export function readReport(pdu: Pdu): Report {
  const view = requireBytes(pdu, 8);
  return { next: pdu.seq, lost: view.getUint32(0), jitterMs: view.getUint32(4) / 1000 };
}

/** A command, or the server's answer to it. */
export interface Control {
  /** Counts the client's commands, from 1. */
  readonly number: number;
  readonly action: Action;
  /** Of a seek: where to. In the answer: where the server is. In ms. */
  readonly positionMs: number;
  /** In the answer: the seq of the first DATA behind the command. */
  readonly first: number;
}

export function controlPdu(session: number, { number, action, positionMs, first }: Control): Pdu {
  const { payload, view } = fields(9);
  payload[0] = ACTIONS.indexOf(action) + 1;
  view.setUint32(1, Math.round(positionMs));
  view.setUint32(5, first);
  return { type: "CONTROL", flags: 0, session, seq: number, payload };
}

/** @throws {ProtocolError} for a command that there is not */
export function readControl(pdu: Pdu): Control {
  const view = requireBytes(pdu, 9);
  const action = ACTIONS[pdu.payload[0] - 1];
  if (action === undefined) throw new ProtocolError(`no such action: ${pdu.payload[0]}`, { offset: HEADER_BYTES });
  return { number: pdu.seq, action, positionMs: view.getUint32(1), first: view.getUint32(5) };
}

const NOTHING = new Uint8Array(0);

/**
 * @param seq how many DATA there were
 * @param after the number of the last command: who has sent another is not meant
 */
export function finPdu(session: number, seq: number, after = 0): Pdu {
  return { type: "FIN", flags: after & 0xff, session, seq, payload: NOTHING };
}

export function errorPdu(session: number, code: number, text: string): Pdu {
  return { type: "ERROR", flags: 0, session, seq: 0, payload: errorPayload(code, text, 512) };
}

/** Where in a file that moment is, in bytes. Of samples of 1, 2 or 4 bytes none is cut. */
export function offsetAt({ size, rate }: Info, timeMs: number): number {
  const offset = Math.floor(timeMs * rate / 1000);
  return Math.min(size, offset - offset % 4);
}

/** When what stands at that place is to be played, in ms. */
export function timeAt({ rate }: Info, offset: number): number {
  return 1000 * offset / rate;
}

/** What goes wrong at the server, in words; the first has to be short. */
export const refusal = {
  unknownSession: () => "no such session",
  busy: (limit: number) => limit === 1 ? "1 client is being served" : `${limit} clients are being served`,
  silent: (ms: number) => `no report for ${ms / 1000} s`,
  shorter: () => "the file has become shorter",
  shutdown: () => "the server is shutting down",
};
