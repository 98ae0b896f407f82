// Measures netlab's file server beside socat and the least that Deno can do, in rounds, on this machine:
//   deno run -P=tools bench/files.ts [--rounds 5] [--json]
// The table goes to stdout, what is going on to stderr. Each ratio is of figures from the same round, one after the other,
// with one and the same reader; the medians are of the rounds. The aims are those of the project; exit status: 0 measured
// (whether or not they were reached), 2 usage.

import { parseArgs } from "@std/cli/parse-args";
import { machine, median, residentBytes } from "./measure.ts";
import { endChildrenWithUs, NETLAB, run, serve, type Server } from "./processes.ts";

const PIPE = new URL("peers/pipe_files.ts", import.meta.url).pathname;
const READER = new URL("peers/read_files.py", import.meta.url).pathname;
const MB = 1_000_000;
const GIB = 1_073_741_824;
const CLIENTS = 100;
const MEMORY_MS = 100;
const READ_MS = 120_000;

/** A server that has said where it listens. */
interface Served extends Server {
  readonly port: number;
}

/** Starts a program that tells its port in a line, on standard output or, as socat does, on standard error. */
async function start(
  program: string,
  args: string[],
  says: RegExp,
  on?: "stdout" | "stderr",
): Promise<Served> {
  const server = await serve(program, args, { says, on });
  return { ...server, port: Number(says.exec(server.line)![1]) };
}

/** Reads with `clients` at once and returns MB/s. */
async function read(port: number, clients: number, bytes: number, request?: string): Promise<number> {
  const args = [READER, String(port), String(clients), String(bytes), ...request ? [request] : []];
  const { success, stdout, stderr } = await run("python3", args, READ_MS);
  if (!success) throw new Error(stderr.trim() || "the reader was killed, it took too long");
  const result = JSON.parse(stdout);
  if (result.bytes !== clients * bytes) throw new Error(`${result.bytes} bytes came`);
  return result.bytes / MB / result.seconds;
}

/** The figure of one round by a server that was started for it. */
async function once(starting: Promise<Served>, clients: number, bytes: number): Promise<number> {
  const served = await starting;
  try {
    return await read(served.port, clients, bytes);
  } finally {
    await served.stop();
  }
}

/** The most memory that a server was seen to hold while `work` ran, in bytes. */
async function peakOf<T>(served: Served, work: Promise<T>): Promise<{ value: T; peak: number }> {
  let peak = await residentBytes(served.pid);
  const timer = setInterval(
    () => void residentBytes(served.pid).then((bytes) => (peak = Math.max(peak, bytes)), () => {}),
    MEMORY_MS,
  );
  try {
    return { value: await work, peak };
  } finally {
    clearInterval(timer);
  }
}

async function makeFile(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  for (let left = bytes; left > 0; left -= block.length) {
    new DataView(block.buffer).setUint32(0, left);
    await file.write(block.subarray(0, Math.min(left, block.length)));
  }
}

const options = parseArgs(Deno.args, { string: ["rounds"], boolean: ["json"] });
const rounds = Number(options.rounds ?? 5);
if (!(rounds >= 1)) {
  console.error("usage: deno run -P=tools bench/files.ts [--rounds 5] [--json]");
  Deno.exit(2);
}

endChildrenWithUs();
const dir = await Deno.makeTempDir({ prefix: "netlab-bench-" });
const [large, small] = [`${dir}/large`, `${dir}/small`];
const hasSocat = await run("socat", ["-V"]).then(({ success }) => success, () => false);
if (!hasSocat) console.error("socat is not installed: left out");

const startNetlab = () =>
  start(Deno.execPath(), [
    ...NETLAB,
    ...["serve", "files", "--host", "127.0.0.1", "--port", "0", "--dir", dir],
  ], /127\.0\.0\.1:(\d+)/);
const startPipe = (path: string) => start(Deno.execPath(), ["run", "--quiet", "-A", PIPE, path], /"port":(\d+)/);
const startSocat = () =>
  start(
    "socat",
    ["-d", "-d", "-u", "-b", "262144", `OPEN:${large}`, "TCP-LISTEN:0,bind=127.0.0.1"],
    /listening on .*:(\d+)/,
    "stderr",
  );

try {
  await makeFile(large, GIB);
  await makeFile(small, 100 * MB);
  const figures = { netlab: [], socat: [], pipe: [], many: [], manyPipe: [] } as Record<string, number[]>;
  const ratios = { socat: [], pipe: [], many: [], manyPipe: [] } as Record<string, number[]>;
  const peaks = { one: 0, many: 0 };
  const netlab = await startNetlab();
  try {
    for (const name of ["large", "small"]) {
      // So that the digests are known.
      const words = ["connect", "files", `127.0.0.1:${netlab.port}`, "stat", name];
      const { success, stderr } = await run(Deno.execPath(), [...NETLAB, ...words], READ_MS);
      if (!success) throw new Error(stderr);
    }
    for (let round = 1; round <= rounds; round++) {
      console.error(`round ${round} of ${rounds}`);
      const socat = hasSocat ? await once(startSocat(), 1, GIB) : null;
      const one = await peakOf(netlab, read(netlab.port, 1, GIB, "GET large"));
      const pipe = await once(startPipe(large), 1, GIB);
      const many = await peakOf(netlab, read(netlab.port, CLIENTS, 100 * MB, "GET small"));
      const manyPipe = await once(startPipe(small), CLIENTS, 100 * MB);
      if (socat !== null) {
        figures.socat.push(socat);
        ratios.socat.push(one.value / socat);
      }
      figures.netlab.push(one.value);
      figures.pipe.push(pipe);
      figures.many.push(many.value);
      figures.manyPipe.push(manyPipe);
      ratios.pipe.push(one.value / pipe);
      ratios.many.push(many.value / one.value);
      ratios.manyPipe.push(many.value / manyPipe);
      // Later the server holds what the hundred have left behind.
      if (round === 1) peaks.one = one.peak;
      peaks.many = Math.max(peaks.many, many.peak);
    }
  } finally {
    await netlab.stop();
  }
  const row = (
    name: string,
    ours: number[],
    beside: string,
    theirs: number[],
    ratio: number[],
    aim: number | null,
  ) => ({
    ...{ name, beside, aim, netlab: median(ours), other: median(theirs), ratio: median(ratio) },
  });
  const single = "GET of 1 GiB";
  const hundred = `${CLIENTS} clients × 100 MB`;
  const rows = [
    ...hasSocat ? [row(single, figures.netlab, "socat -u -b 262144", figures.socat, ratios.socat, 0.9)] : [],
    row(single, figures.netlab, "Deno's pipeTo", figures.pipe, ratios.pipe, 1),
    row(hundred, figures.many, "one client", figures.netlab, ratios.many, 0.9),
    // What the platform gives: no aim, but it says what the one above is worth.
    row(hundred, figures.many, "Deno's pipeTo", figures.manyPipe, ratios.manyPipe, null),
  ];
  if (options.json) console.log(JSON.stringify({ machine: await machine(), rounds, rows, peaks }));
  else {
    console.log(`${await machine()}, medians of ${rounds} rounds\n`);
    for (const { name, beside, aim, netlab, other, ratio } of rows) {
      const verdict = aim === null ? "no aim" : `aim ${aim.toFixed(1)}×: ${ratio >= aim ? "reached" : "missed"}`;
      const [ours, theirs] = [netlab, other].map(Math.round);
      console.log(`${name}: ${ours} MB/s, ${beside} ${theirs}: ${ratio.toFixed(2)}× (${verdict})`);
    }
    const held = (bytes: number) => Math.round(bytes / MB);
    console.log(
      `the server held at most ${held(peaks.one)} MB for one client, ${held(peaks.many)} MB for ${CLIENTS}`,
    );
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
