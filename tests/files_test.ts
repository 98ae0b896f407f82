// The file server: every form of request, clients of every kind, and files that change while they are sent.

import { assert, assertEquals, assertLess, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import type { ServeContext } from "../lib/exercises/exercise.ts";
import { Digests } from "../lib/exercises/files/digests.ts";
import { serveFiles } from "../lib/exercises/files/server.ts";
import type { OpenFile } from "../lib/exercises/folder.ts";
import { canReset, closeQuietly, FakeConsole, sendAndReset, serveContext, temporaryFolder } from "./chat_helpers.ts";
import { NETLAB, Program, runProgram } from "./cli_helpers.ts";
import {
  bytes,
  collect,
  type Collected,
  eventually,
  Peer,
  settle,
  skipUnless,
  skipUnlessSignals,
  test,
  within,
} from "./helpers.ts";

const MB = 1_000_000;
const HELLO = "hello\n";
const here = () => true;
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const ok = (content: string | Uint8Array, offset = 0) => `OK ${content.length - offset} ${sha256(content)}`;
/** Content in which every place can be told from every other. */
const numbered = (length: number) =>
  new Uint8Array(
    Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => (i * 2_654_435_761) >>> 0).buffer,
    0,
    length,
  );

/** A server with files, and the clients that are connected to it. */
class Place {
  readonly dir = temporaryFolder();
  readonly console = new FakeConsole([]);
  readonly trace: Collected = collect(["open", "close", "note", "warning"]);
  readonly server;
  readonly #peers: Peer[] = [];

  constructor(contents: Readonly<Record<string, string | Uint8Array>>, changes: Partial<ServeContext>) {
    for (const [name, content] of Object.entries(contents)) this.write(name, content);
    const { dir, console, trace } = this;
    this.server = serveFiles(serveContext({ transports: ["tcp"] }, { console, trace, options: { dir }, ...changes }));
  }

  get port(): number {
    return this.server.address.port;
  }

  write(name: string, content: string | Uint8Array): void {
    Deno.writeFileSync(`${this.dir}/${name}`, bytes(content));
  }

  async join(...requests: (string | Uint8Array)[]): Promise<Peer> {
    const peer = await Peer.connect({ hostname: "127.0.0.1", port: this.port });
    this.#peers.push(peer);
    if (requests.length > 0) await peer.send(...requests);
    return peer;
  }

  /** All that is answered to `request`, from a client that then says no more. */
  async answer(...request: (string | Uint8Array)[]): Promise<string> {
    const peer = await this.join(...request);
    await peer.conn.closeWrite();
    return await peer.rest();
  }

  async close(): Promise<void> {
    this.#peers.forEach(closeQuietly);
    // An older Deno keeps a write to a client that does not read until the client has gone: that comes first.
    const count = (type: "open" | "close") => this.trace.of(type).length;
    await eventually("the server to see that all have gone", () => count("open") === count("close"));
    this.server.abort();
    await within(this.server.finished, "the end of the server");
  }
}

async function withFiles(
  contents: Readonly<Record<string, string | Uint8Array>>,
  fn: (place: Place) => Promise<void>,
  changes: Partial<ServeContext> = {},
): Promise<void> {
  const place = new Place(contents, changes);
  try {
    await fn(place);
    assertEquals(place.trace.of("warning"), []);
  } finally {
    await place.close();
  }
}

/** Reads exactly `count` bytes, or what there is up to the end; whether the end was rude shows in `reset`. */
async function take(conn: Deno.Conn, count: number, ms?: number): Promise<{ content: Uint8Array; reset: boolean }> {
  const content = new Uint8Array(count);
  let at = 0;
  try {
    while (at < count) {
      const more = await within(conn.read(content.subarray(at)), `byte ${at} of ${count}`, ms);
      if (more === null) break;
      at += more;
    }
    return { content: content.subarray(0, at), reset: false };
  } catch {
    return { content: content.subarray(0, at), reset: true };
  }
}

/** The status line, read byte by byte so that the content stays in the socket. */
async function status(conn: Deno.Conn): Promise<string> {
  let line = "";
  for (const byte = new Uint8Array(1); await within(conn.read(byte), "a line") !== null && byte[0] !== 10;) {
    line += String.fromCharCode(byte[0]);
  }
  return line;
}

test("LIST gives how many files there are, and a line for each, in order", () =>
  withFiles({ "b.txt": "bb", "a b.txt": "a", "é": "", "10": "x" }, async (place) => {
    assertEquals(await place.answer("LIST\n"), "OK 4\n1 10\n1 a b.txt\n2 b.txt\n0 é\n");
  }));

test("LIST of an empty folder is OK 0", () =>
  withFiles({}, async (place) => assertEquals(await place.answer("LIST\n"), "OK 0\n")));

test("STAT gives the size and the digest, and nothing else", () =>
  withFiles({ "hello.txt": HELLO, empty: "" }, async (place) => {
    assertEquals(await place.answer("STAT hello.txt\nSTAT empty\n"), `${ok(HELLO)}\n${ok("")}\n`);
  }));

test("GET gives exactly the bytes that it says", () =>
  withFiles({ "hello.txt": HELLO, empty: "" }, async (place) => {
    const expected = `${ok(HELLO)}\n${HELLO}${ok("")}\n${ok(HELLO)}\n${HELLO}`;
    assertEquals(await place.answer("GET hello.txt\nGET empty\nGET hello.txt\n"), expected);
  }));

test("GET with an offset gives the rest and the digest of the whole; an offset behind the end is refused", () =>
  withFiles({ "hello.txt": HELLO, empty: "" }, async (place) => {
    for (const offset of [0, 1, 3, 5, 6]) {
      const expected = `${ok(HELLO, offset)}\n${HELLO.slice(offset)}`;
      assertEquals(await place.answer(`GET hello.txt ${offset}\n`), expected, `${offset}`);
    }
    const behind = (offset: string) => `ERROR 400 offset ${offset} is behind the end: hello.txt has 6 bytes\n`;
    assertEquals(await place.answer("GET hello.txt 7\n"), behind("7"));
    assertEquals(await place.answer(`GET hello.txt ${"9".repeat(15)}\n`), behind("9".repeat(15)));
    assertEquals(await place.answer("GET empty 0\n"), `${ok("")}\n`);
  }));

test("a number that is no offset is a part of the name", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    for (const number of ["-1", "1.5", "1e3", "0x1", "9".repeat(16), "٣", ""]) {
      assertMatch(await place.answer(`GET hello.txt ${number}\n`), /^ERROR (403|404) /, number);
    }
  }));

test("names may have spaces, and end in numbers that are no offsets", () =>
  withFiles(
    { "my file.txt": "mine", "chapter 7": "seven", "chapter": "none", "part 1 2": "one two" },
    async (place) => {
      assertEquals(await place.answer("GET my file.txt\n"), `${ok("mine")}\nmine`);
      assertEquals(await place.answer("GET my file.txt 2\n"), `${ok("mine", 2)}\nne`);
      assertEquals(await place.answer("GET part 1 2\n"), `${ok("one two")}\none two`);
      assertEquals(await place.answer("GET part 1 2 4\n"), `${ok("one two", 4)}\ntwo`);
      assertEquals(await place.answer("STAT chapter 7\n"), `${ok("seven")}\n`);
      // Both are there: the number is an offset, unless another is said.
      assertEquals(await place.answer("GET chapter 2\n"), `${ok("none", 2)}\nne`);
      assertEquals(await place.answer("GET chapter 7 0\n"), `${ok("seven")}\nseven`);
    },
  ));

test("when only the whole line is a file, its number is no offset", () =>
  withFiles({ "chapter 7": "seven" }, async (place) => {
    assertEquals(await place.answer("GET chapter 7\n"), `${ok("seven")}\nseven`);
    assertEquals(await place.answer("GET chapter 8\n"), "ERROR 404 no such file: chapter\n");
  }));

test("any other line is a bare name: its content comes, and the end of the connection", () =>
  withFiles({ "hello.txt": HELLO, "list": "lower", "GET": "got", "STAT": "stated", empty: "" }, async (place) => {
    for (const [name, content] of [["hello.txt", HELLO], ["list", "lower"], ["GET", "got"], ["STAT", "stated"]]) {
      const peer = await place.join(`${name}\r\n`);
      assertEquals(await peer.rest(), content);
    }
    assertEquals(await (await place.join("empty\n")).rest(), "");
  }));

test("a bare name of nothing is answered as the course's server does, and the connection ends", () =>
  withFiles({}, async (place) => {
    assertEquals(await (await place.join("nothing.txt\n")).rest(), "Error: File not found\n");
    assertMatch(await (await place.join("../x\n")).rest(), /^Error: not a file name: "..\/x": [^\n]*\n$/);
    assertMatch(await (await place.join("\n")).rest(), /^Error: not a file name: [^\n]*\n$/);
  }));

test("refusals have the numbers that everybody knows, and the client may go on", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    const peer = await place.join(
      "GET nothing\nSTAT ../x\nGET /etc/passwd\nGET \nSTAT \n",
      "\xff\n",
      "GET hello.txt\n",
    );
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push((await peer.line()).slice(0, 9));
    assertEquals(codes, ["ERROR 404", "ERROR 403", "ERROR 403", "ERROR 400", "ERROR 400"]);
  }));

test("bytes that are no text, and lines that are too long, are refused and cost nothing else", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    const peer = await place.join(
      "GET ",
      new Uint8Array([0xc0, 0xae]),
      "\nGET ",
      "x".repeat(5000),
      "\nGET hello.txt\n",
    );
    assertMatch(await peer.line(), /^ERROR 400 invalid UTF-8/);
    assertMatch(await peer.line(), /^ERROR 400 /);
    assertEquals([await peer.line(), await peer.read(6)], [ok(HELLO), HELLO]);
  }));

test("a refusal that has no room for the name that it quotes is cut, and the client may go on", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    for (const name of ["x".repeat(1000), "é".repeat(500), "\x01".repeat(300), `${"y".repeat(1000)} 7`]) {
      const peer = await place.join(`GET ${name}\nSTAT ${name}\nGET hello.txt\n`);
      const lines = [await peer.line(), await peer.line(), await peer.line()];
      assertEquals(lines.map((line) => line.slice(0, 9)), ["ERROR 403", "ERROR 403", "OK 6 5891"], name.slice(0, 5));
      peer.close();
    }
  }));

test("control characters in a name come back written out, from GET and to a bare name", () =>
  withFiles({}, async (place) => {
    for (const request of ["GET a\x1b[2Jb\0c\n", "STAT a\x1b[2Jb\0c\n", "a\x1b[2Jb\0c\n"]) {
      const answer = await place.answer(request);
      assertStringIncludes(answer, "a\\x1b[2Jb\\x00c", request);
      assert(!answer.includes("\x1b"), request);
    }
  }));

test("requests sent all at once, or byte by byte, are answered in order", () =>
  withFiles({ "hello.txt": HELLO, other: "other" }, async (place) => {
    const requests = "GET other\nLIST\nGET nothing\nGET hello.txt 3\nSTAT other\nhello.txt\nGET never\n";
    const expected = `${ok("other")}\notherOK 2\n6 hello.txt\n5 other\nERROR 404 no such file: nothing\n` +
      `${ok(HELLO, 3)}\nlo\n${ok("other")}\n${HELLO}`;
    assertEquals(await place.answer(requests), expected);
    const peer = await place.join();
    peer.conn.setNoDelay(true);
    for (const byte of bytes(requests.slice(0, -10))) await peer.send(byte);
    assertEquals(await peer.rest(), expected);
  }));

test("files of every size around the block's arrive whole", async () => {
  const sizes = [1, 32_767, 32_768, 32_769, 65_536, 524_287, 524_288, 524_289, 1_048_576, 3 * MB + 1];
  const contents = Object.fromEntries(sizes.map((size) => [`f${size}`, numbered(size)]));
  await withFiles(contents, async (place) => {
    const { conn } = await place.join(sizes.map((size) => `GET f${size}\n`).join(""));
    for (const size of sizes) {
      const line = await status(conn);
      const { content } = await take(conn, size);
      assertEquals([line, sha256(content)], [ok(contents[`f${size}`]), sha256(contents[`f${size}`])]);
    }
  });
});

/** A file to be digested, and how often it is read from its beginning. */
function digested(path: string): OpenFile & Disposable & { readonly begun: number } {
  const file = Deno.openSync(path);
  let begun = 0;
  const read = file.read.bind(file);
  file.read = (into) => {
    if (file.seekSync(0, Deno.SeekMode.Current) === 0) begun++;
    return read(into);
  };
  return {
    file,
    info: file.statSync(),
    path,
    get begun() {
      return begun;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

test("a digest is computed once, whoever asks, and remembered", async () => {
  const path = `${temporaryFolder()}/big`;
  Deno.writeFileSync(path, numbered(5 * MB));
  const digests = new Digests(() => Date.now() + 2100);
  using first = digested(path);
  using second = digested(path);
  using third = digested(path);
  const both = await Promise.all([digests.of(first, here), digests.of(second, here)]);
  assertEquals([...both, await digests.of(third, here)], Array(3).fill(sha256(numbered(5 * MB))));
  assertEquals([first.begun, second.begun, third.begun], [1, 0, 0]);
});

test("a digest is given up when nobody who asked may be answered any more, and no sooner", async () => {
  const path = `${temporaryFolder()}/big`;
  Deno.writeFileSync(path, numbered(5 * MB));
  const digests = new Digests(() => Date.now() + 2100);
  const gone = () => false;
  using first = digested(path);
  using second = digested(path);
  await assertRejects(() => digests.of(first, gone), Error, "nobody wants it any more");
  const both = await Promise.all([digests.of(second, gone), digests.of(first, here)]);
  assertEquals(both, Array(2).fill(sha256(numbered(5 * MB))));
});

test("a file that was written less than 2 s ago is digested anew: its times tick too slowly to tell what was written since", async () => {
  const path = `${temporaryFolder()}/file`;
  Deno.writeTextFileSync(path, "old");
  const digests = new Digests();
  using first = digested(path);
  assertEquals(await digests.of(first, here), sha256("old"));
  Deno.writeTextFileSync(path, "new");
  using second = digested(path);
  assertEquals(await digests.of({ ...second, info: first.info }, here), sha256("new"));
});

test("a file that changes while it is digested is digested anew", async () => {
  const path = `${temporaryFolder()}/file`;
  Deno.writeTextFileSync(path, "old");
  const digests = new Digests(() => Date.now() + 2100);
  using first = digested(path);
  const digesting = digests.of(first, here);
  Deno.truncateSync(path, 1);
  await digesting;
  Deno.writeTextFileSync(path, "new");
  using second = digested(path);
  assertEquals(await digests.of({ ...second, info: first.info }, here), sha256("new"));
});

test("what is digested is what was opened, whatever has its name by now", async () => {
  const dir = temporaryFolder();
  for (const name of ["ours", "secret"]) Deno.writeTextFileSync(`${dir}/${name}`, name);
  using ours = digested(`${dir}/ours`);
  assertEquals(await new Digests().of({ ...ours, path: `${dir}/secret` }, here), sha256("ours"));
});

test("a file that was changed has another digest, even when its size is the same", () =>
  withFiles({ file: "old" }, async (place) => {
    assertEquals(await place.answer("STAT file\n"), `${ok("old")}\n`);
    place.write("file", "new");
    Deno.utimeSync(`${place.dir}/file`, 1, 1);
    assertEquals(await place.answer("STAT file\n"), `${ok("new")}\n`);
    place.write("other", "far");
    Deno.utimeSync(`${place.dir}/other`, 1, 1);
    Deno.renameSync(`${place.dir}/other`, `${place.dir}/file`);
    assertEquals(await place.answer("GET file\n"), `${ok("far")}\nfar`);
  }));

test("a file that was changed, and whose time was then set back, has another digest", () =>
  withFiles({ file: "old" }, async (place) => {
    const path = `${place.dir}/file`;
    const { mtime, ctime } = Deno.statSync(path);
    assertEquals(await place.answer("STAT file\n"), `${ok("old")}\n`);
    // The system's own time of the last change cannot be set, and ticks in steps.
    await eventually("the clock to tick", () => {
      place.write("file", "new");
      Deno.utimeSync(path, mtime!, mtime!);
      return Deno.statSync(path).ctime!.getTime() > ctime!.getTime();
    });
    assertEquals(await place.answer("STAT file\n"), `${ok("new")}\n`);
  }));

test("several clients are served at once, each its own file", async () => {
  const contents = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, numbered(200_000 + i)]));
  await withFiles(contents, async (place) => {
    const peers = await Promise.all(Object.keys(contents).map((name) => place.join(`GET ${name}\n`)));
    const got = await Promise.all(peers.map(async ({ conn }, i) => {
      const line = await status(conn);
      return [line, sha256((await take(conn, 200_000 + i)).content)];
    }));
    assertEquals(got, Object.values(contents).map((content) => [ok(content), sha256(content)]));
  });
});

test("clients that do not read keep nobody waiting, and get all of it once they read", () =>
  withFiles({ big: numbered(50 * MB), "hello.txt": HELLO }, async (place) => {
    await place.answer("STAT big\n");
    const slow = await Promise.all(Array.from({ length: 20 }, () => place.join("GET big\n")));
    for (const { conn } of slow) await status(conn);
    const quick = await place.join("GET big\n");
    await status(quick.conn);
    assertEquals((await take(quick.conn, 50 * MB)).content.length, 50 * MB);
    assertEquals(await place.answer("GET hello.txt\n"), `${ok(HELLO)}\n${HELLO}`);
    const { content } = await take(slow[19].conn, 50 * MB);
    assertEquals(sha256(content), sha256(numbered(50 * MB)));
  }));

test("a client that asks for long lists without reading them is not cut, and gets them all", async () => {
  const contents = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}-${"x".repeat(200)}`, ""]));
  await withFiles(contents, async (place) => {
    const peer = await place.join("LIST\n".repeat(40));
    await settle();
    await peer.conn.closeWrite();
    const lines = (await peer.rest()).trimEnd().split("\n");
    assertEquals([lines.length, lines.filter((line) => line === "OK 500").length], [40 * 501, 40]);
  }, { limits: { queueBytes: 65_536 } });
});

test("LIST of 10,000 files comes at once, and whole", async () => {
  await withFiles({}, async (place) => {
    for (let i = 0; i < 10_000; i++) place.write(`file ${i}`, "");
    const begun = performance.now();
    const lines = (await place.answer("LIST\n")).trimEnd().split("\n");
    assertEquals([lines.length, lines[0], new Set(lines).size], [10_001, "OK 10000", 10_001]);
    const ms = performance.now() - begun;
    assertLess(ms, 15_000);
  });
});

test(
  "a client that vanishes in the middle is reported and forgotten, and harms nobody",
  () =>
    withFiles({ big: numbered(50 * MB), "hello.txt": HELLO }, async (place) => {
      await sendAndReset(place.port, bytes("GET big\n"), 100_000);
      await place.console.shows("not sent: big");
      const { event, name, bytes: sent, failure } = place.console.events.at(-1)!;
      assertEquals([event, name, (sent as number) < 50 * MB], ["failed", "big", true]);
      assertMatch(String(failure), /reset|pipe/i);
      assertEquals(await place.answer("GET hello.txt\n"), `${ok(HELLO)}\n${HELLO}`);
    }),
  canReset,
);

test("what was sent is reported, whole or from an offset", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    await place.answer("GET hello.txt 4\n");
    await place.answer("hello.txt\n");
    assertEquals(place.console.events.map(({ event, bytes, failure }) => [event, bytes, failure]), [
      ["sent", 2, null],
      ["sent", 6, null],
    ]);
    assertMatch(place.console.printed[0], /^sent hello\.txt to 127\.0\.0\.1:\d+: 2 bytes, /);
  }));

test("a trace of the server has what is answered, content too", () => {
  const trace = collect(["message", "open", "close"]);
  const contents = { "hello.txt": HELLO, empty: "" };
  return withFiles(contents, async (place) => {
    await place.answer("GET hello.txt 4\nGET empty\nhello.txt\n");
    assertEquals(trace.of("message").map(({ direction, text }) => `${direction} ${text}`), [
      ...["in GET hello.txt 4", `out ${ok(HELLO, 4)}`, "out 2 bytes"],
      ...["in GET empty", `out ${ok("")}`],
      ...["in hello.txt", "out 6 bytes"],
    ]);
  }, { trace });
});

const BIG = numbered(40 * MB);

/** Asks for 40 MB, has `change` happen when the first bytes are there, and returns what came. */
async function changeMeanwhile(change: (path: string, place: Place) => void, request = "GET big\n") {
  let result = { line: "", content: new Uint8Array(0) as Uint8Array, ended: false, report: "" };
  await withFiles({ big: BIG }, async (place) => {
    const { conn } = await place.join(request);
    const line = request.startsWith("GET") ? await status(conn) : "";
    const first = await take(conn, 1000);
    change(`${place.dir}/big`, place);
    const { content, reset } = await take(conn, BIG.length - 1000);
    const end = reset || content.length < BIG.length - 1000;
    await place.console.shows("sent");
    const report = place.console.printed.at(-1)!;
    result = { line, content: bytes(first.content, content), ended: end, report };
  });
  return result;
}

/** A digest that is called right has to be: either all is there and right, or the end was early. */
function assertNeverWrong({ line, content, ended }: { line: string; content: Uint8Array; ended: boolean }): void {
  if (!ended) assertEquals(line, ok(content), "it was ended in good order, and the digest is wrong");
}

test("a file that shrinks while it is sent ends the connection early", async () => {
  const got = await changeMeanwhile((path) => Deno.truncateSync(path, 30 * MB));
  assertEquals([got.ended, got.content.length <= 30 * MB], [true, true]);
  assertStringIncludes(got.report, "not sent: big");
  assertStringIncludes(got.report, "big was changed while it was sent");
});

test("a file that grows while it is sent is reported as changed, and no more is sent than was promised", async () => {
  const got = await changeMeanwhile((path) => Deno.writeFileSync(path, bytes("more"), { append: true }));
  assertNeverWrong(got);
  assertEquals(got.report.includes("not sent: big"), true);
});

test("a file that disappears while it is sent arrives whole, or not at all", async () => {
  const got = await changeMeanwhile((path) => Deno.removeSync(path));
  assertEquals([got.ended, got.line, sha256(got.content)], [false, ok(BIG), sha256(BIG)]);
  assertMatch(got.report, /^sent big /);
});

test("a file that is replaced while it is sent arrives as it was", async () => {
  const got = await changeMeanwhile((path, place) => {
    place.write("new", numbered(41 * MB).reverse());
    Deno.renameSync(`${place.dir}/new`, path);
  });
  assertEquals([got.ended, got.line, sha256(got.content)], [false, ok(BIG), sha256(BIG)]);
});

test("a file that is rewritten while it is sent is never called right", async () => {
  const got = await changeMeanwhile((path) => Deno.writeFileSync(path, new Uint8Array(BIG.length)));
  assert(sha256(got.content) !== sha256(BIG));
  assertStringIncludes(got.report, "not sent: big");
});

test("to a bare name, which has no digest, a file that shrinks is at least reported at the server", async () => {
  const got = await changeMeanwhile((path) => Deno.truncateSync(path, 30 * MB), "big\n");
  assertStringIncludes(got.report, "not sent: big");
});

test("a disk that fails in the middle of a file ends the connection: what would follow is no content", () =>
  withFiles({ big: numbered(3 * MB) }, async (place) => {
    const { read, seek } = Deno.FsFile.prototype;
    let reads = -Infinity;
    Deno.FsFile.prototype.seek = function (...where) {
      reads = 0; // it has been digested
      return seek.apply(this, where);
    };
    Deno.FsFile.prototype.read = function (into) {
      return ++reads > 2 ? Promise.reject(new Error("Input/output error (os error 5)")) : read.call(this, into);
    };
    try {
      const { conn } = await place.join("GET big\n");
      await status(conn);
      const begun = performance.now();
      const { content } = await take(conn, 3 * MB, 5000);
      assertLess(performance.now() - begun, 5000, "the client still waits");
      assert(!new TextDecoder().decode(content.subarray(-200)).includes("ERROR"), "an error came as content");
      assertLess(content.length, 3 * MB);
    } finally {
      Object.assign(Deno.FsFile.prototype, { read, seek });
    }
  }));

test("a shutdown in the middle of a download says so at the server, and cuts it", () =>
  withFiles({ big: numbered(50 * MB) }, async (place) => {
    const { conn } = await place.join("GET big\n");
    await status(conn);
    await within(place.server.shutdown(400), "the shutdown", 5000);
    assertMatch(place.console.printed.at(-1)!, /^not sent: big to .*(shut down|stopped|delivered)/);
    const { content } = await take(conn, 50 * MB);
    assertLess(content.length, 50 * MB);
    assertEquals(content, numbered(50 * MB).subarray(0, content.length));
  }));

test("a shutdown does not wait for the digest of a file that takes for ever to read, and says nothing of it", () => {
  const trace = collect(["note", "message"]);
  return withFiles({ file: HELLO }, async (place) => {
    const { read } = Deno.FsFile.prototype;
    const endless = async function (this: Deno.FsFile, into: Uint8Array) {
      await read.call(this, into);
      return into.length;
    };
    Object.assign(Deno.FsFile.prototype, { read: endless });
    try {
      const peer = await place.join("GET file\n");
      await eventually("the request", () => trace.of("note").length > 0);
      const ending = place.server.shutdown(400);
      assertEquals(await peer.rest(), "ERROR server is shutting down\n");
      await within(ending, "the shutdown", 5000);
      assertEquals(trace.of("message").map(({ text }) => text), ["GET file", "ERROR server is shutting down"]);
    } finally {
      Object.assign(Deno.FsFile.prototype, { read });
    }
  }, { trace });
});

test("a shutdown lets a download end that ends in time, and says goodbye behind it", () =>
  withFiles({ big: numbered(20 * MB) }, async (place) => {
    const { conn } = await place.join("GET big\n");
    const line = await status(conn);
    const ending = place.server.shutdown(20_000);
    const { content } = await take(conn, 20 * MB);
    assertEquals(line, ok(content));
    assertEquals(await status(conn), "ERROR server is shutting down");
    conn.close();
    await within(ending, "the shutdown");
  }));

test("a shutdown while an answer waits to leave puts no goodbye between it and the content", () => {
  const trace = collect(["message"]);
  return withFiles({ "hello.txt": HELLO }, async (place) => {
    const { conn } = await place.join();
    // Refusals that are not read fill the socket, so that the answer to GET has to wait in the server.
    await new Peer(conn).send(`GET ${"/x".repeat(100)}\n`.repeat(70_000), "GET hello.txt\n");
    await eventually("the answer", () => String(trace.events.at(-1)?.text).startsWith("OK 6 "));
    const ending = place.server.shutdown(20_000);
    const { content } = await take(conn, 40 * MB);
    conn.close();
    await within(ending, "the shutdown");
    const text = new TextDecoder().decode(content.subarray(-150));
    assertStringIncludes(text, `${ok(HELLO)}\n${HELLO}`, "the content is not behind its size");
  }, { trace, limits: { queueBytes: 100 * MB } });
});

test("a request without LF is served after a moment of silence, or at the end of the stream", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    assertEquals(await (await place.join("hello.txt")).rest(), HELLO);
    assertEquals(await place.answer("hello.txt"), HELLO);
    assertEquals(await place.answer("GET hello.txt"), `${ok(HELLO)}\n${HELLO}`);
    assertEquals(await place.answer("LIST"), "OK 1\n6 hello.txt\n");
    assertEquals(await place.answer("STAT nothing"), "ERROR 404 no such file: nothing\n");
  }));

test("a client that closes its side after the request gets all of a big file", () =>
  withFiles({ big: BIG }, async (place) => {
    for (const request of ["big\n", "big", "GET big\n"]) {
      const { conn } = await place.join(request);
      await conn.closeWrite();
      if (request.startsWith("GET")) await status(conn);
      assertEquals(sha256((await take(conn, BIG.length + 1)).content), sha256(BIG), request);
    }
  }));

test("a server with --wire line waits for the LF, and one with --wire raw does not", async () => {
  const answer = async (wire: string, ...parts: string[]) => {
    let text = "";
    await withFiles({ "hello.txt": HELLO }, async (place) => {
      const peer = await place.join();
      for (const part of parts) await peer.send(part);
      text = await peer.rest();
    }, { wire });
    return text;
  };
  assertEquals(await answer("line", "hello", ".txt", "\n"), HELLO);
  assertEquals(await answer("raw", "hello.txt"), HELLO);
});

test("with --wire raw what is no request is answered with a line, too: the client may go on", () =>
  withFiles({}, async (place) => {
    for (const [bad, words] of [["x".repeat(1025), "too long"], [Uint8Array.of(0xff), "UTF-8"]] as const) {
      const peer = await place.join(bad);
      const answer = await peer.line();
      assertMatch(answer, /^ERROR 400 /);
      assertStringIncludes(answer, words);
      await peer.send("LIST");
      assertEquals(await peer.line(), "OK 0");
    }
  }, { wire: "raw" }));

const PYTHON = skipUnless("python3");

test(
  "a Python client that says a bare name gets the file, and is told when there is none",
  () =>
    withFiles({ "my file": BIG.subarray(0, 2 * MB).map((byte) => byte & 0x7f) }, async (place) => {
      const seed = (name: string) =>
        runProgram([`${place.port}`, name], { command: ["python3", "tests/peers/files_seed_client.py"] });
      const { status, out } = await seed("my file");
      assertEquals([status, sha256(out)], [0, sha256(BIG.subarray(0, 2 * MB).map((byte) => byte & 0x7f))]);
      assertEquals((await seed("nothing.txt")).out, "Error: File not found");
    }),
  PYTHON,
);

test(
  "a Python client by somebody else fetches all that is listed, and every digest is right",
  () =>
    withFiles({ "a b": "words", big: BIG.subarray(0, 3 * MB), empty: "", "é 7": "seven" }, async (place) => {
      const command = ["python3", "tests/peers/files_client.py"];
      const { status, out, err } = await runProgram([`${place.port}`], { command });
      const expected = "a b 5 right\nbig 3000000 right\nempty 0 right\né 7 5 right\n";
      assertEquals([status, out, err], [0, expected, ""]);
    }),
  PYTHON,
);

test(
  "nc -N gets a file by its bare name, with and without LF",
  () =>
    withFiles({ "hello.txt": HELLO }, async (place) => {
      const nc = async (input: string) =>
        (await runProgram(["-N", "127.0.0.1", `${place.port}`], { command: ["nc"], input })).out;
      assertEquals([await nc("hello.txt\n"), await nc("hello.txt")], [HELLO, HELLO]);
      assertEquals(await nc("LIST\nGET hello.txt 3\n"), `OK 1\n6 hello.txt\n${ok(HELLO, 3)}\nlo\n`);
    }),
  skipUnless("nc"),
);

test("curl's telnet gets a file", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    const command = ["curl", "--silent", "--max-time", "20"];
    const { out } = await runProgram([`telnet://127.0.0.1:${place.port}`], { command, input: "hello.txt\n" });
    assertEquals(out, HELLO);
  }), skipUnless("curl"));

test("netlab serve files says what it serves and sends, and ends at Ctrl-C in the middle of a download", async () => {
  const dir = temporaryFolder();
  Deno.writeFileSync(`${dir}/big`, BIG);
  const line = ["serve", "files", "--host", "127.0.0.1", "--port", "0", "--dir", dir];
  await using server = new Program(line, { command: NETLAB });
  const port = Number(/:(\d+)/.exec(await server.out.line())![1]);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(bytes("GET big\n"));
  assertEquals(await status(conn), ok(BIG));
  server.signal("SIGINT");
  await server.out.until(/not sent: big to 127\.0\.0\.1:\d+: .*\n/);
  const { status: code } = await server.result();
  assertEquals(code, 0);
  conn.close();
}, skipUnlessSignals());

test("a server without its folder says so, and what to do", async () => {
  const result = await runProgram("serve files --port 0 --dir /nowhere/at/all");
  assertEquals(result.status, 2);
  assertStringIncludes(result.err, "no such folder: /nowhere/at/all");
});

test("a server that cannot take its clients at once takes them when others have gone", () =>
  withFiles({ "hello.txt": HELLO }, async (place) => {
    const first = await place.join("GET hello.txt\n");
    await first.line();
    assertMatch(await (await place.join("hello.txt\n")).rest(), /^ERROR server full: 1 client/);
    first.close();
    await eventually("room", () => place.trace.of("close").length >= 2);
    assertEquals(await (await place.join("hello.txt\n")).rest(), HELLO);
  }, { limits: { maxClients: 1 } }));
