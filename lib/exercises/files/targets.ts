// Where a file goes that is fetched: to the disk, under a name of its own until it is whole, or to standard output.

import { createHash, type Hash } from "node:crypto";
import { NetlabError } from "../../protocol/errors.ts";
import type { Console } from "../exercise.ts";
import { describeSystemError } from "../../net/errors.ts";
import { truncateText, utf8Length } from "../../protocol/text.ts";
import { fileNameProblem, MAX_FILE_NAME } from "../names.ts";
import { exists, isAt, isFile, openAlone, removeQuietly, rename } from "../own_file.ts";

/** Where a file goes. */
export interface Target extends Disposable {
  readonly path: string;
  /** Bytes that are there. */
  readonly size: number;
  /** Of what has come, in hexadecimal. */
  readonly digest: string;
  /**
   * Whether the file is there already, whole.
   *
   * @param digest what its digest has to be: asked for only where there is a file that is not to be replaced
   * @throws {NetlabError} of kind `usage` for another file that has to stay
   */
  isThere(digest: () => string | Promise<string>): Promise<boolean>;
  /** Told what the digest has to be. */
  expect(digest: string): void;
  write(bytes: Uint8Array): void | Promise<void>;
  isRight(): boolean;
  /** Drops what is there, which is not what it should be: what comes next, now or another time, begins anew. */
  restart(): void;
  /** Gives it its name. @throws {NetlabError} of kind `usage` for another file that has come meanwhile and has to stay */
  complete(): void;
}

/** What the name of a file ends with that is not whole: no other file's does. */
const PARTIAL = ".netlab-part";

/**
 * What a file is called until it is whole: `NAME.netlab-part`. A name that leaves no room for that is cut, and a digest tells
 * it from others that begin like it.
 */
function partName(name: string): string {
  if (utf8Length(name + PARTIAL) <= MAX_FILE_NAME) return name + PARTIAL;
  const rest = `~${createHash("sha256").update(name).digest("hex").slice(0, 16)}${PARTIAL}`;
  return truncateText(name, MAX_FILE_NAME - rest.length) + rest;
}

/** A file on the disk: `NAME.netlab-part` until it is whole. */
export class PartialFile implements Target {
  readonly path: string;
  readonly #part: string;
  readonly #overwrite: boolean;
  readonly #file: Deno.FsFile;
  #hash: Hash = createHash("sha256");
  #size = 0;
  #expected = "";

  constructor(dir: string, name: string, overwrite: boolean) {
    const problem = name.endsWith(PARTIAL) ? `it ends with ${PARTIAL}` : fileNameProblem(name);
    if (problem !== null) throw new NetlabError("usage", `cannot keep a file of that name here: ${problem}`);
    this.path = `${dir}/${name}`;
    this.#part = `${dir}/${partName(name)}`;
    this.#overwrite = overwrite;
    this.#file = this.#try(() => this.#open());
    this.#size = hashRest(this.#file, this.#hash);
  }

  get size(): number {
    return this.#size;
  }

  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  #open(): Deno.FsFile {
    const file = openAlone(this.#part);
    if (file !== null) return file;
    throw new NetlabError("harness", `${this.path} is just being fetched by another program`, {
      hint: "wait until it is there, or name another folder with --out",
    });
  }

  async isThere(digest: () => string | Promise<string>): Promise<boolean> {
    if (this.#overwrite || !exists(this.path)) return false;
    if (isFile(this.path) && await digest() === this.#try(() => digestOf(this.path), "read")) return true;
    throw this.#isOther();
  }

  expect(digest: string): void {
    this.#expected = digest;
  }

  write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let left = bytes; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    });
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  isRight(): boolean {
    return this.digest === this.#expected;
  }

  restart(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#hash = createHash("sha256");
    this.#size = 0;
  }

  complete(): void {
    if (exists(this.#part) && !isAt(this.#file, this.#part)) {
      const text = `cannot write ${this.path}: somebody has put another file in the place of ${this.#part}`;
      throw new NetlabError("harness", text, { hint: "get it again" });
    }
    if (!this.#try(() => rename(this.#part, this.path, this.#overwrite))) throw this.#isOther();
  }

  [Symbol.dispose](): void {
    const isOurs = isAt(this.#file, this.#part);
    this.#file.close();
    // What was interrupted is gone on with next time; what never began leaves nothing.
    if (this.#size === 0 && isOurs) removeQuietly(this.#part);
  }

  #isOther(): NetlabError {
    if (isFolder(this.path)) return new NetlabError("harness", `cannot write ${this.path}: it is a folder`);
    const text = `${this.path} is ${isFile(this.path) ? "another file" : "there, and no file"}`;
    return new NetlabError("usage", text, { hint: "--overwrite replaces it" });
  }

  #try<T>(work: () => T, what: "read" | "write" = "write"): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof NetlabError) throw cause;
      const hint = "name another folder with --out";
      throw new NetlabError("harness", `cannot ${what} ${this.path}: ${describeSystemError(cause)}`, { hint, cause });
    }
  }
}

/** Standard output: nothing of the file is there, so that nothing is resumed or begun anew, and nothing is taken back. */
export class StandardOutput implements Target {
  readonly path = "-";
  readonly size = 0;
  readonly #hash = createHash("sha256");
  readonly #console: Console;
  #expected = "";

  constructor(console: Console) {
    this.#console = console;
  }

  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  isThere(): Promise<boolean> {
    return Promise.resolve(false);
  }

  expect(digest: string): void {
    this.#expected = digest;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#console.write?.(bytes);
  }

  isRight(): boolean {
    return this.digest === this.#expected;
  }

  restart(): void {}
  complete(): void {}
  [Symbol.dispose](): void {}
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

function digestOf(path: string): string {
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  hashRest(file, hash);
  return hash.digest("hex");
}

/** Reads a file from where it stands to its end. @returns how many bytes that were */
function hashRest(file: Deno.FsFile, hash: Hash): number {
  const block = new Uint8Array(262_144);
  let bytes = 0;
  for (let count; (count = file.readSync(block)) !== null; bytes += count) hash.update(block.subarray(0, count));
  return bytes;
}
