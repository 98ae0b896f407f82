// A graded run as data: everything that shows or writes one (terminal, TAP, JUnit, HTML, …) reads this and nothing else.
// Texts hold what programs under test said, as it came: whoever shows them escapes them.

import type { UnmetKind } from "./inbox.ts";

/** How a check ended; `partly`: in the plainest way, and not in every other. */
export type Outcome = "passed" | "partly" | "failed" | "not run";

/** A graded run. */
export interface Report {
  readonly exercise: string;
  readonly kind: "server" | "client";
  /** What was judged: an address, a command, or netlab's own. */
  readonly target: string;
  readonly transport: "tcp" | "udp";
  readonly wire: string;
  /** What decides where messages are cut; the same seed cuts them in the same places. */
  readonly seed: number;
  /** Milliseconds since the epoch, and for how many ms it ran. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly points: number;
  readonly maxPoints: number;
  readonly checks: readonly GradedCheck[];
  /** What else is to be said of the run: `after a restart its port was still in use: …`. */
  readonly notes: readonly string[];
}

/** One check of a run. */
export interface GradedCheck {
  readonly name: string;
  readonly points: number;
  readonly maxPoints: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** How what netlab said was cut into writes, and whether the check passed so. The plainest first. */
  readonly ways: readonly {
    readonly way: string;
    readonly passed: boolean;
    /** It was not played so: this check, which it needs, fails so. */
    readonly as?: string;
  }[];
  /** Why it was not run. */
  readonly because?: string;
  /** The first way in which it failed. */
  readonly failure?: Failure;
}

/** What is known of a failure. */
export interface Failure {
  /** `a write a message`, `split after byte 7`, … */
  readonly way: string;
  /** The steps that went well, and the one that did not, in plain English. */
  readonly done: readonly string[];
  readonly step: string;
  readonly kind: UnmetKind;
  /** What was expected, and which messages would have been taken as one. */
  readonly expected?: string;
  readonly accepts?: string;
  /** What came instead, in a sentence; and all that came since the last step that went well, controls written out. */
  readonly got: string;
  readonly bytes?: string;
  /** Where there was one right text: it, what came, and the first place where they differ, in characters. */
  readonly difference?: { readonly expected: string; readonly got: string; readonly at: number };
  /** The likely cause, a sentence each. */
  readonly causes: readonly string[];
  /** The conversation, an arrow a message. */
  readonly ladder: readonly string[];
  /** What the program under test has printed: the first and the last of it. */
  readonly output: string;
  /** The command that runs just this again. */
  readonly again: string;
}

/** Whether everything passed. */
export const isPerfect = (report: Report): boolean => report.checks.every(({ outcome }) => outcome === "passed");

/** `7.5`, `10`: points without more digits than they need. */
export const formatPoints = (points: number): string => String(Math.round(points * 100) / 100);
