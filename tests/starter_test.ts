// `netlab new`: every kit is a program of its language that starts, and that has nothing to be graded for yet.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exercises } from "../lib/exercises/registry.ts";
import { LANGUAGES } from "../lib/grade/starter/mod.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { netlab } from "./cli_helpers.ts";
import { skipUnless, skipUnlessSh, test } from "./helpers.ts";

/** Writes the kits of some exercises in one language; returns their folders. */
async function writeKits(language: string, names: readonly string[]): Promise<string[]> {
  return await Promise.all(names.map(async (name) => {
    const dir = `${temporaryFolder()}/${language}-${name}`;
    const { status, out, err } = await netlab(["new", name, "--lang", language, dir]);
    const next = Deno.build.os === "windows" ? `${dir}/README.md says how to go on` : `cd ${dir} && make grade`;
    assertEquals([status, err], [0, `${next}\n`]);
    const files = [...Deno.readDirSync(dir)].map((entry) => `${dir}/${entry.name}`).sort();
    assertEquals(out.trimEnd().split("\n").sort(), files);
    return dir;
  }));
}

const ALL = exercises.map(({ name }) => name);

/** The programs of kits: their paths, without what is there besides. */
const programsOf = (dirs: readonly string[], extension: string): string[] =>
  dirs.flatMap((dir) => [...Deno.readDirSync(dir)].map(({ name }) => `${dir}/${name}`))
    .filter((path) => path.endsWith(extension));

async function assertRuns(command: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
}

test("the kits in Python compile", async () => {
  const dirs = await writeKits("python", ALL);
  await assertRuns("python3", "-m", "py_compile", ...programsOf(dirs, ".py"));
}, skipUnless("python3"));

test("the kits in TypeScript pass the type check", async () => {
  const dirs = await writeKits("typescript", ALL);
  await assertRuns(Deno.execPath(), "check", "--no-config", "--unstable-net", ...programsOf(dirs, ".ts"));
});

test("the kits in C compile without a warning", async () => {
  const dirs = await writeKits("c", ALL);
  const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-fsyntax-only"];
  await assertRuns("gcc", ...flags, ...programsOf(dirs, ".c"));
}, skipUnless("gcc"));

test("the kits in Java compile", async () => {
  // Over TCP and over UDP, where somebody types at the server, and where one is both ends: what else differs is comments.
  for (const dir of await writeKits("java", ["chat", "stream", "talk", "mesh"])) {
    await assertRuns("javac", "-Xlint:all", "-Werror", "-d", dir, ...programsOf([dir], ".java"));
  }
}, skipUnless("javac"));

test("comments in Java hold no escape that begins a character", async () => {
  const files = programsOf(await writeKits("java", ALL), ".java");
  for (const file of files) assert(!Deno.readTextFileSync(file).includes("\\u"), file);
});

for (const [language, { run }] of Object.entries(LANGUAGES)) {
  if (language === "c" || language === "java") continue; // they would have to be built first
  const needed = language === "python" ? skipUnless("python3") : undefined;
  const line = (program: string) => `${run(program, false)} {port}`.replace(/^deno /, `${Deno.execPath()} `);
  test(`a kit in ${language} starts, is graded, and is worth little`, async () => {
    const [dir] = await writeKits(language, ["chat"]);
    const { status, out } = await netlab([
      ...[
        "grade",
        "chat",
        "--run",
        line("server"),
        "--cwd",
        dir,
        "--timeout",
        "500ms",
        "--only",
        "a client takes a name",
      ],
    ]);
    assertEquals(status, 1);
    assertStringIncludes(out, "0 of 10 points");
    assertStringIncludes(out, "listening on port");
    assertStringIncludes(out, "it got nothing in 500 ms");
  }, needed);

  test(`a kit in ${language} of a program that is both ends is one: it is called, and typed at`, async () => {
    const [dir] = await writeKits(language, ["peer"]);
    assertEquals([...Deno.readDirSync(dir)].length, 3, "a program, a Makefile and README.md");
    const grade = (only: string, start: string) => {
      const patience = ["--timeout", "500ms", "--start", start];
      return netlab(["grade", "peer", "--client", line("peer"), "--cwd", dir, ...patience, "--only", only]);
    };
    const calls = await grade("it calls where it is told", "4s");
    assertEquals(calls.status, 1);
    assertMatch(calls.out, /typed connect 127\.0\.0\.1 \d+/);
    const called = await grade("whoever calls it is shown", "10s");
    assertStringIncludes(called.out, "✓ netlab connects");
    const shown = await netlab([
      ...["grade", "peer", "--run", line("peer"), "--cwd", dir, "--timeout", "500ms", "--way", "whole"],
      ...["--only", "what the caller says is shown"],
    ]);
    assertStringIncludes(shown.out, "0 of 15 points");
  }, needed);
}

test("the line that runs a program in TypeScript stands at its top, and lets it have files where there are some", async () => {
  for (const name of ALL) {
    const [dir] = await writeKits("typescript", [name]);
    const makefile = Deno.readTextFileSync(`${dir}/Makefile`);
    const programs = programsOf([dir], ".ts");
    for (const path of programs) {
      const [, usage, program] = /^\/\/ Usage: (.* (\w+)\.ts) /m.exec(Deno.readTextFileSync(path))!;
      assert(path.endsWith(`/${program}.ts`), usage);
      assertStringIncludes(makefile, `\t${usage} $(`);
      assertEquals(
        usage.includes("--allow-read=. --allow-write=."),
        ["transfer", "files", "stream"].includes(name),
        usage,
      );
    }
  }
});

test("what README.md of a kit says to type is what its Makefile has", async () => {
  for (const name of ALL) {
    const [dir] = await writeKits("c", [name]);
    const [readme, makefile] = ["README.md", "Makefile"].map((file) => Deno.readTextFileSync(`${dir}/${file}`));
    const wire = /^WIRE = (.*)/m.exec(makefile)?.[1] ?? "";
    const said = [...readme.matchAll(/^ {4}make (\S+) +(netlab grade .*)/gm)];
    assertEquals(said.length, 2, name);
    for (const [, target, command] of said) {
      const typed = command.replace("netlab", "$(NETLAB)").replace(`--wire ${wire}`, "--wire $(WIRE)");
      assertStringIncludes(makefile, `\n${target}: all\n\t${typed}\n`);
    }
    assertEquals(readme.includes("make grade WIRE="), wire !== "", name);
  }
});

test("README.md of a kit shows netlab's own client with what it needs", async () => {
  const clients = ["chat", 'calc 7 "*" 6', "files list", "transfer FILE…", "stream NAME"];
  for (const [i, dir] of (await writeKits("python", clients.map((client) => client.split(" ")[0]))).entries()) {
    assertStringIncludes(Deno.readTextFileSync(`${dir}/README.md`), ` netlab connect ${clients[i]} --trace\n`);
  }
});

test("README.md of a kit says what is typed at its client, where that is no matter of the exercise", async () => {
  const asked = {
    smtp: "alice@example.org student@example.org At noon?",
    files: "get poem.txt",
    chat: null,
    mesh: null,
  };
  const dirs = await writeKits("python", Object.keys(asked));
  for (const [i, line] of Object.values(asked).entries()) {
    const said = /what it is to do: `(.*)`/.exec(Deno.readTextFileSync(`${dirs[i]}/README.md`))?.[1] ?? null;
    assertEquals(said, line);
  }
});

test("what is to be typed next is fit for a shell", async () => {
  for (const [name, quoted] of [["Zoë's first", '"Zoë\'s first"'], ["a $1's", "'a $1'\\''s'"]]) {
    const dir = `${temporaryFolder()}/${name}`;
    const { err } = await netlab(["new", "chat", dir]);
    const [quote] = quoted;
    assertEquals(err, `cd ${quote}${dir.slice(0, -name.length)}${quoted.slice(1)} && make grade\n`);
  }
}, skipUnlessSh());

test("a folder has to be named, and not by an empty name", async () => {
  for (const words of [["new", "chat"], ["new", "chat", ""]]) {
    const { status, err } = await netlab(words);
    assertEquals([status, err], [2, "netlab: no folder given: netlab new chat DIR\n"]);
  }
});

test("no file of somebody's is touched", async () => {
  const [dir] = await writeKits("python", ["chat"]);
  Deno.writeTextFileSync(`${dir}/server.py`, "mine");
  Deno.removeSync(`${dir}/client.py`);
  const again = await netlab(["new", "chat", dir]);
  assertEquals(again.status, 2);
  assertStringIncludes(again.err, "is there already");
  assertEquals(Deno.readTextFileSync(`${dir}/server.py`), "mine");
  assertEquals([...Deno.readDirSync(dir)].some(({ name }) => name === "client.py"), false);
});
