// What the reports of the grader say of each sort of result, to the letter: at a terminal, and in plain lines that all other
// forms have in them.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import * as terminal from "../lib/cli/grade_report.ts";
import { type Failure, type GradedCheck, isPerfect, type Report } from "../lib/grade/report.ts";
import { checkLines, mainCauses, sentence, whyNot } from "../lib/grade/reports/text.ts";
import { render, runOf } from "./grade_reports_helpers.ts";
import { test } from "./helpers.ts";

const terminalLines = (check: GradedCheck) => terminal.checkLines(check, 80).map(stripAnsiCode);
const summaryLines = (report: Report) => terminal.summaryLines(report).map(stripAnsiCode);

const FAILURE: Failure = {
  way: "a write a byte",
  done: ["alice connects"],
  step: "alice gets the answer",
  kind: "other",
  expected: "a number",
  accepts: "it is near 12.5",
  got: 'it got "12,5"',
  bytes: "12,5\\n",
  difference: { expected: "12.5", got: "12,5", at: 2 },
  causes: ["it counts wrongly", "it is late"],
  ladder: ["alice ◀── 12,5 ──"],
  output: "computing\n",
  again: "netlab grade calc",
};
const [WHOLE, BYTES, SPLIT] = ["a write a message", "a write a byte", "split"];

const check = (outcome: GradedCheck["outcome"], more: Partial<GradedCheck> = {}): GradedCheck => ({
  ...{ name: "it divides", points: 7.5, maxPoints: 10, outcome, durationMs: 1, ways: [] },
  ...more,
});
const PARTLY = check("partly", {
  ways: [{ way: WHOLE, passed: true }, { way: BYTES, passed: false }, { way: SPLIT, passed: false, as: "it adds" }],
  failure: FAILURE,
});

/** How FAILURE went. */
const STEPS = [
  "✓ alice connects",
  "✗ alice gets the answer",
  "  taken as that: it is near 12.5",
  "  expected: a number",
  '  but it got "12,5"',
  '  on the wire: "12,5\\n"',
  "  right: 12.5",
  "  came:  12,5",
  "           ^ here they differ",
];

test("at a terminal a failure is told as it went: the ways, the steps, what came, why, and how to see it again", () => {
  assertEquals(terminalLines(PARTLY).map((line) => line.trimEnd()), [
    "◐  7.5/10  it divides",
    "           ✓ a write a message",
    "           ✗ a write a byte",
    '           ✗ split: as "it adds"',
    ...STEPS.map((line) => " ".repeat(11) + line),
    "",
    "           why? it counts wrongly",
    "",
    "           why? it is late",
    "",
    "           alice ◀── 12,5 ──",
    "",
    "           it printed:",
    "             computing",
    "",
    "           again: netlab grade calc",
    "",
  ]);
  assertEquals(terminalLines(check("passed", { points: 10 })), ["✓   10/10  it divides"]);
  assertEquals(terminalLines(check("not run", { points: 0, because: "out of time" })), [
    "–    0/10  it divides",
    "           not run: out of time",
  ]);
});

test("in plain lines a failure is told as well", () => {
  assertEquals(checkLines(PARTLY), [
    "✓ a write a message",
    "✗ a write a byte",
    '✗ split: as "it adds"',
    "",
    "a write a byte:",
    ...STEPS.map((line) => "  " + line),
    "",
    "why? it counts wrongly",
    "",
    "why? it is late",
    "",
    "alice ◀── 12,5 ──",
    "",
    "it printed:",
    "  computing",
    "",
    "again: netlab grade calc",
  ]);
  assertEquals(checkLines(check("not run", { because: "out of time" })), ["not run: out of time"]);
});

test("what a step says already is not said again, and what is not known not at all", () => {
  const bare: Failure = {
    ...{
      way: WHOLE,
      done: [],
      step: "alice gets a number",
      kind: "silence",
      expected: "a number",
      got: "it got nothing",
    },
    ...{ causes: [], ladder: [], output: " \n", again: "" },
  };
  const failed = check("failed", { points: 0, ways: [{ way: WHOLE, passed: false }], failure: bare });
  assertEquals(terminalLines(failed), [
    "✗    0/10  it divides",
    "           ✗ alice gets a number",
    "             but it got nothing",
    "",
  ]);
  assertEquals(checkLines(failed), ["a write a message:", "  ✗ alice gets a number", "    but it got nothing"]);
});

test("of long texts what is around the first difference is shown, and marked", () => {
  const difference = { expected: `${"x".repeat(50)}right`, got: `${"x".repeat(50)}wrong`, at: 50 };
  const lines = terminalLines(check("failed", { failure: { ...FAILURE, difference } })).join("\n");
  const indent = " ".repeat(13);
  assertStringIncludes(
    lines,
    `${indent}right: …${"x".repeat(40)}right\n${indent}came:  …${"x".repeat(40)}wrong\n${
      " ".repeat(13 + 7 + 41)
    }^ here they differ`,
  );
});

test("a run ends with its points, how many checks ended how, and what is to be noted", () => {
  const checks = [check("passed", { points: 10 }), check("passed", { points: 10 }), check("partly"), check("not run")];
  assertEquals(summaryLines(runOf(checks)), ["", "35 of 40 points  2 passed, 1 partly, 1 not run · seed 7"]);
  assertEquals([isPerfect(runOf(checks)), isPerfect(runOf(checks.slice(0, 2)))], [false, true]);
  assertEquals(
    summaryLines(runOf([...checks, PARTLY]))[0],
    "42.5 of 50 points  2 passed, 2 partly, 1 not run · seed 7",
  );
  assertEquals(summaryLines(runOf([], { notes: ["it is late\n"] })).slice(0, 2), ["note: it is late\\n", ""]);
});

test("why a check has not passed fits in a line", () => {
  const ways = (...as: (string | undefined)[]) => [
    { way: WHOLE, passed: true },
    ...as.map((as, i) => ({ way: [BYTES, SPLIT][i], passed: false, as })),
  ];
  assertEquals(whyNot(check("passed")), undefined);
  assertEquals(whyNot(PARTLY), 'alice gets the answer: it got "12,5"');
  assertEquals(whyNot(check("partly", { because: "out of time", ways: ways("it adds") })), "out of time");
  assertEquals(whyNot(check("partly", { ways: ways("it adds", "it adds") })), 'as "it adds": a write a byte, split');
  assertEquals(
    whyNot(check("partly", { ways: ways("it adds", "it halves") })),
    'a write a byte: as "it adds", split: as "it halves"',
  );
  assertEquals(whyNot(check("partly", { ways: ways(undefined) })), BYTES);
  assertEquals(whyNot(check("partly", { ways: ways() })), "partly");
});

test("where to start is the likeliest cause of each failure, once, in sentences", () => {
  const others = check("failed", { failure: { ...FAILURE, causes: ["it is late", "it counts wrongly"] } });
  const unknown = check("failed", { failure: { ...FAILURE, causes: [] } });
  assertEquals(mainCauses(runOf([PARTLY, others, unknown, PARTLY])), [
    { cause: "it counts wrongly", checks: [PARTLY, PARTLY] },
    { cause: "it is late", checks: [others] },
  ]);
  assertEquals(["it is", " is it? ", "so!", "…"].map(sentence), ["It is.", "Is it?", "So!", "…"]);
});

test("the page has a bar of the points of what passed and of what passed in part, and folds early steps", async () => {
  const done = (count: number) =>
    check("failed", {
      points: 0,
      failure: { ...FAILURE, done: Array.from({ length: count }, (_, i) => `did ${i + 1}`) },
    });
  const html = await render("html", runOf([check("passed", { points: 10 }), check("partly"), done(12), done(13)]));
  assertStringIncludes(
    html,
    '<i class="passed" style="width:25.00%"></i><i class="partly" style="width:18.75%"></i></div>',
  );
  assertEquals(html.match(/\d+ steps before that/g), ["5 steps before that"]);
  assertStringIncludes(html, '<li class="done">did 5</li></ol>');
  assert(html.includes('<ol class="steps"><li class="done">did 6</li>'));
});
