// What a server of streams has to do, judged by the wire alone. Messages are PDUs in writing; see notation.ts. The server has
// the file `tone.wav` in its folder, which `netlab explain stream` describes.

import { type Check, connect, expect, type Expectation, forbid, leave, send, sendBytes, type Step } from "../check.ts";
import { parsePdu } from "./notation.ts";
import { encodePdu } from "./protocol.ts";
import { SAMPLE, SAMPLE_NAME } from "./sample.ts";

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

const gets = (type: string, ...fields: string[]): Step => expect("viewer", pdu(type, ...fields));
const never = (type: string, ...fields: string[]): Step => forbid("viewer", pdu(type, ...fields));
const say = (text: string): Step => send("viewer", text);
const size = `size=${SAMPLE.length}`;

/** Asks for a file, without a cookie first. */
const ask = (session: number, name = SAMPLE_NAME, start = 0): Step[] => [
  say(`REQUEST session=${session} start=${start} "${name}"`),
  gets("COOKIE", `session=${session}`),
  say(`REQUEST session=${session} start=${start} cookie=* "${name}"`),
];

/** A datagram of the length that the seed says. */
const ofRandomSize: Expectation = {
  what: "DATA of 1000 to 2000 bytes, from the beginning",
  matches: (text) => /^DATA session=\d+ seq=0 offset=0 time=0 "RIFF.* … \((1\d{3}|2000) bytes\)$/s.test(text),
};

/** What is left of the sample a millisecond before its end, however that is rounded. */
const tail: Expectation = {
  what: "DATA with the last few bytes of the file",
  matches(text) {
    const [, offset, bytes] = /^DATA .* offset=(\d+) .*"([^"]*)"$/s.exec(text) ?? [];
    return Number(offset) >= SAMPLE.length - 24 && bytes === SAMPLE.slice(Number(offset));
  },
};

const PLAYS = "who returns the cookie gets INFO and the file";

export const checks: readonly Check[] = [
  {
    name: "who asks first gets a cookie, and nothing more",
    points: 3,
    steps: [
      ...connect("viewer"),
      never("INFO"),
      never("DATA"),
      say(`REQUEST session=11 start=0 "${SAMPLE_NAME}"`),
      gets("COOKIE", "session=11"),
    ],
  },
  {
    name: PLAYS,
    points: 3,
    steps: [...connect("viewer"), ...ask(12), gets("INFO", "session=12", size), expect("viewer", ofRandomSize)],
  },
  {
    name: "a cookie that was not given is no cookie",
    points: 3,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      never("INFO"),
      never("DATA"),
      say(`REQUEST session=13 start=0 cookie=000102030405060708090a0b0c0d0e0f "${SAMPLE_NAME}"`),
      gets("COOKIE", "session=13"),
    ],
  },
  {
    name: "the duration of the file says how fast it is sent",
    points: 2,
    needs: [PLAYS],
    steps: [...connect("viewer"), ...ask(14), gets("INFO", "duration=1000", `rate=${SAMPLE.length}`)],
  },
  {
    name: "from a moment near its end only the rest is sent, and then FIN",
    points: 2,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(15, SAMPLE_NAME, 999),
      expect("viewer", tail),
      gets("FIN", "session=15", "seq=1"),
    ],
  },
  {
    name: "a report behind the end is answered with FIN again, until the client says it, too",
    points: 2,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(16, SAMPLE_NAME, 999),
      gets("FIN", "session=16"),
      say("REPORT session=16 seq=1 lost=0 jitter=0"),
      gets("FIN", "session=16"),
      say("FIN session=16 seq=1"),
      say("REPORT session=16 seq=1 lost=0 jitter=0"),
      gets("ERROR", "session=16", "code=8"),
    ],
  },
  {
    name: "the file is sent in real time: what is due at its end does not come at once",
    points: 3,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(17),
      gets("DATA", "seq=0"),
      never("FIN"),
      say("CONTROL session=17 seq=1 pause position=0 first=0"),
      gets("CONTROL", "session=17", "seq=1", "pause"),
    ],
  },
  {
    name: "pause, seek and resume are confirmed, and obeyed",
    points: 3,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(18),
      gets("DATA", "seq=0"),
      say("CONTROL session=18 seq=1 pause position=0 first=0"),
      gets("CONTROL", "session=18", "seq=1", "pause"),
      never("DATA"),
      say("CONTROL session=18 seq=2 seek position=999 first=0"),
      gets("CONTROL", "session=18", "seq=2", "seek"),
      say("CONTROL session=18 seq=3 resume position=0 first=0"),
      gets("CONTROL", "session=18", "seq=3", "resume"),
      expect("viewer", tail),
      gets("FIN", "session=18"),
    ],
  },
  {
    name: "a command that is said twice is done once",
    points: 1,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(19, SAMPLE_NAME, 999),
      gets("FIN", "session=19"),
      ...[1, 2].flatMap(() => [
        say("CONTROL session=19 seq=1 pause position=0 first=0"),
        gets("CONTROL", "session=19", "seq=1", "pause"),
      ]),
    ],
  },
  {
    name: "a file that is not there is refused",
    points: 2,
    needs: [PLAYS],
    steps: [...connect("viewer"), ...ask(20, "$nothing.mp3"), gets("ERROR", "session=20")],
  },
  {
    name: "names that lead out of the folder, or are none, are refused",
    points: 3,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      say(`REQUEST session=21 start=0 "${SAMPLE_NAME}"`),
      gets("COOKIE"),
      ...["../tone.wav", "/etc/passwd", "..", "", "a\\\\tone.wav", "CON", "./tone.wav"].flatMap((name) => [
        never("INFO"),
        say(`REQUEST session=21 start=0 cookie=* "${name}"`),
        gets("ERROR", "session=21"),
      ]),
    ],
  },
  {
    name: "what belongs to no session is answered so",
    points: 1,
    needs: [PLAYS],
    steps: [...connect("viewer"), say("FIN session=22 seq=0"), gets("ERROR", "session=22", "code=8")],
  },
  {
    name: "damaged datagrams change nothing",
    points: 2,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      sendBytes(
        "viewer",
        damaged(`REQUEST session=23 start=0 "${SAMPLE_NAME}"`),
        "a request of which a bit has changed",
      ),
      ...ask(23),
      gets("INFO", "session=23"),
      sendBytes("viewer", damaged("FIN session=23 seq=0"), "a FIN of which a bit has changed"),
      gets("DATA", "session=23", "seq=1"),
    ],
  },
  {
    name: "two viewers at once both get the file",
    points: 2,
    needs: [PLAYS],
    steps: [
      ...connect("viewer", "other"),
      ...ask(24),
      gets("INFO", "session=24"),
      send("other", `REQUEST session=25 start=999 "${SAMPLE_NAME}"`),
      expect("other", pdu("COOKIE", "session=25")),
      send("other", `REQUEST session=25 start=999 cookie=* "${SAMPLE_NAME}"`),
      expect("other", tail),
      leave("other", "reset"),
      gets("DATA", "session=24", "seq=1"),
    ],
  },
];

function damaged(text: string): () => Uint8Array {
  return () => {
    const bytes = encodePdu(parsePdu(text));
    bytes[bytes.length - 1] ^= 0x04;
    return bytes;
  };
}
