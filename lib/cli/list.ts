// `netlab list`: the exercises.

import { bold } from "@std/fmt/colors";
import { exercises } from "../exercises/registry.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";

export const list: Command = {
  name: "list",
  summary: "show the exercises",
  usage: "[--json]",
  maxWords: 0,
  options: () => [{ name: "json", type: "flag", summary: "as JSON, an object a line" }, COLOR_OPTION, HELP_OPTION],
  examples: () => [{
    command: "netlab list",
    output: exercises.map((exercise) => line(exercise.name, exercise)),
  }],
  nextWords: () => [],
  run({ output, values }) {
    for (const exercise of exercises) {
      const { name, transports, port, summary } = exercise;
      if (values.json) output.out.line(JSON.stringify({ name, transports, port, summary }));
      else output.out.line(line(bold(name), exercise, bold(name).length - name.length));
    }
  },
};

type Row = { readonly transports: readonly string[]; readonly port: number; readonly summary: string };

function line(name: string, { transports, port, summary }: Row, invisible = 0): string {
  const width = Math.max(...exercises.map((exercise) => exercise.name.length));
  return `${name.padEnd(width + invisible)}  ${transports.join("+").padEnd(7)}  ${
    String(port).padStart(5)
  }  ${summary}`;
}
