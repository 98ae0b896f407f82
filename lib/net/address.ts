// Addresses as people write them: `host`, `host:port`, `host port`, `[v6]:port`, `::1`.

import { NetlabError } from "../protocol/errors.ts";

/** A host and, if it was said, a port. */
export interface WrittenAddress {
  readonly host: string;
  readonly port?: number;
}

/**
 * Takes an address off the front of `words` and returns it with the words that are left.
 *
 * @throws {NetlabError} of kind `usage` for a host or a port that is none
 */
export function takeAddress(words: readonly string[]): { address: WrittenAddress | null; rest: readonly string[] } {
  const [first, second] = words;
  if (first === undefined) return { address: null, rest: [] };
  const address = parseAddress(first);
  if (address.port === undefined && second !== undefined && /^\d+$/.test(second)) {
    return { address: { host: address.host, port: parsePort(second) }, rest: words.slice(2) };
  }
  return { address, rest: words.slice(1) };
}

/**
 * As `takeAddress`, where what is left has to satisfy `accepts`: so words that could be both are told apart. No address
 * at all is tried first, then `host`, then `host port`.
 *
 * @returns null when nothing fits
 * @throws {NetlabError} of kind `usage` for a host or a port that is none
 */
export function takeAddressBefore(
  words: readonly string[],
  accepts: (rest: readonly string[]) => boolean,
): { address: WrittenAddress | null; rest: readonly string[] } | null {
  if (words.length === 0 || accepts(words)) return { address: null, rest: words };
  if (accepts(words.slice(1)) || words.length === 1) return { address: parseAddress(words[0]), rest: words.slice(1) };
  const taken = takeAddress(words);
  return taken.rest.length === 0 || accepts(taken.rest) ? taken : null;
}

/** Reads a host that is said without a port. @throws {NetlabError} of kind `usage` for what can be none */
export function parseHost(word: string): string {
  const { host, port } = parseAddress(word);
  if (port === undefined) return host;
  throw new NetlabError("usage", `a host is said without its port, not "${word}"`, {
    hint: `--host ${host} --port ${port}`,
  });
}

/** Reads one word. @throws {NetlabError} of kind `usage` for what can be none */
export function parseAddress(word: string): WrittenAddress {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(word);
  if (bracketed) {
    return bracketed[2] === undefined ? { host: bracketed[1] } : { host: bracketed[1], port: parsePort(bracketed[2]) };
  }
  if (word === "" || /[[\]\s/]/.test(word)) {
    throw new NetlabError("usage", `not an address: "${word}"`, { hint: "host, host:port, or [IPv6]:port" });
  }
  // As a host it would be an address in one number, 0.0.30.97.
  if (/^\d+$/.test(word)) {
    throw new NetlabError("usage", `not a host: "${word}"`, { hint: `port ${word} of this machine is :${word}` });
  }
  const colons = word.split(":").length - 1;
  if (colons !== 1) return { host: word };
  const [host, port] = word.split(":");
  return { host: host || "127.0.0.1", port: parsePort(port) };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new NetlabError("usage", `not a port: "${text}"`, { hint: "a port is a number from 1 to 65535" });
  }
  return port;
}
