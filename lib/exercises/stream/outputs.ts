// Where a client puts what comes: a player, a file or standard output, each of them a sink.

import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { isFile, isPipe } from "../own_file.ts";
import type { PlayerName } from "./defaults.ts";
import { findPlayer, Player } from "./player.ts";
import type { Piece } from "./protocol.ts";
import { formatStreamed, type StreamedReport } from "./report.ts";
import { FileSink, isInOrder, isThere, OutputSink, PlayerSink, type Sink } from "./sinks.ts";

/** What to do where a player gets only what comes behind --start. */
const MIDDLE = "most files cannot be played without their beginning: leave out --start, and seek";

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
