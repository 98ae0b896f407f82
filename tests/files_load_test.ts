// The file server under load: hundreds of clients at once, every byte right, and little memory.

import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { temporaryFolder } from "./chat_helpers.ts";
import { NETLAB, Program } from "./cli_helpers.ts";
import { bytes, skipIf, test, within } from "./helpers.ts";

const MB = 1_000_000;
const CLIENTS = 500;
const linux = skipIf(Deno.build.os === "linux" ? null : "only Linux shows a process's memory under /proc");

/** `netlab serve files` as a process of its own, whose memory can be looked at. */
class Served implements AsyncDisposable {
  readonly #program: Program;
  readonly port: number;
  readonly #pid: number;

  private constructor(program: Program, pid: number, port: number) {
    this.#program = program;
    this.#pid = pid;
    this.port = port;
  }

  static async start(dir: string): Promise<Served> {
    // The shell says its own number, and becomes the server.
    const command = ["sh", "-c", 'echo $$; exec "$@"', "sh", ...NETLAB];
    const words = ["serve", "files", "--host", "127.0.0.1", "--port", "0", "--dir", dir, "--quiet"];
    const program = new Program(words, { command });
    const pid = Number(await program.out.line());
    return new Served(program, pid, Number(/:(\d+)/.exec(await program.out.line())![1]));
  }

  /** A figure of /proc, in bytes: `VmRSS` is what it holds, `VmHWM` the most that it ever held. */
  async memory(field: "VmRSS" | "VmHWM"): Promise<number> {
    const { stdout } = await new Deno.Command("cat", { args: [`/proc/${this.#pid}/status`] }).output();
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(new TextDecoder().decode(stdout))?.[1];
    return Number(kilobytes) * 1024;
  }

  /** Asks for a file; what comes is read by `Download`. */
  async ask(request: string): Promise<Download> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await conn.write(bytes(`${request}\n`));
    return new Download(conn);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** One file on its way, compared with what it has to be as it comes. */
class Download implements Disposable {
  readonly conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** The line that says size and digest. */
  async status(): Promise<string> {
    let line = "";
    const byte = new Uint8Array(1);
    while (await this.conn.read(byte) !== null && byte[0] !== 0x0a) line += String.fromCharCode(byte[0]);
    return line;
  }

  /** Asserts that exactly `content` comes. @param buffer where it comes to; it may be everybody's, as nothing is kept */
  async compare(content: Uint8Array, buffer = new Uint8Array(65_536)): Promise<void> {
    for (let at = 0; at < content.length;) {
      const count = await this.conn.read(buffer.subarray(0, Math.min(buffer.length, content.length - at)));
      assert(count !== null, `the end came after ${at} bytes`);
      const same = Buffer.compare(buffer.subarray(0, count), content.subarray(at, at + count)) === 0;
      assert(same, `wrong bytes between ${at} and ${at + count}`);
      at += count;
    }
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** A folder with one file of so many bytes, no two places of which are alike. */
function folderWith(size: number): { dir: string; content: Uint8Array; ok: string } {
  const dir = temporaryFolder();
  const content = new Uint8Array(Uint32Array.from({ length: size / 4 }, (_, i) => (i * 2_654_435_761) >>> 0).buffer);
  Deno.writeFileSync(`${dir}/file`, content);
  return { dir, content, ok: `OK ${size} ${createHash("sha256").update(content).digest("hex")}` };
}

test("500 clients at once fetch a file of 10 MB: every byte and digest is right, and memory stays flat", async () => {
  const { dir, content, ok } = folderWith(10 * MB);
  await using served = await Served.start(dir);
  // A few at first: what the server needs anyhow is there then.
  const fetchAll = async (count: number) => {
    const downloads = await Promise.all(Array.from({ length: count }, () => served.ask("GET file")));
    await Promise.all(downloads.map(async (download) => {
      using one = download;
      assertEquals(await one.status(), ok);
      await one.compare(content);
    }));
  };
  await fetchAll(10);
  const before = await served.memory("VmRSS");
  await fetchAll(CLIENTS);
  const growth = await served.memory("VmHWM") - before;
  console.log(
    `the server held ${Math.round((before + growth) / MB)} MB at most, ${Math.round(growth / MB)} MB for 500`,
  );
  // At most 64 MiB in blocks, and whatever else a client takes: far from 500 files.
  assertLess(growth, 150 * MB);
}, linux);

test("200 clients that ask and do not read take little memory, and nobody waits for them", async () => {
  const { dir, content, ok } = folderWith(40 * MB);
  await using served = await Served.start(dir);
  using first = await served.ask("GET file");
  assertEquals(await first.status(), ok);
  await first.compare(content);
  const before = await served.memory("VmRSS");
  const slow = await Promise.all(Array.from({ length: 200 }, () => served.ask("GET file")));
  for (const download of slow) assertEquals(await download.status(), ok);
  using quick = await served.ask("GET file");
  assertEquals(await quick.status(), ok);
  await within(quick.compare(content), "the one that reads", 10_000);
  assertLess(await served.memory("VmHWM") - before, 150 * MB);
  // One of those who waited gets all of it, once it reads; the others are gone in the middle.
  await slow[100].compare(content);
  for (const { conn } of slow) conn.close();
  using last = await served.ask("STAT file");
  assertEquals(await last.status(), ok);
}, linux);

test("100 clients that come, ask and vanish leave nothing behind", async () => {
  const { dir, content, ok } = folderWith(4 * MB);
  await using served = await Served.start(dir);
  let before = 0;
  for (let round = 0; round < 5; round++) {
    const downloads = await Promise.all(Array.from({ length: 100 }, () => served.ask("GET file")));
    for (const download of downloads) assertEquals(await download.status(), ok);
    for (const { conn } of downloads) conn.close();
    using after = await served.ask("GET file");
    await after.status();
    await after.compare(content);
    if (round === 1) before = await served.memory("VmHWM");
  }
  assertLess(await served.memory("VmHWM") - before, 80 * MB);
}, linux);
