// How an exercise's messages become bytes and back: text in one of the framings, or, where they are no text, their notation.

import type { Codec } from "../protocol/codec.ts";
import { type Framer, makeFramer } from "../protocol/framing.ts";
import { decodeLossy } from "../protocol/text.ts";
import type { Grading, Transport } from "./exercise.ts";

/** The longest message of a peer that is taken, in bytes. */
const MAX_BYTES = 65_536;

/** What a peer may send need not be what it should: it is shown as it is. */
const lenientCodec: Codec<string> = { decode: decodeLossy, encode: (text) => text };

/** Both directions of one connection, in writing. */
export interface Spelling {
  makeFramer(): Framer;
  readonly codec: Codec<string>;
}

/**
 * The spelling of a conversation, in an exercise's own notation if it has one.
 *
 * @param wire `seed` for what the seed's programs send, whatever the notation is; or a name that `makeFramer` knows, of no
 * meaning over UDP and where there is a notation
 */
export function spellingOf(
  { makeNotation }: Pick<Grading, "makeNotation">,
  transport: Transport,
  wire: string,
): Spelling {
  const notation = wire === "seed" ? undefined : makeNotation?.();
  if (notation) return { makeFramer: () => notation.makeFramer(transport), codec: notation.codec };
  // A bare stream, such as the seed's files, has no messages that could be too long.
  const maxBytes = transport === "tcp" && (wire === "seed" || wire === "raw") ? Infinity : MAX_BYTES;
  const name = transport === "udp" ? "datagram" : wire === "seed" ? "raw" : wire;
  return { makeFramer: () => makeFramer(name, maxBytes)!, codec: lenientCodec };
}
