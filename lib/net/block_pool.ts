// The memory through which files are poured into connections, and the turns at reading them, for all connections of a server.
//
//     turn ─► block ─► file.read ─► conn.write ─► block, for whoever's turn is next
//
// Few read at once, and the block used last is used next: so with a hundred clients it is the same few blocks that go round,
// which the processor has at hand, and not a hundred that it has to fetch. Only who is slow to take a block keeps it.

/** How many blocks are read at once: one more than are written, which is one. */
const READS = 2;
/** Blocks kept when nobody is pouring. */
const KEPT = 2;

/** Sizes, in bytes. */
export interface BlockPoolOptions {
  /** Of a block, where there is room. @default {524288} */
  readonly maxBytes?: number;
  /** Of a block, however many there are. @default {32768} */
  readonly minBytes?: number;
  /** Of all blocks that are taken while so many pour, unless they are of the least size. @default {67108864} */
  readonly totalBytes?: number;
}

/** Reads up to `into.length` bytes, as `Deno.FsFile.read`; null when there are no more. */
export type Read = (into: Uint8Array) => Promise<number | null>;

/** Blocks that are used again and again. */
export class BlockPool {
  readonly #maxBytes: number;
  readonly #minBytes: number;
  readonly #totalBytes: number;
  /** How large a block is now, and those of that size that nobody uses. */
  #blockBytes: number;
  readonly #free: ArrayBuffer[] = [];
  readonly #waiting: (() => void)[] = [];
  #reading = 0;
  #pours = 0;

  constructor({ maxBytes = 524_288, minBytes = 32_768, totalBytes = 67_108_864 }: BlockPoolOptions = {}) {
    this.#maxBytes = this.#blockBytes = maxBytes;
    this.#minBytes = Math.min(minBytes, maxBytes);
    this.#totalBytes = totalBytes;
  }

  /** Whether a pour should have its next block read while one is written: many do that for each other. */
  get readsAhead(): boolean {
    return this.#pours <= READS;
  }

  /** A pour begins: blocks become smaller when there are many. */
  enter(): void {
    this.#pours++;
    this.#resize();
  }

  /** It has ended, and has given back what it was given. */
  leave(): void {
    this.#pours--;
    this.#resize();
    if (this.#pours === 0) this.#free.length = Math.min(this.#free.length, KEPT);
  }

  /**
   * Waits for a turn, and reads.
   *
   * @param atMost how many bytes
   * @returns what was read, to be given back; nothing when there is no more
   * @throws what `read` throws
   */
  async fill(read: Read, atMost: number): Promise<Uint8Array> {
    if (this.#reading >= READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading++;
    const block = new Uint8Array(this.#free.pop() ?? new ArrayBuffer(this.#blockBytes));
    try {
      return block.subarray(0, await read(block.subarray(0, atMost)) ?? 0);
    } catch (error) {
      this.giveBack(block);
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reading--;
    }
  }

  giveBack({ buffer }: Uint8Array): void {
    if (buffer.byteLength === this.#blockBytes) this.#free.push(buffer as ArrayBuffer);
  }

  #resize(): void {
    let size = this.#maxBytes;
    while (size * this.#pours > this.#totalBytes && size / 2 >= this.#minBytes) size /= 2;
    if (size !== this.#blockBytes) this.#free.length = 0;
    this.#blockBytes = size;
  }
}
