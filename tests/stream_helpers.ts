// What the tests of stream share: both machines on a virtual clock with a bad network between them; a server in this process, a
// client, a UDP relay that an impairment plan makes bad, and media made by hand.

import { assertEquals, assertRejects } from "@std/assert";
import type { ConnectContext, RunningServer, ServeContext } from "../lib/exercises/exercise.ts";
import { connectStream } from "../lib/exercises/stream/client.ts";
import { makeNotation, readPdu } from "../lib/exercises/stream/framing.ts";
import { stream } from "../lib/exercises/stream/mod.ts";
import { encodePdu, type Info, type Pdu } from "../lib/exercises/stream/protocol.ts";
import {
  type ReceiveCommand,
  type ReceiveEvent,
  ReceiverMachine,
  type ReceiverOptions,
} from "../lib/exercises/stream/receiver_machine.ts";
import { type SendCommand, SenderMachine } from "../lib/exercises/stream/sender_machine.ts";
import { serveStream } from "../lib/exercises/stream/server.ts";
import { type Impairment, ImpairmentPlan } from "../lib/faults/plan.ts";
import { systemClock } from "../lib/net/clock.ts";
import { drive, type Driven } from "../lib/net/drive.ts";
import { type Millis, VirtualClock } from "../lib/protocol/clock.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { Random } from "../lib/protocol/random.ts";
import { connectContext, FakeConsole, serveContext, temporaryFolder } from "./chat_helpers.ts";
import { within } from "./helpers.ts";

export const SESSION = 0xbeef_0001;

/** A datagram that has arrived. */
export interface Seen {
  readonly at: Millis;
  readonly pdu: Pdu;
}

/** How a simulated stream is made. */
export interface SimulationOptions {
  readonly file: Uint8Array;
  /** Bytes a second. */
  readonly rate: number;
  readonly there?: Impairment;
  readonly seed?: number;
  readonly receiver?: Partial<ReceiverOptions>;
  readonly startMs?: Millis;
  /** Whether the server's file is as long as it was. */
  readonly cutAt?: number;
}

/** A stream without sockets. The server needs no cookie here. */
export class Simulation {
  readonly clock = new VirtualClock();
  readonly plan: ImpairmentPlan;
  readonly sender: SenderMachine;
  readonly receiver: ReceiverMachine;
  readonly receiving: Driven<Pdu, ReceiveCommand>;
  /** What the server has sent, and when. */
  readonly sent: Seen[] = [];
  /** What has arrived at the client, and when. */
  readonly arrived: Seen[] = [];
  /** What was played, and when. */
  readonly played: { readonly at: Millis; readonly offset: number; readonly skipped: number }[] = [];
  readonly events: ReceiveEvent[] = [];
  /** What has come, each piece in its place. */
  readonly out: Uint8Array;
  error: Error | undefined;
  over = false;
  /** Why the server says it is over. */
  why = "";
  #sending: Driven<Pdu, SendCommand> | null = null;
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { file, rate, there = {}, seed = 1, startMs = 0 } = options;
    const info: Info = {
      size: file.length,
      durationMs: 1000 * file.length / rate,
      rate,
      assumed: false,
      mediaType: "audio/wav",
    };
    this.plan = new ImpairmentPlan(there, seed);
    this.out = new Uint8Array(file.length);
    this.sender = new SenderMachine({ session: SESSION, info, startMs, idleMs: 5000, random: new Random(seed) });
    this.receiver = new ReceiverMachine({
      session: SESSION,
      name: "file",
      startMs,
      bufferMs: 300,
      silentMs: 8000,
      ...options.receiver,
    });
    this.receiving = drive(this.receiver, {
      clock: this.clock,
      send: (pdu) => this.#toServer(pdu),
      onEvent: (event) => this.#on(event),
    });
    void this.receiving.finished.then((error) => {
      this.error = error;
      this.over = true;
    });
  }

  /** Lets time pass until the client is done, or so much has passed. */
  async run(ms = Infinity): Promise<this> {
    const end = this.clock.now() + ms;
    for (;;) {
      await Promise.resolve();
      const next = this.clock.next();
      if (this.over || next === null || next > end) break;
      this.clock.advanceTo(next);
    }
    // What the client has said last arrives, too.
    this.clock.advanceTo(ms === Infinity ? this.clock.now() + 1 : end);
    await Promise.resolve();
    return this;
  }

  control(action: "pause" | "resume" | "seek", positionMs = 0): void {
    this.receiving.input({ type: "command", command: { type: "control", action, positionMs } });
  }

  #toServer(pdu: Pdu): void {
    this.clock.at(this.clock.now() + 1, () => {
      if (this.#sending) this.#sending.input({ type: "message", message: pdu });
      else if (pdu.type === "REQUEST") this.#serve();
    });
  }

  #serve(): void {
    this.#sending = drive(this.sender, {
      clock: this.clock,
      send: (pdu) => this.#toClient(pdu),
      onEvent: (event) => {
        if (event.type === "over") return void (this.why = event.why);
        const { offset, length } = event;
        const bytes = this.#options.file.subarray(0, this.#options.cutAt).subarray(offset, offset + length);
        this.clock.at(
          this.clock.now(),
          () => this.#sending!.input({ type: "command", command: { type: "data", offset, bytes } }),
        );
      },
    });
  }

  #toClient(pdu: Pdu): void {
    this.sent.push({ at: this.clock.now(), pdu });
    // Only what is numbered goes by the plan: so the plan's tally is of what the client counts.
    const arrivals = pdu.type === "DATA"
      ? this.plan.apply(encodePdu(pdu), this.clock.now())
      : [{ at: this.clock.now() + 1, bytes: encodePdu(pdu) }];
    for (const { at, bytes } of arrivals) {
      this.clock.at(at, () => {
        const message = readPdu(bytes);
        if (message === null) return;
        this.arrived.push({ at: this.clock.now(), pdu: message });
        this.receiving.input({ type: "message", message });
      });
    }
  }

  #on(event: ReceiveEvent): void {
    this.events.push(event);
    if (event.type === "arrived") this.out.set(event.piece.bytes, event.piece.offset);
    if (event.type === "play") {
      this.played.push({ at: this.clock.now(), offset: event.piece.offset, skipped: event.skipped });
    }
  }
}

/** What a sound is like: 16-bit mono of so many samples a second, a tone that changes so that no two places are alike. */
export function makeWav(seconds: number, samplesPerSecond = 8000): Uint8Array<ArrayBuffer> {
  const samples = Math.round(seconds * samplesPerSecond);
  const bytes = new Uint8Array(44 + 2 * samples);
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => bytes.set(new TextEncoder().encode(word), at);
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, samplesPerSecond, true);
  view.setUint32(28, 2 * samplesPerSecond, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples, true);
  for (let i = 0; i < samples; i++) view.setInt16(44 + 2 * i, 8000 * Math.sin(i * i / 20_000), true);
  return bytes;
}

/** A server that runs in this process, with a folder of its own. */
export class StreamServer implements AsyncDisposable {
  readonly server: RunningServer;
  readonly console: FakeConsole;
  readonly dir: string;

  private constructor(server: RunningServer, console: FakeConsole, dir: string) {
    this.server = server;
    this.console = console;
    this.dir = dir;
  }

  /** @param files names and contents */
  static async start(
    files: Readonly<Record<string, Uint8Array>>,
    options: ServeContext["options"] = {},
    changes: Partial<ServeContext> = {},
  ): Promise<StreamServer> {
    const dir = temporaryFolder();
    for (const [name, bytes] of Object.entries(files)) Deno.writeFileSync(`${dir}/${name}`, bytes);
    const console = new FakeConsole([]);
    const context = serveContext(stream, { wire: "pdu", console, ...changes, options: { dir, ...options } });
    return new StreamServer(await serveStream(context), console, dir);
  }

  get port(): number {
    return this.server.address.port;
  }

  get clientCount(): number {
    return (this.server as RunningServer & { clientCount: number }).clientCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.abort();
    await within(this.server.finished, "the end of the server");
  }
}

/** Receives a stream; nothing plays it unless the options say so. @throws {NetlabError} as the client does */
export async function receive(
  port: number,
  name: string,
  options: ConnectContext["options"] = {},
  console: FakeConsole = new FakeConsole([]),
  wire = "pdu",
): Promise<FakeConsole> {
  const args = name === "" ? [] : [name];
  const context = connectContext(port, console, {
    transport: "udp",
    wire,
    args,
    options: { play: "none", ...options },
  });
  await within(connectStream(context), "the end of the client");
  return console;
}

/** What the client says of its failure: kind and message. */
export async function receivingFails(...args: Parameters<typeof receive>): Promise<string> {
  const { kind, message } = await assertRejects(() => receive(...args), NetlabError);
  return `${kind}: ${message}`;
}

/** A UDP socket of somebody who writes datagrams by hand. */
export class Stranger implements Disposable {
  readonly socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #codec = makeNotation().codec;
  readonly #to: Deno.NetAddr;

  constructor(port: number) {
    this.#to = { transport: "udp", hostname: "127.0.0.1", port };
  }

  async say(...pdus: string[]): Promise<void> {
    for (const pdu of pdus) await this.sendBytes(this.#codec.encode(pdu) as Uint8Array);
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.socket.send(bytes, this.#to);
  }

  async receiveBytes(): Promise<Uint8Array> {
    const [bytes] = await within(this.socket.receive(new Uint8Array(65_536)), "a datagram");
    return bytes;
  }

  /** The next PDU. */
  async hear(): Promise<string> {
    return this.#codec.decode(await this.receiveBytes());
  }

  /** The next PDU of that type; others before it are passed over. */
  async hearOf(type: string): Promise<string> {
    for (;;) {
      const text = await this.hear();
      if (text.startsWith(`${type} `)) return text;
    }
  }

  /** Asks for a file and returns the cookie. */
  async ask(session: number, name: string, start = 0): Promise<void> {
    await this.say(`REQUEST session=${session} start=${start} "${name}"`);
    assertEquals(await this.hear(), `COOKIE session=${session} cookie=*`);
    await this.say(`REQUEST session=${session} start=${start} cookie=* "${name}"`);
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** A relay between one client and a server, as bad as a plan says towards the client. */
export class Relay implements AsyncDisposable {
  readonly plan: ImpairmentPlan;
  /** DATA that went to the client: its seq and when it left here, in that order. */
  readonly delivered: { readonly seq: number; readonly at: Millis }[] = [];
  /** DATA that was lost here. */
  lost = 0;
  readonly #front = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #rear = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #server: Deno.NetAddr;
  #client: Deno.Addr | null = null;
  readonly #timers = new Set<() => void>();
  readonly #running: Promise<unknown>;

  constructor(port: number, impairment: Impairment, seed: number) {
    this.plan = new ImpairmentPlan(impairment, seed);
    this.#server = { transport: "udp", hostname: "127.0.0.1", port };
    this.#running = Promise.all([
      carry(this.#front, async (bytes, from) => {
        this.#client = from;
        await this.#rear.send(bytes, this.#server);
      }),
      carry(this.#rear, (bytes) => this.#pass(bytes)),
    ]);
  }

  get port(): number {
    return (this.#front.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.#front.close();
    this.#rear.close();
    await this.#running;
  }

  async #pass(bytes: Uint8Array): Promise<void> {
    const pdu = readPdu(bytes);
    if (pdu?.type !== "DATA") return void await this.#front.send(bytes, this.#client!);
    const now = systemClock.now();
    const arrivals = this.plan.apply(bytes.slice(), now);
    if (arrivals.length === 0) this.lost++;
    for (const { at, bytes } of arrivals) {
      const cancel = systemClock.at(at, () => {
        this.#timers.delete(cancel);
        this.delivered.push({ seq: pdu.seq, at: systemClock.now() });
        this.#front.send(bytes, this.#client!).catch(() => {});
      });
      this.#timers.add(cancel);
    }
  }
}

async function carry(
  socket: Deno.DatagramConn,
  pass: (bytes: Uint8Array, from: Deno.Addr) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    try {
      const [bytes, from] = await socket.receive(buffer);
      await pass(bytes, from);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      throw error;
    }
  }
}

/** How many arrive behind one with a higher number, duplicates apart. */
export function countReordered(seqs: readonly number[]): number {
  const seen = new Set<number>();
  let [highest, reordered] = [-1, 0];
  for (const seq of seqs) {
    if (seen.has(seq)) continue;
    seen.add(seq);
    if (seq < highest) reordered++;
    highest = Math.max(highest, seq);
  }
  return reordered;
}
