// Black-box checks of any file server of this kind, and of any client of one. In the server's folder have to be `hello.txt`
// with one line, `hello`, and `long.txt`, which is LONG.

import { encodeText, utf8Length } from "../../protocol/text.ts";
import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  endInput,
  exactly,
  exits,
  expect,
  type Expectation,
  expectRest,
  forbid,
  leave,
  mentions,
  ofSeed,
  pauseReading,
  runs,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
} from "../check.ts";
import { HELLO_DIGEST, reply } from "./protocol.ts";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  size:
    "behind OK come exactly as many bytes as it says: take the size of the file (os.path.getsize), and send its bytes as " +
    'they are, read with open(name, "rb"), and no newline behind them',
  end: "the connection is not closed behind the content: who asks by a bare name knows by that that it has all",
  partial:
    "the file is read once (read(1024)), or sent by a send() that takes a part of it: read and send in a loop until " +
    "nothing is left, in Python with sendall()",
  again: "the connection is closed behind an answer: read the next request in a loop, until the client ends",
  offset: "the number behind the name is not looked at: seek there, say how many bytes are left, and send these",
  missing: "opening a file that is not there throws, and nobody catches it, or nobody is told: answer with ERROR 404",
  outside:
    "the name is put behind that of your folder and opened (DIR/../../etc/passwd is a way, too): whoever asks can read " +
    "all of your files. Take no name with / or .. in it",
  slow:
    "the server waits until one client has read its file, and serves nobody meanwhile: give each client a thread of its own",
} as const;

const hello = mentions("the line hello", "hello");
const okFor = (size: number, digest: string): Expectation => ({
  what: `OK, the size ${size} and the digest`,
  accepts: `"OK ${size} ${digest}"`,
  matches: (text) => new RegExp(`OK ${size} ${digest}`, "i").test(text),
});
const ok = okFor(6, HELLO_DIGEST);
const more: Expectation = { what: "more than it said", matches: (text) => !text.startsWith("OK") };
const refused = (code: number): Expectation => ({
  what: `ERROR ${code}`,
  matches: (text) => new RegExp(`^ERROR ${code}\\b`, "im").test(text),
});
const anyRefusal: Expectation = {
  what: "a refusal",
  accepts: "it begins with ERROR, whatever the number",
  matches: (text) => /^error\b/im.test(text),
};
const secret: Expectation = { what: "a file from elsewhere", matches: (text) => /root:|localhost/.test(text) };

const asksOn = (who: string): Step[] => [send(who, "GET hello.txt"), expect(who, ok)];

/** A file that no single read brings: 3000 lines. */
export const LONG = Array.from(
  { length: 3000 },
  (_, i) => `line ${String(i + 1).padStart(4, "0")} of a file that is longer than one read, and no more than that\n`,
).join("");

const LONG_DIGEST = "41fd5cf4442d51365e519ae03a06be1504a8c71c886fbff10ac0b67178fc2a0e";
const LONG_LINES = new Set(LONG.trimEnd().split("\n"));

const GETS = "GET gives the size and the digest";
const CONTENT = "GET gives the content";
const LONG_GET = "GET gives all of a file that is longer than one read";
const BARE = "a bare name gives the content, and the end of the connection";
const AGAIN = "as many bytes follow as it says, and then the next request is served";

const bareName: Check = {
  name: BARE,
  points: 30,
  cause: CAUSE.end,
  steps: [...connect("alice"), send("alice", "hello.txt"), expectRest("alice", hello)],
};

const longFile: Check = {
  name: "a file that is longer than one read arrives whole",
  points: 25,
  cause: CAUSE.partial,
  needs: [BARE],
  steps: [
    ...connect("alice"),
    send("alice", "long.txt"),
    expectRest("alice", {
      what: `all ${LONG.length} bytes of long.txt`,
      matches: (text) => text.trimEnd() === LONG.trimEnd(),
    }),
  ],
};

const missingFile: Check = {
  name: "a bare name of a file that is not there is answered as the course's server does",
  points: 15,
  cause: CAUSE.missing,
  steps: [
    ...connect("alice"),
    send("alice", "nothing.txt"),
    expectRest("alice", mentions("Error: File not found", "Error", "not found")),
  ],
};

/** Checks of servers that understand bare names only. */
const seedChecks: readonly Check[] = [
  bareName,
  longFile,
  missingFile,
  {
    name: "nothing outside of the folder can be read",
    points: 10,
    cause: CAUSE.outside,
    needs: [BARE],
    steps: [
      ...connect("mallory"),
      forbid("mallory", secret),
      send("mallory", "../../../../../../../../etc/hosts"),
      expectRest("mallory", mentions("Error: File not found", "error")),
    ],
  },
  {
    name: "a second client is served while the first stays",
    points: 15,
    cause: CAUSES.oneAtATime,
    needs: [BARE],
    steps: [...connect("alice", "bob"), send("bob", "hello.txt"), expectRest("bob", hello)],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 5,
    cause: CAUSES.cut,
    needs: [BARE],
    steps: [
      ...connect("mallory"),
      send("mallory", "long.txt"),
      leave("mallory", "reset"),
      ...connect("alice"),
      send("alice", "hello.txt"),
      expectRest("alice", hello),
    ],
  },
];

export const checks: readonly Check[] = [
  {
    name: GETS,
    points: 8,
    cause:
      "GET is not understood, or its answer is not OK, the size in bytes, and the SHA-256 of the file in hexadecimal " +
      "(hashlib.sha256(content).hexdigest())",
    steps: [...connect("alice"), send("alice", "GET hello.txt"), expect("alice", ok)],
  },
  {
    name: CONTENT,
    points: 10,
    cause: CAUSE.size,
    framed: true,
    needs: [GETS],
    steps: [...connect("alice"), ...asksOn("alice"), expect("alice", hello)],
  },
  {
    name: LONG_GET,
    points: 20,
    cause: CAUSE.partial,
    framed: true,
    needs: [CONTENT],
    steps: [
      ...connect("alice"),
      send("alice", "GET long.txt"),
      expect("alice", okFor(LONG.length, LONG_DIGEST)),
      forbid("alice", { what: "what is no line of it", matches: (text) => !LONG_LINES.has(text.trimEnd()) }),
      expect("alice", { ...exactly([...LONG_LINES].at(-1)!), what: "the last of its 3000 lines" }),
    ],
  },
  { ...bareName, points: 7 },
  { ...longFile, points: 6 },
  {
    name: AGAIN,
    points: 5,
    cause: CAUSE.size,
    framed: true,
    needs: [CONTENT],
    steps: [
      ...connect("alice"),
      ...["GET hello.txt", "GET hello.txt"].flatMap((request) => [
        send("alice", request),
        expect("alice", ok),
        expect("alice", exactly("hello")),
        forbid("alice", more),
      ]),
    ],
  },
  {
    name: "several requests on one connection are answered",
    points: 4,
    cause: CAUSE.again,
    needs: [GETS],
    steps: [...connect("alice"), ...asksOn("alice"), send("alice", "STAT hello.txt"), expect("alice", ok)],
  },
  {
    name: "LIST gives how many files there are, and their sizes and names",
    points: 4,
    cause:
      "LIST is answered with OK and how many files there are, and then a line for each: its size, a space, its name",
    framed: true,
    steps: [
      ...connect("alice"),
      send("alice", "LIST"),
      expect("alice", { what: "OK and a number", matches: (text) => /^OK \d+\s*$/.test(text) }),
      expect("alice", exactly("6 hello.txt")),
    ],
  },
  {
    name: "STAT gives size and digest",
    points: 3,
    cause: "STAT is answered as GET is, and nothing follows",
    steps: [...connect("alice"), send("alice", "STAT hello.txt"), expect("alice", ok)],
  },
  {
    name: "GET with an offset gives the rest, and the digest of the whole",
    points: 4,
    cause: CAUSE.offset,
    framed: true,
    needs: [CONTENT],
    steps: [
      ...connect("alice"),
      send("alice", "GET hello.txt 3"),
      expect("alice", okFor(3, HELLO_DIGEST)),
      expect("alice", exactly("lo")),
      forbid("alice", more),
      ...asksOn("alice"),
    ],
  },
  {
    name: "an offset behind the end is refused",
    points: 2,
    cause: "what is asked for does not exist, and is read all the same: answer with ERROR 400",
    needs: [GETS],
    steps: [...connect("alice"), send("alice", "GET hello.txt 7"), expect("alice", refused(400)), ...asksOn("alice")],
  },
  {
    name: "a file that is not there is refused, and the client may go on",
    points: 4,
    cause: CAUSE.missing,
    needs: [GETS],
    steps: [...connect("alice"), send("alice", "GET nothing.txt"), expect("alice", refused(404)), ...asksOn("alice")],
  },
  { ...missingFile, points: 2 },
  {
    name: "nothing outside of the folder can be read",
    points: 7,
    cause: CAUSE.outside,
    needs: [GETS],
    // A connection for each: some are hung up on who ask for that.
    steps: ["../../../../../../../../etc/hosts", "/etc/passwd", "..", "./../hello.txt"].flatMap((name, i) => [
      ...connect(`mallory${i + 1}`),
      forbid(`mallory${i + 1}`, secret),
      send(`mallory${i + 1}`, `GET ${name}`),
      expect(`mallory${i + 1}`, anyRefusal),
      forbid(`mallory${i + 1}`, secret),
      leave(`mallory${i + 1}`),
    ]),
  },
  {
    name: "bytes that are no text are refused, and the client may go on",
    points: 2,
    cause: CAUSES.badText,
    needs: [GETS],
    framed: true,
    steps: [
      ...connect("mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe]), "bytes that are no text"),
      expect("mallory", refused(400)),
      ...asksOn("mallory"),
    ],
  },
  {
    name: "requests that arrive at once are all answered, in their order",
    points: 3,
    cause: CAUSES.joined,
    needs: [GETS],
    framed: true,
    steps: [
      ...connect("alice"),
      send("alice", "STAT hello.txt"),
      send("alice", "GET nothing.txt"),
      send("alice", "GET hello.txt 3"),
      expect("alice", ok),
      expect("alice", refused(404)),
      expect("alice", okFor(3, HELLO_DIGEST)),
    ],
  },
  {
    name: "a second client is served while the first stays",
    points: 4,
    cause: CAUSES.oneAtATime,
    needs: [GETS],
    steps: [...connect("alice", "bob"), ...asksOn("bob")],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 2,
    cause: CAUSES.cut,
    needs: [GETS],
    steps: [
      ...connect("mallory"),
      send("mallory", "GET long.txt"),
      leave("mallory", "reset"),
      ...connect("alice"),
      ...asksOn("alice"),
    ],
  },
  {
    name: "a client that does not read holds up nobody else",
    points: 3,
    cause: CAUSE.slow,
    needs: [LONG_GET],
    framed: true,
    steps: [
      ...connect("mallory", "alice"),
      pauseReading("mallory"),
      // More than the buffers of a connection hold, so that a server which waits for mallory waits for ever.
      sendBytes("mallory", () => encodeText("GET long.txt\n".repeat(60)), "GET long.txt, 60 times"),
      stays("mallory"), // until they are full
      ...Array.from({ length: 5 }, () => asksOn("alice")).flat(),
      leave("mallory", "reset"),
    ],
  },
  ...ofSeed(seedChecks),
];

// A client under test: asked to get a file that netlab makes up.

const POEM = "roses are red\nviolets are blue";
/** The digests of what `send` makes of these, a line end at their ends: the poem, nothing, and the others. */
const DIGESTS = {
  poem: "f64a0dd6ee747841e5a9b7bc1b5c0d10c52e315513fe6ff571374befa7e776b2",
  empty: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  utf8: "e35eb1c611e4c8c943ffa883ed0a8bbea1662027e0fe0cca2bb4aa7c8a54d5b8",
  lines: "dfe433b554f405d98c6982cb0f74990dea4d85a8a3b62b1f44617071e66d27a7",
  long: LONG_DIGEST,
};
const UTF8 = "grüße, 你好";
const LINES = `OK 3 ${HELLO_DIGEST}\nERROR 404 no such file`;

/** It says that it has the file, or shows it. */
const got = (bytes: number, ...parts: string[]): Expectation => ({
  what: "that the file is there",
  accepts: `it contains the text, how many bytes there are (${bytes}), or got, fetched, received, saved, stored, ` +
    "written, downloaded, done, complete, ok, or the like",
  matches: (text) =>
    parts.some((part) => text.includes(part)) || new RegExp(`\\b${bytes}\\b`).test(text) ||
    /\b(got|ok|fetched|receiv|retriev|saved|stored|written|wrote|download|transferred|done|complet|success|finish)/i
      .test(text),
});
const trouble: Expectation = {
  what: "that something is wrong",
  accepts: "it says error, wrong, expected, corrupt, mismatch, fail, not …, or the like",
  // Of the digest itself, which is no word, some part may be bad.
  matches: (text) => /error|wrong|expected|corrupt|mismatch|differ|damage|invalid|fail|\bbad\b|not |n't/i.test(text),
};
/** A request for the file, from its beginning. */
const asked: Expectation = {
  what: "GET $poem.txt",
  accepts: "with an offset of 0 or without one",
  matches: (text, fill) => new RegExp(`^GET ${fill("$poem")}\\.txt(?: 0)?\\s*$`).test(text),
};

const asking: Step[] = [start("client", "get", "$poem.txt"), accept("server"), expect("server", asked)];
const answered = (size: number, digest: string): Step => send("server", reply.file(size, digest));
/** What comes in several parts: who has ended before the last has not got it, whatever it says. */
const inParts = (...texts: string[]): Step[] => texts.flatMap((text) => [runs("client"), send("server", text)]);
/** It asks, and gets what it asked for. */
const gets = (text: string, digest: string): Step[] => {
  const bytes = utf8Length(`${text}\n`);
  return [
    ...asking,
    answered(bytes, digest),
    ...inParts(text),
    leave("server"), // who has counted has no need of it
    shows("client", got(bytes, ...text.split("\n"))),
  ];
};

const ASKS = "a file is asked for";
const FETCHES = "a file is fetched";
/** Each ends with a line. */
const LONG_PARTS = [LONG.slice(0, LONG.length / 2), LONG.slice(LONG.length / 2)];

/** A client of the seed's kind says a bare name, and takes what comes to the end of the connection. */
const askingBare: Step[] = [
  start("client", "get", "$poem.txt"),
  accept("server"),
  expect("server", { ...exactly("$poem.txt"), what: "the name $poem.txt" }),
];
const getsBare = (text: string): Step[] => [
  ...askingBare,
  ...inParts(text),
  leave("server"),
  shows("client", got(utf8Length(text), ...text.split("\n"))),
];

const seedClientChecks: readonly Check[] = [
  { name: ASKS, points: 15, cause: "what is sent has to be the name alone", steps: askingBare },
  {
    name: FETCHES,
    points: 40,
    needs: [ASKS],
    cause: "what comes is the file, up to the end of the connection: read until then. Say when you have it, or show it",
    steps: getsBare(POEM),
  },
  {
    name: "a refusal is shown",
    points: 15,
    cause: "an answer that begins with Error is taken for a file",
    needs: [ASKS],
    steps: [
      ...askingBare,
      send("server", "Error: File not found"),
      leave("server"),
      shows("client", mentions("the refusal", "not found")),
    ],
  },
  {
    name: "a long file arrives whole",
    points: 10,
    cause: CAUSES.buffer,
    needs: [FETCHES],
    steps: [
      ...askingBare,
      ...inParts(...LONG_PARTS),
      leave("server"),
      shows("client", got(LONG.length, "line 3000 of a file")),
    ],
  },
  {
    name: "content that is not ASCII is taken",
    points: 5,
    cause: CAUSES.text,
    needs: [FETCHES],
    steps: getsBare(UTF8),
  },
  {
    name: "a server that hangs up without a word does not hang the client",
    points: 15,
    cause: CAUSES.leaves,
    needs: [FETCHES],
    steps: [...askingBare, leave("server", "reset"), exits("client")],
  },
];

export const clientChecks: readonly Check[] = [
  {
    name: ASKS,
    framed: true,
    points: 10,
    cause: "the request has to be GET, a space, the name, and a newline",
    steps: asking,
  },
  {
    name: FETCHES,
    framed: true,
    points: 30,
    needs: [ASKS],
    cause:
      "behind the line that begins with OK come exactly as many bytes as it says, and they may come later than it, and " +
      "in pieces. Say when you have them, or show them",
    steps: gets(POEM, DIGESTS.poem),
  },
  {
    name: "a refusal is shown",
    points: 15,
    cause: "an answer that begins with ERROR is taken for a file, or not shown",
    framed: true,
    needs: [ASKS],
    steps: [
      ...asking,
      send("server", reply.error(404, "no such file: $poem.txt")),
      leave("server"),
      shows("client", mentions("the refusal", "no such file")),
    ],
  },
  {
    name: "a long file arrives whole",
    points: 10,
    cause: CAUSES.buffer,
    framed: true,
    needs: [FETCHES],
    steps: [
      ...asking,
      answered(LONG.length, DIGESTS.long),
      ...inParts(...LONG_PARTS.map((part) => part.trimEnd())),
      leave("server"),
      shows("client", got(LONG.length, "line 3000 of a file")),
    ],
  },
  {
    name: "content that looks like an answer is content",
    points: 5,
    cause: "lines are looked at where bytes are counted: behind OK come so many bytes of content, whatever they are",
    framed: true,
    needs: [FETCHES],
    steps: gets(LINES, DIGESTS.lines),
  },
  {
    name: "content that is not ASCII is counted in bytes",
    points: 5,
    cause: CAUSES.characters,
    framed: true,
    needs: [FETCHES],
    steps: gets(UTF8, DIGESTS.utf8),
  },
  {
    name: "an empty file is fetched",
    points: 5,
    cause: "of an empty file no byte comes: to wait for one is to wait for ever",
    framed: true,
    needs: [FETCHES],
    steps: [...asking, answered(0, DIGESTS.empty), leave("server"), endInput("client"), exits("client")],
  },
  {
    name: "content that has another digest is noticed",
    points: 5,
    cause: "what came is not compared with the digest: compute it over what you have kept, and say so when they differ",
    framed: true,
    needs: [FETCHES],
    steps: [...asking, answered(POEM.length + 1, HELLO_DIGEST), send("server", POEM), shows("client", trouble)],
  },
  {
    name: "a server that hangs up in the middle does not hang the client",
    points: 10,
    cause: CAUSES.leaves,
    framed: true,
    needs: [FETCHES],
    steps: [
      ...asking,
      answered(1000, DIGESTS.poem),
      send("server", POEM),
      leave("server", "reset"),
      endInput("client"),
      exits("client"),
    ],
  },
  {
    name: "an answer that is none does not hang the client",
    points: 5,
    cause: CAUSES.badAnswer,
    framed: true,
    needs: [FETCHES],
    steps: [
      ...asking,
      sendBytes("server", new Uint8Array([0xff, 0xfe, 0x20, 0xc3]), "bytes that are no answer"),
      leave("server"),
      endInput("client"),
      exits("client"),
    ],
  },
  ...ofSeed(seedClientChecks),
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "files are listed and fetched",
  points: 1,
  steps: [
    start("alice's client", "list"),
    shows("alice's client", mentions("the name of a file that is there", "hello.txt")),
    start("bob's client", "get", "hello.txt"),
    shows("bob's client", got(6, "hello")),
  ],
};
