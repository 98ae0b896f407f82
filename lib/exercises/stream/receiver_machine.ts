// The client's side of one stream, as a machine: it asks, puts what comes in order, and gives it out when it is to be played.
//
//     asking ── INFO ─► playing ── FIN ─► draining ── all is played, or too late ─► closed: FIN
//       │ COOKIE: again with it    ▲          │ seek
//       │                          └──────────┘
//       └ no answer, silence, ERROR ──────────────────────────────────────────────► closed, with the error
//
// The jitter buffer: the first piece is played `bufferMs` after it came, and all others in the distance from it that their
// media times have. Who is not here when the piece behind it is due is passed over.

import type { Millis } from "../../protocol/clock.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import {
  type Action,
  type Control,
  controlPdu,
  finPdu,
  type Info,
  MIN_PAYLOAD,
  NO_COOKIE,
  type Pdu,
  type Piece,
  readControl,
  readCookie,
  readData,
  readError,
  readInfo,
  REPORT_MS,
  reportPdu,
  requestPdu,
} from "./protocol.ts";
import { Tally } from "./tally.ts";

/** How long after one the next REQUEST or CONTROL goes, each time twice as long, up to the second. */
const AGAIN_MS: Millis = 400;
const MAX_AGAIN_MS: Millis = 2000;
/** How long the server may leave a REQUEST without an answer. */
export const ANSWER_MS: Millis = 10_000;
/** How long stragglers may come behind FIN, at least. */
const STRAGGLER_MS: Millis = 500;
/** What may wait to be played: of a server that sends faster than it says, the rest is played at once. */
const MAX_HELD_BYTES = 16 * 1_048_576;
const MAX_HELD = MAX_HELD_BYTES / MIN_PAYLOAD;
/** What may come before INFO. */
const MAX_EARLY = 1024;
/** Cookies that are returned at once; a server that gives more of them is waited for. */
const MAX_COOKIES = 4;

/** What a receiver is made of. */
export interface ReceiverOptions {
  readonly session: number;
  readonly name: string;
  readonly startMs: Millis;
  /** How long a piece is held back, for those before it to come. */
  readonly bufferMs: Millis;
  /** How long the server may be silent; it answers each report. */
  readonly silentMs: Millis;
  /** How long it may leave a REQUEST without an answer. @default {ANSWER_MS} */
  readonly answerMs?: Millis;
}

/** What its user tells it. */
export type ReceiveCommand =
  | { readonly type: "control"; readonly action: Action; readonly positionMs: Millis }
  /** That is enough. */
  | { readonly type: "leave" };

/** What its user is told. */
export type ReceiveEvent =
  | { readonly type: "info"; readonly info: Info }
  /** A piece has come, each once, in any order. The bytes are a view. */
  | { readonly type: "arrived"; readonly piece: Piece }
  /** A piece is to be played, in order; `skipped` bytes before it did not come in time. Below 0 the server goes back unasked. */
  | { readonly type: "play"; readonly piece: Piece; readonly skipped: number }
  /** The server has done as it was told. */
  | { readonly type: "moved"; readonly action: Action; readonly positionMs: Millis };

type Effects = Effect<Pdu, ReceiveEvent>[];

/** The receiver of one stream. */
export class ReceiverMachine implements Machine<Pdu, ReceiveCommand, ReceiveEvent> {
  readonly tally = new Tally();
  readonly #options: ReceiverOptions;
  readonly #session: number;
  #state: "asking" | "playing" | "draining" | "closed" = "asking";
  #info: Info | null = null;
  #cookie: Uint8Array = NO_COOKIE;
  #cookies = 0;
  #problem: string | null = null;
  /** What came before INFO, and when. */
  #early: { readonly piece: Piece; readonly at: Millis }[] = [];
  /** What waits to be played, by its number, and how many bytes that is. */
  readonly #held = new Map<number, Piece>();
  #heldBytes = 0;
  /** The next to be played, and where it should stand; null where that is not known. */
  #next = 0;
  #nextOffset: number | null = null;
  /** The schedule of playing; null before the first piece. */
  #base: { readonly at: Millis; readonly timeMs: Millis } | null = null;
  #positionMs: Millis;
  #paused = false;
  #skippedBytes = 0;
  #sought = false;
  /** Commands that the server has not confirmed; the first of them has been sent. */
  readonly #commands: Control[] = [];
  #lastNumber = 0;
  #confirmed = 0;
  /** When the next REQUEST or CONTROL goes, and how long after it the next. */
  #askAt: Millis = 0;
  #againMs: Millis = AGAIN_MS;
  #reportAt: Millis = 0;
  #begunAt: Millis = 0;
  #heardAt: Millis = 0;
  #finAt: Millis = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#positionMs = options.startMs;
  }

  /** How far it has played, or where it is going, in ms of the medium. */
  get positionMs(): Millis {
    return this.#commands.findLast(({ action }) => action === "seek")?.positionMs ?? this.#positionMs;
  }

  /** What is wrong with what the server answers; null when nothing was. */
  get problem(): string | null {
    return this.#problem;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** What waits to be played, in ms of the medium. */
  get bufferedMs(): Millis {
    return this.#info === null ? 0 : 1000 * this.#heldBytes / this.#info.rate;
  }

  /** Bytes that were passed over because they did not come in time. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Whether it was told to go elsewhere: then not everything was asked for. */
  get sought(): boolean {
    return this.#sought;
  }

  step(input: Input<Pdu, ReceiveCommand>, now: Millis): Effects {
    const out: Effects = [];
    if (this.#state === "closed") return out;
    if (input.type === "start") this.#start(out, now);
    else if (input.type === "message") this.#receive(input.message, out, now);
    else if (input.type === "command") this.#obey(input.command, out, now);
    else if (input.type === "timer") this.#onTimer(out, now);
    else this.#leave(out, now, input.error);
    return out;
  }

  deadline(): Millis | null {
    if (this.#state === "closed") return null;
    if (this.#state === "asking") return Math.min(this.#askAt, this.#begunAt + this.#answerMs);
    const times = [this.#reportAt, this.#heardAt + this.#options.silentMs];
    if (this.#commands.length > 0) times.push(this.#askAt);
    if (!this.#paused) {
      const head = this.#head();
      if (head) times.push(this.#playAt(head));
      else if (this.#state === "draining") times.push(this.#lastAt);
    }
    return Math.min(...times);
  }

  get #answerMs(): Millis {
    return this.#options.answerMs ?? ANSWER_MS;
  }

  /** Until when stragglers are waited for. */
  get #lastAt(): Millis {
    return this.#finAt + Math.max(STRAGGLER_MS, this.#options.bufferMs);
  }

  #start(out: Effects, now: Millis): void {
    this.#begunAt = this.#heardAt = now;
    this.#ask(out, now);
  }

  #ask(out: Effects, now: Millis): void {
    const { name, startMs } = this.#options;
    out.push({ type: "send", message: requestPdu(this.#session, { name, startMs, cookie: this.#cookie }) });
    this.#later(now);
  }

  #later(now: Millis): void {
    this.#askAt = now + this.#againMs;
    this.#againMs = Math.min(2 * this.#againMs, MAX_AGAIN_MS);
  }

  #receive(pdu: Pdu, out: Effects, now: Millis): void {
    if (pdu.session !== this.#session) return;
    this.#heardAt = now;
    try {
      if (pdu.type === "COOKIE") this.#takeCookie(readCookie(pdu), out, now);
      else if (pdu.type === "INFO") this.#takeInfo(readInfo(pdu), out, now);
      else if (pdu.type === "DATA") this.#takeData(readData(pdu), out, now);
      else if (pdu.type === "CONTROL") this.#confirm(readControl(pdu), out, now);
      else if (pdu.type === "FIN") this.#finish(pdu, out, now);
      else if (pdu.type === "ERROR") {
        const { code, text } = readError(pdu);
        this.#close(out, new NetlabError("reply", `the server says: ${text || `error ${code}`}`));
      }
    } catch (error) {
      // A server's datagram that cannot be read is as good as lost.
      if (!(error instanceof ProtocolError)) throw error;
      this.#problem ??= error.message;
      out.push({ type: "note", text: `dropped: ${error.message}` });
    }
  }

  #takeCookie(cookie: Uint8Array, out: Effects, now: Millis): void {
    if (this.#state !== "asking") return;
    this.#cookie = cookie;
    if (++this.#cookies > MAX_COOKIES) {
      this.#problem ??= "it gives cookies, and no INFO";
      return;
    }
    this.#againMs = AGAIN_MS;
    this.#ask(out, now);
  }

  #takeInfo(info: Info, out: Effects, now: Millis): void {
    if (this.#state !== "asking") return;
    this.#state = "playing";
    this.#info = info;
    this.#reportAt = now + REPORT_MS;
    this.#againMs = AGAIN_MS;
    out.push({ type: "event", event: { type: "info", info } });
    for (const { piece, at } of this.#early) this.#take(piece, out, at);
    this.#early = [];
    this.#command(out, now);
  }

  #takeData(piece: Piece, out: Effects, now: Millis): void {
    if (this.#state === "asking") {
      if (this.#early.length < MAX_EARLY) {
        this.#early.push({ piece: { ...piece, bytes: piece.bytes.slice() }, at: now });
      }
      return;
    }
    this.#take(piece, out, now);
    this.#play(out, now);
  }

  #take(piece: Piece, out: Effects, now: Millis): void {
    if (piece.offset + piece.bytes.length > this.#info!.size) return;
    const arrival = this.tally.take(piece, now);
    if (arrival === "duplicate" || arrival === "wild") return;
    out.push({ type: "event", event: { type: "arrived", piece } });
    if (piece.seq < this.#next) return;
    if (this.#paused && this.#full) return; // a server that does not wait
    this.#base ??= { at: now, timeMs: piece.timeMs };
    this.#held.set(piece.seq, { ...piece, bytes: piece.bytes.slice() });
    this.#heldBytes += piece.bytes.length;
  }

  /** What is played next: where the next one is missing, the first behind it. */
  #head(): Piece | undefined {
    const next = this.#held.get(this.#next);
    if (next !== undefined || this.#held.size === 0) return next;
    let first: Piece | undefined;
    for (const piece of this.#held.values()) if (first === undefined || piece.seq < first.seq) first = piece;
    return first;
  }

  get #full(): boolean {
    return this.#heldBytes > MAX_HELD_BYTES || this.#held.size > MAX_HELD;
  }

  #playAt({ timeMs }: Piece): Millis {
    if (this.#full) return this.#base!.at;
    return this.#base!.at + this.#options.bufferMs + timeMs - this.#base!.timeMs;
  }

  #play(out: Effects, now: Millis): void {
    if (this.#paused) return;
    for (let piece; (piece = this.#head()) !== undefined && this.#playAt(piece) <= now;) {
      this.#held.delete(piece.seq);
      this.#heldBytes -= piece.bytes.length;
      const ahead = piece.offset - (this.#nextOffset ?? piece.offset);
      const skipped = this.#sought ? Math.max(0, ahead) : ahead;
      this.#skippedBytes += Math.max(0, skipped);
      this.#next = piece.seq + 1;
      this.#nextOffset = piece.offset + piece.bytes.length;
      this.#positionMs = piece.timeMs;
      out.push({ type: "event", event: { type: "play", piece, skipped } });
    }
    if (this.#state !== "draining" || this.#held.size > 0) return;
    if (this.tally.lost === 0 || now >= this.#lastAt) this.#leave(out, now);
  }

  #obey(command: ReceiveCommand, out: Effects, now: Millis): void {
    if (command.type === "leave") return this.#leave(out, now);
    const { action, positionMs } = command;
    if (action === "pause") this.#paused = true;
    if (action === "seek") this.#sought = true;
    this.#commands.push({ number: ++this.#lastNumber, action, positionMs, first: 0 });
    if (this.#commands.length === 1) this.#command(out, now);
  }

  /** Sends the first command that has not been confirmed. */
  #command(out: Effects, now: Millis): void {
    const [command] = this.#commands;
    if (command === undefined || this.#state === "asking") return;
    out.push({ type: "send", message: controlPdu(this.#session, command) });
    this.#later(now);
  }

  #confirm({ number, action, positionMs, first }: Control, out: Effects, now: Millis): void {
    if (number !== this.#commands[0]?.number) return;
    this.#commands.shift();
    this.#confirmed = number;
    this.#againMs = AGAIN_MS;
    this.tally.restart(first);
    if (action === "seek") this.#jump(first, positionMs);
    if (action === "resume" && !this.#commands.some((later) => later.action === "pause")) this.#goOn(now);
    out.push({ type: "event", event: { type: "moved", action, positionMs } });
    this.#command(out, now);
  }

  /** What was sent before `first` is no longer wanted. */
  #jump(first: number, positionMs: Millis): void {
    this.#state = "playing";
    for (const [seq, piece] of this.#held) {
      if (seq >= first) continue;
      this.#held.delete(seq);
      this.#heldBytes -= piece.bytes.length;
    }
    this.#next = Math.max(this.#next, first);
    this.#nextOffset = null;
    this.#positionMs = positionMs;
    this.#base = null;
    const head = this.#head();
    if (head) this.#base = { at: this.#heardAt, timeMs: head.timeMs };
  }

  /** Plays on: what is here at once, and the rest behind it. */
  #goOn(now: Millis): void {
    this.#paused = false;
    const head = this.#head();
    this.#base = head ? { at: now - this.#options.bufferMs, timeMs: head.timeMs } : null;
  }

  #finish({ seq, flags }: Pdu, out: Effects, now: Millis): void {
    if (this.#state !== "playing" || flags !== (this.#confirmed & 0xff) || this.#commands.length > 0) return;
    this.#state = "draining";
    this.#finAt = now;
    this.tally.expect(seq);
    this.#play(out, now);
  }

  #onTimer(out: Effects, now: Millis): void {
    if (this.#state === "asking") {
      if (now >= this.#begunAt + this.#answerMs) return this.#close(out, noAnswer(this.#answerMs));
      if (now >= this.#askAt) this.#ask(out, now);
      return;
    }
    if (now >= this.#heardAt + this.#options.silentMs) return this.#close(out, silence(this.#options.silentMs));
    if (this.#commands.length > 0 && now >= this.#askAt) this.#command(out, now);
    if (now >= this.#reportAt) this.#report(out, now);
    this.#play(out, now);
  }

  #report(out: Effects, now: Millis): void {
    const { next, lost, jitterMs } = this.tally;
    out.push({ type: "send", message: reportPdu(this.#session, { next, lost, jitterMs }) });
    // By the plan, unless that has been missed.
    this.#reportAt = Math.max(this.#reportAt + REPORT_MS, now + REPORT_MS / 2);
  }

  #leave(out: Effects, now: Millis, error?: Error): void {
    if (this.#state !== "asking") this.#report(out, now);
    // Who has returned a cookie is about to be served.
    if (this.#state !== "asking" || this.#cookies > 0) {
      out.push({ type: "send", message: finPdu(this.#session, this.tally.next) });
    }
    this.#close(out, error);
  }

  #close(out: Effects, error?: Error): void {
    this.#state = "closed";
    out.push({ type: "close", error });
  }
}

function noAnswer(ms: Millis): NetlabError {
  return new NetlabError("timeout", `no answer for ${ms / 1000} s`, {
    hint: "is the server running, on this port, and does a firewall let UDP through? one of the seed's form needs " +
      "--wire seed",
  });
}

function silence(ms: Millis): NetlabError {
  return new NetlabError("timeout", `the server has said nothing for ${ms / 1000} s`, {
    hint: "it has ended, or the network is gone",
  });
}
