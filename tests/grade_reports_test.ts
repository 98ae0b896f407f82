// The reports of the grader: what holds for every form, and how the command line writes them.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import type { RunningServer } from "../lib/exercises/exercise.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { isPerfect } from "../lib/grade/report.ts";
import { REPORT_FORMATS } from "../lib/grade/reports/formats.ts";
import { hasUnsafe } from "../lib/protocol/text.ts";
import { serveContext } from "./chat_helpers.ts";
import { netlab } from "./cli_helpers.ts";
import { EMPTY, hostileText, parseTap, realRun, render, runThatSays, structureOf } from "./grade_reports_helpers.ts";
import { property, test } from "./helpers.ts";

const FORMATS = Object.keys(REPORT_FORMATS);
const chat = findExercise("chat")!;

for (const format of FORMATS) {
  property(
    `${format}: nothing that steers a terminal, breaks a line or is no character comes through`,
    60,
    async (random) => {
      const text = await render(format, runThatSays(hostileText(random)));
      assert(text.isWellFormed());
      assertMatch(text, /[^\n]\n$/);
      for (const line of text.split("\n")) assert(!hasUnsafe(line), JSON.stringify(line));
    },
  );
}

test("a real run and an empty one can be written in every form", async () => {
  for (const report of [EMPTY, await realRun()]) {
    for (const format of FORMATS) assert((await render(format, report)).length > 50, format);
  }
  const { checks } = await realRun();
  assertEquals(new Set(checks.map(({ outcome }) => outcome)), new Set(["partly", "failed", "passed"]));
});

// The command line

/** Runs `netlab grade chat` on netlab's own server, right or with a mistake. */
async function gradeChat(options: readonly string[], bug?: string): ReturnType<typeof netlab> {
  const { bugs } = await chat.grading();
  const server: RunningServer = await chat.serve({
    ...serveContext(chat),
    spoil: bugs.find(({ name }) => name === bug)?.spoil,
  });
  try {
    const target = ["--server", `127.0.0.1:${server.address.port}`, "--only", "takes a name", "--timeout", "300ms"];
    return await netlab(["grade", "chat", ...target, "--seed", "7", ...options]);
  } finally {
    server.abort();
    await server.finished;
  }
}

for (const format of FORMATS) {
  test(`netlab grade --format ${format} prints nothing else, and its status is that of the run`, async () => {
    const right = await gradeChat(["--format", format]);
    assertEquals(right.status, 0);
    const wrong = await gradeChat(["--format", format], "one-recv");
    assertEquals(wrong.status, 1);
    for (const { out, err } of [right, wrong]) {
      assertMatch(err, format === "classroom50" ? /^note: [^\n]*CLASSROOM[^\n]*\n$/ : /^$/);
      if (format === "tap") parseTap(out);
      if (["json", "gradescope", "classroom50"].includes(format)) JSON.parse(out);
      if (format === "junit") assert(out.startsWith("<?xml") && out.endsWith("</testsuites>\n"));
      if (format === "html") assert(out.startsWith("<!DOCTYPE html>") && out.endsWith("</html>\n"));
      if (format === "md") structureOf(out);
    }
  });
}

test("--out writes a report to a file, whatever was in it, and text without colours", async () => {
  const dir = await Deno.makeTempDir({ prefix: "netlab-test-" });
  try {
    const path = `${dir}/report`;
    await Deno.writeTextFile(path, "yesterday's points ".repeat(1000));
    const { status, out, err } = await gradeChat(["--format", "json", "--out", path]);
    assertEquals([status, out, err], [0, "", ""]);
    assert(isPerfect(JSON.parse(await Deno.readTextFile(path))));
    const text = await gradeChat(["--color", "always", "--out", path], "one-recv");
    assertEquals([text.status, text.out, text.err], [1, "", ""]);
    const written = await Deno.readTextFile(path);
    assertMatch(written, /^◐ {4}5\/10 {2}a client takes a name\n[^]*5 of 10 points.*\n$/);
    assert(!written.includes("\x1b") && !written.includes("\n\n\n"), written);
  } finally {
    setColorEnabled(false);
    await Deno.remove(dir, { recursive: true });
  }
});

test("a file that cannot be written is the harness's fault, and is so before anything is graded", async () => {
  const { status, out, err } = await netlab(
    "grade chat --server 127.0.0.1:1 --format html --out /nowhere/at/all.html",
  );
  assertEquals([status, out], [3, ""]);
  assertMatch(err, /^netlab: cannot write \/nowhere\/at\/all\.html: .*: name another --out\n$/);
});

test("help and completion offer every form", async () => {
  const { out } = await netlab("help grade");
  for (const [name, { summary }] of Object.entries(REPORT_FORMATS)) {
    assertStringIncludes(out.replace(/\s+/g, " "), `${name} (${summary})`);
  }
  const { status, err } = await netlab("grade chat --server 127.0.0.1:1 --format xml");
  assertEquals(status, 2);
  for (const name of ["text", ...FORMATS]) assertStringIncludes(err, name);
});
