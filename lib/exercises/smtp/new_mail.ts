// A message on its way into a Maildir:
//
//     bytes ─► memory ─► (when it is much: first file in tmp) ─► a file a recipient in tmp, fsync ─► rename to new ─► fsync of new
//
// As in every mail system of Unix, a line of the wire ends in LF here: programs that read Maildirs show a CR as one. A bare CR or
// LF stays what it was.

import { describeSystemError } from "../../net/errors.ts";
import type { DiskFile } from "./disk.ts";
import type { Maildir } from "./maildir.ts";

/** What a message may hold in memory, in bytes, and all messages together; what is more goes to the disk while it comes. */
const KEEP_BYTES = 262_144;
const KEEP_ALL_BYTES = 67_108_864;
/** The same for one message while there is no more. */
const KEEP_LITTLE = 16_384;
const FIRST_BYTES = 8192;
const COPY_BYTES = 262_144;
/** So many files of one message are open at once: a system allows a program only so many. */
const AT_ONCE = 16;
/** In front of a message in memory: its head goes there, so that both are one write. */
const HEAD_ROOM = 2048;
const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const ONE_CR = Uint8Array.of(CR);
/** What buffers of messages that are done may hold for those to come, in bytes, all together. */
const SPARE_BYTES = 4_194_304;

/** Why a message cannot be kept: there is no room, or something else is wrong with the disk. */
export class MaildirError extends Error {
  override name = "MaildirError";
  readonly full: boolean;

  constructor(cause: unknown) {
    const message = describeSystemError(cause);
    super(message, { cause });
    // Windows says it in the language of its user.
    this.full = (cause as { code?: string }).code === "ENOSPC" || /no space|quota|file too large/i.test(message);
  }

  static of(error: unknown): MaildirError {
    return error instanceof MaildirError ? error : new MaildirError(error);
  }
}

/** Buffers to be used again: to make one, filled with zeros, costs more than to fill it. */
export class SpareBuffers {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  /** One of that size at least, or a smaller one that may grow, if there is one. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare.pop();
    if (spare === undefined) return new Uint8Array(bytes);
    this.#bytes -= spare.length;
    return spare;
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#bytes + buffer.length > SPARE_BYTES) return;
    this.#spare.push(buffer);
    this.#bytes += buffer.length;
  }
}

/** A message that is coming in. */
export class NewMail {
  /** Its name in every mailbox. */
  readonly id: string;
  readonly folders: readonly string[];
  readonly #maildir: Maildir;
  readonly #head: (folder: string, id: string) => Uint8Array;
  /** Made when the first bytes come. What is in it stands behind the room for a head. */
  #buffer: Uint8Array<ArrayBuffer> | null = null;
  readonly #firstBytes: number;
  #filled = 0;
  #bytes = 0;
  /** Whether its first byte is a space or a tab. */
  #beginsBlank = false;
  /** The first copy, when the message is too large for memory. */
  #first: DiskFile | null = null;
  /** What went wrong on the way: said when it is to be delivered. */
  #problem: MaildirError | null = null;
  /** While the disk is being written to, nothing may be taken away. */
  #busy = false;
  #discarded = false;
  #delivered = false;

  constructor(
    maildir: Maildir,
    id: string,
    folders: readonly string[],
    head: (folder: string, id: string) => Uint8Array,
    sizeHint: number,
  ) {
    this.#maildir = maildir;
    this.id = id;
    this.folders = folders;
    this.#head = head;
    this.#firstBytes = HEAD_ROOM + Math.min(KEEP_BYTES, Math.max(FIRST_BYTES, sizeHint + 1024));
  }

  /** How many bytes have come, as on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `relieve` should be called, and waited for, before there is more. */
  get heavy(): boolean {
    return this.#filled > KEEP_LITTLE &&
      (this.#first !== null || this.#filled > KEEP_BYTES || this.#maildir.held > KEEP_ALL_BYTES);
  }

  /** Takes in a copy of the next bytes. */
  write(bytes: Uint8Array): void {
    if (this.#bytes === 0) this.#beginsBlank = bytes[0] === SPACE || bytes[0] === TAB;
    this.#bytes += bytes.length;
    if (this.#problem === null) this.#add(bytes);
  }

  #add(bytes: Uint8Array): void {
    const end = HEAD_ROOM + this.#filled;
    const buffer = this.#room(end + bytes.length);
    buffer.set(bytes, end);
    const all = buffer.subarray(0, end + bytes.length);
    const filled = withoutCrs(all, this.#endsInCr ? end - 1 : end) - HEAD_ROOM;
    this.#maildir.held += filled - this.#filled;
    this.#filled = filled;
  }

  /** Whether an LF that comes next makes a CRLF. */
  get #endsInCr(): boolean {
    return this.#filled > 0 && this.#buffer![HEAD_ROOM + this.#filled - 1] === CR;
  }

  /** The buffer, with so many bytes at least. */
  #room(bytes: number): Uint8Array<ArrayBuffer> {
    const { buffers } = this.#maildir;
    const buffer = this.#buffer ??= buffers.take(this.#firstBytes);
    if (bytes <= buffer.length) return buffer;
    const grown = new Uint8Array(Math.max(bytes, 2 * buffer.length));
    grown.set(buffer.subarray(0, HEAD_ROOM + this.#filled));
    buffers.give(buffer);
    return this.#buffer = grown;
  }

  /** What is in memory. */
  get #content(): Uint8Array {
    return this.#room(HEAD_ROOM).subarray(HEAD_ROOM, HEAD_ROOM + this.#filled);
  }

  /** What stands before it: with an empty line, where its first line would go on with the last one (RFC 5322 2.2.3). */
  #headOf(folder: string): Uint8Array {
    const head = this.#head(folder, this.id);
    return this.#beginsBlank ? Uint8Array.of(...head, LF) : head;
  }

  /** What is in memory, behind its head. Valid until the next call. */
  #whole(folder: string): Uint8Array {
    const head = this.#headOf(folder);
    const into = head.length > HEAD_ROOM ? new Uint8Array(head.length + this.#filled) : this.#room(HEAD_ROOM);
    const start = Math.max(0, HEAD_ROOM - head.length);
    if (head.length > HEAD_ROOM) into.set(this.#content, head.length);
    into.set(head, start);
    return into.subarray(start, start + head.length + this.#filled);
  }

  /** Writes to the disk what is in memory. What goes wrong is said by `deliver`. */
  async relieve(): Promise<void> {
    await this.#work(async () => {
      const held = this.#endsInCr ? 1 : 0;
      try {
        if (this.#first === null) {
          this.#first = this.#maildir.open(this.folders[0], this.id);
          await this.#first.write(this.#headOf(this.folders[0]));
        }
        await this.#first.write(this.#content.subarray(0, this.#filled - held));
      } catch (error) {
        this.#problem = MaildirError.of(error);
        this.#drop();
      }
      this.#release();
      if (held > 0 && this.#problem === null) this.#add(ONE_CR);
    });
  }

  /**
   * Puts the message into every mailbox, or into none.
   *
   * @throws {MaildirError}
   */
  async deliver(): Promise<void> {
    if (this.deliverNow()) return;
    await this.#work(async () => {
      try {
        if (this.#problem !== null) throw this.#problem;
        await this.#writeAll();
        this.#publishAll();
        await this.#settleAll();
      } catch (error) {
        throw MaildirError.of(error);
      } finally {
        this.#drop();
        this.#release();
      }
    });
  }

  /**
   * The same at once, if nothing has to be waited for: what is in memory is written without fsync in less time than it takes
   * to have another thread do it.
   *
   * @returns false when something has to be, and nothing has been done
   * @throws {MaildirError}
   */
  deliverNow(): boolean {
    if (this.#maildir.fsync || this.#first !== null || this.#problem !== null) return false;
    try {
      for (const folder of this.folders) this.#maildir.write(folder, this.id, this.#whole(folder));
      this.#publishAll();
      this.#delivered = true;
    } catch (error) {
      throw MaildirError.of(error);
    } finally {
      this.#drop();
      this.#release();
    }
    return true;
  }

  /** Leaves nothing behind; not what has been delivered, though. */
  discard(): void {
    this.#discarded = true;
    if (this.#busy) return; // at its end
    this.#drop();
    this.#release();
  }

  async #work(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
      if (this.#discarded) this.discard();
    }
  }

  /** Makes a whole file of it in each `tmp`, on the disk. */
  async #writeAll(): Promise<void> {
    const [first, ...others] = this.folders;
    if (this.#first === null) {
      return await this.#inEach((folder) => this.#writeSafely(folder));
    }
    await this.#first.write(this.#content);
    if (this.#maildir.fsync) await this.#first.sync();
    this.#first.close();
    const from = this.#headOf(first).length;
    for (const folder of others) await this.#copy(`${this.#maildir.root}/${first}/tmp/${this.id}`, from, folder);
  }

  /** Does something in all folders, in some of them at once. When it fails, nothing of it goes on. */
  async #inEach(work: (folder: string) => Promise<void>): Promise<void> {
    const left = this.folders.values();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const folder of left) await work(folder);
    });
    for (const one of await Promise.allSettled(workers)) if (one.status === "rejected") throw one.reason;
  }

  /** Makes a file of what is in memory; only fsync is worth a thread of its own. */
  async #writeSafely(folder: string): Promise<void> {
    const file = this.#maildir.open(folder, this.id);
    try {
      file.writeNow(this.#whole(folder));
      await file.sync();
    } finally {
      file.close();
    }
  }

  async #copy(from: string, offset: number, folder: string): Promise<void> {
    const file = this.#maildir.open(folder, this.id);
    try {
      await file.write(this.#headOf(folder));
      const block = new Uint8Array(COPY_BYTES);
      using source = await Deno.open(from);
      await source.seek(offset, Deno.SeekMode.Start);
      for (let count; (count = await source.read(block)) !== null;) await file.write(block.subarray(0, count));
      if (this.#maildir.fsync) await file.sync();
    } finally {
      file.close();
    }
  }

  #publishAll(): void {
    const published: string[] = [];
    try {
      for (const folder of this.folders) {
        this.#maildir.publish(folder, this.id);
        published.push(folder);
      }
    } catch (error) {
      // The sender will come again, with all of it.
      for (const folder of published) this.#maildir.remove(folder, "new", this.id);
      throw error;
    }
  }

  async #settleAll(): Promise<void> {
    try {
      await this.#inEach((folder) => this.#maildir.settle(folder));
    } catch (error) {
      for (const folder of this.folders) this.#maildir.remove(folder, "new", this.id);
      throw error;
    }
    this.#delivered = true;
  }

  /** Takes away what is in `tmp`. */
  #drop(): void {
    if (this.#delivered) return;
    this.#first?.close();
    this.#first = null;
    for (const folder of this.folders) this.#maildir.remove(folder, "tmp", this.id);
  }

  #release(): void {
    this.#maildir.held -= this.#filled;
    this.#filled = 0;
    // A large message goes on filling it.
    if (this.#buffer === null || (this.#first !== null && !this.#delivered)) return;
    this.#maildir.buffers.give(this.#buffer);
    this.#buffer = null;
  }
}

/**
 * Makes LF of each CRLF from a place on.
 *
 * @returns how many bytes there are then
 */
function withoutCrs(bytes: Uint8Array, from: number): number {
  let to = from;
  for (let cr; (cr = bytes.indexOf(CR, from)) >= 0;) {
    const next = bytes[cr + 1] === LF ? cr : cr + 1;
    if (to < from) bytes.copyWithin(to, from, next);
    to += next - from;
    from = cr + 1;
  }
  if (to < from) bytes.copyWithin(to, from);
  return to + bytes.length - from;
}
