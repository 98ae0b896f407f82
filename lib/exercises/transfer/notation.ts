// PDUs in writing, as the trace, `explain` and checks show them: `DATA session=1 seq=0 "hello"`.

import { decodeLossy, encodeText } from "../../protocol/text.ts";
import { formatWords, parseHex, parseWords, quoteBytes } from "../pdu_notation.ts";
import {
  acceptPdu,
  ackPdu,
  DEFAULT_CHUNK,
  donePdu,
  errorPdu,
  finPdu,
  FLAG_PUSH,
  openPdu,
  type Pdu,
  PDU_TYPES,
  readAccept,
  readDuplicates,
  readError,
  readOffer,
  type Scheme,
} from "./protocol.ts";

/** Of a longer payload, only the beginning is shown. */
const SHOWN_BYTES = 300;

/** A PDU as text; one whose fields cannot be read is shown with its bytes. */
export function formatPdu(pdu: Pdu): string {
  return formatWords(pdu, fieldsOf, SHOWN_BYTES);
}

const quoteText = (text: string) => quoteBytes(encodeText(text), SHOWN_BYTES);

function fieldsOf(pdu: Pdu): string[] {
  const seq = `seq=${pdu.seq}`;
  switch (pdu.type) {
    case "OPEN": {
      const { size, chunk, window, scheme, resume, name } = readOffer(pdu);
      const fields = [`size=${size ?? "unknown"}`, `chunk=${chunk}`, `window=${window}`, `arq=${scheme}`];
      return [...fields, ...(resume ? ["resume"] : []), quoteText(name)];
    }
    case "ACCEPT": {
      const accept = readAccept(pdu);
      return [seq, `window=${accept?.window}`, ...(accept?.digest ? [`digest=${accept.digest.toHex()}`] : [])];
    }
    case "DATA":
      return [seq, ...(pdu.flags & FLAG_PUSH ? ["push"] : []), quoteBytes(pdu.payload, SHOWN_BYTES)];
    case "ACK": {
      const bits = Array.from(pdu.payload, (byte) => byte.toString(2).padStart(8, "0").split("").reverse().join(""));
      return [seq, ...(bits.length > 0 ? [`bitmap=${bits.join("")}`] : [])];
    }
    case "FIN":
      return [seq, `digest=${pdu.payload.toHex()}`];
    case "DONE":
      return [seq, `duplicates=${readDuplicates(pdu)}`];
    case "ERROR": {
      const { code, text } = readError(pdu);
      return [`code=${code}`, quoteText(text)];
    }
  }
}

/**
 * Reads what `formatPdu` writes.
 *
 * @throws {ProtocolError} of side `local` for what it does not
 */
export function parsePdu(text: string): Pdu {
  const { type, words, named, quoted } = parseWords(text, PDU_TYPES);
  const session = Number(named.session ?? 0);
  const seq = Number(named.seq ?? 0);
  const digest = () => parseHex(named.digest ?? "");
  switch (type) {
    case "OPEN":
      return openPdu(session, {
        name: decodeLossy(quoted),
        size: named.size === "unknown" ? null : Number(named.size ?? 0),
        chunk: Number(named.chunk ?? DEFAULT_CHUNK),
        window: Number(named.window ?? 1),
        scheme: (named.arq ?? "stop-and-wait") as Scheme,
        resume: words.includes("resume"),
      });
    case "ACCEPT":
      return acceptPdu(session, seq, Number(named.window ?? 1), named.digest ? digest() : null);
    case "DATA":
      return {
        type,
        flags: words.includes("push") ? FLAG_PUSH : 0,
        session,
        seq,
        payload: quoted,
      };
    case "ACK":
      return ackPdu(session, seq, parseBits(named.bitmap ?? ""));
    case "FIN":
      return finPdu(session, seq, digest());
    case "DONE":
      return donePdu(session, seq, Number(named.duplicates ?? 0));
    case "ERROR":
      return errorPdu(session, Number(named.code ?? 0), decodeLossy(quoted));
  }
}

/** Bits as they stand in writing, `101`, as bytes. */
function parseBits(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(text.length / 8));
  for (let i = 0; i < text.length; i++) if (text[i] === "1") bytes[i >> 3] |= 1 << (i & 7);
  return bytes;
}
