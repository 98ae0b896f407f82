// The console of a program of netlab's own that nobody sits at: what it prints can be expected, and a check types.

import type { Console } from "../exercises/exercise.ts";
import { Inbox } from "./inbox.ts";

export class ScriptConsole implements Console {
  readonly interactive: boolean;
  /** What is printed, line by line. */
  readonly shown: Inbox;
  output = "";
  readonly #typed: string[] = [];
  #inputEnded = false;
  #wake: () => void = () => {};

  /**
   * @param fill replaces `$names` in what is expected
   * @param interactive whether the check sits at it as a person does, and the end of what is typed is the end
   */
  constructor(fill: (template: string) => string = (text) => text, interactive = false) {
    this.interactive = interactive;
    this.shown = new Inbox(fill);
  }

  type(line: string): void {
    this.#typed.push(line);
    this.#wake();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#wake();
  }

  stop(): void {
    this.#typed.length = 0;
    this.endInput();
  }

  async *lines(): AsyncIterable<string> {
    for (;;) {
      const line = this.#typed.shift();
      if (line !== undefined) yield line;
      else if (this.#inputEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next line that is typed, as at any console without a person. */
  async secret(): Promise<string | null> {
    for await (const line of this.lines()) return line;
    return null;
  }

  print(text: string | readonly string[]): void {
    const lines = typeof text === "string" ? text.split("\n") : text;
    this.output += lines.map((line) => line + "\n").join("");
    this.shown.push(lines);
  }

  note(text: string): void {
    this.print(text);
  }

  status(): void {}

  completeWith(): void {}
}
