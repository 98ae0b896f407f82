// Every example in help is run, and prints what help says.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { commands } from "../lib/cli/commands.ts";
import type { Example, Exercise } from "../lib/exercises/exercise.ts";
import { exercises, findExercise } from "../lib/exercises/registry.ts";
import { serveContext, serving, temporaryFolder } from "./chat_helpers.ts";
import { type Environment, Program, runProgram } from "./cli_helpers.ts";
import { test } from "./helpers.ts";

/** The examples of all commands, alone and with each exercise, each once; with the exercise that they need a server of. */
function allExamples(): Map<string, { example: Example; exercise: Exercise }> {
  const found = new Map<string, { example: Example; exercise: Exercise }>();
  for (const command of commands) {
    for (const exercise of exercises) {
      for (const example of [...command.examples([]), ...command.examples([exercise.name])]) {
        const named = findExercise(example.command.split(" ")[2] ?? "") ?? exercise;
        found.set(example.command, { example, exercise: named });
      }
    }
  }
  return found;
}

/** That `shown` is what help says; PORT stands for any. */
function assertShown(shown: string[], expected: readonly string[]): void {
  assertEquals(shown.length, expected.length, shown.join("\n"));
  expected.forEach((line, i) => {
    if (!line.includes("PORT")) return assertEquals(shown[i], line);
    const [before, after] = line.split("PORT");
    assert(shown[i].startsWith(before) && shown[i].endsWith(after), shown[i]);
    assertMatch(shown[i].slice(before.length, shown[i].length - after.length), /^\d+$/);
  });
}

/** A command line as words, some of them in quotes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

/** A server prints its first lines and goes on. */
async function runServer(line: readonly string[], output: readonly string[], env: Environment): Promise<void> {
  await using server = new Program(line, { env, cwd: temporaryFolder() }); // where it may keep what it takes
  const shown: string[] = [];
  while (shown.length < output.length) shown.push(await server.out.line());
  assertShown(shown, output);
  server.signal("SIGTERM");
  const { status } = await server.result();
  if (Deno.build.os !== "windows") assertEquals(status, 0); // there it is killed
}

async function runClient(line: readonly string[], { input = [], output }: Example, exercise: Exercise): Promise<void> {
  const server = exercise.serve(serveContext({ ...exercise, explain: await exercise.explanation() }));
  await serving(server, async (port) => {
    const env = { NETLAB_PORT: String(port) };
    const text = input.map((line) => `${line}\n`).join("");
    const { status, out } = await runProgram(line, { env, input: text });
    assertEquals(status, output.some((line) => line.startsWith("ERROR")) ? 1 : 0);
    assertShown(out.trimEnd().split("\n"), output);
  });
}

for (const [command, { example, exercise }] of allExamples()) {
  test(`the example in help prints what help says: ${command}`, async () => {
    assert(command.startsWith("netlab "), command);
    const line = wordsOf(command.slice("netlab ".length));
    if (line[0] === "serve") await runServer(line, example.output, { NETLAB_PORT: "0" });
    else await runClient(line, example, exercise);
  });
}

test("list, serve, connect and --version have examples", () => {
  const shown = [...allExamples().keys()].map((command) => command.split(" ")[1]);
  for (const command of ["list", "serve", "connect", "--version"]) assert(shown.includes(command), command);
});
