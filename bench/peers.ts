// The servers that are compared, the load generator, and how each is built and started.

import { run, serve, type Server } from "./processes.ts";

const ROOT = `${import.meta.dirname}/..`;
const SOURCES = `${import.meta.dirname}/peers`;
const BIN = `${import.meta.dirname}/bin`;

/** netlab, and the servers it is measured against: Python as in the courses and written for speed, and C. */
export const PEER_NAMES = ["netlab", "course", "python", "c"] as const;
export type PeerName = typeof PEER_NAMES[number];

/** A chat server that listens on the loopback interface. */
export interface Peer extends Server {
  name: PeerName;
  port: number;
}

/** Starts a peer on a free port. The C relay must have been built. Throws, saying why, when it does not start. */
export async function startPeer(name: PeerName): Promise<Peer> {
  const server = await STARTERS[name]();
  const port = portIn(server.line);
  if (port === null) {
    await server.stop();
    throw new Error(`its first line names no port: ${server.line}`);
  }
  return { ...server, name, port };
}

const STARTERS: Record<PeerName, () => Promise<Server>> = {
  netlab: async () => {
    const chat = ["serve", "chat", "--port", "0", "--host", "127.0.0.1", "--json", "--quiet"];
    const start = () => serve(Deno.execPath(), ["run", "-P", "main.ts", ...chat], { cwd: ROOT });
    await (await start()).stop(); // the first start after a change compiles, and keeps the memory that this takes
    return await start();
  },
  course: () => serve("python3", [`${SOURCES}/course_server.py`, "0"]),
  python: () => serve("python3", [`${SOURCES}/select_server.py`, "0"]),
  c: () => serve(binary("epoll_relay"), ["0"]),
};

/** Compiles `peers/NAME.c` and returns the binary's path. Throws when there is no compiler or it refuses. */
export async function compile(name: string): Promise<string> {
  await Deno.mkdir(BIN, { recursive: true });
  const source = `${SOURCES}/${name}.c`;
  const { success, stderr } = await run("gcc", ["-O2", "-Wall", "-Wextra", "-o", binary(name), source], 60_000);
  if (!success) throw new Error(`gcc refuses ${name}.c: ${stderr.trim().split("\n").at(0)}`);
  return binary(name);
}

function binary(name: string): string {
  return `${BIN}/${name}`;
}

/** The port in `listening 4711` or `{"event":"listening",…,"port":4711}`. */
function portIn(line: string): number | null {
  const found = /^listening (\d+)$/.exec(line)?.[1];
  if (found) return Number(found);
  try {
    const event = JSON.parse(line);
    return event.event === "listening" && Number.isInteger(event.port) ? event.port : null;
  } catch {
    return null;
  }
}
