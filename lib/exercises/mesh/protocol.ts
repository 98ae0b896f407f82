// The third assignment: a program that is both ends, with any number of connections, and names for them.
//
//     On the wire: text, in both directions, at any time.

import { NetlabError } from "../../protocol/errors.ts";
import type { CommandForm } from "../commands.ts";

/** What is typed. */
export const FORMS: readonly CommandForm[] = [
  { word: "connect", form: "connect <host> <port> [alias]", meaning: "call another peer" },
  { word: "send", form: "send <who> <message>", meaning: "send it to one" },
  { word: "broadcast", form: "broadcast <message>", meaning: "send it to everybody" },
  { word: "alias", also: ["set_alias"], form: "alias <who> <alias>", meaning: "give it a name, for yourself" },
  { word: "list", also: ["list_connections"], form: "list", meaning: "show who is connected" },
  { word: "disconnect", form: "disconnect <who>", meaning: "hang up" },
  { word: "help", form: "help", meaning: "show these commands" },
  { word: "exit", form: "exit", meaning: "hang up everywhere and leave" },
];

/** How a connection may be called. */
export interface Known {
  readonly alias: string | null;
  /** `host:port` of the other end. */
  readonly remote: string;
  /** As it was typed, where we called: a host name, perhaps. */
  readonly called: { readonly host: string; readonly port: number } | null;
}

/** Whether a name could be mistaken for where somebody is. */
export function isAddress(name: string): boolean {
  return /^\d+(\.\d+){3}$/.test(name);
}

/** How it is shown. */
export function labelOf({ alias, remote }: Known): string {
  return alias ?? remote;
}

/**
 * Finds the one connection that `who` means: an alias, `host:port`, or a host where that is not ambiguous.
 *
 * @throws {NetlabError} when there is none, or more than one
 */
export function resolve<K extends Known>(who: string, known: readonly K[]): K {
  const byAlias = known.find(({ alias }) => alias === who);
  if (byAlias) return byAlias;
  const isNamed = ({ remote, called }: Known) => remote === who || (called && `${called.host}:${called.port}` === who);
  const host = who.replace(/^\[(.*)\]$/, "$1");
  const isOn = ({ remote, called }: Known) => hostOf(remote) === host || called?.host === host;
  const exact = known.filter(isNamed);
  const found = exact.length > 0 ? exact : known.filter(isOn);
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    throw new NetlabError("usage", `nobody is called ${who}`, { hint: "list shows who is connected" });
  }
  throw new NetlabError("usage", `${who} has ${found.length} connections`, {
    hint: `say which: ${found.map(labelOf).join(", ")}`,
  });
}

function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
