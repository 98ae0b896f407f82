// Which check finds which mistake, found out by grading netlab's own server with each of them: docs/bugs.md, and the test
// that the grader finds what it should.

import type { Bug } from "../exercises/bug.ts";
import type { Exercise, Transport } from "../exercises/exercise.ts";
import { runGrading } from "./grading.ts";
import type { Report } from "./report.ts";

/** Where a mistake shows: the first transport and wire of its exercise that it is made on. */
function wayOf({ clientWire, transports, wires }: Exercise, bug: Bug): { transport: Transport; wire: string } {
  const transport = transports.find((one) => bug.transports?.includes(one) ?? true) ?? transports[0];
  const fits = bug.wires === undefined || bug.wires.includes(clientWire.replace(/^len\d$/, "lenN"));
  const wire = fits ? clientWire : wires.find((one) => bug.wires!.includes(one)) ?? clientWire;
  return { transport, wire: wire === "lenN" ? "len4" : wire };
}

/** Grades netlab's own server with a mistake. */
export function gradeBug(exercise: Exercise, bug: Bug, seed: number): Promise<Report> {
  return runGrading({
    ...{ exercise, seed, ...wayOf(exercise, bug) },
    subject: { type: "own server", bug },
    port: null,
    timeoutMs: 2000,
    limitMs: 120_000,
  });
}

/** The checks that lost points and name the cause. */
export const findersOf = (bug: Bug, { checks }: Report): string[] =>
  checks.filter(({ failure, points, maxPoints }) => points < maxPoints && failure?.causes.includes(bug.cause))
    .map(({ name }) => name);

/** One exercise's part of the table, as Markdown. */
export function bugRows(bugs: readonly (readonly [Bug, readonly string[]])[]): string[] {
  return [
    "| `--bug` | what the server does | found by |",
    "| --- | --- | --- |",
    ...bugs.map(([{ name, summary }, finders]) => `| \`${name}\` | ${summary} | ${finders.join("<br>")} |`),
  ];
}
