// From arguments and environment to values, by the option tables. Options win over environment, environment over defaults.

import { parseArgs } from "@std/cli/parse-args";
import type { OptionSpec, OptionValues } from "../exercises/options.ts";
import { NetlabError } from "../protocol/errors.ts";
import { didYouMean } from "./suggest.ts";

/** How a value of each type looks, for messages and help. */
const EXPECTED = {
  flag: "true or false",
  string: "text",
  number: "a whole number",
  duration: "a duration such as 500ms, 30s, 5m, 1h",
  size: "a size such as 1500, 64k, 10M, 1G",
};

/** A command line, taken apart. */
export interface ParsedLine {
  readonly positionals: readonly string[];
  readonly values: OptionValues;
}

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
 * @throws {NetlabError} of kind `usage`
 */
export function parseLine(
  args: readonly string[],
  specs: readonly OptionSpec[],
  env: (name: string) => string | undefined,
): ParsedLine {
  const names = specs.map((spec) => `--${spec.name}`);
  const parsed = toWords(args, specs, (option) => {
    throw new NetlabError("usage", `no such option: ${option}${didYouMean(option, names)}`, {
      hint: "--help lists the options",
    });
  });
  const values: Record<string, string | number | boolean | undefined> = {};
  for (const spec of specs) {
    const given = parsed[spec.name];
    const fromEnv = env(envName(spec.name));
    if (typeof given === "string" || given === true) values[spec.name] = readValue(spec, given, `--${spec.name}`);
    else if (fromEnv !== undefined && fromEnv !== "") {
      values[spec.name] = readValue(spec, fromEnv, envName(spec.name));
    } else values[spec.name] = spec.default;
  }
  return { positionals: parsed._.map(String), values };
}

function toWords(args: readonly string[], specs: readonly OptionSpec[], onUnknown: (option: string) => void) {
  const bare = new Map(specs.flatMap((spec) => spec.bare === undefined ? [] : [[`--${spec.name}`, spec.bare]]));
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  const named = options.map((arg) => bare.has(arg) ? `${arg}=${bare.get(arg)}` : arg);
  return parseArgs([...named, ...args.slice(options.length)], {
    string: ["_", ...specs.filter((spec) => spec.type !== "flag").map((spec) => spec.name)],
    boolean: specs.filter((spec) => spec.type === "flag").map((spec) => spec.name),
    unknown: (arg) => {
      if (arg.startsWith("-") && arg !== "-") onUnknown(arg.replace(/=.*/, ""));
      return true;
    },
  });
}

function readValue(spec: OptionSpec, text: string | true, source: string): string | number | boolean {
  const wrong = (why: string) => {
    throw new NetlabError("usage", `${source}: ${why}, not ${JSON.stringify(text)}`, { hint: "--help explains it" });
  };
  if (text === true) return true;
  if (text === "" && spec.type !== "flag") {
    throw new NetlabError("usage", `${source} needs a value: ${spec.value ?? EXPECTED[spec.type]}`);
  }
  if (spec.type === "flag") {
    if (!/^(true|false|1|0)$/.test(text)) wrong(`takes ${EXPECTED.flag}`);
    return text === "true" || text === "1";
  }
  if (spec.type === "string") {
    if (spec.choices && !spec.choices.includes(text)) {
      wrong(`takes one of ${spec.choices.join(", ")}${didYouMean(text, spec.choices)}`);
    }
    return text;
  }
  const number = readNumber(spec.type, text);
  if (number === null) return wrong(`takes ${EXPECTED[spec.type]}`) as never;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (number < min || number > max) {
    wrong(max < Number.MAX_SAFE_INTEGER ? `is from ${min} to ${max}` : `is at least ${min}`);
  }
  return number;
}

const UNITS = {
  number: { "": 1 },
  duration: { ms: 1, s: 1000, m: 60_000, h: 3_600_000, "": 1000 },
  size: { "": 1, k: 2 ** 10, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 },
};

/** A bare number is a count, seconds, or bytes. */
function readNumber(type: "number" | "duration" | "size", text: string): number | null {
  const match = (type === "number" ? /^(\d+)()$/ : /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/).exec(text);
  const unit = match && (UNITS[type] as Record<string, number>)[match[2]];
  return match && unit !== null && unit !== undefined ? Math.round(Number(match[1]) * unit) : null;
}
