// What the chat tests share: a server in this process, clients of every framing, a console without a person, and the
// reset that Deno has no call for. Nothing here sleeps: everything waits for a message, an end, or a trace event.

import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { serveChat } from "../lib/exercises/chat/server.ts";
import { textCodec } from "../lib/exercises/text.ts";
import type { Codec } from "../lib/protocol/codec.ts";
import type {
  ConnectContext,
  Console,
  Exercise,
  Explanation,
  Notation,
  RunningServer,
  ServeContext,
} from "../lib/exercises/exercise.ts";
import { TypedLines } from "../lib/grade/typed_lines.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { type Framer, makeFramer, wrap } from "../lib/protocol/framing.ts";
import { encodeText, escapeText } from "../lib/protocol/text.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { NO_TRACE } from "../lib/protocol/trace.ts";
import { collect, type Collected, eventually, Peer, skipIf, type TestOptions, within } from "./helpers.ts";

/** A console without a person: what it is told is kept, and lines come when the test types them. */
export class FakeConsole extends TypedLines implements Console {
  readonly interactive: boolean;
  readonly printed: string[] = [];
  readonly events: Readonly<Record<string, unknown>>[] = [];
  readonly notes: string[] = [];
  /** What Tab would offer. */
  complete: (line: string) => readonly string[] = () => [];
  #shown: (() => void)[] = [];

  /** @param script all lines there will ever be; without it, lines are typed as the test goes on */
  constructor(script?: readonly string[], interactive = false) {
    super(script);
    this.interactive = interactive;
  }

  print(text: string | readonly string[], event: Readonly<Record<string, unknown>> = {}): void {
    this.printed.push(...typeof text === "string" ? [text] : text);
    this.events.push(event);
    this.#changed();
  }

  note(text: string): void {
    this.notes.push(text);
    this.#changed();
  }

  status(): void {}

  completeWith(candidates: (line: string) => readonly string[]): void {
    this.complete = candidates;
  }

  /** Resolves when a line that contains `part` has been printed or noted. */
  async shows(part: string): Promise<void> {
    const shown = () => [...this.printed, ...this.notes].some((text) => text.includes(part));
    while (!shown()) {
      const next = new Promise<void>((resolve) => this.#shown.push(resolve));
      await within(next, `"${part}"; shown were ${JSON.stringify(this.printed)}`);
    }
  }

  #changed(): void {
    for (const resolve of this.#shown.splice(0)) resolve();
  }
}

/**
 * Waits for the end of a client that runs a script.
 *
 * @param refusals how often the server answers it with ERROR: then the script has failed
 */
export async function endOfScript(running: Promise<void>, refusals = 0): Promise<void> {
  const message = await within(
    running.then(() => null, (error) => {
      if (error instanceof NetlabError && error.kind === "reply") return error.message;
      throw error;
    }),
    "the end of the client",
  );
  assertEquals(
    message,
    refusals === 0 ? null : refusals === 1 ? "an answer was ERROR" : `${refusals} answers were ERROR`,
  );
}

const folders: string[] = [];

/** A folder that is there until the tests of this file have ended. */
export function temporaryFolder(): string {
  if (folders.length === 0) {
    addEventListener("unload", () => folders.forEach((folder) => Deno.removeSync(folder, { recursive: true })));
  }
  const folder = Deno.makeTempDirSync({ prefix: "netlab-test-" });
  folders.push(folder);
  return folder;
}

/** What a server of `exercise` on a free loopback port starts with. */
export function serveContext(
  exercise: Pick<Exercise, "transports"> & Partial<Pick<Exercise, "serveOptions">> & { readonly explain?: Explanation },
  changes: Partial<ServeContext> = {},
): ServeContext {
  const folders = exercise.serveOptions?.filter(({ value }) => value === "DIR").map(({ name }) => name) ?? [];
  const dir = folders.length > 0 ? temporaryFolder() : null;
  for (const [name, text] of Object.entries(exercise.explain?.samples ?? {})) {
    Deno.writeTextFileSync(`${dir}/${name}`, text);
  }
  return {
    host: "127.0.0.1",
    port: 0,
    transport: exercise.transports[0],
    wire: "auto",
    limits: {},
    trace: NO_TRACE,
    options: Object.fromEntries(folders.map((name) => [name, dir!])),
    console: new FakeConsole([]),
    stop() {},
    ...changes,
  };
}

/** Runs `fn` with the port of a server, and ends that. */
export async function serving<T>(
  starting: RunningServer | Promise<RunningServer>,
  fn: (port: number) => Promise<T>,
): Promise<T> {
  const server = await starting;
  try {
    return await fn(server.address.port);
  } finally {
    server.abort();
    await within(server.finished, "the end of the server");
  }
}

/** Clients of a test, closed at its end. */
export class Guests {
  readonly #port: number;
  readonly #open: { close(): void }[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  keep<C extends { close(): void }>(client: C): C {
    this.#open.push(client);
    return client;
  }

  /** One that frames with `wire`. */
  async join(wire: string): Promise<ChatClient> {
    return this.keep(await ChatClient.connect(this.#port, wire));
  }

  /** One that is only bytes. */
  async peer(): Promise<Peer> {
    return this.keep(await Peer.connect({ hostname: "127.0.0.1", port: this.#port }));
  }

  [Symbol.dispose](): void {
    for (const client of this.#open) client.close();
  }
}

/** What a chat client for the server at `port` starts with. */
export function connectContext(port: number, console: Console, changes: Partial<ConnectContext> = {}): ConnectContext {
  return {
    host: "127.0.0.1",
    port,
    transport: "tcp",
    wire: "len4",
    trace: NO_TRACE,
    options: {},
    args: [],
    console,
    ...changes,
  };
}

/** Connections of a server that tells; undefined where it does not. */
export function clientCount(server: RunningServer): number | undefined {
  return (server as RunningServer & { clientCount?: number }).clientCount;
}

/** A chat server that runs in this process, with everybody who was connected to it here. */
export class ChatRoom {
  readonly server: RunningServer;
  readonly trace: Collected;
  readonly #guests: Guests;

  constructor(changes: Partial<ServeContext>, kinds: Parameters<typeof collect>[0]) {
    this.trace = collect(kinds);
    this.server = serveChat(serveContext({ transports: ["tcp"] }, { trace: this.trace, ...changes }));
    this.#guests = new Guests(this.port);
  }

  get port(): number {
    return this.server.address.port;
  }

  get clientCount(): number {
    return clientCount(this.server)!;
  }

  /** Connects a client that frames with `wire`. */
  join(wire = "len4"): Promise<ChatClient> {
    return this.#guests.join(wire);
  }

  /** Connects clients that have the names. */
  async named(...names: string[]): Promise<ChatClient[]> {
    const clients: ChatClient[] = [];
    for (const name of names) {
      const client = await this.join();
      assertEquals(await client.ask(`NAME ${name}`), `HELLO ${name}`);
      clients.push(client);
    }
    return clients;
  }

  /** Resolves when `count` connections have been closed since the start, and nobody is left. */
  async emptied(count: number): Promise<void> {
    await this.trace.until(`${count} closed connections`, () => this.trace.of("close").length >= count);
    await eventually("the server to forget them", () => this.clientCount === 0);
  }

  async close(): Promise<void> {
    this.#guests[Symbol.dispose]();
    this.server.abort();
    await within(this.server.finished, "the end of the server");
  }
}

/** Runs `fn` with a chat server, which it need not end. */
export async function withChat(
  fn: (room: ChatRoom) => Promise<void>,
  changes: Partial<ServeContext> = {},
  kinds: Parameters<typeof collect>[0] = ["open", "close", "note", "label", "warning"],
): Promise<void> {
  const room = new ChatRoom(changes, kinds);
  try {
    await fn(room);
  } finally {
    await room.close();
  }
}

/** A client as a student's: frames out, frames in, strictly UTF-8. */
export class ChatClient {
  readonly wire: string;
  readonly conn: Deno.TcpConn;
  readonly #framer: Framer;
  readonly #codec: Codec<string>;
  readonly #queue = new ByteQueue();
  #open = true;

  constructor(conn: Deno.TcpConn, wire: string, notation?: Notation) {
    this.conn = conn;
    this.wire = wire;
    this.#framer = notation?.makeFramer("tcp") ?? makeFramer(wire, 1_048_576)!;
    this.#codec = notation?.codec ?? textCodec;
  }

  /** @param notation how messages are written that are no text */
  static async connect(port: number, wire: string, notation?: Notation): Promise<ChatClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new ChatClient(conn, wire, notation);
  }

  /** `text` as a frame. */
  frame(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
    const body = typeof text === "string" ? this.#codec.encode(text) : text;
    return wrap(this.#framer, typeof body === "string" ? encodeText(body) : body);
  }

  /** Sends messages in one write. */
  async send(...texts: (string | Uint8Array)[]): Promise<void> {
    await this.sendBytes(...texts.map((text) => this.frame(text)));
  }

  /** Sends what may be no frame. */
  async sendBytes(...parts: (string | number | Uint8Array)[]): Promise<void> {
    await new Peer(this.conn).send(...parts);
  }

  /** The next message, or null at the end of the stream. */
  async next(): Promise<string | null> {
    for (;;) {
      const frame = this.#framer.cut(this.#queue);
      if (frame) return this.#codec.decode(frame);
      const count = await within(this.conn.read(this.#queue.space(65_536)), "a message from the server");
      if (count === null) {
        assertEquals(this.#queue.length, 0, "the stream ended inside a message");
        return null;
      }
      this.#queue.commit(count);
    }
  }

  /** The next message. */
  async receive(): Promise<string> {
    const text = await this.next();
    assert(text !== null, "the server ended the connection");
    return text;
  }

  async ask(text: string | Uint8Array): Promise<string> {
    await this.send(text);
    return await this.receive();
  }

  /** Asserts that exactly these come. That no more do is found by asking for what comes after them. */
  async got(...expected: string[]): Promise<void> {
    const received: string[] = [];
    while (received.length < expected.length) received.push(await this.receive());
    await this.send("FENCE");
    for (let text; !(text = await this.receive()).startsWith("ERROR unknown command: FENCE");) received.push(text);
    assertEquals(received.map(escapeText), expected);
  }

  /** Asserts that the server has ended the connection and said nothing more. */
  async ended(): Promise<void> {
    assertEquals(await this.next(), null);
  }

  close(): void {
    if (this.#open) this.conn.close();
    this.#open = false;
  }
}

/** A socket of a test's that can be cut. */
export type Resettable = net.Socket & { resetAndDestroy?(): void };

/** Tests that reset connections run where Deno has a call for it: `Deno.TcpConn` has none, and `node:net` not for long. */
export const canReset: TestOptions = skipIf(
  "resetAndDestroy" in net.Socket.prototype ? null : "this Deno cannot reset a connection (net.Socket.resetAndDestroy)",
);

/**
 * Connects, sends bytes, and is gone without an end of stream.
 *
 * @param until before it goes it waits for so many bytes, or for this. Without, it may be gone before it is accepted: then
 * the server may never hear of it.
 * @returns the address it came from
 */
export async function sendAndReset(
  port: number,
  sent: Uint8Array,
  until: number | (() => Promise<unknown>) = 0,
): Promise<string> {
  const answerBytes = typeof until === "number" ? until : 0;
  const socket: Resettable = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  const from = `127.0.0.1:${socket.localPort}`;
  let received = 0;
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => (received += chunk.length) >= answerBytes && resolve());
    if (answerBytes === 0) resolve();
  });
  if (sent.length > 0) await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
  await within(answered, "the answer");
  if (typeof until !== "number") await until();
  socket.resetAndDestroy!();
  await closed;
  return from;
}

/** A server for a test: takes connections one after the other and gives each to `serve`, until the test is done. */
export async function withListener(
  serve: (conn: Deno.TcpConn) => Promise<void>,
  fn: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.TcpConn[] = [];
  const sessions: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      sessions.push(serve(conn).catch(() => {}).finally(() => closeQuietly(conn)));
    }
  })();
  try {
    await fn((listener.addr as Deno.NetAddr).port);
  } finally {
    listener.close();
    await accepting;
    conns.forEach(closeQuietly);
    await Promise.all(sessions);
  }
}

export function closeQuietly(conn: { close(): void }): void {
  try {
    conn.close();
  } catch { /* it is closed already */ }
}
