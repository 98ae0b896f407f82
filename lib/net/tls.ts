// TLS on a connection that is there already, at the server's end: what STARTTLS needs. Deno has that for clients only, so the
// encrypted bytes are carried to a TLS listener of our own on loopback, and what that accepts is the connection in clear.
//
//     peer ◄── encrypted ──► outer ◄─ carried ─► inner ◄── loopback ──► listener ─► secure ◄── clear ──► channel

import { pause } from "./clock.ts";
import { type Address, type Conn, sendAtOnce } from "./conn.ts";
import { isReset, transportError } from "./errors.ts";

const CARRY_BYTES = 65_536;
/** How long nobody is accepted when that has failed, in ms. */
const BACK_OFF_MS = 50;

/** A certificate, with those that sign it, and its key: both in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** The server's end of TLS, for as many connections as there are. */
export class TlsServer {
  readonly #listener: Deno.TlsListener;
  readonly #port: number;
  /** Who waits for the connection from which port. */
  readonly #waiting = new Map<number, PromiseWithResolvers<Deno.TlsConn>>();
  /** Accepted before it was known which port its other end has. */
  readonly #early = new Map<number, Deno.TlsConn>();
  #dialing = 0;
  #closed = false;

  /** @throws {NetlabError} of kind `transport` when certificate and key are none, or do not belong together */
  constructor({ cert, key }: TlsIdentity) {
    try {
      this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    } catch (error) {
      throw transportError(error, "listen on", "127.0.0.1:0 with TLS");
    }
    this.#port = (this.#listener.addr as Address).port;
    void this.#accept();
  }

  /** The same connection in clear. The handshake begins with the first read. */
  over(outer: Conn): Conn {
    return new SecureConn(outer, this.#dial());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    this.#refuseWaiting(new Deno.errors.Interrupted("TLS has ended"));
    this.#forgetStrangers();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const secure = await this.#listener.accept();
        const { port } = secure.remoteAddr as Address;
        const waiting = this.#waiting.get(port);
        this.#waiting.delete(port);
        if (waiting) waiting.resolve(secure);
        else if (this.#dialing > 0) this.#early.set(port, secure);
        else secure.close(); // nobody but us has any business here
      } catch (error) {
        if (this.#closed || isReset(error)) continue;
        // With no file left, say: those who wait hold two each, and nobody is accepted before some are given back.
        this.#refuseWaiting(error);
        await pause(BACK_OFF_MS);
      }
    }
  }

  async #dial(): Promise<Ends> {
    this.#dialing++;
    let inner: Deno.TcpConn;
    try {
      inner = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    } finally {
      this.#dialing--;
    }
    sendAtOnce(inner);
    const { port } = inner.localAddr as Address;
    const early = this.#early.get(port);
    this.#early.delete(port);
    if (this.#dialing === 0) this.#forgetStrangers();
    if (early) return { inner, secure: early };
    const waiting = Promise.withResolvers<Deno.TlsConn>();
    if (this.#closed) waiting.reject(new Deno.errors.Interrupted("TLS has ended"));
    else this.#waiting.set(port, waiting);
    try {
      return { inner, secure: await waiting.promise };
    } catch (error) {
      inner.close();
      throw error;
    }
  }

  #refuseWaiting(why: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }

  #forgetStrangers(): void {
    for (const secure of this.#early.values()) secure.close();
    this.#early.clear();
  }
}

/** The two ends of a loopback connection. */
interface Ends {
  readonly inner: Conn;
  readonly secure: Deno.TlsConn;
}

/** A connection in clear on top of an encrypted one. */
class SecureConn implements Conn {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #outer: Conn;
  readonly #ends: Promise<Ends>;
  /** Settles when all that has been written has been carried to the peer, and the end. */
  #carried: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(outer: Conn, ends: Promise<Ends>) {
    this.#outer = outer;
    this.#ends = ends;
    this.localAddr = outer.localAddr;
    this.remoteAddr = outer.remoteAddr;
    ends.then(({ inner, secure }) => {
      if (this.#closed) return closeAll(inner, secure);
      void carry(outer, inner);
      this.#carried = carry(inner, outer);
    }, () => this.close());
  }

  async read(into: Uint8Array): Promise<number | null> {
    const { secure } = await this.#ends;
    try {
      return await secure.read(into);
    } catch (error) {
      // Many programs end without TLS's own end of stream. SMTP has an end of its own, and needs no other.
      if (error instanceof Deno.errors.UnexpectedEof) return null;
      // The alert that tells the peer what is wrong is on its way.
      closeAll(secure);
      await this.#carried;
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    return await (await this.#ends).secure.write(bytes);
  }

  async closeWrite(): Promise<void> {
    await (await this.#ends).secure.closeWrite();
    await this.#carried;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeAll(this.#outer);
    this.#ends.then(({ inner, secure }) => closeAll(inner, secure), () => {});
  }
}

/** Carries bytes until they end; then that end. */
async function carry(from: Conn, to: Conn): Promise<void> {
  const buffer = new Uint8Array(CARRY_BYTES);
  try {
    for (let count; (count = await from.read(buffer)) !== null;) {
      for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
    }
    await to.closeWrite();
  } catch {
    closeAll(from, to); // whoever reads or writes at the other end is told
  }
}

function closeAll(...conns: Conn[]): void {
  for (const conn of conns) {
    try {
      conn.close();
    } catch { /* it is closed already */ }
  }
}
