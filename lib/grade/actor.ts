// One end of a connection that netlab plays in a check.

import type { Expectation } from "../exercises/check.ts";
import { Channel } from "../net/channel.ts";
import { outlasts } from "../net/clock.ts";
import type { Conn } from "../net/conn.ts";
import { ByteQueue } from "../protocol/byte_queue.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Framer } from "../protocol/framing.ts";
import { decodeLossy, escapeBytes, escapeText } from "../protocol/text.ts";
import type { Trace } from "../protocol/trace.ts";
import { type Delivery, shape, untilRead } from "./delivery.ts";
import { Inbox, Unmet } from "./inbox.ts";
import { whyMisframed } from "./misframed.ts";

/** How long a connection is looked at that should stay, in ms. */
const STAY_MS = 200;

/** Without framing, only silence tells one message from the next: longer than a server may wait for it, in ms. */
const RAW_PAUSE_MS = 450;

/** How long the other side may take to end a connection that we have ended, where that is nobody's affair, in ms. */
const GOODBYE_MS = 500;

/** How many of the bytes that came are kept for a report: the first and the last. */
const KEPT_BYTES = 256;

/** What may come in one check: a program may send without end. */
const MAX_TEXT = 16_777_216;

/** How much waits at once while one end floods another, in bytes, and how long the other side may take none, in ms. */
const FLOOD_BYTES = 262_144;
const FLOOD_CHARACTERS = 1000;
const ENOUGH_MS = 3000;

/** What an end is made of. */
export interface ActorOptions {
  readonly framer: Framer;
  /** Between frames and messages in writing. A student's program may send anything: it is judged, not refused. */
  readonly codec: Codec<string>;
  readonly delivery: Delivery;
  /** How long an expectation may take, in ms. */
  readonly timeoutMs: number;
  /** Replaces `$names`. */
  readonly fill: (template: string) => string;
  /** What greets every caller, as far as that is known: it is learned here. */
  readonly greetings?: Set<string>;
  readonly trace?: Trace;
}

export class Actor {
  readonly #channel: Channel<string, string | Uint8Array>;
  readonly #options: ActorOptions;
  readonly #inbox: Inbox;
  readonly #bytes: LastBytes;
  /** What has come and is no message yet. */
  #uncut: ByteQueue = new ByteQueue();
  /** Whether the other side's end can be seen: over UDP there is none. */
  readonly #ends: boolean;
  /** Messages that leave in one write with the next. */
  #held: (string | Uint8Array)[] = [];
  /** What stood behind the last line when the connection ended. */
  #rest = "";
  /** A whole message has come since the last expectation that was met. */
  #hasRead = false;
  #unreadable = false;
  /** Nothing has come since the last message was sent. */
  #unanswered = false;
  #paused = false;
  readonly #resume = Promise.withResolvers<void>();
  /** Settles when nothing more can come. */
  readonly #listening: Promise<void>;
  /** It hung up, and the other side did not. */
  #abandoned = false;

  constructor(conn: Conn, options: ActorOptions) {
    const { codec, delivery, framer, trace } = options;
    this.#options = options;
    const fragment = () => this.#hasRead || this.#unreadable ? null : this.received;
    this.#inbox = new Inbox(options.fill, fragment, options.greetings);
    this.#bytes = new LastBytes(conn);
    const cut = framer.cut.bind(framer);
    framer.cut = (queue) => cut(this.#uncut = queue);
    this.#ends = conn.receive === undefined;
    // A line that only the end of the connection ends is none, but it is a part of the rest.
    if (framer.name === "line") {
      framer.end = (queue) => {
        this.#rest = decodeLossy(queue.take(queue.length));
        return null;
      };
    }
    this.#channel = new Channel<string, string | Uint8Array>(shape(this.#bytes.conn, delivery), {
      framer,
      codec: {
        decode: (frame) => codec.decode(frame),
        encode: (message) => typeof message === "string" ? codec.encode(message) : message,
        describe: (frame) => describeFrame(codec, frame),
      },
      coalesce: delivery.way === "joined",
      trace,
    });
    this.#listening = this.#listen();
  }

  /** The connection's number in a trace. */
  get id(): number {
    return this.#channel.id;
  }

  /** What came since the last expectation that was met, as it was on the wire, or null for nothing. */
  get received(): string | null {
    return this.#bytes.text;
  }

  /** What is wrong with the framing of that, if that is known: a sentence for the student. */
  get misframed(): string | null {
    return this.#bytes.whole && whyMisframed(this.#bytes.whole, this.#channel.framer.name);
  }

  /** Whether what came could not be read as messages, so that netlab has given up. */
  get unreadable(): boolean {
    return this.#unreadable;
  }

  async send(message: string | Uint8Array): Promise<void> {
    if (this.#channel.framer.name === "raw" && this.#unanswered) await untilRead(RAW_PAUSE_MS);
    this.#unanswered = true;
    this.#inbox.ask();
    this.#held.push(typeof message === "string" ? this.#options.fill(message) : message);
    if (this.#options.delivery.way !== "joined") await this.flush();
  }

  /** Sends what has been held back. */
  async flush(): Promise<void> {
    if (this.#held.length === 0) return;
    for (const message of this.#held.splice(0)) this.#channel.send(message);
    // What is half sent when the next one speaks would make the script's order a matter of luck.
    await outlasts(this.#channel.flushed(), this.#options.timeoutMs);
  }

  /** Sends one message many times, until it is not taken any more. */
  async flood(message: string, bytes: number): Promise<void> {
    const text = this.#options.fill(message).padEnd(Math.min(FLOOD_CHARACTERS, this.#channel.framer.maxBody), "x");
    for (let left = bytes; left > 0; left -= text.length) {
      this.#channel.send(text);
      if (this.#channel.queuedBytes < FLOOD_BYTES) continue;
      if (this.#channel.ending || await outlasts(this.#channel.flushed(), ENOUGH_MS)) return;
    }
  }

  /** Takes nothing from now on. */
  pauseReading(): void {
    this.#paused = true;
  }

  forbid(what: Expectation): void {
    this.#inbox.forbid(what);
  }

  /** @returns what was expected, as it came */
  async expect(what: Expectation, timeoutMs = this.#options.timeoutMs): Promise<string> {
    const text = await this.#inbox.expect(what, timeoutMs);
    // What could not be read came behind the message.
    if (!this.#unreadable) this.#bytes.forgetAllBut(this.#uncut);
    this.#hasRead = false;
    return text;
  }

  /** Asks until the answer is right. */
  async eventually(text: string, what: Expectation): Promise<void> {
    const { timeoutMs } = this.#options;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await this.send(text);
      await this.flush();
      try {
        return void await this.expect(what, Math.min(200, timeoutMs));
      } catch (error) {
        if (!(error instanceof Unmet) || this.#inbox.ended !== null || performance.now() > deadline) throw error;
      }
    }
  }

  /** @throws {Unmet} when the other side does not end the connection in time, or says what is forbidden */
  async expectEnd(): Promise<void> {
    if (!this.#ends) return;
    const { timeoutMs } = this.#options;
    const ended = !this.#abandoned && await this.#inbox.endsWithin(timeoutMs);
    this.#inbox.checkAll();
    if (ended) return;
    throw new Unmet("silence", `the connection was still open after ${timeoutMs} ms`);
  }

  endsWithin(ms: number): Promise<boolean> {
    return this.#inbox.endsWithin(ms);
  }

  /** @throws {Unmet} when the other side ends the connection soon, or has said what is forbidden up to here */
  async stays(): Promise<void> {
    if (await this.#inbox.endsWithin(STAY_MS)) {
      throw new Unmet("end", this.#inbox.ended!);
    }
    this.#inbox.checkAll();
  }

  /** As `expectEnd`, and all that came before it is one text that has to match. */
  async expectRest(what: Expectation): Promise<void> {
    await this.expectEnd();
    if (this.#rest !== "") this.#inbox.push([this.#rest]);
    // Without framing, what one read brought is no message.
    this.#inbox.checkRest(what, this.#channel.framer.name === "raw" ? "" : "\n");
  }

  /**
   * `end` says so and waits for the other side to end it too; `reset` is gone at once.
   *
   * @param matters whether it is looked at that the other side does: otherwise nobody waits long for one that never does
   */
  async leave(how: "end" | "reset", matters = false): Promise<void> {
    if (how === "end") {
      const { timeoutMs } = this.#options;
      await outlasts(this.#channel.closeWrite(), timeoutMs);
      this.#abandoned = !await this.#inbox.endsWithin(matters ? timeoutMs : Math.min(timeoutMs, GOODBYE_MS));
    }
    this.#channel.abort("left");
  }

  /** Is gone at once, and with it all that it has begun. */
  async close(): Promise<void> {
    this.#channel.abort("left");
    this.#resume.resolve();
    await this.#listening;
  }

  /** Says nothing more: whoever hangs up is hung up on, and need not wait for it. */
  leaveAfterwards(): void {
    void this.#listening.then(() => this.#channel.close());
  }

  async #listen(): Promise<void> {
    let room = MAX_TEXT;
    await this.#channel.each((text) => {
      this.#unanswered = false;
      this.#hasRead = true;
      this.#inbox.push([text]);
      room -= text.length + 1;
      if (room < 0) {
        this.#inbox.end(`more than ${MAX_TEXT} characters, so that netlab hung up`);
        this.#channel.abort("said too much");
      }
      // Nothing more is read until this settles.
      if (this.#paused) return this.#resume.promise;
    }, ({ fatal, message }) => {
      if (!fatal) return this.#inbox.push([`(unreadable: ${message})`]);
      this.#unreadable = true;
      this.#inbox.end(`what is no message: ${message}`);
    });
    this.#inbox.end(`the connection ended (${this.#channel.reason ?? "closed"})`);
  }
}

/** A frame for the ladder. */
function describeFrame(codec: Codec<string>, frame: Uint8Array): string {
  try {
    return escapeText(codec.decode(frame));
  } catch {
    return escapeBytes(frame, 60);
  }
}

/** Looks at what is read from a connection, and keeps the first and the last of it. */
class LastBytes {
  readonly conn: Conn;
  #first: Uint8Array = new Uint8Array();
  #last: Uint8Array = new Uint8Array();
  #total = 0;

  constructor(conn: Conn) {
    this.conn = {
      localAddr: conn.localAddr,
      remoteAddr: conn.remoteAddr,
      read: async (into) => {
        const count = await conn.read(into);
        if (count !== null) this.#add(into.subarray(0, count));
        return count;
      },
      ...(conn.receive && {
        receive: async () => {
          const bytes = await conn.receive!();
          if (bytes !== null) this.#add(bytes);
          return bytes;
        },
      }),
      write: (bytes) => conn.write(bytes),
      closeWrite: () => conn.closeWrite(),
      close: () => conn.close(),
    };
  }

  /** Keeps what came last, and is still in the queue. */
  forgetAllBut(queue: ByteQueue): void {
    this.#total = queue.length;
    this.#first = queue.peek(Math.min(this.#total, KEPT_BYTES)).slice();
    this.#last = queue.last(Math.min(this.#total - this.#first.length, KEPT_BYTES)).slice();
  }

  /** All of it; null where that is too much to be kept. */
  get whole(): Uint8Array | null {
    return this.#total > KEPT_BYTES ? null : this.#first;
  }

  get text(): string | null {
    if (this.#total === 0) return null;
    const kept = this.#first.length + this.#last.length;
    const between = this.#total > kept ? ` … ${this.#total - kept} bytes … ` : "";
    return escapeBytes(this.#first) + between + escapeBytes(this.#last);
  }

  #add(bytes: Uint8Array): void {
    this.#total += bytes.length;
    const room = KEPT_BYTES - this.#first.length;
    if (room > 0) this.#first = Uint8Array.of(...this.#first, ...bytes.subarray(0, room));
    const rest = bytes.subarray(Math.max(0, room));
    if (rest.length > 0) this.#last = Uint8Array.of(...this.#last, ...rest.subarray(-KEPT_BYTES)).slice(-KEPT_BYTES);
  }
}
