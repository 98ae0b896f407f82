// Measures how exactly netlab's stream server keeps a medium's rate, as its datagrams arrive at a bare socket on this machine:
//   deno run -P=tools bench/stream.ts [--seconds 10] [--json]
// One line a rate goes to stdout. The aim is that of the project: within 2 % over 10 s. Exit status: 0 measured (whether or not
// it was reached), 2 usage.

import { parseArgs } from "@std/cli/parse-args";
import { makeNotation } from "../lib/exercises/stream/framing.ts";
import { decodePdu, readData } from "../lib/exercises/stream/protocol.ts";
import { machine } from "./measure.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const AIM = 0.02;

/** What is streamed at once, and as what: bytes a second, and how many clients. */
const CASES = [
  { name: "mp3, 128 kbit/s", rate: 16_000, clients: 1 },
  { name: "CD, 1.4 Mbit/s", rate: 176_400, clients: 1 },
  { name: "film, 8 Mbit/s", rate: 1_000_000, clients: 1 },
  { name: "film, 40 Mbit/s", rate: 5_000_000, clients: 1 },
  { name: "20 clients of mp3", rate: 16_000, clients: 20 },
  { name: "20 clients of film", rate: 1_000_000, clients: 20 },
] as const;

const options = parseArgs(Deno.args, { string: ["seconds"], boolean: ["json"] });
const seconds = Number(options.seconds ?? 10);
if (!(seconds >= 1)) {
  console.error("usage: deno run -P=tools bench/stream.ts [--seconds 10] [--json]");
  Deno.exit(2);
}

/** What one client has seen. */
interface Seen {
  /** From the first datagram to the last, by what came in between, in bytes/s. */
  readonly rate: number;
  /** The most that a datagram was ahead of its time, or behind it, in ms, the first being on time. */
  readonly offMs: number;
  readonly lost: number;
}

/** Receives for as long as is measured, reporting as a client has to. */
async function watch(port: number, session: number): Promise<Seen> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const { codec } = makeNotation();
  const say = (text: string) => socket.send(codec.encode(text) as Uint8Array, to);
  await say(`REQUEST session=${session} start=0 "media.bin"`);
  codec.decode((await socket.receive())[0]);
  await say(`REQUEST session=${session} start=0 cookie=* "media.bin"`);
  const reports = setInterval(() => void say(`REPORT session=${session} seq=0 lost=0 jitter=0`), 1000);
  const buffer = new Uint8Array(65_536);
  let first: { at: number; offset: number } | null = null;
  let [last, next, lost, offMs] = [{ at: 0, offset: 0 }, 0, 0, 0];
  let rate = 0;
  for (;;) {
    const [bytes] = await socket.receive(buffer);
    const at = performance.now();
    const pdu = decodePdu(bytes);
    if (pdu.type !== "DATA") continue;
    const { seq, offset, timeMs } = readData(pdu);
    lost += seq - next;
    next = seq + 1;
    first ??= { at, offset };
    last = { at, offset };
    offMs = Math.max(offMs, Math.abs(at - first.at - timeMs));
    if (at - first.at < 1000 * seconds) continue;
    rate = 1000 * (last.offset - first.offset) / (last.at - first.at);
    break;
  }
  clearInterval(reports);
  await say(`FIN session=${session} seq=0`);
  socket.close();
  return { rate, offMs, lost };
}

/** One server, and its clients at once. */
async function measure(rate: number, clients: number, dir: string): Promise<Seen[]> {
  const words = [
    "serve",
    "stream",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--dir",
    dir,
    "--rate",
    String(rate),
    "--json",
  ];
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P", "--config", `${ROOT}deno.json`, `${ROOT}main.ts`, ...words],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { port } = JSON.parse((await lines.read()).value!.split("\n")[0]);
    return await Promise.all(Array.from({ length: clients }, (_, i) => watch(port, i + 1)));
  } finally {
    server.kill();
    await server.status;
    await lines.cancel();
  }
}

const dir = await Deno.makeTempDir({ prefix: "netlab-bench-" });
try {
  const file = await Deno.open(`${dir}/media.bin`, { write: true, create: true });
  await file.truncate(5_000_000 * (seconds + 5));
  file.close();
  if (!options.json) console.log(`${await machine()}\nas it arrives, over ${seconds} s; the aim is ${100 * AIM} %`);
  for (const { name, rate, clients } of CASES) {
    const seen = await measure(rate, clients, dir);
    const worst = seen.reduce((a, b) => Math.abs(b.rate / rate - 1) > Math.abs(a.rate / rate - 1) ? b : a);
    const error = worst.rate / rate - 1;
    const offMs = Math.max(...seen.map((one) => one.offMs));
    const lost = seen.reduce((sum, one) => sum + one.lost, 0);
    if (options.json) console.log(JSON.stringify({ name, rate, clients, error, offMs, lost }));
    else {
      const reached = Math.abs(error) <= AIM ? "reached" : "MISSED ";
      console.log(
        `${reached}  ${name.padEnd(20)} ${(100 * error).toFixed(3).padStart(7)} %   at most ${
          offMs.toFixed(1)
        } ms off   ` +
          `${lost} lost`,
      );
    }
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
