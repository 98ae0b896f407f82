// Accepting callers, for ever: an error of one accept is no reason to stop, and with no open file left the caller is still
// told so, with a file held back for that.

import type { Clock, Millis } from "../protocol/clock.ts";
import { outlasts } from "./clock.ts";
import { type Address, type Conn, formatHostPort, sendAtOnce } from "./conn.ts";
import { describeSystemError, isOutOfFiles, isReset, transportError } from "./errors.ts";

/** The first and the longest pause after a failed accept, or while there is no file to hold back. */
const MIN_BACKOFF_MS: Millis = 5;
const MAX_BACKOFF_MS: Millis = 1000;

/** Who is told what. */
export interface AcceptorEvents {
  onConn(conn: Conn): void;
  /** The process has no file left but this one: refuse the caller and close. Nobody else is accepted meanwhile. */
  onLastFile(conn: Conn): Promise<void>;
  onWarning(what: string, hint: string): void;
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
    let warned = "";
    /** Says it once, however often it happens in a row. */
    const warn = (what: string, hint: string) => {
      if (what !== warned) events.onWarning(what, hint);
      warned = what;
    };
    while (!this.#closed) {
      try {
        events.onConn(prepare(await this.#listener.accept()));
        backoffMs = 0;
        warned = "";
      } catch (error) {
        if (this.#closed) return;
        // The caller was gone before it was accepted: its trouble, and nobody else has to wait.
        if (isReset(error)) continue;
        if (isOutOfFiles(error)) {
          warn("too many open files", "raise the limit with ulimit -n");
          await this.#acceptWithReserve(events);
          continue;
        }
        backoffMs = longer(backoffMs);
        warn(`cannot accept callers: ${describeSystemError(error)}`, "it is tried again and again");
        await this.#pause(backoffMs);
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

  async #acceptWithReserve(events: AcceptorEvents): Promise<void> {
    if (this.#reserve !== null) {
      this.#reserve.close();
      this.#reserve = null;
      try {
        const conn = prepare(await this.#listener.accept());
        this.#reserve = openReserve();
        // Nobody may have been waiting, and files have become free until somebody came.
        if (this.#reserve !== null) return events.onConn(conn);
        await events.onLastFile(conn);
      } catch { /* it left before it could be told */ }
    }
    // The file of whoever was refused is free some turns later. Whoever is accepted before it is held back again could not
    // be told either.
    for (let waitMs = 0; !this.#closed;) {
      this.#reserve ??= openReserve();
      if (this.#reserve !== null) return;
      waitMs = longer(waitMs);
      await this.#pause(waitMs);
    }
  }

  /** Waits, or until it is closed. */
  async #pause(ms: Millis): Promise<void> {
    await outlasts(new Promise<void>((resolve) => (this.#wake = resolve)), ms, this.#clock);
  }
}

function longer(backoffMs: Millis): Millis {
  return Math.min(MAX_BACKOFF_MS, Math.max(MIN_BACKOFF_MS, 2 * backoffMs));
}

/** Messages leave at once, and a peer that is gone without a word is noticed in the end. */
function prepare(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setKeepAlive(true);
  } catch { /* it was reset between accept and now; the first read will say so */ }
  return sendAtOnce(conn);
}

/** Any file descriptor will do; a listener on a free loopback port needs no permission beyond the network's. */
function openReserve(): Deno.TcpListener | null {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  } catch {
    return null;
  }
}
