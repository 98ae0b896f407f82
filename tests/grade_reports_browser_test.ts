// The pages of the grader in a browser: what it makes of their style.

import { assert, assertEquals } from "@std/assert";
import type { Break } from "../lib/grade/play.ts";
import { toHtml } from "../lib/grade/reports/html.ts";
import { batchPage, matrixPage } from "../lib/grade/reports/tables.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { runProgram } from "./cli_helpers.ts";
import { runThatSays } from "./grade_reports_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const chromium = skipUnless("chromium");

/** A name as an exercise's page gives to what it hands out, and one that no line has room for. */
const NAMES = ["ann", "Mustermann_Maximilian-Alexander_4711081_assignsubmission_file", "x".repeat(200)];

const brokenBy = (because: string): Break => ({ step: "a step", does: "expect", because, kind: "other" });

const PAGES: Readonly<Record<string, string>> = {
  one: toHtml(runThatSays(NAMES[2])),
  batch: batchPage(
    NAMES.map((name) => ({ name, report: runThatSays("it"), cached: false, ungraded: null, unkept: null })),
    NAMES[2],
  ),
  matrix: matrixPage(
    "chat",
    NAMES.flatMap((server) => NAMES.map((client) => ({ server, client, broken: brokenBy(client), unplayed: false }))),
  ),
};

/** A page in a window of some width, and what is asked of it: an expression about its document, `page`. */
interface Question {
  readonly html: string;
  readonly width: number;
  readonly expression: string;
}

/** What each of these expressions is worth, in one browser: to start one takes a second. */
async function inBrowser<T>(questions: readonly Question[]): Promise<T[]> {
  const frames = questions.map(({ width }, i) =>
    `<iframe src="${i}" width="${width}" height="700" style="border:0"></iframe>`
  );
  const answers = questions.map(({ expression }, i) =>
    `((view) => ((page) => ${expression})(view.document))(frames[${i}])`
  );
  const desk = `${frames.join("")}<pre></pre><script>
onload = () => document.querySelector("pre").textContent = JSON.stringify([${answers.join(",")}]);
</script>`;
  const headers = { "content-type": "text/html; charset=utf-8" };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const [number] = /\d+$/.exec(new URL(request.url).pathname) ?? [];
    return new Response(number === undefined ? desk : questions[Number(number)].html, { headers });
  });
  const command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${temporaryFolder()}`];
  const { out, err } = await runProgram(["--dump-dom", `http://127.0.0.1:${server.addr.port}/`], { command });
  const [, found] = /<pre>(.+)<\/pre>/.exec(out) ?? [];
  assert(found !== undefined, err);
  return JSON.parse(found);
}

test("whatever the names, a page is no wider than its window", async () => {
  const expression = "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(page.documentElement)";
  const questions = [360, 1280].flatMap((width) =>
    Object.entries(PAGES).map(([name, html]) => ({ name, html, width, expression }))
  );
  const sizes = await inBrowser<{ scrollWidth: number; clientWidth: number }>(questions);
  sizes.forEach(({ scrollWidth, clientWidth }, i) => {
    const { name, width } = questions[i];
    assert(clientWidth > width - 30, `${name}: ${clientWidth} of ${width}`);
    assertEquals(scrollWidth, clientWidth, `${name} at ${width}`);
  });
}, chromium);

test("a long name leaves the points beside it in sight", async () => {
  const expression = `[...page.querySelectorAll("td.points")].map((cell) => cell.getBoundingClientRect().right)`;
  const [edges] = await inBrowser<number[]>([{ html: PAGES.batch, width: 360, expression }]);
  assertEquals(edges.length, NAMES.length);
  assert(Math.max(...edges) <= 360, `${edges}`);
}, chromium);

test("on paper no failure is folded away, and nothing would have to be scrolled", async () => {
  const expression = `({
    heights: [...page.querySelectorAll(".story")].map((story) => story.getBoundingClientRect().height),
    scrolled: [...page.querySelectorAll(".printed, .diagram, .wide")]
      .filter((part) => view.getComputedStyle(part).overflowX !== "visible")
      .map((part) => part.className),
  })`;
  const pages = ["one", "batch"].map((name) => PAGES[name].replace("@media print", "@media all"));
  const found = await inBrowser<{ heights: number[]; scrolled: string[] }>(
    pages.map((html) => ({ html, width: 700, expression })),
  );
  for (const { heights, scrolled } of found) {
    assert(heights.length > 1 && Math.min(...heights) > 100, `${heights}`);
    assertEquals(scrolled, []);
  }
}, chromium);
