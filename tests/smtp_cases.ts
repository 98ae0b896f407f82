// Wire cases of SMTP: bytes in, reply codes out, and what is kept. The test plays each of them whole, cut at every point and
// byte by byte, against the server's machine.

import type { Verb } from "../lib/exercises/smtp/protocol.ts";
import type { State } from "../lib/exercises/smtp/codes.ts";
import type { ServerOptions } from "../lib/exercises/smtp/server_messages.ts";
import { bytes } from "./helpers.ts";

/** What a client sends in one go; text is UTF-8. */
export type Wire = string | Uint8Array;

/** One case. It ends in order, unless it says otherwise: a NOOP behind it gets its 250. */
export interface WireCase {
  readonly name: string;
  /** The RFC and its section, such as `5321 4.1.4`. */
  readonly rfc: string;
  /** Where the session is when the case begins; the way there is not part of it. @default "ready" */
  readonly from?: State;
  /** Where there are several: the next is sent when all replies to the last have come. */
  readonly send: readonly Wire[];
  /** The codes, `553/5.6.7` where the enhanced code matters, and `+` for each reply of several lines. */
  readonly replies: string;
  /** The messages that were kept, as they were kept. @default [] */
  readonly kept?: readonly Wire[];
  readonly server?: Partial<ServerOptions>;
  /** What the server's disk refuses. */
  readonly full?: "open" | "content" | "deliver";
  /** How it ends: the server closes, or the client's stream ends in the midst of something. */
  readonly ends?: "closed" | "cut off";
}

/** What is said to get to a state, and what is answered. */
export const WAYS: Readonly<Record<State, { readonly send: string; readonly replies: string }>> = {
  start: { send: "", replies: "220" },
  ready: { send: "EHLO c.example\r\n", replies: "220 250+" },
  mail: { send: "EHLO c.example\r\nMAIL FROM:<a@c.example>\r\n", replies: "220 250+ 250" },
  rcpt: { send: "EHLO c.example\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<b@s.example>\r\n", replies: "220 250+ 250 250" },
};

const MAIL = "MAIL FROM:<a@c.example>\r\n";
const RCPT = "RCPT TO:<b@s.example>\r\n";
const NOOP = "NOOP\r\n";
const TLS = { tls: "offered" } as const;
const STRICT = { rejectBareNewline: true };
const AUTH = { auth: { required: false, insecure: true } };
const REQUIRED = { auth: { required: true, insecure: true } };
const COURSE = { compat: true, ...AUTH };
const TINY = { maxSize: 10 };
const MODEST = { maxSize: 20_000 };
/** `alice` with the password `secret`. */
const PLAIN = btoa("\0alice\0secret");
const [ALICE, SECRET] = [btoa("alice"), btoa("secret")];

/** `length` bytes of line, CRLF included. */
const line = (start: string, length: number, filler = "x") => `${start}${filler.repeat(length - start.length - 2)}\r\n`;
/** A path whose mailbox has `length` bytes: a local part of `local`, and a domain. */
const mailbox = (local: number, length: number) => {
  const labels = "d".repeat(60) + "." + "e".repeat(60) + "." + "f".repeat(60) + "." + "g".repeat(60);
  return `${"l".repeat(local)}@${labels.slice(0, length - local - 1)}`;
};

/** The code of every command in every state (RFC 5321 section 4.1.4), written down apart from the machine's own table. */
export const ORDER: Readonly<Record<Verb, { readonly send: string; readonly replies: Record<State, string> }>> = {
  EHLO: { send: "EHLO d.example\r\n", replies: { start: "250+", ready: "250+", mail: "250+", rcpt: "250+" } },
  HELO: { send: "HELO d.example\r\n", replies: { start: "250", ready: "250", mail: "250", rcpt: "250" } },
  MAIL: { send: MAIL, replies: { start: "503", ready: "250/2.1.0", mail: "503/5.5.1", rcpt: "503/5.5.1" } },
  RCPT: { send: RCPT, replies: { start: "503", ready: "503/5.5.1", mail: "250/2.1.5", rcpt: "250/2.1.5" } },
  DATA: { send: "DATA\r\n", replies: { start: "503", ready: "503/5.5.1", mail: "503/5.5.1", rcpt: "354" } },
  BDAT: { send: "BDAT 4\r\nQUIT", replies: { start: "503", ready: "503/5.5.1", mail: "503/5.5.1", rcpt: "250/2.0.0" } },
  RSET: { send: "RSET\r\n", replies: { start: "250", ready: "250/2.0.0", mail: "250/2.0.0", rcpt: "250/2.0.0" } },
  NOOP: { send: NOOP, replies: { start: "250", ready: "250/2.0.0", mail: "250/2.0.0", rcpt: "250/2.0.0" } },
  VRFY: { send: "VRFY b\r\n", replies: { start: "252", ready: "252/2.5.2", mail: "252", rcpt: "252" } },
  EXPN: { send: "EXPN b\r\n", replies: { start: "502", ready: "502/5.5.1", mail: "502", rcpt: "502" } },
  HELP: { send: "HELP\r\n", replies: { start: "214+", ready: "214+", mail: "214+", rcpt: "214+" } },
  QUIT: { send: "QUIT\r\n", replies: { start: "221", ready: "221/2.0.0", mail: "221", rcpt: "221" } },
  STARTTLS: { send: "STARTTLS\r\n", replies: { start: "503", ready: "220", mail: "503/5.5.1", rcpt: "503/5.5.1" } },
  AUTH: { send: "AUTH LOGIN\r\n", replies: { start: "503", ready: "334", mail: "503/5.5.1", rcpt: "503/5.5.1" } },
};

const order: WireCase[] = Object.entries(ORDER).flatMap(([verb, { send, replies }]) =>
  Object.entries(replies).map(([from, code]): WireCase => ({
    ...{ name: `${verb} in state ${from}`, rfc: "5321 4.1.4", from: from as State, server: { ...TLS, ...AUTH } },
    ...(code === "354" ? { send: [send, ".\r\n"], replies: "354 250", kept: [""] } : { send: [send], replies: code }),
    ...(code === "334" ? { send: [send, "*\r\n"], replies: "334 501" } : {}),
    ...(verb === "QUIT" ? { ends: "closed" as const } : {}),
  }))
);

const greetings: WireCase[] = [
  { name: "EHLO with an address literal", rfc: "5321 4.1.4", send: ["EHLO [192.0.2.1]\r\n"], replies: "250+" },
  { name: "EHLO without a name", rfc: "5321 4.1.1.1", from: "start", send: ["EHLO\r\n"], replies: "501" },
  { name: "HELO without a name", rfc: "5321 4.1.1.1", from: "start", send: ["HELO \r\n" + MAIL], replies: "501 503" },
  { name: "EHLO with two names", rfc: "5321 4.1.1.1", from: "start", send: ["EHLO a b\r\n"], replies: "501" },
  {
    ...{ name: "EHLO with a wrong name leaves the transaction alone", rfc: "5321 4.1.4", from: "rcpt" },
    ...{ send: ["EHLO a b\r\nDATA\r\n", ".\r\n"], replies: "501 354 250", kept: [""] },
  },
  { name: "a second EHLO", rfc: "5321 4.1.4", send: ["EHLO d.example\r\n" + MAIL], replies: "250+ 250" },
  {
    ...{ name: "EHLO ends a transaction", rfc: "5321 4.1.4", from: "rcpt" },
    ...{ send: ["EHLO d.example\r\nDATA\r\n" + MAIL + RCPT], replies: "250+ 503 250 250" },
  },
  {
    ...{ name: "HELO ends a transaction, and enhanced codes", rfc: "2034 3", from: "mail" },
    ...{ send: ["HELO d.example\r\n" + RCPT + MAIL], replies: "250 503/- 250/-" },
  },
  { name: "before EHLO there are no enhanced codes", rfc: "2034 3", from: "start", send: [MAIL], replies: "503/-" },
  { name: "the reply to EHLO has none", rfc: "2034 3", send: ["EHLO d.example\r\n"], replies: "250/-+" },
  {
    ...{ name: "a whole dialogue by HELO", rfc: "5321 D.1", from: "start" },
    ...{ send: [`HELO c\r\n${MAIL}${RCPT}DATA\r\n`, "x\r\n.\r\n", "QUIT\r\n"] },
    ...{ replies: "220 250 250 250 354 250 221".slice(4), kept: ["x\r\n"], ends: "closed" },
  },
  {
    ...{ name: "commands in small letters", rfc: "5321 2.4", from: "start", kept: ["x\r\n"] },
    ...{ send: ["ehlo c\r\nmail from:<a@c.example> size=3\r\nrcpt to:<b@s.example>\r\ndata\r\n", "x\r\n.\r\n"] },
    ...{ replies: "250+ 250 250 354 250" },
  },
  {
    ...{ name: "VRFY, EXPN, HELP, NOOP and RSET leave a transaction alone or end it", rfc: "5321 4.1.4", from: "rcpt" },
    ...{ send: ["VRFY b\r\nEXPN b\r\nHELP DATA\r\nNOOP x\r\nRSET\r\nDATA\r\n"], replies: "252 502 214+ 250 250 503" },
  },
];

const commands: WireCase[] = [
  { name: "no command at all", rfc: "5321 4.2.4", send: ["\r\n"], replies: "500/5.5.2" },
  { name: "only spaces", rfc: "5321 4.2.4", send: ["   \r\n"], replies: "500/5.5.2" },
  { name: "a command with a space before it", rfc: "5321 4.1.1", send: [" NOOP\r\n"], replies: "500/5.5.2" },
  { name: "an unknown command", rfc: "5321 4.2.4", send: ["TURN\r\n"], replies: "500/5.5.2" },
  { name: "a command with something grown to it", rfc: "5321 4.1.1", send: ["NOOPS\r\n"], replies: "500" },
  {
    name: "a command with a letter that only looks so in upper case",
    rfc: "5321 2.4",
    send: ["RſET\r\n"],
    replies: "500",
  },
  { name: "another of those", rfc: "5321 2.4", send: ["MAıL FROM:<>\r\n"], replies: "500" },
  { name: "spaces behind a command", rfc: "5321 4.1.1", send: ["NOOP  \t\r\n"], replies: "250" },
  {
    ...{ name: "white space that is neither a space nor a tab ends no command", rfc: "5321 4.1.1" },
    ...{ send: ["MAIL\u00a0FROM:<a@b>\r\nMAIL\rFROM:<a@b>\r\nNOOP\x0c\r\nRSET\u2028\r\n"], replies: "500 500 500 500" },
  },
  {
    ...{ name: "nor does it stand around a path", rfc: "5321 4.1.2" },
    send: ["MAIL FROM:\x0b<a@b>\r\nMAIL FROM:<a@b>\x0c\r\nMAIL FROM:<a@b> \u00a0\r\nMAIL FROM:\u00a0<a@b>\r\n"],
    replies: "501 501 501 501",
  },
  { name: "NOOP with an argument", rfc: "5321 4.1.1.9", send: ["NOOP this\r\n"], replies: "250" },
  { name: "RSET with an argument", rfc: "5321 4.1.1.5", send: ["RSET now\r\n"], replies: "501/5.5.4" },
  { name: "QUIT with an argument", rfc: "5321 4.1.1.10", send: ["QUIT now\r\n"], replies: "501/5.5.4" },
  {
    ...{ name: "DATA with an argument", rfc: "5321 4.1.1.4", from: "rcpt" },
    ...{ send: ["DATA now\r\n"], replies: "501/5.5.4" },
  },
  { name: "VRFY without an argument", rfc: "5321 4.1.1.6", send: ["VRFY\r\n"], replies: "501/5.5.4" },
  { name: "HELP with an argument", rfc: "5321 4.1.1.8", send: ["HELP MAIL\r\n"], replies: "214+" },
  { name: "a NUL in a command", rfc: "5321 4.1.2", send: ["NOOP \0\r\n"], replies: "500/5.5.2" },
  { name: "a byte that is no UTF-8", rfc: "6531 3.3", send: [bytes("NOOP ", 0xe9, "\r\n")], replies: "500/5.5.2" },
  { name: "UTF-8 cut off", rfc: "6531 3.3", send: [bytes("NOOP ", 0xc3, "\r\n")], replies: "500/5.5.2" },
  { name: "UTF-8 where text is free", rfc: "6531 3.3", send: ["NOOP é\r\n"], replies: "250" },
  { name: "a command of 511 bytes", rfc: "5321 4.5.3.1.4", send: [line("NOOP ", 511)], replies: "250" },
  { name: "a command of 512 bytes", rfc: "5321 4.5.3.1.4", send: [line("NOOP ", 512)], replies: "250" },
  { name: "a command of 513 bytes", rfc: "5321 4.5.3.1.4", send: [line("NOOP ", 513)], replies: "500/5.5.2" },
  { name: "a command of 5000 bytes", rfc: "5321 4.5.3.1.4", send: [line("NOOP ", 5000)], replies: "500/5.5.2" },
  {
    ...{ name: "two that are too long", rfc: "5321 4.5.3.1.4", send: [line("", 600) + NOOP + line("", 700)] },
    ...{ replies: "500 250 500" },
  },
  {
    name: "MAIL of 1064 bytes",
    rfc: "4954 3",
    send: [line(`${MAIL.trim()} AUTH=`, 1064)],
    server: AUTH,
    replies: "250",
  },
  {
    name: "MAIL of 1065 bytes",
    rfc: "4954 3",
    send: [line(`${MAIL.trim()} AUTH=`, 1065)],
    server: AUTH,
    replies: "250",
  },
  {
    name: "MAIL of 1066 bytes",
    rfc: "4954 3",
    send: [line(`${MAIL.trim()} AUTH=`, 1066)],
    server: AUTH,
    replies: "500",
  },
  { name: "a command that ends at LF", rfc: "5321 2.3.8", send: ["NOOP\nNOOP\n"], replies: "250 250" },
  {
    name: "a whole dialogue with LF, but for the end of DATA",
    rfc: "5321 2.3.8",
    from: "start",
    kept: ["x\r\n"],
    send: ["EHLO c\nMAIL FROM:<a@c.example>\nRCPT TO:<b@s.example>\nDATA\n", "x\r\n.\r\n", "QUIT\n"],
    replies: "250+ 250 250 354 250 221",
    ends: "closed",
  },
  { name: "a bare CR ends no command", rfc: "5321 2.3.8", send: ["NOOP\rNOOP\rNOOP\r\n"], replies: "500" },
  { name: "CR CR LF behind a command", rfc: "5321 2.3.8", send: ["NOOP\r\r\n"], replies: "250" },
  {
    name: "strict: a command that ends at LF",
    rfc: "5321 2.3.8",
    server: STRICT,
    send: ["NOOP\n"],
    replies: "500/5.5.2",
  },
  { name: "strict: a lone LF", rfc: "5321 2.3.8", server: STRICT, send: ["\n"], replies: "500/5.5.2" },
  { name: "strict: a bare CR in a command", rfc: "5321 2.3.8", server: STRICT, send: ["NOOP\rx\r\n"], replies: "500" },
  { name: "strict: CR CR LF", rfc: "5321 2.3.8", server: STRICT, send: ["NOOP\r\r\n"], replies: "500/5.5.2" },
  { name: "strict: QUIT that ends at LF", rfc: "5321 2.3.8", server: STRICT, send: ["QUIT\n"], replies: "500/5.5.2" },
  {
    ...{ name: "a request of HTTP", rfc: "5321 7.8", from: "start", ends: "closed", replies: "500" },
    send: ["POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO c\r\nMAIL FROM:<a@c.example>\r\n"],
  },
  { name: "a request of HTTP, later", rfc: "5321 7.8", ends: "closed", send: ["GET /x HTTP/1.0\n\n"], replies: "500" },
  { name: "a word of HTTP, and no request", rfc: "5321 4.2.4", send: ["GET mail\r\n"], replies: "500" },
  {
    ...{ name: "commands behind QUIT", rfc: "5321 4.1.1.10", from: "rcpt", ends: "closed" },
    ...{ send: ["QUIT\r\nDATA\r\nx\r\n.\r\nNOOP\r\n"], replies: "221" },
  },
  { name: "a command cut off", rfc: "5321 4.1.1", send: ["NOOP"], replies: "", ends: "cut off" },
  {
    name: "a command cut off behind its CR",
    rfc: "5321 2.3.8",
    send: ["NOOP\r\nQUIT\r"],
    replies: "250",
    ends: "cut off",
  },
  {
    ...{ name: "RCPT cut off", rfc: "5321 4.1.1", from: "mail", send: ["RCPT TO:<b@s.example>"], replies: "" },
    ends: "cut off",
  },
  { name: "nothing at all", rfc: "5321 3.1", from: "start", send: [""], replies: "", ends: "cut off" },
  {
    name: "the last error but one",
    rfc: "5321 4.2.4",
    server: { maxErrors: 3 },
    send: ["A\r\nB\r\n"],
    replies: "500 500",
  },
  {
    ...{ name: "one error too many", rfc: "5321 3.8", server: { maxErrors: 3 }, ends: "closed" },
    ...{ send: ["A\r\nB\r\nC\r\nNOOP\r\n"], replies: "500 500 500 421/4.7.0" },
  },
  {
    ...{ name: "one error too many in the midst of BDAT", rfc: "5321 3.8", server: { maxErrors: 2 }, ends: "closed" },
    ...{ from: "rcpt", send: ["BDAT 1\r\nxDATA\r\nDATA\r\nNOOP\r\n"], replies: "250 503 503 421" },
  },
  {
    ...{ name: "errors count in a row: what succeeds starts anew", rfc: "5321 3.8", server: { maxErrors: 2 } },
    ...{ send: ["A\r\nNOOP\r\nB\r\nRSET\r\nC\r\nD\r\n"], replies: "500 250 500 250 500 500 421", ends: "closed" },
  },
  {
    ...{ name: "a refusal is no error, and undoes none", rfc: "5321 4.2.1", from: "mail", ends: "closed" },
    ...{
      server: { maxErrors: 2, accept: ["s.example"] },
      send: [`A\r\n${"RCPT TO:<b@c.example>\r\n".repeat(3)}B\r\n`],
    },
    replies: "500 550 550 550 500 421",
  },
  {
    ...{ name: "recipients that are too many are no errors", rfc: "5321 4.5.3.1.10", from: "rcpt", kept: ["x"] },
    ...{ server: { maxErrors: 2, maxRecipients: 1 }, send: [`${RCPT.repeat(3)}BDAT 1 LAST\r\nx`] },
    replies: "452 452 452 250",
  },
];

const from = (
  path: string,
  more: Omit<WireCase, "name" | "rfc" | "send" | "replies">,
  replies: string,
  name: string,
  rfc: string,
): WireCase => ({
  ...{ name, rfc, send: [`MAIL FROM:${path}\r\n`], replies },
  ...more,
});
const to = (
  path: string,
  replies: string,
  name: string,
  rfc: string,
  server: Partial<ServerOptions> = {},
): WireCase => ({
  ...{ name, rfc, from: "mail", send: [`RCPT TO:${path}\r\n`], replies, server },
});
const ACCEPT = { accept: ["s.example", "t.example"] };

const paths: WireCase[] = [
  from("<>", {}, "250", "MAIL from nobody", "5321 4.5.5"),
  from(" <a@c.example>", {}, "250", "a space behind the colon, as many programs send it", "5321 3.3"),
  from("", {}, "501/5.1.7", "MAIL without a path", "5321 4.1.1.2"),
  from("a@c.example", {}, "501/5.1.7", "MAIL without brackets", "5321 4.1.2"),
  from("<a@c.example", {}, "501/5.1.7", "MAIL with a bracket open", "5321 4.1.2"),
  from("<a@c.example>x", {}, "501/5.1.7", "something grown to the path", "5321 4.1.2"),
  from("<a>", {}, "501/5.1.7", "MAIL without a domain", "5321 4.1.2"),
  from("<Postmaster>", {}, "501/5.1.7", "a postmaster without a domain sends nothing", "5321 4.1.1.2"),
  from("<@c.example>", {}, "501/5.1.7", "MAIL with nothing before the @", "5321 4.1.2"),
  from("<a@>", {}, "501/5.1.7", "MAIL with nothing behind the @", "5321 4.1.2"),
  from("<a..b@c.example>", {}, "501", "two dots in the local part", "5321 4.1.2"),
  from("<.a@c.example>", {}, "501", "a dot before the local part", "5321 4.1.2"),
  from("<a b@c.example>", {}, "501", "a space in the local part", "5321 4.1.2"),
  from('<"a b\\"c>"@c.example>', {}, "250", "a quoted local part with space, quote and bracket", "5321 4.1.2"),
  from('<"a@c.example>', {}, "501", "a quote open", "5321 4.1.2"),
  from("<a@-c.example>", {}, "501", "a label that begins with a minus", "5321 4.1.2"),
  from("<a@c..example>", {}, "501", "an empty label", "5321 4.1.2"),
  from("<a@c_d.example>", {}, "501", "an underscore in the domain", "5321 2.3.5"),
  from("<a@[192.0.2.1]>", {}, "250", "an address literal", "5321 4.1.3"),
  from("<a@[192.0.2.256]>", {}, "501", "an address literal that is none", "5321 4.1.3"),
  from("<a@[IPv6:2001:db8::1]>", {}, "250", "an address literal of IPv6", "5321 4.1.3"),
  from("<a@[2001:db8::1]>", {}, "250", "a literal with a tag of its own", "5321 4.1.3"),
  from("<@r.example,@q.example:a@c.example>", {}, "250", "a source route", "5321 C"),
  from("<r.example:a@c.example>", {}, "501", "a source route without @", "5321 C"),
  from("<a@c.example> ", {}, "250", "a space at the end", "5321 4.1.1"),
  from(`<${mailbox(63, 100)}>`, {}, "250", "63 bytes before the @", "5321 4.5.3.1.1"),
  from(`<${mailbox(64, 100)}>`, {}, "250", "64 bytes before the @", "5321 4.5.3.1.1"),
  from(`<${mailbox(65, 100)}>`, {}, "501", "65 bytes before the @", "5321 4.5.3.1.1"),
  from(`<${mailbox(20, 253)}>`, {}, "250", "a path of 255 bytes", "5321 4.5.3.1.3"),
  from(`<${mailbox(20, 254)}>`, {}, "250", "a path of 256 bytes", "5321 4.5.3.1.3"),
  from(`<${mailbox(20, 255)}>`, {}, "501", "a path of 257 bytes", "5321 4.5.3.1.3"),
  from(`<a@${"x".repeat(63)}.example>`, {}, "250", "a label of 63 bytes", "1035 2.3.4"),
  from(`<a@${"x".repeat(64)}.example>`, {}, "501", "a label of 64 bytes", "1035 2.3.4"),
  { name: "FROM missing", rfc: "5321 4.1.1.2", send: ["MAIL <a@c.example>\r\n"], replies: "501/5.5.4" },
  { name: "MAIL alone", rfc: "5321 4.1.1.2", send: ["MAIL\r\n"], replies: "501/5.5.4" },
  {
    name: "MAIL that failed leaves no transaction",
    rfc: "5321 4.1.4",
    send: ["MAIL FROM:<\r\n" + RCPT + MAIL],
    replies: "501 503 250",
  },
  { name: "TO missing", rfc: "5321 4.1.1.3", from: "mail", send: ["RCPT <b@s.example>\r\n"], replies: "501/5.5.4" },
  to("<>", "501/5.1.3", "RCPT to nobody", "5321 4.1.1.3"),
  to("", "501/5.1.3", "RCPT without a path", "5321 4.1.1.3"),
  to("b@s.example", "501/5.1.3", "RCPT without brackets", "5321 4.1.2"),
  to("<b>", "501/5.1.3", "RCPT without a domain", "5321 4.1.2"),
  to("<Postmaster>", "250", "the postmaster without a domain", "5321 4.5.1"),
  to("<pOSTMASTER>", "250", "the postmaster in other letters", "5321 4.5.1"),
  to("<Postmaster>", "250", "the postmaster is always taken", "5321 4.5.1", ACCEPT),
  to("<poſtmaster>", "501", "a postmaster who only looks so", "5321 4.5.1"),
  to("<../../x@s.example>", "501", "a name that could lead out of a folder", "5321 4.1.2"),
  to('<"../../x"@s.example>', "250", "the same in quotes", "5321 4.1.2"),
  to('<"a\x01"@s.example>', "501", "a control character in quotes", "5321 4.1.2"),
  to("<@r.example:b@s.example>", "250", "a source route to a recipient", "5321 C"),
  to("<b@s.example>", "250", "a domain that is taken", "5321 3.6.2", ACCEPT),
  to("<b@T.EXAMPLE>", "250", "a domain that is taken, in other letters", "5321 2.4", ACCEPT),
  to("<b@u.example>", "550/5.7.1", "a domain that is not taken", "5321 3.6.2", ACCEPT),
  to("<b@x.s.example>", "550/5.7.1", "a domain below one that is taken", "5321 3.6.2", ACCEPT),
  to("<b@[192.0.2.1]>", "550/5.7.1", "a literal where only domains are taken", "5321 3.6.2", ACCEPT),
  to("<b%u.example@s.example>", "250", "a percent sign is nothing special", "5321 3.6.2", ACCEPT),
  to("<@s.example:b@u.example>", "550", "a source route is no way around the list", "5321 3.6.2", ACCEPT),
  to("<b@s.example> NOTIFY=NEVER", "555/5.5.4", "a parameter of RCPT that was not offered", "5321 4.1.1.11"),
  to("<b@s.example> =", "501/5.5.4", "a parameter of RCPT that is none", "5321 4.1.2"),
  {
    ...{ name: "as many recipients as there may be, less one", rfc: "5321 4.5.3.1.10", server: { maxRecipients: 3 } },
    ...{ from: "mail", send: [RCPT.repeat(2)], replies: "250 250" },
  },
  {
    ...{ name: "as many recipients as there may be", rfc: "5321 4.5.3.1.10", server: { maxRecipients: 3 } },
    ...{ from: "mail", send: [RCPT.repeat(3)], replies: "250 250 250" },
  },
  {
    ...{
      name: "a recipient too many; the others get it",
      rfc: "5321 4.5.3.1.10",
      server: { maxRecipients: 3 },
      from: "mail",
    },
    ...{ send: [RCPT.repeat(4) + "DATA\r\n", "x\r\n.\r\n"], replies: "250 250 250 452/4.5.3 354 250", kept: ["x\r\n"] },
  },
  {
    name: "100 recipients",
    rfc: "5321 4.5.3.1.8",
    from: "mail",
    send: [RCPT.repeat(100)],
    replies: "250 ".repeat(100),
  },
];

const parameters: WireCase[] = [
  from("<a@c.example> XYZ", {}, "555/5.5.4", "an unknown parameter", "5321 4.1.1.11"),
  from("<a@c.example> XYZ=1 SIZE=1", {}, "555/5.5.4", "an unknown parameter before a known one", "5321 4.1.1.11"),
  from("<a@c.example> -X=1", {}, "501/5.5.4", "a parameter that is none", "5321 4.1.2"),
  from("<a@c.example> SIZE==1", {}, "501/5.5.4", "a value with =", "5321 4.1.2"),
  { name: "MAIL and two spaces", rfc: "5321 4.1.1", from: "ready", send: ["MAIL  FROM:<>\r\n"], replies: "501" },
  from("<a@c.example>  SIZE=1  BODY=7BIT ", {}, "250", "more spaces than needed", "5321 4.1.1"),
  from("<a@c.example> SIZE=1 SIZE=1", {}, "250", "a parameter twice", "5321 4.1.1.11"),
  from("<a@c.example> SIZE=1 SIZE=2", {}, "501/5.5.4", "a parameter twice, which differs", "5321 4.1.1.11"),
  from(
    "<a@c.example> SMTPUTF8 BODY=8BITMIME SMTPUTF8 body=8bitmime",
    {},
    "250",
    "said twice, as smtplib does",
    "6531 3.4",
  ),
  from("<a@c.example> BODY=7BIT BODY=8BITMIME", {}, "501/5.5.4", "two bodies", "6152 3"),
  from("<a@c.example> SMTPUTF8 SMTPUTF8=1", {}, "501/5.5.4", "SMTPUTF8 with a value, the second time", "6531 3.4"),
  from("<a@c.example> SIZE", {}, "501/5.5.4", "SIZE without a value", "1870 3"),
  from("<a@c.example> SIZE=", {}, "501/5.5.4", "SIZE with an empty value", "1870 3"),
  from("<a@c.example> SIZE=-1", {}, "501/5.5.4", "SIZE below nothing", "1870 3"),
  from("<a@c.example> SIZE=1k", {}, "501/5.5.4", "SIZE that is no number", "1870 3"),
  from("<a@c.example> SIZE=0", { server: TINY }, "250", "SIZE of nothing", "1870 6"),
  from("<a@c.example> SIZE=9", { server: TINY }, "250", "SIZE below the limit", "1870 6.1"),
  from("<a@c.example> SIZE=10", { server: TINY }, "250", "SIZE at the limit", "1870 6.1"),
  from("<a@c.example> SIZE=11", { server: TINY }, "552/5.3.4", "SIZE above the limit", "1870 6.1"),
  from(`<a@c.example> SIZE=${"9".repeat(20)}`, {}, "552/5.3.4", "SIZE of 20 digits", "1870 5"),
  from(`<a@c.example> SIZE=${"9".repeat(21)}`, {}, "501/5.5.4", "SIZE of 21 digits", "1870 5"),
  from("<> SIZE=10 BODY=8BITMIME SMTPUTF8", {}, "250", "all of them together", "6531 3.4"),
  from("<a@c.example> BODY=7BIT", {}, "250", "BODY=7BIT", "6152 2"),
  from("<a@c.example> body=8bitmime", {}, "250", "BODY in small letters", "6152 2"),
  from("<a@c.example> BODY=BINARYMIME", {}, "501/5.5.4", "BINARYMIME, which was not offered", "3030 3"),
  from("<a@c.example> BODY", {}, "501/5.5.4", "BODY without a value", "6152 2"),
  from("<a@c.example> SMTPUTF8=1", {}, "501/5.5.4", "SMTPUTF8 with a value", "6531 3.4"),
  from("<a@c.example> AUTH=<>", { server: AUTH }, "250", "AUTH=<>", "4954 5"),
  from("<a@c.example> AUTH=<>", {}, "555/5.5.4", "AUTH=<> where nobody can log in", "4954 5"),
  from("<a@c.example> AUTH", { server: AUTH }, "501/5.5.4", "AUTH as a parameter without a value", "4954 5"),
  {
    ...{ name: "a parameter behind HELO", rfc: "5321 4.1.1.1", from: "start" },
    ...{ send: ["HELO c\r\nMAIL FROM:<a@c.example> SIZE=1\r\n"], replies: "250 555" },
  },
  from("<ä@c.example> SMTPUTF8", {}, "250", "a sender in UTF-8", "6531 3.3"),
  from("<ä@c.example>", {}, "553/5.6.7", "a sender in UTF-8 without SMTPUTF8", "6531 3.5"),
  from("<a@ä.example>", {}, "553/5.6.7", "a sender's domain in UTF-8 without SMTPUTF8", "6531 3.5"),
  from('<"ä"@c.example>', {}, "553/5.6.7", "a sender in UTF-8 in quotes without SMTPUTF8", "6531 3.5"),
  {
    name: "a sender that is no UTF-8",
    rfc: "6531 3.3",
    send: [bytes("MAIL FROM:<", 0xe4, "@c.example> SMTPUTF8\r\n")],
    replies: "500",
  },
  to("<ä@s.example>", "553/5.6.7", "a recipient in UTF-8 without SMTPUTF8", "6531 3.5"),
  to("<b@ä.example>", "553/5.6.7", "a recipient's domain in UTF-8 without SMTPUTF8", "6531 3.5"),
  {
    ...{ name: "a recipient in UTF-8 with SMTPUTF8", rfc: "6531 3.3" },
    ...{ send: ["MAIL FROM:<a@c.example> SMTPUTF8\r\nRCPT TO:<ä@ä.example>\r\n"], replies: "250 250" },
  },
  {
    ...{ name: "SMTPUTF8 is forgotten with its transaction", rfc: "6531 3.4" },
    ...{
      send: [`MAIL FROM:<a@c.example> SMTPUTF8\r\nRSET\r\n${MAIL}RCPT TO:<ä@s.example>\r\n`],
      replies: "250 250 250 553",
    },
  },
  {
    ...{ name: "SMTPUTF8 behind HELO", rfc: "6531 3.1", from: "start" },
    ...{ send: ["HELO c\r\nMAIL FROM:<ä@c.example> SMTPUTF8\r\n"], replies: "250 555" },
  },
];

/** Content, and what is kept of it. */
const data = (content: Wire, kept: Wire | null, name: string, rfc: string, more: Partial<WireCase> = {}): WireCase => ({
  ...{ name, rfc, from: "rcpt", send: ["DATA\r\n", bytes(content, ".\r\n")] },
  ...{ replies: kept === null ? "354 552/5.3.4" : "354 250/2.0.0", kept: kept === null ? [] : [kept] },
  ...more,
});
const same = (content: Wire, name: string, rfc: string, more: Partial<WireCase> = {}): WireCase =>
  data(content, content, name, rfc, more);

const contents: WireCase[] = [
  same("", "an empty message", "5321 4.1.1.4"),
  same("\r\n", "an empty line", "5321 4.1.1.4"),
  same("S: x\r\n\r\nbody\r\n", "a message", "5321 4.1.1.4"),
  data("..\r\n", ".\r\n", "a line of two dots", "5321 4.5.2"),
  data("...\r\n", "..\r\n", "a line of three dots", "5321 4.5.2"),
  data(".x\r\n", "x\r\n", "a dot that was not doubled", "5321 4.5.2"),
  data("..x\r\nx.\r\nx..x\r\n", ".x\r\nx.\r\nx..x\r\n", "dots in and behind a line", "5321 4.5.2"),
  data("..\r\n..\r\n..\r\n", ".\r\n.\r\n.\r\n", "lines of dots", "5321 4.5.2"),
  data(". \r\n", " \r\n", "a dot and a space", "5321 4.5.2"),
  data(".\r\r\nx\r\n", "\r\r\nx\r\n", "a dot, CR CR LF", "5321 2.3.8"),
  data(".\rx\r\n", "\rx\r\n", "a dot, CR and more", "5321 2.3.8"),
  same("a\0b\r\n", "a NUL in content", "5321 4.5.2"),
  same(bytes("caf", 0xe9, 0xff, 0x80, "\r\n"), "8-bit bytes in content", "6152 3"),
  same("ä €\r\n", "UTF-8 in content", "6152 3"),
  same("\r\r\r\n", "several CRs", "5321 2.3.8"),
  same(line("", 999), "a line of 999 bytes", "5321 4.5.3.1.6"),
  same(line("", 1000), "a line of 1000 bytes", "5321 4.5.3.1.6"),
  same(line("", 1001), "a line of 1001 bytes, which is borne", "5321 4.5.3.1.6"),
  same(line("", 20_000), "a line as long as a message may be, which is borne", "5321 4.5.3.1.6", { server: MODEST }),
  data(line("", 20_001), null, "a line that is longer than that", "5321 4.5.3.1.6", { server: MODEST }),
  same(line("", 8), "content at the limit, less two", "1870 6.3", { server: TINY }),
  same(line("", 9), "content below the limit", "1870 6.3", { server: TINY }),
  same(line("", 10), "content at the limit", "1870 6.3", { server: TINY }),
  data(line("", 11), null, "content above the limit", "1870 6.3", { server: TINY }),
  data(line("", 3000), null, "content far above the limit", "1870 6.3", { server: TINY }),
  data(line("..", 11), line(".", 10), "a dot that goes does not count", "1870 5", { server: TINY }),
  data(line("..", 12), null, "a dot that stays does", "1870 5", { server: TINY }),
  data("NOOP\r\nQUIT\r\nRSET\r\n", "NOOP\r\nQUIT\r\nRSET\r\n", "commands in content are content", "5321 4.1.1.4"),
  {
    ...{ name: "too large, and the next is not", rfc: "1870 6.3", from: "rcpt", server: TINY },
    ...{ send: ["DATA\r\n", `${line("", 11)}.\r\n${MAIL}${RCPT}DATA\r\n`, "x\r\n.\r\n"] },
    ...{ replies: "354 552 250 250 354 250", kept: ["x\r\n"] },
  },
  {
    ...{ name: "two messages", rfc: "5321 3.3", from: "rcpt", kept: ["1\r\n", "2\r\n"] },
    ...{ send: ["DATA\r\n", `1\r\n.\r\n${MAIL}${RCPT}DATA\r\n`, "2\r\n.\r\n"], replies: "354 250 250 250 354 250" },
  },
  {
    ...{ name: "a message behind a message needs a transaction of its own", rfc: "5321 4.1.4", from: "rcpt" },
    ...{ send: ["DATA\r\n", "1\r\n.\r\nDATA\r\n" + RCPT], replies: "354 250 503 503", kept: ["1\r\n"] },
  },
  {
    name: "content cut off",
    rfc: "5321 4.1.1.4",
    from: "rcpt",
    ends: "cut off",
    send: ["DATA\r\n", "x\r\n."],
    replies: "354",
  },
  {
    ...{ name: "content cut off behind . CR", rfc: "5321 4.1.1.4", from: "rcpt", ends: "cut off" },
    ...{ send: ["DATA\r\n", "x\r\n.\r"], replies: "354" },
  },
  {
    ...{ name: "content cut off at once", rfc: "5321 4.1.1.4", from: "rcpt", ends: "cut off" },
    ...{ send: ["DATA\r\n"], replies: "354" },
  },
  {
    ...{ name: "no room for a message", rfc: "5321 4.2.3", from: "rcpt", full: "open" },
    ...{ send: ["DATA\r\n" + MAIL], replies: "452/4.3.1 250" },
  },
  data("x\r\n", null, "no room at the end", "5321 4.2.3", { full: "deliver", replies: "354 452/4.3.1" }),
  data("QUIT\r\n..\r\n", null, "no room in the midst", "5321 4.2.3", { full: "content", replies: "354 452/4.3.1" }),
];

/** What could be taken for the end of content, and is none (RFC 5321 section 4.1.1.4; the smuggling attacks of 2023). */
export const FALSE_ENDS = [
  ...[
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\r",
    "\r\r\n.\r\r\n",
    "\n\n.\n\n",
    "\r\n.\0\r\n",
    "\r\n.\t\r\n",
  ],
  ...["\0\n.\r\n", "\r\n.\r\r\n", "\n.\r", "\r\n\0.\r\n"],
];
/** What of those begins a line with a dot loses that dot. */
const unstuffed = (text: string) => text.replaceAll(/(?<=^|\r\n)\./g, "");
const show = (text: string) => JSON.stringify(text).slice(1, -1).replaceAll("\\u0000", "\\0");

const ends: WireCase[] = [
  ...FALSE_ENDS.map((end): WireCase => ({
    ...{ name: `no end of content: ${show(end)}`, rfc: "5321 2.3.8", from: "rcpt" },
    ...{ send: ["DATA\r\n", `x${end}NOOP\r\n.\r\n`], replies: "354 250", kept: [`x${unstuffed(end)}NOOP\r\n`] },
  })),
  ...FALSE_ENDS.map((end): WireCase => ({
    ...{ name: `strict: no end of content: ${show(end)}`, rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    send: ["DATA\r\n", `x${end}NOOP\r\n.\r\n`],
    ...(/(?<!\r)\n|\r(?!\n)/.test(end)
      ? { replies: "354 550/5.5.2" }
      : { replies: "354 250", kept: [`x${unstuffed(end)}NOOP\r\n`] }),
  })),
  {
    ...{ name: "CR CR LF . CR LF is an end: the line before ends in CR LF", rfc: "5321 2.3.8", from: "rcpt" },
    ...{ send: ["DATA\r\n", "x\r\r\n.\r\n"], replies: "354 250", kept: ["x\r\r\n"] },
  },
  {
    ...{ name: "strict: CR CR LF . CR LF", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["DATA\r\n", "x\r\r\n.\r\n"], replies: "354 550/5.5.2" },
  },
  {
    ...{ name: "LF . LF is no end, even where nothing follows", rfc: "5321 2.3.8", from: "rcpt", ends: "cut off" },
    ...{ send: ["DATA\r\n", "x\n.\n"], replies: "354" },
  },
  {
    ...{ name: "a smuggled message stays in the first", rfc: "5321 2.3.8", from: "rcpt", replies: "354 250" },
    send: ["DATA\r\n", "x\r\n\n.\r\nMAIL FROM:<m@c.example>\r\nRCPT TO:<n@s.example>\r\nDATA\r\ny\r\n.\r\n"],
    kept: ["x\r\n\n.\r\nMAIL FROM:<m@c.example>\r\nRCPT TO:<n@s.example>\r\nDATA\r\ny\r\n"],
  },
  {
    ...{ name: "strict: what is right stays right", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["DATA\r\n", "x\r\n..\r\n\r\n.\r\n"], replies: "354 250", kept: ["x\r\n.\r\n\r\n"] },
  },
  {
    ...{ name: "strict: LF at the very beginning", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["DATA\r\n", "\nx\r\n.\r\n"], replies: "354 550" },
  },
  {
    ...{ name: "strict: LF behind a dot that goes", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["DATA\r\n", "x\r\n.\ny\r\n.\r\n"], replies: "354 550" },
  },
];

const chunks: WireCase[] = [
  {
    name: "one chunk",
    rfc: "3030 2",
    from: "rcpt",
    send: ["BDAT 3 LAST\r\nx\r\n"],
    replies: "250/2.0.0",
    kept: ["x\r\n"],
  },
  {
    name: "LAST in small letters",
    rfc: "3030 2",
    from: "rcpt",
    send: ["bdat 3 last\r\nx\r\n"],
    replies: "250",
    kept: ["x\r\n"],
  },
  {
    name: "a chunk without a line end",
    rfc: "3030 2",
    from: "rcpt",
    send: ["BDAT 1 LAST\r\nx"],
    replies: "250",
    kept: ["x"],
  },
  {
    ...{ name: "several chunks", rfc: "3030 2", from: "rcpt", kept: ["onetwothree"] },
    ...{ send: ["BDAT 3\r\noneBDAT 3\r\ntwoBDAT 5 LAST\r\nthree"], replies: "250 250 250" },
  },
  {
    name: "an empty last chunk",
    rfc: "3030 2",
    from: "rcpt",
    send: ["BDAT 1\r\nxBDAT 0 LAST\r\n"],
    replies: "250 250",
    kept: ["x"],
  },
  {
    name: "nothing but an empty last chunk",
    rfc: "3030 2",
    from: "rcpt",
    send: ["BDAT 0 LAST\r\n"],
    replies: "250",
    kept: [""],
  },
  {
    ...{ name: "an empty chunk in between", rfc: "3030 2", from: "rcpt", kept: ["xy"] },
    ...{ send: ["BDAT 1\r\nxBDAT 0\r\nBDAT 1 LAST\r\ny"], replies: "250 250 250" },
  },
  {
    ...{ name: "dots and ends in a chunk are content", rfc: "3030 2", from: "rcpt", kept: ["..\r\n.\r\nQUIT\r\n"] },
    ...{ send: ["BDAT 13 LAST\r\n..\r\n.\r\nQUIT\r\n"], replies: "250" },
  },
  {
    ...{ name: "any bytes in a chunk", rfc: "3030 2", from: "rcpt", kept: [bytes("\0", 0xff, "\n\r")] },
    ...{ send: [bytes("BDAT 4 LAST\r\n\0", 0xff, "\n\r")], replies: "250" },
  },
  {
    ...{ name: "strict: LF in a chunk", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["BDAT 4 LAST\r\nx\ny\n"], replies: "550/5.5.2" },
  },
  {
    ...{ name: "strict: CR at the end of the last chunk", rfc: "5321 2.3.8", from: "rcpt", server: STRICT },
    ...{ send: ["BDAT 2 LAST\r\nx\r"], replies: "550/5.5.2" },
  },
  {
    ...{ name: "strict: CR and LF in two chunks", rfc: "5321 2.3.8", from: "rcpt", server: STRICT, kept: ["x\r\n"] },
    ...{ send: ["BDAT 2\r\nx\rBDAT 1 LAST\r\n\n"], replies: "250 250" },
  },
  {
    ...{ name: "SIZE 0 is no limit", rfc: "1870 4", server: { maxSize: 0 }, kept: ["xyz"] },
    ...{ send: [`MAIL FROM:<> SIZE=999999\r\n${RCPT}BDAT 1\r\nxBDAT 2 LAST\r\nyz`], replies: "250 250 250 250" },
  },
  { name: "BDAT without a size", rfc: "3030 2", from: "rcpt", send: ["BDAT\r\n"], replies: "501/5.5.4" },
  { name: "BDAT with a size that is none", rfc: "3030 2", from: "rcpt", send: ["BDAT 1x\r\n"], replies: "501" },
  { name: "BDAT below nothing", rfc: "3030 2", from: "rcpt", send: ["BDAT -1\r\n"], replies: "501" },
  { name: "BDAT with another word", rfc: "3030 2", from: "rcpt", send: ["BDAT 1 FIRST\r\n"], replies: "501" },
  // As with MAIL and RCPT: one space behind the command, and before what follows its argument as many as one likes.
  { name: "BDAT and two spaces", rfc: "5321 4.1.1", from: "rcpt", send: ["BDAT  1 LAST\r\n"], replies: "501" },
  {
    ...{ name: "more spaces than needed before LAST", rfc: "5321 4.1.1", from: "rcpt", kept: ["x"] },
    ...{ send: ["BDAT 1  LAST\r\nx"], replies: "250" },
  },
  {
    name: "BDAT with a size beyond all numbers",
    rfc: "3030 2",
    from: "rcpt",
    send: [`BDAT ${"9".repeat(30)}\r\nNOOP\r\n`],
    replies: "552/5.3.4",
    ends: "closed",
  },
  {
    ...{ name: "BDAT with zeros before its size", rfc: "3030 2", from: "rcpt", kept: ["QUIT\r\n"] },
    ...{ send: [`BDAT ${"6".padStart(40, "0")} LAST\r\nQUIT\r\n`], replies: "250" },
  },
  {
    ...{ name: "BDAT out of order: its chunk is not taken for commands", rfc: "3030 2", from: "ready" },
    ...{ send: ["BDAT 6 LAST\r\nQUIT\r\n"], replies: "503/5.5.1" },
  },
  {
    ...{ name: "BDAT out of order leaves the transaction alone", rfc: "3030 2", from: "mail" },
    ...{ send: ["BDAT 6 LAST\r\nQUIT\r\n" + RCPT + "BDAT 1 LAST\r\nx"], replies: "503 250 250", kept: ["x"] },
  },
  { name: "an empty BDAT out of order", rfc: "3030 2", from: "start", send: ["BDAT 0 LAST\r\n"], replies: "503" },
  {
    ...{ name: "DATA behind BDAT", rfc: "3030 2", from: "rcpt", kept: ["xy"] },
    ...{ send: ["BDAT 1\r\nxDATA\r\nBDAT 1 LAST\r\ny"], replies: "250 503/5.5.1 250" },
  },
  {
    ...{ name: "MAIL and RCPT behind BDAT", rfc: "3030 2", from: "rcpt", kept: ["xy"] },
    ...{ send: [`BDAT 1\r\nx${MAIL}${RCPT}BDAT 1 LAST\r\ny`], replies: "250 503 503 250" },
  },
  {
    ...{ name: "NOOP behind BDAT", rfc: "3030 2", from: "rcpt", kept: ["xy"] },
    ...{ send: ["BDAT 1\r\nxNOOP\r\nBDAT 1 LAST\r\ny"], replies: "250 250 250" },
  },
  {
    ...{ name: "RSET behind BDAT", rfc: "3030 2", from: "rcpt" },
    ...{ send: ["BDAT 1\r\nxRSET\r\nBDAT 1 LAST\r\ny" + MAIL], replies: "250 250 503 250" },
  },
  {
    ...{ name: "EHLO behind BDAT", rfc: "3030 2", from: "rcpt" },
    ...{ send: ["BDAT 1\r\nxEHLO c\r\nBDAT 1 LAST\r\ny" + MAIL], replies: "250 250+ 503 250" },
  },
  {
    name: "QUIT behind BDAT",
    rfc: "3030 2",
    from: "rcpt",
    ends: "closed",
    send: ["BDAT 1\r\nxQUIT\r\n"],
    replies: "250 221",
  },
  {
    ...{ name: "BDAT behind LAST", rfc: "3030 2", from: "rcpt", kept: ["x"] },
    ...{ send: ["BDAT 1 LAST\r\nxBDAT 1 LAST\r\ny" + MAIL], replies: "250 503 250" },
  },
  { name: "a chunk cut off", rfc: "3030 2", from: "rcpt", ends: "cut off", send: ["BDAT 5 LAST\r\nfour"], replies: "" },
  {
    name: "cut off between chunks",
    rfc: "3030 2",
    from: "rcpt",
    ends: "cut off",
    send: ["BDAT 1\r\nx"],
    replies: "250",
  },
  {
    ...{ name: "chunks at the limit", rfc: "1870 6.3", from: "rcpt", server: TINY, kept: ["0123456789"] },
    ...{ send: ["BDAT 9\r\n012345678BDAT 1 LAST\r\n9"], replies: "250 250" },
  },
  {
    ...{ name: "chunks above the limit: the rest is read, and refused", rfc: "3030 2", from: "rcpt", server: TINY },
    ...{ send: ["BDAT 9\r\n012345678BDAT 2\r\n90BDAT 5\r\nQUIT\rBDAT 1 LAST\r\nx" + MAIL] },
    replies: "250 552/5.3.4 552 552 250",
  },
  {
    ...{ name: "a chunk that failed, and RSET", rfc: "3030 2", from: "rcpt", server: TINY, kept: ["x"] },
    ...{ send: [`BDAT 11\r\n01234567890RSET\r\n${MAIL}${RCPT}BDAT 1 LAST\r\nx`], replies: "552 250 250 250 250" },
  },
  {
    ...{ name: "no room for chunks", rfc: "3030 2", from: "rcpt", full: "open" },
    ...{ send: ["BDAT 4\r\nQUITBDAT 0\r\nBDAT 1 LAST\r\nx" + MAIL], replies: "452 452 452 250" },
  },
  {
    ...{ name: "no room for an empty chunk", rfc: "3030 2", from: "rcpt", full: "open" },
    ...{ send: ["BDAT 0 LAST\r\n" + MAIL], replies: "452 250" },
  },
  {
    ...{ name: "no room in the midst of a chunk", rfc: "3030 2", from: "rcpt", full: "content" },
    ...{ send: ["BDAT 4 LAST\r\nQUIT" + MAIL], replies: "452 250" },
  },
  {
    ...{ name: "no room for the last chunk", rfc: "3030 2", from: "rcpt", full: "deliver" },
    ...{ send: ["BDAT 4\r\nQUITBDAT 1 LAST\r\nx" + MAIL], replies: "250 452 250" },
  },
];

const pipelines: WireCase[] = [
  {
    ...{ name: "a group", rfc: "2920 3.1", send: [`${MAIL}${RCPT}DATA\r\n`, "x\r\n.\r\nQUIT\r\n"], ends: "closed" },
    ...{ replies: "250 250 354 250 221", kept: ["x\r\n"] },
  },
  {
    ...{ name: "a group with a recipient refused", rfc: "2920 3.2", kept: ["x\r\n"], server: ACCEPT },
    ...{ send: [`${MAIL}RCPT TO:<b@u.example>\r\n${RCPT}DATA\r\n`, "x\r\n.\r\n"], replies: "250 550 250 354 250" },
  },
  {
    ...{ name: "a group with all recipients refused", rfc: "2920 3.2", server: ACCEPT },
    ...{ send: [`${MAIL}RCPT TO:<b@u.example>\r\nDATA\r\n`], replies: "250 550 503" },
  },
  {
    ...{ name: "a group with the sender refused", rfc: "2920 3.2" },
    ...{ send: [`MAIL FROM:<a@c.example> XYZ\r\n${RCPT}${RCPT}DATA\r\n`], replies: "555 503 503 503" },
  },
  {
    ...{ name: "a group with nonsense in the middle", rfc: "2920 3.2", kept: ["x\r\n"] },
    ...{ send: [`${MAIL}XYZ\r\n${RCPT}\r\nDATA\r\n`, "x\r\n.\r\n"], replies: "250 500 250 500 354 250" },
  },
  {
    ...{ name: "the next group behind the content", rfc: "2920 3.1", from: "rcpt", kept: ["x\r\n", "y\r\n"] },
    ...{
      send: ["DATA\r\n", `x\r\n.\r\nRSET\r\n${MAIL}${RCPT}DATA\r\n`, "y\r\n.\r\n"],
      replies: "354 250 250 250 250 354 250",
    },
  },
  {
    ...{ name: "everything at once, content too", rfc: "2920 3.1", kept: ["x\r\n"], ends: "closed" },
    ...{ send: [`${MAIL}${RCPT}DATA\r\nx\r\n.\r\nQUIT\r\n`], replies: "250 250 354 250 221" },
  },
  {
    ...{ name: "a group with chunks", rfc: "3030 2", kept: ["x\r\n", "y"], ends: "closed" },
    send: [`${MAIL}${RCPT}BDAT 3 LAST\r\nx\r\n${MAIL}${RCPT}BDAT 1 LAST\r\nyQUIT\r\n`],
    replies: "250 250 250 250 250 250 221",
  },
  { name: "50 RCPTs", rfc: "2920 3.1", send: [MAIL + RCPT.repeat(50) + "RSET\r\n"], replies: "250 ".repeat(52) },
];

const OFFERED = { ...TLS, auth: { required: false, insecure: false } };
const tls: WireCase[] = [
  { name: "STARTTLS where there is none", rfc: "3207 4", send: ["STARTTLS\r\n"], replies: "502/5.5.1" },
  { name: "STARTTLS with an argument", rfc: "3207 4", server: TLS, send: ["STARTTLS now\r\n"], replies: "501/5.5.4" },
  {
    name: "STARTTLS, EHLO, MAIL",
    rfc: "3207 4.2",
    server: TLS,
    send: ["STARTTLS\r\n", "EHLO c\r\n" + MAIL],
    replies: "220 250+ 250",
  },
  {
    name: "MAIL behind STARTTLS without EHLO",
    rfc: "3207 4.2",
    server: TLS,
    send: ["STARTTLS\r\n", MAIL],
    replies: "220 503/-",
  },
  {
    ...{ name: "STARTTLS twice", rfc: "3207 4", server: TLS },
    ...{ send: ["STARTTLS\r\n", "EHLO c\r\nSTARTTLS\r\n" + MAIL], replies: "220 250+ 503/5.5.1 250" },
  },
  {
    ...{ name: "STARTTLS twice, without EHLO", rfc: "3207 4", server: TLS },
    ...{ send: ["STARTTLS\r\n", "STARTTLS\r\n"], replies: "220 503" },
  },
  {
    name: "STARTTLS inside of TLS",
    rfc: "3207 4",
    server: { tls: "active" },
    send: ["STARTTLS\r\n"],
    replies: "503/5.5.1",
  },
  {
    ...{ name: "what was sent behind STARTTLS is void", rfc: "3207 6", server: TLS },
    ...{ send: [`STARTTLS\r\nEHLO c\r\n${MAIL}`, NOOP + MAIL], replies: "220 250 503" },
  },
  {
    ...{ name: "half a command sent behind STARTTLS is void", rfc: "3207 6", server: TLS },
    ...{ send: [`STARTTLS\r\nMAIL FROM:<m@c.exam`, "EHLO c\r\n" + MAIL], replies: "220 250+ 250" },
  },
  {
    ...{ name: "STARTTLS forgets who has logged in", rfc: "3207 4.2", server: { ...TLS, ...REQUIRED } },
    ...{ send: [`AUTH PLAIN ${PLAIN}\r\n`, "STARTTLS\r\n", "EHLO c\r\n" + MAIL], replies: "235 220 250+ 530" },
  },
  {
    name: "AUTH in clear text",
    rfc: "4954 4",
    server: OFFERED,
    send: [`AUTH PLAIN ${PLAIN}\r\n`],
    replies: "538/5.7.11",
  },
  {
    ...{ name: "AUTH inside of TLS", rfc: "4954 4", server: OFFERED },
    ...{ send: ["STARTTLS\r\n", `EHLO c\r\nAUTH PLAIN ${PLAIN}\r\n`], replies: "220 250+ 235/2.7.0" },
  },
  {
    ...{ name: "AUTH where TLS came first", rfc: "8314 3.3", server: { ...OFFERED, tls: "active" } },
    ...{ send: [`AUTH PLAIN ${PLAIN}\r\n`], replies: "235" },
  },
];

const login = (send: readonly Wire[], replies: string, name: string, more: Partial<WireCase> = {}): WireCase => ({
  ...{ name, rfc: "4954 4", server: AUTH, send, replies, ...more },
});
const auth: WireCase[] = [
  login([`AUTH PLAIN ${PLAIN}\r\n`], "235/2.7.0", "PLAIN at once"),
  login(["AUTH PLAIN\r\n", `${PLAIN}\r\n`], "334 235", "PLAIN when asked"),
  login([`auth plain ${PLAIN}\r\n`], "235", "PLAIN in small letters"),
  login([`AUTH PLAIN ${btoa("alice\0alice\0secret")}\r\n`], "235", "PLAIN as oneself", { rfc: "4616 2" }),
  login([`AUTH PLAIN ${btoa("bob\0alice\0secret")}\r\n`], "535/5.7.8", "PLAIN as somebody else", { rfc: "4616 2" }),
  login([`AUTH PLAIN ${btoa("\0alice\0wrong")}\r\n`], "535/5.7.8", "PLAIN with a wrong password"),
  login([`AUTH PLAIN ${btoa("\0\0secret")}\r\n`], "535", "PLAIN without a name", { rfc: "4616 2" }),
  login([`AUTH PLAIN ${btoa("alice\0secret")}\r\n`], "501/5.5.2", "PLAIN with two parts", { rfc: "4616 2" }),
  login([`AUTH PLAIN ${btoa("\0alice\0secret\0")}\r\n`], "501/5.5.2", "PLAIN with four parts", { rfc: "4616 2" }),
  login(["AUTH PLAIN =\r\n"], "501", "PLAIN with an empty answer at once"),
  login(["AUTH PLAIN\r\n", "\r\n"], "334 501", "PLAIN with an empty answer"),
  login(["AUTH LOGIN\r\n", `${ALICE}\r\n`, `${SECRET}\r\n`], "334 334 235", "LOGIN"),
  login([`AUTH LOGIN ${ALICE}\r\n`, `${SECRET}\r\n`], "334 235", "LOGIN with the name at once"),
  login([`AUTH LOGIN\r\n${ALICE}\r\n${SECRET}\r\n`], "334 334 235", "LOGIN all at once"),
  login(["AUTH LOGIN\r\n", `${ALICE}\r\n`, `${btoa("wrong")}\r\n`], "334 334 535/5.7.8", "LOGIN with a wrong password"),
  login(["AUTH LOGIN\r\n", `${btoa("bob")}\r\n`, `${SECRET}\r\n`], "334 334 535", "LOGIN of nobody known"),
  login(["AUTH LOGIN =\r\n", `${SECRET}\r\n`], "334 535", "LOGIN with an empty name"),
  login(["AUTH LOGIN\r\n", "*\r\n"], "334 501/5.7.0", "cancelled at the name"),
  login(["AUTH LOGIN\r\n", `${ALICE}\r\n`, "*\r\n"], "334 334 501/5.7.0", "cancelled at the password"),
  login(["AUTH PLAIN\r\n", "*\r\n", `AUTH PLAIN ${PLAIN}\r\n`], "334 501 235", "cancelled, and again"),
  login(["AUTH PLAIN *\r\n"], "501", "cancelled at once"),
  login(["AUTH PLAIN\r\n", "%%%\r\n"], "334 501/5.5.2", "no base64"),
  login(["AUTH LOGIN\r\n", "YWxpY2U\r\n"], "334 501", "base64 without its padding"),
  login(["AUTH LOGIN\r\n", "YWxp Y2U=\r\n"], "334 501", "base64 with a space in it"),
  login(["AUTH LOGIN\r\n", "YW=pY2U=\r\n"], "334 501", "base64 with padding in the middle"),
  login(["AUTH LOGIN\r\n", "====\r\n"], "334 501", "nothing but padding"),
  login(["AUTH LOGIN\r\n", "6Q==\r\n"], "334 501", "base64 of what is no UTF-8"),
  login(["AUTH LOGIN\r\n", bytes(0xff, "\r\n")], "334 501/5.5.2", "an answer that is no text ends the exchange"),
  login(["AUTH LOGIN\r\n", "\0\r\n"], "334 501/5.5.2", "a NUL in an answer ends the exchange"),
  login(["AUTH PLAIN\r\n", "NOOP\r\n"], "334 501", "a command in place of an answer"),
  login(["AUTH PLAIN\r\n", line("", 12_287, "A")], "334 501", "an answer of 12287 bytes", { rfc: "4954 4.1" }),
  login(["AUTH PLAIN\r\n", line("", 12_288, "A")], "334 501", "an answer of 12288 bytes"),
  login(["AUTH PLAIN\r\n", line("", 12_289, "A")], "334 500/5.5.6", "an answer of 12289 bytes ends the exchange"),
  login(["AUTH PLAIN\r\n", `${PLAIN}\n`], "334 235", "an answer that ends at LF", { rfc: "5321 2.3.8" }),
  login(["AUTH PLAIN\r\n", `${PLAIN}\n`], "334 500", "strict: an answer that ends at LF", {
    server: { ...AUTH, ...STRICT },
  }),
  login([`AUTH PLAIN ${PLAIN}\r\nAUTH PLAIN ${PLAIN}\r\n`], "235 503/5.5.1", "AUTH twice"),
  login([`AUTH PLAIN ${PLAIN}\r\nEHLO c\r\nAUTH LOGIN\r\n`], "235 250+ 503", "AUTH twice, with EHLO between"),
  login([`AUTH PLAIN ${btoa("\0alice\0x")}\r\nAUTH PLAIN ${PLAIN}\r\n`], "535 235", "AUTH again when it failed"),
  login(["AUTH CRAM-MD5\r\n"], "504/5.5.4", "a mechanism that was not offered"),
  login(["AUTH PLAIN-X\r\n", "AUTH XPLAIN\r\n"], "504 504", "mechanisms with more to their names"),
  login(["AUTH PLAıN\r\n"], "504", "a mechanism that only looks so"),
  login(["AUTH\r\n"], "501/5.5.4", "AUTH without a mechanism"),
  login([`AUTH PLAIN ${PLAIN} x\r\n`], "501/5.5.4", "AUTH with two answers"),
  login(["AUTH PLAIN\r\n"], "502/5.5.1", "AUTH where nobody can log in", { server: {} }),
  login([`AUTH PLAIN ${PLAIN}\r\n${RCPT}`], "503/5.5.1 250", "AUTH in a transaction", { from: "mail" }),
  login([`AUTH PLAIN ${PLAIN}\r\n`], "503/-", "AUTH before EHLO", { from: "start" }),
  login(["AUTH PLAIN\r\n", PLAIN], "334", "an answer cut off", { ends: "cut off" }),
  login([MAIL], "530/5.7.0", "MAIL where one has to log in", { server: REQUIRED }),
  login([`AUTH PLAIN ${PLAIN}\r\n${MAIL}`], "235 250", "MAIL when one has", { server: REQUIRED }),
  login(["AUTH PLAIN x\r\n" + MAIL], "501 530", "MAIL when one has tried", { server: REQUIRED }),
  login([`AUTH PLAIN ${btoa("\0alice\0x")}\r\n${MAIL}`], "535 530", "MAIL when one has failed", { server: REQUIRED }),
  login([`${MAIL}${RCPT}DATA\r\n`], "530 503 503", "a group where one has to log in", { server: REQUIRED }),
  login(["NOOP\r\nRSET\r\nVRFY x\r\nHELP\r\n"], "250 250 252 214+", "the rest without logging in", {
    server: REQUIRED,
  }),
  login([`AUTH PLAIN ${btoa("\0alice\0x")}\r\n`.repeat(3)], "535 535 421", "wrong passwords are errors", {
    ...{ server: { ...AUTH, maxErrors: 2 }, ends: "closed" },
  }),
  login(
    [`AUTH PLAIN ${btoa("\0alice\0x")}\r\nNOOP\r\n`.repeat(3)],
    "535 250 535 421",
    "nor do good commands undo them",
    {
      ...{ server: { ...AUTH, maxErrors: 2 }, ends: "closed" },
    },
  ),
  login(["AUTH LOGIN\r\n%\r\n".repeat(3)], "334 501 334 501 421", "answers that are none are errors in a row", {
    ...{ server: { ...AUTH, maxErrors: 2 }, ends: "closed" },
  }),
];

const course: WireCase[] = [
  {
    name: "course: an empty line is borne",
    rfc: "5321 4.1.1",
    server: COURSE,
    send: ["\r\n\nNOOP\r\n"],
    replies: "250",
  },
  {
    ...{ name: "course: an address without brackets", rfc: "5321 4.1.2", server: COURSE },
    ...{ send: ["MAIL FROM: a@c.example\r\nRCPT TO:b@s.example\r\n"], replies: "250 250" },
  },
  {
    name: "course: no address at all",
    rfc: "5321 4.1.2",
    server: COURSE,
    send: ["MAIL FROM:\r\nMAIL FROM: \r\n"],
    replies: "501 501",
  },
  {
    ...{ name: "course: credentials with spaces around them", rfc: "4954 4", server: COURSE },
    ...{ send: ["AUTH LOGIN\r\n", `${btoa("alice\r\n")}\r\n`, ` ${btoa(" secret ")} \r\n`], replies: "334 334 235/-" },
  },
  {
    ...{ name: "course: empty lines around what AUTH LOGIN is answered", rfc: "4954 4", server: COURSE },
    send: ["AUTH LOGIN\r\n\r\n", `${ALICE}\n\r\n`, `${SECRET}\n\r\n`, NOOP],
    replies: "334 334 235/- 250",
  },
  {
    ...{ name: "course: the seed's client, with a CRLF too many", rfc: "5321 3.3", server: COURSE, from: "start" },
    send: ["EHLO client.com\r\n", "AUTH LOGIN\r\n", `${ALICE}\r\n`, `${SECRET}\r\n`, MAIL, RCPT, "DATA\r\n"].concat(
      ["Subject: x\r\n\r\nbody\r\n.\r\n\r\n", "QUIT\r\n"],
    ),
    ...{ replies: "250+ 334 334 235 250 250 354 250 221", kept: ["Subject: x\r\n\r\nbody\r\n"], ends: "closed" },
  },
  {
    name: "course: the end of content is what it is",
    rfc: "5321 2.3.8",
    server: COURSE,
    from: "rcpt",
    send: ["DATA\r\n", "x\n.\nNOOP\r\n.\r\n"],
    replies: "354 250",
    kept: ["x\n.\nNOOP\r\n"],
  },
];

/** RSET wherever a session can be; what comes next shows that all is forgotten. */
const resets: WireCase[] = [
  {
    name: "RSET, and MAIL",
    rfc: "5321 4.1.1.5",
    from: "rcpt",
    send: ["RSET\r\n" + RCPT + MAIL + RCPT],
    replies: "250 503 250 250",
  },
  {
    name: "RSET before EHLO stays there",
    rfc: "5321 4.1.1.5",
    from: "start",
    send: ["RSET\r\n" + MAIL],
    replies: "250 503",
  },
  { name: "RSET behind MAIL", rfc: "5321 4.1.1.5", from: "mail", send: ["RSET\r\n" + RCPT], replies: "250 503" },
  {
    name: "RSET forgets recipients",
    rfc: "5321 4.1.1.5",
    from: "rcpt",
    send: [`RSET\r\n${MAIL}DATA\r\n`],
    replies: "250 250 503",
  },
  {
    ...{ name: "RSET does not forget who has logged in", rfc: "5321 4.1.1.5", server: REQUIRED },
    ...{ send: [`AUTH PLAIN ${PLAIN}\r\nRSET\r\n${MAIL}`], replies: "235 250 250" },
  },
  {
    ...{ name: "RSET does not forget TLS", rfc: "5321 4.1.1.5", server: TLS },
    ...{ send: ["STARTTLS\r\n", "EHLO c\r\nRSET\r\nSTARTTLS\r\n"], replies: "220 250+ 250 503" },
  },
  {
    name: "RSET in AUTH is an answer",
    rfc: "4954 4",
    server: AUTH,
    send: ["AUTH LOGIN\r\n", "RSET\r\n"],
    replies: "334 334",
    ends: "cut off",
  },
];

/** All of them. */
export const CASES: readonly WireCase[] = [
  ...[order, greetings, commands, paths, parameters, contents, ends, chunks, pipelines, tls, auth, course, resets]
    .flat(),
];
