// The receiver: whoever sends a file to it is a connection, and each file of theirs a session with a machine of its own.
//
//     PDU ─► by session ─► ReceiverMachine ─► chunks ─► name.part ─► digest right ─► name

import type { Channel } from "../../net/channel.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { Server, type Session } from "../../net/server.ts";
import type { Millis } from "../../protocol/clock.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { Folder } from "../folder.ts";
import { describeSystemError } from "../../net/errors.ts";
import { exists } from "../own_file.ts";
import type { Room } from "./ahead.ts";
import { PartFile } from "./files.ts";
import { BARE_HINT, pduCodec, PduFramer } from "./framing.ts";
import { ERROR_CODES, errorPdu, FLAG_PUSH, nameProblem, type Offer, type Pdu, readOffer, refusal } from "./protocol.ts";
import { type ReceiveCommand, type ReceiveEvent, ReceiverMachine } from "./receiver_machine.ts";
import { formatReceived, type ReceivedReport } from "./report.ts";
import { serveSeed } from "./seed_server.ts";

/** A sender over UDP that is silent for so long has vanished, in ms. */
const VANISHED_MS = 60_000;
/** How long a sender may take from OPEN to its first chunk, in ms. */
const BEGIN_MS = 30_000;
/** How long an address that has opened nothing is remembered, in ms. */
const STRANGER_MS = 50;
/** How many may be in between at once: of more, the one that has been silent the longest gives way. */
const MAX_UNBEGUN = 256;
/** How many files one sender may be sending. */
const MAX_AT_ONCE = 16;
/** Of how many files that are over the last word is remembered, for each sender. */
const MAX_OVER = 16;
/** How much may come of a file ahead of a missing chunk, and what all files together may keep of that and of holes, in bytes. */
const MAX_AHEAD_BYTES = 4 * 1_048_576;
const AHEAD_ROOM_BYTES = 64 * MAX_AHEAD_BYTES;
/**
 * A name is free again when who was sending it has been silent for so long, in ms: longer than a sender is that waits for
 * its source, or for an answer. Who wants it waits a little longer.
 */
export const STALE_MS = 5000;
const CLAIM_MS = 6000;
/** With `--once`, how long the last word over UDP is repeated to a sender that has not heard it, in ms. */
const ONCE_MS = 1500;

type PduChannel = Channel<Pdu | null, Pdu>;

/** What all receptions of a server share. */
interface Desk {
  readonly dir: string;
  readonly overwrite: boolean;
  readonly maxSize: number;
  readonly idleMs: number;
  readonly context: ServeContext;
  /** Who is receiving a file of which name: on some disks `A` and `a` are the same. */
  readonly held: Map<string, Reception>;
  /** Those of which nothing but OPEN has come: over UDP anybody can have forged it. The longest silent first. */
  readonly unbegun: Set<Reception>;
  /** For what comes ahead of its turn. */
  readonly room: Room;
  /** Told how each file ended that was accepted. */
  onEnd(failure: string | null): void;
}

/** Starts a receiver. */
export function serveTransfer(context: ServeContext): RunningServer {
  const { options, transport, wire } = context;
  const { dir } = new Folder(String(options.dir ?? "."));
  const ended = Promise.withResolvers<string | null>();
  const serve = wire === "seed" ? serveSeed : servePdus;
  const server = serve(context, dir, ended.resolve);
  if (options.once !== true) return server;
  return endAfterOne(server, ended.promise, transport === "udp" ? ONCE_MS : 0);
}

/**
 * The same server, which ends with the first file.
 *
 * @param ended why that was not received, or null
 * @param lingerMs how long it stays, for a sender that has not heard the last word
 */
function endAfterOne(server: RunningServer, ended: Promise<string | null>, lingerMs: number): RunningServer {
  const end = async () => {
    const failure = await Promise.race([ended, server.finished]);
    if (lingerMs > 0) await outlasts(server.finished, lingerMs);
    await server.shutdown(1000);
    if (typeof failure === "string") throw new NetlabError("reply", `not received: ${failure}`);
  };
  const finished = end();
  finished.catch(() => {}); // whoever waits for it is told
  const { address } = server;
  return { address, finished, shutdown: (graceMs) => server.shutdown(graceMs), abort: () => server.abort() };
}

/** @param onEnd told how each file ended that was begun: why it is not there, or null */
function servePdus(context: ServeContext, dir: string, onEnd: (failure: string | null) => void): RunningServer {
  const { options, transport, limits, trace } = context;
  const udp = transport === "udp";
  const idleMs = udp ? Math.min(VANISHED_MS, limits.idleMs ?? VANISHED_MS) : limits.idleMs ?? VANISHED_MS;
  const lines = new Set<Line>();
  const desk: Desk = {
    dir,
    overwrite: options.overwrite === true,
    maxSize: Number(options["max-size"] ?? 2 ** 32),
    idleMs,
    context,
    held: new Map(),
    unbegun: new Set(),
    room: { bytes: AHEAD_ROOM_BYTES },
    onEnd,
  };
  const server = new Server<Pdu | null, Pdu>({
    listen: context,
    limits: udp ? { ...limits, idleMs: 2 * idleMs, firstByteMs: BEGIN_MS } : limits,
    trace,
    codec: pduCodec(transport),
    makeFramer: () => new PduFramer(transport),
    farewells: {
      refuse: (why) => errorPdu(0, ERROR_CODES.busy, why),
      bad: (error) => errorPdu(0, ERROR_CODES.request, error.message),
      goodbye: false,
    },
    isRefusal: (pdu) => udp && (pdu === null || pdu.type === "ERROR"),
    session: (channel) => {
      const line: Line = new Line(channel, desk, udp, () => lines.delete(line));
      lines.add(line);
      return line;
    },
  });
  const shutdown = server.shutdown.bind(server);
  server.shutdown = (graceMs) => {
    for (const line of lines) line.leave("the receiver is shutting down");
    return shutdown(graceMs);
  };
  return server;
}

/** So many refusals of one sender are in the log: who asks on fills it no further. */
const MAX_NOTED = 20;

/** One sender: a TCP connection, or an address that datagrams come from. */
class Line implements Session<Pdu | null> {
  readonly #channel: PduChannel;
  readonly #desk: Desk;
  readonly #udp: boolean;
  readonly #onGone: () => void;
  readonly #receptions = new Map<number, Reception>();
  #cancelForget: () => void = () => {};
  #gone = false;
  /** How often it was refused something. */
  #refused = 0;
  /** It has opened nothing, and says what is no PDU. */
  #foreign = false;

  constructor(channel: PduChannel, desk: Desk, udp: boolean, onGone: () => void) {
    this.#channel = channel;
    this.#desk = desk;
    this.#udp = udp;
    this.#onGone = onGone;
  }

  onMessage(pdu: Pdu | null): Promise<void> | void {
    let busy: Promise<void> | null = null;
    if (pdu === null) this.#dropped();
    else {
      const reception = this.#receptions.get(pdu.session);
      if (reception) busy = reception.receive(pdu);
      else if (pdu.type === "OPEN") this.#open(pdu);
      else if (pdu.type === "FIN" || (pdu.type === "DATA" && (pdu.flags & FLAG_PUSH) !== 0)) {
        this.#channel.send(errorPdu(pdu.session, ERROR_CODES.unknownSession, refusal.unknownSession()));
      }
    }
    this.#forgetIfIdle(this.#foreign ? `nothing was opened: ${BARE_HINT}` : "nothing was opened");
    // The end of a stream, which may be right behind FIN, waits until that has been answered. Of datagrams none shall wait.
    if (busy !== null && !this.#udp) return busy;
  }

  /** Says so; of who has opened nothing, and may send a whole file in another form, once. */
  #dropped(): void {
    const { trace } = this.#desk.context;
    const isNew = !this.#foreign;
    this.#foreign = this.#receptions.size === 0;
    if (this.#foreign && !isNew) return;
    if (trace.wants.note) trace.emit({ type: "note", id: this.#channel.id, text: "not a PDU, or changed: dropped" });
  }

  /**
   * Over UDP nobody says that he leaves. What is over stays for a last word that was lost, and gives way to who has more to say;
   * so does what was opened and not begun.
   */
  get forgettable(): boolean {
    return this.#udp && this.#channel.reads > 0 &&
      this.#receptions.values().every((reception) => reception.over || reception.givesWay);
  }

  /** The sessions of what is over, the oldest first. */
  get #over(): number[] {
    return [...this.#receptions].flatMap(([session, { over }]) => over ? [session] : []);
  }

  /** A stranger shall not be remembered; but what has been said to it leaves, and what it says meanwhile counts. */
  #forgetIfIdle(why: string): void {
    if (!this.#udp || this.#gone || this.#receptions.size > 0) return;
    this.#cancelForget();
    this.#cancelForget = systemClock.at(systemClock.now() + STRANGER_MS, () => {
      if (this.#receptions.size === 0) this.#channel.abort(why);
    });
  }

  onEnd(): void {
    this.#gone = true;
    this.#cancelForget();
    for (const reception of [...this.#receptions.values()]) reception.lose();
    this.#onGone();
  }

  /** Ends what is going on. */
  leave(why: string): void {
    for (const reception of this.#receptions.values()) reception.fail(ERROR_CODES.cancelled, why);
  }

  #open(pdu: Pdu): void {
    const refuse = (code: number, why: string) => {
      this.#channel.send(errorPdu(pdu.session, code, why));
      const { trace } = this.#desk.context;
      if (this.#refused++ < MAX_NOTED && trace.wants.note) {
        trace.emit({ type: "note", id: this.#channel.id, text: `refused: ${why}` });
      }
    };
    let offer: Offer;
    try {
      offer = readOffer(pdu);
    } catch (error) {
      return refuse(ERROR_CODES.request, (error as Error).message);
    }
    const problem = nameProblem(offer.name);
    if (problem !== null) return refuse(ERROR_CODES.name, refusal.name(offer.name, problem));
    const { maxSize } = this.#desk;
    if ((offer.size ?? 0) > maxSize) return refuse(ERROR_CODES.tooLarge, refusal.tooLarge(offer.size!, maxSize));
    if (isThere(this.#desk, offer)) return refuse(ERROR_CODES.exists, refusal.exists(offer.name));
    const over = this.#over;
    if (this.#receptions.size - over.length >= MAX_AT_ONCE) {
      return refuse(ERROR_CODES.busy, refusal.tooManyAtOnce(MAX_AT_ONCE));
    }
    if (!hasRoom(this.#desk)) return refuse(ERROR_CODES.busy, refusal.tooMany(MAX_UNBEGUN));
    if (over.length >= MAX_OVER) this.#forget(over[0]);
    const reception = new Reception(this.#channel, this.#desk, pdu.session, offer);
    this.#receptions.set(pdu.session, reception);
    void reception.finished.then(() => {
      if (this.#receptions.get(pdu.session) === reception) this.#receptions.delete(pdu.session);
      this.#forgetIfIdle("over");
    });
  }

  #forget(session: number): void {
    const reception = this.#receptions.get(session)!;
    this.#receptions.delete(session);
    reception.lose();
  }
}

/** Whether one more may be opened, for which another may have to give way. */
function hasRoom({ unbegun }: Desk): boolean {
  if (unbegun.size < MAX_UNBEGUN) return true;
  const silent = unbegun.values().find(({ givesWay }) => givesWay);
  silent?.lose("it made room for another");
  return silent !== undefined;
}

/** Whether there is a file of that name that is to stay. */
function isThere({ dir, overwrite }: Desk, { name }: Offer): boolean {
  return !overwrite && exists(`${dir}/${name}`);
}

/** One file. */
class Reception {
  /** Settles when nobody will ask about it any more. */
  readonly finished: Promise<unknown>;
  /** Settles when its name is free. */
  readonly released: Promise<void>;
  readonly #channel: PduChannel;
  readonly #desk: Desk;
  readonly #offer: Offer;
  readonly #key: string;
  readonly #machine: ReceiverMachine;
  readonly #driven: Driven<Pdu, ReceiveCommand>;
  readonly #begunAt = performance.now();
  #release: () => void = () => {};
  #part: PartFile | null = null;
  /** While what is there is being read, the name stays taken, though the sender may have gone. */
  #opening = false;
  #comparing: Promise<void> | null = null;
  #bytes = 0;
  #chunks = 0;
  #over = false;

  constructor(channel: PduChannel, desk: Desk, session: number, offer: Offer) {
    this.#channel = channel;
    this.#desk = desk;
    this.#offer = offer;
    this.#key = offer.name.normalize("NFC").toLowerCase();
    ({ promise: this.released, resolve: this.#release } = Promise.withResolvers<void>());
    const maxWindow = Math.floor(MAX_AHEAD_BYTES / offer.chunk);
    const { idleMs, maxSize, room } = desk;
    const beginMs = Math.min(BEGIN_MS, idleMs);
    this.#machine = new ReceiverMachine({ ...offer, session, maxWindow, room, maxSize, idleMs, beginMs });
    this.#driven = drive(this.#machine, {
      clock: systemClock,
      send: (pdu) => void channel.send(pdu),
      onEvent: (event) => this.#on(event),
      trace: desk.context.trace,
      id: channel.id,
    });
    desk.unbegun.add(this);
    this.finished = Promise.all([this.#driven.finished.then(() => this.#close()), this.released]);
    this.#accept();
  }

  /** Whether its name is free: all that may follow is the last word, once more. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Whether it may be forgotten without a word: its sender has said nothing but OPEN, and is not waiting for us. If somebody is
   * there, it says that once more, or is told that there is no such session.
   */
  get givesWay(): boolean {
    return this.#desk.unbegun.has(this) && !this.#opening;
  }

  /** @returns what settles when the whole has been read and compared, while that is under way */
  receive(pdu: Pdu): Promise<void> | null {
    this.#driven.input({ type: "message", message: pdu });
    const { unbegun } = this.#desk;
    if (unbegun.delete(this) && !this.#machine.begun && !this.#machine.over) unbegun.add(this);
    return this.#comparing;
  }

  /** Refuses, or gives up. */
  fail(code: number, text: string): void {
    this.#driven.input({ type: "command", command: { type: "fail", code, text } });
  }

  /** The sender is gone, or as good as that. */
  lose(reason = this.#channel.reason ?? "it left"): void {
    this.#driven.input({ type: "end", error: new NetlabError("transport", reason) });
  }

  /** Accepts the file, or says why not: at once, unless somebody has the name, or there is a beginning to read. */
  #accept(): void {
    const { dir, held } = this.#desk;
    const { name, chunk, resume, scheme } = this.#offer;
    this.#try(() => {
      const holder = held.get(this.#key);
      if (holder) return void this.#wait(holder);
      held.set(this.#key, this);
      if (resume && scheme !== "none") {
        this.#opening = true;
        PartFile.resume(dir, name, chunk).then(
          ({ part, next, digest }) => this.#open(part, next, digest),
          (error) => this.#failToOpen(error),
        );
      } else this.#open(PartFile.create(dir, name), 0, null);
    });
  }

  #open(part: PartFile, next: number, digest: Uint8Array | null): void {
    this.#part = part;
    this.#opening = false;
    if (this.#machine.over) return this.#close();
    this.#driven.input({ type: "command", command: { type: "accept", next, digest } });
  }

  #failToOpen(error: unknown): void {
    this.#opening = false;
    if (this.#machine.over) this.#close();
    else this.#failToWrite(error);
  }

  /** In how many ms it is taken for gone unless its sender is heard: not while that waits for us. */
  get #staleIn(): Millis {
    return this.#opening || this.#comparing !== null ? Infinity : this.#machine.heardAt + STALE_MS - systemClock.now();
  }

  /** Waits until the name is free: the other may be done, or gone without a word. */
  async #wait(holder: Reception): Promise<void> {
    if (holder.#staleIn <= 0) holder.fail(ERROR_CODES.busy, "somebody else began to send it");
    else if (performance.now() - this.#begunAt > CLAIM_MS) {
      return this.fail(ERROR_CODES.busy, refusal.busy(this.#offer.name, holder.#channel.remote));
    } else await outlasts(Promise.race([holder.released, this.finished]), Math.min(holder.#staleIn, 250));
    if (this.#machine.over) return;
    if (isThere(this.#desk, this.#offer)) return this.fail(ERROR_CODES.exists, refusal.exists(this.#offer.name));
    this.#accept();
  }

  #on(event: ReceiveEvent): void {
    if (event.type === "data") this.#try(() => this.#keep(event.seq, event.bytes));
    else if (event.type === "finish") this.#try(() => this.#finish(event.digest));
    else this.#end(event.text);
  }

  #keep(seq: number, bytes: Uint8Array): void {
    if (this.#part === null) return;
    this.#part.write(seq * this.#offer.chunk, bytes);
    this.#bytes += bytes.length;
    this.#chunks++;
  }

  /** Does what may fail for the disk's sake. */
  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failToWrite(error);
    }
  }

  #failToWrite(error: unknown): void {
    this.fail(ERROR_CODES.disk, `cannot write ${this.#offer.name}: ${describeSystemError(error)}`);
  }

  #finish(digest: Uint8Array): void {
    const own = this.#part!.digest();
    if (own !== null) return this.#compare(own, digest);
    this.#comparing = this.#part!.readDigest().then(
      (own) => this.#try(() => this.#compare(own, digest)),
      (error) => this.#failToWrite(error),
    ).finally(() => this.#comparing = null);
  }

  #compare(own: Uint8Array, digest: Uint8Array): void {
    if (this.#part === null) return;
    const { name } = this.#offer;
    if (digest.length !== own.length || own.some((byte, i) => byte !== digest[i])) {
      return this.fail(ERROR_CODES.digest, refusal.digest());
    }
    if (!this.#part.complete(this.#desk.overwrite)) return this.fail(ERROR_CODES.exists, refusal.exists(name));
    this.#driven.input({ type: "command", command: { type: "finished" } });
    this.#end(null);
  }

  /** Says how it ended, and frees the name. */
  #end(failure: string | null): void {
    const accepted = this.#part !== null;
    this.#close();
    const { name, scheme } = this.#offer;
    const report: ReceivedReport = {
      name,
      from: this.#channel.remote,
      scheme,
      bytes: this.#bytes,
      chunks: this.#chunks,
      duplicates: this.#machine.duplicates,
      seconds: (performance.now() - this.#begunAt) / 1000,
      failure,
    };
    const event = { event: failure === null ? "received" : "failed", ...report };
    this.#desk.context.console.print(formatReceived(report), event);
    if (accepted && (failure === null || this.#machine.begun)) this.#desk.onEnd(failure);
  }

  #close(): void {
    this.#desk.unbegun.delete(this);
    if (this.#opening) return;
    const part = this.#part;
    this.#part = null;
    part?.leave();
    if (this.#desk.held.get(this.#key) === this) this.#desk.held.delete(this.#key);
    this.#over = true;
    this.#release();
  }
}
