// A UDP socket that a server of streams sends with: it knows what is on its way to the system, and closes behind it.

import type { Address } from "../../net/conn.ts";
import { DatagramEndpoint } from "../../net/datagram.ts";
import type { Direction, Trace } from "../../protocol/trace.ts";

/** So many datagrams may wait for the system; of more, the new ones are lost, as on a full router. */
const MAX_PENDING = 1024;

/** Room for any datagram that is sent often, in bytes. */
const BUFFER_BYTES = 2048;

/** What goes through a socket, in both directions. */
export interface Post {
  send(bytes: Uint8Array, to: Address): void;
  /** The bytes are a view. */
  receive(bytes: Uint8Array, from: Address): void;
}

/** Where a server of streams makes a mistake, it changes what goes through its socket, or how fast it goes. */
export interface Mistakes {
  /** How fast everything is sent, in bytes a second, whatever its medium says. */
  readonly pace?: number;
  /** @param end ends the server at once */
  through?(post: Post, end: () => void): Post;
}

/** Where an outlet is bound, and what is changed of what goes through it. */
export interface OutletOptions {
  readonly host: string;
  readonly port: number;
  readonly trace: Trace;
  /** The number of the stream that a datagram is of, for the trace; 0 for none. */
  idOf(bytes: Uint8Array, address: Address): number;
  through?(post: Post): Post;
}

/** A bound socket. */
export class Outlet {
  readonly #endpoint: DatagramEndpoint;
  readonly #post: Post;
  readonly #trace: Trace;
  readonly #idOf: OutletOptions["idOf"];
  #onDatagram: Post["receive"] = () => {};
  readonly #pending = new Set<Promise<unknown>>();
  /** Buffers that wait for a datagram. Sending thousands a second, a new one for each would be a heap of garbage. */
  readonly #free: ArrayBuffer[] = [];

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor({ host, port, trace, idOf, through = (post) => post }: OutletOptions) {
    this.#endpoint = new DatagramEndpoint({ host, port });
    this.#trace = trace;
    this.#idOf = idOf;
    this.#post = through({
      send: (bytes, to) => this.#send(bytes, to),
      receive: (bytes, from) => this.#onDatagram(bytes, from),
    });
  }

  get address(): Address {
    return this.#endpoint.address;
  }

  /** Calls `onDatagram` for each, until the socket is closed; the bytes are a view. */
  each(onDatagram: (bytes: Uint8Array, from: Address) => void): Promise<void> {
    this.#onDatagram = onDatagram;
    return this.#endpoint.each((bytes, from) => {
      this.#show("in", bytes, from);
      this.#post.receive(bytes, from);
    });
  }

  /** Sends a copy of `bytes`, which may be used again at once. */
  send(bytes: Uint8Array, to: Address): void {
    this.#post.send(bytes, to);
  }

  #send(bytes: Uint8Array, to: Address): void {
    if (this.#pending.size >= MAX_PENDING) return;
    this.#show("out", bytes, to);
    const small = bytes.length <= BUFFER_BYTES;
    const buffer = small ? this.#free.pop() ?? new ArrayBuffer(BUFFER_BYTES) : new ArrayBuffer(bytes.length);
    const copy = new Uint8Array(buffer, 0, bytes.length);
    copy.set(bytes);
    const sending: Promise<unknown> = this.#endpoint.send(copy, to).then(() => {
      this.#pending.delete(sending);
      if (small) this.#free.push(buffer);
    });
    this.#pending.add(sending);
  }

  #show(direction: Direction, bytes: Uint8Array, address: Address): void {
    if (!this.#trace.wants.bytes) return;
    this.#trace.emit({ type: "bytes", id: this.#idOf(bytes, address), direction, bytes });
  }

  /** Closes when everything is with the system. */
  async close(): Promise<void> {
    await Promise.all(this.#pending);
    this.#endpoint.close();
  }
}
