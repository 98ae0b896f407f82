// A UDP endpoint: datagrams in and out, each traced. Empty datagrams are legal; so is a datagram from anybody.

import { NO_TRACE, type Trace } from "../protocol/trace.ts";
import { type Address, formatAddress, formatHostPort } from "./conn.ts";
import { transportError } from "./errors.ts";

/** The largest UDP payload is 65,507 bytes (IPv4); a shorter buffer would cut datagrams without a word. */
const MAX_DATAGRAM = 65_536;

/** What a datagram endpoint is made of. */
export interface DatagramOptions {
  readonly host: string;
  /** 0 picks a free one. @default {0} */
  readonly port?: number;
  readonly trace?: Trace;
  /** The number its events carry. @default {0} */
  readonly id?: number;
}

/** A bound UDP socket. */
export class DatagramEndpoint {
  readonly address: Address;
  readonly #socket: Deno.DatagramConn;
  readonly #trace: Trace;
  readonly #id: number;
  #closed = false;

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor(options: DatagramOptions) {
    const { host, port = 0 } = options;
    this.#trace = options.trace ?? NO_TRACE;
    this.#id = options.id ?? 0;
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname: host, port });
    } catch (error) {
      throw transportError(error, "listen on", formatHostPort(host, port));
    }
    this.address = this.#socket.addr as Address;
  }

  /**
   * Calls `onDatagram` for each datagram until the endpoint is closed. The bytes are a view, valid during the call.
   * What the system reports about an earlier send (a port that nobody listens on) is not an end.
   *
   * @throws {NetlabError} of kind `transport` for whatever else is wrong with the socket, and what `onDatagram` throws
   */
  async each(onDatagram: (bytes: Uint8Array, from: Address) => void): Promise<void> {
    const buffer = new Uint8Array(MAX_DATAGRAM);
    while (!this.#closed) {
      let bytes: Uint8Array, from: Deno.Addr;
      try {
        [bytes, from] = await this.#socket.receive(buffer);
      } catch (error) {
        if (this.#closed) return;
        if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionRefused) continue;
        throw transportError(error, "talk to", formatAddress(this.address));
      }
      if (this.#trace.wants.bytes) this.#trace.emit({ type: "bytes", id: this.#id, direction: "in", bytes });
      onDatagram(bytes, from as Address);
    }
  }

  /**
   * Sends one datagram.
   *
   * @returns false when the system refused it (nobody there, no room): UDP promises nothing, and neither does this
   * @throws {NetlabError} of kind `transport` when it is larger than any that the system sends: on macOS that is 9216 bytes
   */
  send(bytes: Uint8Array, to: Address): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return this.#socket.send(bytes, to).then(() => {
      if (this.#trace.wants.bytes) this.#trace.emit({ type: "bytes", id: this.#id, direction: "out", bytes });
      return true;
    }, (error) => {
      if (error.code === "EMSGSIZE") throw transportError(error, "talk to", formatAddress(to));
      return false;
    });
  }

  /** Ends `each`, too. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
