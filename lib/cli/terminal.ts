// Line editing on a terminal, with history and completion, by node:readline. What arrives is printed above the line being
// typed, which is kept. All of it goes the way of the lines: who does not read the terminal, or closes it, holds up nothing.

import { EventEmitter } from "node:events";
import process from "node:process";
import * as readline from "node:readline";
import { Writable } from "node:stream";
import { NetlabError } from "../protocol/errors.ts";
import type { LineWriter } from "./output.ts";

/** A terminal with one line being edited. */
export interface Terminal {
  /**
   * @param isSecret whether a line is kept out of the history
   * @param hiddenFrom where stars begin in the line being edited
   */
  lines(
    prompt: string,
    isSecret?: (line: string) => boolean,
    hiddenFrom?: (line: string) => number,
  ): AsyncIterable<string>;
  /** Keys by name, each as it is pressed; nothing is edited or echoed meanwhile. */
  keys(): AsyncIterable<string>;
  stop(): void;
  completeWith(candidates: (line: string) => readonly string[]): void;
}

/**
 * Parts of readline: how many rows it goes up, before it draws, to come to the first row of the line; what draws; and whether
 * it sets the terminal's mode.
 */
type Editor = readline.Interface & { prevRows: number; _writeToOutput(text: string): void; terminal: boolean };

/** Older Denos do not let a program stop itself without the permission to run others. */
const CAN_SUSPEND = !/^2\.[0-8]\./.test(Deno.version.deno);

/** The terminal as readline draws on it. */
class Screen extends EventEmitter {
  readonly #out: LineWriter;

  constructor(out: LineWriter) {
    super();
    this.#out = out;
  }

  /** As many as there are now: the window may have changed without its event having come yet. */
  get columns(): number {
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 0; // it is gone
    }
  }

  readonly write = (text: string): boolean => {
    this.#out.draw(text);
    return true;
  };
}

/**
 * @param out where the terminal is written
 * @param onInterrupt called at Ctrl-C; the default is gone while a line is edited
 */
export function openTerminal(out: LineWriter, onInterrupt: () => void): Terminal {
  const screen = new Screen(out) as Screen & NodeJS.WritableStream;
  let editor: Editor | null = null;
  let candidates: (line: string) => readonly string[] = () => [];
  let stopped = false;
  let releaseKeys = () => {};
  // When the terminal is closed, its input ends or fails, and with it the line, as at Ctrl-D. The signal for that may come
  // when all has been done, and nobody listens to it any more.
  const onClosed = () => {
    if (editor !== null && Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => {});
    stop();
  };
  process.stdin.on("end", onClosed);
  process.stdin.on("error", onClosed);

  async function* lines(
    prompt: string,
    isSecret = (_line: string) => false,
    hiddenFrom = (_line: string) => Infinity,
  ): AsyncIterable<string> {
    while (out.busy) await out.flush(); // see `release`
    if (stopped || !Deno.stdin.isTerminal()) return; // it has been closed
    const typed: string[] = [];
    let wake = () => {};
    const edited = editor = readline.createInterface({
      input: process.stdin,
      output: screen,
      terminal: true,
      prompt,
      historySize: 500,
      removeHistoryDuplicates: true,
      completer: (line: string) => [[...candidates(line)], line],
    }) as Editor;
    // For a completion readline pauses its input, in which older Denos lose the keys that come next; ours needs no time.
    edited.pause = () => edited;
    const close = edited.close.bind(edited);
    edited.close = () => {
      edited.terminal = false; // its mode is for `release` to set
      close();
    };
    edited._writeToOutput = (text) => {
      const hidden = edited.line.length - hiddenFrom(edited.line);
      // The line is drawn whole, behind the prompt, or what has been typed at its end.
      const seen = `${prompt}${edited.line}`.endsWith(text) ? Math.max(0, text.length - Math.max(0, hidden)) : Infinity;
      screen.write(text.slice(0, seen) + "*".repeat(text.slice(seen).length));
    };
    // The terminal has broken the line anew; readline draws it next, and has to know over how many rows.
    const onResize = () => {
      edited.prevRows = edited.getCursorPos().rows;
      screen.emit("resize");
    };
    process.stdout.on("resize", onResize);
    // What came before a key stands above what the key does.
    const onKey = () => out.place();
    process.stdin.prependListener("keypress", onKey);
    out.edited = { clear: () => clearLine(edited), show: () => edited.prompt(true) };
    edited.on("history", (history: string[]) => {
      if (isSecret(history[0])) history.shift();
    });
    edited.on("line", (line: string) => {
      typed.push(line);
      edited.prompt();
      wake();
    });
    edited.on("SIGINT", () => {
      stop();
      onInterrupt();
    });
    edited.on("error", () => {}); // see `onClosed`
    let suspending = false;
    edited.on("SIGTSTP", () => {
      if (!CAN_SUSPEND || suspending) return;
      suspending = true;
      out.afterwards(suspend); // readline would not wait: see `release`
    });
    const suspend = () => {
      suspending = false;
      if (editor !== edited) return; // it has ended meanwhile
      process.once("SIGCONT", () => out.afterwards(resume));
      process.stdin.setRawMode(false);
      process.kill(process.pid, "SIGTSTP");
    };
    const resume = () => {
      if (editor !== edited) return;
      process.stdin.setRawMode(true);
      edited.prompt(true);
    };
    edited.on("close", () => {
      process.stdin.off("keypress", onKey);
      process.stdout.off("resize", onResize);
      if (edited.line === "") clearLine(edited);
      else screen.write("\n");
      stopped = true;
      editor = out.edited = null;
      release();
      wake();
    });
    edited.prompt();
    try {
      for (;;) {
        for (let line = typed.shift(); line !== undefined; line = typed.shift()) yield line;
        if (stopped) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stop();
    }
  }

  async function* keys(): AsyncIterable<string> {
    while (out.busy) await out.flush(); // see `release`
    if (stopped || !Deno.stdin.isTerminal()) return; // it has been closed
    const pressed: string[] = [];
    let wake = () => {};
    const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
      if (key.ctrl && key.name === "c") {
        stop();
        onInterrupt();
      } else pressed.push(key.name ?? text ?? "");
      wake();
    };
    readline.emitKeypressEvents(process.stdin);
    process.stdin.on("keypress", onKey);
    process.stdin.setRawMode(true);
    process.stdin.resume();
    releaseKeys = () => {
      releaseKeys = () => {};
      process.stdin.off("keypress", onKey);
      release();
      wake();
    };
    try {
      for (;;) {
        for (let key = pressed.shift(); key !== undefined; key = pressed.shift()) yield key;
        if (stopped) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      releaseKeys();
    }
  }

  /**
   * Gives the terminal back once nothing is on its way to it: until then the system does not set its mode, and whoever asks
   * for that stands still, as long as nobody reads the terminal. Meanwhile Ctrl-C is a key.
   */
  function release(): void {
    const onKey = (_text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
      if (key.ctrl && key.name === "c") onInterrupt();
    };
    process.stdin.on("keypress", onKey);
    out.afterwards(() => {
      process.stdin.off("keypress", onKey);
      try {
        process.stdin.setRawMode(false);
      } catch { /* it has been closed */ }
      process.stdin.pause();
    });
  }

  function stop(): void {
    out.place();
    stopped = true;
    releaseKeys();
    const edited = editor;
    if (edited === null) return;
    editor = null;
    edited.write(null, { ctrl: true, name: "e" }); // the end of the line: what is printed next goes below it
    edited.close();
  }

  /** Clears all rows of the line, and leaves the cursor at the beginning of the first. */
  function clearLine(editor: Editor): void {
    readline.moveCursor(screen, 0, -editor.getCursorPos().rows);
    readline.cursorTo(screen, 0);
    readline.clearScreenDown(screen);
    editor.prevRows = 0;
  }

  return {
    lines,
    keys,
    stop,
    completeWith: (next) => (candidates = next),
  };
}

/**
 * Asks the person several questions, and shows nothing of the answers; null when there are no more answers (Ctrl-D).
 *
 * @param out standard error: what is made of the answers may go from standard output into a file
 * @throws {NetlabError} of kind `interrupted` at Ctrl-C
 */
export async function askSecrets(out: LineWriter, ...questions: string[]): Promise<string[] | null> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = readline.createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const answers: string[] = [];
  let interrupted = false;
  editor.on("SIGINT", () => {
    interrupted = true;
    editor.close();
  });
  const ask = () => out.text(questions[answers.length]);
  editor.on("SIGCONT", () => {
    process.stdin.setRawMode(true); // before the question, as nothing typed behind it is to be seen
    ask();
    editor.resume();
  });
  if (!CAN_SUSPEND) editor.on("SIGTSTP", () => {});
  await new Promise<void>((resolve) => {
    editor.on("close", resolve);
    editor.on("error", () => resolve()); // the terminal has been closed
    editor.on("line", (line) => {
      out.text("\n");
      answers.push(line);
      if (answers.length === questions.length) editor.close();
      else ask();
    });
    ask();
  });
  if (answers.length === questions.length) return answers;
  out.text("\n");
  if (interrupted) throw new NetlabError("interrupted", "interrupted");
  return null;
}
