// What the tests of the command line share: netlab run in this process, netlab as a process of its own that is typed to,
// read and sent signals, and folders with a `netlab` to put on PATH.

import { fileURLToPath } from "node:url";
import { LineWriter } from "../lib/cli/output.ts";
import { run } from "../lib/cli/main.ts";
import { within } from "./helpers.ts";

/** What a run came to. */
export interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export type Environment = Readonly<Record<string, string>>;

/** Where deno.json and main.ts are. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A command line as words. */
type Line = string | readonly string[];

const words = (line: Line) => typeof line === "string" ? line.split(" ").filter((word) => word !== "") : [...line];

/**
 * Runs netlab in this process, in no environment but `env`, and without colours unless that says otherwise: for what
 * reads no input and waits for no signal.
 */
export async function netlab(line: Line, env: Environment = {}, width = 80): Promise<Result> {
  const [out, err] = [new Captured(), new Captured()];
  const output = { out: new LineWriter(out), err: new LineWriter(err), width };
  const status = await run(words(line), output, (name) => ({ NO_COLOR: "1", ...env })[name]);
  return { status, out: out.text, err: err.text };
}

/** A stream that keeps what is written to it. */
export class Captured {
  text = "";
  readonly #decoder = new TextDecoder();

  write(bytes: Uint8Array): Promise<number> {
    this.text += this.#decoder.decode(bytes, { stream: true });
    return Promise.resolve(bytes.length);
  }
}

/** The environment of child processes: what they need to run, and `more`; no NO_COLOR, no NETLAB_*. */
export function environment(more: Environment = {}): Record<string, string> {
  const needed = [
    "PATH",
    "PATHEXT",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "DENO_DIR",
    "XDG_CACHE_HOME",
    "TMPDIR",
    "TEMP",
  ];
  const present = needed.flatMap((name): [string, string][] => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(present), DENO_NO_UPDATE_CHECK: "1", ...more };
}

/** The command that runs netlab from its source, wherever it is called. */
export const NETLAB = [Deno.execPath(), "run", "--quiet", "-P", "--config", `${ROOT}deno.json`, `${ROOT}main.ts`];

/** How a process starts. */
export interface StartOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  /** The program and its first arguments. @default {NETLAB} */
  readonly command?: readonly string[];
}

/** A process whose output is read as it comes, and which is stopped, if need be, at the end of its block. */
export class Program implements AsyncDisposable {
  readonly out: Pipe;
  readonly err: Pipe;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #status: number | null = null;

  /** Starts netlab, or `command`, with the words of `line`. */
  constructor(line: Line, { env = {}, cwd = ROOT, command = NETLAB }: StartOptions = {}) {
    this.#process = new Deno.Command(command[0], {
      args: [...command.slice(1), ...words(line)],
      clearEnv: true,
      env: environment(env),
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.out = new Pipe(this.#process.stdout);
    this.err = new Pipe(this.#process.stderr);
    this.#input = this.#process.stdin.getWriter();
    this.#process.status.then(({ code }) => (this.#status = code));
  }

  async type(...lines: string[]): Promise<void> {
    await this.write(lines.map((line) => `${line}\n`).join(""));
  }

  async write(data: string | Uint8Array): Promise<void> {
    await this.#input.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  /** End of input. */
  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {}); // it may be gone
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for its end; for one that a signal ended, the status is 128 and the signal's number. */
  async result(): Promise<Result> {
    const { code } = await within(
      this.#process.status,
      `the end of the process; it said ${this.out.all}${this.err.all}`,
    );
    await Promise.all([this.out.ended, this.err.ended]);
    return { status: code, out: this.out.all, err: this.err.all };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#status === null) {
      try {
        this.#process.kill("SIGKILL");
      } catch { /* it has just ended */ }
    }
    await this.endInput();
    await this.result();
  }
}

/** What a process says, in the order in which it says it. */
export class Pipe {
  /** Everything so far. */
  all = "";
  readonly ended: Promise<void>;
  #taken = 0;
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  /** The next line, without its end. */
  line(): Promise<string> {
    return this.until(/(.*)\n/);
  }

  /** What comes up to the next match of `pattern`, that included; its first group, if it has one. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const rest = this.all.slice(this.#taken);
      const match = pattern.exec(rest);
      if (match) {
        this.#taken += match.index + match[0].length;
        return match[1] ?? rest.slice(0, match.index + match[0].length);
      }
      if (this.#isEnded) throw new Error(`the output ended without ${pattern}:\n${this.all}`);
      const more = new Promise<void>((resolve) => (this.#wake = resolve));
      await within(more, `${pattern} in:\n${this.all}`);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.all += decoder.decode(chunk, { stream: true });
      this.#wake();
    }
    this.#isEnded = true;
    this.#wake();
  }
}

/** Runs netlab, or `command`, as a process to its end. */
export async function runProgram(line: Line, { input = "", ...options }: StartOptions & { input?: string } = {}) {
  await using program = new Program(line, options);
  if (input !== "") await program.write(input);
  await program.endInput();
  return await program.result();
}

/** `netlab serve chat` on a free loopback port, as a process. */
export async function startServer(options = "", start: StartOptions = {}): Promise<{ server: Program; port: number }> {
  const server = new Program(`serve chat --host 127.0.0.1 --port 0 ${options}`, start);
  const line = await server.out.line();
  return { server, port: Number(/(?:"port":|:)(\d+)/.exec(line)![1]) };
}

/** A folder for one test, with a program `netlab` in it that runs the source; gone at the end of its block. */
export async function shimFolder(command: readonly string[] = NETLAB): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "netlab-test-" });
  await Deno.writeTextFile(`${path}/netlab`, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  await Deno.chmod(`${path}/netlab`, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
