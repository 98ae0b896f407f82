// SMTP on the wire (RFC 5321): commands are lines, replies are a code of three digits and text.
//
//     C: EHLO client.example          S: 250-mail.example greets client.example
//                                     S: 250 SIZE 10485760
//     C: MAIL FROM:<a@client.example> SIZE=1000         S: 250 2.1.0 …
//     C: RCPT TO:<b@mail.example>                       S: 250 2.1.5 …
//     C: DATA                                           S: 354 …
//     C: lines, those that begin with a dot with one more, and . alone      S: 250 2.0.0 …

import { trimEndOf, truncateText } from "../../protocol/text.ts";

/** The longest command line, CRLF included, in bytes (RFC 5321 4.5.3.1.4). */
export const MAX_COMMAND = 512;
/** The same for an answer of AUTH (RFC 4954 section 4). */
export const MAX_AUTH_LINE = 12_288;
/** MAIL may be longer by its parameters: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954). */
export const MAX_MAIL = MAX_COMMAND + 26 + 17 + 10 + 500;
/** The longest line of a reply, CRLF included (RFC 5321 4.5.3.1.5). */
const MAX_REPLY = 512;
/** The largest message that a server takes unless told otherwise, in bytes. */
export const DEFAULT_MAX_SIZE = 33_554_432;
/** RFC 5321 section 4.5.3.1.8 wants room for 100 at least. */
export const DEFAULT_MAX_RECIPIENTS = 1000;

/** The domain of what comes from nobody: one that nobody can have (RFC 2606 section 2). */
export const NO_DOMAIN = "netlab.invalid";
/** Who writes where the envelope has no sender: From has to name somebody (RFC 5322 section 3.6), as mail servers do in reports. */
export const DAEMON = `MAILER-DAEMON@${NO_DOMAIN}`;

/** The commands that a server knows. */
export const VERBS = [
  "EHLO",
  "HELO",
  "MAIL",
  "RCPT",
  "DATA",
  "BDAT",
  "RSET",
  "NOOP",
  "VRFY",
  "EXPN",
  "HELP",
  "QUIT",
  "STARTTLS",
  "AUTH",
] as const;
export type Verb = typeof VERBS[number];

/** A command line, taken apart. */
export interface Command {
  /** Null for what is none. */
  readonly verb: Verb | null;
  /** As it was said. */
  readonly word: string;
  /** Behind the word and one space, without spaces at its end. */
  readonly argument: string;
}

export function parseCommand(line: string): Command {
  // No other white space (RFC 5321 section 4.1.1), of which \s knows a lot; CR CR LF is borne as a line's end, though.
  const said = trimEndOf(line, " \t\r");
  const end = said.search(/[ \t]/);
  const word = end < 0 ? said : said.slice(0, end);
  // Only ASCII: ſ and ı become S and I in upper case, and are neither.
  const upper = /^[A-Za-z]+$/.test(word) ? word.toUpperCase() : "";
  return { verb: VERBS.find((verb) => verb === upper) ?? null, word, argument: end < 0 ? "" : said.slice(end + 1) };
}

/** A reply: a code, lines of text, and, for those who have asked for it, an enhanced code (RFC 3463, RFC 2034). */
export interface Reply {
  readonly code: number;
  readonly enhanced?: string;
  readonly lines: readonly string[];
}

export function reply(code: number, enhanced: string | null, ...lines: string[]): Reply {
  return enhanced === null ? { code, lines } : { code, enhanced, lines };
}

/** What stands behind a command is wrong. */
export const syntax = (text: string): Reply => reply(501, "5.5.4", text);

/**
 * A reply as it goes on the wire: each line but the last with a minus behind the code. What is too long, because it repeats
 * what the client has said, is cut.
 */
export function encodeReply({ code, enhanced, lines }: Reply): string {
  const prefix = enhanced === undefined ? "" : `${enhanced} `;
  return lines.map((line, i) => {
    const text = `${code}${i < lines.length - 1 ? "-" : " "}${prefix}${line}`;
    // Most are so short that they need not be counted in bytes.
    return `${3 * text.length < MAX_REPLY ? text : truncateText(text, MAX_REPLY - 2)}\r\n`;
  }).join("");
}

/** One line of a reply, as a client reads it; null for what is none. A code alone is complete, too (section 4.2.1). */
export function parseReplyLine(
  line: string,
): { readonly code: number; readonly last: boolean; readonly text: string } | null {
  const [, code, separator, text] = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(line) ?? [];
  return code === undefined ? null : { code: Number(code), last: separator !== "-", text: text ?? "" };
}

/** A parameter of MAIL or RCPT (RFC 5321 section 4.1.2): `SIZE=1000`, `SMTPUTF8`. */
export interface Parameter {
  /** In upper case. */
  readonly keyword: string;
  readonly value: string | null;
}

/** Takes the parameters behind a path apart. @returns null when one of them is none */
export function parseParameters(text: string): Parameter[] | null {
  const parameters: Parameter[] = [];
  for (const word of text.split(" ")) {
    if (word === "") continue;
    const [, keyword, value] =
      /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\u0080-\u{10ffff}]+))?$/u.exec(word) ?? [];
    if (keyword === undefined) return null;
    parameters.push({ keyword: keyword.toUpperCase(), value: value ?? null });
  }
  return parameters;
}

/** What a client goes through, in order. */
export const STAGES = ["greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "content", "message"] as const;
export type Stage = typeof STAGES[number];
