// Markdown for a comment on a pull request: the points, where to start, and the whole story of each failure folded away.
// What a program said stands in code, where neither Markdown nor HTML nor @names mean anything.

import { formatPoints, type GradedCheck, isPerfect, type Outcome, type Report } from "../report.ts";
import { markup } from "./markup.ts";
import { checkLines, mainCauses, score, sentence, show, title, whyNot } from "./text.ts";

const ICONS: Readonly<Record<Outcome, string>> = { passed: "✅", partly: "🟡", failed: "❌", "not run": "⚪" };

/** A comment on GitHub holds 65,536 characters. */
const MAX_CHARS = 60_000;
/** What there is of a text in a line, so that the table fits in any case. */
const MAX_INLINE = 300;
/** cmark, and so GitHub, knows no longer fence of code in a line. */
const MAX_BACKTICKS = 80;

export function toMarkdown(report: Report): string {
  const { points, maxPoints, checks, notes, seed, target, transport, wire } = report;
  const causes = mainCauses(report);
  const head = [
    `## ${inline(title(report))}: ${formatPoints(points)} of ${formatPoints(maxPoints)} points`,
    "",
    `Graded ${code(target)} over ${transport}, ${code(wire)}, \`--seed ${seed}\`${
      isPerfect(report) ? ": everything passed" : ""
    }`,
    ...(causes.length === 0 ? [] : ["", "**Where to start**", ""]),
    ...causes.map(({ cause, checks }) =>
      `1. ${inline(sentence(cause))} (${checks.map(({ name }) => `"${inline(name)}"`).join(", ")})`
    ),
    ...(checks.length === 0 ? [] : ["", "| | Check | Points |", "|:-:|:--|--:|"]),
    ...checks.map((check) => `| ${ICONS[check.outcome]} | ${cell(check)} | ${score(check)} |`),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `> note: ${inline(note)}  `)]),
    "",
  ].join("\n");
  // Each failure is told in short, and then as many as there is room for in full.
  let left = MAX_CHARS - head.length;
  const stories = checks.map((check) => {
    const short = story(check, shortLines(check));
    if (short.length > left) return "";
    left -= short.length;
    return short;
  });
  const told = stories.map((short, i) => {
    const full = story(checks[i], checkLines(checks[i]));
    if (short === "" || full.length - short.length > left) return short;
    left -= full.length - short.length;
    return full;
  });
  return head + told.join("");
}

/** A check in the table; of one that was not run, or fails as another does, why. */
function cell(check: GradedCheck): string {
  const name = inline(check.name);
  const why = check.failure === undefined ? whyNot(check) : undefined;
  return why === undefined ? name : `${name}<br>${inline(why)}`;
}

function story(check: GradedCheck, lines: readonly string[]): string {
  if (check.failure === undefined) return "";
  const longest = Math.max(2, ...lines.flatMap((line) => line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  const summary = markup`${ICONS[check.outcome]} ${clip(check.name)} (${score(check)})`.text.replaceAll(
    "@",
    "@&#8203;",
  );
  return [
    "",
    `<details><summary>${summary}</summary>`,
    "",
    `${fence}text`,
    ...lines,
    fence,
    "",
    "</details>",
    "",
  ].join("\n");
}

/** What is said of a failure where there is no room for all. */
function shortLines(check: GradedCheck): string[] {
  const again = show(check.failure?.again ?? "");
  return [
    clip(whyNot(check) ?? ""),
    "",
    "There is no room for more here.",
    ...(again === "" ? [] : [`again: ${clip(again)}`]),
  ];
}

/** Text that is only text: no structure, no HTML, and nobody is called by an @name. */
function inline(text: string): string {
  return clip(show(text).trim())
    .replace(/[\\`*_[\]<>#|~&$]/g, "\\$&")
    .replace(/^(?=[-+=])|(?<=^\d+)(?=[.)])/, "\\")
    .replaceAll("@", "@&#8203;");
}

function clip(text: string): string {
  return text.length > MAX_INLINE ? `${[...text].slice(0, MAX_INLINE).join("")}…` : text;
}

/** Code in a line: in more backticks than there are in it, or as text, where that is more than cmark counts to. */
function code(text: string): string {
  const shown = clip(show(text));
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map(({ length }) => length));
  if (longest >= MAX_BACKTICKS) return inline(text);
  const fence = "`".repeat(longest + 1);
  const pad = /^`|`$|^ .* $/.test(shown) ? " " : "";
  return shown.trim() === "" ? "-" : fence + pad + shown + pad + fence;
}
