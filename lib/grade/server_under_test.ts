// The server that is judged: one that runs somewhere, a program that we start, or netlab's own.

import { CAUSES } from "../exercises/causes.ts";
import type { Exercise, RunningServer, Transport } from "../exercises/exercise.ts";
import { outlasts, pause } from "../net/clock.ts";
import { type Conn, formatHostPort } from "../net/conn.ts";
import { connectUdp } from "../net/datagram_peers.ts";
import { NetlabError } from "../protocol/errors.ts";
import { because, dialer, dialPatiently, endedBefore, freePort, isSilent, LOOK_MS, whyRefused } from "./calling.ts";
import { type Inbox, Unmet } from "./inbox.ts";
import { type Exit, Program } from "./program.ts";
import { ScriptConsole } from "./script_console.ts";
import { callTcp, isBound, isTaken, LOOPBACK, servedElsewhere } from "./sockets.ts";

/** The keyboard and the screen of a server that runs. */
export interface Terminal {
  /** What it shows, line by line. */
  readonly shown: Inbox;
  type(line: string): void | Promise<void>;
}

/** How to reach a server, and to have it anew. */
export interface ServerUnderTest {
  /** For the report: an address or a command. */
  readonly name: string;
  /** @throws {Unmet} when it does not take the call, and says why */
  dial(): Promise<Conn>;
  /** Where others may call it, once it listens. @throws {Unmet} when it does not */
  address(): Promise<{ readonly host: string; readonly port: number }>;
  /** Has it as if nobody had called yet, where that is possible. @throws {Unmet} when it does not come up */
  fresh(): Promise<void>;
  /**
   * A check begins: what was printed before is no part of it.
   *
   * @param afresh whether it is for a server that nobody has called yet
   */
  begin(afresh: boolean): void;
  /** What it has printed since then, or since it was started; empty where that is not known. */
  readonly output: string;
  /** Gives one that may be ending right now the time for it. */
  settle(): Promise<void>;
  /** How it has ended, though it should run; null while it runs or where that is not known. */
  readonly death: string | null;
  /** Where somebody can sit at it; null before it is started, and undefined where nobody can. */
  readonly terminal?: Terminal | null;
  /** What the report has to say of how it went besides. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** How long a call that is refused is tried again: a server may be busy with its own start, in ms. */
const PATIENCE_MS = 1000;
/** How long the system may keep a port behind a connection that the server ended, in ms. */
const PORT_MS = 65_000;
/** How long the end of a program may come behind the end of its connections, in ms. */
const SETTLE_MS = 300;

/** A server that somebody else has started. */
export class RemoteServer implements ServerUnderTest {
  readonly name: string;
  readonly output = "";
  readonly death = null;
  readonly notes: readonly string[] = [];
  readonly #transport: Transport;
  readonly #host: string;
  readonly #port: number;
  /**
   * Over UDP whoever has called is there still, and cannot leave. So checks for a server that nobody has called yet have the
   * same callers: where each is on this side, and how many have called in this check; null in other checks.
   */
  readonly #callers: number[] = [];
  #calls: number | null = null;
  /** It has taken a call: one that takes none any more may have ended by what was said. */
  #reached = false;

  constructor(transport: Transport, host: string, port: number) {
    this.name = formatHostPort(host, port);
    this.#transport = transport;
    this.#host = host;
    this.#port = port;
  }

  async dial(): Promise<Conn> {
    try {
      const conn = await dialPatiently(() => this.#dial(), PATIENCE_MS, () => null);
      this.#reached = true;
      return conn;
    } catch (error) {
      if (!this.#reached && isSilent(error)) throw because(error, await this.#whyRefused());
      throw error;
    }
  }

  async #dial(): Promise<Conn> {
    if (this.#transport === "tcp" || this.#calls === null) {
      return await dialer(this.#transport, this.#host, this.#port)();
    }
    const conn = await connectUdp(this.#host, this.#port, this.#callers[this.#calls]);
    this.#callers[this.#calls++] = (conn.localAddr as Deno.NetAddr).port;
    return conn;
  }

  async #whyRefused(): Promise<string> {
    const isHere = this.#host === LOOPBACK || this.#host === "localhost";
    const there = isHere ? await servedElsewhere(this.#transport, this.#port) : null;
    if (there === null) return `nobody takes calls at ${this.name}: start the server, or look where it listens`;
    const other = formatHostPort(there, this.#port);
    return `nobody listens on ${this.name}, and somebody on ${other}: grade with --server ${other}`;
  }

  address(): Promise<{ host: string; port: number }> {
    return Promise.resolve({ host: this.#host, port: this.#port });
  }

  begin(afresh: boolean): void {
    this.#calls = afresh ? 0 : null;
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  fresh(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** A program that is started for the purpose, and again when it has ended or failed. */
export class ServerProgram implements ServerUnderTest {
  readonly name: string;
  readonly notes: string[] = [];
  readonly #transport: Transport;
  readonly #cwd?: string;
  /** Where it listens by itself; null where it is told. */
  readonly #fixedPort: number | null;
  readonly #startMs: number;
  #port = 0;
  /** Where it was found last. */
  #host = LOOPBACK;
  #program: Program | null = null;
  /** Nobody has called it yet, so that it may still be starting. */
  #untried = true;
  /** It has been called since the check began. */
  #called = false;
  /** It ends by itself when a caller has gone, so that the next gets it anew. */
  #ends = false;

  /**
   * @param command a line for the shell; `{port}` in it is a free port, another each time
   * @param options.port where it listens, when it says that itself
   * @param options.startMs how long it may take until it listens
   */
  constructor(
    command: string,
    options: { transport: Transport; port: number | null; startMs: number; cwd?: string },
  ) {
    this.name = command;
    this.#transport = options.transport;
    this.#cwd = options.cwd;
    this.#startMs = options.startMs;
    this.#fixedPort = command.includes("{port}") ? null : options.port;
    if (command.includes("{port}") || options.port !== null) return;
    throw new NetlabError("usage", `where does ${command} listen?`, {
      hint: "write {port} in the command, for a free port, or say --port with the one that it uses",
    });
  }

  get output(): string {
    return this.#program?.output ?? "";
  }

  begin(): void {
    this.#called = false;
    this.#program?.forgetOutput();
  }

  async settle(): Promise<void> {
    if (this.#program) await outlasts(this.#program.ended, SETTLE_MS);
  }

  get death(): string | null {
    return this.#program?.exit?.why ?? null;
  }

  get terminal(): Terminal | null {
    return this.#program;
  }

  async fresh(): Promise<void> {
    const again = this.#program !== null && this.#fixedPort !== null;
    const exit = this.#program?.exit;
    // An error in the middle of a check is that check's.
    if (!this.#untried && exit && (exit.code === 0 || !this.#called)) this.#noteEnd(exit);
    const deadline = performance.now() + PORT_MS;
    for (let tries = 0;; tries++) {
      await this.stop();
      this.#port = this.#fixedPort ?? freePort(this.#transport);
      if (this.#fixedPort !== null && !again) await this.#requireFree();
      const command = this.name.replaceAll("{port}", String(this.#port));
      // Nobody may ever type, but to many a server the end of its input is the end.
      this.#program = new Program({ command, cwd: this.#cwd, keyboard: true });
      this.#untried = true;
      if (!again || !await this.#isRefusedItsPort() || performance.now() > deadline) return;
      if (tries === 0) this.notes.push("after a restart its port was still in use: it should set SO_REUSEADDR");
      await pause(500);
    }
  }

  async dial(): Promise<Conn> {
    // While it ends, the system may still take calls for it.
    if (this.#ends && !this.#untried) await this.settle();
    const exit = this.#program?.exit;
    if (this.#called && exit && exit.code !== 0) throw endedBefore(exit.why);
    if (this.#program === null || exit) await this.fresh();
    this.#called = true;
    const until = performance.now() + (this.#untried ? this.#startMs : PATIENCE_MS);
    const dial = () => this.#transport === "udp" ? this.#dialUdp() : callTcp(this.#port, (host) => this.#isAt(host));
    try {
      // Datagrams to a port that nobody has bound are lost.
      if (this.#untried && this.#transport === "udp") await this.#requireBound(until);
      return await dialPatiently(dial, until - performance.now(), () => this.death);
    } catch (error) {
      if (this.#untried && error instanceof Unmet) throw because(error, await this.#whyUncalled(error));
      // It may have been done with the caller before, and about to end in good order, when we called.
      if (this.#untried || this.#program?.exit?.code !== 0) throw error;
      return await this.dial();
    } finally {
      this.#untried = false;
    }
  }

  async address(): Promise<{ host: string; port: number }> {
    if (this.#program === null || this.#program.exit !== null) await this.fresh();
    await this.#untilBound(performance.now() + this.#startMs);
    if (this.death !== null) throw endedBefore(this.death);
    this.#isAt(await servedElsewhere(this.#transport, this.#port) ?? LOOPBACK);
    return { host: this.#host, port: this.#port };
  }

  /** Why it could not be called, though nobody had called it before. */
  async #whyUncalled({ kind }: Unmet): Promise<string> {
    if (kind === "end") return CAUSES.endedBefore;
    return await whyRefused(this.#program, this.#transport, this.#port, this.#fixedPort === null);
  }

  async #dialUdp(): Promise<Conn> {
    this.#isAt(await servedElsewhere("udp", this.#port) ?? LOOPBACK);
    return await connectUdp(this.#host, this.#port);
  }

  /** Notes that it ends by itself, which may be all that is wrong with it. */
  #noteEnd({ code }: Exit): void {
    if (!this.#ends && code === 0) {
      this.notes.push(
        "it ended when a client had gone, and was started again for the next: it should go back to accept()",
      );
    }
    this.#ends = true;
  }

  /** Keeps where it is, and notes that where it is not where everybody calls. */
  #isAt(host: string): void {
    if (host === this.#host) return;
    this.#host = host;
    if (host === LOOPBACK) return;
    this.notes.push(
      `it listens on ${host} only, and not on ${LOOPBACK}: let it bind 0.0.0.0, or no address, for clients everywhere`,
    );
  }

  async stop(): Promise<void> {
    await this.#program?.kill();
    this.#program = null;
  }

  /** Who listens there already would be judged in the program's place. @throws {NetlabError} of kind `harness` */
  async #requireFree(): Promise<void> {
    if (!await isTaken(this.#transport, this.#port)) return;
    throw new NetlabError("harness", `another program listens on port ${this.#port} already`, {
      hint: "end that one first, or write {port} in the command, for a free port",
    });
  }

  /** Whether it ends at once because its port is in use. Looks without calling: that would be a call which it may count. */
  async #isRefusedItsPort(): Promise<boolean> {
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await pause(LOOK_MS)) {
      if (this.death !== null) return /in use|EADDRINUSE|BindException/i.test(this.output);
      if (await isBound(this.#transport, this.#port) === true) return false;
    }
    return false;
  }

  /** @throws {Unmet} when it has not bound its port in time */
  async #requireBound(until: number): Promise<void> {
    await this.#untilBound(until);
    if (this.death !== null) throw endedBefore(this.death);
    if (await isBound(this.#transport, this.#port) !== false) return;
    throw new Unmet("silence", `nobody has bound port ${this.#port}`);
  }

  /** Waits until it listens, without calling it: that would be a call which it may count. */
  async #untilBound(until: number): Promise<void> {
    for (; performance.now() < until && this.death === null; await pause(LOOK_MS)) {
      const bound = await isBound(this.#transport, this.#port);
      if (bound === true) return;
      if (bound === null) return await pause(PATIENCE_MS); // this system does not tell
    }
  }
}

/** Netlab's own server. */
export class NetlabServer implements ServerUnderTest {
  readonly name: string;
  readonly output = "";
  readonly death = null;
  readonly notes: readonly string[] = [];
  terminal: ScriptConsole | null = null;
  readonly #start: (console: ScriptConsole) => Promise<RunningServer>;
  #running: RunningServer | null = null;

  constructor(exercise: Exercise, start: (console: ScriptConsole) => Promise<RunningServer>) {
    this.name = `netlab serve ${exercise.name}`;
    this.#start = start;
  }

  async fresh(): Promise<void> {
    await this.stop();
    this.terminal = new ScriptConsole();
    this.#running = await this.#start(this.terminal);
  }

  async dial(): Promise<Conn> {
    const { host, port } = await this.address();
    const { transport } = this.#running!.address;
    return await dialPatiently(dialer(transport as Transport, host, port), PATIENCE_MS, () => null);
  }

  begin(): void {}

  settle(): Promise<void> {
    return Promise.resolve();
  }

  async address(): Promise<{ host: string; port: number }> {
    if (this.#running === null) await this.fresh();
    return { host: "127.0.0.1", port: this.#running!.address.port };
  }

  async stop(): Promise<void> {
    this.#running?.abort();
    this.terminal?.stop();
    await this.#running?.finished;
    this.#running = null;
  }
}
