// One connection of the sender: each file by a machine of its own, read in blocks as that takes them.

import { Channel } from "../../net/channel.ts";
import { outlasts, pause, systemClock } from "../../net/clock.ts";
import type { Conn } from "../../net/conn.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { type ErrorKind, NetlabError, ProtocolError } from "../../protocol/errors.ts";
import { escapeBytes } from "../../protocol/text.ts";
import { watchServer } from "../client.ts";
import type { ConnectContext } from "../exercise.ts";
import { DigestedReader } from "./digested_reader.ts";
import { openSource, type Source } from "./files.ts";
import { pduCodec, PduFramer } from "./framing.ts";
import { ERROR_CODES, errorPdu, HEADER_BYTES, type Pdu, type Scheme } from "./protocol.ts";
import { formatRate, type SentReport } from "./report.ts";
import { type SendCommand, SenderMachine, type SendEvent } from "./sender_machine.ts";

/** What may wait to be written, in bytes, besides a few windows; beyond half of it what is sent again is lost. */
const QUEUE_BYTES = 4 * 1_048_576;
/** How often, and after how many ms each, the last word of a sender over UDP is said again. */
const GOODBYES = 4;
const GOODBYE_MS = 50;
/** How much is shown of what is no PDU, in bytes. */
const SHOWN_BYTES = 64;
/** How long it is borne, for each try, that nothing leaves, in ms: with large buffers a megabyte leaves at once, or nothing. */
const STUCK_MS = 10_000;
/** How often progress is shown, in ms. */
const PROGRESS_MS = 100;

/** What the options say, for all files. */
export interface SendOptions {
  readonly scheme: Scheme;
  /** In bytes. */
  readonly chunk: number;
  /** In chunks. */
  readonly window: number;
  /** How long an acknowledgement is waited for; null adapts to the round trip. */
  readonly timeoutMs: number | null;
  readonly retries: number;
  readonly resume: boolean;
}

/** A connection to a receiver, over which files go one after the other. */
export class Sender implements AsyncDisposable {
  readonly #channel: Channel<Pdu | null, Pdu>;
  readonly #context: ConnectContext;
  readonly #options: SendOptions;
  readonly #leaving: AbortSignal;
  readonly #udp: boolean;
  readonly #listening: Promise<void>;
  readonly #unwatch: () => void;
  #onPdu: (pdu: Pdu) => void = () => {};
  #onEnd: (error: Error) => void = () => {};
  #ended: Error | null = null;
  /** What to do when the receiver is gone. */
  #remedy: string | undefined;
  /** The first datagram that was no PDU, as it looks, and whether any was one. */
  #foreign: string | null = null;
  #understood = false;

  constructor(conn: Conn, context: ConnectContext, options: SendOptions, leaving: AbortSignal) {
    this.#context = context;
    this.#leaving = leaving;
    this.#options = options;
    this.#udp = context.transport === "udp";
    const codec = pduCodec(context.transport);
    const decode = (frame: Uint8Array): Pdu | null => {
      const pdu = codec.decode(frame);
      if (pdu === null) this.#foreign ??= escapeBytes(frame, SHOWN_BYTES) || "an empty datagram";
      else this.#understood = true;
      return pdu;
    };
    this.#channel = new Channel(conn, {
      framer: new PduFramer(context.transport),
      codec: { ...codec, decode },
      keepBytes: QUEUE_BYTES,
      queueBytes: QUEUE_BYTES + 4 * options.window * (options.chunk + HEADER_BYTES),
      trace: context.trace,
    });
    this.#listening = this.#listen();
    this.#unwatch = watchServer(this.#channel, context, (error) => {
      this.#ended = error;
      this.#channel.abort("silent");
    });
  }

  /** Sends one file. @throws {NetlabError} when that failed */
  async send(source: Source): Promise<SentReport> {
    const first = await this.#try(source, this.#options.resume);
    if (first !== "other") return first;
    this.#context.console.note(
      `what the receiver has of ${source.name} is another file: it is sent from the beginning`,
    );
    const again = await openSource(source.path, source.name);
    try {
      return await this.#try(again, false) as SentReport;
    } finally {
      await again.close();
    }
  }

  /** Says that nothing more comes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    await this.#channel.close();
    await this.#listening;
  }

  /** @returns `other` when the receiver has the beginning of another file of that name */
  async #try(source: Source, resume: boolean): Promise<SentReport | "other"> {
    if (this.#ended) throw this.#ended;
    this.#leaving.throwIfAborted();
    const { scheme, chunk, window, timeoutMs, retries } = this.#options;
    const { console, trace } = this.#context;
    const begun = performance.now();
    const machine = new SenderMachine({
      session: crypto.getRandomValues(new Uint32Array(1))[0],
      ...{ name: source.name, size: source.size, chunk, window, scheme, resume, retries },
      rto: timeoutMs === null ? {} : { fixedMs: timeoutMs },
      marks: trace.wants.mark,
      paced: this.#udp,
    });
    this.#remedy = machine.remedy;
    const reader = new DigestedReader(source);
    const stuckMs = (retries + 1) * (timeoutMs ?? STUCK_MS);
    let other = false;
    let reading: Promise<void> = Promise.resolve();
    const driven: Driven<Pdu, SendCommand> = drive(machine, {
      clock: systemClock,
      send: (pdu) => this.#send(pdu, machine),
      onEvent: (event: SendEvent) => {
        if (event.type === "accepted" && event.next > 0) {
          const { next, digest } = event;
          afterwards(async () => {
            const own = await reader.skip(next * chunk);
            other = !own || !digest || !equal(own, digest);
          });
        } else if (event.type === "hungry") afterwards(feed);
      },
      trace,
      id: this.#channel.id,
    });
    const command = (command: SendCommand) => driven.input({ type: "command", command });
    const cancel = (why: string, kind?: ErrorKind) => command({ type: "cancel", why, kind });
    const afterwards = (work: () => Promise<void>) =>
      void (reading = reading.then(work).catch((error) => cancel((error as Error).message)));
    const feed = async () => {
      if (other) return cancel("it is another file");
      // What has no acknowledgement to wait for waits for the system.
      for (let queued; (queued = this.#channel.queuedBytes) > 0;) {
        const waited = await outlasts(this.#channel.flushed(), stuckMs);
        if (!waited || this.#channel.queuedBytes < queued) continue;
        const what = `the receiver has taken nothing for ${stuckMs / 1000} s`;
        return cancel(`${what}: ${this.#describeProgress(machine, source)}`, "timeout");
      }
      const bytes = await reader.read();
      command(bytes === null ? { type: "finish", digest: reader.digest() } : { type: "data", bytes });
    };
    this.#onPdu = (pdu) => {
      // Nobody else can speak for the server on a stream; a datagram that names no session may be anybody's.
      const whole = pdu.session === 0 && pdu.type === "ERROR" && (!this.#udp || !machine.accepted);
      driven.input({ type: "message", message: whole ? { ...pdu, session: machine.session } : pdu });
    };
    this.#onEnd = (error) => driven.input({ type: "end", error });
    const leave = () => cancel("interrupted");
    this.#leaving.addEventListener("abort", leave);
    const failure = await this.#watch(driven.finished, machine, source, begun);
    this.#leaving.removeEventListener("abort", leave);
    console.status(null);
    this.#onPdu = this.#onEnd = () => {};
    if (failure && this.#leaving.aborted) {
      console.note(`interrupted: ${this.#describeProgress(machine, source)}`);
      if (this.#udp) await this.#repeatGoodbye(machine.session);
      throw this.#leaving.reason;
    }
    if (other) return "other";
    if (failure) throw this.#explain(failure);
    return this.#report(machine, source, reader.bytesRead, (performance.now() - begun) / 1000);
  }

  /** Whoever answers in another form is there, and not behind a firewall. */
  #explain(failure: Error): Error {
    const timedOut = failure instanceof NetlabError && failure.kind === "timeout";
    if (!timedOut || this.#understood || this.#foreign === null) return failure;
    return this.#notAReceiver(this.#foreign, failure);
  }

  #notAReceiver(answer: string, failure: Error): NetlabError {
    const text = `${this.#channel.remote} answers, but not as a receiver does: ${answer}`;
    return new NetlabError("protocol", text, {
      hint: "is that its port? a receiver of the seed's form needs --wire seed",
      cause: failure,
    });
  }

  /** On a stream the first byte that is wrong ends it. */
  #cannotRead(error: ProtocolError): NetlabError {
    if (!this.#understood) return this.#notAReceiver(error.message, error);
    const text = `cannot read what ${this.#channel.remote} answers: ${error.message}`;
    return new ProtocolError(text, { hint: this.#remedy });
  }

  #send(pdu: Pdu, machine: SenderMachine): void {
    // A stream that does not move needs no second copy: it is lost here, as a full router would lose it.
    if (machine.retransmissions > 0 && this.#channel.queuedBytes > this.#channel.queueBytes / 2) return;
    this.#channel.send(pdu);
  }

  /** Shows how far it is until it is over. */
  async #watch<T>(finished: Promise<T>, machine: SenderMachine, source: Source, begun: number): Promise<T> {
    while (await outlasts(finished, PROGRESS_MS)) {
      const bytes = machine.progress * this.#options.chunk;
      const seconds = (performance.now() - begun) / 1000;
      this.#context.console.status(
        `${source.name}  ${formatRate(8 * bytes / seconds)}`,
        source.size === null ? undefined : Math.min(1, bytes / Math.max(1, source.size)),
      );
    }
    return finished;
  }

  /** Nobody answers the last word, and behind so many datagrams it is easily lost. */
  async #repeatGoodbye(session: number): Promise<void> {
    for (let i = 0; i < GOODBYES; i++) {
      await pause(GOODBYE_MS);
      this.#channel.send(errorPdu(session, ERROR_CODES.cancelled, "interrupted"));
    }
  }

  /** How far it has come, and how to go on. */
  #describeProgress(machine: SenderMachine, { name, size }: Source): string {
    const { scheme, chunk } = this.#options;
    const bytes = Math.min(machine.progress * chunk, size ?? Infinity);
    const whole = size === null ? "" : `of ${size} `;
    if (scheme === "none") return `${bytes} ${whole}bytes of ${name} were sent`;
    const hint = bytes > 0 && machine.resumable ? "; --resume goes on from there" : "";
    return `${bytes} ${whole}bytes of ${name} had arrived${hint}`;
  }

  #report(machine: SenderMachine, source: Source, bytesRead: number, seconds: number): SentReport {
    const { scheme, chunk } = this.#options;
    const bytes = bytesRead - machine.first * chunk;
    const rttMs = scheme === "none" ? null : machine.rto.meanRttMs;
    return {
      name: source.name,
      scheme,
      bytes,
      chunks: machine.chunksSent - machine.retransmissions,
      retransmissions: machine.retransmissions,
      duplicates: machine.duplicates,
      seconds,
      rttMs,
      goodputBps: 8 * bytes / seconds,
      allowedBps: rttMs === null ? null : 8 * machine.window * chunk / (rttMs / 1000),
      chunk,
      window: machine.window,
    };
  }

  async #listen(): Promise<void> {
    let failure: NetlabError | null = null;
    await this.#channel.each(
      (pdu) => pdu === null ? undefined : this.#onPdu(pdu),
      (error) => failure = this.#cannotRead(error),
    );
    this.#ended ??= failure ??
      new NetlabError("transport", `the receiver ended the connection (${this.#channel.reason})`, {
        hint: this.#remedy,
      });
    this.#onEnd(this.#ended);
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
