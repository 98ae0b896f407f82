// The second assignment: a program that is both ends, with one connection at a time.
//
//     On the wire: text, in both directions, at any time. A second caller gets ERROR busy, and the end.

import type { CommandForm } from "../commands.ts";

/** What a second caller is told. */
export const BUSY = "busy";

/** What is typed. */
export const FORMS: readonly CommandForm[] = [
  { word: "connect", form: "connect <host> <port>", meaning: "call another peer" },
  { word: "send", form: "send <message>", meaning: "send it to the other" },
  { word: "disconnect", form: "disconnect", meaning: "hang up" },
  { word: "help", form: "help", meaning: "show these commands" },
  { word: "exit", form: "exit", meaning: "hang up and leave" },
];
