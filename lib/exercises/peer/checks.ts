// Black-box checks of any peer. The first are of one that is called: the wire shows whom it takes and whom it sends away.
// The others sit at its keyboard.

import { CAUSES } from "../causes.ts";
import {
  accept,
  callUntilTaken,
  type Check,
  connect,
  exactly,
  exits,
  expect,
  type Expectation,
  expectEnd,
  flood,
  forbid,
  leave,
  mentions,
  runs,
  send,
  sendBytes,
  SERVER,
  shows,
  start,
  stays,
  type Step,
  type,
} from "../check.ts";

const TAKES = "a caller is taken, and may stay";
const BUSY = "a second caller is told that the peer is busy, and sent away";

/** What is usually wrong. The mistakes that netlab's own peer can make name the same. */
export const CAUSE = {
  takes: "accept() has to be called while the program waits for what is typed, in a thread of its own, say",
  takesSecond:
    "a second caller is taken, or left in the queue of listen(), while the first is there: go on accepting while " +
    "you talk, and when you have a connection, send ERROR busy on the new one and close it",
  firstLost: "what is kept of the first connection is overwritten, or closed, when another caller comes",
  staysBusy: "the peer takes itself for connected when the other has gone: forget the connection when recv() returns " +
    "nothing or throws, too (in Python: in a finally)",
  badText:
    "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: that must not end the program",
  ends: CAUSES.ends,
  calls:
    "connect has to call the host and port that are typed, and send to send what is behind the word, as it is and in " +
    "a message of its own",
  shows: "what comes is only looked at when something is typed: read the keyboard and the socket at the same time " +
    "(select, or a thread)",
  answers:
    "send uses the connection that was opened by connect only: one that somebody else has opened is as good, once " +
    "accept() has returned it",
  noConnection: "send uses a connection that is not there, and nobody catches what that throws: look, and say so",
  refused: CAUSES.refused,
  hangsUp:
    "disconnect has to close the connection: close() in one thread does not end a recv() in another, shutdown() does",
  leaves: "exit has to close the connection and end the program, with every thread of it",
} as const;

const busy: Expectation = {
  what: "a refusal: busy",
  accepts: "it says busy, occupied, in use, already, only one, or error",
  matches: (text) => /busy|occupied|in use|already|error|only one/i.test(text),
};

/** The connection is up: a second caller is sent away because of it. */
const holds = (second: string): Step[] => [...connect(second), expect(second, busy), expectEnd(second)];

/** The person at the peer under test sees what a caller says. */
const isShown = (who: string, text: string): Step[] => [send(who, text), shows(SERVER, mentions(`"${text}"`, text))];

export const checks: readonly Check[] = [
  {
    name: TAKES,
    points: 15,
    cause: CAUSE.takes,
    steps: [callUntilTaken("alice", "hello"), stays("alice")],
  },
  {
    name: "what the caller says is shown",
    points: 15,
    cause: CAUSE.shows,
    needs: [TAKES],
    steps: [
      callUntilTaken("alice", "hello"),
      ...isShown("alice", "this is $alice"),
      ...isShown("alice", "and that is all from $alice"),
    ],
  },
  {
    name: BUSY,
    points: 20,
    cause: CAUSE.takesSecond,
    needs: [TAKES],
    steps: [callUntilTaken("alice", "hello"), ...holds("bob")],
  },
  {
    name: "the first caller is not disturbed by others, though many come, and one does not wait for its answer",
    points: 10,
    cause: CAUSE.firstLost,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      forbid("alice", busy),
      ...holds("bob"),
      ...connect("carol"),
      leave("carol", "reset"),
      ...["dave", "erin"].flatMap(holds),
      stays("alice"),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end"
      ? "after the first has hung up, another is taken"
      : "after the first has vanished, another is taken",
    points: 15,
    cause: how === "end" ? CAUSE.staysBusy : CAUSE.ends,
    needs: [TAKES],
    steps: [callUntilTaken("alice", "hello"), leave("alice", how), callUntilTaken("bob", "hello")],
  })),
  {
    name: "bytes that are not UTF-8, and very many messages, are no end of the program",
    points: 10,
    cause: CAUSE.badText,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      sendBytes("alice", new Uint8Array([0xff, 0xfe, 0x20, 0xc3, 0x0a]), "a line that is not UTF-8"),
      flood("alice", "x".repeat(90), 500_000),
      leave("alice", "reset"),
      callUntilTaken("bob", "hello"),
      ...holds("carol"),
    ],
  },
];

/** The peer under test has called netlab, as it was told to. */
const called = (who = "netlab"): Step[] => [type("peer", "connect {host} {port}"), accept(who)];
const says = (who: string, text: string): Step[] => [type("peer", `send ${text}`), expect(who, exactly(text))];
const hears = (who: string, text: string): Step[] => [send(who, text), shows("peer", mentions(`"${text}"`, text))];

const CALLS = "it calls where it is told, and what is typed is sent";
const SHOWS = "what comes is shown, though nobody has asked";

const refusal: Expectation = {
  what: "that this cannot be done",
  accepts: "it says no, not, nobody, error, failed, refused, or the like",
  matches: (text) => /\bno\b|not |n't|nobody|none|error|fail|refuse|unable|cannot|first/i.test(text),
};

export const clientChecks: readonly Check[] = [
  {
    name: CALLS,
    points: 20,
    cause: CAUSE.calls,
    steps: [start("peer"), ...called(), ...says("netlab", "hello there"), ...says("netlab", "how are you?")],
  },
  {
    name: SHOWS,
    points: 15,
    cause: CAUSE.shows,
    needs: [CALLS],
    steps: [start("peer"), ...called(), ...hears("netlab", "are you there"), ...hears("netlab", "it is me")],
  },
  {
    name: "whoever calls it is shown, and answered",
    points: 15,
    cause: CAUSE.answers,
    steps: [
      start("peer"),
      ...connect("netlab"),
      ...hears("netlab", "hello from far away"),
      ...says("netlab", "hello you"),
      ...hears("netlab", "goodbye"),
    ],
  },
  {
    name: "several messages that come at once are all shown",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [SHOWS],
    steps: [
      start("peer"),
      ...called(),
      ...["one.", "two.", "three."].map((text) => send("netlab", `number ${text}`)),
      ...["one.", "two.", "three."].map((text) => shows("peer", mentions(`number ${text}`, `number ${text}`))),
    ],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 10,
    cause: CAUSES.characters,
    needs: [SHOWS],
    steps: [start("peer"), ...called(), ...says("netlab", "grüße, 你好"), ...hears("netlab", "你好, grüße")],
  },
  {
    name: "who sends without a connection is told so, and may go on",
    points: 5,
    cause: CAUSE.noConnection,
    needs: [CALLS],
    steps: [
      start("peer"),
      type("peer", "send hello"),
      shows("peer", refusal),
      runs("peer"),
      ...called(),
      ...says("netlab", "hello again"),
    ],
  },
  {
    name: "a call that nobody takes is no end",
    points: 5,
    cause: CAUSE.refused,
    needs: [CALLS],
    // Nobody listens on port 1.
    steps: [
      start("peer"),
      type("peer", "connect {host} 1"),
      shows("peer", refusal),
      runs("peer"),
      ...called(),
      ...says("netlab", "hello again"),
    ],
  },
  {
    name: "while it has called somebody, a caller is told that it is busy",
    points: 5,
    cause: CAUSE.takesSecond,
    needs: [CALLS],
    steps: [
      start("peer"),
      ...called(),
      ...says("netlab", "hello"),
      ...holds("bob"),
      ...says("netlab", "still here"),
    ],
  },
  {
    name: "disconnect hangs up, and the next may come",
    points: 5,
    cause: CAUSE.hangsUp,
    needs: [CALLS],
    steps: [
      start("peer"),
      ...called(),
      type("peer", "disconnect"),
      expectEnd("netlab"),
      runs("peer"),
      ...called("the next one"),
      ...says("the next one", "hello again"),
    ],
  },
  {
    name: "when the other hangs up, the program goes on, and the next may come",
    points: 5,
    cause: CAUSE.staysBusy,
    needs: [CALLS],
    steps: [
      start("peer"),
      ...called(),
      leave("netlab"),
      runs("peer"),
      ...called("the next one"),
      ...says("the next one", "hello again"),
    ],
  },
  {
    name: "bytes that are not UTF-8 are no end",
    points: 5,
    cause: CAUSE.badText,
    needs: [SHOWS],
    steps: [
      start("peer"),
      ...called(),
      sendBytes("netlab", new Uint8Array([0xff, 0xfe, 0x20, 0xc3, 0x0a]), "a line that is not UTF-8"),
      ...hears("netlab", "and now in earnest"),
      ...says("netlab", "I hear you"),
    ],
  },
  {
    name: "exit hangs up and ends the program",
    points: 5,
    cause: CAUSE.leaves,
    needs: [CALLS],
    steps: [start("peer"), ...called(), type("peer", "exit"), expectEnd("netlab"), exits("peer")],
  },
];
