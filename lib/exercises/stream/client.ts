// The client: asks for a file, and gives what comes to a player, a file or standard output.

import { Channel } from "../../net/channel.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { connectUdp } from "../../net/datagram_peers.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { Controls } from "./controls.ts";
import { BUFFER_MS, SILENT_MS } from "./defaults.ts";
import { pduCodec, readPdu, WholeFramer } from "./framing.ts";
import { describeDatagram } from "./notation.ts";
import type { Info, Pdu } from "./protocol.ts";
import { ANSWER_MS, type ReceiveCommand, type ReceiveEvent, ReceiverMachine } from "./receiver_machine.ts";
import { describeMedium, formatRate, formatTime, type StreamedReport } from "./report.ts";
import { Outputs } from "./outputs.ts";
import { receiveSeed } from "./seed_client.ts";

/** How often the live line is drawn, in ms. */
const STATUS_MS = 200;

/** Receives one stream to its end. @throws {NetlabError} when it fails, or data are missing that were to be kept */
export async function connectStream(context: ConnectContext): Promise<void> {
  const [name] = context.args;
  const seed = context.wire === "seed";
  if (name === undefined && !seed) {
    throw new NetlabError("usage", "no file named", { hint: "netlab connect stream [HOST[:PORT]] FILE" });
  }
  const outputs = await Outputs.open(context);
  await (seed ? receiveSeed(context, outputs) : new Client(context, outputs, name).run());
}

/** One stream. */
class Client {
  readonly #context: ConnectContext;
  readonly #outputs: Outputs;
  readonly #name: string;
  /** Where it begins, in ms of the medium. */
  readonly #startMs: number;
  readonly #machine: ReceiverMachine;
  #driven: Driven<Pdu, ReceiveCommand> | null = null;
  #info: Info | null = null;
  /** Somebody has had enough of it. */
  #quit = false;
  /** The first datagram that was no PDU, as it looks. */
  #foreign: string | null = null;

  constructor(context: ConnectContext, outputs: Outputs, name: string) {
    this.#context = context;
    this.#outputs = outputs;
    this.#name = name;
    const { options } = context;
    this.#startMs = Number(options.start ?? 0);
    this.#machine = new ReceiverMachine({
      session: crypto.getRandomValues(new Uint32Array(1))[0],
      name,
      startMs: this.#startMs,
      bufferMs: Number(options.buffer ?? BUFFER_MS),
      silentMs: context.idleMs ?? SILENT_MS,
      answerMs: Math.min(ANSWER_MS, context.idleMs ?? ANSWER_MS),
    });
  }

  async run(): Promise<void> {
    const { host, port, trace, console } = this.#context;
    const conn = await connectUdp(host, port);
    const channel = new Channel<Pdu | null, Pdu>(conn, {
      framer: new WholeFramer("pdu"),
      codec: { ...pduCodec, decode: this.#decode },
      trace,
    });
    const begun = performance.now();
    const driven = this.#driven = drive(this.#machine, {
      clock: systemClock,
      send: (pdu) => void channel.send(pdu),
      onEvent: (event) => this.#try(() => this.#on(event)),
      trace,
      id: channel.id,
    });
    this.#context.onInterrupt?.(() => {
      console.stop();
      driven.input({ type: "end", error: new NetlabError("interrupted", "interrupted") });
      void this.#outputs.hush();
    });
    const listening = channel.each((pdu) => {
      if (pdu) driven.input({ type: "message", message: pdu });
    }, () => {});
    try {
      const failure = await this.#watch(driven.finished);
      const seconds = (performance.now() - begun) / 1000;
      if (failure instanceof NetlabError && failure.kind === "interrupted" && this.#info !== null) {
        this.#outputs.noteKept(this.#machine.tally.bytes, this.#info.size);
      }
      if (failure) await this.#fail(this.#explain(failure, formatHostPort(host, port)), seconds);
      if (!this.#quit && this.#outputs.plays) console.status("all has come; what is left is being played");
      await this.#outputs.finish(this.#quit);
      this.#outputs.report(this.#report(seconds));
    } finally {
      console.status(null);
      console.stop();
      driven.input({ type: "end" });
      await channel.close();
      await listening;
      await this.#outputs.abandon();
    }
  }

  readonly #decode = (datagram: Uint8Array): Pdu | null => {
    const pdu = readPdu(datagram);
    if (pdu === null) this.#foreign ??= describeDatagram(datagram);
    return pdu;
  };

  readonly #command = (command: ReceiveCommand) => {
    this.#driven?.input({ type: "command", command });
    if (command.type !== "leave") return;
    this.#quit = true;
    void this.#outputs.hush(); // all may have come, and the player be at it still
  };

  /** What cannot be kept or played ends it. */
  #try(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#driven?.input({ type: "end", error: error as Error });
    }
  }

  #on(event: ReceiveEvent): void {
    const { console } = this.#context;
    if (event.type === "info") this.#begin(event.info);
    else if (event.type === "arrived") this.#outputs.arrived(event.piece);
    else if (event.type === "play") this.#outputs.play(event.piece.bytes, event.skipped);
    else if (!console.interactive) console.note(`${event.action} at ${formatTime(event.positionMs)}`);
  }

  #begin(info: Info): void {
    const { console } = this.#context;
    const startMs = this.#startMs;
    const wholeMs = durationOf(info);
    if (startMs > 0 && startMs >= wholeMs) {
      const text = `there is nothing at ${formatTime(startMs)}: ${this.#name} lasts ${formatTime(wholeMs)}`;
      throw new NetlabError("usage", text, { hint: "begin earlier with --start" });
    }
    this.#info = info;
    console.note(`${this.#name}: ${describeMedium(info)}`);
    this.#outputs.begin(info.mediaType, () => this.#outputs.keeps || this.#command({ type: "leave" }));
    void new Controls(console, this.#machine, this.#command).run();
  }

  /** Shows how it goes until it is over. */
  async #watch<T>(finished: Promise<T>): Promise<T> {
    while (await outlasts(finished, STATUS_MS)) {
      const info = this.#info;
      if (info === null) continue;
      const { positionMs, paused, bufferedMs, tally } = this.#machine;
      const whole = durationOf(info);
      // In a narrow window the end of the line is cut off: what matters most stands first.
      const state = paused ? "paused" : `buffer ${Math.round(bufferedMs)} ms`;
      this.#context.console.status(
        `${state}  ${formatTime(positionMs)} of ${formatTime(whole)}  lost ${tally.lost}  ` +
          `jitter ${tally.jitterMs.toFixed(1)} ms  ${formatRate(info.rate)}`,
        Math.min(1, positionMs / Math.max(1, whole)),
      );
    }
    return finished;
  }

  /** Says what has come before it failed. */
  async #fail(failure: Error, seconds: number): Promise<never> {
    const hasEnded = failure instanceof NetlabError && (failure.kind === "timeout" || failure.kind === "reply");
    if (hasEnded && this.#machine.tally.packets > 0) {
      await this.#outputs.finish(true);
      this.#context.console.status(null);
      this.#outputs.report(this.#report(seconds), failure);
    }
    throw failure;
  }

  #explain(failure: Error, address: string): Error {
    if (!(failure instanceof NetlabError) || failure.kind !== "timeout") return failure;
    const problem = this.#foreign ?? this.#machine.problem;
    if (this.#info === null && problem !== null) {
      return new NetlabError("protocol", `${address} answers, but not as a stream's server does: ${problem}`, {
        hint: "is that its port? a server of the seed's form needs --wire seed",
        cause: failure,
      });
    }
    return new NetlabError("timeout", `${address}: ${failure.message}`, { hint: failure.hint });
  }

  #report(seconds: number): StreamedReport {
    const { tally, skippedBytes: skipped, sought } = this.#machine;
    const { packets, lost, reordered, duplicates, jitterMs, gaps, bytes } = tally;
    const whole = !sought && this.#startMs === 0;
    if (!whole && this.#outputs.keeps) this.#context.console.note("what was passed over was not asked for, nor kept");
    return {
      name: this.#name,
      ...{ packets, lost, reordered, duplicates, jitterMs, gaps, bytes },
      missing: whole ? tally.missingBytes(this.#info?.size ?? 0) : null,
      skipped,
      seconds,
      quit: this.#quit,
    };
  }
}

/** How long it takes to play, in ms. */
function durationOf({ durationMs, size, rate }: Info): number {
  return durationMs ?? 1000 * size / rate;
}
