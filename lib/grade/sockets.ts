// Who listens where on this machine, as far as the system tells (/proc on Linux): without calling, which a program may count.

import type { Transport } from "../exercises/exercise.ts";
import { connectTcp } from "../net/client.ts";
import type { Conn } from "../net/conn.ts";
import { ask } from "./shell.ts";

/** A socket that takes calls or, over UDP, datagrams. */
export interface Listener {
  /** In digits; `0.0.0.0` and `::` are all addresses. */
  readonly host: string;
  readonly port: number;
  /** The number by which processes hold it. */
  readonly inode: string;
}

/** What programs are called at. */
export const LOOPBACK = "127.0.0.1";

/** Everybody who listens; null where the system does not tell. */
async function listListeners(transport: Transport): Promise<Listener[] | null> {
  const table = await ask(`cat /proc/net/${transport} /proc/net/${transport}6`);
  return table === "" ? null : parseListeners(table, transport);
}

/** Where the processes listen that have `variable` (`NAME=value`) in their environment; empty where the system does not tell. */
export async function listListenersOf(variable: string, transport: Transport): Promise<Listener[]> {
  const held = new Set((await ask(HELD, variable)).match(/(?<=socket:\[)\d+/g));
  return (await listListeners(transport) ?? []).filter(({ inode }) => held.has(inode));
}

const HELD = `for pid in $(grep -lzxF "$0" /proc/[0-9]*/environ | cut -d/ -f3); do ls -l "/proc/$pid/fd"; done`;

/**
 * Reads the tables of /proc/net, one behind the other.
 *
 *     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 …
 *        local address remote        state (0A is LISTEN)                       user    inode
 */
export function parseListeners(table: string, transport: Transport): Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const [, address, port] = /^([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4})$/.exec(local ?? "") ?? [];
    if (address === undefined || (transport === "tcp" && state !== "0A")) return [];
    return [{ host: readAddress(address), port: parseInt(port, 16), inode }];
  });
}

/** Where a socket of any family that is bound to an IPv4 address says so. */
const MAPPED = /^0{16}FFFF0000/;

/** An address of the tables: words of 32 bits, each with its last byte first. */
function readAddress(hex: string): string {
  const bytes = hex.replace(MAPPED, "").match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join(".");
  const groups = bytes.join("").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1); // which leaves zeros out, as people do
}

/**
 * The address, not LOOPBACK, at which that port is served: of a program that has bound `localhost` where that is ::1, or the
 * address of its machine. Null where all addresses or none are served.
 */
export async function servedElsewhere(transport: Transport, port: number): Promise<string | null> {
  return elsewhere(await listListeners(transport) ?? [], transport, port);
}

function elsewhere(listeners: readonly Listener[], transport: Transport, port: number): string | null {
  const hosts = listeners.filter((one) => one.port === port).map(({ host }) => host);
  // What has bound :: may be there for IPv6 only. Over TCP nobody asks before LOOPBACK has refused.
  const served = transport === "tcp" ? ["0.0.0.0", LOOPBACK] : ["0.0.0.0", LOOPBACK, "::"];
  if (hosts.length === 0 || hosts.some((host) => served.includes(host))) return null;
  return hosts[0] === "::" ? "::1" : hosts[0];
}

/**
 * Calls a program at LOOPBACK, or where else it serves that port: where the system does not tell, at ::1, which `localhost` is
 * to many.
 *
 * @param onElsewhere told of that address
 */
export async function callTcp(port: number, onElsewhere: (host: string) => void): Promise<Conn> {
  try {
    return await connectTcp(LOOPBACK, port);
  } catch (error) {
    const listeners = await listListeners("tcp");
    const host = listeners ? elsewhere(listeners, "tcp", port) : "::1";
    if (host === null) throw error;
    // It may have begun to listen, everywhere, when LOOPBACK had just refused.
    return await connectTcp(LOOPBACK, port).catch(async () => {
      const conn = await connectTcp(host, port).catch(() => Promise.reject(error));
      onElsewhere(host);
      return conn;
    });
  }
}

/** Whether a program that is to take that port finds it taken. Where the system does not tell, a call does, over TCP. */
export async function isTaken(transport: Transport, port: number): Promise<boolean> {
  const bound = await isBound(transport, port);
  if (bound !== null || transport === "udp") return bound === true;
  try {
    (await connectTcp(LOOPBACK, port)).close();
    return true;
  } catch {
    return false;
  }
}

/** Whether somebody on this machine listens on that port; null where the system does not tell. */
export async function isBound(transport: Transport, port: number): Promise<boolean | null> {
  const listeners = await listListeners(transport);
  return listeners && listeners.some((one) => one.port === port);
}
