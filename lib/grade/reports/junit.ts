// JUnit XML, in the form that both published schemas allow: Windy Road's of Ant (JUnit.xsd), and that of Jenkins' xUnit
// plugin (junit-10.xsd). Neither has properties of a single test, so the points of all are properties of the suite.

import { formatPoints, type GradedCheck, type Report } from "../report.ts";
import { lines, type Markup, markup } from "./markup.ts";
import { checkLines, score, show, title, whyNot } from "./text.ts";

export function toJUnit(report: Report): string {
  const { checks, durationMs, exercise, kind, maxPoints, notes, points, seed, startedAt, target, transport, wire } =
    report;
  const count = (counts: (check: GradedCheck) => boolean) => checks.filter(counts).length;
  const properties: [string, string][] = [
    ["target", target],
    ["transport", transport],
    ["wire", wire],
    ["seed", String(seed)],
    ["points", formatPoints(points)],
    ["max-points", formatPoints(maxPoints)],
    ...checks.map((check): [string, string] => [`points: ${token(check.name)}`, score(check)]),
  ];
  const suite = markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite id="0" package="netlab" name="${token(title(report))}" hostname="localhost" timestamp="${
    new Date(startedAt).toISOString().slice(0, 19)
  }" time="${seconds(durationMs)}" tests="${checks.length}" failures="${count(hasFailed)}" errors="0" skipped="${
    count(({ outcome }) => outcome === "not run")
  }">
    <properties>${
    properties.map(([name, value]) =>
      markup`
      <property name="${name}" value="${value}"/>`
    )
  }
    </properties>${checks.map((check) => testCase(check, token(`${exercise}.${kind}`)))}
    <system-out>${lines(notes)}</system-out>
    <system-err/>
  </testsuite>
</testsuites>
`;
  return suite.text;
}

const hasFailed = ({ outcome }: GradedCheck) => outcome === "failed" || outcome === "partly";

function testCase(check: GradedCheck, className: string): Markup {
  const { name, outcome, durationMs, failure } = check;
  const head = markup`name="${token(name)}" classname="${className}" time="${seconds(durationMs)}"`;
  if (outcome === "passed") {
    return markup`
    <testcase ${head}/>`;
  }
  const message = whyNot(check);
  return markup`
    <testcase ${head}>${
    outcome === "not run"
      ? markup`<skipped message="${message}"/>`
      : markup`<failure type="${failure?.kind ?? outcome}" message="${message}">${lines(checkLines(check))}</failure>`
  }</testcase>`;
}

/** Text as the schemas want names: no spaces around it, and one at most between words. */
const token = (text: string): string => show(text).replace(/\s+/g, " ").trim() || "-";

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
