// The reports of the grader that programs read, read by programs: TAP by a TAP parser, JUnit XML by an XML parser, and all by
// their published fields. What a program under test says is text in all of them, whatever it says.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Report } from "../lib/grade/report.ts";
import { checkLines, outputLines, show } from "../lib/grade/reports/text.ts";
import {
  type Element,
  EMPTY,
  hostileText,
  hostileTexts,
  parseTap,
  parseXml,
  PLAIN,
  render,
  runOf,
  runThatSays,
  samples,
  tagsOf,
} from "./grade_reports_helpers.ts";
import { property, skipUnless, test } from "./helpers.ts";

// TAP 14

async function checkTap(report: Report): Promise<void> {
  const { tests, ok } = parseTap(await render("tap", report));
  assertEquals(tests.length, report.checks.length);
  assertEquals(ok, report.checks.every(({ outcome }) => outcome === "passed" || outcome === "not run"));
  for (const [i, { name, outcome, because, ways, failure, points, maxPoints }] of report.checks.entries()) {
    const { test, subtest } = tests[i];
    assertEquals(test.id, i + 1);
    assertEquals(test.name.replace("{…", "{"), show(name).trim());
    assertEquals(test.ok, outcome === "passed" || outcome === "not run");
    assertEquals(test.skip, outcome === "not run" ? show(because!).replace(/\{\s*$/, "{…").trim() : false);
    assertEquals(test.todo, false);
    assertEquals(subtest.map((one) => one.ok), ways.length < 2 ? [] : ways.map(({ passed }) => passed));
    const { diag } = test;
    assertEquals([diag.points, diag.max_points], [points, maxPoints].map((one) => Math.round(one * 100) / 100));
    assertEquals(diag.outcome, outcome);
    if (failure === undefined) continue;
    assertEquals([diag.step, diag.got, diag.again], [failure.step, failure.got, failure.again].map(show));
    assertEquals([diag.ladder, diag.causes], [failure.ladder.map(show), failure.causes.map(show)]);
    assertEquals(diag.output, outputLines(failure));
    assertEquals(diag.difference?.expected, failure.difference && show(failure.difference.expected));
  }
}

test("a TAP parser reads from TAP what the run says", async () => {
  for (const report of await samples()) if (report !== EMPTY) await checkTap(report);
  assertStringIncludes(await render("tap", EMPTY), "\n1..0 # no checks\n");
  parseTap(await render("tap", EMPTY));
});

property("no text becomes a line of TAP, a directive or YAML of its own", 150, async (random) => {
  await checkTap(runThatSays(hostileText(random)));
});

// JUnit

/**
 * The attributes of each element, and what may be in it, in JUnit.xsd of windyroad/JUnit-Schema (Apache Ant's form). What it
 * allows and is used here is allowed by junit-10.xsd of Jenkins' xUnit plugin, too.
 */
const JUNIT: Readonly<Record<string, { attributes: Record<string, RegExp>; children: RegExp }>> = {
  testsuites: { attributes: {}, children: /^(testsuite )*$/ },
  testsuite: {
    attributes: {
      id: /^\d+$/,
      package: /^\S+$/,
      name: /^\S+( \S+)*$/,
      hostname: /^\S+$/,
      timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/,
      time: /^\d+\.\d{3}$/,
      tests: /^\d+$/,
      failures: /^\d+$/,
      errors: /^\d+$/,
      skipped: /^\d+$/,
    },
    children: /^properties (testcase )*system-out system-err $/,
  },
  properties: { attributes: {}, children: /^(property )*$/ },
  property: { attributes: { name: /^\S+( \S+)*$/, value: /^/ }, children: /^$/ },
  testcase: {
    attributes: { name: /^\S+( \S+)*$/, classname: /^\S+( \S+)*$/, time: /^\d+\.\d{3}$/ },
    children: /^((skipped|failure) )?$/,
  },
  skipped: { attributes: { message: /^/ }, children: /^$/ },
  failure: { attributes: { type: /^\S/, message: /^/ }, children: /^$/ },
  "system-out": { attributes: {}, children: /^$/ },
  "system-err": { attributes: {}, children: /^$/ },
};

function checkElement({ tag, attributes, children }: Element): void {
  const rule = JUNIT[tag];
  assert(rule !== undefined, tag);
  assertEquals(Object.keys(attributes).sort(), Object.keys(rule.attributes).sort(), tag);
  for (const [name, pattern] of Object.entries(rule.attributes)) {
    assertMatch(attributes[name], pattern, `${tag} ${name}`);
  }
  assertMatch(children.map((child) => `${child.tag} `).join(""), rule.children, tag);
  children.forEach(checkElement);
}

test("JUnit XML has the elements and attributes of the published schema", async () => {
  const reports = await samples();
  const roots = await parseXml(await Promise.all(reports.map((report) => render("junit", report))));
  for (const [i, { checks, points, maxPoints }] of reports.entries()) {
    checkElement(roots[i]);
    const [suite] = roots[i].children;
    const cases = suite.children.filter(({ tag }) => tag === "testcase");
    assertEquals(
      cases.map(({ children }) => children[0]?.tag),
      checks.map(({ outcome }) =>
        ({ passed: undefined, "not run": "skipped", failed: "failure", partly: "failure" })[outcome]
      ),
    );
    const count = (tag: string) => String(cases.filter(({ children }) => children[0]?.tag === tag).length);
    const { tests, failures, skipped } = suite.attributes;
    assertEquals([tests, failures, skipped], [String(checks.length), count("failure"), count("skipped")]);
    const properties = suite.children[0].children.map(({ attributes }) => [attributes.name, attributes.value]);
    const value = (name: string) => Number(Object.fromEntries(properties)[name]);
    assertEquals([value("points"), value("max-points")], [points, maxPoints].map((one) => Math.round(one * 100) / 100));
    assertEquals(properties.filter(([name]) => name.startsWith("points: ")).length, checks.length);
    for (const [j, check] of checks.entries()) {
      const [child] = cases[j].children;
      if (child?.tag === "failure") assertEquals(child.text, checkLines(check).join("\n"));
    }
  }
}, skipUnless("python3"));

test("JUnit XML is well-formed, and its texts are what was said, whatever it was", async () => {
  const said = hostileTexts("JUnit XML", 200);
  const roots = await parseXml(await Promise.all(said.map((text) => render("junit", runThatSays(text)))));
  for (const [i, root] of roots.entries()) {
    checkElement(root);
    const cases = root.children[0].children.filter(({ tag }) => tag === "testcase");
    const [failure] = cases[1].children;
    assertStringIncludes(failure.text, `\n    but ${show(said[i])}\n`);
    // In an attribute a tab is read as a space.
    assertEquals(failure.attributes.message, show(`step ${said[i]}: ${said[i]}`).replaceAll("\t", " "));
  }
}, skipUnless("python3"));

property("no text becomes a tag or an attribute of JUnit XML", 60, async (random) => {
  const skeleton = async (said: string) =>
    tagsOf(await render("junit", runThatSays(said))).map((tag) => tag.replace(/"[^"]*"/g, '""'));
  assertEquals(await skeleton(hostileText(random)), await skeleton("a plain text"));
});

// JSON

test("JSON is the whole run, with the version of the form", async () => {
  for (const report of await samples()) {
    assertEquals(JSON.parse(await render("json", report)), JSON.parse(JSON.stringify({ version: 1, ...report })));
  }
});

property("JSON loses nothing of what was said", 60, async (random) => {
  const said = hostileText(random);
  const { target, checks } = JSON.parse(await render("json", runThatSays(said)));
  assertEquals([target, checks[1].failure.got, checks[5].because], [said, said, said]);
});

/** What a field has to be. */
type Rule = (value: unknown) => boolean;
const isText: Rule = (value) => typeof value === "string";
const isSome: Rule = (value) => typeof value === "string" && value !== "";
const isNumber: Rule = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isWhole: Rule = (value) => isNumber(value) && Number.isInteger(value);
const isList: Rule = Array.isArray;
const isOneOf = (...values: unknown[]): Rule => (value) => values.includes(value);
const matches = (pattern: RegExp): Rule => (value) => typeof value === "string" && pattern.test(value);

/** That an object has fields of the table only, each as it should be, and none of `required` is missing. */
function checkFields(
  object: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, Rule>>,
  required: readonly string[],
): void {
  for (const name of required) assert(name in object, `${name} is missing`);
  for (const [name, value] of Object.entries(object)) {
    assert(name in table, `${name} is no field`);
    assert(table[name](value), `${name} is ${JSON.stringify(value)}`);
  }
}

// Gradescope: gradescope-autograders.readthedocs.io/en/latest/specs

const isFormat = isOneOf("text", "html", "simple_format", "md", "ansi");
const isVisibility = isOneOf("hidden", "after_due_date", "after_published", "visible");
const GRADESCOPE: Readonly<Record<string, Rule>> = {
  score: isNumber,
  execution_time: isNumber,
  output: isText,
  output_format: isFormat,
  test_output_format: isFormat,
  test_name_format: isFormat,
  visibility: isVisibility,
  stdout_visibility: isVisibility,
  extra_data: (value) => typeof value === "object",
  tests: isList,
  leaderboard: isList,
};
const GRADESCOPE_TEST: Readonly<Record<string, Rule>> = {
  score: isNumber,
  max_score: isNumber,
  status: isOneOf("passed", "failed"),
  name: isText,
  name_format: isFormat,
  number: isText,
  output: isText,
  output_format: isFormat,
  tags: isList,
  visibility: isVisibility,
  extra_data: (value) => typeof value === "object",
};

async function checkGradescope(report: Report): Promise<void> {
  const result = JSON.parse(await render("gradescope", report));
  checkFields(result, GRADESCOPE, ["score", "tests"]);
  assertEquals(result.tests.length, report.checks.length);
  // Anything but text would make markup of what a program said.
  assertEquals([result.output_format, result.test_output_format, result.test_name_format], ["text", "text", "text"]);
  for (const [i, check] of report.checks.entries()) {
    const one = result.tests[i];
    checkFields(one, GRADESCOPE_TEST, ["score", "max_score", "name", "status", "output"]);
    assert(one.score <= one.max_score);
    assertEquals(one.status === "passed", check.outcome === "passed");
    assertEquals([one.output_format, one.name_format], ["text", "text"]);
    assertEquals(one.output === "", check.outcome === "passed");
  }
  const total = result.tests.reduce((sum: number, { score }: { score: number }) => sum + score, 0);
  assert(Math.abs(total - result.score) < 0.05, `${total} is not ${result.score}`);
}

test("Gradescope's results.json has the published fields", async () => {
  for (const report of await samples()) await checkGradescope(report);
});

property("Gradescope gets what was said as plain text", 60, async (random) => {
  const said = hostileText(random);
  await checkGradescope(runThatSays(said));
  const { tests } = JSON.parse(await render("gradescope", runThatSays(said)));
  assertStringIncludes(tests[1].output, `\n    but ${show(said)}\n`);
});

// Classroom 50: schemas/result-v1.schema.json of foundation50/classroom50, and validate_result in its runner.py

const isDate = matches(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/);
const CLASSROOM50: Readonly<Record<string, Rule>> = {
  schema: isOneOf("classroom50/result/v1"),
  classroom: isSome,
  assignment: isSome,
  assignment_type: isOneOf("individual", "group"),
  owner: isSome,
  submission: matches(/^submit\//),
  commit: isSome,
  release: isSome,
  review: isSome,
  datetime: isDate,
  graded_at: isDate,
  score: isWhole,
  "max-score": isWhole,
  tests: isList,
};
const CLASSROOM50_REQUIRED = Object.keys(CLASSROOM50).filter((name) => name !== "graded_at");
const CLASSROOM50_TEST: Readonly<Record<string, Rule>> = {
  "test-name": isSome,
  passed: (value) => typeof value === "boolean",
  score: isWhole,
  "max-score": isWhole,
  // Fields of our own, which it keeps.
  points: isNumber,
  message: isText,
  output: isText,
};

const RUNNER = {
  CLASSROOM: "networks",
  ASSIGNMENT: "chat-server",
  ASSIGNMENT_TYPE: "group",
  OWNER: "somebody",
  SUBMISSION_TAG: "submit/2026-06-01T14-32-05Z-a1b2c3d",
  COMMIT_URL: "https://git.example/commit/a1b2c3d",
  RELEASE_URL: "https://git.example/releases/tag/x",
  REVIEW_URL: "https://git.example/compare/a...b",
};

async function checkClassroom50(report: Report, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const result = JSON.parse(await render("classroom50", report, env));
  checkFields(result, CLASSROOM50, CLASSROOM50_REQUIRED);
  const sum = (field: string) =>
    result.tests.reduce((sum: number, test: Record<string, number>) => sum + test[field], 0);
  assertEquals([result.score, result["max-score"]], [sum("score"), sum("max-score")]);
  assert(result.score <= result["max-score"]);
  assertEquals(result.tests.length, report.checks.length);
  for (const [i, one] of result.tests.entries()) {
    checkFields(one, CLASSROOM50_TEST, ["test-name", "passed", "score", "max-score"]);
    assert(one.score <= one["max-score"]);
    assertEquals(one.passed, report.checks[i].outcome === "passed");
  }
  return result;
}

test("Classroom 50's result.json has the fields of its schema", async () => {
  for (const report of await samples()) {
    await checkClassroom50(report);
    const result = await checkClassroom50(report, RUNNER);
    assertEquals(
      ["classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release", "review"].map((name) =>
        result[name]
      ),
      Object.values(RUNNER),
    );
    assertEquals(result.datetime, new Date(report.startedAt).toISOString().replace(/\.\d+/, ""));
  }
  const { review, commit } = await checkClassroom50(EMPTY, { ...RUNNER, REVIEW_URL: "" });
  assertEquals(review, commit);
});

property("Classroom 50 gets whole points, and less than one is lost of all", 100, async (random) => {
  const checks = Array.from({ length: random.int(0, 12) }, () => {
    const [check] = PLAIN.checks;
    const maxPoints = random.chance(0.7) ? random.int(0, 10) : random.int(0, 100) / 8;
    const outcome = random.chance(0.5) ? "passed" as const : "partly" as const;
    return { ...check, maxPoints, outcome, points: outcome === "passed" ? maxPoints : maxPoints * random.next() };
  });
  const report = runOf(checks);
  const { score } = await checkClassroom50(report);
  const lost = report.points - Number(score);
  assert(lost > -0.1 && lost < 1.1, `${lost} points are lost`);
});

property("Classroom 50 gets what was said as text", 60, async (random) => {
  await checkClassroom50(runThatSays(hostileText(random)), RUNNER);
});
