// Addresses as people write them: `B, "Doe, Jane" <jane@x.example>`.

import { NetlabError } from "../../protocol/errors.ts";
import { asciiDomain, type Mailbox, parseMailbox } from "./address.ts";

/** One, for the envelope and for the headers. */
export interface WrittenMailbox {
  /** `local@domain`, as RCPT has it. */
  readonly address: string;
  /** With the name, where it has one. */
  readonly shown: string;
}

/** Takes a list apart at its commas, those in quotes and angle brackets apart. @throws {NetlabError} of kind `usage` */
export function readMailboxes(option: string, text: string): WrittenMailbox[] {
  const found = (text.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<]|["<])+/g) ?? [])
    .map((one) => one.trim()).filter((one) => one !== "").map((one) => readMailbox(option, one));
  if (found.length === 0) throw new NetlabError("usage", `--${option} names nobody`);
  return [...new Map(found.map((one) => [one.address, one])).values()];
}

/** @throws {NetlabError} of kind `usage` when it is none */
export function readMailbox(option: string, text: string): WrittenMailbox {
  const [, name, written] = /^(.*)<([^<>]*)>\s*$/s.exec(text) ?? ["", "", text];
  if (/[<>]/.test(name.replace(/"(?:[^"\\]|\\.)*"/gs, ""))) {
    throw new NetlabError("usage", `--${option}: "${text}" is more than one address: a comma is missing`);
  }
  const mailbox = parseMailbox(written);
  if (typeof mailbox === "string") {
    throw new NetlabError("usage", `--${option}: "${written}" is no address: ${mailbox}`);
  }
  return { address: toAscii(written), shown: text };
}

/** A sender, who has a domain (RFC 5321 section 4.1.1.2). @throws {NetlabError} of kind `usage` when it is none */
export function readSender(text: string): WrittenMailbox {
  const sender = readMailbox("from", text);
  if (sender.address.includes("@")) return sender;
  throw new NetlabError("usage", `--from: "${sender.address}" has no domain`, { hint: "local@domain" });
}

/**
 * As a header of a message has it. There the server's postmaster has a domain, too: the server's.
 *
 * @throws {NetlabError} of kind `usage` where the composer of messages would write another address
 */
export function inHeader(option: string, { address, shown }: WrittenMailbox, host: string): string {
  if (!address.includes("@")) return shown.replace(/postmaster(?=>?\s*$)/i, `$&@${domainOf(host)}`);
  const { local } = parseMailbox(address) as Mailbox;
  if (!/[<>]|^\s|\s$/.test(local)) return shown;
  throw new NetlabError("usage", `--${option}: netlab writes no header with the address ${address}`, {
    hint: "--raw sends a message with headers of its own",
  });
}

function domainOf(host: string): string {
  if (host.includes(":")) return `[IPv6:${host}]`;
  return /^[\d.]+$/.test(host) ? `[${host}]` : host;
}

/** With its domain in the form of DNS, where only the domain is beyond ASCII: then no server needs SMTPUTF8. */
function toAscii(address: string): string {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (at < 0 || isAscii(address) || !isAscii(local)) return address;
  return `${local}@${asciiDomain(domain)}`;
}

export function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}
