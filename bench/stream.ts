// Measures how exactly netlab's stream server keeps a medium's rate, as its datagrams arrive at a bare socket on this machine,
// and how much memory it holds:
//   deno run -P=tools bench/stream.ts [--seconds 10] [--json]
// One line a rate goes to stdout. The aim is that of the project: within 2 % over 10 s. Memory is what is resident after a
// tenth of the time, and the most in the first and in the second half: what only grows is a leak. Exit status: 0 measured
// (whether or not it was reached), 2 usage.

import { parseArgs } from "@std/cli/parse-args";
import { makeNotation } from "../lib/exercises/stream/framing.ts";
import { decodePdu, readData } from "../lib/exercises/stream/protocol.ts";
import { machine, residentBytes } from "./measure.ts";
import { endChildrenWithUs, NETLAB, serve } from "./processes.ts";

const AIM = 0.02;
const GIB = 1_073_741_824;
const MB = 1_000_000;

/** What is streamed at once, and as what: bytes a second, and how many clients. */
const CASES = [
  { name: "mp3, 128 kbit/s", rate: 16_000, clients: 1 },
  { name: "CD, 1.4 Mbit/s", rate: 176_400, clients: 1 },
  { name: "film, 8 Mbit/s", rate: 1_000_000, clients: 1 },
  { name: "film, 40 Mbit/s", rate: 5_000_000, clients: 1 },
  { name: "20 clients of mp3", rate: 16_000, clients: 20 },
  { name: "20 clients of film", rate: 1_000_000, clients: 20 },
  { name: "10 clients, 16 Mbit/s", rate: 2_000_000, clients: 10 },
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

/** What a server held, in bytes. */
interface Held {
  early: number;
  firstHalf: number;
  secondHalf: number;
}

/** Looks at a process's memory, over and over, until `work` is done. */
async function watchMemory(pid: number, work: Promise<unknown>): Promise<Held> {
  const held = { early: 0, firstHalf: 0, secondHalf: 0 };
  const begun = performance.now();
  let over = false;
  void work.finally(() => (over = true)).catch(() => {});
  while (!over) {
    const bytes = await residentBytes(pid);
    const share = (performance.now() - begun) / 1000 / seconds;
    if (share < 0.1) held.early = bytes;
    if (share < 0.5) held.firstHalf = Math.max(held.firstHalf, bytes);
    else held.secondHalf = Math.max(held.secondHalf, bytes);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return held;
}

/** One server, and its clients at once. */
async function measure(rate: number, clients: number, dir: string): Promise<{ seen: Seen[]; held: Held }> {
  const server = await serve(Deno.execPath(), [
    ...NETLAB,
    ...["serve", "stream", "--json", "--host", "127.0.0.1", "--port", "0", "--dir", dir, "--rate", String(rate)],
  ]);
  try {
    const { port } = JSON.parse(server.line);
    const watching = Promise.all(Array.from({ length: clients }, (_, i) => watch(port, i + 1)));
    const held = await watchMemory(server.pid, watching);
    return { seen: await watching, held };
  } finally {
    await server.stop();
  }
}

const mb = (bytes: number) => Math.round(bytes / MB);
endChildrenWithUs();
const dir = await Deno.makeTempDir({ prefix: "netlab-bench-" });
try {
  const file = await Deno.open(`${dir}/media.bin`, { write: true, create: true });
  await file.truncate(Math.max(GIB, 5_000_000 * (seconds + 5)));
  file.close();
  if (!options.json) console.log(`${await machine()}\nas it arrives, over ${seconds} s; the aim is ${100 * AIM} %`);
  for (const { name, rate, clients } of CASES) {
    const { seen, held } = await measure(rate, clients, dir);
    const worst = seen.reduce((a, b) => Math.abs(b.rate / rate - 1) > Math.abs(a.rate / rate - 1) ? b : a);
    const error = worst.rate / rate - 1;
    const offMs = Math.max(...seen.map((one) => one.offMs));
    const lost = seen.reduce((sum, one) => sum + one.lost, 0);
    if (options.json) console.log(JSON.stringify({ name, rate, clients, error, offMs, lost, held }));
    else {
      const reached = Math.abs(error) <= AIM ? "reached" : "MISSED ";
      console.log(
        `${reached}  ${name.padEnd(21)} ${(100 * error).toFixed(3).padStart(7)} %   at most ${
          offMs.toFixed(1)
        } ms off   ` +
          `${lost} lost   held ${[held.early, held.firstHalf, held.secondHalf].map(mb).join(", ")} MB`,
      );
    }
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
