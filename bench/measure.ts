// The measurements: each is a function that takes what it measures and returns figures.

import type { Peer } from "./peers.ts";
import { run } from "./processes.ts";

const PAIRS = 50;
const BODY_BYTES = 16;
const SPARE_MS = 20_000;
const SETTLE_MS = 200;
const TICKS_PER_SECOND = 100; // of the processor times in /proc, on every Linux
const STARTS = 15;

/** A load generator: ours, or another with the command line of `chatload HOST PORT PAIRS SECONDS WINDOW len4 16`. */
export interface Load {
  path: string;
  ours: boolean;
}

/** What one run of the load generator saw. Processor time is in cores: 1 is one core, all the time. */
export interface Relayed {
  messagesPerSecond: number;
  p50Us: number;
  p99Us: number;
  serverCpu: number;
  /** Unknown of another's generator. */
  loadCpu: number | null;
}

/** What the chatting pairs saw of a flood that went on beside them. Latencies are those during the flood. */
export interface Flooded extends Relayed {
  maxUs: number;
  /** Seconds from the start of the flood until the server cut the stalled reader; null when it never did. */
  cutSeconds: number | null;
}

/** What happens beside the pairs: nothing, a flood to one client that reads, or a flood to one that never does. */
export type Beside = "nothing" | "drained" | "stalled";

/** Fifty pairs, each with `window` messages on the way, for `seconds`. */
export async function relay(load: Load, peer: Peer, window: number, seconds: number): Promise<Relayed> {
  const kind = load.ours ? [`${BODY_BYTES}`] : ["len4", `${BODY_BYTES}`];
  const { line, serverCpu } = await generate(load, peer, window, seconds, kind);
  return load.ours ? { ...figures(line), serverCpu } : { ...figuresOfOther(line), serverCpu };
}

/** The same at window 1, with a flood beside it. Needs our own generator. */
export async function flooded(load: Load, peer: Peer, beside: Beside, seconds: number): Promise<Flooded> {
  const extra = beside === "nothing" ? [] : [`--${beside}`, "1"];
  const { line, serverCpu } = await generate(load, peer, 1, seconds, [`${BODY_BYTES}`, ...extra]);
  const { max_us, stalled_closed_seconds } = JSON.parse(line);
  return { ...figures(line), serverCpu, maxUs: max_us, cutSeconds: stalled_closed_seconds ?? null };
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await system(`/proc/${pid}/status`))?.[1];
  if (!kilobytes) throw new Error(`/proc/${pid}/status does not tell its memory`);
  return Number(kilobytes) * 1024;
}

/** Milliseconds from starting a program to its end: the median of many starts. */
export async function startUpMs(program: string, args: string[]): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const start = performance.now();
    const { success, stderr } = await run(program, args);
    if (!success) throw new Error(`${program} failed: ${stderr.trim()}`);
    times.push(performance.now() - start);
  }
  return median(times);
}

/** The middle of some numbers; of an even count, the mean of the two in the middle. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What the figures were measured on, in one line. */
export async function machine(): Promise<string> {
  const processor = /^model name\s*:\s*(.+)$/m.exec(await system("/proc/cpuinfo").catch(() => ""))?.[1] ??
    "processor ?";
  const { build: { os, arch }, version: { deno } } = Deno;
  const busy = Deno.loadavg()[0].toFixed(2);
  return `${processor}, ${navigator.hardwareConcurrency} cores, ${os} ${arch}, Deno ${deno}, load average ${busy}`;
}

/** Begins to measure what share of the processors' time the host of a virtual machine gives to others (proc_stat(5), steal). */
export async function stealing(): Promise<() => Promise<number>> {
  const ticks = async () => {
    const fields = (await system("/proc/stat")).split("\n", 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    return { stolen: fields[7], all: fields.reduce((sum, field) => sum + field) };
  };
  const before = await ticks();
  return async () => {
    const after = await ticks();
    return (after.stolen - before.stolen) / (after.all - before.all);
  };
}

async function generate(load: Load, peer: Peer, window: number, seconds: number, last: string[]) {
  const args = ["127.0.0.1", peer.port, PAIRS, seconds, window, ...last].map(String);
  const before = await cpuSeconds(peer.pid);
  const { success, stdout, stderr } = await run(load.path, args, seconds * 1000 + SPARE_MS);
  if (!success) throw new Error(stderr.trim() || "the load generator was killed, it took too long");
  const serverCpu = (await cpuSeconds(peer.pid) - before) / seconds;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS)); // the server forgets these clients
  return { line: stdout, serverCpu };
}

function figures(line: string): Omit<Relayed, "serverCpu"> {
  const { messages_per_second, p50_us, p99_us, cpu, errors } = JSON.parse(line);
  if (errors) throw new Error(`${errors} messages were refused by the server`);
  return { messagesPerSecond: messages_per_second, p50Us: p50_us, p99Us: p99_us, loadCpu: cpu };
}

function figuresOfOther(line: string): Omit<Relayed, "serverCpu"> {
  const found = /^(\d+) msg\/s\s+p50 (\d+) us\s+p99 (\d+) us/.exec(line);
  if (!found) throw new Error(`the load generator prints something else: ${line.trim()}`);
  const [messagesPerSecond, p50Us, p99Us] = found.slice(1).map(Number);
  return { messagesPerSecond, p50Us, p99Us, loadCpu: null };
}

/** Processor time that a process used, all threads. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await system(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold anything
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A file under /proc. Deno itself reads those only with every permission. */
async function system(path: string): Promise<string> {
  const { success, stdout } = await run("cat", [path]);
  if (!success) throw new Error(`cannot read ${path}: has the server ended?`);
  return stdout;
}
