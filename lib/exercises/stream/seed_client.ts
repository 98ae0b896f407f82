// The client of the seed's own form: what comes is taken as it comes.

import { Channel } from "../../net/channel.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { connectUdp } from "../../net/datagram_peers.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import type { Outputs } from "./outputs.ts";
import { bytesCodec, WholeFramer } from "./framing.ts";
import { formatRate, type StreamedReport } from "./report.ts";
import { type SeedEvent, SeedMachine } from "./seed_machine.ts";

/** What is sent where no file was named: any datagram will do. */
const ANY = "stream";
/** How often the live line is drawn, in ms. */
const STATUS_MS = 200;

/** Receives one bare stream to its end. @throws {NetlabError} when its end does not come, or it has another size than was said */
export async function receiveSeed(context: ConnectContext, outputs: Outputs): Promise<void> {
  const { args, host, port, trace, console } = context;
  const name = args[0] ?? ANY;
  const conn = await connectUdp(host, port);
  const channel = new Channel<Uint8Array>(conn, { framer: new WholeFramer("seed"), codec: bytesCodec, trace });
  const machine = new SeedMachine(name, context.idleMs);
  const begun = performance.now();
  const intake = new Intake(context, outputs, name);
  const driven = drive(machine, {
    clock: systemClock,
    send: (bytes) => void channel.send(bytes),
    onEvent: (event) => intake.on(event, driven),
    trace,
    id: channel.id,
  });
  context.onInterrupt?.(() => {
    driven.input({ type: "end", error: new NetlabError("interrupted", "interrupted") });
    void outputs.hush();
  });
  const listening = channel.each((message) => driven.input({ type: "message", message }), () => {});
  try {
    const failure = await watch(driven.finished, machine, context);
    const seconds = (performance.now() - begun) / 1000;
    if (failure instanceof NetlabError && failure.kind === "interrupted") {
      if (machine.packets > 0) outputs.noteKept(machine.bytes, machine.size);
      throw failure;
    }
    const wrong = failure ?? surplusOf(machine);
    const said = wrong && named(wrong, formatHostPort(host, port));
    if (said && machine.packets === 0) throw said;
    if (outputs.keeps) intake.begin(driven);
    await outputs.finish(false);
    outputs.report(reportOf(name, machine, seconds), said);
  } finally {
    console.status(null);
    driven.input({ type: "end" });
    await channel.close();
    await listening;
    await outputs.abandon();
  }
}

/** Gives what comes to where it goes. */
class Intake {
  readonly #context: ConnectContext;
  readonly #outputs: Outputs;
  readonly #name: string;
  #begun = false;
  #offset = 0;

  constructor(context: ConnectContext, outputs: Outputs, name: string) {
    this.#context = context;
    this.#outputs = outputs;
    this.#name = name;
  }

  on(event: SeedEvent, driven: Driven<Uint8Array, "leave">): void {
    if (event.type === "size") return this.#context.console.note(`${this.#name}: ${event.size} bytes`);
    try {
      this.begin(driven);
      this.#outputs.arrived({ seq: 0, offset: this.#offset, timeMs: 0, bytes: event.bytes });
      this.#outputs.play(event.bytes.slice(), 0);
      this.#offset += event.bytes.length;
    } catch (error) {
      driven.input({ type: "end", error: error as Error });
    }
  }

  /** Opens what it goes to, if that is not open. */
  begin(driven: Driven<Uint8Array, "leave">): void {
    if (this.#begun) return;
    this.#begun = true;
    const onPlayerEnd = () => this.#outputs.keeps || driven.input({ type: "command", command: "leave" });
    this.#outputs.begin(SOUND.test(this.#name) ? "audio/*" : "", onPlayerEnd);
  }
}

/** Names of what has no pictures: nothing else says it in this form. */
const SOUND = /\.(mp3|wav|ogg|oga|opus|flac|m4a|aac)$/i;

async function watch<T>(finished: Promise<T>, machine: SeedMachine, { console }: ConnectContext): Promise<T> {
  const begun = performance.now();
  while (await outlasts(finished, STATUS_MS)) {
    const { bytes, packets, size } = machine;
    if (packets === 0) continue;
    const rate = 1000 * bytes / (performance.now() - begun);
    console.status(`${packets} datagrams  ${formatRate(rate)}`, size === null ? undefined : Math.min(1, bytes / size));
  }
  return finished;
}

function surplusOf({ bytes, size }: SeedMachine): NetlabError | undefined {
  if (size === null || bytes <= size) return undefined;
  return new NetlabError("protocol", `${size} bytes were announced, and ${bytes} came`);
}

function named(failure: Error, address: string): Error {
  if (!(failure instanceof NetlabError) || failure.kind === "harness") return failure; // what this machine cannot do
  return new NetlabError(failure.kind, `${address}: ${failure.message}`, { hint: failure.hint });
}

function reportOf(name: string, { bytes, packets, size }: SeedMachine, seconds: number): StreamedReport {
  return {
    ...{ name, packets, bytes, seconds, skipped: 0, quit: false },
    ...{ lost: null, reordered: null, duplicates: null, jitterMs: null, gaps: null },
    missing: size === null ? null : Math.max(0, size - bytes),
  };
}
