// What the tests of the grader's reports share: graded runs made by hand, texts that a malicious program might say, and the
// other people's programs that read the reports.

import { assert, assertEquals } from "@std/assert";
import { Parser } from "tap-parser";
import { findExercise } from "../lib/exercises/registry.ts";
import { runGrading } from "../lib/grade/grading.ts";
import type { GradedCheck, Report } from "../lib/grade/report.ts";
import { REPORT_FORMATS } from "../lib/grade/reports/formats.ts";
import { Random } from "../lib/protocol/random.ts";
import { escapeText } from "../lib/protocol/text.ts";
import { runProgram } from "./cli_helpers.ts";

/** A run in that form. */
export async function render(format: string, report: Report, env: Record<string, string> = {}): Promise<string> {
  return (await REPORT_FORMATS[format].load())(report, (name) => env[name]);
}

const RUN: Omit<Report, "checks" | "points" | "maxPoints" | "notes"> = {
  exercise: "chat",
  kind: "server",
  target: "python3 server.py {port}",
  transport: "tcp",
  wire: "len4",
  seed: 7,
  startedAt: Date.UTC(2026, 5, 1, 14, 33, 11, 250),
  durationMs: 12_345.678,
};

/** A run of these checks. */
export function runOf(checks: readonly GradedCheck[], more: Partial<Report> = {}): Report {
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    ...RUN,
    checks,
    points: sum(checks.map(({ points }) => points)),
    maxPoints: sum(checks.map(({ maxPoints }) => maxPoints)),
    notes: [],
    ...more,
  };
}

/** A check with every outcome there is, in which all that can be text is `said`. */
export function runThatSays(said: string): Report {
  const failure = {
    way: `as ${said}`,
    done: [said, `did ${said}`],
    step: `step ${said}`,
    kind: "other",
    expected: `wanted ${said}`,
    accepts: said,
    got: said,
    bytes: said,
    difference: { expected: `${said}ab`, got: `${said}cd`, at: said.length },
    causes: [`cause ${said}`, said],
    ladder: [
      "…",
      "14:03:59.042  127.0.0.1:50312   connected to 127.0.0.1:7777",
      `14:03:59.043  alice             ◀──────────── ${escapeText(said)} ──`,
      `14:03:59.143  alice             ── ${escapeText(said)} ────────────▶`,
      said,
    ],
    output: `printed ${said}\n${said}`,
    again: `netlab grade ${said}`,
  } as const;
  const way = `way ${said}`;
  const passed = { way, passed: true };
  return runOf([
    { name: `1 ${said}`, points: 10, maxPoints: 10, outcome: "passed", durationMs: 3.4, ways: [passed] },
    {
      name: said,
      points: 20 / 3,
      maxPoints: 10,
      outcome: "partly",
      durationMs: 1003.4,
      ways: [passed, { way: said, passed: false }, { way, passed: false, as: said }],
      failure,
    },
    {
      name: `3 ${said}`,
      points: 2.5,
      maxPoints: 5,
      outcome: "partly",
      durationMs: 1,
      ways: [passed, { way, passed: false, as: said }],
    },
    {
      name: `4 ${said}`,
      points: 2.5,
      maxPoints: 5,
      outcome: "partly",
      durationMs: 1,
      ways: [passed],
      because: said,
    },
    {
      name: `5 ${said}`,
      points: 0,
      maxPoints: 5,
      outcome: "failed",
      durationMs: 2000,
      ways: [{ way, passed: false }],
      failure: { ...failure, difference: undefined, expected: undefined, ladder: [] },
    },
    { name: `6 ${said}`, points: 0, maxPoints: 5, outcome: "not run", durationMs: 0, ways: [], because: said },
  ], { target: said, wire: said, notes: [said] });
}

export const EMPTY = runOf([]);
export const PLAIN = runThatSays("a plain text");

const chat = findExercise("chat")!;
let real: Promise<Report> | null = null;

/** A server of chat that takes one read for one message, graded once. */
export function realRun(): Promise<Report> {
  return real ??= run();
}

async function run(): Promise<Report> {
  const { bugs } = await chat.grading();
  return await runGrading({
    exercise: chat,
    subject: { type: "own server", bug: bugs.find(({ name }) => name === "one-recv") },
    port: null,
    seed: 7,
    timeoutMs: 300,
    limitMs: 60_000,
    again: ({ name }, way) => `netlab grade chat --only "${name}" --way ${way}`,
  });
}

/** Runs of every sort. */
export async function samples(): Promise<Report[]> {
  return [EMPTY, PLAIN, runThatSays(`x\n"'<&>\\\`|#`), await realRun()];
}

/** What means something in one of the formats. */
const PIECES = [
  ...[
    "ok 1",
    "not ok 1 - x",
    "1..0",
    "Bail out!",
    "TAP version 13",
    "pragma +bail",
    "# SKIP",
    "# TODO",
    "# Subtest: x",
  ],
  ...[
    "  ---",
    "  ...",
    "    ok 1",
    "\\#",
    "\\",
    " {",
    "}",
    "# time=1ms",
    "- a",
    ": b",
    "? c",
    "&d",
    "*e",
    "!f",
    "%YAML",
  ],
  ...["]]>", "<![CDATA[", "<?xml?>", "<!--", "-->", "<!DOCTYPE a [", "&lt;", "&#0;", "&amp;", "&"],
  ...[
    "<script>alert(1)</script>",
    "</pre></details></style>",
    '" onclick="x',
    "' x='",
    "<img src=x onerror=y>",
    "<",
    ">",
  ],
  ...[
    "`",
    "```",
    "````text",
    "~~~",
    "|",
    "\\|",
    "[a](http://b)",
    "![a](b)",
    "**",
    "__",
    "_a_",
    "$a$",
    "# h",
    "> q",
    "1. a",
  ],
  ...[
    "@somebody",
    "<br>",
    "</summary>",
    "===",
    "+ a",
    "::error::a",
    "\u001b[31mred",
    "\u0007",
    "\u0000",
    "\u009b",
    "\u007f",
  ],
  ...[
    "\ud800",
    "\udc00",
    "😀",
    "\ufffe",
    "\uffff",
    "\ufeff",
    "\u202e",
    "\u2028",
    "\u0085",
    "\u200d",
    "e\u0301",
    "日本",
  ],
  ...["\n", "\r\n", "\t", "\n\n", "  ", "a", "alice", "0", "__proto__"],
];

/** A text that is not blank, of things that mean something somewhere. */
export function hostileText(random: Random): string {
  const pieces = Array.from({ length: random.int(1, 6) }, () => PIECES[random.int(0, PIECES.length - 1)]);
  const text = pieces.join(random.chance(0.5) ? "" : " ").repeat(random.chance(0.1) ? 50 : 1);
  return text.trim() === "" ? `${text}x` : text;
}

/** So many hostile texts; the seed that makes them is printed. */
export function hostileTexts(what: string, count: number): string[] {
  const seed = Number(Deno.env.get("NETLAB_TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(`${what}: NETLAB_TEST_SEED=${seed}`);
  const random = new Random(seed);
  return Array.from({ length: count }, () => hostileText(random));
}

/** Runs another program to its end and returns what it prints. */
export async function filter(command: readonly string[], input: string): Promise<string> {
  const { status, out, err } = await runProgram([], { command, input });
  assert(status === 0, `${command[0]} ended with status ${status}: ${err}`);
  return out;
}

/** An element of XML, as Python's parser reads it. */
export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const PARSE_XML = `
import json, sys, xml.etree.ElementTree as tree
def element(e):
    return {"tag": e.tag, "attributes": e.attrib, "text": e.text or "", "children": [element(c) for c in e]}
print(json.dumps([element(tree.fromstring(text.encode())) for text in json.load(sys.stdin)]))
`;

/** Parses XML documents with Python (Expat), which refuses what is not well-formed. */
export async function parseXml(documents: readonly string[]): Promise<Element[]> {
  return JSON.parse(await filter(["python3", "-c", PARSE_XML], JSON.stringify(documents)));
}

/** The tags of HTML or XML in which nothing but tags has an angle bracket, in order. */
export function tagsOf(text: string): string[] {
  return text.match(/<[^>]*>/g) ?? [];
}

/** A test point, as tap-parser reads it. */
export interface TestPoint {
  readonly id: number;
  readonly name: string;
  readonly ok: boolean;
  readonly skip: string | boolean;
  readonly todo: string | boolean;
  // deno-lint-ignore no-explicit-any
  readonly diag: any;
}

/** What a TAP parser makes of a run, strictly: each test point with those of its subtest, and whether all is well. */
export function parseTap(text: string): { tests: { test: TestPoint; subtest: TestPoint[] }[]; ok: boolean } {
  const tests: { test: TestPoint; subtest: TestPoint[] }[] = [];
  let subtest: TestPoint[] = [];
  let ok = false;
  // deno-lint-ignore no-explicit-any
  for (const [type, value] of Parser.parse(text, { strict: true }) as [string, any][]) {
    assert(!["extra", "bailout", "pragma"].includes(type), `${type}: ${JSON.stringify(value)}`);
    if (type === "version") assertEquals(value, 14);
    if (type === "child") {
      subtest = (value as [string, TestPoint][]).filter(([kind]) => kind === "assert").map(([, one]) => one);
    }
    if (type === "assert") {
      tests.push({ test: value, subtest });
      subtest = [];
    }
    if (type === "complete") ok = value.ok;
  }
  return { tests, ok };
}

/** Markdown outside of fenced code, each line as what it opens; throws when a fence is not closed. */
export function structureOf(markdown: string): string[] {
  const found: string[] = [];
  let fence: string | null = null;
  for (const line of markdown.split("\n")) {
    const [, ticks, info] = /^(`{3,})(.*)$/.exec(line) ?? [];
    if (fence !== null) {
      if (ticks !== undefined && ticks.length >= fence.length && info === "") fence = null;
      continue;
    }
    const opener = /^(?:#+|\||>|\d+\.|\*\*Where|<\/?details>(?:<summary>)?| {4}|[-+*=]|$)/.exec(line)?.[0];
    found.push(ticks === undefined ? opener ?? "text" : "code");
    fence = ticks ?? null;
    if (opener === "|") assertEquals(line.replace(/\\[^]/g, "").split("|").length, 5, `not three cells: ${line}`);
  }
  assertEquals(fence, null, "a fence is not closed");
  return found;
}
