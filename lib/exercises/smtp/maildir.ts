// Maildir (https://cr.yp.to/proto/maildir.html): each message a file, written in `tmp`, and in `new` only when it is whole and on
// the disk. So nobody ever sees half a message, and what was promised survives a crash. How a message gets there is in
// new_mail.ts.
//
// What a killed server leaves in `tmp` harms nobody: names never come again, and readers clean up what is older than 36 hours.

import { createHash, randomBytes } from "node:crypto";
import { encodeText, truncateText, utf8Length } from "../../protocol/text.ts";
import { isDevice } from "../names.ts";
import type { Mailbox } from "./address.ts";
import { type Disk, type DiskFile, systemDisk } from "./disk.ts";
import { NewMail, SpareBuffers } from "./new_mail.ts";

/** What a folder may be called as it is: all that most mailboxes are. */
const PLAIN = /^(?!\.)[a-z0-9@_.+=-]{1,200}(?<!\.)$/;

/**
 * The folder of a mailbox: `local@domain`, with everything written out that a file system could misread. Two mailboxes never
 * share one, unless they differ only in case, or in how their characters are composed (Unicode NFC).
 */
export function folderOf({ local, domain }: Pick<Mailbox, "local" | "domain">): string {
  const lower = `${local}${domain === "" ? "" : `@${domain}`}`.toLowerCase();
  if (PLAIN.test(lower) && !isDevice(lower)) return lower;
  const name = lower.normalize("NFC");
  const plain = name.replace(/[^\p{L}\p{N}\p{M}@_.+=-]|^\.|\.$/gu, writtenOut);
  const safe = isDevice(plain) ? plain.replace(/^./, writtenOut) : plain;
  if (utf8Length(safe) <= 200) return safe;
  // 64 bytes before the @ and 255 behind it may be more than a file system takes.
  return `${truncateText(safe, 150)}%${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

const writtenOut = (character: string): string =>
  Array.from(encodeText(character), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

/** Options of a Maildir. */
export interface MaildirOptions {
  /** False promises nothing about a loss of power; a crash of the program alone still loses nothing. @default {true} */
  readonly fsync?: boolean;
  /** @default {systemDisk} */
  readonly disk?: Disk;
}

/** The mailboxes under one folder. */
export class Maildir {
  readonly root: string;
  readonly fsync: boolean;
  readonly disk: Disk;
  /** Bytes of all messages that are in memory. */
  held = 0;
  readonly buffers = new SpareBuffers();
  readonly #folders = new Set<string>();
  readonly #syncs = new Map<string, FolderSync>();
  /** Makes the names of this process's messages unlike those of one before it with the same number. */
  readonly #process = `P${Deno.pid}R${randomBytes(6).toString("hex")}`;
  #count = 0;

  constructor(root: string, { fsync = true, disk = systemDisk }: MaildirOptions = {}) {
    this.root = root;
    this.fsync = fsync;
    this.disk = disk;
  }

  /**
   * Begins a message.
   *
   * @param folders where it goes: names from `folderOf`; each gets one copy
   * @param head what stands before it in that folder, given the message's name
   * @param sizeHint what the sender says of its size, in bytes
   */
  begin(folders: readonly string[], head: (folder: string, id: string) => Uint8Array, sizeHint = 0): NewMail {
    return new NewMail(this, this.#uniqueName(), [...new Set(folders)], head, sizeHint);
  }

  /** Time, process and count, host: as Maildir wants it. */
  #uniqueName(): string {
    const now = performance.timeOrigin + performance.now();
    const micros = Math.floor(now % 1000 * 1000);
    return `${Math.floor(now / 1000)}.M${micros}${this.#process}Q${++this.#count}.netlab`;
  }

  /** Opens a new file in `tmp` of a mailbox. */
  open(folder: string, id: string): DiskFile {
    return this.#inFolder(folder, () => this.disk.create(this.#path(folder, "tmp", id)));
  }

  /** Makes a file there. */
  write(folder: string, id: string, bytes: Uint8Array): void {
    this.#inFolder(folder, () => this.disk.make(this.#path(folder, "tmp", id), bytes));
  }

  /** Puts what is in `tmp` under this name into `new`. */
  publish(folder: string, id: string): void {
    this.#inFolder(folder, () => this.disk.rename(this.#path(folder, "tmp", id), this.#path(folder, "new", id)));
  }

  #path(folder: string, part: "tmp" | "new", id: string): string {
    return `${this.root}/${folder}/${part}/${id}`;
  }

  /** Does something in a mailbox, which is made if it is not there. */
  #inFolder<T>(folder: string, work: () => T): T {
    if (!this.#folders.has(folder)) this.#makeFolder(folder);
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#makeFolder(folder); // somebody has taken it away, or a part of it
      return work();
    }
  }

  #makeFolder(folder: string): void {
    const { disk, root } = this;
    for (const part of ["tmp", "new", "cur"]) disk.mkdir(`${root}/${folder}/${part}`);
    // It has to outlast a crash, too: its name stands in the folder above.
    if (this.fsync) [`${root}/${folder}`, root].forEach((path) => disk.syncFolderNow(path));
    this.#folders.add(folder);
  }

  /** Resolves when all that has been published in a folder so far is on the disk. */
  async settle(folder: string): Promise<void> {
    if (!this.fsync) return;
    let sync = this.#syncs.get(folder);
    if (!sync) this.#syncs.set(folder, sync = new FolderSync(() => this.disk.syncFolder(`${this.root}/${folder}/new`)));
    await sync.sync();
    if (sync.idle) this.#syncs.delete(folder);
  }

  /** Takes a message out of `tmp` or `new`, as far as it is there. */
  remove(folder: string, part: "tmp" | "new", id: string): void {
    try {
      this.disk.remove(this.#path(folder, part, id));
    } catch { /* it is not */ }
  }
}

/** One fsync of a folder for all who wait for one: who comes while it runs waits for the next, since it may be too early. */
class FolderSync {
  readonly #run: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(run: () => Promise<void>) {
    this.#run = run;
  }

  get idle(): boolean {
    return this.#running === null && this.#next === null;
  }

  sync(): Promise<void> {
    if (this.#running === null) return this.#start();
    return this.#next ??= this.#running.catch(() => {}).then(() => {
      this.#next = null;
      return this.#start();
    });
  }

  #start(): Promise<void> {
    return this.#running = this.#run().finally(() => this.#running = null);
  }
}
