// The receiver of one file, as a machine: it puts the chunks in order, acknowledges them, and says at the end whether the file
// is there.
//
//     opening ── accept ─► receiving ── FIN ─► finishing ── the file is in its place ─► over: DONE to each FIN
//        │ refuse              │ silence          │ the digest is another, chunks are lost
//        └─────────────────────┴──────────────────┴───────────────────────────────────► over: ERROR
//
// What is acknowledged has been handed over, in order; only DONE says that it is on the disk.

import type { Millis } from "../../protocol/clock.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { count } from "../../protocol/text.ts";
import { Gaps } from "../gaps.ts";
import { Ahead, type Room } from "./ahead.ts";
import {
  acceptPdu,
  ackPdu,
  chunksOf,
  donePdu,
  ERROR_CODES,
  errorPdu,
  FLAG_PUSH,
  formatRanges,
  HEADER_BYTES,
  type Offer,
  type Pdu,
  readError,
  refusal,
} from "./protocol.ts";

/** What a receiver is made of. */
export interface ReceiverOptions extends Offer {
  readonly session: number;
  /** The largest file, in bytes: where the size was not said, that shows only as it comes. @default {Infinity} */
  readonly maxSize?: number;
  /** The most chunks that are kept out of order. */
  readonly maxWindow: number;
  /** What these, and holes, may take, in bytes, of all receivers that are given the same. @default {Infinity} */
  readonly room?: Room;
  /** How long it may be silent, and how long it may take to begin. */
  readonly idleMs: Millis;
  readonly beginMs: Millis;
}

/** What its user tells it. */
export type ReceiveCommand =
  /** The file may come, from chunk `next` on; `digest` is of what is there before, if it goes on. */
  | { readonly type: "accept"; readonly next: number; readonly digest: Uint8Array | null }
  /** It may not, or no longer. */
  | { readonly type: "fail"; readonly code: number; readonly text: string }
  /** It is complete and in its place. */
  | { readonly type: "finished" };

/** What its user is told. */
export type ReceiveEvent =
  /** A chunk: in order, and each once; with `none` in any order. The bytes are a view. */
  | { readonly type: "data"; readonly seq: number; readonly bytes: Uint8Array }
  /** All of it has come: is this its digest? */
  | { readonly type: "finish"; readonly digest: Uint8Array; readonly chunks: number }
  /** It is over, and not well. */
  | { readonly type: "failed"; readonly text: string };

type Effects = Effect<Pdu, ReceiveEvent>[];

/** How long an acknowledgement may be held back, and how long stragglers may come behind FIN where nothing is repeated. */
export const ACK_DELAY_MS: Millis = 20;
export const STRAGGLER_MS: Millis = 500;
/** How long the last word is repeated to who has not heard it. */
export const LAST_WORD_MS: Millis = 120_000;
/** The same of a refusal, behind which OPEN comes again once more at most: then it is refused anew. */
export const REFUSAL_MS: Millis = 5000;

/** Without acknowledgements: with more holes than this a file is given up. Each is remembered, and nothing will fill it. */
const MAX_GAPS = 100_000;
/** What remembering a hole takes, in bytes. */
const GAP_COST = 128;

/** The receiver of one file. */
export class ReceiverMachine implements Machine<Pdu, ReceiveCommand, ReceiveEvent> {
  readonly #options: ReceiverOptions;
  readonly #session: number;
  readonly #total: number | null;
  readonly #lastBytes: number;
  readonly #window: number;
  readonly #ackEvery: number;
  #state: "opening" | "receiving" | "straggling" | "finishing" | "over" | "closed" = "opening";
  #accepted: Pdu | null = null;
  #lastWord: Pdu | null = null;
  #first = 0;
  /** The next chunk expected; everything before it has been handed over. */
  #next = 0;
  /** Behind the highest that has been seen. */
  #seen = 0;
  readonly #room: Room;
  /** Selective repeat: what has come ahead of its turn. */
  readonly #ahead: Ahead;
  /** Without acknowledgements: what has come. */
  #gaps = new Gaps();
  /** A chunk shorter than the others is the last. */
  #short = Infinity;
  #fin: Pdu | null = null;
  #duplicates = 0;
  #unacknowledged = 0;
  #unacknowledgedBytes = 0;
  #unacknowledgedSince: Millis = 0;
  #heardAt: Millis = 0;
  /** When a state that does not last ends. */
  #until: Millis = 0;

  constructor(options: ReceiverOptions) {
    const { size, chunk, scheme } = options;
    this.#options = options;
    this.#session = options.session;
    this.#total = size === null ? null : chunksOf(size, chunk);
    this.#lastBytes = size === null ? 0 : size - chunk * Math.max(0, this.#total! - 1);
    this.#window = scheme === "stop-and-wait" ? 1 : Math.max(1, Math.min(options.window, options.maxWindow));
    this.#room = options.room ?? { bytes: Infinity };
    this.#ahead = new Ahead(this.#window, this.#room);
    this.#ackEvery = Math.max(1, this.#window >> 4);
  }

  /** Chunks that came more than once. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Whether the first chunk, or the end, has come. */
  get begun(): boolean {
    return this.#seen > this.#first || this.#fin !== null;
  }

  get #patienceMs(): Millis {
    return this.begun ? this.#options.idleMs : this.#options.beginMs;
  }

  /** Whether the last word has been said: nothing more will be handed over. */
  get over(): boolean {
    return this.#state === "over" || this.#state === "closed";
  }

  /** When the sender was last heard. */
  get heardAt(): Millis {
    return this.#heardAt;
  }

  step(input: Input<Pdu, ReceiveCommand>, now: Millis): Effects {
    const out: Effects = [];
    if (this.#state === "closed") return out;
    switch (input.type) {
      case "start":
        this.#heardAt = now;
        break;
      case "message":
        this.#receive(input.message, out, now);
        break;
      case "command":
        this.#obey(input.command, out, now);
        break;
      case "timer":
        this.#onTimer(out, now);
        break;
      case "end":
        if (!this.over) {
          out.push({ type: "event", event: { type: "failed", text: input.error?.message ?? "it left" } });
        }
        this.#close(out);
    }
    return out;
  }

  deadline(): Millis | null {
    switch (this.#state) {
      case "opening":
      case "finishing":
        return null;
      case "receiving": {
        const idle = this.#heardAt + this.#patienceMs;
        return this.#unacknowledged === 0 ? idle : Math.min(idle, this.#unacknowledgedSince + ACK_DELAY_MS);
      }
      case "straggling":
      case "over":
        return this.#until;
      case "closed":
        return null;
    }
  }

  #receive(pdu: Pdu, out: Effects, now: Millis): void {
    if (pdu.session !== this.#session) return;
    this.#heardAt = now;
    if (pdu.type === "ERROR") {
      if (this.over) return;
      out.push({ type: "event", event: { type: "failed", text: `the sender: ${readError(pdu).text}` } });
      return this.#close(out);
    }
    if (this.#state === "over") {
      // Who goes on has not heard the last word: a refusal is told again at once, the end when it is asked for.
      if (pdu.type !== "FIN" && this.#lastWord!.type !== "ERROR") return;
      this.#until = now + this.#lastWordMs;
      out.push({ type: "send", message: this.#lastWord! });
    } else if (pdu.type === "OPEN") {
      if (this.#accepted !== null) out.push({ type: "send", message: this.#accepted });
    } else if (this.#state !== "receiving" && this.#state !== "straggling") return;
    else if (pdu.type === "DATA") this.#take(pdu, out, now);
    else if (pdu.type === "FIN") this.#finish(pdu, out, now);
  }

  #obey(command: ReceiveCommand, out: Effects, now: Millis): void {
    if (this.over) return;
    if (command.type === "accept") {
      this.#state = "receiving";
      this.#heardAt = now;
      this.#next = this.#seen = this.#first = command.next;
      this.#accepted = acceptPdu(this.#session, command.next, this.#window, command.digest);
      out.push({ type: "send", message: this.#accepted });
    } else if (command.type === "fail") {
      this.#end(errorPdu(this.#session, command.code, command.text), out, now);
      out.push({ type: "event", event: { type: "failed", text: command.text } });
    } else this.#end(donePdu(this.#session, this.#fin!.seq, this.#duplicates), out, now);
  }

  #take(pdu: Pdu, out: Effects, now: Millis): void {
    const { seq, payload } = pdu;
    const { chunk, maxSize = Infinity } = this.#options;
    if (this.#total === null && seq * chunk + payload.length > maxSize) {
      const text = `too large: the limit is ${maxSize} bytes`;
      return this.#obey({ type: "fail", code: ERROR_CODES.tooLarge, text }, out, now);
    }
    if (!this.#fits(pdu)) {
      const text = `DATA ${seq} with ${count(payload.length, "byte")} is no chunk of this file: dropped`;
      return void out.push({ type: "note", text });
    }
    if (payload.length < this.#options.chunk) this.#short = Math.min(this.#short, seq);
    if (this.#options.scheme === "none") {
      this.#seen = Math.max(this.#seen, seq + 1);
      const before = this.#gaps.count;
      if (!this.#gaps.add(seq)) {
        this.#duplicates++;
        return;
      }
      this.#room.bytes -= GAP_COST * (this.#gaps.count - before);
      out.push({ type: "event", event: { type: "data", seq, bytes: payload } });
      if (this.#gaps.count > MAX_GAPS) return this.#failLost(this.#seen, out, now);
      if (this.#room.bytes < 0) {
        return this.#obey({ type: "fail", code: ERROR_CODES.busy, text: refusal.noRoom() }, out, now);
      }
      if (this.#state === "straggling") {
        this.#until = now + STRAGGLER_MS;
        this.#finish(this.#fin!, out, now);
      }
      return;
    }
    if (seq >= this.#next + this.#window) return;
    // The next one, and no hole is shown or filled: then the acknowledgement may wait for a few more.
    const plain = seq === this.#seen;
    this.#seen = Math.max(this.#seen, seq + 1);
    if (seq === this.#next) {
      this.#next++;
      out.push({ type: "event", event: { type: "data", seq, bytes: payload } });
      for (let next; (next = this.#ahead.take(this.#next)) !== undefined;) {
        out.push({ type: "event", event: { type: "data", seq: this.#next++, bytes: next } });
      }
    } else if (seq < this.#next || this.#ahead.has(seq)) this.#duplicates++;
    else if (this.#options.scheme === "selective-repeat") this.#ahead.keep(seq, payload);
    this.#unacknowledgedBytes += HEADER_BYTES + payload.length;
    if (this.#unacknowledged++ === 0) this.#unacknowledgedSince = now;
    if (!plain || (pdu.flags & FLAG_PUSH) !== 0 || this.#unacknowledged >= this.#ackEvery) this.#acknowledge(out);
  }

  /** Whether a chunk of that number and length is part of the file. */
  #fits({ seq, payload }: Pdu): boolean {
    const { chunk } = this.#options;
    if (this.#total === null) return payload.length > 0 && payload.length <= chunk && seq <= this.#short;
    return seq < this.#total && payload.length === (seq === this.#total - 1 ? this.#lastBytes : chunk);
  }

  #acknowledge(out: Effects): void {
    const bitmap = this.#bitmap();
    this.#unacknowledged = this.#unacknowledgedBytes = 0;
    out.push({ type: "send", message: ackPdu(this.#session, this.#next, bitmap) });
  }

  /**
   * Which chunks behind the next one have come, but no more bytes of it than have come since the last one: over UDP whoever
   * is answered need not be who has asked.
   */
  #bitmap(): Uint8Array | undefined {
    if (this.#ahead.size === 0) return undefined;
    return this.#ahead.bitmap(this.#next + 1, Math.min(this.#seen - this.#next - 1, 8 * this.#unacknowledgedBytes));
  }

  #finish(fin: Pdu, out: Effects, now: Millis): void {
    if (this.#total !== null && fin.seq !== this.#total) {
      return this.#obey(
        {
          type: "fail",
          code: ERROR_CODES.request,
          text: `FIN says ${fin.seq} chunks, OPEN said ${this.#total}`,
        },
        out,
        now,
      );
    }
    const reliable = this.#options.scheme !== "none";
    // Where chunks are acknowledged, FIN is said behind the last acknowledgement: who says it before is told what is missing.
    if (reliable && fin.seq !== this.#next) return this.#acknowledge(out);
    this.#fin ??= { ...fin, payload: fin.payload.slice() };
    if (!reliable && this.#gaps.missing(fin.seq) > 0) {
      if (this.#state !== "straggling") this.#until = now + STRAGGLER_MS;
      this.#state = "straggling";
      return;
    }
    this.#state = "finishing";
    out.push({ type: "event", event: { type: "finish", digest: this.#fin.payload, chunks: fin.seq } });
  }

  #onTimer(out: Effects, now: Millis): void {
    const deadline = this.deadline();
    if (deadline === null || now < deadline) return;
    if (this.#state === "over") return this.#close(out);
    if (this.#state === "straggling") return this.#failLost(this.#fin!.seq, out, now);
    if (this.#unacknowledged > 0 && now >= this.#unacknowledgedSince + ACK_DELAY_MS) return this.#acknowledge(out);
    const text = refusal.silent(this.#patienceMs);
    this.#obey({ type: "fail", code: ERROR_CODES.timeout, text }, out, now);
  }

  /** @param chunks how many there are, or have been seen */
  #failLost(chunks: number, out: Effects, now: Millis): void {
    const text = refusal.lost(this.#gaps.missing(chunks), chunks, formatRanges(this.#gaps.ranges(chunks)));
    this.#obey({ type: "fail", code: ERROR_CODES.lost, text }, out, now);
  }

  #end(lastWord: Pdu, out: Effects, now: Millis): void {
    this.#state = "over";
    this.#until = now + this.#lastWordMs;
    this.#forget();
    this.#lastWord = lastWord;
    out.push({ type: "send", message: lastWord });
  }

  /** What has come is no longer asked for. */
  #forget(): void {
    this.#ahead.clear();
    this.#room.bytes += GAP_COST * this.#gaps.count;
    this.#gaps = new Gaps();
  }

  get #lastWordMs(): Millis {
    return this.#accepted === null ? REFUSAL_MS : LAST_WORD_MS;
  }

  #close(out: Effects): void {
    this.#state = "closed";
    this.#forget();
    out.push({ type: "close" });
  }
}
