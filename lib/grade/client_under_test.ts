// The client that is judged: a program that we start, or netlab's own.

import type { Console } from "../exercises/exercise.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Inbox } from "./inbox.ts";
import { Program, shellWord } from "./program.ts";
import { ScriptConsole } from "./script_console.ts";

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
  type(line: string): Promise<void>;
  endInput(): Promise<void>;
  kill(): Promise<void>;
}

/** A program that is started for each check. */
export class ClientProgram implements ClientUnderTest {
  readonly name: string;
  readonly #cwd?: string;

  /**
   * @param command a line for the shell, with `{host}` and `{port}`; `{args}` is what a check asks for
   * @param options.port the port that it calls, when it says that itself
   */
  constructor(command: string, options: { port: number | null; cwd?: string }) {
    this.name = command;
    this.#cwd = options.cwd;
    if (command.includes("{port}") || options.port !== null) return;
    throw new NetlabError("usage", `where does ${command} call?`, {
      hint: "write {host} and {port} in the command, or --port with the one that it calls",
    });
  }

  start(host: string, port: number, words: readonly string[], fill: (template: string) => string): RunningClient {
    const command = this.name.replaceAll("{host}", host).replaceAll("{port}", String(port))
      .replaceAll("{args}", words.map(shellWord).join(" "));
    const program = new Program({ command, cwd: this.#cwd, keyboard: true, fill });
    if (words.length > 0 && !this.name.includes("{args}")) void program.type(words.join(" "));
    return {
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

/** Netlab's own client, in this process. */
export class NetlabClient implements ClientUnderTest {
  readonly name: string;
  readonly #connect: (host: string, port: number, words: readonly string[], console: Console) => Promise<void>;

  constructor(
    exercise: string,
    connect: (host: string, port: number, words: readonly string[], console: Console) => Promise<void>,
  ) {
    this.name = `netlab connect ${exercise}`;
    this.#connect = connect;
  }

  start(host: string, port: number, words: readonly string[], fill: (template: string) => string): RunningClient {
    const console = new ScriptConsole(fill);
    let exitCode: number | null = null;
    const end = (status: number) => {
      exitCode = status;
      console.shown.end(`ended with status ${status}`);
    };
    this.#connect(host, port, words, console).then(() => end(0), (error) => {
      console.print(`netlab: ${(error as Error).message}`);
      end(1);
    });
    return {
      shown: console.shown,
      get output() {
        return console.output;
      },
      get ended() {
        return console.shown.ended;
      },
      get exitCode() {
        return exitCode;
      },
      type: (line) => Promise.resolve(console.type(line)),
      endInput: () => Promise.resolve(console.endInput()),
      // Its connection is gone by then, and that ends it.
      kill: () => Promise.resolve(console.stop()),
    };
  }
}
