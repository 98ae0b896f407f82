// `netlab grade EXERCISE`: black-box checks of somebody's server or client.

import type { Example, Exercise } from "../exercises/exercise.ts";
import type { OptionSpec } from "../exercises/options.ts";
import { exercises, findExercise } from "../exercises/registry.ts";
import { WAYS } from "../grade/delivery.ts";
import { REPORT_FORMATS } from "../grade/reports/formats.ts";
import { START_MS, STEP_MS } from "../grade/patience.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";

/** Each time is kept until the end, and takes seconds at best. */
const MAX_TIMES = 1000;

const optionsOf = (exercise?: Exercise): OptionSpec[] => [
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
    candidates: async () =>
      exercise ? (await import("../grade/grading.ts")).wiresOf(exercise, await exercise.grading()) : [],
    summary: "how its messages are framed; as netlab's client does, unless said",
  },
  {
    name: "profile",
    type: "string",
    value: "NAME|FILE",
    candidates: async () => {
      const { PROFILES } = await import("../grade/profiles/mod.ts");
      return Object.keys(PROFILES).filter((name) => PROFILES[name].exercise === exercise?.name);
    },
    summary: "what a course varies: port, framing, wording, points; EXERCISE-seed is that of the course",
  },
  { name: "only", type: "string", value: "TEXT", summary: "the checks with this in their names, and what they need" },
  {
    name: "way",
    type: "string",
    value: "WAY",
    choices: WAYS,
    summary: `cut what netlab says in this way only, besides whole: ${WAYS.join(", ")}`,
  },
  { name: "list", type: "flag", summary: "show the checks and their steps, and run none" },
  { name: "seed", type: "number", value: "N", default: 1, summary: "what decides where messages are cut" },
  {
    name: "timeout",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: STEP_MS,
    summary: "how long the program may take for each step",
  },
  {
    name: "start",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: START_MS,
    summary: "how long a program may take until it listens, or calls",
  },
  {
    name: "limit",
    type: "duration",
    value: "DURATION",
    min: 1,
    default: 600_000,
    summary: "how long the whole may take; with --batch or --repeat, each time",
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
    max: MAX_TIMES,
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
  details:
    "Plays the other side, step by step, and says what it did, what it expected, what came, and why that usually\n" +
    "happens. What netlab sends is cut into writes in several ways; a check gives half its points for the plainest.\n" +
    "Status 0: everything passed. 1: something did not. 3: the machine or netlab is at fault.",
  options: ([name = ""]) => optionsOf(findExercise(name)),
  examples,
  nextWords: (words) => words.length === 0 ? exercises.map(({ name }) => name) : [],
  run: async (context) => (await import("./grade_run.ts")).runGrade(context),
};

/** One is enough: every exercise is graded in the same way. */
function examples([name]: readonly string[]): Example[] {
  const [exercise] = exercises;
  if (name !== undefined && name !== exercise.name) return [];
  return [{
    command: `netlab grade ${exercise.name} --server 127.0.0.1 --only "takes a name"`,
    output: ["✓   10/10  a client takes a name", "", "10 of 10 points  1 passed · seed 1"],
  }];
}
