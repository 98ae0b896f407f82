// Colour: --color, then NO_COLOR, then FORCE_COLOR, then whether there is a terminal; and never in JSON.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exercises } from "../lib/exercises/registry.ts";
import { withChat } from "./chat_helpers.ts";
import { type Environment, NETLAB, netlab, runProgram } from "./cli_helpers.ts";
import { skipIf, skipUnless, test } from "./helpers.ts";

// deno-lint-ignore no-control-regex
const ESCAPE = /\x1b\[\d+m/;

const CASES: readonly { line: string; env: Environment; coloured: boolean }[] = [
  { line: "list", env: {}, coloured: false }, // its output is a pipe
  { line: "list", env: { FORCE_COLOR: "1" }, coloured: true },
  { line: "list", env: { FORCE_COLOR: "0" }, coloured: false },
  { line: "list", env: { NO_COLOR: "1", FORCE_COLOR: "1" }, coloured: false },
  { line: "list", env: { NO_COLOR: "", FORCE_COLOR: "1" }, coloured: true },
  { line: "list --color always", env: {}, coloured: true },
  { line: "list --color always", env: { NO_COLOR: "1" }, coloured: true },
  { line: "list --color=never", env: { FORCE_COLOR: "1" }, coloured: false },
  { line: "list --color auto", env: { FORCE_COLOR: "1" }, coloured: true },
  { line: "list", env: { NETLAB_COLOR: "always", NO_COLOR: "1" }, coloured: true },
  { line: "list --color never", env: { NETLAB_COLOR: "always" }, coloured: false },
];

test("colours follow --color, then NO_COLOR, then FORCE_COLOR, then the terminal", async () => {
  for (const { line, env, coloured } of CASES) {
    const { status, out } = await runProgram(line, { env });
    assertEquals([status, ESCAPE.test(out)], [0, coloured], `${line} with ${JSON.stringify(env)}`);
  }
});

test("errors are coloured by the same rule", async () => {
  const { err } = await netlab("serve nope", { NETLAB_COLOR: "always" });
  assertMatch(err, ESCAPE);
  assert(!ESCAPE.test((await netlab("serve nope")).err));
  assert(!ESCAPE.test((await netlab("serve nope", { NO_COLOR: "", FORCE_COLOR: "0" })).err));
});

test("help and explain with colours are the same text as without", async () => {
  for (const line of ["help", "help serve chat", "list", ...exercises.map(({ name }) => `explain ${name}`)]) {
    const plain = await netlab(line);
    const coloured = await netlab(line, { NO_COLOR: "", FORCE_COLOR: "1" });
    assertMatch(coloured.out, ESCAPE);
    assertEquals(coloured.out.replace(new RegExp(ESCAPE, "g"), ""), plain.out, line);
  }
});

test("JSON is never coloured", async () => {
  const { out } = await netlab("list --json --color always");
  assert(!ESCAPE.test(out));
  await withChat(async ({ port }) => {
    const line = `connect chat --port ${port} --json --trace --color always`;
    const { out, err } = await runProgram(line, { input: "NAME alice\n" });
    assert(!ESCAPE.test(out));
    assertEquals(JSON.parse(out.split("\n")[0]).text, "HELLO alice");
    assertMatch(err, ESCAPE);
  });
});

const script = Deno.build.os === "linux" ? skipUnless("script") : skipIf("script is called otherwise here");

test(
  "a terminal that says it is dumb gets lines, without colours and without being written over",
  () =>
    withChat(async ({ port }) => {
      const client = [...NETLAB, "connect", "chat", "--port", String(port)].map((word) => `"${word}"`).join(" ");
      const on = async (TERM: string) => {
        const command = ["script", "-qec", client, "/dev/null"];
        const { status, out } = await runProgram([], { command, env: { TERM }, input: "NAME alice\nEXIT\n" });
        assertEquals(status, 0, out);
        assertStringIncludes(out, "HELLO alice\r\n");
        return out.includes("\x1b");
      };
      assertEquals([await on("dumb"), await on("xterm")], [false, true]);
    }),
  script,
);
