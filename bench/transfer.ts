// Measures netlab's transfer beside the least that Deno can do, in rounds, on this machine:
//   deno run -P=tools bench/transfer.ts [--rounds 3] [--json]
// The table goes to stdout, what is going on to stderr. Each pair of figures comes from the same round. The aims are those of
// the project; exit status: 0 measured (whether or not they were reached), 2 usage.

import { parseArgs } from "@std/cli/parse-args";
import { machine, median, residentBytes } from "./measure.ts";
import { endChildrenWithUs, NETLAB, spawn, stop } from "./processes.ts";

const BARE = new URL("peers/bare_transfer.ts", import.meta.url).pathname;
const MB = 1_000_000;
/** Of stop-and-wait: enough that what is slow in the beginning does not count. */
const ROUND_TRIPS = 100_000;

/** One end of something, as a process whose lines of JSON are read. */
class End {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(command: readonly string[]) {
    this.#process = spawn(Deno.execPath(), command, { stdout: "piped" });
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  get pid(): number {
    return this.#process.pid;
  }

  // deno-lint-ignore no-explicit-any
  async line(): Promise<any> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("it ended early");
      this.#text += value;
    }
    const at = this.#text.indexOf("\n");
    const line = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + 1);
    return JSON.parse(line);
  }

  async stop(): Promise<void> {
    await stop(this.#process);
    await this.#lines.cancel();
  }
}

const bare = (...words: string[]) => new End(["run", "--quiet", "-A", "--unstable-net", BARE, ...words]);
const netlab = (...words: string[]) => new End([...NETLAB, ...words]);

/** What a pair of processes came to. */
interface Outcome {
  /** What the sender printed, and, if it was waited for, the receiver. */
  // deno-lint-ignore no-explicit-any
  readonly sent: any;
  // deno-lint-ignore no-explicit-any
  readonly received: any;
  /** The most memory that either was seen to hold, in bytes; looked at every so often, if at all. */
  readonly peaks: readonly number[];
}

/** Runs a receiver, and a sender that is told its port. */
async function pair(
  receiver: End,
  send: (port: number) => End,
  { received = false, memory = false } = {},
): Promise<Outcome> {
  let sender: End | null = null;
  const peaks = [0, 0];
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const { port } = await receiver.line();
    sender = send(port);
    const pids = [receiver.pid, sender.pid];
    const look = (pid: number, i: number) =>
      residentBytes(pid).then((bytes) => peaks[i] = Math.max(peaks[i], bytes), () => {});
    if (memory) timer = setInterval(() => pids.forEach(look), MEMORY_MS);
    const sent = await sender.line();
    return { sent, received: received ? await receiver.line() : null, peaks };
  } finally {
    clearInterval(timer);
    await sender?.stop();
    await receiver.stop();
  }
}

const MEMORY_MS = 250;

/** What was written before goes to the disk now, or nowhere, and not beside what is measured next. */
async function settleDisk(): Promise<void> {
  await Promise.all(["copy", "bare"].map((name) => Deno.remove(`${dir}/${name}`).catch(() => {})));
  if (Deno.build.os !== "windows") await new Deno.Command("sync").output();
}

interface Case {
  readonly name: string;
  readonly unit: string;
  readonly aim: number;
  netlab(): Promise<number>;
  bare(): Promise<number>;
}

const options = parseArgs(Deno.args, { string: ["rounds"], boolean: ["json"] });
const rounds = Number(options.rounds ?? 3);
if (!(rounds >= 1)) {
  console.error("usage: deno run -P=tools bench/transfer.ts [--rounds 3] [--json]");
  Deno.exit(2);
}

endChildrenWithUs();
const dir = await Deno.makeTempDir({ prefix: "netlab-bench-" });
const files: Record<string, string> = {};
for (const [name, bytes] of [["small", 100 * ROUND_TRIPS], ["large", 100 * MB], ["huge", 1000 * MB]] as const) {
  files[name] = `${dir}/${name}`;
  using file = await Deno.open(files[name], { write: true, create: true });
  const block = crypto.getRandomValues(new Uint8Array(50_000));
  for (let written = 0; written < bytes; written += block.length) {
    new DataView(block.buffer).setUint32(0, written);
    await file.write(block);
  }
}

const sendOptions = (transport: string, arq: string, chunk: number, window: number) => [
  ...["--transport", transport, "--arq", arq, "--chunk", String(chunk), "--window", String(window), "--json"],
];
const receive = (transport: string) =>
  netlab("serve", "transfer", ...["--host", "127.0.0.1", "--port", "0", "--transport", transport], ...[
    ...["--dir", dir, "--json"],
  ]);
const transfer = (
  transport: string,
  arq: string,
  chunk: number,
  window: number,
  file: string,
  memory = false,
) => {
  const options = sendOptions(transport, arq, chunk, window);
  const send = (port: number) => netlab("connect", "transfer", `127.0.0.1:${port}`, file, "--as", "copy", ...options);
  return pair(receive(transport), send, { memory });
};

const cases: Case[] = [
  {
    name: "UDP selective-repeat, chunk 1400, window 256, 100 MB",
    unit: "datagrams/s",
    aim: 0.6,
    async netlab() {
      const { sent } = await transfer("udp", "selective-repeat", 1400, 256, files.large);
      return sent.chunks / sent.seconds;
    },
    async bare() {
      const { received } = await pair(
        bare("udp", "receive"),
        (port) => bare("udp", "send", String(port), files.large, "1400"),
        { received: true },
      );
      return received.datagrams / received.seconds;
    },
  },
  {
    name: "TCP go-back-n, chunk 64000, window 16, 1 GB",
    unit: "MB/s",
    aim: 0.7,
    async netlab() {
      const { sent } = await transfer("tcp", "go-back-n", 64_000, 16, files.huge);
      return sent.bytes / MB / sent.seconds;
    },
    async bare() {
      const { received } = await pair(
        bare("tcp", "receive", dir),
        (port) => bare("tcp", "send", String(port), files.huge),
        { received: true },
      );
      return 1000 / received.seconds;
    },
  },
  ...["tcp", "udp"].map((transport): Case => ({
    name: `stop-and-wait over ${transport.toUpperCase()}, chunk 100, 10 MB`,
    unit: "chunks/s",
    aim: 0.8,
    async netlab() {
      const { sent } = await transfer(transport, "stop-and-wait", 100, 1, files.small);
      return sent.chunks / sent.seconds;
    },
    async bare() {
      const { sent } = await pair(
        bare("echo", "receive", transport),
        (port) => bare("echo", "send", String(port), transport, String(ROUND_TRIPS)),
      );
      return sent.rounds / sent.seconds;
    },
  })),
];

try {
  const rows = [];
  for (const { name, unit, aim, ...measure } of cases) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      console.error(`round ${round} of ${rounds}: ${name}`);
      await settleDisk();
      theirs.push(await measure.bare());
      await settleDisk();
      ours.push(await measure.netlab());
    }
    // Round by round, since the machine itself is faster in one than in another.
    const ratio = median(ours.map((one, i) => one / theirs[i]));
    rows.push({ name, unit, aim, netlab: median(ours), bare: median(theirs), ratio });
  }
  console.error("1 GB at window 256");
  await settleDisk();
  const { peaks: [receiver, sender] } = await transfer("udp", "selective-repeat", 1400, 256, files.huge, true);
  const peaks = { receiver: receiver / MB, sender: sender / MB };
  if (options.json) console.log(JSON.stringify({ machine: await machine(), rounds, rows, peaks }));
  else {
    console.log(`${await machine()}, medians of ${rounds} rounds\n`);
    for (const { name, unit, aim, netlab, bare, ratio } of rows) {
      const verdict = ratio >= aim ? "reached" : "missed";
      console.log(
        `${name}: ${Math.round(netlab)} ${unit}, bare ${Math.round(bare)}: ${
          ratio.toFixed(2)
        }× (aim ${aim}×: ${verdict})`,
      );
    }
    console.log(
      `1 GB over UDP at window 256: at most ${Math.round(peaks.receiver)} MB at the receiver, ${
        Math.round(peaks.sender)
      } MB at the sender`,
    );
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
