// The server of the seed's own form: any datagram, or a file name, is answered with the bytes of a file and EOF or END. Nobody
// proves an address in it and nobody reports, so it serves neighbours only, one stream each, and few at once.

import { systemClock } from "../../net/clock.ts";
import { type Address, formatAddress } from "../../net/conn.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { Random } from "../../protocol/random.ts";
import { decodeLossy, encodeText } from "../../protocol/text.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { FileRefused, Folder, type OpenFile } from "../folder.ts";
import { MAX_FILE_NAME } from "../names.ts";
import { MAX_SEED_STREAMS, SEED_ENDS } from "./defaults.ts";
import { describeBare } from "./framing.ts";
import { Media, PartReader } from "./media.ts";
import { Outlet } from "./outlet.ts";
import { type Info, type Pdu, readData, refusal } from "./protocol.ts";
import { describeMedium, formatServed } from "./report.ts";
import { BLOCK_BYTES, type SendCommand, SenderMachine } from "./sender_machine.ts";

/** How a missing file is answered, as the seed's programs do. */
const NOT_FOUND = "Error: File not found";

/** Who says what only servers say is not served until it has said no such thing for so long, in ms. */
const SERVER_MS = 2000;
/** So many of them are remembered. */
const MAX_SERVERS = 1000;

/** Starts a server. */
export function serveSeed(context: ServeContext): RunningServer {
  return new SeedServer(context);
}

class SeedServer implements RunningServer {
  readonly finished: Promise<void>;
  readonly #context: ServeContext;
  readonly #folder: Folder;
  readonly #media: Media;
  readonly #outlet: Outlet;
  readonly #streams = new Map<string, SeedStream>();
  /** Addresses of other servers, and when they have last said what shows it. */
  readonly #servers = new Map<string, number>();
  #lastId = 0;

  constructor(context: ServeContext) {
    this.#context = context;
    this.#folder = new Folder(String(context.options.dir ?? "."));
    this.#media = new Media(context.options.rate === undefined ? null : Number(context.options.rate));
    const { host, port, trace } = context;
    const idOf = (_: Uint8Array, address: Address) => this.#streams.get(formatAddress(address))?.id ?? 0;
    this.#outlet = new Outlet({ host, port, trace, idOf });
    this.finished = this.#run();
  }

  get address(): Address {
    return this.#outlet.address;
  }

  get clientCount(): number {
    return this.#streams.size;
  }

  async shutdown(_graceMs: number): Promise<void> {
    this.abort();
    await this.finished;
  }

  abort(): void {
    for (const stream of this.#streams.values()) stream.stop();
    void this.#outlet.close();
  }

  async #run(): Promise<void> {
    await this.#outlet.each((bytes, from) => this.#receive(bytes, from));
    await Promise.all([...this.#streams.values()].map((stream) => stream.finished));
  }

  #receive(bytes: Uint8Array, from: Address): void {
    const address = formatAddress(from);
    const most = Math.min(MAX_SEED_STREAMS, this.#context.limits.maxClients ?? MAX_SEED_STREAMS);
    const asked = bytes.length > MAX_FILE_NAME ? null : decodeLossy(bytes).trim();
    if (asked === null || isAnswer(asked)) return this.#shun(address);
    if (this.#streams.has(address)) return;
    if (systemClock.now() - (this.#servers.get(address) ?? -Infinity) < SERVER_MS) return;
    const { trace } = this.#context;
    if (!isPrivate(from.hostname)) {
      if (trace.wants.note) trace.emit({ type: "note", text: `${address} is no neighbour: not served in this form` });
      return;
    }
    if (this.#streams.size >= most) {
      const text = `Error: ${refusal.busy(most)}`;
      if (trace.wants.note) trace.emit({ type: "note", text: `${address} was told: ${text}` });
      return this.#outlet.send(encodeText(text), from);
    }
    const id = ++this.#lastId;
    if (trace.wants.open) {
      const local = formatAddress(this.#outlet.address);
      trace.emit({ type: "open", id, transport: "udp", local, remote: address });
    }
    if (trace.wants.message) trace.emit({ type: "message", id, direction: "in", text: asked });
    const stream = new SeedStream(this.#context, this.#outlet, this.#media, this.#open(asked), from, id);
    this.#streams.set(address, stream);
    void stream.finished.then((why) => {
      this.#streams.delete(address);
      if (trace.wants.close) trace.emit({ type: "close", id, reason: why });
    });
  }

  /** Ends what was begun for another server, in whose name somebody has asked: the two would answer each other for ever. */
  #shun(address: string): void {
    const { trace } = this.#context;
    if (trace.wants.note && !this.#servers.has(address)) {
      trace.emit({ type: "note", text: `${address} answers as a server does: not served` });
    }
    if (this.#servers.size >= MAX_SERVERS) this.#servers.clear();
    this.#servers.set(address, systemClock.now());
    this.#streams.get(address)?.stop();
  }

  /** The file that is meant: that of the name, or the first there is where no name was said. */
  async #open(asked: string): Promise<Named> {
    try {
      return { name: asked, opened: await this.#folder.open(asked) };
    } catch (error) {
      const isName = /[/\\]|\.\w{1,5}$/.test(asked);
      if (isName || !(error instanceof FileRefused)) throw error;
      const [first] = await this.#folder.list();
      if (first === undefined) throw new FileRefused(404, "there is no file to stream");
      return { name: first.name, opened: await this.#folder.open(first.name) };
    }
  }
}

/** Whether a text is what a server says, and no client. */
function isAnswer(text: string): boolean {
  return /^error\b/i.test(text) || (SEED_ENDS as readonly string[]).includes(text);
}

/** An open file, and its name. */
interface Named {
  readonly name: string;
  readonly opened: OpenFile;
}

/** One stream, paced as any other: only how its PDUs are written differs. */
class SeedStream {
  /** Settles, with why, when it is over. */
  readonly finished: Promise<string>;
  /** In the trace. */
  readonly id: number;
  readonly #context: ServeContext;
  readonly #outlet: Outlet;
  readonly #to: Address;
  #driven: Driven<Pdu, SendCommand> | null = null;
  #stopped = false;
  #ended = false;

  constructor(
    context: ServeContext,
    outlet: Outlet,
    media: Media,
    opening: Promise<Named>,
    to: Address,
    id: number,
  ) {
    this.#context = context;
    this.#outlet = outlet;
    this.#to = to;
    this.id = id;
    this.finished = this.#run(opening, media);
  }

  stop(): void {
    this.#stopped = true;
    this.#driven?.input({ type: "end" });
  }

  async #run(opening: Promise<Named>, media: Media): Promise<string> {
    let named: Named;
    try {
      named = await opening;
    } catch (error) {
      if (!this.#stopped) this.#write(encodeText(NOT_FOUND));
      return (error as Error).message;
    }
    const reader = new PartReader(named.opened.file);
    try {
      const info = await media.about(named.opened, reader);
      if (this.#stopped) return "stopped";
      const { trace } = this.#context;
      const text = `plays ${named.name}: ${describeMedium(info)}`;
      if (trace.wants.note) trace.emit({ type: "note", id: this.id, text });
      return await this.#play(named.name, info, reader);
    } finally {
      await reader.close();
    }
  }

  async #play(name: string, info: Info, reader: PartReader): Promise<string> {
    const random = new Random(crypto.getRandomValues(new Uint32Array(1))[0]);
    const machine = new SenderMachine({ session: 0, info, startMs: 0, idleMs: Infinity, random });
    const begun = performance.now();
    let why = "";
    const driven = drive(machine, {
      clock: systemClock,
      send: (pdu) => this.#send(pdu, info),
      onEvent(event) {
        if (event.type === "over") why = event.why;
        else void later(() => read(event.offset, event.length));
      },
    });
    const block = new Uint8Array(BLOCK_BYTES); // the machine keeps a copy
    const read = (offset: number, length: number) =>
      reader.read(offset, length, block).then(
        (bytes) => driven.input({ type: "command", command: { type: "data", offset, bytes } }),
        () => this.stop(),
      );
    this.#driven = driven;
    await driven.finished;
    if (this.#ended) why = "played to its end";
    const { bytes, pieces: packets } = machine;
    const seconds = (performance.now() - begun) / 1000;
    const report = { name, to: formatAddress(this.#to), bytes, packets, lost: null, jitterMs: null, seconds, why };
    this.#context.console.print(formatServed(report), { event: "served", ...report });
    return why;
  }

  /** A PDU as the seed writes it, which has no headers. */
  #send(pdu: Pdu, info: Info): void {
    const { options } = this.#context;
    if (pdu.type === "DATA") this.#write(readData(pdu).bytes);
    else if (pdu.type === "INFO" && options["seed-size"] === true) this.#write(encodeText(String(info.size)));
    else if (pdu.type === "FIN") {
      this.#write(encodeText(String(options["seed-end"] ?? SEED_ENDS[0])));
      this.#ended = true;
      void later(() => this.stop());
    }
  }

  #write(bytes: Uint8Array): void {
    const { trace } = this.#context;
    if (trace.wants.message) trace.emit({ type: "message", id: this.id, direction: "out", text: describeBare(bytes) });
    this.#outlet.send(bytes, this.#to);
  }
}

/** When what is going on is done. */
function later(run: () => unknown): Promise<unknown> {
  return Promise.resolve().then(run);
}

/** Whether an address is of this machine or of its own network. */
export function isPrivate(host: string): boolean {
  const plain = host.replace(/^::ffff:(?=\d+\.)/i, "");
  if (plain.includes(":")) return /^(::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i.test(plain);
  const [a, b] = plain.split(".").map(Number);
  return a === 127 || a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ||
    (a === 169 && b === 254);
}
