// Addresses as people write them: `B, "Doe, Jane" <jane@x.example>`.

import { NetlabError } from "../../protocol/errors.ts";
import { asciiDomain, parseMailbox } from "./address.ts";

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
  const written = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text;
  const mailbox = parseMailbox(written);
  if (typeof mailbox === "string") {
    throw new NetlabError("usage", `--${option}: "${written}" is no address: ${mailbox}`);
  }
  return { address: toAscii(written), shown: text };
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
