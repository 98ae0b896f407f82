// Streams in virtual time: pacing without drift, the jitter buffer, pause and seek, what is counted, and what a hostile peer says.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import {
  controlPdu,
  cookiePdu,
  dataPdu,
  encodePdu,
  errorPdu,
  finPdu,
  infoPdu,
  type Pdu,
  readData,
  readReport,
} from "../lib/exercises/stream/protocol.ts";
import {
  type ReceiveCommand,
  ReceiverMachine,
  type ReceiverOptions,
} from "../lib/exercises/stream/receiver_machine.ts";
import { SenderMachine } from "../lib/exercises/stream/sender_machine.ts";
import { Tally } from "../lib/exercises/stream/tally.ts";
import { drive, type Driven } from "../lib/net/drive.ts";
import { type Millis, VirtualClock } from "../lib/protocol/clock.ts";
import { Random } from "../lib/protocol/random.ts";
import { property, test } from "./helpers.ts";
import { countReordered, makeWav, SESSION, Simulation } from "./stream_helpers.ts";

const file = makeWav(10);
const rate = file.length / 10;
const dataOf = (seen: readonly { readonly at: number; readonly pdu: Pdu }[]) =>
  seen.filter(({ pdu }) => pdu.type === "DATA").map(({ at, pdu }) => ({ at, ...readData(pdu) }));

test("each datagram leaves when it is due, for an hour: nothing adds up", () => {
  const info = { size: 2 ** 40, durationMs: null, rate: 40_000, assumed: false, mediaType: "" };
  const machine = new SenderMachine({ session: 1, info, startMs: 0, idleMs: Infinity, random: new Random(1) });
  const block = new Uint8Array(65_536);
  let now = 1000;
  let bytes = 0;
  const handle = (effects: ReturnType<SenderMachine["step"]>) => {
    for (const effect of effects) {
      if (effect.type === "send" && effect.message.type === "DATA") {
        const piece = readData(effect.message);
        bytes += piece.bytes.length;
        // Timers are late, by as much as they like: here by up to 20 ms.
        assertLess(Math.abs(now - 1000 - 1000 * piece.offset / info.rate), 20.01);
      }
      if (effect.type !== "event" || effect.event.type !== "read") continue;
      const { offset, length } = effect.event;
      handle(
        machine.step({ type: "command", command: { type: "data", offset, bytes: block.subarray(0, length) } }, now),
      );
    }
  };
  handle(machine.step({ type: "start" }, now));
  const random = new Random(2);
  const end = 1000 + 3_600_000;
  while (now < end) {
    now = Math.max(now, machine.deadline()!) + 20 * random.next();
    handle(machine.step({ type: "timer" }, now));
  }
  assertLess(Math.abs(bytes / (info.rate * (now - 1000) / 1000) - 1), 0.0001);
});

test("a datagram is 1000 to 2000 bytes long, and of random size; only the last is shorter", async () => {
  const { sent } = await new Simulation({ file, rate }).run();
  const lengths = sent.filter(({ pdu }) => pdu.type === "DATA").map(({ pdu }) => encodePdu(pdu).length);
  const payloads = dataOf(sent).map(({ bytes }) => bytes.length);
  assert(lengths.slice(0, -1).every((length) => length >= 1000 && length <= 2000));
  assert(payloads.slice(0, -1).every((length) => length >= 1000 && length <= 2000));
  assert(new Set(lengths).size > lengths.length / 2);
});

test("what is sent is what is received, at the pace of the medium", async () => {
  const simulation = await new Simulation({ file, rate, there: { delayMs: 20 } }).run();
  assertEquals([simulation.error, simulation.why], [undefined, "played to its end"]);
  assertEquals(simulation.out, file);
  const pieces = dataOf(simulation.sent);
  for (const { at, offset } of pieces) assertLess(Math.abs(at - pieces[0].at - 1000 * offset / rate), 1);
  const { lost, reordered, duplicates, jitterMs, bytes } = simulation.receiver.tally;
  assertEquals([lost, reordered, duplicates, bytes], [0, 0, 0, file.length]);
  assertLess(jitterMs, 1); // media times are whole milliseconds
});

test("who has been held up for seconds goes on from there, and sends no flood", () => {
  const info = { size: 1_000_000, durationMs: null, rate: 10_000, assumed: false, mediaType: "" };
  const machine = new SenderMachine({ session: 1, info, startMs: 0, idleMs: 60_000, random: new Random(1) });
  const give = (offset: number, bytes: Uint8Array, now: number) =>
    machine.step({ type: "command", command: { type: "data", offset, bytes } }, now);
  machine.step({ type: "start" }, 0);
  give(0, new Uint8Array(65_536), 0);
  const sentAt = (now: number) => machine.step({ type: "timer" }, now).filter(({ type }) => type === "send").length;
  assertEquals(sentAt(30_000), 1);
  // A second is made up for: at 10,000 bytes/s, five datagrams and more.
  const due = machine.deadline()!;
  assertLess(4, sentAt(due + 1000));
  assertEquals(sentAt(machine.deadline()! + 1001), 1);
});

property("loss, order, duplicates and jitter are reported as they were (200 networks)", 200, async (random) => {
  const there = {
    loss: 0.2 * random.next(),
    reorder: 0.3 * random.next(),
    reorderMs: random.int(20, 250),
    duplicate: 0.1 * random.next(),
    delayMs: random.int(0, 100),
    jitterMs: random.int(0, 100),
  };
  const simulation = await new Simulation({ file, rate, there, seed: random.uint32() }).run();
  const { tally } = simulation.receiver;
  const arrived = dataOf(simulation.arrived);
  const seqs = arrived.map(({ seq }) => seq);
  assertEquals(tally.lost, simulation.plan.tally.lost);
  assertEquals(tally.packets + tally.lost, simulation.plan.tally.pieces);
  assertEquals(tally.reordered, countReordered(seqs));
  assertEquals(tally.duplicates, seqs.length - new Set(seqs).size);
  assertEquals(tally.jitterMs, rfc3550(arrived));
  assertEquals(simulation.sender.report?.next, tally.next);
});

/** Jitter as the code in RFC 3550, A.8 has it, of what came for the first time. */
function rfc3550(arrived: readonly { readonly seq: number; readonly at: number; readonly timeMs: number }[]): number {
  let jitter = 0;
  let transit: number | null = null;
  const seen = new Set<number>();
  for (const { seq, at, timeMs } of arrived) {
    if (seen.has(seq)) continue;
    seen.add(seq);
    const d = transit === null ? null : Math.abs(at - timeMs - transit);
    if (d !== null) jitter += (1 / 16) * (d - jitter);
    transit = at - timeMs;
  }
  return jitter;
}

test("5 % loss and reordering: everything else is played in order and on time, and the report agrees with the plan", async () => {
  const there = { loss: 0.05, reorder: 0.2, reorderMs: 200, delayMs: 30 };
  const simulation = await new Simulation({ file: makeWav(60), rate: 16_000, there, seed: 7 }).run();
  const { played, receiver: { tally, skippedBytes }, plan } = simulation;
  assertEquals(tally.lost, plan.tally.lost);
  assert(tally.lost > 0.03 * plan.tally.pieces && tally.lost < 0.07 * plan.tally.pieces);
  assert(tally.reordered > 0 && tally.reordered <= plan.tally.reordered);
  // A fifth is late by 100 ms in the mean: twice that share of the differences is not 0.
  assert(tally.jitterMs > 5 && tally.jitterMs < 100, `${tally.jitterMs}`);
  assertEquals(played.length, tally.packets);
  for (const [i, { at, offset }] of played.entries()) {
    if (i > 0) assert(offset > played[i - 1].offset);
    assertLess(Math.abs(at - played[0].at - (offset - played[0].offset) / 16), 2);
  }
  const first = played[0].offset;
  const last = simulation.out.length - played.at(-1)!.offset;
  assert(skippedBytes > 0 && skippedBytes + tally.bytes >= simulation.out.length - first - last);
});

test("what comes later than the buffer allows is passed over, and still kept in its place", async () => {
  const there = { reorder: 0.2, reorderMs: 400 };
  const late = await new Simulation({ file, rate, there, seed: 3, receiver: { bufferMs: 50 } }).run();
  assertEquals(late.receiver.tally.lost, 0);
  assertEquals(late.out, file);
  assert(late.receiver.skippedBytes > 0);
  assertLess(late.played.length, late.receiver.tally.packets);
  const patient = await new Simulation({ file, rate, there, seed: 3, receiver: { bufferMs: 500 } }).run();
  assertEquals([patient.receiver.skippedBytes, patient.played.length], [0, patient.receiver.tally.packets]);
});

test("a pause holds the stream up for as long as it lasts, and nothing is lost by it", async () => {
  const simulation = new Simulation({ file, rate, there: { delayMs: 10 } });
  await simulation.run(3000);
  simulation.control("pause");
  await simulation.run(50);
  const seen = () => [dataOf(simulation.sent).length, simulation.played.length];
  const before = seen();
  await simulation.run(29_950);
  assertEquals(seen(), before);
  assert(simulation.receiver.paused && !simulation.over);
  simulation.control("resume");
  await simulation.run();
  assertEquals(simulation.error, undefined);
  assertEquals(simulation.out, file);
  assertLess(Math.abs(simulation.clock.now() - 40_350), 200);
  assertLess(simulation.receiver.tally.jitterMs, 2);
  assertEquals(simulation.receiver.skippedBytes, 0);
});

test("a seek goes there, forwards and back, from a pause and from the end, too", async () => {
  const simulation = new Simulation({ file, rate });
  await simulation.run(2000);
  simulation.control("seek", 8000);
  assertEquals(simulation.receiver.positionMs, 8000);
  await simulation.run(1000);
  assertLess(Math.abs(simulation.receiver.positionMs - 8700), 200);
  assertLess(simulation.receiver.bufferedMs, 450); // 300 ms, and a datagram
  simulation.control("pause");
  simulation.control("seek", 1000);
  await simulation.run(1000);
  assertEquals(Math.round(simulation.receiver.positionMs / 10), 100);
  simulation.control("resume");
  simulation.control("seek", 9999);
  await simulation.run(200);
  const before = simulation.played.length;
  simulation.control("seek", 9000);
  await simulation.run();
  assertEquals([simulation.error, simulation.why], [undefined, "played to its end"]);
  const { lost } = simulation.receiver.tally;
  assertEquals(lost, 0);
  const lastSecond = simulation.played.slice(before).filter(({ offset }) => offset >= 0.9 * file.length - 4);
  assertLess(5, lastSecond.length);
  assertEquals(lastSecond.map(({ skipped }) => skipped), lastSecond.map(() => 0));
  const moves = simulation.events.filter(({ type }) => type === "moved").length;
  assertEquals(moves, 6);
});

test("however often a client seeks, one read at a time is asked for, and what it brings too late is not sent", () => {
  const info = { size: 1_000_000, durationMs: null, rate: 10_000, assumed: false, mediaType: "" };
  const machine = new SenderMachine({ session: 1, info, startMs: 0, idleMs: 60_000, random: new Random(1) });
  const shown = (effects: ReturnType<SenderMachine["step"]>) =>
    effects.flatMap((effect) => {
      if (effect.type === "event" && effect.event.type === "read") return [`read ${effect.event.offset}`];
      return effect.type === "send" && effect.message.type === "DATA"
        ? [`data ${readData(effect.message).offset}`]
        : [];
    });
  const give = (offset: number) =>
    shown(machine.step({ type: "command", command: { type: "data", offset, bytes: new Uint8Array(65_536) } }, 0));
  assertEquals(shown(machine.step({ type: "start" }, 0)), ["read 0"]);
  for (const number of [1, 2, 3]) {
    const command = { number, action: "seek", positionMs: 20_000 * number, first: 0 } as const;
    assertEquals(shown(machine.step({ type: "message", message: controlPdu(1, command) }, 0)), []);
  }
  assertEquals(give(0), ["read 600000"]);
  assertEquals(give(600_000), ["data 600000"]);
});

property("commands arrive through any loss, each once (100 networks)", 100, async (random) => {
  const simulation = new Simulation({ file, rate, there: { loss: 0.3 * random.next() }, seed: random.uint32() });
  await simulation.run(1000);
  for (let i = 0; i < 5; i++) {
    const action = random.pick(["pause", "resume", "seek"] as const);
    simulation.control(action, random.int(0, 1000));
    await simulation.run(random.int(0, 1500));
  }
  simulation.control("resume");
  await simulation.run();
  assertEquals(simulation.error, undefined);
  assertEquals(simulation.events.filter(({ type }) => type === "moved").length, 6);
  assertEquals(simulation.receiver.tally.lost, simulation.plan.tally.lost);
});

test("who pauses and goes on gets nothing sooner, however often: the next piece is due as long after as it was before", () => {
  const info = { size: 100_000, durationMs: null, rate: 1000, assumed: false, mediaType: "" };
  const machine = new SenderMachine({ session: 1, info, startMs: 0, idleMs: Infinity, random: new Random(1) });
  machine.step({ type: "start" }, 0);
  machine.step({ type: "command", command: { type: "data", offset: 0, bytes: new Uint8Array(65_536) } }, 0);
  const [sent, due] = [machine.pieces, machine.deadline()!];
  const command = (number: number, action: "pause" | "resume", now: number) => {
    machine.step({ type: "message", message: controlPdu(1, { number, action, positionMs: 0, first: 0 }) }, now);
  };
  for (let number = 1; number <= 100; number++) command(number, number % 2 === 1 ? "pause" : "resume", 400);
  assertEquals([machine.pieces, machine.deadline()], [sent, due]);
  command(101, "resume", 500);
  assertEquals([machine.pieces, machine.deadline()], [sent, due]);
  command(102, "pause", 600);
  assertEquals(machine.deadline(), null);
  command(103, "resume", 5600);
  assertEquals([machine.pieces, machine.deadline()], [sent, due + 5000]);
});

test("a client that vanishes is dropped 5 s after its last report", () => {
  const info = { size: 1_000_000, durationMs: null, rate: 10_000, assumed: false, mediaType: "" };
  const machine = new SenderMachine({ session: 1, info, startMs: 0, idleMs: 5000, random: new Random(1) });
  machine.step({ type: "start" }, 0);
  const report: Pdu = { type: "REPORT", flags: 0, session: 1, seq: 0, payload: new Uint8Array(8) };
  machine.step({ type: "message", message: report }, 3000);
  assertEquals(machine.deadline(), 8000);
  assertEquals(machine.step({ type: "timer" }, 7999).filter(({ type }) => type === "close"), []);
  const effects = machine.step({ type: "timer" }, 8000);
  assertEquals(effects, [{ type: "event", event: { type: "over", why: "no report for 5 s" } }, { type: "close" }]);
});

test("a file that becomes shorter is an error, at both ends", async () => {
  // There is nothing, less than a datagram, and, of what is read next, nothing and a part.
  for (const cutAt of [0, 500, 65_536, 100_000]) {
    const simulation = await new Simulation({ file: makeWav(30), rate: 16_000, cutAt }).run();
    assertEquals(simulation.why, "the file has become shorter");
    assertMatch(simulation.error!.message, /the server says: the file has become shorter/);
  }
});

test("an empty file is a stream without data", async () => {
  const simulation = await new Simulation({ file: new Uint8Array(0), rate: 1000 }).run();
  assertEquals([simulation.error, simulation.receiver.tally.packets], [undefined, 0]);
  assertLess(simulation.clock.now(), 10); // nothing is waited for
});

/** A client whose server is written by hand: what it sends, and when. */
class Receiver {
  readonly clock = new VirtualClock(50);
  readonly sent: string[] = [];
  readonly machine: ReceiverMachine;
  readonly driven: Driven<Pdu, ReceiveCommand>;
  error: Error | undefined;

  constructor(options: Partial<ReceiverOptions> = {}) {
    this.machine = new ReceiverMachine({
      ...{ session: SESSION, name: "x", startMs: 0, bufferMs: 100, silentMs: 8000 },
      ...options,
    });
    this.driven = drive(this.machine, {
      clock: this.clock,
      send: ({ type }) => this.sent.push(`${this.clock.now()} ${type}`),
    });
    void this.driven.finished.then((error) => (this.error = error));
  }

  /** What it sends in the next `ms`, which begin with `messages` that come. */
  take(ms: Millis, ...messages: Pdu[]): string[] {
    this.sent.length = 0;
    for (const message of messages) this.driven.input({ type: "message", message });
    this.clock.advance(ms);
    return [...this.sent];
  }

  control(action: "pause" | "resume" | "seek"): void {
    this.driven.input({ type: "command", command: { type: "control", action, positionMs: 0 } });
  }
}

const MEDIUM = { size: 2 ** 40, durationMs: null, rate: 1000, assumed: false, mediaType: "" };
const COOKIE = cookiePdu(SESSION, new Uint8Array(16).fill(7));

test("no answer, and silence, are given up with a word", async () => {
  const receiver = new Receiver();
  receiver.clock.advanceTo(10_049);
  assertEquals(receiver.sent, [50, 450, 1250, 2850, 4850, 6850, 8850].map((at) => `${at} REQUEST`));
  await Promise.resolve();
  assertEquals(receiver.error, undefined);
  receiver.clock.advanceTo(10_050);
  await Promise.resolve();
  assertEquals(receiver.error?.message, "no answer for 10 s");
  const silent = await new Simulation({ file, rate, there: { loss: 1 } }).run();
  assertMatch(silent.error!.message, /^the server has said nothing for 8 s$/);
});

test("a server that answers, but cannot be read or gives cookies only, is known to", () => {
  const receiver = new Receiver();
  const rateless = infoPdu(SESSION, { ...MEDIUM, rate: 0 });
  assertEquals(receiver.machine.problem, null);
  receiver.take(10, rateless, rateless);
  assertEquals(receiver.machine.problem, "no such rate: 0 bytes/s");
  const miser = new Receiver();
  miser.take(10, ...Array.from({ length: 50 }, () => COOKIE));
  assertEquals(miser.machine.problem, "it gives cookies, and no INFO");
});

test("an error without a text is said by its number", async () => {
  const receiver = new Receiver();
  receiver.take(10, errorPdu(SESSION, 9, ""));
  await Promise.resolve();
  assertEquals(receiver.error?.message, "the server says: error 9");
});

test("what has been answered makes what is asked next urgent again", () => {
  const receiver = new Receiver();
  receiver.take(4950);
  assertEquals(receiver.take(1000, COOKIE), ["5000 REQUEST", "5400 REQUEST"]);
  receiver.control("pause");
  receiver.control("resume");
  const isControl = (sent: string) => sent.endsWith("CONTROL");
  assertEquals(receiver.take(3000, infoPdu(SESSION, MEDIUM)).filter(isControl), [
    "6000 CONTROL",
    "6400 CONTROL",
    "7200 CONTROL",
    "8800 CONTROL",
  ]);
  const paused = controlPdu(SESSION, { number: 1, action: "pause", positionMs: 0, first: 0 });
  assertEquals(receiver.take(1000, paused, COOKIE, paused).filter(isControl), ["9000 CONTROL", "9400 CONTROL"]);
});

test("who pauses, goes on and pauses again, before any of it is confirmed, has paused", () => {
  const receiver = new Receiver();
  receiver.take(10, infoPdu(SESSION, MEDIUM));
  const actions = ["pause", "resume", "pause"] as const;
  actions.forEach((action) => receiver.control(action));
  const paused = actions.map((action, i) => {
    receiver.take(10, controlPdu(SESSION, { number: i + 1, action, positionMs: 0, first: 0 }));
    return receiver.machine.paused;
  });
  assertEquals(paused, [true, true, true]);
  receiver.control("resume");
  receiver.take(10, controlPdu(SESSION, { number: 4, action: "resume", positionMs: 0, first: 0 }));
  assertEquals(receiver.machine.paused, false);
});

test("who leaves says so to a server that may be about to serve it, and to no other", () => {
  const leave = (...heard: Pdu[]) => {
    const receiver = new Receiver();
    receiver.take(10, ...heard);
    receiver.sent.length = 0;
    receiver.driven.input({ type: "command", command: { type: "leave" } });
    return receiver.sent;
  };
  assertEquals(leave(), []);
  assertEquals(leave(COOKIE), ["60 FIN"]);
  assertEquals(leave(COOKIE, infoPdu(SESSION, MEDIUM)), ["60 REPORT", "60 FIN"]);
});

test("a client reports each second, and after a time in which it could not, once", () => {
  const receiver = new Receiver();
  assertEquals(receiver.take(4400, infoPdu(SESSION, MEDIUM)), [1050, 2050, 3050, 4050].map((at) => `${at} REPORT`));
  // Timers that are 200 ms late, which is made up for; and one that is five seconds late.
  const { machine } = receiver;
  const reportsAt = (now: Millis) => machine.step({ type: "timer" }, now).length;
  const heard = (now: Millis) => machine.step({ type: "message", message: infoPdu(SESSION, MEDIUM) }, now);
  assertEquals([5049, 5250, 6049, 6050].map(reportsAt), [0, 1, 0, 1]);
  heard(12_000);
  assertEquals([12_050, 12_549, 12_550].map(reportsAt), [1, 0, 1]);
});

test("what a hostile server sends costs little: wild numbers, places and sizes are dropped", () => {
  const machine = new ReceiverMachine({ session: SESSION, name: "x", startMs: 0, bufferMs: 100, silentMs: 8000 });
  const info = { size: 5000, durationMs: null, rate: 1000, assumed: false, mediaType: "\x1b[2J" };
  machine.step({ type: "start" }, 0);
  const take = (message: Pdu) => machine.step({ type: "message", message }, 1);
  const bytes = new Uint8Array(1000);
  take(infoPdu(SESSION, info));
  take(dataPdu(SESSION, { seq: 4_000_000_000, offset: 0, timeMs: 0, bytes }));
  take(dataPdu(SESSION, { seq: 0, offset: 2 ** 50, timeMs: 0, bytes }));
  take(dataPdu(SESSION, { seq: 0, offset: 4001, timeMs: 0, bytes }));
  take(dataPdu(SESSION + 1, { seq: 0, offset: 0, timeMs: 0, bytes }));
  take(finPdu(SESSION, 4_000_000_000, 7));
  take({ type: "INFO", flags: 0, session: SESSION, seq: 0, payload: new Uint8Array(3) });
  take({ type: "CONTROL", flags: 0, session: SESSION, seq: 9, payload: new Uint8Array(9) });
  take(errorPdu(SESSION + 1, 1, "not for us"));
  assertEquals([machine.tally.packets, machine.tally.lost], [0, 0]);
  take(dataPdu(SESSION, { seq: 0, offset: 0, timeMs: 0, bytes }));
  assertEquals([machine.tally.packets, machine.tally.lost], [1, 0]);
  take(finPdu(SESSION, 4_000_000_000));
  assertEquals(machine.tally.lost, 0);
});

test("a server that sends ahead byte by byte has few of them kept, in a pause, too", () => {
  for (const paused of [false, true]) {
    const receiver = new Receiver();
    receiver.take(0, infoPdu(SESSION, MEDIUM));
    if (paused) receiver.control("pause");
    const piece = { offset: 0, timeMs: 0, bytes: new Uint8Array(1) };
    for (let seq = 0; seq < 20_000; seq++) receiver.take(0, dataPdu(SESSION, { ...piece, seq }));
    assertEquals(receiver.machine.tally.packets, 20_000);
    assertLess(receiver.machine.bufferedMs, 17_000, "a byte is a millisecond of this medium");
  }
});

test("a server that only gives cookies is not asked for ever at once", () => {
  const machine = new ReceiverMachine({ session: SESSION, name: "x", startMs: 0, bufferMs: 100, silentMs: 8000 });
  machine.step({ type: "start" }, 0);
  let asked = 0;
  for (let i = 0; i < 1000; i++) {
    const payload = crypto.getRandomValues(new Uint8Array(16));
    const message: Pdu = { type: "COOKIE", flags: 0, session: SESSION, seq: 0, payload };
    asked += machine.step({ type: "message", message }, 1).length;
  }
  assertLess(asked, 6);
});

test("a tally counts gaps, not only what is in them", () => {
  const tally = new Tally();
  const take = (seq: number) => tally.take({ seq, offset: 0, timeMs: 0, bytes: new Uint8Array(1) }, 0);
  assertEquals([0, 3, 5, 4, 4, 6 + 65_536].map(take), ["new", "new", "new", "late", "duplicate", "wild"]);
  tally.expect(9);
  assertEquals([tally.lost, tally.gaps, tally.reordered, tally.duplicates], [5, 2, 1, 1]);
});

test("a tally of numbers that leap costs nothing for those that they leap over", () => {
  const tally = new Tally();
  for (let i = 1; i <= 300; i++) tally.take({ seq: i * 65_535, offset: 0, timeMs: 0, bytes: new Uint8Array(1) }, 0);
  assertEquals([tally.lost, tally.gaps], [300 * 65_534 + 1, 300]);
});

test("a tally remembers so many holes, and what would fill an earlier one is lost", () => {
  const tally = new Tally();
  const take = (seq: number) => tally.take({ seq, offset: 2 * seq, timeMs: 0, bytes: new Uint8Array(1) }, 0);
  for (let seq = 1; seq < 30_000; seq += 2) take(seq);
  assertEquals([take(0), take(29_998)], ["duplicate", "late"]);
  assertEquals([tally.packets, tally.lost, tally.gaps], [15_001, 14_999, 14_999]);
  assertEquals(tally.missingBytes(60_000), 60_000 - 15_001);
});

test("behind a hole of any length the stream goes on with the second number, and what is missing is counted", () => {
  const tally = new Tally();
  const take = (seq: number) => tally.take({ seq, offset: 0, timeMs: 0, bytes: new Uint8Array(1) }, 0);
  const numbers = [0, 100_000, 3_000_000, 100_002, 100_003, 100_004, 1];
  assertEquals(numbers.map(take), ["new", "wild", "wild", "wild", "new", "new", "late"]);
  assertEquals([tally.packets, tally.lost, tally.gaps], [4, 100_001, 1]);
});

test("what was sent before the server went elsewhere is late by another schedule, and no jitter", () => {
  const tally = new Tally();
  const take = (seq: number, timeMs: number, now: number) =>
    tally.take({ seq, offset: 0, timeMs, bytes: new Uint8Array(1) }, now);
  take(0, 0, 1000);
  tally.restart(3);
  take(3, 60_000, 1100);
  assertEquals(take(1, 100, 1150), "late");
  take(4, 60_100, 1200);
  assertEquals(tally.jitterMs, 0);
  take(5, 60_200, 1316);
  assertEquals(tally.jitterMs, 1);
});

test("the last report that the server gets is what the client says in the end", async () => {
  const simulation = await new Simulation({ file, rate, there: { loss: 0.1 }, seed: 5 }).run();
  assert(simulation.sent.length > 0);
  assertLess(Math.abs((simulation.sender.report?.lost ?? 0) - simulation.receiver.tally.lost), 5);
  assertEquals(readReport({ type: "REPORT", flags: 0, session: 0, seq: 3, payload: new Uint8Array(8) }), {
    next: 3,
    lost: 0,
    jitterMs: 0,
  });
});
