// The file server: each client's requests one after the other, all clients at once, and no more of a file in memory than
// two blocks.

import { BlockPool } from "../../net/block_pool.ts";
import type { Channel } from "../../net/channel.ts";
import { Server, type Session } from "../../net/server.ts";
import type { Framer } from "../../protocol/framing.ts";
import { makeServerFramer } from "../../protocol/auto_framing.ts";
import { count } from "../../protocol/text.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { FileRefused, Folder, type OpenFile } from "../folder.ts";
import { describeSystemError } from "../../net/errors.ts";
import { badReply, errorReply, textCodec } from "../text.ts";
import { Digests, markOf } from "./digests.ts";
import { MAX_REQUEST, parseRequest, reply, type Request } from "./protocol.ts";

/** What the sessions of one server share. */
interface Desk {
  readonly context: ServeContext;
  readonly folder: Folder;
  readonly digests: Digests;
  readonly blocks: BlockPool;
}

/** Starts a file server. */
export function serveFiles(context: ServeContext): RunningServer {
  const { limits, options, trace, wire } = context;
  const folder = new Folder(String(options.dir ?? "."));
  const desk: Desk = { context, folder, digests: new Digests(), blocks: new BlockPool() };
  return new Server<string, string>({
    listen: context,
    limits,
    trace,
    codec: textCodec,
    makeFramer: (onDecided) =>
      makeServerFramer(wire, { maxBytes: MAX_REQUEST, lengths: false, isComplete: () => true, onDecided }),
    farewells: {
      refuse: errorReply,
      bad: (error, framer) => asLine(badReply(error).replace(/^ERROR /, "ERROR 400 "), framer),
    },
    session: (channel) => new Visit(channel, desk),
  });
}

/** A line, however the client frames: what follows it has to be told from it. */
function asLine(line: string, { tailBytes }: Framer): string {
  return tailBytes === 0 ? `${line}\n` : line;
}

/** One client. */
class Visit implements Session<string> {
  readonly #channel: Channel<string>;
  readonly #desk: Desk;

  constructor(channel: Channel<string>, desk: Desk) {
    this.#channel = channel;
    this.#desk = desk;
  }

  async onMessage(line: string): Promise<void> {
    const request = parseRequest(line);
    try {
      await this.#answer(request);
    } catch (error) {
      if (this.#channel.ending) return;
      const { code, message } = error instanceof FileRefused
        ? error
        : { code: 500, message: "the file cannot be read" };
      const bare = request.type === "bare";
      if (bare) this.#channel.sendStart(reply.bareError(code, message));
      else this.#say(reply.error(code, message));
      if (bare) void this.#channel.because(message).close();
    }
  }

  onEnd(): void {}

  async #answer(request: Request): Promise<void> {
    switch (request.type) {
      case "list":
        return await this.#list();
      case "stat": {
        using open = await this.#open(request.name);
        return void this.#say(reply.file(open.info.size, await this.#digest(open)));
      }
      case "get": {
        using open = await this.#openEither(request);
        return await this.#send(open, open.offset);
      }
      case "bare": {
        using open = await this.#open(request.name);
        await this.#pour(open, request.name, 0);
        await this.#channel.because("sent").close();
      }
    }
  }

  async #list(): Promise<void> {
    const entries = await this.#desk.folder.list();
    this.#say(reply.count(entries.length));
    for (const { name, size } of entries) {
      // A long list waits for its reader, as a file does.
      if (this.#channel.queuedBytes > this.#channel.queueBytes / 2) await this.#channel.flushed();
      if (!this.#say(reply.entry(size, name))) return;
    }
  }

  #say(line: string): boolean {
    return this.#channel.send(asLine(line, this.#channel.framer));
  }

  async #open(name: string): Promise<OpenFile & Disposable> {
    const open = await this.#desk.folder.open(name);
    return { ...open, [Symbol.dispose]: () => open.file.close() };
  }

  /** With the number at the end of the line as an offset, or, where there is no such file, as a part of the name. */
  async #openEither({ name, offset, whole }: Request & { type: "get" }) {
    if (offset === null) return Object.assign(await this.#open(name), { offset: 0, name });
    try {
      return Object.assign(await this.#open(name), { offset, name });
    } catch (error) {
      try {
        return Object.assign(await this.#open(whole), { offset: 0, name: whole });
      } catch {
        throw error;
      }
    }
  }

  #digest(open: OpenFile): Promise<string> {
    return this.#desk.digests.of(open, () => !this.#channel.ending);
  }

  async #send(open: OpenFile & { readonly name: string }, offset: number): Promise<void> {
    const { size } = open.info;
    if (offset > size) throw new FileRefused(400, `offset ${offset} is behind the end: ${open.name} has ${size} bytes`);
    const digest = await this.#digest(open);
    if (!this.#say(reply.file(size - offset, digest))) return;
    await this.#pour(open, open.name, offset);
  }

  /** Sends a file's bytes. What shows that they are not what was promised ends the connection. */
  async #pour({ file, info }: OpenFile, name: string, offset: number): Promise<void> {
    const begun = performance.now();
    const bytes = info.size - offset;
    if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
    let written = 0;
    let why: string | null = null;
    try {
      written = await this.#channel.pour((into) => file.read(into), bytes, this.#desk.blocks);
      if (markOf(await file.stat()) !== markOf(info)) why = `${name} was changed while it was sent`;
      else if (written < bytes) why = `${written} of ${bytes} bytes`;
    } catch (error) {
      // In the midst of content there is no place for words.
      why = describeSystemError(error);
    }
    const { id } = this.#channel;
    const { trace } = this.#desk.context;
    if (trace.wants.message && bytes > 0) {
      trace.emit({ type: "message", id, direction: "out", text: count(written, "byte") });
    }
    this.#report(name, written, begun, why && (this.#channel.reason ?? why));
    if (why !== null) this.#channel.abort(why);
  }

  #report(name: string, bytes: number, begun: number, failure: string | null): void {
    const to = this.#channel.remote;
    const seconds = (performance.now() - begun) / 1000;
    const text = failure === null
      ? `sent ${name} to ${to}: ${count(bytes, "byte")}, ${seconds.toFixed(2)} s`
      : `not sent: ${name} to ${to}: ${failure}`;
    const event = { event: failure === null ? "sent" : "failed", name, to, bytes, seconds, failure };
    this.#desk.context.console.print(text, event);
  }
}
