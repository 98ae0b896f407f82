// What grading leaves behind when it is interrupted: programs in process groups of their own, which the terminal's Ctrl-C does
// not reach, and folders.

import { pause } from "../net/clock.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";

const undoing = new Set<() => unknown>();
let interrupted = false;

/** @throws {NetlabError} of kind `interrupted` when grading is being ended: nothing new is begun then */
export function stopIfInterrupted(): void {
  if (interrupted) throw new NetlabError("interrupted", "interrupted");
}

/** Has `undo` called when grading is interrupted. @returns what forgets that again */
export function onInterrupt(undo: () => unknown): () => void {
  undoing.add(undo);
  return () => void undoing.delete(undo);
}

/** Ends what runs and takes away what was made, the last first: a folder goes behind the program that writes to it. */
export async function interrupt(): Promise<void> {
  interrupted = true;
  for (const undo of [...undoing].reverse()) {
    try {
      await undo();
    } catch { /* what cannot be undone must not keep the rest */ }
  }
}

/** Makes a folder for a while. @throws {NetlabError} of kind `harness` where none can be made */
export function makeFolder(prefix: string): string {
  stopIfInterrupted(); // what is made now would be left behind
  try {
    return Deno.makeTempDirSync({ prefix });
  } catch (cause) {
    throw new NetlabError("harness", `cannot make a temporary folder: ${describeSystemError(cause)}`, {
      hint: `is there room, and a folder that ${Deno.build.os === "windows" ? "TEMP" : "TMPDIR"} names?`,
      cause,
    });
  }
}

/**
 * How long it is tried to take something away, in ms: Windows keeps for a moment what a program has open that has just been
 * killed, and the folder that it was started in.
 */
const REMOVE_MS = 3000;
const RETRY_MS = 50;

/** Takes a file or a folder away, which the program under test may have done by itself. @param remove how */
export async function takeAway(
  path: string,
  remove = (path: string) => Deno.remove(path, { recursive: true }),
): Promise<void> {
  for (const end = performance.now() + REMOVE_MS;;) {
    try {
      return await remove(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (performance.now() > end) throw error;
    }
    await pause(RETRY_MS);
  }
}
