// What a course varies: where its programs are, how they frame, how they word things, and what counts.
//
// Rules map texts as a check's steps show them. In both, `$x` (any name) stands for any of the script's names, and `*` at the
// end for the rest:
//
//     "sends":   { "MSG $to *": "SEND $to: *" }
//     "typed":   { "NAME $me": "$me" }
//     "replies": { "a greeting that names $me": "^Hi,? $me" }       a regular expression, in which the names are plain text

import type { Check, Expectation, Step } from "../exercises/check.ts";
import { NetlabError } from "../protocol/errors.ts";

/** A profile, as its file holds it. */
export interface Profile {
  readonly exercise?: string;
  readonly port?: number;
  readonly transport?: "tcp" | "udp";
  readonly wire?: string;
  /** What netlab sends, and what it types at a client. */
  readonly sends?: Readonly<Record<string, string>>;
  readonly typed?: Readonly<Record<string, string>>;
  /** What counts as what, as regular expressions; they ignore case. */
  readonly replies?: Readonly<Record<string, string>>;
  /** Points, by the name of a check. */
  readonly points?: Readonly<Record<string, number>>;
  /** Names of checks that do not count. */
  readonly leaveOut?: readonly string[];
}

const FORM: Readonly<Record<keyof Profile, (value: unknown) => boolean>> = {
  exercise: (value) => typeof value === "string",
  port: (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  transport: (value) => value === "tcp" || value === "udp",
  wire: (value) => typeof value === "string",
  sends: (value) => isMap(value, "string"),
  typed: (value) => isMap(value, "string"),
  replies: (value) => isMap(value, "string"),
  points: (value) => isMap(value, "number"),
  leaveOut: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};

function isMap(value: unknown, of: string): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === of);
}

/** Reads a profile. @param name what to call it in errors @throws {NetlabError} of kind `usage` */
export function parseProfile(text: string, name: string): Profile {
  const wrong = (why: string) => new NetlabError("usage", `${name} is no profile: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("it is no JSON object");
  for (const [key, one] of Object.entries(value)) {
    const form = FORM[key as keyof Profile];
    if (form === undefined) throw wrong(`"${key}" is none of ${Object.keys(FORM).join(", ")}`);
    if (!form(one)) throw wrong(`"${key}" is not of the right form: ${JSON.stringify(one)}`);
  }
  return value;
}

/**
 * The checks as the profile wants them.
 *
 * @param others checks of the other kind, of clients or of servers: a profile may be for both
 * @throws {NetlabError} of kind `usage` for what names no check or no step
 */
export function applyProfile(
  checks: readonly Check[],
  profile: Profile,
  name: string,
  others: readonly Check[] = [],
): Check[] {
  const { points = {}, leaveOut = [] } = profile;
  const all = [...checks, ...others];
  for (const known of [...Object.keys(points), ...leaveOut]) {
    if (all.some((check) => check.name === known)) continue;
    throw new NetlabError("usage", `${name}: no check is called "${known}"`, { hint: "netlab grade EXERCISE --list" });
  }
  const sends = new Rules(profile.sends);
  const typed = new Rules(profile.typed);
  const replies = new Rules(profile.replies);
  const step = (one: Step): Step => {
    switch (one.do) {
      case "send":
      case "callUntilTaken":
        return { ...one, text: sends.apply(one.text) ?? one.text };
      case "type":
        return { ...one, text: typed.apply(one.text) ?? one.text };
      case "eventually":
        return { ...one, text: sends.apply(one.text) ?? one.text, what: expectation(one.what, replies) };
      case "expect":
      case "forbid":
      case "expectRest":
      case "shows":
        return { ...one, what: expectation(one.what, replies) };
      default:
        return one;
    }
  };
  for (const { steps } of others) steps.forEach(step);
  // A check that is left out is one that nobody needs.
  const result = checks.filter((check) => !leaveOut.includes(check.name)).map((check): Check => ({
    ...check,
    points: points[check.name] ?? check.points,
    needs: check.needs?.filter((need) => !leaveOut.includes(need)),
    steps: check.steps.map(step),
  }));
  for (const { steps } of [...others, ...checks.filter((check) => leaveOut.includes(check.name))]) steps.forEach(step);
  const idle = [...sends.unused, ...typed.unused, ...replies.unused];
  if (idle.length === 0) return result;
  throw new NetlabError("usage", `${name}: no step says "${idle[0]}"`, {
    hint: "netlab grade EXERCISE --list shows the steps",
  });
}

/** What a profile takes as `what`. */
function expectation(what: Expectation, replies: Rules): Expectation {
  const pattern = replies.apply(what.what);
  if (pattern === undefined) return what;
  return {
    ...what,
    exactly: undefined,
    accepts: `it matches /${pattern}/`,
    matches: (text, fill) => new RegExp(fillPattern(pattern, fill), "i").test(text),
  };
}

/** Names are letters only, and so mean themselves in a pattern; `$` at its end stays what it is. */
const fillPattern = (pattern: string, fill: (template: string) => string) =>
  pattern.replace(/\$[a-z]+/g, (name) => fill(name));

/** Rules by the texts they are for. */
class Rules {
  readonly #rules: readonly { readonly from: string; readonly pattern: RegExp; readonly to: string }[];
  readonly #used = new Set<string>();

  constructor(rules: Readonly<Record<string, string>> = {}) {
    this.#rules = Object.entries(rules).map(([from, to]) => {
      const source = from.replace(
        /\$([a-z]+)|(\*$)|([\\^$.*+?()[\]{}|])/g,
        (_, name, rest, special) => name ? `(?<${name}>\\$[a-z]+)` : rest ? "(?<_rest>[^]*)" : `\\${special}`,
      );
      return { from, pattern: new RegExp(`^${source}$`), to };
    });
  }

  /** Rules that no text has met. */
  get unused(): string[] {
    return this.#rules.map(({ from }) => from).filter((from) => !this.#used.has(from));
  }

  apply(text: string): string | undefined {
    for (const { from, pattern, to } of this.#rules) {
      const groups = pattern.exec(text)?.groups ?? (pattern.test(text) ? {} : null);
      if (groups === null) continue;
      this.#used.add(from);
      return to.replace(/\$([a-z]+)|\*$/g, (found, name) => (name ? groups[name] : groups._rest) ?? found);
    }
  }
}
