// `netlab list`: the exercises.

import { bold } from "@std/fmt/colors";
import type { Exercise } from "../exercises/exercise.ts";
import { exercises } from "../exercises/registry.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { wrapText } from "./wrap.ts";

export const list: Command = {
  name: "list",
  summary: "show the exercises",
  usage: "[--json]",
  maxWords: 0,
  options: () => [{ name: "json", type: "flag", summary: "as JSON, an object a line" }, COLOR_OPTION, HELP_OPTION],
  examples: () => [{
    command: "netlab list",
    output: exercises.flatMap((exercise) => lines(exercise, Infinity)),
  }],
  nextWords: () => [],
  run({ output, values }) {
    for (const exercise of exercises) {
      const { name, transports, port, summary } = exercise;
      if (values.json) output.out.line(JSON.stringify({ name, transports, port, summary }));
      else {lines(exercise, output.width).forEach((line, i) =>
          output.out.line(i === 0 ? line.replace(name, bold) : line)
        );}
    }
  },
};

function lines({ name, transports, port, summary }: Exercise, columns: number): string[] {
  const width = Math.max(...exercises.map((exercise) => exercise.name.length));
  const head = `${name.padEnd(width)}  ${transports.join("+").padEnd(7)}  ${String(port).padStart(5)}`;
  const beside = head.length + 2 + summary.length <= columns;
  return beside ? [`${head}  ${summary}`] : [head, ...wrapText(summary, columns - 2).map((line) => `  ${line}`)];
}
