// What the figures mean: the ratios between peers, which targets were reached, and the tables that show it. Pure.

import { format as formatBytes } from "@std/fmt/bytes";
import { type Beside, type Flooded, median, type Relayed } from "./measure.ts";
import type { PeerName } from "./peers.ts";

/** Medians of one peer at one window, and what each round gave (null: it failed). */
export interface RelayRow extends Relayed {
  peer: PeerName;
  window: number;
  runs: (Relayed | null)[];
}

/** Medians of one peer with a flood, or none, beside its pairs, and what each round gave. */
export interface FloodRow extends Flooded {
  peer: PeerName;
  beside: Beside;
  runs: (Flooded | null)[];
}

/** Everything that was measured. What could not be is null or missing, and `skipped` says why. */
export interface Results {
  machine: string;
  /** The share of the processors' time that the host of a virtual machine gave to others meanwhile: 0 on a quiet one. */
  stolen: number | null;
  /** Which load generator relayed. One that gathers its writes drives a server much harder than one that does not. */
  load: string;
  seconds: number;
  rounds: number;
  relay: RelayRow[];
  flood: FloodRow[];
  /** Resident memory of netlab's server before its first client, and after all measurements. */
  idleBytes: number | null;
  usedBytes: number | null;
  startUpMs: number | null;
  skipped: string[];
}

/** A promise about netlab; `actual` is null when it could not be measured. */
export interface Target {
  what: string;
  actual: number | null;
  bound: "at least" | "at most" | "below";
  limit: number;
  unit: "x" | " MB" | " ms";
}

/** The promises of the project, with what came of each. */
export function targets(results: Results): Target[] {
  const { relay, idleBytes, startUpMs } = results;
  const rate = (window: number, to: PeerName) => ratio(relay, "messagesPerSecond", window, "netlab", to);
  const late = ratio(relay, "p99Us", 1, "netlab", "course");
  const target = (
    what: string,
    actual: Target["actual"],
    bound: Target["bound"],
    limit: number,
    unit: Target["unit"],
  ) => (
    { what, actual, bound, limit, unit }
  );
  return [
    target("window 1, messages a second over the course's Python", rate(1, "course"), "at least", 1, "x"),
    target("window 1, p99 over the course's Python", late, "at most", 1.5, "x"),
    target("window 16, messages a second over the course's Python", rate(16, "course"), "at least", 2, "x"),
    target("window 16, messages a second over C's", rate(16, "c"), "at least", 1.1, "x"),
    target("p99 of others while a stalled reader is cut", stallRatio(results.flood), "below", 2, "x"),
    target("idle server, resident memory", idleBytes === null ? null : idleBytes / 1e6, "below", 80, " MB"),
    target("start-up of the binary", startUpMs, "below", 60, " ms"),
  ];
}

/** p99 beside a stalled reader over p99 beside none; without end when the server never cut it. */
function stallRatio(rows: FloodRow[]): number | null {
  const row = (beside: Beside) => rows.find((row) => row.peer === "netlab" && row.beside === beside);
  const stalled = row("stalled");
  return stalled && stalled.cutSeconds === null ? Infinity : quotient("p99Us", stalled, row("nothing"));
}

/** Whether a target was reached; null when that is not known. */
export function reached({ actual, bound, limit }: Target): boolean | null {
  if (actual === null) return null;
  return bound === "at least" ? actual >= limit : bound === "at most" ? actual <= limit : actual < limit;
}

/** The whole report as text. */
export function render(results: Results): string {
  const { machine, stolen, load, seconds, rounds, skipped } = results;
  const parts = [
    `${machine}, ${stolen === null ? "not known what" : percent(stolen)} taken by the host\n` +
    `load from ${load}; medians of ${rounds} rounds of ${seconds} s; 50 pairs, 16-byte bodies, len4`,
  ];
  if (results.relay.length) parts.push(relayTable(results.relay));
  if (results.flood.length) parts.push(floodTable(results.flood));
  parts.push(serverLines(results));
  if (skipped.length) parts.push(skipped.map((line) => `skipped: ${line}`).join("\n"));
  parts.push(targets(results).map(targetLine).join("\n"));
  return parts.join("\n\n");
}

function relayTable(rows: RelayRow[]): string {
  const head = ["peer", "window", "msg/s", "p50 us", "p99 us", "/ course", "/ Python", "/ C", "server CPU", "load CPU"];
  return table([
    head,
    ...rows.map((row) => [
      row.peer,
      `${row.window}`,
      whole(row.messagesPerSecond),
      whole(row.p50Us),
      whole(row.p99Us),
      times(ratio(rows, "messagesPerSecond", row.window, row.peer, "course")),
      times(ratio(rows, "messagesPerSecond", row.window, row.peer, "python")),
      times(ratio(rows, "messagesPerSecond", row.window, row.peer, "c")),
      percent(row.serverCpu),
      percent(row.loadCpu),
    ]),
  ]);
}

function floodTable(rows: FloodRow[]): string {
  const head = ["window 1, beside a client that", "msg/s", "p50 us", "p99 us", "max us", "cut after", "server CPU"];
  const beside = { nothing: "(none)", drained: "is flooded and reads", stalled: "is flooded and never reads" };
  return table([
    head,
    ...rows.map((row) => [
      `${row.peer}: ${beside[row.beside]}`,
      whole(row.messagesPerSecond),
      whole(row.p50Us),
      whole(row.p99Us),
      whole(row.maxUs),
      row.cutSeconds === null ? row.beside === "stalled" ? "never" : "" : `${row.cutSeconds.toFixed(2)} s`,
      percent(row.serverCpu),
    ]),
  ]);
}

function serverLines({ idleBytes, usedBytes, startUpMs }: Results): string {
  const size = (bytes: number | null) => bytes === null ? "not measured" : formatBytes(bytes);
  const start = startUpMs === null ? "not measured" : `${startUpMs.toFixed(1)} ms`;
  return `netlab's memory: idle ${size(idleBytes)}, after the load ${size(usedBytes)}; the binary's start-up: ${start}`;
}

function targetLine(target: Target): string {
  const { what, actual, bound, limit, unit } = target;
  const came = { true: "reached", false: "MISSED ", null: "unknown" }[`${reached(target)}`];
  return `${came}  ${what}: ${actual === null ? "not measured" : shown(actual, unit)} (${bound} ${shown(limit, unit)})`;
}

function ratio(
  rows: RelayRow[],
  of: "messagesPerSecond" | "p99Us",
  window: number,
  peer: PeerName,
  to: PeerName,
): number | null {
  const row = (name: PeerName) => rows.find((row) => row.peer === name && row.window === window);
  return quotient(of, row(peer), row(to));
}

/** The median of the rounds' quotients, since the machine itself is faster in one round than in another. */
function quotient(of: "messagesPerSecond" | "p99Us", a?: RelayRow | FloodRow, b?: RelayRow | FloodRow): number | null {
  const quotients = a?.runs.flatMap((run, round) => {
    const other = b?.runs[round];
    return run && other?.[of] ? [run[of] / other[of]] : [];
  });
  return quotients?.length ? median(quotients) : null;
}

/** Columns of equal width: the first to the left, numbers to the right. */
function table(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, i: number) => i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function times(value: number | null): string {
  return value === null ? "-" : `${value.toFixed(2)}x`;
}

function percent(value: number | null): string {
  return value === null ? "-" : `${Math.round(value * 100)}%`;
}

function shown(value: number, unit: Target["unit"]): string {
  if (value === Infinity) return "never cut";
  return `${value.toFixed(unit === "x" ? 2 : 1)}${unit}`;
}
