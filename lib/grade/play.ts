// Plays a check: its script, step by step, until one fails. What is known of a failure is the steps so far, the one that
// broke, and what came instead.

import { type Check, describeStep, type Expectation, type Step } from "../exercises/check.ts";
import { NetlabError } from "../protocol/errors.ts";
import { Unmet, type UnmetKind } from "./inbox.ts";
import { isGoodEnd } from "./program.ts";
import { Stage, type StageOptions } from "./stage.ts";

/** The step that broke a check. */
export interface Break {
  /** In plain English. */
  readonly step: string;
  /** What kind of step it is. */
  readonly does: Step["do"];
  /** What came instead. */
  readonly because: string;
  readonly kind: UnmetKind;
  /** What was expected: `a greeting that names alice`; what would have been taken as one; or the one right text. */
  readonly expected?: string;
  readonly accepts?: string;
  readonly exactly?: string;
  /** The text that came instead, where one came, and all that came since the last step that went well, as bytes. */
  readonly got?: string;
  readonly bytes?: string;
  /** Why, where that is known: a sentence for the student. */
  readonly why?: string;
  /** Whether what came could not be read as messages. */
  readonly unreadable?: boolean;
  /** How the program under test ended, if it did, and not in good order. */
  readonly death?: string;
  /** It ended in good order, though it should run, and nothing came any more. */
  readonly left?: boolean;
}

/** How one play ended. */
export interface Played {
  /** The steps that went well, in plain English. */
  readonly done: readonly string[];
  /** Null when it passed. */
  readonly broken: Break | null;
  /** What clients under test have printed. */
  readonly output: string;
}

/** Plays one check. @throws what is no fault of the program under test */
export async function play(check: Check, options: StageOptions): Promise<Played> {
  const stage = new Stage(options);
  const done: string[] = [];
  try {
    for (const [i, step] of check.steps.entries()) {
      const text = stage.fill(describeStep(step));
      try {
        await stage.flush(step.do === "send" || step.do === "sendBytes" ? step.who : undefined);
        await playStep(stage, step, check.steps[i + 1]);
      } catch (error) {
        if (!(error instanceof Unmet) && !isPeers(error)) throw error;
        return { done, broken: describeBreak(stage, step, text, error), output: stage.output };
      }
      done.push(text);
    }
    // What ends only when everybody hangs up has played all of it.
    return { done, broken: describeDeath(options.death?.() ?? null), output: stage.output };
  } finally {
    await stage.close();
  }
}

/** A server that has ended while it was not needed is as broken as one that was, unless it ended in good order. */
function describeDeath(death: string | null): Break | null {
  if (death === null || isGoodEnd(death)) return null;
  return { step: "the server goes on running", does: "runs", because: `the program ${death}`, kind: "end", death };
}

/** Whether an error is the other side's doing. */
function isPeers(error: unknown): error is NetlabError {
  return error instanceof NetlabError && error.kind !== "harness" && error.kind !== "usage";
}

function describeBreak(stage: Stage, step: Step, text: string, error: Unmet | NetlabError): Break {
  const what: Expectation | undefined = "what" in step && typeof step.what !== "string" ? step.what : undefined;
  const fill = (template: string | undefined) => template === undefined ? undefined : stage.fill(template);
  return {
    step: text,
    does: step.do,
    because: error.message,
    kind: error instanceof Unmet ? error.kind : "end",
    expected: fill(what?.what),
    accepts: fill(what?.accepts),
    exactly: fill(what?.exactly),
    got: error instanceof Unmet ? error.got.at(-1) : undefined,
    bytes: stage.latest?.received ?? undefined,
    why: (error instanceof Unmet ? error.why : undefined) ?? stage.latest?.misframed ?? undefined,
    unreadable: stage.latest?.unreadable,
    death: stage.death ?? undefined,
  };
}

async function playStep(stage: Stage, step: Step, next?: Step): Promise<void> {
  switch (step.do) {
    case "connect":
      return await stage.connect(step.who);
    case "callUntilTaken":
      return await stage.callUntilTaken(step.who, step.text);
    case "send":
      return await stage.actor(step.who).send(step.text);
    case "sendBytes":
      return await stage.actor(step.who).send(step.bytes);
    case "flood":
      return await stage.actor(step.who).flood(step.text, step.bytes);
    case "pauseReading":
      return stage.actor(step.who).pauseReading();
    case "expect":
      return stage.keep(step.what, await stage.actor(step.who).expect(step.what));
    case "eventually":
      return await stage.actor(step.who).eventually(step.text, step.what);
    case "forbid":
      return stage.forbid(step.who, step.what);
    case "stays":
      return await stage.actor(step.who).stays();
    case "expectRest":
      return await stage.actor(step.who).expectRest(step.what);
    case "expectEnd":
      return await stage.actor(step.who).expectEnd();
    case "leave":
      return await stage.actor(step.who).leave(step.how, next?.do === "expectEnd" && next.who === step.who);
    case "start":
      return await stage.start(step.who, step.words);
    case "accept":
      return await stage.accept(step.who);
    case "type":
      return await stage.type(step.who, step.text);
    case "endInput":
      return await stage.program(step.who).endInput();
    case "shows":
      return await stage.shows(step.who, step.what);
    case "exits":
      return await stage.exits(step.who, step.how);
    case "runs":
      return await stage.runs(step.who);
  }
}

/** 0 as `a`, 25 as `z`, 26 as `ba`. */
export function letters(index: number): string {
  const text = String.fromCharCode(97 + index % 26);
  return index < 26 ? text : letters(Math.floor(index / 26)) + text;
}
