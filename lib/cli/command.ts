// What a command is. The table of them, in commands.ts, is what dispatch, help and completion read.

import type { Example } from "../exercises/exercise.ts";
import type { OptionSpec, OptionValues } from "../exercises/options.ts";
import type { Output } from "./output.ts";

/** What a command gets to work with. */
export interface CommandContext {
  /** All commands, for those that are about commands. */
  readonly commands: readonly Command[];
  readonly output: Output;
  /** The words behind the command that are no options. */
  readonly words: readonly string[];
  readonly values: OptionValues;
}

/** A command of netlab. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What stands behind its name: `EXERCISE [options]`. */
  readonly usage: string;
  /** How many words, options apart, may follow its name. @default {Infinity} */
  readonly maxWords?: number;
  /** What to write in place of words that are too many; null where nobody knows. */
  insteadOf?(words: readonly string[]): string | null;
  /** Whether it starts programs that it is told. */
  readonly startsPrograms?: boolean;
  /** Paragraphs for `help`. */
  readonly details?: string;
  /** @param words as typed so far: help and options may depend on the exercise */
  options(words: readonly string[]): readonly OptionSpec[];
  /** Why an option is none behind these words, where there is more to say than that. */
  whyNoOption?(words: readonly string[], option: string): string | null;
  examples(words: readonly string[]): readonly Example[];
  /** What may stand as the next word, for completion. */
  nextWords(words: readonly string[], commands: readonly Command[]): readonly string[];
  /** Whether the next word may be a file of this machine. @default {false} */
  takesFile?(words: readonly string[]): boolean;
  /** Returns the exit status, or nothing for success. @throws {NetlabError} */
  run(context: CommandContext): Promise<number | void> | number | void;
}

/** The command of that name. */
export function findCommand(commands: readonly Command[], name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}
