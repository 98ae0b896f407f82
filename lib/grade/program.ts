// A program under test: started through the shell, outside of Windows in a process group of its own, watched, and killed with
// all it started.
//
//     sh -c 'python3 server.py' ─┬─ standard input ◀─ what a check types
//                                ├─ standard output, error ─▶ kept (first and last), counted, looked at line by line
//                                └─ its processes ─▶ killed: the group, and whoever has left it

import type { Transport } from "../exercises/exercise.ts";
import { outlasts } from "../net/clock.ts";
import { NetlabError } from "../protocol/errors.ts";
import { encodeText } from "../protocol/text.ts";
import { Inbox } from "./inbox.ts";
import { KeptOutput } from "./kept_output.ts";
import { onInterrupt, stopIfInterrupted } from "./leftovers.ts";
import { ask } from "./shell.ts";
import { type Listener, listListenersOf } from "./sockets.ts";

/** A program that prints more is stopped, in bytes and in lines: each line is kept until it is looked at. */
const MAX_OUTPUT = 16_777_216;
const MAX_LINES = 2_000_000;
/** How the end of such a program begins to be told. */
export const PRINTED = "printed more than";
/** A line longer than this is looked at in pieces. */
const MAX_LINE = 65_536;
/** How long the kill may take before the machine is said to be at fault, in ms. */
const KILL_MS = 5000;

/** The number of standard error among a program's two streams: what it has to say besides, a log, goes there. */
const STDERR = 1;

const windows = Deno.build.os === "windows";

/** How a program ended: by itself or a signal, or because it printed too much. */
export interface Exit {
  readonly code: number;
  readonly signal: string | null;
  readonly why: string;
}

/** What a program is started with. */
export interface ProgramOptions {
  /** A line for the shell. */
  readonly command: string;
  readonly cwd?: string;
  /** Whether somebody types; otherwise its standard input is empty. */
  readonly keyboard?: boolean;
  /** Replaces `$names` in what it is expected to show. */
  readonly fill?: (template: string) => string;
}

export class Program {
  readonly command: string;
  /** What it prints, line by line. */
  readonly shown: Inbox;
  /** Settles when it has ended. */
  readonly ended: Promise<Exit>;
  /** How it has ended, or null while it runs. */
  exit: Exit | null = null;
  readonly #child: Deno.ChildProcess;
  readonly #mark: string;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null;
  readonly #reading: Promise<unknown>;
  /** How much it has printed in all, in bytes and in lines. */
  #printed = 0;
  #lines = 0;
  #kept = new KeptOutput();
  #killed: Promise<void> | null = null;
  readonly #forget: () => void;

  /** @throws {NetlabError} of kind `harness` when there is no shell to start it */
  constructor({ command, cwd, keyboard = false, fill = (text) => text }: ProgramOptions) {
    stopIfInterrupted();
    this.command = command;
    this.shown = new Inbox(fill);
    this.#mark = crypto.randomUUID();
    try {
      this.#child = new Deno.Command(...shell(command, {
        cwd,
        stdin: keyboard ? "piped" : "null",
        stdout: "piped",
        stderr: "piped",
        // Python and what stdbuf knows would keep what they print until they end: nobody would see it in time.
        env: { PYTHONUNBUFFERED: "1", PYTHONIOENCODING: "utf-8", [MARK]: this.#mark },
        detached: true,
      })).spawn();
    } catch (cause) {
      const why = isGone(cwd)
        ? "the folder of the program is gone: it may have taken it away"
        : (cause as Error).message;
      throw new NetlabError("harness", `cannot start a shell: ${why}`, { cause });
    }
    this.#forget = onInterrupt(() => this.kill());
    this.#keyboard = keyboard ? this.#child.stdin.getWriter() : null;
    this.#keyboard?.closed.catch(() => {});
    this.#reading = Promise.all([this.#child.stdout, this.#child.stderr].map((stream, i) => this.#read(stream, i)));
    this.ended = this.#child.status.then(async ({ code, signal }) => {
      // What it printed last may still be in the pipe; what it left behind may hold the pipe open.
      await outlasts(this.#reading, 200);
      const why = signal ? `was ended by ${signal}` : `ended with status ${code}`;
      this.exit ??= { code, signal, why };
      this.shown.end(`the program ${this.exit.why}`);
      return this.exit;
    });
  }

  /** What it printed: the first and the last of it. */
  get output(): string {
    return this.#kept.text;
  }

  /** Where it listens, it or what it has started; empty where the system does not tell. */
  listeners(transport: Transport): Promise<Listener[]> {
    return listListenersOf(`${MARK}=${this.#mark}`, transport);
  }

  /** Keeps only what it prints from now on. */
  forgetOutput(): void {
    this.#kept = new KeptOutput();
  }

  /** Types a line. What nobody reads is lost. */
  async type(line: string): Promise<void> {
    await this.#keyboard?.write(encodeText(line + "\n")).catch(() => {});
  }

  async endInput(): Promise<void> {
    await this.#keyboard?.close().catch(() => {});
  }

  /** Ends it and every process that it has started. Says so when that does not succeed. */
  kill(): Promise<void> {
    return this.#killed ??= this.#kill();
  }

  async #kill(): Promise<void> {
    void this.endInput();
    await killAll(this.#child.pid, this.#mark);
    if (await outlasts(this.ended, KILL_MS)) {
      throw new NetlabError("harness", `cannot end ${this.command} (process ${this.#child.pid})`);
    }
    this.#forget();
  }

  async #read(stream: ReadableStream<Uint8Array>, number: number): Promise<void> {
    const decoder = new TextDecoder();
    const push = (lines: string[]) => number === STDERR ? this.shown.pushAside(lines) : this.shown.push(lines);
    let rest = "";
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop()!;
      this.#kept.add(text);
      this.#printed += bytes.length;
      this.#lines += lines.length;
      if (this.#printed > MAX_OUTPUT || this.#lines > MAX_LINES) {
        const much = this.#printed > MAX_OUTPUT ? `${MAX_OUTPUT >> 20} MB` : `${MAX_LINES / 1_000_000} million lines`;
        this.exit ??= { code: 1, signal: null, why: `${PRINTED} ${much} and was stopped` };
        // Those who ask for its end do so by themselves: it may have happened while nobody looked.
        await killAll(this.#child.pid, this.#mark);
        break;
      }
      if (rest.length > MAX_LINE) lines.push(rest), rest = "";
      if (lines.length > 0) push(lines.map(withoutColor));
      this.shown.setUnfinished(withoutColor(rest), number);
    }
    if (rest !== "") push([withoutColor(rest)]), this.shown.setUnfinished("", number);
  }
}

// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[\d;:]*m/g;

/** A line as a person sees it: the digits that say a colour (`ESC [0m`) are no part of an answer. */
const withoutColor = (line: string) => line.replace(COLOR, "");

function isGone(folder?: string): boolean {
  try {
    return folder !== undefined && !Deno.statSync(folder).isDirectory;
  } catch {
    return true;
  }
}

/** Whether a program that ended for that reason did so in good order. */
export const isGoodEnd = (why: string) => why === "ended with status 0";

/** The variable by which a program's processes are known. */
const MARK = "NETLAB_GRADED";

/**
 * What runs a line, through a buffer for lines where there is one: C programs, too, are to show a line when they print it. That
 * is a library loaded before all others, which those built with -fsanitize=address take only where they are told to.
 */
function shell(line: string, options: Deno.CommandOptions & { detached: true }): [string, Deno.CommandOptions] {
  if (windows) {
    // cmd takes all between the first quote and the last as it is, without the backslashes that Deno would put before others.
    const args = ["/d", "/s", "/c", `"${line}"`];
    // Detached, each program would get a window of its own.
    return ["cmd", { ...options, args, windowsRawArguments: true, detached: false }];
  }
  return ["sh", { ...options, args: ["-c", START, line] }];
}

const START = `export ASAN_OPTIONS="\${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
command -v stdbuf >/dev/null && exec stdbuf -oL sh -c "$0"
exec sh -c "$0"`;

/** A word that the shell takes as it is: in double quotes, where they do, because all shells understand them. */
export function shellWord(word: string, os = Deno.build.os): string {
  if (os === "windows") {
    if (/^[\w./:@+=\\-]+$/.test(word)) return word;
    // A program takes a quote for one behind an even number of backslashes, and two for one that is meant (CommandLineToArgvW).
    return `"${word.replace(/(\\*)("|$)/g, (_, backslashes, quote) => backslashes + backslashes + quote + quote)}"`;
  }
  if (/^[\w./:@%+=-]+$/.test(word)) return word;
  return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : `"${word}"`;
}

/**
 * Ends a group, and, where /proc tells, those who have left it: they still have the mark, or are children of one that has it.
 * One without both, whose parent has ended, is not found.
 */
async function killAll(pid: number, mark: string): Promise<void> {
  if (windows) return await run("cmd", ["/c", `taskkill /T /F /PID ${pid}`]);
  await run("sh", ["-c", KILL, String(pid), `${MARK}=${mark}`]);
}

/**
 * Until none is left, as they may start others meanwhile; the number of rounds is for what cannot be killed. Nobody ends
 * before it is known who its children are.
 */
const KILL = String.raw`kill -s STOP -- "-$0" 2>/dev/null
children() {
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) [A-Za-z] \([0-9]*\) .*/\1 \2/' | awk -v roots="$*" '
    BEGIN { count = split(roots, list, " "); for (i = 1; i <= count; i++) known[list[i]] }
    { parent[$1] = $2 }
    END {
      do {
        more = 0
        for (pid in parent) if (!(pid in known) && parent[pid] in known) { known[pid]; print pid; more = 1 }
      } while (more)
    }'
}
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  left=$(grep -lzxF "$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
  if [ -n "$left" ]; then
    kill -STOP $left 2>/dev/null
    # Twice: a child may have started another before it was stopped.
    for look in 1 2; do
      left="$left $(children $left)"
      kill -STOP $left 2>/dev/null
    done
    kill -KILL $left 2>/dev/null
  fi
  kill -s KILL -- "-$0" 2>/dev/null
  [ -n "$left" ] || exit 0
done`;

/** In a group of its own, outside of Windows: the Ctrl-C that ends netlab must not end it half-way. */
async function run(command: string, args: string[]): Promise<void> {
  const options = { args, stdin: "null", stdout: "null", stderr: "null", detached: !windows } as const;
  await new Deno.Command(command, options).spawn().status; // output() would take no notice of `detached`
}

/** Whether this machine has the program that a line for the shell starts with; one with a path is the submission's affair. */
export async function isInstalled(line: string): Promise<boolean> {
  const [word] = line.trim().split(/\s+/);
  if (windows || !/^[\w+.-]+$/.test(word)) return true;
  return await ask(`command -v ${word}`) !== "";
}
