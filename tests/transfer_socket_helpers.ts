// What the tests of transfer on sockets share: a receiver in this process with a folder of its own, a sender, hand-made PDUs on
// both transports, and a UDP relay between the two that is as bad as an impairment plan says. Nothing here sleeps.

import { assertEquals, assertRejects } from "@std/assert";
import type { ConnectContext, RunningServer, ServeContext, Transport } from "../lib/exercises/exercise.ts";
import { connectTransfer } from "../lib/exercises/transfer/client.ts";
import { makeNotation } from "../lib/exercises/transfer/framing.ts";
import { transfer } from "../lib/exercises/transfer/mod.ts";
import { formatPdu } from "../lib/exercises/transfer/notation.ts";
import { decodePdu, type Pdu, PDU_TYPES } from "../lib/exercises/transfer/protocol.ts";
import { serveTransfer } from "../lib/exercises/transfer/server.ts";
import { type Impairment, ImpairmentPlan } from "../lib/faults/plan.ts";
import { systemClock } from "../lib/net/clock.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import {
  ChatClient,
  closeQuietly,
  connectContext,
  FakeConsole,
  serveContext,
  temporaryFolder,
} from "./chat_helpers.ts";
import { within } from "./helpers.ts";
import { makeFile, sha256 } from "./transfer_helpers.ts";

export const TRANSPORTS: readonly Transport[] = ["tcp", "udp"];

/** A receiver that runs in this process. */
export class FileServer {
  readonly server: RunningServer;
  readonly console: FakeConsole;
  /** Its folder, inside of another one that has nothing else in it. */
  readonly dir: string;
  readonly #outside: string;

  private constructor(server: RunningServer, console: FakeConsole, outside: string) {
    this.server = server;
    this.console = console;
    this.#outside = outside;
    this.dir = `${outside}/in`;
  }

  /** @param options of the command line, such as `overwrite`; `dir` takes the place of a new folder */
  static async start(
    transport: Transport,
    options: ServeContext["options"] = {},
    changes: Partial<ServeContext> = {},
  ): Promise<FileServer> {
    const outside = temporaryFolder();
    Deno.mkdirSync(`${outside}/in`);
    const console = new FakeConsole([]);
    const server = await serveTransfer(serveContext(transfer, {
      ...{ transport, wire: "pdu", console, options: { dir: `${outside}/in`, ...options } },
      ...changes,
    }));
    return new FileServer(server, console, outside);
  }

  get port(): number {
    return this.server.address.port;
  }

  /** What is in its folder, sorted. */
  get files(): string[] {
    return namesIn(this.dir);
  }

  /** How much of an unfinished file is on the disk. */
  partBytes(name: string): number {
    return this.files.includes(`${name}.part`) ? Deno.statSync(`${this.dir}/${name}.part`).size : 0;
  }

  read(name: string): Uint8Array {
    return Deno.readFileSync(`${this.dir}/${name}`);
  }

  /** The last report, without its time. */
  get report(): Record<string, unknown> {
    const { seconds: _, ...report } = this.console.events.at(-1) ?? {};
    return report;
  }

  /** Asserts that the folder has exactly these files, with these contents, and nothing is outside of it. */
  has(files: Readonly<Record<string, Uint8Array>>): void {
    assertEquals(this.files, Object.keys(files).toSorted());
    for (const [name, bytes] of Object.entries(files)) {
      assertEquals(sha256(this.read(name)), sha256(bytes), `${name} has other bytes than were sent`);
    }
    assertEquals(namesIn(this.#outside), ["in"], "something was written outside of the folder");
  }

  async close(): Promise<void> {
    this.server.abort();
    await within(this.server.finished.catch(() => {}), "the end of the receiver");
  }
}

export const namesIn = (folder: string): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();

/** Runs `fn` with a receiver, which it need not end. */
export async function withReceiver(
  transport: Transport,
  fn: (receiver: FileServer) => Promise<void>,
  options: ServeContext["options"] = {},
  changes: Partial<ServeContext> = {},
): Promise<void> {
  const receiver = await FileServer.start(transport, options, changes);
  try {
    await fn(receiver);
  } finally {
    await receiver.close();
  }
}

/** Writes a file in a new folder. @returns its path */
export function makeSource(name: string, bytes: Uint8Array): string {
  const path = `${temporaryFolder()}/${name}`;
  Deno.writeFileSync(path, bytes);
  return path;
}

/** A sender's options, and where it sends to. */
export type SendOptions = ConnectContext["options"] & { transport?: Transport; wire?: string };

/** Sends files. @throws {NetlabError} as the client does */
export async function sendFiles(
  port: number,
  files: readonly string[],
  { transport = "tcp", wire = "pdu", ...options }: SendOptions = {},
  console = new FakeConsole([]),
): Promise<FakeConsole> {
  const context = connectContext(port, console, { transport, wire, args: files, options });
  await within(connectTransfer(context), "the end of the sender");
  return console;
}

/** What the sender says of its failure: kind, message and hint. */
export async function sendingFails(
  port: number,
  files: readonly string[],
  options: SendOptions = {},
  console = new FakeConsole([]),
): Promise<string> {
  const { kind, message, hint } = await assertRejects(() => sendFiles(port, files, options, console), NetlabError);
  return `${kind}: ${message}${hint ? ` (${hint})` : ""}`;
}

/** The last report of a sender, without what time decides. */
export function sentReport(console: FakeConsole): Record<string, unknown> {
  const { seconds: _1, rttMs: _2, goodputBps: _3, allowedBps: _4, ...report } = console.events.at(-1)!;
  return report;
}

/** Somebody who writes PDUs by hand. */
export interface PduPeer {
  /** Where it is, `host:port`. */
  readonly address: string;
  send(...pdus: string[]): Promise<void>;
  sendBytes(...pdus: Uint8Array[]): Promise<void>;
  receive(): Promise<string>;
  ask(pdu: string): Promise<string>;
  close(): void;
}

const { codec } = makeNotation();

/** Connects by `transport`: PDUs are written as in `netlab explain transfer`. */
async function connectPeer(transport: Transport, port: number): Promise<PduPeer> {
  if (transport === "udp") return new DatagramPeer(port);
  const client = await ChatClient.connect(port, "pdu", makeNotation());
  const { port: own } = client.conn.localAddr as Deno.NetAddr;
  return {
    address: `127.0.0.1:${own}`,
    send: (...pdus) => client.send(...pdus),
    sendBytes: (...pdus) => client.sendBytes(...pdus),
    receive: () => client.receive(),
    ask: (pdu) => client.ask(pdu),
    close: () => client.close(),
  };
}

/** A UDP socket that sends PDUs and reads them. */
export class DatagramPeer implements PduPeer {
  readonly socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  /** Whom it talks to: whoever was heard last, unless it was told. */
  #to: Deno.Addr | null;

  constructor(port?: number) {
    this.#to = port === undefined ? null : { transport: "udp", hostname: "127.0.0.1", port };
  }

  get port(): number {
    return (this.socket.addr as Deno.NetAddr).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async send(...pdus: string[]): Promise<void> {
    await this.sendBytes(...pdus.map((pdu) => codec.encode(pdu) as Uint8Array));
  }

  async sendBytes(...datagrams: Uint8Array[]): Promise<void> {
    for (const bytes of datagrams) await this.socket.send(bytes, this.#to!);
  }

  async receiveBytes(): Promise<Uint8Array> {
    const [bytes, from] = await within(this.socket.receive(new Uint8Array(65_536)), "a datagram");
    this.#to ??= from;
    return bytes;
  }

  async receive(): Promise<string> {
    return codec.decode(await this.receiveBytes());
  }

  async ask(pdu: string): Promise<string> {
    await this.send(pdu);
    return await this.receive();
  }

  close(): void {
    closeQuietly(this.socket);
  }
}

/** Runs `fn` with peers of the receiver at `port`, and closes them. */
export async function withPeers(
  transport: Transport,
  port: number,
  count: number,
  fn: (...peers: PduPeer[]) => Promise<void>,
): Promise<void> {
  const peers: PduPeer[] = [];
  try {
    for (let i = 0; i < count; i++) peers.push(await connectPeer(transport, port));
    await fn(...peers);
  } finally {
    for (const peer of peers) peer.close();
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** `OPEN` in writing, of chunks of 5 bytes unless told otherwise. */
export const open = (session: number, name: string, size: number | "unknown", rest = "arq=stop-and-wait"): string =>
  `OPEN session=${session} size=${size} chunk=5 window=8 ${rest} "${name}"`;
export const data = (session: number, seq: number, text: string): string =>
  `DATA session=${session} seq=${seq} push "${text}"`;
export const fin = (session: number, seq: number, whole: string): string =>
  `FIN session=${session} seq=${seq} digest=${hex(sha256(new TextEncoder().encode(whole)))}`;

/** Sends `hello`, and asserts that it has arrived: the receiver is alive. */
export async function sendHello(peer: PduPeer, session: number, name: string): Promise<void> {
  assertEquals(await peer.ask(open(session, name, 5)), `ACCEPT session=${session} seq=0 window=1`);
  assertEquals(await peer.ask(data(session, 0, "hello")), `ACK session=${session} seq=1`);
  assertEquals(await peer.ask(fin(session, 1, "hello")), `DONE session=${session} seq=1 duplicates=0`);
}

/** A datagram on its way through a relay. */
export interface Passing {
  readonly towards: "receiver" | "sender";
  /** Null for what is none. */
  readonly pdu: Pdu | null;
  /** How many of that type have gone that way before. */
  readonly nth: number;
}

/** How bad a relay is. */
export interface RelayOptions {
  readonly there?: Impairment;
  readonly back?: Impairment;
  readonly seed?: number;
  /** What is lost besides. */
  readonly lose?: (passing: Passing) => boolean;
  /** Called for each datagram, before it goes on. */
  readonly onPass?: (passing: Passing, relay: Relay) => void;
}

/** A relay between one sender over UDP and a receiver: the sender sends to `port`. */
export class Relay {
  readonly port: number;
  /** What did not go on, as text. */
  readonly dropped: string[] = [];
  /** Which DATA was lost on its way, in that order. */
  readonly lostChunks: number[] = [];
  readonly there: ImpairmentPlan;
  readonly back: ImpairmentPlan;
  readonly #options: RelayOptions;
  readonly #front = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #rear = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  #receiver: Deno.NetAddr;
  #sender: Deno.Addr | null = null;
  readonly #counts = new Map<string, number>();
  readonly #timers = new Set<() => void>();
  readonly #sends = new Set<Promise<unknown>>();
  readonly #running: Promise<unknown>;

  constructor(receiverPort: number, options: RelayOptions = {}) {
    const { there = {}, back = there, seed = 1 } = options;
    this.#options = options;
    this.there = new ImpairmentPlan(there, seed);
    this.back = new ImpairmentPlan(back, seed + 1);
    this.port = (this.#front.addr as Deno.NetAddr).port;
    this.#receiver = { transport: "udp", hostname: "127.0.0.1", port: receiverPort };
    this.#running = Promise.all([this.#carry("receiver"), this.#carry("sender")]);
  }

  /** From now on another receiver gets what is sent. */
  redirect(port: number): void {
    this.#receiver = { ...this.#receiver, port };
  }

  /** Says something to one end that the other has not said. */
  inject(towards: "receiver" | "sender", bytes: Uint8Array): void {
    const [socket, to] = towards === "receiver" ? [this.#rear, this.#receiver] : [this.#front, this.#sender!];
    const sending: Promise<unknown> = socket.send(bytes, to).catch(() => {}).finally(() => this.#sends.delete(sending));
    this.#sends.add(sending);
  }

  async close(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    await Promise.all(this.#sends);
    this.#front.close();
    this.#rear.close();
    await within(this.#running, "the end of the relay");
  }

  async #carry(towards: "receiver" | "sender"): Promise<void> {
    const socket = towards === "receiver" ? this.#front : this.#rear;
    const plan = towards === "receiver" ? this.there : this.back;
    const buffer = new Uint8Array(65_536);
    for (;;) {
      try {
        const [view, from] = await socket.receive(buffer);
        if (towards === "receiver") this.#sender = from;
        this.#pass(towards, view.slice(), plan);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
    }
  }

  #pass(towards: "receiver" | "sender", bytes: Uint8Array, plan: ImpairmentPlan): void {
    const pdu = read(bytes);
    const type = `${towards} ${bytes.length === 0 ? "end" : PDU_TYPES[bytes[0] - 1]}`;
    const nth = this.#counts.get(type) ?? 0;
    this.#counts.set(type, nth + 1);
    const passing = { towards, pdu, nth };
    this.#options.onPass?.(passing, this);
    const now = systemClock.now();
    const arrivals = this.#options.lose?.(passing) ? [] : plan.apply(bytes, now);
    if (arrivals.every(({ bytes: arrived }) => read(arrived) === null)) {
      this.dropped.push(pdu === null ? `${bytes.length} bytes` : formatPdu(pdu));
      if (pdu?.type === "DATA") this.lostChunks.push(pdu.seq);
    }
    for (const { at, bytes } of arrivals) {
      if (at <= now) this.inject(towards, bytes);
      else this.#later(at, () => this.inject(towards, bytes));
    }
  }

  #later(at: number, run: () => void): void {
    const cancel = systemClock.at(at, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}

function read(bytes: Uint8Array): Pdu | null {
  try {
    return decodePdu(bytes);
  } catch {
    return null;
  }
}

/** Runs `fn` with a receiver over UDP and a relay before it. */
export async function withRelay(
  options: RelayOptions,
  fn: (relay: Relay, receiver: FileServer) => Promise<void>,
  serveOptions: ServeContext["options"] = {},
  changes: Partial<ServeContext> = {},
): Promise<void> {
  await withReceiver(
    "udp",
    async (receiver) => {
      const relay = new Relay(receiver.port, options);
      try {
        await fn(relay, receiver);
      } finally {
        await relay.close();
      }
    },
    serveOptions,
    changes,
  );
}

/** A file too large to make at once: written a block at a time. @returns its SHA-256 */
export async function writeLargeFile(path: string, length: number): Promise<string> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = makeFile(1_048_573);
  for (let left = length; left > 0; left -= block.length) {
    const part = block.subarray(0, left);
    for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
  }
  return await digestFile(path);
}

export async function digestFile(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for await (const block of (await Deno.open(path)).readable) hash.update(block);
  return hash.digest("hex");
}
