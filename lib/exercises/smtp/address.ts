// Paths and mailboxes (RFC 5321 sections 4.1.2 and 4.1.3; with SMTPUTF8, RFC 6531 section 3.3).

import { trimEndOf, utf8Length } from "../../protocol/text.ts";

/** Limits of RFC 5321 section 4.5.3.1, in bytes. */
export const MAX_LOCAL = 64;
export const MAX_DOMAIN = 255;
export const MAX_PATH = 256;

/** Where mail comes from or goes to. */
export interface Mailbox {
  /** Without quotes and backslashes: what they stand for. */
  readonly local: string;
  /** As `asciiDomain` has it; empty for the postmaster without a domain. An address literal keeps its brackets. */
  readonly domain: string;
  /** As it stood on the wire, without angle brackets and source route. */
  readonly text: string;
  /** Whether it has characters beyond ASCII. */
  readonly utf8: boolean;
}

/** A path and what stands behind it, or what is wrong. */
export type ParsedPath =
  /** `mailbox` is null for `<>`. */
  | { readonly mailbox: Mailbox | null; readonly rest: string }
  | { readonly problem: string };

const ATEXT = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\u{10ffff}]+$/u;
const LABEL = /^[A-Za-z0-9\u0080-\u{10ffff}](?:[A-Za-z0-9\-\u0080-\u{10ffff}]*[A-Za-z0-9\u0080-\u{10ffff}])?$/u;
// deno-lint-ignore no-control-regex
const BEYOND_ASCII = /[^\x00-\x7f]/;

/**
 * Reads `<path>` from the front of `text`. A source route is read and dropped (section 4.1.2 has it obsolete).
 *
 * @param bare accepts a mailbox without angle brackets, up to the next space
 */
export function parsePath(text: string, bare = false): ParsedPath {
  if (!text.startsWith("<")) {
    if (!bare) return { problem: "a path stands in angle brackets" };
    const [path, ...rest] = text.split(" ");
    if (path === "") return { problem: "an address is missing" };
    return readPath(path, rest.join(" "));
  }
  const end = endOfPath(text);
  if (end < 0) return { problem: "a > is missing" };
  const behind = text.slice(end + 1);
  if (behind !== "" && !behind.startsWith(" ")) return { problem: "a space is missing behind >" };
  return readPath(text.slice(1, end), trimEndOf(behind, " \t").replace(/^[ \t]+/, ""));
}

/** Where the path's `>` is: not one in quotes. */
function endOfPath(text: string): number {
  let quoted = false;
  for (let i = 1; i < text.length; i++) {
    if (quoted && text[i] === "\\") i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (text[i] === ">" && !quoted) return i;
  }
  return -1;
}

function readPath(path: string, rest: string): ParsedPath {
  if (path === "") return { mailbox: null, rest };
  if (utf8Length(path) + 2 > MAX_PATH) return { problem: `a path has at most ${MAX_PATH} bytes` };
  const route = /^(?:@[^,:@]+,)*@[^,:@]+:/.exec(path)?.[0] ?? "";
  const mailbox = parseMailbox(path.slice(route.length));
  return typeof mailbox === "string" ? { problem: mailbox } : { mailbox, rest };
}

/** Reads `local@domain`, or `postmaster`. @returns what is wrong, as text, when it is neither */
export function parseMailbox(text: string): Mailbox | string {
  const utf8 = BEYOND_ASCII.test(text);
  if (/^postmaster$/i.test(text)) return { local: text, domain: "", text, utf8 };
  const at = endOfLocal(text);
  if (at < 0) return "a mailbox is local@domain";
  const written = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (utf8Length(written) > MAX_LOCAL) return `the part before @ has at most ${MAX_LOCAL} bytes`;
  if (utf8Length(domain) > MAX_DOMAIN) return `a domain has at most ${MAX_DOMAIN} bytes`;
  const local = readLocal(written);
  if (local === null) return "the part before @ is wrong";
  if (!isDomain(domain) && !isLiteral(domain)) return "the domain is wrong";
  return { local, domain: asciiDomain(domain), text, utf8 };
}

/** Where the local part's `@` is. */
function endOfLocal(text: string): number {
  if (!text.startsWith('"')) return text.indexOf("@");
  for (let i = 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return text[i + 1] === "@" ? i + 1 : -1;
  }
  return -1;
}

/** What a local part stands for: Dot-string or Quoted-string. */
function readLocal(written: string): string | null {
  if (!written.startsWith('"')) return written.split(".").every((atom) => ATEXT.test(atom)) ? written : null;
  const inside = written.slice(1, -1);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(inside) || /^(?:[^\\"]|\\[\x20-\x7e])*$/u.test(inside) === false) return null;
  return inside.replace(/\\(.)/gsu, "$1");
}

/** Whether `text` is a domain name as SMTP has them. */
export function isDomain(text: string): boolean {
  return text !== "" && utf8Length(text) <= MAX_DOMAIN &&
    text.split(".").every((label) => label.length <= 63 && LABEL.test(label));
}

/** A domain as DNS has it: in ASCII and lower case. What has no such form stays as it is. */
export function asciiDomain(domain: string): string {
  if (!BEYOND_ASCII.test(domain)) return domain.toLowerCase();
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return domain;
  }
}

/** Whether `text` is an address literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[tag:content]` (section 4.1.3). */
export function isLiteral(text: string): boolean {
  const [, inside] = /^\[([\x21-\x5a\x5e-\x7e]+)\]$/.exec(text) ?? [];
  if (inside === undefined) return false;
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(inside);
  if (four) return four.slice(1).every((part) => Number(part) <= 255);
  const six = /^IPv6:(.+)$/i.exec(inside);
  if (six) return isIpv6(six[1]);
  return /^[A-Za-z0-9-]*[A-Za-z0-9]:[\x21-\x5a\x5e-\x7e]+$/.test(inside);
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  const last = text.endsWith("::") ? "" : groups.at(-1) ?? "";
  const four = /^(\d{1,3}\.){3}\d{1,3}$/.test(last) && last.split(".").every((part) => Number(part) <= 255);
  const words = four ? groups.slice(0, -1) : groups;
  if (!words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return false;
  const count = words.length + (four ? 2 : 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
