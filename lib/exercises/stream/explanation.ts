// What `netlab explain stream` shows.

import type { Explanation } from "../exercise.ts";
import { describeCodes } from "../pdu_notation.ts";
import { CONTROL_KEYS, CONTROL_LINES, IDLE_MS, MAX_SEED_STREAMS } from "./defaults.ts";
import { makeNotation } from "./framing.ts";
import { ACTIONS, ASSUMED_RATE, BUDGET_MS, ERROR_CODES, UNPROVEN_BYTES } from "./protocol.ts";
import { SAMPLE, SAMPLE_NAME } from "./sample.ts";

export const explanation: Explanation = {
  makeNotation,
  samples: { [SAMPLE_NAME]: SAMPLE },
  wire: [
    `The client names a file; the server sends it in datagrams of random size, 1000 to 2000 bytes, no faster than it is`,
    `played. All numbers are big-endian; the checksum covers header and payload, with 0 in its own place:`,
    ``,
    `  byte  0     1      2         6     10      14`,
    `       +-----+------+---------+-----+-------+-----------------+`,
    `       | type| flags| session | seq | crc32 | payload         |`,
    `       +-----+------+---------+-----+-------+-----------------+`,
    `        u8    u8     u32       u32   u32     to the end`,
    ``,
    `A UDP source can be forged. So the server answers a REQUEST with a cookie first, which only who hears it can return; in`,
    `${
      BUDGET_MS / 1000
    } s at most ${UNPROVEN_BYTES} bytes go to an address that has not. The cookie is computed from the address, and not remembered.`,
    ``,
    `       client                        server`,
    `         | REQUEST ------------------> |`,
    `         | <------------------- COOKIE |`,
    `         | REQUEST, cookie ----------> |`,
    `         | <--------------------- INFO |`,
    `         | <------------------- DATA 0 |`,
    `         |          lost X----- DATA 1 |   nothing is sent again: too late`,
    `         | <------------------- DATA 2 |`,
    `         | REPORT -------------------> |   every second; ${IDLE_MS / 1000} s without: gone`,
    `         | <-------------------- FIN 3 |   again after each REPORT that follows`,
    `         | FIN ----------------------> |`,
    ``,
    `What stands at byte b of the file is due b / rate after the beginning, whatever was sent before: nothing adds up. The`,
    `rate is the size of the file by its duration; ${ASSUMED_RATE} bytes/s where neither that nor --rate is known.`,
    ``,
    `The client holds each datagram back (--buffer), so that one that was overtaken still comes in time, and plays it at the`,
    `distance from the first that its media time says. For what is missing it plays zeros. Jitter is that of RFC 3550,`,
    `6.4.1: J += (|D| - J) / 16, where D is how much longer this datagram took than the one before it. An MP4 can be played`,
    `as it comes only if its index is in front: ffmpeg -i OLD -c copy -movflags +faststart NEW.`,
    ``,
    `CONTROL has a number of its own and is repeated until the server repeats it. On a terminal:`,
    `${CONTROL_KEYS}.`,
    `Elsewhere lines do the same: ${CONTROL_LINES}.`,
    ``,
    `--wire seed is the bare form: any datagram, or a file name, is answered with chunks of 1000 to 2000 bytes, and EOF or`,
    `END; with --seed-size the size goes first. Who asks proves nothing in it: only private addresses are served, and no`,
    `more than ${MAX_SEED_STREAMS} at once, because nobody is seen to leave; who says what only a server says (EOF, END, Error, more bytes`,
    `than a name has) is not: two servers would answer each other for ever.`,
    ``,
    `The checks ask for ${SAMPLE_NAME}: 8-bit mono, 8000 Hz, a header of 44 bytes and 400 times 10 bytes p and 10 bytes P.`,
  ].join("\n"),
  messages: [
    { form: "1 REQUEST", meaning: "start u32 ms, cookie 16 bytes (zeros: none yet), name" },
    { form: "2 COOKIE", meaning: "16 bytes: ask again with them" },
    {
      form: "3 INFO",
      meaning: "size u64, duration u32 ms (all ones: not known), rate u32 bytes/s, type; flag 1: a guess",
    },
    { form: "4 DATA", meaning: "seq: counts datagrams; offset u64, media time u32 ms, bytes of the file" },
    { form: "5 REPORT", meaning: "seq: behind the highest that came; lost u32, jitter u32 us" },
    { form: "6 CONTROL", meaning: "seq: counts commands; action u8, position u32 ms, first DATA behind it u32" },
    {
      form: "7 FIN",
      meaning: "seq: how many DATA there were; flags: number of the last command; the client: it leaves",
    },
    { form: "8 ERROR", meaning: "code u16, text; the last word of a session" },
    { form: "action", meaning: ACTIONS.map((action, i) => `${i + 1} ${action}`).join(", ") },
    { form: "code", meaning: describeCodes(ERROR_CODES) },
  ],
  dialogue: [
    { who: "C", text: `REQUEST session=7 start=999 "${SAMPLE_NAME}"` },
    { who: "S", text: "COOKIE session=7 cookie=*" },
    { who: "C", text: `REQUEST session=7 start=999 cookie=* "${SAMPLE_NAME}"` },
    { who: "S", text: 'INFO session=7 size=8044 duration=1000 rate=8044 "audio/wav"' },
    { who: "S", text: `DATA session=7 seq=0 offset=8032 time=998 "${SAMPLE.slice(-12)}"` },
    { who: "S", text: "FIN session=7 seq=1" },
    { who: "C", text: "REPORT session=7 seq=1 lost=0 jitter=0" },
    { who: "S", text: "FIN session=7 seq=1" },
    { who: "C", text: "FIN session=7 seq=1" },
    { who: "C", text: `REQUEST session=7 start=0 cookie=* "../${SAMPLE_NAME}"` },
    { who: "S", text: `ERROR session=7 code=4 "not a file name: "../${SAMPLE_NAME}": it leads into another folder"` },
  ],
};
