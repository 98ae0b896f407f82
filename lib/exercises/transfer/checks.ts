// What a receiver of files has to do, judged by the wire alone. Messages are PDUs in writing; see notation.ts.

import { CAUSES } from "../causes.ts";
import {
  type Check,
  connect,
  exactly,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  leave,
  mentions,
  send,
  sendBytes,
  stays,
  type Step,
} from "../check.ts";
import { encodePdu } from "./protocol.ts";
import { parsePdu } from "./notation.ts";

/** SHA-256 of: nothing, `hello`, `hellohello`, `hello world`. */
export const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
export const HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const HELLO_HELLO = "0a86050fb37a4def36885da9557f5b22a9e191767a80e7a4a2415410a4462b68";
const HELLO_WORLD = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

/** What is usually wrong. The mistakes that netlab's own receiver can make name the same. */
export const CAUSE = {
  receives:
    "ACCEPT, ACK and DONE have to be as netlab explain transfer shows them: numbers are big-endian, the length is " +
    "that of the payload, and the checksum covers header, with 0 in its own place, and payload",
  last:
    "the last chunk is shorter than the others, and an empty file has none: as many bytes belong to a PDU as the length in " +
    "its header says",
  acks: "ACK says which chunk is expected next, and not which one has come",
  again:
    "a chunk that comes again is one whose acknowledgement was lost: it is acknowledged again, or its sender waits for ever",
  twice: "a chunk that comes again is written again: look at its number, and throw away what you have",
  order: "chunks are written in the order in which they come: their place in the file is number times chunk size",
  selective:
    "with selective repeat, what comes ahead of its turn is kept, and the bitmap in ACK says so; otherwise all of it is " +
    "sent again",
  none: "without acknowledgements DATA is not answered, whatever comes",
  lost:
    "nobody has counted the chunks: what is missing when FIN comes is said in an ERROR, and the file is not complete",
  digest: "the digest in FIN is not compared with that of what was written: only then is the file known to be right",
  fin: "the answer to OPEN or FIN may be lost like any other: who asks again is answered again, in the same way",
  anyName: "the name is used as it comes: one with / or .. in it leads out of the folder. Take plain file names only",
  overwrites:
    "a file is opened for writing without a look at whether there is one of that name: somebody's work is lost",
  huge: "the size in OPEN is believed: look at what fits before you accept it",
  session: "sessions are not told apart: what is said in one that was never opened is answered with ERROR",
  garbage: "what is no PDU throws where it is read, and nobody catches it: that must cost no more than this connection",
  checksum: "the checksum is not compared with that of what has come: a damaged datagram is as good as a lost one",
  resume:
    "what has come of a file is lost, or its name is held, when its sender vanishes: keep it beside, and begin behind it " +
    "when OPEN says resume",
  seedAck: "each chunk of 100 bytes is answered with the three bytes ACK, at once",
  seedEnd:
    "the last chunk is shorter than 100 bytes: it is what has come when recv() returns nothing, or nothing more for a while",
  seedPieces:
    "what one recv(100) returns is taken for a chunk: TCP carries bytes, and 100 may come in pieces. Collect them, and " +
    "send one ACK for the whole, or the sender takes the second one for the next chunk's",
  seedGone:
    "recv() throws when the other has vanished (in Python: ConnectionResetError), and nobody catches it: the next " +
    "sender has to be served all the same",
} as const;

/** A PDU of that type and these fields, whatever else it says. */
export function pdu(type: string, ...fields: string[]): Expectation {
  return {
    what: [type, ...fields].join(" "),
    matches(text, fill) {
      const words = text.replace(/ ".*/s, "").split(" ");
      return words[0] === type && fields.every((field) => words.includes(fill(field)));
    },
  };
}

const open = (session: number, name: string, size: number | "unknown", rest = "chunk=5 window=1 arq=stop-and-wait") =>
  send("sender", `OPEN session=${session} size=${size} ${rest} "${name}"`);
const data = (session: number, seq: number, text: string): Step =>
  send("sender", `DATA session=${session} seq=${seq} push "${text}"`);
const fin = (session: number, seq: number, digest: string): Step =>
  send("sender", `FIN session=${session} seq=${seq} digest=${digest}`);
const gets = (type: string, ...fields: string[]): Step => expect("sender", pdu(type, ...fields));
const refused = (session: number): Step => gets("ERROR", `session=${session}`);

/** Sends hello as a file of that name. */
const hello = (session: number, name: string): Step[] => [
  open(session, name, 5),
  gets("ACCEPT", `session=${session}`, "seq=0"),
  data(session, 0, "hello"),
  gets("ACK", `session=${session}`, "seq=1"),
  fin(session, 1, HELLO),
  gets("DONE", `session=${session}`),
];

const RECEIVES = "a file of one chunk is received";
/** Nothing else that can be seen tells whether what was written is what was sent. */
const DIGEST = "a wrong digest is refused";
const AGAIN = "a chunk that comes again is acknowledged again";

export const checks: readonly Check[] = [
  { name: RECEIVES, points: 8, cause: CAUSE.receives, steps: [...connect("sender"), ...hello(11, "$one.txt")] },
  {
    name: DIGEST,
    points: 12,
    cause: CAUSE.digest,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(18, "$wrong.txt", 5),
      gets("ACCEPT"),
      data(18, 0, "jello"),
      gets("ACK", "seq=1"),
      fin(18, 1, HELLO),
      refused(18),
    ],
  },
  {
    name: "an empty file is received",
    points: 3,
    cause: CAUSE.last,
    needs: [RECEIVES],
    steps: [...connect("sender"), open(12, "$empty.txt", 0), gets("ACCEPT"), fin(12, 0, EMPTY), gets("DONE")],
  },
  {
    name: "chunks are acknowledged one by one, in order",
    points: 4,
    cause: CAUSE.acks,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(13, "$two.txt", 10),
      gets("ACCEPT", "seq=0"),
      ...["hello", "hello"].flatMap((text, i) => [data(13, i, text), gets("ACK", `seq=${i + 1}`)]),
      fin(13, 2, HELLO_HELLO),
      gets("DONE"),
    ],
  },
  {
    name: "a last chunk that is shorter than the others is received",
    points: 5,
    cause: CAUSE.last,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(34, "$three.txt", 11),
      gets("ACCEPT", "seq=0"),
      ...["hello", " worl", "d"].flatMap((text, i) => [data(34, i, text), gets("ACK", `seq=${i + 1}`)]),
      fin(34, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: AGAIN,
    points: 5,
    cause: CAUSE.again,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(35, "$again.txt", 11),
      gets("ACCEPT"),
      ...["hello", "hello"].flatMap((text) => [data(35, 0, text), gets("ACK")]),
    ],
  },
  {
    name: "a chunk that comes twice is written once",
    points: 6,
    cause: CAUSE.twice,
    needs: [AGAIN, DIGEST],
    steps: [
      ...connect("sender"),
      open(14, "$twice.txt", 11),
      gets("ACCEPT"),
      ...["hello", "hello"].flatMap((text) => [data(14, 0, text), gets("ACK", "seq=1")]),
      ...[" worl", "d"].flatMap((text, i) => [data(14, i + 1, text), gets("ACK", `seq=${i + 2}`)]),
      fin(14, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "go-back-n: several chunks that come at once are all taken",
    points: 4,
    cause: CAUSES.joined,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(38, "$burst.txt", 11, "chunk=5 window=4 arq=go-back-n"),
      gets("ACCEPT"),
      ...["hello", " worl", "d"].map((text, i) => data(38, i, text)),
      gets("ACK", "seq=3"),
      fin(38, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "go-back-n: a chunk ahead of its turn is answered with the one expected",
    points: 6,
    cause: CAUSE.order,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(15, "$back.txt", 11, "chunk=5 window=4 arq=go-back-n"),
      gets("ACCEPT"),
      data(15, 1, " worl"),
      gets("ACK", "seq=0"),
      ...["hello", " worl", "d"].flatMap((text, i) => [data(15, i, text), gets("ACK", `seq=${i + 1}`)]),
      fin(15, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "selective repeat: a chunk ahead of its turn is kept, and shown in the bitmap",
    points: 6,
    cause: CAUSE.selective,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(16, "$select.txt", 11, "chunk=5 window=4 arq=selective-repeat"),
      gets("ACCEPT"),
      data(16, 1, " worl"),
      expect("sender", { what: "ACK 0 with chunk 1 marked", matches: (text) => /^ACK .*seq=0 bitmap=1/.test(text) }),
      data(16, 0, "hello"),
      gets("ACK", "seq=2"),
      data(16, 2, "d"),
      gets("ACK", "seq=3"),
      fin(16, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "none: chunks that overtake each other are put in order, and not acknowledged",
    points: 4,
    cause: CAUSE.order,
    needs: [DIGEST],
    steps: [
      ...connect("sender"),
      open(36, "$overtake.txt", 11, "chunk=5 window=1 arq=none"),
      gets("ACCEPT"),
      forbid("sender", pdu("ACK")),
      data(36, 1, " worl"),
      data(36, 0, "hello"),
      data(36, 2, "d"),
      fin(36, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "none: what is missing is said at the end",
    points: 5,
    cause: CAUSE.lost,
    needs: [RECEIVES],
    // A receiver waits for stragglers: once is enough, and what is sent as bytes is not cut in other ways.
    steps: [
      ...connect("sender"),
      ...[
        'OPEN session=17 size=11 chunk=5 window=1 arq=none "netlab-none.txt"',
        'DATA session=17 seq=0 push "hello"',
        'DATA session=17 seq=2 push "d"',
        `FIN session=17 seq=3 digest=${HELLO_WORLD}`,
      ].map((text) => sendBytes("sender", () => encodePdu(parsePdu(text)), text)),
      refused(17),
    ],
  },
  {
    name: "OPEN and FIN said twice are answered twice",
    points: 3,
    cause: CAUSE.fin,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(19, "$fin.txt", 5),
      gets("ACCEPT", "session=19"),
      ...hello(19, "$fin.txt"),
      fin(19, 1, HELLO),
      gets("DONE", "session=19"),
    ],
  },
  {
    name: "names that lead out of the folder, or are none, are refused",
    points: 4,
    cause: CAUSE.anyName,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      ...["../$out", "/tmp/$out", "..", "", "a\\\\$out", "CON", "nul.txt"].flatMap((name, i) => [
        open(40 + i, name, 5),
        refused(40 + i),
      ]),
    ],
  },
  {
    name: "a file that is there already is not overwritten",
    points: 6,
    cause: CAUSE.overwrites,
    needs: [RECEIVES],
    steps: [...connect("sender"), ...hello(20, "$same.txt"), open(21, "$same.txt", 5), refused(21)],
  },
  {
    name: "a petabyte is refused",
    points: 2,
    cause: CAUSE.huge,
    needs: [RECEIVES],
    steps: [...connect("sender"), open(22, "$huge", 2 ** 50), refused(22)],
  },
  {
    name: "what belongs to no session is no file",
    points: 2,
    cause: CAUSE.session,
    needs: [RECEIVES],
    steps: [...connect("sender"), data(23, 0, "hello"), refused(23), ...hello(24, "$stray.txt")],
  },
  {
    name: "bytes that are no PDU harm nobody else",
    points: 3,
    cause: CAUSE.garbage,
    needs: [RECEIVES],
    steps: [
      ...connect("sender", "mallory"),
      open(37, "$sound.txt", 5),
      gets("ACCEPT"),
      sendBytes("mallory", new Uint8Array(64).fill(0xff), "64 bytes that are no PDU"),
      data(37, 0, "hello"),
      gets("ACK", "seq=1"),
      fin(37, 1, HELLO),
      gets("DONE"),
    ],
  },
  {
    name: "two senders at once both get their files through",
    points: 5,
    cause: CAUSES.oneAtATime,
    needs: [RECEIVES],
    steps: [
      ...connect("sender", "other"),
      open(27, "$mine.txt", 5),
      gets("ACCEPT"),
      send("other", 'OPEN session=27 size=5 chunk=5 window=1 arq=stop-and-wait "$theirs.txt"'),
      expect("other", pdu("ACCEPT", "session=27")),
      data(27, 0, "hello"),
      gets("ACK", "seq=1"),
      send("other", 'DATA session=27 seq=0 push "hello"'),
      expect("other", pdu("ACK", "seq=1")),
      fin(27, 1, HELLO),
      gets("DONE"),
      send("other", `FIN session=27 seq=1 digest=${HELLO}`),
      expect("other", pdu("DONE")),
    ],
  },
  {
    name: "a damaged datagram, and one of another session, change nothing",
    points: 7,
    cause: CAUSE.checksum,
    needs: [RECEIVES],
    transports: ["udp"],
    steps: [
      ...connect("sender"),
      open(25, "$damaged.txt", 5),
      gets("ACCEPT"),
      sendBytes("sender", damaged('DATA session=25 seq=0 push "jello"'), "a chunk of which a bit has changed"),
      sendBytes("sender", truncated('DATA session=25 seq=0 push "hello"'), "a chunk of which the end is missing"),
      data(26, 0, "jello"),
      data(25, 0, "hello"),
      gets("ACK", "session=25", "seq=1"),
      fin(25, 1, HELLO),
      gets("DONE", "session=25"),
    ],
  },
  {
    name: "a sender that vanishes in the middle harms nobody, and may go on",
    points: 7,
    cause: CAUSE.resume,
    needs: [RECEIVES],
    transports: ["tcp"],
    steps: [
      ...connect("sender"),
      open(28, "$gone.txt", 11),
      gets("ACCEPT"),
      data(28, 0, "hello"),
      gets("ACK", "seq=1"),
      leave("sender", "reset"),
      ...connect("sender"),
      open(29, "$gone.txt", 11, "chunk=5 window=1 arq=stop-and-wait resume"),
      expect(
        "sender",
        mentions("ACCEPT from chunk 1, with the digest of what is there", "ACCEPT session=29 seq=1", HELLO),
      ),
      ...[" worl", "d"].flatMap((text, i) => [data(29, i + 1, text), gets("ACK", `seq=${i + 2}`)]),
      fin(29, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
];

const ACKNOWLEDGES = "seed: each chunk of 100 bytes is acknowledged with ACK";
const chunk = (letter: string) => letter.repeat(100);
const ack = mentions("ACK", "ACK");

/** Of programs that speak the seed's own form over TCP; over UDP nothing can be seen of it. */
export const seedChecks: readonly Check[] = [
  {
    name: ACKNOWLEDGES,
    points: 30,
    cause: CAUSE.seedAck,
    steps: [
      ...connect("sender"),
      ...["a", "b", "c"].flatMap((one) => [send("sender", chunk(one)), expect("sender", ack)]),
    ],
  },
  {
    name: "seed: a last chunk that is shorter is acknowledged, too, and the end of the stream is the end",
    points: 20,
    cause: CAUSE.seedEnd,
    needs: [ACKNOWLEDGES],
    steps: [
      ...connect("sender"),
      ...[chunk("a"), "the end"].flatMap((text) => [send("sender", text), expect("sender", ack)]),
      leave("sender"),
      expectEnd("sender"),
    ],
  },
  {
    name: "seed: a chunk that comes in two pieces is acknowledged once",
    points: 20,
    cause: CAUSE.seedPieces,
    needs: [ACKNOWLEDGES],
    steps: [
      ...connect("sender"),
      send("sender", "a".repeat(60)),
      send("sender", "a".repeat(40)),
      expect("sender", { ...exactly("ACK"), what: "one ACK" }),
      forbid("sender", ack),
      stays("sender"),
    ],
  },
  {
    name: "seed: a sender that vanishes harms nobody",
    points: 15,
    cause: CAUSE.seedGone,
    needs: [ACKNOWLEDGES],
    steps: [
      ...connect("other"),
      send("other", chunk("a")),
      expect("other", ack),
      leave("other", "reset"),
      ...connect("sender"),
      send("sender", chunk("a")),
      expect("sender", ack),
    ],
  },
  {
    name: "seed: two senders are served at once",
    points: 15,
    cause: CAUSES.oneAtATime,
    needs: [ACKNOWLEDGES],
    steps: [
      ...connect("sender", "other"),
      ...["sender", "other"].flatMap((who) => [send(who, chunk("a")), expect(who, ack)]),
    ],
  },
].map((check): Check => ({ ...check, wire: "seed", transports: ["tcp"] }));

function damaged(text: string): () => Uint8Array {
  return () => {
    const bytes = encodePdu(parsePdu(text)).slice();
    bytes[bytes.length - 1] ^= 0x04;
    return bytes;
  };
}

function truncated(text: string): () => Uint8Array {
  return () => encodePdu(parsePdu(text)).slice(0, -2);
}
