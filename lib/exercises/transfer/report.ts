// What is said of a transfer when it is over, at either end.

import { format as formatBytes } from "@std/fmt/bytes";
import { count } from "../../protocol/text.ts";
import type { Scheme } from "./protocol.ts";

/** How a file came in. */
export interface ReceivedReport {
  readonly name: string;
  readonly from: string;
  readonly scheme: Scheme | "seed";
  readonly bytes: number;
  readonly chunks: number;
  readonly duplicates: number;
  readonly seconds: number;
  /** Why it is not there; null when it is. */
  readonly failure: string | null;
}

export function formatReceived(report: ReceivedReport): string {
  const { name, from, bytes, chunks, duplicates, seconds, failure } = report;
  const so = `${count(bytes, "byte")} in ${count(chunks, "chunk")}`;
  if (failure !== null) return `not received: ${name} from ${from}: ${failure}${chunks > 0 ? ` (${so} came)` : ""}`;
  const twice = duplicates > 0 ? `, ${count(duplicates, "duplicate")}` : "";
  return `received ${name} from ${from}: ${so}, ${seconds.toFixed(2)} s${twice}`;
}

/** How a file went out. */
export interface SentReport {
  readonly name: string;
  readonly scheme: Scheme | "seed";
  /** What was to be sent, without what the receiver had already. */
  readonly bytes: number;
  readonly chunks: number;
  readonly retransmissions: number;
  /** What the receiver got twice, by its own account. */
  readonly duplicates: number;
  readonly seconds: number;
  /** The mean, in ms; null where nothing is acknowledged, or nothing was sent but once. */
  readonly rttMs: number | null;
  /** Of the file, per second. */
  readonly goodputBps: number;
  /** What chunk, window and round trip allow: a window of chunks each round trip. Null where that is not known. */
  readonly allowedBps: number | null;
  readonly chunk: number;
  readonly window: number;
}

export function formatSent(report: SentReport): string[] {
  const { name, bytes, chunks, retransmissions, duplicates, seconds, rttMs, goodputBps, allowedBps } = report;
  const lines = [`sent ${name}: ${count(bytes, "byte")} in ${count(chunks, "chunk")}, ${seconds.toFixed(2)} s`];
  if (rttMs !== null || retransmissions > 0) {
    lines.push(
      `  ${count(retransmissions, "retransmission")}, ${count(duplicates, "duplicate")} at the receiver, ` +
        (rttMs === null ? "no round trip measured" : `round trip ${rttMs.toFixed(rttMs < 10 ? 2 : 0)} ms`),
    );
  }
  const goodput = `  goodput ${formatRate(goodputBps)}`;
  if (allowedBps === null) lines.push(goodput);
  else {
    const share = Math.round(100 * goodputBps / allowedBps);
    const { chunk, window } = report;
    lines.push(
      `${goodput}: ${share} % of the ${formatRate(allowedBps)} that a window of ${window} × ${chunk} bytes allows`,
    );
  }
  return lines;
}

/** Bits per second, for people. */
export function formatRate(bps: number): string {
  return `${formatBytes(Number(Math.max(0, bps).toPrecision(3)), { bits: true })}/s`;
}
