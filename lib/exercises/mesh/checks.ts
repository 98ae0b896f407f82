// Black-box checks of any node of a mesh. The first are of one that is called: the wire shows that it takes many, and that none
// of them can hurt the others. The others sit at its keyboard.

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

/** What is usually wrong. The mistakes that netlab's own node can make name the same. */
export const CAUSE = {
  takes: "accept() has to be called while the program waits for what is typed, in a thread of its own, say",
  onlyOne:
    "the program takes one connection and then sends others away, or leaves them in the queue of listen(): go back " +
    "to accept() at once, and serve each connection in a thread of its own",
  byAddress:
    "connections are kept by IP address, and of two from one machine the second takes the place of the first: the " +
    "address and the port are the key, or the socket itself",
  passesOn: "what comes from one is sent to the others: a node is no chat server, and shows it only",
  neverCloses:
    "recv() returns nothing when the other has hung up: then close the socket, or it stays half open for ever",
  endsAll: "the end of one connection ends others: what is closed, or left by break or return, is more than that " +
    "one connection",
  ends: CAUSES.ends,
  badText:
    "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: that must cost no more than this " +
    "connection",
  calls:
    "connect has to call the host and port that are typed and keep the connection under the alias; send has to send " +
    "what is behind the alias, as it is and in a message of its own",
  shows:
    "what comes is only looked at when something is typed, or shown without the alias of its sender: read every socket " +
    "while the program waits for the keyboard (select, or a thread for each)",
  answers: "only connections that were opened by connect are read and written: those that accept() returns are as good",
  broadcast: "broadcast has to go through all connections, those that others have opened, too",
  oneOnly: "send is written to every connection, and not only to that of the one it is for",
  alias:
    "an alias is a name for a connection that can be changed: look the connection up under the old one, store it under " +
    "the new one",
  unknown:
    "looking up an alias that is not there throws, and nobody catches it (in Python: KeyError): say so, and go on",
  refused: CAUSES.refused,
  goneStays:
    "who has hung up is still on the list, and sending to it throws before the others get anything: take it off " +
    "the list, and catch what send() throws for each one by itself",
  hangsUp: "disconnect has to close that one connection: close() in one thread does not end a recv() in another, " +
    "shutdown() does",
  leaves: "exit has to close every connection and end the program, with every thread of it",
} as const;

const TAKES = "a caller is taken, and may stay";
const TWO = "a second caller is taken, too";

const crowd = (name: string) => Array.from({ length: 10 }, (_, i) => `${name} ${i + 1}`);

/** The person at the node under test sees what a caller says. */
const isShown = (who: string, text: string): Step[] => [send(who, text), shows(SERVER, mentions(`"${text}"`, text))];

export const checks: readonly Check[] = [
  { name: TAKES, points: 10, cause: CAUSE.takes, steps: [callUntilTaken("alice", "hello"), stays("alice")] },
  {
    name: "what callers say is shown",
    points: 15,
    cause: CAUSE.answers,
    needs: [TAKES],
    steps: ["alice", "bob"].flatMap((who) => [callUntilTaken(who, "hello"), ...isShown(who, `this is $${who}`)]),
  },
  {
    name: "ten that come and go at once are no end of the program",
    points: 10,
    cause: CAUSE.ends,
    needs: [TAKES],
    steps: [
      ...crowd("caller").flatMap((who) => [...connect(who), leave(who, "reset")]),
      callUntilTaken("alice", "hello"),
    ],
  },
  {
    name: TWO,
    points: 10,
    cause: CAUSE.onlyOne,
    needs: [TAKES],
    steps: [callUntilTaken("alice", "hello"), callUntilTaken("bob", "hello")],
  },
  {
    name: "the first of ten callers from one address stays",
    points: 15,
    cause: CAUSE.byAddress,
    needs: [TWO],
    steps: [
      ...connect("alice", ...crowd("caller")),
      callUntilTaken("the last caller", "hello"),
      stays("alice"),
    ],
  },
  {
    name: "what one says is not passed on to the others",
    points: 10,
    cause: CAUSE.passesOn,
    needs: [TWO],
    steps: [
      ...connect("bob"),
      forbid("bob", mentions("what alice said", "$alice")),
      callUntilTaken("alice", "hello from $alice"),
      stays("bob"),
    ],
  },
  {
    name: "one that hangs up is let go",
    points: 10,
    cause: CAUSE.neverCloses,
    needs: [TWO],
    steps: [...connect("bob"), send("bob", "goodbye"), leave("bob"), expectEnd("bob")],
  },
  {
    name: "one that vanishes disturbs nobody",
    points: 10,
    cause: CAUSE.endsAll,
    needs: [TWO],
    steps: [
      ...connect("alice", "bob"),
      leave("bob", "reset"),
      callUntilTaken("carol", "hello"),
      stays("alice"),
    ],
  },
  {
    name: "bytes that are not UTF-8, and very many messages, disturb nobody else",
    points: 10,
    cause: CAUSE.badText,
    needs: [TWO],
    steps: [
      ...connect("alice", "mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0xc3, 0x0a]), "a line that is not UTF-8"),
      flood("mallory", "x".repeat(90), 500_000),
      callUntilTaken("bob", "hello"),
      stays("alice"),
    ],
  },
];

/** The node under test has called netlab, as it was told to, and knows it by that name. */
const called = (who: string): Step[] => [type("node", `connect {host} {port} $${who}`), accept(who)];
const sends = (who: string, text: string): Step[] => [type("node", `send $${who} ${text}`), expect(who, exactly(text))];
/** A message is shown, under the sender's alias if it has one. */
const hears = (who: string, text: string, ...alias: string[]): Step[] => [
  send(who, text),
  shows("node", mentions([`"${text}"`, ...alias].join(" from "), text, ...alias)),
];
/** `who` has called, and the node knows it: what it said is there. */
const comes = (who: string): Step[] => [...connect(who), ...hears(who, `${who} calling`)];

const CALLS = "it calls where it is told, and what is typed is sent";
const SHOWS = "what comes is shown with the alias of its sender";
const CALLED = "whoever calls is taken, and what comes is shown";

const refusal: Expectation = {
  what: "that this cannot be done",
  accepts: "it says no, not, nobody, unknown, error, failed, refused, or the like",
  matches: (text) => /\bno\b|not |n't|nobody|none|unknown|invalid|error|fail|refuse|unable|cannot/i.test(text),
};

export const clientChecks: readonly Check[] = [
  {
    name: CALLS,
    points: 15,
    cause: CAUSE.calls,
    steps: [start("node"), ...called("alice"), ...sends("alice", "hello there"), ...sends("alice", "how are you?")],
  },
  {
    name: SHOWS,
    points: 10,
    cause: CAUSE.shows,
    needs: [CALLS],
    steps: [
      start("node"),
      ...called("alice"),
      ...hears("alice", "are you there", "$alice"),
      ...hears("alice", "it is me", "$alice"),
    ],
  },
  {
    name: CALLED,
    points: 10,
    cause: CAUSE.answers,
    steps: [start("node"), ...comes("bob"), ...comes("carol"), ...hears("bob", "good to see you")],
  },
  {
    name: "a broadcast reaches everybody, whoever called whom",
    points: 10,
    cause: CAUSE.broadcast,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      type("node", "broadcast hello, all of you"),
      ...["alice", "bob"].map((who) => expect(who, exactly("hello, all of you"))),
    ],
  },
  {
    name: "a message to one reaches nobody else",
    points: 10,
    cause: CAUSE.oneOnly,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      forbid("bob", mentions("the message", "between us")),
      ...sends("alice", "between us"),
      type("node", "broadcast and this for all"),
      expect("bob", exactly("and this for all")),
    ],
  },
  {
    name: "who gets another alias is known by that, and listed with it",
    points: 5,
    cause: CAUSE.alias,
    needs: [CALLS],
    steps: [
      start("node"),
      ...called("alice"),
      type("node", "alias $alice $carol"),
      type("node", "send $carol hello, carol"),
      expect("alice", exactly("hello, carol")),
      type("node", "list"),
      shows("node", mentions("$carol", "$carol")),
    ],
  },
  {
    name: "several messages that come at once are all shown",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [SHOWS],
    steps: [
      start("node"),
      ...called("alice"),
      ...["one.", "two.", "three."].map((text) => send("alice", `number ${text}`)),
      ...["one.", "two.", "three."].map((text) => shows("node", mentions(`number ${text}`, `number ${text}`))),
    ],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 5,
    cause: CAUSES.characters,
    needs: [SHOWS],
    steps: [start("node"), ...called("alice"), ...sends("alice", "grüße, 你好"), ...hears("alice", "你好, grüße")],
  },
  {
    name: "who sends to somebody unknown is told so, and may go on",
    points: 5,
    cause: CAUSE.unknown,
    needs: [CALLS],
    steps: [
      start("node"),
      type("node", "send $nobody hello"),
      shows("node", refusal),
      runs("node"),
      ...called("alice"),
      ...sends("alice", "hello again"),
    ],
  },
  {
    name: "a call that nobody takes is no end",
    points: 5,
    cause: CAUSE.refused,
    needs: [CALLS],
    // Nobody listens on port 1.
    steps: [
      start("node"),
      type("node", "connect {host} 1 $nobody"),
      shows("node", refusal),
      runs("node"),
      ...called("alice"),
      ...sends("alice", "hello again"),
    ],
  },
  {
    name: "when one hangs up, the others are served on",
    points: 5,
    cause: CAUSE.goneStays,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      leave("alice"),
      runs("node"),
      type("node", "broadcast who is left?"),
      expect("bob", exactly("who is left?")),
      ...hears("bob", "I am"),
    ],
  },
  {
    name: "disconnect hangs up on that one only",
    points: 5,
    cause: CAUSE.hangsUp,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      type("node", "disconnect $alice"),
      expectEnd("alice"),
      runs("node"),
      type("node", "broadcast who is left?"),
      expect("bob", exactly("who is left?")),
    ],
  },
  {
    name: "bytes that are not UTF-8 are no end",
    points: 5,
    cause: CAUSE.badText,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      sendBytes("bob", new Uint8Array([0xff, 0xfe, 0x20, 0xc3, 0x0a]), "a line that is not UTF-8"),
      ...hears("alice", "I am another", "$alice"),
      ...sends("alice", "I hear you"),
    ],
  },
  {
    name: "exit hangs up on everybody and ends the program",
    points: 5,
    cause: CAUSE.leaves,
    needs: [CALLS, CALLED],
    steps: [
      start("node"),
      ...called("alice"),
      ...comes("bob"),
      type("node", "exit"),
      expectEnd("alice"),
      expectEnd("bob"),
      exits("node"),
    ],
  },
];
