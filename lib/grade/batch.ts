// Grading many: every submission of a folder by itself, or every client with every server.

import { type Check, describeStep } from "../exercises/check.ts";
import type { Exercise, Grading, Transport } from "../exercises/exercise.ts";
import { type Spelling, spellingOf } from "../exercises/notation.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { ClientProgram, type ClientUnderTest } from "./client_under_test.ts";
import { WHOLE } from "./delivery.ts";
import { Cache, fingerprint, inParallel, listSubmissions, type Submission, withCopy } from "./folder.ts";
import {
  chooseChecks,
  type GradingSettings,
  isCalled,
  ownClient,
  ownServer,
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
  /** Where results are kept, so that what has not changed is not graded again; null for nowhere. */
  readonly cache: string | null;
  /** What graded: another version of it may grade otherwise. */
  readonly version: string;
}

/** A submission and its result. */
export interface Graded {
  readonly name: string;
  readonly report: Report;
  /** From an earlier run. */
  readonly cached: boolean;
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

/** Grades each submission in a copy of its own. @param onGraded told of each as it is done */
export async function gradeFolder(settings: BatchSettings, onGraded: (graded: Graded) => void): Promise<Graded[]> {
  const submissions = submissionsOf(settings.dir);
  const cache = settings.cache === null ? null : new Cache<Report>(settings.cache);
  const grading = await settings.exercise.grading();
  const basis = keyOf(settings, grading);
  await requireInstalled(settings.subject);
  return await inParallel(submissions, settings.jobs, async (submission) => {
    let report: Report;
    let known: Report | null | undefined;
    try {
      const key = await fingerprint(submission, basis);
      known = await cache?.get(key);
      report = known ??
        await withCopy(submission, async (cwd, missing) => {
          const report = await runGrading({ ...settings, cwd, onResult: undefined, again: undefined });
          return missing.length === 0 ? report : { ...report, notes: [...report.notes, leftOut(missing)] };
        });
      if (!known) await cache?.set(key, report);
    } catch (error) {
      stopIfInterrupted(); // that its copy was taken away is no result of its own
      report = notGraded(settings, grading, error as Error);
    }
    const graded = { name: submission.name, report, cached: Boolean(known) };
    onGraded(graded);
    return graded;
  });
}

/** What a copy lacks: a program that needs it fails for no reason to be seen in it, as with the Python of a virtualenv. */
function leftOut(links: readonly string[]): string {
  const more = links.length > 3 ? `, and ${links.length - 3} more` : "";
  return `links that lead out of the submission are not in the copy that was graded: ${
    links.slice(0, 3).join(", ")
  }${more}`;
}

/** What stands in the place of a result where one submission cannot be graded: the others can. */
function notGraded(settings: BatchSettings, grading: Grading, error: Error): Report {
  const { exercise, subject, seed, only = "" } = settings;
  const kind = subject.type === "client" ? "client" : "server";
  const { checks: all, transport, wire } = chooseChecks(exercise, grading, kind, settings);
  const checks = all.filter(({ name }) => isCalled(name, only));
  const because = `it could not be graded: ${describeSystemError(error)}`;
  return {
    exercise: exercise.name,
    ...{ kind, transport, wire, seed, startedAt: Date.now(), durationMs: 0, points: 0, notes: [because] },
    target: "command" in subject ? subject.command : "",
    maxPoints: checks.reduce((sum, { points }) => sum + points, 0),
    checks: checks.map(({ name, points: maxPoints }) => ({
      ...{ name, maxPoints, points: 0, outcome: "not run", durationMs: 0, ways: [], because },
    })),
  };
}

/** What a result depends on besides the submission. */
function keyOf(
  settings: BatchSettings,
  grading: Grading,
): unknown {
  const { exercise, subject, port, transport, wire, profile, only, ways, seed, version } = settings;
  const { timeoutMs, startMs, limitMs, failFast } = settings;
  const { checks } = chooseChecks(exercise, grading, subject.type === "client" ? "client" : "server", {
    transport,
    wire,
    profile,
  });
  const script = checks.map(({ name, points, steps }) => [name, points, ...steps.map(describeStep)]);
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

/** Lets every client meet every server, netlab's own among them. @throws {NetlabError} */
export async function meetAll(settings: MatrixSettings, onMeeting: (meeting: Meeting) => void): Promise<Meeting[]> {
  const { exercise, dir, run, client, port, jobs, startMs } = settings;
  const grading = await exercise.grading();
  if (grading.meeting === undefined) {
    throw new NetlabError("usage", `${exercise.name} has no script that any two programs could play together`);
  }
  const { transport, wire } = chooseChecks(exercise, grading, "server", settings);
  const script = scriptOf(grading, grading.meeting, settings.profile);
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
      using files = new SampleFiles(samplesFor(grading, kind), subject, cwd);
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
      return running(new ServerProgram(files.fill(run), { transport, port, startMs, cwd }));
    });
  };
  const withClient = <T>(name: string, use: (client: ClientUnderTest) => Promise<T>): Promise<T> =>
    withFiles(name, { type: "own client" }, { type: "client", command: client }, (files, cwd) => {
      if (name === ownName) return use(ownClient(exercise, grading, transport, wire, files.folder));
      return use(new ClientProgram(files.fill(client), { port, startMs, cwd }));
    });
  return await inParallel([...pairs.entries()], port === null ? jobs : 1, async ([i, { server, client }]) => {
    const broken = await withServer(
      server,
      (server) =>
        withClient(
          client,
          (program) => meet(settings, script, server, program, transport, spellingOf(grading, transport, wire), i),
        ),
    );
    stopIfInterrupted(); // that a program was ended is no result of its own
    const meeting = { server, client, broken };
    onMeeting(meeting);
    return meeting;
  });
}

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
