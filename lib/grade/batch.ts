// Grading many: every submission of a folder by itself, or every client with every server.

import { type Check, describeStep } from "../exercises/check.ts";
import type { Exercise, Grading, Transport } from "../exercises/exercise.ts";
import { type Spelling, spellingOf } from "../exercises/notation.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { ClientProgram, type ClientUnderTest } from "./client_under_test.ts";
import { WHOLE } from "./delivery.ts";
import { Cache, fingerprint, inParallel, listSubmissions, type Missing, type Submission, withCopy } from "./folder.ts";
import {
  chooseChecks,
  type GradingSettings,
  ownClient,
  ownServer,
  type Plan,
  planGrading,
  requireInstalled,
  runGrading,
  SampleFiles,
  samplesFor,
  type Subject,
} from "./grading.ts";
import { Unmet } from "./inbox.ts";
import { stopIfInterrupted } from "./leftovers.ts";
import { type Break, letters, play } from "./play.ts";
import { applyProfile } from "./profile.ts";
import { formatPoints, type Report } from "./report.ts";
import { ServerProgram, type ServerUnderTest } from "./server_under_test.ts";
import { toCsv } from "./csv.ts";

/** How to grade a folder. */
export interface BatchSettings extends GradingSettings {
  readonly dir: string;
  /** How many at once. */
  readonly jobs: number;
  /** Where results are kept, so that what has not changed is not graded again. */
  readonly cache: string;
  /** Grades also what has not changed. */
  readonly anew: boolean;
  /** What graded: another version of it may grade otherwise. */
  readonly version: string;
}

/** A submission and its result. */
export interface Graded {
  readonly name: string;
  readonly report: Report;
  /** From an earlier run. */
  readonly cached: boolean;
  /** Why it could not be graded, so that it has no points for no fault that is known of it; null where it was. */
  readonly ungraded: string | null;
  /** Why its result could not be kept for the next time; null where it was. */
  readonly unkept: string | null;
}

/** The folder's submissions. @throws {NetlabError} when there are none */
export function submissionsOf(dir: string): Submission[] {
  let submissions: Submission[];
  try {
    submissions = listSubmissions(dir);
  } catch (cause) {
    throw new NetlabError("usage", `cannot read ${dir}: ${describeSystemError(cause)}`, { cause });
  }
  if (submissions.length > 0) return submissions;
  throw new NetlabError("usage", `${dir} has no submissions`, { hint: "a submission is a folder in it" });
}

/**
 * Grades each submission in a copy of its own.
 *
 * @param onGraded told of each as it is done
 * @throws {NetlabError} for wrong settings, and of kind `harness` when this machine has not got the program that is started
 */
export async function gradeFolder(settings: BatchSettings, onGraded: (graded: Graded) => void): Promise<Graded[]> {
  const submissions = submissionsOf(settings.dir);
  const plan = await planGrading(settings);
  return await inParallel(submissions, settings.jobs, async (submission) => {
    const graded = await gradeOne(submission, settings, plan).catch((error): Graded => {
      stopIfInterrupted(); // that its copy was taken away is no result of its own
      const ungraded = whyNot(error);
      return {
        name: submission.name,
        report: notGraded(settings, plan, ungraded),
        cached: false,
        ungraded,
        unkept: null,
      };
    });
    onGraded(graded);
    return graded;
  });
}

async function gradeOne(submission: Submission, settings: BatchSettings, plan: Plan): Promise<Graded> {
  const { name } = submission;
  const cache = new Cache<Report>(settings.cache);
  const key = await fingerprint(submission, keyOf(settings, plan));
  const known = settings.anew ? null : await cache.get(key);
  if (known !== null) return { name, report: known, cached: true, ungraded: null, unkept: null };
  const report = await withCopy(submission, async (cwd, missing) => {
    const report = await runGrading({ ...settings, cwd, onResult: undefined, again: undefined });
    return { ...report, notes: [...report.notes, ...leftOut(missing)] };
  });
  const unkept = await cache.set(key, report).then(() => null, describeSystemError);
  return { name, report, cached: false, ungraded: null, unkept };
}

/** What a copy lacks: a program that needs it fails for no reason to be seen in it, as with the Python of a virtualenv. */
function leftOut({ links, names }: Missing): string[] {
  const note = (what: string, paths: readonly string[]) => {
    const more = paths.length > 3 ? `, and ${paths.length - 3} more` : "";
    return `${what} are not in the copy that was graded: ${paths.slice(0, 3).join(", ")}${more}`;
  };
  return [
    ...links.length === 0 ? [] : [note("links that lead out of the submission", links)],
    ...names.length === 0 ? [] : [note("files and folders with names that are not UTF-8", names)],
  ];
}

/** What the machine, or netlab, says of why it could not be done, and what to do. */
function whyNot(error: unknown): string {
  return error instanceof NetlabError ? error.withHint : describeSystemError(error);
}

/** What stands in the place of a result where one submission cannot be graded: the others can. */
function notGraded({ exercise, subject, seed }: BatchSettings, plan: Plan, why: string): Report {
  const { kind, transport, wire, wanted } = plan;
  const because = `it could not be graded: ${why}`;
  return {
    exercise: exercise.name,
    ...{ kind, transport, wire, seed, startedAt: Date.now(), durationMs: 0, points: 0, notes: [because] },
    target: "command" in subject ? subject.command : "",
    maxPoints: wanted.reduce((sum, { points }) => sum + points, 0),
    checks: wanted.map(({ name, points: maxPoints }) => ({
      ...{ name, maxPoints, points: 0, outcome: "not run", durationMs: 0, ways: [], because },
    })),
  };
}

/** What a result depends on besides the submission. */
function keyOf(settings: BatchSettings, { played }: Plan): unknown {
  const { exercise, subject, port, transport, wire, profile, only, ways, seed, version } = settings;
  const { timeoutMs, startMs, limitMs, failFast } = settings;
  const script = played.map(({ name, points, steps }) => [name, points, ...steps.map(describeStep)]);
  return [
    version,
    exercise.name,
    subject,
    port,
    transport,
    wire,
    profile?.profile,
    only,
    ways,
    timeoutMs,
    startMs,
    limitMs,
    failFast,
    seed,
    script,
  ];
}

/** A row a submission: its points, and those of each check. */
export function batchCsv(graded: readonly Graded[]): string {
  const names = graded[0]?.report.checks.map(({ name }) => name) ?? [];
  return toCsv([
    ["submission", "points", "max", ...names, "notes"],
    ...graded.map(({ name, report }) => [
      ...[name, Number(formatPoints(report.points)), report.maxPoints],
      ...names.map((check) => Number(formatPoints(report.checks.find((one) => one.name === check)?.points ?? 0))),
      report.notes.join("; "),
    ]),
  ]);
}

/** How a client and a server got on. */
export interface Meeting {
  readonly server: string;
  readonly client: string;
  /** Null when they did. */
  readonly broken: Break | null;
  /** It says why they could not meet, for no fault that is known of them. */
  readonly unplayed: boolean;
}

/** How to have all meet all. */
export interface MatrixSettings {
  readonly exercise: Exercise;
  readonly dir: string;
  /** Lines for the shell. */
  readonly run: string;
  readonly client: string;
  readonly port: number | null;
  readonly transport?: Transport;
  readonly wire?: string;
  readonly profile?: GradingSettings["profile"];
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly startMs: number;
}

/** What netlab's own programs are called among the others, unless one of these is called so. */
const OWN = "netlab";

/**
 * Lets every client meet every server, netlab's own among them.
 *
 * @param onMeeting told of each as it is over
 * @throws {NetlabError} for wrong settings, and of kind `harness` when this machine has not got a program that is started
 */
export async function meetAll(settings: MatrixSettings, onMeeting: (meeting: Meeting) => void): Promise<Meeting[]> {
  const { exercise, dir, run, client, port, jobs, startMs } = settings;
  const grading = await exercise.grading();
  if (grading.meeting === undefined) {
    throw new NetlabError("usage", `${exercise.name} has no script that any two programs could play together`);
  }
  const { transport, wire } = chooseChecks(exercise, grading, "server", settings);
  const script = scriptOf(grading, grading.meeting, settings.profile);
  const serverOf = (command: string, cwd?: string) => new ServerProgram(command, { transport, port, startMs, cwd });
  const clientOf = (command: string, cwd?: string) => new ClientProgram(command, { port, startMs, cwd });
  serverOf(run), clientOf(client); // whoever does not say where they listen and call hears of that, once
  for (const command of [run, client]) await requireInstalled({ type: "server", command });
  const others = submissionsOf(dir).map(({ name }) => name);
  const ownName = others.includes(OWN) ? `${OWN} itself` : OWN;
  const names = [ownName, ...others];
  const pairs = names.flatMap((server) => names.map((client) => ({ server, client })));
  const inCopy = <T>(name: string, use: (cwd: string) => Promise<T>) => withCopy({ name, path: `${dir}/${name}` }, use);
  const withFiles = async <T>(
    name: string,
    own: Subject,
    theirs: Subject,
    use: (files: SampleFiles, cwd?: string) => Promise<T>,
  ): Promise<T> => {
    const kind = own.type === "own client" ? "client" : "server";
    const prepared = async (subject: Subject, cwd?: string) => {
      await using files = await SampleFiles.put(samplesFor(grading, kind), subject, cwd);
      return await use(files, cwd);
    };
    return name === ownName ? await prepared(own) : await inCopy(name, (cwd) => prepared(theirs, cwd));
  };
  const withServer = <T>(name: string, use: (server: ServerUnderTest) => Promise<T>): Promise<T> => {
    const running = async (server: ServerUnderTest) => {
      try {
        return await use(server);
      } finally {
        await server.stop();
      }
    };
    return withFiles(name, { type: "own server" }, { type: "server", command: run }, (files, cwd) => {
      if (name === ownName) return running(ownServer(exercise, transport, wire, files.folder));
      return running(serverOf(files.fill(run), cwd));
    });
  };
  const withClient = <T>(name: string, use: (client: ClientUnderTest) => Promise<T>): Promise<T> =>
    withFiles(name, { type: "own client" }, { type: "client", command: client }, (files, cwd) => {
      if (name === ownName) return use(ownClient(exercise, grading, transport, wire, files.folder));
      return use(clientOf(files.fill(client), cwd));
    });
  const spelling = spellingOf(grading, transport, wire);
  return await inParallel([...pairs.entries()], port === null ? jobs : 1, async ([i, { server, client }]) => {
    const meeting = await withServer(
      server,
      (one) => withClient(client, (other) => meet(settings, script, one, other, transport, spelling, i)),
    ).then(
      (broken): Meeting => ({ server, client, broken, unplayed: false }),
      (error): Meeting => ({ server, client, broken: couldNotMeet(whyNot(error)), unplayed: true }),
    );
    stopIfInterrupted(); // that a program was ended is no result of its own
    onMeeting(meeting);
    return meeting;
  });
}

const couldNotMeet = (because: string): Break => ({
  step: "they could not meet",
  does: "start",
  because,
  kind: "other",
});

/** What two programs play together, as a profile wants it: most of what one says is of other checks. */
function scriptOf(grading: Grading, meeting: Check, profile: GradingSettings["profile"]): Check {
  if (profile === undefined) return meeting;
  const others = [...grading.checks, ...grading.clientChecks];
  return applyProfile([meeting], profile.profile, profile.name, others)[0];
}

async function meet(
  { startMs, timeoutMs }: MatrixSettings,
  script: Check,
  server: ServerUnderTest,
  program: ClientUnderTest,
  transport: Transport,
  spelling: Spelling,
  number: number,
): Promise<Break | null> {
  let address: { host: string; port: number };
  try {
    address = await server.address();
  } catch (error) {
    if (!(error instanceof Unmet)) throw error;
    return { step: "the server is started", does: "start", because: error.message, kind: error.kind };
  }
  const { broken } = await play(script, {
    client: { program, transport, port: 0, server: address },
    makeFramer: () => spelling.makeFramer(),
    codec: spelling.codec,
    delivery: WHOLE,
    timeoutMs,
    startMs,
    nameSuffix: letters(number),
  });
  return broken;
}

/** A row a server, a column a client. */
export function matrixCsv(meetings: readonly Meeting[]): string {
  const names = [...new Set(meetings.map(({ client }) => client))];
  const cell = (server: string, client: string) => {
    const broken = meetings.find((one) => one.server === server && one.client === client)?.broken;
    return broken ? `${broken.step}: ${broken.because}` : "ok";
  };
  return toCsv([
    ["server \\ client", ...names],
    ...names.map((server) => [server, ...names.map((one) => cell(server, one))]),
  ]);
}
