// The sender of one file, as a machine: it is given the file's bytes, cuts them into chunks, and sends what its scheme allows.
//
//     opening ── ACCEPT ─► sending ── every chunk acknowledged, or sent where nothing is ─► finishing ── DONE ─► closed
//        │ RTO: OPEN again    │ RTO: again, what the scheme says                                │ RTO: FIN again
//        └────────────────────┴─────────── more than `retries` in a row, or ERROR ──────────────┴────────► closed, failed
//
//     stop-and-wait     go-back-n of a window of 1
//     go-back-n         one timer, for the oldest chunk: then the whole window again
//     selective-repeat  a timer for each chunk: then that chunk again
//     none              no timer

import type { Millis } from "../../protocol/clock.ts";
import { type ErrorKind, NetlabError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { RtoEstimator, type RtoOptions } from "../../protocol/rto.ts";
import { Flight } from "./flight.ts";
import { burstOf, Pacer } from "./pacer.ts";
import {
  chunksOf,
  ERROR_CODES,
  errorPdu,
  finPdu,
  FLAG_PUSH,
  HEADER_BYTES,
  MAX_CHUNKS,
  type Offer,
  openPdu,
  payloadBytes,
  type Pdu,
  readAccept,
  readDuplicates,
  readError,
  sealPdu,
} from "./protocol.ts";

/** What a sender is made of. */
export interface SenderOptions extends Offer {
  /** Unlike that of any other transfer from this address, and not to be guessed. */
  readonly session: number;
  /** How many timeouts in a row, without anything acknowledged, are borne. */
  readonly retries: number;
  readonly rto?: RtoOptions;
  /** Whether a large window is not sent all at once: a socket's buffer holds less, and UDP loses the rest. */
  readonly paced?: boolean;
  /** Whether to tell of each chunk and acknowledgement. */
  readonly marks?: boolean;
}

/** What its user tells it. */
export type SendCommand =
  /** The next bytes of the file; the machine keeps them until they have been sent. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** There are no more; this is the SHA-256 of the whole file. */
  | { readonly type: "finish"; readonly digest: Uint8Array }
  /** It is given up; why. @default {kind: "harness"} the file is not to be had */
  | { readonly type: "cancel"; readonly why: string; readonly kind?: ErrorKind };

/** What its user is told. */
export type SendEvent =
  /** The receiver wants the file from chunk `next` on; `digest` is of what it has before, if it goes on. */
  | { readonly type: "accepted"; readonly next: number; readonly digest: Uint8Array | null }
  /** Give it more of the file. */
  | { readonly type: "hungry" }
  | { readonly type: "done" };

type Effects = Effect<Pdu, SendEvent>[];

const NO_BITS = new Uint8Array(0);

/** Errors behind which what has come is kept. */
const RESUMABLE: readonly number[] = [
  ERROR_CODES.unknownSession,
  ERROR_CODES.timeout,
  ERROR_CODES.cancelled,
];

/** With nothing to send for so long, OPEN is said again: a receiver that hears nothing takes us for gone. */
const STILL_HERE_MS: Millis = 2000;

/** With less than this to send, in bytes, it asks for more. */
const LOW_BYTES = 262_144;

/** The sender of one file. */
export class SenderMachine implements Machine<Pdu, SendCommand, SendEvent> {
  readonly rto: RtoEstimator;
  readonly #options: SenderOptions;
  readonly #session: number;
  readonly #chunk: number;
  readonly #selective: boolean;
  readonly #reliable: boolean;
  #state: "opening" | "sending" | "finishing" | "closed" = "opening";
  #window: number;
  /** The oldest chunk that is not acknowledged, the next to send, and the first that was never sent. */
  #base = 0;
  #next = 0;
  #unsent = 0;
  #first = 0;
  /** The window, a slot each: chunk s is in slot s mod window, as the PDU that was sent. */
  #slots: Uint8Array[] = [];
  #flight: Flight | null = null;
  #pacer: Pacer | null = null;
  /** Without a timer for each chunk: since when we wait for the oldest, or for the answer to OPEN or FIN; null when for nothing. */
  #waitingSince: Millis | null = null;
  #timeouts = 0;
  #backedOffAt: Millis = -Infinity;
  #openSent = 0;
  #saidAt: Millis = 0;
  /** What has been given to us and not been sent. */
  readonly #blocks: Uint8Array[] = [];
  #blockAt = 0;
  #buffered = 0;
  #asked = false;
  #digest: Uint8Array | null = null;
  #chunksSent = 0;
  #retransmissions = 0;
  #duplicates = 0;
  #failure: Error | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#chunk = options.chunk;
    this.#selective = options.scheme === "selective-repeat";
    this.#reliable = options.scheme !== "none";
    this.#window = options.scheme === "stop-and-wait" ? 1 : options.window;
    this.rto = new RtoEstimator(options.rto);
  }

  /** Whether an interrupted transfer can be gone on with: not without acknowledgements, nor of what can be read once only. */
  get resumable(): boolean {
    return this.#reliable && this.#options.size !== null;
  }

  /** What to do when it was interrupted. */
  get remedy(): string {
    return this.resumable ? "the rest can be sent with --resume" : "send it again from the beginning";
  }

  get session(): number {
    return this.#session;
  }

  /** Whether the receiver has answered. */
  get accepted(): boolean {
    return this.#state !== "opening";
  }

  /** The first chunk that the receiver did not have. */
  get first(): number {
    return this.#first;
  }

  /** Chunks that the receiver is known to have, in order; where nothing is acknowledged, that have been sent. */
  get progress(): number {
    return this.#reliable ? this.#base : this.#next;
  }

  /** DATA sent, retransmissions included. */
  get chunksSent(): number {
    return this.#chunksSent;
  }

  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** What the receiver has got twice, by its own account at the end. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** As the receiver allows it. */
  get window(): number {
    return this.#window;
  }

  /** Chunks sent and not acknowledged. */
  get inFlight(): number {
    return this.#next - this.#base;
  }

  /** Whether it has ended, and why, if not well. */
  get over(): boolean {
    return this.#state === "closed";
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  step(input: Input<Pdu, SendCommand>, now: Millis): Effects {
    const out: Effects = [];
    if (this.#state === "closed") return out;
    switch (input.type) {
      case "start":
        this.#sendOpen(out, now);
        break;
      case "message":
        if (input.message.session === this.#session) this.#receive(input.message, out, now);
        break;
      case "command":
        this.#obey(input.command, out, now);
        break;
      case "timer":
        this.#onTimer(out, now);
        break;
      case "end":
        this.#close(
          out,
          input.error ?? new NetlabError("transport", `the receiver ended the connection: ${this.#progress()}`, {
            hint: this.remedy,
          }),
        );
    }
    return out;
  }

  deadline(): Millis | null {
    if (this.#state === "closed") return null;
    const timeout = this.#timeoutAt() ?? this.#stillHereAt;
    const until = this.#pacer?.until ?? null;
    return timeout === null || until === null ? timeout ?? until : Math.min(timeout, until);
  }

  /** When something has waited for an acknowledgement for too long; null when nothing waits. */
  #timeoutAt(): Millis | null {
    if (this.#state === "sending" && this.#selective) {
      const oldestAt = this.#flight!.oldestAt;
      return oldestAt === null ? null : oldestAt + this.rto.rtoMs;
    }
    return this.#waitingSince === null ? null : this.#waitingSince + this.rto.rtoMs;
  }

  /** When to say that we are still here; null when the receiver is to say something first. */
  get #stillHereAt(): Millis | null {
    return this.#state === "sending" ? this.#saidAt + STILL_HERE_MS : null;
  }

  #obey(command: SendCommand, out: Effects, now: Millis): void {
    if (command.type === "cancel") {
      out.push({ type: "send", message: errorPdu(this.#session, ERROR_CODES.cancelled, command.why) });
      return this.#close(out, new NetlabError(command.kind ?? "harness", command.why));
    }
    if (command.type === "finish") this.#digest = command.digest;
    else if (command.bytes.length > 0) {
      this.#blocks.push(command.bytes);
      this.#buffered += command.bytes.length;
    }
    this.#asked = false;
    this.#sendMore(out, now);
  }

  #receive(pdu: Pdu, out: Effects, now: Millis): void {
    if (pdu.type === "ERROR") {
      const { code, text } = readError(pdu);
      const hint = RESUMABLE.includes(code)
        ? `${this.#progress()}; ${this.remedy}`
        : code === ERROR_CODES.lost
        ? "--arq selective-repeat sends again what is lost"
        : undefined;
      this.#close(out, new NetlabError("reply", `the receiver: ${text || `error ${code}`}`, { hint }));
    } else if (pdu.type === "ACCEPT" && this.#state === "opening") this.#accepted(pdu, out, now);
    else if (pdu.type === "ACK" && this.#state === "sending" && this.#reliable) this.#acknowledged(pdu, out, now);
    else if (pdu.type === "DONE" && this.#state === "finishing" && pdu.seq === this.#unsent) {
      this.#duplicates = readDuplicates(pdu);
      this.#base = this.#unsent;
      out.push({ type: "event", event: { type: "done" } });
      this.#close(out);
    }
  }

  #sendOpen(out: Effects, now: Millis): void {
    this.#openSent++;
    this.#waitingSince = now;
    this.#sayOpen(out, now);
  }

  #sayOpen(out: Effects, now: Millis): void {
    this.#saidAt = now;
    out.push({ type: "send", message: openPdu(this.#session, this.#options) });
  }

  #accepted(pdu: Pdu, out: Effects, now: Millis): void {
    const accept = readAccept(pdu);
    if (accept === null) return;
    if (pdu.seq > 0 && !this.#options.resume) {
      const text = `ACCEPT asks for chunk ${pdu.seq} first, and there is nothing to go on with`;
      out.push({ type: "send", message: errorPdu(this.#session, ERROR_CODES.request, text) });
      const hint = "only with --resume may it begin behind chunk 0";
      return this.#close(out, new NetlabError("protocol", `the receiver: ${text}`, { hint }));
    }
    this.#state = "sending";
    this.#timeouts = 0;
    // To go on, the receiver first reads what it has: that is no round trip.
    if (this.#openSent === 1 && !this.#options.resume) this.rto.sample(now - this.#waitingSince!);
    this.#waitingSince = null;
    this.#window = Math.min(this.#window, accept.window);
    this.#base =
      this.#next =
      this.#unsent =
      this.#first =
        pdu.seq;
    const burst = burstOf(this.#chunk);
    const atOnce = this.#reliable ? this.#window : Infinity;
    if (this.#options.paced && atOnce > burst) this.#pacer = new Pacer(atOnce, burst, now);
    if (this.#reliable) {
      const bytes = this.#chunk + HEADER_BYTES;
      const buffer = new Uint8Array(this.#window * bytes);
      this.#slots = Array.from({ length: this.#window }, (_, i) => buffer.subarray(i * bytes, (i + 1) * bytes));
      this.#flight = new Flight(this.#window, this.#base, this.#selective);
    }
    out.push({ type: "event", event: { type: "accepted", next: pdu.seq, digest: accept.digest } });
    this.#sendMore(out, now);
  }

  #acknowledged({ seq, payload }: Pdu, out: Effects, now: Millis): void {
    if (seq < this.#base || seq > this.#unsent) return;
    this.#mark(out, "acknowledged", seq);
    const before = this.#onTheWay;
    const { count, first, newest } = this.#flight!.acknowledge(
      seq,
      this.#selective ? payload : NO_BITS,
      this.#unsent,
      now,
    );
    this.#base = seq;
    this.#next = Math.max(this.#next, seq);
    if (first !== null) {
      this.rto.sample(now - first);
      this.#pacer?.measured(count, before, now - first, this.rto.minRttMs!);
    } else if (count > 0 && !this.#selective && seq < this.#unsent) {
      // Go-back-n sends the whole window again: while chunks get lost, nothing can be measured, and it would wait ever longer.
      this.rto.endBackOff();
    }
    if (count > 0) {
      this.#timeouts = 0;
      this.#waitingSince = this.#base === this.#unsent ? null : now;
      this.#pacer?.refill(count, now);
      if (this.#selective) {
        this.#findHoles(newest);
        this.#findLate(out, now);
      }
    }
    this.#sendMore(out, now);
  }

  /**
   * Paced, a chunk is lost when one has come that was sent half the shortest round trip after it, or later (RACK, RFC 8985):
   * what a socket's buffer had no room for would else wait for a timer each time. What is overtaken by less is only late.
   */
  #findHoles(newest: Millis): void {
    const { minRttMs } = this.rto;
    if (this.#pacer !== null && minRttMs !== null) this.#flight!.lose(newest - minRttMs / 2);
  }

  /** How many chunks are known to be on the way. */
  get #onTheWay(): number {
    if (!this.#reliable) return 0;
    return this.#selective ? this.#flight!.size : this.#next - this.#base;
  }

  #mayLeave(now: Millis): boolean {
    return this.#pacer === null || this.#pacer.mayLeave(this.#onTheWay, now);
  }

  /** Sends what may be sent, asks for more, and finishes when there is no more. */
  #sendMore(out: Effects, now: Millis): void {
    if (this.#state !== "sending") return;
    for (let lost; (lost = this.#flight?.lost ?? null) !== null;) {
      if (!this.#mayLeave(now)) return;
      this.#resend(lost, out, now);
    }
    // Go-back-n has gone back.
    for (; this.#next < this.#unsent; this.#next++) {
      if (!this.#mayLeave(now)) return;
      this.#resend(this.#next, out, now);
    }
    while (this.#mayCut() && (!this.#reliable || this.#next < this.#base + this.#window)) {
      if (!this.#mayLeave(now)) break;
      if (this.#next === MAX_CHUNKS) {
        return this.#close(out, new NetlabError("limit", `the file has more than ${MAX_CHUNKS} chunks`));
      }
      const bytes = Math.min(this.#chunk, this.#buffered);
      const wire = this.#reliable
        ? this.#slots[this.#next % this.#window].subarray(0, HEADER_BYTES + bytes)
        : new Uint8Array(HEADER_BYTES + bytes);
      this.#cut(wire.subarray(HEADER_BYTES));
      const push = this.#reliable && (
        !this.#mayCut() || this.#next + 1 === this.#base + this.#window ||
        (this.#pacer !== null && (this.#next + 1) % this.#pacer.pushEvery === 0)
      );
      sealPdu(wire, "DATA", push ? FLAG_PUSH : 0, this.#session, this.#next);
      this.#send(wire, this.#next++, false, out, now);
      this.#unsent = this.#next;
    }
    if (this.#digest === null && !this.#asked && this.#buffered < LOW_BYTES) {
      this.#asked = true;
      out.push({ type: "event", event: { type: "hungry" } });
    }
    if (this.#digest !== null && this.#buffered === 0 && (!this.#reliable || this.#base === this.#unsent)) {
      this.#state = "finishing";
      this.#sendFin(out, now);
    }
  }

  #sendFin(out: Effects, now: Millis): void {
    this.#waitingSince = now;
    out.push({ type: "send", message: finPdu(this.#session, this.#next, this.#digest!) });
  }

  #send(wire: Uint8Array, seq: number, again: boolean, out: Effects, now: Millis): void {
    this.#chunksSent++;
    this.#saidAt = now;
    if (again) this.#retransmissions++;
    if (this.#reliable) this.#waitingSince ??= now;
    this.#flight?.sent(seq, again, now);
    this.#pacer?.left();
    this.#mark(out, again ? "resent" : "sent", seq);
    const payload = wire.subarray(HEADER_BYTES);
    out.push({ type: "send", message: { type: "DATA", flags: wire[1], session: this.#session, seq, payload, wire } });
  }

  #onTimer(out: Effects, now: Millis): void {
    const until = this.#pacer?.until ?? null;
    if (until !== null && now >= until) {
      this.#pacer!.refill(0, now);
      this.#sendMore(out, now);
    }
    const timeout = this.#timeoutAt();
    if (timeout === null && this.#stillHereAt !== null && now >= this.#stillHereAt) return this.#sayOpen(out, now);
    if (timeout === null || now < timeout) return;
    if (this.#state === "sending" && this.#selective) {
      this.#findLate(out, now);
      return this.#sendMore(out, now);
    }
    if (!this.#countTimeout(out, now)) return;
    if (this.#state === "opening") this.#sendOpen(out, now);
    else if (this.#state === "finishing") this.#sendFin(out, now);
    else {
      this.#waitingSince = now;
      this.#next = this.#base;
      this.#sendMore(out, now);
    }
  }

  /** Selective repeat: what has waited for too long is lost, and nothing else. */
  #findLate(out: Effects, now: Millis): void {
    for (let at; (at = this.#flight!.oldestAt) !== null && at + this.rto.rtoMs <= now;) {
      this.#flight!.lose(Math.max(at, now - this.rto.rtoMs)); // which may be rounded
      // What was sent together is lost together: that is one timeout, and one reason to wait longer.
      if (at >= this.#backedOffAt && !this.#countTimeout(out, now)) return;
    }
  }

  /** @returns false when it was one too many */
  #countTimeout(out: Effects, now: Millis): boolean {
    this.#mark(out, "timeout", this.#base);
    if (++this.#timeouts > this.#options.retries) {
      this.#giveUp(out);
      return false;
    }
    this.rto.backOff();
    this.#pacer?.lost();
    this.#backedOffAt = now;
    return true;
  }

  #giveUp(out: Effects): void {
    this.#close(
      out,
      new NetlabError("timeout", `no answer to ${this.#timeouts} tries: ${this.#progress()}`, {
        hint: this.#state === "opening"
          ? "is a receiver there, on the same --transport, and the address right?"
          : this.remedy,
      }),
    );
  }

  #resend(seq: number, out: Effects, now: Millis): void {
    const wire = this.#slots[seq % this.#window];
    this.#send(wire.subarray(0, HEADER_BYTES + payloadBytes(wire)), seq, true, out, now);
  }

  /** Whether there is a whole chunk to send, or the last. */
  #mayCut(): boolean {
    return this.#buffered >= this.#chunk || (this.#digest !== null && this.#buffered > 0);
  }

  /** Takes the next bytes of the file. */
  #cut(into: Uint8Array): void {
    for (let at = 0; at < into.length;) {
      const block = this.#blocks[0];
      const part = block.subarray(this.#blockAt, this.#blockAt + into.length - at);
      into.set(part, at);
      at += part.length;
      this.#blockAt += part.length;
      if (this.#blockAt === block.length) {
        this.#blocks.shift();
        this.#blockAt = 0;
      }
    }
    this.#buffered -= into.length;
  }

  #progress(): string {
    const { size } = this.#options;
    const of = size === null ? "" : ` of ${chunksOf(size, this.#chunk)}`;
    return `${this.progress}${of} chunks ${this.#reliable ? "acknowledged" : "sent"}`;
  }

  #mark(out: Effects, what: "sent" | "resent" | "acknowledged" | "timeout", seq: number): void {
    if (this.#options.marks) out.push({ type: "mark", what, seq });
  }

  #close(out: Effects, error?: Error): void {
    this.#state = "closed";
    this.#failure = error;
    out.push({ type: "close", error });
  }
}
