// What all reports share: texts of programs under test made harmless, and a check told in plain lines.

import { escapeText } from "../../protocol/text.ts";
import { type Failure, formatPoints, type GradedCheck, type Outcome, type Report } from "../report.ts";

export const MARKS: Readonly<Record<Outcome, string>> = { passed: "✓", partly: "◐", failed: "✗", "not run": "–" };

/** `text` on one line, of nothing but characters that can be seen, and that every format can hold. */
export function show(text: string): string {
  // XML has no place for these two, and nobody has a use for them.
  return escapeText(text).replace(/[\ufffe\uffff]/g, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** `7.5/10`. */
export function score({ points, maxPoints }: { readonly points: number; readonly maxPoints: number }): string {
  return `${formatPoints(points)}/${formatPoints(maxPoints)}`;
}

/** Points as a number, without the noise of adding thirds. */
export const roundPoints = (points: number): number => Math.round(points * 100) / 100;

/** `chat server`. */
export const title = ({ exercise, kind }: Report): string => show(`${exercise} ${kind}`);

/** How many checks ended in each way, where any did. */
export function countOutcomes({ checks }: Report): { readonly outcome: Outcome; readonly count: number }[] {
  return (["passed", "partly", "failed", "not run"] as const)
    .map((outcome) => ({ outcome, count: checks.filter((check) => check.outcome === outcome).length }))
    .filter(({ count }) => count > 0);
}

/** The likeliest cause of each failure, once, with the checks that name it: where a student starts. */
export function mainCauses({ checks }: Report): { readonly cause: string; readonly checks: readonly GradedCheck[] }[] {
  const found = new Map<string, GradedCheck[]>();
  for (const check of checks) {
    const cause = check.failure?.causes[0];
    if (cause !== undefined) found.set(cause, [...found.get(cause) ?? [], check]);
  }
  return [...found].map(([cause, checks]) => ({ cause, checks }));
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed.slice(0, 1).toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

/** In a line, why a check has not passed; undefined when it has. */
export function whyNot({ outcome, because, failure, ways }: GradedCheck): string | undefined {
  if (outcome === "passed") return undefined;
  if (failure !== undefined) return show(`${failure.step}: ${failure.got}`);
  if (because !== undefined) return show(because);
  const failed = ways.filter(({ passed }) => !passed);
  const as = [...new Set(failed.map(({ as }) => as))];
  if (as.length === 1 && as[0] !== undefined) return show(`as "${as[0]}": ${failed.map(({ way }) => way).join(", ")}`);
  return failed.length === 0 ? outcome : show(failed.map(wayText).join(", "));
}

/** `a write a byte: as "a client takes a name"`. */
export function wayText({ way, as }: GradedCheck["ways"][number]): string {
  return as === undefined ? way : `${way}: as "${as}"`;
}

/** All that is to be said of a check that has not passed, in lines; of one that has, nothing. */
export function checkLines({ outcome, because, failure, ways }: GradedCheck): string[] {
  if (outcome === "passed") return [];
  return [
    ...(outcome === "not run" ? [show(`not run: ${because}`)] : because === undefined ? [] : [show(because)]),
    ...(ways.length < 2 ? [] : ways.map((way) => `${way.passed ? "✓" : "✗"} ${show(wayText(way))}`)),
    ...(failure === undefined ? [] : [...(ways.length < 2 ? [] : [""]), ...failureLines(failure)]),
  ];
}

function failureLines(failure: Failure): string[] {
  const { way, done, step, expected, accepts, got, bytes, difference, causes, ladder, again } = failure;
  const line = (label: string, text: string | undefined) => text === undefined ? [] : [`    ${label} ${show(text)}`];
  const output = outputLines(failure);
  return [
    show(`${way}:`),
    ...done.map((one) => `  ✓ ${show(one)}`),
    `  ✗ ${show(step)}`,
    ...line("taken as that:", accepts),
    ...line("expected:", expected === undefined || step.includes(expected) ? undefined : expected),
    ...line("but", got),
    ...line("on the wire:", bytes === undefined ? undefined : `"${bytes}"`),
    ...(difference ? differenceLines(difference).map((one) => `  ${one}`) : []),
    ...causes.flatMap((cause) => ["", show(`why? ${cause}`)]),
    ...(ladder.length > 0 ? ["", ...ladder.map(show)] : []),
    ...(output.length > 0 ? ["", "it printed:", ...output.map((one) => `  ${one}`)] : []),
    ...(again === "" ? [] : ["", `again: ${show(again)}`]),
  ];
}

/** What the program has printed, line by line. */
export function outputLines({ output }: Failure): string[] {
  return output.trim() === "" ? [] : output.trimEnd().split(/\r?\n/).map(show);
}

/** One of two texts, cut around the first place where they differ. */
export interface Side {
  readonly before: string;
  /** The character that differs; empty where this text ends. */
  readonly mark: string;
  readonly after: string;
}

/** The right text and the one that came, cut in the same place. */
export function splitDifference(
  { expected, got, at }: NonNullable<Failure["difference"]>,
): { readonly expected: Side; readonly got: Side } {
  // A character outside the basic plane is two halves, which must not be parted.
  const whole = (place: number) => /[\udc00-\udfff]/.test(expected[place] ?? got[place] ?? "") ? place - 1 : place;
  const middle = Math.max(0, whole(at));
  const start = Math.max(0, whole(Math.max(0, middle - 40)));
  const side = (text: string): Side => {
    const mark = String.fromCodePoint(...[text.codePointAt(middle)].filter((code) => code !== undefined));
    const rest = text.slice(middle + mark.length);
    return {
      before: (start > 0 ? "…" : "") + show(text.slice(start, middle)),
      mark: show(mark),
      after: show([...rest.slice(0, 60)].slice(0, 40).join("")) + (rest.length > 40 ? "…" : ""),
    };
  };
  return { expected: side(expected), got: side(got) };
}

/** Both texts, one below the other, with `mark` below the first difference. */
export function differenceLines(difference: NonNullable<Failure["difference"]>, mark = "^"): string[] {
  const { expected, got } = splitDifference(difference);
  const text = ({ before, mark, after }: Side) => before + mark + after;
  return [
    `  right: ${text(expected)}`,
    `  came:  ${text(got)}`,
    `         ${" ".repeat(got.before.length)}${mark} here they differ`,
  ];
}
