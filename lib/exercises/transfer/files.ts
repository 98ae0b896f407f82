// Files at both ends: what is read in blocks, and what is written under another name until it is complete.

import { createHash, type Hash } from "node:crypto";
import { NetlabError } from "../../protocol/errors.ts";
import { utf8Length } from "../../protocol/text.ts";
import { describeSystemError } from "../../net/errors.ts";
import { MAX_FILE_NAME } from "../names.ts";
import { isAt, openAlone, removeQuietly, rename, sizeOf } from "../own_file.ts";
import { standardInput } from "../standard_input.ts";
import { PART } from "./protocol.ts";

/** How much is read, written and digested at once, in bytes. */
const BLOCK_BYTES = 262_144;

/** A file, or anything else that ends, to be read from its beginning. */
export interface Source {
  /** Where it was opened. */
  readonly path: string;
  /** What it is called at the receiver. */
  readonly name: string;
  /** In bytes; null when it shows only at the end. */
  readonly size: number | null;
  /** The next block; null at the end. @throws {NetlabError} of kind `harness` when it cannot be read, or was changed */
  read(): Promise<Uint8Array | null>;
  /** Closes it, behind the read of a file that is under way; one of a pipe or a terminal might never end. */
  close(): Promise<void>;
}

/** @throws {NetlabError} of kind `harness` when it cannot be read */
export async function openSource(path: string, name: string): Promise<Source> {
  if (path === "-") return sourceOf(standardInput(), name);
  const failure = (cause: unknown) =>
    new NetlabError("harness", `cannot read ${path}: ${describeSystemError(cause)}`, { cause });
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
  let reading: Promise<number | null> = Promise.resolve(null);
  return {
    path,
    name,
    size: info.isFile ? info.size : null,
    async read() {
      const block = new Uint8Array(BLOCK_BYTES);
      let count: number | null;
      let now: Deno.FileInfo;
      try {
        count = await (reading = file.read(block));
        if (count !== null) return block.subarray(0, count);
        now = await file.stat();
      } catch (error) {
        throw failure(error);
      }
      // What is in it may be of before and of behind, of one size, and its digest would be right all the same.
      if (info.isFile && (now.size !== info.size || now.mtime?.getTime() !== info.mtime?.getTime())) {
        throw changed(name);
      }
      return null;
    },
    async close() {
      if (info.isFile) await reading.catch(() => {});
      file.close();
    },
  };
}

/** What is said of a file that did not stay what it was. */
export function changed(name: string): NetlabError {
  return new NetlabError("harness", `${name} was changed while it was sent`);
}

function sourceOf(stream: ReadableStream<Uint8Array>, name: string): Source {
  const reader = stream.getReader();
  return {
    path: "-",
    name,
    size: null,
    read: async () => (await reader.read()).value ?? null,
    close() {
      void reader.cancel().catch(() => {});
      return Promise.resolve();
    },
  };
}

/**
 * A file that is being received: `name.part` in a folder, until it is complete. Where an interrupted transfer has left one that
 * is not gone on with, it stays until there is more of the new one, which is written beside it: whoever only begins destroys
 * nothing. Whoever has `name.part` open has the name, and no other program receives it meanwhile.
 */
export class PartFile {
  readonly #target: string;
  readonly #part: string;
  readonly #beside: string;
  readonly #file: Deno.FsFile;
  /** The earlier one, which is kept from others. */
  readonly #kept: Deno.FsFile | null;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  /** Where it is now: `#part` or `#beside`. */
  #path: string;
  /** What the earlier one has, in bytes, and what has been written of this one. */
  readonly #earlier: number;
  #written = 0;
  /** Where what was there before is cut off, as soon as something follows. */
  #cutAt: number | null;
  /** Where in the file the block begins, and how much of it is filled. */
  #blockAt: number;
  #filled = 0;
  /** Of everything up to the block, as long as nothing was written out of order. */
  #hash: Hash | null;
  #closed = false;

  private constructor(dir: string, name: string, file: Deno.FsFile, hash: Hash, from: number, kept?: Deno.FsFile) {
    this.#target = `${dir}/${name}`;
    [this.#part, this.#beside] = pathsOf(dir, name);
    this.#path = kept ? this.#beside : this.#part;
    this.#file = file;
    this.#kept = kept ?? null;
    this.#hash = hash;
    this.#earlier = sizeOf(this.#part);
    this.#cutAt = this.#blockAt = from;
  }

  /** Begins a file anew. */
  static create(dir: string, name: string): PartFile {
    const [part, beside] = pathsOf(dir, name);
    const file = claim(part);
    if (sizeOf(part) === 0 || beside === part) return new PartFile(dir, name, file, createHash("sha256"), 0);
    try {
      return new PartFile(dir, name, claim(beside), createHash("sha256"), 0, file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Goes on with what is there, in whole chunks; `digest` is of these, and null when there is none. */
  static async resume(
    dir: string,
    name: string,
    chunk: number,
  ): Promise<{ part: PartFile; next: number; digest: Uint8Array | null }> {
    const [path] = pathsOf(dir, name);
    const file = claim(path);
    try {
      const next = Math.floor((await file.stat()).size / chunk);
      const hash = createHash("sha256");
      const block = new Uint8Array(BLOCK_BYTES);
      for (let left = next * chunk, count; left > 0 && (count = await file.read(block)) !== null; left -= count) {
        hash.update(block.subarray(0, Math.min(count, left)));
      }
      const digest = next === 0 ? null : new Uint8Array(hash.copy().digest());
      return { part: new PartFile(dir, name, file, hash, next * chunk), next, digest };
    } catch (error) {
      file.close();
      throw error;
    }
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
    this.#cut();
    this.#hash?.update(block);
    this.#file.seekSync(this.#blockAt, Deno.SeekMode.Start);
    for (let left = block; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    this.#blockAt += this.#filled;
    this.#written += this.#filled;
    this.#filled = 0;
    if (this.#path === this.#part || this.#written < this.#earlier) return;
    Deno.renameSync(this.#path, this.#part);
    this.#path = this.#part;
  }

  #cut(): void {
    if (this.#cutAt === null) return;
    // Not where nothing is to be cut off: of a file that was ever cut, ext4 writes everything to the disk when it is closed.
    if (this.#file.statSync().size > this.#cutAt) this.#file.truncateSync(this.#cutAt);
    this.#cutAt = null;
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
   * @throws {Error} the system's own errors, and one where somebody has put another file in its place
   */
  complete(overwrite: boolean): boolean {
    this.#cut();
    this.flush();
    if (!isAt(this.#file, this.#path)) throw new Error("somebody has removed it, or put another in its place");
    if (!rename(this.#path, this.#target, overwrite)) return false;
    for (const path of [this.#part, this.#beside]) removeQuietly(path);
    this.#close();
    return true;
  }

  /**
   * Ends it, complete or not. What has come stays, to be gone on with, unless the earlier one has more; what never began
   * leaves nothing. What could not be written is lost.
   */
  leave(): void {
    if (this.#closed) return;
    try {
      this.flush();
    } catch { /* no room for the rest: what is there stays */ }
    const isOurs = isAt(this.#file, this.#path);
    if (isOurs && (this.#path !== this.#part || sizeOf(this.#path) === 0)) removeQuietly(this.#path);
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#file.close();
    this.#kept?.close();
  }
}

/** @throws {Error} besides those of `openOwn` one where another has it */
function claim(path: string): Deno.FsFile {
  const file = openAlone(path);
  if (file !== null) return file;
  throw new Error("another program is receiving a file of that name");
}

/**
 * Where a file of that name is written, and where else: since no name ends with a dot, that is no other file's. For a name
 * that leaves no room for the dot there is but one place.
 */
function pathsOf(dir: string, name: string): [part: string, beside: string] {
  const beside = `${name}.${PART}`;
  const part = `${dir}/${name}${PART}`;
  return [part, utf8Length(beside) > MAX_FILE_NAME ? part : `${dir}/${beside}`];
}
