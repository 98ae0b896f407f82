// The client of the file server: `list`, `stat NAME`, `get NAME…`, from the command line, a prompt, or a script.

import { createHash, type Hash } from "node:crypto";
import { format as formatBytes } from "@std/fmt/bytes";
import { Channel } from "../../net/channel.ts";
import { connectTcp } from "../../net/client.ts";
import { outlasts } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import { type Framer, LineFramer } from "../../protocol/framing.ts";
import { decodeLossy, hasUnsafe } from "../../protocol/text.ts";
import { completeLine, describeForms, findForm, splitWord } from "../commands.ts";
import type { ConnectContext, Console } from "../exercise.ts";
import { fileNameProblem } from "../names.ts";
import { FORMS, parseEntry, parseReply } from "./protocol.ts";

/** How many files are fetched at once. */
const AT_ONCE = 4;
/** How long the server may be silent before it has answered, and between two pieces of content, in ms. */
const ANSWER_MS = 60_000;
const PROGRESS_MS = 100;
const MAX_LINE = 4096;

/** Does what the command line says, or what is typed. @throws {NetlabError} when something could not be had */
export async function connectFiles(context: ConnectContext): Promise<void> {
  const { args, console } = context;
  if (args.length > 0) return await run(context, args[0], args.slice(1));
  const names = new Set<string>();
  console.completeWith((line) => complete(line, names));
  console.note(`files at ${formatHostPort(context.host, context.port)}: ${FORMS.map(({ word }) => word).join(", ")}`);
  let failed = 0;
  for await (const line of console.lines("> ")) {
    if (line.trim() === "") continue;
    const [word, rest] = splitWord(line);
    try {
      if (!await obey(context, word, rest, names)) break;
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      failed++;
      console.print(error.message, { event: "error", text: error.message });
    }
  }
  if (failed > 0 && !console.interactive) throw new NetlabError("reply", `${failed} of the script's lines failed`);
}

/** As `completeLine`, but that names may have spaces. */
function complete(line: string, names: ReadonlySet<string>): string[] {
  const [, command, begun] = /^(\S+) (.*)$/s.exec(line) ?? [];
  if (command === undefined) return completeLine(FORMS, line);
  if (!findForm(FORMS, command)?.form.includes("<name")) return [];
  return [...names].filter((name) => name.startsWith(begun)).map((name) => `${command} ${name} `);
}

/** @returns false when that was the end */
async function obey(context: ConnectContext, word: string, rest: string, names: Set<string>): Promise<boolean> {
  const form = findForm(FORMS, word);
  if (form === undefined) {
    throw new NetlabError("usage", `no such command: ${word} (${FORMS.map((one) => one.word).join(", ")})`);
  }
  if (form.word === "exit") return false;
  if (form.word === "help") { for (const row of describeForms(FORMS)) context.console.print(row); }
  else if (form.word === "list") { for (const name of await list(context)) if (!hasUnsafe(name)) names.add(name); }
  else if (rest === "") throw new NetlabError("usage", `${form.word} what? ${form.form}`);
  else await run(context, form.word, [rest.trim()]);
  return true;
}

async function run(context: ConnectContext, word: string, names: readonly string[]): Promise<void> {
  if (word === "list") await list(context);
  else if (word === "stat") await stat(context, names[0]);
  else await getAll(context, names);
}

/** Shows what there is. @returns the names */
async function list(context: ConnectContext): Promise<string[]> {
  const { console } = context;
  await using visit = await Visit.open(context);
  const counted = await visit.ask("LIST");
  if (counted.type !== "count") throw visit.unexpected();
  const entries = [];
  for (let i = 0; i < counted.count; i++) {
    const entry = parseEntry(await visit.line());
    if (entry === null) throw visit.unexpected();
    entries.push({ ...entry, human: formatSize(entry.size) });
  }
  const width = entries.reduce((most, { human }) => Math.max(most, human.length), 0);
  for (const { size, name, human } of entries) {
    console.print(`${human.padStart(width)}  ${name}`, { event: "file", name, size });
  }
  if (entries.length === 0) console.note("there are no files");
  return entries.map(({ name }) => name);
}

async function stat(context: ConnectContext, name: string): Promise<void> {
  await using visit = await Visit.open(context);
  const { type, size, digest } = { size: 0, digest: "", ...await visit.ask(`STAT ${name}`) };
  if (type !== "file") throw visit.unexpected();
  context.console.print([`${name}: ${size} bytes (${formatSize(size)})`, `  sha-256 ${digest}`], {
    ...{ event: "stat", name, size, sha256: digest },
  });
}

/** Fetches files, several at once. @throws {NetlabError} when one of them could not be had */
async function getAll(context: ConnectContext, words: readonly string[]): Promise<void> {
  const { options, console } = context;
  const names = [...new Set(words.filter((word) => word !== "-"))];
  const out = words.includes("-") ? "-" : String(options.out ?? ".");
  if (names.length === 0) throw new NetlabError("usage", "get what?");
  if (out === "-" && names.length > 1) throw new NetlabError("usage", "standard output takes one file");
  const progress = new Progress(console);
  const waiting = [...names];
  const failures: NetlabError[] = [];
  const worker = async () => {
    for (let name; (name = waiting.shift()) !== undefined;) {
      try {
        await get(context, name, out, progress);
      } catch (error) {
        if (!(error instanceof NetlabError)) throw error;
        failures.push(error);
        if (names.length > 1) {
          console.print(`${name}: ${error.message}`, { event: "failed", name, failure: error.message });
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, worker));
  } finally {
    progress.stop();
  }
  if (failures.length === 0) return;
  if (names.length === 1) throw failures[0];
  throw new NetlabError("reply", `${failures.length} of ${names.length} files could not be had`);
}

/** Fetches one file, or what is missing of it. */
async function get(context: ConnectContext, name: string, out: string, progress: Progress): Promise<void> {
  const { console, options } = context;
  const begun = performance.now();
  await using visit = await Visit.open(context);
  using target = out === "-" ? new StandardOutput(console) : new PartialFile(out, name, options.overwrite === true);
  const report = (bytes: number, text: string) => {
    const seconds = (performance.now() - begun) / 1000;
    if (out === "-") console.note(text);
    else console.print(text, { event: "got", name, bytes, size: target.size, seconds, path: target.path });
  };
  let bytes = await fetch(visit, name, target, progress);
  if (bytes === "present") return report(0, `${name}: it is here already, and the same`);
  if (!target.isRight() && bytes < target.size) {
    console.note(`${name}: what was here is the beginning of another file; it is fetched anew`);
    target.restart();
    bytes = await fetch(visit, name, target, progress) as number;
  }
  if (!target.isRight()) {
    throw new NetlabError("protocol", `${name}: the digest is wrong: what came is not what was sent`);
  }
  target.complete();
  const seconds = (performance.now() - begun) / 1000;
  const rate = formatSize(bytes / Math.max(seconds, 1e-3));
  report(bytes, `got ${name}: ${bytes} bytes, ${seconds.toFixed(2)} s, ${rate}/s, digest right`);
}

/** Fetches what `target` does not have. @returns how many bytes came, or that it needs none */
async function fetch(visit: Visit, name: string, target: Target, progress: Progress): Promise<number | "present"> {
  let offset = target.size;
  let reply = await visit.ask(`GET ${name} ${offset}`, offset > 0);
  if (reply.type === "error") {
    if (!/^ERROR 400\b/i.test(reply.text)) throw new NetlabError("reply", `the server says: ${reply.text}`);
    // What is here is longer than the file there: it cannot be its beginning.
    target.restart();
    offset = 0;
    reply = await visit.ask(`GET ${name} 0`);
  }
  if (reply.type !== "file") throw visit.unexpected();
  if (target.expect(reply.digest)) return "present";
  const file = progress.begin(name, reply.size);
  await visit.body(reply.size, async (bytes) => {
    await target.write(bytes);
    file.add(bytes.length);
  });
  file.end();
  return reply.size;
}

/** Where a file goes. */
interface Target extends Disposable {
  readonly path: string;
  /** Bytes that are there. */
  readonly size: number;
  /** Told what the digest has to be. @returns true when the file is there already, whole */
  expect(digest: string): boolean;
  write(bytes: Uint8Array): void | Promise<void>;
  isRight(): boolean;
  restart(): void;
  complete(): void;
}

/** What the name of a file ends with that is not whole: no other file's does. */
const PARTIAL = ".netlab-part";

/** A file on the disk: `NAME.netlab-part` until it is whole. */
class PartialFile implements Target {
  readonly path: string;
  readonly #part: string;
  readonly #overwrite: boolean;
  readonly #file: Deno.FsFile;
  #hash: Hash = createHash("sha256");
  #size = 0;
  #digest = "";

  constructor(dir: string, name: string, overwrite: boolean) {
    const problem = name.endsWith(PARTIAL) ? `it ends with ${PARTIAL}` : fileNameProblem(name);
    if (problem !== null) throw new NetlabError("usage", `cannot keep a file of that name here: ${problem}`);
    this.path = `${dir}/${name}`;
    this.#part = this.path + PARTIAL;
    this.#overwrite = overwrite;
    this.#file = this.#try(() => Deno.openSync(this.#part, { read: true, write: true, create: true }));
    const block = new Uint8Array(262_144);
    for (let count; (count = this.#file.readSync(block)) !== null; this.#size += count) {
      this.#hash.update(block.subarray(0, count));
    }
  }

  get size(): number {
    return this.#size;
  }

  expect(digest: string): boolean {
    this.#digest = digest;
    if (!exists(this.path)) return false;
    if (digestOf(this.path) === digest) return true;
    if (this.#overwrite) return false;
    throw new NetlabError("usage", `${this.path} is another file`, { hint: "--overwrite replaces it" });
  }

  write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let left = bytes; left.length > 0;) left = left.subarray(this.#file.writeSync(left));
    });
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  isRight(): boolean {
    return this.#hash.copy().digest("hex") === this.#digest;
  }

  restart(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#hash = createHash("sha256");
    this.#size = 0;
  }

  complete(): void {
    this.#try(() => Deno.renameSync(this.#part, this.path));
  }

  [Symbol.dispose](): void {
    this.#file.close();
    // What was interrupted is gone on with next time; what never began leaves nothing.
    if (this.#size === 0 && exists(this.#part)) Deno.removeSync(this.#part);
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const why = (cause as Error).message.replace(/ \(os error .*/s, "");
      throw new NetlabError("harness", `cannot write ${this.path}: ${why}`, { cause });
    }
  }
}

/** Standard output: nothing can be resumed, and nothing taken back. */
class StandardOutput implements Target {
  readonly path = "-";
  readonly size = 0;
  readonly #hash = createHash("sha256");
  readonly #console: Console;
  #digest = "";
  #came = 0;

  constructor(console: Console) {
    this.#console = console;
  }

  expect(digest: string): boolean {
    this.#digest = digest;
    return false;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#came += bytes.length;
    await this.#console.write?.(bytes);
  }

  isRight(): boolean {
    return this.#hash.copy().digest("hex") === this.#digest;
  }

  restart(): void {
    throw new NetlabError(
      "protocol",
      `the digest is wrong: the ${this.#came} bytes on standard output are not the file`,
    );
  }

  complete(): void {}
  [Symbol.dispose](): void {}
}

/** What comes: a line, or a piece of content. */
type Piece = { readonly line: string } | { readonly bytes: Uint8Array };

/** Lines, and, when told so, content of a known length between them. */
class ReplyFramer implements Framer {
  readonly name = "line";
  readonly headBytes = 0;
  readonly tailBytes = 1;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  /** Bytes of content still to come. */
  left = 0;
  readonly #lines = new LineFramer(MAX_LINE);

  cut(queue: ByteQueue): Uint8Array | null {
    if (this.left === 0) return this.#lines.cut(queue);
    if (queue.length === 0) return null;
    const bytes = queue.take(Math.min(this.left, queue.length));
    this.left -= bytes.length;
    return bytes;
  }

  seal(buffer: Uint8Array, start: number, bodyBytes: number): void {
    this.#lines.seal(buffer, start, bodyBytes);
  }
}

/** A connection to the server: questions, and what comes back. */
class Visit implements AsyncDisposable {
  readonly #framer = new ReplyFramer();
  readonly #channel: Channel<Piece, string>;
  #last = "";

  private constructor(conn: Deno.Conn, { trace }: ConnectContext) {
    const framer = this.#framer;
    const codec: Codec<Piece, string> = {
      // Whether it is content was decided when it was cut.
      decode: (frame) => this.#inBody ? { bytes: frame } : { line: decodeLossy(frame) },
      encode: (text) => text,
      describe: (frame) => this.#inBody ? `${frame.length} bytes` : decodeLossy(frame),
    };
    this.#channel = new Channel(conn, { framer, codec, trace });
  }

  #inBody = false;

  static async open(context: ConnectContext): Promise<Visit> {
    return new Visit(await connectTcp(context.host, context.port) as Deno.Conn, context);
  }

  /**
   * Sends a request.
   *
   * @param allowError returns the server's refusal in place of throwing it
   */
  async ask(request: string, allowError = false): Promise<NonNullable<ReturnType<typeof parseReply>>> {
    this.#channel.send(request);
    const reply = parseReply(await this.line());
    if (reply === null) throw this.unexpected();
    if (reply.type === "error" && !allowError) throw new NetlabError("reply", `the server says: ${reply.text}`);
    return reply;
  }

  async line(): Promise<string> {
    const piece = await this.#next();
    if (!("line" in piece)) throw this.unexpected();
    return this.#last = piece.line;
  }

  /** Takes exactly so many bytes. */
  async body(size: number, onBytes: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    this.#framer.left = size;
    this.#inBody = size > 0;
    for (let left = size; left > 0;) {
      const piece = await this.#next();
      if (!("bytes" in piece)) throw this.unexpected();
      left -= piece.bytes.length;
      await onBytes(piece.bytes);
    }
    this.#inBody = false;
  }

  unexpected(): NetlabError {
    return new ProtocolError(`the server answers "${this.#last}"`, { hint: "is it a file server of this kind?" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.abort("done");
    await this.#channel.close();
  }

  async #next(): Promise<Piece> {
    const receiving = this.#channel.receive();
    if (await outlasts(receiving, ANSWER_MS)) {
      this.#channel.abort("silent");
      throw new NetlabError("timeout", `the server has said nothing for ${ANSWER_MS / 1000} s`);
    }
    const piece = await receiving;
    if (piece !== null) return piece;
    const missing = this.#framer.left > 0 ? `, ${this.#framer.left} bytes before the end` : "";
    throw new NetlabError("transport", `the server ended the connection${missing} (${this.#channel.reason})`, {
      hint: missing ? "get it again: it goes on where it stopped" : undefined,
    });
  }
}

/** One line about all files that are under way. */
class Progress {
  readonly #console: Console;
  readonly #begun = performance.now();
  readonly #files = new Map<string, { came: number; readonly size: number }>();
  #bytes = 0;
  #shownAt = 0;

  constructor(console: Console) {
    this.#console = console;
  }

  begin(name: string, size: number) {
    const file = { came: 0, size };
    this.#files.set(name, file);
    return {
      add: (bytes: number) => {
        file.came += bytes;
        this.#bytes += bytes;
        this.#show();
      },
      end: () => void this.#files.delete(name),
    };
  }

  stop(): void {
    this.#console.status(null);
  }

  #show(): void {
    const now = performance.now();
    if (now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    const files = [...this.#files.values()];
    const sum = (pick: (file: { came: number; size: number }) => number) =>
      files.reduce((n, file) => n + pick(file), 0);
    const rate = formatSize(this.#bytes / Math.max(1e-3, (now - this.#begun) / 1000));
    this.#console.status(
      `${[...this.#files.keys()].join(", ")}  ${rate}/s`,
      sum(({ came }) => came) / sum(({ size }) => size),
    );
  }
}

function formatSize(bytes: number): string {
  return formatBytes(bytes, { maximumFractionDigits: 1 });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function digestOf(path: string): string {
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  const block = new Uint8Array(262_144);
  for (let count; (count = file.readSync(block)) !== null;) hash.update(block.subarray(0, count));
  return hash.digest("hex");
}
