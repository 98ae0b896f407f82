// Why a check failed, most likely: from which of the ways it failed in, from what came instead, and from how the program
// ended.

import { CAUSES } from "../exercises/causes.ts";
import type { Check, Step } from "../exercises/check.ts";
import type { Transport } from "../exercises/exercise.ts";
import type { Way } from "./delivery.ts";
import { whySilent } from "./misframed.ts";
import type { Break } from "./play.ts";
import { PRINTED } from "./program.ts";

/** What is known when a check has failed. */
export interface Symptoms {
  readonly check: Check;
  /** The ways in which it was played, and whether it passed; and in which it broke so. */
  readonly ways: ReadonlyMap<Way, boolean>;
  readonly way: Way;
  readonly broken: Break;
  readonly transport: Transport;
  readonly wire: string;
}

/** The likely causes, the likeliest first. */
export function diagnose({ check, ways, way, broken, transport, wire }: Symptoms): string[] {
  if (broken.death?.startsWith(PRINTED)) return [CAUSES.prints];
  const ended = broken.death === undefined ? [] : [`${CAUSES.ended} (it ${broken.death})`];
  if (ways.get("whole")) {
    // Other checks have shown that it bears single bytes: it is what becomes of them.
    if (way === "bytes" && check.needs?.length && DECODES.includes(check.cause)) return [CAUSES.text, ...ended];
    // What is split may have arrived joined: where single bytes do no harm, pieces are not the trouble.
    const inPieces = ways.get("bytes") === false || (ways.get("split") === false && ways.get("joined") !== false);
    return [inPieces ? CAUSES.oneRecv : CAUSES.joined, ...ended];
  }
  if (broken.why !== undefined) return [broken.why];
  const cause = causeOn(transport, wire, check.cause);
  const usual = cause === undefined ? [] : [cause];
  if (ended.length > 0) return [...ended, ...usual];
  const awaited = AWAITS.includes(broken.does);
  const unfinished = broken.kind === "silence" && awaited && broken.bytes !== undefined;
  if (unfinished || broken.unreadable) {
    // What it needs has shown that other messages are whole.
    return check.needs?.length ? [...usual, CAUSES.unframed] : [CAUSES.unframed, ...usual];
  }
  if (broken.left) return [CAUSES.onlyOne, ...usual];
  // A connection that stays open behind all that was to come is another matter than one on which nothing came.
  const isSilent = awaited || (broken.does === "expectRest" && broken.bytes === undefined);
  if (broken.kind === "silence" && isSilent) return [...usual, transport === "udp" ? CAUSES.silence : whySilent(wire)];
  if (broken.kind === "end" && TALKS.includes(broken.does)) return [...usual, CAUSES.hungUp];
  return usual;
}

/** The usual cause, as it is on a transport and in a framing. */
function causeOn(transport: Transport, wire: string, cause: string | undefined): string | undefined {
  if (cause === CAUSES.buffer && transport === "udp") return CAUSES.datagram;
  if (cause === CAUSES.characters && (transport === "udp" || !/^(len|be8)/.test(wire))) return CAUSES.text;
  return cause;
}

/** Causes that lie in how bytes become text. */
const DECODES: readonly (string | undefined)[] = [CAUSES.text, CAUSES.characters];
/** Steps that wait for a message; and those that the end of a connection breaks, and not of a program. */
const AWAITS: readonly Step["do"][] = ["expect", "eventually", "shows"];
const TALKS: readonly Step["do"][] = ["send", "sendBytes", "expect", "eventually", "expectRest", "stays"];

/** The first place where two texts differ, in characters. */
export function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
