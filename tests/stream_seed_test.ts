// The seed's own form: its programs, in Python, as clients and as servers; and what that form cannot promise.

import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch, assertRejects } from "@std/assert";
import { connectStream } from "../lib/exercises/stream/client.ts";
import { SEED_COMPLETE_MS, SEED_TRIES, SeedMachine } from "../lib/exercises/stream/seed_machine.ts";
import { isPrivate } from "../lib/exercises/stream/seed_server.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { connectContext, FakeConsole, temporaryFolder } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, collect, type Collected, eventually, skipUnless, test, within } from "./helpers.ts";
import { makeWav, receive, receivingFails, Stranger, StreamServer } from "./stream_helpers.ts";

const PEERS = `${import.meta.dirname}/peers/`;
const python = skipUnless("python3");
const wav = makeWav(1);

/** Both forms, and both endings. */
const FORMS = (["EOF", "END"] as const).flatMap((end) => [true, false].map((size) => ({ end, size })));

for (const { end, size } of FORMS) {
  const form = `${size ? "file name, size first" : "any datagram"}, ${end}`;

  test(`a client of the seed's kind gets the stream (${form})`, async () => {
    await using server = await StreamServer.start(
      { "song.wav": wav },
      { "seed-end": end, "seed-size": size },
      { wire: "seed" },
    );
    const out = `${temporaryFolder()}/out`;
    const request = size ? "song.wav" : "hello";
    const begun = performance.now();
    const words = [`${PEERS}stream_seed_client.py`, `${server.port}`, request, out, end, ...(size ? ["size"] : [])];
    const { status, out: said, err } = await runProgram(words, { command: ["python3"] });
    assertEquals([status, err], [0, ""]);
    assertEquals(Deno.readFileSync(out), wav);
    const [, total, shortest, longest] = /bytes (\d+) shortest (\d+) longest (\d+)/.exec(said)!.map(Number);
    assertEquals(total, wav.length);
    assert(shortest >= 1000 && longest <= 2000, said);
    assertEquals(said.startsWith(`size ${wav.length}\n`), size);
    assertGreaterOrEqual(performance.now() - begun, 850); // in real time
  }, python);

  test(`netlab's client gets the stream of a server of the seed's kind (${form})`, async () => {
    const dir = temporaryFolder();
    Deno.writeFileSync(`${dir}/song.wav`, wav);
    const words = [`${PEERS}stream_seed_server.py`, `${dir}/song.wav`, end, ...(size ? ["size"] : [])];
    await using server = new Program(words, { command: ["python3"] });
    const port = Number(await server.out.line());
    const console = await receive(port, size ? "song.wav" : "", { out: `${dir}/out` }, undefined, "seed");
    assertEquals(Deno.readFileSync(`${dir}/out`), wav);
    assertEquals([console.events[0].bytes, console.events[0].missing], [wav.length, size ? 0 : null]);
    assertEquals((await server.result()).status, 0);
  }, python);
}

test("a seed server that does not have the file is understood", async () => {
  const dir = temporaryFolder();
  Deno.writeFileSync(`${dir}/song.wav`, wav);
  const words = [`${PEERS}stream_seed_server.py`, `${dir}/song.wav`, "EOF", "size"];
  await using server = new Program(words, { command: ["python3"] });
  const port = Number(await server.out.line());
  assertMatch(
    await receivingFails(port, "other.wav", {}, undefined, "seed"),
    /^reply: 127\.0\.0\.1:\d+: the server says: Error: File not found$/,
  );
}, python);

test("in the seed's form, too, no name leads out of the folder, and a name that is none there is no other file", async () => {
  await using server = await StreamServer.start({ "song.wav": wav }, {}, { wire: "seed" });
  for (const name of ["../song.wav", "/etc/passwd", "nothing.mp3", "..\\song.wav"]) {
    using stranger = new Stranger(server.port);
    await stranger.sendBytes(bytes(name));
    assertEquals(new TextDecoder().decode(await stranger.receiveBytes()), "Error: File not found", name);
  }
});

test("one stream an address: who asks again and again gets one", async () => {
  await using server = await StreamServer.start({ "song.wav": makeWav(0.3) }, {}, { wire: "seed" });
  using stranger = new Stranger(server.port);
  for (let i = 0; i < 20; i++) await stranger.sendBytes(bytes("hello"));
  let [came, datagrams] = [0, 0];
  for (let text = ""; text !== "EOF"; datagrams++) {
    const datagram = await stranger.receiveBytes();
    text = new TextDecoder().decode(datagram);
    if (text !== "EOF") came += datagram.length;
  }
  assertEquals(came, makeWav(0.3).length);
  assertLess(datagrams, 8);
});

/** Notes, openings and ends. */
const watch = () => collect(["open", "close", "note"]);

test("what only a server says is no request, and ends what was begun for it", async () => {
  for (const text of ["EOF", "END", "Error: File not found", "error", "x".repeat(256)]) {
    const trace = watch();
    await using server = await StreamServer.start({ "song.wav": makeWav(60) }, {}, { wire: "seed", trace });
    using stranger = new Stranger(server.port);
    await stranger.sendBytes(bytes("song.wav"));
    await stranger.receiveBytes();
    for (const request of [text, "song.wav"]) await stranger.sendBytes(bytes(request));
    await trace.until("the end of it", ({ type }) => type === "close");
    using other = new Stranger(server.port);
    for (const request of [text, "song.wav"]) await other.sendBytes(bytes(request));
    const notes = () =>
      trace.of("note").filter((event) => `${event.text}`.endsWith(" answers as a server does: not served"));
    await eventually("both to be shunned", () => notes().length === 2);
    assertEquals(trace.of("open").length, 1);
  }
});

test("two servers, one of which was asked in the name of the other, do not answer each other for ever", async () => {
  for (const file of [new Uint8Array(5), makeWav(0.3)]) {
    const traces = [watch(), watch()];
    const start = (trace: Collected) =>
      StreamServer.start({ "a.wav": file }, { "seed-size": true }, { wire: "seed", trace });
    await using one = await start(traces[0]);
    await using two = await start(traces[1]);
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    await socket.send(bytes("hello"), { transport: "udp", hostname: "127.0.0.1", port: one.port });
    const relaying = (async () => {
      for await (const [datagram, from] of socket) {
        const port = (from as Deno.NetAddr).port === one.port ? two.port : one.port;
        await socket.send(datagram, { transport: "udp", hostname: "127.0.0.1", port });
      }
    })();
    await traces[1].until("the second to notice", ({ text }) => `${text}`.includes("answers as a server does"));
    await eventually("both to come to rest", () => one.clientCount + two.clientCount === 0);
    // How many it takes until both have noticed is a matter of luck.
    assertLess(traces.flatMap((trace) => trace.of("open")).length, 10);
    socket.close();
    await relaying;
  }
});

test("who is one too many is told so, and it is in the log", async () => {
  const trace = collect(["note"]);
  const changes = { wire: "seed", limits: { maxClients: 1 }, trace };
  await using server = await StreamServer.start({ "song.wav": makeWav(30) }, {}, changes);
  using first = new Stranger(server.port);
  await first.sendBytes(bytes("song.wav"));
  await first.receiveBytes();
  const failure = await receivingFails(server.port, "song.wav", {}, undefined, "seed");
  assertEquals(failure, `reply: 127.0.0.1:${server.port}: the server says: Error: 1 client is being served`);
  assertMatch(`${trace.of("note").at(-1)?.text}`, /^127\.0\.0\.1:\d+ was told: Error: 1 client is being served$/);
});

test("the trace has words as they are, and how many bytes there are of a medium", async () => {
  const trace = collect(["message"]);
  const files = { "song.wav": makeWav(0.04) };
  await using server = await StreamServer.start(files, { "seed-size": true }, { wire: "seed", trace });
  const client = collect(["message"]);
  const options = { play: "none" };
  const changes = { transport: "udp", wire: "seed", args: ["song.wav"], options, trace: client } as const;
  const context = connectContext(server.port, new FakeConsole([]), changes);
  await within(connectStream(context), "the end of the client");
  for (const { events } of [trace, client]) {
    const texts = events.map((event) => `${event.text}`.replace(/^\d+ bytes$/, "bytes"));
    assertEquals(texts, ["song.wav", `${makeWav(0.04).length}`, "bytes", "EOF"]);
  }
});

test("only neighbours are served in the seed's form", () => {
  const near = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.0.7", "169.254.1.1", "::1", "fe80::1"];
  const far = ["8.8.8.8", "172.32.0.1", "172.15.0.1", "192.169.0.1", "11.0.0.1", "128.0.0.1", "2001:db8::1", "::"];
  assertEquals([...near, "fd00::1", "::ffff:10.0.0.1"].filter((host) => !isPrivate(host)), []);
  assertEquals([...far, "::ffff:8.8.8.8"].filter(isPrivate), []);
});

/** A server that answers the first datagram with these. */
async function answering(texts: readonly string[], use: (port: number) => Promise<void>): Promise<void> {
  using server = new Stranger(0);
  const answered = server.socket.receive().then(async ([, from]) => {
    for (const text of texts) await server.socket.send(bytes(text), from);
  });
  await use((server.socket.addr as Deno.NetAddr).port);
  await answered;
}

test("what is missing on standard output is not said to be zeros where there are none", () =>
  answering(["10", "abc", "EOF"], async (port) => {
    const receiving = receive(port, "x", { out: "-" }, new FakeConsole([]), "seed");
    const { message, hint } = await assertRejects(() => receiving, NetlabError);
    assertEquals(`${message}: ${hint}`, "data are missing in what was written: UDP does not send them again");
  }));

test("more than was announced is no success", () =>
  answering(["2", "abc", "EOF"], async (port) => {
    const failure = await receivingFails(port, "x", {}, new FakeConsole([]), "seed");
    assertEquals(failure, `protocol: 127.0.0.1:${port}: 2 bytes were announced, and 3 came`);
  }));

test("an empty file is kept, too", async () => {
  for (const texts of [["EOF"], ["0", "END"]]) {
    await answering(texts, async (port) => {
      const out = `${temporaryFolder()}/empty`;
      await receive(port, "x", { out }, undefined, "seed");
      assertEquals(Deno.statSync(out).size, 0);
    });
  }
});

test("--idle is how long the server may be silent, before its answer and behind it", () => {
  const machine = new SeedMachine("x", 1000);
  machine.step({ type: "start" }, 0);
  assertEquals(machine.deadline(), 1000 / SEED_TRIES, "it is asked as often");
  machine.step({ type: "message", message: bytes("abc") }, 200);
  assertEquals(machine.deadline(), 1200);
  const closed = machine.step({ type: "timer" }, 1200).map((effect) =>
    effect.type === "close" && effect.error?.message
  );
  assertEquals(closed, ["nothing came for 1 s, and neither EOF nor END"]);
});

test("--idle counts with --wire seed", async () => {
  using silent = new Stranger(0);
  const { port } = silent.socket.addr as Deno.NetAddr;
  const options = { play: "none" };
  const context = connectContext(port, new FakeConsole([]), { transport: "udp", wire: "seed", options, idleMs: 100 });
  const { message, hint } = await assertRejects(() => within(connectStream(context), "its end"), NetlabError);
  assertEquals(message, `127.0.0.1:${port}: no answer to ${SEED_TRIES} requests`);
  assertEquals(hint, "is the server running, on this port, and does it speak this form?");
});

test("a lost end is told apart from a lost stream", () => {
  const closes = (machine: SeedMachine, now: number) =>
    machine.step({ type: "timer" }, now).find(({ type }) => type === "close") as { error?: Error } | undefined;
  const asked = new SeedMachine("x");
  asked.step({ type: "start" }, 0);
  for (let i = 1; i < SEED_TRIES; i++) assertEquals(closes(asked, asked.deadline()!), undefined);
  assertEquals(closes(asked, asked.deadline()!)!.error!.message, `no answer to ${SEED_TRIES} requests`);
  const whole = new SeedMachine("x");
  whole.step({ type: "start" }, 0);
  whole.step({ type: "message", message: bytes("3") }, 1);
  whole.step({ type: "message", message: bytes("abc") }, 2);
  assertEquals(whole.deadline(), 2 + SEED_COMPLETE_MS);
  assertEquals(closes(whole, whole.deadline()!)!.error, undefined);
  const cut = new SeedMachine("x");
  cut.step({ type: "start" }, 0);
  cut.step({ type: "message", message: bytes("abc") }, 2);
  assertEquals(closes(cut, cut.deadline()!)!.error!.message, "nothing came for 5 s, and neither EOF nor END");
});
