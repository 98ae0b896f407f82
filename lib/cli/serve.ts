// `netlab serve EXERCISE`: its server, until Ctrl-C.

import { bold } from "@std/fmt/colors";
import type { Bug } from "../exercises/bug.ts";
import type { Exercise, RunningServer } from "../exercises/exercise.ts";
import { exercises, findExercise } from "../exercises/registry.ts";
import { optionsFor, parseHost } from "../net/address.ts";
import { systemClock } from "../net/clock.ts";
import { formatHostPort } from "../net/conn.ts";
import type { Millis } from "../protocol/clock.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { openTrace, readLimits, readTransport, serveOptions, whyNoOption } from "./common_options.ts";
import { openConsole } from "./console.ts";
import { gapInText } from "./output.ts";
import { didYouMean } from "./suggest.ts";

/** The exercise that a command is about. @throws {NetlabError} of kind `usage` */
export function requireExercise(words: readonly string[]): Exercise {
  const names = exercises.map((exercise) => exercise.name);
  const [name] = words;
  if (name === undefined) throw new NetlabError("usage", "no exercise given", { hint: `one of ${names.join(", ")}` });
  const exercise = findExercise(name);
  if (exercise) return exercise;
  throw new NetlabError("usage", `no such exercise: ${name || '""'}${didYouMean(name, names)}`, {
    hint: "netlab list shows them all",
  });
}

export const serve: Command = {
  name: "serve",
  summary: "run an exercise's server",
  usage: "EXERCISE [options]",
  maxWords: 1,
  insteadOf: ([name, ...where]) => {
    const options = optionsFor(where.join(" "));
    return options === null ? null : `netlab serve ${name} ${options}`;
  },
  details: "Listens on all addresses of this machine, says where, and runs until Ctrl-C: then it says goodbye,\n" +
    "delivers what was taken, and ends. A second Ctrl-C cuts.",
  options: (words) => serveOptions(findExercise(words[0] ?? "")),
  whyNoOption: (words, option) => whyNoOption(findExercise(words[0] ?? ""), option),
  examples: (words) => {
    const { name, transports: [transport], serveExamples } = findExercise(words[0] ?? "") ?? exercises[0];
    return [...serveExamples, {
      command: `netlab serve ${name} --host 127.0.0.1 --port 0 --json`,
      output: [`{"event":"listening","exercise":"${name}","transport":"${transport}","host":"127.0.0.1","port":PORT}`],
    }];
  },
  nextWords: (words) => words.length === 0 ? exercises.map((exercise) => exercise.name) : [],
  async run(context) {
    const { output, values, words } = context;
    const exercise = requireExercise(words);
    if (values["list-bugs"]) return await listBugs(context, exercise);
    // Who does not read what a server says does not hold it up.
    output.out.gap = values.json ? (lines) => JSON.stringify({ event: "dropped", lines }) : gapInText;
    const bug = values.bug === undefined ? null : await findBug(exercise, String(values.bug));
    const tracing = openTrace(values, output, { log: true, json: true });
    let stop = () => {};
    const started = Promise.withResolvers<RunningServer>();
    try {
      const server = await exercise.serve({
        host: parseHost(String(values.host)),
        port: Number(values.port),
        transport: readTransport(values, exercise),
        wire: String(values.wire),
        limits: readLimits(values),
        trace: tracing.bus,
        options: values,
        spoil: bug?.spoil,
        stop: () => void started.promise.then((server) => server.shutdown(Number(values.grace ?? 0))),
        console: openConsole(output, {
          json: values.json === true,
          quiet: values.quiet === true,
          onInterrupt: () => stop(),
          onBadInput: ({ message }) => output.err.line(`warning: ${message}: nothing is read from there on`),
        }),
      });
      started.resolve(server);
      announce(context, exercise, server);
      await untilStopped(context, server, (onStop) => (stop = onStop));
    } finally {
      tracing.bus.close();
    }
    if (tracing.failure) throw tracing.failure;
  },
};

/** @throws {NetlabError} of kind `usage` when there is no such mistake */
async function findBug(exercise: Exercise, name: string): Promise<Bug> {
  const { bugs } = await exercise.grading();
  const found = bugs.find((bug) => bug.name === name);
  if (found) return found;
  const meant = didYouMean(name, bugs.map((bug) => bug.name));
  throw new NetlabError("usage", `${exercise.name} has no mistake ${JSON.stringify(name)}${meant}`, {
    hint: `netlab serve ${exercise.name} --list-bugs`,
  });
}

async function listBugs({ output, values }: CommandContext, exercise: Exercise): Promise<void> {
  const { name } = exercise;
  const { bugs } = await exercise.grading();
  if (values.json) {
    for (const { name, summary } of bugs) output.out.line(JSON.stringify({ name, summary }));
    return;
  }
  const width = Math.max(...bugs.map((bug) => bug.name.length));
  for (const bug of bugs) output.out.line(`${bold(bug.name.padEnd(width))}  ${bug.summary}`);
  output.err.line(`netlab serve ${name} --bug NAME`);
}

/** Who listens on all addresses is here by this one. On Windows `::` stands for those of IPv6 alone. */
const LOOPBACK: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": Deno.build.os === "windows" ? "::1" : "127.0.0.1",
};

/** Says where the server is, and what to type elsewhere. */
function announce({ output, values }: CommandContext, exercise: Exercise, server: RunningServer): void {
  const { hostname, port, transport } = server.address;
  if (values.json) {
    output.out.line(JSON.stringify({ event: "listening", exercise: exercise.name, transport, host: hostname, port }));
    return;
  }
  output.out.line(`${exercise.name} listens on ${formatHostPort(hostname, port)} (${transport})`);
  if (values.quiet) return;
  const command = (host: string) => {
    const address = port === exercise.port ? host.includes(":") ? `[${host}]` : host : formatHostPort(host, port);
    const where = host === "127.0.0.1" && port === exercise.port ? "" : ` ${address}`;
    return `netlab connect ${exercise.name}${where}${transport === exercise.transports[0] ? "" : " --transport udp"}`;
  };
  const here = LOOPBACK[hostname] ?? hostname;
  output.err.line(`  here:       ${command(here)}`);
  const lan = here !== hostname && !here.includes(":") ? lanAddress() : null;
  if (lan) output.err.line(`  elsewhere:  ${command(lan)}`);
}

/** This machine's address as its neighbours see it: the first IPv4 one that is not its own loopback. */
function lanAddress(): string | null {
  try {
    const addresses = Deno.networkInterfaces().filter((one) =>
      one.family === "IPv4" && !one.address.startsWith("127.") && !one.address.startsWith("169.254.")
    );
    return addresses[0]?.address ?? null;
  } catch {
    return null;
  }
}

/** What asks a program to end, or says that its terminal is gone; Windows knows only the first. */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** How long what was cut may take to end, in ms: what a session is just doing may never, as on a disk that does not answer. */
const CUT_MS: Millis = 500;

/** Waits for the server's end, or for Ctrl-C: once to end in good order, twice to cut. */
async function untilStopped(
  { output, values }: CommandContext,
  server: RunningServer,
  expose: (stop: () => void) => void,
): Promise<void> {
  let stops = 0;
  const stuck = Promise.withResolvers<true>();
  let cancel = () => {};
  const endWithin = (ms: Millis) => {
    cancel();
    cancel = systemClock.at(systemClock.now() + ms + CUT_MS, () => stuck.resolve(true));
  };
  const onSignal = () => {
    if (++stops > 2) return;
    const graceMs = stops > 1 ? 0 : Number(values.grace ?? 0);
    endWithin(graceMs);
    if (stops > 1) return server.abort();
    if (!values.quiet) output.err.line("stopping (Ctrl-C again to cut) …");
    void server.shutdown(graceMs);
  };
  expose(onSignal);
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  try {
    const isStuck = await Promise.race([server.finished, stuck.promise]);
    if (stops > 1 || isStuck) throw new NetlabError("interrupted", "cut before everything was delivered");
  } finally {
    cancel();
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
  }
}
