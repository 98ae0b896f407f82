// The reports of the grader that people read: the page in HTML, with its diagrams, and the comment in Markdown.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import { readLadder, sequenceDiagram } from "../lib/grade/reports/sequence.ts";
import { show, splitDifference } from "../lib/grade/reports/text.ts";
import { escapeText, hasUnsafe } from "../lib/protocol/text.ts";
import { ladderSink } from "../lib/trace/ladder.ts";
import {
  filter,
  hostileText,
  hostileTexts,
  PLAIN,
  realRun,
  render,
  runOf,
  runThatSays,
  samples,
  structureOf,
  tagsOf,
} from "./grade_reports_helpers.ts";
import { property, skipUnless, test } from "./helpers.ts";

// HTML

/** Tags of a page, and what each attribute is, with numbers left out. */
const shapeOf = (html: string) => tagsOf(html).map((tag) => tag.replace(/\d+(\.\d+)?/g, "0"));
const withoutDiagrams = (html: string) => html.replace(/<svg[^]*?<\/svg>/g, "");

test("the page is one document: landmarks, headings in order, names that are there once, nothing from elsewhere", async () => {
  for (const report of await samples()) {
    const html = await render("html", report);
    const tags = tagsOf(html);
    assert(html.startsWith('<!DOCTYPE html>\n<html lang="en">'));
    for (const [tag, times] of Object.entries({ "<h1>": 1, "<main>": 1, "<header>": 1, "<footer>": 1, "<title>": 1 })) {
      assertEquals(tags.filter((one) => one === tag).length, times, tag);
    }
    const levels = tags.flatMap((tag) => /^<h(\d)/.exec(tag)?.[1] ?? []).map(Number);
    levels.forEach((level, i) => assert(level <= (levels[i - 1] ?? 0) + 1, `h${levels[i - 1]}, h${level}`));
    const ids = tags.flatMap((tag) => / id="([^"]*)"/.exec(tag)?.[1] ?? []);
    assertEquals(new Set(ids).size, ids.length);
    const references = tags.flatMap((tag) => / (?:href="#|aria-labelledby=")([^"]*)"/.exec(tag)?.[1] ?? []);
    for (const id of references) assert(ids.includes(id), id);
    for (const tag of tags) {
      const [, name] = /^<[/!]?([a-zA-Z\d]+)/.exec(tag)!;
      assert(!["script", "link", "img", "iframe", "object", "form", "base", "use", "image"].includes(name), tag);
      assert(!/ (?:src|srcset|on\w+|xlink:href)=| href="(?!#)|url\(|@import/.test(tag), tag);
    }
    assert(!/url\(|@import/.test(html.slice(0, html.indexOf("</style>"))));
    assertStringIncludes(html, `content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'"`);
    const failures = report.checks.filter(({ failure }) => failure);
    assertEquals(tags.filter((tag) => tag.startsWith('<details class="card failure"')).length, failures.length);
    const marked = failures.filter(({ failure }) => failure!.difference).length;
    assertEquals(tags.filter((tag) => tag === "<mark>").length, 2 * marked);
    assertEquals(
      tags.filter((tag) => tag.startsWith("<svg")).length,
      failures.filter(({ failure }) => sequenceDiagram(failure!.ladder, "server")).length,
    );
  }
});

test("the page tells of a real failure why, what came, and how to run it again", async () => {
  const report = await realRun();
  const html = (await render("html", report)).replaceAll("&quot;", '"').replaceAll("&#39;", "'");
  const { name, failure } = report.checks.find(({ failure }) => failure)!;
  for (
    const text of [name, failure!.step, failure!.got, failure!.bytes!, failure!.again, failure!.causes[0].slice(1)]
  ) {
    assertStringIncludes(html, show(text));
  }
  for (const step of failure!.done) assertStringIncludes(html, `<li class="done">${step}</li>`);
  assertStringIncludes(html, `<b>${report.points}</b> <span class="quiet">of 100 points`);
});

property("no text becomes a tag or an attribute of the page", 100, async (random) => {
  const said = hostileText(random);
  const [html, plain] = [await render("html", runThatSays(said)), await render("html", PLAIN)];
  assertEquals(shapeOf(withoutDiagrams(html)), shapeOf(withoutDiagrams(plain)));
  const shapes = new Set(shapeOf(plain));
  assertEquals(shapeOf(html).filter((tag) => !shapes.has(tag)), []);
});

// Markdown

test("Markdown has the points, where to start, a table of all checks, and each failure folded away", async () => {
  for (const report of await samples()) {
    const markdown = await render("md", report);
    const structure = structureOf(markdown);
    const { checks } = report;
    const count = (what: string) => structure.filter((one) => one === what).length;
    assertEquals(count("##"), 1);
    assertEquals(count("|"), checks.length === 0 ? 0 : checks.length + 2);
    const failures = checks.filter(({ failure }) => failure).length;
    assertEquals([count("code"), count("<details><summary>"), count("</details>")], [failures, failures, failures]);
  }
  const { checks, points } = await realRun();
  const markdown = await render("md", await realRun());
  assertStringIncludes(markdown, `## chat server: ${points} of 100 points`);
  assertStringIncludes(markdown, checks.find(({ failure }) => failure)!.failure!.again);
});

property("no text becomes structure of Markdown", 100, async (random) => {
  const said = hostileText(random);
  assertEquals(structureOf(await render("md", runThatSays(said))), structureOf(await render("md", PLAIN)));
});

test("a renderer of GitHub's Markdown makes no element of what was said", async () => {
  const elements = async (said: string) => {
    const html = await filter(
      ["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough"],
      await render("md", runThatSays(said)),
    );
    const scores = [...html.matchAll(/<td align="right">(.*?)<\/td>/g)].map(([, score]) => score);
    return [...tagsOf(html), ...scores];
  };
  const plain = await elements("a plain text");
  // So many that a line can have no code around them.
  const asText = await elements("`".repeat(80));
  const withoutCode = (tags: string[]) => tags.filter((tag) => !tag.includes("code"));
  assertEquals(withoutCode(asText), withoutCode(plain));
  for (const said of hostileTexts("Markdown", 40)) {
    const expected = said.includes("`".repeat(80)) ? asText : plain;
    assertEquals(await elements(said), expected, JSON.stringify(said));
  }
}, skipUnless("cmark-gfm"));

test("nobody is called by a name in a comment", async () => {
  const outsideOfCode = (await render("md", runThatSays("@somebody")))
    .replace(/^```[^]*?^```$/gm, "").replace(/`[^`]*`/g, "");
  assert(!/@\w/.test(outsideOfCode), outsideOfCode);
});

test("a comment is never longer than GitHub takes, and ends in good order", async () => {
  const { checks } = runThatSays("x".repeat(3000));
  const markdown = await render("md", runOf(Array.from({ length: 40 }, () => checks[4])));
  assert(markdown.length < 65_536, `${markdown.length} characters`);
  const structure = structureOf(markdown);
  assertEquals(structure.filter((one) => one === "|").length, 42);
  assertEquals(
    structure.filter((one) => one === "</details>").length,
    structure.filter((one) => one === "code").length,
  );
  assert(structure.includes("code"));
});

// What the reports share

test("the first difference is marked in both texts, and no character is cut in two", () => {
  const side = (before: string, mark: string, after: string) => ({ before, mark, after });
  assertEquals(splitDifference({ expected: "RESULT 12.5", got: "RESULT 12,5", at: 9 }), {
    expected: side("RESULT 12", ".", "5"),
    got: side("RESULT 12", ",", "5"),
  });
  assertEquals(splitDifference({ expected: "ab\r\n", got: "ab", at: 2 }), {
    expected: side("ab", "\\r", "\\n"),
    got: side("ab", "", ""),
  });
  // Both begin with the same half of a character.
  assertEquals(splitDifference({ expected: "a😀b", got: "a😁b", at: 2 }), {
    expected: side("a", "😀", "b"),
    got: side("a", "😁", "b"),
  });
  const long = splitDifference({ expected: "😀".repeat(100), got: "😀".repeat(99), at: 198 });
  assertEquals(long, { expected: side(`…${"😀".repeat(20)}`, "😀", ""), got: side(`…${"😀".repeat(20)}`, "", "") });
});

property("wherever two texts differ, what is shown of both is whole", 200, (random) => {
  const [expected, got] = [hostileText(random), hostileText(random)];
  const shown = splitDifference({ expected, got, at: random.int(0, expected.length + 1) });
  for (const { before, mark, after } of Object.values(shown)) assert(!hasUnsafe(before + mark + after));
});

property("what the ladder draws is read back from it", 100, (random) => {
  const said = () => hostileText(random);
  const messages = Array.from(
    { length: random.int(1, 5) },
    () => ({ direction: random.chance(0.5) ? "in" as const : "out" as const, text: random.chance(0.1) ? "" : said() }),
  );
  const lines: string[] = [];
  setColorEnabled(false);
  const sink = ladderSink((line) => lines.push(line), { width: 96 });
  const at = new Date(2026, 0, 2, 14, 3, 59, 42).getTime();
  sink.event({ type: "open", id: 1, transport: "tcp", local: "127.0.0.1:7777", remote: "127.0.0.1:50312" }, at);
  sink.event({ type: "label", id: 1, label: "alice" }, at);
  for (const message of messages) sink.event({ type: "message", id: 1, ...message }, at);
  sink.event({ type: "close", id: 1, reason: "left" }, at);
  const rung = (direction: "in" | "out" | null, text: string) => ({
    at: "14:03:59.042",
    who: "alice",
    direction,
    text,
  });
  assertEquals(readLadder(["…", ...lines]), [
    null,
    rung(null, "connects"),
    ...messages.map(({ direction, text }) => rung(direction, escapeText(text))),
    rung(null, "closed: left"),
  ]);
});

test("of a ladder that cannot be read no diagram is drawn", () => {
  assertEquals(sequenceDiagram(["…", "something else"], "server"), undefined);
  assertEquals(sequenceDiagram([], "server"), undefined);
});
