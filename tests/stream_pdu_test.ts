// The PDUs of stream: what is written is what is read, in bytes and in writing, and what is damaged is none.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Budget, Cookies } from "../lib/exercises/stream/cookies.ts";
import { makeNotation, readPdu } from "../lib/exercises/stream/framing.ts";
import { formatPdu, parsePdu } from "../lib/exercises/stream/notation.ts";
import { Outlet } from "../lib/exercises/stream/outlet.ts";
import {
  ACTIONS,
  controlPdu,
  cookiePdu,
  dataPdu,
  decodePdu,
  encodePdu,
  ERROR_CODES,
  errorPdu,
  finPdu,
  infoPdu,
  NO_COOKIE,
  type Pdu,
  readControl,
  readCookie,
  readData,
  readError,
  readInfo,
  readReport,
  readRequest,
  reportPdu,
  requestPdu,
  UNPROVEN_BYTES,
} from "../lib/exercises/stream/protocol.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import type { Random } from "../lib/protocol/random.ts";
import { collect, property, test, within } from "./helpers.ts";

const NAMES = ["a.mp3", 'quote" and \\back\\slash.wav', "żółć.ogg", "", "tab\tand\x1b[2J", "x".repeat(255)];

/** A PDU of each type. */
function somePdus(random: Random): Pdu[] {
  const session = random.uint32();
  const name = random.pick(NAMES);
  const control = { number: random.uint32(), action: random.pick(ACTIONS), positionMs: 5, first: random.uint32() };
  const info = {
    size: random.int(0, 2 ** 40),
    durationMs: random.chance(0.3) ? null : random.int(0, 2 ** 31),
    rate: random.int(1, 2 ** 31),
    assumed: random.chance(0.5),
    mediaType: random.pick(["", "audio/mpeg", 'video/mp4; codecs="avc1"']),
  };
  return [
    requestPdu(session, { name, startMs: random.uint32(), cookie: random.chance(0.5) ? NO_COOKIE : random.bytes(16) }),
    cookiePdu(session, random.bytes(16)),
    infoPdu(session, info),
    dataPdu(session, { seq: random.uint32(), offset: 2 ** 45, timeMs: 77, bytes: random.bytes(random.int(1, 24)) }),
    reportPdu(session, { next: random.uint32(), lost: random.uint32(), jitterMs: random.int(0, 4_000_000) / 1000 }),
    controlPdu(session, control),
    finPdu(session, random.uint32(), random.int(0, 255)),
    errorPdu(session, random.int(0, 65_535), random.pick(["no such file", "", "zażółć"])),
  ];
}

property("every PDU is read as it was written, in bytes and in writing (300 of each)", 300, (random) => {
  for (const pdu of somePdus(random)) {
    assertEquals(decodePdu(encodePdu(pdu)), pdu);
    assertEquals(encodePdu(parsePdu(formatPdu(pdu))), encodePdu(pdu), formatPdu(pdu));
  }
});

test("what a PDU says is what was put into it", () => {
  const cookie = new Uint8Array(16).fill(7);
  const request = { name: "a.mp3", startMs: 9, cookie };
  assertEquals(readRequest(requestPdu(1, request)), request);
  assertEquals(readCookie(cookiePdu(1, cookie)), cookie);
  for (const assumed of [true, false]) {
    const info = { size: 2 ** 50, durationMs: assumed ? null : 1, rate: 44_100, assumed, mediaType: "audio/wav" };
    assertEquals(readInfo(infoPdu(1, info)), info);
  }
  const piece = { seq: 3, offset: 2 ** 50, timeMs: 12, bytes: new Uint8Array([1, 2]) };
  assertEquals(readData(dataPdu(1, piece)), piece);
  assertEquals(readReport(reportPdu(1, { next: 1, lost: 2, jitterMs: 0.125 })), { next: 1, lost: 2, jitterMs: 0.125 });
  const control = { number: 4, action: "seek" as const, positionMs: 1000, first: 8 };
  assertEquals(readControl(controlPdu(1, control)), control);
  assertEquals(readError(errorPdu(1, 8, "why")), { code: 8, text: "why" });
});

test("each PDU has the bytes that netlab explain stream says, and that others' programs know", () => {
  const session = 0x01020304;
  const cookie = Uint8Array.from({ length: 16 }, (_, i) => i);
  const info = { size: 2 ** 33, durationMs: null, rate: 16_000, assumed: true, mediaType: "audio/wav" };
  const piece = { seq: 5, offset: 2 ** 33, timeMs: 1500, bytes: new TextEncoder().encode("Pp") };
  // Checksums as Python's zlib has them.
  const expected: [Pdu, string][] = [
    [
      requestPdu(session, { name: "a.wav", startMs: 999, cookie }),
      "0100 01020304 00000000 7ccebdbc 000003e7 000102030405060708090a0b0c0d0e0f 612e776176",
    ],
    [cookiePdu(session, cookie), "0200 01020304 00000000 8ff73de4 000102030405060708090a0b0c0d0e0f"],
    [infoPdu(session, info), "0301 01020304 00000000 baa5eaec 0000000200000000 ffffffff 00003e80 617564696f2f776176"],
    [dataPdu(session, piece), "0400 01020304 00000005 968b2f99 0000000200000000 000005dc 5070"],
    [reportPdu(session, { next: 6, lost: 1, jitterMs: 2.5 }), "0500 01020304 00000006 bbb3cab7 00000001 000009c4"],
    [
      controlPdu(session, { number: 2, action: "seek", positionMs: 90_000, first: 6 }),
      "0600 01020304 00000002 d9a93958 03 00015f90 00000006",
    ],
    [finPdu(session, 6, 2), "0702 01020304 00000006 2e788c4d"],
    [errorPdu(session, ERROR_CODES.forbidden, "no"), "0800 01020304 00000000 eb069c30 0004 6e6f"],
  ];
  for (const [pdu, hex] of expected) {
    const written = Array.from(encodePdu(pdu), (byte) => byte.toString(16).padStart(2, "0")).join("");
    assertEquals(written, hex.replaceAll(" ", ""), pdu.type);
  }
  const codes = { request: 1, name: 2, missing: 3, forbidden: 4, disk: 5, unknownSession: 8, busy: 9, cancelled: 11 };
  assertEquals(ERROR_CODES, codes);
});

test("a piece of no bytes is none", () => {
  const piece = { seq: 0, offset: 0, timeMs: 0, bytes: new Uint8Array(1) };
  assertEquals(readData(dataPdu(1, piece)).bytes.length, 1);
  assertThrows(() => readData(dataPdu(1, { ...piece, bytes: new Uint8Array(0) })), ProtocolError, "DATA is too short");
});

property("one bit changed, or the end missing: it is no PDU, or at least not that one (200 of each)", 200, (random) => {
  for (const pdu of somePdus(random)) {
    const bytes = encodePdu(pdu);
    const at = random.int(0, bytes.length - 1);
    bytes[at] ^= 1 << random.int(0, 7);
    assertEquals(readPdu(bytes), null);
    bytes.set(encodePdu(pdu));
    assertEquals(readPdu(bytes.subarray(0, random.int(0, bytes.length - 1))), null);
  }
});

property("whatever comes is a PDU or a protocol error, and its fields, too (500)", 500, (random) => {
  const readers = [readRequest, readCookie, readInfo, readData, readReport, readControl, readError];
  const payload = random.bytes(random.int(0, 40));
  for (const type of ["REQUEST", "COOKIE", "INFO", "DATA", "REPORT", "CONTROL", "FIN", "ERROR"] as const) {
    const pdu: Pdu = { type, flags: 0, session: 1, seq: 1, payload };
    assert(formatPdu(pdu).startsWith(type));
    for (const read of readers) {
      try {
        read(pdu);
      } catch (error) {
        assert(error instanceof ProtocolError, `${error}`);
      }
    }
  }
});

test("in writing, * is the cookie that was given to that session, and to no other", () => {
  const { codec } = makeNotation();
  const cookie = new Uint8Array(16).fill(9);
  assertEquals(codec.decode(encodePdu(cookiePdu(5, cookie))), "COOKIE session=5 cookie=*");
  const ask = (session: number) =>
    readRequest(decodePdu(codec.encode(`REQUEST session=${session} start=0 cookie=* "x"`) as Uint8Array)).cookie;
  assertEquals([ask(5), ask(6)], [cookie, NO_COOKIE]);
  assertThrows(() => parsePdu("NONSENSE session=1"), ProtocolError);
});

test("a cookie is good for its address and session, for half a minute to a minute", () => {
  const cookies = new Cookies();
  const cookie = cookies.give("10.0.0.1:5000", 7, 1000);
  const isGood = (address: string, session: number, now: number) => cookies.isGood(cookie, address, session, now);
  assertEquals([1000, 30_000, 59_999, 60_000].map((now) => isGood("10.0.0.1:5000", 7, now)), [true, true, true, false]);
  assertEquals([isGood("10.0.0.1:5001", 7, 1000), isGood("10.0.0.1:5000", 8, 1000)], [false, false]);
  assert(!new Cookies().isGood(cookie, "10.0.0.1:5000", 7, 1000));
  assert(!cookies.isGood(NO_COOKIE, "10.0.0.1:5000", 7, 1000));
});

test("the budget of an address that has proved nothing is 64 bytes, and returns after a while", () => {
  const budget = new Budget();
  const take = (address: string, bytes: number, after = 0) => budget.take(address, bytes, 70_000 + after);
  assertEquals([30, 30, 30, 4, 1].map((bytes) => take("a", bytes)), [true, true, false, true, false]);
  assert(take("b", UNPROVEN_BYTES) && !take("c", UNPROVEN_BYTES + 1));
  assertEquals([take("a", 30, 9999), take("a", 30, 10_000)], [false, true]);
});

test("a PDU may be written where another was, and is the same; where there is no room, it gets its own", () => {
  const into = new Uint8Array(100).fill(0xff);
  for (const pdu of [finPdu(1, 7, 3), cookiePdu(5, new Uint8Array(16).fill(9))]) {
    const written = encodePdu(pdu, into);
    assert(written.buffer === into.buffer);
    assertEquals(written, encodePdu(pdu));
    assertEquals(encodePdu(pdu, into.subarray(0, 10)), encodePdu(pdu));
  }
});

test("what is sent may be changed at once: many datagrams at a time arrive as they were", async () => {
  const trace = collect([]);
  const outlet = new Outlet({ host: "127.0.0.1", port: 0, trace, idOf: () => 0 });
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const scratch = new Uint8Array(3000);
  for (let round = 0; round < 5; round++) {
    const sizes = [1, 2000, 2048, 2049, 3000, 500, 0, 7];
    for (const [i, size] of sizes.entries()) {
      outlet.send(scratch.fill(i + 1).subarray(0, size), socket.addr as Deno.NetAddr);
    }
    scratch.fill(0);
    // In whatever order: sent at the same time, they may overtake each other.
    const left = new Set(sizes);
    while (left.size > 0) {
      const [bytes] = await within(socket.receive(new Uint8Array(4000)), "a datagram");
      assert(left.delete(bytes.length));
      assertEquals(bytes, new Uint8Array(bytes.length).fill(sizes.indexOf(bytes.length) + 1));
    }
  }
  await outlet.close();
  socket.close();
});
