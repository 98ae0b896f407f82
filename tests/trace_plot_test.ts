// The time-sequence graph: what is collected and what is thinned out, round numbers on the axes, the picture as XML, and the
// small one in characters.

import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import type { Mark } from "../lib/protocol/machine.ts";
import { drawSvg, drawText, type PlotPoint, plotSink, ticks, TimeSequence } from "../lib/trace/plot.ts";
import { property, test } from "./helpers.ts";

const MARKS: readonly Mark[] = ["sent", "acknowledged", "resent", "timeout"];

/** Points written as `time what seq`. */
function points(...written: string[]): PlotPoint[] {
  return written.map((one) => {
    const [at, what, seq] = one.split(" ");
    return { at: Number(at), what: what as Mark, seq: Number(seq) };
  });
}

const SAMPLE = points(
  ...["0 sent 0", "1 sent 1", "2 sent 2", "10 acknowledged 1", "200 timeout 1", "201 resent 1", "211 acknowledged 3"],
);

/** An element of a picture. */
interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The elements of well-formed XML, as far as pictures need it. @throws {Error} where it is not */
function parseXml(xml: string): Element[] {
  const elements: Element[] = [];
  const open: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const token = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<&]*")*)\s*(\/?)>|([^<]+)/y;
  while (token.lastIndex < xml.trimEnd().length) {
    const at = token.lastIndex;
    const [, closing, name, attributes, empty, text] = token.exec(xml) ?? fail(`not XML: ${xml.slice(at, at + 60)}`);
    if (text !== undefined) {
      if (/&(?!#\d+;|amp;|lt;|gt;|quot;)/.test(text)) fail(`a bare & in ${text}`);
      if (open.length > 0) open.at(-1)!.text += text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));
    } else if (closing) {
      if (open.at(-1)?.name !== name) fail(`</${name}> ends <${open.at(-1)?.name}>`);
      elements.push(open.pop()!);
    } else {
      if (open.length === 0 && elements.length > 0) fail("a second root");
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
      if (new Set(pairs.map(([key]) => key)).size < pairs.length) fail(`an attribute twice in <${name}>`);
      const element = { name, attributes: Object.fromEntries(pairs), text: "" };
      if (empty) elements.push(element);
      else open.push(element);
    }
  }
  if (open.length > 0) fail(`<${open.at(-1)!.name}> does not end`);
  return elements;
}

function fail(why: string): never {
  throw new Error(why);
}

test("the parser of this test finds what is not XML", () => {
  for (const xml of ["<a><b></a></b>", "<a>", "<a x=1/>", '<a x="<"/>', "<a>&</a>", "<a/><b/>", '<a x="1" x="2"/>']) {
    assertThrows(() => parseXml(xml), Error, undefined, xml);
  }
  assertEquals(parseXml('<a x="1">b&#38;<c/></a>').map(({ name, text }) => name + text), ["c", "ab&"]);
});

const textsOf = (svg: string) => parseXml(svg).filter(({ name }) => name === "text").map(({ text }) => text);
/** The path of each colour that marks are drawn in. */
const paths = (svg: string): Record<string, string> =>
  Object.fromEntries(
    parseXml(svg).flatMap(({ name, attributes: { stroke, d } }) => name === "path" ? [[stroke, d]] : []),
  );
const [SENT, ACKNOWLEDGED, RESENT, TIMEOUT] = ["#1f6fb4", "#2e8b57", "#d1495b", "#e0a030"];

test("the picture is one SVG element with a title, both axes and a legend that counts what went wrong", () => {
  const svg = drawSvg(SAMPLE, "netlab transfer a.txt");
  const root = parseXml(svg).at(-1)!;
  assertEquals([root.name, root.attributes.xmlns], ["svg", "http://www.w3.org/2000/svg"]);
  const texts = textsOf(svg);
  for (const text of ["netlab transfer a.txt", "time (ms)", "chunk", "chunk sent", "acknowledged up to"]) {
    assert(texts.includes(text), `${text} is not in ${texts}`);
  }
  assert(texts.includes("sent again (1)") && texts.includes("timeout (1)"));
});

test("a title with markup in it is text", () => {
  const title = `a<b>&"c" 'd' ]]> é 漢 🦕`;
  assertEquals(textsOf(drawSvg(SAMPLE, title))[0], title);
});

test("a title that is too long for the picture has its middle left out, and is all there to who points at it", () => {
  const fits = "x".repeat(74);
  assertEquals(textsOf(drawSvg(SAMPLE, fits))[0], fits);
  const long = `netlab transfer ${"folder/".repeat(40)}a.bin --arq go-back-n --window 16`;
  const shown = textsOf(drawSvg(SAMPLE, long))[0];
  assertMatch(shown, /^netlab transfer folder\/.+….+a\.bin --arq go-back-n --window 16$/);
  assertEquals(shown.length, 74);
  const wide = textsOf(drawSvg(SAMPLE, "漢".repeat(60)))[0];
  assertEquals(wide, `${"漢".repeat(18)}…${"漢".repeat(18)}`);
  assertEquals(parseXml(drawSvg(SAMPLE, long)).find(({ name }) => name === "title")?.text, long);
});

test("a title with control characters, which XML cannot have, is written without them", () => {
  const controls = [...drawSvg(SAMPLE, "a\x00\x1b\x07b")].filter((one) => one < " " && one !== "\n");
  assertEquals(controls, []);
});

test("each kind of mark is drawn once for each point, in its own colour", () => {
  const drawn = paths(drawSvg(SAMPLE, ""));
  assertEquals(drawn[SENT].match(/M/g)!.length, 3);
  assertEquals(drawn[RESENT].match(/M/g)!.length, 1);
  assertEquals(drawn[TIMEOUT].match(/M/g)!.length, 1);
  assertMatch(drawn[ACKNOWLEDGED], /^M[\d.]+ [\d.]+(?:H[\d.]+V[\d.]+){2}$/);
});

test("a chunk is a round dot, which a line of no length is only with round ends, and a timeout is dashed", () => {
  const styleOf = (color: string) => {
    const { attributes } = parseXml(drawSvg(SAMPLE, "")).find((one) => one.attributes.stroke === color)!;
    return [attributes["stroke-linecap"], attributes["stroke-dasharray"]];
  };
  assertEquals([SENT, RESENT, TIMEOUT].map(styleOf), [["round", undefined], [undefined, undefined], [
    undefined,
    "4 3",
  ]]);
});

test("time goes to the right and chunks go up, from one corner of the axes to the other", () => {
  const [first, last] = paths(drawSvg(points("0 sent 0", "50 sent 10"), ""))[SENT].split("h0");
  assertEquals([first, last], ["M72.0 544.0", "M936.0 56.0"]);
});

test("grid lines reach from axis to axis, each with its number outside of them", () => {
  const elements = parseXml(drawSvg(points("0 sent 0", "20 sent 2"), ""));
  const grid = elements.flatMap(({ attributes: { stroke, d } }) => stroke === "#eee" ? [d] : []);
  assertEquals(grid.filter((_, i) => [0, 2, 4, 5, 7].includes(i)), [
    ...["M72.0 56V544", "M504.0 56V544", "M936.0 56V544"],
    ...["M72 544.0H936", "M72 56.0H936"],
  ]);
  const numbers = elements.filter(({ attributes: { fill } }) => fill === "#444");
  const at = (wanted: string) =>
    numbers.flatMap(({ text, attributes: { x, y } }) => text === wanted ? [`${x} ${y}`] : []);
  assertEquals([at("0"), at("10"), at("20"), at("2")], [["72.0 562", "64 544.0"], ["504.0 562"], ["936.0 562"], [
    "64 56.0",
  ]]);
});

test("in the legend each name stands behind its colour, and before the next", () => {
  const elements = parseXml(drawSvg(SAMPLE, ""));
  const legend = elements.filter(({ attributes: { y } }) => y === "36" || y === "45");
  assertEquals(legend.map(({ name, text, attributes: { fill } }) => name === "rect" ? fill : text), [
    ...[SENT, "chunk sent", ACKNOWLEDGED, "acknowledged up to", RESENT, "sent again (1)", TIMEOUT, "timeout (1)"],
  ]);
  for (const [i, { text, attributes: { x, width } }] of legend.entries()) {
    const end = Number(x) + (width === undefined ? 8 * text.length : Number(width)); // 8 pixels are more than it has
    assert(end < Number(legend[i + 1]?.attributes.x ?? 960), `${text} ends at ${end}`);
  }
});

test("a timeout is a line over the whole height, where it happened", () => {
  assertEquals(paths(drawSvg(points("0 sent 0", "50 timeout 0", "100 sent 10"), ""))[TIMEOUT], "M504.0 56V544");
});

test("what never happened is in the legend and nowhere else", () => {
  const svg = drawSvg(points("0 sent 0"), "");
  assertEquals(Object.keys(paths(svg)).filter((color) => [SENT, ACKNOWLEDGED, RESENT, TIMEOUT].includes(color)), [
    SENT,
  ]);
  assert(textsOf(svg).includes("sent again (0)"));
});

test("a transfer of no chunk, of one at time 0, and of hours are pictures without a NaN", () => {
  for (const some of [[], points("0 sent 0"), points("0 sent 0", "36000000 sent 4000000000")]) {
    const svg = drawSvg(some, "");
    parseXml(svg);
    assert(!/NaN|Infinity|undefined|null/.test(svg), svg);
    assert(!/NaN|Infinity|undefined|null/.test(drawText(some, 80).join("\n")));
  }
});

test("from 10 s on, times are in seconds", () => {
  assert(textsOf(drawSvg(points("9999 sent 1"), "")).includes("time (ms)"));
  const texts = textsOf(drawSvg(points("10000 sent 1"), ""));
  assert(texts.includes("time (s)") && texts.includes("10") && !texts.includes("10000"), texts.join());
  assertStringIncludes(drawText(points("12000 sent 1"), 80).join("\n"), "12 s");
});

property("whatever was marked is a well-formed picture whose points are inside of the axes", 200, (random) => {
  const some = Array.from({ length: random.int(0, 60) }, () => ({
    at: random.next() * random.pick([1, 100, 1e6]),
    what: random.pick(MARKS),
    seq: random.int(0, random.pick([1, 10, 2 ** 32 - 1])),
  }));
  const svg = drawSvg(some, "any");
  parseXml(svg);
  for (const [, x, y] of (paths(svg)[SENT] ?? "").matchAll(/M([\d.-]+) ([\d.-]+)/g)) {
    assert(Number(x) >= 72 && Number(x) <= 936 && Number(y) >= 56 && Number(y) <= 544, `${x} ${y}`);
  }
  const rows = drawText(some, 60);
  assert(rows.every((row) => row.length <= 60 || row === rows.at(-1)), rows.join("\n"));
});

test("ticks are round numbers from 0 on, about as many as were asked for", () => {
  assertEquals(ticks(100, 8), [0, 20, 40, 60, 80, 100]);
  assertEquals(ticks(7, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(ticks(1, 5).map((tick) => Number(tick.toFixed(9))), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assertEquals(ticks(0.3, 3).map((tick) => Number(tick.toFixed(9))), [0, 0.1, 0.2, 0.3]);
  assertEquals(ticks(0, 8).length <= 9, true);
});

property(
  "ticks never pass the most, come at least thrice, and are no more than were asked for and the 0",
  500,
  (random) => {
    const most = 10 ** (random.next() * 14 - 3);
    const all = ticks(most, 8);
    assert(all.length >= 3 && all.length <= 9, `${all.length} ticks up to ${most}`);
    assert(all.at(-1)! <= most * (1 + 1e-6) && all[0] === 0, `${all} up to ${most}`);
    const step = all[1];
    assertEquals(["1", "2", "5"].includes(Number(step.toPrecision(9)).toExponential()[0]), true, `a step of ${step}`);
  },
);

test("in characters each mark has its own sign, at its place", () => {
  const rows = drawText(points("0 sent 0", "50 acknowledged 1", "60 timeout 1", "80 resent 1", "100 sent 3"), 44, 4);
  assertEquals(rows, [
    "3 │                                      ·",
    "  │",
    "  │                   a           R",
    "0 │·                      T",
    "  └" + "─".repeat(39),
    "   0" + "100 ms".padStart(38),
    "   · chunk sent   a acknowledged up to",
    "   R sent again   T timeout",
  ]);
});

test("in characters what went wrong is drawn over what went well", () => {
  for (const order of [["0 sent 1", "0 resent 1"], ["0 resent 1", "0 sent 1"]]) {
    assertStringIncludes(drawText(points(...order, "100 sent 9"), 60).join("\n"), "│R");
  }
});

test("a narrow terminal still gets a graph, and a wide one is filled", () => {
  assert(drawText(SAMPLE, 10).every((row) => row.length <= 26));
  const rows = drawText(SAMPLE, 120);
  assertEquals(rows.find((row) => row.includes("└"))!.length, 118);
  assertEquals(rows.at(-1)!.trim(), "· chunk sent   a acknowledged up to   R sent again   T timeout");
});

test("a sink takes marks, counts time from the first, and hands them over at the end", () => {
  let got: readonly PlotPoint[] = [];
  let sent = 0;
  let told: boolean | null = null;
  const sink = plotSink((all, countOf, connected) => [got, sent, told] = [all, countOf("sent"), connected]);
  assertEquals(sink.kinds, ["open", "mark"]);
  sink.event({ type: "mark", id: 1, what: "sent", seq: 0 }, 1000);
  sink.event({ type: "note", id: 1, text: "no mark" }, 1001);
  sink.event({ type: "mark", id: 1, what: "acknowledged", seq: 1 }, 1002.5);
  assertEquals(got, []);
  sink.close!();
  assertEquals([got, sent, told], [points("0 sent 0", "2.5 acknowledged 1"), 1, false]);
  sink.event({ type: "open", id: 1, transport: "tcp", local: "a", remote: "b" }, 1003);
  sink.close!();
  assertEquals([sent, told], [1, true]);
});

test("a second file is drawn above the first, and what is sent again stays where it is", () => {
  const sequence = new TimeSequence();
  const marks = ["sent 0", "sent 1", "timeout 0", "resent 0", "acknowledged 2", "sent 0", "acknowledged 1", "sent 1"];
  for (const [at, mark] of marks.entries()) {
    const [what, seq] = mark.split(" ");
    sequence.add(at, what as Mark, Number(seq));
  }
  assertEquals(sequence.points.map(({ seq }) => seq), [0, 1, 0, 0, 2, 2, 3, 3]);
});

/** What is kept of a transfer of half a million chunks, of which every thousandth was sent again. */
function thinned(): readonly PlotPoint[] {
  const sequence = new TimeSequence();
  for (let seq = 0; seq < 500_000; seq++) {
    sequence.add(2 * seq, "sent", seq);
    if (seq % 1000 === 0) sequence.add(2 * seq, "resent", seq);
    sequence.add(2 * seq + 1, "acknowledged", seq + 1);
  }
  return sequence.points;
}

test("the legend says how many there were, not how many are drawn", () => {
  const sequence = new TimeSequence();
  for (let i = 0; i < 50_000; i++) sequence.add(i, "resent", i);
  const svg = drawSvg(sequence.points, "", sequence.countOf);
  assertLess(sequence.points.length, 50_000);
  assert(textsOf(svg).includes("sent again (50000)"));
  assert(textsOf(svg).includes("timeout (0)"));
});

const count = (all: readonly PlotPoint[], what: Mark) => all.filter((point) => point.what === what).length;

test("of a million marks tens of thousands are kept, from beginning to end, and all that went wrong", () => {
  const kept = thinned();
  assert(kept.length <= 40_000 && kept.length >= 10_000, `${kept.length} are kept`);
  assertEquals(count(kept, "resent"), 500);
  assert(kept.at(-1)!.at > 990_000 && kept[0].at < 1000);
  assert(drawSvg(kept, "").length < 2_000_000);
});

test("of chunks and acknowledgements in turn both are thinned alike, so that both are still lines", () => {
  const kept = thinned();
  const [sent, acknowledged] = [count(kept, "sent"), count(kept, "acknowledged")];
  assert(
    Math.min(sent, acknowledged) > 0.25 * Math.max(sent, acknowledged),
    `${sent} sent, ${acknowledged} acknowledged`,
  );
});

test("however much goes wrong, what is kept is bounded", () => {
  const sequence = new TimeSequence();
  for (let seq = 0; seq < 45_000; seq++) sequence.add(seq, "resent", seq);
  const begun = performance.now();
  for (let seq = 0; seq < 6000; seq++) sequence.add(45_000 + seq, seq % 2 ? "timeout" : "resent", seq);
  const took = performance.now() - begun;
  assert(took < 1000, `6000 more marks took ${Math.round(took)} ms: all of them are looked through for each`);
});
