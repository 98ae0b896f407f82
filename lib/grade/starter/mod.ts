// What a student begins with: a server and a client that start, call and listen, and understand nothing yet, or one program
// where it is both ends; the wire format as comments; how to build, run and grade. There is no solution in it.

import type { Check } from "../../exercises/check.ts";
import type { Exercise } from "../../exercises/exercise.ts";
import { cFiles } from "./c.ts";
import { makefile, readme } from "./guide.ts";
import { javaFiles } from "./java.ts";
import { capital, type Kit, type Language, type LanguageName, PYTHON } from "./kit.ts";
import { pythonFiles } from "./python.ts";
import { runTypescript, typescriptFiles } from "./typescript.ts";

export const LANGUAGES: Readonly<Record<LanguageName, Language>> = {
  python: { build: null, run: (program) => `${PYTHON} ${program}.py`, files: pythonFiles },
  typescript: { build: null, run: runTypescript, files: typescriptFiles },
  java: { build: "make", run: (program) => `java ${capital(program)}`, files: javaFiles },
  c: { build: "make", run: (program) => `./${program}`, files: cFiles },
};

/** The files of a starter kit by name. @param wire the wire format in lines */
export async function starterKit(
  exercise: Exercise,
  language: LanguageName,
  wire: readonly string[],
): Promise<Record<string, string>> {
  const { name, summary, port, transports: [transport], symmetric: both = false, wires } = exercise;
  const [{ dialogue }, { clientChecks }] = await Promise.all([exercise.explanation(), exercise.grading()]);
  const kit: Kit = {
    ...{ name, summary, transport, port, both, wire },
    program: both ? name : "server",
    typed: dialogue.some(({ typed }) => typed !== undefined),
    words: exercise.argumentsUsage === undefined ? "" : ` ${exercise.argumentsUsage.split(" | ").at(-1)}`,
    asked: askedIn(clientChecks),
    framing: wires.includes("lenN") ? exercise.clientWire : null,
    files: exercise.serveOptions.some(({ name }) => name === "dir"),
  };
  return {
    ...LANGUAGES[language].files(kit),
    Makefile: makefile(kit, LANGUAGES[language]),
    "README.md": readme(kit, LANGUAGES[language]),
  };
}

/** What the first of these checks asks of a client. */
function askedIn(checks: readonly Check[]): string {
  const start = checks.flatMap(({ steps }) => steps).find((step) => step.do === "start");
  return start?.words.join(" ").replace("$", "") ?? "";
}
