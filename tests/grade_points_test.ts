// What a check is worth: played by the grader against servers in memory that hang up in some plays, so that nothing but what
// the grader decides is judged.

import { assert, assertEquals } from "@std/assert";
import { CAUSES } from "../lib/exercises/causes.ts";
import { type Check, connect, expect, send, type Step } from "../lib/exercises/check.ts";
import { spellingOf } from "../lib/exercises/notation.ts";
import { type Way, WAYS } from "../lib/grade/delivery.ts";
import { grade, type GradeOptions } from "../lib/grade/grader.ts";
import type { Report } from "../lib/grade/report.ts";
import type { ServerUnderTest } from "../lib/grade/server_under_test.ts";
import type { Conn } from "../lib/net/conn.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { test } from "./helpers.ts";

/** Answers each line with `ok`; but in some plays, counted from 1, it hangs up. */
class Server implements ServerUnderTest {
  readonly name = "a server";
  readonly notes = ["it is noted"];
  readonly output = "it printed this";
  death: string | null = null;
  /** What it was told, a text a play. */
  readonly heard: string[] = [];
  /** The plays before which it was had anew. */
  readonly renewed: number[] = [];
  readonly #fails: readonly number[];

  constructor(...fails: number[]) {
    this.#fails = fails;
  }

  begin(): void {
    this.heard.push("");
  }

  dial(): Promise<Conn> {
    const [theirs, ours] = memoryPair();
    if (this.#fails.includes(this.heard.length)) ours.close();
    else void this.#answer(ours);
    return Promise.resolve(theirs);
  }

  fresh(): Promise<void> {
    this.renewed.push(this.heard.length + 1);
    this.death = null;
    return Promise.resolve();
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  address(): Promise<never> {
    throw new Error("nobody else calls it");
  }

  async #answer(conn: Conn): Promise<void> {
    const play = this.heard.length - 1;
    const bytes = new Uint8Array(4096);
    for (let count; (count = await conn.read(bytes).catch(() => null)) !== null;) {
      const text = new TextDecoder().decode(bytes.subarray(0, count));
      this.heard[play] += text;
      for (const _ of text.matchAll(/\n/g)) await conn.write(new TextEncoder().encode("ok\n"));
    }
    conn.close();
  }
}

const ok = expect("alice", { what: "an answer", matches: (text) => text.trim() === "ok" });
/** What can be delivered in every way. */
const ASKS: readonly Step[] = [...connect("alice"), send("alice", "hi $alice"), send("alice", "hi"), ok];

const check = (name: string, more: Partial<Check> = {}): Check => ({ name, points: 12, steps: ASKS, ...more });

function gradeWith(server: ServerUnderTest, checks: readonly Check[], more: Partial<GradeOptions> = {}) {
  const { transport = "tcp", wire = "line" } = more;
  return grade({
    ...{ exercise: "none", target: { kind: "server", server }, checks, transport, wire, ways: WAYS, seed: 1 },
    ...{ spelling: spellingOf({}, transport, wire), timeoutMs: 10_000, startMs: 10_000, limitMs: 60_000 },
    again: () => "",
    ...more,
  });
}

const outcomes = ({ checks }: Report) =>
  checks.map(({ outcome, points, because }) => because === undefined ? [outcome, points] : [outcome, points, because]);

test("half of the points are for the plainest way, and the rest for the others, each as much", async () => {
  for (
    const [fails, outcome, points, played] of [
      [[], "passed", 12, 4],
      [[2], "partly", 10, 4],
      [[3, 4], "partly", 8, 4],
      [[2, 3, 4], "partly", 6, 4],
      [[1], "failed", 0, 1],
    ] as const
  ) {
    const report = await gradeWith(new Server(...fails), [check("it answers")]);
    assertEquals([outcomes(report), report.checks[0].ways.length], [[[outcome, points]], played]);
    assertEquals(
      report.checks[0].ways.map(({ passed }) => passed),
      Array.from({ length: played }, (_, i) => !(fails as readonly number[]).includes(i + 1)),
    );
  }
  const alone = await gradeWith(new Server(), [check("it answers")], { ways: [] });
  assertEquals(outcomes(alone), [["passed", 12]]);
});

test("a run has the points of its checks, and what there is to say of the server", async () => {
  const checks = [check("one"), check("two", { points: 5 }), check("three", { points: 3 })];
  const { points, maxPoints, target, kind, notes, checks: [first, , third] } = await gradeWith(
    new Server(1, 7),
    checks,
  );
  assertEquals([points, maxPoints], [5 + 2.5, 20]);
  assertEquals([target, kind, notes], ["a server", "server", ["it is noted"]]);
  assertEquals([first.failure?.output, first.failure?.way], ["it printed this", "a write a message"]);
  assertEquals(third.failure?.way, "a write a byte");
});

test("what needs a check that failed is not played, and in ways in which that one fails it fails as well", async () => {
  const [first, second, third] = [check("first"), check("second", { needs: ["first"] }), check("third")];
  const failed = await gradeWith(new Server(1), [first, second, third]);
  assertEquals(outcomes(failed), [["failed", 0], ["not run", 0, "it needs: first"], ["passed", 12]]);
  const chain = await gradeWith(new Server(1), [first, second, check("last", { needs: ["second"] })]);
  assertEquals(outcomes(chain).at(-1), ["not run", 0, "it needs: second"]);
  const server = new Server(2);
  const { checks: [, partly] } = await gradeWith(server, [first, second]);
  assertEquals([partly.outcome, partly.points, partly.failure], ["partly", 10, undefined]);
  assertEquals(partly.ways.map(({ passed, as }) => [passed, as]), [
    [true, undefined],
    [false, "first"],
    [true, undefined],
    [true, undefined],
  ]);
  assertEquals(server.heard.length, 7);
});

test("where a check that is only played for others does not pass, they say why", async () => {
  const [first, second] = [check("first"), check("second", { needs: ["first"] })];
  const last = check("last", { needs: ["second"] });
  const auxiliary = new Set([first, second]);
  const { checks: [{ failure }] } = await gradeWith(new Server(1), [first]);
  assertEquals(outcomes(await gradeWith(new Server(1), [first, second, last], { auxiliary })), [
    ["not run", 0, `it needs: first, which failed: ${failure!.got}`],
  ]);
});

test("who wants to stop at the first failure has the rest not run, and the rest of a check that is begun", async () => {
  for (const [fails, outcome] of [[1, ["failed", 0]], [3, ["partly", 10]]] as const) {
    const report = await gradeWith(new Server(fails), [check("one"), check("two")], { failFast: true });
    assertEquals(outcomes(report), [[...outcome], ["not run", 0, "stopped at the first failure"]]);
  }
  assertEquals(outcomes(await gradeWith(new Server(), [check("one"), check("two")], { failFast: true })), [
    ["passed", 12],
    ["passed", 12],
  ]);
});

test("a check in which time runs out has points for what was played, and says so", async () => {
  const now = performance.now;
  const server = new Server();
  server.settle = () => {
    performance.now = () => now.call(performance) + 60_000;
    return Promise.resolve();
  };
  try {
    const report = await gradeWith(server, [check("one"), check("two")]);
    assertEquals(outcomes(report), [["partly", 6, "out of time"], ["not run", 0, "out of time"]]);
  } finally {
    performance.now = now;
  }
});

test("a check is delivered in the ways that make sense for it", async () => {
  const waysOf = async (steps: readonly Step[], more: Partial<GradeOptions> = {}) => {
    const { checks: [{ outcome, ways }] } = await gradeWith(new Server(), [check("one", { steps })], more);
    assertEquals(outcome, "passed");
    return ways.map(({ way }) => /^(split|a write a byte|several|a write a message)/.exec(way)![0]).join(", ");
  };
  const [whole, all] = ["a write a message", "a write a message, a write a byte, split, several"];
  assertEquals(await waysOf(ASKS), all);
  assertEquals(await waysOf([...connect("alice"), send("alice", "hi"), ok]), `${whole}, a write a byte, split`);
  assertEquals(await waysOf([...connect("alice")]), whole);
  const bob = [...connect("alice", "bob"), send("bob", "hi"), send("alice", "hi"), ok];
  assertEquals(await waysOf(bob), `${whole}, a write a byte, split`);
  const long = (length: number) => waysOf([...connect("alice"), send("alice", "x".repeat(length)), ok]);
  assertEquals([await long(1000), await long(1001)], [`${whole}, a write a byte, split`, `${whole}, split`]);
  const flood: Step = { do: "flood", who: "alice", text: "hi", bytes: 3000 };
  assertEquals(await waysOf([...connect("alice"), flood, ...ASKS.slice(1)]), whole);
  assertEquals(await waysOf([...connect("alice"), send("alice", "hi\n"), ok], { wire: "raw" }), whole);
  // Datagrams are what they are.
  assertEquals(await waysOf(ASKS.slice(0, -1), { transport: "udp" }), whole);
  assertEquals(await waysOf(ASKS, { ways: ["whole", "joined"] satisfies Way[] }), `${whole}, several`);
});

test("a check is cut in the same places alone as among others, and every play has names of its own", async () => {
  const [one, two] = [check("one"), check("two")];
  const server = new Server();
  const { checks: [, among] } = await gradeWith(server, [one, two]);
  const { checks: [alone] } = await gradeWith(new Server(), [two]);
  assertEquals(alone.ways, among.ways);
  assertEquals(new Set(server.heard).size, 8);
  const names = Array.from({ length: 20 }, (_, i) => check(`check ${i}`));
  const gradings = [
    gradeWith(new Server(), names, { ways: ["split"] }),
    ...Array.from({ length: 20 }, (_, seed) => gradeWith(new Server(), [one], { seed, ways: ["split"] })),
  ];
  const [many, ...seeds] = (await Promise.all(gradings)).map(({ checks }) => checks.map(({ ways }) => ways[1].way));
  assert(new Set(many).size > 1 && new Set(seeds.flat()).size > 1, "all are cut in one place");
});

test("a server is had anew behind a play that failed, and where a check has to have it so", async () => {
  const renewed = async (server: Server, second: Partial<Check>, more: Partial<GradeOptions> = {}) => {
    await gradeWith(server, [check("one"), check("two", second)], { ways: ["bytes"], ...more });
    return server.renewed;
  };
  assertEquals(await renewed(new Server(), {}), []);
  assertEquals(await renewed(new Server(2), {}), [3]);
  assertEquals(await renewed(new Server(), { afresh: true }), [3, 4]);
  assertEquals(await renewed(new Server(), { afresh: "tcp" }), [3, 4]);
  assertEquals(await renewed(new Server(), { afresh: "udp" }), []);
  const first = new Server();
  await gradeWith(first, [check("one", { afresh: true })], { ways: [] });
  assertEquals(first.renewed, []);
});

test("a server that has ended has failed, unless it ended in good order behind all that was to come", async () => {
  const ended = async (death: string, fails: readonly number[] = [], steps = ASKS) => {
    const server = Object.assign(new Server(...fails), { death });
    const { checks: [{ failure }] } = await gradeWith(server, [check("one", { steps })], { ways: [], timeoutMs: 100 });
    return failure && [failure.step, ...failure.causes];
  };
  assertEquals(await ended("ended with status 0"), undefined);
  for (const how of ["ended with status 1", "was ended by SIGSEGV"]) {
    assertEquals(await ended(how), ["the server goes on running", `${CAUSES.ended} (it ${how})`]);
    assertEquals((await ended(how, [1]))?.[1], `${CAUSES.ended} (it ${how})`);
  }
  assertEquals((await ended("ended with status 0", [1]))?.[1], CAUSES.onlyOne);
  // What came was not right: that it ended then is no news.
  const other = [...ASKS.slice(0, -1), expect("alice", { what: "another", matches: () => false })];
  assertEquals(await ended("ended with status 0", [], other), ["alice gets another"]);
});
