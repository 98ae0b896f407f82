// All commands. Dispatch, help and completion read this table and nothing else.

import { exercises } from "../exercises/registry.ts";
import { optionsFor } from "../net/address.ts";
import { completions } from "./completions.ts";
import type { Command } from "./command.ts";
import { connect } from "./connect.ts";
import { explain } from "./explain.ts";
import { grade } from "./grade.ts";
import { help } from "./help.ts";
import { list } from "./list.ts";
import { starter } from "./new.ts";
import { ownCommands } from "./own.ts";
import { serve } from "./serve.ts";
import { version } from "./version.ts";

/** `netlab peer` for `netlab serve peer`: for programs that are both ends. */
const shortcuts = exercises.filter(({ symmetric }) => symmetric).map(({ name }): Command => ({
  ...serve,
  name,
  summary: `short for netlab serve ${name}`,
  usage: "[options]",
  maxWords: 0,
  insteadOf(words) {
    const options = optionsFor(words.join(" "));
    // Who says a host wants to call it.
    return options?.startsWith("--host")
      ? `netlab connect ${name} ${words.join(" ")}`
      : options && `netlab ${name} ${options}`;
  },
  options: () => serve.options([name]),
  whyNoOption: (_, option) => serve.whyNoOption?.([name], option) ?? null,
  examples: () => [],
  nextWords: () => [],
  run: (context) => serve.run({ ...context, words: [name] }),
}));

export const commands: readonly Command[] = [
  list,
  explain,
  serve,
  connect,
  ...shortcuts,
  grade,
  starter,
  ...ownCommands,
  completions,
  help,
  version,
];
