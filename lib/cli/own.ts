// `netlab EXERCISE COMMAND …`: what an exercise can do besides its server and its client.

import type { Exercise, OwnCommand } from "../exercises/exercise.ts";
import { exercises } from "../exercises/registry.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { openConsole } from "./console.ts";
import { didYouMean } from "./suggest.ts";

/** A command for each exercise that has commands of its own. */
export const ownCommands: readonly Command[] = exercises.flatMap((exercise) =>
  exercise.commands === undefined ? [] : [commandOf(exercise, exercise.commands)]
);

/** `passwd NAME` */
export function ownUsage({ name, words }: OwnCommand): string {
  return [name, ...words].join(" ");
}

function commandOf({ name }: Exercise, own: readonly OwnCommand[]): Command {
  return {
    name,
    summary: own.map(({ name, summary }) => `${name} ${summary}`).join("; "),
    usage: own.map(ownUsage).join(` | netlab ${name} `),
    details: own.map(({ details }) => details).join("\n\n"),
    options: () => [COLOR_OPTION, HELP_OPTION],
    examples: () => [],
    nextWords: (words) => words.length === 0 ? own.map(({ name }) => name) : [],
    async run({ output, words: [first, ...rest] }) {
      const command = own.find((one) => one.name === first);
      const names = own.map((one) => one.name);
      if (command === undefined) {
        const what = first === undefined ? `${name} needs a command` : `${name} has no command ${first}`;
        throw new NetlabError("usage", `${what}${didYouMean(first ?? "", names)}`, {
          hint: `netlab ${name} ${names.join("|")}; or netlab serve ${name}, netlab connect ${name}`,
        });
      }
      if (rest.length !== command.words.length) {
        throw new NetlabError("usage", `${name} ${first} takes ${command.words.join(" ")}`, {
          hint: `netlab ${name} ${ownUsage(command)}`,
        });
      }
      const onBadInput = (error: Error) => {
        throw error;
      };
      await command.run(rest, openConsole(output, { json: false, quiet: false, onInterrupt() {}, onBadInput }));
    },
  };
}
