// What the clients share that send text and show text: connecting, a person or a script at this end, and what their end is.

import { Channel } from "../net/channel.ts";
import { connectTcp } from "../net/client.ts";
import { outlasts, pause, systemClock } from "../net/clock.ts";
import { formatHostPort } from "../net/conn.ts";
import { connectUdp } from "../net/datagram_peers.ts";
import { watchIdle } from "../net/idle.ts";
import { NetlabError, ProtocolError } from "../protocol/errors.ts";
import { type Framer, makeFramer, WIRE_NAMES } from "../protocol/framing.ts";
import type { ConnectContext, Console } from "./exercise.ts";
import { formatDuration } from "./options.ts";
import { RawPauses } from "./pace.ts";
import { textCodec } from "./text.ts";

/** How long a script waits for an outstanding answer, a hint for the first one, and the client for the server's goodbye. */
export const ANSWER_MS = 2000;
/** How many bytes of a script may wait to be written. */
const MAX_AHEAD = 65_536;

/**
 * Connects to the server that `context` names.
 *
 * @param maxBytes the longest message that is taken from it
 * @param adapt makes of the framing that was asked for what the exercise needs
 * @throws {NetlabError} when there is no such framing, or no such server
 */
export async function openChannel(
  context: ConnectContext,
  maxBytes: number,
  adapt: (framer: Framer) => Framer = (framer) => framer,
): Promise<Channel<string>> {
  const { host, port, transport, trace } = context;
  const framer = makeFramer(transport === "udp" ? "datagram" : context.wire, maxBytes);
  if (framer === null) {
    throw new NetlabError("usage", `no such framing for a client: ${context.wire} (${WIRE_NAMES})`, {
      hint: "a client cannot find out what a server speaks: say it with --wire",
    });
  }
  const conn = transport === "udp" ? await connectUdp(host, port) : await connectTcp(host, port);
  return new Channel(conn, { framer: adapt(framer), codec: textCodec, trace, coalesce: false });
}

/** What to do about a server that does not answer. */
export function hintAtWire({ framer }: Channel<string>): string {
  return `does it frame with ${framer.name}? otherwise try another --wire`;
}

/** What is said of a message of the server's that is none. */
export function unreadable(error: ProtocolError, { framer }: Channel<string>): ProtocolError {
  const hint = error.fatal ? `the server does not frame with ${framer.name}: try another --wire` : error.hint;
  return new ProtocolError(`cannot read the server: ${error.message}`, { hint });
}

/**
 * Calls `onSilent` when the server has said nothing for as long as --idle says.
 *
 * @returns what cancels it
 */
export function watchServer(
  server: { readonly reads: number },
  { host, port, idleMs }: ConnectContext,
  onSilent: (error: NetlabError) => void,
): () => void {
  if (idleMs === undefined) return () => {};
  const text = `${formatHostPort(host, port)} has said nothing for ${formatDuration(idleMs)}`;
  return watchIdle(server, idleMs, () => onSilent(new NetlabError("timeout", text)));
}

/**
 * What a script comes to.
 *
 * @param refusals how often it was answered with ERROR
 * @param failed how many of its lines could not be done
 * @throws {NetlabError} of kind `reply` unless both are 0
 */
export function judgeScript(refusals: number, failed: number): void {
  if (failed > 0) {
    throw new NetlabError(
      "reply",
      failed === 1 ? "a line of the script failed" : `${failed} lines of the script failed`,
    );
  }
  if (refusals > 0) {
    throw new NetlabError("reply", refusals === 1 ? "an answer was ERROR" : `${refusals} answers were ERROR`);
  }
}

/** A client of an exercise, once it is connected. */
export abstract class TextClient {
  protected readonly channel: Channel<string>;
  protected readonly context: ConnectContext;
  protected readonly console: Console;
  /** `host:port` of the server. */
  protected readonly address: string;
  /** We have said that we go, so that the server's end is no failure. */
  protected leaving = false;
  /** Whether a blank line of a script is a message as any other. A person who just presses Enter says nothing. */
  protected readonly sendsBlank: boolean = false;
  /** How often the server has answered that something is wrong: a script of which that is true has failed. */
  protected refusals = 0;
  /** How many messages could not be sent. */
  #unsent = 0;
  #over = false;
  /** Nothing is taken from the server meanwhile: who reads what we print has to go on first. */
  #held = false;
  readonly #rawPauses = new RawPauses();
  #failure: NetlabError | null = null;
  #changed: () => void = () => {};
  #cancelHint: (() => void) | null = null;

  constructor(channel: Channel<string>, context: ConnectContext) {
    this.channel = channel;
    this.context = context;
    this.console = context.console;
    this.address = formatHostPort(context.host, context.port);
  }

  /** Shows what the server said. */
  protected abstract show(text: string): void;

  /** Does what was typed, or what comes next in a script. */
  protected abstract say(line: string): Promise<void>;

  /** The input has ended: what is still to be said, and waited for. */
  protected abstract leave(): Promise<void>;

  /** What is done before anything is typed. */
  protected begin(): Promise<void> {
    return Promise.resolve();
  }

  /** True when the server has said its last: nothing sent now is answered. */
  protected get over(): boolean {
    return this.#over;
  }

  /** Runs until the person, the script or the server ends it. @throws {NetlabError} when that was not in good order */
  async run(): Promise<void> {
    const unwatch = watchServer(this, this.context, (error) => this.fail(error));
    const listening = this.#listen().finally(() => {
      unwatch();
      this.#cancelHint?.();
      this.console.stop();
    });
    await this.begin();
    for await (const line of this.console.lines("> ")) {
      if (this.#says(line) && !this.#over) await this.say(line);
      if (this.leaving || this.#over) break;
    }
    if (!this.#over && !this.leaving) await this.leave();
    if (await outlasts(listening, ANSWER_MS)) this.channel.abort("left");
    await this.channel.close();
    this.#judge();
  }

  /** @throws {NetlabError} when what has ended was not in good order */
  #judge(): void {
    if (this.#failure) throw this.#failure;
    if (this.leaving && this.channel.truncated) {
      throw new NetlabError("transport", `the last message of ${this.address} has no end, and is dropped`, {
        hint: `it does not frame with ${this.channel.framer.name}, or was cut off`,
      });
    }
    if (!this.leaving) {
      throw new NetlabError("transport", `the server ${this.address} ended the connection (${this.channel.reason})`, {
        hint: this.#whyEnded(),
      });
    }
    if (!this.console.interactive) judgeScript(this.refusals, this.#unsent);
  }

  #whyEnded(): string {
    const { truncated, reads } = this.channel;
    if (truncated) return `what it said last has no end, and is dropped: ${hintAtWire(this.channel)}`;
    return reads > 0
      ? "it stopped, or it sent you away: its last words are above"
      : `it said nothing: ${hintAtWire(this.channel)}`;
  }

  #says(line: string): boolean {
    return line.trim() !== "" || (this.sendsBlank && !this.console.interactive);
  }

  /** Sends a message; where the framing cannot carry it, the person is told. @returns false when it was not sent */
  protected send(text: string): boolean {
    const { name, headBytes, tailBytes } = this.channel.framer;
    if (text === "" && headBytes + tailBytes === 0) {
      this.console.note(`not sent: an empty message is no bytes at all with --wire ${name}`);
      return false;
    }
    try {
      return this.channel.send(text);
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.notSent(error.message);
      return false;
    }
  }

  /** What was to be said is not: the person is told, and a script has failed. */
  protected notSent(why: string): void {
    this.console.note(`not sent: ${why}`);
    this.#unsent++;
  }

  /** A script may not be faster than the server reads: our own queue has a limit. And `raw` needs pauses. */
  protected async pace(): Promise<void> {
    if (this.console.interactive) return;
    if (this.channel.queuedBytes > MAX_AHEAD) await this.channel.flushed();
    const pauseMs = this.#rawPauses.after([this.channel]);
    if (pauseMs > 0) await pause(pauseMs);
  }

  /** Waits until `holds`, or the server ends, or `ms` have passed; it is looked at again after each message. */
  protected async until(holds: () => boolean, ms = Infinity): Promise<void> {
    let end = performance.now() + ms;
    while (!holds() && !this.#over) {
      const changed = new Promise<void>((resolve) => (this.#changed = resolve));
      if (ms === Infinity) await changed;
      else if (await outlasts(changed, end - performance.now())) {
        if (!this.#held) return;
        end = performance.now() + ms; // the answer may be there: we do not listen
      }
    }
  }

  /** Something has been asked: of a server that says nothing at all, the person is told why that may be. */
  protected expectAnswer(): void {
    if (this.#over) return;
    this.#cancelHint ??= systemClock.at(systemClock.now() + ANSWER_MS, () => {
      if (this.channel.reads > 0) return;
      this.console.note(`nothing has come from ${this.address}: ${hintAtWire(this.channel)}`);
    });
  }

  /** A count of what has come, for who watches for silence: NaN, which differs from all, while nobody listens. */
  get reads(): number {
    return this.#held ? NaN : this.channel.reads;
  }

  /** Ends the client in failure. */
  protected fail(error: NetlabError): void {
    this.#failure ??= error;
    this.channel.abort(error.message);
  }

  /** Something has happened that `until` may wait for. */
  protected changed(): void {
    this.#changed();
  }

  async #listen(): Promise<void> {
    await this.channel.each((text) => {
      this.show(text);
      this.#changed();
      const slowReader = this.console.drained?.();
      if (slowReader) return this.#holdUntil(slowReader);
    }, (error) => {
      this.#failure ??= unreadable(error, this.channel);
      if (!error.fatal) this.console.note(`unreadable: ${error.message}`);
    });
    this.#over = true;
    this.#changed();
  }

  /** Who reads slowly what we print holds up the server, as in any pipe. */
  async #holdUntil(drained: Promise<void>): Promise<void> {
    this.#held = true;
    await drained;
    this.#held = false;
  }
}
