// The seed's own form of a transfer, as machines: bare chunks, and over TCP the three bytes ACK after each.
//
//     TCP   100 bytes ►  ◄ ACK   100 bytes ►  ◄ ACK   …   the end of the stream ends the file
//     UDP   100 bytes ►  100 bytes ►  …                    an empty datagram ends the file
//
// Nothing is numbered. A sender that hears nothing for 2 s sends its chunk again, although TCP loses nothing; then two
// acknowledgements come, and who takes the second for the next chunk's is ahead of the receiver from then on. Here each
// acknowledgement is counted for the copy it belongs to.

import type { Millis } from "../../protocol/clock.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { encodeText, escapeBytes } from "../../protocol/text.ts";
import type { SendCommand } from "./sender_machine.ts";

export const SEED_CHUNK = 100;
export const SEED_TIMEOUT_MS: Millis = 2000;
const ACK = encodeText("ACK");

/** How long a chunk may stay shorter than the others before it is taken for the last. */
export const SHORT_MS: Millis = 50;
/** The same chunk once more, after so long a silence, is taken for sent again. */
export const AGAIN_MS: Millis = 1500;

/** What a receiver's user is told. */
export type SeedReceiveEvent =
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** A chunk was dropped, because it came again. */
  | { readonly type: "again" };

/** The receiver over TCP: acknowledges each chunk. */
export class SeedReceiverMachine implements Machine<Uint8Array, never, SeedReceiveEvent> {
  readonly #chunk = new Uint8Array(SEED_CHUNK);
  #filled = 0;
  /** How much of the chunk has been acknowledged and handed over, because nothing followed. */
  #taken = 0;
  readonly #last = new Uint8Array(SEED_CHUNK);
  #lastBytes = 0;
  #lastAt: Millis = 0;
  #heardAt: Millis = 0;
  #repeats = 0;

  step(input: Input<Uint8Array, never>, now: Millis): Effect<Uint8Array, SeedReceiveEvent>[] {
    const out: Effect<Uint8Array, SeedReceiveEvent>[] = [];
    if (input.type === "message") {
      const again = this.#isShortAgain(input.message, now);
      this.#heardAt = now;
      if (again) return this.#dropAgain(out);
      for (let left = input.message; left.length > 0;) {
        const part = left.subarray(0, SEED_CHUNK - this.#filled);
        this.#chunk.set(part, this.#filled);
        this.#filled += part.length;
        left = left.subarray(part.length);
        if (this.#filled === SEED_CHUNK) this.#complete(out, now);
      }
    } else if (input.type === "timer") {
      const deadline = this.deadline();
      if (deadline !== null && now >= deadline) this.#takeShort(out);
    } else if (input.type === "end") {
      if (this.#filled > this.#taken) this.#takeShort(out);
      out.push({ type: "close", error: input.error });
    }
    return out;
  }

  deadline(): Millis | null {
    return this.#filled > this.#taken ? this.#heardAt + SHORT_MS : null;
  }

  #complete(out: Effect<Uint8Array, SeedReceiveEvent>[], now: Millis): void {
    const same = this.#taken === 0 && this.#lastBytes === SEED_CHUNK &&
      this.#chunk.every((byte, i) => byte === this.#last[i]);
    if (same && now - this.#lastAt >= AGAIN_MS) {
      this.#dropAgain(out);
    } else {
      this.#repeats = 0;
      const bytes = this.#chunk.slice(this.#taken, SEED_CHUNK);
      out.push({ type: "event", event: { type: "data", bytes } });
      // The beginning of it was taken for a whole chunk, and acknowledged.
      if (this.#taken === 0) out.push({ type: "send", message: ACK });
      this.#last.set(this.#chunk);
      this.#lastBytes = SEED_CHUNK;
    }
    this.#lastAt = now;
    this.#filled = this.#taken = 0;
  }

  /** Whether this is the short chunk that was the last, sent again. */
  #isShortAgain(message: Uint8Array, now: Millis): boolean {
    return this.#taken > 0 && this.#filled === this.#taken && now - this.#heardAt >= AGAIN_MS &&
      message.length === this.#taken && message.every((byte, i) => byte === this.#chunk[i]);
  }

  #dropAgain(out: Effect<Uint8Array, SeedReceiveEvent>[]): Effect<Uint8Array, SeedReceiveEvent>[] {
    out.push({ type: "event", event: { type: "again" } });
    // One copy's acknowledgement is on its way already; who asks a third time has not got it.
    if (++this.#repeats > 1) out.push({ type: "send", message: ACK });
    return out;
  }

  #takeShort(out: Effect<Uint8Array, SeedReceiveEvent>[]): void {
    out.push({ type: "event", event: { type: "data", bytes: this.#chunk.slice(this.#taken, this.#filled) } });
    if (this.#taken === 0) out.push({ type: "send", message: ACK });
    this.#taken = this.#filled;
    this.#lastBytes = 0;
  }
}

/** What a sender's user is told. */
export type SeedSendEvent = { readonly type: "hungry" } | { readonly type: "done" };

type SeedEffects = Effect<Uint8Array, SeedSendEvent>[];

/** What a sender over TCP is made of. */
export interface SeedSenderOptions {
  readonly chunk: number;
  readonly timeoutMs: Millis;
  readonly retries: number;
}

/** The sender over TCP: waits for the acknowledgement of each chunk. */
export class SeedSenderMachine implements Machine<Uint8Array, SendCommand, SeedSendEvent> {
  readonly #options: SeedSenderOptions;
  /** What has been given to us and not been sent. */
  #bytes: Uint8Array = new Uint8Array(0);
  #finished = false;
  #inFlight: Uint8Array | null = null;
  #sentAt: Millis = 0;
  /** Copies of the chunk in flight. */
  #tries = 0;
  /** Copies of the chunk before whose acknowledgement may still come, and until when that is waited for. */
  #extra = 0;
  #settleUntil: Millis | null = null;
  /** Bytes of an acknowledgement that is not complete. */
  #ackBytes = 0;
  #chunks = 0;
  #retransmissions = 0;
  #repeated = 0;
  #rttSum = 0;
  #rttCount = 0;

  constructor(options: SeedSenderOptions) {
    this.#options = options;
  }

  get chunks(): number {
    return this.#chunks;
  }

  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Copies that were acknowledged besides the first: the receiver may have those chunks twice. */
  get repeated(): number {
    return this.#repeated;
  }

  /** The mean of those that were sent once; null before the first. */
  get rttMs(): Millis | null {
    return this.#rttCount === 0 ? null : this.#rttSum / this.#rttCount;
  }

  step(input: Input<Uint8Array, SendCommand>, now: Millis): SeedEffects {
    const out: SeedEffects = [];
    if (input.type === "start") out.push({ type: "event", event: { type: "hungry" } });
    else if (input.type === "command") this.#obey(input.command, out, now);
    else if (input.type === "message") this.#acknowledged(input.message, out, now);
    else if (input.type === "timer") this.#onTimer(out, now);
    else out.push({ type: "close", error: input.error ?? new NetlabError("transport", "the receiver has left") });
    return out;
  }

  deadline(): Millis | null {
    return this.#settleUntil ?? (this.#inFlight === null ? null : this.#sentAt + this.#options.timeoutMs);
  }

  #obey(command: SendCommand, out: SeedEffects, now: Millis): void {
    if (command.type === "cancel") {
      return void out.push({ type: "close", error: new NetlabError("harness", command.why) });
    }
    if (command.type === "finish") this.#finished = true;
    else {
      const joined = new Uint8Array(this.#bytes.length + command.bytes.length);
      joined.set(this.#bytes);
      joined.set(command.bytes, this.#bytes.length);
      this.#bytes = joined;
    }
    if (this.#inFlight === null && this.#settleUntil === null) this.#next(out, now);
  }

  #acknowledged(bytes: Uint8Array, out: SeedEffects, now: Millis): void {
    if (bytes.some((byte, i) => byte !== ACK[(this.#ackBytes + i) % ACK.length])) {
      const error = new NetlabError("reply", `${escapeBytes(bytes, 40)} came where ACK belongs`, {
        hint: "the seed's receiver answers each chunk with these three bytes",
      });
      return void out.push({ type: "close", error });
    }
    this.#ackBytes += bytes.length;
    for (; this.#ackBytes >= ACK.length; this.#ackBytes -= ACK.length) {
      if (this.#inFlight === null) {
        this.#extra = Math.max(0, this.#extra - 1);
        this.#repeated++;
        continue;
      }
      if (this.#tries === 1) {
        this.#rttSum += now - this.#sentAt;
        this.#rttCount++;
      }
      this.#inFlight = null;
      // Who takes the acknowledgement of a copy for the next chunk's is ahead of the receiver from then on.
      this.#extra = this.#tries - 1;
      this.#settleUntil = now + this.#options.timeoutMs;
    }
    if (this.#inFlight === null && this.#extra === 0) this.#next(out, now);
  }

  #next(out: SeedEffects, now: Millis): void {
    this.#settleUntil = null;
    this.#extra = 0;
    const { chunk } = this.#options;
    if (this.#bytes.length >= chunk || (this.#finished && this.#bytes.length > 0)) {
      this.#inFlight = this.#bytes.subarray(0, chunk);
      this.#bytes = this.#bytes.subarray(chunk);
      this.#tries = 0;
      this.#chunks++;
      this.#send(out, now);
    } else if (this.#finished) out.push({ type: "event", event: { type: "done" } }, { type: "close" });
    else out.push({ type: "event", event: { type: "hungry" } });
  }

  #send(out: SeedEffects, now: Millis): void {
    if (++this.#tries > 1) this.#retransmissions++;
    this.#sentAt = now;
    out.push({ type: "send", message: this.#inFlight! });
  }

  #onTimer(out: SeedEffects, now: Millis): void {
    const deadline = this.deadline();
    if (deadline === null || now < deadline) return;
    if (this.#settleUntil !== null) return this.#next(out, now);
    if (this.#tries <= this.#options.retries) return this.#send(out, now);
    out.push({
      type: "close",
      error: new NetlabError("timeout", `no ACK for ${this.#tries} copies of chunk ${this.#chunks}`),
    });
  }
}
