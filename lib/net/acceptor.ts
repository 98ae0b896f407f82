// Accepting callers, for ever: an error of one accept is no reason to stop, and with no open file left the caller is still
// told so, with a file held back for that.

import type { Clock, Millis } from "../protocol/clock.ts";
import { outlasts } from "./clock.ts";
import { type Address, type Conn, formatHostPort } from "./conn.ts";
import { isOutOfFiles, isReset, transportError } from "./errors.ts";

/** The first and the longest pause after a failed accept. */
const MIN_BACKOFF_MS: Millis = 5;
const MAX_BACKOFF_MS: Millis = 1000;

/** Who is told what. */
export interface AcceptorEvents {
  onConn(conn: Conn): void;
  /** The process has no file left but this one: refuse the caller and close. Nobody else is accepted meanwhile. */
  onLastFile(conn: Conn): Promise<void>;
  onWarning(text: string): void;
}

/** Where callers come from. */
export interface Acceptor {
  readonly address: Address;
  /** Accepts until closed. */
  run(events: AcceptorEvents): Promise<void>;
  /** Accepts nobody from now on; those who are there stay. */
  close(): void;
}

/** A listening TCP socket and the loop that accepts from it. */
export class TcpAcceptor implements Acceptor {
  readonly address: Address;
  readonly #listener: Deno.TcpListener;
  readonly #clock: Clock;
  /** An open file to give up when there are no more. */
  #reserve: Deno.TcpListener | null;
  #closed = false;
  #wake: () => void = () => {};

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor(hostname: string, port: number, clock: Clock) {
    try {
      this.#listener = Deno.listen({ hostname, port });
    } catch (error) {
      throw transportError(error, "listen on", formatHostPort(hostname, port));
    }
    this.#clock = clock;
    this.address = this.#listener.addr as Address;
    this.#reserve = openReserve();
  }

  async run(events: AcceptorEvents): Promise<void> {
    let backoffMs = 0;
    while (!this.#closed) {
      try {
        events.onConn(prepare(await this.#listener.accept()));
        backoffMs = 0;
      } catch (error) {
        if (this.#closed) return;
        // The caller was gone before it was accepted: its trouble, and nobody else has to wait.
        if (isReset(error)) continue;
        if (isOutOfFiles(error) && await this.#acceptWithReserve(events)) continue;
        backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(MIN_BACKOFF_MS, 2 * backoffMs));
        events.onWarning(`accept failed: ${(error as Error).message}; next try in ${backoffMs} ms`);
        await outlasts(new Promise<void>((resolve) => (this.#wake = resolve)), backoffMs, this.#clock);
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    this.#listener.close();
    this.#reserve?.close();
    this.#reserve = null;
  }

  async #acceptWithReserve(events: AcceptorEvents): Promise<boolean> {
    if (this.#reserve === null) return false;
    this.#reserve.close();
    this.#reserve = null;
    try {
      await events.onLastFile(prepare(await this.#listener.accept()));
    } catch { /* it left before it could be told */ }
    if (!this.#closed) this.#reserve = openReserve();
    return true;
  }
}

/** Messages leave at once, and a peer that is gone without a word is noticed in the end. */
function prepare(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  } catch { /* it was reset between accept and now; the first read will say so */ }
  return conn;
}

/** Any file descriptor will do; a listener on a free loopback port needs no permission beyond the network's. */
function openReserve(): Deno.TcpListener | null {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  } catch {
    return null;
  }
}
