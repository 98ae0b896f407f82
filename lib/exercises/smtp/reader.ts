// Reading a Maildir: `--list MAILBOX`, and `--show N` of it. What a message says is a stranger's text: the console writes
// controls out.

import type { Address, Email } from "postal-mime";
import { describeSystemError } from "../../net/errors.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy, truncateText } from "../../protocol/text.ts";
import type { ConnectContext } from "../exercise.ts";
import { headLength } from "./mime.ts";

/** A message longer than this is read up to here, in bytes: its headers and most of its text are in it. */
const MAX_BYTES = 32 * 1_048_576;
/** For a list the headers do: so much is read at first, and so much at most. */
const HEAD_BYTES = 65_536;
const MAX_HEAD_BYTES = 524_288;
/** Of each header a list shows so much, in bytes: a mail whose subject has 60 kB does not hide the others. */
const LISTED_BYTES = 200;
const CR = 0x0d;
const LF = 0x0a;
const LINE_END = /\r\n|\r|\n/;

/** A message's file. */
interface Entry {
  readonly path: string;
  readonly size: number;
  /** In `new`: nobody has looked at it. */
  readonly isNew: boolean;
}

/** Does what --list and --show say. @throws {NetlabError} of kind `usage` when there is no such mailbox or message */
export async function readMaildir(context: ConnectContext): Promise<void> {
  const dir = String(context.options.list);
  const entries = findMessages(dir);
  const { show } = context.options;
  if (show === undefined) return await list(context, entries);
  const entry = entries[Number(show) - 1];
  if (entry === undefined) {
    throw new NetlabError("usage", `there is no message ${show} in ${dir}: it has ${entries.length}`);
  }
  await showMessage(context, entry, Number(show));
}

/** The messages of a Maildir, in the order in which they came: that is what their names begin with. */
function findMessages(dir: string): Entry[] {
  // A reader moves mail from new to cur: what has gone from the one meanwhile is in the other.
  const folders = ["new", "cur"].filter((folder) => isFolder(`${dir}/${folder}`));
  if (folders.length === 0) throw noMailbox(dir);
  const found = folders.flatMap((folder) =>
    [...Deno.readDirSync(`${dir}/${folder}`)]
      .filter(({ name, isFile }) => isFile && !name.startsWith("."))
      .map(({ name }) => ({ path: `${dir}/${folder}/${name}`, name, isNew: folder === "new" }))
  );
  return found
    .flatMap((one) => {
      const size = stat(one.path)?.size;
      return size === undefined ? [] : [{ ...one, size }];
    })
    .sort((a, b) => compareNames(a.name, b.name));
}

/** `1700000000.M5P1Q2.host`: numbers count as numbers, so that the tenth of a process comes behind its ninth. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function noMailbox(dir: string): NetlabError {
  if (!isFolder(dir)) return new NetlabError("usage", `no such mailbox: ${dir}`);
  const inside = [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => isFolder(`${dir}/${name}/new`));
  const hint = inside.length > 0 ? `it has mailboxes inside: ${inside.sort().slice(0, 10).join(", ")}` : undefined;
  return new NetlabError("usage", `${dir} is no Maildir: it has no folder "new"`, { hint });
}

function isFolder(path: string): boolean {
  return stat(path)?.isDirectory ?? false;
}

/** Null where there is nothing of that name. */
function stat(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
}

async function list({ console }: ConnectContext, entries: readonly Entry[]): Promise<void> {
  const width = String(entries.length).length;
  for (const [i, entry] of entries.entries()) {
    // One that cannot be read does not hide the others.
    const email: Partial<Email> = await parse(entry, "head").catch((error: NetlabError) => ({
      subject: `(cannot be read: ${error.message})`,
    }));
    const [from, subject] = [senderOf(email), email.subject ?? ""];
    const row = [formatDate(email.date), from || "(no sender)", subject || "(no subject)"].map(shorten).join("  ");
    console.print(`${String(i + 1).padStart(width)}${entry.isNew ? "*" : " "} ${row}`, {
      ...{ event: "mail", number: i + 1, new: entry.isNew, date: email.date ?? null, from, subject },
      ...{ size: entry.size, path: entry.path },
    });
  }
  if (entries.length === 0) console.note("the mailbox is empty");
}

function shorten(text: string): string {
  const start = truncateText(text, LISTED_BYTES);
  return start === text ? text : `${start}…`;
}

async function showMessage({ console }: ConnectContext, entry: Entry, number: number): Promise<void> {
  const email = await parse(entry, "all").catch((error: NetlabError) => error);
  if (email instanceof NetlabError) {
    console.note(`the message cannot be taken apart (${email.message}): here it is as it came`);
    const raw = decodeLossy(readStart(entry.path, MAX_BYTES));
    return console.print(raw.trimEnd().split(LINE_END), { event: "mail", number, raw, why: email.message });
  }
  const text = email.text ?? "";
  const attachments = email.attachments.map(({ filename, mimeType, content }) => ({
    name: filename ?? "(no name)",
    type: mimeType,
    size: content instanceof ArrayBuffer ? content.byteLength : content.length,
  }));
  const [from, to, subject] = [senderOf(email), (email.to ?? []).map(formatAddress), email.subject ?? ""];
  const rows = [
    `From: ${from || "(no sender)"}`,
    `To: ${to.join(", ")}`,
    `Date: ${formatDate(email.date)}`,
    `Subject: ${subject || "(no subject)"}`,
    "",
    ...text.replace(/^\n+/, "").trimEnd().split(LINE_END),
    ...(attachments.length > 0 ? [""] : []),
    ...attachments.map(({ name, type, size }) => `[${name}, ${type}, ${size} bytes]`),
  ];
  console.print(rows, { ...{ event: "mail", number, date: email.date ?? null, from, to, subject, text, attachments } });
}

/** @throws {NetlabError} of kind `harness` when the file cannot be read, or the message be taken apart */
async function parse({ path }: Entry, what: "head" | "all"): Promise<Email> {
  // Only who reads mail needs it.
  const { default: PostalMime } = await import("postal-mime");
  adapt(PostalMime.prototype as unknown as TextCollector);
  try {
    if (what === "head") return await PostalMime.parse(readHead(path));
    const bytes = readStart(path, MAX_BYTES);
    const end = headLength(bytes);
    const [head, body] = [bytes.subarray(0, end), bytes.subarray(end)];
    // Where no empty line parts the headers from the text, it would be taken for more of them.
    const parted = body[0] === LF || (body[0] === CR && body[1] === LF);
    const email = await PostalMime.parse(parted ? bytes : new Blob([head, "\r\n", body]));
    if (isMultipart(email) && email.text === undefined && email.attachments.length === 0) {
      throw new Error("no text in its parts is found: is the boundary right, and an empty line behind their headers?");
    }
    return email;
  } catch (cause) {
    throw new NetlabError("harness", describeSystemError(cause), { cause });
  }
}

const isMultipart = ({ headers }: Email): boolean =>
  headers.some(({ key, value }) => key === "content-type" && /^\s*multipart\//i.test(value));

/** The part of postal-mime 4 that every text of a message goes through, those of messages in it too. */
interface TextCollector {
  readonly textTypes: Set<string>;
  addTextEntry(node: object, type: "plain" | "html", item: { readonly type: string; readonly value: unknown }): void;
  readonly adapted?: true;
}

/**
 * Has postal-mime make text of all HTML, not only of that beside text. It gets none with style sheets, which it takes for text,
 * or with an `<a` that does not end: for `<a href=<a href=` it takes time by the square of its length, 40 s for 400 kB. Headings
 * and items of lists get a line of their own.
 */
function adapt(prototype: TextCollector): void {
  if (prototype.adapted) return;
  const { addTextEntry } = prototype;
  Object.assign(prototype, {
    adapted: true,
    addTextEntry(this: TextCollector, ...[node, type, item]: Parameters<TextCollector["addTextEntry"]>) {
      const { value } = item;
      const safe = type === "html" && typeof value === "string"
        ? withoutStyles(value).replace(/<(?=a\b)(?![^<>]*>)/gi, "&lt;").replace(/<(?=\/h\d\b|li\b)/gi, "<br><")
        : value;
      addTextEntry.call(this, node, type, { ...item, value: safe });
      this.textTypes.add("plain");
    },
  });
}

/** The headers, as far as anybody reads them. */
function readHead(path: string): Uint8Array<ArrayBuffer> {
  for (let most = HEAD_BYTES;; most *= 2) {
    const bytes = readStart(path, most);
    const end = headLength(bytes);
    // Only a whole line says that it is no header.
    if (bytes.length < most || bytes.includes(LF, end) || most >= MAX_HEAD_BYTES) return bytes.subarray(0, end);
  }
}

function readStart(path: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(Math.min(maxBytes, file.statSync().size));
  let at = 0;
  for (let count; at < bytes.length && (count = file.readSync(bytes.subarray(at))) !== null;) at += count;
  return bytes.subarray(0, at);
}

/** Who it is from: by the envelope, where the message itself does not say. */
function senderOf({ from, returnPath }: Partial<Email>): string {
  return (from && formatAddress(from)) || returnPath || "";
}

function formatAddress(address: Address): string {
  if (address.address === undefined) {
    return `${address.name}: ${(address.group ?? []).map((one) => formatAddress(one)).join(", ")}`;
  }
  return address.name ? `${address.name} <${address.address}>` : address.address;
}

/** A date as the sender has it, in the reader's time; what is none is shown as it is. */
function formatDate(text: string | undefined): string {
  if (!text) return "(no date)";
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${
    two(date.getMinutes())
  }`;
}

/**
 * HTML without style sheets and scripts. No tag reaches beyond the next `<`, so that a message full of those takes no longer
 * than another one.
 */
function withoutStyles(html: string): string {
  let kept = "";
  let at = 0;
  let hidden: string | null = null;
  const ends = new Map(["style", "script"].map((name) => [name, lastEnd(html, name)]));
  for (const { 0: tag, index } of html.matchAll(/<[^<>]*>/g)) {
    const name = /^<(\/?\w*)/.exec(tag)![1].toLowerCase();
    if (name === `/${hidden}`) {
      hidden = null;
      at = index + tag.length;
    } else if (hidden === null && (ends.get(name) ?? -1) > index) {
      hidden = name;
      kept += html.slice(at, index);
    }
  }
  return kept + html.slice(at);
}

/** Where the last end tag of that name is; -1 where there is none. What begins behind it would hide all that follows. */
function lastEnd(html: string, name: string): number {
  let last = -1;
  for (const { index } of html.matchAll(new RegExp(`</${name}(?!\\w)[^<>]*>`, "gi"))) last = index;
  return last;
}
