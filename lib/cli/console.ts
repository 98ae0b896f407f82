// The person or script at this end: a terminal with line editing, or lines from a pipe.

import { dim } from "@std/fmt/colors";
import type { Console } from "../exercises/exercise.ts";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText, safeJson } from "../protocol/text.ts";
import { pieces } from "../trace/format.ts";
import { isScreen, type LineWriter, type Output, outputFailure } from "./output.ts";
import { type PipedLines, pipedLines } from "./piped_lines.ts";
import type { Terminal } from "./terminal.ts";
import { wrapText } from "./wrap.ts";

/** How a console behaves. */
export interface ConsoleOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Called when the person presses Ctrl-C while a line is being edited. */
  onInterrupt(): void;
  /** Called when what is piped in goes on with what is no text, or cannot be read, which ends it. */
  onBadInput(error: NetlabError): void;
}

/** The console of this process. */
export function openConsole(output: Output, options: ConsoleOptions): Console {
  const interactive = Deno.stdin.isTerminal() && isScreen(Deno.stdout) && !options.json;
  const plain = (text: string | readonly string[]) =>
    typeof text === "string" ? escapeText(text) : text.map(escapeText).join("\n");
  if (interactive) {
    const terminal = new LazyTerminal(output.out, () => {
      status.show(null);
      options.onInterrupt();
    });
    const status = statusLine(output, (text) => output.out.overwrite(text));
    const print = (text: string) => {
      status.show(null);
      output.out.text(text);
    };
    const printLine = (text: string) => print(`${text}\n`);
    // Traces and the log are on the same screen: in the order in which they come, and not in the line being typed.
    if (Deno.stderr.isTerminal()) output.err.divert(print);
    return {
      interactive,
      async *lines(prompt = "> ", isSecret, hiddenFrom) {
        yield* (await terminal.open()).lines(prompt, isSecret, hiddenFrom);
      },
      stop: () => terminal.stop(),
      print: (text) => printLine(plain(text)),
      note: (text) => options.quiet || wrapText(escapeText(text), output.width).forEach((line) => printLine(dim(line))),
      status: (text, share) => options.quiet || status.show(text, share),
      drained: () => output.out.drained(),
      write: writeBytes,
      async *keys() {
        yield* (await terminal.open()).keys();
      },
      secret: (question, again) => askSecret(output.err, question, again),
      completeWith: (candidates) => terminal.completeWith(candidates),
    };
  }
  const pipe = pipedLines();
  const shows = isScreen(Deno.stderr) && !options.quiet;
  const status = statusLine(output, (text) => output.err.text(text));
  return {
    interactive,
    lines(_prompt, isSecret) {
      // Lines as they come are for the terminal to show, which then does so with all of them.
      if (isSecret && Deno.stdin.isTerminal()) output.err.line("what is typed here can be seen, passwords too");
      return untilBad(pipe, options);
    },
    stop: () => pipe.stop(),
    print: (text, event = { event: "print", text }) => {
      status.show(null);
      output.out.line(options.json ? safeJson(event) : plain(text));
    },
    record: (event) => options.json && output.out.line(safeJson(event)),
    note: (text) => {
      status.show(null);
      if (!options.quiet) output.err.line(escapeText(text));
    },
    status: (text, share) => shows && status.show(text, share),
    drained: () => output.out.drained(),
    write: writeBytes,
    async secret(question, again) {
      if (Deno.stdin.isTerminal()) return await askSecret(output.err, question, again);
      for await (const line of pipe.lines()) return line;
      return null;
    },
    completeWith() {},
  };
}

/** The terminal, once something is typed: what it stands on takes longer to load than all of netlab. */
class LazyTerminal {
  #terminal: Terminal | null = null;
  #stopped = false;
  #candidates: (line: string) => readonly string[] = () => [];
  readonly #out: LineWriter;
  readonly #onInterrupt: () => void;

  constructor(out: LineWriter, onInterrupt: () => void) {
    this.#out = out;
    this.#onInterrupt = onInterrupt;
  }

  async open(): Promise<Terminal> {
    const { openTerminal } = await import("./terminal.ts");
    if (this.#terminal === null) {
      this.#terminal = openTerminal(this.#out, this.#onInterrupt);
      this.#terminal.completeWith((line) => this.#candidates(line));
      if (this.#stopped) this.#terminal.stop();
    }
    return this.#terminal;
  }

  stop(): void {
    this.#stopped = true;
    this.#terminal?.stop();
  }

  completeWith(candidates: (line: string) => readonly string[]): void {
    this.#candidates = candidates;
  }
}

/** The lines up to one that is no text, or cannot be read. */
async function* untilBad(pipe: PipedLines, { onBadInput }: ConsoleOptions): AsyncIterable<string> {
  try {
    yield* pipe.lines();
  } catch (error) {
    if (!(error instanceof NetlabError)) throw error;
    onBadInput(error);
  }
}

/** Asks a person at a terminal for what nobody may see; what is asked for twice has to be the same. */
async function askSecret(out: LineWriter, question: string, again?: string): Promise<string | null> {
  const { askSecrets } = await import("./terminal.ts");
  for (let asked = question;; asked = `they differ; ${question}`) {
    const answers = await askSecrets(out, asked, ...again === undefined ? [] : [again]);
    if (answers === null) return null;
    if (answers.every((answer) => answer === answers[0])) return answers[0];
  }
}

/** Writes all of it to standard output. @throws {NetlabError} of kind `harness` when that cannot be written */
async function writeBytes(bytes: Uint8Array): Promise<void> {
  try {
    for (let left = bytes; left.length > 0;) left = left.subarray(await Deno.stdout.write(left));
  } catch (cause) {
    throw outputFailure(cause);
  }
}

/** Columns of a progress bar. */
const BAR = 22;

/** One line of a terminal that is written over again and again. */
function statusLine(output: Output, write: (text: string) => void) {
  let shown = false;
  return {
    show(text: string | null, share?: number): void {
      if (text === null && !shown) return;
      shown = text !== null;
      const bar = share === undefined
        ? ""
        : `${"█".repeat(Math.round(BAR * share)).padEnd(BAR, "░")} ${String(Math.floor(100 * share)).padStart(3)} %  `;
      // A row that goes on in the next could not be written over; the terminal adds ^C to it.
      write(`\r\x1b[K${text === null ? "" : pieces(bar + escapeText(text), output.width - 3)[0]}`);
    },
  };
}
