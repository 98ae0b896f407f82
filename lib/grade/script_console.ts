// The console of a program of netlab's own that nobody sits at: what it prints can be expected, and a check types.

import type { Console } from "../exercises/exercise.ts";
import { Inbox } from "./inbox.ts";
import { TypedLines } from "./typed_lines.ts";

export class ScriptConsole extends TypedLines implements Console {
  readonly interactive: boolean;
  /** What is printed, line by line. */
  readonly shown: Inbox;
  output = "";

  /**
   * @param fill replaces `$names` in what is expected
   * @param interactive whether the check sits at it as a person does, and the end of what is typed is the end
   */
  constructor(fill: (template: string) => string = (text) => text, interactive = false) {
    super();
    this.interactive = interactive;
    this.shown = new Inbox(fill);
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
