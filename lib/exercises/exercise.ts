// What an exercise is to the rest of netlab. Everything that works on all of them (dispatch, help, completions, traces,
// grading, the common tests) knows only this.

import type { Limits } from "../net/limits.ts";
import type { Spoil } from "../net/server.ts";
import type { Address } from "../net/conn.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Framer } from "../protocol/framing.ts";
import type { Trace } from "../protocol/trace.ts";
import type { Bug } from "./bug.ts";
import type { Check } from "./check.ts";
import type { CommandForm } from "./commands.ts";
import type { OptionSpec, OptionValues } from "./options.ts";

export type Transport = "tcp" | "udp";

/** The person or script at this end. The command line gives a terminal, a pipe or JSON; tests give what they like. */
export interface Console {
  /** Whether a person is typing: then prompts and hints make sense, and end of input means that the person leaves. */
  readonly interactive: boolean;
  /**
   * What is typed or piped in, a line each; ends at end of input, or when `stop` is called.
   *
   * @param isSecret asked for each line that has been typed: what has a password in it does not stay in the history
   * @param hiddenFrom where in the line being typed something begins that nobody may see; Infinity where nothing does
   */
  lines(
    prompt?: string,
    isSecret?: (line: string) => boolean,
    hiddenFrom?: (line: string) => number,
  ): AsyncIterable<string>;
  /** Ends `lines`. */
  stop(): void;
  /** A result, of one or more lines, above the line being typed; `event` is its form under `--json`. Controls are escaped. */
  print(text: string | readonly string[], event?: Readonly<Record<string, unknown>>): void;
  /** What `--json` shows of what is said otherwise, such as a failure. */
  record?(event: Readonly<Record<string, unknown>>): void;
  /** A word to the person that is no result; silent under `--quiet`. */
  note(text: string): void;
  /**
   * What goes on right now, in place of what it said before; null for nothing. For a person at a terminal only.
   *
   * @param share how much of it is done, from 0 to 1
   */
  status(text: string | null, share?: number): void;
  /** Resolves when what was printed is out, where much waits for who reads it slowly; null, or absent, while there is room. */
  drained?(): Promise<void> | null;
  /** Bytes as they are, for results that are no text. Nothing is to be printed besides. */
  write?(bytes: Uint8Array): Promise<void>;
  /** Single keys by name (`space`, `left`, `q`), as they are pressed, until `stop`; absent where nobody can press any. */
  keys?(): AsyncIterable<string>;
  /**
   * Asks for what nobody may read while it is typed. Off a terminal it is the next line of what is piped in; null when there
   * is none.
   *
   * @param again on a terminal the question is put again in these words, until both answers are the same
   * @throws {NetlabError} of kind `interrupted` at Ctrl-C
   */
  secret(question: string, again?: string): Promise<string | null>;
  /** Sets what Tab offers: given the line up to the cursor, all lines that it could become. */
  completeWith(candidates: (line: string) => readonly string[]): void;
}

/** What a server gets to start with. */
export interface ServeContext {
  readonly host: string;
  readonly port: number;
  readonly transport: Transport;
  /** As `--wire` says: `auto` or the name of a framing. */
  readonly wire: string;
  readonly limits: Partial<Limits>;
  readonly trace: Trace;
  readonly options: OptionValues;
  readonly console: Console;
  /** Has the program end this server in good order, as Ctrl-C does. */
  stop(): void;
  /** Has the server make a mistake. */
  readonly spoil?: Spoil;
}

/** A server that runs. */
export interface RunningServer {
  readonly address: Address;
  /** Settles when it has ended, for whatever reason. */
  readonly finished: Promise<void>;
  /** Ends in good order, in `graceMs` at most. */
  shutdown(graceMs: number): Promise<void>;
  /** Ends now. */
  abort(): void;
}

/** What a client gets to start with. */
export interface ConnectContext {
  readonly host: string;
  readonly port: number;
  readonly transport: Transport;
  readonly wire: string;
  /** Silence of the server after which the client leaves, in ms. */
  readonly idleMs?: number;
  readonly trace: Trace;
  readonly options: OptionValues;
  /** What stood behind the address on the command line. */
  readonly args: readonly string[];
  readonly console: Console;
  /**
   * For a client that owes its server a goodbye: `leave` is called when the person has had enough, and what `connect`
   * returned should settle soon. Who does not ask for it is ended at once.
   */
  onInterrupt?(leave: () => void): void;
}

/** One line of a sample dialogue; its text is a real message of the codec (a test sends it). */
export interface DialogueLine {
  /** `C` is the client, `S` the server; a letter behind it tells several clients apart (`Ca`, `Cb`). */
  readonly who: string;
  readonly text: string;
  /** What the person at the server types to have it sent. */
  readonly typed?: string;
}

/** What `netlab explain` shows. */
export interface Explanation {
  /** The rules, in paragraphs and tables of plain text. */
  readonly wire: string;
  /** How each message looks: its form and what it means, generated from the table that parses. */
  readonly messages: readonly { readonly form: string; readonly meaning: string }[];
  /** What the person at a program with commands may type. */
  readonly typed?: readonly CommandForm[];
  readonly dialogue: readonly DialogueLine[];
  /** How a conversation is written down, where messages are no text. */
  makeNotation?(): Notation;
  /** Files that the dialogue expects in the server's `--dir`: names and contents. */
  readonly samples?: Readonly<Record<string, string>>;
}

/** Messages of one conversation in writing: what checks and dialogues say is text, and this makes bytes of it and back. */
export interface Notation {
  makeFramer(transport: Transport): Framer;
  readonly codec: Codec<string>;
}

/** An exercise: one folder, one line in `registry.ts`. */
export interface Exercise {
  /** As on the command line. */
  readonly name: string;
  /** One line for `netlab list`. */
  readonly summary: string;
  /** The default first. */
  readonly transports: readonly Transport[];
  readonly port: number;
  /** What `--wire` may say, the server's default first. Over UDP a datagram is a message, and it says nothing. */
  readonly wires: readonly string[];
  /** Which of them `auto` tells apart. */
  readonly detects: readonly string[];
  /** What the client frames with unless `--wire` says. */
  readonly clientWire: string;
  /** Whether `words` are what the client takes behind the address; absent where it takes none. */
  acceptsArguments?(words: readonly string[]): boolean;
  /** The options with which its client does what a check starts it with. */
  optionsFor?(words: readonly string[]): OptionValues;
  /** What is wrong with the words, an address perhaps before them; null when nothing is, or only the usage can be told. */
  argumentsProblem?(words: readonly string[]): string | null;
  /** How those words are called in help and completed: `get NAME… | list`. FILE is one of this machine, NAME one of the server's. */
  readonly argumentsUsage?: string;
  /** What its server bears, where that differs from the defaults. */
  readonly limits?: Partial<Limits>;
  /** Which options of all servers its server has no use for. */
  readonly unusedOptions?: readonly string[];
  /** True for a program that is both ends: `netlab NAME` is short for `netlab serve NAME`. */
  readonly symmetric?: boolean;
  readonly serveOptions: readonly OptionSpec[];
  readonly connectOptions: readonly OptionSpec[];
  /** Examples for help, with what they print. */
  readonly serveExamples: readonly Example[];
  readonly connectExamples: readonly Example[];
  /** What else it can do: `netlab smtp passwd NAME`. */
  readonly commands?: readonly OwnCommand[];
  /** Loads what only `explain`, grading and starter kits need. */
  explanation(): Promise<Explanation>;
  /** Loads what only grading and mistakes on purpose need. */
  grading(): Promise<Grading>;
  /** @throws {NetlabError} when it cannot start */
  serve(context: ServeContext): RunningServer | Promise<RunningServer>;
  /** Runs the client to its end. @throws {NetlabError} when it fails */
  connect(context: ConnectContext): Promise<void>;
}

/** What judges programs of an exercise. */
export interface Grading {
  /** Black-box checks of anybody's server, which use nothing but the wire. */
  readonly checks: readonly Check[];
  /** The same of anybody's client. */
  readonly clientChecks: readonly Check[];
  /** How a conversation is written down, where messages are no text. */
  makeNotation?(): Notation;
  /** Files that the checks expect in the server's `--dir`: names and contents. */
  readonly samples?: Readonly<Record<string, string>>;
  /** Files that the checks of a client have it send, where it is started. */
  readonly clientSamples?: Readonly<Record<string, string>>;
  /** A script that any two programs for this exercise can play together: only what is typed at clients and what they show. */
  readonly meeting?: Check;
  /** Mistakes that its own server can make on purpose. */
  readonly bugs: readonly Bug[];
}

/** A command of an exercise's own, besides its server and its client. */
export interface OwnCommand {
  /** As on the command line, behind the exercise's name. */
  readonly name: string;
  readonly summary: string;
  /** The words that it takes, as help calls them: all of them have to be there. */
  readonly words: readonly string[];
  /** Paragraphs for help. */
  readonly details: string;
  /** @throws {NetlabError} when it fails */
  run(words: readonly string[], console: Console): Promise<void>;
}

/** A command line and what it prints (a test runs it). */
export interface Example {
  /** What is typed; `<` feeds lines to its standard input. */
  readonly command: string;
  readonly input?: readonly string[];
  readonly output: readonly string[];
}
