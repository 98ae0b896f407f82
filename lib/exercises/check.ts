// The vocabulary of checks: a script of acts and expectations in plain English that judges a server by the wire alone. A
// script is data; lib/grade plays it.
//
// In every text `$alice` stands for a name that is unlike any other in the run, so that a server which forgets to free
// names fails one check and not all that follow.

import type { Transport } from "./exercise.ts";

/** What a received message should be: judged by meaning, not by our wording. */
export interface Expectation {
  /** Completes "alice gets …": `a greeting that names $alice`. */
  readonly what: string;
  /** @param fill replaces `$names` */
  matches(text: string, fill: (template: string) => string): boolean;
}

/** One act or expectation. `who` is a client of the server under test. */
export type Step =
  | { readonly do: "connect"; readonly who: string }
  /** Connects and sends, again and again until it is not sent away: for what a server may take a moment to notice. */
  | { readonly do: "callUntilTaken"; readonly who: string; readonly text: string }
  | { readonly do: "send"; readonly who: string; readonly text: string }
  /** Bytes that are no frame, or a wrong one. `what` completes "alice sends …". */
  | { readonly do: "sendBytes"; readonly who: string; readonly bytes: Uint8Array; readonly what: string }
  /** A matching message comes in time; others before it are passed over. */
  | { readonly do: "expect"; readonly who: string; readonly what: Expectation }
  /** Asks again and again until a matching answer comes: for what a server may take a moment to notice. */
  | { readonly do: "eventually"; readonly who: string; readonly text: string; readonly what: Expectation }
  /** No message since the last expectation that was met, nor up to the next, may match. */
  | { readonly do: "forbid"; readonly who: string; readonly what: Expectation }
  /** The server does not end the connection. */
  | { readonly do: "stays"; readonly who: string }
  /** The server ends the connection, and all it said since the last expectation, joined by LF, matches. */
  | { readonly do: "expectRest"; readonly who: string; readonly what: Expectation }
  /** The server ends the connection. */
  | { readonly do: "expectEnd"; readonly who: string }
  /** The client ends it: `end` says so, `reset` vanishes. */
  | { readonly do: "leave"; readonly who: string; readonly how: "end" | "reset" };

/** A named, weighted script. */
export interface Check {
  /** A sentence that is true when it passes. */
  readonly name: string;
  readonly points: number;
  /** Names of checks without which this one means nothing. */
  readonly needs?: readonly string[];
  /** Where it makes sense, if not on every transport. */
  readonly transports?: readonly Transport[];
  /** For programs that speak another wire than the exercise's usual one: its name, as in `--wire seed`. */
  readonly wire?: string;
  /** True when it makes no sense without message boundaries (`--wire raw`). */
  readonly framed?: boolean;
  readonly steps: readonly Step[];
}

export const connect = (...who: string[]): Step[] => who.map((one) => ({ do: "connect", who: one }));
export const callUntilTaken = (who: string, text: string): Step => ({ do: "callUntilTaken", who, text });
export const send = (who: string, text: string): Step => ({ do: "send", who, text });
/** @param bytes or what makes them, when the check is played: most runs of netlab play none */
export const sendBytes = (who: string, bytes: Uint8Array | (() => Uint8Array), what: string): Step => ({
  do: "sendBytes",
  who,
  get bytes() {
    return typeof bytes === "function" ? bytes() : bytes;
  },
  what,
});
export const expect = (who: string, what: Expectation): Step => ({ do: "expect", who, what });
export const eventually = (who: string, text: string, what: Expectation): Step => ({
  do: "eventually",
  who,
  text,
  what,
});
export const forbid = (who: string, what: Expectation): Step => ({ do: "forbid", who, what });
export const stays = (who: string): Step => ({ do: "stays", who });
export const expectRest = (who: string, what: Expectation): Step => ({ do: "expectRest", who, what });
export const expectEnd = (who: string): Step => ({ do: "expectEnd", who });
export const leave = (who: string, how: "end" | "reset" = "end"): Step => ({ do: "leave", who, how });

/** A message that contains all of `parts`, in any case. */
export function mentions(what: string, ...parts: string[]): Expectation {
  return {
    what,
    matches: (text, fill) => parts.every((part) => text.toLowerCase().includes(fill(part).toLowerCase())),
  };
}

/** A text in which `parts` stand one behind the other. */
export function mentionsInOrder(what: string, ...parts: string[]): Expectation {
  return {
    what,
    matches(text, fill) {
      let at = 0;
      return parts.every((part) => (at = text.indexOf(fill(part), at) + fill(part).length) >= fill(part).length);
    },
  };
}

/** A message that says no. Words of refusal in English count, whatever else it says. */
export function refuses(what: string): Expectation {
  const words =
    /error|invalid|illegal|taken|exist|already|unknown|unrecogni|not |n't|no such|cannot|wrong|fail|must|first/i;
  return { what, matches: (text) => words.test(text) };
}

/** A message that contains `part` and is no refusal: only the plainest words count as one, a greeting may say much. */
export function grants(what: string, part: string): Expectation {
  const words = /\b(error|invalid|illegal|taken|in use|already|not (valid|available|allowed|free)|cannot|failed)\b/i;
  const { matches } = mentions(what, part);
  return { what, matches: (text, fill) => matches(text, fill) && !words.test(text) };
}

/** A list that contains all of `names`, however they are joined. */
export function lists(...names: string[]): Expectation {
  return {
    what: `a list with ${names.join(", ")}`,
    matches: (text, fill) => {
      const words = new Set(text.split(/[\s,;:[\]()'"]+/));
      return names.every((name) => words.has(fill(name)));
    },
  };
}

/** A list that contains none of `names`. */
export function listsWithout(other: string, ...names: string[]): Expectation {
  const all = lists(other);
  return {
    what: `a list with ${other} and without ${names.join(", ")}`,
    matches: (text, fill) => all.matches(text, fill) && !names.some((name) => lists(name).matches(text, fill)),
  };
}

/** A step in plain English. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case "connect":
      return `${step.who} connects`;
    case "callUntilTaken":
      return `${step.who} connects, sends ${step.text}, and is soon not sent away`;
    case "send":
      return `${step.who} sends ${step.text === "" ? "an empty message" : step.text}`;
    case "sendBytes":
      return `${step.who} sends ${step.what}`;
    case "expect":
      return `${step.who} gets ${step.what.what}`;
    case "eventually":
      return `${step.who} sends ${step.text} and soon gets ${step.what.what}`;
    case "forbid":
      return `${step.who} does not get ${step.what.what}`;
    case "stays":
      return `${step.who} stays connected`;
    case "expectRest":
      return `${step.who} gets ${step.what.what}, and the server ends the connection`;
    case "expectEnd":
      return `the server ends ${step.who}'s connection`;
    case "leave":
      return step.how === "end" ? `${step.who} hangs up` : `${step.who} vanishes (reset)`;
  }
}
