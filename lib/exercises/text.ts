// What the exercises share whose messages are text: framing, codec, and how a refusal reads.

import { makeServerFramer } from "../protocol/auto_framing.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import { DatagramFramer, type Framer, tooLongToSend } from "../protocol/framing.ts";
import { decodeText, encodeText, escapeText } from "../protocol/text.ts";

/** The longest message of people who write to each other, in bytes. */
export const MAX_TEXT = 8192;

/** A message is its text, which has to be UTF-8. */
export const textCodec: Codec<string> = { decode: decodeText, encode: (text) => text };

/** How every refusal begins. */
const ERROR = "ERROR";

/** A refusal. Controls in what it quotes are written out. */
export function errorReply(why: string): string {
  return `${ERROR} ${escapeText(why)}`;
}

/** The answer to what is no message. */
export function badReply(error: ProtocolError): string {
  return errorReply(error.hint ? `${error.message} (${error.hint})` : error.message);
}

/** Whether a message is a refusal. */
export function isError(text: string): boolean {
  return text === ERROR || text.startsWith(`${ERROR} `);
}

/** Why a framing cannot carry a text; null when it can. */
export function whyUnfit(framer: Framer, text: string): string | null {
  if (3 * text.length <= framer.maxBody) return null;
  const { length } = encodeText(text);
  return length > framer.maxBody ? tooLongToSend(framer, length).message : null;
}

/**
 * The framer of a server's connection where any text is a message, which may begin with a digit.
 *
 * @throws {NetlabError} of kind `usage` when `--wire` names none
 */
export function freeTextFramer(
  { transport, wire }: { readonly transport: "tcp" | "udp"; readonly wire: string },
  onDecided: (framer: Framer) => void,
): Framer {
  if (transport === "udp") return new DatagramFramer(MAX_TEXT);
  return makeServerFramer(wire, { maxBytes: MAX_TEXT, lengths: false, isComplete: () => true, onDecided });
}

/** What `--wire` may say for those, and what of it `auto` finds out. */
export const FREE_TEXT_WIRES = {
  wires: ["auto", "line", "lenN", "raw"],
  detects: ["line", "raw"],
  clientWire: "line",
} as const;

/** The paragraph of `explain` about their framing. */
export const FREE_TEXT_FRAMING = [
  `Over TCP a message is a line, ended by LF. A peer that sends no LF is understood, too: 300 ms of silence end its first`,
  `message, from then on one read is one message, and it is answered without LF. With --wire len2, len4, … a message has a`,
  `decimal length before it.`,
].join("\n");
