// Has media read in a thread of its own, which is ended where that takes too long or too much.

import type { Worker } from "node:worker_threads";
import type { PartReader } from "./media.ts";
import type { Medium } from "./medium.ts";
import type { Said, Told } from "./medium_worker.ts";

/** A file whose duration takes longer to find out is sent without it, in ms. */
const PATIENCE_MS = 3000;
/** So much more memory than before may be in use meanwhile, in bytes, and it is looked at so often, in ms. */
const MAX_GROWTH_BYTES = 512 * 1_048_576;
const LOOK_MS = 50;
/** No part of a file that is needed at once is longer, in bytes. */
const MAX_READ_BYTES = 64 * 1_048_576;

/** Whatever is wrong with a file, it can be sent. */
const UNKNOWN: Medium = { durationMs: null, mediaType: "" };

/** Reads one file after the other: each thread has a copy of the library. */
export class MediumReader {
  #thread: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Never throws. @param size of the file, in bytes */
  read(reader: PartReader, size: number): Promise<Medium> {
    this.#waiting++;
    const reading = this.#last.then(() => this.#read(reader, size)).catch(() => null);
    const done = reading.then((medium) => {
      // The thread goes with the last file, and with each that it has got stuck in.
      if (--this.#waiting === 0 || medium === null) this.#end();
      return medium ?? UNKNOWN;
    });
    this.#last = done;
    return done;
  }

  /** @returns null where it has got stuck */
  async #read(reader: PartReader, size: number): Promise<Medium | null> {
    const thread = this.#thread ??= (await import("./medium_worker.ts")).startThread();
    const { promise, resolve } = Promise.withResolvers<Medium | null>();
    const tell = (told: Told) => thread.postMessage(told);
    let begun = Infinity; // while the thread and the library are being loaded, which is not the fault of the file
    thread.removeAllListeners().on("error", () => resolve(null)).on("message", (said: Said) => {
      if ("medium" in said) return resolve(said.medium ?? UNKNOWN);
      begun = Math.min(begun, performance.now());
      const [start, end] = said.read;
      if (end - start > MAX_READ_BYTES) return resolve(null);
      reader.read(start, end - start).then(tell, () => resolve(null));
    });
    const before = Deno.memoryUsage().rss;
    const watch = setInterval(() => {
      const late = performance.now() - begun > PATIENCE_MS;
      if (late || Deno.memoryUsage().rss - before > MAX_GROWTH_BYTES) resolve(null);
    }, LOOK_MS);
    tell({ size, patienceMs: PATIENCE_MS });
    const medium = await promise;
    clearInterval(watch);
    return medium;
  }

  #end(): void {
    void this.#thread?.terminate();
    this.#thread = null;
  }
}
