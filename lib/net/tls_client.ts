// TLS at the client's end: from the beginning, or on a connection that has been used in clear (STARTTLS).

import type { Millis } from "../protocol/clock.ts";
import { NetlabError } from "../protocol/errors.ts";
import { connectTcp } from "./client.ts";
import { outlasts } from "./clock.ts";
import { type Conn, formatHostPort } from "./conn.ts";
import { describeSystemError } from "./errors.ts";

/** How long a handshake may take, unless that is said. */
const HANDSHAKE_MS = 10_000;

/** Whom TLS trusts. */
export interface TlsTrust {
  /** Certificates in PEM that are trusted besides those of the system: a self-signed one of a lab server, say. */
  readonly caCerts?: readonly string[];
  /** How long the handshake may take. @default {10000} */
  readonly timeoutMs?: Millis;
}

/** A TCP connection that can become a TLS connection while whoever uses it goes on using it. */
export class UpgradableConn implements Conn {
  readonly #hostname: string;
  readonly #port: number;
  #conn: Deno.TcpConn | Deno.TlsConn;
  #reading = false;

  private constructor(conn: Deno.TcpConn, hostname: string, port: number) {
    this.#conn = conn;
    this.#hostname = hostname;
    this.#port = port;
  }

  /** @throws {NetlabError} as `connectTcp` */
  static async connect(hostname: string, port: number): Promise<UpgradableConn> {
    return new UpgradableConn(await connectTcp(hostname, port), hostname, port);
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  /**
   * Encrypts from now on. Nothing may be being read or written.
   *
   * @throws {NetlabError} of kind `transport` when the other end cannot, or is not trusted, or `timeout` when it says nothing;
   * the connection is closed then
   */
  async startTls({ caCerts = [], timeoutMs = HANDSHAKE_MS }: TlsTrust = {}): Promise<void> {
    if (this.#reading) throw new NetlabError("harness", "a connection cannot change to TLS while it is being read");
    try {
      // Deno.startTls takes over the connection, and closes it when it fails.
      const secure = await Deno.startTls(this.#conn as Deno.TcpConn, {
        hostname: this.#hostname,
        caCerts: [...caCerts],
      });
      this.#conn = secure;
      const handshake = secure.handshake();
      if (await outlasts(handshake, timeoutMs)) {
        handshake.catch(() => {});
        throw new NetlabError("timeout", `no TLS with ${this.#address} in ${timeoutMs / 1000} s`, {
          hint: "does it speak TLS on this port at all?",
        });
      }
      await handshake;
    } catch (error) {
      this.close();
      throw this.#failure(error);
    }
  }

  get #address(): string {
    return formatHostPort(this.#hostname, this.#port);
  }

  #failure(error: unknown): NetlabError {
    if (error instanceof NetlabError) return error;
    const why = describeSystemError(error);
    const hint = /not valid for name|NotValidForName/i.test(why)
      ? "it is for another name: connect by one that it has"
      : /certificate|UnknownIssuer/i.test(why)
      ? "--tls-ca FILE names the certificate to trust, where it is self-signed"
      : "does it speak TLS at this point? --tls does from the beginning, --starttls when both have said so";
    return new NetlabError("transport", `no TLS with ${this.#address}: ${why}`, { hint, cause: error });
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.#reading = true;
    try {
      return await this.#conn.read(into);
    } finally {
      this.#reading = false;
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    try {
      this.#conn.close();
    } catch { /* it is closed already */ }
  }
}
