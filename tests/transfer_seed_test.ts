// The seed's own wire: its machines in virtual time, and on sockets with programs of the seed's kind in Python, in both directions,
// and between netlab and netlab. An acknowledgement that is later than the timeout is what the seed's own programs lose data by.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  AGAIN_MS,
  SEED_CHUNK,
  SEED_TIMEOUT_MS,
  type SeedReceiveEvent,
  SeedReceiverMachine,
  SeedSenderMachine,
  type SeedSendEvent,
  SHORT_MS,
} from "../lib/exercises/transfer/seed_machine.ts";
import type { SendCommand } from "../lib/exercises/transfer/sender_machine.ts";
import type { Effect, Input } from "../lib/protocol/machine.ts";
import { decodeLossy } from "../lib/protocol/text.ts";
import { temporaryFolder, withListener } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { bytes, eventually, everyWay, Peer, property, skipUnless, test, within } from "./helpers.ts";
import { makeFile } from "./transfer_helpers.ts";
import {
  DatagramPeer,
  type FileServer,
  makeSource,
  sendFiles,
  sendingFails,
  sentReport,
  TRANSPORTS,
  withReceiver,
} from "./transfer_socket_helpers.ts";

/** A machine in virtual time; what it does is shown in words. */
class Playing<C> {
  now = 0;
  readonly kept: Uint8Array[] = [];
  readonly #step: (input: Input<Uint8Array, C>, now: number) => Effect<Uint8Array, SeedReceiveEvent | SeedSendEvent>[];
  readonly #deadline: () => number | null;

  constructor(machine: {
    step(input: Input<Uint8Array, C>, now: number): Effect<Uint8Array, SeedReceiveEvent | SeedSendEvent>[];
    deadline(): number | null;
  }) {
    this.#step = (input, now) => machine.step(input, now);
    this.#deadline = () => machine.deadline();
  }

  input(input: Input<Uint8Array, C>): string[] {
    return this.#step(input, this.now).map((effect) => {
      if (effect.type === "send") {
        const text = decodeLossy(effect.message);
        return text === "ACK" ? text : `chunk ${effect.message.length}`;
      }
      if (effect.type === "close") return `close${effect.error ? `: ${effect.error.message}` : ""}`;
      if (effect.type !== "event") return effect.type;
      if (effect.event.type !== "data") return effect.event.type;
      this.kept.push(effect.event.bytes.slice());
      return `data ${effect.event.bytes.length}`;
    });
  }

  get(message: Uint8Array | string): string[] {
    return this.input({ type: "message", message: bytes(message) });
  }

  /** Moves to the next deadline, which is so far off. */
  timer(afterMs: number): string[] {
    assertEquals(this.#deadline(), this.now + afterMs);
    this.now += afterMs - 1;
    assertEquals(this.input({ type: "timer" }), [], "a timer fired too early");
    this.now += 1;
    return this.input({ type: "timer" });
  }

  rests(): void {
    assertEquals(this.#deadline(), null);
  }
}

const receiving = () => new Playing(new SeedReceiverMachine());
const CHUNK = makeFile(SEED_CHUNK);

/** A sender that was given a file of so many bytes. */
function sending(
  length: number,
  retries = 3,
): { playing: Playing<SendCommand>; machine: SeedSenderMachine; sent: string[] } {
  const machine = new SeedSenderMachine({ chunk: SEED_CHUNK, timeoutMs: SEED_TIMEOUT_MS, retries });
  const playing = new Playing<SendCommand>(machine);
  assertEquals(playing.input({ type: "start" }), ["hungry"]);
  const sent = playing.input({ type: "command", command: { type: "data", bytes: makeFile(length) } });
  sent.push(...playing.input({ type: "command", command: { type: "finish", digest: new Uint8Array(0) } }));
  return { playing, machine, sent: sent.filter((one) => one !== "hungry") };
}

test("the receiver acknowledges each chunk of 100 bytes, however the stream is cut", () => {
  const kept = everyWay([makeFile(250)], (chunks) => {
    const playing = receiving();
    const acks = chunks.flatMap((chunk) => playing.get(chunk)).filter((one) => one === "ACK");
    acks.push(...playing.input({ type: "end" }).filter((one) => one === "ACK"));
    return [acks.length, bytes(...playing.kept)];
  });
  assertEquals(kept, [3, makeFile(250)]);
});

test("a short chunk is acknowledged when nothing follows for a while, and its rest is not acknowledged again", () => {
  const playing = receiving();
  assertEquals(playing.get(CHUNK.subarray(0, 40)), []);
  assertEquals(playing.timer(SHORT_MS), ["data 40", "ACK"]);
  assertEquals(playing.get(CHUNK.subarray(40)), ["data 60"]);
  assertEquals(playing.get(CHUNK.map((byte) => byte ^ 1)), ["data 100", "ACK"]);
  playing.rests();
});

test("the same chunk once more is the next one, unless it comes after a silence: then it was sent again", () => {
  for (const [afterMs, expected] of [[AGAIN_MS - 1, ["data 100", "ACK"]], [AGAIN_MS, ["again"]]] as const) {
    const playing = receiving();
    assertEquals(playing.get(CHUNK), ["data 100", "ACK"]);
    playing.now += afterMs;
    assertEquals(playing.get(CHUNK), [...expected]);
  }
});

test("a last chunk, shorter than the others, that comes again after a silence was sent again, too", () => {
  const playing = receiving();
  playing.get(CHUNK.subarray(0, 50));
  assertEquals(playing.timer(SHORT_MS), ["data 50", "ACK"]);
  playing.now += 2000 - SHORT_MS;
  playing.get(CHUNK.subarray(0, 50));
  playing.input({ type: "end" });
  assertEquals(bytes(...playing.kept).length, 50, "the copy was taken for the rest of the chunk");
});

test("who sends a chunk a third time has not got its acknowledgement: it is said again", () => {
  const playing = receiving();
  playing.get(CHUNK);
  playing.now += 2000;
  assertEquals(playing.get(CHUNK), ["again"]);
  playing.now += 2000;
  assertEquals(playing.get(CHUNK), ["again", "ACK"]);
});

test("the sender waits for each acknowledgement, in pieces too, and ends behind the last", () => {
  const { playing, sent } = sending(250);
  assertEquals(sent, ["chunk 100"]);
  assertEquals(playing.get("AC"), []);
  assertEquals(playing.get("K"), ["chunk 100"]);
  assertEquals(playing.get("ACK"), ["chunk 50"]);
  assertEquals(playing.get("ACK"), ["done", "close"]);
});

test("what is no ACK acknowledges nothing, and is shown", () => {
  for (const answer of ["NAK", "ACK\n", "AKC", "E"]) {
    const { playing } = sending(250);
    const shown = answer.replace("\n", "\\n");
    assertEquals(playing.get(answer), [`close: ${shown} came where ACK belongs`], answer);
  }
});

test("an empty file is the end of the stream and nothing else", () => assertEquals(sending(0).sent, ["done", "close"]));

test("a chunk that is not acknowledged goes again after 2 s, and after the retries it is given up", () => {
  const { playing, machine } = sending(250, 2);
  assertEquals(playing.timer(SEED_TIMEOUT_MS), ["chunk 100"]);
  assertEquals(playing.timer(SEED_TIMEOUT_MS), ["chunk 100"]);
  assertEquals(playing.timer(SEED_TIMEOUT_MS), ["close: no ACK for 3 copies of chunk 1"]);
  assertEquals([machine.chunks, machine.retransmissions], [1, 2]);
});

test("the acknowledgement of a copy is not taken for that of the next chunk, which waits for it", () => {
  const { playing, machine } = sending(250);
  assertEquals(playing.timer(SEED_TIMEOUT_MS), ["chunk 100"]);
  assertEquals(playing.get("ACK"), []);
  playing.now += 500;
  assertEquals(playing.get("ACK"), ["chunk 100"]);
  assertEquals([machine.repeated, machine.retransmissions], [1, 1]);
  assertEquals(playing.get("ACK"), ["chunk 50"]);
});

test("two acknowledgements in one read are counted each for its own copy", () => {
  const { playing, machine } = sending(150);
  playing.timer(SEED_TIMEOUT_MS);
  assertEquals(playing.get("ACKACK"), ["chunk 50"]);
  assertEquals(machine.repeated, 1);
});

test("a copy that is never acknowledged is waited for as long as the timeout, then the next chunk goes", () => {
  const { playing, machine } = sending(150);
  playing.timer(SEED_TIMEOUT_MS);
  assertEquals(playing.get("ACK"), []);
  assertEquals(playing.timer(SEED_TIMEOUT_MS), ["chunk 50"]);
  assertEquals(machine.repeated, 0);
});

test("a receiver that leaves before the last acknowledgement is a failure", () => {
  const { playing } = sending(150);
  assertEquals(playing.input({ type: "end" }), ["close: the receiver has left"]);
});

property(
  "whatever the delay of each acknowledgement, a receiver that knows copies has every byte once",
  200,
  (random) => {
    const length = SEED_CHUNK * random.int(0, 20);
    const { playing, machine, sent } = sending(length, 1000);
    const receiver = receiving();
    // In order, as TCP keeps it: when each piece arrives at whom.
    const [there, back]: { at: number; what: string }[][] = [[], []];
    const file = makeFile(length);
    const take = (effects: string[]) => {
      for (const one of effects) if (one.startsWith("chunk")) there.push({ at: playing.now, what: one });
      return effects.includes("close");
    };
    let over = take(sent);
    for (let steps = 0; !over && steps < 10_000; steps++) {
      const next = Math.min(there[0]?.at ?? Infinity, back[0]?.at ?? Infinity, machine.deadline() ?? Infinity);
      playing.now = receiver.now = next;
      if (there[0]?.at === next) {
        const size = Number(there.shift()!.what.slice(6));
        const begin = (machine.chunks - 1) * SEED_CHUNK;
        const effects = receiver.get(file.subarray(begin, begin + size));
        for (const one of effects) {
          if (one !== "ACK") continue;
          const at = Math.max(
            receiver.now + (random.chance(0.3) ? random.int(0, 7000) : 0),
            back.at(-1)?.at ?? 0,
          );
          back.push({ at, what: one });
        }
      } else if (back[0]?.at === next) over = take(playing.get(back.shift()!.what));
      else over = take(playing.input({ type: "timer" }));
    }
    assert(over, "it never ended");
    assertEquals(bytes(...receiver.kept), file);
  },
);

/** The one file in the folder of a receiver, which has no name of its own. */
function onlyFile({ files, read, dir }: FileServer): Uint8Array {
  assertEquals(files.length, 1);
  assertMatch(files[0], /^from-127\.0\.0\.1-\d+$/);
  assert(read !== undefined);
  return Deno.readFileSync(`${dir}/${files[0]}`);
}

const PYTHON = skipUnless("python3");
const SENDER = ["python3", "tests/peers/transfer_seed_sender.py"];
const RECEIVER = ["python3", "tests/peers/transfer_seed_receiver.py"];
const SEED = { wire: "seed" } as const;

for (const transport of TRANSPORTS) {
  for (const size of [0, 1, 100, 101, 12_345]) {
    test(
      `a sender of the seed's kind sends ${size} bytes over ${transport} to netlab`,
      () =>
        withReceiver(
          transport,
          async (receiver) => {
            const line = [transport, `${receiver.port}`, makeSource("source", makeFile(size))];
            assertEquals(await runProgram(line, { command: SENDER }), { status: 0, out: "", err: "" });
            await receiver.console.shows("received from-127.0.0.1-");
            assertEquals(onlyFile(receiver), makeFile(size));
            assertEquals([receiver.report.bytes, receiver.report.duplicates, receiver.report.failure], [size, 0, null]);
          },
          {},
          SEED,
        ),
      PYTHON,
    );

    test(`netlab sends ${size} bytes over ${transport} to a receiver of the seed's kind`, async () => {
      const path = `${temporaryFolder()}/received`;
      await using receiver = new Program([transport, path], { command: RECEIVER });
      const port = Number(await receiver.out.line());
      const sent = await sendFiles(port, [makeSource("source", makeFile(size))], { transport, ...SEED });
      const chunks = Math.ceil(size / 100);
      assertEquals([(await receiver.result()).status, receiver.out.all], [0, `${port}\n${chunks} chunks\n`]);
      assertEquals(Deno.readFileSync(path), makeFile(size));
      const { bytes, retransmissions, duplicates } = sentReport(sent);
      assertEquals([bytes, sentReport(sent).chunks, retransmissions, duplicates], [size, chunks, 0, 0]);
      assertMatch(sent.notes.join(), transport === "tcp" ? /nothing is numbered or checked/ : /nobody knows/);
    }, PYTHON);
  }

  if (transport === "udp") {
    test("over UDP the datagrams of the seed's form leave no faster than 32 at once and 8 a ms", () =>
      withReceiver(
        transport,
        async (receiver) => {
          const sent = await sendFiles(receiver.port, [makeSource("a", makeFile(80_000))], { transport, ...SEED });
          const { chunks, seconds } = sent.events[0];
          assertEquals(chunks, 800);
          assert(Number(seconds) >= (800 - 32 - 1) / 8000, `${chunks} chunks in ${seconds} s`);
        },
        {},
        SEED,
      ));
  }

  test(`netlab sends to netlab over ${transport} with --wire seed, several at once`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        const sizes = [0, 99, 100, 5000];
        const send = (size: number) =>
          sendFiles(receiver.port, [makeSource("source", makeFile(size))], { transport, ...SEED });
        await Promise.all(sizes.map(send));
        await eventually("all files to be there", () => receiver.console.printed.length === sizes.length);
        const got = receiver.files.map((name) => receiver.read(name)).toSorted((a, b) => a.length - b.length);
        assertEquals(got, sizes.map((size) => makeFile(size)));
      },
      {},
      SEED,
    ));

  test(`over ${transport} a file of the seed's form that is larger than --max-size is not kept under its name`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        const sending = sendFiles(receiver.port, [makeSource("source", makeFile(1001))], { transport, ...SEED });
        await sending.catch(() => {});
        await receiver.console.shows("not received: from-127.0.0.1-");
        assertMatch(String(receiver.report.failure), /more than 1000 bytes/);
        assert(receiver.files.every((name) => name.endsWith(".part")));
      },
      { "max-size": 1000 },
      SEED,
    ));

  test(`over ${transport} with --once a receiver of the seed's form ends after one file`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        await sendFiles(receiver.port, [makeSource("source", makeFile(300))], { transport, ...SEED });
        await within(receiver.server.finished, "the end of the receiver", 5000);
        assertEquals(onlyFile(receiver), makeFile(300));
      },
      { once: true },
      SEED,
    ));
}

test(
  "an acknowledgement that a sender of the seed's kind hears too late costs nothing: the copy is dropped, and said",
  () =>
    withReceiver(
      "tcp",
      async (receiver) => {
        const line = ["tcp", `${receiver.port}`, makeSource("source", makeFile(1050)), "4"];
        assertEquals((await runProgram(line, { command: SENDER })).status, 0);
        await receiver.console.shows("received from-127.0.0.1-");
        assertEquals(onlyFile(receiver), makeFile(1050));
        assertEquals([receiver.report.bytes, receiver.report.duplicates], [1050, 1]);
        assertStringIncludes(receiver.console.notes.join(), "after a long silence: taken for sent again, and dropped");
      },
      {},
      SEED,
    ),
  PYTHON,
);

for (const [late, seconds] of [[4, 2.5], [0, 2.5], [10, 2.5], [4, 4.5]]) {
  test(
    `an ACK of chunk ${late} that comes after ${seconds} s makes netlab lose nothing, and it tells what is doubtful`,
    async () => {
      const path = `${temporaryFolder()}/received`;
      await using receiver = new Program(["tcp", path, `${late}`, `${seconds}`], { command: RECEIVER });
      const port = Number(await receiver.out.line());
      const copies = Math.floor(seconds / 2);
      assertEquals(
        await sendingFails(port, [makeSource("source", makeFile(1050))], SEED),
        `reply: ${
          copies === 1 ? "1 chunk was" : `${copies} chunks were`
        } acknowledged twice: the file may be too long there (the acknowledgements took ` +
          "longer than --timeout, and this form cannot tell a copy from the next chunk)",
      );
      assertEquals((await receiver.result()).status, 0);
      // Nothing is lost: without the copies that the receiver took for chunks, it is the file.
      const [begin, end] = [100 * late, Math.min(1050, 100 * late + 100)];
      const chunk = makeFile(1050).subarray(begin, end);
      const copied = Array.from({ length: copies }, () => chunk);
      const expected = bytes(makeFile(1050).subarray(0, end), ...copied, makeFile(1050).subarray(end));
      assertEquals(Deno.readFileSync(path), expected);
    },
    PYTHON,
  );
}

/** What netlab says of a receiver that answers what it reads like this, whose chunks have so many bytes. */
async function diagnosed(answer: string, chunk: number, more: Record<string, number> = {}): Promise<string> {
  let failure = "";
  await withListener(async (conn) => {
    while (await conn.read(new Uint8Array(chunk)) !== null) await conn.write(bytes(answer));
  }, async (port) => {
    failure = await sendingFails(port, [makeSource("source", makeFile(2 * chunk))], { ...SEED, chunk, ...more });
  });
  return failure;
}

test("a chunk that is not the receiver's is said to be why more ACKs came than chunks, or none", async () => {
  assertEquals(
    await diagnosed("ACKACK", 200),
    "reply: 2 more ACKs came than chunks were sent (the receiver does not take 200 bytes for a chunk: the seed's takes " +
      "100, as without --chunk)",
  );
  assertMatch(await diagnosed("ACKACK", 100), /^reply: 2 more ACKs came than chunks were sent \(the receiver has to /);
  assertMatch(
    await diagnosed("", 50, { timeout: 20, retries: 1 }),
    /^timeout: no ACK for 2 copies of chunk 1 \(the seed's receiver takes 100 bytes for a chunk, and may wait .*\)$/,
  );
  assertEquals(await diagnosed("", 100, { timeout: 20, retries: 1 }), "timeout: no ACK for 2 copies of chunk 1");
});

test("with --timeout longer than the receiver takes, nothing is sent again and nothing is doubtful", async () => {
  const path = `${temporaryFolder()}/received`;
  await using receiver = new Program(["tcp", path, "4", "2.5"], { command: RECEIVER });
  const port = Number(await receiver.out.line());
  const sent = await sendFiles(port, [makeSource("source", makeFile(1050))], { ...SEED, timeout: 10_000 });
  await receiver.result();
  assertEquals([Deno.readFileSync(path), sentReport(sent).retransmissions], [makeFile(1050), 0]);
}, PYTHON);

test("a sender of the seed's form that vanishes is not taken for the end of its file", () =>
  withReceiver(
    "udp",
    async (receiver) => {
      const peer = new DatagramPeer(receiver.port);
      await peer.sendBytes(makeFile(100), makeFile(50));
      await receiver.console.shows("not received: from-127.0.0.1-");
      assertEquals([receiver.report.failure, receiver.report.bytes], ["its end never came", 150]);
      assert(receiver.files[0].endsWith(".part"));
      peer.close();
    },
    {},
    SEED,
  ));

test("over UDP the datagrams of the seed's form may be of any size, and are a file in the order in which they come", () =>
  withReceiver(
    "udp",
    async (receiver) => {
      const peer = new DatagramPeer(receiver.port);
      await peer.sendBytes(makeFile(1), makeFile(1400), makeFile(60_000), new Uint8Array(0));
      await receiver.console.shows("received from-127.0.0.1-");
      assertEquals(onlyFile(receiver), bytes(makeFile(1), makeFile(1400), makeFile(60_000)));
      peer.close();
    },
    {},
    SEED,
  ));

test("over TCP a bare end of the stream is an empty file, and several chunks in one write get an ACK each", () =>
  withReceiver(
    "tcp",
    async (receiver) => {
      for (const [size, answer] of [[0, ""], [300, "ACKACKACK"]] as const) {
        const peer = await Peer.connect(receiver.server.address);
        await peer.send(makeFile(size));
        await peer.conn.closeWrite();
        assertEquals(await peer.rest(), answer);
        peer.close();
      }
      await eventually("both files to be there", () => receiver.console.printed.length === 2);
      assertEquals(receiver.files.map((name) => receiver.read(name).length).toSorted((a, b) => a - b), [0, 300]);
    },
    {},
    SEED,
  ));
