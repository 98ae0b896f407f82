// A file as it is sent: read once, and digested on the way.

import { createHash, type Hash } from "node:crypto";
import { changed, type Source } from "./files.ts";

/** Reads a source and digests what it reads. */
export class DigestedReader {
  readonly #source: Source;
  readonly #hash: Hash = createHash("sha256");
  /** Read, but not given out yet. */
  #left: Uint8Array | null = null;
  #bytesRead = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** @throws {NetlabError} when the file is not as long as it was when it was opened */
  async read(): Promise<Uint8Array | null> {
    const block = this.#left ?? await this.#source.read();
    this.#left = null;
    const { size, name } = this.#source;
    if (block !== null) {
      this.#hash.update(block);
      this.#bytesRead += block.length;
    }
    if (size !== null && this.#bytesRead > size) throw changed(name);
    return block;
  }

  /** Passes over the beginning. @returns its digest, or null when there is not so much */
  async skip(bytes: number): Promise<Uint8Array | null> {
    while (this.#bytesRead < bytes) {
      const block = await this.#source.read();
      if (block === null) return null;
      const part = block.subarray(0, bytes - this.#bytesRead);
      this.#hash.update(part);
      this.#bytesRead += part.length;
      if (part.length < block.length) this.#left = block.subarray(part.length);
    }
    return new Uint8Array(this.#hash.copy().digest());
  }

  digest(): Uint8Array {
    return new Uint8Array(this.#hash.digest());
  }
}
