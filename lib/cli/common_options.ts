// The options that every server and client takes, and what comes of them.

import { yellow } from "@std/fmt/colors";
import type { Exercise, Transport } from "../exercises/exercise.ts";
import type { OptionSpec, OptionValues } from "../exercises/options.ts";
import { optionsFor } from "../net/address.ts";
import { DEFAULT_LIMITS, type Limits } from "../net/limits.ts";
import { describeSystemError } from "../net/errors.ts";
import { MAX_DIGITS } from "../protocol/framing.ts";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText } from "../protocol/text.ts";
import { type Sink, TraceBus } from "../trace/bus.ts";
import { ALL_KINDS, jsonLinesSink, LOG_KINDS, MESSAGE_KINDS } from "../trace/json_lines.ts";
import { ladderSink } from "../trace/ladder.ts";
import { logSink } from "../trace/log.ts";
import type { Output } from "./output.ts";

/** `--color`, which help and list take, too. */
export const COLOR_OPTION: OptionSpec = {
  name: "color",
  type: "string",
  value: "auto|always|never",
  choices: ["auto", "always", "never"],
  default: "auto",
  summary: "colours: auto means on a terminal, unless NO_COLOR is set",
};

export const HELP_OPTION: OptionSpec = { name: "help", type: "flag", summary: "show this help" };

/** @param json what `--json` shows */
const traceOptions = (json: string): OptionSpec[] => [
  {
    name: "trace",
    type: "string",
    bare: "ladder",
    choices: ["ladder", "hex"],
    value: "hex",
    summary: "draw each message on standard error; --trace=hex dumps the bytes, too",
  },
  { name: "trace-file", type: "string", value: "FILE.jsonl", summary: "record everything, a JSON object a line" },
  {
    name: "json",
    type: "flag",
    summary: `JSON on standard output, an object a line${json}`,
  },
  { name: "quiet", type: "flag", summary: "no log, no notes" },
  COLOR_OPTION,
  HELP_OPTION,
];

/** What `serve` takes for `exercise`, or for any while it is not known. */
export function serveOptions(exercise?: Exercise): OptionSpec[] {
  const limits = { ...DEFAULT_LIMITS, ...exercise?.limits };
  const options: OptionSpec[] = [
    {
      name: "host",
      type: "string",
      value: "HOST",
      default: "0.0.0.0",
      summary: "the address to listen on; :: for IPv6, too (on Windows for that alone)",
    },
    portOption(exercise, "the port to listen on; 0 picks a free one"),
    ...transportOption(exercise),
    wireOption(exercise?.wires, exercise?.wires[0] ?? "auto", exercise?.detects),
    ...(exercise?.serveOptions ?? []),
    ...bugOptions(exercise),
    {
      name: "max-clients",
      type: "number",
      value: "N",
      min: 1,
      default: limits.maxClients,
      summary: "connections at once; more are refused",
    },
    {
      name: "idle",
      type: "duration",
      value: "DURATION",
      min: 1,
      default: limits.idleMs,
      summary: "silence after which a client is sent away",
    },
    {
      name: "first-byte",
      type: "duration",
      value: "DURATION",
      min: 1,
      default: limits.firstByteMs,
      summary: "the same before its first byte",
    },
    {
      name: "max-queue",
      type: "size",
      value: "SIZE",
      min: 1024,
      default: limits.queueBytes,
      summary: "what may wait for a client that does not read",
    },
    {
      name: "max-errors",
      type: "number",
      value: "N",
      min: 1,
      default: limits.maxErrors,
      summary: "wrong inputs in a row after which a client is sent away; a refusal is none",
    },
    {
      name: "grace",
      type: "duration",
      value: "DURATION",
      default: 5000,
      summary: "how long Ctrl-C may take to end in good order",
    },
    ...traceOptions("; with --trace, messages, too"),
  ];
  return options.filter(({ name }) => !exercise?.unusedOptions?.includes(name));
}

/** What `connect` takes for `exercise`, or for any while it is not known. */
export function connectOptions(exercise?: Exercise): OptionSpec[] {
  return [
    {
      name: "host",
      type: "string",
      value: "HOST",
      default: "127.0.0.1",
      summary: "the server, unless it is said before the options",
    },
    { ...portOption(exercise, "its port"), min: 1 },
    ...transportOption(exercise),
    // A client cannot find out what a server speaks.
    wireOption(exercise?.wires.filter((wire) => wire !== "auto"), exercise?.clientWire),
    ...(exercise?.connectOptions ?? []),
    {
      name: "idle",
      type: "duration",
      value: "DURATION",
      min: 1,
      summary: "leave when the server has said nothing for so long",
    },
    ...traceOptions(""),
  ];
}

/** Mistakes on purpose. */
function bugOptions(exercise: Exercise | undefined): OptionSpec[] {
  return [
    {
      name: "bug",
      type: "string",
      value: "NAME",
      candidates: async () => (await exercise?.grading())?.bugs.map(({ name }) => name) ?? [],
      summary: "make a mistake on purpose, for debugging drills",
    },
    { name: "list-bugs", type: "flag", summary: "show the mistakes that it can make" },
  ];
}

function portOption(exercise: Exercise | undefined, summary: string): OptionSpec {
  return {
    ...{ name: "port", type: "number", value: "PORT", max: 65_535, default: exercise?.port, summary },
    meant: (text) => /^\d+$/.test(text) ? null : optionsFor(text),
  };
}

/** Why an option that some exercises have is none of this one's. */
export function whyNoOption(exercise: Exercise | undefined, option: string): string | null {
  if (exercise === undefined || option !== "--transport") return null;
  return `${exercise.name} runs on ${exercise.transports[0].toUpperCase()} only: there is no ${option} to choose`;
}

function transportOption(exercise?: Exercise): OptionSpec[] {
  if (exercise && exercise.transports.length < 2) return [];
  const [first] = exercise?.transports ?? ["tcp"];
  return [{
    name: "transport",
    type: "string",
    value: "tcp|udp",
    choices: ["tcp", "udp"],
    default: first,
    summary: "what to run on",
  }];
}

/**
 * @param wires those that make sense here, the default among them
 * @param detects which of them `auto` tells apart
 */
function wireOption(
  wires: readonly string[] | undefined,
  first: string | undefined,
  detects: readonly string[] = [],
): OptionSpec {
  const inShort = wires?.map((wire) => {
    if (wire === "auto") return `auto (finds out: ${detects.join(", ")})`;
    return wire === "lenN" ? `len1 to len${MAX_DIGITS}` : wire;
  }).join(", ");
  return {
    name: "wire",
    type: "string",
    value: "WIRE",
    choices: wires?.flatMap((wire) => wire === "lenN" ? LENGTHS : [wire]),
    default: first,
    summary: `how messages are framed: ${inShort ?? "netlab explain EXERCISE says it"}`,
  };
}

const LENGTHS = Array.from({ length: MAX_DIGITS }, (_, i) => `len${i + 1}`);

export function readTransport(values: OptionValues, exercise: Exercise): Transport {
  return (values.transport ?? exercise.transports[0]) as Transport;
}

/** The limits that the options of `serve` say. */
export function readLimits(values: OptionValues): Partial<Limits> {
  const limit = (key: keyof Limits, name: string) => values[name] === undefined ? {} : { [key]: Number(values[name]) };
  return {
    ...limit("maxClients", "max-clients"),
    ...limit("idleMs", "idle"),
    ...limit("firstByteMs", "first-byte"),
    ...limit("queueBytes", "max-queue"),
    ...limit("maxErrors", "max-errors"),
  };
}

/** What shows and records a run. */
export interface Tracing {
  readonly bus: TraceBus;
  /** Why a recording is not whole, for the end; it was told when it happened. */
  readonly failure: NetlabError | null;
}

/**
 * A bus with the sinks that the options ask for.
 *
 * @param log whether the log is shown (servers) unless something else shows the same
 * @param json whether `--json` prints the events (clients print results of their own)
 */
export function openTrace(
  values: OptionValues,
  output: Output,
  { log, json }: { log: boolean; json: boolean },
): Tracing {
  const bus = new TraceBus();
  if (values.trace) bus.attach(ladderSink(output.err.line, { hex: values.trace === "hex", width: output.width }));
  else if (log && !values.quiet) bus.attach(logSink(output.err.line));
  if (json && values.json) bus.attach(jsonLinesSink(output.out.line, values.trace ? MESSAGE_KINDS : LOG_KINDS));
  let failure: NetlabError | null = null;
  if (values["trace-file"]) {
    const path = String(values["trace-file"]);
    const detach = bus.attach(traceFile(path, (error) => {
      detach();
      output.err.line(`${yellow("warning:")} ${escapeText(error.withHint)}`);
      failure = new NetlabError("harness", `the recording in ${path} is not whole`, { cause: error });
    }));
  }
  return {
    bus,
    get failure() {
      return failure;
    },
  };
}

/** A sink that records in a file. @param onFailure told once, when the file can no longer be written */
function traceFile(path: string, onFailure: (error: NetlabError) => void): Sink {
  if (!path.endsWith(".jsonl")) {
    throw new NetlabError("usage", `--trace-file: cannot write "${path}"`, {
      hint: "its name says its form: FILE.jsonl",
    });
  }
  const failure = (cause: unknown, hint: string) =>
    new NetlabError("harness", `cannot write ${path}: ${describeSystemError(cause)}`, { hint, cause });
  const encoder = new TextEncoder();
  try {
    const file = Deno.openSync(path, { write: true, create: true, truncate: true });
    const write = (line: string) => {
      try {
        for (let bytes = encoder.encode(line + "\n"); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
      } catch (error) {
        onFailure(failure(error, "the recording ends here"));
      }
    };
    return jsonLinesSink(write, ALL_KINDS, () => file.close());
  } catch (error) {
    throw failure(error, "name another --trace-file");
  }
}
