// Programs of good students, in Python, have all points: those that are both ends, at their keyboard and called, and those that
// send and receive files. They were written after `netlab explain`, so that the checks ask for nothing that it does not say.

import { assertEquals } from "@std/assert";
import type { Transport } from "../lib/exercises/exercise.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { runGrading, type Subject } from "../lib/grade/grading.ts";
import { skipUnless, test } from "./helpers.ts";

const PYTHON = skipUnless("python3");
const SEED = crypto.getRandomValues(new Uint32Array(1))[0];

const run = (line: string): Subject => ({ type: "server", command: `python3 tests/peers/${line}` });
const start = (line: string): Subject => ({ type: "client", command: `python3 tests/peers/${line}` });

const PROGRAMS: readonly (readonly [exercise: string, transport: Transport, subject: Subject])[] = [
  ["peer", "tcp", run("peer_program.py {port}")],
  ["peer", "tcp", start("peer_program.py {port}")],
  ["mesh", "tcp", run("mesh_program.py {port}")],
  ["mesh", "tcp", start("mesh_program.py {port}")],
  ...(["tcp", "udp"] as const).flatMap((transport) =>
    [
      ["transfer", transport, run(`transfer_pdu_receiver.py ${transport} {port} {dir}`)],
      ["transfer", transport, start(`transfer_pdu_sender.py ${transport} {port} {dir}/{args} {args}`)],
    ] as const
  ),
];

for (const [name, transport, subject] of PROGRAMS) {
  test(`a good student's ${name} over ${transport} has all points as a ${subject.type}`, async () => {
    const report = await runGrading({
      ...{ exercise: findExercise(name)!, subject, transport, port: null, seed: SEED },
      timeoutMs: 10_000,
      limitMs: 120_000,
    });
    const lost = report.checks.filter(({ outcome }) => outcome !== "passed");
    assertEquals(lost.map(({ name, because, failure }) => ({ name, because, ...failure })), [], `seed ${SEED}`);
    assertEquals([report.points, report.maxPoints], [100, 100]);
  }, PYTHON);
}
