// Classroom 50's result.json (classroom50/result/v1: schemas/result-v1.schema.json and the wiki page "Advanced Autograding"
// of foundation50/classroom50). Whose submission it is stands in the environment that its runner makes for an autograder; the
// runner itself stamps the owner, the type and the date again.

import { safeJson } from "../../protocol/text.ts";
import type { GradedCheck, Report } from "../report.ts";
import type { About } from "./formats.ts";
import { checkLines, roundPoints, show, whyNot } from "./text.ts";

export function toClassroom50(report: Report, about: About): string {
  const { checks, durationMs, exercise, startedAt } = report;
  const said = (name: string, otherwise: string) => about(name) || otherwise;
  const startTime = date(startedAt);
  const commit = said("COMMIT_URL", "about:blank");
  const tests = wholePoints(checks).map(({ check, score, maxScore }) => ({
    "test-name": show(check.name) || "-",
    passed: check.outcome === "passed",
    score,
    "max-score": maxScore,
    // Fields of our own are kept as they are: what the whole points stand for, and what to show.
    points: roundPoints(check.points),
    ...(check.outcome === "passed" ? {} : { message: whyNot(check), output: checkLines(check).join("\n") }),
  }));
  const result = {
    schema: "classroom50/result/v1",
    classroom: said("CLASSROOM", "netlab"),
    assignment: said("ASSIGNMENT", exercise),
    assignment_type: about("ASSIGNMENT_TYPE") === "group" ? "group" : "individual",
    owner: said("OWNER", "nobody"),
    submission: said("SUBMISSION_TAG", `submit/${startTime.replaceAll(":", "-")}-0000000`),
    commit,
    release: said("RELEASE_URL", "about:blank"),
    review: said("REVIEW_URL", commit),
    datetime: startTime,
    graded_at: date(startedAt + durationMs),
    score: sum(tests.map(({ score }) => score)),
    "max-score": sum(tests.map((test) => test["max-score"])),
    tests,
  };
  return `${safeJson(result, 2)}\n`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** `2026-06-01T14:33:11Z`: no other form is allowed. */
const date = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Points as the whole numbers that are asked for. Fractions are carried from check to check, so that no whole one is lost. */
function wholePoints(checks: readonly GradedCheck[]): { check: GradedCheck; score: number; maxScore: number }[] {
  let carried = 0;
  return checks.map((check) => {
    const exact = roundPoints(Math.max(0, check.points) + carried);
    const maxScore = Math.ceil(Math.max(0, roundPoints(check.maxPoints)));
    const score = Math.min(Math.floor(exact), maxScore);
    carried = exact - score;
    return { check, score, maxScore };
  });
}
