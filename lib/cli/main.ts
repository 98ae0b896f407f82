// From arguments to an exit status: finds the command, parses its options, runs it, and says what went wrong in one line.

import { bold, red } from "@std/fmt/colors";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText } from "../protocol/text.ts";
import { parseLine, positionalsOf } from "./args.ts";
import { findCommand } from "./command.ts";
import { commands } from "./commands.ts";
import { allOptions, COMPLETE, complete, FILES_TOO, mayBeFile, WORDS_ONLY } from "./completions.ts";
import { EXIT_OK, EXIT_STATUS } from "./exit.ts";
import { commandHelp, greeting, overview, requireCommand } from "./help.ts";
import { decideColor, type Output, outputFailure, systemOutput } from "./output.ts";

/** How long a server that has ended waits for who does not read what it says, in ms. */
const LAST_WORDS_MS = 1000;

type Env = (name: string) => string | undefined;

/** Runs netlab with `args` and returns its exit status. */
export async function run(
  args: readonly string[],
  given?: Output,
  env: Env = (name) => Deno.env.get(name),
): Promise<number> {
  const output = given ?? systemOutput();
  // Only grading starts programs of others: whoever breaks into a server or a client finds no shell. (In a process that
  // runs several command lines, as tests do, what one gives up the next may need.)
  if (given === undefined && !findCommand(commands, args[0] ?? "")?.startsPrograms) giveUpShell();
  decideColor(env("NETLAB_COLOR") ?? "auto", env);
  let status: number;
  try {
    status = await dispatch(args, output, env) ?? EXIT_OK;
  } catch (error) {
    status = report(error, output, env);
  }
  const patienceMs = output.out.gap === null ? Infinity : LAST_WORDS_MS;
  await output.out.flush(patienceMs);
  if (output.out.failure !== null) status = report(outputFailure(output.out.failure), output, env);
  await output.err.flush(patienceMs);
  return status;
}

function giveUpShell(): void {
  for (const command of ["sh", "cmd"]) Deno.permissions.revokeSync({ name: "run", command });
}

async function dispatch(args: readonly string[], output: Output, env: Env): Promise<number | void> {
  const [name, ...rest] = args;
  if (name === undefined) return output.out.text(greeting(output.width));
  if (name === "--help" || name === "-h") return output.out.text(overview(commands, output.width));
  if (name === COMPLETE) {
    const typed = rest[0] === "--" ? rest.slice(1) : rest;
    (await complete(typed, commands)).forEach(output.out.line);
    return mayBeFile(typed, commands) ? FILES_TOO : WORDS_ONLY;
  }
  const command = requireCommand(commands, name);
  // Which options there are depends on the exercise, the first word; it may stand behind options of its own.
  const known = rest[0]?.startsWith("-") ? positionalsOf(rest, allOptions(command)) : rest.slice(0, 1);
  const { positionals: words, values } = parseLine(
    rest,
    command.options(known),
    env,
    (option) => command.whyNoOption?.(known, option) ?? null,
  );
  decideColor(String(values.color), env);
  if (values.help) return output.out.text(commandHelp(command, words, output.width));
  const extra = words[command.maxWords ?? Infinity];
  if (extra !== undefined) {
    const hint = command.insteadOf?.(words) ?? `netlab ${name} ${command.usage}`;
    throw new NetlabError("usage", `${name} takes no "${extra}"`, { hint });
  }
  return await command.run({ commands, output, words, values });
}

/** Says what failed, why, and what to do; returns the exit status. */
function report(error: unknown, output: Output, env: Env): number {
  const known = error instanceof NetlabError;
  if (known && error.kind === "interrupted") return EXIT_STATUS.interrupted;
  const message = error instanceof Error ? error.message : String(error);
  const hint = known ? error.hint : "this is a fault of netlab, and NETLAB_DEBUG=1 shows where it arose";
  const line = [message, hint].filter(Boolean).join(": ").replaceAll("\n", " ");
  output.err.line(`${bold(red("netlab:"))} ${escapeText(line)}`);
  if (env("NETLAB_DEBUG") === "1" && error instanceof Error) {
    output.err.line(error.stack ?? message);
    if (error.cause instanceof Error) output.err.line(`caused by ${error.cause.stack}`);
  }
  return known ? EXIT_STATUS[error.kind] : EXIT_STATUS.harness;
}
