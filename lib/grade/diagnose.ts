// Why a check failed, most likely: from which of the ways it failed in, from what came instead, and from how the program
// ended.

import { CAUSES } from "../exercises/causes.ts";
import type { Check } from "../exercises/check.ts";
import type { Way } from "./delivery.ts";
import type { Break } from "./play.ts";

/** What is known when a check has failed. */
export interface Symptoms {
  readonly check: Check;
  /** The ways in which it was played, and whether it passed. */
  readonly ways: ReadonlyMap<Way, boolean>;
  readonly broken: Break;
}

/** The likely causes, the likeliest first. */
export function diagnose({ check, ways, broken }: Symptoms): string[] {
  if (broken.death !== undefined) return [`${CAUSES.ended} (it ${broken.death})`, ...check.cause ? [check.cause] : []];
  if (ways.get("whole")) {
    const inPieces = ways.get("bytes") === false || ways.get("split") === false;
    return inPieces ? [CAUSES.oneRecv] : [CAUSES.joined];
  }
  if (broken.kind === "silence" && broken.bytes !== undefined) {
    return [CAUSES.unframed, ...check.cause ? [check.cause] : []];
  }
  const general = broken.kind === "silence" ? [CAUSES.silence] : broken.kind === "end" ? [CAUSES.hungUp] : [];
  return [...check.cause ? [check.cause] : [], ...general];
}

/** The first place where two texts differ, in characters. */
export function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
