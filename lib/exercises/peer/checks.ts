// Black-box checks of any peer. The first are of one that is called: the wire shows whom it takes and whom it sends away.
// The others sit at its keyboard.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  exits,
  expectEnd,
  flood,
  forbid,
  leave,
  runs,
  start,
  stays,
  type Step,
  type,
} from "../check.ts";
import { busy, numbered, sendBadText, sentAway, tells, tellsAtOnce } from "../check_parts.ts";
import { calledChecks, cannot, comes, NODE_CAUSES, sendsExactly, TAKES } from "../node_checks.ts";

const SHOWN = "what the caller says is shown";
const BUSY = "a second caller is told that the peer is busy, and sent away";

/** What is usually wrong. The mistakes that netlab's own peer can make name the same. */
export const CAUSE = {
  ...NODE_CAUSES,
  takesSecond:
    "a second caller is taken, or left in the queue of listen(), while the first is there: go on accepting while " +
    "you talk, and when you have a connection, send ERROR busy on the new one and close it",
  firstLost: "what is kept of the first connection is overwritten, or closed, when another caller comes",
  staysBusy: "the peer takes itself for connected when the other has gone: forget the connection when recv() returns " +
    "nothing or throws, too (in Python: in a finally)",
  badText:
    "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: that must not end the program",
  calls:
    "connect has to call the host and port that are typed, and send to send what is behind the word, as it is and in " +
    "a message of its own",
  shows: "what comes is only looked at when something is typed: read the keyboard and the socket at the same time " +
    "(select, or a thread)",
  answers:
    "send uses the connection that was opened by connect only: one that somebody else has opened is as good, once " +
    "accept() has returned it",
  noConnection: "send uses a connection that is not there, and nobody catches what that throws: look, and say so",
  hangsUp:
    "disconnect has to close the connection: close() in one thread does not end a recv() in another, shutdown() does",
  leaves: "exit has to close the connection and end the program, with every thread of it",
} as const;

export const checks: readonly Check[] = [
  ...calledChecks(SHOWN, [15, 15], CAUSE.shows),
  {
    name: BUSY,
    points: 20,
    cause: CAUSE.takesSecond,
    needs: [TAKES, SHOWN],
    steps: [...comes("alice"), ...sentAway("bob")],
  },
  {
    name: "the first caller is not disturbed by others, though many come, and one does not wait for its answer",
    points: 10,
    cause: CAUSE.firstLost,
    needs: [BUSY],
    steps: [
      ...comes("alice"),
      forbid("alice", busy),
      ...sentAway("bob"),
      ...connect("carol"),
      leave("carol", "reset"),
      ...sentAway("dave"),
      ...sentAway("erin"),
      stays("alice"),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end"
      ? "after the first has hung up, another is taken"
      : "after the first has vanished, another is taken",
    points: 15,
    cause: how === "end" ? CAUSE.staysBusy : CAUSE.ends,
    needs: [TAKES, SHOWN],
    steps: [...comes("alice"), leave("alice", how), ...comes("bob")],
  })),
  {
    name: "bytes that are not UTF-8, and very many messages, are no end of the program",
    points: 10,
    cause: CAUSE.badText,
    needs: [BUSY],
    steps: [
      ...comes("alice"),
      sendBadText("alice"),
      flood("alice", "x".repeat(90), 500_000),
      leave("alice", "reset"),
      ...comes("bob"),
      ...sentAway("carol"),
    ],
  },
];

/** The peer under test has called netlab, as it was told to. */
const called = (who = "netlab"): Step[] => [type("peer", "connect {host} {port}"), accept(who)];
const says = (who: string, text: string): Step[] => sendsExactly("peer", "send", who, text);
const hears = (who: string, text: string): Step[] => tells(who, "peer", text);
/** It has lost a connection, and goes on with the next. */
const nextCall: readonly Step[] = [runs("peer"), ...called("the next one"), ...says("the next one", "hello again")];

const CALLS = "it calls where it is told, and what is typed is sent";
const SHOWS = "what comes is shown, though nobody has asked";

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
    steps: [start("peer"), ...called(), ...tellsAtOnce("netlab", "peer", numbered(3))],
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
      ...cannot("peer", "send hello"),
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
      ...cannot("peer", "connect {host} 1"),
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
      ...sentAway("bob"),
      ...says("netlab", "still here"),
    ],
  },
  {
    name: "disconnect hangs up, and the next may come",
    points: 5,
    cause: CAUSE.hangsUp,
    needs: [CALLS],
    steps: [start("peer"), ...called(), type("peer", "disconnect"), expectEnd("netlab"), ...nextCall],
  },
  {
    name: "when the other hangs up, the program goes on, and the next may come",
    points: 5,
    cause: CAUSE.staysBusy,
    needs: [CALLS],
    steps: [start("peer"), ...called(), leave("netlab"), ...nextCall],
  },
  {
    name: "bytes that are not UTF-8 are no end",
    points: 5,
    cause: CAUSE.badText,
    needs: [SHOWS],
    steps: [
      start("peer"),
      ...called(),
      sendBadText("netlab"),
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
