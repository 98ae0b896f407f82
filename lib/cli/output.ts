// Standard output and error: lines go out in order without holding up the program, and colour follows one rule.

import { setColorEnabled } from "@std/fmt/colors";
import { outlasts } from "../net/clock.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { count } from "../protocol/text.ts";

/** What may wait for a reader that does not read (a terminal on hold, `| less`), in UTF-16 units. */
const MAX_WAITING = 4 * 1_048_576;
const UNKNOWN_WIDTH = 80;
/** Less than this is of no use, and lines are broken by the terminal. */
const MIN_WIDTH = 20;
/** What comes so soon behind a write waits for what else comes: each write costs a thread's help. */
const GATHER_MS = 20;
/** So much does not wait for more. */
const MUCH = 262_144;

const encoder = new TextEncoder();

/** Stands where lines are missing. */
type Gap = (lines: number) => string;

/** Where lines go; a terminal says so. */
interface LineStream {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal?(): boolean;
}

/** A line that is being typed, above which all others stand: both parts of it call `draw`. */
export interface EditedLine {
  clear(): void;
  show(): void;
}

/** Writes lines to a stream, many at a time. A reader that is gone (`| head`) is no error. */
export class LineWriter {
  /** What stands in place of lines that nobody read when too much waited for it; null where none may be missing. */
  gap: Gap | null;
  /** Why something could not be written, as on a full disk; null when nothing was lost. */
  failure: unknown = null;
  /** What is being typed where the lines go. */
  edited: EditedLine | null = null;
  readonly #stream: LineStream;
  readonly #isTerminal: boolean;
  #waiting: string[] = [];
  /** What is written before the lines that wait. */
  #drawn = "";
  #waitingChars = 0;
  #dropped = 0;
  #writing: Promise<void> | null = null;
  /** Ends the wait for more. */
  #hurry: () => void = () => {};
  #flushing = false;
  #afterwards: (() => void)[] = [];
  #diverted: ((text: string) => void) | null = null;

  constructor(stream: LineStream, gap: Gap | null = null) {
    this.#stream = stream;
    this.#isTerminal = stream.isTerminal?.() ?? false;
    this.gap = gap;
  }

  /** Queues one line, without its end. */
  readonly line = (text: string): void => this.text(text + "\n");

  /** Queues text as it is. */
  text(text: string): void {
    if (this.#diverted !== null) return this.#diverted(text);
    if (this.gap !== null && this.#waitingChars > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(text);
    this.#waitingChars += text.length;
    if (this.#waitingChars > MUCH) this.#hurry();
    this.#begin();
  }

  /** Queues a part of the line being typed, as it changes: it comes before the lines that wait, and waits for no more. */
  draw(text: string): void {
    this.#drawn += text;
    this.#waitingChars += text.length;
    this.#hurry();
    this.#begin();
  }

  /** Queues what is written where the line being typed is, which is shown again below the next line. */
  overwrite(text: string): void {
    this.place();
    this.draw(text);
  }

  /** Has the lines that wait stand above the line being typed, as that is now. */
  place(): void {
    if (this.gap !== null && this.#dropped > 0) this.#waiting.push(`${this.gap(this.#dropped)}\n`);
    this.#dropped = 0;
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting.join("");
    this.#waiting = [];
    this.edited?.clear();
    this.#drawn += lines;
    this.edited?.show();
  }

  /** Has `print` show, from now on, what comes in place of the stream. */
  divert(print: (text: string) => void): void {
    this.#diverted = print;
  }

  /** Whether something is not out yet. */
  get busy(): boolean {
    return this.#writing !== null;
  }

  /** Does something as soon as nothing is on its way out. */
  afterwards(run: () => void): void {
    if (!this.busy) return run();
    this.#afterwards.push(run);
    this.#hurry();
  }

  /** Resolves when what waits is out, for who can wait before there is more; null while there is room. */
  drained(): Promise<void> | null {
    return this.#waitingChars > MAX_WAITING ? this.#writing : null;
  }

  /** Resolves when everything is out, or after `ms`. */
  async flush(ms = Infinity): Promise<void> {
    this.#flushing = true;
    this.#hurry();
    while (this.#writing) {
      if (ms === Infinity) await this.#writing;
      else if (await outlasts(this.#writing, ms)) break;
    }
    this.#flushing = false;
  }

  #begin(): void {
    this.#writing ??= Promise.resolve().then(() => this.#write());
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#drawn !== "") {
        this.place();
        let bytes = encoder.encode(this.#drawn);
        this.#drawn = "";
        this.#waitingChars = 0;
        while (bytes.length > 0) bytes = bytes.subarray(await this.#stream.write(bytes));
        if (!this.#flushing && this.#drawn === "") await this.#gather();
      }
    } catch (error) {
      this.#waiting = [];
      this.#drawn = "";
      this.#waitingChars = this.#dropped = 0;
      // A terminal fails when it is closed: its reader is gone.
      if (!this.#isTerminal && !(error instanceof Deno.errors.BrokenPipe)) this.failure ??= error;
    } finally {
      this.#writing = null;
      for (const run of this.#afterwards.splice(0)) run();
    }
  }
}

/** A gap for people. */
export const gapInText: Gap = (lines) =>
  `… ${count(lines, "line")} dropped: nobody read ${lines === 1 ? "it" : "them"} …`;

/** What is said of standard output that cannot be written. */
export function outputFailure(cause: unknown): NetlabError {
  const message = cause instanceof Deno.errors.BrokenPipe
    ? "nobody reads standard output any more"
    : `cannot write standard output: ${describeSystemError(cause)}`;
  return new NetlabError("harness", message, { cause });
}

/** Both streams of this process. */
export interface Output {
  readonly out: LineWriter;
  readonly err: LineWriter;
  /** Columns: the terminal's, at most 120; 80 when unknown. */
  readonly width: number;
}

export function systemOutput(): Output {
  return {
    out: new LineWriter(Deno.stdout),
    err: new LineWriter(Deno.stderr, gapInText),
    get width() {
      return terminalWidth();
    },
  };
}

function terminalWidth(): number {
  try {
    // A terminal of which nobody has said how wide it is has 0 columns.
    return Math.min(120, Math.max(MIN_WIDTH, Deno.consoleSize().columns || UNKNOWN_WIDTH));
  } catch {
    return UNKNOWN_WIDTH;
  }
}

/** Whether a stream is a terminal that can be written all over, and in colours: one that says it is dumb shows lines. */
export function isScreen(stream: { isTerminal(): boolean }): boolean {
  return stream.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** `--color` > `NO_COLOR` > `FORCE_COLOR` > whether both streams are screens. */
export function decideColor(choice: string, env: (name: string) => string | undefined): void {
  // With NO_COLOR set, setColorEnabled would not do as it is told.
  if (choice === "always") Object.defineProperty(Deno, "noColor", { value: false, configurable: true });
  if (choice !== "auto") setColorEnabled(choice === "always");
  else if (env("NO_COLOR")) setColorEnabled(false);
  else if (env("FORCE_COLOR")) setColorEnabled(env("FORCE_COLOR") !== "0");
  else setColorEnabled(isScreen(Deno.stdout) && isScreen(Deno.stderr));
}
