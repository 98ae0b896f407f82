// A mesh under load: twenty nodes that all know each other all speak at once.

import { assert, assertEquals, assertLess } from "@std/assert";
import { mesh } from "../lib/exercises/mesh/mod.ts";
import { serveMesh } from "../lib/exercises/mesh/server.ts";
import { clientCount, FakeConsole, serveContext } from "./chat_helpers.ts";
import { collect, eventually, test, within } from "./helpers.ts";

const NODES = 20;
const MESSAGES = 100;
const LIMIT_MS = 15_000;

/** A node, and what it has heard of each of the others: they number what they send, and no number may be missing or late. */
class Station {
  readonly console = new FakeConsole();
  readonly trace = collect(["close", "warning"]);
  readonly server = serveMesh(serveContext(mesh, { console: this.console, trace: this.trace }));
  readonly name: string;

  constructor(index: number) {
    this.name = `n${index}`;
  }

  get heard(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { text } of this.console.events) {
      const [, from, number] = /^(n\d+) (\d+)$/.exec(String(text)) ?? [];
      assert(from !== undefined && from !== this.name, `${this.name} was shown: ${text}`);
      assertEquals(Number(number), counts.get(from) ?? 0, `at ${this.name}, from ${from}`);
      counts.set(from, Number(number) + 1);
    }
    return counts;
  }

  async close(): Promise<void> {
    this.server.abort();
    await within(this.server.finished, "the end of a node");
  }
}

test("20 nodes, 190 connections, 38,000 deliveries: none is lost or late, and none comes twice", async () => {
  const start = performance.now();
  const stations = Array.from({ length: NODES }, (_, index) => new Station(index));
  try {
    for (const [index, { console }] of stations.entries()) {
      const others = stations.slice(index + 1);
      console.type(...others.map(({ name, server }) => `connect 127.0.0.1 ${server.address.port} ${name}`));
    }
    await eventually("190 connections", () => stations.every(({ server }) => clientCount(server) === NODES - 1));
    for (const { name, console } of stations) {
      console.type(...Array.from({ length: MESSAGES }, (_, i) => `broadcast ${name} ${i}`));
    }
    const each = (NODES - 1) * MESSAGES;
    await eventually(
      "38,000 deliveries",
      () => stations.every(({ console }) => console.events.length >= each),
      LIMIT_MS,
    );
    for (const { name, heard, trace } of stations) {
      const others = stations.filter((other) => other.name !== name).map((other) => other.name);
      assertEquals([...heard].sort(), others.map((other): [string, number] => [other, MESSAGES]).sort());
      assertEquals(trace.events, []);
    }
    assertEquals(stations.reduce((sum, { console }) => sum + console.printed.length, 0), NODES * each);
    assertLess(performance.now() - start, LIMIT_MS);
  } finally {
    for (const station of stations) await station.close();
  }
});
