// How the HTML report looks, by day and by night, on a screen, a phone and paper.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f8; --card: #ffffff; --well: #f4f5f8; --line: #d9dde5; --text: #1b2230; --quiet: #566072;
  --accent: #1f5fbf; --passed: #14733f; --partly: #8a5700; --failed: #b3261e; --idle: #6b7484;
  --passed-soft: #e3f4ea; --partly-soft: #fdf1d8; --failed-soft: #fdeae8; --idle-soft: #eceff3; --mark: #ffd9a8;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141b; --card: #191f29; --well: #11161e; --line: #313a49; --text: #e7ebf2; --quiet: #a3aec0;
    --accent: #82b5ff; --passed: #64d69c; --partly: #f0bf55; --failed: #ff8f86; --idle: #a3aec0;
    --passed-soft: #163226; --partly-soft: #3a2d10; --failed-soft: #3d1e1d; --idle-soft: #252d39; --mark: #7a4a10;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 var(--sans);
  overflow-wrap: anywhere; }
.page { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
code, pre, .mono { font-family: var(--mono); font-size: .875em; font-variant-ligatures: none; }
code { overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.25; margin: 0; }
h1 { font-size: 2rem; letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .9rem; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.quiet { color: var(--quiet); }
.eyebrow { margin: 0 0 .35rem; color: var(--quiet); font-size: .875rem; font-weight: 600; }
.target { margin: .5rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }

.summary { margin-top: 1.75rem; padding: 1.4rem 1.5rem; }
.score { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .6rem; margin: 0; }
.score b { font-size: 3.25rem; line-height: 1; letter-spacing: -.03em; font-variant-numeric: tabular-nums; }
.bar { display: flex; gap: 2px; height: 12px; margin: 1rem 0 1.1rem; border-radius: 6px; overflow: hidden;
  background: var(--idle-soft); }
.bar i { display: block; }
.bar .passed { background: var(--passed); } .bar .partly { background: var(--partly); }
.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; list-style: none; }
.chip { padding: .1rem .6rem; border-radius: 99px; font-size: .875rem; font-weight: 600; white-space: nowrap; }
.chips .chip { white-space: normal; }
.passed.chip { background: var(--passed-soft); color: var(--passed); }
.partly.chip { background: var(--partly-soft); color: var(--partly); }
.failed.chip { background: var(--failed-soft); color: var(--failed); }
.idle.chip { background: var(--idle-soft); color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.75rem; margin: 1.1rem 0 0; padding-top: 1rem;
  border-top: 1px solid var(--line); font-size: .875rem; }
.facts div { display: flex; gap: .45rem; } .facts dt { color: var(--quiet); } .facts dd { margin: 0; }

.notes { margin: 1rem 0 0; padding: .8rem 1.25rem .8rem 2.4rem; font-size: .9375rem; }
.causes { margin: 0; padding: 0; list-style: none; counter-reset: cause; display: grid; gap: .7rem; }
.causes li { padding: 1rem 1.25rem; border-left: 4px solid var(--accent); }
.causes p { margin: 0; max-width: 78ch; } .causes p + p { margin-top: .35rem; font-size: .9375rem; }

table { width: 100%; border-collapse: separate; border-spacing: 0; overflow: hidden; }
th, td { padding: .6rem .9rem; text-align: left; vertical-align: top; }
thead th { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
tbody td, tbody th { border-top: 1px solid var(--line); }
tbody th { font-weight: 400; }
td.points, th.points { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.outcome { width: 1%; white-space: nowrap; }
.why { display: block; color: var(--quiet); font-size: .875rem; }

.wide { overflow-x: auto; position: relative; }
.grid th, .grid td { padding: .45rem .6rem; } .grid td { text-align: center; }
.grid { width: auto; } .grid thead th { vertical-align: bottom; } .grid thead th + th { text-align: center; } .grid thead .slanted { writing-mode: vertical-rl; rotate: 180deg;
  text-align: left; max-height: 16rem; font-weight: 500; }
.grid tbody th { position: sticky; left: 0; background: var(--card); }
.grid .name { display: block; width: max-content; max-width: min(20rem, 40vw); }
.grid td.points { text-align: right; font-weight: 600; }
.student { margin-top: .9rem; padding: 0 1.25rem; } .student[open] { padding-bottom: 1.25rem; } .student > summary { padding: .9rem 0; cursor: pointer; }
.student h3 { display: inline; font-size: 1.0625rem; }

.failure { margin-top: .9rem; }
.failure > summary { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .8rem; padding: .9rem 1.25rem;
  cursor: pointer; border-radius: 12px; list-style: none; }
.failure > summary::-webkit-details-marker { display: none; }
.failure > summary::before { content: ""; flex: none; width: .5rem; height: .5rem; margin-right: .1rem;
  border: solid var(--quiet); border-width: 0 2px 2px 0; transform: rotate(-45deg); }
.failure[open] > summary::before { transform: rotate(45deg) translate(-2px, -2px); }
.failure > summary:hover h3 { text-decoration: underline; text-underline-offset: .2em; }
.failure h3 { flex: 1 1 16rem; font-size: 1.0625rem; font-weight: 600; }
.story { scroll-margin-top: 5rem; padding: .2rem 1.25rem 1.4rem; border-top: 1px solid var(--line); }
.story h4 { margin: 1.5rem 0 .5rem; font-size: .9375rem; }
.diagnosis { margin: 1.1rem 0 0; padding: .9rem 1.1rem; border-radius: 8px; background: var(--partly-soft); }
.diagnosis p { margin: 0; max-width: 78ch; } .diagnosis p + p { margin-top: .5rem; }
.diagnosis b { color: var(--partly); }
.steps { margin: 0; padding: 0; list-style: none; }
.steps li { position: relative; padding: .1rem 0 .1rem 1.6rem; overflow-wrap: anywhere; }
.steps li::before { position: absolute; left: .1rem; font-weight: 700; }
.steps .done { color: var(--quiet); } .steps .done::before { content: "✓"; color: var(--passed); }
.steps .broken { font-weight: 600; } .steps .broken::before { content: "✗"; color: var(--failed); }
.facing { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .45rem 1rem; margin: .9rem 0 0; }
.facing dt { color: var(--quiet); font-size: .875rem; padding-top: .1rem; }
.facing dd { margin: 0; overflow-wrap: anywhere; }
.facing .mono { white-space: pre-wrap; }
mark { padding: .1em .05em; border-radius: 3px; background: var(--mark); color: inherit; font-weight: 700;
  box-shadow: inset 0 -2px var(--failed); }
pre { margin: 0; padding: .8rem 1rem; border-radius: 8px; background: var(--well); border: 1px solid var(--line);
  overflow-x: auto; line-height: 1.45; }
.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.printed { max-height: 22rem; overflow: auto; }
.diagram { max-height: 44rem; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--well);
  padding: .5rem .75rem; }
.diagram svg { display: block; width: 100%; min-width: 620px; height: auto; }
.plain { margin: .5rem 0; } .plain > summary { cursor: pointer; color: var(--quiet); font-size: .875rem; }
.plain pre { margin-top: .5rem; line-height: 1.3; }
svg text { font: 12px var(--mono); fill: var(--text); white-space: pre; }
svg .time { text-anchor: end; fill: var(--quiet); font-size: 11px; } svg .note { fill: var(--quiet); }
svg .life { stroke: var(--line); stroke-width: 1.5; } svg .dot { fill: var(--quiet); }
svg .said { paint-order: stroke; stroke: var(--well); stroke-width: 5px; stroke-linejoin: round; }
svg .arrow { fill: none; stroke-width: 1.6; }
svg .out .arrow { stroke: var(--accent); } svg .in .arrow { stroke: var(--partly); }
svg .head rect { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
svg .head text { font-weight: 600; } svg .judged rect { stroke: var(--partly); }
footer { margin-top: 3rem; color: var(--quiet); font-size: .875rem; }
@media (max-width: 36rem) {
  .page { padding: 1.5rem .9rem 3rem; }
  h1 { font-size: 1.6rem; }
  .score b { font-size: 2.6rem; }
  th, td { padding: .55rem .6rem; }
  td .word, th .word { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .facing { grid-template-columns: minmax(0, 1fr); gap: .1rem; } .facing dd { margin-bottom: .5rem; }
  .story, .failure > summary { padding-left: .9rem; padding-right: .9rem; }
}
@media print {
  body { background: none; font-size: 11pt; }
  .failure::details-content, .student::details-content { content-visibility: visible; block-size: auto; }
  .failure > summary, h2, h4 { break-after: avoid; }
  .diagram, tr, .causes li { break-inside: avoid; }
  .wide, .printed, .diagram { max-height: none; overflow: visible; }
  .diagram svg { min-width: 0; }
  .printed { white-space: pre-wrap; }
}
`;
