// Streams over real sockets: what is kept is what was sent, at its pace and through a bad network; who gets no stream; who is
// dropped; names; damage; pause and seek; the checks.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { sizeOf } from "../lib/exercises/own_file.ts";
import { connectStream } from "../lib/exercises/stream/client.ts";
import { readWithoutOffsets } from "../lib/exercises/stream/medium.ts";
import { stream } from "../lib/exercises/stream/mod.ts";
import { MAX_CLIENTS } from "../lib/exercises/stream/defaults.ts";
import { makeNotation } from "../lib/exercises/stream/framing.ts";
import { FileSink, OutputSink } from "../lib/exercises/stream/sinks.ts";
import { runGrading } from "../lib/grade/grading.ts";
import { formatAddress } from "../lib/net/conn.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { decodeLossy, escapeBytes } from "../lib/protocol/text.ts";
import { connectContext, FakeConsole, temporaryFolder } from "./chat_helpers.ts";
import { runProgram } from "./cli_helpers.ts";
import { bytes, collect, eventually, test, within } from "./helpers.ts";
import { countReordered, makeWav, receive, receivingFails, Relay, Stranger, StreamServer } from "./stream_helpers.ts";

const wav = makeWav(1);
/** A FLAC of a header alone, which says that there are blocks of 4608 samples. */
const EMPTY_FLAC = bytes(
  "fLaC",
  Uint8Array.of(0x80, 0, 0, 34, 0x12, 0, 0x12, 0),
  new Uint8Array(6),
  Uint8Array.of(0x0a, 0xc4, 0x40, 0xf0),
  new Uint8Array(20),
);
/** A box of an MP4: its length, its type, and what is in it, of which numbers are of 32 bits. */
function box(type: string, ...parts: (string | number | Uint8Array)[]): Uint8Array {
  const body = bytes(...parts.map((part) => typeof part === "number" ? u32(part) : part));
  return bytes(u32(8 + body.length), type, body);
}
const u32 = (number: number) => Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
/** An MP4 of one sample, of which each of eight entries says when 2147483647 more are shown. */
function makeWildMp4(): Uint8Array {
  const esds = "0380808022000100048080801440150000000001f4000001f4000580808002121006808080 0102".replace(" ", "");
  const entry = [0, 1, 0, 0, 0x20010, 0, 44_100 << 16, box("esds", 0, Uint8Array.fromHex(esds))];
  const stbl = box(
    "stbl",
    box("stsd", 0, 1, box("mp4a", ...entry)),
    box("stts", 0, 1, 1, 1024),
    box("ctts", 0, 8, ...Array.from({ length: 8 }, () => [0x7fff_ffff, 0]).flat()),
    box("stsc", 0, 1, 1, 1, 1),
    box("stsz", 0, 0, 1, 100),
    box("stco", 0, 1, 40),
  );
  const media = [box("mdhd", 0, 0, 0, 44_100, 1024, 0x55c4_0000), box("hdlr", 0, 0, "soun", 0, 0, 0, 0)];
  const track = [box("tkhd", 7, 0, 0, 1, 0, 23, ...new Array(15).fill(0)), box("mdia", ...media, box("minf", stbl))];
  const movie = box("moov", box("mvhd", 0, 0, 0, 1000, 23, 0x1_0000, ...new Array(19).fill(0)), box("trak", ...track));
  return bytes(box("ftyp", "isom", 512, "isommp41"), box("mdat", new Uint8Array(100)), movie);
}
const output = () => `${temporaryFolder()}/out.wav`;

test("what is kept is what the server has, to the bit", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  const out = output();
  const console = await receive(server.port, "a.wav", { out });
  assertEquals(Deno.readFileSync(out), wav);
  assertMatch(console.printed[0], /^received a\.wav: 16044 bytes in \d+ datagrams, \d\.\d\d s/);
  const { event, name, lost, reordered, duplicates, gaps, bytes, missing } = console.events[0];
  assertEquals(
    [event, name, lost, reordered, duplicates, gaps, bytes, missing],
    ["streamed", "a.wav", 0, 0, 0, 0, 16_044, 0],
  );
  assertStringIncludes(console.notes.join("\n"), "a.wav: audio/wav, 16 kB, 0:01, 128 kbit/s");
  await server.console.shows("played to its end");
  await eventually("the server to forget the client", () => server.clientCount === 0);
});

test("it takes as long as the medium lasts (2.5 s; bench/stream.ts measures how exactly)", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(2.5) });
  using stranger = new Stranger(server.port);
  await stranger.ask(1, "a.wav");
  await stranger.hearOf("INFO");
  const seen: { at: number; offset: number }[] = [];
  for (let text = await stranger.hear(); !text.startsWith("FIN "); text = await stranger.hear()) {
    const offset = Number(/ offset=(\d+) /.exec(text)?.[1]);
    seen.push({ at: performance.now(), offset });
  }
  const [first, last] = [seen[0], seen.at(-1)!];
  const rate = 1000 * (last.offset - first.offset) / (last.at - first.at);
  assertLess(Math.abs(rate / (makeWav(2.5).length / 2.5) - 1), 0.1);
});

test("a damaged file, in which a duration is looked for for ever, is sent without it, and others are served", async () => {
  await using server = await StreamServer.start({ "damaged.flac": EMPTY_FLAC, "a.wav": wav });
  const [out, other] = [output(), output()];
  const receiving = receive(server.port, "damaged.flac", { out });
  await receive(server.port, "a.wav", { out: other });
  const { notes } = await receiving;
  assertEquals([Deno.readFileSync(out), Deno.readFileSync(other)], [EMPTY_FLAC, wav]);
  assertStringIncludes(notes.join("\n"), "damaged.flac: 42 B, 128 kbit/s (assumed: ");
});

test("a file that claims billions of samples has the duration of those that are there", async () => {
  const wild = makeWildMp4();
  await using server = await StreamServer.start({ "wild.mp4": wild });
  const out = output();
  const { notes } = await receive(server.port, "wild.mp4", { out });
  assertEquals(Deno.readFileSync(out), wild);
  assertStringIncludes(notes.join("\n"), `wild.mp4: audio/mp4, ${wild.length} B, 0:00, 248 kbit/s`);
});

test("what an MP4 claims of its samples is skipped, wherever the pieces that are read of it end", async () => {
  const wild = makeWildMp4();
  const reader = { read: (offset: number, length: number) => Promise.resolve(wild.slice(offset, offset + length)) };
  for (let pieceBytes = 1; pieceBytes <= 8; pieceBytes++) {
    const got: Uint8Array[] = [];
    for (let start = 0; start < wild.length; start += pieceBytes) {
      got.push(await readWithoutOffsets(reader, start, Math.min(start + pieceBytes, wild.length), wild.length));
    }
    assertEquals(decodeLossy(bytes(...got)), decodeLossy(wild).replace("ctts", "free"));
  }
});

test("each client has its own pace, and its own place", async () => {
  await using server = await StreamServer.start({ "slow.wav": wav, "fast.wav": makeWav(1, 44_100) });
  const outs = [output(), output(), output()];
  const begun = performance.now();
  await Promise.all([
    receive(server.port, "slow.wav", { out: outs[0] }),
    receive(server.port, "fast.wav", { out: outs[1] }),
    receive(server.port, "slow.wav", { out: outs[2], start: 500 }),
  ]);
  assertGreaterOrEqual(performance.now() - begun, 800);
  assertEquals(Deno.readFileSync(outs[0]), wav);
  assertEquals(Deno.readFileSync(outs[1]), makeWav(1, 44_100));
  assertEquals(Deno.readFileSync(outs[2]).subarray(8020), wav.subarray(8020));
});

test("--rate says how fast, and where nothing does, it is said what is assumed", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(20_000));
  await using fast = await StreamServer.start({ "noise.bin": noise }, { rate: 200_000 });
  const out = output();
  const said = await receive(fast.port, "noise.bin", { out });
  assertEquals(Deno.readFileSync(out), noise);
  assertStringIncludes(said.notes.join(), "1.6 Mbit/s");
  await using slow = await StreamServer.start({ "noise.bin": noise });
  using stranger = new Stranger(slow.port);
  await stranger.ask(1, "noise.bin");
  assertEquals(await stranger.hear(), 'INFO session=1 size=20000 duration=unknown rate=16000 assumed ""');
  // What is sent at half of its rate lasts twice as long as it does.
  await using half = await StreamServer.start({ "a.wav": makeWav(2, 44_100) }, { rate: 44_100 });
  using other = new Stranger(half.port);
  await other.ask(1, "a.wav");
  assertMatch(await other.hear(), /^INFO session=1 size=176444 duration=4001 rate=44100 "audio\/wav/);
});

test("5 % loss and reordering on a real network: the report agrees, the player's side goes on, --out fails", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(2, 44_100) });
  await using relay = new Relay(server.port, { loss: 0.05, reorder: 0.2, reorderMs: 100, delayMs: 5 }, 11);
  const out = output();
  const console = new FakeConsole([]);
  assertMatch(await receivingFails(relay.port, "a.wav", { out }, console), /^transport: data are missing in /);
  const { lost, packets, reordered, duplicates, jitterMs, missing, bytes } = console.events[0] as Record<
    string,
    number
  >;
  assertEquals([lost, packets + lost, duplicates], [relay.lost, relay.plan.tally.pieces, 0]);
  assertEquals(missing, makeWav(2, 44_100).length - bytes);
  assert(lost > 0);
  // What leaves the relay within the same moment may change places once more.
  const expected = countReordered(relay.delivered.map(({ seq }) => seq));
  assertLess(Math.abs(reordered - expected), 3 + expected / 10);
  assert(jitterMs > 3, `jitter ${jitterMs}`); // how much there is at most is up to the machine
  const plain = await receive(relay.port, "a.wav", {});
  assertEquals(plain.events[0].event, "streamed"); // who only plays it has not failed
});

test("an address that has not returned the cookie gets 64 bytes at most, however much it asks", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  using stranger = new Stranger(server.port);
  for (let i = 0; i < 50; i++) {
    await stranger.say(`REQUEST session=${i} start=0 "a.wav"`, "REPORT session=1 seq=0 lost=0 jitter=0");
    await stranger.say("FIN session=3 seq=0", `CONTROL session=${i} seq=1 seek position=5 first=0`);
    await stranger.say(`REQUEST session=${i} start=0 cookie=00112233445566778899aabbccddeeff "a.wav"`);
  }
  // Another one gets an answer, and so has all of this been seen.
  using other = new Stranger(server.port);
  await other.say('REQUEST session=1 start=0 "a.wav"');
  await other.hearOf("COOKIE");
  let bytes = 0;
  const end = new Uint8Array([0xff]);
  await stranger.socket.send(end, stranger.socket.addr);
  for (let datagram; (datagram = await stranger.receiveBytes()).length > 1;) bytes += datagram.length;
  assert(bytes > 0 && bytes <= 64, `${bytes} bytes`);
  assertEquals(server.clientCount, 0);
});

test("a cookie is good for the address and the session that it was given to, and no other", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  using owner = new Stranger(server.port);
  using thief = new Stranger(server.port);
  const { codec } = makeNotation();
  await owner.say('REQUEST session=1 start=0 "a.wav"');
  const cookie = await owner.receiveBytes();
  codec.decode(cookie);
  await thief.sendBytes(codec.encode('REQUEST session=1 start=0 cookie=* "a.wav"') as Uint8Array);
  assertEquals(await thief.hear(), "COOKIE session=1 cookie=*");
  assertEquals(server.clientCount, 0);
});

test("a client that vanishes is dropped within seconds, and its file closed", async () => {
  const trace = collect(["open", "close", "note"]);
  await using server = await StreamServer.start({ "a.wav": makeWav(600) }, {}, { limits: { idleMs: 400 }, trace });
  {
    using stranger = new Stranger(server.port);
    await stranger.ask(1, "a.wav");
    await stranger.hearOf("DATA");
  }
  const { reason } = await trace.until("its end", ({ type }) => type === "close");
  assertEquals(reason, "no report for 0.4 s");
  await eventually("the server to forget it", () => server.clientCount === 0);
});

test("a client that leaves while its file is being opened is not served", async () => {
  const trace = collect(["close"]);
  await using server = await StreamServer.start({ "a.wav": makeWav(600) }, {}, { trace });
  using stranger = new Stranger(server.port);
  await stranger.ask(1, "a.wav");
  await stranger.say("FIN session=1 seq=0");
  const { reason } = await trace.until("its end", ({ type }) => type === "close");
  assertEquals(reason, "it left");
  await eventually("the server to forget the client", () => server.clientCount === 0);
});

test("help says after which silence a client of a stream is gone", async () => {
  const { out } = await runProgram("help serve stream");
  assertMatch(out, /--idle DURATION +silence after which a client is sent away \[5s\]/);
});

test("more clients than allowed are told so", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(60) }, {}, { limits: { maxClients: 1 } });
  using first = new Stranger(server.port);
  await first.ask(1, "a.wav");
  await first.hearOf("INFO");
  using second = new Stranger(server.port);
  await second.ask(2, "a.wav");
  assertEquals(await second.hear(), 'ERROR session=2 code=9 "1 client is being served"');
  assert(MAX_CLIENTS > 100);
});

test("the trace has what strangers say and are told, and whose bytes are whose", async () => {
  const trace = collect(["open", "message", "bytes", "note"]);
  await using server = await StreamServer.start({ "a.wav": makeWav(60) }, {}, { trace, limits: { maxClients: 2 } });
  using stranger = new Stranger(server.port);
  const address = formatAddress(stranger.socket.addr as Deno.NetAddr);
  await stranger.sendBytes(bytes("hello"));
  const notes = () => trace.of("note").map(({ text }) => `${text}`);
  await eventually("a note", () => notes().length === 1);
  assertEquals(notes(), [`${address} sent no PDU: (truncated PDU: 5 bytes, a header has 14) hello`]);
  await stranger.say("REPORT session=9 seq=0 lost=0 jitter=0");
  await stranger.hear();
  const [, said] = notes();
  const answer = 'ERROR session=9 code=8 "no such session"';
  assertEquals(said, `${address} has no stream: REPORT session=9 seq=0 lost=0 jitter=0 is answered with ${answer}`);
  for (const session of [1, 2]) {
    using client = new Stranger(server.port);
    await client.ask(session, "a.wav");
    await client.hearOf("DATA");
  }
  await stranger.ask(3, "a.wav");
  await stranger.hear();
  assertEquals(notes().at(-1), `${address} was told: 2 clients are being served`);
  const ids = trace.of("open").map(({ id }) => id);
  assertEquals(ids.length, 2);
  const bytesOf = (id: unknown) => trace.of("bytes").filter((event) => event.id === id && event.direction === "out");
  const sent = (id: unknown) => trace.of("message").filter((event) => event.id === id && event.direction === "out");
  for (const id of ids) assertEquals(bytesOf(id).length, sent(id).length);
});

test("no name leads out of the folder", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  Deno.mkdirSync(`${server.dir}/sub`);
  Deno.writeFileSync(`${server.dir}/sub/b.wav`, wav);
  Deno.symlinkSync("/etc/hostname", `${server.dir}/link.wav`);
  Deno.symlinkSync(`${server.dir}/sub`, `${server.dir}/folder.wav`);
  using stranger = new Stranger(server.port);
  await stranger.say('REQUEST session=1 start=0 "a.wav"');
  await stranger.hearOf("COOKIE");
  const names = [
    "../a.wav",
    "/etc/hostname",
    "sub/b.wav",
    "sub\\\\b.wav",
    ".",
    "..",
    "",
    "link.wav",
    "folder.wav",
    "sub",
    "a.wav\\x00",
    "a.wav ",
    ...(Deno.build.os === "linux" ? ["A.WAV"] : []), // elsewhere it is the same file
    "%2e%2e/a.wav",
    "CON",
    "none.wav",
    "\\x1b[2J",
  ];
  for (const name of names) {
    await stranger.say(`REQUEST session=1 start=0 cookie=* "${name}"`);
    assertMatch(await stranger.hear(), /^ERROR session=1 code=[234] "/, name);
  }
  assertMatch(await receivingFails(server.port, "none.wav"), /^reply: the server says: no such file: none\.wav$/);
});

test("pause, resume and seek from a script", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(20) });
  const console = new FakeConsole();
  const receiving = receive(server.port, "a.wav", {}, console);
  await console.shows("a.wav: audio/wav");
  console.type("pause");
  await console.shows("pause at 0:00");
  const wrong = ["seek", "seek soon", "seek -1", "seek 1 2", "pause 5", "resume 5", "dance"];
  console.type("seek 19.5", ...wrong);
  await console.shows("seek at 0:19");
  for (const line of wrong) await console.shows(`not a command: ${line} (pause, resume, seek SECONDS, quit)`);
  console.type("resume");
  await receiving;
  assertEquals([console.events[0].lost, console.events[0].missing], [0, null]);
});

test("a pause is no reason to miss anything", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  const { notes, events } = await receive(
    server.port,
    "a.wav",
    { out: output() },
    new FakeConsole(["pause", "resume"]),
  );
  assert(notes.includes("resume at 0:00"), notes.join("\n"));
  assertEquals(events[0].missing, 0);
});

test("where a script ends with a pause, it goes on: nobody else could say so", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(0.5) });
  const console = await receive(server.port, "a.wav", {}, new FakeConsole(["pause"]));
  assertEquals([console.events[0].bytes, console.notes.slice(-2)], [makeWav(0.5).length, [
    "pause at 0:00",
    "resume at 0:00",
  ]]);
});

test("quit ends it, and the server knows", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(20) });
  const console = new FakeConsole();
  const receiving = receive(server.port, "a.wav", {}, console);
  await console.shows("a.wav: audio/wav");
  console.type("quit");
  await receiving;
  await server.console.shows("(it left)");
});

test("a server that shuts down says so", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(20) });
  const console = new FakeConsole([]);
  const failing = receivingFails(server.port, "a.wav", {}, console);
  await console.shows("a.wav: audio/wav");
  await server.server.shutdown(1000);
  assertEquals(await failing, "reply: the server says: the server is shutting down");
});

test("--json and --out - exclude each other, and a file has to be named", async () => {
  assertEquals(
    await receivingFails(9, "a.wav", { out: "-", json: true }),
    "usage: --json and --out - both want standard output",
  );
  assertEquals(await receivingFails(9, "", {}), "usage: no file named");
});

test("a file that cannot be written is said before anything is kept", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  assertMatch(
    await receivingFails(server.port, "a.wav", { out: "/nonexistent/x" }),
    /^harness: cannot write \/nonexistent\/x/,
  );
});

test("when standard output can no longer be written, that is why it ends, and when", async () => {
  const fails = () => {
    const write = () => Promise.reject(new NetlabError("harness", "the disk is full"));
    return Object.assign(new FakeConsole([]), { write });
  };
  await using server = await StreamServer.start({ "a.wav": makeWav(10) });
  assertEquals(await receivingFails(server.port, "a.wav", { out: "-" }, fails()), "harness: the disk is full");
  await server.console.shows("(it left)");
  await using bare = await StreamServer.start({ "a.wav": makeWav(10) }, {}, { wire: "seed" });
  assertEquals(await receivingFails(bare.port, "a.wav", { out: "-" }, fails(), "seed"), "harness: the disk is full");
});

test("a file that is there is kept, and replaced only with --overwrite", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(0.2) });
  const out = `${temporaryFolder()}/a.wav`;
  Deno.writeTextFileSync(out, "mine");
  assertEquals(await receivingFails(server.port, "a.wav", { out }), `usage: ${out} is there already`);
  assertEquals(Deno.readTextFileSync(out), "mine");
  await receive(server.port, "a.wav", { out, overwrite: true });
  assertEquals(Deno.readFileSync(out), makeWav(0.2));
});

test("a file that has come since it was looked for is kept; a device is written to", () => {
  const out = output();
  Deno.writeTextFileSync(out, "mine");
  const { message, hint } = assertThrows(() => new FileSink(out, false), NetlabError);
  assertEquals([message, hint], [`${out} is there already`, "--overwrite replaces it"]);
  assertEquals(Deno.readTextFileSync(out), "mine");
  if (Deno.build.os !== "windows") new FileSink("/dev/null", false).finish();
});

test("quit with --out is a good end, which says how much was kept", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(60) });
  const out = `${temporaryFolder()}/a.wav`;
  const console = new FakeConsole();
  const receiving = receive(server.port, "a.wav", { out }, console);
  await eventually("something to be kept", () => sizeOf(out) > 5000);
  console.type("quit");
  await receiving;
  const [{ bytes, missing, quit }] = console.events as unknown as { bytes: number; missing: number; quit: boolean }[];
  assertEquals([bytes, quit, bytes + missing], [sizeOf(out), true, makeWav(60).length]);
  assertEquals(console.notes.at(-1), `${bytes} of ${makeWav(60).length} bytes are in ${out}`);
  assert(!console.printed.join().includes("missing"), console.printed.join());
});

test("when the server vanishes, what has come is kept and reported, and why no more comes", async () => {
  const server = await StreamServer.start({ "a.wav": makeWav(60) });
  using other = new Stranger(server.port);
  await other.ask(1, "a.wav");
  await other.hearOf("INFO"); // the server knows the file now, and answers within --idle
  const out = `${temporaryFolder()}/a.wav`;
  const console = new FakeConsole();
  const failing = assertRejects(
    () =>
      within(
        connectStream(connectContext(server.port, console, {
          transport: "udp",
          wire: "pdu",
          args: ["a.wav"],
          idleMs: 300,
          options: { play: "none", out },
        })),
        "the end of the client",
      ),
    NetlabError,
  );
  await eventually("something to be kept", () => sizeOf(out) > 5000);
  await server[Symbol.asyncDispose]();
  const { kind, message } = await failing;
  assertEquals([kind, message], ["timeout", `127.0.0.1:${server.port}: the server has said nothing for 0.3 s`]);
  const [{ event, bytes, missing }] = console.events;
  assertEquals([event, bytes, missing], ["streamed", sizeOf(out), makeWav(60).length - sizeOf(out)]);
  assertMatch(
    console.printed.join("\n"),
    /^received a\.wav: \d+ bytes in .*\n {2}lost .*\n {2}\d+ bytes of the file are missing$/,
  );
});

test("a server that answers in another form is said to answer, and how that looks; silence is silence", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const fail = (name: string) =>
    assertRejects(() =>
      within(
        connectStream(connectContext(port, new FakeConsole([]), {
          transport: "udp",
          wire: "pdu",
          args: [name],
          idleMs: 300,
          options: { play: "none" },
        })),
        "the end of the client",
      ), NetlabError);
  const serving = (async () => {
    for await (const [bytes, from] of socket) {
      if (!escapeBytes(bytes).includes("silence")) await socket.send(new TextEncoder().encode("ERROR 4\n"), from);
    }
  })();
  try {
    const { kind, message, hint } = await fail("a.wav");
    assertEquals(kind, "protocol");
    assertMatch(
      message,
      /^127\.0\.0\.1:\d+ answers, but not as a stream's server does: \(truncated PDU: .*\) ERROR 4\\n$/,
    );
    assertStringIncludes(hint!, "--wire seed");
    const silence = await fail("silence");
    assertEquals([silence.kind, silence.message], ["timeout", `127.0.0.1:${port}: no answer for 0.3 s`]);
    assertStringIncludes(silence.hint!, "--wire seed");
  } finally {
    socket.close();
    await serving;
  }
});

for (const wire of ["pdu", "seed"]) {
  test(`Ctrl-C with --out says how much was kept (--wire ${wire})`, async () => {
    await using server = await StreamServer.start({ "a.wav": makeWav(60) }, {}, { wire });
    const out = `${temporaryFolder()}/a.wav`;
    const console = new FakeConsole();
    let leave = () => {};
    const onInterrupt = (fn: () => void) => void (leave = fn);
    const options = { play: "none", out };
    const context = connectContext(server.port, console, {
      transport: "udp",
      wire,
      args: ["a.wav"],
      options,
      onInterrupt,
    });
    const failing = assertRejects(
      () => within(connectStream(context), "the end of the client"),
      NetlabError,
      "interrupted",
    );
    await eventually("something to be kept", () => sizeOf(out) > 5000);
    leave();
    await failing;
    const whole = wire === "pdu" ? ` of ${makeWav(60).length}` : "";
    assertEquals(console.notes.at(-1), `${sizeOf(out)}${whole} bytes are in ${out}`);
  });
}

test("where not all was asked for, it is said that the rest is not kept; --start 0 asks for all", async () => {
  await using server = await StreamServer.start({ "a.wav": wav });
  const notes = async (start?: number) => {
    const { notes, events } = await receive(server.port, "a.wav", { out: output(), start });
    return [notes.filter((note) => !note.startsWith("a.wav: ")), events[0].missing];
  };
  assertEquals(await notes(), [[], 0]);
  assertEquals(await notes(0), [[], 0]);
  assertEquals(await notes(500), [["what was passed over was not asked for, nor kept"], null]);
});

/** What the client says to a server that sends these DATA of a file of ten bytes, and what it prints. */
async function receivingFrom(data: readonly string[], out: string): Promise<[failure: string, console: FakeConsole]> {
  using server = new Stranger(0);
  const codec = makeNotation().codec;
  const answered = server.socket.receive().then(async ([datagram, from]) => {
    const [, session] = /session=(\d+)/.exec(codec.decode(datagram))!;
    const info = `INFO session=${session} size=10 duration=10 rate=1000 ""`;
    const pieces = data.map((piece, seq) => `DATA session=${session} seq=${seq} ${piece}`);
    for (const pdu of [info, ...pieces, `FIN session=${session} seq=${data.length}`]) {
      await server.socket.send(codec.encode(pdu) as Uint8Array, from);
    }
  });
  const console = new FakeConsole([]);
  const failure = await receivingFails((server.socket.addr as Deno.NetAddr).port, "a", { out }, console);
  await answered;
  return [failure, console];
}

test("a server that sends one place twice has left out another, and what was kept is not whole", async () => {
  const out = output();
  const piece = `offset=0 time=0 "abcde"`;
  const [failure, console] = await receivingFrom([piece, piece], out);
  assertEquals(failure, `transport: data are missing in ${out}`);
  assertEquals([console.events[0].lost, console.events[0].missing], [0, 5]);
});

test("a server that goes back has not sent what standard output takes: one piece behind the other", async () => {
  const all = `offset=0 time=0 "abcdefghij"`;
  for (const data of [[all, all], [`offset=5 time=0 "fghij"`, `offset=0 time=0 "abcde"`]]) {
    const [failure] = await receivingFrom(data, "-");
    assertEquals(failure, "protocol: the server goes back to what has been written");
  }
});

test("while nobody reads standard output, no more than 64 MiB wait for it", async () => {
  const { promise: read, resolve } = Promise.withResolvers<void>();
  const sink = new OutputSink(Object.assign(new FakeConsole([]), { write: () => read }));
  const megabyte = new Uint8Array(1_048_576);
  for (let i = 0; i < 65; i++) sink.play(megabyte, 0);
  const { kind, message } = assertThrows(() => sink.play(megabyte, 0), NetlabError);
  assertEquals([kind, message], ["harness", "68157440 bytes wait for who reads standard output"]);
  await assertRejects(() => sink.finish(), NetlabError, message);
  resolve();
});

test("a beginning behind the end is said to be one, and nothing is kept", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(1) });
  const out = `${temporaryFolder()}/a.wav`;
  for (const [start, said] of [[5000, "0:05"], [1000, "0:01"]] as const) {
    const failure = await receivingFails(server.port, "a.wav", { out, start });
    assertEquals(failure, `usage: there is nothing at ${said}: a.wav lasts 0:01`);
  }
  assertEquals(sizeOf(out), 0);
  await receive(server.port, "a.wav", { out, start: 999 });
  assertEquals(Deno.readFileSync(out).subarray(-8), makeWav(1).subarray(-8));
});

test("the checks find a server that streams to anybody", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { codec } = makeNotation();
  const serving = (async () => {
    for await (const [bytes, from] of socket) {
      const session = /session=(\d+)/.exec(codec.decode(bytes))?.[1];
      await socket.send(codec.encode(`INFO session=${session} size=1 duration=unknown rate=1 "x"`) as Uint8Array, from);
    }
  })();
  try {
    const { checks } = await runGrading({
      exercise: stream,
      subject: { type: "address", host: "127.0.0.1", port: (socket.addr as Deno.NetAddr).port },
      port: null,
      seed: 1,
      timeoutMs: 300,
      limitMs: 10_000,
    });
    assertEquals(checks.slice(0, 2).map(({ outcome }) => outcome), ["failed", "failed"]);
    assertEquals(checks[0].failure?.step, "viewer gets COOKIE session=11");
  } finally {
    socket.close();
    await serving;
  }
});
