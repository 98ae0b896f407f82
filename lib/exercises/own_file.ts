// Files that are written where others may put something in their place: nothing is written through a link.

/**
 * Opens a plain file to read and write, and makes it where there is none. What is in it stays.
 *
 * @throws {Error} the system's own errors, and one for what is no plain file, or one of other names besides
 */
export function openOwn(path: string): Deno.FsFile {
  for (let attempt = 0;; attempt++) {
    try {
      // Unlike `create`, this fails at a link, wherever that leads.
      return Deno.openSync(path, { read: true, write: true, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    try {
      return reopen(path);
    } catch (error) {
      // Whoever had it has finished it meanwhile.
      if (!(error instanceof Deno.errors.NotFound) || attempt === 2) throw error;
    }
  }
}

function reopen(path: string): Deno.FsFile {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const there = Deno.lstatSync(path);
  if (!there.isFile && !there.isSymlink) throw new Error(`${name} is no file`);
  if (there.isSymlink || (there.nlink ?? 1) > 1) throw new Error(`${name} is a link`);
  const file = Deno.openSync(path, { read: true, write: true });
  const opened = file.statSync();
  if (opened.ino === there.ino && opened.dev === there.dev) return file;
  file.close();
  throw new Error(`${name} was replaced while it was opened`);
}

/**
 * As `openOwn`, for us alone until it is closed: what one program writes another could begin anew. Whoever has it gives it its name,
 * or removes it, before he closes it.
 *
 * @returns null when another has it
 */
export function openAlone(path: string): Deno.FsFile | null {
  for (let attempt = 0; attempt < 3; attempt++) {
    const file = openOwn(path);
    const isOurs = lock(file);
    // Whoever was done with it a moment ago has given it its name.
    if (isOurs && isAt(file, path)) return file;
    file.close();
    if (!isOurs) break;
  }
  return null;
}

/** Locks a file, unless another has done so. Denos before 2.7 cannot, nor can all disks: there nobody is kept out. */
function lock(file: Deno.FsFile): boolean {
  try {
    return (file as { tryLockSync?(exclusive: boolean): boolean }).tryLockSync?.(true) ?? true;
  } catch {
    return true;
  }
}

/** Whether the open file is the one at `path`. */
export function isAt(file: Deno.FsFile, path: string): boolean {
  try {
    const [{ ino, dev }, there] = [file.statSync(), Deno.lstatSync(path)];
    return ino === there.ino && dev === there.dev;
  } catch {
    return false;
  }
}

/**
 * Gives a file another name.
 *
 * @returns false when there is something of that name, and it is not to be replaced
 */
export function rename(from: string, to: string, overwrite: boolean): boolean {
  if (!overwrite && link(from, to)) {
    removeQuietly(from);
    return true;
  }
  if (!overwrite && exists(to)) return false;
  Deno.renameSync(from, to);
  return true;
}

/** Unlike a rename, a link never takes the place of what has come meanwhile; but there are file systems without links. */
function link(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Whether there is anything of that name: a link that leads nowhere, too. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a file is of that name, or behind a link that is: no folder, device or pipe. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether a pipe is of that name, which to open may take for ever. */
export function isPipe(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    return false;
  }
}

/** Bytes of a plain file; 0 where there is none. */
export function sizeOf(path: string): number {
  try {
    const { isFile, size } = Deno.lstatSync(path);
    return isFile ? size : 0;
  } catch {
    return 0;
  }
}

/** Removes a file, if it is there and can be. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* then it is not */ }
}
