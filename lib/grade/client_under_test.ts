// The client that is judged: a program that we start, or netlab's own.

import type { Exercise, RunningServer } from "../exercises/exercise.ts";
import { connectTcp } from "../net/client.ts";
import { outlasts } from "../net/clock.ts";
import type { Conn } from "../net/conn.ts";
import { NetlabError } from "../protocol/errors.ts";
import { because, dialPatiently, freePort, isSilent, whyRefused } from "./calling.ts";
import type { Inbox } from "./inbox.ts";
import { Program, shellWord } from "./program.ts";
import { ScriptConsole } from "./script_console.ts";
import { callTcp } from "./sockets.ts";

/** How to have a client call. */
export interface ClientUnderTest {
  /** For the report: a command. */
  readonly name: string;
  /** @param words what a check wants of it: arguments or, for a client that takes none, a line that is typed */
  start(host: string, port: number, words: readonly string[], fill: (template: string) => string): RunningClient;
}

/** A client that runs. */
export interface RunningClient {
  /** What it shows, line by line. */
  readonly shown: Inbox;
  /** What it has printed so far. */
  readonly output: string;
  /** How it has ended, or null while it runs. */
  readonly ended: string | null;
  /** Its status, when it ended by itself; null while it runs, or when a signal ended it. */
  readonly exitCode: number | null;
  /** Calls it, if it is a server as well. @throws {Unmet} when it does not take the call */
  dial?(): Promise<Conn>;
  type(line: string): Promise<void>;
  endInput(): Promise<void>;
  kill(): Promise<void>;
}

/** A program that is started for each check. */
export class ClientProgram implements ClientUnderTest {
  readonly name: string;
  readonly #cwd?: string;
  /** Where it listens itself, when it is both ends and says that itself; null when it is told. */
  readonly #ownPort: number | null;
  readonly #both: boolean;
  readonly #startMs: number;

  /**
   * @param command a line for the shell, with `{host}` and `{port}`; `{args}` is what a check asks for
   * @param options.port the port that it calls, when it says that itself
   * @param options.startMs how long it may take until it listens, when it is both ends
   * @param options.both it is both ends, and told where to call by what is typed: then the port is the one it listens on
   */
  constructor(command: string, options: { port: number | null; startMs: number; cwd?: string; both?: boolean }) {
    this.name = command;
    this.#cwd = options.cwd;
    this.#ownPort = command.includes("{port}") ? null : options.port;
    this.#both = options.both ?? false;
    this.#startMs = options.startMs;
    if (command.includes("{port}") || options.port !== null) return;
    if (this.#both) {
      throw new NetlabError("usage", `where does ${command} listen?`, {
        hint: "write {port} in the command, for a free port, or say --port with the one that it uses",
      });
    }
    throw new NetlabError("usage", `where does ${command} call?`, {
      hint: "write {host} and {port} in the command, or --port with the one that it calls",
    });
  }

  start(host: string, port: number, words: readonly string[], fill: (template: string) => string): RunningClient {
    const said = this.#both ? this.#ownPort ?? freePort("tcp") : port;
    const command = this.name.replaceAll("{host}", host).replaceAll("{port}", String(said))
      .replaceAll("{args}", words.map((word) => shellWord(word)).join(" "));
    const program = new Program({ command, cwd: this.#cwd, keyboard: true, fill });
    if (words.length > 0 && !this.name.includes("{args}")) void program.type(words.join(" "));
    const dial = async () => {
      try {
        return await dialPatiently(() => callTcp(said, () => {}), this.#startMs, () => program.exit?.why ?? null);
      } catch (error) {
        if (isSilent(error)) throw because(error, await whyRefused(program, "tcp", said, this.#ownPort === null));
        throw error;
      }
    };
    return {
      ...this.#both && { dial },
      shown: program.shown,
      get output() {
        return program.output;
      },
      get ended() {
        return program.exit?.why ?? null;
      },
      get exitCode() {
        return program.exit?.signal === null ? program.exit.code : null;
      },
      type: (line) => program.type(line),
      endInput: () => program.endInput(),
      kill: () => program.kill(),
    };
  }
}

/** How long a client of netlab's may take to notice that nobody is there any more, in ms. */
const KILL_MS = 15_000;

/** What netlab's own client does. */
export interface OwnRun {
  /** Settles when it has ended, and rejects when it has failed. */
  readonly finished: Promise<void>;
  /** The server that it is as well, when it is both ends. */
  readonly serving?: Promise<RunningServer>;
}

/** Netlab's own client, in this process. */
export class NetlabClient implements ClientUnderTest {
  readonly name: string;
  readonly #run: (host: string, port: number, words: readonly string[], console: ScriptConsole) => OwnRun;
  readonly #both: boolean;

  constructor(
    { name, symmetric = false }: Pick<Exercise, "name" | "symmetric">,
    run: (host: string, port: number, words: readonly string[], console: ScriptConsole) => OwnRun,
  ) {
    this.name = symmetric ? `netlab ${name}` : `netlab connect ${name}`;
    this.#both = symmetric;
    this.#run = run;
  }

  start(host: string, port: number, words: readonly string[], fill: (template: string) => string): RunningClient {
    const console = new ScriptConsole(fill, this.#both);
    let exitCode: number | null = null;
    let why: string | null = null;
    const end = (status: number) => {
      exitCode = status;
      why = `ended with status ${status}`;
      console.shown.end(`the program ${why}`);
    };
    const { finished, serving } = this.#run(host, port, words, console);
    const ended = finished.then(() => end(0), (error) => {
      console.print(`netlab: ${(error as Error).message}`);
      end(1);
    });
    return {
      shown: console.shown,
      get output() {
        return console.output;
      },
      get ended() {
        return why;
      },
      get exitCode() {
        return exitCode;
      },
      ...serving && { dial: async () => await connectTcp("127.0.0.1", (await serving).address.port) },
      type: (line) => Promise.resolve(console.type(line)),
      endInput: () => Promise.resolve(console.endInput()),
      async kill() {
        // Its connections are gone by then, and that ends a client; over UDP it has to find out by itself.
        console.stop();
        (await serving)?.abort();
        await outlasts(ended, KILL_MS);
      },
    };
  }
}
