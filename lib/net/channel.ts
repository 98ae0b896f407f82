// A channel: a byte stream cut into messages, in both directions. A session takes what arrives either by handing over a
// function (`each`: nothing is promised per message, only per read) or one by one (`receive`).
//
//     conn.read ─► ByteQueue ─► Framer.cut ─► Codec.decode ─► message
//     message ─► Codec.encode ─► SendQueue (Framer.seal) ─► conn.write

import { ByteQueue } from "../protocol/byte_queue.ts";
import type { Clock } from "../protocol/clock.ts";
import type { Codec } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Framer } from "../protocol/framing.ts";
import { decodeLossy, escapeText, truncateText } from "../protocol/text.ts";
import { type ConnectionId, NO_TRACE, type Trace } from "../protocol/trace.ts";
import type { BlockPool, Read } from "./block_pool.ts";
import { outlasts, systemClock } from "./clock.ts";
import { type Conn, formatAddress } from "./conn.ts";
import { describeSystemError, isReset } from "./errors.ts";
import { SendQueue, type SendQueueEvents } from "./send_queue.ts";
import { Turns } from "./turns.ts";

/** Read sizes, in bytes: a connection starts small, so that thousands fit, and grows while reads come back full. */
const MIN_READ = 2048;
const MAX_READ = 65_536;
/** After so many small ones in a row it shrinks: between large messages there may be a few. */
const SMALL_READS = 8;

/** Where bytes go that nobody looks at, of all channels: thousands may close at once. */
const SINK = new Uint8Array(MAX_READ);

/** One read may hold thousands of messages: after so many of them it is asked whether others wait. */
const LOOK_UP = 32;

/** How long a closing channel waits for the peer to close too, so that nothing sent to it is lost. */
export const LINGER_MS = 1000;

/** What a channel is made of. */
export interface ChannelOptions<In, Out> {
  readonly framer: Framer;
  readonly codec: Codec<In, Out>;
  /** The most bytes that may wait for a peer that does not read. @default {1048576} */
  readonly queueBytes?: number;
  /** How large a buffer is kept for what is sent next, in bytes: for who always sends much at once. @default {65536} */
  readonly keepBytes?: number;
  /** False gives each message a write of its own, for peers that take one read for one message. @default {true} */
  readonly coalesce?: boolean;
  /** @default {NO_TRACE} */
  readonly trace?: Trace;
  readonly id?: ConnectionId;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

let lastId = 0;

/** A framed connection. */
export class Channel<In, Out = In> {
  readonly id: ConnectionId;
  /** The peer's address, `host:port`. */
  readonly remote: string;
  readonly framer: Framer;
  /** The most bytes that may wait for the peer in more than one frame: one more, and it is cut. */
  readonly queueBytes: number;
  #conn: Conn;
  readonly #codec: Codec<In, Out>;
  readonly #trace: Trace;
  readonly #clock: Clock;
  readonly #incoming = new ByteQueue(MIN_READ);
  readonly #outgoing: SendQueue;
  /** With more than this waiting for the peer, nothing more is taken from it. */
  readonly #pauseBytes: number;
  #readBytes = MIN_READ;
  #smallReads = 0;
  #reads = 0;
  #taken = 0;
  #pouring: Promise<unknown> | null = null;
  #giveUpWrite = () => {};
  #pendingRead: Promise<number | null> | null = null;
  /** What has arrived and is not decoded yet, where datagrams do. */
  #datagram: Uint8Array | null = null;
  #inputEnded = false;
  #finalTaken = false;
  #closing: Promise<void> | null = null;
  #closed = false;
  #reason: string | null = null;

  constructor(conn: Conn, options: ChannelOptions<In, Out>) {
    this.#conn = conn;
    this.framer = options.framer;
    this.#codec = options.codec;
    this.#trace = options.trace ?? NO_TRACE;
    this.#clock = options.clock ?? systemClock;
    this.id = options.id ?? ++lastId;
    this.remote = formatAddress(conn.remoteAddr);
    const trace = this.#trace;
    const id = this.id;
    this.queueBytes = options.queueBytes ?? 1_048_576;
    this.#pauseBytes = this.queueBytes / 2;
    const events: SendQueueEvents = {
      onFull: (bytes) => this.abort(`too slow: ${bytes} bytes waited for it to read`),
      onError: (error) => this.#loseOutput(describeFailure(error)),
      onWritten: (bytes) => trace.wants.bytes && trace.emit({ type: "bytes", id, direction: "out", bytes }),
    };
    this.#outgoing = new SendQueue(conn, this.queueBytes, options.coalesce ?? true, events, options.keepBytes);
    if (trace.wants.open) {
      const transport = conn.remoteAddr.transport === "udp" ? "udp" : "tcp";
      trace.emit({ type: "open", id, transport, local: formatAddress(conn.localAddr), remote: this.remote });
    }
  }

  /** Bytes sent but not yet taken by the system. */
  get queuedBytes(): number {
    return this.#outgoing.queuedBytes;
  }

  /** How many reads have returned bytes: whoever watches for idle peers compares it. */
  get reads(): number {
    return this.#reads;
  }

  /** The same, and how often the peer has taken what it was given: a write of `pour`, or what `noteTaken` was told of. */
  get activity(): number {
    return this.#reads + this.#taken;
  }

  /** True once the channel is closed or closing: what is sent now may not arrive. */
  get ending(): boolean {
    return this.#closed || this.#closing !== null;
  }

  /** True when the stream has ended inside a message: its beginning was dropped. */
  get truncated(): boolean {
    return this.#finalTaken && this.#incoming.length > 0;
  }

  /** Why it ended, in words, once it has. */
  get reason(): string | null {
    return this.#reason;
  }

  /**
   * Queues a message; what gathers leaves in one write. Never blocks: a peer that does not read is cut when its queue is full.
   *
   * @returns false when the message will not arrive because the channel is closed or has just been cut
   * @throws {ProtocolError} of side `local` when the framing cannot carry a message of that length
   */
  send(message: Out): boolean {
    return !this.#closed && this.#push(this.#codec.encode(message));
  }

  /**
   * As `send`, for a message whose beginning says it all, such as an error: where the framing has no room for the whole,
   * it carries what fits of a text, cut between characters. A message that is no text goes whole: a part of it is none.
   *
   * @returns as `send`
   * @throws {ProtocolError} as `send`, for what is no text
   */
  sendStart(message: Out): boolean {
    if (this.#closed) return false;
    const body = this.#codec.encode(message);
    if (typeof body !== "string") return this.#push(body);
    return this.#push(truncateText(body, Math.min(this.framer.maxBody, 3 * body.length)));
  }

  #push(body: Uint8Array | string): boolean {
    const sent = this.#outgoing.push(this.framer, body);
    if (sent && this.#trace.wants.message) this.#traceMessage("out", body);
    return sent;
  }

  /** Says that the peer has taken something of what is all for it: who reads for long is not idle. */
  noteTaken(): void {
    this.#taken++;
  }

  /** Resolves when everything sent has been handed to the system, or the channel is closed. */
  async flushed(): Promise<void> {
    await this.#pouring;
    await this.#outgoing.flushed();
  }

  /**
   * Writes bytes as they are, without copying them, behind everything sent so far and before everything sent from now on: no
   * faster than the peer reads.
   *
   * @param bytes how many in all
   * @param blocks where they are read to
   * @returns how many were written: fewer when there are no more, or the channel was closed
   * @throws what `read` throws
   */
  pour(read: Read, bytes: number, blocks: BlockPool): Promise<number> {
    this.#outgoing.hold();
    const pouring = this.#pour(read, bytes, blocks);
    this.#pouring = pouring.catch(() => {});
    return pouring;
  }

  async #pour(read: Read, bytes: number, blocks: BlockPool): Promise<number> {
    await this.#outgoing.flushed();
    blocks.enter();
    let left = bytes;
    let written = 0;
    let ahead: Promise<Uint8Array> | null = null;
    try {
      while (left > 0 && !this.#closed) {
        const block: Uint8Array = await (ahead ?? blocks.fill(read, left));
        ahead = null;
        if (block.length === 0) break;
        left -= block.length;
        if (left > 0 && blocks.readsAhead) ahead = blocks.fill(read, left);
        // A write that was given up may go on looking at its block: that one is not used again.
        if (!await this.#writeAll(block)) break;
        blocks.giveBack(block);
        written += block.length;
      }
    } finally {
      await ahead?.then((block) => blocks.giveBack(block), () => {}); // so that the file may be closed
      blocks.leave();
      this.#pouring = null;
      this.#outgoing.release();
    }
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let left = bytes; left.length > 0;) {
        const count = await this.#write(left);
        if (count === null) return false;
        this.#taken++;
        if (this.#trace.wants.bytes) {
          this.#trace.emit({ type: "bytes", id: this.id, direction: "out", bytes: left.subarray(0, count) });
        }
        left = left.subarray(count);
      }
      return true;
    } catch (error) {
      this.#loseOutput(describeFailure(error));
      return false;
    }
  }

  /** How many bytes the peer has taken; null when the channel was closed before: an older Deno leaves the write pending then. */
  #write(bytes: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#giveUpWrite = () => resolve(null);
      this.#conn.write(bytes).then(resolve, reject);
    });
  }

  /**
   * Calls `onMessage` for each message, in order, until the stream or the channel ends. What it returns is waited for, and
   * nothing more taken from the peer meanwhile.
   *
   * @param onBad is told of what is not a message; the channel goes on unless the error is fatal
   * @throws what `onMessage` throws, but for a `ProtocolError` of side `remote`: that is told to `onBad`
   */
  async each(onMessage: (message: In) => void | Promise<void>, onBad: (error: ProtocolError) => void): Promise<void> {
    if (this.#conn.each && !await this.#eachDatagram(onMessage, onBad)) return;
    const turns = new Turns();
    try {
      await this.#eachOfStream(onMessage, onBad, turns);
    } finally {
      turns.end();
    }
  }

  async #eachOfStream(
    onMessage: (message: In) => void | Promise<void>,
    onBad: (error: ProtocolError) => void,
    turns: Turns,
  ): Promise<void> {
    let taken = 0;
    while (!this.ending) {
      try {
        const message = this.#next();
        if (message === undefined) {
          // Before the next read is begun: the peer may be waking up while that is done. The peers of many are better woken
          // all at once, at the end of the turn.
          if (turns.alone) this.#outgoing.flush();
          const turn = turns.next();
          if (turn) await turn;
          if (!await this.#fill()) return;
          continue;
        }
        const busy = onMessage(message);
        if (busy) await busy;
        const turn = ++taken % LOOK_UP === 0 ? turns.next() : null;
        if (turn) await turn;
        // A peer that asks for much at once is not yet one that does not read: its answers go out before it asks on.
        if (this.queuedBytes > this.#pauseBytes) await this.flushed();
      } catch (error) {
        if (this.#endsWith(error, onBad)) return;
      }
    }
  }

  /**
   * Handles datagrams in the moment of their arrival, so that the answer to one leaves before the next is waited for.
   *
   * @returns false when one of them was a fatal error; otherwise it has come to the end
   */
  async #eachDatagram(
    onMessage: (message: In) => void | Promise<void>,
    onBad: (error: ProtocolError) => void,
  ): Promise<boolean> {
    let over = false;
    try {
      await this.#conn.each!((datagram) => {
        if (this.ending) return;
        this.#reads++;
        if (this.#trace.wants.bytes) this.#trace.emit({ type: "bytes", id: this.id, direction: "in", bytes: datagram });
        let busy: void | Promise<void> = undefined;
        try {
          const frame = this.framer.whole!(datagram);
          if (this.#trace.wants.message) this.#traceMessage("in", frame);
          busy = onMessage(this.#codec.decode(frame));
        } catch (error) {
          over = this.#endsWith(error, onBad);
          if (over) throw error;
        }
        this.#outgoing.flush();
        return this.queuedBytes > this.#pauseBytes ? Promise.resolve(busy).then(() => this.flushed()) : busy;
      });
    } catch (error) {
      if (!over) throw error;
    }
    return !over;
  }

  /** Whether the channel ends with an error, which is told if it is the peer's. @throws the error if it is not */
  #endsWith(error: unknown, onBad: (error: ProtocolError) => void): boolean {
    if (!(error instanceof ProtocolError) || error.side === "local") throw error;
    onBad(error);
    if (error.fatal) this.#reason ??= `protocol error: ${error.withHint}`;
    return error.fatal;
  }

  /**
   * The next message, or null at the end of the stream.
   *
   * @throws {ProtocolError} for what is not a message; unless it is fatal, call again for the next one
   */
  async receive(): Promise<In | null> {
    do {
      const message = this.#next();
      if (message !== undefined) return message;
    } while (await this.#fill());
    return null;
  }

  /**
   * Goes on through a connection that is built on this one, as TLS is. What has been sent leaves before; what has been read
   * and not handed over is void, since whoever wrote it was not yet known. Call it while a message is being handled.
   */
  async upgrade(wrap: (conn: Conn) => Conn): Promise<void> {
    await this.flushed();
    if (this.ending) return;
    if (this.#pendingRead !== null) return this.abort("it was being read from when it had to change");
    this.#incoming.skip(this.#incoming.length);
    this.#conn = wrap(this.#conn);
    this.#outgoing.moveTo(this.#conn);
  }

  /** Gives the channel's end a reason, unless it has one. */
  because(reason: string): this {
    this.#reason ??= reason;
    return this;
  }

  /** Ends our direction after what is queued; the peer may go on sending. */
  async closeWrite(): Promise<void> {
    await this.#endOutput();
  }

  /** @returns false when nobody is there to be told */
  async #endOutput(): Promise<boolean> {
    await this.flushed();
    return !this.#closed && await this.#conn.closeWrite().then(() => true, () => false);
  }

  /**
   * Closes in good order: writes what is queued, says end of stream, and waits a little for the peer's, because closing
   * with unread input makes the system cut the connection and may destroy what the peer has not read yet.
   *
   * @param lingerMs how long to wait for the queue and the peer
   */
  close(lingerMs: number = LINGER_MS): Promise<void> {
    return this.#closing ??= this.#close(lingerMs);
  }

  async #close(lingerMs: number): Promise<void> {
    if (this.#closed) return;
    await outlasts(this.#leave(), lingerMs, this.#clock);
    this.abort(this.queuedBytes > 0 ? `${this.queuedBytes} bytes could not be delivered` : "closed");
  }

  async #leave(): Promise<void> {
    // To a peer that has ended its own stream, too: what went through TLS may still be on its way to the system.
    if (await this.#endOutput() && !this.#inputEnded) await this.#discard();
  }

  /** Nothing can be written any more. What the peer said before it went may be unread: where it is read, that goes on. */
  #loseOutput(reason: string): void {
    const reading = this.#pendingRead;
    // What a read has just brought is looked at before the next one finds that the peer is gone.
    if (reading === null && this.#incoming.length === 0) return this.abort(reason);
    this.#outgoing.stop();
    this.#reason ??= reason;
    if (reading === null) return;
    void outlasts(reading.catch(() => {}), LINGER_MS, this.#clock).then((late) => late && this.abort(reason));
  }

  /** Closes at once; what is queued is lost. */
  abort(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason ??= reason;
    this.#outgoing.stop();
    this.#giveUpWrite();
    try {
      this.#conn.close();
    } catch { /* it is closed already */ }
    if (this.#trace.wants.close) this.#trace.emit({ type: "close", id: this.id, reason: this.#reason });
  }

  /** Cuts and decodes one message, if there is one; undefined when more bytes are needed. */
  #next(): In | undefined {
    let frame = this.#conn.receive ? this.#takeDatagram() : this.framer.cut(this.#incoming);
    if (frame === null && this.#inputEnded && !this.#finalTaken) {
      this.#finalTaken = true;
      try {
        frame = this.framer.end?.(this.#incoming) ?? null;
      } finally {
        this.#reason ??= this.truncated ? "end of stream inside a message" : "end of stream";
      }
    }
    if (frame === null) return undefined;
    if (this.#trace.wants.message) this.#traceMessage("in", frame);
    return this.#codec.decode(frame);
  }

  #takeDatagram(): Uint8Array | null {
    const datagram = this.#datagram;
    this.#datagram = null;
    return datagram === null ? null : this.framer.whole!(datagram);
  }

  /** Waits until there is something to look at again; false when nothing more can come. */
  #fill(): Promise<boolean> {
    if (this.#inputEnded || this.#closed) return Promise.resolve(false);
    const silenceMs = this.framer.silenceMs ?? null;
    return silenceMs === null || this.#incoming.length === 0 ? this.#read() : this.#readOrSilence(silenceMs);
  }

  async #readOrSilence(silenceMs: number): Promise<boolean> {
    // Each call starts anew, and each byte that arrives ends one: silence means since the last byte.
    const read = this.#pendingRead ??= this.#startRead();
    if (await outlasts(read, silenceMs, this.#clock)) {
      this.framer.silence?.(this.#incoming);
      // Whatever the framer made of it, bytes that still wait are looked at again only when more come.
      if (this.framer.silenceMs === null) return true;
    }
    return await this.#read();
  }

  // An `async` function would cost a tenth of a microsecond more for each message that comes alone.
  #read(): Promise<boolean> {
    return (this.#pendingRead ??= this.#startRead()).then(this.#took, this.#lost);
  }

  readonly #took = (count: number | null): boolean => {
    this.#pendingRead = null;
    if (count === null) {
      this.#inputEnded = true;
      return true;
    }
    this.#reads++;
    if (this.#datagram === null) this.#incoming.commit(count);
    if (this.#trace.wants.bytes) {
      const bytes = this.#datagram ?? this.#incoming.last(count);
      const shown = this.#codec.conceal?.(bytes, this.#incoming) ?? bytes;
      this.#trace.emit({ type: "bytes", id: this.id, direction: "in", bytes: shown });
    }
    this.#fitReads(count);
    return true;
  };

  readonly #lost = (error: unknown): boolean => {
    this.#pendingRead = null;
    this.#inputEnded = true;
    this.#finalTaken = true;
    this.abort(describeFailure(error));
    return false;
  };

  #startRead(): Promise<number | null> {
    if (this.#conn.receive) return this.#conn.receive().then((datagram) => (this.#datagram = datagram)?.length ?? null);
    return this.#conn.read(this.#incoming.space(Math.max(this.#readBytes, this.framer.readBytes ?? 0)));
  }

  /** Has the next reads be as large as this one suggests. */
  #fitReads(count: number): void {
    this.#smallReads = count * 8 < this.#readBytes ? this.#smallReads + 1 : 0;
    if (count >= this.#readBytes && this.#readBytes < MAX_READ) this.#readBytes *= 2;
    else if (this.#smallReads >= SMALL_READS && this.#readBytes > MIN_READ) this.#readBytes /= 2;
  }

  /** Reads and forgets until the end of the stream. */
  async #discard(): Promise<void> {
    try {
      await this.#pendingRead;
      while (!this.#closed && await (this.#conn.receive?.() ?? this.#conn.read(SINK)) !== null);
    } catch { /* gone is as good as ended */ }
  }

  #traceMessage(direction: "in" | "out", body: Uint8Array | string): void {
    const text = typeof body === "string"
      ? escapeText(body)
      : this.#codec.describe?.(body) ?? escapeText(decodeLossy(body));
    this.#trace.emit({ type: "message", id: this.id, direction, text });
  }
}

function describeFailure(error: unknown): string {
  if (isReset(error)) return "reset by peer";
  return describeSystemError(error);
}
