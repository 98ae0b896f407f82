// The vocabulary of checks: a script of acts and expectations in plain English that judges a program by the wire alone: a
// server, whose clients netlab plays, or a client, whose server netlab plays. A script is data; lib/grade plays it.
//
// In every text `$alice` stands for a name that is unlike any other in the run, so that a server which forgets to free
// names fails one check and not all that follow; `{host}` and `{port}` for where netlab is called, and `{session}` or the like
// for what an expectation has kept.

import type { Transport } from "./exercise.ts";

/** What a received message should be: judged by meaning, not by our wording. */
export interface Expectation {
  /** Completes "alice gets …": `a greeting that names $alice`. */
  readonly what: string;
  /** Which messages are one, where `what` leaves that open: completes "taken as one: …". */
  readonly accepts?: string;
  /** The one text that it has to be, where there is only one. */
  readonly exactly?: string;
  /** Its named groups are kept: `{session}` stands for them in what is said later. */
  readonly keeps?: RegExp;
  /** How much longer than other messages it may take, in ms: for what comes when the program's own patience ends. */
  readonly extraMs?: number;
  /** It answers what was sent last: what had come before that is none, as the greeting of every client. */
  readonly answers?: boolean;
  /** The end of the connection is as good. */
  readonly orEnd?: boolean;
  /** @param fill replaces `$names` */
  matches(text: string, fill: (template: string) => string): boolean;
}

/** Who stands for the server under test where somebody is at it: for `type`, `shows` and `forbid`. */
export const SERVER = "the server";

/** One act or expectation. `who` is one end of a connection that netlab plays, or a program under test. */
export type Step =
  // For servers, and for programs that are both ends: netlab calls.
  | { readonly do: "connect"; readonly who: string }
  /**
   * Connects, again and again until it is not sent away: for what a server may take a moment to notice. Whoever says
   * something then is taken when it is shown, where somebody sits at the server.
   */
  | { readonly do: "callUntilTaken"; readonly who: string; readonly text?: string }
  | { readonly do: "send"; readonly who: string; readonly text: string }
  /** Bytes that are no frame, or a wrong one. `what` completes "alice sends …". */
  | { readonly do: "sendBytes"; readonly who: string; readonly bytes: Uint8Array; readonly what: string }
  /**
   * The same message again and again, made as long as its framing and 1000 characters allow, as fast as the other side
   * takes it; `bytes` in all, or until it takes none for a while.
   */
  | { readonly do: "flood"; readonly who: string; readonly text: string; readonly bytes: number }
  /** Reads nothing from now on. */
  | { readonly do: "pauseReading"; readonly who: string }
  /** A matching message comes in time; others before it are passed over. */
  | { readonly do: "expect"; readonly who: string; readonly what: Expectation }
  /** Asks again and again until a matching answer comes: for what a server may take a moment to notice. */
  | { readonly do: "eventually"; readonly who: string; readonly text: string; readonly what: Expectation }
  /** No message since the last expectation that was met, nor up to the next, may match. */
  | { readonly do: "forbid"; readonly who: string; readonly what: Expectation }
  /** The other side does not end the connection. What was forbidden has not come, and may come behind this. */
  | { readonly do: "stays"; readonly who: string }
  /** The server ends the connection, and all it said since the last expectation, joined by LF, matches. */
  | { readonly do: "expectRest"; readonly who: string; readonly what: Expectation }
  /** The server ends the connection. */
  | { readonly do: "expectEnd"; readonly who: string }
  /** Netlab ends it: `end` says so, `reset` vanishes. */
  | { readonly do: "leave"; readonly who: string; readonly how: "end" | "reset" }
  // For programs under test: netlab stands at the keyboard, and is called by clients.
  /** Starts the client under test. `words`: what the check wants of it, as `netlab connect` takes it behind the address. */
  | { readonly do: "start"; readonly who: string; readonly words: readonly string[] }
  /** The client under test calls; `who` is netlab's end from now on. */
  | { readonly do: "accept"; readonly who: string }
  /** A line into the program's standard input. */
  | { readonly do: "type"; readonly who: string; readonly text: string }
  /** The end of its standard input. */
  | { readonly do: "endInput"; readonly who: string }
  /** A matching line comes on its standard output or error; others before it are passed over. */
  | { readonly do: "shows"; readonly who: string; readonly what: Expectation }
  /** It ends in time: `well` with status 0, `badly` with another, by no signal in either case. */
  | { readonly do: "exits"; readonly who: string; readonly how: "well" | "badly" | "somehow" }
  /** It does not end. */
  | { readonly do: "runs"; readonly who: string };

/** A named, weighted script. */
export interface Check {
  /** A sentence that is true when it passes. */
  readonly name: string;
  readonly points: number;
  /** What is usually wrong when it fails: a sentence for the student, with what to do. */
  readonly cause?: string;
  /** Names of checks without which this one means nothing. */
  readonly needs?: readonly string[];
  /** Where it makes sense, if not on every transport. */
  readonly transports?: readonly Transport[];
  /** For programs that speak another wire than the exercise's usual one: its name, as in `--wire seed`. */
  readonly wire?: string;
  /** True when it makes no sense without message boundaries (`--wire raw`). */
  readonly framed?: boolean;
  /** True for a server that nobody can sit at: it stands in for the checks that need somebody there. */
  readonly unattended?: boolean;
  /** For a server that nobody has called yet: where what earlier callers left would matter, on any transport or on one. */
  readonly afresh?: true | Transport;
  readonly steps: readonly Step[];
}

export const connect = (...who: string[]): Step[] => who.map((one) => ({ do: "connect", who: one }));
export const callUntilTaken = (who: string, text?: string): Step => ({ do: "callUntilTaken", who, text });
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
export const flood = (who: string, text: string, bytes: number): Step => ({ do: "flood", who, text, bytes });
export const pauseReading = (who: string): Step => ({ do: "pauseReading", who });
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
export const start = (who: string, ...words: string[]): Step => ({ do: "start", who, words });
export const accept = (who: string): Step => ({ do: "accept", who });
export const type = (who: string, text: string): Step => ({ do: "type", who, text });
export const endInput = (who: string): Step => ({ do: "endInput", who });
export const shows = (who: string, what: Expectation): Step => ({ do: "shows", who, what });
export const exits = (who: string, how: "well" | "badly" | "somehow" = "somehow"): Step => ({ do: "exits", who, how });
export const runs = (who: string): Step => ({ do: "runs", who });
export const leave = (who: string, how: "end" | "reset" = "end"): Step => ({ do: "leave", who, how });

/** A message that contains all of `parts`, in any case. */
export function mentions(what: string, ...parts: string[]): Expectation {
  return {
    what,
    accepts: `it contains ${parts.map((part) => `"${part}"`).join(" and ")}, whatever else it says`,
    matches: (text, fill) => parts.every((part) => text.toLowerCase().includes(fill(part).toLowerCase())),
  };
}

/** A message that contains all of a long text. */
export function wholeText(text: string): Expectation {
  return {
    what: `the text of ${text.length} characters in one piece`,
    accepts: "it contains all of them, whatever else it says",
    matches: (message) => message.includes(text),
  };
}

/** A text in which `parts` stand one behind the other. */
export function mentionsInOrder(what: string, ...parts: string[]): Expectation {
  return {
    what,
    accepts: `it contains ${parts.map((part) => `"${part}"`).join(" and then ")}`,
    matches(text, fill) {
      let at = 0;
      return parts.every((part) => (at = text.indexOf(fill(part), at) + fill(part).length) >= fill(part).length);
    },
  };
}

/** `what`, though it comes only when the program under test has waited for something else in vain. */
export const inItsTime = (what: Expectation, extraMs = 3000): Expectation => ({ ...what, extraMs });

/** `what`, or nothing more at all. */
export const orEnd = (what: Expectation): Expectation => ({
  ...what,
  what: `${what.what}, or the end of the connection`,
  orEnd: true,
});

/** An answer that says no. Words of refusal in English count, whatever else it says. */
export function refuses(what: string): Expectation {
  const words = new RegExp(
    "error|invalid|illegal|taken|exist|already|unknown|unrecogni|undefined|unsupported|unavailable|unable|not\\b|n't|not_|" +
      "nobody|no such|cannot|wrong|fail|must|first|sorry|in use|incorrect|denied|rejected|refused|forbidden|missing|usage|" +
      "\\b(bad|used|another|different|duplicate|occupied|offline|only|please|available commands)\\b|" +
      "\\bno (one|user|client|name|command|person|member|recipient)\\b",
    "i",
  );
  return {
    what,
    accepts: "it says error, invalid, taken, unknown, not …, or the like",
    answers: true,
    matches: (text) => words.test(text),
  };
}

/** A message that contains `part` and is no refusal: only what says nothing else counts as one, a greeting may say much. */
export function grants(what: string, part: string): Expectation {
  const words = new RegExp(
    "\\b(error|invalid|illegal|sorry|cannot|failed|not (valid|available|allowed|free)|already (exists|registered)|" +
      "(already|been|currently|is|name) (taken|used|in use))\\b",
    "i",
  );
  const { matches } = mentions(what, part);
  return {
    what,
    accepts: `it contains "${part}" and says nothing of an error`,
    matches: (text, fill) => matches(text, fill) && !words.test(text),
  };
}

/** Exactly this text; spaces at its end do not count. */
export function exactly(template: string): Expectation {
  return {
    what: `"${template}"`,
    exactly: template,
    matches: (text, fill) => text.trimEnd() === fill(template).trimEnd(),
  };
}

/** A list that contains all of `names`, however they are joined. */
export function lists(...names: string[]): Expectation {
  return {
    what: `a list with ${names.join(", ")}`,
    accepts: "the names are words in one message, however they are joined",
    matches: (text, fill) => {
      const words = new Set(text.split(/[\s,;:[\]()'"]+/));
      return names.every((name) => words.has(fill(name)));
    },
  };
}

/** A list that contains `other`, and none of `names`. */
export function listsWithout(other: string, ...names: string[]): Expectation {
  const all = lists(other);
  return {
    what: `a list with ${other} and without ${names.join(", ")}`,
    accepts: "the names are words in one message, however they are joined",
    matches: (text, fill) => all.matches(text, fill) && !names.some((name) => lists(name).matches(text, fill)),
  };
}

/** Checks of programs that speak the seed's own wire. Names are for all wires: theirs say so. */
export const ofSeed = (checks: readonly Check[]): Check[] => {
  const named = (name: string) => `${name} (seed)`;
  return checks.map((check) => ({
    ...check,
    name: named(check.name),
    needs: check.needs?.map(named),
    wire: "seed",
  }));
};

/** Whether somebody has to sit at the server. */
export const needsPerson = ({ steps }: Check): boolean => steps.some((step) => step.who === SERVER);

/** A text in a step's words; of a long one, its beginning. */
function shown(text: string): string {
  if (text === "") return "an empty message";
  return text.length <= 120 ? text : `${text.slice(0, 40)}… (${text.length} characters)`;
}

/** A step in plain English. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case "connect":
      return `${step.who} connects`;
    case "callUntilTaken":
      return step.text === undefined
        ? `${step.who} connects, and is soon not sent away`
        : `${step.who} connects, sends ${step.text}, and is soon taken`;
    case "send":
      return `${step.who} sends ${shown(step.text)}`;
    case "sendBytes":
      return `${step.who} sends ${step.what}`;
    case "flood":
      return `${step.who} sends ${step.text}xxx… again and again, ${step.bytes} bytes in all`;
    case "pauseReading":
      return `${step.who} stops reading`;
    case "expect":
      return `${step.who} gets ${step.what.what}`;
    case "eventually":
      return `${step.who} sends ${step.text} and soon gets ${step.what.what}`;
    case "forbid":
      return `${step.who} does not ${step.who === SERVER ? "show" : "get"} ${step.what.what}`;
    case "stays":
      return `${step.who} stays connected`;
    case "expectRest":
      return `${step.who} gets ${step.what.what}, and the connection ends`;
    case "expectEnd":
      return `${step.who}'s connection is ended by the other side`;
    case "leave":
      return step.how === "end" ? `${step.who} hangs up` : `${step.who} vanishes`;
    case "start":
      return `${step.who} is started${step.words.length === 0 ? "" : ` with ${step.words.join(" ")}`}`;
    case "accept":
      return `${step.who} is called`;
    case "type":
      return step.text === "" ? `an empty line is typed at ${step.who}` : `${shown(step.text)} is typed at ${step.who}`;
    case "endInput":
      return `the input of ${step.who} ends`;
    case "shows":
      return `${step.who} shows ${step.what.what}`;
    case "exits":
      return `${step.who} ends${
        { well: " with status 0", badly: " with a status other than 0", somehow: "" }[step.how]
      }`;
    case "runs":
      return `${step.who} goes on running`;
  }
}
