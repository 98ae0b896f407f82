// How PDUs are told apart: on TCP by the length in their header, on UDP by the datagram.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import { loadCrc32 } from "../../protocol/crc32.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Framer } from "../../protocol/framing.ts";
import { count } from "../../protocol/text.ts";
import type { Notation, Transport } from "../exercise.ts";
import { describeBytes } from "../pdu_notation.ts";
import { formatPdu, parsePdu } from "./notation.ts";
import { decodePdu, encodePdu, HEADER_BYTES, type Pdu, PDU_TYPES } from "./protocol.ts";

/** What to do about a sender that says no PDUs. */
export const BARE_HINT = "a sender of the seed's form needs --wire seed here";

/** Cuts whole PDUs, header included, off a stream. */
export class PduFramer implements Framer {
  readonly name = "pdu";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces: boolean;

  constructor(transport: Transport) {
    this.coalesces = transport === "tcp";
  }

  cut(queue: ByteQueue): Uint8Array | null {
    // Whoever speaks another protocol is told so at its first byte.
    if (queue.length > 0 && PDU_TYPES[queue.at(0) - 1] === undefined) {
      throw new ProtocolError(`no such type of PDU: ${queue.at(0)}`, { fatal: true, offset: 0, hint: BARE_HINT });
    }
    if (queue.length < HEADER_BYTES) return null;
    const bytes = HEADER_BYTES + (queue.at(10) << 8 | queue.at(11));
    return queue.length < bytes ? null : queue.take(bytes);
  }

  whole(datagram: Uint8Array): Uint8Array {
    return datagram;
  }

  seal(): void {}
}

/** Bytes as they come, and nothing else: the seed's own form. */
export class BytesFramer implements Framer {
  readonly name = "seed";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = false;

  cut(queue: ByteQueue): Uint8Array | null {
    return queue.length === 0 ? null : queue.take(queue.length);
  }

  whole(datagram: Uint8Array): Uint8Array {
    return datagram;
  }

  seal(): void {}
}

export const bytesCodec: Codec<Uint8Array> = {
  decode: (frame) => frame,
  encode: (bytes) => bytes,
  describe: (bytes) => count(bytes.length, "byte"),
};

const SCRATCH_BYTES = 64;

/**
 * Between bytes and PDUs. A datagram that is none is null: on the way it may have been cut or changed, or it is a stranger's.
 * A stream in which that happens has lost its place, and ends.
 */
export function pduCodec(transport: Transport): Codec<Pdu | null, Pdu> {
  loadCrc32(); // else the first sender waits for it
  const decode = (frame: Uint8Array): Pdu | null => {
    try {
      return decodePdu(frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (transport === "udp") return null;
      const { message, offset } = error;
      throw new ProtocolError(message, { fatal: true, offset });
    }
  };
  // Acknowledgements all have one place: a channel copies what it sends, and a new array costs more than all else in it.
  const scratch = new Uint8Array(SCRATCH_BYTES);
  return { decode, encode: (pdu) => encodePdu(pdu, scratch), describe };
}

/** PDUs in writing, for checks and `explain`: there is nothing to remember of a conversation. */
export function makeNotation(): Notation {
  const codec = { decode: describe, encode: (text: string) => encodePdu(parsePdu(text)) };
  return { makeFramer: (transport) => new PduFramer(transport), codec };
}

function describe(frame: Uint8Array): string {
  return describeBytes(frame, decodePdu, formatPdu);
}
