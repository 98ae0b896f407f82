// The time-sequence graph of a transfer, as textbooks draw it: chunks over time, from the marks in the trace. As a picture
// (SVG), and small, in characters, for a terminal.

import stringWidth from "fast-string-width";
import type { Mark } from "../protocol/machine.ts";
import { escapeText } from "../protocol/text.ts";
import type { Sink } from "./bus.ts";

/** One mark, in ms since the first. */
export interface PlotPoint {
  readonly at: number;
  readonly what: Mark;
  readonly seq: number;
}

/** More points of one kind than this are thinned out. */
const MAX_POINTS = 20_000;

/** The marks of one kind: all of them, or, of very many, one in so many. */
class Points {
  list: PlotPoint[] = [];
  /** All there were. */
  count = 0;
  #oneIn = 1;

  add(point: PlotPoint): void {
    if (this.count++ % this.#oneIn !== 0) return;
    this.list.push(point);
    if (this.list.length < MAX_POINTS) return;
    this.#oneIn *= 2;
    this.list = this.list.filter((_, i) => i % 2 === 0);
  }
}

/** What is drawn. */
export class TimeSequence {
  readonly #kinds = new Map<Mark, Points>();
  #begin: number | null = null;
  /** A second file starts counting anew: it is drawn above the first. */
  #base = 0;
  #next = 0;

  add(at: number, what: Mark, seq: number): void {
    this.#begin ??= at;
    if (what === "sent" && this.#base + seq < this.#next) this.#base = this.#next;
    if (what === "sent") this.#next = this.#base + seq + 1;
    let points = this.#kinds.get(what);
    if (points === undefined) this.#kinds.set(what, points = new Points());
    points.add({ at: at - this.#begin, what, seq: this.#base + seq });
  }

  /** How many marks of a kind there were, of which some may not be drawn. */
  readonly countOf = (what: Mark): number => this.#kinds.get(what)?.count ?? 0;

  get points(): readonly PlotPoint[] {
    return [...this.#kinds.values()].flatMap(({ list }) => list).sort((a, b) => a.at - b.at);
  }
}

/** How many marks of a kind there were. */
export type CountOf = (what: Mark) => number;

/** Takes what was collected. @param connected whether there was anybody to send to */
export type Draw = (points: readonly PlotPoint[], countOf: CountOf, connected: boolean) => void;

/** A sink that collects the marks, and hands them over when the trace ends. */
export function plotSink(onClose: Draw): Sink {
  const sequence = new TimeSequence();
  let connected = false;
  return {
    kinds: ["open", "mark"],
    event: (event, at) => {
      if (event.type === "open") connected = true;
      else if (event.type === "mark") sequence.add(at, event.what, event.seq);
    },
    close: () => onClose(sequence.points, sequence.countOf, connected),
  };
}

/** What each mark looks like: its colour, its character, and its name in the legend. */
const LOOKS: Readonly<Record<Mark, { readonly color: string; readonly sign: string; readonly name: string }>> = {
  sent: { color: "#1f6fb4", sign: "·", name: "chunk sent" },
  acknowledged: { color: "#2e8b57", sign: "a", name: "acknowledged up to" },
  resent: { color: "#d1495b", sign: "R", name: "sent again" },
  timeout: { color: "#e0a030", sign: "T", name: "timeout" },
};
/** As the legend has them. */
const KINDS = Object.keys(LOOKS) as Mark[];
/** What is drawn over what. */
const ORDER: readonly Mark[] = ["timeout", "sent", "acknowledged", "resent"];

/** Round numbers from 0 to `most`, about `count` of them. */
export function ticks(most: number, count: number): number[] {
  const rough = Math.max(most, 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

function extent(points: readonly PlotPoint[]): { readonly ms: number; readonly seq: number } {
  return {
    ms: points.reduce((most, { at }) => Math.max(most, at), 1),
    seq: points.reduce((most, { seq }) => Math.max(most, seq), 1),
  };
}

function formatTime(ms: number, most: number): string {
  return most < 10_000 ? `${Number(ms.toPrecision(6))}` : `${Number((ms / 1000).toPrecision(6))}`;
}

/** How many columns of the widest common font, bold and of 16 pixels, fit above the graph. */
const TITLE_COLUMNS = 74;

/** `text` in so many columns, its middle left out where it is too long: a command's beginning and its options say most. */
function shorten(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  const characters = [...text];
  let [head, tail] = ["", ""];
  for (let [from, to] = [0, characters.length - 1]; from < to; from++, to--) {
    const [longer, behind] = [head + characters[from], characters[to] + tail];
    if (stringWidth(`${longer}…${tail}`) > columns) break;
    head = longer;
    if (stringWidth(`${head}…${behind}`) > columns) break;
    tail = behind;
  }
  return `${head}…${tail}`;
}

/** The picture, in pixels: its size, and what is left around the graph. */
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [960, 600, 72, 24, 56, 56];
/** Where the graph ends. */
const [END_X, END_Y] = [WIDTH - RIGHT, HEIGHT - BOTTOM];

/** Where a value stands in the picture. */
type Scale = (value: number) => string;

/** The graph as a picture. */
export function drawSvg(
  points: readonly PlotPoint[],
  title: string,
  countOf: CountOf = (what) => points.filter((point) => point.what === what).length,
): string {
  const most = extent(points);
  const x = (ms: number) => (LEFT + (END_X - LEFT) * ms / most.ms).toFixed(1);
  const y = (seq: number) => (END_Y - (END_Y - TOP) * seq / most.seq).toFixed(1);
  const graphs = ORDER.flatMap((what) => {
    const own = points.filter((point) => point.what === what);
    if (own.length === 0) return [];
    return what === "acknowledged" ? stairs(own, x, y) : marks(own, what, x, y);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<title>${escapeXml(title)}</title>`,
    `<text x="${LEFT}" y="24" font-size="16" font-weight="bold">${
      escapeXml(shorten(escapeText(title), TITLE_COLUMNS))
    }</text>`,
    ...axes(most, x, y),
    ...graphs,
    ...drawnLegend(countOf),
    "</svg>",
  ].join("\n") + "\n";
}

/** The axes, with lines across the graph where they have numbers. */
function axes(most: ReturnType<typeof extent>, x: Scale, y: Scale): string[] {
  const unit = most.ms < 10_000 ? "ms" : "s";
  return [
    ...ticks(most.ms, 8).flatMap((ms) => [
      `<path d="M${x(ms)} ${TOP}V${END_Y}" stroke="#eee"/>`,
      `<text x="${x(ms)}" y="${END_Y + 18}" text-anchor="middle" fill="#444">${formatTime(ms, most.ms)}</text>`,
    ]),
    ...ticks(most.seq, 8).filter(Number.isInteger).flatMap((seq) => [
      `<path d="M${LEFT} ${y(seq)}H${END_X}" stroke="#eee"/>`,
      `<text x="${LEFT - 8}" y="${y(seq)}" dy="4" text-anchor="end" fill="#444">${seq}</text>`,
    ]),
    `<path d="M${LEFT} ${TOP}V${END_Y}H${END_X}" fill="none" stroke="#444"/>`,
    `<text x="${(LEFT + END_X) / 2}" y="${HEIGHT - 12}" text-anchor="middle">time (${unit})</text>`,
    `<text transform="rotate(-90)" x="${-(TOP + END_Y) / 2}" y="18" text-anchor="middle">chunk</text>`,
  ];
}

function drawnLegend(countOf: CountOf): string[] {
  let at = LEFT;
  return KINDS.flatMap((what) => {
    const { color, name } = LOOKS[what];
    const from = at;
    at += 40 + 8 * (name.length + 4);
    const times = what === "resent" || what === "timeout" ? ` (${countOf(what)})` : "";
    return [
      `<rect x="${from}" y="36" width="10" height="10" fill="${color}"/>`,
      `<text x="${from + 15}" y="45">${name}${times}</text>`,
    ];
  });
}

/** What is acknowledged, as a staircase: it holds until the next acknowledgement. */
function stairs(points: readonly PlotPoint[], x: Scale, y: Scale): string {
  const { color } = LOOKS.acknowledged;
  const path = points.map(({ at, seq }) => `H${x(at)}V${y(seq)}`).join("");
  return `<path d="M${x(points[0].at)} ${y(0)}${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
}

function marks(points: readonly PlotPoint[], what: Mark, x: Scale, y: Scale): string {
  // One path for all: a circle each would make a file of megabytes.
  const one = ({ at, seq }: PlotPoint): string => {
    if (what === "timeout") return `M${x(at)} ${TOP}V${END_Y}`;
    return what === "resent" ? `M${x(at)} ${y(seq)}m-3-3l6 6m0-6l-6 6` : `M${x(at)} ${y(seq)}h0`;
  };
  const style = what === "timeout"
    ? `stroke-width="1" stroke-dasharray="4 3"`
    : what === "resent"
    ? `stroke-width="2"`
    : `stroke-width="4" stroke-linecap="round"`;
  return `<path d="${points.map(one).join("")}" fill="none" stroke="${LOOKS[what].color}" ${style}/>`;
}

function escapeXml(text: string): string {
  return escapeText(text).replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The graph in characters, a row each. */
export function drawText(points: readonly PlotPoint[], columns: number, rows = 16): string[] {
  const most = extent(points);
  const labels = String(most.seq).length;
  const width = Math.max(20, columns - labels - 4);
  const grid = Array.from({ length: rows }, () => new Array<string>(width).fill(" "));
  const column = (ms: number) => Math.min(width - 1, Math.floor(width * ms / most.ms));
  const row = (seq: number) => rows - 1 - Math.min(rows - 1, Math.floor(rows * seq / (most.seq + 1)));
  for (const what of ORDER) {
    for (const point of points) {
      if (point.what !== what) continue;
      grid[what === "timeout" ? rows - 1 : row(point.seq)][column(point.at)] = LOOKS[what].sign;
    }
  }
  const unit = most.ms < 10_000 ? "ms" : "s";
  const end = `${formatTime(Math.round(most.ms), most.ms)} ${unit}`;
  return [
    ...grid.map((cells, i) => {
      const label = i === 0 ? String(most.seq) : i === rows - 1 ? "0" : "";
      return `${label.padStart(labels)} │${cells.join("").trimEnd()}`;
    }),
    `${" ".repeat(labels)} └${"─".repeat(width)}`,
    `${" ".repeat(labels)}  0${end.padStart(width - 1)}`,
    ...legend(width).map((row) => `${" ".repeat(labels)}  ${row}`),
  ];
}

/** What each sign means, in as many rows as it takes. */
function legend(columns: number): string[] {
  const [first, ...others] = KINDS.map((what) => `${LOOKS[what].sign} ${LOOKS[what].name}`);
  const rows = [first];
  for (const entry of others) {
    const longer = `${rows.at(-1)}   ${entry}`;
    if (longer.length <= columns) rows[rows.length - 1] = longer;
    else rows.push(entry);
  }
  return rows;
}
