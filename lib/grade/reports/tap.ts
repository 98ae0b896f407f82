// TAP 14: a test point a check, its ways as a subtest, and everything else in YAML behind it.
//
//     TAP version 14
//     1..2
//     # Subtest: a client takes a name
//         1..2
//         ok 1 - a write a message
//         not ok 2 - a write a byte
//     not ok 1 - a client takes a name
//       ---
//       points: 5
//       max_points: 10
//       ...
//     ok 2 - the names of all users are listed # SKIP it needs: a client takes a name
//
// Only test points start a line: what a program has printed stands in quotes, indented.

import { formatPoints, type GradedCheck, type Report } from "../report.ts";
import { outputLines, roundPoints, show, title, whyNot } from "./text.ts";

export function toTap(report: Report): string {
  const { target, checks, notes, points, maxPoints, seed } = report;
  return [
    "TAP version 14",
    checks.length === 0 ? "1..0 # no checks" : `1..${checks.length}`,
    `# ${title(report)}: ${show(target)}, --seed ${seed}`,
    ...checks.flatMap((check, i) => [...subtest(check), ...testPoint(check, i + 1)]),
    ...notes.map((note) => `# note: ${show(note)}`),
    `# ${formatPoints(points)} of ${formatPoints(maxPoints)} points`,
    "",
  ].join("\n");
}

function testPoint(check: GradedCheck, number: number): string[] {
  const { name, outcome, points, maxPoints, durationMs, because, failure } = check;
  const skipped = outcome === "not run" ? ` # SKIP ${escape(because ?? "")}`.trimEnd() : "";
  return [
    `${outcome === "passed" || outcome === "not run" ? "ok" : "not ok"} ${number} - ${escape(name)}${skipped}`,
    ...yaml({
      points: roundPoints(points),
      max_points: roundPoints(maxPoints),
      outcome,
      duration_ms: Math.round(durationMs),
      message: whyNot(check),
      ...(failure && { ...failure, output: outputLines(failure) }),
    }),
  ];
}

/** How it went in each way, where there is more than one. */
function subtest({ name, ways }: GradedCheck): string[] {
  if (ways.length < 2) return [];
  const points = ways.flatMap(({ way, passed, as }, i) => [
    `${passed ? "ok" : "not ok"} ${i + 1} - ${escape(way)}`,
    ...(as === undefined ? [] : yaml({ message: `as "${as}"` })),
  ]);
  return [`# Subtest: ${escape(name)}`, ...[`1..${ways.length}`, ...points].map((line) => `    ${line}`)];
}

/** A description: `#` would begin a directive, and to some parsers `{` at its end begins a block. */
function escape(text: string): string {
  return show(text).replace(/[\\#]/g, "\\$&").replace(/\{\s*$/, "{…");
}

type Value = string | number | undefined | readonly Value[] | { readonly [key: string]: Value };

/** A YAML block. Strings are in double quotes, where YAML is JSON. */
function yaml(fields: { readonly [key: string]: Value }): string[] {
  return ["  ---", ...mapLines(fields).map((line) => `  ${line}`), "  ..."];
}

function mapLines(fields: { readonly [key: string]: Value }): string[] {
  return Object.entries(fields).flatMap(([key, value]): string[] => {
    if (value === undefined) return [];
    if (typeof value !== "object") return [`${key}: ${scalar(value)}`];
    if (!isList(value)) return [`${key}:`, ...mapLines(value).map((line) => `  ${line}`)];
    if (value.length === 0) return [`${key}: []`];
    return [`${key}:`, ...value.map((one) => `  - ${item(scalar(one as string | number))}`)];
  });
}

/** The reader of Perl's harness takes a first word and a colon for a key, quotes or not. */
const item = (quoted: string): string => quoted.replace(/^(\S+\s*):(?=[\s"])/, "$1\\x3a");

const isList = (value: object): value is readonly Value[] => Array.isArray(value);

const scalar = (value: string | number): string =>
  typeof value === "number" ? String(value) : JSON.stringify(show(value));
