// Measures netlab's mail server and client beside others', in rounds, on this machine:
//   deno run -P=tools bench/smtp.ts [--rounds 5] [--json]
// It takes Postfix's smtp-source and smtp-sink, and Python with aiosmtpd. The table goes to stdout, what is going on to stderr.
// Each ratio is of figures from the same round; the medians are of the rounds. The aims are those of the project; exit status:
// 0 measured (whether or not they were reached), 2 usage.

import { parseArgs } from "@std/cli/parse-args";
import { cpuSeconds, machine, median } from "./measure.ts";
import { endChildrenWithUs, NETLAB, run, spawn, stop } from "./processes.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const peer = (name: string) => new URL(`peers/${name}`, import.meta.url).pathname;
const SESSIONS = 20;
const LOAD_MS = 60_000;
const START_MS = 15_000;
/** Of a million lines, `..` on the wire, or without a dot. */
const LINES = 1_000_000;

/** What smtp-source does: sessions at once, each for one message, or (`-d`) for all. */
interface Load {
  readonly name: string;
  readonly args: readonly string[];
  readonly messages: number;
  /** Of netlab with fsync over aiosmtpd. */
  readonly aim: number;
}

const LOADS: readonly Load[] = [
  { name: "4 KB, reconnecting", args: ["-l", "4096"], messages: 2000, aim: 1.5 },
  { name: "4 KB, -d", args: ["-d", "-l", "4096"], messages: 4000, aim: 1.5 },
  { name: "64 KB, reconnecting", args: ["-l", "65536"], messages: 500, aim: 3 },
  { name: "64 KB, -d", args: ["-d", "-l", "65536"], messages: 1000, aim: 3 },
];
/** Of netlab without fsync over smtp-sink, and of netlab's client over nodemailer. */
const SINK_AIM = 0.4;
const CLIENT_AIM = 2;
/** Of a message of dots over one without, at most. */
const DOTS_AIM = 5;

const SERVERS = ["smtp-sink", "aiosmtpd", "netlab", "netlab --no-fsync", "bare", "bare, fsync"] as const;
type ServerName = typeof SERVERS[number];

/** Deno's user is root in many a container: smtp-sink then wants to be somebody else. */
const SINK_USER = Deno.uid() === 0 ? ["-u", "nobody"] : [];

function command(server: ServerName, port: number, dir: string): string[] {
  const netlab = [Deno.execPath(), ...NETLAB, "serve", "smtp", "--quiet", "--host", "127.0.0.1", "--port", `${port}`];
  switch (server) {
    case "smtp-sink":
      return ["smtp-sink", ...SINK_USER, `127.0.0.1:${port}`, "1000"];
    case "aiosmtpd":
      return ["python3", peer("aiosmtpd_files.py"), `${port}`, dir];
    case "netlab":
      return [...netlab, "--mailbox", dir];
    case "netlab --no-fsync":
      return [...netlab, "--mailbox", dir, "--no-fsync"];
    case "bare":
      return [Deno.execPath(), "run", "--quiet", "-A", peer("bare_smtp.ts"), `${port}`, dir];
    case "bare, fsync":
      return [Deno.execPath(), "run", "--quiet", "-A", peer("bare_smtp.ts"), `${port}`, dir, "fsync"];
  }
}

/** A server that runs. */
interface Served {
  readonly port: number;
  readonly process: Deno.ChildProcess;
}

/** Starts a server, and calls it until it answers: half of them do not say when they listen. */
async function start(server: ServerName, dir: string): Promise<Served> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const [program, ...args] = command(server, port, dir);
  const process = spawn(program, args);
  for (const begun = performance.now();;) {
    try {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.read(new Uint8Array(512));
      conn.close();
      return { port, process };
    } catch {
      if (performance.now() - begun > START_MS) {
        await stop(process);
        throw new Error(`${server} does not listen; it was begun with ${[program, ...args].join(" ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Messages a second, and the server's processor time for each, in µs. */
interface Figure {
  readonly rate: number;
  readonly cpuUs: number;
}

async function source(port: number, { args }: Load, messages: number): Promise<number> {
  const begun = performance.now();
  const words = ["-s", `${SESSIONS}`, ...args, "-m", `${messages}`, `127.0.0.1:${port}`];
  const { success, stderr } = await run("smtp-source", words, LOAD_MS);
  if (!success) throw new Error(stderr.trim() || "smtp-source was killed, it took too long");
  return (performance.now() - begun) / 1000;
}

async function measure(served: Served, load: Load): Promise<Figure> {
  await source(served.port, load, load.messages / 4); // until it is warm
  const before = await cpuSeconds(served.process.pid);
  const seconds = await source(served.port, load, load.messages);
  const cpu = await cpuSeconds(served.process.pid) - before;
  return { rate: load.messages / seconds, cpuUs: 1e6 * cpu / load.messages };
}

/** Messages a second of a client that says how many it has sent in how many seconds. */
async function client(args: readonly string[]): Promise<number> {
  const { success, stdout, stderr } = await run(Deno.execPath(), [...args], LOAD_MS);
  if (!success) throw new Error(stderr.trim() || "the client was killed, it took too long");
  const { messages, sent, seconds } = JSON.parse(/^.*"seconds".*$/m.exec(stdout)![0]);
  return (messages ?? sent) / seconds;
}

/** How long a message takes from its first byte to its 250, in ms. */
async function deliver(port: number, content: Uint8Array): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const reader = conn.readable.pipeThrough(new TextDecoderStream()).getReader();
  const writer = conn.writable.getWriter();
  let text = "";
  const reply = async (code: string) => {
    while (!new RegExp(`^${code} .*\r\n`, "m").test(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`${code} did not come: ${text}`);
      text += value;
    }
    text = "";
  };
  await reply("220");
  for (const [command, code] of [["HELO x", 250], ["MAIL FROM:<a@x.example>", 250], ["RCPT TO:<b@y.example>", 250]]) {
    await writer.write(new TextEncoder().encode(`${command}\r\n`));
    await reply(`${code}`);
  }
  await writer.write(new TextEncoder().encode("DATA\r\n"));
  await reply("354");
  const begun = performance.now();
  await writer.write(content);
  await reply("250");
  return performance.now() - begun;
}

const options = parseArgs(Deno.args, { string: ["rounds"], boolean: ["json"] });
const rounds = Number(options.rounds ?? 5);
if (!(rounds >= 1)) {
  console.error("usage: deno run -P=tools bench/smtp.ts [--rounds 5] [--json]");
  Deno.exit(2);
}

endChildrenWithUs();
const root = await Deno.makeTempDir({ prefix: "netlab-bench-" });
let folders = 0;
/** A new folder each time. Nothing is taken away before the end: some file systems are slow for a while after that. */
function newFolder(): string {
  const dir = `${root}/${++folders}`;
  Deno.mkdirSync(dir);
  return dir;
}

/** Runs `work` with a server that was started for it. */
async function withServer<T>(server: ServerName, work: (served: Served) => Promise<T>): Promise<T> {
  const served = await start(server, newFolder());
  try {
    return await work(served);
  } finally {
    await stop(served.process);
  }
}

const figures = new Map(SERVERS.map((server) => [server, new Map(LOADS.map((load) => [load, [] as Figure[]]))]));
const clients = { netlab: [] as number[], nodemailer: [] as number[] };
const dots = { dots: [] as number[], plain: [] as number[] };
const message = `${root}/message.eml`;
Deno.writeTextFileSync(message, `Subject: speed\r\n\r\n${(`${"x".repeat(78)}\r\n`).repeat(50)}`);
const lines = (line: string) => new TextEncoder().encode(`${line}\r\n`.repeat(LINES) + ".\r\n");
const contents = { dots: lines(".."), plain: lines("xx") };

try {
  for (let round = 1; round <= rounds; round++) {
    for (const server of SERVERS) {
      console.error(`round ${round} of ${rounds}: ${server}`);
      await withServer(server, async (served) => {
        for (const load of LOADS) figures.get(server)!.get(load)!.push(await measure(served, load));
        if (server !== "netlab --no-fsync") return;
        // Where the code is warm the least of three is what it takes: what else the machine does only adds.
        for (const what of ["dots", "plain"] as const) {
          const times: number[] = [];
          for (let i = 0; i < 3; i++) times.push(await deliver(served.port, contents[what]));
          dots[what].push(Math.min(...times));
        }
      });
    }
    console.error(`round ${round} of ${rounds}: clients`);
    await withServer("smtp-sink", async ({ port }) => {
      const netlab = [
        ...NETLAB,
        "connect",
        "smtp",
        `127.0.0.1:${port}`,
        "--from",
        "a@x.example",
        "--to",
        "b@y.example",
      ];
      const sending = ["--raw", message, "--count", "10000", "--connections", `${SESSIONS}`, "--json"];
      clients.netlab.push(await client([...netlab, ...sending]));
      const pool = ["run", "--quiet", "-A", "--config", `${ROOT}deno.json`, peer("nodemailer_pool.ts")];
      clients.nodemailer.push(await client([...pool, `${port}`, `${SESSIONS}`, "2000", message]));
    });
  }
} finally {
  await Deno.remove(root, { recursive: true });
}

const of = (server: ServerName, load: Load) => figures.get(server)!.get(load)!;
const servers = SERVERS.flatMap((server) =>
  LOADS.map((load) => ({
    ...{ server, load: load.name },
    rate: median(of(server, load).map(({ rate }) => rate)),
    cpuUs: median(of(server, load).map(({ cpuUs }) => cpuUs)),
  }))
);
const ratios = (ours: readonly number[], theirs: readonly number[]) => median(ours.map((one, i) => one / theirs[i]));
const rates = (server: ServerName, load: Load) => of(server, load).map(({ rate }) => rate);
const aims = [
  ...LOADS.map((load) => ({
    what: `${load.name}: netlab over aiosmtpd`,
    ratio: ratios(rates("netlab", load), rates("aiosmtpd", load)),
    ...{ bound: "at least", aim: load.aim },
  })),
  ...LOADS.map((load) => ({
    what: `${load.name}: netlab --no-fsync over smtp-sink`,
    ratio: ratios(rates("netlab --no-fsync", load), rates("smtp-sink", load)),
    ...{ bound: "at least", aim: SINK_AIM },
  })),
  {
    what: `the client over nodemailer's pool (${Math.round(median(clients.netlab))} and ${
      Math.round(median(clients.nodemailer))
    } messages/s)`,
    ratio: ratios(clients.netlab, clients.nodemailer),
    ...{ bound: "at least", aim: CLIENT_AIM },
  },
  {
    what: `a message of a million lines .. over one without dots (${Math.round(median(dots.dots))} and ${
      Math.round(median(dots.plain))
    } ms)`,
    ratio: ratios(dots.dots, dots.plain),
    ...{ bound: "at most", aim: DOTS_AIM },
  },
];
if (options.json) console.log(JSON.stringify({ machine: await machine(), rounds, servers, aims }));
else {
  console.log(`${await machine()}, medians of ${rounds} rounds\n`);
  const width = Math.max(...SERVERS.map((server) => server.length));
  for (const load of LOADS) {
    console.log(`${load.name}: messages/s, and the server's CPU in µs for each`);
    for (const { server, rate, cpuUs } of servers.filter((one) => one.load === load.name)) {
      console.log(
        `  ${server.padEnd(width)} ${`${Math.round(rate)}`.padStart(6)} ${`${Math.round(cpuUs)}`.padStart(6)}`,
      );
    }
  }
  console.log();
  for (const { what, ratio, bound, aim } of aims) {
    const verdict = (bound === "at least" ? ratio >= aim : ratio <= aim) ? "reached" : "missed";
    console.log(`${what}: ${ratio.toFixed(2)}× (aim ${bound} ${aim}×: ${verdict})`);
  }
}
