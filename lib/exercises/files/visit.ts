// A connection to the file server: questions, and what comes back.

import { Channel } from "../../net/channel.ts";
import { connectTcp } from "../../net/client.ts";
import type { Conn } from "../../net/conn.ts";
import { watchIdle } from "../../net/idle.ts";
import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import { type Framer, LineFramer } from "../../protocol/framing.ts";
import { count, decodeLossy } from "../../protocol/text.ts";
import type { ConnectContext } from "../exercise.ts";
import { parseReply } from "./protocol.ts";

/** How long the server may be silent before it has answered, and between two pieces of content, unless told otherwise, in ms. */
const ANSWER_MS = 60_000;
const MAX_LINE = 4096;
const OTHER_KIND = "is it a file server of this kind? one that is told a bare name needs --wire raw";

/** What a client is to do, until `leaving` is aborted. */
export interface Errand extends ConnectContext {
  readonly leaving: AbortSignal;
}

/** What comes: a line, or a piece of content. */
type Piece = { readonly line: string } | { readonly bytes: Uint8Array };

/** Lines, and, when told so, content of a known length between them. Of a bare name all that comes is content. */
class ReplyFramer implements Framer {
  readonly name: string;
  readonly headBytes = 0;
  readonly tailBytes: number;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  /** Bytes of content still to come. */
  left: number;
  readonly #lines = new LineFramer(MAX_LINE);

  constructor(bare: boolean) {
    this.name = bare ? "raw" : "line";
    this.tailBytes = bare ? 0 : 1;
    this.left = bare ? Infinity : 0;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    if (this.left === 0) return this.#lines.cut(queue);
    if (queue.length === 0) return null;
    const bytes = queue.take(Math.min(this.left, queue.length));
    this.left -= bytes.length;
    return bytes;
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    if (this.tailBytes > 0) this.#lines.seal(buffer, start, bodyBytes);
  }
}

/** A connection to the server: questions, and what comes back. */
export class Visit implements AsyncDisposable {
  readonly #framer: ReplyFramer;
  readonly #channel: Channel<Piece, string>;
  readonly #leaving: AbortSignal;
  readonly #silentMs: number;
  readonly #unwatch: () => void;
  readonly #leave = () => this.#channel.abort("interrupted");
  /** Content comes, and no line. */
  #inBody: boolean;
  /** The last line. */
  #last = "";
  /** The server has something to say, and whether it took too long to say anything. */
  #waiting = false;
  #silent = false;

  private constructor(conn: Conn, { trace, leaving, wire, idleMs = ANSWER_MS }: Errand) {
    const framer = this.#framer = new ReplyFramer(wire === "raw");
    this.#inBody = framer.left > 0;
    const codec: Codec<Piece, string> = {
      // Whether it is content was decided when it was cut.
      decode: (frame) => this.#inBody ? { bytes: frame } : { line: decodeLossy(frame) },
      encode: (text) => text,
      describe: (frame) => this.#inBody ? count(frame.length, "byte") : decodeLossy(frame),
    };
    this.#channel = new Channel(conn, { framer, codec, trace });
    this.#silentMs = idleMs;
    this.#unwatch = watchIdle(this, idleMs, () => {
      this.#silent = true;
      this.#channel.abort("silent");
    });
    this.#leaving = leaving;
    leaving.addEventListener("abort", this.#leave);
    if (leaving.aborted) this.#leave();
  }

  /** A count of what has come, for who watches for silence: NaN, which differs from all, while it is not the server's turn. */
  get reads(): number {
    return this.#waiting ? this.#channel.reads : NaN;
  }

  /** @throws {NetlabError} as `connectTcp` */
  static async open(context: Errand): Promise<Visit> {
    return new Visit(await connectTcp(context.host, context.port), context);
  }

  /**
   * Sends a request.
   *
   * @param allowError returns the server's refusal in place of throwing it
   * @throws {NetlabError} of kind `reply` for a refusal; and when no answer comes, or none that can be read
   */
  async ask(request: string, allowError = false): Promise<NonNullable<ReturnType<typeof parseReply>>> {
    if (this.#inBody) {
      throw new NetlabError("usage", "with --wire raw there is only get: a bare name is all that is said");
    }
    this.#channel.send(request);
    const reply = parseReply(await this.line());
    if (reply === null) throw this.unexpected();
    if (reply.type === "error" && !allowError) throw new NetlabError("reply", `the server says: ${reply.text}`);
    return reply;
  }

  /** The next line. @throws {NetlabError} when none comes */
  async line(): Promise<string> {
    const piece = await this.#next();
    if (!("line" in piece)) throw this.unexpected();
    return this.#last = piece.line;
  }

  /** Takes exactly so many bytes. @throws {NetlabError} when fewer come */
  async body(size: number, onBytes: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    this.#framer.left = size;
    this.#inBody = size > 0;
    for (let left = size; left > 0;) {
      const piece = await this.#next();
      if (!("bytes" in piece)) throw this.unexpected();
      left -= piece.bytes.length;
      await onBytes(piece.bytes);
    }
    this.#inBody = false;
  }

  /**
   * Says a name and nothing else, and takes what comes until the server ends the connection.
   *
   * @throws {NetlabError} for an end that is not in good order, too
   */
  async everything(name: string, onBytes: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    this.#channel.send(name);
    for (let piece; (piece = await this.#piece()) !== null;) if ("bytes" in piece) await onBytes(piece.bytes);
    if (this.#channel.reason !== "end of stream") throw this.#ended("");
  }

  /** The error for a line that is no answer to what was asked. */
  unexpected(): NetlabError {
    return new ProtocolError(`the server answers "${this.#last}"`, { hint: OTHER_KIND });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    this.#leaving.removeEventListener("abort", this.#leave);
    this.#channel.abort("done");
    await this.#channel.close();
  }

  async #next(): Promise<Piece> {
    const piece = await this.#piece();
    if (piece !== null) return piece;
    const { left } = this.#framer;
    if (left === 0) throw this.#ended("", this.#last === "" ? OTHER_KIND : undefined);
    throw this.#ended(`, ${count(left, "byte")} before the end`, "get it again: it goes on where it stopped");
  }

  /** Null for the end. */
  async #piece(): Promise<Piece | null> {
    this.#waiting = true;
    try {
      const piece = await this.#channel.receive();
      if (!this.#silent) return piece;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new ProtocolError(`cannot read the server: ${error.message}`, { hint: OTHER_KIND });
    } finally {
      this.#waiting = false;
    }
    throw new NetlabError("timeout", `the server has said nothing for ${this.#silentMs / 1000} s`);
  }

  #ended(missing: string, hint?: string): NetlabError {
    return new NetlabError("transport", `the server ended the connection${missing} (${this.#channel.reason})`, {
      hint,
    });
  }
}
