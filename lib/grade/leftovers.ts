// What grading leaves behind when it is interrupted: programs in process groups of their own, which the terminal's Ctrl-C does
// not reach, and folders.

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

/** Takes a folder away, which the program under test may have done by itself. */
export async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
