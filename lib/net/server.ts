// A server's life, over TCP or UDP:
//
//     listen ─► accept loop (backs off on errors) ─► session ─► close in good order
//                 └─ over a limit: refused, in the protocol
//     shutdown: stop accepting ─► say goodbye ─► flush ─► close, all within a grace period;  abort: now

import type { Clock, Millis } from "../protocol/clock.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { Framer } from "../protocol/framing.ts";
import { count } from "../protocol/text.ts";
import { NO_TRACE, type Trace } from "../protocol/trace.ts";
import { type Acceptor, TcpAcceptor } from "./acceptor.ts";
import { Channel } from "./channel.ts";
import { outlasts, systemClock } from "./clock.ts";
import type { Address, Conn } from "./conn.ts";
import { DatagramAcceptor } from "./datagram_peers.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** How many refused connections are answered at once; more are just closed. */
const MAX_REFUSALS = 128;
/** How long a refused client may take to show how it frames before it is answered with a line. */
const REFUSAL_MS = 300;
/** The same with the last open file, while nobody else can be told. */
const LAST_FILE_MS = 50;
/** How long the peers may take to close after a goodbye. */
const GOODBYE_LINGER_MS = 300;

/** What a server says on its own account, whatever its protocol. */
export interface Farewells<Out> {
  /** A refusal: "server full", "idle for 1h", "too many errors". */
  refuse(why: string): Out;
  /** What a caller is told when there is no room. @default {"server full: N clients"} */
  readonly full?: string;
  /** Whether a refusal need not wait for what the client says first, where the server always speaks first. @default {false} */
  readonly atOnce?: boolean;
  /** What is said of a shutdown. @default {"server is shutting down"} */
  readonly leaving?: string;
  /** Whether that is said unasked, and not only in answer to what comes too late. @default {true} */
  readonly goodbye?: boolean;
  /** The answer to what could not be read as a message, to a client that frames so. */
  bad(error: ProtocolError, framer: Framer): Out;
  /**
   * A shutdown found clients that do not read what was sent to them.
   *
   * @param stuck their channels
   */
  undelivered?(stuck: readonly Channel<never, Out>[]): void;
}

/** Where a server listens. */
export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** @default {"tcp"} */
  readonly transport?: "tcp" | "udp";
  /** Has the server make a mistake: changes what it is made of. */
  readonly spoil?: Spoil;
}

/** Changes what a server is made of. @param end ends the server at once */
export type Spoil = <In, Out>(options: ServerOptions<In, Out>, end: () => void) => ServerOptions<In, Out>;

/** What a server is made of. */
export interface ServerOptions<In, Out> {
  /** Null for a program that only calls others (`admit`). */
  readonly listen: ListenOptions | null;
  /** A function where each connection needs one of its own, which goes with its framer. */
  readonly codec: Codec<In, Out> | ((framer: Framer) => Codec<In, Out>);
  /** What each connection is accepted through, such as TLS. */
  wrap?(conn: Conn): Conn;
  /** A fresh framer for each connection; `onDecided` is for framers that find out. */
  makeFramer(onDecided: (framer: Framer) => void): Framer;
  readonly farewells: Farewells<Out>;
  /**
   * One client's dialogue: returns what handles its messages and is told when it has ended.
   */
  session(channel: Channel<In, Out>): Session<In>;
  /**
   * Whether a caller refuses, who is not refused in turn where there is no room: over UDP, two servers that a forger introduced
   * to each other would never end.
   */
  isRefusal?(message: In): boolean;
  /** What a caller that finds it full waits for before it is looked at once more; null for nothing. It must settle. */
  roomFor?(caller: Conn): Promise<unknown> | null;
  readonly limits?: Partial<Limits>;
  readonly trace?: Trace;
  readonly clock?: Clock;
}

/** One client's dialogue with a service. */
export interface Session<In> {
  /**
   * Nothing more is taken from the client until what it returns has settled.
   *
   * @throws {ProtocolError} for what is no message after all: it is answered as what could not be read
   */
  onMessage(message: In): void | Promise<void>;
  /** The client is gone: release its name, its files, its timers. */
  onEnd(): void;
  /**
   * Its last words, once they are on their way, until they are out and the channel is closed: nothing of ours may come
   * between, and neither the end of what the client sends nor a shutdown within its grace period cuts them short.
   */
  readonly lastWords?: Promise<void> | null;
  /**
   * True while it holds nothing that its client would miss, as with questions over UDP: it is forgotten without a word, and
   * of such ones that which has been there the longest makes room when the server is full.
   *
   * @default {false}
   */
  readonly forgettable?: boolean;
}

/** A client as the server keeps it. */
interface Client<In, Out> {
  readonly channel: Channel<In, Out>;
  session: Session<In> | null;
  /** Settles when the connection is closed and forgotten. */
  finished: Promise<void>;
  /** Whether we called it: then it may be silent from the start. */
  readonly called: boolean;
  /** Wrong inputs since the last right one. */
  errors: number;
  /** Ends the session, once: on the client's account, or on ours before the connection is closed. */
  endSession: () => void;
  /** What `channel.activity` was at the last sweep, and since when it has not changed. */
  seenActivity: number;
  quietSince: Millis;
}

/** A server, and what is connected to it. */
export class Server<In, Out> {
  /** Settles when the listener is closed and every session has ended. */
  readonly finished: Promise<void>;
  readonly #options: ServerOptions<In, Out>;
  readonly #limits: Limits;
  readonly #trace: Trace;
  readonly #clock: Clock;
  readonly #acceptor: Acceptor | null;
  readonly #clients = new Set<Client<In, Out>>();
  /** Callers that are being told that there is no room. */
  readonly #refused = new Set<Channel<In, Out>>();
  readonly #stopping = Promise.withResolvers<void>();
  #draining = false;
  #cancelSweep: () => void = () => {};

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor(given: ServerOptions<In, Out>) {
    const options = given.listen?.spoil?.(given, () => this.abort()) ?? given;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#trace = options.trace ?? NO_TRACE;
    this.#clock = options.clock ?? systemClock;
    this.#acceptor = options.listen && openAcceptor(options.listen, this.#clock);
    this.finished = this.#run();
    this.#sweepLater();
  }

  /** Where it listens: the port that was picked, too. @throws {TypeError} when it does not */
  get address(): Address {
    if (this.#acceptor === null) throw new TypeError("this server does not listen");
    return this.#acceptor.address;
  }

  /** Connections right now. */
  get clientCount(): number {
    return this.#clients.size;
  }

  /** Takes in a connection that we opened, as if it had called. When the server has ended meanwhile, so does the session. */
  adopt(conn: Conn): Channel<In, Out> {
    const channel = this.#enter(this.#open(conn), true);
    if (this.#draining) channel.abort("server stopped");
    return channel;
  }

  /**
   * Ends in good order: no new clients, a goodbye to each, what is queued is delivered. What a client sends from now on is
   * refused, so it knows that it was not taken.
   *
   * @param graceMs after this, what is left is cut
   */
  async shutdown(graceMs: Millis): Promise<void> {
    if (this.#draining) return this.finished;
    this.#draining = true;
    const end = this.#clock.now() + graceMs;
    const channels = [...this.#clients].filter(({ session }) => !session?.lastWords).map(({ channel }) => channel);
    this.#stopListening();
    if (this.#options.farewells.goodbye ?? true) channels.forEach((channel) => this.#sayLeaving(channel));
    const flushed = Promise.all(channels.map((channel) => channel.flushed()));
    if (await outlasts(flushed, graceMs / 2, this.#clock)) {
      const stuck = channels.filter((channel) => channel.queuedBytes > 0);
      this.#options.farewells.undelivered?.(stuck as Channel<never, Out>[]);
    }
    for (const { channel, session } of this.#clients) {
      if (session?.lastWords) continue;
      void channel.because("server shut down").close(Math.min(GOODBYE_LINGER_MS, graceMs / 2));
    }
    if (await outlasts(this.finished, end - this.#clock.now(), this.#clock)) this.abort();
    await this.finished;
  }

  /** Cuts everything now. */
  abort(): void {
    this.#draining = true;
    this.#stopListening();
    for (const { channel } of this.#clients) channel.abort("server stopped");
    for (const channel of this.#refused) channel.abort("server stopped");
  }

  async #run(): Promise<void> {
    await this.#acceptor?.run({
      onConn: (conn) => this.#admit(conn),
      onLastFile: (conn) => this.#refuse(this.#open(conn), describeFull(this.#clients.size), LAST_FILE_MS),
      onWarning: (what, hint) => this.#warn(`${what} at ${count(this.#clients.size, "client")}: ${hint}`),
    });
    if (this.#acceptor === null) await this.#stopping.promise;
    while (this.#clients.size > 0) await Promise.all([...this.#clients].map((client) => client.finished));
  }

  #admit(caller: Conn, hasWaited = false): void {
    const full = this.#clients.size >= this.#limits.maxClients;
    const room = full && !hasWaited ? this.#options.roomFor?.(caller) : null;
    if (room) return void this.#admitAfter(room, caller);
    const conn = this.#options.wrap?.(caller) ?? caller;
    if (full && this.#refused.size >= MAX_REFUSALS) return conn.close();
    const refused = full && !this.#makeRoom();
    const channel = this.#open(conn);
    if (refused) {
      const { full: why = describeFull(this.#limits.maxClients) } = this.#options.farewells;
      return void this.#refuse(channel, why);
    }
    this.#enter(channel, false);
  }

  async #admitAfter(room: Promise<unknown>, caller: Conn): Promise<void> {
    await room;
    await Promise.all([...this.#clients].map(({ channel, finished }) => channel.ending && finished));
    if (this.#draining) caller.close();
    else this.#admit(caller, true);
  }

  #enter(channel: Channel<In, Out>, called: boolean): Channel<In, Out> {
    const client: Client<In, Out> = {
      channel,
      called,
      errors: 0,
      session: null,
      endSession: () => {},
      seenActivity: 0,
      quietSince: this.#clock.now(),
      finished: Promise.resolve(),
    };
    this.#clients.add(client);
    client.finished = this.#serve(client);
    return channel;
  }

  /** @returns false when all who are there would miss something */
  #makeRoom(): boolean {
    for (const client of this.#clients) {
      if (!client.session?.forgettable) continue;
      this.#forget(client);
      return true;
    }
    return false;
  }

  #forget(client: Client<In, Out>): void {
    client.channel.because("forgotten");
    client.endSession();
    client.channel.abort("forgotten");
    this.#clients.delete(client);
  }

  #open(conn: Conn): Channel<In, Out> {
    const framer = this.#options.makeFramer((decided) => {
      if (this.#trace.wants.note) {
        this.#trace.emit({ type: "note", id: channel.id, text: `client frames with ${describeFramer(decided)}` });
      }
    });
    const { codec } = this.#options;
    const channel: Channel<In, Out> = new Channel(conn, {
      framer,
      codec: typeof codec === "function" ? codec(framer) : codec,
      queueBytes: this.#limits.queueBytes,
      trace: this.#trace,
      clock: this.#clock,
    });
    return channel;
  }

  async #serve(client: Client<In, Out>): Promise<void> {
    const { channel } = client;
    try {
      const session = client.session = this.#options.session(channel);
      client.endSession = () => {
        client.endSession = () => {};
        try {
          session.onEnd();
        } catch (error) {
          this.#fault(channel, error);
        }
      };
      await channel.each(
        (message) => {
          if (this.#draining) return session.lastWords ? undefined : this.#sayLeaving(channel);
          const busy = session.onMessage(message);
          client.errors = 0;
          return busy;
        },
        (error) => {
          if (session.lastWords) return;
          channel.sendStart(this.#options.farewells.bad(error, channel.framer));
          if (++client.errors === this.#limits.maxErrors && !error.fatal) {
            this.#say(channel, "too many errors");
            void channel.because(`${client.errors} wrong inputs in a row`).close();
          }
        },
      );
      await session.lastWords;
    } catch (error) {
      this.#fault(channel, error);
    }
    client.endSession();
    await channel.close();
    this.#clients.delete(client);
  }

  /** A fault of ours in one session must not become everybody's. */
  #fault(channel: Channel<In, Out>, error: unknown): void {
    this.#warn(`fault in the session of ${channel.remote}: ${(error as Error).stack ?? error}`, channel.id);
    this.#say(channel, "internal error");
  }

  /** Answers a client that is over a limit, in its own framing if it shows it soon. */
  async #refuse(channel: Channel<In, Out>, why: string, waitMs = REFUSAL_MS): Promise<void> {
    this.#refused.add(channel);
    const refuse = () => {
      if (channel.ending) return;
      this.#say(channel, why);
      void channel.because(why).close(waitMs);
    };
    const beforeMs = this.#options.farewells.atOnce ? 0 : waitMs;
    const cancel = this.#clock.at(this.#clock.now() + beforeMs, refuse);
    await channel.each(
      (message) => this.#options.isRefusal?.(message) ? channel.abort("it refused us") : refuse(),
      refuse,
    );
    cancel();
    refuse();
    await channel.close();
    this.#refused.delete(channel);
  }

  /** Sends idle clients away, every so often: one timer for all, and nothing to do per message. */
  #sweepLater(): void {
    const { idleMs, firstByteMs } = this.#limits;
    const everyMs = Math.max(10, Math.min(idleMs, firstByteMs, 4000) / 4);
    this.#cancelSweep = this.#clock.at(this.#clock.now() + everyMs, () => {
      const now = this.#clock.now();
      for (const client of this.#clients) if (!client.channel.ending) this.#sweep(client, now);
      if (!this.#draining) this.#sweepLater();
    });
  }

  /** Sends one client away if it has been silent for too long. */
  #sweep(client: Client<In, Out>, now: Millis): void {
    const { reads, activity } = client.channel;
    if (activity !== client.seenActivity) {
      client.seenActivity = activity;
      client.quietSince = now;
      return;
    }
    const limitMs = reads === 0 && !client.called ? this.#limits.firstByteMs : this.#limits.idleMs;
    if (now - client.quietSince < limitMs) return;
    if (client.session?.forgettable) return this.#forget(client);
    const why = `idle for ${limitMs / 1000} s`;
    if (!client.session?.lastWords) this.#say(client.channel, why);
    client.channel.because(why);
    client.endSession();
    void client.channel.close();
  }

  #say(channel: Channel<In, Out>, why: string): void {
    channel.sendStart(this.#options.farewells.refuse(why));
  }

  #sayLeaving(channel: Channel<In, Out>): void {
    this.#say(channel, this.#options.farewells.leaving ?? "server is shutting down");
  }

  #warn(text: string, id?: number): void {
    if (this.#trace.wants.warning) this.#trace.emit({ type: "warning", id, text });
  }

  #stopListening(): void {
    this.#cancelSweep();
    this.#stopping.resolve();
    this.#acceptor?.close();
  }
}

/** Binds an address. @throws {NetlabError} of kind `transport` when it cannot be bound */
export function openAcceptor({ host, port, transport = "tcp" }: ListenOptions, clock: Clock): Acceptor {
  return transport === "tcp" ? new TcpAcceptor(host, port, clock) : new DatagramAcceptor(host, port);
}

function describeFull(clients: number): string {
  return `server full: ${count(clients, "client")}`;
}

function describeFramer(framer: Framer): string {
  const digits = /^len(\d)$/.exec(framer.name)?.[1];
  if (digits) return `${digits} digit${digits === "1" ? "" : "s"}`;
  if (framer.name === "be8") return "an 8-byte length";
  return framer.name === "line" ? "lines" : "nothing: one read is one message";
}
