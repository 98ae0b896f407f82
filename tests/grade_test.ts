// Grades as `netlab grade` does, a test step a check. What, the environment says:
//
//     NETLAB_GRADE='chat=127.0.0.1:5555' deno test -P tests/grade_test.ts
//     NETLAB_GRADE='chat=run:python3 server.py {port}; calc=client:python3 client.py {host} {port}' …
//
// and NETLAB_WIRE, NETLAB_TRANSPORT, NETLAB_SEED and NETLAB_TIMEOUT (in ms) where they are not the usual ones. With nothing set
// it grades netlab's own servers and clients, in every framing: that is their conformance test.

import { assertEquals } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import { checkLines } from "../lib/cli/grade_report.ts";
import type { Exercise, Grading, Transport } from "../lib/exercises/exercise.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { chooseChecks, type GradingSettings, runGrading } from "../lib/grade/grading.ts";
import { formatPoints, type GradedCheck } from "../lib/grade/report.ts";
import { parseSubjects } from "../lib/grade/subjects.ts";
import { test } from "./helpers.ts";

/** Every way in which messages may be told apart; `udp` is one, too. */
const WIRES = ["len2", "len4", "line", "be8", "raw", "pdu", "seed", "udp"];

const given = Deno.env.get("NETLAB_GRADE");
const SETTINGS = {
  port: null,
  seed: Number(Deno.env.get("NETLAB_SEED") ?? 1),
  timeoutMs: Number(Deno.env.get("NETLAB_TIMEOUT") ?? (given ? 2000 : 20_000)),
  limitMs: 600_000,
};

/** Several gradings at once take most of a minute where other tests run beside them. */
const LIMIT_MS = 240_000;

type Changes = Omit<GradingSettings, keyof typeof SETTINGS>;

/** Grades, a step a check. Several gradings in one test go on at the same time. */
function testGradings(title: string, gradings: readonly (readonly [name: string, settings: Changes])[]): void {
  test(title, async (t) => {
    const running = await Promise.all(
      gradings.map(async ([name, settings]) => ({ name, ...await startGrading(settings) })),
    );
    for (const { name, checks, results, grading } of running) {
      await t.step(name, async (t) => {
        for (const { name, points } of checks) {
          await t.step(`${name} (${points} points)`, async () => assertPassed(await results.get(name)!.promise));
        }
        await grading;
      });
    }
  }, { limitMs: LIMIT_MS });
}

async function startGrading(settings: Changes) {
  const { subject, exercise } = settings;
  const kind = subject.type === "client" || subject.type === "own client" ? "client" : "server";
  const { checks } = chooseChecks(exercise, await exercise.grading(), kind, settings);
  const results = new Map(checks.map(({ name }) => [name, Promise.withResolvers<GradedCheck>()]));
  const grading = runGrading({ ...SETTINGS, ...settings, onResult: (one) => results.get(one.name)!.resolve(one) });
  // What goes wrong with the grading itself has to end the steps, too; it is reported where it is waited for.
  grading.catch((error) => results.forEach((result) => result.reject(error)));
  for (const { promise } of results.values()) promise.catch(() => {});
  return { checks, results, grading };
}

function assertPassed(result: GradedCheck): void {
  if (result.outcome === "passed") return;
  setColorEnabled(false);
  const points = `${formatPoints(result.points)} of ${formatPoints(result.maxPoints)} points`;
  throw new Error([points, ...checkLines(result, 100)].join("\n"));
}

const settingsOfWire = (wire: string): { transport: Transport; wire?: string } =>
  wire === "udp" ? { transport: "udp" } : { transport: "tcp", wire };

/** Whether an exercise has checks of that kind in that wire. */
function hasChecks(exercise: Exercise, loaded: Grading, kind: "server" | "client", wire: string): boolean {
  const { transports, wires } = exercise;
  const known = wire === "udp"
    ? transports.includes(wire)
    : transports.includes("tcp") && wires.includes(wire.replace(/^len\d$/, "lenN"));
  if (!known) return false;
  try {
    return chooseChecks(exercise, loaded, kind, settingsOfWire(wire)).checks.length > 0;
  } catch {
    return false;
  }
}

if (given) {
  for (const { exercise, subject } of parseSubjects(given)) {
    const name = "command" in subject ? subject.command : "host" in subject ? `${subject.host}:${subject.port}` : "";
    testGradings(exercise.name, [[name, {
      exercise,
      subject,
      wire: Deno.env.get("NETLAB_WIRE"),
      transport: Deno.env.get("NETLAB_TRANSPORT") as Transport | undefined,
    }]]);
  }
} else {
  for (const exercise of exercises) {
    const loaded = await exercise.grading();
    testGradings(
      `netlab's own ${exercise.name}`,
      (["server", "client"] as const).flatMap((kind) =>
        WIRES.filter((wire) => hasChecks(exercise, loaded, kind, wire)).map((wire): [string, Changes] => [
          `${kind}, ${wire}`,
          {
            ...{ exercise, subject: { type: `own ${kind}` }, ...settingsOfWire(wire) },
            // What is cut in other ways is the framing's, and framings have tests of their own.
            ways: wire === exercise.clientWire ? undefined : ["bytes"],
          },
        ])
      ),
    );

    test(`the checks of ${exercise.name} need only checks before them, have points and names of their own`, () => {
      for (const checks of [loaded.checks, loaded.clientChecks]) {
        const names = checks.map(({ name }) => name);
        assertEquals(new Set(names).size, names.length);
        for (const [index, { name, needs = [], points, steps }] of checks.entries()) {
          assertEquals([name, points > 0, steps.length > 0], [name, true, true]);
          const late = needs.filter((need) => !names.slice(0, index).includes(need));
          assertEquals(late, [], `${name} needs what does not come before it`);
        }
      }
    });
  }
}
