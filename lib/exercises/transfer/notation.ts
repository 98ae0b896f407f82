// PDUs in writing, as the trace, `explain` and checks show them: `DATA session=1 seq=0 "hello"`.

import { ProtocolError } from "../../protocol/errors.ts";
import { decodeLossy, encodeText, escapeBytes } from "../../protocol/text.ts";
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
  const head = [pdu.type, `session=${pdu.session}`];
  try {
    return [...head, ...fieldsOf(pdu)].join(" ");
  } catch (error) {
    return [...head, `(${(error as Error).message})`, quoteBytes(pdu.payload)].join(" ");
  }
}

/** Bytes in quotes, as `parseBytes` reads them: their own backslashes are doubled. */
function quoteBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let left = bytes.subarray(0, SHOWN_BYTES);
  for (let at; (at = left.indexOf(BACKSLASH)) >= 0; left = left.subarray(at + 1)) {
    parts.push(escapeBytes(left.subarray(0, at)));
  }
  parts.push(escapeBytes(left));
  return `"${parts.join("\\\\")}"${bytes.length > SHOWN_BYTES ? ` … (${bytes.length} bytes)` : ""}`;
}

const BACKSLASH = 0x5c;
const quoteText = (text: string) => quoteBytes(encodeText(text));

function fieldsOf(pdu: Pdu): string[] {
  const seq = `seq=${pdu.seq}`;
  const digest = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  switch (pdu.type) {
    case "OPEN": {
      const { size, chunk, window, scheme, resume, name } = readOffer(pdu);
      const fields = [`size=${size ?? "unknown"}`, `chunk=${chunk}`, `window=${window}`, `arq=${scheme}`];
      return [...fields, ...(resume ? ["resume"] : []), quoteText(name)];
    }
    case "ACCEPT": {
      const accept = readAccept(pdu);
      return [seq, `window=${accept?.window}`, ...(accept?.digest ? [`digest=${digest(accept.digest)}`] : [])];
    }
    case "DATA":
      return [seq, ...(pdu.flags & FLAG_PUSH ? ["push"] : []), quoteBytes(pdu.payload)];
    case "ACK": {
      const bits = Array.from(pdu.payload, (byte) => byte.toString(2).padStart(8, "0").split("").reverse().join(""));
      return [seq, ...(bits.length > 0 ? [`bitmap=${bits.join("")}`] : [])];
    }
    case "FIN":
      return [seq, `digest=${digest(pdu.payload)}`];
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
  const apart = /^([A-Z]+)((?: [^" ]+)*)(?: "(.*)")?$/s.exec(text);
  const type = PDU_TYPES.find((one) => one === apart?.[1]);
  if (!apart || type === undefined) throw new ProtocolError(`not a PDU: ${text}`, { side: "local" });
  const words = apart[2].split(" ").filter((word) => word !== "");
  const named: Record<string, string> = Object.fromEntries(words.map((word) => word.split("=", 2)));
  const quoted = parseBytes(apart[3] ?? "");
  const session = Number(named.session ?? 0);
  const seq = Number(named.seq ?? 0);
  const digest = () => Uint8Array.from((named.digest ?? "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
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

/** Undoes what `quoteBytes` does to short ones. */
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
