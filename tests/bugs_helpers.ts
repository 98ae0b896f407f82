// The grader is tested by mutation: each mistake that a server of netlab's can make costs points in a check that names its
// cause, and without a mistake nothing does, with any seed and on a busy machine.

import { assert, assertEquals } from "@std/assert";
import type { Bug } from "../lib/exercises/bug.ts";
import type { Exercise } from "../lib/exercises/exercise.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { findersOf, gradeBug } from "../lib/grade/bug_table.ts";
import { runGrading, type Subject } from "../lib/grade/grading.ts";
import type { Report } from "../lib/grade/report.ts";
import { test } from "./helpers.ts";

/** How often the right programs are graded, all at once: that is the busy machine. 20 take minutes; CI has 1. */
const RUNS = Number(Deno.env.get("NETLAB_TEST_RUNS") ?? 2);
/** Many gradings at once take long where other tests run beside them. */
const BUSY = { limitMs: 240_000 };
const FIRST_SEED = crypto.getRandomValues(new Uint32Array(1))[0];

function gradeOwn(exercise: Exercise, subject: Subject, seed: number): Promise<Report> {
  return runGrading({ exercise, subject, port: null, seed, timeoutMs: 20_000, limitMs: 120_000 });
}

/** What was not right, in lines. */
function complaints({ checks, seed }: Report): string[] {
  return checks.filter(({ outcome }) => outcome !== "passed").map(({ name, because, failure }) =>
    [`seed ${seed}: ${name}`, because, failure?.way, failure?.step, failure?.got].filter(Boolean).join(" · ")
  );
}

const DOCS = Deno.readTextFileSync(new URL("../docs/bugs.md", import.meta.url)).split("\n## ");

/** The row of a mistake in the table of the docs. */
function rowOf({ name }: Exercise, bug: Bug): string {
  const rows = DOCS.find((part) => part.startsWith(`${name}\n`))?.split("\n") ?? [];
  return rows.find((row) => row.startsWith(`| \`${bug.name}\` `)) ?? "";
}

/** Tests the grader and netlab's own programs with these exercises. */
export function testBugs(names: readonly string[]): void {
  for (const exercise of exercises.filter(({ name }) => names.includes(name))) {
    test(`each mistake of the ${exercise.name} server costs points in a check that names its cause`, async (t) => {
      const { bugs } = await exercise.grading();
      assert(bugs.length >= 5, `${bugs.length} mistakes`);
      assertEquals(new Set(bugs.map(({ name }) => name)).size, bugs.length);
      const runs = bugs.map((bug) => gradeBug(exercise, bug, FIRST_SEED));
      await Promise.allSettled(runs);
      for (const [i, bug] of bugs.entries()) {
        await t.step(bug.name, async () => {
          const report = await runs[i];
          const finders = findersOf(bug, report);
          assert(finders.length > 0, `no check names it; ${complaints(report).join("\n")}`);
          const documented = finders.filter((name) => rowOf(exercise, bug).includes(name));
          assert(documented.length > 0, `docs/bugs.md names none of ${finders.join(", ")}: run deno task bugs`);
        });
      }
    }, BUSY);

    for (const type of ["own server", "own client"] as const) {
      test(
        `netlab's ${exercise.name}: the ${type.slice(4)} has all points with any seed (tried: ${RUNS})`,
        async () => {
          const runs = Array.from({ length: RUNS }, (_, i) => gradeOwn(exercise, { type }, FIRST_SEED + i));
          const reports = await Promise.all(runs);
          assertEquals(reports.flatMap(complaints), []);
          for (const { points, maxPoints } of reports) assertEquals([points, maxPoints], [100, 100]);
        },
        BUSY,
      );
    }

    test(`every check of ${exercise.name} says what is usually wrong`, async () => {
      const { checks: ofServers, clientChecks } = await exercise.grading();
      const checks = [...ofServers, ...clientChecks];
      assertEquals(checks.filter(({ cause }) => !cause).map(({ name }) => name), []);
    });
  }
}
