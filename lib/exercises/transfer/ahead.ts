// What has come ahead of its turn, with a bit for each: an acknowledgement shows these bits, and may be asked for with each chunk.

/** What keeping a chunk takes besides its bytes, in bytes. */
const CHUNK_COST = 512;

/** What may still be kept, in bytes: of one file, or of several that share it. */
export interface Room {
  bytes: number;
}

/** Chunks by number, all of them behind the next one expected and within the window. */
export class Ahead {
  readonly #window: number;
  readonly #room: Room;
  readonly #chunks = new Map<number, Uint8Array>();
  /** A ring: chunk s has bit s mod the number of bits. There are more than the window has chunks, so none is met twice. */
  #bits = new Uint8Array(0);

  constructor(window: number, room: Room) {
    this.#window = window;
    this.#room = room;
  }

  get size(): number {
    return this.#chunks.size;
  }

  has(seq: number): boolean {
    return this.#chunks.has(seq);
  }

  /** Keeps a copy, if there is room for it. */
  keep(seq: number, bytes: Uint8Array): void {
    if (bytes.length + CHUNK_COST > this.#room.bytes) return;
    this.#room.bytes -= bytes.length + CHUNK_COST;
    if (this.#bits.length === 0) this.#bits = new Uint8Array(Math.ceil(this.#window / 8) + 1);
    this.#chunks.set(seq, bytes.slice());
    this.#flip(seq);
  }

  /** Hands over a chunk, if it is here, and forgets it. */
  take(seq: number): Uint8Array | undefined {
    const bytes = this.#chunks.get(seq);
    if (bytes === undefined) return undefined;
    this.#chunks.delete(seq);
    this.#room.bytes += bytes.length + CHUNK_COST;
    this.#flip(seq);
    return bytes;
  }

  clear(): void {
    for (const { length } of this.#chunks.values()) this.#room.bytes += length + CHUNK_COST;
    this.#chunks.clear();
    this.#bits = new Uint8Array(0);
  }

  /** Which of the `count` numbers from `first` on are here: the lowest bit of the first byte is that of `first`. */
  bitmap(first: number, count: number): Uint8Array {
    const ring = this.#bits;
    const bitmap = new Uint8Array(Math.ceil(count / 8));
    const at = first % (8 * ring.length);
    const shift = at & 7;
    let byte = at >> 3;
    for (let i = 0; i < bitmap.length; i++) {
      const low = ring[byte] >> shift;
      if (++byte === ring.length) byte = 0;
      bitmap[i] = low | ring[byte] << (8 - shift);
    }
    return bitmap;
  }

  #flip(seq: number): void {
    const at = seq % (8 * this.#bits.length);
    this.#bits[at >> 3] ^= 1 << (at & 7);
  }
}
