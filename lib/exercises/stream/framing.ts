// How PDUs are told apart: each is a datagram. And the seed's own form, where a datagram is bytes and nothing else.

import type { Codec } from "../../protocol/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Framer } from "../../protocol/framing.ts";
import { count, decodeLossy } from "../../protocol/text.ts";
import type { Notation } from "../exercise.ts";
import { describeDatagram, parseCookie, parsePdu } from "./notation.ts";
import { decodePdu, encodePdu, NO_COOKIE, type Pdu } from "./protocol.ts";

/** A datagram is a message. */
export class WholeFramer implements Framer {
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = false;

  constructor(readonly name: "pdu" | "seed") {}

  cut(): null {
    return null;
  }

  whole(datagram: Uint8Array): Uint8Array {
    return datagram;
  }

  seal(): void {}
}

/** Between datagrams and PDUs. What is none is null: on the way it may have been cut or changed, or it is a stranger's. */
export const pduCodec: Codec<Pdu | null, Pdu> = { decode: readPdu, encode: encodePdu, describe: describeDatagram };

/** Bytes as they come. */
export const bytesCodec: Codec<Uint8Array> = {
  decode: (frame) => frame,
  encode: (bytes) => bytes,
  describe: describeBare,
};

/** The longest datagram of the seed's form that is taken for words: a name, a size, an ending, what is wrong. */
const MAX_WORDS = 255;

/** A datagram of the seed's form in writing: words as they are, and how many bytes there are of a medium. */
export function describeBare(bytes: Uint8Array): string {
  const text = bytes.length <= MAX_WORDS ? decodeLossy(bytes) : "";
  return text === "" || /[\p{Cc}\ufffd]/u.test(text) ? count(bytes.length, "byte") : text;
}

/** A datagram as a PDU; null when it is none. */
export function readPdu(datagram: Uint8Array): Pdu | null {
  try {
    return decodePdu(datagram);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return null;
  }
}

/** The notation of one conversation. */
export function makeNotation(): Notation {
  return { makeFramer: () => new WholeFramer("pdu"), codec: new NotationCodec() };
}

/** So many cookies are remembered. */
const MAX_COOKIES = 1000;

/** PDUs in writing, for checks and `explain`. `cookie=*` stands for the one that the server has given to that session. */
class NotationCodec implements Codec<string> {
  readonly #cookies = new Map<number, Uint8Array>();

  decode(frame: Uint8Array): string {
    const text = describeDatagram(frame);
    const given = /^COOKIE session=(\d+) cookie=([0-9a-f]+)$/.exec(text);
    if (given === null) return text;
    if (this.#cookies.size >= MAX_COOKIES) this.#cookies.clear();
    this.#cookies.set(Number(given[1]), parseCookie(given[2]));
    return `COOKIE session=${given[1]} cookie=*`;
  }

  encode(text: string): Uint8Array {
    const session = Number(/ session=(\d+)/.exec(text)?.[1]);
    const cookie = (this.#cookies.get(session) ?? NO_COOKIE).toHex();
    return encodePdu(parsePdu(text.replace(" cookie=*", ` cookie=${cookie}`)));
  }
}
