// Addresses as people write them: `host`, `host:port`, `host port`, `[v6]:port`, `::1`. What is none, such as that of a page, is
// refused with what was probably meant.

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
  const parts = split(word, asOptions);
  if (parts.port === undefined) return parts.host;
  throw new NetlabError("usage", `a host is said without its port, not "${word}"`, { hint: asOptions(parts) });
}

/** Reads one word. @throws {NetlabError} of kind `usage` for what can be none */
export function parseAddress(word: string): WrittenAddress {
  const { host, port } = split(word, asWord);
  return port === undefined ? { host } : { host: host || "127.0.0.1", port: parsePort(port, word) };
}

/** The options that say what is written where no address stands: `localhost:7000`, `8000/tcp`. Null for what is none. */
export function optionsFor(text: string): string | null {
  const thousands = text.replace(/^(\d{1,2})[,._ ](\d{3})$/, "$1$2");
  const [, number] = /^:?(\d+)(?:[-:/].*)?$/.exec(thousands) ?? [];
  if (number !== undefined) return isPort(number) ? asOptions({ host: "", port: number }) : null;
  const parts = read(text) ?? guess(text);
  // Any word could be a host.
  return parts && (parts.port !== undefined || /[.:]|^localhost$/.test(parts.host)) ? asOptions(parts) : null;
}

/** An address in its parts, of which the port may be none. */
interface Parts {
  readonly host: string;
  readonly port?: string;
}

/** @param say how what was meant has to be written there */
function split(word: string, say: (meant: Parts) => string): Parts {
  // As a host it would be an address in one number, 0.0.30.97.
  if (/^\d+$/.test(word)) {
    const port = { host: "", port: word };
    throw new NetlabError("usage", `not a host: "${word}"`, {
      hint: say === asWord ? `port ${word} of this machine is ${say(port)}` : say(port),
    });
  }
  const parts = read(word);
  if (parts) return parts;
  const meant = guess(word);
  throw new NetlabError("usage", `not an address: "${word}"`, {
    hint: meant === null ? "host, host:port, or [IPv6]:port" : `did you mean ${say(meant)}?`,
  });
}

function read(word: string): Parts | null {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(word);
  if (bracketed) return { host: bracketed[1], port: bracketed[2] };
  if (word === "" || /[[\]\s/,@]/.test(word)) return null;
  const [host, port, more] = word.split(":");
  if (more !== undefined) return IPV6.test(word) ? { host: word } : null;
  return { host, port };
}

const IPV6 = /^[\da-f:.]+(%.+)?$/i;

/** Of what is no address, the host and the port that can be found in it: `http://lab:7777/`, `lab,7777`, `[::1`. */
function guess(word: string): Parts | null {
  const bare = word.trim().replace(/^[a-z][\w+.-]*:\/\//i, "").replace(/^[^@/]*@/, "");
  const found = /^(?:\[([\da-f:.]+)\]?|([\w.-]+))(?:(?:[\s:,]+|\/(?=\d{3}))(\d{1,5}))?(?:[/?#].*)?$/i.exec(bare) ??
    /^\[([\da-f:.]+)\]()(\d{1,5})$/i.exec(bare);
  return found && { host: found[1] ?? found[2], port: found[3] };
}

function asWord({ host, port }: Parts): string {
  return port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function asOptions({ host, port }: Parts): string {
  const options = host === "" ? [] : [`--host ${host}`];
  if (port) options.push(`--port ${isPort(port) ? port : "PORT"}`);
  return options.join(" ");
}

/** 0 picks a free one, where a server listens. */
const isPort = (text: string) => /^\d+$/.test(text) && Number(text) <= 65_535;

function parsePort(text: string, word = text): number {
  const port = Number(text);
  if (!isPort(text) || port < 1) {
    throw new NetlabError("usage", text === "" ? `no port behind "${word}"` : `not a port: "${text}"`, {
      hint: "a port is a number from 1 to 65535",
    });
  }
  return port;
}
