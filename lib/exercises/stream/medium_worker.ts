// A thread in which the library reads media, so that it can be ended: in a damaged file it may loop for ever, and let nobody
// else have a turn. The file itself is read by whoever started the thread.
//
//     ◄ { size, patienceMs }    ► { read: [start, end] }    ◄ the bytes    ► …    ► { medium }    ◄ the next file

import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { Medium } from "./medium.ts";

/** What the thread is told: that there is a file, or the bytes that it asked for, in the order in which it did. */
export type Told = { readonly size: number; readonly patienceMs: number } | Uint8Array;
/** What it says: null where it does not know the file. */
export type Said = { readonly read: readonly [start: number, end: number] } | { readonly medium: Medium | null };

/** What the library may keep of a file: of a damaged one that might be everything that there is. (Denos before 2.9 do not care.) */
const MAX_HEAP_MIB = 256;

/** Starts a thread. */
export function startThread(): Worker {
  // A bundle has another name for this file.
  return new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } });
}

if (!isMainThread) work();

function work(): void {
  const say = (said: Said) => parentPort!.postMessage(said);
  const wanted: ((bytes: Uint8Array) => void)[] = [];
  const read = (start: number, end: number) =>
    new Promise<Uint8Array>((resolve) => {
      wanted.push(resolve);
      say({ read: [start, end] });
    });
  parentPort!.on("message", async (told: Told) => {
    if (told instanceof Uint8Array) return wanted.shift()!(told);
    const { readMedium } = await import("./medium.ts");
    say({ medium: await readMedium(read, told.size, told.patienceMs).catch(() => null) });
  });
}
