// One HTML page for a person: the points, where to start, all checks, and each failure told as a teaching assistant would.
// It needs nothing else: no file, no network, no script, and its policy lets nothing of that kind in.

import { type Failure, formatPoints, type GradedCheck, isPerfect, type Outcome, type Report } from "../report.ts";
import { STYLE } from "./html_style.ts";
import { type Content, lines, Markup, markup } from "./markup.ts";
import { sequenceDiagram } from "./sequence.ts";
import {
  countOutcomes,
  mainCauses,
  MARKS,
  outputLines,
  score,
  sentence,
  type Side,
  splitDifference,
  title,
  wayText,
  whyNot,
} from "./text.ts";

export function toHtml(report: Report): string {
  const total = `${formatPoints(report.points)} of ${formatPoints(report.maxPoints)} points`;
  const ids = new Map(report.checks.map((check, i) => [check, `check-${i + 1}`]));
  const failures = report.checks.filter(({ failure }) => failure !== undefined);
  return htmlPage(
    `${title(report)}: ${total}`,
    markup`${head(report)}
<main>
${causes(report, ids)}
${table(report, ids)}
${
      failures.length > 0 && markup`<section aria-labelledby="failures">
<h2 id="failures">What went wrong</h2>
${failures.map((check, i) => story(check, check.failure!, ids.get(check)!, report, i === 0))}
</section>`
    }
</main>`,
  );
}

/** A page of its own, that needs nothing else. */
export function htmlPage(title: string, content: Markup): string {
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<div class="page">
${content}
<footer>Graded by netlab.</footer>
</div>
</body>
</html>
`.text;
}

function head(report: Report): Markup {
  const { durationMs, maxPoints, notes, points, seed, startedAt, target, transport, wire } = report;
  const started = new Date(startedAt).toISOString();
  const fact = (name: string, value: Content) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return markup`<header>
<p class="eyebrow">netlab grade</p>
<h1>${title(report)}</h1>
<p class="target"><code>${target}</code></p>
<section class="card summary" aria-label="Points">
<p class="score"><b>${formatPoints(points)}</b> <span class="quiet">of ${formatPoints(maxPoints)} points${
    isPerfect(report) && ": everything passed"
  }</span></p>
${bar(report)}
<ul class="chips">${
    countOutcomes(report).map(({ outcome, count }) =>
      markup`<li class="chip ${className(outcome)}">${MARKS[outcome]} ${count} ${outcome}</li>`
    )
  }</ul>
<dl class="facts">
${fact("started", markup`<time datetime="${started}">${started.slice(0, 10)} ${started.slice(11, 19)} UTC</time>`)}
${fact("took", `${(durationMs / 1000).toFixed(1)} s`)}
${fact("over", transport)}
${fact("wire", markup`<code>${wire}</code>`)}
${fact("seed", markup`<code>${seed}</code>`)}
</dl>
</section>
${
    notes.length > 0 &&
    markup`<ul class="card notes" aria-label="Notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`
  }
</header>`;
}

/** The points of checks that passed, then those of checks that passed in part. */
function bar({ checks, maxPoints }: Report): Markup {
  const share = (outcome: Outcome) =>
    checks.filter((check) => check.outcome === outcome).reduce((sum, { points }) => sum + points, 0) /
    (maxPoints || 1) * 100;
  const part = (outcome: "passed" | "partly") =>
    share(outcome) > 0 && markup`<i class="${outcome}" style="width:${share(outcome).toFixed(2)}%"></i>`;
  return markup`<div class="bar" aria-hidden="true">${part("passed")}${part("partly")}</div>`;
}

type Ids = ReadonlyMap<GradedCheck, string>;

function causes(report: Report, ids: Ids): Content {
  const found = mainCauses(report);
  return found.length > 0 && markup`<section aria-labelledby="causes">
<h2 id="causes">Where to start</h2>
<ol class="causes">${
    found.map(({ cause, checks }) =>
      markup`<li class="card"><p>${sentence(cause)}</p><p class="quiet">Seen in: ${
        checks.map((check, i) => markup`${i > 0 && ", "}<a href="#${ids.get(check)}">${check.name}</a>`)
      }</p></li>`
    )
  }</ol>
</section>`;
}

function table({ checks }: Report, ids: Ids): Markup {
  const row = (check: GradedCheck) => {
    const { name, outcome, failure } = check;
    const why = failure === undefined ? whyNot(check) : undefined;
    return markup`
<tr><td class="outcome"><span class="chip ${className(outcome)}">${
      MARKS[outcome]
    }<span class="word"> ${outcome}</span></span></td>
<th scope="row">${failure === undefined ? name : markup`<a href="#${ids.get(check)}">${name}</a>`}${
      why !== undefined && markup`<span class="why">${why}</span>`
    }</th><td class="points">${score(check)}</td></tr>`;
  };
  return markup`<section aria-labelledby="checks">
<h2 id="checks">Checks</h2>
${
    checks.length === 0 ? markup`<p>There are none.</p>` : markup`<table class="card">
<thead><tr><th scope="col"><span class="word">Result</span></th><th scope="col">Check</th><th scope="col" class="points">Points</th></tr></thead>
<tbody>${checks.map(row)}
</tbody>
</table>`
  }
</section>`;
}

/** One failure, folded unless it is the first. A link to what is folded away unfolds it: so the name is within. */
export function story(check: GradedCheck, failure: Failure, id: string, { kind }: Report, open: boolean): Markup {
  const { name, outcome, ways } = check;
  const { again, causes, done, ladder, step, way } = failure;
  const output = outputLines(failure);
  return markup`<details class="card failure"${open && markup` open`}>
<summary><h3>${name}</h3> <span class="chip ${className(outcome)}">${MARKS[outcome]} ${outcome}, ${
    score(check)
  }</span></summary>
<div class="story" id="${id}">
${
    causes.length > 0 &&
    markup`<div class="diagnosis">${causes.map((cause) => markup`<p><b>Why?</b> ${sentence(cause)}</p>`)}</div>`
  }
${
    ways.length > 1 && markup`<h4>How messages were cut</h4>
<ul class="chips">${
      ways.map((one) =>
        markup`<li class="chip ${one.passed ? "passed" : "failed"}">${one.passed ? "✓" : "✗"} ${wayText(one)}</li>`
      )
    }</ul>`
  }
<h4>What happened (${way})</h4>
${steps(done, step)}
${facing(failure)}
${ladder.length > 0 && conversation(ladder, kind)}
${
    output.length > 0 && markup`<h4 id="${id}-output">What it printed</h4>
<pre class="printed" tabindex="0" role="region" aria-labelledby="${id}-output">${lines(output)}</pre>`
  }
${
    again !== "" && markup`<h4>Run just this again</h4>
<pre class="wrap">${again}</pre>`
  }
</div>
</details>
`;
}

/** Of many steps that went well only the last are of interest. */
const MAX_STEPS = 12;
const LAST_STEPS = 8;

function steps(done: readonly string[], broken: string): Markup {
  const earlier = done.length > MAX_STEPS ? done.length - LAST_STEPS : 0;
  const list = (steps: readonly string[]) => steps.map((step) => markup`<li class="done">${step}</li>`);
  return markup`${
    earlier > 0 && markup`<details class="plain"><summary>${earlier} steps before that</summary>
<ol class="steps">${list(done.slice(0, earlier))}</ol>
</details>
`
  }<ol class="steps">${list(done.slice(earlier))}<li class="broken">${broken}</li></ol>`;
}

/** What was expected, and what came. */
function facing({ accepts, bytes, difference, expected, got, step }: Failure): Markup {
  const row = (name: string, value: Content) => markup`<dt>${name}</dt><dd>${value}</dd>`;
  const split = difference && splitDifference(difference);
  const text = ({ before, mark, after }: Side) =>
    markup`<span class="mono">${before}<mark>${mark === "" ? "(ends here)" : mark}</mark>${after}</span>`;
  return markup`<dl class="facing">
${expected !== undefined && !step.includes(expected) && row("expected", expected)}
${accepts !== undefined && row("taken as that", accepts)}
${row("but", got)}
${bytes !== undefined && row("on the wire", markup`<span class="mono">"${bytes}"</span>`)}
${split && row("right", text(split.expected))}
${split && row("came", text(split.got))}
</dl>`;
}

function conversation(ladder: readonly string[], kind: Report["kind"]): Markup {
  const text = markup`<pre>${lines(ladder)}</pre>`;
  const diagram = sequenceDiagram(ladder, kind);
  return markup`<h4>The conversation</h4>
${
    diagram === undefined
      ? text
      : markup`<div class="diagram" tabindex="0" role="region" aria-label="The conversation">${diagram}</div>
<details class="plain"><summary>as text</summary>
${text}
</details>`
  }`;
}

export const className = (outcome: Outcome): string => outcome === "not run" ? "idle" : outcome;
