// What the tests share of programs that are both ends: three of them in this process, with nobody at them but the test.

import { assertEquals } from "@std/assert";
import type { Exercise, RunningServer, ServeContext } from "../lib/exercises/exercise.ts";
import { clientCount, FakeConsole, serveContext } from "./chat_helpers.ts";
import { collect, type Collected, eventually, Peer, within } from "./helpers.ts";

/** A node of netlab's. */
export class Station {
  readonly console: FakeConsole;
  readonly trace: Collected = collect(["open", "close", "label", "note", "warning"]);
  readonly server: RunningServer;
  /** A test has waited for its end. */
  isOver = false;
  readonly #callers: Peer[] = [];

  /** @param interactive whether it is as if a person were at it */
  constructor(
    exercise: Exercise,
    serve: (context: ServeContext) => RunningServer,
    interactive: boolean,
    changes: Partial<ServeContext>,
  ) {
    this.console = new FakeConsole(undefined, interactive);
    const { console, trace } = this;
    this.server = serve(
      serveContext(exercise, { console, trace, stop: () => void this.server.shutdown(5000), ...changes }),
    );
  }

  get port(): number {
    return this.server.address.port;
  }

  type(...lines: string[]): void {
    this.console.type(...lines);
  }

  /** Is called by a client that is only bytes. */
  async caller(): Promise<Peer> {
    const caller = await Peer.connect({ hostname: "127.0.0.1", port: this.port });
    this.#callers.push(caller);
    return caller;
  }

  /** Resolves when it has so many connections. */
  has(count: number): Promise<void> {
    return eventually(`${count} connections`, () => clientCount(this.server) === count);
  }

  async close(): Promise<void> {
    for (const caller of this.#callers) caller.close();
    this.server.abort();
    if (!this.isOver) await within(this.server.finished, "the end of a node");
    assertEquals([clientCount(this.server), this.trace.of("warning")], [0, []]);
  }
}

/** Runs `fn` with nodes that are strangers to each other, and ends them. */
export async function withThree<S extends Station>(
  make: () => S,
  fn: (alice: S, bob: S, carol: S) => Promise<void>,
): Promise<void> {
  const stations = [make(), make(), make()] as const;
  try {
    await fn(...stations);
  } finally {
    for (const station of stations) await station.close();
  }
}

/** Where a caller is: that is how it is listed, and nobody listens there, nor can anybody else take it meanwhile. */
export const portOf = ({ conn }: Peer): number => (conn.localAddr as Deno.NetAddr).port;
