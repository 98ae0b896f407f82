// UDP as connections: whoever sends to a bound socket is a peer of its own, with datagrams in place of a byte stream. So
// servers and clients of exercises that run on both transports are written once.
//
//     socket ─► each datagram ─► by its source ─► DatagramConn.each, or .receive
//     DatagramConn.write ─► one datagram

import type { Acceptor, AcceptorEvents } from "./acceptor.ts";
import { lookUp } from "./client.ts";
import type { Address, Conn } from "./conn.ts";
import { DatagramEndpoint } from "./datagram.ts";

/** What may wait for one session to take it, in datagrams and in bytes; the next is lost, as UDP may lose any. */
const MAX_WAITING = 1024;
const MAX_WAITING_BYTES = 1_048_576;

/** One peer of a UDP socket. */
class DatagramConn implements Conn {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  readonly #endpoint: DatagramEndpoint;
  readonly #onClose: () => void;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;
  #closed = false;
  #wake: (() => void) | null = null;
  /** Takes what comes while nothing waits. */
  #take: ((bytes: Uint8Array) => void) | null = null;

  constructor(endpoint: DatagramEndpoint, remoteAddr: Address, onClose: () => void) {
    this.#endpoint = endpoint;
    this.localAddr = endpoint.address;
    this.remoteAddr = remoteAddr;
    this.#onClose = onClose;
  }

  /** Hands over a datagram that has come from this peer; what has to wait is copied. */
  push(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#take !== null) return this.#take(bytes);
    if (this.#waiting.length >= MAX_WAITING) return;
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) return;
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += bytes.length;
    this.#wake?.();
  }

  async receive(): Promise<Uint8Array | null> {
    while (this.#waiting.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
    const bytes = this.#waiting.shift()!;
    this.#waitingBytes -= bytes.length;
    return bytes;
  }

  async each(onDatagram: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
    for (let bytes; (bytes = await this.receive()) !== null;) {
      await onDatagram(bytes);
      if (this.#waiting.length === 0 && !this.#ended) await this.#eachAtOnce(onDatagram);
    }
  }

  /** Hands over what comes while nothing waits: until the end, or until one of them takes longer. */
  async #eachAtOnce(onDatagram: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#take = (bytes) => {
      try {
        const busy = onDatagram(bytes);
        if (!busy) return;
        busy.then(resolve, reject);
      } catch (error) {
        reject(error);
      }
      this.#take = this.#wake = null;
    };
    try {
      await promise;
    } finally {
      this.#take = this.#wake = null;
    }
  }

  read(): Promise<number | null> {
    throw new TypeError("datagrams are received whole");
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(new Deno.errors.BrokenPipe("closed"));
    const { length } = bytes;
    return this.#endpoint.send(bytes, this.remoteAddr).then(() => length); // sent or lost: UDP does not tell
  }

  /** UDP has no end of stream to send: only our own waiting ends. */
  closeWrite(): Promise<void> {
    this.#ended = true;
    this.#wake?.();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.closeWrite();
    this.#onClose();
  }
}

/** A bound UDP socket as a server's source of callers: each source address is one. */
export class DatagramAcceptor implements Acceptor {
  readonly address: Address;
  readonly #endpoint: DatagramEndpoint;
  readonly #peers = new Map<string, DatagramConn>();
  #closed = false;

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor(host: string, port: number) {
    this.#endpoint = new DatagramEndpoint({ host, port });
    this.address = this.#endpoint.address;
  }

  async run(events: AcceptorEvents): Promise<void> {
    await this.#endpoint.each((bytes, from) => {
      const key = `${from.hostname} ${from.port}`;
      let peer = this.#peers.get(key);
      if (peer === undefined) {
        if (this.#closed) return;
        peer = new DatagramConn(this.#endpoint, from, () => this.#forget(key));
        this.#peers.set(key, peer);
        events.onConn(peer);
      }
      peer.push(bytes);
    });
  }

  /** The socket stays until the last peer has been closed: they share it. */
  close(): void {
    this.#closed = true;
    if (this.#peers.size === 0) this.#endpoint.close();
  }

  #forget(key: string): void {
    this.#peers.delete(key);
    if (this.#closed) this.close();
  }
}

/** From which address the answers come: that of all interfaces is none, and one address may be written in many ways. */
function answeringAddress(host: string): string {
  const plain = host.includes(":") ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
  return plain === "0.0.0.0" ? "127.0.0.1" : plain === "::" ? "::1" : plain;
}

/**
 * A UDP socket that talks to one peer; what others send to it is ignored.
 *
 * @param ownPort where it is on this side, for who is to be taken for one that was here before; 0 for anywhere
 * @throws {NetlabError} of kind `transport` when the name cannot be resolved, or that port is taken
 */
export async function connectUdp(hostname: string, port: number, ownPort = 0): Promise<Conn> {
  // Of an address on a link only, `fe80::1%eth0`, answers do not say the zone.
  const [address, ...zone] = (await lookUp(hostname, port, "talk to")).split("%");
  const host = answeringAddress(address);
  // On this machine both ends have one address; which of ours the way to another begins with, only the system knows.
  const own = /^(127\.|::1$)/.test(host) ? host : host.includes(":") ? "::" : "0.0.0.0";
  const endpoint = new DatagramEndpoint({ host: own, port: ownPort });
  const remote: Address = { transport: "udp", hostname: [host, ...zone].join("%"), port };
  const peer = new DatagramConn(endpoint, remote, () => endpoint.close());
  endpoint.each((bytes, from) => {
    if (from.port === port && from.hostname === host) peer.push(bytes);
  }).catch(() => peer.close());
  return peer;
}
