// From arguments and environment to values, by the option tables. Options win over environment, environment over defaults.

import { parseArgs } from "@std/cli/parse-args";
import { formatDuration, formatSize, type OptionSpec, type OptionValues } from "../exercises/options.ts";
import { NetlabError } from "../protocol/errors.ts";
import { didYouMean } from "./suggest.ts";

/** How a value of each type looks, for messages and help. */
const EXPECTED = {
  flag: "true or false",
  string: "text",
  number: "a whole number",
  duration: "a duration such as 500ms, 30s, 5m, 1h",
  milliseconds: "milliseconds, or a duration such as 500ms, 2s",
  size: "a size such as 1500, 64k, 10M, 1G",
};

/** A command line, taken apart. */
export interface ParsedLine {
  readonly positionals: readonly string[];
  readonly values: OptionValues;
}

/** The minus of what is no option: of a number, or of text such as `- 7 6`; `--port 0` in one word is meant for one. */
const NO_OPTION = /^-(?=\d|(?!-\w)[^=]*\s)/;
/** Stands for that minus meanwhile. */
const MINUS = "\0-";
/** Stands for the value that is missing, where an empty one would be one. */
const MISSING = "\0";

/** The environment variable of an option: `max-clients` is `NETLAB_MAX_CLIENTS`. */
export function envName(option: string): string {
  return `NETLAB_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** What is typed for a command without minding whether its options are right: the words that are no options. */
export function positionalsOf(args: readonly string[], specs: readonly OptionSpec[]): string[] {
  return toWords(args, specs, () => {})._.map(String);
}

/**
 * Parses `args` by `specs`.
 *
 * @param whyNot says of an option that is none why it is none here, where that is known
 * @throws {NetlabError} of kind `usage`
 */
export function parseLine(
  args: readonly string[],
  specs: readonly OptionSpec[],
  env: (name: string) => string | undefined,
  whyNot: (option: string) => string | null = () => null,
): ParsedLine {
  const names = specs.map((spec) => `--${spec.name}`);
  const parsed = toWords(args, specs, (option) => {
    const why = whyNot(option);
    if (why !== null) throw new NetlabError("usage", why);
    throw new NetlabError("usage", `no such option: ${option}${didYouMean(option, names)}`, {
      hint: "--help lists the options",
    });
  });
  const values: Record<string, string | number | boolean | undefined> = {};
  for (const spec of specs) {
    const given = (spec.repeats ? joinLines(spec, parsed[spec.name]) : parsed[spec.name]) as string | undefined;
    const fromEnv = env(envName(spec.name));
    if (given !== undefined) values[spec.name] = readValue(spec, given, `--${spec.name}`);
    else if (fromEnv) values[spec.name] = readValue(spec, fromEnv, envName(spec.name));
    else values[spec.name] = spec.default;
  }
  return { positionals: parsed._.map(String), values };
}

/** What an option was given that may be said several times. */
function joinLines({ name }: OptionSpec, given: unknown): unknown {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  if (given.some((one) => one.includes("\n"))) {
    throw new NetlabError("usage", `--${name} takes one line`, { hint: "it may be said several times" });
  }
  return given.includes("") ? "" : given.join("\n"); // one without a value is an error as anywhere
}

function toWords(args: readonly string[], specs: readonly OptionSpec[], onUnknown: (option: string) => void) {
  const alone = new Map(specs.flatMap((spec) => {
    const value = spec.type === "flag" ? "true" : spec.bare;
    return value === undefined ? [] : [[`--${spec.name}`, `--${spec.name}=${value}`]];
  }));
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  const bySpelling = new Map(specs.map((spec) => [`--${spec.name}`, spec]));
  const named: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const arg = options[i];
    const next = options[i + 1];
    const { bare, choices, suffix = null, type, empty = false } = bySpelling.get(arg) ?? {};
    const takesNext = bare !== undefined && next !== undefined &&
      (choices?.includes(next) || (suffix !== null && next.endsWith(suffix)));
    // A lone minus is a value: standard input or output. An empty word is no word of its own, nor is text an option.
    const isValue = next === "-" || next === "" || /\s/.test(next ?? "");
    if (isValue && type !== undefined && !alone.has(arg)) named.push(`${arg}=${options[++i]}`);
    else if (empty && /^-(?!\d)/.test(next ?? "--")) named.push(`${arg}=${MISSING}`);
    else if (takesNext) named.push(arg);
    else named.push(alone.get(arg) ?? (arg === "-h" ? "--help=true" : arg).replace(NO_OPTION, MINUS));
  }
  // For the parser --no-x is the negation of --x; an option may be called so all the same.
  const negative = named.map((word) =>
    bySpelling.has(word.replace(/=.*/s, "")) ? word.replace(/^--no-/, "--no:") : word
  );
  // The parser keeps what is no option by this name.
  const isHidden = (word: string) => /^--_(=|$)/.test(word);
  if (negative.some(isHidden)) onUnknown("--_");
  const parsed = parseArgs([...negative.filter((word) => !isHidden(word)), ...args.slice(options.length)], {
    string: ["_", ...specs.map((spec) => spec.name.replace(/^no-/, "no:"))],
    collect: specs.filter((spec) => spec.repeats).map((spec) => spec.name),
    unknown: (arg) => {
      if (arg.startsWith("-") && arg !== "-") onUnknown(arg.replace(/=.*/, ""));
      return true;
    },
  });
  const restore = (word: unknown) => typeof word === "string" ? word.replace(MINUS, "-") : word;
  for (const [name, value] of Object.entries(parsed)) {
    parsed[name.replace(/^no:/, "no-")] = Array.isArray(value) ? value.map(restore) : restore(value);
  }
  return parsed;
}

function readValue(spec: OptionSpec, text: string, source: string): string | number | boolean {
  const expected = spec.choices ? `one of ${spec.choices.join(", ")}` : EXPECTED[spec.type] + rangeOf(spec);
  if (text === MISSING || (text === "" && !spec.empty)) {
    const value = spec.type === "string" && !spec.choices ? spec.value ?? expected : expected;
    throw new NetlabError("usage", `${source} needs a value: ${value}`);
  }
  const value = spec.type === "string" ? text : spec.type === "flag" ? readFlag(text) : readNumber(spec.type, text);
  const { choices = [], min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  const allowed = spec.choices ? choices.includes(text) : typeof value !== "number" || (value >= min && value <= max);
  if (value !== undefined && allowed) return value;
  const meant = spec.meant?.(text) ?? null;
  throw new NetlabError(
    "usage",
    `${source} takes ${expected}, not ${JSON.stringify(text)}${didYouMean(text, choices)}`,
    { hint: meant === null ? undefined : `did you mean ${meant}?` },
  );
}

function readFlag(text: string): boolean | undefined {
  return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : undefined;
}

/** The limits of a number, in words. */
function rangeOf({ type, min = 0, max }: OptionSpec): string {
  const format = { duration: formatDuration, milliseconds: formatDuration, size: formatSize, number: String }[
    type as string
  ];
  if (!format) return "";
  if (max !== undefined) return ` from ${format(min)} to ${format(max)}`;
  return min > 0 ? `, at least ${format(min)}` : "";
}

/** What a bare number counts, and the larger units. */
const UNITS = {
  number: new Map([["", 1]]),
  duration: new Map([["", 1000], ["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]]),
  milliseconds: new Map([["", 1], ["ms", 1], ["s", 1000], ["m", 60_000]]),
  size: new Map([["", 1], ["k", 2 ** 10], ["K", 2 ** 10], ["M", 2 ** 20], ["G", 2 ** 30]]),
};

function readNumber(type: "number" | "duration" | "milliseconds" | "size", text: string): number | undefined {
  const match = (type === "number" ? /^(\d+)()$/ : /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/).exec(text);
  const unit = match ? UNITS[type].get(match[2]) : undefined;
  return unit === undefined ? undefined : Math.round(Number(match![1]) * unit);
}
