// Files on sockets, from netlab's sender to netlab's receiver: every scheme on both transports, bad networks, names, sizes, and
// what both ends say when it does not work out.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connectTransfer } from "../lib/exercises/transfer/client.ts";
import { acceptPdu, encodePdu, errorPdu, type Pdu, type Scheme, SCHEMES } from "../lib/exercises/transfer/protocol.ts";
import { formatRate } from "../lib/exercises/transfer/report.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { connectContext, FakeConsole, temporaryFolder, withListener } from "./chat_helpers.ts";
import { eventually, Peer, skipIf, test, within } from "./helpers.ts";
import {
  digestFile,
  FileServer,
  makeSource,
  type Passing,
  Relay,
  sendFiles,
  sendingFails,
  type SendOptions,
  sentReport,
  TRANSPORTS,
  withReceiver,
  withRelay,
  writeLargeFile,
} from "./transfer_socket_helpers.ts";
import { makeFile } from "./transfer_helpers.ts";

const RELIABLE = SCHEMES.filter((scheme) => scheme !== "none");
const EMPTY = new Uint8Array(0);

for (const transport of TRANSPORTS) {
  for (const arq of SCHEMES) {
    test(`${arq} over ${transport}: nothing, 1 byte, a byte less than a chunk, a chunk, one byte more, two chunks`, () =>
      withReceiver(transport, async (receiver) => {
        const sizes = [0, 1, 99, 100, 101, 200];
        const files = sizes.map((size) => makeSource(`${size}.bin`, makeFile(size, size)));
        const { events } = await sendFiles(receiver.port, files, { transport, arq, window: 4 });
        const told = Object.fromEntries(events.map(({ name, bytes, chunks }) => [name, [bytes, chunks]]));
        assertEquals(told, Object.fromEntries(sizes.map((size) => [`${size}.bin`, [size, Math.ceil(size / 100)]])));
        receiver.has(Object.fromEntries(sizes.map((size) => [`${size}.bin`, makeFile(size, size)])));
      }));
  }

  for (const arq of RELIABLE) {
    test(`${arq} over ${transport}: 3 MB`, () =>
      withReceiver(transport, async (receiver) => {
        const file = makeFile(3_000_000);
        const options = { transport, arq, chunk: 1400, window: 64 };
        await sendFiles(receiver.port, [makeSource("large", file)], options);
        receiver.has({ large: file });
      }));
  }
}

test("none over tcp: 3 MB, for TCP loses nothing", () =>
  withReceiver("tcp", async (receiver) => {
    const file = makeFile(3_000_000);
    await sendFiles(receiver.port, [makeSource("large", file)], { arq: "none", chunk: 1400 });
    receiver.has({ large: file });
  }));

const HUGE: [SendOptions & { transport: "tcp" | "udp" }][] = [
  [{ transport: "udp", arq: "selective-repeat", window: 256 }],
  [{ transport: "tcp", arq: "go-back-n", window: 32 }],
];
for (const [options] of HUGE) {
  const { transport, arq, window } = options;
  test(`100 MB in chunks of 1400 arrive over ${transport} by ${arq} with a window of ${window}, in 30 s at most`, () =>
    withReceiver(transport, async (receiver) => {
      const path = `${temporaryFolder()}/huge`;
      const digest = await writeLargeFile(path, 100_000_000);
      const sent = await within(sendFiles(receiver.port, [path], { ...options, chunk: 1400 }), "100 MB", 30_000);
      assertEquals(await digestFile(`${receiver.dir}/huge`), digest);
      assertEquals([sentReport(sent).chunks, receiver.report.bytes], [71_429, 100_000_000]);
      Deno.removeSync(path);
      Deno.removeSync(`${receiver.dir}/huge`);
    }));
}

test("chunks of 65000 bytes arrive in datagrams", () =>
  withReceiver("udp", async (receiver) => {
    const file = makeFile(300_000);
    const options = { transport: "udp", arq: "selective-repeat", chunk: 65_000, window: 2 } as const;
    await sendFiles(receiver.port, [makeSource("wide", file)], options);
    receiver.has({ wide: file });
  }));

for (const transport of TRANSPORTS) {
  test(`over ${transport} names with spaces, of any script, and of 250 bytes arrive as they are`, () =>
    withReceiver(transport, async (receiver) => {
      const names = ["two words.txt", "grüße.txt", "漢字 🦕.bin", ".hidden", "-", "CONTENT", "x".repeat(250)];
      const files = names.map((name) => makeSource(name, makeFile(150, name.length)));
      await sendFiles(receiver.port, files, { transport, arq: "stop-and-wait" });
      receiver.has(Object.fromEntries(names.map((name) => [name, makeFile(150, name.length)])));
    }));

  for (const name of ["../x", "/etc/passwd", "a\\b", "..", ".", "CON", "nul.txt", "", "x.part", "a\0b", "a\nb"]) {
    test(`over ${transport} the name ${JSON.stringify(name)} is refused, and says why`, () =>
      withReceiver(transport, async (receiver) => {
        const failure = await sendingFails(receiver.port, [makeSource("x", makeFile(10))], { transport, as: name });
        assertStringIncludes(failure, `reply: the receiver: not a file name: "`);
        assertStringIncludes(failure, `": it `);
        receiver.has({});
      }));
  }

  test(`over ${transport} a file that is there is not overwritten, and keeps its bytes`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/here`, makeFile(7));
      const failure = await sendingFails(receiver.port, [makeSource("here", makeFile(300, 2))], { transport });
      assertEquals(failure, "reply: the receiver: there is a file here already");
      receiver.has({ here: makeFile(7) });
    }));

  test(`over ${transport} with --overwrite a file takes the place of one of its name`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/here`, makeFile(7000));
      await sendFiles(receiver.port, [makeSource("here", makeFile(300, 2))], { transport });
      receiver.has({ here: makeFile(300, 2) });
    }, { overwrite: true }));

  test(`over ${transport} a file of --max-size is taken, one of a byte more is not`, () =>
    withReceiver(transport, async (receiver) => {
      await sendFiles(receiver.port, [makeSource("fits", makeFile(1000))], { transport });
      const failure = await sendingFails(receiver.port, [makeSource("no", makeFile(1001))], { transport });
      assertEquals(failure, "reply: the receiver: too large: 1001 bytes, the limit is 1000");
      receiver.has({ fits: makeFile(1000) });
    }, { "max-size": 1000 }));

  test(`over ${transport} several files go in one go, and one that is refused is no trouble to the others`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/b`, EMPTY);
      const files = ["a", "b", "c"].map((name) => makeSource(name, makeFile(250, name.charCodeAt(0))));
      const error = await sendingFails(receiver.port, files, { transport, arq: "stop-and-wait" });
      assertEquals(error, "reply: 1 of 3 files were not sent (why is said above)");
      receiver.has({ a: makeFile(250, 97), b: EMPTY, c: makeFile(250, 99) });
    }));

  test(`over ${transport} both ends tell of a file in the same exact numbers`, () =>
    withReceiver(transport, async (receiver) => {
      const options = { transport, arq: "go-back-n", chunk: 64, window: 8 } as const;
      const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], options);
      const same = { name: "a", scheme: "go-back-n", bytes: 1000, chunks: 16, duplicates: 0 };
      assertEquals(sentReport(sent), { event: "sent", ...same, retransmissions: 0, chunk: 64, window: 8 });
      const { from, ...received } = receiver.report;
      assertEquals(received, { event: "received", ...same, failure: null });
      assert(/^127\.0\.0\.1:\d+$/.test(String(from)));
      assert(/^sent a: 1000 bytes in 16 chunks, \d\.\d\d s$/.test(sent.printed[0]), sent.printed[0]);
    }));
}

test("a rate is said in three digits, however small it is", () => {
  assertEquals([0, 0.744437557, 3.456, 1e9 / 3].map(formatRate), ["0 b/s", "0.744 b/s", "3.46 b/s", "333 Mbit/s"]);
});

test("the rates in the report follow from its other numbers", () =>
  withReceiver("udp", async (receiver) => {
    const options = { transport: "udp", arq: "selective-repeat", chunk: 1000, window: 16 } as const;
    const { events: [report], printed } = await sendFiles(receiver.port, [makeSource("a", makeFile(200_000))], options);
    const { seconds, rttMs, goodputBps, allowedBps } = report as Record<string, number>;
    assertEquals([goodputBps, allowedBps], [8 * 200_000 / seconds, 8 * 16 * 1000 / (rttMs / 1000)]);
    const share = Math.round(100 * goodputBps / allowedBps);
    assertStringIncludes(printed[2], `: ${share} % of the `);
    assertStringIncludes(printed[2], "that a window of 16 × 1000 bytes allows");
  }));

test("without acknowledgements the report has no round trip and no share", () =>
  withReceiver("udp", async (receiver) => {
    const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(300))], { transport: "udp" });
    const { scheme, rttMs, allowedBps } = sent.events[0];
    assertEquals([scheme, rttMs, allowedBps, sent.printed.length], ["none", null, null, 2]);
  }));

const BAD = { loss: 0.1, duplicate: 0.1, reorder: 0.1, reorderMs: 10, corrupt: 0.1, jitterMs: 2 };
for (const arq of RELIABLE) {
  test(`${arq} delivers a file through a network that loses, repeats, reorders and changes a tenth, both ways`, () =>
    withRelay({ there: BAD, seed: 7 }, async (relay, receiver) => {
      const file = makeFile(20_000);
      const options = { transport: "udp", arq, window: 16, chunk: 200, timeout: 30, retries: 100 } as const;
      const sent = await sendFiles(relay.port, [makeSource("a", file)], options);
      const { retransmissions, duplicates } = sentReport(sent);
      receiver.has({ a: file });
      assert(Number(retransmissions) > 0 && relay.there.tally.corrupted > 0, "the network was not bad at all");
      assertEquals(receiver.report.duplicates, duplicates);
    }));
}

/** Loses these PDUs, each counted from 0 among its type. */
const losing = (type: Pdu["type"], ...which: number[]) => ({ pdu, nth }: Passing) =>
  pdu?.type === type && which.includes(nth);

for (const type of ["OPEN", "ACCEPT", "DATA", "ACK", "FIN", "DONE"] as const) {
  test(`a lost ${type} is mended by saying it again, and the file is written once`, () =>
    withRelay({ lose: losing(type, 0) }, async (relay, receiver) => {
      const options = { transport: "udp", arq: "stop-and-wait", timeout: 30 } as const;
      const sent = await sendFiles(relay.port, [makeSource("a", makeFile(250))], options);
      receiver.has({ a: makeFile(250) });
      assertEquals(relay.dropped.map((pdu) => pdu.split(" ")[0]), [type]);
      // A busy machine may be later than the timer: what it has sent too often arrives too often.
      const { retransmissions, duplicates } = sentReport(sent);
      assertGreaterOrEqual(Number(retransmissions), type === "DATA" || type === "ACK" ? 1 : 0);
      assertEquals(Number(retransmissions) - Number(duplicates), type === "DATA" ? 1 : 0);
    }));
}

test("where everything was sent twice and no round trip is known, the report says so, and how much was sent again", () =>
  withRelay({ lose: (passing) => losing("OPEN", 0)(passing) || losing("DATA", 0)(passing) }, async (relay) => {
    const options = { transport: "udp", arq: "stop-and-wait", timeout: 100 } as const;
    const { printed } = await sendFiles(relay.port, [makeSource("a", makeFile(50))], options);
    assertMatch(printed[1], /^ {2}[1-9]\d* retransmissions?, \d+ duplicates? at the receiver, no round trip measured$/);
  }));

test("with --once the receiver stays until the sender has heard DONE, the second time", () =>
  withRelay({ lose: losing("DONE", 0) }, async (relay, receiver) => {
    await sendFiles(relay.port, [makeSource("a", makeFile(250))], { transport: "udp", timeout: 30 });
    await within(receiver.server.finished, "the end of the receiver");
    receiver.has({ a: makeFile(250) });
  }, { once: true }));

test("none through a bad network fails at both ends, and says exactly which chunks the network has lost", () =>
  withRelay({ there: { loss: 0.05 }, back: {}, seed: 3 }, async (relay, receiver) => {
    const options = { transport: "udp", arq: "none", timeout: 200 } as const;
    const failure = await sendingFails(relay.port, [makeSource("a", makeFile(20_000))], options);
    const { lostChunks } = relay;
    assert(lostChunks.length > 5, "hardly anything was lost");
    const [, count, list] = /lost (\d+) of 200 chunks: ([\d, -]+)/.exec(failure)!;
    const numbers = list.split(", ").flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    assertEquals([Number(count), numbers], [lostChunks.length, lostChunks]);
    const hint = "--arq selective-repeat sends again what is lost";
    assertEquals(`reply: the receiver: ${receiver.report.failure} (${hint})`, failure);
    assertEquals(receiver.files, ["a.part"]);
  }));

test("of several files one that was lost is told with what to do about it", () =>
  withRelay({ lose: losing("DATA", 0) }, async (relay) => {
    const console = new FakeConsole([]);
    const files = ["a", "b"].map((name) => makeSource(name, makeFile(250)));
    await sendingFails(relay.port, files, { transport: "udp", arq: "none", timeout: 200 }, console);
    const what = "lost 1 of 3 chunks: 0: --arq selective-repeat sends again what is lost";
    assertEquals(console.printed[0], `not sent: a: the receiver: ${what}`);
  }));

test("none says of a FIN that was lost nothing: it says FIN again", () =>
  withRelay({ lose: losing("FIN", 0, 1) }, async (relay, receiver) => {
    await sendFiles(relay.port, [makeSource("a", makeFile(250))], { transport: "udp", arq: "none", timeout: 30 });
    receiver.has({ a: makeFile(250) });
  }));

for (const arq of RELIABLE) {
  test(`${arq}: a receiver that goes silent is given up after the retries, and it says how far it got`, () =>
    withRelay({
      lose: ({ towards, pdu }) => towards === "sender" && pdu?.type === "ACK" && pdu.seq > 32,
    }, async (relay, receiver) => {
      const options = { transport: "udp", arq, timeout: 10, retries: 3, window: 16 } as const;
      const failure = await sendingFails(relay.port, [makeSource("a", makeFile(10_000))], options);
      const [, tries, got] = /^timeout: no answer to (\d) tries: (\d+) of 100 chunks acknowledged \(the rest can be/
        .exec(
          failure,
        )!;
      assertEquals([tries, Number(got) > 16 && Number(got) <= 32], ["4", true]);
      assertEquals(receiver.files, ["a.part"]);
    }));
}

test("where nobody receives, the sender says so after its retries", async () => {
  const nobody = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = nobody.addr as Deno.NetAddr;
  const options = { transport: "udp", timeout: 5, retries: 2 } as const;
  assertEquals(
    await sendingFails(port, [makeSource("a", makeFile(10))], options),
    "timeout: no answer to 3 tries: 0 of 1 chunks sent (is a receiver there, on the same --transport, and the address right?)",
  );
  nobody.close();
});

test("a sender over UDP that is interrupted tells the receiver so, though the first words of it are lost", () =>
  withRelay({ lose: losing("ERROR", 0, 1, 2) }, async (relay, receiver) => {
    const console = new FakeConsole([]);
    let leave = () => {};
    const sending = connectTransfer(connectContext(relay.port, console, {
      ...{ transport: "udp", wire: "pdu", args: [makeSource("a", makeFile(10_000_000))] },
      options: { arq: "stop-and-wait", chunk: 10_000 },
      onInterrupt: (fn) => void (leave = fn),
    }));
    await eventually("chunks to come", () => receiver.partBytes("a") > 0);
    leave();
    await assertRejects(() => within(sending, "the end of the sender"), NetlabError, "interrupted");
    await receiver.console.shows("the sender: interrupted");
    assertEquals(receiver.files, ["a.part"]);
  }));

/** Breaks off a transfer over UDP in the middle. @returns how many chunks had come */
async function breakOff(receiver: FileServer, file: Uint8Array, name: string, arq: Scheme): Promise<void> {
  const relay = new Relay(receiver.port, { lose: ({ pdu }) => pdu?.type === "DATA" && pdu.seq >= 50 });
  const options = { transport: "udp", arq, window: 8, timeout: 10, retries: 2 } as const;
  assertStringIncludes(await sendingFails(relay.port, [makeSource(name, file)], options), "50 of 100 chunks");
  await relay.close();
}

for (const arq of RELIABLE) {
  test(`${arq}: a sender that fell silent is gone on with by --resume, and sends only the rest`, () =>
    withReceiver("udp", async (receiver) => {
      const file = makeFile(10_000);
      await breakOff(receiver, file, "a", arq);
      const options = { transport: "udp", arq, window: 8, resume: true } as const;
      const sent = await sendFiles(receiver.port, [makeSource("a", file)], options);
      receiver.has({ a: file });
      const { bytes, chunks } = sentReport(sent);
      assertEquals([bytes, chunks, receiver.report.bytes, receiver.report.chunks], [5000, 50, 5000, 50]);
    }));
}

test("a transfer goes on with another chunk size, and by another scheme", () =>
  withReceiver("tcp", async (receiver) => {
    const file = makeFile(10_000);
    Deno.writeFileSync(`${receiver.dir}/a.part`, file.subarray(0, 5050));
    const options = { arq: "selective-repeat", chunk: 1000, resume: true } as const;
    const sent = await sendFiles(receiver.port, [makeSource("a", file)], options);
    receiver.has({ a: file });
    assertEquals(sentReport(sent).bytes, 5000);
  }));

test("--resume where all of it is there already sends nothing, and completes it", () =>
  withReceiver("tcp", async (receiver) => {
    Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(1000));
    const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], { resume: true });
    receiver.has({ a: makeFile(1000) });
    assertEquals([sentReport(sent).bytes, sentReport(sent).chunks], [0, 0]);
  }));

test("--resume where nothing is there sends everything", () =>
  withReceiver("tcp", async (receiver) => {
    const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], { resume: true });
    receiver.has({ a: makeFile(1000) });
    assertEquals(sentReport(sent).bytes, 1000);
  }));

for (const transport of TRANSPORTS) {
  for (const [what, there] of [["another", makeFile(500, 3)], ["a longer", makeFile(1500)]] as const) {
    test(`over ${transport} --resume where the beginning is of ${what} file starts over, and says so`, () =>
      withReceiver(transport, async (receiver) => {
        Deno.writeFileSync(`${receiver.dir}/a.part`, there);
        const options = { transport, arq: "stop-and-wait", resume: true } as const;
        const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], options);
        receiver.has({ a: makeFile(1000) });
        assertEquals(sent.notes, ["what the receiver has of a is another file: it is sent from the beginning"]);
        assertEquals(sentReport(sent).bytes, 1000);
      }));
  }
}

test("--resume with --as starts over with the file that was named", () =>
  withReceiver("tcp", async (receiver) => {
    Deno.writeFileSync(`${receiver.dir}/b.part`, makeFile(500, 3));
    await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], { resume: true, as: "b" });
    receiver.has({ b: makeFile(1000) });
  }));

test("--resume of several files starts over with the right one, though another's name ends as its own does", () =>
  withReceiver("tcp", async (receiver) => {
    Deno.writeFileSync(`${receiver.dir}/b.part`, makeFile(500, 3));
    const files = [makeSource("ab", makeFile(1000, 5)), makeSource("b", makeFile(1000, 7))];
    await sendFiles(receiver.port, files, { resume: true });
    receiver.has({ ab: makeFile(1000, 5), b: makeFile(1000, 7) });
  }));

test("with --once a --resume that starts over is one transfer, and its outcome is that of the second try", () =>
  withReceiver("tcp", async (receiver) => {
    Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(500, 3));
    await sendFiles(receiver.port, [makeSource("a", makeFile(1000))], { resume: true });
    await within(receiver.server.finished, "the end of the receiver");
    receiver.has({ a: makeFile(1000) });
  }, { once: true }));

test("a receiver that was killed and started again does not know the session, and the sender names --resume", async () => {
  const first = await FileServer.start("udp");
  const second = await FileServer.start("udp", { dir: first.dir });
  const relay = new Relay(first.port, {
    onPass: ({ pdu }, relay) => pdu?.type === "DATA" && pdu.seq === 30 && relay.redirect(second.port),
  });
  const options = { transport: "udp", arq: "stop-and-wait", timeout: 30 } as const;
  assertEquals(
    await sendingFails(relay.port, [makeSource("a", makeFile(10_000))], options),
    "reply: the receiver: no such session: it was never opened, or the receiver has been started anew " +
      "(30 of 100 chunks acknowledged; the rest can be sent with --resume)",
  );
  await first.close();
  await sendFiles(second.port, [makeSource("a", makeFile(10_000))], { ...options, resume: true });
  first.has({ a: makeFile(10_000) });
  await Promise.all([relay.close(), second.close()]);
});

for (const [transport, wire] of [["tcp", "pdu"], ["udp", "pdu"], ["tcp", "seed"]] as const) {
  test(`over ${transport} with --wire ${wire} a receiver that says nothing is left after --idle`, async () => {
    const options = { hostname: "127.0.0.1", port: 0 };
    const socket = transport === "tcp" ? Deno.listen(options) : Deno.listenDatagram({ ...options, transport });
    const { port } = socket.addr as Deno.NetAddr;
    const args = [makeSource("a", makeFile(1000))];
    const context = connectContext(port, new FakeConsole([]), { transport, wire, args, idleMs: 100 });
    const error = await assertRejects(() => within(connectTransfer(context), "the end of the sender"), NetlabError);
    socket.close();
    assertEquals([error.kind, error.message], ["timeout", `127.0.0.1:${port} has said nothing for 100ms`]);
  });
}

for (const [arq, remedy] of [["stop-and-wait", "the rest can be sent with --resume"], ["none", "send it again"]]) {
  test(`${arq}: a receiver that is killed over TCP ends the sender, which says what to do`, async () => {
    const receiver = await FileServer.start("tcp");
    const failing = sendingFails(receiver.port, [makeSource("a", makeFile(50_000_000))], { chunk: 1000, arq });
    await eventually("chunks to come", () => receiver.partBytes("a") > 0);
    await receiver.close();
    assertStringIncludes(await failing, `(${remedy}`);
    assertEquals(receiver.files, ["a.part"]);
  });
}

for (const transport of TRANSPORTS) {
  test(`over ${transport} a receiver that is stopped tells the sender`, () =>
    withReceiver(transport, async (receiver) => {
      const options = { transport, arq: "stop-and-wait", chunk: 1000 } as const;
      const failing = sendingFails(receiver.port, [makeSource("a", makeFile(50_000_000))], options);
      await eventually("chunks to come", () => receiver.partBytes("a") > 0);
      await within(receiver.server.shutdown(2000), "the end of the receiver");
      assertEquals((await failing).split(" (")[0], "reply: the receiver: the receiver is shutting down");
      assertEquals([receiver.files, receiver.report.failure], [["a.part"], "the receiver is shutting down"]);
    }));

  test(`over ${transport} two senders of one name at once: one gets through, the other is told`, () =>
    withReceiver(transport, async (receiver) => {
      const options = { transport, arq: "go-back-n", window: 8 } as const;
      const sending = [1, 2].map((seed) =>
        sendFiles(receiver.port, [makeSource("a", makeFile(50_000, seed))], options)
      );
      const outcomes = await Promise.allSettled(sending);
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
      const { reason } = outcomes[1 - winner] as PromiseRejectedResult;
      assert(/there is a file a already|a is being received/.test(reason.message), reason.message);
      receiver.has({ a: makeFile(50_000, winner + 1) });
    }));

  test(`over ${transport} twenty senders at once all get their files through`, () =>
    withReceiver(transport, async (receiver) => {
      const names = Array.from({ length: 20 }, (_, i) => `file-${i}`);
      const options = { transport, arq: "selective-repeat", window: 8 } as const;
      const sending = names.map((name, i) =>
        sendFiles(receiver.port, [makeSource(name, makeFile(10_000, i))], options)
      );
      await Promise.all(sending);
      receiver.has(Object.fromEntries(names.map((name, i) => [name, makeFile(10_000, i)])));
    }));
}

const CHANGES: [string, (path: string) => void][] = [
  ["grows", (path) => Deno.writeFileSync(path, makeFile(100), { append: true })],
  ["shrinks", (path) => Deno.truncateSync(path, 50)],
  ["is emptied", (path) => Deno.truncateSync(path, 0)],
  ["has other content, as much of it,", (path) => {
    Deno.writeFileSync(path, makeFile(1000, 7));
    Deno.utimeSync(path, 1, 1); // its times may be too coarse to tell
  }],
];
for (const transport of TRANSPORTS) {
  for (const [what, change] of CHANGES) {
    test(`over ${transport} a file that ${what} while it is sent is a failure at both ends, and is not there`, () =>
      withReceiver(transport, async (receiver) => {
        const files = [makeSource("first", makeFile(100)), makeSource("a", makeFile(1000))];
        const sending = sendingFails(receiver.port, files.slice(1), { transport, arq: "stop-and-wait" });
        // It has been opened, and its size been told; nothing of it has been read yet.
        await eventually("OPEN to arrive", () => receiver.files.includes("a.part"));
        change(files[1]);
        assertEquals(await sending, "harness: a was changed while it was sent");
        await receiver.console.shows("not received: a");
        assertEquals(receiver.files.filter((name) => name !== "a.part"), []);
      }));
  }
}

test("of several files one that changed before its turn is told, and those behind it are sent", () =>
  withReceiver("tcp", async (receiver) => {
    const [one, two, three] = ["one", "two", "three"].map((name) => makeSource(name, makeFile(100)));
    const console = new FakeConsole([]);
    const sending = sendingFails(receiver.port, [one, two, three], {}, console);
    // All of them have been opened.
    await eventually("the first to arrive", () => receiver.files.length > 0);
    Deno.truncateSync(two, 50);
    assertEquals(await sending, "harness: 1 of 3 files were not sent (why is said above)");
    assertEquals(console.printed.filter((line) => line.startsWith("not sent")), [
      "not sent: two: two was changed while it was sent",
    ]);
    assertEquals(receiver.files.filter((name) => !name.startsWith("two")), ["one", "three"]);
  }));

/** Runs `fn` with a disk of 256 KB. @returns why this cannot be done here */
async function withSmallDisk(fn: (dir: string) => Promise<void>): Promise<string | null> {
  if (Deno.build.os !== "linux") return "a tiny disk (tmpfs) can only be mounted on Linux";
  const dir = Deno.makeTempDirSync({ prefix: "netlab-test-" });
  const run = (...words: string[]) => new Deno.Command(words[0], { args: words.slice(1), stderr: "null" }).output();
  try {
    const { success } = await run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", dir);
    if (!success) return "a tiny disk (tmpfs) can only be mounted by root";
  } catch {
    return "there is no mount to make a tiny disk with";
  }
  try {
    await fn(dir);
    return null;
  } finally {
    await run("umount", dir);
    Deno.removeSync(dir);
  }
}

const SMALL_DISK = skipIf(await withSmallDisk(() => Promise.resolve()));

for (const transport of TRANSPORTS) {
  for (const size of [200_000, 2_000_000]) {
    test(
      `over ${transport} a disk without room for ${size} bytes is an ERROR to the sender, and the receiver lives`,
      async () => {
        const failed = await withSmallDisk(async (dir) => {
          Deno.writeFileSync(`${dir}/filling`, makeFile(150_000));
          await withReceiver(transport, async (receiver) => {
            const options = { transport, arq: "go-back-n", window: 16, chunk: 1000 } as const;
            assertEquals(
              await sendingFails(receiver.port, [makeSource("a", makeFile(size))], options),
              "reply: the receiver: cannot write a: no space left on device",
            );
            for (const { name } of Deno.readDirSync(dir)) Deno.removeSync(`${dir}/${name}`);
            await sendFiles(receiver.port, [makeSource("b", makeFile(20_000))], options);
            assertEquals(Deno.readFileSync(`${dir}/b`), makeFile(20_000));
          }, { dir });
        });
        assertEquals(failed, null);
      },
      SMALL_DISK,
    );
  }
}

test("none over tcp: a receiver that reads nothing any more is given up, in the time that the retries take", async () => {
  const over = Promise.withResolvers<void>();
  await withListener(async (conn) => {
    const opening = new Uint8Array(100);
    await conn.read(opening);
    const session = new DataView(opening.buffer).getUint32(2);
    await new Peer(conn).send(encodePdu(acceptPdu(session, 0, 1, null)));
    await over.promise;
  }, async (port) => {
    const path = makeSource("a", makeFile(30_000_000));
    const failure = await sendingFails(port, [path], { arq: "none", chunk: 10_000, timeout: 100, retries: 2 });
    over.resolve();
    assertMatch(failure, /^timeout: the receiver has taken nothing for 0\.3 s: \d+ of 30000000 bytes of a were sent$/);
  });
});

for (
  const [what, answer, expected] of [
    [
      "at once",
      "HELLO, this is some other server, and it says much\r\n",
      (remote: string) =>
        `protocol: ${remote} answers, but not as a receiver does: no such type of PDU: 72 (is that its port? a receiver of ` +
        "the seed's form needs --wire seed)",
    ],
    [
      "later",
      encodePdu(errorPdu(1, 1, "another session")),
      (remote: string) =>
        `protocol: cannot read what ${remote} answers: no such type of PDU: 33 (the rest can be sent with --resume)`,
    ],
  ] as const
) {
  test(`a receiver that says ${what} what is no PDU is named, and what to do about it`, () =>
    withListener(async (conn) => {
      const peer = new Peer(conn);
      await peer.send(answer, "!");
      await peer.rest();
    }, async (port) => {
      const failure = await sendingFails(port, [makeSource("a", makeFile(10))], { timeout: 5000 });
      assertEquals(failure, expected(`127.0.0.1:${port}`));
    }));
}

for (const [answer, shown] of [["ACK\n", "ACK\\n"], ["", "an empty datagram"]]) {
  test(`over UDP a receiver that answers ${shown} is said to answer, and how that looks`, async () => {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = socket.addr as Deno.NetAddr;
    const serving = (async () => {
      for await (const [, from] of socket) await socket.send(new TextEncoder().encode(answer), from);
    })();
    try {
      const failure = await sendingFails(port, [makeSource("a", makeFile(10))], {
        transport: "udp",
        timeout: 200,
        retries: 2,
      });
      assertEquals(
        failure,
        `protocol: 127.0.0.1:${port} answers, but not as a receiver does: ${shown} (is that its port? a receiver of the ` +
          "seed's form needs --wire seed)",
      );
    } finally {
      socket.close();
      await serving;
    }
  });
}
