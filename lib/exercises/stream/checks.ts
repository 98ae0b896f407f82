// What a server of streams has to do, and a client of one, judged by the wire alone. Messages are PDUs in writing; see
// notation.ts. The server has the file `tone.wav` in its folder, which `netlab explain stream` describes. Those of the seed's own
// form are bare datagrams.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  exits,
  expect,
  type Expectation,
  forbid,
  inItsTime,
  leave,
  mentions,
  ofSeed,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
} from "../check.ts";
import { parsePdu } from "./notation.ts";
import { encodePdu } from "./protocol.ts";
import { SAMPLE, SAMPLE_NAME } from "./sample.ts";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  cookie:
    "the file is sent to whoever asks: the sender of a datagram can be forged, and then you flood somebody who never " +
    "asked. Send a cookie (an HMAC of the address) and the file only to who returns it",
  fast: "the file is sent as fast as it can be read: send what stands at byte b when b / rate has passed since the " +
    "beginning, and sleep until then",
  end: "the last datagram is not followed by FIN: the client cannot tell the end from a loss",
  seq: "datagrams are not numbered one by one from 0: without that nobody sees what is lost, doubled or overtaken",
  pause:
    "CONTROL is not understood, or answered and not obeyed: nothing is sent between pause and resume, and after seek it " +
    "goes on from there",
  missing: "opening a file that is not there throws, or nobody is told: answer with ERROR",
  outside:
    "the name is put behind that of your folder and opened: whoever asks can read all of your files. Take no name " +
    "with / or .. in it",
  damaged: "the checksum is not compared, so that a datagram that was changed on the way is obeyed",
  garbage:
    "what is no PDU throws where it is unpacked, and nobody catches it: look at the length and the type first, and drop it",
  session: "what belongs to no session is passed over: answer with ERROR 8, or its sender waits for ever",
} as const;

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
const ENDS = "from a moment near its end only the rest is sent, and then FIN";
const NUMBERED = "datagrams are numbered one by one, and say where they stand";
const PACED = "the file is sent in real time: what is due at its end does not come at once";
const EOF = "EOF or END follows the end of the file";
const CHUNKS = "whoever asks gets the file in datagrams of 1000 to 2000 bytes";

/** A file of the system, in a datagram. */
const secret: Expectation = { what: "a file from elsewhere", matches: (text) => /root:|localhost/.test(text) };
const says = (...words: string[]): Expectation => ({
  what: words.join(" or "),
  matches: (text) => words.includes(text.trim()),
});
const end = says("EOF", "END");
/** The size may go first. */
const chunk: Expectation = {
  what: "a datagram of 1000 to 2000 bytes with the beginning of the file",
  matches: (text) => text.length >= 1000 && text.length <= 2000 && SAMPLE.startsWith(text),
};

/** Checks of servers of the seed's own form: a file name, bare datagrams, and EOF or END. */
const seedChecks: readonly Check[] = [
  {
    name: CHUNKS,
    points: 30,
    cause:
      "the name that came is not that of a file, as when a newline is expected behind it, or its chunks have another size: " +
      "read(random.randint(1000, 2000))",
    steps: [...connect("viewer"), say(SAMPLE_NAME), expect("viewer", chunk)],
  },
  {
    name: EOF,
    points: 20,
    cause: CAUSE.end,
    needs: [CHUNKS],
    steps: [
      ...connect("viewer"),
      say(SAMPLE_NAME),
      expect("viewer", {
        what: "the last bytes of the file",
        matches: (text) => text.length > 0 && text.length <= 2000 && SAMPLE.slice(2000).endsWith(text),
      }),
      expect("viewer", end),
    ],
  },
  {
    name: PACED,
    points: 15,
    cause: CAUSE.fast,
    needs: [EOF],
    steps: [...connect("viewer"), say(SAMPLE_NAME), expect("viewer", chunk), forbid("viewer", end), stays("viewer")],
  },
  {
    name: "a file that is not there is refused",
    points: 10,
    cause: CAUSE.missing,
    needs: [CHUNKS],
    steps: [...connect("viewer"), say("$nothing.mp3"), expect("viewer", mentions("Error: File not found", "error"))],
  },
  {
    name: "names that lead out of the folder are refused",
    points: 10,
    cause: CAUSE.outside,
    needs: [CHUNKS],
    steps: [
      ...connect("viewer"),
      forbid("viewer", secret),
      say("../../../../../../../../etc/hosts"),
      expect("viewer", mentions("Error: File not found", "error")),
    ],
  },
  {
    name: "two viewers at once both get the file",
    points: 15,
    cause: CAUSES.oneAtATime,
    needs: [PACED],
    steps: [
      ...connect("viewer", "other"),
      say(SAMPLE_NAME),
      expect("viewer", chunk),
      forbid("viewer", end),
      send("other", SAMPLE_NAME),
      expect("other", chunk),
      stays("viewer"), // in the midst of it
    ],
  },
];

export const checks: readonly Check[] = [
  {
    name: "who asks first gets a cookie, and nothing more",
    points: 8,
    cause: CAUSE.cookie,
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
    points: 10,
    cause:
      "a REQUEST with the right cookie is answered with INFO, and then DATA in datagrams of 1000 to 2000 bytes, all with " +
      "the session of the REQUEST and with the checksum over the whole datagram",
    steps: [...connect("viewer"), ...ask(12), gets("INFO", "session=12", size), expect("viewer", ofRandomSize)],
  },
  {
    name: "a cookie that was not given is no cookie",
    points: 6,
    cause: CAUSE.cookie,
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
    name: "two viewers at once both get the file",
    points: 6,
    cause: CAUSES.oneAtATime,
    needs: [PLAYS],
    steps: [
      ...connect("viewer", "other"),
      ...ask(24),
      gets("INFO", "session=24"),
      say("CONTROL session=24 seq=1 pause position=0 first=0"), // it will not be over soon
      send("other", `REQUEST session=25 start=999 "${SAMPLE_NAME}"`),
      expect("other", pdu("COOKIE", "session=25")),
      send("other", `REQUEST session=25 start=999 cookie=* "${SAMPLE_NAME}"`),
      expect("other", tail),
      leave("other", "reset"),
      say("CONTROL session=24 seq=2 resume position=0 first=0"),
      gets("DATA", "session=24"),
    ],
  },
  {
    name: NUMBERED,
    points: 10,
    cause: CAUSE.seq,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(26),
      gets("DATA", "seq=0", "offset=0", "time=0"),
      never("DATA", "offset=0"),
      never("DATA", "seq=0"),
      gets("DATA", "seq=1"),
      gets("DATA", "seq=2"),
    ],
  },
  {
    name: "the duration of the file says how fast it is sent",
    points: 5,
    cause:
      "INFO says another duration or rate: the duration stands in the file (of a WAV: bytes of samples by bytes a second), " +
      "and the rate is its size by its duration",
    needs: [PLAYS],
    steps: [...connect("viewer"), ...ask(14), gets("INFO", "duration=1000", `rate=${SAMPLE.length}`)],
  },
  {
    name: ENDS,
    points: 14,
    cause: CAUSE.end,
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
    points: 5,
    cause:
      "FIN is said once: it may be lost, as any datagram. Say it again to each REPORT, and forget the session at the " +
      "client's FIN",
    needs: [ENDS],
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
    name: PACED,
    points: 9,
    cause: CAUSE.fast,
    needs: [NUMBERED],
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
    points: 8,
    cause: CAUSE.pause,
    needs: [PLAYS],
    steps: [
      ...connect("viewer"),
      ...ask(18),
      gets("DATA", "seq=0"),
      say("CONTROL session=18 seq=1 pause position=0 first=0"),
      gets("CONTROL", "session=18", "seq=1", "pause"),
      // Longer than the longest datagram takes.
      ...[1, 2].flatMap(() => [never("DATA"), stays("viewer")]),
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
    points: 3,
    cause: "a command is known by its number: what has been done is confirmed again, and not done again",
    needs: [ENDS],
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
    points: 4,
    cause: CAUSE.missing,
    needs: [PLAYS],
    steps: [...connect("viewer"), ...ask(20, "$nothing.mp3"), gets("ERROR", "session=20")],
  },
  {
    name: "names that lead out of the folder, or are none, are refused",
    points: 5,
    cause: CAUSE.outside,
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
    points: 2,
    cause: CAUSE.session,
    needs: [PLAYS],
    steps: [...connect("viewer"), say("FIN session=22 seq=0"), gets("ERROR", "session=22", "code=8")],
  },
  {
    name: "what is no PDU harms nobody",
    points: 3,
    cause: CAUSE.garbage,
    needs: [PLAYS],
    steps: [
      ...connect("mallory", "viewer"),
      sendBytes("mallory", new Uint8Array([0x01, 0x02, 0x03]), "three bytes that are no PDU"),
      sendBytes("mallory", new Uint8Array(64).fill(0xff), "64 bytes that are no PDU"),
      ...ask(27),
      gets("INFO", "session=27"),
    ],
  },
  {
    name: "damaged datagrams change nothing",
    points: 2,
    cause: CAUSE.damaged,
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
      gets("DATA", "session=23"),
      sendBytes("viewer", damaged("FIN session=23 seq=0"), "a FIN of which a bit has changed"),
      gets("DATA", "session=23"),
    ],
  },
  ...ofSeed(seedChecks),
];

// A client under test, and what a server says to it; whose sessions are numbered by the client.

const COOKIE = "000102030405060708090a0b0c0d0e0f";
const NAME = "$song.wav";

const hears = (text: string): Step => send("server", text);
const said = (what: Expectation): Step => expect("server", what);

/** It asks; the session is its own. */
const asking: Step[] = [
  start("client", NAME),
  accept("server"),
  said({
    what: `REQUEST with the name ${NAME}`,
    keeps: /session=(?<session>\d+)/,
    matches: (text, fill) => text.startsWith("REQUEST ") && text.endsWith(` "${fill(NAME)}"`),
  }),
];
const proving: Step[] = [
  ...asking,
  hears(`COOKIE session={session} cookie=${COOKIE}`),
  said({
    what: "REQUEST with the cookie that it was given",
    matches: (text) => text.startsWith("REQUEST ") && text.includes(` cookie=${COOKIE} `),
  }),
];
/** A song of three bytes, which are sent at once. */
const playing: Step[] = [
  ...proving,
  hears('INFO session={session} size=12 duration=12 rate=1000 "audio/wav"'),
];
const piece = (seq: number): Step =>
  hears(`DATA session={session} seq=${seq} offset=${4 * seq} time=${4 * seq} "${"abc"[seq].repeat(4)}"`);
/** It says that it has heard the end, and leaves. */
const ending: Step[] = [
  hears("FIN session={session} seq=3"),
  said({ what: "FIN", matches: (text) => text.startsWith("FIN ") }),
  exits("client"),
];
/** The server says no, so that nobody waits. */
const dismissed: Step[] = [hears('ERROR session={session} code=11 "that was all"'), exits("client")];

const ASKS = "it asks for the file";
const TAKES = "it takes the file to its end, and says so";

/** How much there was, or that it is done. */
const done = (bytes: number): Expectation => ({
  what: "that the stream is over",
  accepts: `it contains how many bytes came (${bytes}), or received, done, finished, complete, end`,
  matches: (text) => new RegExp(`\\b${bytes}\\b(?! B)|receiv|done|finish|complet|\\bend`, "i").test(text),
});

/** The same of the seed's own form. */
const seedClientChecks: readonly Check[] = [
  {
    name: ASKS,
    points: 30,
    cause: "the client has to speak first: any datagram, or the name of a file",
    steps: [
      start("client", NAME),
      accept("server"),
      said({ what: "a datagram", matches: (text) => text !== "" }),
      hears("EOF"),
      exits("client"),
    ],
  },
  {
    name: "what comes is taken until EOF, and then the client ends",
    points: 50,
    cause: "EOF is taken for a part of the file, or not looked for: it is a datagram of its own",
    needs: [ASKS],
    steps: [
      start("client", NAME),
      accept("server"),
      said({ what: "a datagram", matches: (text) => text !== "" }),
      hears("p".repeat(1500)),
      hears("q".repeat(1200)),
      hears("EOF"),
      shows("client", done(2700)),
      exits("client"),
    ],
  },
  {
    name: "a refusal ends it",
    points: 20,
    cause: "the datagram that says Error is taken for a part of the file, and EOF is waited for, which never comes",
    needs: [ASKS],
    steps: [
      start("client", NAME),
      accept("server"),
      said({ what: "a datagram", matches: (text) => text !== "" }),
      hears("Error: File not found"),
      exits("client"),
    ],
  },
];

export const clientChecks: readonly Check[] = [
  {
    name: ASKS,
    points: 15,
    cause:
      "REQUEST has to be 14 bytes of header with the checksum over all, the start, 16 bytes of zeros, and the name in UTF-8",
    steps: [...asking, ...dismissed],
  },
  {
    name: "it asks again with the cookie that it gets",
    points: 15,
    cause: "COOKIE is not understood: say the REQUEST again, with these 16 bytes in it",
    needs: [ASKS],
    steps: [...proving, ...dismissed],
  },
  {
    name: TAKES,
    points: 25,
    cause: "FIN is not looked for: behind it nothing comes. Say FIN, too, so that the server may forget you",
    needs: ["it asks again with the cookie that it gets"],
    steps: [...playing, piece(0), piece(1), piece(2), ...ending, shows("client", done(12))],
  },
  {
    name: "it reports what came, every second",
    points: 10,
    cause:
      "the server stops when it hears nothing: send REPORT every second, from a thread or with a timeout of recvfrom()",
    needs: [TAKES],
    steps: [
      ...playing,
      piece(0),
      said(
        inItsTime({ what: "REPORT seq=1 lost=0", matches: (text) => /^REPORT session=\d+ seq=1 lost=0 /.test(text) }),
      ),
      ...dismissed,
    ],
  },
  {
    name: "a request that is lost is said again",
    points: 10,
    cause: "recvfrom() is waited for without a timeout: a datagram may be lost. Set one (settimeout), and ask again",
    needs: [ASKS],
    steps: [
      ...asking,
      said(inItsTime({ what: "the same REQUEST again", matches: (text) => text.startsWith("REQUEST ") })),
      ...dismissed,
    ],
  },
  {
    name: "datagrams that overtake each other, or come twice, do no harm",
    points: 5,
    cause: "what comes is taken in the order in which it comes: DATA says where it stands, by offset",
    needs: [TAKES],
    steps: [...playing, piece(1), piece(0), piece(1), piece(2), ...ending, shows("client", done(12))],
  },
  {
    name: "what is lost is told",
    points: 5,
    cause: "losses are not counted: FIN says how many DATA there were, and each has its number",
    needs: [TAKES],
    steps: [
      ...playing,
      piece(0),
      piece(2),
      ...ending,
      shows("client", {
        what: "that a datagram, or 4 bytes, are lost",
        accepts: "it says lost, loss, missing or gap, and 1 or 4",
        matches: (text) => /lost|loss|missing|gap/i.test(text) && /\b[14]\b/.test(text),
      }),
    ],
  },
  {
    name: "an error is shown",
    points: 10,
    cause: "ERROR is not understood, or not shown: it is the last word of the session",
    needs: [ASKS],
    steps: [
      ...proving,
      hears(`ERROR session={session} code=3 "no such file: ${NAME}"`),
      shows("client", mentions("the error", "no such file")),
      exits("client"),
    ],
  },
  {
    name: "what is no PDU, or damaged, harms nobody",
    points: 5,
    cause: CAUSE.garbage,
    needs: [TAKES],
    steps: [
      ...playing,
      sendBytes("server", new Uint8Array([0x04, 0x00, 0x01]), "three bytes that are no PDU"),
      sendBytes("server", damaged("ERROR session=1 code=11"), "an ERROR of which a bit has changed"),
      ...[0, 1, 2].map(piece),
      ...ending,
      shows("client", done(12)),
    ],
  },
  ...ofSeed(seedClientChecks),
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "a second of sound is streamed",
  points: 1,
  steps: [start("client", SAMPLE_NAME), shows("client", inItsTime(done(SAMPLE.length))), exits("client", "well")],
};

function damaged(text: string): () => Uint8Array {
  return () => {
    const bytes = encodePdu(parsePdu(text));
    bytes[bytes.length - 1] ^= 0x04;
    return bytes;
  };
}
