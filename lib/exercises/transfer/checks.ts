// What a receiver of files has to do, judged by the wire alone. Messages are PDUs in writing; see notation.ts.

import {
  type Check,
  connect,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  leave,
  mentions,
  send,
  sendBytes,
  type Step,
} from "../check.ts";
import { encodePdu } from "./protocol.ts";
import { parsePdu } from "./notation.ts";

/** SHA-256 of: nothing, `hello`, `hello world`. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const HELLO_WORLD = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

/** A PDU of that type and these fields, whatever else it says. */
function pdu(type: string, ...fields: string[]): Expectation {
  return {
    what: [type, ...fields].join(" "),
    matches(text) {
      const words = text.replace(/ ".*/s, "").split(" ");
      return words[0] === type && fields.every((field) => words.includes(field));
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

export const checks: readonly Check[] = [
  { name: RECEIVES, points: 3, steps: [...connect("sender"), ...hello(11, "$one.txt")] },
  {
    name: "an empty file is received",
    points: 1,
    needs: [RECEIVES],
    steps: [...connect("sender"), open(12, "$empty.txt", 0), gets("ACCEPT"), fin(12, 0, EMPTY), gets("DONE")],
  },
  {
    name: "chunks are acknowledged one by one, in order",
    points: 2,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(13, "$three.txt", 11),
      gets("ACCEPT", "seq=0"),
      ...["hello", " worl", "d"].flatMap((text, i) => [data(13, i, text), gets("ACK", `seq=${i + 1}`)]),
      fin(13, 3, HELLO_WORLD),
      gets("DONE"),
    ],
  },
  {
    name: "a chunk that comes twice is acknowledged twice and written once",
    points: 2,
    needs: [RECEIVES],
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
    name: "go-back-n: a chunk ahead of its turn is answered with the one expected",
    points: 2,
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
    points: 3,
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
    name: "none: nothing is acknowledged, and what is missing is said at the end",
    points: 2,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      open(17, "$none.txt", 11, "chunk=5 window=1 arq=none"),
      gets("ACCEPT"),
      forbid("sender", pdu("ACK")),
      data(17, 0, "hello"),
      data(17, 2, "d"),
      fin(17, 3, HELLO_WORLD),
      refused(17),
    ],
  },
  {
    name: "a wrong digest is refused",
    points: 2,
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
    name: "FIN said twice is answered twice",
    points: 1,
    needs: [RECEIVES],
    steps: [...connect("sender"), ...hello(19, "$fin.txt"), fin(19, 1, HELLO), gets("DONE", "session=19")],
  },
  {
    name: "names that lead out of the folder, or are none, are refused",
    points: 3,
    needs: [RECEIVES],
    steps: [
      ...connect("sender"),
      ...["../$out", "/tmp/$out", "..", "", "a\\\\$out", "CON", "nul.txt"].flatMap((name, i) => [
        open(30 + i, name, 5),
        refused(30 + i),
      ]),
    ],
  },
  {
    name: "a file that is there already is not overwritten",
    points: 2,
    needs: [RECEIVES],
    steps: [...connect("sender"), ...hello(20, "$same.txt"), open(21, "$same.txt", 5), refused(21)],
  },
  {
    name: "a petabyte is refused",
    points: 1,
    needs: [RECEIVES],
    steps: [...connect("sender"), open(22, "$huge", 2 ** 50), refused(22)],
  },
  {
    name: "what belongs to no session is no file",
    points: 1,
    needs: [RECEIVES],
    steps: [...connect("sender"), data(23, 0, "hello"), refused(23), ...hello(24, "$stray.txt")],
  },
  {
    name: "a damaged datagram, and one of another session, change nothing",
    points: 2,
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
    name: "two senders at once both get their files through",
    points: 2,
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
    name: "a sender that vanishes in the middle harms nobody, and may go on",
    points: 3,
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
    points: 4,
    steps: [
      ...connect("sender"),
      ...["a", "b", "c"].flatMap((one) => [send("sender", chunk(one)), expect("sender", ack)]),
    ],
  },
  {
    name: "seed: a last chunk that is shorter is acknowledged, too, and the end of the stream is the end",
    points: 3,
    needs: [ACKNOWLEDGES],
    steps: [
      ...connect("sender"),
      ...[chunk("a"), "the end"].flatMap((text) => [send("sender", text), expect("sender", ack)]),
      leave("sender"),
      expectEnd("sender"),
    ],
  },
  {
    name: "seed: a sender that vanishes harms nobody",
    points: 2,
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
].map((check) => ({ ...check, wire: "seed", transports: ["tcp"] }));

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
