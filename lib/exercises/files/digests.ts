// SHA-256 of files: computed once, by whoever asks first, and remembered until the file changes.

import { createHash } from "node:crypto";
import type { OpenFile } from "../folder.ts";

const BLOCK_BYTES = 262_144;
/** How many files are remembered. */
const MAX_FILES = 10_000;

interface Known {
  /** What the file was like: another size, time or inode is another file. */
  readonly mark: string;
  readonly digest: Promise<string>;
}

/** The digests of a folder's files. */
export class Digests {
  readonly #known = new Map<string, Known>();

  /** In hexadecimal. @throws the system's error when the file cannot be read */
  of(open: OpenFile): Promise<string> {
    // Times can be set back, but not this one. (Another name for the same file changes it, too: then it is read once more.)
    const mark = `${markOf(open.info)}:${open.info.ctime?.getTime()}`;
    const known = this.#known.get(open.path);
    if (known?.mark === mark) return known.digest;
    const digest = compute(open.path);
    this.#known.set(open.path, { mark, digest });
    digest.catch(() => this.#known.delete(open.path));
    if (this.#known.size > MAX_FILES) this.#known.delete(this.#known.keys().next().value!);
    return digest;
  }
}

/** What tells one state of a file from another. */
export function markOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime()].join(":");
}

/** With a file of its own: several may be reading the one that was opened. */
async function compute(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  for (let count; (count = await file.read(block)) !== null;) hash.update(block.subarray(0, count));
  return hash.digest("hex");
}
