// What the templates of all languages are made with.

import type { Transport } from "../../exercises/exercise.ts";

/** What programs may be written in. */
export const LANGUAGE_NAMES = ["python", "typescript", "java", "c"] as const;

export type LanguageName = typeof LANGUAGE_NAMES[number];

/** What Python is called where kits are written: Windows has no `python3`, or one that leads to a shop. */
export const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** What the templates are about. */
export interface Kit {
  readonly name: string;
  readonly summary: string;
  readonly transport: Transport;
  readonly port: number;
  /** What its server is called; where a program is both ends, it is named after the exercise. */
  readonly program: string;
  /** Whether that calls others itself: then there is no client. */
  readonly both: boolean;
  /** Whether somebody types at the server, too. */
  readonly typed: boolean;
  /** Something that netlab's client takes behind the address, and a space before it; empty where it takes nothing. */
  readonly words: string;
  /** What the first check asks of a client: `get poem.txt`; empty where it asks for nothing. */
  readonly asked: string;
  /** How netlab frames, where there is a choice. */
  readonly framing: string | null;
  /** Whether its programs read files, or write them. */
  readonly files: boolean;
  /** How a message looks on the wire, in lines of at most 90 characters, for a comment. */
  readonly wire: readonly string[];
}

/** What the other end of the server's connections is called. */
export const otherEnd = ({ both }: Kit): string => both ? "peer" : "client";

/** What the comment at the top of a program says of it. */
export const headLines = ({ name, both, wire }: Kit, side: string, usage: string): string[] => [
  `${both ? "Both ends" : `The ${side}`} of ${name}.`,
  "",
  `Usage: ${usage}`,
  "",
  ...wire,
];

/** What stands where the server has a whole message. @param send how it answers */
export const onMessage = ({ typed }: Kit, send: string): string =>
  typed ? "understand it, and show what it means." : `understand it, and answer with ${send}.`;

/** What stands where a line has been typed at the server. @param send how it is sent @param call how another is called */
export const onTyped = (kit: Kit, send: string, call: string): string =>
  kit.both ? `do what the line says: ${call} calls a peer, ${send} sends.` : `send it with ${send}.`;

/** A language: its files by name, and what is typed to run them. */
export interface Language {
  /** What builds it before it runs, where that is needed: `make`. */
  readonly build: string | null;
  /** The line that runs a program, without its arguments. @param files whether it reads files, or writes them */
  run(program: string, files: boolean): string;
  files(kit: Kit): Readonly<Record<string, string>>;
}

/** Java's classes begin with a capital. */
export const capital = (word: string): string => word[0].toUpperCase() + word.slice(1);
