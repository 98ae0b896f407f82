// `netlab new`: every kit is a program of its language that starts, and that has nothing to be graded for yet.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exercises } from "../lib/exercises/registry.ts";
import { LANGUAGES } from "../lib/grade/starter/mod.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { netlab } from "./cli_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

/** Writes the kits of some exercises in one language; returns their folders. */
async function writeKits(language: string, names: readonly string[]): Promise<string[]> {
  return await Promise.all(names.map(async (name) => {
    const dir = `${temporaryFolder()}/${language}-${name}`;
    const { status, out, err } = await netlab(["new", name, "--lang", language, dir]);
    assertEquals([status, err], [0, `cd ${dir} && make grade\n`]);
    const files = [...Deno.readDirSync(dir)].map((entry) => `${dir}/${entry.name}`).sort();
    assertEquals(out.trimEnd().split("\n").sort(), files);
    return dir;
  }));
}

const ALL = exercises.map(({ name }) => name);

async function assertRuns(command: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
}

test("the kits in Python compile", async () => {
  const dirs = await writeKits("python", ALL);
  await assertRuns("python3", "-m", "py_compile", ...dirs.flatMap((dir) => [`${dir}/server.py`, `${dir}/client.py`]));
}, skipUnless("python3"));

test("the kits in TypeScript pass the type check", async () => {
  const dirs = await writeKits("typescript", ALL);
  const files = dirs.flatMap((dir) => [`${dir}/server.ts`, `${dir}/client.ts`]);
  await assertRuns(Deno.execPath(), "check", "--no-config", "--unstable-net", ...files);
});

test("the kits in C compile without a warning", async () => {
  const dirs = await writeKits("c", ALL);
  const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-fsyntax-only"];
  await assertRuns("gcc", ...flags, ...dirs.flatMap((dir) => [`${dir}/server.c`, `${dir}/client.c`]));
}, skipUnless("gcc"));

test("the kits in Java compile", async () => {
  // Over TCP and over UDP: what else differs is comments.
  for (const dir of await writeKits("java", ["chat", "stream"])) {
    await assertRuns("javac", "-Xlint:all", "-Werror", "-d", dir, `${dir}/Server.java`, `${dir}/Client.java`);
  }
}, skipUnless("javac"));

test("comments in Java hold no escape that begins a character", async () => {
  for (const dir of await writeKits("java", ALL)) {
    for (const file of ["Server.java", "Client.java"]) assert(!Deno.readTextFileSync(`${dir}/${file}`).includes("\\u"));
  }
});

for (const [language, { server }] of Object.entries(LANGUAGES)) {
  if (language === "c" || language === "java") continue; // they would have to be built first
  const needed = language === "python" ? skipUnless("python3") : undefined;
  const command = server.replace(/^deno /, `${Deno.execPath()} `);
  test(`a kit in ${language} starts, is graded, and is worth little`, async () => {
    const [dir] = await writeKits(language, ["chat"]);
    const { status, out } = await netlab([
      ...["grade", "chat", "--run", command, "--cwd", dir, "--timeout", "500ms", "--only", "a client takes a name"],
    ]);
    assertEquals(status, 1);
    assertStringIncludes(out, "0 of 10 points");
    assertStringIncludes(out, "listening on port");
    assertStringIncludes(out, "it got nothing in 500 ms");
  }, needed);
}

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
