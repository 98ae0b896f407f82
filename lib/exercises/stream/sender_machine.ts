// The server's side of one stream, as a machine: it sends the pieces of a file when they are due, and no sooner.
//
//     playing ◄── resume / pause ──► paused        seek: on from another place
//        │ the last piece
//        ▼
//      ended ── FIN of the client, or no report for too long ──► closed
//
// When a piece is due follows from where it stands in the file, not from when the one before it was sent: so nothing adds up.

import { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Millis } from "../../protocol/clock.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import type { Random } from "../../protocol/random.ts";
import {
  type Control,
  controlPdu,
  dataPdu,
  ERROR_CODES,
  errorPdu,
  finPdu,
  type Info,
  infoPdu,
  MAX_PAYLOAD,
  MIN_PAYLOAD,
  offsetAt,
  type Pdu,
  readControl,
  readError,
  readReport,
  refusal,
  type Report,
  REPORT_MS,
  timeAt,
} from "./protocol.ts";

/** How much of the file is asked for at once, in bytes, and when there is less than half of it the next. */
export const BLOCK_BYTES = 65_536;
/** Who has been held up for longer goes on from there, and does not send at once what it has missed. */
const LATE_MS: Millis = 1000;

/** What a sender is made of. */
export interface SenderOptions {
  readonly session: number;
  readonly info: Info;
  readonly startMs: Millis;
  /** Without a report for so long, the client is gone; Infinity where clients do not report. */
  readonly idleMs: Millis;
  /** Decides how long each piece is. */
  readonly random: Random;
}

/** What its user tells it. */
export type SendCommand =
  /** Bytes that it has asked for; none when the file ends before. */
  | { readonly type: "data"; readonly offset: number; readonly bytes: Uint8Array }
  /** It is over, for a reason that is not the client's. */
  | { readonly type: "fail"; readonly code: number; readonly text: string };

/** What its user is told. */
export type SendEvent =
  /** Give me these bytes. */
  | { readonly type: "read"; readonly offset: number; readonly length: number }
  /** It is over: `why` in words. */
  | { readonly type: "over"; readonly why: string };

type Effects = Effect<Pdu, SendEvent>[];

/** The sender of one file to one client. */
export class SenderMachine implements Machine<Pdu, SendCommand, SendEvent> {
  readonly #options: SenderOptions;
  readonly #info: Info;
  readonly #session: number;
  #state: "playing" | "paused" | "ended" | "closed" = "playing";
  /** The next piece: its number, place and length. */
  #seq = 0;
  #offset: number;
  #length = 0;
  /** What has been read and not sent. */
  readonly #ahead = new ByteQueue(2 * BLOCK_BYTES);
  /** Where the bytes begin that have been asked for and not come: no others are asked for meanwhile. Null when none have. */
  #asked: number | null = null;
  /** The schedule: what stands at `#baseOffset` is due at `#baseAt`. */
  #baseAt: Millis = 0;
  #baseOffset = 0;
  /** When paused: how long after it goes on the next piece is due. */
  #waitMs: Millis = 0;
  #heardAt: Millis = 0;
  #sentAt: Millis = 0;
  #bytes = 0;
  #control: Control = { number: 0, action: "resume", positionMs: 0, first: 0 };
  #report: Report | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#info = options.info;
    this.#session = options.session;
    this.#offset = offsetAt(options.info, options.startMs);
  }

  /** Datagrams, and bytes of the file, that were sent. */
  get pieces(): number {
    return this.#seq;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What the client has said last. */
  get report(): Report | null {
    return this.#report;
  }

  step(input: Input<Pdu, SendCommand>, now: Millis): Effects {
    const out: Effects = [];
    if (this.#state === "closed") return out;
    if (input.type === "start") this.#start(out, now);
    else if (input.type === "message") this.#receive(input.message, out, now);
    else if (input.type === "command") this.#obey(input.command, out, now);
    else if (input.type === "timer") this.#onTimer(out, now);
    else this.#close(input.error?.message ?? "it left", out);
    return out;
  }

  deadline(): Millis | null {
    if (this.#state === "closed") return null;
    const gone = this.#heardAt + this.#options.idleMs;
    // Without bytes to send it is their coming that is waited for.
    const next = this.#state === "playing" && this.#ready ? Math.min(gone, this.#due) : gone;
    return next === Infinity ? null : next;
  }

  /** When the next piece is due. */
  get #due(): Millis {
    return this.#baseAt + timeAt(this.#info, this.#offset - this.#baseOffset);
  }

  /** Whether the next piece is here, or there is none. */
  get #ready(): boolean {
    return this.#ahead.length >= this.#length;
  }

  #start(out: Effects, now: Millis): void {
    this.#heardAt = now;
    this.#send(infoPdu(this.#session, this.#info), out, now);
    this.#goOn(now);
    this.#jump(out);
  }

  #receive(pdu: Pdu, out: Effects, now: Millis): void {
    try {
      if (pdu.type === "REQUEST") this.#send(infoPdu(this.#session, this.#info), out, now);
      else if (pdu.type === "REPORT") this.#hear(readReport(pdu), out, now);
      else if (pdu.type === "CONTROL") this.#answer(readControl(pdu), out, now);
      else if (pdu.type === "FIN") return this.#close(this.#state === "ended" ? "played to its end" : "it left", out);
      else if (pdu.type === "ERROR") return this.#close(`it said: ${readError(pdu).text}`, out);
      else return;
      this.#heardAt = now;
    } catch (error) {
      // What cannot be read is as good as lost: it is said again, or was never meant.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  /** Who reports and has not heard anything lately is told where we are: so the last word arrives, too. */
  #hear(report: Report, out: Effects, now: Millis): void {
    this.#report = report;
    if (this.#state === "ended") this.#send(finPdu(this.#session, this.#seq, this.#control.number), out, now);
    else if (now - this.#sentAt >= REPORT_MS) this.#send(infoPdu(this.#session, this.#info), out, now);
  }

  #answer(command: Control, out: Effects, now: Millis): void {
    if (command.number > this.#control.number) {
      this.#apply(command, out, now);
      const positionMs = timeAt(this.#info, this.#offset);
      this.#control = { ...command, positionMs, first: this.#seq };
    }
    this.#send(controlPdu(this.#session, this.#control), out, now);
  }

  #apply({ action, positionMs }: Control, out: Effects, now: Millis): void {
    if (action === "pause" && this.#state === "playing") {
      this.#state = "paused";
      this.#waitMs = Math.max(0, this.#due - now);
    } else if (action === "resume" && this.#state === "paused") {
      this.#state = "playing";
      this.#goOn(now + this.#waitMs);
    } else if (action === "seek") {
      if (this.#state === "ended") this.#state = "playing";
      this.#offset = offsetAt(this.#info, positionMs);
      this.#jump(out);
      this.#waitMs = 0;
      this.#goOn(now);
    }
  }

  /** The next piece is due then. */
  #goOn(at: Millis): void {
    this.#baseAt = at;
    this.#baseOffset = this.#offset;
  }

  /** What has been read ahead is of another place. */
  #jump(out: Effects): void {
    this.#ahead.skip(Infinity);
    this.#cut();
    this.#read(out);
  }

  /** Decides how long the next piece is. */
  #cut(): void {
    const length = this.#options.random.int(MIN_PAYLOAD, MAX_PAYLOAD);
    this.#length = Math.min(length, this.#info.size - this.#offset);
  }

  #read(out: Effects): void {
    const offset = this.#offset + this.#ahead.length;
    const length = Math.min(BLOCK_BYTES, this.#info.size - offset);
    if (this.#asked !== null || length === 0 || this.#ahead.length >= BLOCK_BYTES / 2) return;
    this.#asked = offset;
    out.push({ type: "event", event: { type: "read", offset, length } });
  }

  #obey(command: SendCommand, out: Effects, now: Millis): void {
    if (command.type === "fail") return this.#fail(command.code, command.text, out, now);
    if (command.offset !== this.#asked) return;
    this.#asked = null;
    // What was asked for before it went elsewhere is of no use.
    if (command.offset === this.#offset + this.#ahead.length) {
      if (command.bytes.length === 0) return this.#fail(ERROR_CODES.disk, refusal.shorter(), out, now);
      this.#ahead.push(command.bytes);
    }
    this.#read(out);
    this.#pump(out, now);
  }

  #onTimer(out: Effects, now: Millis): void {
    if (now >= this.#heardAt + this.#options.idleMs) return this.#close(refusal.silent(this.#options.idleMs), out);
    this.#pump(out, now);
  }

  /** Sends what is due. */
  #pump(out: Effects, now: Millis): void {
    if (this.#state !== "playing") return;
    if (now - this.#due > LATE_MS) this.#goOn(now);
    while (this.#length > 0 && this.#ready && this.#due <= now) {
      const piece = {
        seq: this.#seq++,
        offset: this.#offset,
        timeMs: timeAt(this.#info, this.#offset),
        bytes: this.#ahead.take(this.#length),
      };
      this.#send(dataPdu(this.#session, piece), out, now);
      this.#offset += this.#length;
      this.#bytes += this.#length;
      this.#cut();
      this.#read(out);
    }
    if (this.#length > 0) return;
    this.#state = "ended";
    this.#send(finPdu(this.#session, this.#seq, this.#control.number), out, now);
  }

  #send(message: Pdu, out: Effects, now: Millis): void {
    this.#sentAt = now;
    out.push({ type: "send", message });
  }

  #fail(code: number, text: string, out: Effects, now: Millis): void {
    this.#send(errorPdu(this.#session, code, text), out, now);
    this.#close(text, out);
  }

  #close(why: string, out: Effects): void {
    this.#state = "closed";
    out.push({ type: "event", event: { type: "over", why } }, { type: "close" });
  }
}
