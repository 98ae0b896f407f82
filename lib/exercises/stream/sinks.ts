// Where a stream goes: a file, in which each piece has its place; standard output and a player, which take it in order.

import { NetlabError } from "../../protocol/errors.ts";
import type { Console } from "../exercise.ts";
import { describeSystemError } from "../../net/errors.ts";
import type { Player } from "./player.ts";
import type { Piece } from "./protocol.ts";

/** What takes a stream. */
export interface Sink {
  /** A piece has come, in any order. @throws {NetlabError} when it cannot be kept */
  arrived?(piece: Piece): void;
  /**
   * A piece is due; `skipped` bytes before it have not come, or, below 0, that many come again.
   *
   * @throws {NetlabError} when an earlier one could not be kept
   */
  play?(bytes: Uint8Array, skipped: number): void;
  /** All has been given. @throws {NetlabError} when it could not be kept */
  finish(): Promise<void>;
}

/** For so many missing bytes zeros are put in, so that samples stay in step; of more, the rest is left out. */
const MAX_FILL = 1_048_576;

/** What may wait for who reads standard output, in bytes. */
const MAX_WAITING = 64 * 1_048_576;

/** What did not come, as silence. */
function silence(bytes: number): Uint8Array {
  return new Uint8Array(Math.min(bytes, MAX_FILL));
}

/** What is said of a file that is not to be replaced. */
export function isThere(path: string): NetlabError {
  return new NetlabError("usage", `${path} is there already`, { hint: "--overwrite replaces it" });
}

/** What is said of a pipe. */
export function isInOrder(path: string): NetlabError {
  return new NetlabError("usage", `${path} is a pipe, and pieces come in any order`, {
    hint: "--out - writes them in order",
  });
}

/** A file. What is missing is left empty. */
export class FileSink implements Sink {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  /** @throws {NetlabError} of kind `harness` when it cannot be written, and `usage` for one that has to stay */
  constructor(path: string, overwrite: boolean) {
    this.#path = path;
    try {
      this.#file = overwrite
        ? Deno.openSync(path, { write: true, create: true, truncate: true })
        : Deno.openSync(path, { write: true, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw this.#explain(error);
      this.#file = this.#openOther();
    }
  }

  arrived({ offset, bytes }: Piece): void {
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      for (let left = bytes; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  finish(): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }

  /** What is there and no file, but a device, has nothing to lose. */
  #openOther(): Deno.FsFile {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path, { write: true });
    } catch (error) {
      throw this.#explain(error);
    }
    if (!file.statSync().isFile) return file;
    file.close();
    throw isThere(this.#path);
  }

  #explain(cause: unknown): NetlabError {
    const text = `cannot write ${this.#path}: ${describeSystemError(cause)}`;
    return new NetlabError("harness", text, { hint: "name another with --out", cause });
  }
}

/** Standard output. */
export class OutputSink implements Sink {
  readonly #console: Console;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #failure: Error | null = null;

  constructor(console: Console) {
    this.#console = console;
  }

  play(bytes: Uint8Array, skipped: number): void {
    if (skipped < 0) {
      this.#failure ??= new NetlabError("protocol", "the server goes back to what has been written", {
        hint: "--out FILE has each piece in its place",
      });
    } else if (this.#waiting > MAX_WAITING) {
      this.#failure ??= new NetlabError("harness", `${this.#waiting} bytes wait for who reads standard output`, {
        hint: "nobody does, or not as fast as the stream comes: keep it with --out FILE",
      });
    }
    if (this.#failure) throw this.#failure;
    if (skipped > 0) this.#write(silence(skipped));
    this.#write(bytes);
  }

  async finish(): Promise<void> {
    if (!this.#failure) await this.#last;
    if (this.#failure) throw this.#failure;
  }

  #write(bytes: Uint8Array): void {
    this.#waiting += bytes.length;
    this.#last = this.#last.then(async () => {
      if (!this.#failure) await this.#console.write?.(bytes);
      this.#waiting -= bytes.length;
    }).catch((error) => {
      this.#failure ??= error;
    });
  }
}

/** A player. */
export class PlayerSink implements Sink {
  readonly #player: Player;
  readonly #hint?: string;

  /** @param hint what to do where it cannot play it */
  constructor(player: Player, hint?: string) {
    this.#player = player;
    this.#hint = hint;
  }

  play(bytes: Uint8Array, skipped: number): void {
    if (skipped > 0) this.#player.write(silence(skipped));
    this.#player.write(bytes);
  }

  async finish(): Promise<void> {
    const complaint = await this.#player.finish();
    if (complaint === null) return;
    throw new NetlabError("harness", `${this.#player.name} could not play it: ${complaint}`, { hint: this.#hint });
  }
}
