// The grader is tested by mutation: each mistake that a server of netlab's can make costs points in a check that names its
// cause, and without a mistake nothing does, with any seed and on a busy machine.

import { assert, assertEquals } from "@std/assert";
import type { Bug } from "../lib/exercises/bug.ts";
import type { Exercise, Transport } from "../lib/exercises/exercise.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { runGrading, type Subject } from "../lib/grade/grading.ts";
import type { Report } from "../lib/grade/report.ts";
import { test } from "./helpers.ts";

/** How often the right programs are graded, all at once: that is the busy machine. */
const RUNS = 20;
const FIRST_SEED = crypto.getRandomValues(new Uint32Array(1))[0];

function gradeOwn(
  exercise: Exercise,
  subject: Subject,
  seed: number,
  timeoutMs: number,
  way: { transport?: Transport; wire?: string } = {},
): Promise<Report> {
  return runGrading({ exercise, subject, port: null, seed, timeoutMs, limitMs: 120_000, ...way });
}

/** Where a mistake shows. */
function wayOf({ clientWire, transports, wires }: Exercise, bug: Bug): { transport: Transport; wire: string } {
  const transport = transports.find((one) => bug.transports?.includes(one) ?? true)!;
  const fits = bug.wires === undefined || bug.wires.includes(clientWire.replace(/^len\d$/, "lenN"));
  const wire = fits ? clientWire : wires.find((one) => bug.wires!.includes(one))!;
  return { transport, wire: wire === "lenN" ? "len4" : wire };
}

/** What was not right, in lines. */
function complaints({ checks, seed }: Report): string[] {
  return checks.filter(({ outcome }) => outcome !== "passed").map(({ name, because, failure }) =>
    [`seed ${seed}: ${name}`, because, failure?.way, failure?.step, failure?.got].filter(Boolean).join(" · ")
  );
}

for (const exercise of exercises) {
  test(`each mistake of the ${exercise.name} server costs points in a check that names its cause`, async (t) => {
    const { bugs } = exercise;
    assert(bugs && bugs.length >= 5, `${bugs?.length ?? 0} mistakes`);
    assertEquals(new Set(bugs.map(({ name }) => name)).size, bugs.length);
    const runs = bugs.map((bug) =>
      gradeOwn(exercise, { type: "own server", bug }, FIRST_SEED, 2000, wayOf(exercise, bug))
    );
    await Promise.allSettled(runs);
    for (const [i, bug] of bugs.entries()) {
      await t.step(bug.name, async () => {
        const report = await runs[i];
        const named = report.checks.filter(({ failure }) => failure?.causes.includes(bug.cause));
        assert(named.length > 0, `no check names it; ${complaints(report).join("\n")}`);
        assert(named.every(({ points, maxPoints }) => points < maxPoints));
      });
    }
  });

  for (const type of ["own server", "own client"] as const) {
    test(`netlab's ${exercise.name}: the ${type.slice(4)} has all points, ${RUNS} times with different seeds`, async () => {
      const runs = Array.from({ length: RUNS }, (_, i) => gradeOwn(exercise, { type }, FIRST_SEED + i, 20_000));
      const reports = await Promise.all(runs);
      assertEquals(reports.flatMap(complaints), []);
      for (const { points, maxPoints } of reports) assertEquals([points, maxPoints], [100, 100]);
    });
  }

  test(`every check of ${exercise.name} says what is usually wrong`, () => {
    const checks = [...exercise.checks, ...exercise.clientChecks ?? []];
    assertEquals(checks.filter(({ cause }) => !cause).map(({ name }) => name), []);
  });
}
