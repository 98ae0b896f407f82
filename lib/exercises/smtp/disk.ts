// What a Maildir needs of a disk: small, so that a test can put one in its place that is full. What is quick is done at once
// (creating and renaming take microseconds, a thread's help takes longer); what may have to wait for the disk is not.

/** A file that is being written. */
export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>;
  writeNow(bytes: Uint8Array): void;
  /** Resolves when its content is on the disk. */
  sync(): Promise<void>;
  /** May be called twice. */
  close(): void;
}

export interface Disk {
  /** @throws {Deno.errors.AlreadyExists} */
  create(path: string): DiskFile;
  /** Makes a file of that content, at once. @throws {Deno.errors.AlreadyExists} */
  make(path: string, bytes: Uint8Array): void;
  /** Makes a folder, and those above it; one that is there will do. */
  mkdir(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Resolves when the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  syncFolderNow(path: string): void;
}

class SystemFile implements DiskFile {
  readonly #file: Deno.FsFile;
  #open = true;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let left = bytes; left.length > 0;) left = left.subarray(await this.#file.write(left));
  }

  writeNow(bytes: Uint8Array): void {
    for (let left = bytes; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}

const NEW_FILE = { write: true, createNew: true, mode: 0o600 };

/** Windows has no fsync of folders; its file system keeps their order by itself. */
const SYNCS_FOLDERS = Deno.build.os !== "windows";

export const systemDisk: Disk = {
  create: (path) => new SystemFile(Deno.openSync(path, NEW_FILE)),
  make: (path, bytes) => Deno.writeFileSync(path, bytes, NEW_FILE),
  mkdir: (path) => Deno.mkdirSync(path, { recursive: true, mode: 0o700 }),
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),
  async syncFolder(path) {
    if (!SYNCS_FOLDERS) return;
    using folder = Deno.openSync(path);
    await folder.sync();
  },
  syncFolderNow(path) {
    if (!SYNCS_FOLDERS) return;
    using folder = Deno.openSync(path);
    folder.syncSync();
  },
};
