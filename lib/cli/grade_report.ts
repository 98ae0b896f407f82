// A graded run for a person at a terminal: a line a check as it comes, and behind each failure what a teaching assistant
// would say.

import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { type Failure, formatPoints, type GradedCheck, isPerfect, type Report } from "../grade/report.ts";
import { countOutcomes, differenceLines } from "../grade/reports/text.ts";
import { escapeText } from "../protocol/text.ts";
import { wrapText } from "./wrap.ts";

const MARKS = { passed: green("✓"), partly: yellow("◐"), failed: red("✗"), "not run": dim("–") } as const;
const INDENT = " ".repeat(11);

/** One check, in lines. */
export function checkLines(check: GradedCheck, width: number): string[] {
  const { name, points, maxPoints, outcome, because, failure, ways } = check;
  const score = `${formatPoints(points)}/${formatPoints(maxPoints)}`;
  const indented = (lines: readonly string[]) => lines.map((line) => INDENT + line);
  return [
    `${MARKS[outcome]} ${score.padStart(7)}  ${outcome === "failed" ? bold(name) : name}`,
    ...(because === undefined ? [] : indented([dim(`not run: ${because}`)])),
    ...(outcome === "partly" ? indented(ways.map(wayLine)) : []),
    ...(failure === undefined ? [] : [...indented(failureLines(failure, width - INDENT.length)), ""]),
  ];
}

function wayLine({ way, passed, as }: GradedCheck["ways"][number]): string {
  return `${passed ? green("✓") : red("✗")} ${way}${as === undefined ? "" : dim(`: as "${as}"`)}`;
}

/** What is to be said of a failure. */
function failureLines(failure: Failure, width: number): string[] {
  const { done, step, expected, accepts, got, bytes, difference, causes, ladder, output, again } = failure;
  const text = (label: string, said: string) => hang(`${label} `, escapeText(said), width);
  return [
    ...done.map((one) => `${green("✓")} ${dim(escapeText(one))}`),
    `${red("✗")} ${escapeText(step)}`,
    ...(accepts === undefined ? [] : text("  taken as that:", accepts)),
    ...(expected === undefined || step.includes(expected) ? [] : text("  expected:", expected)),
    ...text("  but", got),
    ...(bytes === undefined ? [] : text("  on the wire:", `"${bytes}"`)),
    ...(difference ? differenceLines(difference, red("^")) : []),
    ...causes.flatMap((cause) => ["", ...hang(yellow("why?") + " ", cause, width, 5)]),
    ...(ladder.length > 0 ? ["", ...ladder.map((line) => dim(line))] : []),
    ...(output.trim() === "" ? [] : [
      "",
      "it printed:",
      ...output.trimEnd().split("\n").map((line) => `  ${dim(escapeText(line))}`),
    ]),
    ...(again === "" ? [] : ["", `${cyan("again:")} ${escapeText(again)}`]),
  ];
}

/** A label and text beside it, which stays beside it when it takes several lines. */
function hang(label: string, text: string, width: number, labelWidth = label.length): string[] {
  const lines = wrapText(text, Math.max(30, width - labelWidth));
  return lines.map((line, i) => (i === 0 ? label : " ".repeat(labelWidth)) + line);
}

/** The end of a report. */
export function summaryLines(report: Report): string[] {
  const { points, maxPoints, checks, notes, seed } = report;
  const counts = countOutcomes(report).map(({ outcome, count }) => `${count} ${outcome}`);
  const total = `${formatPoints(points)} of ${formatPoints(maxPoints)} points`;
  const rest = `${counts.join(", ")} · seed ${seed}`;
  const isApart = checks.at(-1)?.failure !== undefined; // an empty line ends it
  return [
    ...notes.map((note) => `${yellow("note:")} ${escapeText(note)}`),
    ...(isApart && notes.length === 0 ? [] : [""]),
    `${bold(isPerfect(report) ? green(total) : total)}  ${dim(rest)}`,
  ];
}
