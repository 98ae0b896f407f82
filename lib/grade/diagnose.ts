// Why a check failed, most likely: from which of the ways it failed in, from what came instead, and from how the program
// ended.

import { CAUSES } from "../exercises/causes.ts";
import type { Check } from "../exercises/check.ts";
import type { Way } from "./delivery.ts";
import type { Break } from "./play.ts";
import { PRINTED } from "./program.ts";

/** What is known when a check has failed. */
export interface Symptoms {
  readonly check: Check;
  /** The ways in which it was played, and whether it passed. */
  readonly ways: ReadonlyMap<Way, boolean>;
  readonly broken: Break;
}

/** The likely causes, the likeliest first. */
export function diagnose({ check, ways, broken }: Symptoms): string[] {
  if (broken.death?.startsWith(PRINTED)) return [CAUSES.prints];
  const ended = broken.death === undefined ? [] : [`${CAUSES.ended} (it ${broken.death})`];
  if (ways.get("whole")) {
    // What is split may have arrived joined: where single bytes do no harm, pieces are not the trouble.
    const inPieces = ways.get("bytes") === false || (ways.get("split") === false && ways.get("joined") !== false);
    return [inPieces ? CAUSES.oneRecv : CAUSES.joined, ...ended];
  }
  if (broken.why !== undefined) return [broken.why];
  const usual = check.cause === undefined ? [] : [check.cause];
  if (ended.length > 0) return [...ended, ...usual];
  const unfinished = broken.kind === "silence" && broken.expected !== undefined && broken.bytes !== undefined;
  if (unfinished || broken.unreadable) return [CAUSES.unframed, ...usual];
  const general = broken.kind === "silence" ? [CAUSES.silence] : broken.kind === "end" ? [CAUSES.hungUp] : [];
  return [...usual, ...general];
}

/** The first place where two texts differ, in characters. */
export function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
