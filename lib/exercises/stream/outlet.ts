// A UDP socket that a server of streams sends with: it knows what is on its way to the system, and closes behind it.

import type { Address } from "../../net/conn.ts";
import { DatagramEndpoint } from "../../net/datagram.ts";
import type { Trace } from "../../protocol/trace.ts";

/** So many datagrams may wait for the system; of more, the new ones are lost, as on a full router. */
const MAX_PENDING = 1024;

/** A bound socket. */
export class Outlet {
  readonly #endpoint: DatagramEndpoint;
  readonly #pending = new Set<Promise<unknown>>();

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor({ host, port, trace }: { readonly host: string; readonly port: number; readonly trace: Trace }) {
    this.#endpoint = new DatagramEndpoint({ host, port, trace });
  }

  get address(): Address {
    return this.#endpoint.address;
  }

  /** Calls `onDatagram` for each, until the socket is closed; the bytes are a view. */
  each(onDatagram: (bytes: Uint8Array, from: Address) => void): Promise<void> {
    return this.#endpoint.each(onDatagram);
  }

  send(bytes: Uint8Array, to: Address): void {
    if (this.#pending.size >= MAX_PENDING) return;
    const sending: Promise<unknown> = this.#endpoint.send(bytes, to).finally(() => this.#pending.delete(sending));
    this.#pending.add(sending);
  }

  /** Closes when everything is with the system. */
  async close(): Promise<void> {
    await Promise.all(this.#pending);
    this.#endpoint.close();
  }
}
