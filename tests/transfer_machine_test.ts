// Sender and receiver stepped by hand: what they send at which millisecond, and what they leave undone. What two of them make of a
// bad network is in transfer_lossy_test.ts.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  acceptPdu,
  ackPdu,
  donePdu,
  ERROR_CODES,
  errorPdu,
  finPdu,
  HEADER_BYTES,
  MAX_CHUNKS,
  openPdu,
  type Pdu,
  readDuplicates,
  type Scheme,
  SCHEMES,
} from "../lib/exercises/transfer/protocol.ts";
import { ACK_DELAY_MS, LAST_WORD_MS, REFUSAL_MS, STRAGGLER_MS } from "../lib/exercises/transfer/receiver_machine.ts";
import { STALE_MS } from "../lib/exercises/transfer/server.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { property, test } from "./helpers.ts";
import { makeFile, range, Receiving, Sending, SESSION, sha256 } from "./transfer_helpers.ts";

const RELIABLE = SCHEMES.filter((scheme) => scheme !== "none");
const DIGEST = sha256(new Uint8Array(0));
const done = (seq: number) => donePdu(SESSION, seq, 0);
const fin = (seq: number) => finPdu(SESSION, seq, DIGEST);
const open = (scheme: Scheme) =>
  openPdu(SESSION, { name: "file", size: null, chunk: 10, window: 4, scheme, resume: false });

/** An ACK, with the bits of selective repeat as they are written. */
function ack(seq: number, bits = ""): Pdu {
  const bitmap = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) if (bits[i] === "1") bitmap[i >> 3] |= 1 << (i & 7);
  return ackPdu(SESSION, seq, bitmap);
}

for (const scheme of SCHEMES) {
  test(`${scheme}: OPEN is sent again after a second and not before, then after two`, () => {
    const sending = new Sending(scheme);
    assertEquals(sending.start(), ["OPEN"]);
    assertEquals(sending.pass(999), []);
    assertEquals(sending.pass(1), ["OPEN"]);
    assertEquals(sending.pass(1999), []);
    assertEquals(sending.pass(1), ["OPEN"]);
  });

  test(`${scheme}: FIN is sent again at the RTO and not before, until DONE comes`, () => {
    const [sending, first] = Sending.of(scheme, 0);
    assertEquals(first, ["FIN 0"]);
    assertEquals(sending.pass(299), []);
    assertEquals(sending.pass(1), ["FIN 0"]);
    assertEquals(sending.pass(599), []);
    assertEquals(sending.pass(1), ["FIN 0"]);
    assertEquals(sending.get(donePdu(SESSION, 0, 7)), ["done", "closes"]);
    assertEquals([sending.machine.over, sending.machine.failure, sending.machine.duplicates], [true, undefined, 7]);
    assertEquals([sending.machine.deadline(), sending.pass(100_000)], [null, []]);
  });

  test(`${scheme}: a receiver that never answers OPEN is given up after exactly retries + 1 tries`, () => {
    const sending = new Sending(scheme, { size: 30, retries: 2, rto: { fixedMs: 100 } });
    const what = scheme === "none" ? "0 of 3 chunks sent" : "0 of 3 chunks acknowledged";
    assertEquals([...sending.start(), ...sending.pass(299)], ["OPEN", "OPEN", "OPEN"]);
    assertEquals(sending.pass(1), [`closes: no answer to 3 tries: ${what}`]);
    const { failure } = sending.machine;
    assert(failure instanceof NetlabError && failure.kind === "timeout" && failure.hint?.includes("receiver"));
  });

  test(`${scheme}: a receiver that never answers FIN is given up after exactly retries + 1 tries`, () => {
    const [sending] = Sending.of(scheme, 0, { retries: 2, rto: { fixedMs: 100 } });
    assertEquals(sending.pass(299), ["FIN 0", "FIN 0"]);
    const what = scheme === "none" ? "0 of 0 chunks sent" : "0 of 0 chunks acknowledged";
    assertEquals(sending.pass(1), [`closes: no answer to 3 tries: ${what}`]);
  });

  test(`${scheme}: a timer that fires early does nothing, and does not move the deadline`, () => {
    const [sending] = Sending.of(scheme, 10);
    if (scheme === "none") assertEquals(sending.machine.deadline(), sending.now + 300);
    const deadline = sending.machine.deadline()!;
    sending.now = deadline - 1;
    assertEquals([sending.timer(), sending.machine.deadline()], [[], deadline]);
    sending.now = deadline;
    assertEquals(sending.timer().length, 1);
  });

  test(`${scheme}: ERROR ends it, at any time, with what it says`, () => {
    const error = errorPdu(SESSION, ERROR_CODES.disk, "the disk is full");
    const opening = new Sending(scheme);
    opening.start();
    const [sending] = Sending.of(scheme, 30);
    const [finishing] = Sending.of(scheme, 0);
    for (const one of [opening, sending, finishing]) {
      assertEquals(one.get(error), ["closes: the receiver: the disk is full"]);
      const { failure } = one.machine;
      assert(failure instanceof NetlabError && failure.kind === "reply" && failure.hint === undefined);
      assertEquals([one.get(error), one.get(done(0)), one.machine.deadline()], [[], [], null]);
    }
  });

  test(`${scheme}: an ERROR without a word is shown by its number`, () => {
    const sending = new Sending(scheme);
    sending.start();
    assertEquals(sending.get(errorPdu(SESSION, 3, "")), ["closes: the receiver: error 3"]);
  });

  test(`${scheme}: what belongs to another session is not for us`, () => {
    const sending = new Sending(scheme, { size: 10 });
    sending.start();
    const others = [acceptPdu(SESSION + 1, 0, 4, null), errorPdu(SESSION + 1, 1, "no"), donePdu(0, 1, 0)];
    for (const pdu of others) assertEquals(sending.get(pdu), []);
    sending.get(acceptPdu(SESSION, 0, 4, null));
    sending.give(10);
    const deadline = sending.machine.deadline();
    for (const pdu of [...others, ackPdu(SESSION ^ 1, 1)]) assertEquals(sending.get(pdu), []);
    assertEquals([sending.machine.deadline(), sending.machine.over], [deadline, false]);
  });

  test(`${scheme}: the user may cancel it, and the receiver is told`, () => {
    const [sending] = Sending.of(scheme, 30);
    const said = sending.tell({ type: "cancel", why: "no longer wanted" });
    assertEquals(said, [`ERROR ${ERROR_CODES.cancelled} no longer wanted`, "closes: no longer wanted"]);
  });

  test(`${scheme}: a connection that ends says how far it got`, () => {
    const [sending] = Sending.of(scheme, 95);
    const what = scheme === "none" ? "10 of 10 chunks sent" : "0 of 10 chunks acknowledged";
    assertEquals(sending.end(), [`closes: the receiver ended the connection: ${what}`]);
    const [other] = Sending.of(scheme, 95);
    assertEquals(other.end(new Error("reset")), ["closes: reset"]);
  });

  property(`${scheme}: chunks are the same whatever the blocks are that the file comes in`, 50, (random) => {
    const file = makeFile(random.int(0, 200));
    const sending = new Sending(scheme, { size: null, window: 100 });
    sending.start();
    sending.get(acceptPdu(SESSION, 0, 100, null));
    const sent: Uint8Array[] = [];
    const step = sending.machine.step.bind(sending.machine);
    const keep = (command: Parameters<typeof step>[0]) => {
      for (const effect of step(command, 0)) {
        if (effect.type === "send" && effect.message.type === "DATA") sent.push(effect.message.payload.slice());
      }
    };
    for (let at = 0; at < file.length;) {
      keep({ type: "command", command: { type: "data", bytes: file.slice(at, at += random.int(0, 35)) } });
    }
    keep({ type: "command", command: { type: "finish", digest: DIGEST } });
    const chunks = Array.from({ length: Math.ceil(file.length / 10) }, (_, i) => file.slice(10 * i, 10 * i + 10));
    assertEquals(sent, chunks.slice(0, sending.machine.window));
  });
}

for (const scheme of RELIABLE) {
  test(`${scheme}: DATA is sent again at the RTO and not before, then after twice that`, () => {
    const [sending, first] = Sending.of(scheme, 10);
    assertEquals(first, ["DATA 0!"]);
    assertEquals(sending.pass(299), []);
    assertEquals(sending.pass(1), ["DATA 0!"]);
    assertEquals(sending.pass(599), []);
    assertEquals(sending.pass(1), ["DATA 0!"]);
  });

  test(`${scheme}: an acknowledgement in the last millisecond keeps the timer from firing`, () => {
    const [sending] = Sending.of(scheme, 10);
    sending.pass(299);
    assertEquals(sending.get(ack(1)), ["FIN 1"]);
    assertEquals([sending.pass(1), sending.machine.retransmissions], [[], 0]);
  });

  test(`${scheme}: a receiver that falls silent is given up after exactly retries + 1 tries; it says how far it got`, () => {
    const [sending] = Sending.of(scheme, 95, { retries: 2, rto: { fixedMs: 100 }, window: 2 });
    sending.get(ack(1));
    sending.get(ack(2));
    const tries = sending.pass(299).filter((one) => one.startsWith("DATA 2"));
    assertEquals(tries.length, 2);
    assertEquals(sending.pass(1), ["closes: no answer to 3 tries: 2 of 10 chunks acknowledged"]);
    assert(sending.machine.failure instanceof NetlabError && sending.machine.failure.hint?.includes("--resume"));
  });

  test(`${scheme}: timeouts count in a row: an acknowledgement starts the count anew`, () => {
    const [sending] = Sending.of(scheme, 100, { retries: 1, rto: { fixedMs: 100 }, window: 1 });
    for (let seq = 0; seq < 9; seq++) {
      assertEquals(sending.pass(100).length, 1);
      assertEquals(sending.get(ack(seq + 1)).length, 1);
    }
    assertEquals(sending.machine.retransmissions, 9);
  });

  test(`${scheme}: acknowledgements behind, beyond what was sent, or of nothing new change nothing`, () => {
    const [sending] = Sending.of(scheme, 95, { window: 1 });
    sending.get(ack(1));
    sending.pass(50);
    const deadline = sending.machine.deadline();
    const forged = [ack(0), ack(1), ack(0, "1111"), ack(1, "1111"), ack(3), ack(10), ack(0xffff_ffff), ack(3, "1")];
    for (const pdu of forged) assertEquals(sending.get(pdu), []);
    assertEquals(sending.machine.inFlight, 1);
    assertEquals(sending.machine.deadline(), deadline);
  });

  test(`${scheme}: a second ACCEPT, DONE before FIN, and what only a sender says, change nothing`, () => {
    const [sending] = Sending.of(scheme, 95);
    const before = [sending.machine.deadline(), sending.machine.inFlight, sending.machine.window];
    const pdus = [
      acceptPdu(SESSION, 5, 1, null),
      acceptPdu(SESSION, 0, 9, DIGEST),
      done(10),
      done(0),
      open(scheme),
      fin(10),
    ];
    for (const pdu of pdus) assertEquals(sending.get(pdu), []);
    assertEquals(sending.get({ type: "DATA", flags: 0, session: SESSION, seq: 0, payload: makeFile(10) }), []);
    assertEquals([sending.machine.deadline(), sending.machine.inFlight, sending.machine.window], before);
  });

  test(`${scheme}: before ACCEPT nothing else counts, and one without a window is none`, () => {
    const sending = new Sending(scheme);
    sending.start();
    const empty = { ...acceptPdu(SESSION, 0, 1, null), payload: new Uint8Array(1) };
    for (const pdu of [ack(0), ack(1), done(0), acceptPdu(SESSION, 0, 0, null), empty]) {
      assertEquals(sending.get(pdu), []);
    }
    assertEquals(sending.get(acceptPdu(SESSION, 0, 1, null)), ["accepted 0", "hungry"]);
  });

  test(`${scheme}: a receiver that goes on where there is nothing to go on with is told so, and that ends it`, () => {
    const sending = new Sending(scheme);
    sending.start();
    const why = "ACCEPT asks for chunk 1 first, and there is nothing to go on with";
    assertEquals(sending.get(acceptPdu(SESSION, 1, 4, null)), [`ERROR 1 ${why}`, `closes: the receiver: ${why}`]);
  });

  test(`${scheme}: while there is nothing to send OPEN is said again after 2 s, and not before; ACCEPT changes nothing`, () => {
    const slow = new Sending(scheme);
    slow.start();
    slow.get(acceptPdu(SESSION, 0, 4, null));
    for (let i = 0; i < 2; i++) {
      assertEquals([slow.pass(1999), slow.pass(1)], [[], ["OPEN"]]);
      assertEquals(slow.get(acceptPdu(SESSION, 0, 4, null)), []);
    }
    slow.pass(1500);
    assertEquals(slow.tell({ type: "data", bytes: makeFile(10) }), ["DATA 0!", "hungry"]);
    assertEquals(slow.get(ack(1)), []);
    assertEquals([slow.pass(1999), slow.pass(1), slow.machine.over], [[], ["OPEN"], false]);
  });

  test(`${scheme}: a sender that waits, for its source or for an answer, is never silent for so long that its name is free`, () => {
    const slow = new Sending(scheme, { retries: 12 });
    slow.start();
    for (let i = 0; i < 8; i++) assertEquals(slow.pass(STALE_MS - 1)[0], "OPEN");
    slow.get(acceptPdu(SESSION, 0, 4, null));
    assertEquals(slow.pass(STALE_MS - 1).length, 2, "one of them may be lost");
    const [sending] = Sending.of(scheme, 10, { retries: 12 });
    while (!sending.machine.over) assertNotEquals(sending.pass(STALE_MS - 1), []);
  });

  test(`${scheme}: after FIN acknowledgements no longer count`, () => {
    const [sending] = Sending.of(scheme, 10);
    assertEquals(sending.get(ack(1)), ["FIN 1"]);
    const deadline = sending.machine.deadline();
    for (const pdu of [ack(1), ack(0), ack(1, "1"), acceptPdu(SESSION, 0, 4, null)]) assertEquals(sending.get(pdu), []);
    assertEquals([sending.machine.deadline(), sending.machine.inFlight], [deadline, 0]);
  });

  test(`${scheme}: what was sent twice is not measured (Karn), and the longer timeout stays until something is`, () => {
    const [sending] = Sending.of(scheme, 20, { window: 1 });
    sending.pass(300);
    sending.pass(50);
    assertEquals(sending.get(ack(1)), ["DATA 1!"]);
    assertEquals([sending.machine.rto.srttMs, sending.machine.rto.rtoMs], [100, 600]);
    sending.pass(20);
    sending.get(ack(2));
    // SRTT = 7/8 · 100 + 1/8 · 20; RTTVAR = 3/4 · 50 + 1/4 · 80 = 57.5
    assertEquals([sending.machine.rto.srttMs, sending.machine.rto.rtoMs], [90, 320]);
  });

  test(`${scheme}: an OPEN that was sent twice is not measured, nor one that the receiver has to read a file for`, () => {
    for (const resume of [false, true]) {
      const sending = new Sending(scheme, { resume });
      sending.start();
      sending.pass(resume ? 500 : 1000);
      sending.get(acceptPdu(SESSION, 0, 4, null));
      assertEquals([sending.machine.rto.srttMs, sending.machine.rto.rtoMs], [null, resume ? 1000 : 2000]);
    }
  });

  test(`${scheme}: the last number is 2^32 - 2, and a longer file is refused`, () => {
    const last = MAX_CHUNKS - 1;
    for (const [length, end] of [[10, `FIN ${MAX_CHUNKS}`], [11, "closes: the file has more than 4294967295 chunks"]]) {
      const sending = new Sending(scheme, { window: 1, resume: true });
      sending.start();
      sending.get(acceptPdu(SESSION, last, 1, null));
      assertEquals(sending.give(length as number), [`DATA ${last}!`]);
      assertEquals(sending.get(ack(last + 1)), [end as string]);
    }
  });
}

test("stop-and-wait sends one chunk at a time, whatever window there is", () => {
  const [sending, first] = Sending.of("stop-and-wait", 30, { window: 100 });
  assertEquals(first, ["DATA 0!"]);
  assertEquals(sending.get(ack(1)), ["DATA 1!"]);
  assertEquals(sending.get(ack(2)), ["DATA 2!"]);
  assertEquals(sending.get(ack(3)), ["FIN 3"]);
});

test("go-back-n sends the whole window again, from the chunk that was lost on", () => {
  const [sending, first] = Sending.of("go-back-n", 60);
  assertEquals(first, ["DATA 0", "DATA 1", "DATA 2", "DATA 3!"]);
  assertEquals(sending.get(ack(1)), ["DATA 4!"]);
  assertEquals(sending.get(ack(1)), []);
  const rtoMs = sending.machine.rto.rtoMs;
  assertEquals(sending.pass(rtoMs - 1), []);
  assertEquals(sending.pass(1), ["DATA 1", "DATA 2", "DATA 3!", "DATA 4!"]);
  assertEquals(sending.get(ack(5)), ["DATA 5!"]);
  assertEquals([sending.machine.chunksSent, sending.machine.retransmissions], [10, 4]);
});

test("go-back-n has one timer, which an acknowledgement sets anew", () => {
  const [sending] = Sending.of("go-back-n", 40, { rto: { fixedMs: 300 } });
  sending.pass(200);
  sending.get(ack(2));
  assertEquals(sending.pass(299), []);
  assertEquals(sending.pass(1), ["DATA 2", "DATA 3!"]);
});

test("go-back-n does not measure a chunk whose acknowledgement waited for one that was sent again", () => {
  const [sending] = Sending.of("go-back-n", 30, { window: 2 });
  sending.pass(300);
  assertEquals(sending.get(ack(1)), ["DATA 2!"]);
  sending.pass(40);
  sending.get(ack(3));
  assertEquals(sending.machine.rto.srttMs, 100);
});

test("go-back-n, while what was sent again is still on its way: something new that is acknowledged ends the doubling", () => {
  const [sending] = Sending.of("go-back-n", 30, { window: 3 });
  sending.pass(300 + 600);
  assertEquals([sending.get(ack(0)), sending.machine.rto.rtoMs], [[], 1200]);
  sending.get(ack(1));
  assertEquals([sending.machine.rto.srttMs, sending.machine.rto.rtoMs], [100, 300]);
});

test("selective repeat sends only that again which has not come, and the window does not move past it", () => {
  const [sending, first] = Sending.of("selective-repeat", 60);
  assertEquals(first, ["DATA 0", "DATA 1", "DATA 2", "DATA 3!"]);
  assertEquals(sending.get(ack(0, "111")), []);
  assertEquals(sending.get(ack(0, "111")), []);
  assertEquals(sending.machine.inFlight, 4);
  assertEquals(sending.pass(1000).slice(0, 1), ["DATA 0"]);
  assertEquals(sending.get(ack(4)), ["DATA 4", "DATA 5!"]);
  assertEquals(sending.get(ack(6)), ["FIN 6"]);
});

test("selective repeat sends the holes again, all at their time", () => {
  const [sending] = Sending.of("selective-repeat", 80, { window: 8, rto: { fixedMs: 300 } });
  assertEquals(sending.get(ack(1, "0101")), []);
  assertEquals(sending.pass(299), []);
  assertEquals(sending.pass(1), ["DATA 1", "DATA 2", "DATA 4", "DATA 6", "DATA 7!"]);
});

test("in selective repeat each chunk has its own timer, from when it was sent last", () => {
  const [sending] = Sending.of("selective-repeat", 40, { window: 2, rto: { fixedMs: 300 } });
  sending.pass(100);
  assertEquals(sending.get(ack(1)), ["DATA 2!"]);
  assertEquals(sending.pass(199), []);
  assertEquals(sending.pass(1), ["DATA 1!"]);
  assertEquals(sending.pass(99), []);
  assertEquals(sending.pass(1), ["DATA 2!"]);
  assertEquals(sending.pass(199), []);
  assertEquals(sending.pass(1), ["DATA 1!"]);
});

test("in selective repeat what was sent together and is lost together is one timeout", () => {
  const [sending] = Sending.of("selective-repeat", 40, { retries: 2 });
  assertEquals(sending.pass(300).length, 4);
  assertEquals(sending.machine.rto.rtoMs, 600);
  assertEquals(sending.pass(600).length, 4);
  assertEquals(sending.pass(1200), ["closes: no answer to 3 tries: 0 of 4 chunks acknowledged"]);
});

test("in selective repeat a chunk that came behind a hole is progress, and is measured", () => {
  const [sending] = Sending.of("selective-repeat", 20, { retries: 1 });
  sending.pass(60);
  sending.get(ack(0, "1"));
  assertEquals(sending.machine.rto.srttMs, 95);
  assertEquals(sending.pass(1000), ["DATA 0", "closes: no answer to 2 tries: 0 of 2 chunks acknowledged"]);
});

test("in selective repeat a chunk that came behind a hole starts the count of timeouts anew", () => {
  const [sending] = Sending.of("selective-repeat", 20, { retries: 1, rto: { fixedMs: 100 } });
  assertEquals(sending.pass(100), ["DATA 0", "DATA 1!"]);
  assertEquals(sending.get(ack(0, "1")), []);
  assertEquals(sending.pass(100), ["DATA 0"]);
});

test("in selective repeat an acknowledgement that says nothing new does not start it anew", () => {
  const [sending] = Sending.of("selective-repeat", 20, { retries: 1, rto: { fixedMs: 100 } });
  assertEquals([sending.get(ack(0, "1")), sending.pass(100)], [[], ["DATA 0"]]);
  assertEquals([sending.get(ack(0, "1")), sending.pass(99)], [[], []]);
  assertEquals(sending.pass(1), ["closes: no answer to 2 tries: 0 of 2 chunks acknowledged"]);
});

test("in selective repeat a chunk that was sent before the last timeout does not count as another one", () => {
  const [sending] = Sending.of("selective-repeat", 30, { retries: 1, window: 2, rto: { fixedMs: 300 } });
  sending.pass(100);
  assertEquals(sending.get(ack(1)), ["DATA 2!"]);
  assertEquals(sending.pass(499), ["DATA 1!", "DATA 2!"]);
  assertEquals(sending.pass(1), ["closes: no answer to 2 tries: 1 of 3 chunks acknowledged"]);
});

test("in selective repeat a chunk is not measured when its acknowledgement waited for one that was sent again", () => {
  const [sending] = Sending.of("selective-repeat", 30, { window: 2, rto: { fixedMs: 300 } });
  sending.pass(100);
  assertEquals(sending.get(ack(1)), ["DATA 2!"]);
  assertEquals(sending.pass(200), ["DATA 1!"]);
  sending.pass(50);
  assertEquals([sending.get(ack(3)), sending.machine.rto.srttMs], [["FIN 3"], 100]);
});

test("in selective repeat a chunk is measured when it is acknowledged first, and not when the hole before it is filled", () => {
  const [sending] = Sending.of("selective-repeat", 30, { window: 2, rto: { fixedMs: 300 } });
  sending.pass(100);
  assertEquals(sending.get(ack(1)), ["DATA 2!"]);
  sending.pass(50);
  // 7/8 · 100 + 1/8 · 50: chunk 2; then 7/8 · 93.75 + 1/8 · 200: chunk 1, which was only late.
  assertEquals([sending.get(ack(1, "1")), sending.machine.rto.srttMs], [[], 93.75]);
  sending.pass(50);
  assertEquals([sending.get(ack(3)), sending.machine.rto.srttMs], [["FIN 3"], 107.03125]);
});

test("in selective repeat bits for what was never sent, or beyond the window, are not believed", () => {
  const [sending] = Sending.of("selective-repeat", 60);
  assertEquals(sending.get(ack(0, "1".repeat(64))), []);
  assertEquals(sending.get(ack(4)), ["DATA 4", "DATA 5!"]);
  assertEquals(sending.get(ack(4, "0".repeat(524_000 / 8))), []);
  assertEquals(sending.pass(1000).slice(0, 2), ["DATA 4", "DATA 5!"]);
});

test("in selective repeat a receiver that takes back what it acknowledged does not leave the sender waiting for ever", () => {
  const [sending] = Sending.of("selective-repeat", 40, { retries: 2, rto: { fixedMs: 100 } });
  assertEquals(sending.get(ack(0, "111")), []);
  assertEquals(sending.get(ack(1)), []);
  assert(sending.machine.deadline() !== null, "three chunks are not acknowledged, and no timer runs");
  sending.pass(10_000);
  assert(sending.machine.over, "it waits for ever");
});

test("without acknowledgements everything is sent at once and once; an ACK means nothing", () => {
  const [sending, first] = Sending.of("none", 95, { window: 1 });
  assertEquals(first.map((one) => one.replace("!", "")), [...range(0, 10).map((seq) => `DATA ${seq}`), "FIN 10"]);
  assertEquals([sending.get(ack(10)), sending.get(ack(3))], [[], []]);
  assertEquals(sending.pass(300), ["FIN 10"]);
  assertEquals(sending.get(errorPdu(SESSION, 7, "lost 1 of 10")), ["closes: the receiver: lost 1 of 10"]);
});

test("of two windows the smaller one holds", () => {
  for (const [ours, theirs, expected] of [[8, 3, 3], [3, 8, 3]]) {
    const sending = new Sending("go-back-n", { window: ours });
    sending.start();
    sending.get(acceptPdu(SESSION, 0, theirs, null));
    assertEquals([sending.give(200).length, sending.machine.inFlight], [expected, expected]);
  }
});

for (const scheme of ["go-back-n", "selective-repeat"] as const) {
  test(`${scheme}: paced, 32 chunks leave at once, others little by little, and 64 while nothing is acknowledged`, () => {
    const [sending, first] = Sending.of(scheme, 1000, { window: 100, paced: true, rto: { fixedMs: 300 } });
    assertEquals(first.map((one) => one.replace("!", "")), range(0, 32).map((seq) => `DATA ${seq}`));
    assertEquals([sending.pass(0.5), sending.timer()], [[], []]);
    const next = sending.pass(0.5).length;
    assert(next > 0 && next <= 32, `${next} at once`);
    assertEquals([sending.pass(100).length, sending.machine.inFlight], [32 - next, 64]);
  });

  test(`${scheme}: paced, what may not leave now leaves in the end, though round trips have become longer`, () => {
    const [sending] = Sending.of(scheme, 640, { window: 64, paced: true, rto: { fixedMs: 5000 } });
    sending.pass(1000);
    assertEquals(sending.get(ack(1)), []);
    const again = sending.pass(5900).filter((one) => one.startsWith("DATA"));
    assertEquals(again.map((one) => parseInt(one.slice(5))), range(1, 64));
  });

  test(`${scheme}: paced, a window that is lost is sent again no faster, and counts as one timeout`, () => {
    const [sending] = Sending.of(scheme, 640, { window: 64, paced: true, retries: 1, rto: { fixedMs: 300 } });
    assertEquals(sending.pass(10).length, 32);
    const again = sending.pass(290 + 20).filter((one) => one.startsWith("DATA"));
    assertEquals(again.map((one) => parseInt(one.slice(5))), range(0, 64));
    assertEquals([sending.machine.retransmissions, sending.machine.over], [64, false]);
  });
}

test("selective repeat, paced: an acknowledgement does not stop what has timed out and was waiting to leave", () => {
  const [sending] = Sending.of("selective-repeat", 640, { window: 64, paced: true, rto: { fixedMs: 300 } });
  sending.pass(10);
  assert(sending.pass(290).length < 64, "the window was sent again at once");
  const again = sending.get(ack(1));
  assert(sending.machine.deadline() !== null, "chunks have timed out, and no timer runs");
  again.push(...sending.pass(100));
  assert(again.includes("DATA 63!"), `only ${again.length} left`);
});

test("go-back-n, paced: an acknowledgement of what was about to be sent again spares that", () => {
  const [sending] = Sending.of("go-back-n", 640, { window: 64, paced: true, rto: { fixedMs: 300 } });
  sending.pass(10);
  assert(sending.pass(290).length < 64, "the window was sent again at once");
  assertEquals(sending.get(ack(64)), ["FIN 64"]);
});

test("paced, no more than 32 chunks leave at once, however many are acknowledged and however long nothing left", () => {
  const [sending] = Sending.of("selective-repeat", 3000, { window: 100, paced: true });
  sending.pass(200);
  assert(sending.get(ack(sending.machine.inFlight)).length <= 32);
});

test("a chunk that comes later does not put off the timer of the oldest", () => {
  for (const scheme of ["go-back-n", "selective-repeat"] as const) {
    const sending = new Sending(scheme, { rto: { fixedMs: 300 } });
    sending.start();
    sending.get(acceptPdu(SESSION, 0, 4, null));
    assertEquals(sending.tell({ type: "data", bytes: makeFile(10) }), ["DATA 0!", "hungry"]);
    sending.pass(200);
    assertEquals(sending.tell({ type: "data", bytes: makeFile(10) }), ["DATA 1!", "hungry"]);
    assertEquals([sending.pass(99), sending.pass(1)[0]], [[], "DATA 0!"]);
  }
});

test("of chunks that are acknowledged together, the one that was sent first tells the round trip", () => {
  for (const scheme of ["go-back-n", "selective-repeat"] as const) {
    const [sending] = Sending.of(scheme, 30, { window: 2, rto: { fixedMs: 300 } });
    sending.pass(100);
    sending.get(ack(1));
    sending.pass(50);
    // 7/8 · 100 + 1/8 · 150
    assertEquals([sending.get(ack(3)), sending.machine.rto.srttMs], [["FIN 3"], 106.25]);
  }
});

test("more of the file is asked for once, and not while there is plenty", () => {
  const sending = new Sending("selective-repeat", { chunk: 1000 });
  sending.start();
  assertEquals(sending.get(acceptPdu(SESSION, 0, 4, null)).at(-1), "hungry");
  const plenty = sending.tell({ type: "data", bytes: makeFile(300_000) });
  assertEquals(plenty, ["DATA 0", "DATA 1", "DATA 2", "DATA 3!"]);
  const asked = range(1, 60).flatMap((seq) => sending.get(ack(seq)).filter((one) => one === "hungry").map(() => seq));
  assertEquals(asked, [34]);
  assertEquals(sending.tell({ type: "data", bytes: makeFile(1000) }), ["hungry"]);
});

test("a refusal that can be mended says how far it got, and how to go on", () => {
  const [sending] = Sending.of("go-back-n", 95);
  sending.get(ack(3));
  sending.get(errorPdu(SESSION, ERROR_CODES.unknownSession, "no such session"));
  const { failure } = sending.machine;
  assert(
    failure instanceof NetlabError &&
      failure.hint === "3 of 10 chunks acknowledged; the rest can be sent with --resume",
  );
});

test("where there is nothing to go on from, it says to send it again, and not --resume", () => {
  const offers = [["none", 95], ["go-back-n", null]] as const;
  for (const [scheme, size] of offers) {
    const refused = new Sending(scheme, { size });
    refused.start();
    refused.get(errorPdu(SESSION, ERROR_CODES.unknownSession, "no such session"));
    const silent = new Sending(scheme, { size, retries: 0, rto: { fixedMs: 100 } });
    silent.start();
    silent.get(acceptPdu(SESSION, 0, 4, null));
    silent.tell({ type: "data", bytes: makeFile(95) });
    silent.tell({ type: "finish", digest: DIGEST });
    silent.pass(1000);
    for (const { machine: { failure } } of [refused, silent]) {
      assert(failure instanceof NetlabError, scheme);
      assertMatch(failure.hint!, /send it again from the beginning$/);
    }
  }
});

// ── the receiver ─────────────────────────────────────────────────────────────────────────────────────────────────────

test("ACCEPT is said again to every OPEN, and starts nothing anew", () => {
  const receiving = Receiving.of("go-back-n", null);
  assertEquals(receiving.get(open("go-back-n")), ["ACCEPT 0"]);
  assertEquals(receiving.data(0), ["takes 0", "ACK 1"]);
  assertEquals(receiving.get(open("go-back-n")), ["ACCEPT 0"]);
  assertEquals(receiving.data(1), ["takes 1", "ACK 2"]);
});

test("an OPEN that is not yet decided upon is not answered, and then nothing else either", () => {
  const receiving = new Receiving("go-back-n", 10);
  receiving.start();
  assertEquals([receiving.get(open("go-back-n")), receiving.data(0), receiving.get(fin(1))], [[], [], []]);
  assertEquals(receiving.machine.deadline(), null);
});

test("a sender that waits for the decision has been heard: its file is not given to another", () => {
  const receiving = new Receiving("go-back-n", 10);
  receiving.start();
  assertEquals(receiving.machine.heardAt, receiving.now);
});

test("each scheme acknowledges what it has, at once where it is out of order", () => {
  const orders: [Scheme, string[]][] = [
    ["stop-and-wait", ["takes 0", "ACK 1", "ACK 1"]],
    ["go-back-n", ["takes 0", "ACK 1", "ACK 1", "ACK 1", "takes 1", "ACK 2"]],
    ["selective-repeat", ["takes 0", "ACK 1", "ACK 1 +1", "ACK 1 +11", "takes 1", "takes 2", "takes 3", "ACK 4"]],
  ];
  for (const [scheme, expected] of orders) {
    const receiving = Receiving.of(scheme, 100);
    const seqs = scheme === "stop-and-wait" ? [0, 0] : [0, 2, 3, 1];
    assertEquals(receiving.data(...seqs), expected);
  }
});

test("a chunk that came before is acknowledged again, counted, and not handed over", () => {
  for (const scheme of RELIABLE) {
    const receiving = Receiving.of(scheme, 100);
    assertEquals(receiving.data(0, 0, 0), ["takes 0", "ACK 1", "ACK 1", "ACK 1"]);
    assertEquals(receiving.machine.duplicates, 2);
  }
  const ahead = Receiving.of("selective-repeat", 100);
  assertEquals(ahead.data(2, 2), ["ACK 0 +01", "ACK 0 +01"]);
  assertEquals(ahead.machine.duplicates, 1);
});

test("a chunk beyond the window is as if it had not come", () => {
  for (const scheme of RELIABLE) {
    const window = scheme === "stop-and-wait" ? 1 : 4;
    const receiving = Receiving.of(scheme, 1000);
    assertEquals(receiving.data(window, window + 1, 99), []);
    assertEquals(receiving.machine.begun, false);
    assertEquals(receiving.data(window - 1).length, scheme === "stop-and-wait" ? 2 : 1);
  }
});

test("the window is no larger than the receiver allows", () => {
  const receiving = Receiving.of("selective-repeat", 1000, { window: 500, maxWindow: 3 });
  assertEquals([receiving.data(3), receiving.data(2)], [[], ["ACK 0 +01"]]);
});

test("what all receivers together keep ahead of its turn has bounds: more of it is as if it had not come", () => {
  const room = { bytes: 2000 };
  const [first, second] = [1, 2].map(() => Receiving.of("selective-repeat", 100, { room }));
  assertEquals(first.data(1, 2, 3), ["ACK 0 +1", "ACK 0 +11", "ACK 0 +111"]);
  assertEquals(second.data(1, 0), ["ACK 0", "takes 0", "ACK 1"]);
  assertEquals(first.data(0), ["takes 0", "takes 1", "takes 2", "takes 3", "ACK 4"]);
  assertEquals(second.data(2, 1), ["ACK 1 +1", "takes 1", "takes 2", "ACK 3"]);
  for (const one of [first, second]) one.data(5);
  first.end();
  second.get(errorPdu(SESSION, ERROR_CODES.cancelled, "no more"));
  assertEquals(room.bytes, 2000);
});

test("what is kept ahead of its turn is kept as it was, though the buffer it came in is used again", () => {
  const receiving = Receiving.of("selective-repeat", 20);
  const buffer = makeFile(10, 5);
  const pdu = (seq: number): Pdu => ({ type: "DATA", flags: 0, session: SESSION, seq, payload: buffer });
  receiving.get(pdu(1));
  buffer.set(makeFile(10, 3));
  const effects = receiving.machine.step({ type: "message", message: pdu(0) }, receiving.now);
  const handed = effects.flatMap((effect) =>
    effect.type === "event" && effect.event.type === "data" ? [effect.event.bytes.slice()] : []
  );
  assertEquals(handed, [makeFile(10, 3), makeFile(10, 5)]);
});

test("with a window of 256 every 16th chunk is acknowledged, and one that asks for it at once", () => {
  const receiving = Receiving.of("selective-repeat", 10_000, { window: 256 });
  assertEquals(receiving.data(...range(0, 15)), range(0, 15).map((seq) => `takes ${seq}`));
  assertEquals(receiving.data(15), ["takes 15", "ACK 16"]);
  assertEquals(receiving.data(16, 17, [18, 10, 1]), ["takes 16", "takes 17", "takes 18", "ACK 19"]);
  assertEquals(receiving.data(...range(19, 35)).at(-1), "ACK 35");
});

test("an acknowledgement is held back for 20 ms and no longer", () => {
  const receiving = Receiving.of("selective-repeat", 10_000, { window: 256 });
  assertEquals(ACK_DELAY_MS, 20);
  assertEquals(receiving.data(0), ["takes 0"]);
  assertEquals(receiving.pass(10), []);
  assertEquals(receiving.data(1), ["takes 1"]);
  assertEquals(receiving.pass(9), []);
  assertEquals(receiving.pass(1), ["ACK 2"]);
  assertEquals(receiving.pass(1000), []);
  assertEquals(receiving.data(2), ["takes 2"]);
  assertEquals([receiving.pass(19), receiving.pass(1)], [[], ["ACK 3"]]);
});

test("a chunk that fills a hole, or shows one, is acknowledged at once with any window", () => {
  const receiving = Receiving.of("selective-repeat", 10_000, { window: 256 });
  assertEquals(receiving.data(0, 2), ["takes 0", "ACK 1 +1"]);
  assertEquals(receiving.data(1), ["takes 1", "takes 2", "ACK 3"]);
  assertEquals(receiving.data(11), ["ACK 3 +00000001"]);
  assertEquals(receiving.data(13), ["ACK 3 +0000000101"]);
  assertEquals(receiving.data(5), ["ACK 3 +0100000101"]);
});

test("what is ahead is shown as it is, wherever in the window and in a byte it stands", () => {
  for (let first = 0; first < 40; first++) {
    const receiving = Receiving.of("selective-repeat", 10_000, { window: 17 });
    receiving.data(...range(0, first));
    for (const bits of ["1", "0000000000000001", "0110100000100011"]) {
      const there = range(0, 16).filter((bit) => bits[bit] === "1");
      assertEquals(receiving.data(...there.map((bit) => first + 1 + bit)).at(-1), `ACK ${first} +${bits}`);
      receiving.data(...range(first, first + 17).filter((seq) => !there.includes(seq - first - 1)));
      first += 17;
    }
  }
});

test("an acknowledgement shows no more than fits into what it answers, and a later one the rest", () => {
  const receiving = Receiving.of("selective-repeat", null, { chunk: 1, window: 1000 });
  const shown = "0".repeat(8 * (HEADER_BYTES + 1) - 1) + "1";
  const last = shown.length;
  assertEquals(receiving.data([last, 1]), [`ACK 0 +${shown}`]);
  for (let i = 0; i < 3; i++) assertEquals(receiving.data([last + 2, 1, 1]), [`ACK 0 +${shown}`]);
  const more = range(last + 3, last + 65).map((seq) => [seq, 1] as const);
  assertEquals(receiving.data(...more), [`ACK 0 +${shown}01${"1".repeat(62)}`]);
});

test("with a window of 256 chunks behind a hole are acknowledged as in order: every 16th, or after 20 ms", () => {
  const receiving = Receiving.of("selective-repeat", 10_000, { window: 256 });
  assertEquals(receiving.data(1), ["ACK 0 +1"]);
  assertEquals(receiving.data(...range(2, 18)), ["ACK 0 +11111111111111111"]);
  assertEquals([receiving.data(18), receiving.pass(19)], [[], []]);
  assertEquals(receiving.pass(1), ["ACK 0 +111111111111111111"]);
});

for (const scheme of SCHEMES) {
  test(`${scheme}: DATA that is no part of the file is not taken, and that is noted`, () => {
    const no = (seq: number, length: number) =>
      `(DATA ${seq} with ${length} ${length === 1 ? "byte" : "bytes"} is no chunk of this file: dropped)`;
    const drops = (receiving: Receiving, ...chunks: [seq: number, length: number][]) => {
      for (const chunk of chunks) assertEquals(receiving.data(chunk), [no(...chunk)]);
      assertEquals(receiving.machine.begun, false);
    };
    const known = Receiving.of(scheme, 25, { window: 100 });
    drops(known, [0, 9], [0, 11], [0, 0], [1, 5], [2, 4], [2, 10], [3, 10], [3, 5], [0xffff_ffff, 1]);
    drops(Receiving.of(scheme, null, { window: 100 }), [0, 0], [0, 11]);
    drops(Receiving.of(scheme, 0), [0, 10], [0, 0]);
    drops(Receiving.of(scheme, 20, { window: 100 }), [1, 0], [1, 9]);
  });

  test(`${scheme}: of unknown size, a chunk shorter than the others is the last`, () => {
    const receiving = Receiving.of(scheme, null);
    receiving.data(0, [1, 3]);
    for (const said of receiving.data(2, [2, 1])) assertMatch(said, /^\(DATA 2 .* dropped\)$/);
    assertEquals(receiving.get(fin(2)), ["finish 2"]);
  });

  test(`${scheme}: FIN asks for the digest once, DONE is said to every FIN for 2 min after the last, then it is gone`, () => {
    const receiving = Receiving.of(scheme, 0);
    assertEquals([receiving.get(fin(0)), receiving.get(fin(0)), receiving.machine.deadline()], [
      ["finish 0"],
      [],
      null,
    ]);
    assertEquals([receiving.tell({ type: "finished" }), receiving.machine.over], [["DONE 0"], true]);
    assertEquals(receiving.pass(LAST_WORD_MS - 1), []);
    assertEquals(receiving.get(fin(0)), ["DONE 0"]);
    assertEquals([receiving.data(0), receiving.get(open(scheme))], [[], []]);
    assertEquals(receiving.pass(LAST_WORD_MS - 1), []);
    assertEquals(receiving.pass(1), ["closes"]);
    assertEquals(receiving.get(fin(0)), []);
  });

  test(`${scheme}: one who opens and does not begin is told so after 5 s, one who falls silent after 60 s`, () => {
    const receiving = Receiving.of(scheme, 20);
    assertEquals(receiving.pass(4999), []);
    const text = "nothing came for 5 s";
    assertEquals(receiving.pass(1), [`ERROR ${ERROR_CODES.timeout} ${text}`, `failed: ${text}`]);
    const begun = Receiving.of(scheme, 20);
    begun.data([0, 10, 1]);
    assertEquals(begun.pass(59_999), []);
    assertEquals(begun.pass(1).at(-1), "failed: nothing came for 60 s");
  });

  test(`${scheme}: whatever is heard keeps it waiting, and every refusal is repeated for 2 min`, () => {
    const receiving = Receiving.of(scheme, 20);
    for (let i = 0; i < 5; i++) {
      assertEquals(receiving.pass(4999), []);
      receiving.get(open(scheme));
    }
    assertEquals(receiving.pass(5000).length, 2);
    for (const pdu of [open(scheme), fin(2)]) assertEquals(receiving.get(pdu), ["ERROR 10 nothing came for 5 s"]);
    assertEquals(receiving.data(0), ["ERROR 10 nothing came for 5 s"]);
    assertEquals([receiving.pass(LAST_WORD_MS - 1), receiving.pass(1)], [[], ["closes"]]);
  });

  test(`${scheme}: a file that is refused is refused to each OPEN`, () => {
    const receiving = new Receiving(scheme, 20);
    receiving.start();
    const said = receiving.tell({ type: "fail", code: ERROR_CODES.exists, text: "there is one" });
    assertEquals(said, ["ERROR 3 there is one", "failed: there is one"]);
    assertEquals(receiving.get(open(scheme)), ["ERROR 3 there is one"]);
    assertEquals(receiving.tell({ type: "accept", next: 0, digest: null }), []);
  });

  test(`${scheme}: a file that is refused is remembered for 5 s, as long as OPEN may take to come again`, () => {
    const receiving = new Receiving(scheme, 20);
    receiving.start();
    receiving.tell({ type: "fail", code: ERROR_CODES.busy, text: "busy" });
    assertEquals(receiving.pass(REFUSAL_MS - 1), []);
    assertEquals(receiving.get(open(scheme)), ["ERROR 9 busy"]);
    assertEquals([receiving.pass(REFUSAL_MS - 1), receiving.pass(1)], [[], ["closes"]]);
  });

  test(`${scheme}: an ERROR of the sender ends it, and is not answered`, () => {
    const receiving = Receiving.of(scheme, 20);
    assertEquals(receiving.get(errorPdu(SESSION, 11, "cancelled")), ["failed: the sender: cancelled", "closes"]);
    assertEquals([receiving.data(0), receiving.get(fin(2)), receiving.machine.deadline()], [[], [], null]);
  });

  test(`${scheme}: what only a receiver says changes nothing`, () => {
    const receiving = Receiving.of(scheme, 20);
    for (const pdu of [acceptPdu(SESSION, 1, 4, null), ack(1), done(2)]) assertEquals(receiving.get(pdu), []);
    assertEquals(receiving.data([0, 10, 1])[0], "takes 0");
  });

  test(`${scheme}: a connection that ends before the end is a failure, and afterwards none`, () => {
    assertEquals(Receiving.of(scheme, 20).end(), ["failed: it left", "closes"]);
    assertEquals(Receiving.of(scheme, 20).end(new Error("reset")), ["failed: reset", "closes"]);
    const finishing = Receiving.of(scheme, 0);
    finishing.get(fin(0));
    assertEquals(finishing.end(), ["failed: it left", "closes"]);
    const finished = Receiving.of(scheme, 0);
    finished.get(fin(0));
    finished.tell({ type: "finished" });
    assertEquals(finished.end(), ["closes"]);
  });

  test(`${scheme}: FIN of another number of chunks than OPEN promised is refused`, () => {
    for (const seq of [0, 1, 3, 0xffff_ffff]) {
      const text = `FIN says ${seq} chunks, OPEN said 2`;
      assertEquals(Receiving.of(scheme, 20).get(fin(seq)), [`ERROR 1 ${text}`, `failed: ${text}`]);
    }
  });

  test(`${scheme}: DONE says how many chunks came twice`, () => {
    const receiving = Receiving.of(scheme, 10);
    receiving.data(0, 0, 0);
    receiving.get(fin(1));
    const [effect] = receiving.machine.step({ type: "command", command: { type: "finished" } }, receiving.now);
    assertEquals(effect.type === "send" && [effect.message.seq, readDuplicates(effect.message)], [1, 2]);
  });

  test(`${scheme}: the digest is kept as it was, though the buffer it came in is used again`, () => {
    const receiving = Receiving.of(scheme, 0);
    const buffer = DIGEST.slice();
    const [effect] = receiving.machine.step({ type: "message", message: finPdu(SESSION, 0, buffer) }, receiving.now);
    buffer.fill(0);
    assertEquals(effect.type === "event" && effect.event.type === "finish" && effect.event.digest, DIGEST);
  });
}

test("a transfer that goes on, and does not begin, is told so after 5 s as well", () => {
  for (const scheme of SCHEMES) {
    const receiving = new Receiving(scheme, 200, { resume: true });
    receiving.start();
    assertEquals(receiving.tell({ type: "accept", next: 10, digest: DIGEST }), ["ACCEPT 10"]);
    assertEquals(receiving.machine.begun, false);
    assertEquals([receiving.pass(4999), receiving.pass(1).at(-1)], [[], "failed: nothing came for 5 s"]);
  }
});

test("an ERROR is the last word: it is not answered with another", () => {
  for (const scheme of SCHEMES) {
    const receiving = Receiving.of(scheme, 20);
    receiving.tell({ type: "fail", code: ERROR_CODES.disk, text: "full" });
    assertEquals(receiving.get(errorPdu(SESSION, 11, "cancelled")), []);
  }
});

test("a receiver: what belongs to another session is not for us", () => {
  for (const scheme of SCHEMES) {
    const receiving = Receiving.of(scheme, 20);
    const strays: Pdu[] = [
      { type: "DATA", flags: 1, session: SESSION + 1, seq: 0, payload: makeFile(10) },
      ...[{ ...open(scheme), session: 0 }, finPdu(SESSION ^ 1, 2, DIGEST), errorPdu(SESSION - 1, 11, "cancelled")],
    ];
    for (const pdu of strays) assertEquals(receiving.get(pdu), [], pdu.type);
    assertEquals([receiving.machine.over, receiving.machine.begun], [false, false]);
  }
});

test("where chunks are acknowledged, FIN before the last of them is answered with what is missing", () => {
  for (const scheme of RELIABLE) {
    const receiving = Receiving.of(scheme, null);
    receiving.data([0, 10, 1]);
    const early = [0, 2, 65_538, 0xffff_ffff].map((seq) => receiving.get(fin(seq)));
    assertEquals(early, [["ACK 1"], ["ACK 1"], ["ACK 1"], ["ACK 1"]]);
    assertEquals(receiving.get(fin(1)), ["finish 1"]);
    const known = Receiving.of(scheme, 20);
    assertEquals([known.data([0, 10, 1]).at(-1), known.get(fin(2))], ["ACK 1", ["ACK 1"]]);
    assertEquals(known.data([1, 10, 1]), ["takes 1", "ACK 2"]);
  }
});

test("without acknowledgements chunks are handed over in any order, each once, and nothing is answered", () => {
  const receiving = Receiving.of("none", 50);
  assertEquals(receiving.data(3, 0, 0, 4, 2, 3, 1), ["takes 3", "takes 0", "takes 4", "takes 2", "takes 1"]);
  assertEquals(receiving.machine.duplicates, 2);
  assertEquals(receiving.get(fin(5)), ["finish 5"]);
});

test("without acknowledgements a file with more than 100,000 holes is given up, and says what is lost", () => {
  const receiving = Receiving.of("none", null);
  for (let hole = 0; hole < 100_000; hole++) receiving.data(2 * hole + 1);
  assertEquals(receiving.machine.over, false);
  const [taken, ...rest] = receiving.data(200_001);
  assertEquals(taken, "takes 200001");
  assertMatch(rest.join(), /lost 100001 of 200002 chunks: 0, 2, 4, /);
  assertEquals(receiving.machine.over, true);
});

test("without acknowledgements the holes of all files together have bounds, and are forgotten with their file", () => {
  const room = { bytes: 3 * 128 };
  const [first, second, third] = [1, 2, 3].map(() => Receiving.of("none", 100, { room }));
  first.data(1, 3, 2); // leaves one
  second.data(1, 3);
  assertMatch(third.data(0, 1, 3).join(), /takes 3,.*what other files take leaves no room/);
  assertEquals([first, second, third].map(({ machine }) => machine.over), [false, false, true]);
  first.end();
  second.get(errorPdu(SESSION, ERROR_CODES.cancelled, "no more"));
  assertEquals(room.bytes, 3 * 128);
});

test("without acknowledgements FIN waits half a second for stragglers, then says exactly what is lost", () => {
  const receiving = Receiving.of("none", 100);
  receiving.data(0, 3, 4, 7);
  assertEquals(receiving.get(fin(10)), []);
  assertEquals(receiving.pass(STRAGGLER_MS - 1), []);
  assertEquals(receiving.get(fin(10)), []);
  const text = "lost 6 of 10 chunks: 1-2, 5-6, 8-9";
  assertEquals(receiving.pass(1), [`ERROR 7 ${text}`, `failed: ${text}`]);
  assertEquals(receiving.get(fin(10)), [`ERROR 7 ${text}`]);
});

test("a straggler behind FIN starts the half second anew, and the last one ends it well", () => {
  const receiving = Receiving.of("none", 30);
  receiving.data(1);
  assertEquals([receiving.get(fin(3)), receiving.pass(STRAGGLER_MS - 1)], [[], []]);
  assertEquals(receiving.data(2), ["takes 2"]);
  assertEquals(receiving.pass(STRAGGLER_MS - 1), []);
  assertEquals(receiving.data(2), []);
  assertEquals(receiving.data(0), ["takes 0", "finish 3"]);
  assertEquals(receiving.tell({ type: "finished" }), ["DONE 3"]);
});

test("what comes while the file is put in its place is ignored, but for OPEN", () => {
  const receiving = Receiving.of("go-back-n", 10);
  receiving.data([0, 10, 1]);
  receiving.get(fin(1));
  assertEquals([receiving.data(0), receiving.get(fin(1)), receiving.get(open("go-back-n"))], [[], [], ["ACCEPT 0"]]);
  assertEquals([receiving.pass(1_000_000), receiving.tell({ type: "finished" })], [[], ["DONE 1"]]);
});

test("marks tell of each chunk sent, sent again and acknowledged, and of each timeout, where they are wanted", () => {
  const [sending, first] = Sending.of("go-back-n", 20, { marks: true, window: 2 });
  assertEquals(first, ["sent 0", "DATA 0", "sent 1", "DATA 1!"]);
  assertEquals(sending.get(ack(1)), ["acknowledged 1"]);
  assertEquals(sending.pass(sending.machine.rto.rtoMs), ["timeout 1", "resent 1", "DATA 1!"]);
});
