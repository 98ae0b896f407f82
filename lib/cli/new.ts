// `netlab new EXERCISE --lang LANGUAGE DIR`: what a student begins with.

import type { Exercise } from "../exercises/exercise.ts";
import { describeSystemError } from "../net/errors.ts";
import { exercises } from "../exercises/registry.ts";
import { LANGUAGE_NAMES } from "../grade/starter/kit.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { requireExercise } from "./serve.ts";
import { stripAnsiCode } from "@std/fmt/colors";

/** How wide the wire format is in the comments, without what makes a comment of it. */
const COMMENT_WIDTH = 90;

export const starter: Command = {
  name: "new",
  summary: "write the skeleton of a server and a client",
  usage: "EXERCISE --lang LANGUAGE DIR",
  maxWords: 2,
  details:
    "Writes a server and a client that start and understand nothing yet, or one program where it is both ends, with the\n" +
    "wire format in comments, a Makefile, and how to grade them. There is no solution in it.",
  options: () => [
    {
      name: "lang",
      type: "string",
      value: "LANGUAGE",
      choices: LANGUAGE_NAMES,
      default: "python",
      summary: `what to write them in: ${LANGUAGE_NAMES.join(", ")}`,
    },
    COLOR_OPTION,
    HELP_OPTION,
  ],
  examples: () => [],
  nextWords: (words) => words.length === 0 ? exercises.map(({ name }) => name) : [],
  takesFile: (words) => words.length === 1,
  async run({ output, words, values }) {
    const exercise = requireExercise(words);
    const dir = words[1];
    if (!dir) {
      throw new NetlabError("usage", "no folder given", { hint: `netlab new ${exercise.name} DIR` });
    }
    const { starterKit } = await import("../grade/starter/mod.ts");
    const language = LANGUAGE_NAMES.find((name) => name === values.lang)!;
    const files = await starterKit(exercise, language, await wireOf(exercise));
    writeNew(dir, files);
    for (const name of Object.keys(files)) output.out.line(`${dir}/${name}`);
    const { shellWord } = await import("../grade/program.ts");
    // Windows has no make, and its shells no common way to write two commands in a line.
    const next = Deno.build.os === "windows"
      ? `${dir}/README.md says how to go on`
      : `cd ${shellWord(dir)} && make grade`;
    output.err.line(next);
  },
};

/** The wire format in lines, as `explain` shows it. */
async function wireOf(exercise: Exercise): Promise<string[]> {
  const { explainLines } = await import("./explain_page.ts");
  return (await explainLines(exercise, COMMENT_WIDTH)).map((line) => stripAnsiCode(line));
}

/** Writes files where none of their names is; no file of somebody's is touched. @throws {NetlabError} */
function writeNew(dir: string, files: Readonly<Record<string, string>>): void {
  try {
    Deno.mkdirSync(dir, { recursive: true });
    const there = new Set([...Deno.readDirSync(dir)].map(({ name }) => name));
    const taken = Object.keys(files).find((name) => there.has(name));
    if (taken !== undefined) {
      throw new NetlabError("usage", `${dir}/${taken} is there already`, { hint: "name another folder" });
    }
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${dir}/${name}`, text, { createNew: true });
    }
  } catch (cause) {
    if (cause instanceof NetlabError) throw cause;
    throw new NetlabError("harness", `cannot write ${dir}: ${describeSystemError(cause)}`, { cause });
  }
}
