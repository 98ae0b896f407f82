// Many graded runs on one HTML page: a row a submission, or a row a server and a column a client.

import { count } from "../../protocol/text.ts";
import type { Graded, Meeting } from "../batch.ts";
import { formatPoints, type GradedCheck } from "../report.ts";
import { className, htmlPage, story } from "./html.ts";
import { type Markup, markup } from "./markup.ts";
import { MARKS, score, whyNot } from "./text.ts";

/** A folder of submissions: all points at a glance, and behind each what went wrong. @param command what started each */
export function batchPage(graded: readonly Graded[], command: string): string {
  const [first] = graded;
  const names = first.report.checks.map(({ name }) => name);
  const { exercise, kind, maxPoints, seed, transport, wire } = first.report;
  const title = count(graded.length, "submission");
  const mean = graded.reduce((sum, { report }) => sum + report.points, 0) / graded.length;
  return htmlPage(
    `${exercise}: ${title}`,
    markup`<header>
<p class="eyebrow">netlab grade --batch</p>
<h1>${exercise} ${kind}: ${title}</h1>
<p class="target"><code>${command}</code></p>
<p class="target quiet">${formatPoints(mean)} of ${
      formatPoints(maxPoints)
    } points on average · ${transport}, ${wire} · seed ${seed}</p>
</header>
<main>
<section aria-labelledby="points">
<h2 id="points">Points</h2>
<div class="card wide" tabindex="0" role="region" aria-labelledby="points"><table class="grid">
<thead><tr><th scope="col">Submission</th><th scope="col" class="points">Points</th>${
      names.map((name) => markup`<th scope="col"><span class="slanted">${name}</span></th>`)
    }</tr></thead>
<tbody>${graded.map((one, i) => batchRow(one, i, names))}
</tbody>
</table></div>
</section>
<section aria-labelledby="each">
<h2 id="each">Each</h2>
${graded.map(student)}
</section>
</main>`,
  );
}

function batchRow({ name, report }: Graded, number: number, names: readonly string[]): Markup {
  const cell = (check: GradedCheck | undefined) =>
    check === undefined
      ? markup`<td></td>`
      : markup`<td><span class="chip ${className(check.outcome)}" title="${score(check)}: ${check.name}">${
        MARKS[check.outcome]
      }<span class="word"> ${formatPoints(check.points)}</span></span></td>`;
  return markup`
<tr><th scope="row"><a class="name" href="#submission-${number + 1}">${name}</a></th><td class="points">${
    formatPoints(report.points)
  }</td>${names.map((name) => cell(report.checks.find((check) => check.name === name)))}</tr>`;
}

function student({ name, report }: Graded, number: number): Markup {
  const id = `submission-${number + 1}`;
  const wrong = report.checks.filter(({ outcome }) => outcome !== "passed");
  return markup`<details class="card student">
<summary><h3>${name}</h3> <span class="quiet">${formatPoints(report.points)} of ${
    formatPoints(report.maxPoints)
  } points</span></summary>
<div id="${id}">
${report.notes.map((note) => markup`<p>${note}</p>`)}
${wrong.length === 0 && markup`<p>Everything passed.</p>`}
${
    wrong.map((check, i) =>
      check.failure
        ? story(check, check.failure, `${id}-${i + 1}`, report, false)
        : markup`<p>${MARKS[check.outcome]} ${check.name} <span class="why">${whyNot(check)}</span></p>`
    )
  }
</div>
</details>
`;
}

/** Who gets on with whom. */
export function matrixPage(exercise: string, meetings: readonly Meeting[]): string {
  const names = [...new Set(meetings.map(({ client }) => client))];
  const row = (server: string) =>
    markup`
<tr><th scope="row"><span class="name">${server}</span></th>${
      names.map((client) => {
        const broken = meetings.find((one) => one.server === server && one.client === client)?.broken;
        const why = broken ? `${broken.step}: ${broken.because}` : "they get on";
        return markup`<td><span class="chip ${broken ? "failed" : "passed"}" title="${why}">${
          broken ? MARKS.failed : MARKS.passed
        }</span></td>`;
      })
    }</tr>`;
  const failed = meetings.filter(({ broken }) => broken !== null);
  return htmlPage(
    `${exercise}: every client with every server`,
    markup`<header>
<p class="eyebrow">netlab grade --matrix</p>
<h1>${exercise}: every client with every server</h1>
<p class="target quiet">${meetings.length - failed.length} of ${meetings.length} pairs get on</p>
</header>
<main>
<section aria-labelledby="pairs">
<h2 id="pairs">Pairs</h2>
<div class="card wide" tabindex="0" role="region" aria-labelledby="pairs"><table class="grid">
<thead><tr><th scope="col">Server \\ client</th>${
      names.map((name) => markup`<th scope="col"><span class="slanted">${name}</span></th>`)
    }</tr></thead>
<tbody>${names.map(row)}
</tbody>
</table></div>
</section>
${
      failed.length > 0 && markup`<section aria-labelledby="why">
<h2 id="why">Where they did not</h2>
<ul>${
        failed.map(({ server, client, broken }) =>
          markup`<li>server of ${server}, client of ${client}: ${broken!.step}: ${broken!.because}</li>`
        )
      }</ul>
</section>`
    }
</main>`,
  );
}
