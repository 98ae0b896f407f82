// The same grading several times, and several subjects in one line.

import { assertEquals, assertThrows } from "@std/assert";
import { type Check, connect, expect, send } from "../lib/exercises/check.ts";
import type { Exercise } from "../lib/exercises/exercise.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { runRepeatedly } from "../lib/grade/repeat.ts";
import type { GradedCheck } from "../lib/grade/report.ts";
import { parseSubjects } from "../lib/grade/subjects.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { test } from "./helpers.ts";

const calc = findExercise("calc")!;
const ask: Check["steps"] = [
  ...connect("alice"),
  send("alice", "7 * 6"),
  expect("alice", { what: "42", matches: (text) => text === "42" }),
];
const first: Check = { name: "first", points: 10, steps: ask };
const second: Check = { name: "second", points: 10, steps: ask, needs: ["first"] };
const twoChecks: Exercise = { ...calc, grading: async () => ({ ...await calc.grading(), checks: [first, second] }) };

/**
 * Grades two checks so often, whole and byte by byte, with a server that answers all callers but some, counted from 1. Also
 * how many had called when the first result was told.
 */
async function gradeTimes(times: number, ...hangsUpOn: number[]) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let callers = 0;
  const serve = async (conn: Deno.TcpConn, hangsUp: boolean) => {
    const bytes = new Uint8Array(100);
    for (let said = ""; !said.includes("\n");) {
      const count = hangsUp ? null : await conn.read(bytes);
      if (count === null) return conn.close();
      said += new TextDecoder().decode(bytes.subarray(0, count));
    }
    await conn.write(new TextEncoder().encode("42\n"));
    while (await conn.read(bytes).catch(() => null) !== null);
    conn.close();
  };
  const serving = (async () => {
    const all: Promise<void>[] = [];
    for await (const conn of listener) all.push(serve(conn, hangsUpOn.includes(++callers)));
    await Promise.all(all);
  })();
  const told: GradedCheck[] = [];
  let calledBefore = 0;
  try {
    const report = await runRepeatedly({
      exercise: twoChecks,
      subject: { type: "address", host: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port },
      ...{ port: null, wire: "line", ways: ["bytes"], seed: 5, timeoutMs: 10_000, limitMs: 60_000 },
      again: ({ name }, way, seed) => `${name}, ${way}, ${seed}`,
      onResult: (one) => {
        if (told.push(one) === 1) calledBefore = callers;
      },
    }, times);
    assertEquals(told, report.checks);
    return { ...report, calledBefore };
  } finally {
    listener.close();
    await serving;
  }
}

test("of several runs each check counts as it did where it did worst, and what is unsteady is said to be", async () => {
  // A run that goes well has four callers.
  const { points, maxPoints, seed, checks, notes } = await gradeTimes(3, 6);
  assertEquals([points, maxPoints, seed], [10, 20, 5]);
  assertEquals(checks[0].failure?.again, "first, bytes, 6");
  assertEquals(
    checks.map(({ name, outcome, points }) => [name, outcome, points]),
    [
      ["first", "partly", 5],
      ["second", "partly", 5],
    ].map(([name, outcome, points]) => [name, outcome, points]),
  );
  assertEquals(notes, ['"first" passed in 2 of 3 runs', '"second" passed in 2 of 3 runs']);
});

test("what never passes is not unsteady, and what always does is not said", async () => {
  assertEquals((await gradeTimes(2, 1, 2)).notes, []);
  assertEquals((await gradeTimes(2)).notes, []);
  const once = await gradeTimes(1, 1);
  assertEquals([once.checks[0].outcome, once.notes], ["failed", []]);
  // Of a single run results are told as they come.
  assertEquals((await gradeTimes(1)).calledBefore, 2);
});

test("of two results that are worth the same the one that says why is kept", async () => {
  // First it fails as the check that it needs, and then by itself.
  const { checks: [, kept] } = await gradeTimes(2, 2, 7);
  assertEquals([kept.points, kept.failure?.way], [5, "a write a byte"]);
  const { checks: [, other] } = await gradeTimes(2, 4, 6);
  assertEquals([other.points, other.failure?.way], [5, "a write a byte"]);
});

test("several subjects stand in a line: addresses, and what is to be started", () => {
  const all = parseSubjects(
    "\nchat=127.0.0.1:5555; calc=run:cd src; python3 calc.py {port};\nchat=client: python3 c.py {host} {port}\ncalc=::1",
  );
  assertEquals(all.map(({ exercise, subject }) => [exercise.name, subject]), [
    ["chat", { type: "address", host: "127.0.0.1", port: 5555 }],
    ["calc", { type: "server", command: "cd src; python3 calc.py {port}" }],
    ["chat", { type: "client", command: "python3 c.py {host} {port}" }],
    ["calc", { type: "address", host: "::1", port: calc.port }],
  ]);
  for (const wrong of ["nothing=127.0.0.1", "chat", "chat="]) {
    assertEquals(
      assertThrows(() => parseSubjects(wrong), NetlabError).message,
      `not an exercise and what to grade: "${wrong}"`,
    );
  }
});
