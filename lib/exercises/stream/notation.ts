// PDUs in writing, as the trace, `explain` and checks show them: `REPORT session=1 seq=3 lost=0 jitter=0.25`.

import { ProtocolError } from "../../protocol/errors.ts";
import { decodeLossy, encodeText, escapeBytes } from "../../protocol/text.ts";
import {
  ACTIONS,
  controlPdu,
  COOKIE_BYTES,
  cookiePdu,
  dataPdu,
  decodePdu,
  errorPdu,
  finPdu,
  infoPdu,
  NO_COOKIE,
  type Pdu,
  PDU_TYPES,
  readControl,
  readCookie,
  readData,
  readError,
  readInfo,
  readReport,
  readRequest,
  reportPdu,
  requestPdu,
} from "./protocol.ts";

/** Of more bytes of a medium, and of longer texts, only the beginning is shown. */
const SHOWN_BYTES = 24;
const SHOWN_TEXT = 300;

/** A PDU as text; one whose fields cannot be read is shown with its bytes. */
export function formatPdu(pdu: Pdu): string {
  const head = [pdu.type, `session=${pdu.session}`];
  try {
    return [...head, ...fieldsOf(pdu)].join(" ");
  } catch (error) {
    return [...head, `(${(error as Error).message})`, quoteBytes(pdu.payload)].join(" ");
  }
}

function fieldsOf(pdu: Pdu): string[] {
  const seq = `seq=${pdu.seq}`;
  switch (pdu.type) {
    case "REQUEST": {
      const { name, startMs, cookie } = readRequest(pdu);
      return [`start=${startMs}`, ...(isNone(cookie) ? [] : [`cookie=${hex(cookie)}`]), quoteText(name)];
    }
    case "COOKIE":
      return [`cookie=${hex(readCookie(pdu))}`];
    case "INFO": {
      const { size, durationMs, rate, assumed, mediaType } = readInfo(pdu);
      const fields = [`size=${size}`, `duration=${durationMs ?? "unknown"}`, `rate=${rate}`];
      return [...fields, ...(assumed ? ["assumed"] : []), quoteText(mediaType)];
    }
    case "DATA": {
      const { offset, timeMs, bytes } = readData(pdu);
      return [seq, `offset=${offset}`, `time=${timeMs}`, quoteBytes(bytes)];
    }
    case "REPORT": {
      const { lost, jitterMs } = readReport(pdu);
      return [seq, `lost=${lost}`, `jitter=${jitterMs}`];
    }
    case "CONTROL": {
      const { action, positionMs, first } = readControl(pdu);
      return [seq, action, `position=${positionMs}`, `first=${first}`];
    }
    case "FIN":
      return [seq, ...(pdu.flags === 0 ? [] : [`after=${pdu.flags}`])];
    case "ERROR": {
      const { code, text } = readError(pdu);
      return [`code=${code}`, quoteText(text)];
    }
  }
}

/** A datagram in writing, whatever it is. */
export function describeDatagram(datagram: Uint8Array): string {
  try {
    return formatPdu(decodePdu(datagram));
  } catch (error) {
    return `(${(error as Error).message}) ${escapeBytes(datagram, 64)}`;
  }
}

const isNone = (cookie: Uint8Array) => cookie.every((byte) => byte === 0);
export const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes in quotes, as `parseBytes` reads them: their own backslashes are doubled. */
function quoteBytes(bytes: Uint8Array, most = SHOWN_BYTES): string {
  const shown = bytes.subarray(0, most);
  const parts: string[] = [];
  let from = 0;
  for (let at; (at = shown.indexOf(BACKSLASH, from)) >= 0; from = at + 1) {
    parts.push(escapeBytes(shown.subarray(from, at)));
  }
  parts.push(escapeBytes(shown.subarray(from)));
  return `"${parts.join("\\\\")}"${bytes.length > most ? ` … (${bytes.length} bytes)` : ""}`;
}

const quoteText = (text: string) => quoteBytes(encodeText(text), SHOWN_TEXT);
const BACKSLASH = 0x5c;

/**
 * Reads what `formatPdu` writes, for as far as it shows all.
 *
 * @throws {ProtocolError} of side `local` for what it does not
 */
export function parsePdu(text: string): Pdu {
  const apart = /^([A-Z]+)((?: [^" ]+)*)(?: "(.*)")?$/s.exec(text);
  const type = PDU_TYPES.find((one) => one === apart?.[1]);
  if (!apart || type === undefined) throw new ProtocolError(`not a PDU: ${text}`, { side: "local" });
  const words = apart[2].split(" ").filter((word) => word !== "");
  const named: Record<string, string> = Object.fromEntries(words.map((word) => word.split("=", 2)));
  const quoted = parseBytes(apart[3] ?? "");
  const number = (name: string) => Number(named[name] ?? 0);
  const [session, seq] = [number("session"), number("seq")];
  switch (type) {
    case "REQUEST":
      return requestPdu(session, {
        name: decodeLossy(quoted),
        startMs: number("start"),
        cookie: named.cookie ? parseHex(named.cookie) : NO_COOKIE,
      });
    case "COOKIE":
      return cookiePdu(session, parseHex(named.cookie ?? ""));
    case "INFO": {
      const durationMs = named.duration === "unknown" ? null : number("duration");
      const mediaType = decodeLossy(quoted);
      const [size, rate, assumed] = [number("size"), number("rate"), words.includes("assumed")];
      return infoPdu(session, { size, durationMs, rate, assumed, mediaType });
    }
    case "DATA":
      return dataPdu(session, { seq, offset: number("offset"), timeMs: number("time"), bytes: quoted });
    case "REPORT":
      return reportPdu(session, { next: seq, lost: number("lost"), jitterMs: number("jitter") });
    case "CONTROL": {
      const action = ACTIONS.find((one) => words.includes(one)) ?? "pause";
      return controlPdu(session, { number: seq, action, positionMs: number("position"), first: number("first") });
    }
    case "FIN":
      return finPdu(session, seq, number("after"));
    case "ERROR":
      return errorPdu(session, number("code"), decodeLossy(quoted));
  }
}

/** A cookie in writing. */
export function parseHex(text: string): Uint8Array {
  const bytes = new Uint8Array(COOKIE_BYTES);
  bytes.set((text.match(/[0-9a-f]{2}/gi) ?? []).slice(0, COOKIE_BYTES).map((pair) => parseInt(pair, 16)));
  return bytes;
}

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
