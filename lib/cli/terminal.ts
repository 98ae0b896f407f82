// Line editing on a terminal, with history and completion, by node:readline. What arrives is printed above the line being
// typed, which is kept.

import process from "node:process";
import * as readline from "node:readline";

/** A terminal with one line being edited. */
export interface Terminal {
  lines(prompt: string): AsyncIterable<string>;
  stop(): void;
  /** Prints above the line being edited. */
  print(text: string): void;
  completeWith(candidates: (line: string) => readonly string[]): void;
}

/** @param onInterrupt called at Ctrl-C; the default is gone while a line is edited */
export function openTerminal(onInterrupt: () => void): Terminal {
  let editor: readline.Interface | null = null;
  let candidates: (line: string) => readonly string[] = () => [];
  let stopped = false;
  let close = () => {};

  async function* lines(prompt: string): AsyncIterable<string> {
    if (stopped) return;
    const typed: string[] = [];
    let wake = () => {};
    const edited = editor = readline.createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      prompt,
      historySize: 500,
      removeHistoryDuplicates: true,
      completer: (line: string) => [[...candidates(line)], line],
    });
    close = () => edited.close();
    edited.on("line", (line: string) => {
      typed.push(line);
      wake();
    });
    edited.on("SIGINT", () => {
      close();
      onInterrupt();
    });
    edited.on("close", () => {
      if (!stopped) process.stdout.write("\n");
      stopped = true;
      editor = null;
      wake();
    });
    edited.prompt();
    for (;;) {
      for (let line = typed.shift(); line !== undefined; line = typed.shift()) {
        yield line;
        if (!stopped) edited.prompt();
      }
      if (stopped) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  function print(text: string): void {
    if (editor === null) return void process.stdout.write(text + "\n");
    // The line may take several rows: clear from its first one, print, and draw it again below.
    const { rows } = editor.getCursorPos();
    if (rows > 0) readline.moveCursor(process.stdout, 0, -rows);
    readline.cursorTo(process.stdout, 0);
    readline.clearScreenDown(process.stdout);
    process.stdout.write(text + "\n");
    (editor as { prevRows?: number }).prevRows = 0;
    editor.prompt(true);
  }

  return {
    lines,
    print,
    stop() {
      if (editor !== null) {
        stopped = true;
        process.stdout.write("\n");
      }
      stopped = true;
      close();
    },
    completeWith: (next) => (candidates = next),
  };
}
