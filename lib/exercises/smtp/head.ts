// What a server that delivers puts before a message (RFC 5321 section 4.4): who sent it, for whom it is, and how it came.

import { encodeText } from "../../protocol/text.ts";
import type { Mailbox } from "./address.ts";
import type { Envelope } from "./server_messages.ts";

/** How a message has come. */
export interface Arrival {
  readonly envelope: Envelope;
  /** The client's address, without its port. */
  readonly from: string;
  /** What the server calls itself. */
  readonly by: string;
  /** As RFC 5322 has it. */
  readonly date: string;
}

/** The lines before a message that is delivered to `recipient`, as a Maildir has them: each ends in LF. */
export function deliveryHead({ envelope, from, by, date }: Arrival, recipient: Mailbox, id: string): Uint8Array {
  const address = from.includes(":") ? `IPv6:${from}` : from;
  return encodeText([
    `Return-Path: <${envelope.from?.text ?? ""}>`,
    `Delivered-To: ${recipient.text}`,
    `Received: from ${envelope.helo} ([${address}])`,
    `\tby ${by} with ${envelope.protocol} id ${id}`,
    `\tfor <${recipient.text}>; ${date}`,
    "",
  ].join("\n"));
}

/** Made once a second: it takes as long as all of a short head. */
let lastDate = { seconds: NaN, text: "" };

/** `Fri, 21 Nov 2025 17:39:00 +0000` @param time in ms since 1970 */
export function mailDate(time: number): string {
  const seconds = Math.floor(time / 1000);
  if (seconds !== lastDate.seconds) {
    lastDate = { seconds, text: new Date(time).toUTCString().replace("GMT", "+0000") };
  }
  return lastDate.text;
}
