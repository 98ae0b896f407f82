// Files at both ends: what is read in blocks, and what is written under another name until it is complete.

import { createHash, type Hash } from "node:crypto";
import { NetlabError } from "../../protocol/errors.ts";
import { describeFileError } from "../folder.ts";
import { PART } from "./protocol.ts";

/** How much is read, written and digested at once, in bytes. */
export const BLOCK_BYTES = 262_144;

/** A file, or anything else that ends, to be read from its beginning. */
export interface Source {
  /** Where it was opened. */
  readonly path: string;
  /** What it is called at the receiver. */
  readonly name: string;
  /** In bytes; null when it shows only at the end. */
  readonly size: number | null;
  /** The next block; null at the end. */
  read(): Promise<Uint8Array | null>;
  close(): void;
}

/** @throws {NetlabError} of kind `harness` when it cannot be read */
export async function openSource(path: string, name: string): Promise<Source> {
  if (path === "-") return sourceOf(Deno.stdin.readable, name);
  const failure = (cause: unknown) =>
    new NetlabError("harness", `cannot read ${path}: ${describeFileError(cause)}`, { cause });
  let file: Deno.FsFile;
  let info: Deno.FileInfo;
  try {
    file = await Deno.open(path);
    info = await file.stat();
  } catch (error) {
    throw failure(error);
  }
  if (info.isDirectory) {
    file.close();
    throw new NetlabError("harness", `cannot read ${path}: it is a folder`);
  }
  return {
    path,
    name,
    size: info.isFile ? info.size : null,
    async read() {
      const block = new Uint8Array(BLOCK_BYTES);
      try {
        const count = await file.read(block);
        return count === null ? null : block.subarray(0, count);
      } catch (error) {
        throw failure(error);
      }
    },
    close: () => file.close(),
  };
}

function sourceOf(stream: ReadableStream<Uint8Array>, name: string): Source {
  const reader = stream.getReader();
  return {
    path: "-",
    name,
    size: null,
    read: async () => (await reader.read()).value ?? null,
    close: () => void reader.cancel().catch(() => {}),
  };
}

/** A file that is being received: `name.part` in a folder, until it is complete. */
export class PartFile {
  readonly path: string;
  readonly #target: string;
  readonly #file: Deno.FsFile;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  /** Where in the file the block begins, and how much of it is filled. */
  #blockAt: number;
  #filled = 0;
  /** Of everything up to the block, as long as nothing was written out of order. */
  #hash: Hash | null;
  #closed = false;

  private constructor(dir: string, name: string, file: Deno.FsFile, hash: Hash, blockAt: number) {
    this.path = `${dir}/${name}${PART}`;
    this.#target = `${dir}/${name}`;
    this.#file = file;
    this.#hash = hash;
    this.#blockAt = blockAt;
  }

  /** Begins a file anew. */
  static create(dir: string, name: string): PartFile {
    const path = `${dir}/${name}${PART}`;
    const file = Deno.openSync(path, { read: true, write: true, create: true, truncate: true });
    return new PartFile(dir, name, file, createHash("sha256"), 0);
  }

  /** Goes on with what is there, in whole chunks; `digest` is of these, and null when there is none. */
  static async resume(
    dir: string,
    name: string,
    chunk: number,
  ): Promise<{ part: PartFile; next: number; digest: Uint8Array | null }> {
    const path = `${dir}/${name}${PART}`;
    const file = await Deno.open(path, { read: true, write: true, create: true });
    const next = Math.floor((await file.stat()).size / chunk);
    const hash = createHash("sha256");
    const block = new Uint8Array(BLOCK_BYTES);
    let left = next * chunk;
    await file.truncate(left);
    for (let count; left > 0 && (count = await file.read(block)) !== null; left -= count) {
      hash.update(block.subarray(0, count));
    }
    const digest = next === 0 ? null : new Uint8Array(hash.copy().digest());
    return { part: new PartFile(dir, name, file, hash, next * chunk), next, digest };
  }

  /** Bytes up to the last one that was written. */
  get length(): number {
    return this.#blockAt + this.#filled;
  }

  /** Writes bytes at their place. The system's own errors are thrown: no room, no such disk. */
  write(at: number, bytes: Uint8Array): void {
    if (at !== this.#blockAt + this.#filled || this.#filled + bytes.length > this.#block.length) {
      this.flush();
      if (at !== this.#blockAt) this.#hash = null;
      this.#blockAt = at;
    }
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Hands everything to the system. */
  flush(): void {
    if (this.#filled === 0) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#hash?.update(block);
    this.#file.seekSync(this.#blockAt, Deno.SeekMode.Start);
    for (let left = block; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    this.#blockAt += this.#filled;
    this.#filled = 0;
  }

  /** The SHA-256 of the whole, if all of it was written in order; else null, and it has to be read again. */
  digest(): Uint8Array | null {
    this.flush();
    return this.#hash && new Uint8Array(this.#hash.digest());
  }

  /** The SHA-256 of the whole, read from the disk. */
  async readDigest(): Promise<Uint8Array> {
    const hash = createHash("sha256");
    const block = new Uint8Array(BLOCK_BYTES);
    await this.#file.seek(0, Deno.SeekMode.Start);
    for (let count; (count = await this.#file.read(block)) !== null;) hash.update(block.subarray(0, count));
    return new Uint8Array(hash.digest());
  }

  /**
   * Gives the file its name.
   *
   * @returns false when there is one of that name and it is not to be overwritten
   */
  complete(overwrite: boolean): boolean {
    this.close();
    if (overwrite) {
      Deno.renameSync(this.path, this.#target);
      return true;
    }
    try {
      // Unlike a rename, a link never takes the place of a file that has come meanwhile.
      Deno.linkSync(this.path, this.#target);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists || exists(this.#target)) return false;
      Deno.renameSync(this.path, this.#target); // there are file systems without links
      return true;
    }
    Deno.removeSync(this.path);
    return true;
  }

  /** Keeps what has come; what could not be written is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.flush();
    } finally {
      this.#file.close();
    }
  }

  /** Leaves nothing behind. */
  discard(): void {
    if (this.#closed) return;
    this.#filled = 0;
    this.close();
    Deno.removeSync(this.path);
  }
}

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
