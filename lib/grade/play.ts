// Plays checks against a server: its script, step by step, until one fails. What is known of a failure is the steps so far,
// the one that broke, and what came instead.

import { type Check, describeStep, type Step } from "../exercises/check.ts";
import { NetlabError } from "../protocol/errors.ts";
import { Stage, type StageOptions, Unmet } from "./stage.ts";

/** How one check ended. */
export interface CheckResult {
  readonly check: Check;
  /** `not run`: a check that it needs did not pass, or the framing cannot show it. */
  readonly outcome: "passed" | "failed" | "not run";
  /** The steps that went well, in plain English. */
  readonly done: readonly string[];
  /** The step that broke, what came, or why it was not run. */
  readonly broken?: string;
  readonly because?: string;
}

/** What a series of checks is played with. */
export type PlayOptions = Omit<StageOptions, "nameSuffix"> & {
  /** Told of each result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
};

/** Plays `checks` in order; one that needs a failed one is not run. */
export async function playChecks(checks: readonly Check[], options: PlayOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const passed = new Set<string>();
  for (const [index, check] of checks.entries()) {
    const missing = check.needs?.find((name) => !passed.has(name));
    const unframed = check.framed && options.makeFramer().name === "raw";
    const result: CheckResult = missing !== undefined
      ? { check, outcome: "not run", done: [], because: `it needs: ${missing}` }
      : unframed
      ? { check, outcome: "not run", done: [], because: "without framing there are no message boundaries to check" }
      : await playCheck(check, { ...options, nameSuffix: letters(index) });
    if (result.outcome === "passed") passed.add(check.name);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

/** Plays one check. */
export async function playCheck(check: Check, options: StageOptions): Promise<CheckResult> {
  const stage = new Stage(options);
  const done: string[] = [];
  try {
    for (const step of check.steps) {
      const text = stage.fill(describeStep(step));
      try {
        await playStep(stage, step);
      } catch (error) {
        if (!(error instanceof Unmet || error instanceof NetlabError)) throw error;
        return { check, outcome: "failed", done, broken: text, because: error.message };
      }
      done.push(text);
    }
    return { check, outcome: "passed", done };
  } finally {
    stage.close();
  }
}

async function playStep(stage: Stage, step: Step): Promise<void> {
  if (step.do === "connect") return await stage.connect(step.who);
  if (step.do === "callUntilTaken") return await stage.callUntilTaken(step.who, step.text);
  const actor = stage.actor(step.who);
  switch (step.do) {
    case "send":
      return await actor.send(step.text);
    case "sendBytes":
      return await actor.send(step.bytes);
    case "expect":
      return await actor.expect(step.what);
    case "eventually":
      return await actor.eventually(step.text, step.what);
    case "forbid":
      return actor.forbid(step.what);
    case "stays":
      return await actor.stays();
    case "expectRest":
      return await actor.expectRest(step.what);
    case "expectEnd":
      return await actor.expectEnd();
    case "leave":
      return await actor.leave(step.how);
  }
}

/** 0 as `a`, 25 as `z`, 26 as `ba`. */
function letters(index: number): string {
  const text = String.fromCharCode(97 + index % 26);
  return index < 26 ? text : letters(Math.floor(index / 26)) + text;
}
