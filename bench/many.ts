// Thousands of clients on one netlab server, each messaging another: is anything lost, is each sender's order kept, and does
// the memory come back?
//   deno run -P=tools bench/many.ts [--clients 5000] [--messages 20] [--rounds 3]
// The load runs in this process, the server in its own. Exit status: 0 nothing lost, 1 something was, 2 usage, 3 no server.

import { parseArgs } from "@std/cli/parse-args";
import { format } from "@std/fmt/bytes";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { DigitsFramer, wrap } from "../lib/protocol/framing.ts";
import { decodeText, encodeText } from "../lib/protocol/text.ts";
import { machine, residentBytes } from "./measure.ts";
import { type Peer, startPeer } from "./peers.ts";
import { endChildrenWithUs } from "./processes.ts";

const AT_ONCE = 200; // connections being opened: the listen queue of the system is not endless
const MAX_REPLY = 1_048_576;
const PATIENCE_MS = 60_000;

/** A client that frames with four digits. */
class Client {
  readonly #conn: Deno.TcpConn;
  readonly #framer = new DigitsFramer(4, MAX_REPLY);
  readonly #queue = new ByteQueue(64);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(port: number, name: string): Promise<Client> {
    const client = new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
    client.#conn.setNoDelay(true);
    await client.send(`NAME ${name}`);
    const answer = await client.receive();
    if (answer !== `HELLO ${name}`) throw new Error(`${name} was told: ${answer}`);
    return client;
  }

  async send(text: string): Promise<void> {
    let frame = wrap(this.#framer, encodeText(text));
    while (frame.length > 0) frame = frame.subarray(await this.#conn.write(frame));
  }

  async receive(): Promise<string> {
    for (;;) {
      const frame = this.#framer.cut(this.#queue);
      if (frame) return decodeText(frame);
      const count = await this.#conn.read(this.#queue.space(1024));
      if (count === null) throw new Error("the server ended the connection");
      this.#queue.commit(count);
    }
  }

  close(): void {
    this.#conn.close();
  }
}

/** Connects and names `count` clients. */
async function connectAll(port: number, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) {
    const names = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, (_, i) => `u${clients.length + i}`);
    clients.push(...await Promise.all(names.map((name) => Client.connect(port, name))));
  }
  return clients;
}

/** Each sends `messages` to one in the other half of the room; returns how many arrived, each in its sender's order. */
async function messageAll(clients: readonly Client[], messages: number): Promise<number> {
  const half = Math.floor(clients.length / 2);
  let arrived = 0;
  await Promise.all(clients.flatMap((client, index) => {
    const to = (index + half) % clients.length;
    const from = (index - half + clients.length) % clients.length;
    return [
      (async () => {
        for (let i = 0; i < messages; i++) await client.send(`MSG u${to} ${i}`);
      })(),
      (async () => {
        for (let i = 0; i < messages; i++) {
          const text = await client.receive();
          if (text !== `u${from} sent ${i}`) throw new Error(`u${index} got "${text}" for message ${i} of u${from}`);
          arrived++;
        }
      })(),
    ];
  }));
  return arrived;
}

/** Resolves when the server has forgotten everybody. */
async function untilForgotten(port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const witness = await Client.connect(port, "witness");
    await witness.send("GET_NAMES");
    // A list that is too long for four digits is refused, which is as good an answer: not yet.
    const names = await witness.receive();
    witness.close();
    if (names === "witness") return;
    if (performance.now() > deadline) throw new Error(`still there: ${names.slice(0, 100)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The server's memory, and the same in words. */
async function memory(peer: Peer, when: string): Promise<void> {
  console.log(`  ${format(await residentBytes(peer.pid), { binary: true }).padStart(9)}  ${when}`);
}

async function round(peer: Peer, count: number, messages: number): Promise<void> {
  const start = performance.now();
  const clients = await connectAll(peer.port, count);
  const connected = performance.now();
  await memory(peer, `${count} clients connected and named, in ${((connected - start) / 1000).toFixed(1)} s`);
  const begun = performance.now();
  const arrived = await messageAll(clients, messages);
  const seconds = (performance.now() - begun) / 1000;
  const rate = Math.round(arrived / seconds);
  await memory(peer, `${arrived} of ${count * messages} messages arrived, in order (${rate} a second)`);
  for (const client of clients) client.close();
  await untilForgotten(peer.port);
  await memory(peer, "all disconnected");
}

async function main(): Promise<number> {
  const { clients, messages, rounds } = parseArgs(Deno.args, { string: ["clients", "messages", "rounds"] });
  const [count, each, times] = [clients ?? 5000, messages ?? 20, rounds ?? 3].map(Number);
  if (![count, each, times].every((number) => Number.isInteger(number) && number > 0)) {
    console.error("usage: deno run -P=tools bench/many.ts [--clients 5000] [--messages 20] [--rounds 3]");
    return 2;
  }
  let peer: Peer;
  try {
    peer = await startPeer("netlab");
  } catch (error) {
    console.error(`netlab: ${(error as Error).message}`);
    return 3;
  }
  try {
    console.log(await machine());
    await memory(peer, "the server has started");
    for (let i = 0; i < times; i++) await round(peer, count, each);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  } finally {
    await peer.stop();
  }
}

endChildrenWithUs();
Deno.exit(await main());
