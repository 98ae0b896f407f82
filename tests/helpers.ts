// What the tests share: the test function, ways to split input, waiting for what a trace shows, seeded properties, and a bare
// TCP client. Nothing here sleeps: everything waits for an event, with a limit that only a broken test reaches.

import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers/promises";
import { outlasts } from "../lib/net/clock.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import type { Framer } from "../lib/protocol/framing.ts";
import { Random } from "../lib/protocol/random.ts";
import { decodeLossy, encodeText, escapeBytes } from "../lib/protocol/text.ts";
import { type Trace, type TraceEvent, type TraceKind, wanting } from "../lib/protocol/trace.ts";

const PATIENCE_MS = 60_000;

/** Says that a test does not run here. */
export interface TestOptions {
  readonly ignore?: boolean;
  /** After how long, in ms, it must have come to its end, even on a busy machine. @default {60_000} */
  readonly limitMs?: number;
}

/** In an older Deno the write to a connection that we have closed goes on until its peer is seen to be gone, which may be later. */
const LEAVES_WRITES = /^2\.[0-8]\./.test(Deno.version.deno);

/** `Deno.test` with the leak sanitizers on (off by default since Deno 2.8) and an end to waiting. */
export function test(
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
  options: TestOptions = {},
): void {
  Deno.test({
    name,
    ignore: options.ignore ?? false,
    sanitizeOps: !LEAVES_WRITES,
    sanitizeResources: true,
    sanitizeExit: true,
    fn: (t) => within(Promise.resolve(t).then(fn), "the end of the test", options.limitMs),
  });
}

/** `promise`, or an error that says what was waited for in vain. */
export async function within<T>(promise: Promise<T>, what: string, ms = PATIENCE_MS): Promise<T> {
  if (await outlasts(promise, ms)) throw new Error(`waited ${ms / 1000} s for ${what}`);
  return promise;
}

/** Lets everything run that waits for nothing but its turn: after this, memory pipes and fakes have come to rest. */
export async function settle(): Promise<void> {
  await setImmediate();
}

/** Waits, a turn of the event loop at a time, for what gives no event of its own. */
export async function eventually(what: string, holds: () => boolean, ms = PATIENCE_MS): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await settle();
  }
}

/** For ports that are given back: at the address of all others, a test beside this one may have a port as soon as it is free. */
export const QUIET_HOST = Deno.build.os === "linux" ? "127.0.0.77" : "127.0.0.1";

/** An address at which nobody listens. */
export function deafAddress(): { host: string; port: number } {
  using listener = Deno.listen({ hostname: QUIET_HOST, port: 0 });
  return { host: QUIET_HOST, port: (listener.addr as Deno.NetAddr).port };
}

const skipped = new Set<string>();

/** For the third argument of `test`: with a reason, the test is ignored and the reason printed, once. */
export function skipIf(why: string | null): TestOptions {
  if (why !== null && !skipped.has(why)) console.log(`skipped: ${why}`);
  if (why !== null) skipped.add(why);
  return { ignore: why !== null };
}

const windows = Deno.build.os === "windows";

/** Ignores a test where `program` is not installed. */
export function skipUnless(program: string): TestOptions {
  const folders = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":");
  const found = folders.some((folder) => isFile(`${folder}/${program}${windows ? ".exe" : ""}`));
  return skipIf(found ? null : `${program} is not installed`);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Ignores a test that ends a program by a signal and looks how that goes, where a program hears of none. */
export function skipUnlessSignals(): TestOptions {
  return skipIf(windows ? "Windows has no signals between programs" : null);
}

/** Ignores a test where commands are not run by `sh`. */
export function skipUnlessSh(): TestOptions {
  return skipIf(windows ? "Windows has no sh" : null);
}

/** Ignores a test where the machine has no IPv6 loopback. */
export function skipUnlessIpv6(): TestOptions {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return skipIf(null);
  } catch {
    return skipIf("this machine has no IPv6 loopback address");
  }
}

let seed: number | null = null;

/**
 * A test of `runs` generated cases. The seed is printed; `NETLAB_TEST_SEED` repeats it.
 *
 * @param check throws when the property does not hold for what it draws from `random`
 */
export function property(name: string, runs: number, check: (random: Random) => void | Promise<void>): void {
  if (seed === null) {
    const { pathname } = new URL(Deno.mainModule);
    seed = Number(Deno.env.get("NETLAB_TEST_SEED") ?? Math.floor(Math.random() * 0x1_0000_0000));
    console.log(`${pathname.slice(pathname.lastIndexOf("/") + 1)}: NETLAB_TEST_SEED=${seed}`);
  }
  const first = seed;
  test(name, async () => {
    for (let run = 0; run < runs; run++) {
      try {
        await check(new Random(first + run));
      } catch (error) {
        throw new Error(`case ${run} of NETLAB_TEST_SEED=${first}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}

/** Bytes of text or of numbers; several are joined. */
export function bytes(...parts: (string | number | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const arrays = parts.map((part) =>
    typeof part === "string" ? encodeText(part) : typeof part === "number" ? new Uint8Array([part]) : part
  );
  const joined = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

/** One way in which a stream may arrive. */
export interface Split {
  readonly how: string;
  readonly chunks: readonly Uint8Array[];
}

/** The ways in which `frames` may arrive: a read each, all in one, byte by byte, and cut in two at every point. */
export function splits(...frames: Uint8Array[]): Split[] {
  const whole = bytes(...frames);
  const ways: Split[] = [
    { how: "whole", chunks: frames },
    { how: "coalesced", chunks: [whole] },
    { how: "byte by byte", chunks: Array.from(whole, (_, i) => whole.subarray(i, i + 1)) },
  ];
  for (let i = 1; i < whole.length; i++) {
    ways.push({ how: `split at byte ${i}`, chunks: [whole.subarray(0, i), whole.subarray(i)] });
  }
  return ways;
}

/** Asserts that `parse` makes the same of `frames` however they arrive, and returns that. */
export function everyWay<T>(frames: readonly Uint8Array[], parse: (chunks: readonly Uint8Array[]) => T): T {
  const [first, ...others] = splits(...frames);
  const expected = parse(first.chunks);
  for (const { how, chunks } of others) assertEquals(parse(chunks), expected, `not the same when ${how}`);
  return expected;
}

/** What a framer makes of a stream: a body as text, or `!` and what is wrong (`!!` when that is fatal). */
export function cutAll(framer: Framer, chunks: readonly Uint8Array[], queue: ByteQueue = new ByteQueue()): string[] {
  const cut: string[] = [];
  for (const chunk of chunks) {
    queue.push(chunk);
    for (;;) {
      const before = queue.length;
      try {
        const frame = framer.cut(queue);
        if (frame === null) break;
        assert(queue.length < before, "a frame was cut and the queue is no shorter: this would never end");
        cut.push(decodeLossy(frame));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        assertEquals(error.side, "remote");
        cut.push(`${error.fatal ? "!!" : "!"}${error.message}`);
        if (error.fatal) return cut;
        assert(queue.length < before, "an error took nothing from the queue: this would never end");
      }
    }
  }
  return cut;
}

/** A trace that keeps what it gets (bytes as escaped text) and can be waited for. */
export interface Collected extends Trace {
  readonly events: readonly Shown[];
  /** Those of one kind. */
  of(kind: TraceKind): Shown[];
  /** Resolves with the first event, past or to come, that `matches`. */
  until(what: string, matches: (event: Shown) => boolean, ms?: number): Promise<Shown>;
}

/** An event whose bytes are shown as text. */
export type Shown = { readonly type: TraceKind; readonly id?: number } & Readonly<Record<string, unknown>>;

/** Collects trace events of the given kinds (all, unless given). */
export function collect(
  kinds: readonly TraceKind[] = ["open", "close", "bytes", "message", "label", "note", "warning"],
): Collected {
  const events: Shown[] = [];
  let waiting: { matches: (event: Shown) => boolean; resolve: (event: Shown) => void }[] = [];
  return {
    wants: wanting(kinds),
    events,
    of: (kind) => events.filter((event) => event.type === kind),
    emit(event: TraceEvent) {
      assert(kinds.includes(event.type), `nobody wants ${event.type}`);
      const shown: Shown = event.type === "bytes" ? { ...event, bytes: escapeBytes(event.bytes) } : { ...event };
      events.push(shown);
      for (const { resolve } of waiting.filter(({ matches }) => matches(shown))) resolve(shown);
      waiting = waiting.filter(({ matches }) => !matches(shown));
    },
    until(what, matches, ms) {
      const past = events.find(matches);
      if (past) return Promise.resolve(past);
      return within(new Promise((resolve) => waiting.push({ matches, resolve })), what, ms);
    },
  };
}

/** A bare TCP client: what it reads is what is on the wire. */
export class Peer {
  readonly conn: Deno.TcpConn;
  #received = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async connect({ hostname, port }: { hostname: string; port: number }): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname, port }));
  }

  async send(...parts: (string | number | Uint8Array)[]): Promise<void> {
    const all = bytes(...parts);
    for (let sent = 0; sent < all.length;) sent += await this.conn.write(all.subarray(sent));
  }

  /** The next `count` bytes as text, or fewer at the end of the stream. */
  async read(count: number): Promise<string> {
    while (this.#received.length < count && await this.#more());
    return this.#take(count);
  }

  /** The next line without its LF; at the end of the stream what is left. */
  async line(): Promise<string> {
    while (!this.#received.includes(0x0a) && await this.#more());
    const end = this.#received.indexOf(0x0a);
    return this.#take(end < 0 ? this.#received.length : end + 1).replace(/\n$/, "");
  }

  /** Everything up to the end of the stream, or to a reset, which is shown as `<reset>`. */
  async rest(): Promise<string> {
    try {
      while (await this.#more());
      return this.#take(this.#received.length);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      return `${this.#take(this.#received.length)}<reset>`;
    }
  }

  close(): void {
    this.conn.close();
  }

  #take(count: number): string {
    const text = decodeLossy(this.#received.subarray(0, count));
    this.#received = this.#received.slice(count);
    return text;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await within(this.conn.read(buffer), "bytes from the peer");
    if (count !== null) this.#received = bytes(this.#received, buffer.subarray(0, count));
    return count !== null;
  }
}
