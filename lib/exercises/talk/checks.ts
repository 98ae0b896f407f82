// Black-box checks of any end of a lockstep chat: netlab is the other end, and the person at the one under test.

import { CAUSES } from "../causes.ts";
import {
  callUntilTaken,
  type Check,
  connect,
  expect,
  type Expectation,
  forbid,
  leave,
  mentions,
  send,
  sendBytes,
  SERVER,
  shows,
  stays,
  type Step,
  type,
  wholeText,
} from "../check.ts";
import {
  busy,
  endsWithInput,
  LONG,
  outlivesBadText,
  outlivesServer,
  saysFirst,
  sendBadText,
  sentAway,
  tells,
  types,
} from "../check_parts.ts";

const ARRIVES = "a message is shown to the person at the server";
const ANSWERS = "what that person types is the reply";
const TURNS = "a second message before the reply is refused";
const BUSY = "a second client is told that the server is busy";
const ALONE_TURNS = "with nobody at it, a second message is refused";
const ALONE_BUSY = "with nobody at it, a second client is told that the server is busy";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  arrives: "what comes is not printed as it came, or only later: print it, with the end of a line, when it is read",
  answers:
    "what is typed at the server is not sent, or not before more comes from the client: read a line, and send it",
  rounds: "it ends, or waits for ever, behind the first reply: read and answer in a loop, until the client ends",
  turns:
    "what comes while the reply is owed is shown as if it were its turn, or just waits: keep whose turn it is, look at it " +
    "when a message comes, and answer the one that comes too early",
  refused: "a message that was refused is shown all the same, or counts as the next turn: it has to change nothing",
  busy:
    "a second caller waits without a word, or takes the conversation over: accept it, tell it that you are busy, and " +
    "close, while the first goes on",
  next: "the server ends with its first conversation, or still holds a place for who has gone: call accept() in a loop",
  twice: "UDP may bring a datagram twice: the same message again, while its reply is owed, is the same message",
  empty: "an empty datagram is taken for the end: over UDP nothing says that somebody has gone",
  shows: "what comes is not read, or not shown: when a line is sent, read the reply from the connection, and print it",
  waits: "the next line is sent before the reply to the last has come: wait for it, and read the keyboard then",
} as const;

const wait: Expectation = {
  what: "a refusal: wait for the reply",
  accepts: "it says wait, turn, reply, error or not yet",
  answers: true,
  matches: (text) => /wait|turn|reply|error|not (yet|allowed)/i.test(text),
};

/** A client's message is shown to the person. */
const says = (who: string, text: string): Step[] => tells(who, SERVER, text);

/** The person's reply comes. */
const replies = (text: string, to: string): Step[] => types(SERVER, to, text);

/** Calls and says hello; who was here before may still have the place for a moment. */
const greets = (who: string): Step => callUntilTaken(who, `hello from $${who}`);
const isSentAway = (who: string): Step[] => sentAway(who, "let me in");

/** Each check ends answered, so that a server may go on to its next caller; but over UDP nobody can be seen to leave. */
const check = (check: Check): Check => ({ afresh: "udp", ...check });

export const checks: readonly Check[] = [
  check({
    name: ARRIVES,
    points: 10,
    cause: CAUSE.arrives,
    afresh: true,
    steps: [...connect("alice"), ...says("alice", "hello from $alice")],
  }),
  check({
    name: ANSWERS,
    points: 15,
    cause: CAUSE.answers,
    afresh: true,
    needs: [ARRIVES],
    steps: [...connect("alice"), ...says("alice", "hello from $alice"), ...replies("hello $alice", "alice")],
  }),
  check({
    name: "it goes on, turn by turn",
    points: 10,
    cause: CAUSE.rounds,
    needs: [ANSWERS],
    steps: [
      greets("alice"),
      ...replies("hello $alice", "alice"),
      ...says("alice", "how are you"),
      ...replies("fine, and you", "alice"),
      ...says("alice", "not too bad"),
      ...replies("good to hear", "alice"),
    ],
  }),
  check({
    name: TURNS,
    points: 20,
    cause: CAUSE.turns,
    needs: [ANSWERS],
    steps: [
      greets("alice"),
      send("alice", "are you there"),
      expect("alice", wait),
      ...replies("here I am", "alice"),
    ],
  }),
  check({
    name: "a refused message is not shown, and both go on",
    points: 5,
    cause: CAUSE.refused,
    needs: [TURNS],
    steps: [
      greets("alice"),
      send("alice", "this comes too soon"), // no words that a log would say of it
      expect("alice", wait),
      forbid(SERVER, mentions('"this comes too soon"', "this comes too soon")),
      ...replies("hello $alice", "alice"),
      ...says("alice", "thanks from $alice"),
    ],
  }),
  check({
    name: "of two messages that arrive at once, the second is refused",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [TURNS],
    // A datagram is a message, however many arrive at once.
    transports: ["tcp"],
    steps: [
      greets("alice"),
      ...replies("hello $alice", "alice"),
      send("alice", "this is from $alice"),
      send("alice", "are you there"),
      expect("alice", wait),
      shows(SERVER, mentions('"this is from $alice"', "this is from $alice")),
      ...replies("here I am", "alice"),
    ],
  }),
  check({
    name: BUSY,
    points: 5,
    cause: CAUSE.busy,
    needs: [ANSWERS],
    steps: [greets("alice"), ...isSentAway("bob"), ...replies("hello $alice", "alice")],
  }),
  check({
    name: "the first client is not disturbed by the second",
    points: 5,
    cause: CAUSE.busy,
    needs: [BUSY],
    steps: [
      greets("alice"),
      ...replies("hello $alice", "alice"),
      forbid("alice", busy),
      ...isSentAway("bob"),
      ...says("alice", "this is still $alice"),
      ...replies("still with $alice", "alice"),
    ],
  }),
  check({
    name: "text that is not ASCII arrives whole in both directions",
    points: 5,
    cause: CAUSES.text,
    needs: [ANSWERS],
    steps: [
      greets("alice"),
      ...replies("你好, grüße.", "alice"),
      ...says("alice", "grüße, 你好."),
      ...replies("ça va", "alice"),
    ],
  }),
  check({
    name: "a long message is shown whole",
    points: 5,
    cause: CAUSES.buffer,
    needs: [ANSWERS],
    steps: [
      greets("alice"),
      ...replies("hello $alice", "alice"),
      send("alice", LONG),
      shows(SERVER, wholeText(LONG)),
      ...replies("that was long", "alice"),
    ],
  }),
  ...(["end", "reset"] as const).map((how) =>
    check({
      name: how === "end"
        ? "after the client has hung up, the next is taken"
        : "after the client has vanished, the next is taken",
      points: 5,
      cause: CAUSE.next,
      needs: [ANSWERS],
      // Over UDP nobody can be seen to leave.
      transports: ["tcp"],
      steps: [
        greets("alice"),
        ...replies("hello $alice", "alice"),
        leave("alice", how),
        greets("bob"),
        ...replies("hello $bob", "bob"),
      ],
    })
  ),
  check({
    name: "bytes that are not UTF-8 do not end the server",
    points: 5,
    cause: CAUSES.badText,
    afresh: true,
    needs: [ANSWERS],
    transports: ["tcp"],
    steps: [
      ...connect("mallory"),
      sendBadText("mallory"),
      type(SERVER, "pardon?"),
      leave("mallory"),
      greets("alice"),
      type(SERVER, "hello $alice"),
      expect("alice", {
        what: "a reply",
        accepts: "one of the two that were typed: bytes that are no text may need none",
        matches: (text, fill) => text.includes("pardon?") || text.includes(fill("hello $alice")),
      }),
    ],
  }),
  check({
    name: "a datagram that comes twice is one message",
    points: 10,
    cause: CAUSE.twice,
    needs: [ANSWERS],
    transports: ["udp"],
    steps: [
      greets("alice"),
      forbid(SERVER, mentions("the same again", "hello from $alice")),
      send("alice", "hello from $alice"),
      // The reply must not overtake it.
      stays("alice"),
      ...replies("hello $alice", "alice"),
      ...says("alice", "thanks from $alice"),
    ],
  }),
  check({
    name: "an empty datagram ends nothing",
    points: 10,
    cause: CAUSE.empty,
    needs: [ANSWERS],
    transports: ["udp"],
    steps: [
      ...connect("alice"),
      sendBytes("alice", new Uint8Array(), "an empty datagram"),
      ...says("alice", "hello from $alice"),
      ...replies("hello $alice", "alice"),
    ],
  }),
  {
    name: ALONE_BUSY,
    points: 30,
    cause: CAUSE.busy,
    unattended: true,
    afresh: "udp",
    steps: [greets("alice"), forbid("alice", busy), ...isSentAway("bob"), stays("alice")],
  },
  {
    name: ALONE_TURNS,
    points: 40,
    cause: CAUSE.turns,
    unattended: true,
    afresh: "udp",
    steps: [
      greets("alice"),
      send("alice", "are you there"),
      expect("alice", wait),
      send("alice", "hello?"),
      expect("alice", wait),
      stays("alice"),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end"
      ? "with nobody at it, the next client is taken when the first has hung up"
      : "with nobody at it, the next client is taken when the first has vanished",
    points: 10,
    cause: CAUSE.next,
    unattended: true,
    needs: [ALONE_BUSY],
    transports: ["tcp"],
    steps: [greets("alice"), leave("alice", how), greets("bob"), ...isSentAway("carol")],
  })),
  {
    name: "with nobody at it, bytes that are not UTF-8 do not end the server",
    points: 10,
    cause: CAUSES.badText,
    unattended: true,
    needs: [ALONE_BUSY],
    transports: ["tcp"],
    steps: [
      greets("mallory"),
      sendBadText("mallory"),
      leave("mallory"),
      greets("alice"),
      ...isSentAway("bob"),
    ],
  },
];

const SAYS = "what is typed is sent";
const SHOWS = "the reply is shown";

const calls = (text = "hello from $alice"): Step[] => saysFirst(text);
const isAnswered = (text: string): Step[] => tells("server", "client", text);

/** It says more, and is answered. */
const round = (text: string, reply: string): Step[] => [
  ...types("client", "server", text),
  ...isAnswered(reply),
];

export const clientChecks: readonly Check[] = [
  {
    name: SAYS,
    points: 10,
    cause: CAUSES.says,
    steps: calls(),
  },
  {
    name: SHOWS,
    points: 10,
    cause: CAUSE.shows,
    needs: [SAYS],
    steps: [...calls(), ...isAnswered("hello $alice")],
  },
  {
    name: "the client goes on, turn by turn",
    points: 15,
    cause: CAUSE.rounds,
    needs: [SHOWS],
    steps: [
      ...calls(),
      ...isAnswered("hello $alice"),
      ...round("how are you", "fine, and you"),
      ...round("not too bad", "good to hear"),
    ],
  },
  {
    name: "a second line that is typed before the reply is not sent",
    points: 15,
    cause: CAUSE.waits,
    needs: [SHOWS],
    steps: [
      ...calls("first of $alice"),
      type("client", "second of $alice"),
      forbid("server", mentions("the second before its turn", "second")),
      stays("server"),
      ...isAnswered("now you may"),
    ],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 10,
    cause: CAUSES.text,
    needs: [SHOWS],
    steps: [...calls("grüße, 你好"), ...isAnswered("你好, grüße")],
  },
  {
    name: "a long reply is shown whole",
    points: 5,
    cause: CAUSES.buffer,
    needs: [SHOWS],
    steps: [...calls(), send("server", LONG), shows("client", wholeText(LONG))],
  },
  {
    name: "a refusal is shown",
    points: 10,
    cause: "what begins with ERROR is not shown: show what comes, whatever it is",
    needs: [SHOWS],
    steps: [
      ...calls(),
      send("server", "ERROR busy"),
      shows("client", mentions("the refusal", "busy")),
    ],
  },
  {
    name: "a server that hangs up does not hang the client",
    points: 10,
    cause: CAUSES.leaves,
    needs: [SHOWS],
    transports: ["tcp"],
    steps: [...calls(), ...outlivesServer],
  },
  {
    name: "a reply that is not UTF-8 does not hang the client",
    points: 5,
    cause: CAUSES.badAnswer,
    needs: [SHOWS],
    transports: ["tcp"],
    steps: [...calls(), ...outlivesBadText],
  },
  {
    name: "the end of the input ends the client",
    points: 10,
    cause: "the end of the input is not looked at, or a thread goes on: close the connection and end",
    needs: [SHOWS],
    steps: [...calls(), ...isAnswered("hello $alice"), ...endsWithInput],
  },
];
