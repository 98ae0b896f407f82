// Problem 6: one operator, and many clients who write to it.
//
//     On the wire: text, in both directions, at any time.
//     What the operator types: @label text · @all text · list · label <old> <new> · kick <label>

import type { CommandForm } from "../commands.ts";
import { splitWord } from "../commands.ts";

/** Who stands for everybody. */
export const ALL = "all";

/** What is typed, a message to somebody apart. */
export const FORMS: readonly CommandForm[] = [
  { word: "list", form: "list", meaning: "show who is connected" },
  { word: "label", form: "label <old> <new>", meaning: "give a client another label" },
  { word: "kick", form: "kick <label>", meaning: "send a client away" },
  { word: "help", form: "help", meaning: "show these commands" },
  { word: "exit", form: "exit", meaning: "end the server" },
];

/** Messages, as forms for help. */
export const MESSAGE_FORMS: readonly CommandForm[] = [
  { word: "@", form: "@label <message>", meaning: "send it to that client" },
  { word: `@${ALL}`, form: `@${ALL} <message>`, meaning: "send it to every client" },
];

/** `@label text`, taken apart; null when the line is no message. */
export function parseMessage(line: string): { to: string; text: string } | null {
  if (!line.startsWith("@")) return null;
  const [word, text] = splitWord(line);
  return { to: word.slice(1).replace(/[:,]$/, ""), text };
}
