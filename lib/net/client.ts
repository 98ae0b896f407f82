// Connecting to a TCP server, with a limit in time and errors that say what to do.

import { NetlabError } from "../protocol/errors.ts";
import { outlasts } from "./clock.ts";
import { formatHostPort, sendAtOnce } from "./conn.ts";
import { type Doing, transportError } from "./errors.ts";

/** How long a connection may take to be established. */
const CONNECT_MS = 10_000;

/**
 * The address of a host, in digits.
 *
 * @param doing what it is needed for, and with which port: for the error
 * @throws {NetlabError} of kind `transport` when there is no such host
 */
export async function lookUp(hostname: string, port: number, doing: Doing): Promise<string> {
  try {
    // Only now: nothing else needs it, and every start would wait for it.
    const { lookup } = await import("node:dns"); // its promises have an older Deno warn of something else
    return await new Promise((resolve, reject) =>
      lookup(hostname, (error, address) => error ? reject(error) : resolve(address))
    );
  } catch (cause) {
    throw new NetlabError("transport", `cannot ${doing} ${formatHostPort(hostname, port)}: no such host`, {
      hint: "check the spelling, or use the address in digits",
      cause,
    });
  }
}

/** Opens a TCP connection. @throws {NetlabError} as `transportError` (refused, unresolvable, …), or of kind `timeout` */
export async function connectTcp(hostname: string, port: number): Promise<Deno.TcpConn> {
  const address = formatHostPort(hostname, port);
  try {
    const connecting = Deno.connect({ hostname, port });
    if (await outlasts(connecting, CONNECT_MS)) {
      connecting.then((conn) => conn.close(), () => {});
      throw new NetlabError("timeout", `cannot connect to ${address}: no answer in ${CONNECT_MS / 1000} s`, {
        hint: "wrong address, or a firewall drops the packets",
      });
    }
    const conn = await connecting;
    return sendAtOnce(conn);
  } catch (error) {
    throw transportError(error, "connect to", address);
  }
}
