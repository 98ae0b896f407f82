// What a course varies: where its programs are, how they frame, how they word things, and what counts.
//
// Rules map texts as a check's steps show them. In both, `$x` (any name) stands for any of the script's names, and `*` at the
// end for the rest:
//
//     "sends":   { "MSG $to *": "SEND $to: *" }
//     "typed":   { "NAME $me": "$me" }
//     "replies": { "a greeting that names $me": "^Hi,? $me" }       a regular expression, in which the names are plain text
//
// Where a course has more to say, what is sent may become a dialogue: texts, and between them what has to come:
//
//     "sends":   { "HELO $me": ["HELO $me", "^250", "LOGIN $me", "^331", "secret"] }
//
// and what is typed may be a list: lines, or the words that a program is started with, which may have spaces.

import { type Check, expect, type Expectation, send, type Step } from "../exercises/check.ts";
import { NetlabError } from "../protocol/errors.ts";

/** A profile, as its file holds it. */
export interface Profile {
  readonly exercise?: string;
  readonly port?: number;
  readonly transport?: "tcp" | "udp";
  readonly wire?: string;
  /** What netlab sends, and what it types at a client, or says as it starts one. */
  readonly sends?: Readonly<Record<string, string | readonly string[]>>;
  readonly typed?: Readonly<Record<string, string | readonly string[]>>;
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
  sends: (value) => isMap(value, (one) => typeof one === "string" || isDialogue(one)),
  typed: (value) => isMap(value, (one) => typeof one === "string" || isList(one)),
  replies: (value) => isMap(value, (one) => typeof one === "string"),
  points: (value) => isMap(value, (one) => Number.isFinite(one) && Number(one) >= 0),
  leaveOut: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};

function isMap(value: unknown, fits: (one: unknown) => boolean): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(fits);
}

const isList = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");

/** What is sent stands first and last. */
const isDialogue = (value: unknown) => isList(value) && (value as string[]).length % 2 === 1;

/** Reads a profile. @param name what to call it in errors @throws {NetlabError} of kind `usage` */
export function parseProfile(text: string, name: string): Profile {
  const wrong = (why: string) => new NetlabError("usage", `${name} is no profile: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, "")); // which Windows may write
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("it is no JSON object");
  for (const [key, one] of Object.entries(value)) {
    if (!Object.hasOwn(FORM, key)) throw wrong(`"${key}" is none of ${Object.keys(FORM).join(", ")}`);
    if (!FORM[key as keyof Profile](one)) throw wrong(`"${key}" is not of the right form: ${JSON.stringify(one)}`);
  }
  const profile: Profile = value;
  for (const pattern of patternsOf(profile)) {
    try {
      new RegExp(pattern, "i");
    } catch (error) {
      throw wrong((error as Error).message);
    }
  }
  return profile;
}

/** Its regular expressions. */
function patternsOf({ sends = {}, replies = {} }: Profile): string[] {
  const dialogues = Object.values(sends).filter((one) => typeof one !== "string");
  return [...Object.values(replies), ...dialogues.flatMap((texts) => texts.filter((_, i) => i % 2 === 1))];
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
  const step = (one: Step): Step[] => {
    switch (one.do) {
      case "send":
        return dialogue(one.who, sends.apply(one.text) ?? [one.text]);
      case "callUntilTaken":
        return [{ ...one, text: one.text && (sends.apply(one.text)?.at(-1) ?? one.text) }];
      case "start":
        if (one.words.length === 0) return [one];
        return [{ ...one, words: wordsOf(typed.apply(one.words.join(" "))) ?? one.words }];
      case "type":
        return [{ ...one, text: typed.apply(one.text)?.join("\n") ?? one.text }];
      case "eventually":
        return [{ ...one, text: sends.apply(one.text)?.at(-1) ?? one.text, what: expectation(one.what, replies) }];
      case "expect":
      case "forbid":
      case "expectRest":
      case "shows":
        return [{ ...one, what: expectation(one.what, replies) }];
      default:
        return [one];
    }
  };
  for (const { steps } of others) steps.forEach(step);
  // A check that is left out is one that nobody needs.
  const result = checks.filter((check) => !leaveOut.includes(check.name)).map((check): Check => ({
    ...check,
    points: points[check.name] ?? check.points,
    needs: check.needs?.filter((need) => !leaveOut.includes(need)),
    steps: check.steps.flatMap(step),
  }));
  for (const { steps } of [...others, ...checks.filter((check) => leaveOut.includes(check.name))]) steps.forEach(step);
  const idle = [...sends.unused, ...typed.unused, ...replies.unused];
  if (idle.length === 0) return result;
  throw new NetlabError("usage", `${name}: no step says "${idle[0]}"`, {
    hint: "netlab grade EXERCISE --list shows the steps",
  });
}

/** What is said as a program is started: a list as it stands, a text by its spaces. */
const wordsOf = (said: readonly string[] | undefined) => said?.length === 1 ? said[0].split(" ") : said;

/** The steps of a dialogue: what is sent, what has to come, and so on. */
const dialogue = (who: string, texts: readonly string[]): Step[] =>
  texts.map((text, i) =>
    i % 2 === 0 ? send(who, text) : expect(who, { what: `what matches /${text}/`, ...like(text) })
  );

/** What a profile takes as `what`. */
function expectation(what: Expectation, replies: Rules): Expectation {
  const pattern = replies.apply(what.what)?.[0];
  return pattern === undefined ? what : { ...what, exactly: undefined, ...like(pattern) };
}

const like = (pattern: string) => ({
  accepts: `it matches /${pattern}/`,
  matches: (text: string, fill: (template: string) => string) => new RegExp(fillPattern(pattern, fill), "i").test(text),
});

/** Names are letters only, and so mean themselves in a pattern; `$` at its end stays what it is. */
const fillPattern = (pattern: string, fill: (template: string) => string) =>
  pattern.replace(/\$[a-z]+/g, (name) => fill(name));

/** Rules by the texts they are for. */
class Rules {
  readonly #rules: readonly { readonly from: string; readonly pattern: RegExp; readonly to: readonly string[] }[];
  readonly #used = new Set<string>();

  constructor(rules: Readonly<Record<string, string | readonly string[]>> = {}) {
    this.#rules = Object.entries(rules).map(([from, to]) => {
      const source = from.replace(
        /\$([a-z]+)|(\*$)|([\\^$.*+?()[\]{}|])/g,
        (_, name, rest, special) => name ? `(?<${name}>\\$[a-z]+)` : rest ? "(?<_rest>[^]*)" : `\\${special}`,
      );
      return { from, pattern: new RegExp(`^${source}$`), to: [to].flat() };
    });
  }

  /** Rules that no text has met. */
  get unused(): string[] {
    return this.#rules.map(({ from }) => from).filter((from) => !this.#used.has(from));
  }

  /** What a text becomes. */
  apply(text: string): string[] | undefined {
    for (const { from, pattern, to } of this.#rules) {
      const groups = pattern.exec(text)?.groups ?? (pattern.test(text) ? {} : null);
      if (groups === null) continue;
      this.#used.add(from);
      const put = (found: string, name?: string) => (name ? groups[name] : groups._rest) ?? found;
      return to.map((one) => one.replace(/\$([a-z]+)|\*$/g, put));
    }
  }
}
