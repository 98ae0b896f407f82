// Measures netlab's chat server beside its reference peers, in rounds, on this machine:
//   deno run -P=tools bench/chat.ts [--seconds 3] [--rounds 3] [--json]
// The tables go to stdout, what is going on to stderr. NETLAB_BENCH_LOAD=PATH relays with another load generator (one with
// the command line of `chatload HOST PORT PAIRS SECONDS WINDOW len4 16`) to check ours against it.
// Exit status: 0 measured (whether or not the targets were reached), 2 usage, 3 no load generator or no server.

import { parseArgs } from "@std/cli/parse-args";
import {
  type Beside,
  type Flooded,
  flooded,
  type Load,
  machine,
  median,
  relay,
  type Relayed,
  residentBytes,
  startUpMs,
  stealing,
} from "./measure.ts";
import { compile, type Peer, PEER_NAMES, startPeer } from "./peers.ts";
import { endChildrenWithUs } from "./processes.ts";
import { type FloodRow, reached, type RelayRow, render, type Results, targets } from "./report.ts";

const WINDOWS = [1, 16];
const BESIDE: Beside[] = ["nothing", "drained", "stalled"];
const WARM_UP_SECONDS = 1;
const FLOOD_SECONDS = 2; // at least: it takes some to fill the kernel's buffers and then the server's
const QUIET_MS = 1000;
const BINARY = new URL("../dist/netlab", import.meta.url).pathname;
const USAGE = "usage: deno run -P=tools bench/chat.ts [--seconds 3] [--rounds 3] [--json]";

/** One benchmark: its settings, and what could not be measured so far and why. */
class Bench {
  readonly skipped: string[] = [];
  constructor(readonly seconds: number, readonly rounds: number) {}

  /** Does what may fail; a failure is noted once, and the benchmark goes on. */
  async attempt<T>(what: string, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      const line = `${what}: ${error instanceof Error ? error.message : error}`;
      if (!this.skipped.includes(line)) this.skipped.push(line);
      return null;
    }
  }

  async measure(): Promise<Results | null> {
    const own = await this.attempt("our load generator", () => compile("chatload"));
    const other = Deno.env.get("NETLAB_BENCH_LOAD");
    const ours: Load | null = own ? { path: own, ours: true } : null;
    const load = other ? await this.attempt("NETLAB_BENCH_LOAD", () => otherLoad(other)) : ours;
    if (!load) return null;

    const description = await machine();
    const stolenShare = await this.attempt("what the host takes", stealing);
    const startUp = await this.attempt("start-up of dist/netlab", () => startUpMs(BINARY, ["--version"]));
    const peers = await this.startPeers();
    try {
      const netlab = peers.find((peer) => peer.name === "netlab");
      const memory = () => netlab ? this.attempt("netlab's memory", () => residentBytes(netlab.pid)) : null;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      const idleBytes = await memory();
      const relayed = await this.relayRows(load, peers);
      const floods = ours ? await this.floodRows(ours, peers) : [];
      const usedBytes = await memory();
      const stolen = stolenShare && await stolenShare();
      const { seconds, rounds, skipped } = this;
      const loadName = load.ours ? "bench/peers/chatload.c (one write per read)" : load.path;
      const figures = { relay: relayed, flood: floods, idleBytes, usedBytes, startUpMs: startUp };
      const conditions = { machine: description, stolen, load: loadName, seconds, rounds };
      return peers.length ? { ...conditions, ...figures, skipped } : null;
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  }

  async startPeers(): Promise<Peer[]> {
    const peers: Peer[] = [];
    for (const name of PEER_NAMES) {
      progress(`starting ${name}`);
      const peer = await this.attempt(name, async () => {
        if (name === "c") await compile("epoll_relay");
        return await startPeer(name);
      });
      if (peer) peers.push(peer);
    }
    return peers;
  }

  /** Peer after peer at each window, over and over, to and fro: a disturbance of the machine strikes all alike. */
  async relayRows(load: Load, peers: Peer[]): Promise<RelayRow[]> {
    for (const peer of peers) {
      progress(`warming up ${peer.name}`);
      await this.attempt(`${peer.name}, warming up`, () => relay(load, peer, 16, WARM_UP_SECONDS));
    }
    const cases = WINDOWS.flatMap((window) => peers.map((peer) => ({ peer, window })));
    const samples = await this.interleave(
      cases,
      ({ peer, window }) => `${peer.name}, window ${window}`,
      ({ peer, window }) => relay(load, peer, window, this.seconds),
    );
    return samples.map(([{ peer, window }, runs]) => ({
      peer: peer.name,
      window,
      runs,
      ...relayMedians(measured(runs)),
    }));
  }

  /** Without Python: its sendall waits for the stalled reader, and everybody with it. */
  async floodRows(load: Load, peers: Peer[]): Promise<FloodRow[]> {
    const seconds = Math.max(this.seconds, FLOOD_SECONDS);
    const cases = peers.filter(({ name }) => name !== "python" && name !== "course")
      .flatMap((peer) => BESIDE.map((beside) => ({ peer, beside })));
    const samples = await this.interleave(
      cases,
      ({ peer, beside }) => `${peer.name}, flood: ${beside}`,
      ({ peer, beside }) => flooded(load, peer, beside, seconds),
    );
    return samples.map(([{ peer, beside }, runs]) => ({
      peer: peer.name,
      beside,
      runs,
      ...floodMedians(measured(runs)),
    }));
  }

  /** What was measured of each case, a run for each round, or null where it failed; without those that always did. */
  async interleave<C, R>(cases: C[], name: (c: C) => string, measure: (c: C) => Promise<R>) {
    const samples = cases.map((each): [C, (R | null)[]] => [each, []]);
    for (let round = 1; round <= this.rounds; round++) {
      for (const [each, runs] of round % 2 ? samples : samples.toReversed()) {
        progress(`round ${round} of ${this.rounds}: ${name(each)}`);
        runs.push(await this.attempt(name(each), () => measure(each)));
      }
    }
    return samples.filter(([, runs]) => measured(runs).length);
  }
}

async function otherLoad(path: string): Promise<Load> {
  if (!(await Deno.stat(path).catch(() => null))?.isFile) throw new Error(`there is no file ${path}`);
  return { path, ours: false };
}

function measured<R>(runs: (R | null)[]): R[] {
  return runs.filter((run) => run !== null);
}

function relayMedians(runs: Relayed[]): Relayed {
  const middle = (figure: (run: Relayed) => number) => median(runs.map(figure));
  return {
    messagesPerSecond: middle((run) => run.messagesPerSecond),
    p50Us: middle((run) => run.p50Us),
    p99Us: middle((run) => run.p99Us),
    serverCpu: middle((run) => run.serverCpu),
    loadCpu: runs.some((run) => run.loadCpu === null) ? null : middle((run) => run.loadCpu ?? 0),
  };
}

/** A reader that was not cut in every run counts as never cut. */
function floodMedians(runs: Flooded[]): Flooded {
  const cuts = runs.map((run) => run.cutSeconds).filter((seconds) => seconds !== null);
  return {
    ...relayMedians(runs),
    maxUs: median(runs.map((run) => run.maxUs)),
    cutSeconds: cuts.length === runs.length ? median(cuts) : null,
  };
}

function progress(line: string): void {
  console.error(`bench: ${line}`);
}

/** Runs the benchmark and returns the exit status. */
async function main(args: string[]): Promise<number> {
  let unknown = false;
  const options = parseArgs(args, {
    string: ["seconds", "rounds"],
    boolean: ["json"],
    unknown: () => unknown = true,
  });
  const seconds = Number(options.seconds ?? 3), rounds = Number(options.rounds ?? 3);
  if (unknown || !(seconds > 0 && seconds <= 600) || !Number.isInteger(rounds) || rounds < 1) {
    console.error(USAGE);
    return 2;
  }
  endChildrenWithUs();
  const bench = new Bench(seconds, rounds);
  const results = await bench.measure();
  if (!results) {
    for (const line of bench.skipped) console.error(`bench: ${line}`);
    console.error("bench: nothing was measured: it takes gcc (or NETLAB_BENCH_LOAD) and a server that starts");
    return 3;
  }
  const judged = targets(results).map((target) => ({ ...target, reached: reached(target) }));
  console.log(options.json ? JSON.stringify({ ...results, targets: judged }) : render(results));
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
