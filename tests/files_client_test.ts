// The client of the file server: what it fetches, resumes and refuses, from good servers and from those that lie.

import { assert, assertEquals, assertLess, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { connectFiles } from "../lib/exercises/files/client.ts";
import { files } from "../lib/exercises/files/mod.ts";
import { serveFiles } from "../lib/exercises/files/server.ts";
import { Visit } from "../lib/exercises/files/visit.ts";
import type { ConnectContext } from "../lib/exercises/exercise.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { connectContext, FakeConsole, serveContext, serving, temporaryFolder, withListener } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, eventually, Peer, settle, skipIf, skipUnlessSignals, test, within } from "./helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

const MB = 1_000_000;
/** Denos before 2.7 cannot lock a file without waiting for it. */
const CAN_LOCK = "tryLockSync" in Deno.FsFile.prototype;
type Contents = Readonly<Record<string, string | Uint8Array>>;
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const numbered = (length: number) =>
  new Uint8Array(Uint32Array.from({ length: length / 4 }, (_, i) => i * 40_503).buffer);
const BIG = numbered(8 * MB);

/** A folder of the client's, with these files. */
function folder(contents: Contents = {}): string {
  const dir = temporaryFolder();
  for (const [name, content] of Object.entries(contents)) Deno.writeFileSync(`${dir}/${name}`, bytes(content));
  return dir;
}

/** What is in a folder: names, and contents or, of what is long, digests. */
function found(dir: string): Record<string, string> {
  const names = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => {
    const content = Deno.readFileSync(`${dir}/${name}`);
    return [name, content.length > 100 ? sha256(content) : new TextDecoder().decode(content)];
  }));
}

/** Runs `fn` with a server of netlab's that has these files; it gets what the server says, too. */
function withFiles(contents: Contents, fn: (port: number, server: FakeConsole) => Promise<void>): Promise<void> {
  const console = new FakeConsole([]);
  const server = serveFiles(serveContext(files, { console, options: { dir: folder(contents) } }));
  return serving(server, (port) => fn(port, console));
}

/** What the client came to: what it printed and noted, and how it failed. */
interface Ran {
  readonly console: FakeConsole;
  readonly failure: NetlabError | null;
}

/** Runs the client with words as on the command line. */
async function client(
  port: number,
  args: readonly string[],
  options: Record<string, string | boolean> = {},
  changes: Partial<ConnectContext> = {},
): Promise<Ran> {
  const console = new FakeConsole([]);
  const running = connectFiles(connectContext(port, console, { wire: "line", args, options, ...changes }));
  try {
    await within(running, "the end of the client");
    return { console, failure: null };
  } catch (error) {
    if (!(error instanceof NetlabError)) throw error;
    return { console, failure: error };
  }
}

const get = (port: number, out: string, ...names: string[]) => client(port, ["get", ...names], { out });

/** A server that answers each request as `answers` says, by the request's line; null ends the connection. */
const withLiar = (
  answers: (request: string) => string | Uint8Array | null,
  fn: (port: number, requests: string[]) => Promise<void>,
) => {
  const requests: string[] = [];
  return withListener(async (conn) => {
    const peer = new Peer(conn);
    for (let line; (line = await peer.line()) !== "";) {
      requests.push(line);
      const answer = answers(line);
      if (answer === null) break;
      await peer.send(answer);
    }
  }, (port) => fn(port, requests));
};

/** What a client has to say about a server that answers GET like this, and what it leaves. */
async function lied(answer: string | Uint8Array, end = true): Promise<{ failure: NetlabError | null; left: string[] }> {
  const out = folder();
  let failure: NetlabError | null = null;
  let asked = 0;
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    if (asked++ > 3) return;
    await peer.send(answer);
    if (!end) await peer.rest();
  }, async (port) => void ({ failure } = await get(port, out, "file")));
  return { failure, left: Object.keys(found(out)) };
}

test("get fetches files, several at once, and reports each", () => {
  const contents: Contents = { a: "first", "b c": BIG, empty: "", "9": "nine", e: "é", f: "ff" };
  return withFiles(contents, async (port) => {
    const out = folder();
    const { console, failure } = await get(port, out, ...Object.keys(contents));
    assertEquals([failure, found(out)], [null, { ...contents, "b c": sha256(BIG) }]);
    assertEquals(console.events.map(({ event, name, bytes, size }) => [event, name, bytes, size]).sort(), [
      ...[["got", "9", 4, 4], ["got", "a", 5, 5], ["got", "b c", 8 * MB, 8 * MB]],
      ...[["got", "e", 2, 2], ["got", "empty", 0, 0], ["got", "f", 2, 2]],
    ]);
    assertMatch(console.printed.find((line) => line.includes("b c"))!, /^got b c: 8000000 bytes, .* digest right$/);
  });
});

test("one byte is one byte in what is said of a file", () =>
  withFiles({ a: "1" }, async (port) => {
    assertMatch((await get(port, folder(), "a")).console.printed[0], /^got a: 1 byte, /);
    assertEquals((await client(port, ["stat", "a"])).console.printed[0], "a: 1 byte (1 B)");
  }));

test("a name that is asked for twice is fetched once", () =>
  withFiles({ a: "first" }, async (port, server) => {
    const { console } = await get(port, folder(), "a", "a", "a");
    await server.shows("sent a");
    assertEquals([console.events.length, server.events.length], [1, 1]);
  }));

test("what cannot be had keeps nothing else from being fetched", () =>
  withFiles({ a: "first", b: "second" }, async (port) => {
    const out = folder();
    const { console, failure } = await get(port, out, "nothing", "a", "../x", "b");
    assertEquals([failure?.kind, failure?.message], ["reply", "2 of 4 files could not be had"]);
    assertEquals(found(out), { a: "first", b: "second" });
    assertStringIncludes(console.printed.join("\n"), "nothing: the server says: ERROR 404 no such file: nothing");
  }));

test("a name that would lead out of the folder is never written", async () => {
  const digest = sha256("evil");
  await withLiar(() => `OK 4 ${digest}\nevil`, async (port) => {
    const parent = folder();
    Deno.mkdirSync(`${parent}/out`);
    for (const name of ["../evil", "/tmp/netlab-evil", "..", "a/b", "a\\b", "CON", "evil\0", "nul.txt", "x\x1b[2J"]) {
      const { failure } = await get(port, `${parent}/out`, name);
      assertEquals(failure?.kind, "usage", name);
    }
    assertEquals([[...Deno.readDirSync(parent)].length, found(`${parent}/out`)], [1, {}]);
  });
});

test("a part that is there is gone on with: only the rest is fetched", () =>
  withFiles({ big: BIG }, async (port, server) => {
    const out = folder({ "big.netlab-part": BIG.subarray(0, 5 * MB) });
    const { console, failure } = await get(port, out, "big");
    assertEquals([failure, found(out)], [null, { big: sha256(BIG) }]);
    await server.shows("sent big");
    assertEquals([console.events[0].bytes, console.events[0].size, server.events[0].bytes], [3 * MB, 8 * MB, 3 * MB]);
  }));

test("a part that has all of the file needs only its name", () =>
  withFiles({ "a 7": "whole" }, async (port) => {
    const out = folder({ "a 7.netlab-part": "whole" });
    const { console, failure } = await get(port, out, "a 7");
    assertEquals([failure, found(out), console.events[0].bytes], [null, { "a 7": "whole" }, 0]);
  }));

test("a name may be as long as the disk takes it, and what was interrupted is gone on with", async () => {
  const [long, other] = ["é".repeat(127) + "a", "é".repeat(127) + "b"];
  const contents = { ["x".repeat(243)]: "243", [long]: "whole", [other]: "other" };
  const out = folder();
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    await peer.send(`OK 5 ${sha256("whole")}\nwho`);
  }, async (port) => void await get(port, out, long));
  const [[part, begun]] = Object.entries(found(out));
  assert(part.endsWith(".netlab-part") && bytes(part).length <= 255, part);
  assertEquals(begun, "who");
  await withFiles(contents, async (port, server) => {
    const { failure } = await get(port, out, ...Object.keys(contents));
    assertEquals([failure, found(out)], [null, contents]);
    await Promise.all(Object.keys(contents).map((name) => server.shows(`sent ${name}`)));
    assertEquals(server.events.map(({ bytes }) => bytes).toSorted(), [2, 3, 5]);
  });
});

for (
  const [what, part] of [["of another file", "other"], ["as long as the file", "wrongs"], ["longer", "much longer"]]
) {
  test(`a part that is ${what} is fetched anew`, () =>
    withFiles({ file: "right!" }, async (port) => {
      const out = folder({ "file.netlab-part": part });
      const { console, failure } = await get(port, out, "file");
      assertEquals([failure?.message ?? null, found(out), console.events[0].bytes], [null, { file: "right!" }, 6]);
    }));
}

test("an empty part, and an empty file in place of a part, are no trouble", () =>
  withFiles({ a: "content", empty: "" }, async (port) => {
    const out = folder({ "a.netlab-part": "", "empty.netlab-part": "not empty" });
    const { failure } = await get(port, out, "a", "empty");
    assertEquals([failure?.message ?? null, found(out)], [null, { a: "content", empty: "" }]);
  }));

test("a finished file whose name ends in .part is not taken for the part of another", () =>
  withFiles({ a: "all of a", "a.part": "a file of its own" }, async (port) => {
    const out = folder();
    assertEquals((await get(port, out, "a.part")).failure, null);
    assertEquals((await get(port, out, "a")).failure?.kind ?? null, null);
    assertEquals(found(out), { a: "all of a", "a.part": "a file of its own" });
  }));

test("a file that is here already, and the same, is not written again", () =>
  withFiles({ file: "same" }, async (port) => {
    const out = folder({ file: "same" });
    const before = Deno.statSync(`${out}/file`);
    const { console, failure } = await get(port, out, "file");
    assertEquals([failure, console.printed], [null, ["file: it is here already, and the same"]]);
    assertEquals([console.events[0].bytes, console.events[0].size], [0, 4]);
    assertEquals([Deno.statSync(`${out}/file`).ino, found(out)], [before.ino, { file: "same" }]);
  }));

test("another file of that name is kept, and replaced only with --overwrite", () =>
  withFiles({ file: "theirs" }, async (port) => {
    const out = folder({ file: "mine" });
    const { failure } = await get(port, out, "file");
    assertEquals([failure?.kind, failure?.hint, found(out)], ["usage", "--overwrite replaces it", { file: "mine" }]);
    assertEquals((await client(port, ["get", "file"], { out, overwrite: true })).failure, null);
    assertEquals(found(out), { file: "theirs" });
  }));

test("a file that has come while another of its name was fetched is kept, and what was fetched is not fetched again", async () => {
  const out = folder();
  const requests: string[] = [];
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    for (let line; (line = await peer.line()) !== "";) {
      requests.push(line);
      if (requests.length === 1) Deno.writeTextFileSync(`${out}/file`, "mine");
      await peer.send(`OK ${line === "GET file 0" ? `6 ${sha256("theirs")}\ntheirs` : `0 ${sha256("theirs")}\n`}`);
    }
  }, async (port) => {
    const { failure } = await get(port, out, "file");
    assertEquals([failure?.message, failure?.hint], [`${out}/file is another file`, "--overwrite replaces it"]);
    assertEquals(found(out), { file: "mine", "file.netlab-part": "theirs" });
    assertEquals((await client(port, ["get", "file"], { out, overwrite: true })).failure, null);
    assertEquals([found(out), requests], [{ file: "theirs" }, ["GET file 0", "GET file 6"]]);
  });
});

test("what has the name of a file and is none is replaced only with --overwrite: a link to a folder, or to nothing", () =>
  withFiles({ file: "theirs" }, async (port) => {
    for (const to of [folder(), "nothing"]) {
      const out = folder();
      Deno.symlinkSync(to, `${out}/file`, { type: "dir" });
      const { failure } = await get(port, out, "file");
      assertEquals([failure?.message, Deno.readLinkSync(`${out}/file`)], [`${out}/file is there, and no file`, to]);
      assertEquals((await client(port, ["get", "file"], { out, overwrite: true })).failure, null);
      assertEquals(found(out), { file: "theirs" });
    }
  }));

test("the content of a large file that is here already, or has to stay another one, is not asked for", () =>
  withFiles({ same: BIG, other: BIG }, async (port, server) => {
    const out = folder({ same: BIG, other: "mine" });
    assertEquals((await get(port, out, "same")).failure, null);
    assertEquals((await get(port, out, "other")).failure?.hint, "--overwrite replaces it");
    assertEquals((await client(port, ["get", "other"], { out, overwrite: true })).failure, null);
    assertEquals(found(out), { other: sha256(BIG), same: sha256(BIG) });
    await eventually("what the server has sent", () => server.events.length > 0);
    assertEquals(server.events.map(({ event, name }) => [event, name]), [["sent", "other"]]);
  }));

test("from a server that knows nothing but GET, a file that is here is fetched with --overwrite, and the client says so", () =>
  withLiar(
    (request) => request.startsWith("GET ") ? `OK 5 ${sha256("right")}\nright` : "ERROR 400 unknown request\n",
    async (port) => {
      const out = folder();
      assertEquals((await get(port, out, "file")).failure, null);
      const { failure } = await get(port, out, "file");
      const hint = "file is here already: --overwrite gets it without asking";
      assertEquals([failure?.message, failure?.hint], ["the server says: ERROR 400 unknown request", hint]);
      assertEquals((await client(port, ["get", "file"], { out, overwrite: true })).failure, null);
      assertEquals(found(out), { file: "right" });
    },
  ));

test("a folder that is not there, or cannot be written, is a failure that says so", () =>
  withFiles({ file: "content" }, async (port) => {
    const out = folder({ plain: "" });
    Deno.mkdirSync(`${out}/file`);
    for (const dir of [`${out}/nothing`, `${out}/plain`, out]) {
      const { failure } = await get(port, dir, "file");
      assertEquals(failure?.kind, "harness", dir);
      assertStringIncludes(failure!.message, `cannot write ${dir}/file: `);
      const several = await get(port, dir, "file", "nothing");
      assertEquals(several.failure?.kind, dir === out ? "reply" : "harness", "one of them the server does not have");
    }
    assertEquals((await get(port, `${out}/nothing`, "file")).failure?.hint, "name another folder with --out");
  }));

/** Answers a request with a file, once `meddle` has been in the client's folder. */
async function meddled(
  out: string,
  request: string,
  meddle: () => void,
): Promise<NetlabError | null> {
  let failure: NetlabError | null = null;
  await withLiar((line) => {
    if (line !== request) return null;
    meddle();
    return `OK 5 ${sha256("right")}\n${line.startsWith("GET") ? "right" : ""}`;
  }, async (port) => void ({ failure } = await get(port, out, "file")));
  return failure;
}

test("a file that is here and cannot be read is a failure that says so", async () => {
  const out = folder({ file: "mine" });
  const failure = await meddled(out, "STAT file", () => Deno.removeSync(`${out}/file`));
  assertEquals(failure?.kind, "harness");
  assertStringIncludes(failure!.message, `cannot read ${out}/file: `);
});

test("what somebody has put in the place of a part is not given the name of the file, nor taken away", async () => {
  const out = folder();
  const part = `${out}/file.netlab-part`;
  const failure = await meddled(out, "GET file 0", () => {
    Deno.renameSync(part, `${out}/before`);
    Deno.writeTextFileSync(part, "wrong");
  });
  assertEquals([failure?.kind, failure?.hint], ["harness", "get it again"]);
  assertEquals(found(out), { before: "right", "file.netlab-part": "wrong" });
});

test("a part that cannot be taken away keeps nobody from hearing what went wrong", async () => {
  const out = folder();
  await withLiar(() => {
    Deno.removeSync(`${out}/file.netlab-part`);
    Deno.mkdirSync(`${out}/file.netlab-part/full`, { recursive: true });
    return null;
  }, async (port) => {
    const { failure } = await get(port, out, "file");
    assertStringIncludes(failure!.message, "the server ended the connection");
  });
});

test("what somebody has put in the place of a part in which there is nothing yet is not taken away", async () => {
  const out = folder();
  const part = `${out}/file.netlab-part`;
  await withLiar(() => {
    Deno.removeSync(part);
    Deno.writeTextFileSync(part, "theirs");
    return null;
  }, async (port) => void await get(port, out, "file"));
  assertEquals(found(out), { "file.netlab-part": "theirs" });
});

test("a digest that is wrong is a failure, and the file does not get its name", async () => {
  const { failure, left } = await lied(`OK 5 ${sha256("hello")}\nHELLO`);
  assertEquals([failure?.kind, left], ["protocol", []], "a wrong part would be gone on with");
  assertStringIncludes(failure!.message, "file: the digest is wrong");
});

test("a server that ends early leaves a part to go on with", async () => {
  const { failure, left } = await lied(`OK 50 ${sha256("x")}\nonly this`);
  assertEquals([failure?.kind, left], ["transport", ["file.netlab-part"]]);
  assertStringIncludes(failure!.message, "the server ended the connection, 41 bytes before the end");
  assertEquals(failure!.hint, "get it again: it goes on where it stopped");
});

test("a server that ends before it answers is a failure that leaves nothing, and may want a bare name", async () => {
  for (const answer of ["", "OK 5 abc", "Error: File not found"]) {
    const { failure, left } = await lied(answer);
    assertEquals([failure?.kind, left], ["transport", []], answer);
    assertStringIncludes(failure!.hint!, "--wire raw");
  }
});

test("a server that ends in the middle of a list is not said to be of another kind", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    await peer.send("OK 2\n6 hello.txt\n");
  }, async (port) => {
    const { failure } = await client(port, ["list"]);
    assertEquals([failure?.kind, failure?.hint], ["transport", undefined]);
  }));

test("a server that says nothing is left after --idle, before its answer and in the midst of content", async () => {
  for (const said of ["", `OK 50 ${sha256("x")}\nonly this`]) {
    await withListener(async (conn) => {
      const peer = new Peer(conn);
      await peer.line();
      await peer.send(said);
      await peer.rest();
    }, async (port) => {
      const { failure } = await client(port, ["get", "file"], { out: folder() }, { idleMs: 100 });
      assertEquals([failure?.kind, failure?.message], ["timeout", "the server has said nothing for 0.1 s"]);
    });
  }
});

test("a server that has to wait for the client is not silent: what it says is counted only while it is its turn", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    await peer.send(`OK 5 ${sha256("hello")}\nhello`);
    await peer.rest();
  }, async (port) => {
    const context = connectContext(port, new FakeConsole([]), { wire: "line" });
    await using visit = await Visit.open({ ...context, leaving: new AbortController().signal });
    const counts = [visit.reads];
    const asking = visit.ask("GET file 0");
    counts.push(visit.reads);
    await asking;
    counts.push(visit.reads);
    await visit.body(5, () => Promise.resolve(void counts.push(visit.reads)));
    assertEquals(counts.slice(0, 4), [NaN, 0, NaN, NaN]);
  }));

test("a server that talks nonsense is found out, and leaves nothing", async () => {
  const digest = sha256("hello");
  const nonsense = [
    ...[
      "hello\n",
      "OK\n",
      "OK 5\n",
      `OK -5 ${digest}\n`,
      `OK 5 ${digest}0\n`,
      `OK 5e0 ${digest}\n`,
      `ok 5 ${digest} x\n`,
    ],
    ...["\n", "HTTP/1.1 400 Bad Request\r\n", "\x1b[2J\n", `OK ${"9".repeat(17)} ${digest}\nhello`],
  ];
  for (const answer of [...nonsense, bytes(0xff, 0xfe, "\n")]) {
    const { failure, left } = await lied(answer);
    assertEquals([failure?.kind, left], ["protocol", []], JSON.stringify(answer));
    assertStringIncludes(failure!.message, "the server answers ");
  }
});

test("a line without end is refused, and not kept", async () => {
  const { failure, left } = await lied("x".repeat(MB));
  assertEquals(left, []);
  assertEquals([failure?.kind, failure?.message], [
    "protocol",
    "cannot read the server: message too long: more than 4096 bytes",
  ]);
  assertStringIncludes(failure!.hint!, "--wire raw");
});

test("a server that sends more than it said gives what it said", async () => {
  const { failure, left } = await lied(`OK 5 ${sha256("hello")}\nhello, and more, and more\n`);
  assertEquals([failure, left], [null, ["file"]]);
});

test("a server that says a smaller size than it has is found out by the digest", async () => {
  const { failure, left } = await lied(`OK 4 ${sha256("hello")}\nhello`);
  assertEquals([failure?.kind, left.includes("file")], ["protocol", false]);
});

test("a server that says a huge size takes no memory for it", async () => {
  const before = Deno.memoryUsage().rss;
  const { failure } = await lied(`OK ${"9".repeat(15)} ${sha256("x")}\nlittle`);
  assertEquals(failure?.kind, "transport");
  assertLess(Deno.memoryUsage().rss - before, 50 * MB);
});

test("a server that gives another file when it is asked for the rest is found out, and the file is fetched anew", () =>
  withLiar(
    (line) => line.endsWith(" 0") ? `OK 5 ${sha256("right")}\nright` : `OK 2 ${sha256("right")}\nXX`,
    async (port) => {
      const out = folder({ "file.netlab-part": "rig" });
      const { console, failure } = await get(port, out, "file");
      assertEquals([failure, found(out)], [null, { file: "right" }]);
      assertStringIncludes(console.notes.join(), "it is fetched anew");
    },
  ));

test("a server that lies each time is given up after the second", () =>
  withLiar(() => `OK 3 ${sha256("right")}\nXXX`, async (port, requests) => {
    const { failure } = await get(port, folder({ "file.netlab-part": "rig" }), "file");
    assertEquals([failure?.kind, requests], ["protocol", ["GET file 3", "GET file 0"]]);
  }));

test("a count of files that lies is a failure", async () => {
  for (
    const answer of ["OK 3\n1 a\n2 b\n", "OK 999999999\n1 a\n", `OK 5 ${sha256("x")}\n`, "OK 1\nnonsense\n", "OK x\n"]
  ) {
    await withListener(async (conn) => {
      const peer = new Peer(conn);
      await peer.line();
      await peer.send(answer);
    }, async (port) => {
      const { failure, console } = await client(port, ["list"]);
      assert(failure !== null && ["transport", "protocol"].includes(failure.kind), answer);
      assertEquals(console.printed, [], "what is not known to be a list is shown");
    });
  }
});

test("list is aligned, with sizes for people", () =>
  withFiles({ a: "12345", "big file": BIG, empty: "", m: new Uint8Array(1500) }, async (port) => {
    const { console } = await client(port, ["list"]);
    assertEquals(console.printed, ["   5 B  a", "  8 MB  big file", "   0 B  empty", "1.5 kB  m"]);
    assertEquals(console.events[1], { event: "file", name: "big file", size: 8 * MB });
  }));

test("a size is written in one way, whatever language the system speaks", () =>
  withFiles({ m: new Uint8Array(1500) }, async (port) => {
    const { out } = await runProgram(`connect files 127.0.0.1:${port} list`, { env: { LC_ALL: "de_DE.UTF-8" } });
    assertEquals(out, "1.5 kB  m\n");
  }));

test("a list without end is shown as it comes", () =>
  withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    await peer.send("OK 999999999\n" + "1 file\n".repeat(2001));
  }, async (port) => {
    const { failure, console } = await client(port, ["list"]);
    assertEquals([failure?.kind, console.printed.length], ["transport", 2000]);
  }));

test("list of an empty folder says that there are no files", () =>
  withFiles({}, async (port) => {
    const { console } = await client(port, ["list"]);
    assertEquals([console.printed, console.notes], [[], ["there are no files"]]);
  }));

test("stat shows size and digest, and refusals are failures", () =>
  withFiles({ "a b": "12345" }, async (port) => {
    const { console } = await client(port, ["stat", "a b"]);
    assertEquals(console.printed, ["a b: 5 bytes (5 B)", `  sha-256 ${sha256("12345")}`]);
    assertEquals(console.events, [{ event: "stat", name: "a b", size: 5, sha256: sha256("12345") }]);
    const { failure } = await client(port, ["stat", "nothing"]);
    assertEquals([failure?.kind, failure?.message], ["reply", "the server says: ERROR 404 no such file: nothing"]);
  }));

test("a script is obeyed line by line, and goes on behind what fails", () =>
  withFiles({ "my file": "mine", a: "first" }, async (port) => {
    const out = folder();
    const console = new FakeConsole([
      "LS",
      "",
      "get my file",
      "get nothing",
      "fly away",
      "get",
      "get a",
      "exit",
      "get b",
    ]);
    const running = connectFiles(connectContext(port, console, { wire: "line", options: { out } }));
    const { message } = await assertRejects(() => within(running, "the client's end"), NetlabError);
    assertEquals([message, found(out)], ["3 of the script's lines failed", { "my file": "mine", a: "first" }]);
    assertStringIncludes(console.printed.join("\n"), "no such command: fly (list, stat, get, help, exit)");
  }));

test("a person who types wrong is told, and leaves as if all were well", () =>
  withFiles({}, async (port) => {
    const console = new FakeConsole(["fly", "help", "quit"], true);
    await within(connectFiles(connectContext(port, console, { wire: "line" })), "the client's end");
    assertEquals(console.events[0], { event: "error", text: console.printed[0] });
    assertStringIncludes(console.printed.join("\n"), "fetch a file, or what is missing of it");
  }));

test("names are completed when they have been listed", () =>
  withFiles({ alpha: "", "another one": "", beta: "" }, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectFiles(connectContext(port, console, { wire: "line" }));
    await console.shows("files at");
    assertEquals([console.complete("g"), console.complete("get a")], [["get "], []]);
    console.type("list");
    await console.shows("beta");
    assertEquals(console.complete("get b"), ["get beta "]);
    assertEquals(console.complete("stat al"), ["stat alpha "]);
    assertEquals(console.complete("list a"), []);
    assertEquals(console.complete("get another o"), ["get another one "], "a name with spaces");
    console.endInput();
    await within(running, "the client's end");
  }));

const STEERING = "OK 3\n1 \x1b[2Jclear\n2 gnp\u202eexe\n3 good\n";

test("names that would steer the terminal are shown escaped, as lines and as JSON", () =>
  withLiar((line) => line === "LIST" ? STEERING : null, async (port) => {
    for (const [option, escaped] of [["", "\\x1b[2Jclear"], ["--json", "\\u001b[2Jclear"]]) {
      const { status, out, err } = await runProgram(`connect files 127.0.0.1:${port} list ${option}`);
      assertEquals([status, /\p{Cf}|(?!\n)\p{Cc}/u.test(out + err)], [0, false]);
      assertStringIncludes(out, escaped);
    }
  }));

test("names that would steer the terminal are not offered for completion", () =>
  withLiar((line) => line === "LIST" ? STEERING : null, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectFiles(connectContext(port, console, { wire: "line" }));
    console.type("list");
    await console.shows("good");
    const offered = console.complete("get ");
    console.endInput();
    await within(running, "the client's end");
    assert(offered.includes("get good "));
    assert(!/\p{Cc}|\p{Cf}/u.test(offered.join("")), JSON.stringify(offered));
  }));

test("what a server says instead of an answer is shown escaped", () =>
  withLiar(() => "ERROR 404 \x1b[2Jgone\u202e\n", async (port) => {
    const { status, err } = await runProgram(`connect files 127.0.0.1:${port} get x --out ${folder()}`);
    assertEquals([status, /\p{Cf}|(?!\n)\p{Cc}/u.test(err)], [1, false]);
    assertStringIncludes(err, "\\x1b[2Jgone");
  }));

/** Runs `netlab connect files` against files, and returns the status, standard output's bytes, and the rest. */
async function toOutput(port: number, ...words: string[]): Promise<{ status: number; out: Uint8Array; err: string }> {
  const args = ["run", "--quiet", "-P", "main.ts", "connect", "files", `127.0.0.1:${port}`, ...words];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  return { status: code, out: stdout, err: new TextDecoder().decode(stderr) };
}

test("get to standard output writes the bytes and nothing else, with - and with --out -", () =>
  withFiles({ big: BIG }, async (port) => {
    for (const words of [["get", "big", "-"], ["get", "big", "--out", "-"]]) {
      const { status, out, err } = await toOutput(port, ...words);
      assertEquals([status, sha256(out)], [0, sha256(BIG)], words.join(" "));
      assertMatch(err, /^got big: 8000000 bytes, .*digest right\n$/);
    }
  }));

test("standard output takes one file, and no events besides; a lie on it is a failure", async () => {
  await withFiles({ a: "", b: "" }, async (port) => {
    const { status, err } = await toOutput(port, "get", "a", "b", "-");
    assertEquals([status, err.includes("standard output takes one file")], [2, true]);
    const { failure } = await client(port, ["get", "a"], { out: "-", json: true });
    assertEquals([failure?.kind, failure?.message], ["usage", "--json and --out - both want standard output"]);
  });
  await withLiar(() => `OK 5 ${sha256("hello")}\nHELLO`, async (port) => {
    const { status, out, err } = await toOutput(port, "get", "x", "-");
    assertEquals([status, new TextDecoder().decode(out)], [1, "HELLO"]);
    assertStringIncludes(err, "x: the digest is wrong: what came is not what was sent");
  });
});

for (const wire of ["line", "raw"]) {
  test(`with --wire ${wire} nothing more is taken while standard output is slow`, () =>
    withFiles({ big: BIG }, async (port) => {
      const hash = createHash("sha256");
      const write = async (bytes: Uint8Array) => {
        await settle();
        hash.update(bytes);
      };
      const console = Object.assign(new FakeConsole([]), { write });
      const { failure } = await client(port, ["get", "big"], { out: "-" }, { wire, console });
      assertEquals([failure, hash.digest("hex")], [null, sha256(BIG)]);
    }));
}

test("with --json all that is printed is JSON", () =>
  withFiles({ a: "first", b: "second" }, async (port) => {
    const out = folder();
    const lines = async (words: string) => {
      const { out } = await runProgram(`connect files 127.0.0.1:${port} ${words} --json`);
      return out.trimEnd().split("\n").map((line) => JSON.parse(line));
    };
    assertEquals(await lines("list"), [{ event: "file", name: "a", size: 5 }, { event: "file", name: "b", size: 6 }]);
    assertEquals(await lines("stat a"), [{ event: "stat", name: "a", size: 5, sha256: sha256("first") }]);
    const [{ seconds, ...got }] = await lines(`get a --out ${out}`);
    assertEquals([got, seconds >= 0], [{ event: "got", name: "a", bytes: 5, size: 5, path: `${out}/a` }, true]);
  }));

test("the exit status says what kind of failure it was", () =>
  withFiles({ a: "first" }, async (port) => {
    const status = async (words: string) => (await runProgram(`connect files 127.0.0.1:${port} ${words}`)).status;
    const out = folder({ a: "other" });
    assertEquals(await status("list"), 0);
    assertEquals(await status("get nothing"), 1);
    assertEquals(await status(`get a --out ${out}`), 2);
    assertEquals([await status("fetch a"), await status("get"), await status("list a")], [2, 2, 2]);
    assertEquals(await status(`get a --out ${out}/nowhere`), 3);
    assertEquals((await runProgram("connect files 127.0.0.1:1 list")).status, 1);
  }));

test("a script from standard input is obeyed, and its status is that of its lines", () =>
  withFiles({ a: "first" }, async (port) => {
    const run = (input: string) => runProgram(`connect files 127.0.0.1:${port} --out ${folder()}`, { input });
    const good = await run("list\nget a\n");
    assertEquals([good.status, good.out.split("\n")[0]], [0, "5 B  a"]);
    assertMatch(good.out, /^got a: 5 bytes, /m);
    assertEquals((await run("get nothing\nget a\n")).status, 1);
  }));

test("Ctrl-C in the middle of a download leaves a part, with which the next one goes on", async () => {
  const out = folder();
  const half = 4 * MB;
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.line();
    await peer.send(`OK ${BIG.length} ${sha256(BIG)}\n`, BIG.subarray(0, half));
    await peer.rest();
  }, async (port) => {
    await using program = new Program(`connect files 127.0.0.1:${port} get big --out ${out}`);
    const part = () => Deno.stat(`${out}/big.netlab-part`).then(({ size }) => size, () => 0);
    await within(
      (async () => {
        while (await part() < half);
      })(),
      "the part",
    );
    program.signal("SIGINT");
    const { status, err } = await program.result();
    assertEquals(status, 130);
    assertMatch(err, /^interrupted: 4 MB of big are here; get it again, and it goes on from there\n$/);
  });
  assertEquals(found(out), { "big.netlab-part": sha256(BIG.subarray(0, half)) });
  await withFiles({ big: BIG }, async (port) => {
    const { console } = await get(port, out, "big");
    assertEquals([console.events[0].bytes, found(out)], [BIG.length - half, { big: sha256(BIG) }]);
  });
}, skipUnlessSignals());

test("whoever leaves in the middle of several files is told of each, and the server sees them end", async () => {
  const out = folder();
  const ends = new Set<string>();
  let leave = () => {};
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    const name = (await peer.line()).split(" ")[1];
    await peer.send(`OK 1000 ${sha256(name)}\n`, new Uint8Array(100));
    while (!found(out)[`${name}.netlab-part`]) await settle();
    if (ends.add(`begun ${name}`).size === 4) leave();
    await peer.rest();
    ends.add(name);
  }, async (port) => {
    const changes = { onInterrupt: (fn: () => void) => void (leave = fn) };
    const { console, failure } = await client(port, ["get", "a", "b", "c", "d", "e"], { out }, changes);
    assertEquals([failure?.kind, console.printed], ["interrupted", []]);
    const note = (name: string) => `interrupted: 100 B of ${name} are here; get it again, and it goes on from there`;
    assertEquals(console.notes.toSorted(), ["a", "b", "c", "d"].map(note));
    await eventually("the ends of the connections", () => ends.size === 8);
  });
  assertEquals(Object.keys(found(out)), ["a", "b", "c", "d"].map((name) => `${name}.netlab-part`));
});

test("of a bare name nothing says how much is missing: whoever leaves in the middle is told that nothing is kept", async () => {
  const out = folder();
  let leave = () => {};
  await withListener(async (conn) => {
    const peer = new Peer(conn);
    await peer.send("", new Uint8Array(1000));
    while (!found(out)["big.netlab-part"]) await settle();
    leave();
    await peer.rest();
  }, async (port) => {
    const changes = { wire: "raw", onInterrupt: (fn: () => void) => void (leave = fn) };
    const { console, failure } = await client(port, ["get", "big"], { out }, changes);
    assertEquals([failure?.kind, console.notes], ["interrupted", ["interrupted: nothing of big is kept"]]);
  });
  assertEquals(found(out), {});
});

/** A server that sends 100 bytes of 1000, and no more. */
async function sendBeginning(conn: Deno.TcpConn): Promise<void> {
  const peer = new Peer(conn);
  await peer.line();
  await peer.send(`OK 1000 ${sha256("x")}\n`, new Uint8Array(100));
  await peer.rest();
}

test("Ctrl-C at a prompt leaves, and in the middle of a file says where it stopped", async () => {
  const out = folder();
  await withListener(sendBeginning, async (port) => {
    await using screen = await Screen.run(`connect files 127.0.0.1:${port} --out ${out}`, { columns: 100 });
    await screen.shows(/^>$/);
    await screen.type("get big\n");
    await screen.shows(/█.* big/);
    await screen.press("C-c");
    await screen.shows(/^interrupted: 100 B of big are here; get it again, and it goes on from there$/);
    await screen.endsWith("status 130", "echo icanon isig");
  });
  await using idle = await Screen.run("connect files 127.0.0.1:1 --quiet");
  await idle.shows(/^>$/);
  await idle.press("C-c");
  await idle.is("status 130", "echo icanon isig");
}, needsTmux());

test("Ctrl-C on a terminal takes the progress away and says how to go on", async () => {
  const out = folder();
  await withListener(sendBeginning, async (port) => {
    await using screen = await Screen.run(`connect files 127.0.0.1:${port} get big --out ${out}`, { columns: 100 });
    await screen.shows(/█.* big/);
    await screen.press("C-c");
    await screen.is(
      "interrupted: 100 B of big are here; get it again, and it goes on from there",
      "status 130",
      "echo icanon isig",
    );
  });
}, needsTmux());

test(
  "two that fetch one file into one folder do not spoil it: one of them may be told to wait",
  () =>
    withFiles({ big: BIG }, async (port) => {
      const out = folder();
      const both = await Promise.all([get(port, out, "big"), get(port, out, "big")]);
      assertEquals(found(out), { big: sha256(BIG) });
      for (const { console, failure } of both) {
        if (failure === null) assertMatch(console.printed.join(), /^(got big: |big: it is here already)/);
        else {
          const what = `harness: ${out}/big is just being fetched by another program`;
          assertEquals(`${failure.kind}: ${failure.message}`, what);
        }
      }
      assert(both.some(({ failure }) => failure === null), "neither has it");
    }),
  { ignore: !CAN_LOCK },
);

test("a part that is a link is not written through", () =>
  withFiles({ file: "content" }, async (port) => {
    const out = folder();
    const victim = `${folder({ victim: "mine" })}/victim`;
    Deno.symlinkSync(victim, `${out}/file.netlab-part`);
    const { failure } = await get(port, out, "file");
    assertEquals(failure?.message, `cannot write ${out}/file: file.netlab-part is a link`);
    assertEquals(Deno.readTextFileSync(victim), "mine");
  }), skipIf(Deno.build.os === "windows" ? "links need a privilege on Windows" : null));

/** A server as the course's first ones: one read is a name, what follows is the content, and the end is its end. */
const withBare = (contents: Readonly<Record<string, string | Uint8Array>>, fn: (port: number) => Promise<void>) =>
  withListener(async (conn) => {
    const name = new Uint8Array(1024);
    const length = await conn.read(name) ?? 0;
    await new Peer(conn).send(contents[new TextDecoder().decode(name.subarray(0, length))] ?? "Error: File not found");
  }, fn);

test("with --wire raw a name is all that is said, and what comes until the end is the file", () =>
  withBare({ "a b": "hello\n", empty: "", "errors.txt": "errors\n", big: BIG }, async (port) => {
    const out = folder({ "a b.netlab-part": "of another" });
    const { console, failure } = await client(port, ["get", "a b", "empty", "errors.txt", "big"], { out }, {
      wire: "raw",
    });
    assertEquals(failure, null);
    assertEquals(found(out), { "a b": "hello\n", big: sha256(BIG), empty: "", "errors.txt": "errors\n" });
    assertStringIncludes(console.printed[0], "and nothing says whether that is all");
    const again = await client(port, ["get", "a b"], { out }, { wire: "raw" });
    assertEquals([again.failure, again.console.printed], [null, ["a b: it is here already, and the same"]]);
  }));

test("with --wire raw a refusal is none of the file, another file is kept, and nothing is left of either", () =>
  withBare({ mine: "theirs" }, async (port) => {
    const out = folder({ mine: "mine" });
    const wire = "raw";
    const missing = await client(port, ["get", "nothing"], { out }, { wire });
    assertEquals([missing.failure?.kind, missing.failure?.message], [
      "reply",
      "the server says: Error: File not found",
    ]);
    const other = await client(port, ["get", "mine"], { out }, { wire });
    assertEquals([other.failure?.kind, other.failure?.hint], ["usage", "--overwrite replaces it"]);
    assertEquals(found(out), { mine: "mine" });
    const list = await client(port, ["list"], { out }, { wire });
    assertEquals(list.failure?.kind, "usage");
  }));

test("netlab's server gives a client with --wire raw the same", () =>
  withFiles({ "hello.txt": "hello\n" }, async (port) => {
    const out = folder();
    const { failure } = await client(port, ["get", "hello.txt"], { out }, { wire: "raw" });
    assertEquals([failure, found(out)], [null, { "hello.txt": "hello\n" }]);
  }));

test("a refusal that ends the connection of a full server is shown as it is", () =>
  withLiar(() => "ERROR server full: 1 client\n", async (port) => {
    const { failure } = await client(port, ["list"]);
    assertEquals(failure?.message, "the server says: ERROR server full: 1 client");
  }));
