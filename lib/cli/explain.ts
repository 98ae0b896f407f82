// `netlab explain EXERCISE`: its wire format and a sample dialogue, from the tables and functions that the code itself uses.

import { exercises } from "../exercises/registry.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { requireExercise } from "./serve.ts";

export const explain: Command = {
  name: "explain",
  summary: "show an exercise's wire format and a sample dialogue",
  usage: "EXERCISE",
  maxWords: 1,
  options: () => [COLOR_OPTION, HELP_OPTION],
  examples: () => [],
  nextWords: (words) => words.length === 0 ? exercises.map((exercise) => exercise.name) : [],
  async run({ output, words }) {
    const { explainLines } = await import("./explain_page.ts");
    (await explainLines(requireExercise(words), output.width)).forEach(output.out.line);
  },
};
