// SHA-256 of files: computed by whoever asks first, and remembered until the file changes, if it has not just done so.

import { createHash } from "node:crypto";
import type { OpenFile } from "../folder.ts";

const BLOCK_BYTES = 262_144;
/** How many files are remembered. */
const MAX_FILES = 10_000;
/** What was written so lately may be written again without its times changing: their grain is 2 s on some disks, in ms. */
const SETTLED_MS = 2000;

interface Known {
  /** What the file was like: another size, time or inode is another file. */
  readonly mark: string;
  readonly digest: Promise<string>;
  /** Those who are waiting for it. */
  readonly askers: Set<IsWanted>;
}

/** Whether who has asked may still be answered: not while a connection ends. */
type IsWanted = () => boolean;

/** The digests of a folder's files. */
export class Digests {
  readonly #known = new Map<string, Known>();
  readonly #now: () => number;

  /** @param now what time it is, in ms, as files have it */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * In hexadecimal. The file is read to its end and stands at its beginning then; when nobody may be answered any more, that
   * is given up.
   *
   * @throws the system's error when the file cannot be read, and one when it was given up
   */
  async of(open: OpenFile, isWanted: IsWanted): Promise<string> {
    const mark = fullMarkOf(open.info);
    const there = this.#known.get(open.path);
    const { digest, askers } = there?.mark === mark ? there : this.#begin(open, mark);
    askers.add(isWanted);
    try {
      return await digest;
    } finally {
      askers.delete(isWanted);
    }
  }

  #begin({ file, info, path }: OpenFile, mark: string): Known {
    const changedAt = (info.ctime ?? info.mtime)?.getTime() ?? Infinity;
    const isSettled = this.#now() - changedAt > SETTLED_MS;
    const askers = new Set<IsWanted>();
    const known: Known = { mark, digest: compute(file, askers), askers };
    this.#known.set(path, known);
    const forget = () => {
      if (this.#known.get(path) === known) this.#known.delete(path);
    };
    known.digest.then(() => {
      if (!isSettled || fullMarkOf(file.statSync()) !== mark) forget();
    }).catch(forget);
    if (this.#known.size > MAX_FILES) this.#known.delete(this.#known.keys().next().value!);
    return known;
  }
}

/** What tells one state of a file from another. */
export function markOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime()].join(":");
}

/** Times can be set back, but not the last. (Another name for the same file changes it, too: then it is read once more.) */
function fullMarkOf(info: Deno.FileInfo): string {
  return `${markOf(info)}:${info.ctime?.getTime()}`;
}

/** Of the file that was opened: by now its name may be that of another, which is nobody's business. */
async function compute(file: Deno.FsFile, askers: ReadonlySet<IsWanted>): Promise<string> {
  const hash = createHash("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  for (let count; (count = await file.read(block)) !== null;) {
    if (!askers.values().some((isWanted) => isWanted())) throw new Error("nobody wants it any more");
    hash.update(block.subarray(0, count));
  }
  await file.seek(0, Deno.SeekMode.Start);
  return hash.digest("hex");
}
