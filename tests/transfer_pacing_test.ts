// A window larger than a socket's buffer: how much of it is on the way, and when what is missing is sent again.

import { assert, assertEquals } from "@std/assert";
import { Flight } from "../lib/exercises/transfer/flight.ts";
import { BURST, burstOf, Pacer } from "../lib/exercises/transfer/pacer.ts";
import { acceptPdu, ackPdu } from "../lib/exercises/transfer/protocol.ts";
import { property, test } from "./helpers.ts";
import { assertDelivered, makeFile, range, Sending, SESSION, simulate } from "./transfer_helpers.ts";

const LATE = { delayMs: 5 };

/** Which chunks behind the next one have come. */
function ack(seq: number, bits: string) {
  return ackPdu(SESSION, seq, new Uint8Array([parseInt(bits.split("").reverse().join(""), 2)]));
}

/** A sender with a round trip of 100 ms and a far timer, which sends a chunk for each 10 bytes it is given. */
function makeSending(window = 64): Sending {
  const sending = new Sending("selective-repeat", { window, paced: true, rto: { fixedMs: 5000 } });
  sending.start();
  sending.now += 100;
  sending.get(acceptPdu(SESSION, 0, window, null));
  return sending;
}

const give = (sending: Sending) =>
  sending.tell({ type: "data", bytes: makeFile(10) }).filter((one) => one !== "hungry");

for (const [apart, again] of [[49, []], [50, ["DATA 0!"]], [51, ["DATA 0!"]]] as const) {
  test(`paced, a hole is ${again.length ? "" : "not "}lost when a chunk has come that was sent ${apart} of 100 ms later`, () => {
    const sending = makeSending();
    assertEquals(give(sending), ["DATA 0!"]);
    sending.pass(apart);
    assertEquals(give(sending), ["DATA 1!"]);
    assertEquals(sending.pass(100), []);
    assertEquals([sending.get(ack(0, "1")), sending.machine.rto.srttMs], [[...again], 100]);
  });
}

test("not paced, only its timer makes a hole lost", () => {
  const sending = makeSending(BURST);
  give(sending);
  sending.pass(1000);
  give(sending);
  assertEquals(sending.get(ack(0, "1")), []);
  assertEquals([sending.pass(3999), sending.pass(1)], [[], ["DATA 0!"]]);
});

test("paced, a hole that was sent again is lost again by what was sent after that, and by nothing else", () => {
  const sending = makeSending();
  give(sending);
  for (let i = 0; i < 2; i++) sending.pass(50), give(sending);
  sending.pass(50);
  assertEquals(sending.get(ack(0, "1")), ["DATA 0!"]);
  sending.pass(50);
  assertEquals(sending.get(ack(0, "11")), []);
  give(sending);
  sending.pass(100);
  assertEquals([sending.get(ack(0, "111")), sending.machine.retransmissions], [["DATA 0!"], 2]);
});

test("paced, what came after it was sent again tells nothing of a hole: it may be the first copy that came", () => {
  const sending = makeSending();
  give(sending);
  give(sending);
  sending.pass(5000);
  assertEquals(sending.machine.retransmissions, 2);
  assertEquals(sending.get(ack(0, "1")), []);
  assertEquals(sending.machine.inFlight, 2);
});

test("paced, holes cost a round trip and not a timer, and only they are sent again", () => {
  const file = makeFile(400_000);
  const lose = (pdu: { type: string }, nth: number) => pdu.type === "DATA" && nth % 97 === 50;
  const outcome = simulate({ file, window: 256, paced: true, there: LATE, lose });
  assertDelivered(outcome, file);
  assertEquals([outcome.sender.retransmissions, outcome.receiver.duplicates], [outcome.lost.length, 0]);
  assert(outcome.lost.length > 40, `${outcome.lost.length} lost`);
  assert(outcome.took < 1000, `it took ${outcome.took} ms, as if timers had been waited for`);
});

property("paced, what is overtaken by less than half a round trip is not sent again", 50, (random) => {
  const file = makeFile(random.int(10_000, 100_000), random.uint32());
  const there = { delayMs: 50, reorder: 0.2, reorderMs: random.int(1, 40) };
  const outcome = simulate({ file, window: 256, paced: true, there, back: { delayMs: 50 }, seed: random.uint32() });
  assertDelivered(outcome, file);
  assertEquals([outcome.sender.retransmissions, outcome.receiver.duplicates], [0, 0]);
});

test("paced, over a long way the window is used to the full, after a few round trips", () => {
  const file = makeFile(300_000);
  const outcome = simulate({ file, window: 256, paced: true, there: { delayMs: 50 } });
  assertDelivered(outcome, file);
  assertEquals([outcome.maxInFlight, outcome.sender.retransmissions], [256, 0]);
});

test("without acknowledgements, paced: 32 chunks leave at once, then 8 a ms, and FIN behind the last", () => {
  const [sending, first] = Sending.of("none", 1000, { paced: true });
  assertEquals(first, range(0, 32).map((seq) => `DATA ${seq}`));
  assertEquals(sending.pass(1), range(32, 40).map((seq) => `DATA ${seq}`));
  assertEquals(sending.pass(7).length, 56);
  assertEquals(sending.pass(1), [...range(96, 100).map((seq) => `DATA ${seq}`), "FIN 100"]);
});

test("a pacer lets no more leave at once than a burst, and then as time passes", () => {
  const pacer = new Pacer(1000, BURST, 0);
  for (let i = 0; i < BURST; i++) assert(pacer.mayLeave(i, 0)), pacer.left();
  assertEquals([pacer.until, pacer.mayLeave(BURST, 0), pacer.until], [null, false, 1]);
  pacer.refill(0, 1);
  assertEquals([pacer.mayLeave(BURST, 1), pacer.until], [true, null]);
  pacer.refill(1000, 1);
  let burst = 0;
  for (; burst < 100 && pacer.mayLeave(0, 1); burst++) pacer.left();
  assertEquals(burst, BURST);
});

test("a pacer allows what is moving and a little more: all of a path without a queue, little where most wait", () => {
  const limitOf = (pacer: Pacer) => {
    pacer.refill(1000, 0);
    let limit = 0;
    while (pacer.mayLeave(limit, 0)) limit++;
    return limit;
  };
  const pacer = new Pacer(1000, BURST, 0);
  assertEquals(limitOf(pacer), 64);
  for (let i = 0; i < 1000; i++) pacer.measured(16, limitOf(pacer), 100, 100);
  assertEquals(limitOf(pacer), 1000);
  pacer.measured(16, 80, 1, 0.25);
  assertEquals(limitOf(pacer), 20 + 40);
  pacer.measured(16, 10, 1, 0);
  assertEquals(limitOf(pacer), 40);
  pacer.lost();
  assertEquals(limitOf(pacer), 64);
  assertEquals(limitOf(new Pacer(40, BURST, 0)), 40);
});

test("of chunks that fill a socket's buffer sooner, fewer leave at once, fewer are on the way, and each few are answered", () => {
  assertEquals([1, 1400, 1648, 1649, 4000, 8000, 20_000, 65_000].map(burstOf), [32, 32, 32, 16, 8, 4, 2, 1]);
  for (const [chunk, burst] of [[4000, 8], [65_000, 1]]) {
    const options = { chunk, window: 32, paced: true, rto: { fixedMs: 300 } };
    const [sending, first] = Sending.of("go-back-n", 40 * chunk, options);
    const every = Math.ceil(burst / 2);
    const expected = Array.from({ length: burst }, (_, seq) => `DATA ${seq}${(seq + 1) % every === 0 ? "!" : ""}`);
    assertEquals(first, expected);
    sending.pass(100);
    assertEquals(sending.machine.inFlight, 2 * burst);
  }
});

test("a flight knows what is on the way, what is lost, and what came", () => {
  const flight = new Flight(8, 0, true);
  for (let seq = 0; seq < 6; seq++) flight.sent(seq, false, 10 * seq);
  assertEquals([flight.size, flight.oldestAt, flight.lost], [6, 0, null]);
  assertEquals(flight.acknowledge(1, new Uint8Array([0b100]), 6, 90), { count: 2, first: 0, newest: 40 });
  assertEquals([flight.size, flight.oldestAt], [4, 10]);
  flight.lose(20);
  assertEquals([flight.size, flight.oldestAt, flight.lost], [2, 30, 1]);
  flight.sent(1, true, 100);
  assertEquals([flight.size, flight.lost], [3, 2]);
  assertEquals(flight.acknowledge(3, new Uint8Array(0), 6, 120), { count: 2, first: null, newest: -Infinity });
  assertEquals([flight.size, flight.lost, flight.oldestAt], [2, null, 30]);
});
