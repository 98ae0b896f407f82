// What `netlab grade` does: reads its settings, lists the checks, or grades and reports.

import { bold, dim } from "@std/fmt/colors";
import { type Check, describeStep, type Step } from "../exercises/check.ts";
import type { Exercise, Transport } from "../exercises/exercise.ts";
import { formatDuration, type OptionValues } from "../exercises/options.ts";
import type { Way } from "../grade/delivery.ts";
import { chooseChecks, type GradingSettings, type Subject } from "../grade/grading.ts";
import { interrupt } from "../grade/leftovers.ts";
import { START_MS, STEP_MS } from "../grade/patience.ts";
import { parseProfile } from "../grade/profile.ts";
import { shellWord } from "../grade/program.ts";
import { runRepeatedly } from "../grade/repeat.ts";
import { isPerfect } from "../grade/report.ts";
import { parseAddress } from "../net/address.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText } from "../protocol/text.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_OK } from "./exit.ts";
import { runBatch, runMatrix } from "./grade_batch.ts";
import { openReport } from "./grade_output.ts";
import { requireExercise, STOP_SIGNALS } from "./serve.ts";
import { VERSION } from "./version.ts";

/** @throws {NetlabError} for wrong settings, and when the machine is at fault */
export async function runGrade(context: CommandContext): Promise<number | void> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void interrupt().then(() => reject(new NetlabError("interrupted", "interrupted")));
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
  try {
    // What is interrupted fails by that: nobody has to hear of it.
    const graded = gradeAs(context).catch((error) => stopping ? interrupted : Promise.reject(error));
    return await Promise.race([graded, interrupted]);
  } finally {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, stop);
  }
}

async function gradeAs(context: CommandContext): Promise<number | void> {
  const { output, values, words } = context;
  const exercise = requireExercise(words);
  if (values.matrix) return await matrix(context, exercise);
  const given = await readSettings(exercise, values);
  if (values.list) return await list(context, exercise, given);
  const settings = { ...given, subject: requireSubject(given.subject) };
  if (values.batch !== undefined) return await batch(context, settings);
  using writer = await openReport(
    String(values.format),
    values.out === undefined ? null : String(values.out),
    output,
  );
  const report = await runRepeatedly({ ...settings, onResult: writer.onResult }, Number(values.repeat));
  writer.finish(report);
  return isPerfect(report) ? EXIT_OK : 1;
}

async function batch({ output, values }: CommandContext, settings: GradingSettings): Promise<number> {
  const { profile, subject } = settings;
  if (!("command" in subject)) throw new NetlabError("usage", "--batch needs --run or --client");
  refuseForMany(values, "--batch", OF_ONE);
  const port = subject.command.includes("{port}") ? null : settings.port ?? profile?.profile.port ?? null;
  const dir = folderOf(values);
  return await runBatch(
    {
      ...settings,
      dir,
      // All that listen on one port would be in each other's way.
      jobs: port === null ? Number(values.jobs) : 1,
      cache: `${dir}/.netlab-grades`,
      anew: values["no-cache"] === true,
      version: VERSION,
    },
    `${dir}/netlab-grades`,
    output,
  );
}

/** The folder of the submissions, without the slash that completion puts behind it. */
const folderOf = ({ batch }: OptionValues) => String(batch).replace(/(?<=.)\/+$/, "");

/** @throws {NetlabError} of kind `usage` when an option is given that means nothing to many programs, or one of `others` */
function refuseForMany(values: OptionValues, how: string, others: readonly string[]): void {
  const idle = reportOption(values);
  if (idle !== undefined) {
    throw new NetlabError("usage", `--${idle} is for one program: ${how} writes tables of its own into its folder`);
  }
  const other = others.find((name) => values[name] !== undefined && values[name] !== false);
  if (other !== undefined) throw new NetlabError("usage", `--${other} means nothing to ${how}`);
}

/** The first option that is given of those that say what is to be reported, and how often. */
function reportOption(values: OptionValues): string | undefined {
  const said = { out: values.out !== undefined, repeat: Number(values.repeat) > 1, format: values.format !== "text" };
  return Object.entries(said).find(([, given]) => given)?.[0];
}

/** What many programs cannot share: each runs in a copy of its own folder. */
const OF_ONE = ["cwd"];

/** What says which checks are played, and how: all pairs of a matrix play one script, whole. */
const OF_CHECKS = ["server", "only", "way", "list", "fail-fast"];

async function matrix({ output, values }: CommandContext, exercise: Exercise): Promise<number> {
  const { batch, run, client } = values;
  if (batch === undefined || run === undefined || client === undefined) {
    throw new NetlabError("usage", "--matrix needs --batch DIR, --run COMMAND and --client COMMAND");
  }
  refuseForMany(values, "--matrix", [...OF_ONE, ...OF_CHECKS]);
  const profile = values.profile === undefined ? undefined : await readProfile(exercise, String(values.profile));
  const dir = folderOf(values);
  return await runMatrix(
    {
      profile,
      ...{ exercise, dir, run: String(run), client: String(client) },
      port: values.port === undefined ? profile?.profile.port ?? null : Number(values.port),
      transport: values.transport as Transport | undefined,
      wire: values.wire === undefined ? undefined : String(values.wire),
      jobs: Number(values.jobs),
      timeoutMs: Number(values.timeout),
      startMs: Number(values.start),
    },
    `${dir}/netlab-matrix`,
    output,
  );
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
  return {
    exercise,
    subject,
    port: values.port === undefined ? null : Number(values.port),
    cwd: values.cwd === undefined ? undefined : requireFolder(String(values.cwd)),
    transport: text("transport") as GradingSettings["transport"],
    wire: text("wire"),
    profile: values.profile === undefined ? undefined : await readProfile(exercise, String(values.profile)),
    only: text("only"),
    ways: values.way === undefined ? undefined : [String(values.way) as Way],
    seed: Number(values.seed),
    timeoutMs: Number(values.timeout),
    startMs: Number(values.start),
    limitMs: Number(values.limit),
    failFast: values["fail-fast"] === true,
    again: (check, way, seed) => again(exercise, values, check, way, seed),
  };
}

/** @throws {NetlabError} of kind `usage` when `path` is no folder */
function requireFolder(path: string): string {
  const wrong = (why: string, cause?: unknown) =>
    new NetlabError("usage", `cannot start programs in ${path}: ${why}`, { hint: "name a folder with --cwd", cause });
  let isFolder: boolean;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch (cause) {
    throw wrong(cause instanceof Deno.errors.NotFound ? "there is none" : describeSystemError(cause), cause);
  }
  if (!isFolder) throw wrong("it is no folder");
  return path;
}

/** A profile of netlab's by its name, or one in a file. */
async function readProfile(exercise: Exercise, path: string): Promise<NonNullable<GradingSettings["profile"]>> {
  const { PROFILES } = await import("../grade/profiles/mod.ts");
  let profile = Object.hasOwn(PROFILES, path) ? PROFILES[path] : undefined;
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
  const patience = Object.entries({ timeout: STEP_MS, start: START_MS }).flatMap(([option, usual]) =>
    values[option] === usual ? [] : [`--${option}`, formatDuration(Number(values[option]))]
  );
  const only = ["--only", shellWord(check.name), "--way", way, "--seed", String(seed)];
  return ["netlab", "grade", name, ...said, ...patience, ...only].join(" ");
}

/** @throws {NetlabError} of kind `usage` when an option is given that means nothing where no program is graded */
async function list({ output, values }: CommandContext, exercise: Exercise, settings: Given): Promise<void> {
  const idle = values.batch === undefined ? reportOption(values) : "batch";
  if (idle !== undefined) throw new NetlabError("usage", `--${idle} means nothing to --list`);
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
