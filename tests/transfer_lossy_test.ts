// Whole transfers in virtual time over every kind of bad network: what arrives, what is sent for it, and that it ends.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  acceptPdu,
  ackPdu,
  chunksOf,
  donePdu,
  errorPdu,
  finPdu,
  formatRanges,
  type Pdu,
  PDU_TYPES,
  type PduType,
  type Scheme,
  SCHEMES,
} from "../lib/exercises/transfer/protocol.ts";
import type { Impairment } from "../lib/faults/plan.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import type { RtoOptions } from "../lib/protocol/rto.ts";
import type { Random } from "../lib/protocol/random.ts";
import { property, test } from "./helpers.ts";
import {
  assertDelivered,
  dataOf,
  makeFile,
  type Outcome,
  range,
  SESSION,
  sha256,
  simulate,
  type Simulation,
} from "./transfer_helpers.ts";

const RELIABLE = SCHEMES.filter((scheme) => scheme !== "none");
const LATE: Impairment = { delayMs: 5 };
/** DONE is repeated for 30 s: with a FIN every second, even a network that loses most of them lets one through in that time. */
const RTO: RtoOptions = { maxMs: 1000 };

/** Up to half of everything goes wrong, in any mix. */
function drawImpairment(random: Random): Impairment {
  const rate = (most: number) => random.chance(0.5) ? random.next() * most : 0;
  return {
    loss: rate(0.5),
    duplicate: rate(0.5),
    reorder: rate(0.5),
    reorderMs: random.pick([1, 50, 400]),
    corrupt: rate(0.2),
    delayMs: random.pick([0, 0, 5, 50, 300]),
    jitterMs: random.pick([0, 0, 3, 100]),
  };
}

function drawSimulation(scheme: Scheme, random: Random): Simulation & { chunk: number; window: number } {
  const chunk = random.pick([1, 7, 100, 1000]);
  const file = makeFile(
    random.int(0, random.pick([5, 40, 120])) * chunk + random.pick([0, 0, random.int(0, chunk - 1)]),
    random.uint32(),
  );
  return {
    ...{ file, scheme, chunk, window: random.pick([1, 2, 5, 16, 64, 200]), seed: random.uint32() },
    size: random.chance(0.3) ? null : undefined,
    rto: RTO,
    paced: random.chance(0.5),
    resumeAt: random.chance(0.2) ? random.int(0, Math.floor(file.length / chunk)) : 0,
    there: drawImpairment(random),
    back: drawImpairment(random),
  };
}

/**
 * Each step brought or sent something, was a timer, or handed over a block of the file, of which there are up to 250: a machine
 * that spins takes many for nothing.
 */
function assertCalm({ steps, sent, answers, took }: Outcome): void {
  const most = 3 * (sent.length + answers.length) + took / 20 + 350;
  assert(steps <= most, `${steps} steps for ${sent.length} PDUs and ${answers.length} answers in ${took} ms`);
}

for (const scheme of RELIABLE) {
  property(`${scheme}: over any network every byte arrives exactly once, in order, and it ends`, 500, (random) => {
    const simulation = drawSimulation(scheme, random);
    const outcome = simulate(simulation);
    assertDelivered(outcome, simulation.file);
    const from = simulation.resumeAt ?? 0;
    assertEquals(outcome.delivered, range(from, chunksOf(simulation.file.length, simulation.chunk)));
    assert(
      outcome.maxInFlight <= (scheme === "stop-and-wait" ? 1 : simulation.window),
      `${outcome.maxInFlight} in flight`,
    );
    assertCalm(outcome);
  });

  property(
    `${scheme}: with few retries it may fail, and then it says so and is right about how far it got`,
    300,
    (random) => {
      const simulation = drawSimulation(scheme, random);
      const outcome = simulate({ ...simulation, retries: random.int(0, 3) });
      assertCalm(outcome);
      if (outcome.done) return assertDelivered(outcome, simulation.file);
      assert(outcome.error instanceof NetlabError && outcome.error.kind === "timeout", `${outcome.error}`);
      assertMatch(outcome.error.message, /^no answer to [1-4] tries: \d+( of \d+)? chunks acknowledged$/);
      const acknowledged = Number(/: (\d+)/.exec(outcome.error.message)![1]);
      assert(acknowledged <= (simulation.resumeAt ?? 0) + outcome.delivered.length, "more acknowledged than came");
      assert(
        outcome.delivered.every((seq, i) => seq === (simulation.resumeAt ?? 0) + i),
        "a chunk came twice, or out of order",
      );
    },
  );

  property(`${scheme}: PDUs of this very transfer that come again at any time change nothing`, 200, (random) => {
    const { size, ...simulation } = drawSimulation(scheme, random);
    const seen: Record<string, Pdu[]> = { receiver: [], sender: [] };
    const stray = (pdu: Pdu, towards: "receiver" | "sender") => {
      seen[towards].push({ ...pdu, payload: pdu.payload.slice(), wire: undefined });
      return Array.from({ length: random.int(0, 2) }, () => random.pick(seen[towards]));
    };
    assertDelivered(simulate({ ...simulation, size, stray }), simulation.file);
  });

  test(`${scheme}: half of everything lost in both directions, and the rest twice, late and out of order`, () => {
    const file = makeFile(20_000);
    const there = { loss: 0.5, duplicate: 0.3, reorder: 0.3, corrupt: 0.05, delayMs: 20, jitterMs: 10 };
    for (const seed of [1, 2, 3]) assertDelivered(simulate({ file, scheme, window: 16, rto: RTO, there, seed }), file);
  });

  test(`${scheme}: without any fault nothing is sent twice, and the window is used to the full`, () => {
    const file = makeFile(10_000);
    const outcome = simulate({ file, scheme, window: 16, there: LATE });
    assertDelivered(outcome, file);
    assertEquals([outcome.sender.retransmissions, outcome.receiver.duplicates, outcome.sender.chunksSent], [0, 0, 100]);
    assertEquals(dataOf(outcome.sent), range(0, 100));
    assertEquals(outcome.maxInFlight, scheme === "stop-and-wait" ? 1 : 16);
    assertEquals(outcome.sender.rto.meanRttMs, 10);
  });

  test(`${scheme}: numbers go on far behind 2^16`, () => {
    const file = makeFile(70_001);
    const outcome = simulate({ file, scheme, chunk: 1, window: 256, there: { loss: 0.001 }, back: {} });
    assertDelivered(outcome, file);
    assertEquals([outcome.delivered.length, outcome.sent.at(-1)!.pdu.seq], [70_001, 70_001]);
    assert(outcome.lost.some((seq) => seq > 65_536), "nothing was lost there");
  });

  test(`${scheme}: numbers go on up to the last, 2^32 - 2`, () => {
    for (const behind of [2 ** 31 - 50, 2 ** 32 - 1 - 100]) {
      const file = makeFile(1000);
      const outcome = simulate({ file, scheme, chunk: 10, behind, window: 8, there: { loss: 0.2, reorder: 0.2 } });
      assertDelivered(outcome, file);
      assertEquals(outcome.delivered, range(behind, behind + 100));
      assertEquals(outcome.sent.at(-1)!.pdu.seq, behind + 100);
    }
  });

  test(`${scheme}: every datagram twice is counted, and costs nothing else`, () => {
    const file = makeFile(1000);
    const outcome = simulate({ file, scheme, there: { ...LATE, duplicate: 1 } });
    assertDelivered(outcome, file);
    assertEquals([outcome.receiver.duplicates, outcome.sender.duplicates, outcome.sender.retransmissions], [10, 10, 0]);
  });
}

for (const scheme of SCHEMES) {
  test(`${scheme}: a file of no byte, one, exactly a chunk, one more; its size known or not`, () => {
    for (const length of [0, 1, 99, 100, 101, 200, 1000]) {
      for (const size of [length, null]) {
        const file = makeFile(length);
        const outcome = simulate({ file, size, scheme, there: LATE });
        assertDelivered(outcome, file);
        assertEquals(outcome.delivered, range(0, Math.ceil(length / 100)));
      }
    }
  });

  test(`${scheme}: chunks of every size up to the largest`, () => {
    for (const chunk of [1, 2, 1400, 64_999, 65_000]) {
      const file = makeFile(3 * chunk - 1);
      assertDelivered(simulate({ file, scheme, chunk, there: LATE }), file);
    }
  });

  for (const type of PDU_TYPES.filter((one) => one !== "ERROR" && (scheme !== "none" || one !== "DATA"))) {
    test(`${scheme}: a ${type} that is lost, the first or the last, is made good`, () => {
      const file = makeFile(250);
      const whole = simulate({ file, scheme, there: LATE });
      const count = [...whole.sent, ...whole.answers].filter(({ pdu }) => pdu.type === type).length;
      for (const which of [0, count - 1]) {
        const outcome = simulate({ file, scheme, there: LATE, lose: (pdu, nth) => pdu.type === type && nth === which });
        assertDelivered(outcome, file);
        const again = [...outcome.sent, ...outcome.answers].filter(({ pdu }) => pdu.type === type).length;
        if (type !== "ACK" || scheme === "stop-and-wait") {
          assert(again > count || count === 0, `${type} was not sent again`);
        }
      }
    });
  }

  test(`${scheme}: the end is known from DONE only: while it is lost, FIN is repeated, and the digest asked for once`, () => {
    const file = makeFile(250);
    const outcome = simulate({ file, scheme, there: LATE, lose: (pdu, nth) => pdu.type === "DONE" && nth < 4 });
    assertDelivered(outcome, file);
    const count = (type: PduType) =>
      [...outcome.sent, ...outcome.answers].filter(({ pdu }) => pdu.type === type).length;
    assertEquals([count("FIN"), count("DONE")], [5, 5]);
  });

  test(`${scheme}: a receiver that was never there is given up`, () => {
    const outcome = simulate({ file: makeFile(250), scheme, retries: 4, there: { loss: 1 } });
    assertEquals([outcome.sent.length, outcome.done, outcome.finished], [5, false, false]);
    assertMatch(`${outcome.error?.message}`, /^no answer to 5 tries: 0 of 3 chunks/);
  });

  test(`${scheme}: what is there already is not sent again`, () => {
    const file = makeFile(1050);
    const outcome = simulate({ file, scheme, resumeAt: 7, there: LATE });
    if (scheme !== "none") assertDelivered(outcome, file);
    assertEquals(dataOf(outcome.sent), [7, 8, 9, 10]);
    assertEquals(outcome.delivered, [7, 8, 9, 10]);
  });

  test(`${scheme}: a transfer of which nothing is missing is finished at once`, () => {
    const file = makeFile(1000);
    const outcome = simulate({ file, scheme, resumeAt: 10, there: LATE });
    if (scheme !== "none") assertDelivered(outcome, file);
    assertEquals(dataOf(outcome.sent), []);
  });

  property(`${scheme}: the same seed makes the same transfer, to the millisecond`, 15, (random) => {
    const simulation = { ...drawSimulation(scheme, random), retries: 20 };
    const [first, second] = [simulate(simulation), simulate(simulation)];
    assertEquals(second.sent, first.sent);
    assertEquals(second.answers, first.answers);
    assertEquals([second.took, second.steps, second.delivered], [first.took, first.steps, first.delivered]);
  });

  property(
    `${scheme}: a sender out of its mind never gets a wrong file called right, and never stops the receiver short`,
    250,
    (random) => {
      const simulation = { ...drawSimulation(scheme, random), retries: 20 };
      const stray = (_: Pdu, towards: string) =>
        towards === "receiver" && random.chance(0.2) ? [drawGarbage(random, simulation.chunk)] : [];
      const outcome = simulate({ ...simulation, stray });
      assert(outcome.sender.over, "it never ended");
      if (outcome.finished) assertEquals(outcome.received, simulation.file);
      if (outcome.done) assert(outcome.finished, "DONE, and the digest was wrong");
      assertCalm(outcome);
    },
  );

  property(`${scheme}: a receiver out of its mind makes the sender neither throw nor spin`, 250, (random) => {
    const simulation = { ...drawSimulation(scheme, random), retries: 20 };
    const stray = (_: Pdu, towards: string) =>
      towards === "sender" && random.chance(0.2) ? [drawGarbage(random, simulation.chunk)] : [];
    const outcome = simulate({ ...simulation, stray });
    assert(outcome.sender.over, "it never ended");
    assertEquals(outcome.done, outcome.error === undefined);
    if (outcome.finished) assertEquals(outcome.received, simulation.file);
    assertCalm(outcome);
  });
}

/** A PDU of this session that is well formed, and means nothing; seldom an ERROR, which would end it. */
function drawGarbage(random: Random, chunk: number): Pdu {
  const seq = random.pick([0, random.int(0, 50), random.int(0, 50), random.uint32()]);
  const payload = random.bytes(random.pick([0, 1, chunk, chunk, 32, 34, 100]));
  const makers: (() => Pdu)[] = [
    () => ({ type: random.pick(PDU_TYPES.slice(0, 6)), flags: random.int(0, 255), session: SESSION, seq, payload }),
    () => ({
      type: "DATA",
      flags: random.int(0, 1),
      session: SESSION,
      seq: random.int(0, 60),
      payload: random.bytes(chunk),
    }),
    () => ackPdu(SESSION, seq, random.bytes(random.int(0, 9))),
    () => acceptPdu(SESSION, seq, random.int(0, 100), null),
    () => donePdu(SESSION, seq, random.uint32()),
    () => random.chance(0.1) ? finPdu(SESSION, seq, random.bytes(32)) : ackPdu(SESSION, seq),
    () => random.chance(0.02) ? errorPdu(SESSION, random.int(0, 20), "\x1b nonsense") : donePdu(SESSION, seq, 0),
  ];
  return random.pick(makers)();
}

property("selective repeat sends exactly those chunks again that were lost, and no other", 300, (random) => {
  const file = makeFile(random.int(0, 6000), random.uint32());
  const there = { loss: random.next() / 2, delayMs: random.pick([0, 1, 20]) };
  const outcome = simulate({
    file,
    window: random.pick([1, 4, 32, 256]),
    paced: random.chance(0.5),
    there,
    back: LATE,
    seed: random.uint32(),
  });
  assertDelivered(outcome, file);
  const seen = new Set<number>();
  const again = dataOf(outcome.sent).filter((seq) => seen.has(seq) || (seen.add(seq), false));
  const order = (seqs: number[]) => seqs.toSorted((a, b) => a - b);
  assertEquals(order(again), order(outcome.lost));
  assertEquals([outcome.sender.retransmissions, outcome.receiver.duplicates], [outcome.lost.length, 0]);
});

property(
  "go-back-n sends again from the lost chunk on: a run of numbers without a hole, up to the last one sent",
  200,
  (random) => {
    const file = makeFile(random.int(500, 6000), random.uint32());
    const outcome = simulate({
      file,
      scheme: "go-back-n",
      window: 8,
      there: { loss: 0.1, delayMs: 5 },
      seed: random.uint32(),
    });
    const sent = dataOf(outcome.sent);
    let highest = -1;
    for (const [i, seq] of sent.entries()) {
      if (seq > highest) assertEquals(seq, highest + 1);
      // What goes back starts with a chunk that was lost before, or whose acknowledgement was, and leaves none out.
      else if (seq !== sent[i - 1] + 1) {
        assert(
          sent[i - 1] === highest && seq > highest - 8,
          `${seq} after ${sent[i - 1]}`,
        );
      }
      highest = Math.max(highest, seq);
    }
  },
);

test("go-back-n at a steady loss waits for one short timeout after another, and not longer each time", () => {
  const file = makeFile(30_000);
  for (const seed of [1, 2, 3]) {
    const outcome = simulate({ file, scheme: "go-back-n", window: 32, there: { loss: 0.1, delayMs: 2 }, seed });
    assertDelivered(outcome, file);
    assert(outcome.took < 20_000, `it took ${outcome.took} ms`);
  }
});

property("without acknowledgements exactly that is reported lost which the network has lost", 400, (random) => {
  const file = makeFile(random.int(1, 20_000), random.uint32());
  const there = { loss: random.next() / 2, duplicate: random.next() / 2, reorder: 0.3, delayMs: 5 };
  const outcome = simulate({ file, scheme: "none", there, back: {}, seed: random.uint32() });
  const chunks = chunksOf(file.length, 100);
  assertEquals(dataOf(outcome.sent), range(0, chunks));
  if (outcome.lost.length === 0) return assertEquals([outcome.done, outcome.failures], [true, []]);
  const text = `lost ${outcome.lost.length} of ${chunks} chunks: ${formatRanges(runs(outcome.lost))}`;
  assertEquals([outcome.failures, outcome.error?.message, outcome.done], [[text], `the receiver: ${text}`, false]);
  assertEquals(
    outcome.delivered.toSorted((a, b) => a - b),
    range(0, chunks).filter((seq) => !outcome.lost.includes(seq)),
  );
});

/** Numbers in order as ranges. */
function runs(numbers: number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

property(
  "without acknowledgements nothing is lost by coming late, in any order or twice; what came twice is counted",
  200,
  (random) => {
    const file = makeFile(random.int(0, 10_000), random.uint32());
    const there = { reorder: 0.5, reorderMs: 400, duplicate: 0.4, jitterMs: 20 };
    const outcome = simulate({ file, scheme: "none", there, back: {}, seed: random.uint32() });
    assertEquals([outcome.done, outcome.error, outcome.failures], [true, undefined, []]);
    assertEquals(outcome.received, file);
    assertEquals(new Set(outcome.delivered).size, outcome.delivered.length);
  },
);

test("without acknowledgements every chunk twice makes as many duplicates as chunks, and both ends know", () => {
  const file = makeFile(1000);
  const outcome = simulate({ file, scheme: "none", there: { ...LATE, duplicate: 1 } });
  assertDelivered(outcome, file);
  assertEquals([outcome.receiver.duplicates, outcome.sender.duplicates, outcome.sender.chunksSent], [10, 10, 10]);
});

property("a datagram that was changed on the way is as good as lost", 100, (random) => {
  const file = makeFile(2000, random.uint32());
  const outcome = simulate({ file, rto: RTO, there: { corrupt: 0.5, delayMs: 5 }, seed: random.uint32() });
  assertDelivered(outcome, file);
  assertEquals(sha256(outcome.received), sha256(file));
  if (outcome.there.tally.corrupted > 10) assert(outcome.sender.retransmissions > 0);
});

test("with a window of 256 there is an acknowledgement for about 16 chunks, not for each", () => {
  const file = makeFile(100_000);
  const outcome = simulate({ file, window: 256, there: LATE });
  assertDelivered(outcome, file);
  const acks = outcome.answers.filter(({ pdu }) => pdu.type === "ACK").length;
  assert(acks >= 1000 / 16 && acks <= 1000 / 8, `${acks} acknowledgements of 1000 chunks`);
});
