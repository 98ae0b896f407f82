// Maildir (https://cr.yp.to/proto/maildir.html): each message a file, written in `tmp`, and in `new` only when it is whole and on
// the disk. So nobody ever sees half a message, and what was promised survives a crash.

import { encodeText } from "../../protocol/text.ts";
import type { Mailbox } from "./address.ts";

/** Why a message cannot be kept: there is no room, or something else is wrong with the disk. */
export class MaildirError extends Error {
  override name = "MaildirError";
  readonly full: boolean;

  constructor(cause: unknown) {
    const message = cause instanceof Error ? cause.message.replace(/ \(os error .*/s, "") : String(cause);
    super(message, { cause });
    this.full = /no space|quota/i.test(message);
  }
}

/** The folder of a mailbox: `local@domain`, with everything written out that a file system could misread. */
export function folderOf({ local, domain }: Mailbox): string {
  const name = `${local.toLowerCase()}${domain === "" ? "" : `@${domain}`}`.normalize("NFC");
  const safe = name.replace(
    /[^\p{L}\p{N}@_.+=-]|^\./gu,
    (character) => Array.from(encodeText(character), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  const bytes = encodeText(safe);
  // 64 bytes before the @ and 255 behind it may be more than a file system takes.
  return bytes.length <= 200 ? safe : `${safe.slice(0, 100)}%${hash(name)}`;
}

/** FNV-1a, 53 bits of two: names that differ only at their end stay apart. */
function hash(text: string): string {
  let [one, two] = [0x811c9dc5, 0x01000193];
  for (const byte of encodeText(text)) {
    one = Math.imul(one ^ byte, 0x01000193);
    two = Math.imul(two ^ byte, 0x85ebca6b);
  }
  return (one >>> 0).toString(16).padStart(8, "0") + (two >>> 0).toString(16).padStart(8, "0");
}

/** What makes the names of this process's messages unlike all others. */
let delivered = 0;

/** A message that is being written. */
export class Spool {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #block = new Uint8Array(65_536);
  #filled = 0;
  #closed = false;

  private constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  }

  /** @throws {MaildirError} */
  static open(root: string): Spool {
    try {
      Deno.mkdirSync(`${root}/.spool`, { recursive: true, mode: 0o700 });
      return new Spool(`${root}/.spool/${uniqueName()}`);
    } catch (error) {
      throw new MaildirError(error);
    }
  }

  /** @throws {MaildirError} */
  write(bytes: Uint8Array): void {
    if (bytes.length > this.#block.length - this.#filled) {
      this.#flush();
      if (bytes.length >= this.#block.length) return this.#writeAll(bytes);
    }
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #flush(): void {
    this.#writeAll(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #writeAll(bytes: Uint8Array): void {
    try {
      for (let left = bytes; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    } catch (error) {
      throw new MaildirError(error);
    }
  }

  /** Everything so far as a file that can be read, for `deliver`. */
  finish(): string {
    this.#flush();
    return this.#path;
  }

  /** Leaves nothing behind. */
  discard(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    try {
      Deno.removeSync(this.#path);
    } catch { /* it is gone already */ }
  }
}

/** Unlike every other name, as Maildir wants it: time, process and count, host. */
function uniqueName(): string {
  const now = performance.timeOrigin + performance.now();
  const seconds = Math.floor(now / 1000);
  const micros = Math.floor(now % 1000 * 1000);
  return `${seconds}.M${micros}P${Deno.pid}Q${++delivered}.${hostname()}`;
}

function hostname(): string {
  return "netlab";
}
