// The client's side of the seed's own form, as a machine: it asks, and takes what comes until its end.
//
//     any datagram, or a file name ►    ◄ (the size in ASCII)    ◄ 1000 to 2000 bytes    ◄ …    ◄ EOF, or END
//
// Nothing is numbered: what comes is taken in the order in which it comes.

import type { Millis } from "../../protocol/clock.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { decodeLossy, encodeText, escapeText } from "../../protocol/text.ts";
import { SEED_ENDS } from "./defaults.ts";

/** How long the first answer may take, unless told otherwise, and how often the server is asked meanwhile. */
const SEED_ANSWER_MS: Millis = 8000;
export const SEED_TRIES = 4;
/** Silence after which the end must have been lost, unless told otherwise; when all has come that was to come, it is sooner. */
const SEED_SILENT_MS: Millis = 5000;
export const SEED_COMPLETE_MS: Millis = 1000;

/** A datagram that is the size, and one that says what is wrong, are not longer. */
const MAX_SIZE_DIGITS = 15;
const MAX_ERROR_BYTES = 200;

/** What its user is told. */
export type SeedEvent =
  | { readonly type: "size"; readonly size: number }
  | { readonly type: "data"; readonly bytes: Uint8Array };

type Effects = Effect<Uint8Array, SeedEvent>[];

/** The receiver of one bare stream. */
export class SeedMachine implements Machine<Uint8Array, "leave", SeedEvent> {
  readonly #request: Uint8Array;
  readonly #againMs: Millis;
  readonly #silentMs: Millis;
  /** Of the stream, once it was said. */
  #size: number | null = null;
  #bytes = 0;
  #packets = 0;
  #tries = 0;
  #heardAt: Millis = 0;
  #closed = false;

  /**
   * @param name of the file, or any word
   * @param idleMs how long the server may be silent
   */
  constructor(name: string, idleMs?: Millis) {
    this.#request = encodeText(name);
    this.#againMs = (idleMs ?? SEED_ANSWER_MS) / SEED_TRIES;
    this.#silentMs = idleMs ?? SEED_SILENT_MS;
  }

  get size(): number | null {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get packets(): number {
    return this.#packets;
  }

  step(input: Input<Uint8Array, "leave">, now: Millis): Effects {
    const out: Effects = [];
    if (this.#closed) return out;
    if (input.type === "start") this.#ask(out, now);
    else if (input.type === "message") this.#take(input.message, out, now);
    else if (input.type === "timer") this.#onTimer(out, now);
    else this.#close(out, input.type === "end" ? input.error : undefined);
    return out;
  }

  deadline(): Millis | null {
    return this.#closed ? null : this.#heardAt + this.#patienceMs;
  }

  get #begun(): boolean {
    return this.#packets > 0 || this.#size !== null;
  }

  get #complete(): boolean {
    return this.#size !== null && this.#bytes >= this.#size;
  }

  get #patienceMs(): Millis {
    return this.#complete ? SEED_COMPLETE_MS : this.#begun ? this.#silentMs : this.#againMs;
  }

  #ask(out: Effects, now: Millis): void {
    this.#tries++;
    this.#heardAt = now;
    out.push({ type: "send", message: this.#request });
  }

  #take(bytes: Uint8Array, out: Effects, now: Millis): void {
    const text = bytes.length <= MAX_ERROR_BYTES ? decodeLossy(bytes).trim() : null;
    this.#heardAt = now;
    if (text === "EOF" || text === "END") return this.#close(out);
    if (!this.#begun && text !== null && /^\d+$/.test(text) && text.length <= MAX_SIZE_DIGITS) {
      this.#size = Number(text);
      out.push({ type: "event", event: { type: "size", size: this.#size } });
    } else if (!this.#begun && text !== null && /^error\b/i.test(text)) {
      this.#close(out, new NetlabError("reply", `the server says: ${escapeText(text)}`));
    } else if (bytes.length > 0) {
      this.#packets++;
      this.#bytes += bytes.length;
      out.push({ type: "event", event: { type: "data", bytes } });
    }
  }

  #onTimer(out: Effects, now: Millis): void {
    if (now < this.#heardAt + this.#patienceMs) return;
    if (this.#complete) return this.#close(out);
    if (!this.#begun && this.#tries < SEED_TRIES) return this.#ask(out, now);
    const text = this.#begun
      ? `nothing came for ${this.#silentMs / 1000} s, and neither ${SEED_ENDS.join(" nor ")}`
      : `no answer to ${SEED_TRIES} requests`;
    const hint = this.#begun ? undefined : "is the server running, on this port, and does it speak this form?";
    this.#close(out, new NetlabError("timeout", text, { hint }));
  }

  #close(out: Effects, error?: Error): void {
    this.#closed = true;
    out.push({ type: "close", error });
  }
}
