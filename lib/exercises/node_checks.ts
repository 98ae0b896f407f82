// What checks of a peer and of a node of a mesh ask in the same way: programs that are called, and call where they are told.

import { CAUSES } from "./causes.ts";
import { tells } from "./check_parts.ts";
import {
  callUntilTaken,
  type Check,
  exactly,
  expect,
  type Expectation,
  runs,
  SERVER,
  shows,
  stays,
  type Step,
  type,
} from "./check.ts";

/** What is usually wrong with either. */
export const NODE_CAUSES = {
  takes: "accept() has to be called while the program waits for what is typed, in a thread of its own, say",
  ends: CAUSES.ends,
  refused: CAUSES.refused,
} as const;

export const TAKES = "a caller is taken, and may stay";

/** A caller that says hello is taken. */
export const comes = (...who: string[]): Step[] => who.map((one) => callUntilTaken(one, `hello from $${one}`));

/** The first two checks of one that is called: who takes callers and does not show what they say is no use to anybody. */
export const calledChecks = (
  shown: string,
  points: readonly [takes: number, shows: number],
  cause: string,
): Check[] => [
  {
    name: TAKES,
    points: points[0],
    cause: NODE_CAUSES.takes,
    steps: [callUntilTaken("alice"), stays("alice")],
  },
  {
    name: shown,
    points: points[1],
    cause,
    // What the end of the caller before has done to it is asked by others.
    afresh: true,
    needs: [TAKES],
    steps: [
      ...comes("alice"),
      ...tells("alice", SERVER, "this is $alice"),
      ...tells("alice", SERVER, "and that is all from $alice"),
    ],
  },
];

/** What is typed at `at` with `words` before it comes to one end, and nothing but that. */
export const sendsExactly = (at: string, words: string, who: string, text: string): Step[] => [
  type(at, `${words} ${text}`),
  expect(who, exactly(text)),
];

const refusal: Expectation = {
  what: "that this cannot be done",
  accepts: "it says no, not, nobody, none, unknown, invalid, error, failed, refused, first, or the like",
  matches: (text) => /\bno\b|not |n't|nobody|none|unknown|invalid|error|fail|refuse|unable|cannot|first/i.test(text),
};

/** What cannot be done is said, and is no end. */
export const cannot = (at: string, line: string): Step[] => [type(at, line), shows(at, refusal), runs(at)];
