// Writes docs/bugs.md: the mistakes that netlab's servers can make, and the checks that find them.
//
//     deno task bugs

import { exercises } from "../lib/exercises/registry.ts";
import { bugRows, findersOf, gradeBug } from "../lib/grade/bug_table.ts";

const lines = [
  "# Mistakes on purpose",
  "",
  "`netlab serve EXERCISE --bug NAME` makes a mistake that students make, as a debugging drill; `--list-bugs` shows them.",
  "They are also how the grader is tested: each has to cost points in a check that names its cause. This table is made by",
  "`deno task bugs`, and a test compares it with what the checks find.",
];
for (const exercise of exercises) {
  const { bugs } = await exercise.grading();
  const reports = await Promise.all(bugs.map((bug) => gradeBug(exercise, bug, 1)));
  const found = bugs.map((bug, i) => [bug, findersOf(bug, reports[i])] as const);
  lines.push("", `## ${exercise.name}`, "", ...bugRows(found));
  console.log(`${exercise.name}: ${found.map(([{ name }, finders]) => `${name} ${finders.length}`).join(", ")}`);
}
await Deno.writeTextFile(new URL("../docs/bugs.md", import.meta.url), lines.join("\n") + "\n");
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", "docs/bugs.md"] }).output();
Deno.exit(0);
