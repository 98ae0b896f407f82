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

/** What an expression about `page` is worth in a browser whose window is so wide. */
async function inBrowser<T>(html: string, width: number, expression: string): Promise<T> {
  const frame = `<iframe src="page" width="${width}" height="700" style="border:0"></iframe><pre></pre><script>
onload = () => {
  const page = frames[0].document;
  document.querySelector("pre").textContent = JSON.stringify(${expression});
};
</script>`;
  const headers = { "content-type": "text/html; charset=utf-8" };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => new Response(request.url.endsWith("/page") ? html : frame, { headers }),
  );
  const command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${temporaryFolder()}`];
  const { out, err } = await runProgram(["--dump-dom", `http://127.0.0.1:${server.addr.port}/`], { command });
  const [, found] = /<pre>(.+)<\/pre>/.exec(out) ?? [];
  assert(found !== undefined, err);
  return JSON.parse(found);
}

const SIZE = "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(page.documentElement)";

for (const [name, html] of Object.entries(PAGES)) {
  test(`${name}: whatever the names, the page is no wider than its window`, async () => {
    for (const width of [360, 1280]) {
      const { scrollWidth, clientWidth } = await inBrowser<Record<string, number>>(html, width, SIZE);
      assert(clientWidth > width - 30);
      assertEquals(scrollWidth, clientWidth);
    }
  }, chromium);
}

test("a long name leaves the points beside it in sight", async () => {
  const edges = `[...page.querySelectorAll("td.points")].map((cell) => cell.getBoundingClientRect().right)`;
  const found = await inBrowser<number[]>(PAGES.batch, 360, edges);
  assertEquals(found.length, NAMES.length);
  assert(Math.max(...found) <= 360, `${found}`);
}, chromium);

test("on paper no failure is folded away, and nothing would have to be scrolled", async () => {
  for (const name of ["one", "batch"]) {
    const html = PAGES[name].replace("@media print", "@media all");
    const heights = `[...page.querySelectorAll(".story")].map((story) => story.getBoundingClientRect().height)`;
    const stories = await inBrowser<number[]>(html, 700, heights);
    assert(stories.length > 1 && Math.min(...stories) > 100, `${name}: ${stories}`);
    const scrolled = `[...page.querySelectorAll(".printed, .diagram, .wide")]
      .filter((part) => frames[0].getComputedStyle(part).overflowX !== "visible")
      .map((part) => part.className)`;
    assertEquals(await inBrowser(html, 700, scrolled), [], name);
  }
}, chromium);
