// Calling a program under test: until it takes the call, and why it does not.

import type { Transport } from "../exercises/exercise.ts";
import type { Acceptor } from "../net/acceptor.ts";
import { connectTcp } from "../net/client.ts";
import { pause, systemClock } from "../net/clock.ts";
import type { Conn } from "../net/conn.ts";
import { connectUdp } from "../net/datagram_peers.ts";
import { openAcceptor } from "../net/server.ts";
import { NetlabError } from "../protocol/errors.ts";
import { Unmet } from "./inbox.ts";
import type { Program } from "./program.ts";
import { LOOPBACK } from "./sockets.ts";

/** Between two looks, in ms. */
export const LOOK_MS = 25;

export function dialer(transport: Transport, host: string, port: number): () => Promise<Conn> {
  return () => transport === "udp" ? connectUdp(host, port) : connectTcp(host, port);
}

export const isSilent = (error: unknown): error is Unmet => error instanceof Unmet && error.kind === "silence";

/** The same, and why. */
export const because = ({ kind, message, got }: Unmet, why: string) => new Unmet(kind, message, got, why);

export const endedBefore = (death: string) => new Unmet("end", `the program ${death} before it could be called`);

/**
 * Why nobody takes calls on a port, as far as the system tells.
 *
 * @param told whether the program's command line says the port
 */
export async function whyRefused(
  program: Program | null,
  transport: Transport,
  port: number,
  told: boolean,
): Promise<string> {
  const others = { tcp: "udp", udp: "tcp" } as const;
  const ports = async (transport: Transport) => new Set((await program?.listeners(transport))?.map(({ port }) => port));
  const [own, other] = [await ports(transport), await ports(others[transport])];
  const [first] = own;
  if (first !== undefined) {
    const what = told ? "take the port from the command line" : `listen on ${port}, or grade with --port ${first}`;
    return `your program listens on port ${[...own].join(" and ")}, and not on ${port}: ${what}`;
  }
  if (other.has(port)) {
    const [there, here] = [others[transport], transport].map((name) => name.toUpperCase());
    return `your program has port ${port} over ${there}, and is called over ${here}: take ${here}, or grade with ` +
      `--transport ${others[transport]} where your course asks for that`;
  }
  return `nobody listens on port ${port}: your program does not come as far as listen(), or listens on another port, or ` +
    "needs longer for its start than --start";
}

/** Calls until it is taken, for `ms` at most. @throws {Unmet} */
export async function dialPatiently(
  dial: () => Promise<Conn>,
  ms: number,
  death: () => string | null,
): Promise<Conn> {
  const deadline = performance.now() + ms;
  for (;;) {
    const dead = death();
    if (dead !== null) throw endedBefore(dead);
    try {
      return await dial();
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      if (performance.now() > deadline) throw new Unmet("silence", error.message);
      await pause(LOOK_MS);
    }
  }
}

/**
 * Ports that no system gives to callers, nor to listeners that take any: who is called at one of them is who was told it. A
 * course that asks for one from 10,000 to 20,000 takes each of them.
 */
const QUIET_PORTS = { first: 10_240, last: 20_000 };
const PORT_TRIES = 100;

/**
 * Those that programs were told last, which they bind when they have started: where several are graded at once, nobody else
 * gets them meanwhile.
 */
const told = new Set<number>();
const MAX_TOLD = 1000;

/** Listens on a port that was free. @throws {NetlabError} of kind `transport` */
export function openAnywhere(transport: Transport): Acceptor {
  const { first, last } = QUIET_PORTS;
  for (let tries = 1;; tries++) {
    const port = first + crypto.getRandomValues(new Uint32Array(1))[0] % (last - first + 1);
    if (told.has(port)) continue;
    try {
      return openAcceptor({ host: LOOPBACK, port, transport }, systemClock);
    } catch (error) {
      if (tries >= PORT_TRIES) throw error;
    }
  }
}

/** A port that is free right now, and that nobody else was told lately. @throws {NetlabError} of kind `transport` */
export function freePort(transport: Transport): number {
  const acceptor = openAnywhere(transport);
  acceptor.close();
  const { port } = acceptor.address;
  told.add(port);
  if (told.size > MAX_TOLD) told.delete(told.values().next().value!);
  return port;
}
