// Connecting to a TCP server, with a limit in time and errors that say what to do.

import type { Millis } from "../protocol/clock.ts";
import { NetlabError } from "../protocol/errors.ts";
import { outlasts } from "./clock.ts";
import { formatHostPort } from "./conn.ts";
import { transportError } from "./errors.ts";

/** How long a connection may take to be established. */
export const CONNECT_MS = 10_000;

/**
 * Opens a TCP connection.
 *
 * @throws {NetlabError} of kind `transport` (refused, unresolvable, unreachable) or `timeout`
 */
export async function connectTcp(
  hostname: string,
  port: number,
  options: { timeoutMs?: Millis } = {},
): Promise<Deno.TcpConn> {
  const address = formatHostPort(hostname, port);
  const timeoutMs = options.timeoutMs ?? CONNECT_MS;
  try {
    const connecting = Deno.connect({ hostname, port });
    if (await outlasts(connecting, timeoutMs)) {
      connecting.then((conn) => conn.close(), () => {});
      throw new NetlabError("timeout", `cannot connect to ${address}: no answer in ${timeoutMs / 1000} s`, {
        hint: "wrong address, or a firewall drops the packets",
      });
    }
    const conn = await connecting;
    conn.setNoDelay(true);
    return conn;
  } catch (error) {
    throw transportError(error, "connect to", address);
  }
}
