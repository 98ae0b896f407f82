// Help, rendered from the tables that parse.

import { bold, dim } from "@std/fmt/colors";
import type { Example } from "../exercises/exercise.ts";
import { exercises } from "../exercises/registry.ts";
import { formatDuration, formatSize, type OptionSpec } from "../exercises/options.ts";
import { NetlabError } from "../protocol/errors.ts";
import { type Command, findCommand } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { EXIT_MEANINGS } from "./exit.ts";
import { requireExercise } from "./serve.ts";
import { didYouMean } from "./suggest.ts";
import { wrapParagraphs, wrapTable, wrapText } from "./wrap.ts";

export const help: Command = {
  name: "help",
  summary: "show help for a command",
  usage: "[COMMAND [EXERCISE]]",
  maxWords: 2,
  options: () => [COLOR_OPTION, HELP_OPTION],
  examples: () => [],
  nextWords: (words, commands) => {
    if (words.length === 0) return commands.map(({ name }) => name).filter((name) => !name.startsWith("-"));
    return findCommand(commands, words[0])?.nextWords(words.slice(1), commands) ?? [];
  },
  run({ output, words, commands }) {
    const [name, ...rest] = words;
    if (name === undefined) return output.out.text(overview(commands, output.width));
    output.out.text(commandHelp(requireCommand(commands, name), rest, output.width));
  },
};

/** @throws {NetlabError} of kind `usage` */
export function requireCommand(commands: readonly Command[], name: string): Command {
  const command = findCommand(commands, name);
  if (command) return command;
  const words = commands.map((one) => one.name);
  const isExercise = exercises.some((exercise) => exercise.name === name);
  throw new NetlabError("usage", `no such command: ${name || '""'}${isExercise ? "" : didYouMean(name, words)}`, {
    hint: isExercise
      ? `an exercise needs a command: netlab serve ${name}, or netlab connect ${name}`
      : /^-v$/i.test(name)
      ? "netlab --version"
      : name.startsWith("-")
      ? "options stand behind the command: netlab COMMAND [options]"
      : "netlab help shows the commands",
  });
}

/** What `netlab` alone says: what this is, and the three commands a newcomer needs. */
export function greeting(columns: number): string {
  const first = exercises[0].name;
  return [
    ...wrapText("netlab: the networking lab in one file. A server and a client for every socket exercise.", columns),
    "",
    ...wrapTable([
      ["netlab list", "which exercises there are"],
      [`netlab serve ${first}`, "run the server of one"],
      [`netlab connect ${first}`, "talk to it (in a second terminal, or from another machine)"],
    ], columns),
    "",
    "More: netlab help",
    "",
  ].join("\n");
}

/** All commands, and what exit statuses mean. */
export function overview(commands: readonly Command[], columns: number): string {
  return [
    "netlab: the networking lab in one file.",
    "",
    bold("Usage"),
    "  netlab COMMAND [options]",
    "",
    bold("Commands"),
    ...wrapTable(commands.map(({ name, summary }) => [name, summary]), columns),
    "",
    ...wrapText("netlab help COMMAND [EXERCISE] says more.", columns),
    "",
    bold("Environment"),
    ...[
      "Each option has a variable: --max-clients is NETLAB_MAX_CLIENTS. Options win.",
      "NETLAB_DEBUG=1 adds where in the program an error arose.",
    ].flatMap((text) => wrapText(text, columns - 2).map((line) => `  ${line}`)),
    "",
    bold("Exit status"),
    ...wrapTable(EXIT_MEANINGS.map(([status, meaning]) => [String(status).padStart(3), meaning]), columns),
    "",
  ].join("\n");
}

/**
 * One command's page.
 *
 * @param words what follows it: an exercise adds its own options and examples
 * @param columns for all but examples, which may be wider
 * @throws {NetlabError} of kind `usage` when the exercise is none
 */
export function commandHelp(command: Command, words: readonly string[], columns: number): string {
  const takesExercise = command.usage.startsWith("EXERCISE");
  const exercise = takesExercise && words.length > 0 ? requireExercise(words) : null;
  const options = command.options(words);
  const examples = command.examples(words);
  const args = exercise?.argumentsUsage;
  const usage = exercise
    ? command.usage.replace("EXERCISE", exercise.name).replace(" [args]", args ? ` [${args}]` : "")
    : command.usage;
  return [
    ...wrapText(`netlab ${command.name}: ${command.summary}`, columns),
    "",
    bold("Usage"),
    `  netlab ${command.name} ${usage}`,
    ...(command.details ? ["", ...wrapParagraphs(command.details, columns)] : []),
    ...(takesExercise && !exercise
      ? ["", bold("Exercises"), ...wrapTable(exercises.map(({ name, summary }) => [name, summary]), columns)]
      : []),
    ...(examples.length > 0
      ? ["", bold(examples.length > 1 ? "Examples" : "Example"), ...examples.flatMap(exampleLines)]
      : []),
    "",
    bold("Options"),
    ...optionLines(options, columns),
    "",
  ].join("\n");
}

function exampleLines({ command, input, output }: Example): string[] {
  const typed = input ? `printf '%s\\n' ${input.map((line) => `'${line}'`).join(" ")} | ${command}` : command;
  return [`  $ ${typed}`, ...output.map((line) => `  ${line}`)];
}

function optionLines(options: readonly OptionSpec[], columns: number): string[] {
  const heads = options.map((spec) => {
    if (spec.type === "flag") return `--${spec.name}`;
    return spec.bare === undefined ? `--${spec.name} ${spec.value}` : `--${spec.name}[=${spec.value}]`;
  });
  const texts = options.map((spec) => {
    const fallback = formatDefault(spec);
    return `${spec.summary}${fallback && ` ${dim(`[${fallback}]`)}`}`;
  });
  return wrapTable(heads.map((head, i) => [head, texts[i]]), columns);
}

function formatDefault(spec: OptionSpec): string {
  if (spec.default === undefined) return "";
  if (spec.type === "duration" || spec.type === "milliseconds") return formatDuration(Number(spec.default));
  return spec.type === "size" ? formatSize(Number(spec.default)) : String(spec.default);
}
