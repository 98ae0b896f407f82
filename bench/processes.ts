// Child processes, always bounded: a command has a time limit, a server lives until it is stopped, and when the benchmark
// itself is interrupted every child goes with it.

import { TextLineStream, toText } from "@std/streams";

const ROOT = new URL("..", import.meta.url).pathname;
/** How Deno runs this netlab. */
export const NETLAB = ["run", "--quiet", "-P", "--config", `${ROOT}deno.json`, `${ROOT}main.ts`];

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 2_000;
const interrupted = new AbortController();

/** What a finished command left. */
export interface Finished {
  success: boolean;
  stdout: string;
  stderr: string;
}

/** A server that runs as a child process. */
export interface Server {
  pid: number;
  /** What it said when it listened. */
  line: string;
  /** Asks it to end, insists after two seconds, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Runs a command to its end, or kills it after `limitMs`. Throws when there is no such command. */
export async function run(command: string, args: string[], limitMs = 10_000): Promise<Finished> {
  const signal = AbortSignal.any([AbortSignal.timeout(limitMs), interrupted.signal]);
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args, signal }).output();
    return { success, stdout: decode(stdout), stderr: decode(stderr) };
  } catch (error) {
    throw explain(error, command);
  }
}

/** How a server is started. */
export interface ServeOptions {
  cwd?: string;
  /** Where it says that it listens. @default {"stdout"} */
  on?: "stdout" | "stderr";
  /** In which line. @default the first */
  says?: RegExp;
}

/** Starts a server and waits until it says that it listens. Throws, saying why, when it ends before or takes too long. */
export async function serve(
  command: string,
  args: string[],
  { cwd, on = "stdout", says = /^/ }: ServeOptions = {},
): Promise<Server> {
  const child = spawn(command, args, { cwd, stdout: "piped", stderr: "piped" });
  const [spoken, other] = on === "stdout" ? [child.stdout, child.stderr] : [child.stderr, child.stdout];
  const complaint = toText(other).catch(() => "");
  const lines = spoken.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    kill(child, "SIGKILL");
  }, START_LIMIT_MS);
  let next;
  do next = await lines.read(); while (!next.done && !says.test(next.value));
  clearTimeout(limit);
  if (next.done) {
    kill(child, "SIGKILL");
    throw new Error(late ? `said nothing in ${START_LIMIT_MS / 1000} s` : reason(await complaint));
  }
  drain(lines);
  return { pid: child.pid, line: next.value, stop: () => stop(child) };
}

/** Ends every child when this process is told to end. Call it once, before anything is started. */
export function endChildrenWithUs(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      interrupted.abort();
      Deno.exit(130);
    });
  }
}

/** Starts a program, whose output is lost unless `options` say otherwise. Throws when there is none. */
export function spawn(command: string, args: readonly string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      ...{ args: [...args], env: { NO_COLOR: "1" }, signal: interrupted.signal },
      ...{ stdin: "null", stdout: "null", stderr: "null" },
      ...options,
    }).spawn();
  } catch (error) {
    throw explain(error, command);
  }
}

/** Asks it to end, insists after two seconds, and waits until it is gone. */
export async function stop(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGTERM");
  const insist = setTimeout(() => kill(child, "SIGKILL"), STOP_LIMIT_MS);
  await child.status;
  clearTimeout(insist);
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** Reads on and forgets, lest the server block on a full pipe. */
async function drain(lines: ReadableStreamDefaultReader<string>): Promise<void> {
  try {
    while (!(await lines.read()).done);
  } catch {
    // It ended in the middle of a line.
  }
}

function explain(error: unknown, command: string): unknown {
  return error instanceof Deno.errors.NotFound ? new Error(`there is no ${command}`) : error;
}

/** The line of a complaint that says most. */
function reason(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? "ended without a word";
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
