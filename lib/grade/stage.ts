// Where a check is played: the ends that it speaks of, each a connection to the server under test or from the client under
// test, and the clients under test themselves.

import { CAUSES } from "../exercises/causes.ts";
import { type Expectation, SERVER } from "../exercises/check.ts";
import type { Transport } from "../exercises/exercise.ts";
import { outlasts, systemClock } from "../net/clock.ts";
import type { Acceptor } from "../net/acceptor.ts";
import type { Conn } from "../net/conn.ts";
import { openAcceptor } from "../net/server.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Framer } from "../protocol/framing.ts";
import type { Trace } from "../protocol/trace.ts";
import { Actor } from "./actor.ts";
import { openAnywhere } from "./calling.ts";
import type { ClientUnderTest, RunningClient } from "./client_under_test.ts";
import type { Delivery } from "./delivery.ts";
import { type Inbox, Unmet } from "./inbox.ts";
import type { Terminal } from "./server_under_test.ts";
import { LOOPBACK } from "./sockets.ts";

/** What is needed to play a check. */
export interface StageOptions {
  /** Calls the server under test; for checks of servers. */
  dial?(): Promise<Conn>;
  /** Where somebody sits at it. */
  terminal?(): Terminal | null | undefined;
  /** How it has ended, though it should run; null while it runs. */
  death?(): string | null;
  /** The client under test, and on what it calls; for checks of clients. */
  readonly client?: {
    readonly program: ClientUnderTest;
    readonly transport: Transport;
    readonly port: number;
    /** The server that it calls, where that is not netlab: then netlab only stands at the keyboard. */
    readonly server?: { readonly host: string; readonly port: number };
  };
  makeFramer(): Framer;
  /** Between frames and messages in writing. */
  readonly codec: Codec<string>;
  readonly delivery: Delivery;
  /** How long an expectation may take, in ms. */
  readonly timeoutMs: number;
  /** How long the first thing that a client under test does may take, in ms: it has to start (a JVM, an interpreter). */
  readonly startMs: number;
  /** Appended to names, letters only: many servers take nothing else. */
  readonly nameSuffix: string;
  /** What greets every caller, as earlier checks have learned. */
  readonly greetings?: Set<string>;
  readonly trace?: Trace;
}

/** How long a program is looked at that should go on, in ms. */
const STAY_MS = 200;

/** How long a server may take to send somebody away, in ms, and how often it is looked at meanwhile. */
const REFUSAL_MS = 600;
const LOOK_MS = 20;

/** The ends and programs of one check. */
export class Stage {
  readonly #options: StageOptions;
  readonly #actors = new Map<string, Actor>();
  readonly #programs = new Map<string, RunningClient>();
  /** What `{words}` in braces stand for. */
  readonly #kept = new Map<string, string>();
  #hall: Hall | null = null;
  /** Nothing has been seen of the client that was started last, so that it may still be starting. */
  #starting = false;
  #latest: Actor | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** Replaces `$alice` by alice's name in this check, and `{port}` by what is known of it. */
  readonly fill = (template: string): string =>
    template.replace(/\$([a-z]+)/g, (_, name: string) => name + this.#options.nameSuffix)
      .replace(/\{([a-z]+)\}/g, (braced, word: string) => this.#kept.get(word) ?? braced);

  /** Keeps of `text` what an expectation wants to have kept. */
  keep({ keeps }: Expectation, text: string): void {
    for (const [word, value] of Object.entries(keeps?.exec(text)?.groups ?? {})) this.#kept.set(word, value);
  }

  /** Calls the server under test, or the client that was started last, if that is a server as well. */
  async connect(who: string): Promise<void> {
    const dial = this.#options.dial ?? [...this.#programs.values()].at(-1)?.dial;
    if (dial === undefined) throw new Error("the script calls a server, and there is none");
    this.#enter(who, await dial());
    this.#starting = false;
  }

  /** Connects and sends until the server lets it stay and, where a person at it can be shown what is said, shows it. */
  async callUntilTaken(who: string, text?: string): Promise<void> {
    const { timeoutMs, terminal } = this.#options;
    const deadline = performance.now() + timeoutMs;
    const screen = text === undefined ? undefined : terminal?.()?.shown;
    for (;;) {
      await this.connect(who);
      if (text !== undefined) await this.actor(who).send(text);
      await this.actor(who).flush();
      const enough = performance.now() + (screen ? timeoutMs : REFUSAL_MS);
      let ended = false;
      while (!ended && performance.now() < enough) {
        if (screen && await this.#isOn(screen, text!)) return;
        ended = await this.actor(who).endsWithin(LOOK_MS);
      }
      if (!ended && !screen) return;
      if (!ended) throw new Unmet("silence", `what it said was not shown in ${timeoutMs} ms`);
      if (performance.now() > deadline) {
        throw new Unmet("end", `it was sent away for ${timeoutMs} ms`);
      }
    }
  }

  /** Starts the client under test. */
  async start(who: string, words: readonly string[]): Promise<void> {
    const { client } = this.#options;
    if (client === undefined) throw new Error("the script starts a client, and there is none");
    if (client.server === undefined) this.#hall ??= new Hall(client.transport, client.port);
    await this.#programs.get(who)?.kill();
    const { host, port } = client.server ?? { host: LOOPBACK, port: this.#hall!.address.port };
    this.#kept.set("host", host).set("port", String(port));
    this.#programs.set(who, client.program.start(host, port, words.map(this.fill), this.fill));
    this.#starting = true;
  }

  /** Waits until a client under test calls. */
  async accept(who: string): Promise<void> {
    const programs = [...this.#programs.values()];
    const call = this.#hall?.next(this.#patienceMs, () => programs.find(({ ended }) => ended));
    const conn = await call?.catch((error) => Promise.reject(this.#whyUncalled(error)));
    if (conn === undefined) throw new Error("the script is called before it starts a client");
    this.#starting = false;
    this.#enter(who, conn);
  }

  actor(who: string): Actor {
    const actor = this.#actors.get(who);
    if (!actor) throw new Error(`the script never connected ${who}`);
    return this.#latest = actor;
  }

  program(who: string): RunningClient {
    const program = this.#programs.get(who);
    if (!program) throw new Error(`the script never started ${who}`);
    return program;
  }

  /** Types a line at a program under test. */
  async type(who: string, text: string): Promise<void> {
    const terminal = this.#terminal(who);
    const { ended } = terminal.shown;
    if (ended !== null) throw new Unmet("end", `${ended} before that`);
    await terminal.type(this.fill(text));
  }

  async shows(who: string, what: Expectation): Promise<void> {
    this.#latest = null;
    this.keep(what, await this.#terminal(who).shown.expect(this.#filled(what), this.#patienceMs));
    this.#starting = false;
  }

  /** Nothing that matches may come to one end, or be shown by a program under test, before what is expected of it next. */
  forbid(who: string, what: Expectation): void {
    const actor = this.#actors.get(who);
    if (actor) actor.forbid(what);
    else this.#terminal(who).shown.forbid(this.#filled(what));
  }

  async exits(who: string, how: "well" | "badly" | "somehow"): Promise<void> {
    const program = this.program(who);
    const patienceMs = this.#patienceMs;
    this.#latest = null;
    for (const actor of this.#actors.values()) actor.leaveAfterwards();
    if (!await program.shown.endsWithin(patienceMs)) {
      throw new Unmet("silence", `it was still running after ${patienceMs} ms`);
    }
    const right = {
      well: program.exitCode === 0,
      badly: (program.exitCode ?? 0) !== 0,
      somehow: program.exitCode !== null,
    };
    if (!right[how]) throw new Unmet("other", `it ${program.ended}`);
  }

  async runs(who: string): Promise<void> {
    const program = this.program(who);
    this.#latest = null;
    if (await program.shown.endsWithin(STAY_MS)) throw new Unmet("end", `it ${program.ended}`);
  }

  /** The end that spoke or listened last. */
  get latest(): Actor | null {
    return this.#latest;
  }

  /** What the clients under test have printed. */
  get output(): string {
    return [...this.#programs.values()].map(({ output }) => output).join("\n");
  }

  /** How a client under test has ended, if one did, and not in good order; else null. */
  get death(): string | null {
    return [...this.#programs.values()].find(({ ended, exitCode }) => ended !== null && exitCode !== 0)?.ended ?? null;
  }

  /** Sends what is held back by everybody but `except`. */
  async flush(except?: string): Promise<void> {
    for (const [who, actor] of this.#actors) if (who !== except) await actor.flush();
  }

  /** Hangs up for everybody, and ends every program. */
  async close(): Promise<void> {
    const closing = [...this.#actors.values()].map((actor) => actor.close());
    this.#hall?.close();
    await Promise.all([...closing, ...[...this.#programs.values()].map((program) => program.kill())]);
  }

  /** How long what comes next may take, in ms. */
  get #patienceMs(): number {
    const { startMs, timeoutMs } = this.#options;
    return this.#starting ? Math.max(startMs, timeoutMs) : timeoutMs;
  }

  /** The same error, with why nobody called, where that is known. */
  #whyUncalled(error: unknown): unknown {
    if (!(error instanceof Unmet) || !this.#starting) return error;
    const { kind, message, got } = error;
    // One that is both ends is told by what is typed where to call.
    const isToldByKeys = [...this.#programs.values()].at(-1)?.dial !== undefined;
    const why = kind === "end" ? CAUSES.endedBefore : isToldByKeys ? undefined : CAUSES.callsNobody;
    return new Unmet(kind, message, got, why);
  }

  #terminal(who: string): Terminal {
    const terminal = who === SERVER ? this.#options.terminal?.() : this.program(who);
    if (!terminal) throw new Error("the script sits at a server, and there is none");
    return terminal;
  }

  /** A server's screen outlives a check, and knows no names. */
  #filled(what: Expectation): Expectation {
    return { ...what, what: this.fill(what.what), matches: (text) => what.matches(text, this.fill) };
  }

  async #isOn(screen: Inbox, text: string): Promise<boolean> {
    const said = this.fill(text);
    return await screen.expect({ what: said, matches: (line) => line.includes(said) }, 0).then(() => true, () => false);
  }

  #enter(who: string, conn: Conn): void {
    void this.#actors.get(who)?.leave("reset"); // its earlier connection
    const { makeFramer, codec, delivery, greetings, timeoutMs, trace } = this.#options;
    const { fill } = this;
    const actor = new Actor(conn, { framer: makeFramer(), codec, delivery, greetings, timeoutMs, fill, trace });
    if (trace?.wants.label) trace.emit({ type: "label", id: actor.id, label: who });
    this.#actors.set(who, actor);
    this.#latest = actor;
  }
}

/** So many may wait to be taken; a client that calls and calls would have all the files that netlab may open. */
const MAX_WAITING = 64;

/** Where clients under test call. */
class Hall {
  readonly #acceptor: Acceptor;
  readonly #callers: Conn[] = [];
  #changed: () => void = () => {};

  constructor(transport: Transport, port: number) {
    this.#acceptor = port === 0
      ? openAnywhere(transport)
      : openAcceptor({ host: LOOPBACK, port, transport }, systemClock);
    void this.#acceptor.run({
      onConn: (conn) => {
        if (this.#callers.length >= MAX_WAITING) return conn.close();
        this.#callers.push(conn);
        this.#changed();
      },
      onLastFile: (conn) => Promise.resolve(conn.close()),
      onWarning: () => {},
    }).catch(() => {});
  }

  get address(): Deno.NetAddr {
    return this.#acceptor.address;
  }

  /**
   * The next caller.
   *
   * @param gone a program that has ended, if there is one
   * @throws {Unmet} when nobody calls in time
   */
  async next(timeoutMs: number, gone: () => RunningClient | undefined): Promise<Conn> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const conn = this.#callers.shift();
      if (conn !== undefined) return conn;
      const ended = gone()?.ended;
      if (ended) throw new Unmet("end", `nobody called: the program ${ended}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Unmet("silence", `nobody called in ${timeoutMs} ms`);
      await outlasts(new Promise<void>((resolve) => (this.#changed = resolve)), Math.min(left, 100));
    }
  }

  close(): void {
    this.#acceptor.close();
    for (const conn of this.#callers.splice(0)) conn.close();
  }
}
