// The same grading several times, with a seed of its own each: what passes only now and then is found so.

import { type GradingSettings, runGrading } from "./grading.ts";
import type { GradedCheck, Report } from "./report.ts";

/** Grades `times` times; each check counts as it did where it did worst. */
export async function runRepeatedly(settings: GradingSettings, times: number): Promise<Report> {
  if (times === 1) return await runGrading(settings);
  const reports: Report[] = [];
  for (let i = 0; i < times; i++) {
    reports.push(await runGrading({ ...settings, seed: settings.seed + i, onResult: undefined }));
  }
  const checks = reports[0].checks.map(({ name }) => {
    const results = reports.map((report) => report.checks.find((check) => check.name === name)!);
    return results.reduce((worst, result) => isWorse(result, worst) ? result : worst);
  });
  for (const check of checks) settings.onResult?.(check);
  const unsteady = checks.flatMap(({ name, outcome }) => {
    const passed = reports.filter((report) => report.checks.find((check) => check.name === name)!.outcome === "passed");
    return outcome === "passed" || passed.length === 0 ? [] : [`"${name}" passed in ${passed.length} of ${times} runs`];
  });
  return {
    ...reports[0],
    checks,
    points: checks.reduce((sum, { points }) => sum + points, 0),
    durationMs: reports.reduce((sum, { durationMs }) => sum + durationMs, 0),
    notes: [...new Set(reports.flatMap(({ notes }) => notes)), ...unsteady],
  };
}

function isWorse(a: GradedCheck, b: GradedCheck): boolean {
  // Of two that cost the same the one that says why is of more use.
  return a.points !== b.points ? a.points < b.points : a.failure !== undefined && b.failure === undefined;
}
