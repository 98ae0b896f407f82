// `netlab connect EXERCISE [HOST[:PORT]]`: its client.

import { exercises, findExercise } from "../exercises/registry.ts";
import { parseHost } from "../net/address.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Exercise } from "../exercises/exercise.ts";
import type { OptionValues } from "../exercises/options.ts";
import type { Command } from "./command.ts";
import { argumentsOf, readWords, requireHost } from "./connect_words.ts";
import { connectOptions, openTrace, readTransport, whyNoOption } from "./common_options.ts";
import { openConsole } from "./console.ts";
import type { Output } from "./output.ts";
import type { Plot } from "./plot_file.ts";
import { requireExercise, STOP_SIGNALS } from "./serve.ts";

export const connect: Command = {
  name: "connect",
  summary: "run an exercise's client",
  usage: "EXERCISE [HOST[:PORT]] [options] [args]",
  details:
    "On a terminal: line editing with history, and completion by Tab. From a pipe: a script in UTF-8, a line each;\n" +
    "if the server refuses any, the exit status is 1 in the end.\n" +
    "The address may also be written HOST PORT or [IPV6]:PORT; without one it is this machine.",
  options: (words) => connectOptions(findExercise(words[0] ?? "")),
  whyNoOption: (words, option) => whyNoOption(findExercise(words[0] ?? ""), option),
  examples: (words) => (findExercise(words[0] ?? "") ?? exercises[0]).connectExamples,
  nextWords([name, ...words]) {
    if (name === undefined) return exercises.map((exercise) => exercise.name);
    const verbs = [...argumentsOf(findExercise(name)).verbs.keys()];
    // An address may stand before them.
    return words.length < 3 && !words.some((word) => verbs.includes(word)) ? verbs : [];
  },
  takesFile: ([name]) => name !== undefined && argumentsOf(findExercise(name)).files,
  async run({ output, values, words }) {
    const exercise = requireExercise(words);
    const { address, rest } = readWords(exercise, words.slice(1));
    const tracing = openTrace(values, output, { log: false, json: false });
    using interruption = new Interruption();
    let badInput: NetlabError | null = null;
    await requireHost(exercise, { address, rest }, Number(values.port));
    const plot = values.plot === undefined
      ? null
      : await openPlot(String(values.plot), titleOf(exercise, rest, values), output);
    if (plot) tracing.bus.attach(plot.sink);
    const running = exercise.connect({
      host: address?.host ?? parseHost(String(values.host)),
      port: address?.port ?? Number(values.port),
      transport: readTransport(values, exercise),
      wire: String(values.wire),
      idleMs: values.idle === undefined ? undefined : Number(values.idle),
      trace: tracing.bus,
      options: values,
      args: rest,
      console: openConsole(output, {
        json: values.json === true,
        quiet: values.quiet === true,
        onInterrupt: interruption.begin,
        onBadInput: (error) => (badInput = error),
      }),
      onInterrupt: (leave) => interruption.onBegin(leave),
    });
    try {
      await Promise.race([running, interruption.over]);
    } catch (error) {
      // A script that ends too early may be why the rest went wrong.
      throw error instanceof NetlabError && error.kind === "interrupted" ? error : badInput ?? error;
    } finally {
      tracing.bus.close();
    }
    const failure = badInput ?? plot?.failure ?? tracing.failure;
    if (failure) throw failure;
  },
};

/** How long a client may take to say goodbye, in ms. */
const GOODBYE_MS = 500;

/** Ctrl-C, from the first time it is pressed until the client is to be ended: at once, unless it has a goodbye to say. */
class Interruption implements Disposable {
  /** Never resolves. */
  readonly over: Promise<never>;
  readonly #end: () => void;
  #leave: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    this.over = promise;
    this.#end = () => reject(new NetlabError("interrupted", "interrupted"));
  }

  /** Has `leave` called first. Signals are ours from now on: where nobody has a goodbye to say, the system ends us. */
  onBegin(leave: () => void): void {
    if (this.#leave === null) { for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, this.begin); }
    this.#leave = leave;
  }

  readonly begin = () => {
    if (this.#leave === null || this.#timer !== undefined) return this.#end();
    this.#timer = setTimeout(this.#end, GOODBYE_MS);
    this.#leave();
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#leave !== null) { for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, this.begin); }
  }
}

/** What was done, in the words of the command line. */
function titleOf(exercise: Exercise, words: readonly string[], values: OptionValues): string {
  const said = exercise.connectOptions.flatMap(({ name, default: usual }) =>
    name === "plot" || values[name] === undefined || values[name] === usual ? [] : [`--${name} ${values[name]}`]
  );
  return [exercise.name, ...words, ...said].join(" ");
}

/** What `--plot` asks for. @throws {NetlabError} when it cannot be written */
async function openPlot(where: string, title: string, output: Output): Promise<Plot> {
  const { plotInFile, plotInText } = await import("./plot_file.ts");
  return where === "terminal" ? plotInText(output) : plotInFile(where, `netlab ${title}`, output);
}
