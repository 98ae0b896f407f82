// What is said of a stream: what it is, how it goes, and how it went.

import { format as formatBytes } from "@std/fmt/bytes";
import { count } from "../../protocol/text.ts";
import type { Info } from "./protocol.ts";

/** How a stream went out. */
export interface ServedReport {
  readonly name: string;
  readonly to: string;
  readonly bytes: number;
  readonly packets: number;
  /** As the client has said last; null when it has said nothing. */
  readonly lost: number | null;
  readonly jitterMs: number | null;
  readonly seconds: number;
  readonly why: string;
}

export function formatServed({ name, to, bytes, packets, lost, jitterMs, seconds, why }: ServedReport): string {
  const there = lost === null ? "" : `, ${lost} lost, jitter ${jitterMs!.toFixed(2)} ms`;
  return `sent ${name} to ${to}: ${count(bytes, "byte")} in ${count(packets, "datagram")}, ${seconds.toFixed(2)} s` +
    `${there} (${why})`;
}

/** How a stream came in. */
export interface StreamedReport {
  readonly name: string;
  readonly packets: number;
  /** What never came; null where nothing is numbered. */
  readonly lost: number | null;
  readonly reordered: number | null;
  readonly duplicates: number | null;
  /** RFC 3550, in ms; null where no media times are sent. */
  readonly jitterMs: number | null;
  /** Holes: datagrams that are missing side by side are one. */
  readonly gaps: number | null;
  readonly bytes: number;
  /** Bytes of the file that are missing; null when nobody knows, or not all was asked for. */
  readonly missing: number | null;
  /** Bytes that were played as silence because they did not come in time. */
  readonly skipped: number;
  readonly seconds: number;
  /** Somebody had enough of it before its end: then nothing is missing to anybody. */
  readonly quit: boolean;
}

export function formatStreamed(report: StreamedReport): string[] {
  const { name, packets, lost, reordered, duplicates, jitterMs, gaps, bytes, missing, seconds, quit } = report;
  const rate = seconds > 0 ? `, ${formatRate(bytes / seconds)}` : "";
  const lines = [
    `received ${name}: ${count(bytes, "byte")} in ${count(packets, "datagram")}, ${seconds.toFixed(2)} s${rate}`,
  ];
  if (lost === null) {
    lines.push("  nothing is numbered in this form: what was lost, doubled or reordered, nobody can tell");
  } else {
    const share = packets + lost === 0 ? 0 : 100 * lost / (packets + lost);
    lines.push(
      `  lost ${lost} (${share.toFixed(1)} %) in ${count(gaps!, "gap")}, reordered ${reordered}, ` +
        `duplicates ${duplicates}, jitter ${jitterMs!.toFixed(2)} ms`,
    );
  }
  if (missing !== null && missing > 0 && !quit) lines.push(`  ${count(missing, "byte")} of the file are missing`);
  return lines;
}

/** What a medium is, in words. */
export function describeMedium({ size, durationMs, rate, assumed, mediaType }: Info): string {
  const type = mediaType === "" ? "" : `${mediaType.split(";")[0]}, `;
  const length = durationMs === null ? "" : `${formatTime(durationMs)}, `;
  const guess = assumed ? " (assumed: neither its duration nor --rate says it)" : "";
  return `${type}${formatBytes(size)}, ${length}${formatRate(rate)}${guess}`;
}

/** Bytes per second, for people, in bits. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(8 * bytesPerSecond, { bits: true })}/s`;
}

/** `83000` as `1:23`. */
export function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
