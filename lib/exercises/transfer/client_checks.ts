// What a sender of files has to do. Netlab is the receiver: one that answers as it should, one that loses what it says, and one
// that is gone.

import {
  accept,
  type Check,
  exactly,
  exits,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  inItsTime,
  leave,
  mentions,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
} from "../check.ts";
import { utf8Length } from "../../protocol/text.ts";
import { EMPTY, HELLO, pdu } from "./checks.ts";

const letters = (letter: string, count = 100) => letter.repeat(count);

/** What is sent. */
export const SAMPLES: Readonly<Record<string, string>> = {
  "netlab-hello.txt": "hello",
  "netlab-empty.txt": "",
  "netlab-three.txt": letters("a") + letters("b") + letters("c", 50),
  "netlab-bytes.bin": "grüße, 你好\r\n\0\x7f\n",
};
/** SHA-256 of the last two. */
const THREE = "804e95e2d53973edc91e57b1a674a7a732b2d1778e529dae6a0190c7db7021a4";
const BYTES = "399888a0f46eb84df3bf724c42d16b8648d24bf58fc6f872f099279dd494f618";

/** What is usually wrong. */
const CAUSE = {
  sends:
    "OPEN, DATA and FIN have to be as netlab explain transfer shows them: numbers are big-endian, the length is that of " +
    "the payload, and the checksum covers header, with 0 in its own place, and payload. When DONE has come, the program ends " +
    "with status 0",
  chunks: "a file is cut into chunks of 100 bytes, numbered from 0, and the last one is what is left",
  empty: "an empty file has no chunk: OPEN, and FIN at once, with seq 0",
  waits: "stop-and-wait: the next chunk is sent when ACK says that it is expected, and not before",
  again:
    "when no acknowledgement comes in time, what was sent is sent again: recv() needs a timeout (in Python: settimeout)",
  counts: "acknowledgements are counted, and not read: ACK says which chunk is expected next, and may say so twice",
  error: "ERROR is the receiver's last word: show its text, and end with a status other than 0",
  bytes: "a file is bytes: open it in binary mode, or line ends and characters change on the way",
  gone: "recv() returns nothing, or throws, when the receiver has gone: say so, and end with a status other than 0",
  garbage:
    "what is no PDU cannot be trusted: over TCP the place in the stream is lost, and the program says so and ends; over " +
    "UDP that datagram is passed over",
  session: "an answer of another session is for somebody else, or for an earlier transfer: compare the session",
  seedChunks: "a file is sent in chunks of 100 bytes, and the last one is what is left",
  seedWaits: "after each chunk the program has to wait for the three bytes ACK",
  seedPieces:
    "what one recv() returns is taken for an acknowledgement: TCP carries bytes, and ACK may come in pieces. Read until " +
    "there are three bytes",
  seedEnd: 'an empty datagram says that the file is over: send one (in Python: sock.sendto(b"", …))',
} as const;

const says = (text: string): Step => send("receiver", text.replace(/^\w+/, "$& session={session}"));
const gets = (type: string, ...fields: string[]): Step => expect("receiver", pdu(type, "session={session}", ...fields));
const again = (type: string, ...fields: string[]): Step =>
  expect("receiver", inItsTime({ ...pdu(type, "session={session}", ...fields), what: `${type} again` }));

/** A chunk with just these bytes. */
const chunk = (seq: number, bytes: string): Expectation => {
  const { matches } = pdu("DATA", `seq=${seq}`);
  return {
    what: `chunk ${seq}, of ${bytes.length} bytes`,
    accepts: `it is DATA seq=${seq} "${bytes.length > 20 ? bytes.slice(0, 10) + "…" : bytes}"`,
    matches: (text, fill) => matches(text, fill) && text.endsWith(`"${bytes}"`),
  };
};

/** The sender has been started with a file, and has opened a transfer. */
const offers = (name: string): Step[] => {
  const { what, matches } = pdu("OPEN", `size=${utf8Length(SAMPLES[name])}`);
  const offer: Expectation = {
    what: `${what} "${name}"`,
    accepts: "the name is that of the file, without its folder; the session is any number",
    keeps: /session=(?<session>\d+)/,
    matches: (text, fill) => matches(text, fill) && text.endsWith(` "${name}"`),
  };
  return [start("sender", name), accept("receiver"), expect("receiver", offer)];
};
const accepts = says("ACCEPT seq=0 window=1");
const three = ["a", "b", "c"].map((letter, seq) => chunk(seq, letters(letter, seq === 2 ? 50 : 100)));
const done = (chunks: number, digest: string): Step[] => [
  gets("FIN", `seq=${chunks}`, `digest=${digest}`),
  says(`DONE seq=${chunks} duplicates=0`),
  exits("sender", "well"),
];

const SENDS = "a file of one chunk is sent, and the sender ends well";

const pduChecks: readonly Check[] = [
  {
    name: SENDS,
    points: 25,
    cause: CAUSE.sends,
    steps: [
      ...offers("netlab-hello.txt"),
      accepts,
      expect("receiver", chunk(0, "hello")),
      says("ACK seq=1"),
      ...done(1, HELLO),
    ],
  },
  {
    name: "a file of three chunks is sent in order, and acknowledged chunk by chunk",
    points: 10,
    cause: CAUSE.chunks,
    needs: [SENDS],
    steps: [
      ...offers("netlab-three.txt"),
      accepts,
      ...three.flatMap((what, seq) => [expect("receiver", what), says(`ACK seq=${seq + 1}`)]),
      ...done(3, THREE),
    ],
  },
  {
    name: "an empty file is sent",
    points: 5,
    cause: CAUSE.empty,
    needs: [SENDS],
    steps: [...offers("netlab-empty.txt"), accepts, ...done(0, EMPTY)],
  },
  {
    name: "a file of bytes that are no text arrives as it is",
    points: 5,
    cause: CAUSE.bytes,
    needs: [SENDS],
    steps: [...offers("netlab-bytes.bin"), accepts, gets("DATA", "seq=0"), says("ACK seq=1"), ...done(1, BYTES)],
  },
  {
    name: "a chunk that is not acknowledged is sent again",
    points: 15,
    cause: CAUSE.again,
    needs: [SENDS],
    transports: ["tcp"],
    steps: [
      ...offers("netlab-hello.txt"),
      accepts,
      gets("DATA", "seq=0"),
      again("DATA", "seq=0"),
      says("ACK seq=1"),
      ...done(1, HELLO),
    ],
  },
  {
    name: "the next chunk waits for the acknowledgement",
    points: 5,
    cause: CAUSE.waits,
    needs: [SENDS],
    transports: ["tcp"],
    steps: [
      ...offers("netlab-three.txt"),
      accepts,
      gets("DATA", "seq=0"),
      forbid("receiver", pdu("DATA", "seq=1")),
      stays("receiver"),
    ],
  },
  {
    name: "an acknowledgement that comes twice is none for the next chunk",
    points: 10,
    cause: CAUSE.counts,
    needs: [SENDS],
    transports: ["tcp"],
    steps: [
      ...offers("netlab-three.txt"),
      accepts,
      gets("DATA", "seq=0"),
      says("ACK seq=1"),
      says("ACK seq=1"),
      gets("DATA", "seq=1"),
      forbid("receiver", pdu("DATA", "seq=2")),
      stays("receiver"),
    ],
  },
  {
    name: "OPEN that is not answered is said again",
    points: 15,
    cause: CAUSE.again,
    needs: [SENDS],
    transports: ["udp"],
    steps: [
      ...offers("netlab-hello.txt"),
      again("OPEN", "size=5"),
      accepts,
      gets("DATA", "seq=0"),
      says("ACK seq=1"),
      ...done(1, HELLO),
    ],
  },
  {
    name: "FIN that is not answered is said again",
    points: 15,
    cause: CAUSE.again,
    needs: [SENDS],
    transports: ["udp"],
    steps: [
      ...offers("netlab-hello.txt"),
      accepts,
      gets("DATA", "seq=0"),
      says("ACK seq=1"),
      gets("FIN", "seq=1"),
      again("FIN", "seq=1"),
      says("DONE seq=1 duplicates=0"),
      exits("sender", "well"),
    ],
  },
  {
    name: "what the receiver refuses is shown, and the sender ends badly",
    points: 5,
    cause: CAUSE.error,
    needs: [SENDS],
    steps: [
      ...offers("netlab-hello.txt"),
      says('ERROR code=3 "there is such a file already"'),
      exits("sender", "badly"),
      shows("sender", mentions("the reason", "such a file already")),
    ],
  },
  {
    name: "a refusal at the end is shown, too, and the sender ends badly",
    points: 5,
    cause: CAUSE.error,
    needs: [SENDS],
    steps: [
      ...offers("netlab-hello.txt"),
      accepts,
      gets("DATA", "seq=0"),
      says("ACK seq=1"),
      gets("FIN", "seq=1"),
      says('ERROR code=6 "the digest is another"'),
      exits("sender", "badly"),
      shows("sender", mentions("the reason", "digest is another")),
    ],
  },
  {
    name: "a receiver that vanishes ends the sender, badly",
    points: 5,
    cause: CAUSE.gone,
    needs: [SENDS],
    transports: ["tcp"],
    steps: [
      ...offers("netlab-three.txt"),
      accepts,
      gets("DATA", "seq=0"),
      leave("receiver", "reset"),
      exits("sender", "badly"),
    ],
  },
  {
    name: "an answer that is no PDU is not taken for one",
    points: 5,
    cause: CAUSE.garbage,
    needs: [SENDS],
    transports: ["tcp"],
    steps: [
      ...offers("netlab-hello.txt"),
      sendBytes("receiver", new Uint8Array(32), "32 zeros"),
      exits("sender", "badly"),
    ],
  },
  {
    name: "a datagram that is no PDU is passed over",
    points: 10,
    cause: CAUSE.garbage,
    needs: [SENDS],
    transports: ["udp"],
    steps: [
      ...offers("netlab-hello.txt"),
      sendBytes("receiver", new Uint8Array(32), "32 zeros"),
      accepts,
      gets("DATA", "seq=0"),
      says("ACK seq=1"),
      ...done(1, HELLO),
    ],
  },
  {
    name: "an answer of another session is passed over",
    points: 5,
    cause: CAUSE.session,
    needs: [SENDS],
    steps: [
      ...offers("netlab-hello.txt"),
      forbid("receiver", pdu("DATA")),
      send("receiver", "ACCEPT session=3735928559 seq=0 window=1"),
      stays("receiver"),
      // So that it need not wait until it gives up.
      says('ERROR code=11 "enough"'),
      exits("sender", "badly"),
    ],
  },
];

const SEED_SENDS = "seed: a file is sent in chunks of 100 bytes";
const bare = (text: string, what: string): Expectation => ({ ...exactly(text), what });
const [first, second, last] = [
  bare(letters("a"), "the first 100 bytes"),
  bare(letters("b"), "the second 100 bytes"),
  bare(letters("c", 50), "the last 50 bytes"),
];
const starts = [start("sender", "netlab-three.txt"), accept("receiver")];
const ack = send("receiver", "ACK");

const seedChecks: readonly Check[] = [
  {
    name: SEED_SENDS,
    points: 40,
    cause: CAUSE.seedChunks,
    transports: ["tcp"],
    steps: [
      ...starts,
      ...[first, second, last].flatMap((what) => [expect("receiver", what), ack]),
      expectEnd("receiver"),
      leave("receiver"),
      exits("sender", "well"),
    ],
  },
  {
    name: "seed: the next chunk waits for the acknowledgement",
    points: 20,
    cause: CAUSE.seedWaits,
    needs: [SEED_SENDS],
    transports: ["tcp"],
    steps: [...starts, expect("receiver", first), forbid("receiver", mentions("more", "b")), stays("receiver")],
  },
  {
    name: "seed: a chunk that is not acknowledged is sent again",
    points: 20,
    cause: CAUSE.again,
    needs: [SEED_SENDS],
    transports: ["tcp"],
    steps: [
      ...starts,
      expect("receiver", first),
      expect("receiver", inItsTime({ ...first, what: "the same again" })),
      ack,
      expect("receiver", inItsTime(second)),
    ],
  },
  {
    name: "seed: an acknowledgement in two pieces is one",
    points: 10,
    cause: CAUSE.seedPieces,
    needs: [SEED_SENDS],
    transports: ["tcp"],
    steps: [
      ...starts,
      expect("receiver", first),
      send("receiver", "A"),
      send("receiver", "CK"),
      expect("receiver", second),
      forbid("receiver", mentions("more", "c")),
      stays("receiver"),
    ],
  },
  {
    name: "seed: a receiver that vanishes ends the sender, badly",
    points: 10,
    cause: CAUSE.gone,
    needs: [SEED_SENDS],
    transports: ["tcp"],
    steps: [...starts, expect("receiver", first), leave("receiver", "reset"), exits("sender", "badly")],
  },
  {
    name: "seed: a file is sent in datagrams of 100 bytes",
    points: 60,
    cause: CAUSE.seedChunks,
    transports: ["udp"],
    steps: [...starts, ...[first, second, last].map((what) => expect("receiver", what))],
  },
  {
    name: "seed: an empty datagram ends the file, and the sender ends well",
    points: 40,
    cause: CAUSE.seedEnd,
    needs: ["seed: a file is sent in datagrams of 100 bytes"],
    transports: ["udp"],
    steps: [
      ...starts,
      expect("receiver", last),
      expect("receiver", bare("", "an empty datagram")),
      exits("sender", "well"),
    ],
  },
].map((check): Check => ({ ...check, wire: "seed", transports: check.transports as Check["transports"] }));

export const clientChecks: readonly Check[] = [...pduChecks, ...seedChecks];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "a file is sent, and the receiver has it",
  points: 1,
  steps: [start("sender", "netlab-three.txt"), exits("sender", "well")],
};
