// A folder whose plain files may be read by strangers, and nothing else: no other folder, nothing behind a link that leads out
// of it, no device.

import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { fileNameProblem } from "./names.ts";

/** Why a file cannot be had, in the numbers that everybody knows from HTTP. */
export type Refusal = 400 | 403 | 404;

/** A file cannot be had. Its message may be shown to whoever asked. */
export class FileRefused extends NetlabError {
  override name = "FileRefused";
  readonly code: Refusal;

  constructor(code: Refusal, message: string) {
    super("reply", message);
    this.code = code;
  }
}

/** A file that is open for reading; `info` is of the file that was opened, whatever has its name by now. */
export interface OpenFile {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
  readonly path: string;
}

/** A name and a size, in bytes. */
export interface Entry {
  readonly name: string;
  readonly size: number;
}

/** What stands between the names of a path, as the system writes it. */
export const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";
/** How often a file in a folder of the folder is looked at. */
const LOOKS = 16;
/** How many files of a list are looked at together: more at once stand in each other's way. */
const LISTED_AT_ONCE = 16;

/** The plain files of one folder. */
export class Folder {
  /** As it was given. */
  readonly dir: string;
  readonly #real: string;
  /** What the paths of its files begin with. */
  readonly #prefix: string;

  /** @throws {NetlabError} of kind `usage` when there is no such folder */
  constructor(dir: string) {
    this.dir = dir;
    let problem = "no such folder";
    try {
      this.#real = Deno.realPathSync(dir);
      this.#prefix = this.#real.endsWith(SEPARATOR) ? this.#real : this.#real + SEPARATOR;
      if (Deno.statSync(this.#real).isDirectory) return;
      problem = "not a folder";
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
        problem = `cannot use that folder (${describeSystemError(error)})`;
      }
    }
    throw new NetlabError("usage", `${problem}: ${dir}`, { hint: "make it, or name another with --dir" });
  }

  /**
   * Opens a file for reading.
   *
   * @throws {FileRefused} 400 for no name at all, 403 for one that no file may have and for what may not be read, 404 for what is
   * not there
   */
  async open(name: string): Promise<OpenFile> {
    const problem = fileNameProblem(name);
    if (problem !== null) throw new FileRefused(name === "" ? 400 : 403, `not a file name: "${name}": ${problem}`);
    const path = await this.#resolve(name);
    // A pipe would wait for a writer: only what is a file is opened at all.
    const before = await lstat(path);
    if (!before?.isFile) {
      throw new FileRefused(before ? 403 : 404, before ? `not a file: ${name}` : `no such file: ${name}`);
    }
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path);
    } catch (error) {
      throw refused(name, error);
    }
    const info = await file.stat();
    if (this.#holds(path, info)) return { file, info, path };
    file.close();
    throw new FileRefused(403, `not a file: ${name}`);
  }

  /** All files, sorted by name; links that lead out, folders and devices are left out. */
  async list(): Promise<Entry[]> {
    // What was put in its place meanwhile is another folder.
    if (await Deno.realPath(this.#real).catch(() => null) !== this.#real) return [];
    const looks: (() => Promise<Entry | null>)[] = [];
    for await (const { name, isFile, isSymlink } of Deno.readDir(this.#real)) {
      if (fileNameProblem(name) !== null) continue;
      if (isFile) looks.push(() => this.#entry(name, this.#prefix + name));
      else if (isSymlink) {
        looks.push(() => this.#resolve(name).then((path) => this.#entry(name, path), () => null));
      }
    }
    const found: Entry[] = [];
    for (let at = 0; at < looks.length; at += LISTED_AT_ONCE) {
      const some = await Promise.all(looks.slice(at, at + LISTED_AT_ONCE).map((look) => look()));
      found.push(...some.filter((entry) => entry !== null));
    }
    return found.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async #entry(name: string, path: string): Promise<Entry | null> {
    const info = await lstat(path);
    const isOurs = info?.isFile && (path === this.#prefix + name || this.#holds(path, info));
    return isOurs ? { name, size: info.size } : null;
  }

  /**
   * Whether what was found is the file at `path`, in this folder: whoever may write here could have put a link in its place,
   * just for the time when it was opened. If it is in a folder of ours, then in the place of that one, and for each time that
   * we look: so we look often.
   */
  #holds(path: string, found: Deno.FileInfo): boolean {
    const looks = path.includes(SEPARATOR, this.#prefix.length) ? LOOKS : 1;
    try {
      for (let look = 0; look < looks; look++) {
        const there = Deno.lstatSync(path);
        if (!there.isFile || there.ino !== found.ino || there.dev !== found.dev) return false;
        if (Deno.realPathSync(path) !== path) return false;
      }
      return true;
    } catch {
      return false; // it is gone by now
    }
  }

  /** Where a name leads. @throws {FileRefused} when that is not in the folder */
  async #resolve(name: string): Promise<string> {
    let real: string;
    try {
      real = await Deno.realPath(`${this.#real}/${name}`);
    } catch (error) {
      throw refused(name, error);
    }
    if (real.startsWith(this.#prefix)) return real;
    throw new FileRefused(403, `it leads out of the folder: ${name}`);
  }
}

function lstat(path: string): Promise<Deno.FileInfo | null> {
  return Deno.lstat(path).catch(() => null);
}

function refused(name: string, error: unknown): FileRefused {
  if (error instanceof Deno.errors.NotFound) return new FileRefused(404, `no such file: ${name}`);
  return new FileRefused(403, `it may not be read: ${name}`);
}
