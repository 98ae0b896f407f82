// PDUs in writing, as the trace, `explain` and checks show them: `REPORT session=1 seq=3 lost=0 jitter=0.25`.

import { decodeLossy, encodeText } from "../../protocol/text.ts";
import { describeBytes, formatWords, parseHex, parseWords, quoteBytes } from "../pdu_notation.ts";
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
  return formatWords(pdu, fieldsOf, SHOWN_BYTES);
}

function fieldsOf(pdu: Pdu): string[] {
  const seq = `seq=${pdu.seq}`;
  switch (pdu.type) {
    case "REQUEST": {
      const { name, startMs, cookie } = readRequest(pdu);
      return [`start=${startMs}`, ...(isNone(cookie) ? [] : [`cookie=${cookie.toHex()}`]), quoteText(name)];
    }
    case "COOKIE":
      return [`cookie=${readCookie(pdu).toHex()}`];
    case "INFO": {
      const { size, durationMs, rate, assumed, mediaType } = readInfo(pdu);
      const fields = [`size=${size}`, `duration=${durationMs ?? "unknown"}`, `rate=${rate}`];
      return [...fields, ...(assumed ? ["assumed"] : []), quoteText(mediaType)];
    }
    case "DATA": {
      const { offset, timeMs, bytes } = readData(pdu);
      return [seq, `offset=${offset}`, `time=${timeMs}`, quoteBytes(bytes, SHOWN_BYTES)];
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
  return describeBytes(datagram, decodePdu, formatPdu);
}

const isNone = (cookie: Uint8Array) => cookie.every((byte) => byte === 0);

const quoteText = (text: string) => quoteBytes(encodeText(text), SHOWN_TEXT);

/**
 * Reads what `formatPdu` writes, for as far as it shows all.
 *
 * @throws {ProtocolError} of side `local` for what it does not
 */
export function parsePdu(text: string): Pdu {
  const { type, words, named, quoted } = parseWords(text, PDU_TYPES);
  const number = (name: string) => Number(named[name] ?? 0);
  const [session, seq] = [number("session"), number("seq")];
  switch (type) {
    case "REQUEST":
      return requestPdu(session, {
        name: decodeLossy(quoted),
        startMs: number("start"),
        cookie: named.cookie ? parseCookie(named.cookie) : NO_COOKIE,
      });
    case "COOKIE":
      return cookiePdu(session, parseCookie(named.cookie ?? ""));
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
export function parseCookie(text: string): Uint8Array {
  const bytes = new Uint8Array(COOKIE_BYTES);
  bytes.set(parseHex(text).subarray(0, COOKIE_BYTES));
  return bytes;
}
