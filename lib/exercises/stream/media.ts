// How fast a file is to be sent: its size and its duration say it. The library that reads durations is loaded when the first
// file is served, because it takes longer to load than all of netlab.

import type { OpenFile } from "../folder.ts";
import type { Medium } from "./medium.ts";
import { ASSUMED_RATE, type Info } from "./protocol.ts";

/** So many files are remembered. */
const MAX_KNOWN = 1000;

/** Finds out about files, each once until it changes. */
export class Media {
  readonly #rate: number | null;
  readonly #known = new Map<string, Promise<Medium>>();

  /** @param rate takes the place of each file's own, in bytes/s */
  constructor(rate: number | null) {
    this.#rate = rate;
  }

  /** @param reader of that file */
  async about({ info, path }: OpenFile, reader: PartReader): Promise<Info> {
    const key = `${path} ${info.size} ${info.mtime?.getTime()}`;
    let reading = this.#known.get(key);
    if (reading === undefined) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, reading = import("./medium.ts").then(({ readMedium }) => readMedium(reader, info.size)));
    }
    const { durationMs: ownMs, mediaType } = await reading;
    const { size } = info;
    const own = ownMs === null || size === 0 ? null : Math.max(1, 1000 * size / ownMs);
    const rate = Math.min(this.#rate ?? own ?? ASSUMED_RATE, 0xffff_ffff);
    // At another rate it lasts as long as that takes, and not as long as its own.
    const durationMs = this.#rate === null ? ownMs : 1000 * size / rate;
    return { size, durationMs, rate, assumed: this.#rate === null && own === null, mediaType };
  }
}

/** Reads parts of a file, one after the other. */
export class PartReader {
  readonly #file: Deno.FsFile;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Up to `length` bytes; fewer where the file ends.
   *
   * @param into where they are read to, if there is room; what is returned is a view of it then
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
    const reading = this.#last.then(() => this.#read(offset, bytes));
    this.#last = reading.catch(() => {});
    return reading;
  }

  /** Closes the file when nothing of it is being read. */
  async close(): Promise<void> {
    await this.#last;
    this.#file.close();
  }

  async #read(offset: number, bytes: Uint8Array): Promise<Uint8Array> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    let filled = 0;
    for (let count; filled < bytes.length && (count = await this.#file.read(bytes.subarray(filled))) !== null;) {
      filled += count;
    }
    return bytes.subarray(0, filled);
  }
}
