// Gradescope's results.json, as gradescope-autograders.readthedocs.io/en/latest/specs describes it. A result file counts as
// written by the course, so everything in it is declared to be plain text.

import { safeJson } from "../../protocol/text.ts";
import { formatPoints, type Report } from "../report.ts";
import { checkLines, roundPoints, show, title } from "./text.ts";

export function toGradescope(report: Report): string {
  const { checks, durationMs, exercise, kind, maxPoints, notes, points, seed, target, transport, wire } = report;
  const total = `${title(report)}: ${formatPoints(points)} of ${formatPoints(maxPoints)} points`;
  const result = {
    score: roundPoints(points),
    execution_time: roundPoints(durationMs / 1000),
    output: [total, ...notes.map((note) => show(`note: ${note}`))].join("\n"),
    output_format: "text",
    test_output_format: "text",
    test_name_format: "text",
    visibility: "visible",
    extra_data: { exercise, kind, target: show(target), transport, wire, seed, max_points: roundPoints(maxPoints) },
    tests: checks.map((check, i) => ({
      name: show(check.name),
      name_format: "text",
      number: String(i + 1),
      score: roundPoints(check.points),
      max_score: roundPoints(check.maxPoints),
      status: check.outcome === "passed" ? "passed" : "failed",
      output: checkLines(check).join("\n"),
      output_format: "text",
      visibility: "visible",
    })),
  };
  return `${safeJson(result, 2)}\n`;
}
