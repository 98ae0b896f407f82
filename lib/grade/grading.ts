// From what the command line (or a test, or a folder of submissions) says to a graded run: finds the checks, sets up the
// target with the files that the checks expect, and grades.

import type { Bug } from "../exercises/bug.ts";
import { type Check, needsPerson } from "../exercises/check.ts";
import type { Console, Exercise, Grading, RunningServer, Transport } from "../exercises/exercise.ts";
import { spellingOf } from "../exercises/notation.ts";
import type { OptionSpec, OptionValues } from "../exercises/options.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { MAX_DIGITS } from "../protocol/framing.ts";
import { utf8Length } from "../protocol/text.ts";
import { NO_TRACE } from "../protocol/trace.ts";
import { ClientProgram, type ClientUnderTest, NetlabClient } from "./client_under_test.ts";
import { type Way, WAYS } from "./delivery.ts";
import { grade, type Target } from "./grader.ts";
import { START_MS } from "./patience.ts";
import { makeFolder, onInterrupt, stopIfInterrupted, takeAway } from "./leftovers.ts";
import { isInstalled } from "./program.ts";
import { applyProfile, type Profile } from "./profile.ts";
import type { GradedCheck, Report } from "./report.ts";
import { NetlabServer, RemoteServer, ServerProgram, type ServerUnderTest } from "./server_under_test.ts";

/** Who is judged. */
export type Subject =
  | { readonly type: "address"; readonly host: string; readonly port: number }
  /** A server that is started by a line for the shell. */
  | { readonly type: "server"; readonly command: string }
  | { readonly type: "client"; readonly command: string }
  /** Netlab's own, with a mistake or without. */
  | { readonly type: "own server"; readonly bug?: Bug }
  | { readonly type: "own client" };

/** How to grade. */
export interface GradingSettings {
  readonly exercise: Exercise;
  readonly subject: Subject;
  /** Where a program listens or calls by itself; null where its command says `{port}`. */
  readonly port: number | null;
  /** Where programs are run. */
  readonly cwd?: string;
  readonly transport?: Transport;
  readonly wire?: string;
  readonly profile?: { readonly name: string; readonly profile: Profile };
  /** A part of the names of the checks that count. */
  readonly only?: string;
  /** How what netlab says is cut. @default {all ways} */
  readonly ways?: readonly Way[];
  readonly seed: number;
  readonly timeoutMs: number;
  /** How long a program may take until it listens or, a client, does the first thing, in ms. @default {START_MS} */
  readonly startMs?: number;
  readonly limitMs: number;
  readonly failFast?: boolean;
  /** The command that plays just this check again, in that way and with that seed. */
  again?(check: Check, way: Way, seed: number): string;
  onResult?(result: GradedCheck): void;
}

/** The checks of an exercise on one transport and wire, as a profile wants them. @throws {NetlabError} */
export function chooseChecks(
  exercise: Exercise,
  grading: Grading,
  kind: "server" | "client",
  settings: Pick<GradingSettings, "transport" | "wire" | "profile"> & { readonly subject?: Subject | null },
): { checks: Check[]; transport: Transport; wire: string } {
  const profile = settings.profile?.profile ?? {};
  const transport = settings.transport ?? profile.transport ?? exercise.transports[0];
  const wire = settings.wire ?? profile.wire ?? exercise.clientWire;
  requireWire(
    wiresOf(exercise, grading),
    wire,
    settings.wire === undefined ? `${settings.profile?.name}: "wire"` : "--wire",
  );
  const special = wire === "seed" ? wire : undefined;
  const { maxBody } = spellingOf(grading, transport, wire).makeFramer();
  const played = (all: readonly Check[]) =>
    all.filter((check) =>
      (check.transports ?? exercise.transports).includes(transport) && check.wire === special &&
      !(check.framed && transport === "tcp" && wire === "raw") && // there are no message boundaries to check
      longestMessage(check) <= maxBody
    );
  const both = [played(grading.checks), played(grading.clientChecks)];
  const [all, others] = kind === "server" ? both : both.toReversed();
  const attended = settings.subject?.type !== "address" || !all.some(needsPerson);
  const chosen = all.filter((check) => attended ? !check.unattended : !needsPerson(check));
  const checks = attended ? chosen : withoutOthers(chosen);
  if (checks.length === 0) {
    throw new NetlabError("usage", `${exercise.name} has no checks of a ${kind} over ${transport} with --wire ${wire}`);
  }
  const unplayed = all.filter((check) => !chosen.includes(check));
  return {
    checks: settings.profile ? applyProfile(checks, profile, settings.profile.name, [...others, ...unplayed]) : checks,
    transport,
    wire,
  };
}

/** The same checks; what cannot be played is needed by none. */
function withoutOthers(checks: readonly Check[]): Check[] {
  const names = new Set(checks.map(({ name }) => name));
  return checks.map((check) => ({ ...check, needs: check.needs?.filter((need) => names.has(need)) }));
}

/** The framings that an exercise's programs can be graded in: `auto` is a server's own affair, and none. */
export function wiresOf({ wires }: Exercise, { checks, clientChecks }: Grading): string[] {
  const lengths = Array.from({ length: MAX_DIGITS }, (_, i) => `len${i + 1}`);
  const framings = wires.filter((wire) => wire !== "auto").flatMap((wire) => wire === "lenN" ? lengths : [wire]);
  return [...new Set([...framings, ...[...checks, ...clientChecks].flatMap(({ wire = [] }) => wire)])];
}

/** @param source what says so, for the error @throws {NetlabError} of kind `usage` when the exercise has no such framing */
function requireWire(known: readonly string[], wire: string, source: string): void {
  if (known.includes(wire)) return;
  throw new NetlabError("usage", `${source} takes one of ${known.join(", ")}, not ${JSON.stringify(wire)}`);
}

/** The longest message that is sent in it, in bytes. */
function longestMessage({ steps }: Check): number {
  return Math.max(0, ...steps.map((step) => "text" in step ? utf8Length(step.text ?? "") : 0));
}

/** What is graded, as far as that is the same whoever is. */
export interface Plan {
  readonly kind: "server" | "client";
  readonly transport: Transport;
  readonly wire: string;
  /** The checks that count, and those, in order, that are played: they and what they need. */
  readonly wanted: readonly Check[];
  readonly played: readonly Check[];
}

/**
 * Finds out what is to be played, and that it can be.
 *
 * @throws {NetlabError} for wrong settings, and of kind `harness` when this machine has not got the program that is started
 */
export async function planGrading(settings: GradingSettings): Promise<Plan> {
  const { exercise, subject, only, profile } = settings;
  const kind = subject.type === "client" || subject.type === "own client" ? "client" : "server";
  const grading = await exercise.grading();
  const { checks, transport, wire } = chooseChecks(exercise, grading, kind, settings);
  if (checks.length === 0) throw new NetlabError("usage", `${profile?.name} leaves out every check of a ${kind}`);
  const wanted = only === undefined ? checks : checks.filter(({ name }) => isCalled(name, only));
  if (wanted.length === 0) {
    throw new NetlabError("usage", `no check of ${exercise.name} is called "${only}"`, { hint: "--list shows them" });
  }
  setUp(settings, grading, transport, wire, { folder: "", fill: (command) => command });
  await requireInstalled(subject);
  return { kind, transport, wire, wanted, played: withNeeds(checks, wanted) };
}

/** Grades. @throws {NetlabError} for wrong settings, and of kind `harness` when the machine is at fault */
export async function runGrading(settings: GradingSettings): Promise<Report> {
  const { exercise, subject } = settings;
  const { kind, transport, wire, wanted, played } = await planGrading(settings);
  const grading = await exercise.grading();
  await using files = await SampleFiles.put(samplesFor(grading, kind), subject, settings.cwd);
  return await grade({
    exercise: exercise.name,
    target: setUp(settings, grading, transport, wire, files),
    checks: played,
    auxiliary: new Set(played.filter((check) => !wanted.includes(check))),
    transport,
    wire,
    spelling: spellingOf(grading, transport, wire),
    ways: settings.ways ?? WAYS,
    seed: settings.seed,
    timeoutMs: settings.timeoutMs,
    startMs: settings.startMs ?? START_MS,
    limitMs: settings.limitMs,
    failFast: settings.failFast,
    again: settings.again ?? (() => ""),
    onResult: settings.onResult,
  });
}

/** Whether `part` is in the name of a check, in whatever case. */
const isCalled = (name: string, part: string) => name.toLowerCase().includes(part.toLowerCase());

/** @throws {NetlabError} of kind `harness` when this machine has not got the program that a command starts with */
export async function requireInstalled(subject: Subject): Promise<void> {
  if (!("command" in subject) || await isInstalled(subject.command)) return;
  throw new NetlabError("harness", `this machine has no ${subject.command.trim().split(/\s+/)[0]}`, {
    hint: "install it, or write its path",
  });
}

/** `wanted` and what they need, in the order of `all`. */
function withNeeds(all: readonly Check[], wanted: readonly Check[]): Check[] {
  const needed = new Set(wanted);
  for (const { needs = [] } of needed) for (const check of all) if (needs.includes(check.name)) needed.add(check);
  return all.filter((check) => needed.has(check));
}

/** @throws {NetlabError} of kind `usage` when nobody says where a program listens or calls */
function setUp(
  { exercise, subject, profile, port, cwd, startMs = START_MS }: GradingSettings,
  grading: Grading,
  transport: Transport,
  wire: string,
  files: Pick<SampleFiles, "folder" | "fill">,
): Target {
  port ??= profile?.profile.port ?? null;
  const told = "command" in subject && subject.command.includes("{port}");
  // The port of a program that is both ends is its own.
  const client = (client: ClientUnderTest): Target => ({
    ...{ kind: "client", client },
    port: told || exercise.symmetric ? 0 : port ?? 0,
  });
  const server = (server: ServerUnderTest): Target => ({ kind: "server", server });
  switch (subject.type) {
    case "address":
      return server(new RemoteServer(transport, subject.host, subject.port));
    case "server":
      return server(new ServerProgram(files.fill(subject.command), { transport, port, startMs, cwd }));
    case "client":
      return client(new ClientProgram(files.fill(subject.command), { port, startMs, cwd, both: exercise.symmetric }));
    case "own server":
      return server(ownServer(exercise, transport, wire, files.folder, subject.bug));
    case "own client":
      return client(ownClient(exercise, grading, transport, wire, files.folder));
  }
}

/** The files that a program of that kind is judged with: names and contents. */
export function samplesFor(grading: Grading, kind: "server" | "client"): Record<string, string> {
  return { ...grading.samples, ...kind === "client" ? grading.clientSamples : {} };
}

/** The files that an exercise's checks expect where a program under test looks for them. */
export class SampleFiles implements AsyncDisposable {
  /** A folder with the files in it. */
  readonly folder: string;
  readonly #temporary: boolean;
  /** What was put into a folder of somebody else's. */
  readonly #put: string[] = [];
  readonly #forget: () => void;

  /** @throws {NetlabError} of kind `usage` when another file of a sample's name is there, `harness` when none can be written */
  static async put(samples: Readonly<Record<string, string>>, subject: Subject, cwd = "."): Promise<SampleFiles> {
    stopIfInterrupted(); // what is made now would be left behind
    const inPlace = (subject.type === "server" || subject.type === "client") && !subject.command.includes("{dir}");
    const files = new SampleFiles(inPlace && Object.keys(samples).length > 0 ? cwd : null);
    try {
      for (const [name, text] of Object.entries(samples)) files.#write(`${files.folder}/${name}`, name, text);
    } catch (error) {
      await files.remove();
      throw error;
    }
    return files;
  }

  /** @param cwd the folder; null makes one for a while */
  private constructor(cwd: string | null) {
    this.#temporary = cwd === null;
    this.folder = cwd ?? makeFolder("netlab-grade-");
    this.#forget = onInterrupt(() => this.remove());
  }

  /** `command` with the folder's name in the place of `{dir}`. */
  fill(command: string): string {
    return command.replaceAll("{dir}", this.folder);
  }

  async remove(): Promise<void> {
    if (this.#temporary) await takeAway(this.folder);
    else for (const path of this.#put.splice(0)) await takeAway(path, (path) => Deno.remove(path));
    this.#forget();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  #write(path: string, name: string, text: string): void {
    try {
      Deno.writeTextFileSync(path, text, { createNew: true });
      this.#put.push(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        throw new NetlabError("harness", `cannot write ${path}, which the checks need: ${describeSystemError(error)}`, {
          hint: "write {dir} in the command where the program takes the folder that it serves",
          cause: error,
        });
      }
      if (Deno.readTextFileSync(path) === text) return;
      throw new NetlabError(
        "usage",
        `the checks need a file ${name} of their own in ${this.folder}, and one is there`,
        {
          hint: "write {dir} in the command where the program takes the folder that it serves",
          cause: error,
        },
      );
    }
  }
}

/** Netlab's own server, which keeps what it keeps in `dir`. */
export function ownServer(
  exercise: Exercise,
  transport: Transport,
  wire: string,
  dir: string,
  bug?: Bug,
): NetlabServer {
  // A line is known by what comes within 300 ms, and on a busy machine its pieces may come further apart than that.
  const detected = transport === "udp" ||
    (wire !== "line" && exercise.detects.includes(wire.replace(/^len\d$/, "lenN")));
  const auto = (detected || wire === "seed") && exercise.wires.includes("auto") ? "auto" : wire;
  return new NetlabServer(exercise, (console) => serve(exercise, transport, auto, dir, console, bug));
}

async function serve(
  exercise: Exercise,
  transport: Transport,
  wire: string,
  dir: string,
  console: Console,
  bug?: Bug,
): Promise<RunningServer> {
  const server = await exercise.serve({
    ...{ host: "127.0.0.1", port: 0, transport, wire, console },
    limits: { ...exercise.limits },
    trace: NO_TRACE,
    options: defaults(exercise.serveOptions, dir),
    stop: () => void server.shutdown(1000),
    spoil: bug?.spoil,
  });
  return server;
}

/** Netlab's own client, which has its files in `dir`; of what is both ends, the one that is told to call. */
export function ownClient(
  exercise: Exercise,
  { clientSamples = {} }: Grading,
  transport: Transport,
  wire: string,
  dir: string,
): NetlabClient {
  return new NetlabClient(exercise, (host, port, words, console) => {
    if (exercise.symmetric) {
      const serving = serve(exercise, transport, wire, dir, console);
      return { serving, finished: serving.then(({ finished }) => finished) };
    }
    const named = words.map((word) => word in clientSamples ? `${dir}/${word}` : word);
    const args = exercise.acceptsArguments?.(named) ? named : [];
    const options = { ...defaults(exercise.connectOptions, dir), ...exercise.optionsFor?.(words) };
    // Over UDP nothing else tells a client that netlab's end is gone.
    const idleMs = transport === "udp" ? OWN_IDLE_MS : undefined;
    const trace = NO_TRACE;
    return { finished: exercise.connect({ host, port, transport, wire, args, console, trace, options, idleMs }) };
  });
}

/** How long netlab's own client waits for a silent server over UDP, in ms: longer than any check is silent. */
const OWN_IDLE_MS = 4000;

/** The options as nobody has said anything, but for where files are. */
function defaults(specs: readonly OptionSpec[], dir: string): OptionValues {
  return Object.fromEntries(specs.map(({ name, value, default: usual }) => [name, value === "DIR" ? dir : usual]));
}
