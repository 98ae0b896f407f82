// The server: whoever proves that its address is its own gets the file it asks for, at the pace of the file, as long as it
// reports.
//
//     datagram ─► PDU ─► session of that address ─► SenderMachine ─► datagrams when they are due
//                  └─► REQUEST without a cookie ─► COOKIE

import { systemClock } from "../../net/clock.ts";
import { type Address, formatAddress } from "../../net/conn.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { Random } from "../../protocol/random.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { FileRefused, Folder } from "../folder.ts";
import { Budget, Cookies } from "./cookies.ts";
import { IDLE_MS, MAX_CLIENTS } from "./defaults.ts";
import { readPdu } from "./framing.ts";
import { Media, PartReader } from "./media.ts";
import { describeDatagram, formatPdu } from "./notation.ts";
import { type Mistakes, Outlet } from "./outlet.ts";
import {
  BUDGET_MS,
  cookiePdu,
  encodePdu,
  ERROR_CODES,
  errorPdu,
  type Pdu,
  readRequest,
  refusal,
  type Request,
  sessionOf,
  UNPROVEN_BYTES,
} from "./protocol.ts";
import { describeMedium, formatServed, type ServedReport } from "./report.ts";
import { serveSeed } from "./seed_server.ts";
import { BLOCK_BYTES, type SendCommand, SenderMachine, type SendEvent } from "./sender_machine.ts";

/** The longest datagram that is sent often. */
const SCRATCH_BYTES = 2000;

/** What the streams of one server share. */
interface Desk {
  readonly context: ServeContext;
  readonly folder: Folder;
  readonly media: Media;
  readonly outlet: Outlet;
  readonly pace?: number;
  readonly idleMs: number;
  /** What is sent is written here first, one datagram after the other. */
  readonly scratch: Uint8Array;
}

/** Starts a server. */
export function serveStream(context: ServeContext): RunningServer {
  return context.wire === "seed" ? serveSeed(context) : new StreamServer(context);
}

class StreamServer implements RunningServer {
  readonly finished: Promise<void>;
  readonly #desk: Desk;
  readonly #maxClients: number;
  readonly #cookies = new Cookies();
  readonly #budget = new Budget();
  /** By address and session, as long as there is something to say to them. */
  readonly #streams = new Map<string, Stream>();
  /** Those, and the ones whose files are being closed. */
  readonly #open = new Set<Stream>();
  #lastId = 0;

  constructor(context: ServeContext) {
    const { limits, options } = context;
    const folder = new Folder(String(options.dir ?? "."));
    // This server is made of other things than a Server is: so are its mistakes.
    const { pace, through } = (context.spoil as unknown as ((usual: Mistakes) => Mistakes) | undefined)?.({}) ?? {};
    const media = new Media(options.rate === undefined ? null : Number(options.rate));
    const outlet = new Outlet({
      ...context,
      idOf: (bytes, address) => this.#streamOf(formatAddress(address), sessionOf(bytes))?.id ?? 0,
      through: through && ((post) => through(post, () => this.abort())),
    });
    this.#desk = {
      context,
      folder,
      media,
      outlet,
      pace,
      idleMs: limits.idleMs ?? IDLE_MS,
      scratch: new Uint8Array(SCRATCH_BYTES),
    };
    this.#maxClients = limits.maxClients ?? MAX_CLIENTS;
    this.finished = this.#run();
  }

  get address(): Address {
    return this.#desk.outlet.address;
  }

  get clientCount(): number {
    return this.#open.size;
  }

  async shutdown(_graceMs: number): Promise<void> {
    for (const stream of this.#streams.values()) stream.fail(ERROR_CODES.cancelled, refusal.shutdown());
    await this.#desk.outlet.close();
    await this.finished;
  }

  abort(): void {
    for (const stream of this.#streams.values()) stream.lose("the server was stopped");
    void this.#desk.outlet.close();
  }

  #streamOf(address: string, session: number | null): Stream | undefined {
    return this.#streams.get(`${address} ${session}`);
  }

  async #run(): Promise<void> {
    const { outlet, context: { trace } } = this.#desk;
    await outlet.each((bytes, from) => {
      const pdu = readPdu(bytes);
      if (pdu) this.#receive(pdu, from);
      else if (trace.wants.message) {
        trace.emit({ type: "note", text: `${formatAddress(from)} sent no PDU: ${describeDatagram(bytes)}` });
      }
    });
    await Promise.all([...this.#open].map((stream) => stream.finished));
  }

  #receive(pdu: Pdu, from: Address): void {
    const address = formatAddress(from);
    const stream = this.#streamOf(address, pdu.session);
    if (stream) stream.receive(pdu);
    else if (pdu.type === "REQUEST") this.#take(pdu, from, address);
    else if (pdu.type === "REPORT" || pdu.type === "CONTROL" || pdu.type === "FIN") {
      this.#tellStranger(
        pdu,
        errorPdu(pdu.session, ERROR_CODES.unknownSession, refusal.unknownSession()),
        from,
        address,
      );
    }
  }

  /** Serves who has returned its cookie; all others get one. */
  #take(pdu: Pdu, from: Address, address: string): void {
    const { session } = pdu;
    let request: Request;
    try {
      request = readRequest(pdu);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#tellStranger(pdu, errorPdu(session, ERROR_CODES.request, error.message.slice(0, 24)), from, address);
    }
    const now = systemClock.now();
    if (!this.#cookies.isGood(request.cookie, address, session, now)) {
      return this.#tellStranger(pdu, cookiePdu(session, this.#cookies.give(address, session, now)), from, address);
    }
    if (this.#open.size >= this.#maxClients) {
      const { outlet, context: { trace } } = this.#desk;
      const text = refusal.busy(this.#maxClients);
      if (trace.wants.note) trace.emit({ type: "note", text: `${address} was told: ${text}` });
      return outlet.send(encodePdu(errorPdu(session, ERROR_CODES.busy, text)), from);
    }
    this.#begin(pdu, request, from, address);
  }

  #begin(pdu: Pdu, request: Request, from: Address, address: string): void {
    const key = `${address} ${pdu.session}`;
    const stream = new Stream(this.#desk, pdu, request, from, ++this.#lastId, () => this.#streams.delete(key));
    this.#streams.set(key, stream);
    this.#open.add(stream);
    void stream.finished.then(() => this.#open.delete(stream));
  }

  /** Answers an address that may be forged: never much. */
  #tellStranger(asked: Pdu, answer: Pdu, to: Address, address: string): void {
    const bytes = encodePdu(answer);
    const { outlet, context: { trace } } = this.#desk;
    const mayHear = this.#budget.take(address, bytes.length, systemClock.now());
    if (trace.wants.message) {
      const said = mayHear
        ? formatPdu(answer)
        : `nothing: in ${BUDGET_MS / 1000} s no more than ${UNPROVEN_BYTES} bytes`;
      trace.emit({ type: "note", text: `${address} has no stream: ${formatPdu(asked)} is answered with ${said}` });
    }
    if (mayHear) outlet.send(bytes, to);
  }
}

/** One client and the file it asked for. */
class Stream {
  /** Settles when its file is closed and nothing more will be sent. */
  readonly finished: Promise<void>;
  /** In the trace. */
  readonly id: number;
  readonly #desk: Desk;
  readonly #session: number;
  readonly #request: Request;
  readonly #to: Address;
  /** Told once, when the last word has been said. */
  readonly #onOver: () => void;
  /** What is being read; the machine keeps a copy. */
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #driven: Driven<Pdu, SendCommand> | null = null;
  /** Why it is over, where that was said before it began. */
  #lost: string | null = null;

  constructor(desk: Desk, pdu: Pdu, request: Request, to: Address, id: number, onOver: () => void) {
    this.#desk = desk;
    this.#session = pdu.session;
    this.#request = request;
    this.#to = to;
    this.id = id;
    this.#onOver = onOver;
    const { trace } = desk.context;
    const [local, remote] = [formatAddress(desk.outlet.address), formatAddress(to)];
    if (trace.wants.open) trace.emit({ type: "open", id, transport: "udp", local, remote });
    this.#show("in", pdu);
    this.finished = this.#run();
  }

  receive(pdu: Pdu): void {
    this.#show("in", pdu);
    if (this.#driven) this.#driven.input({ type: "message", message: pdu });
    else if (pdu.type === "FIN") this.#lost ??= "it left";
  }

  /** Ends it, and says why. */
  fail(code: number, text: string): void {
    this.#lost = text;
    if (this.#driven) this.#driven.input({ type: "command", command: { type: "fail", code, text } });
    else this.#send(errorPdu(this.#session, code, text));
  }

  /** Ends it without a word. */
  lose(why: string): void {
    this.#lost = why;
    this.#driven?.input({ type: "end", error: new Error(why) });
  }

  async #run(): Promise<void> {
    let why: string;
    try {
      why = await this.#open();
    } catch (error) {
      why = this.#refuse(error);
      this.#onOver();
    }
    const { trace } = this.#desk.context;
    if (trace.wants.close) trace.emit({ type: "close", id: this.id, reason: why });
  }

  /** Says to the client what is wrong with its file. @returns the same */
  #refuse(error: unknown): string {
    if (this.#lost !== null) return this.#lost;
    const known = error instanceof FileRefused;
    const text = known ? error.message : `cannot read ${this.#request.name}`;
    const { name, missing, forbidden, disk } = ERROR_CODES;
    const code = known ? { 400: name, 403: forbidden, 404: missing }[error.code] : disk;
    this.#send(errorPdu(this.#session, code, text));
    return text;
  }

  async #open(): Promise<string> {
    const { folder, media, context } = this.#desk;
    const opened = await folder.open(this.#request.name);
    const reader = new PartReader(opened.file);
    try {
      const info = await media.about(opened, reader);
      if (this.#lost !== null) throw new Error(this.#lost);
      const { name, startMs } = this.#request;
      const text = `plays ${name}: ${describeMedium(info)}`;
      if (context.trace.wants.note) context.trace.emit({ type: "note", id: this.id, text });
      const random = new Random(crypto.getRandomValues(new Uint32Array(1))[0]);
      const { idleMs, pace = info.rate } = this.#desk;
      const sent = { session: this.#session, info: { ...info, rate: pace }, startMs, idleMs, random };
      return await this.#play(new SenderMachine(sent), reader);
    } finally {
      await reader.close();
    }
  }

  /** Sends it. @returns why it is over */
  async #play(machine: SenderMachine, reader: PartReader): Promise<string> {
    const begun = performance.now();
    let why = "";
    const early: SendEvent[] = [];
    const on = (event: SendEvent) => {
      if (event.type === "over") {
        why = event.why;
        this.#onOver();
      } else if (this.#driven === null) early.push(event);
      else this.#read(event.offset, event.length, reader);
    };
    const { trace } = this.#desk.context;
    const driven = drive(machine, {
      clock: systemClock,
      send: (pdu) => this.#send(pdu),
      onEvent: on,
      trace,
      id: this.id,
    });
    this.#driven = driven;
    early.forEach(on);
    await driven.finished;
    this.#report({
      name: this.#request.name,
      to: formatAddress(this.#to),
      bytes: machine.bytes,
      packets: machine.pieces,
      lost: machine.report?.lost ?? null,
      jitterMs: machine.report?.jitterMs ?? null,
      seconds: (performance.now() - begun) / 1000,
      why,
    });
    return why;
  }

  #report(report: ServedReport): void {
    this.#desk.context.console.print(formatServed(report), { event: "served", ...report });
  }

  /** Has bytes read for the machine. */
  #read(offset: number, length: number, reader: PartReader): void {
    reader.read(offset, length, this.#block).then(
      (bytes) => this.#driven!.input({ type: "command", command: { type: "data", offset, bytes } }),
      () => this.fail(ERROR_CODES.disk, `cannot read ${this.#request.name}`),
    );
  }

  #send(pdu: Pdu): void {
    this.#show("out", pdu);
    this.#desk.outlet.send(encodePdu(pdu, this.#desk.scratch), this.#to);
  }

  #show(direction: "in" | "out", pdu: Pdu): void {
    const { trace } = this.#desk.context;
    if (trace.wants.message) trace.emit({ type: "message", id: this.id, direction, text: formatPdu(pdu) });
  }
}
