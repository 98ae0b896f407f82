// `netlab grade EXERCISE`: black-box checks of somebody's server or client.

import { bold, dim } from "@std/fmt/colors";
import { type Check, describeStep, type Step } from "../exercises/check.ts";
import type { Example, Exercise, Transport } from "../exercises/exercise.ts";
import { describeSystemError } from "../net/errors.ts";
import type { OptionSpec, OptionValues } from "../exercises/options.ts";
import { exercises } from "../exercises/registry.ts";
import { type Way, WAYS } from "../grade/delivery.ts";
import { chooseChecks, type GradingSettings, type Subject } from "../grade/grading.ts";
import { parseProfile } from "../grade/profile.ts";
import { shellWord } from "../grade/program.ts";
import { isPerfect } from "../grade/report.ts";
import { REPORT_FORMATS } from "../grade/reports/formats.ts";
import { START_MS } from "../grade/server_under_test.ts";
import { parseAddress } from "../net/address.ts";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText } from "../protocol/text.ts";
import type { Command, CommandContext } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { EXIT_OK } from "./exit.ts";
import { requireExercise } from "./serve.ts";
import { VERSION } from "./version.ts";

const options: readonly OptionSpec[] = [
  { name: "server", type: "string", value: "HOST:PORT", summary: "grade a server that runs there" },
  {
    name: "run",
    type: "string",
    value: "COMMAND",
    summary: "grade a server that this line starts; {port} is a free port, {dir} a folder with the files it serves",
  },
  {
    name: "client",
    type: "string",
    value: "COMMAND",
    summary: "grade a client that this line starts; {host} and {port} say where it calls, {args} what for; where a " +
      "program is both ends, {port} is where it listens",
  },
  { name: "port", type: "number", value: "PORT", min: 1, max: 65_535, summary: "the port, where the program says it" },
  { name: "cwd", type: "string", value: "DIR", summary: "where the program is started; here, unless said" },
  { name: "transport", type: "string", value: "tcp|udp", choices: ["tcp", "udp"], summary: "what to run on" },
  {
    name: "wire",
    type: "string",
    value: "WIRE",
    summary: "how its messages are framed; as netlab's client does, unless said",
  },
  {
    name: "profile",
    type: "string",
    value: "NAME|FILE",
    summary: "what a course varies: port, framing, wording, points",
  },
  { name: "only", type: "string", value: "TEXT", summary: "the checks with this in their names, and what they need" },
  {
    name: "way",
    type: "string",
    value: "WAY",
    choices: WAYS,
    summary: "cut what netlab says in this way only, besides whole",
  },
  { name: "list", type: "flag", summary: "show the checks and their steps, and run none" },
  { name: "seed", type: "number", value: "N", default: 1, summary: "what decides where messages are cut" },
  {
    name: "timeout",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: 2000,
    summary: "how long the program may take for each step",
  },
  {
    name: "start",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: START_MS,
    summary: "how long a server may take until it listens",
  },
  {
    name: "limit",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: 600_000,
    summary: "how long the whole may take",
  },
  { name: "fail-fast", type: "flag", summary: "stop at the first check that does not pass" },
  {
    name: "format",
    type: "string",
    value: "FORMAT",
    choices: ["text", ...Object.keys(REPORT_FORMATS)],
    default: "text",
    summary: `text as it goes, or at the end ${
      Object.entries(REPORT_FORMATS).map(([name, { summary }]) => `${name} (${summary})`).join(", ")
    }`,
  },
  { name: "out", type: "string", value: "FILE", summary: "write that to a file; to standard output unless said" },
  {
    name: "repeat",
    type: "number",
    value: "N",
    min: 1,
    default: 1,
    summary: "so many times, each with a seed of its own; the worst counts",
  },
  { name: "batch", type: "string", value: "DIR", summary: "grade each folder in it, in a copy, into a table" },
  { name: "matrix", type: "flag", summary: "with --batch, --run and --client: let every client meet every server" },
  { name: "jobs", type: "number", value: "N", min: 1, default: 4, summary: "with --batch: how many at once" },
  { name: "no-cache", type: "flag", summary: "with --batch: grade also what has not changed since the last time" },
  COLOR_OPTION,
  HELP_OPTION,
];

export const grade: Command = {
  name: "grade",
  summary: "check somebody's server or client",
  usage: "EXERCISE --server HOST:PORT | --run COMMAND | --client COMMAND [options]",
  maxWords: 1,
  startsPrograms: true,
  details: () =>
    "Plays the other side, step by step, and says what it did, what it expected, what came, and why that usually\n" +
    "happens. What netlab sends is cut into writes in several ways; a check gives half its points for the plainest.\n" +
    "Status 0: everything passed. 1: something did not. 3: the machine or netlab is at fault.",
  options: () => options,
  examples,
  nextWords: (words) => words.length === 0 ? exercises.map(({ name }) => name) : [],
  async run(context) {
    const { output, values, words } = context;
    const exercise = requireExercise(words);
    if (values.matrix) return await matrix(context, exercise);
    const given = await readSettings(exercise, values);
    if (values.list) return await list(context, exercise, given);
    const settings = { ...given, subject: requireSubject(given.subject) };
    if (values.batch !== undefined) return await batch(context, settings);
    const { openReport } = await import("./grade_output.ts");
    const { runRepeatedly } = await import("../grade/repeat.ts");
    using writer = await openReport(
      String(values.format),
      values.out === undefined ? null : String(values.out),
      output,
    );
    const report = await runRepeatedly({ ...settings, onResult: writer.onResult }, Number(values.repeat));
    writer.finish(report);
    return isPerfect(report) ? EXIT_OK : 1;
  },
};

async function batch({ output, values }: CommandContext, settings: GradingSettings): Promise<number> {
  const { port, subject } = settings;
  if (!("command" in subject)) throw new NetlabError("usage", "--batch needs --run or --client");
  const { runBatch } = await import("./grade_batch.ts");
  const dir = String(values.batch);
  return await runBatch(
    {
      ...settings,
      dir,
      // All that listen on one port would be in each other's way.
      jobs: port === null ? Number(values.jobs) : 1,
      cache: values["no-cache"] ? null : `${dir}/.netlab-grades`,
      version: VERSION,
    },
    `${dir}/netlab-grades`,
    output,
  );
}

async function matrix({ output, values }: CommandContext, exercise: Exercise): Promise<number> {
  const { batch, run, client } = values;
  if (batch === undefined || run === undefined || client === undefined) {
    throw new NetlabError("usage", "--matrix needs --batch DIR, --run COMMAND and --client COMMAND");
  }
  const { runMatrix } = await import("./grade_batch.ts");
  return await runMatrix(
    {
      ...{ exercise, dir: String(batch), run: String(run), client: String(client) },
      port: values.port === undefined ? null : Number(values.port),
      transport: values.transport as Transport | undefined,
      wire: values.wire === undefined ? undefined : String(values.wire),
      jobs: Number(values.jobs),
      timeoutMs: Number(values.timeout),
      startMs: Number(values.start),
    },
    `${batch}/netlab-matrix`,
    output,
  );
}

/** One is enough: every exercise is graded in the same way. */
function examples([name]: readonly string[]): Example[] {
  const [exercise] = exercises;
  if (name !== undefined && name !== exercise.name) return [];
  return [{
    command: `netlab grade ${exercise.name} --server 127.0.0.1 --only 'takes a name'`,
    output: ["✓   10/10  a client takes a name", "", "10 of 10 points  1 passed · seed 1"],
  }];
}

type Given = Omit<GradingSettings, "subject"> & { readonly subject: Subject | null };

function requireSubject(subject: Subject | null): Subject {
  if (subject) return subject;
  throw new NetlabError("usage", "nothing to grade", { hint: "say one of --server, --run and --client" });
}

/** @throws {NetlabError} of kind `usage` */
async function readSettings(exercise: Exercise, values: OptionValues): Promise<Given> {
  const text = (name: string) => values[name] === undefined ? undefined : String(values[name]);
  const said = (["server", "run", "client"] as const).filter((name) => values[name] !== undefined);
  if (said.length > 1) {
    throw new NetlabError("usage", `--${said[0]} and --${said[1]} are two things`, {
      hint: "grade one after the other",
    });
  }
  const address = values.server === undefined ? null : parseAddress(String(values.server));
  const subject: Subject | null = address
    ? { type: "address", host: address.host, port: address.port ?? Number(values.port ?? exercise.port) }
    : values.run !== undefined
    ? { type: "server", command: String(values.run) }
    : values.client !== undefined
    ? { type: "client", command: String(values.client) }
    : null;
  const seed = Number(values.seed);
  return {
    exercise,
    subject,
    port: values.port === undefined ? null : Number(values.port),
    cwd: text("cwd"),
    transport: text("transport") as GradingSettings["transport"],
    wire: text("wire"),
    profile: values.profile === undefined ? undefined : await readProfile(exercise, String(values.profile)),
    only: text("only"),
    ways: values.way === undefined ? undefined : [String(values.way) as Way],
    seed,
    timeoutMs: Number(values.timeout),
    startMs: Number(values.start),
    limitMs: Number(values.limit),
    failFast: values["fail-fast"] === true,
    again: (check, way) => again(exercise, values, check, way, seed),
  };
}

/** A profile of netlab's by its name, or one in a file. */
async function readProfile(exercise: Exercise, path: string): Promise<NonNullable<GradingSettings["profile"]>> {
  const { PROFILES } = await import("../grade/profiles/mod.ts");
  let profile = PROFILES[path];
  try {
    profile ??= parseProfile(Deno.readTextFileSync(path), path);
  } catch (cause) {
    if (cause instanceof NetlabError) throw cause;
    throw new NetlabError("usage", `cannot read ${path}: ${describeSystemError(cause)}`, {
      hint: `a file, or one of ${Object.keys(PROFILES).join(", ")}`,
      cause,
    });
  }
  if (profile.exercise === undefined || profile.exercise === exercise.name) return { name: path, profile };
  throw new NetlabError("usage", `${path} is a profile of ${profile.exercise}, not of ${exercise.name}`);
}

/** The command that runs just this check again. */
function again({ name }: Exercise, values: OptionValues, check: Check, way: Way, seed: number): string {
  const kept = ["server", "run", "client", "port", "cwd", "transport", "wire", "profile"];
  const said = kept.flatMap((option) =>
    values[option] === undefined ? [] : [`--${option}`, shellWord(String(values[option]))]
  );
  const only = ["--only", shellWord(check.name), "--way", way, "--seed", String(seed)];
  return ["netlab", "grade", name, ...said, ...only].join(" ");
}

async function list({ output, values }: CommandContext, exercise: Exercise, settings: Given): Promise<void> {
  const kind = values.client === undefined ? "server" : "client";
  const { checks, transport, wire } = chooseChecks(exercise, await exercise.grading(), kind, settings);
  const total = checks.reduce((sum, { points }) => sum + points, 0);
  output.out.line(
    bold(`${exercise.name}: ${checks.length} checks of a ${kind}, ${total} points (${transport}, ${wire})`),
  );
  for (const { name, points, needs = [], steps, cause } of checks) {
    output.out.line("");
    output.out.line(`${String(points).padStart(3)}  ${bold(name)}`);
    if (needs.length > 0) output.out.line(dim(`     needs: ${needs.join("; ")}`));
    for (const step of steps) output.out.line(`     · ${escapeText(describeStep(step))}${dim(accepted(step))}`);
    if (cause !== undefined) output.out.line(dim(`     when it fails: ${cause}`));
  }
}

/** Which messages a step takes, where it says. */
function accepted(step: Step): string {
  const what = "what" in step && typeof step.what !== "string" ? step.what : undefined;
  return what?.accepts === undefined ? "" : `  (${escapeText(what.accepts)})`;
}
