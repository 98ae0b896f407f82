// `netlab connect EXERCISE [HOST[:PORT]]`: its client.

import { exercises, findExercise } from "../exercises/registry.ts";
import { NetlabError } from "../protocol/errors.ts";
import { takeAddress } from "./address.ts";
import type { Command } from "./command.ts";
import { connectOptions, openTrace, readTransport } from "./common_options.ts";
import { openConsole } from "./console.ts";
import { requireExercise } from "./serve.ts";

export const connect: Command = {
  name: "connect",
  summary: "run an exercise's client",
  usage: "EXERCISE [HOST[:PORT]] [options]",
  details: () =>
    "On a terminal: line editing with history, and completion by Tab. From a pipe: a script, a line each.\n" +
    "The address may also be written HOST PORT or [IPV6]:PORT; without one it is this machine.",
  options: (words) => connectOptions(findExercise(words[0] ?? "")),
  examples: (words) => (findExercise(words[0] ?? "") ?? exercises[0]).connectExamples,
  nextWords: (words) => words.length === 0 ? exercises.map((exercise) => exercise.name) : [],
  async run({ output, values, words }) {
    const exercise = requireExercise(words);
    const { address, rest } = takeAddress(words.slice(1));
    if (rest.length > 0 && !exercise.takesArguments) {
      throw new NetlabError("usage", `connect ${exercise.name} takes no "${rest[0]}" behind the address`);
    }
    const trace = openTrace(values, output, { log: false, json: false });
    let interrupt = (_error: NetlabError) => {};
    const interrupted = new Promise<never>((_, reject) => (interrupt = reject));
    const running = exercise.connect({
      host: address?.host ?? String(values.host),
      port: address?.port ?? Number(values.port),
      transport: readTransport(values, exercise),
      wire: String(values.wire),
      idleMs: values.idle === undefined ? undefined : Number(values.idle),
      trace,
      options: values,
      args: rest,
      console: await openConsole(output, {
        json: values.json === true,
        quiet: values.quiet === true,
        onInterrupt: () => interrupt(new NetlabError("interrupted", "interrupted")),
      }),
    });
    try {
      await Promise.race([running, interrupted]);
    } finally {
      trace.close();
    }
  },
};
