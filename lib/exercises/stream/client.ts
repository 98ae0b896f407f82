// The client: asks for a file, and gives what comes to a player, a file or standard output.

import { Channel } from "../../net/channel.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { connectUdp } from "../../net/datagram_peers.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { isFile, isPipe } from "../own_file.ts";
import { Controls } from "./controls.ts";
import { BUFFER_MS, type PlayerName, SILENT_MS } from "./defaults.ts";
import { pduCodec, readPdu, WholeFramer } from "./framing.ts";
import { describeDatagram } from "./notation.ts";
import { findPlayer, Player } from "./player.ts";
import type { Info, Pdu, Piece } from "./protocol.ts";
import { ANSWER_MS, type ReceiveCommand, type ReceiveEvent, ReceiverMachine } from "./receiver_machine.ts";
import { describeMedium, formatRate, formatStreamed, formatTime, type StreamedReport } from "./report.ts";
import { receiveSeed } from "./seed_client.ts";
import { FileSink, isInOrder, isThere, OutputSink, PlayerSink, type Sink } from "./sinks.ts";

/** How often the live line is drawn, in ms. */
const STATUS_MS = 200;

/** What to do where a player gets only what comes behind --start. */
const MIDDLE = "most files cannot be played without their beginning: leave out --start, and seek";

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

/** Where a stream goes, and who is told of it. */
export class Outputs {
  readonly #context: ConnectContext;
  readonly #out: string | undefined;
  readonly #playerName: PlayerName | null;
  #player: Player | null = null;
  #sinks: Sink[] = [];

  private constructor(context: ConnectContext, playerName: PlayerName | null) {
    this.#context = context;
    this.#out = context.options.out as string | undefined;
    this.#playerName = playerName;
  }

  /** @throws {NetlabError} of kind `usage` when there is no such player, or the options exclude each other */
  static async open(context: ConnectContext): Promise<Outputs> {
    const { options, console } = context;
    const out = options.out as string | undefined;
    if (out === "-" && options.json === true) {
      throw new NetlabError("usage", "--json and --out - both want standard output");
    }
    // Before anybody is asked; it may come yet.
    if (out !== undefined && out !== "-") {
      if (isPipe(out)) throw isInOrder(out);
      if (options.overwrite !== true && isFile(out)) throw isThere(out);
    }
    const choice = String(options.play ?? (out === undefined ? "auto" : "none"));
    const player = choice === "none" ? null : await findPlayer(choice);
    if (player !== null && choice === "auto") console.note(`plays with ${player}`);
    return new Outputs(context, player);
  }

  /** Whether what comes is kept: then nothing may be missing. */
  get keeps(): boolean {
    return this.#out !== undefined;
  }

  /** Whether a player plays it. */
  get plays(): boolean {
    return this.#player !== null;
  }

  /** Whether it goes where a hole cannot be filled later. */
  get inOrder(): boolean {
    return this.#out === "-";
  }

  /** Opens them. @param onPlayerEnd called when the player ends before it was told to */
  begin(mediaType: string, onPlayerEnd: () => void): void {
    if (this.#out === "-") this.#sinks.push(new OutputSink(this.#context.console));
    else if (this.#out !== undefined) {
      this.#sinks.push(new FileSink(this.#out, this.#context.options.overwrite === true));
    }
    if (this.#playerName === null) return;
    this.#player = new Player(this.#playerName, mediaType.startsWith("audio/"));
    this.#sinks.push(new PlayerSink(this.#player, Number(this.#context.options.start ?? 0) > 0 ? MIDDLE : undefined));
    void this.#player.ended.then(onPlayerEnd);
  }

  arrived(piece: Piece): void {
    for (const sink of this.#sinks) sink.arrived?.(piece);
  }

  play(bytes: Uint8Array, skipped: number): void {
    for (const sink of this.#sinks) sink.play?.(bytes, skipped);
  }

  /** Ends what is being played. */
  async hush(): Promise<void> {
    await this.#player?.stop();
  }

  /** Waits until all is written and, unless the person has had enough, played. */
  async finish(quit: boolean): Promise<void> {
    if (quit) await this.hush();
    const sinks = this.#sinks;
    this.#sinks = [];
    const ends = await Promise.allSettled(sinks.map((sink) => sink.finish()));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** Ends without waiting for what has not been played. */
  async abandon(): Promise<void> {
    await this.finish(true).catch(() => {});
  }

  /** Says how much there is of what was to be kept, where somebody had enough of it. @param whole null where nobody knows */
  noteKept(bytes: number, whole: number | null): void {
    if (!this.keeps || bytes === whole) return;
    const share = whole === null ? `${bytes}` : `${bytes} of ${whole}`;
    this.#context.console.note(`${share} bytes are in ${this.inOrder ? "what was written" : this.#out}`);
  }

  /**
   * Prints how it went, where results do not stand in its way, and says whether what was to be kept is complete.
   *
   * @param failure what ended it: that says why something is missing
   * @throws {Error} the failure; a NetlabError of kind `transport` when without one there are holes in what was kept
   */
  report(report: StreamedReport, failure?: Error): void {
    const { console } = this.#context;
    const lines = formatStreamed(report);
    if (this.inOrder) lines.forEach((line) => console.note(line));
    else console.print(lines, { event: "streamed", ...report });
    if (failure) throw failure;
    const { lost, missing, skipped, quit, bytes } = report;
    if (quit && missing !== null) this.noteKept(bytes, bytes + missing);
    const holes = (lost ?? 0) > 0 || (missing ?? 0) > 0 || (this.inOrder && skipped > 0);
    if (!this.keeps || !holes || quit) return;
    throw new NetlabError("transport", `data are missing in ${this.inOrder ? "what was written" : this.#out}`, {
      hint: this.inOrder && skipped > 0 ? "zeros stand for them, but not at the end" : "UDP does not send them again",
    });
  }
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
