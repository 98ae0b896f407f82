// README.md tells the truth: its commands are run and print what it shows, its transcript is played with the programs that
// it names, and what it points to is there.
//
//     ```console    `$ ` and a command, then what it prints: run; under <!-- with: netlab serve … -->, one after the other
//                   beside that server, in one folder
//     ```sh         commands that are not run, but known
//     ```json       a profile, which names checks and steps that there are
//     ```text       under <!-- transcript: chat -->: `[who] < typed`, `[who] > shown`: played
//     ```python     the client of the transcript; under <!-- file: NAME -->, a file that commands have beside them

import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { exercises, findExercise } from "../lib/exercises/registry.ts";
import { chooseChecks } from "../lib/grade/grading.ts";
import { parseProfile } from "../lib/grade/profile.ts";
import { serveContext, serving, withChat } from "./chat_helpers.ts";
import { environment, Program, ROOT, shimFolder } from "./cli_helpers.ts";
import { skipUnless, test } from "./helpers.ts";
import { explained } from "./registry_helpers.ts";

const readme = await Deno.readTextFile(`${ROOT}README.md`);

/** The fenced blocks of one language, each with the line above it. */
function blocks(language: string): { above: string; lines: string[] }[] {
  const pattern = new RegExp(`(?:^(.*)\n+)?^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm");
  return [...readme.matchAll(pattern)].map(([, above = "", body]) => ({ above, lines: body.trimEnd().split("\n") }));
}

const RUN = "npx -y deno@2.9.6 task ";

test("README.md has the commands that start the server and run the tests", () => {
  for (const task of ["netlab serve chat", "test", "compile", "release"]) {
    assertMatch(readme, new RegExp(`^${RUN}${task}$`, "m"));
  }
});

test("every command in README.md that is not run is one that there is", () => {
  const lines = blocks("sh").flatMap((block) => block.lines);
  assert(lines.length > 0);
  for (const line of lines) {
    if (/^(netlab|nc|python3) /.test(line)) continue;
    assert(line.startsWith(RUN), `who knows this command? ${line}`);
    const [task] = line.slice(RUN.length).split(" ");
    assert(Object.hasOwn(config.tasks, task), `deno.json has no task ${task}`);
  }
});

test("the profile in README.md is one, and speaks of checks and steps that there are", async () => {
  const profiles = blocks("json").map(({ lines }) => parseProfile(lines.join("\n"), "README.md"));
  assert(profiles.length > 0);
  for (const profile of profiles) {
    const exercise = findExercise(profile.exercise!)!;
    for (const kind of ["server", "client"] as const) {
      chooseChecks(exercise, await exercise.grading(), kind, { profile: { name: "README.md", profile } });
    }
  }
});

test("the files that README.md links to are there", async () => {
  const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target);
  assert(targets.length > 0);
  for (const target of targets) assert((await Deno.stat(`${ROOT}${target}`)).isFile, target);
});

/** What `command` prints on standard output, in a shell that finds `netlab`, in `folder`, and whose default port is `port`. */
async function shell(command: string, port: number, folder: { readonly path: string }): Promise<string> {
  const { stdout, stderr, code } = await new Deno.Command("bash", {
    args: ["-c", `set -o pipefail; ${command}`],
    cwd: folder.path,
    clearEnv: true,
    env: environment({ PATH: `${folder.path}:${Deno.env.get("PATH")}`, NETLAB_PORT: String(port) }),
  }).output();
  const output = new TextDecoder().decode(stdout);
  const refused = /^ERROR/m.test(output); // then a script has failed
  assertEquals(code, refused ? 1 : 0, `${command}: ${new TextDecoder().decode(stderr)}`);
  return output;
}

/** Each command of a console block, with what the block shows for it. */
function commandsOf(lines: readonly string[]): { command: string; output: string }[] {
  const commands: { command: string; output: string }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), output: "" });
    else commands.at(-1)!.output += `${line}\n`;
  }
  return commands;
}

/** Runs `fn` with the server that `netlab connect EXERCISE` needs; others get one, too. */
function withServerOf(command: string, fn: (port: number) => Promise<void>): Promise<void> {
  const name = /netlab connect (\w+)/.exec(command)?.[1] ?? "chat";
  const exercise = explained.find((one) => one.name === name)!;
  return serving(exercise.serve(serveContext(exercise)), fn);
}

/**
 * Without what is different each time: times and dates, rates and their shares, how many datagrams of random size there
 * were, and the names of messages; and without spaces at the end of a line, which a text should not have.
 */
function steady(output: string): string {
  return output
    .replace(/\d+(\.\d+)? (m?s|%|[kMG]?bit\/s|datagrams)(?=\W)/g, "N $2")
    .replace(/ +$/gm, "")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, "DATE")
    .replace(/(?<=<)[0-9a-f-]{36}(?=@)|\b\d{10}\.M\d+P\d+R\w+\.\w+/g, "ID");
}

/** The command of the server beside which a block is run; null for none. */
const serverOf = (above: string) => /^<!-- with: netlab (serve .*) -->$/.exec(above)?.[1] ?? null;

for (const { above, lines } of blocks("console")) {
  const line = serverOf(above);
  if (line === null) {
    for (const { command, output } of commandsOf(lines)) {
      test(`the command in README.md prints what is shown: ${command}`, () =>
        withServerOf(command, async (port) => {
          await using folder = await shimFolder();
          assertEquals(steady(await shell(command, port, folder)), steady(output));
        }), skipUnless("bash"));
    }
    continue;
  }
  const needs = ["bash", "python3"].map(skipUnless).some(({ ignore }) => ignore);
  test(`the commands in README.md beside netlab ${line} print what is shown`, async () => {
    await using folder = await shimFolder();
    await using server = new Program(`${line} --host 127.0.0.1 --port 0 --json`, { cwd: folder.path });
    const { port, exercise } = JSON.parse(await server.out.line());
    for (const { above, lines } of blocks("python")) {
      const [, name] = /^<!-- file: (\S+) -->$/.exec(above) ?? [];
      const text = lines.join("\n").replaceAll(String(findExercise(exercise)!.port), String(port));
      if (name !== undefined) await Deno.writeTextFile(`${folder.path}/${name}`, text);
    }
    for (const { command, output } of commandsOf(lines)) {
      assertEquals(steady(await shell(command, port, folder)), steady(output), command);
    }
  }, { ignore: needs });
}

test("README.md names every exercise whose limits are its own", () => {
  const limits = /^- Every server has limits:[^]*?\n- /m.exec(readme)![0];
  const about = (option: string) => new RegExp(`\\(\`--${option}\`;([^)]*)\\)`).exec(limits)![1];
  for (const { name, limits = {} } of exercises) {
    assertEquals(about("max-clients").includes(`\`${name}\``), limits.maxClients !== undefined, name);
    assertEquals(about("first-byte").includes(`\`${name}\``), limits.firstByteMs !== undefined, name);
  }
});

test("README.md has commands that are run", () => {
  assert(blocks("console").length > 0);
});

/** The programs of the transcript, as README.md calls them. */
async function startAll(port: number, folder: string): Promise<Record<string, Program>> {
  const calls = { netlab: "netlab connect chat --name alice", nc: "nc localhost 7777" };
  for (const call of Object.values(calls)) assert(readme.includes(`\`${call}\``), `README.md does not say: ${call}`);
  const [python] = blocks("python");
  assertEquals(python.lines.filter((line) => line !== "").length <= 10, true, "ten lines of Python");
  await Deno.writeTextFile(`${folder}/client.py`, python.lines.join("\n"));
  const nc = calls.nc.replace("7777", String(port)).split(" ");
  return {
    netlab: new Program(calls.netlab.split(" ").slice(1), { env: { NETLAB_PORT: String(port) } }),
    nc: new Program(nc.slice(1), { command: [nc[0]] }),
    python: new Program([`${folder}/client.py`, "localhost", String(port)], { command: ["python3"] }),
  };
}

const ignore = ["nc", "python3"].map(skipUnless).some((options) => options.ignore);

test(
  "the chat in README.md between netlab, nc and ten lines of Python goes as it is shown",
  () =>
    withChat(async ({ port }) => {
      const transcript = blocks("text").find(({ above }) => above === "<!-- transcript: chat -->")!.lines;
      await using folder = await shimFolder();
      const { netlab, nc, python } = await startAll(port, folder.path);
      await using disposed = new AsyncDisposableStack();
      for (const program of [netlab, nc, python]) disposed.use(program);
      const programs: Record<string, Program> = { netlab, nc, python };
      for (const line of transcript) {
        const [, who, direction, text] = /^\[(\w+)\] ([<>]) (.*)$/.exec(line) ?? [];
        assert(programs[who], `not a line of a transcript: ${line}`);
        if (direction === "<") await programs[who].type(text);
        else assertEquals(await programs[who].out.line(), text, line);
      }
      const shown = (who: string) => transcript.filter((line) => line.startsWith(`[${who}] > `)).length;
      for (const [who, goodbye] of [["netlab", 1], ["nc", 0], ["python", 0]] as const) {
        await programs[who].endInput();
        const { out } = await programs[who].result();
        assertEquals(
          out.split("\n").length - 1,
          shown(who) + goodbye,
          `${who} showed more than README.md says:\n${out}`,
        );
      }
    }),
  { ignore },
);
