// `netlab --version`: which netlab this is.

import config from "../../deno.json" with { type: "json" };
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";

export const VERSION: string = config.version;

export const version: Command = {
  name: "--version",
  summary: "say which netlab this is",
  usage: "[--verbose]",
  maxWords: 0,
  options: () => [{ name: "verbose", type: "flag", summary: "and what it stands on" }, COLOR_OPTION, HELP_OPTION],
  examples: () => [{ command: "netlab --version", output: [`netlab ${VERSION}`] }],
  nextWords: () => [],
  run({ output, values }) {
    output.out.line(`netlab ${VERSION}`);
    if (!values.verbose) return;
    output.out.line(`deno ${Deno.version.deno}, v8 ${Deno.version.v8}, typescript ${Deno.version.typescript}`);
    output.out.line(`${Deno.build.target}${Deno.build.standalone ? ", standalone" : ""}`);
  },
};
