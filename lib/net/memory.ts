// Two connections joined in memory, for tests without sockets. The reader sees each write as one read unless its buffer is
// smaller, so a test decides how the bytes are split.

import type { Address, Conn } from "./conn.ts";

/** One direction of a pair: a bounded pipe. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  readonly #capacity: number;
  #bytes = 0;
  #ended = false;
  #error: Error | null = null;
  #wake: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#ended) return null;
      await this.#change();
    }
    const chunk = this.#chunks[0];
    const count = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, count));
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    this.#bytes -= count;
    this.#changed();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#bytes >= this.#capacity && !this.#ended && !this.#error) await this.#change();
    if (this.#error) throw this.#error;
    if (this.#ended) throw new Deno.errors.BrokenPipe("the other end is closed");
    const count = Math.min(bytes.length, this.#capacity - this.#bytes);
    this.#chunks.push(bytes.slice(0, count));
    this.#bytes += count;
    this.#changed();
    return count;
  }

  end(error: Error | null = null): void {
    this.#ended = true;
    this.#error ??= error;
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** One end of a pair. `reset` ends it the rude way: both sides fail from then on. */
export interface MemoryConn extends Conn {
  reset(): void;
}

/**
 * Two ends of one connection in memory.
 *
 * @param capacity bytes that each direction holds before a write waits
 */
export function memoryPair(capacity = 65_536): [MemoryConn, MemoryConn] {
  const there = new Pipe(capacity);
  const back = new Pipe(capacity);
  const a: Address = { transport: "tcp", hostname: "memory", port: 1 };
  const b: Address = { transport: "tcp", hostname: "memory", port: 2 };
  return [memoryEnd(a, b, back, there), memoryEnd(b, a, there, back)];
}

function memoryEnd(localAddr: Address, remoteAddr: Address, incoming: Pipe, outgoing: Pipe): MemoryConn {
  return {
    localAddr,
    remoteAddr,
    read: (into) => incoming.read(into),
    write: (bytes) => outgoing.write(bytes),
    closeWrite: () => Promise.resolve(outgoing.end()),
    close() {
      outgoing.end();
      incoming.end(new Deno.errors.BrokenPipe("closed"));
    },
    reset() {
      const error = new Deno.errors.ConnectionReset("connection reset");
      outgoing.end(error);
      incoming.end(error);
    },
  };
}
