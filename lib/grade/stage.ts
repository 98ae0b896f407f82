// Where a check is played: the clients that it speaks of, each a connection to the server under test.

import type { Expectation } from "../exercises/check.ts";
import { Channel } from "../net/channel.ts";
import { outlasts, pause } from "../net/clock.ts";
import type { Conn } from "../net/conn.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Framer } from "../protocol/framing.ts";
import { escapeText } from "../protocol/text.ts";
import type { Trace } from "../protocol/trace.ts";

/** How what a client sends is cut into writes. Every server has to bear every way. */
export type Delivery = "whole" | "bytes";

/** What is needed to meet a server. */
export interface StageOptions {
  dial(): Promise<Conn>;
  makeFramer(): Framer;
  /** Between frames and messages in writing. A student's server may send anything: it is judged, not refused. */
  readonly codec: Codec<string>;
  readonly delivery: Delivery;
  /** How long an expectation may take, in ms. */
  readonly timeoutMs: number;
  /** Appended to names, letters only: many servers take nothing else. */
  readonly nameSuffix: string;
  readonly trace?: Trace;
}

/** A failed expectation. */
export class Unmet extends Error {}

/** The clients of one check. */
export class Stage {
  readonly #options: StageOptions;
  readonly #actors = new Map<string, Actor>();

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** Replaces `$alice` by alice's name in this check. */
  readonly fill = (template: string): string =>
    template.replace(/\$([a-z]+)/g, (_, name: string) => name + this.#options.nameSuffix);

  async connect(who: string): Promise<void> {
    const conn = await this.#options.dial();
    const shaped = this.#options.delivery === "bytes" ? dripping(conn) : conn;
    const { codec } = this.#options;
    const channel = new Channel<string, string | Uint8Array>(shaped, {
      framer: this.#options.makeFramer(),
      codec: {
        decode: (frame) => codec.decode(frame),
        encode: (message) => typeof message === "string" ? codec.encode(message) : message,
      },
      coalesce: false,
      trace: this.#options.trace,
    });
    void this.#actors.get(who)?.leave("reset"); // its earlier connection
    const ends = conn.receive === undefined;
    this.#actors.set(who, new Actor(channel, this.#options.timeoutMs, this.fill, ends));
  }

  /** Connects and sends until the server lets it stay. */
  async callUntilTaken(who: string, text: string): Promise<void> {
    const deadline = performance.now() + this.#options.timeoutMs;
    for (;;) {
      await this.connect(who);
      await this.actor(who).send(text);
      if (!await this.actor(who).endsWithin(REFUSAL_MS)) return;
      if (performance.now() > deadline) throw new Unmet(`it was sent away for ${this.#options.timeoutMs} ms`);
    }
  }

  actor(who: string): Actor {
    const actor = this.#actors.get(who);
    if (!actor) throw new Error(`the script never connected ${who}`);
    return actor;
  }

  /** Hangs up for everybody. */
  close(): void {
    for (const actor of this.#actors.values()) void actor.leave("reset");
  }
}

/** How long a connection is looked at that should stay. */
const STAY_MS = 200;

/** How long a server may take to send somebody away. */
const REFUSAL_MS = 600;

/** Without framing, only silence tells one message from the next: longer than a server may wait for it. */
const RAW_PAUSE_MS = 450;

/** One client: what it was sent, in order. */
export class Actor {
  readonly #channel: Channel<string, string | Uint8Array>;
  readonly #timeoutMs: number;
  readonly #fill: (template: string) => string;
  readonly #inbox: string[] = [];
  /** Whether the server's end can be seen: over UDP there is none. */
  readonly #ends: boolean;
  /** What nothing may match until the next expectation is met. */
  #forbidden: Expectation[] = [];
  #changed: () => void = () => {};
  /** Nothing has come since the last message was sent. */
  #unanswered = false;
  #ended: string | null = null;
  /** It hung up, and the server did not. */
  #abandoned = false;

  constructor(
    channel: Channel<string, string | Uint8Array>,
    timeoutMs: number,
    fill: (template: string) => string,
    ends: boolean,
  ) {
    this.#channel = channel;
    this.#ends = ends;
    this.#timeoutMs = timeoutMs;
    this.#fill = fill;
    void this.#listen();
  }

  async send(message: string | Uint8Array): Promise<void> {
    if (this.#channel.framer.name === "raw" && this.#unanswered) await pause(RAW_PAUSE_MS);
    this.#unanswered = true;
    this.#channel.send(typeof message === "string" ? this.#fill(message) : message);
    // What is half sent when the next client speaks would make the script's order a matter of luck.
    await outlasts(this.#channel.flushed(), this.#timeoutMs);
  }

  forbid(what: Expectation): void {
    this.#forbidden.push(what);
  }

  async expect(what: Expectation, timeoutMs = this.#timeoutMs): Promise<void> {
    const passedOver: string[] = [];
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (let text = this.#inbox.shift(); text !== undefined; text = this.#inbox.shift()) {
        this.#checkForbidden(text);
        if (what.matches(text, this.#fill)) {
          this.#forbidden = [];
          return;
        }
        passedOver.push(text);
      }
      const got = passedOver.length > 0 ? `it got ${passedOver.map(quote).join(", ")}` : "it got nothing";
      if (this.#ended !== null) throw new Unmet(`${got}, and then the connection ended (${this.#ended})`);
      const left = deadline - performance.now();
      if (left <= 0 || await outlasts(new Promise<void>((resolve) => (this.#changed = resolve)), left)) {
        throw new Unmet(`${got} in ${timeoutMs} ms`);
      }
    }
  }

  /** Asks until the answer is right. */
  async eventually(text: string, what: Expectation): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      await this.send(text);
      try {
        return await this.expect(what, Math.min(200, this.#timeoutMs));
      } catch (error) {
        if (!(error instanceof Unmet) || this.#ended !== null || performance.now() > deadline) throw error;
      }
    }
  }

  async expectEnd(): Promise<void> {
    if (!this.#ends) return;
    if (!this.#abandoned && await this.endsWithin(this.#timeoutMs)) return;
    throw new Unmet(`the connection was still open after ${this.#timeoutMs} ms`);
  }

  /** Whether the server ends the connection in time. */
  async endsWithin(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.#ended === null) {
      const left = deadline - performance.now();
      if (left <= 0 || await outlasts(new Promise<void>((resolve) => (this.#changed = resolve)), left)) return false;
    }
    return true;
  }

  /** @throws {Unmet} when the server ends the connection soon, or says what is forbidden */
  async stays(): Promise<void> {
    if (await this.endsWithin(STAY_MS)) throw new Unmet(`the connection ended (${this.#ended})`);
    for (const text of this.#inbox) this.#checkForbidden(text);
  }

  /** As `expectEnd`, and all that came before it is one text that has to match. */
  async expectRest(what: Expectation): Promise<void> {
    await this.expectEnd();
    const text = this.#inbox.splice(0).join("\n");
    this.#checkForbidden(text);
    if (!what.matches(text, this.#fill)) throw new Unmet(`it got ${text === "" ? "nothing" : quote(text)}`);
  }

  /** `end` says so and waits for the server to end it too; `reset` is gone at once. */
  async leave(how: "end" | "reset"): Promise<void> {
    if (how === "end") {
      await outlasts(this.#channel.closeWrite(), this.#timeoutMs);
      this.#abandoned = !await this.endsWithin(this.#timeoutMs);
    }
    this.#channel.abort("left");
  }

  #checkForbidden(text: string): void {
    const broken = this.#forbidden.find((forbidden) => forbidden.matches(text, this.#fill));
    if (broken) throw new Unmet(`it got ${broken.what}: ${quote(text)}`);
  }

  async #listen(): Promise<void> {
    await this.#channel.each((text) => {
      this.#inbox.push(text);
      this.#unanswered = false;
      this.#changed();
    }, (error) => {
      this.#inbox.push(`(unreadable: ${error.message})`);
      this.#changed();
    });
    this.#ended = this.#channel.reason ?? "closed";
    this.#changed();
  }
}

function quote(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `"${escapeText(shown)}"`;
}

/** A pause between two bytes, in ms: without one the system gathers them, and the server reads them as one. */
const DRIP_MS = 1;

/** One byte a write: a server that takes one read for one message will not like it. */
function dripping(conn: Conn): Conn {
  const drip = async (bytes: Uint8Array) => {
    const written = await conn.write(bytes.subarray(0, 1));
    await pause(DRIP_MS);
    return written;
  };
  return {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    read: (into) => conn.read(into),
    write: drip,
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
  };
}
