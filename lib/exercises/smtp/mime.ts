// A message as it is sent (RFC 5322, MIME): built by nodemailer's composer, from what the command line says.

import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy, encodeText, indexOfBytes, utf8Length } from "../../protocol/text.ts";
import { encodeBase64 } from "./base64.ts";
import { DAEMON } from "./protocol.ts";

/** What a message says. */
export interface Draft {
  /** As in the headers: `Name <local@domain>`, or the address alone; null for none (`<>`): then it is from `DAEMON`. */
  readonly from: string | null;
  readonly to: readonly string[];
  readonly subject?: string;
  readonly text: string;
  /** `Name: value`; one that is here already takes its place. */
  readonly headers?: readonly string[];
  readonly attachments?: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly date: Date;
  /** Without angle brackets. */
  readonly messageId: string;
}

/** A header in one line: its name and its value. */
const HEADER = /^([\x21-\x39\x3b-\x7e]+):[ \t]*(.*)$/s;
const HEADER_HINT = '--header "Name: value"';
/** The longest line, CRLF not included, in bytes (RFC 5322 section 2.1.1). */
const MAX_LINE = 998;
/** What an encoded-word holds, in bytes: `Subject: ` and one are no more than 76 characters (RFC 2047 section 2). */
const ENCODED_BYTES = 39;
/** Those of plain text, where encoded-words stand for any word (RFC 2047 section 5). */
const PLAIN = /^(?:subject|comments|x-.*)$/i;
/** Files whose own types, `message/…` and `multipart/…`, rule out base64 (RFC 2045 section 6.4): their bytes would not stay as they are. */
const NOT_ENCODED = /\.(?:eml|mht|mhtml|mime|nws|gzip)$/i;
/** Those of addresses: the composer would leave out what is none. */
const ADDRESSES = /^(?:from|sender|reply-to|to|cc)$/i;
/** Those that say how the body is written: they are ours. */
const OURS = /^(?:content-.*|mime-version)$/i;

/**
 * The message, with CRLF at the end of each line and no byte beyond ASCII in it, headers of addresses beyond ASCII apart.
 *
 * @throws {NetlabError} of kind `usage` for what cannot stand in a header
 */
export async function composeMessage(draft: Draft): Promise<Uint8Array<ArrayBuffer>> {
  // Only who sends a message needs it: it takes longer to load than all else.
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const { default: parseAddresses } = await import("nodemailer/lib/addressparser");
  const headers = (draft.headers ?? []).map(parseHeader);
  for (const { key, value } of headers) {
    const lost = ADDRESSES.test(key) && parseAddresses(value, { flatten: true }).find(({ address }) => !address);
    if (!lost) continue;
    throw new NetlabError("usage", `--header ${key}: "${lost.name || value}" is no address`, { hint: "local@domain" });
  }
  const all = (name: string) => headers.filter(({ key }) => key.toLowerCase() === name).map(({ value }) => value);
  const special = (name: string) => all(name).at(-1);
  /** A message has one of each (RFC 5322 section 3.6): who says two means the addresses of both. */
  const listed = (name: string) => all(name).join(", ") || undefined;
  const others = headers.filter(({ key }) => !SPECIAL.includes(key.toLowerCase()));
  const composer = new MailComposer({
    from: special("from") ?? draft.from ?? `Mail Delivery System <${DAEMON}>`,
    to: listed("to") ?? [...draft.to],
    cc: listed("cc"),
    replyTo: listed("reply-to"),
    subject: special("subject") ?? breakable(checkText("--subject", draft.subject ?? "")),
    date: special("date") ?? draft.date,
    messageId: special("message-id") ?? `<${draft.messageId}>`,
    headers: others,
    // A line of text ends in CRLF, also inside of base64 (RFC 2046 section 4.1.1).
    text: toCrlf(draft.text),
    attachments: (draft.attachments ?? []).map(({ name, bytes }) => ({
      filename: name,
      content: bytes as never,
      ...(NOT_ENCODED.test(name) ? { contentType: "application/octet-stream" } : {}),
    })),
    newline: "windows",
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const built: Uint8Array = await composer.compile().build();
  checkHead(built, headers);
  return Uint8Array.from(built);
}

/** Headers that the composer builds itself. */
const SPECIAL = ["from", "to", "cc", "reply-to", "subject", "date", "message-id"];

interface Header {
  readonly key: string;
  readonly value: string;
}

function parseHeader(line: string): Header {
  const [, key, value] = HEADER.exec(line) ?? [];
  if (key === undefined) throw new NetlabError("usage", `not a header: "${line}"`, { hint: HEADER_HINT });
  if (OURS.test(key)) throw new NetlabError("usage", `--header cannot say ${key}: it follows from what is sent`);
  if (/^bcc$/i.test(key)) {
    throw new NetlabError("usage", `--header cannot say ${key}: who gets it is not said by headers`, {
      hint: '--to names all who get it, and --header "To: …" those who are shown',
    });
  }
  if (value.trim() === "") throw new NetlabError("usage", `--header ${key} says nothing`, { hint: HEADER_HINT });
  const text = checkText(`--header ${key}`, value);
  return { key, value: PLAIN.test(key) ? breakable(text) : text };
}

/** Text that can be folded: a line end only goes before a space, and one word may be longer than a line. */
function breakable(text: string): string {
  if (text.split(/[ \t]/).every((word) => word.length < MAX_LINE)) return text;
  const words = [""];
  for (const character of text) {
    if (utf8Length(words.at(-1)! + character) > ENCODED_BYTES) words.push("");
    words[words.length - 1] += character;
  }
  return words.map((word) => `=?UTF-8?B?${encodeBase64(word)}?=`).join(" ");
}

/** @throws {NetlabError} of kind `usage` where a header has a line that is too long, or one that was asked for is missing */
function checkHead(message: Uint8Array, wanted: readonly Header[]): void {
  const head = decodeLossy(message.subarray(0, indexOfBytes(message, encodeText("\r\n\r\n")))).split(/\r\n(?![ \t])/);
  for (const { key, value } of wanted) {
    if (head.some((header) => header.toLowerCase().startsWith(`${key.toLowerCase()}:`))) continue;
    throw new NetlabError("usage", `--header "${key}: ${value}" names no address`, { hint: "local@domain" });
  }
  for (const header of head) {
    if (header.split("\r\n").every((line) => utf8Length(line) <= MAX_LINE)) continue;
    const name = header.slice(0, 30).replace(/:.*/s, "");
    throw new NetlabError("usage", `a word of the header ${name} is too long: a line has at most ${MAX_LINE} bytes`);
  }
}

/** A line end in a header would begin another one. */
function checkText(what: string, text: string): string {
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) {
    throw new NetlabError("usage", `${what} has a control character in it`);
  }
  return text;
}

function toCrlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "\r\n");
}

/** What had to be changed of a message that is there already. */
export interface RawMessage {
  readonly content: Uint8Array<ArrayBuffer>;
  /** How many line ends were no CRLF. */
  readonly newlines: number;
}

const CR = 0x0d;
const LF = 0x0a;

/** A message from a file: its lines end in CRLF, whatever the file has (RFC 5321 section 2.3.8). */
export function normalizeMessage(bytes: Uint8Array): RawMessage {
  let newlines = 0;
  const content = new Uint8Array(2 * bytes.length + 2);
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== CR && byte !== LF) {
      content[to++] = byte;
      continue;
    }
    content[to++] = CR;
    content[to++] = LF;
    if (byte === CR && bytes[at + 1] === LF) at++;
    else newlines++;
  }
  if (to > 0 && content[to - 1] !== LF) {
    content[to++] = CR;
    content[to++] = LF;
    newlines++;
  }
  return { content: content.slice(0, to), newlines };
}

/** Whether `bytes` has some beyond ASCII. */
export function isEightBit(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte >= 0x80);
}

/** Whether the headers have, which takes SMTPUTF8 (RFC 6532); of the body, 8BITMIME is enough (RFC 6152). */
export function hasUtf8Headers(content: Uint8Array): boolean {
  return isEightBit(content.subarray(0, headLength(content)));
}

/** Where the headers end: at an empty line, or, where none parts them from the body, at the first line that is no header. */
export function headLength(content: Uint8Array): number {
  for (let at = 0; at < content.length;) {
    const lf = content.indexOf(LF, at);
    const end = lf < 0 ? content.length : lf + 1;
    const line = content.subarray(at, end);
    if (!beginsHeader(line) && (at === 0 || !isContinued(line))) return at;
    at = end;
  }
  return content.length;
}

const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** A name in ASCII, also where the value is not (RFC 6532 section 3.1), and a colon, perhaps behind spaces (RFC 5322 section 4.5.8). */
function beginsHeader(line: Uint8Array): boolean {
  return /^[\x21-\x39\x3b-\x7e]+[ \t]*$/.test(decodeLossy(line.subarray(0, Math.max(0, line.indexOf(COLON)))));
}

function isContinued(line: Uint8Array): boolean {
  return line[0] === SPACE || line[0] === TAB;
}

/** Copies of a message that differ in their Message-ID, which is what tells messages apart. */
export function numbered(content: Uint8Array, id: string): (count: number) => Uint8Array {
  const at = indexOfBytes(content, encodeText(id));
  const [before, after] = [content.subarray(0, at), content.subarray(at)];
  return (count) => {
    if (at < 0) return content;
    const number = encodeText(`${count}.`);
    const copy = new Uint8Array(content.length + number.length);
    copy.set(before);
    copy.set(number, before.length);
    copy.set(after, before.length + number.length);
    return copy;
  };
}
