// What a person who types SMTP is told after each reply: what it asks for, and what may come next.

import { decodeBase64 } from "./base64.ts";
import type { ClientReply } from "./client_replies.ts";

/** What a refusal asks for, by its code. */
const REFUSALS: Readonly<Record<number, string>> = {
  421: "the server ends the session",
  500: "it does not know that: ? lists the commands",
  501: "what stands behind the command is wrong: ? lists the commands",
  502: "it does not do that",
  503: "not in this order: EHLO, MAIL FROM, RCPT TO, DATA",
  530: "log in first: AUTH, perhaps STARTTLS before",
  535: "wrong name or password",
  538: "encrypt first: STARTTLS, then EHLO again",
};

/** What comes next, by what has just gone well; the greeting is the answer to nothing. */
const NEXT: readonly (readonly [RegExp, string])[] = [
  [/^$/, "EHLO and your name"],
  [/^(?:EHLO|HELO)\b/, "MAIL FROM:<address>"],
  [/^STARTTLS/, "EHLO again: what was said in clear counts for nothing now"],
  [/^AUTH/, "MAIL FROM:<address>"],
  [/^MAIL/, "RCPT TO:<address>"],
  [/^RCPT/, "DATA, or RCPT TO:<address> for somebody else"],
  [/^\.$/, "MAIL FROM:<address> for another message, or QUIT"],
  [/^RSET/, "MAIL FROM:<address>"],
];

/**
 * The hint behind a reply; null where there is none.
 *
 * @param asked what it answers, in upper case; empty for the greeting
 * @param offered the keywords of the reply to EHLO
 */
export function hintFor(asked: string, { code, lines }: ClientReply, offered: readonly string[]): string | null {
  if (code === 334) {
    const question = decodeBase64(lines.at(-1)?.trim() ?? "");
    return `${question ? `it asks "${question}": ` : ""}answer in base64 (* gives up; /base64 works before AUTH)`;
  }
  if (code === 354) {
    return "now headers, an empty line, and the text; a dot alone ends it; a line that begins with a dot needs one more";
  }
  if (code >= 400) {
    return REFUSALS[code] ?? (code < 500 ? "a refusal for now: later it may work" : "a refusal for good");
  }
  const next = NEXT.find(([pattern]) => pattern.test(asked))?.[1] ?? null;
  const also = /^EHLO\b/.test(asked) ? ["STARTTLS", "AUTH"].filter((word) => offered.includes(word)) : [];
  return next === null ? null : `next: ${[next, ...also].join(", or ")}`;
}
