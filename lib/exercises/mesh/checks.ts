// Black-box checks of any node of a mesh. The first are of one that is called: the wire shows that it takes many, and that none
// of them can hurt the others. The others sit at its keyboard.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  exactly,
  exits,
  expect,
  expectEnd,
  flood,
  forbid,
  leave,
  mentions,
  runs,
  send,
  shows,
  start,
  stays,
  type Step,
  type,
} from "../check.ts";
import { numbered, sendBadText, tells, tellsAtOnce } from "../check_parts.ts";
import { calledChecks, cannot, comes, NODE_CAUSES, sendsExactly, TAKES } from "../node_checks.ts";

/** What is usually wrong. The mistakes that netlab's own node can make name the same. */
export const CAUSE = {
  ...NODE_CAUSES,
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
  goneStays:
    "who has hung up is still on the list, and sending to it throws before the others get anything: take it off " +
    "the list, and catch what send() throws for each one by itself",
  hangsUp: "disconnect has to close that one connection: close() in one thread does not end a recv() in another, " +
    "shutdown() does",
  leaves: "exit has to close every connection and end the program, with every thread of it",
} as const;

const SHOWN = "what callers say is shown";
const TWO = "a second caller is taken, too";

const crowd = (name: string) => Array.from({ length: 10 }, (_, i) => `${name} ${i + 1}`);

export const checks: readonly Check[] = [
  ...calledChecks(SHOWN, [10, 15], CAUSE.answers),
  {
    name: "ten that come and go at once are no end of the program",
    points: 10,
    cause: CAUSE.ends,
    needs: [TAKES, SHOWN],
    steps: [...crowd("caller").flatMap((who) => [...connect(who), leave(who, "reset")]), ...comes("alice")],
  },
  {
    name: TWO,
    points: 10,
    cause: CAUSE.onlyOne,
    needs: [TAKES, SHOWN],
    steps: comes("alice", "bob"),
  },
  {
    name: "the first of ten callers from one address stays",
    points: 15,
    cause: CAUSE.byAddress,
    needs: [TWO],
    steps: [...comes("alice"), ...connect(...crowd("caller")), ...comes("bob"), stays("alice")],
  },
  {
    name: "what one says is not passed on to the others",
    points: 10,
    cause: CAUSE.passesOn,
    needs: [TWO],
    steps: [
      ...connect("bob"),
      forbid("bob", mentions("what alice said", "$alice")),
      ...comes("alice"),
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
    steps: [...connect("alice", "bob"), leave("bob", "reset"), ...comes("carol"), stays("alice")],
  },
  {
    name: "bytes that are not UTF-8, and very many messages, disturb nobody else",
    points: 10,
    cause: CAUSE.badText,
    needs: [TWO],
    steps: [
      ...connect("alice", "mallory"),
      sendBadText("mallory"),
      flood("mallory", "x".repeat(90), 500_000),
      ...comes("bob"),
      stays("alice"),
    ],
  },
];

/** The node under test has called netlab, as it was told to, and knows it by that name. */
const called = (who: string): Step[] => [type("node", `connect {host} {port} $${who}`), accept(who)];
const sends = (who: string, text: string): Step[] => sendsExactly("node", `send $${who}`, who, text);
const broadcasts = (text: string, ...to: string[]): Step[] => [
  type("node", `broadcast ${text}`),
  ...to.map((who) => expect(who, exactly(text))),
];
/** A message is shown under its sender's alias. */
const hears = (who: string, text: string): Step[] => [
  send(who, text),
  shows("node", mentions(`"${text}" from $${who}`, text, `$${who}`)),
];
/** `who` has called, and the node knows it: what it said is there. */
const calling = (who: string): Step[] => [...connect(who), ...tells(who, "node", `${who} calling`)];
/** One that it has called, and one that has called it. */
const withBoth: readonly Step[] = [start("node"), ...called("alice"), ...calling("bob")];

const CALLS = "it calls where it is told, and what is typed is sent";
const SHOWS = "what comes is shown with the alias of its sender";
const CALLED = "whoever calls is taken, and what comes is shown";

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
    steps: [start("node"), ...called("alice"), ...hears("alice", "are you there"), ...hears("alice", "it is me")],
  },
  {
    name: CALLED,
    points: 10,
    cause: CAUSE.answers,
    steps: [start("node"), ...calling("bob"), ...calling("carol"), ...tells("bob", "node", "good to see you")],
  },
  {
    name: "a broadcast reaches everybody, whoever called whom",
    points: 10,
    cause: CAUSE.broadcast,
    needs: [CALLS, CALLED],
    steps: [...withBoth, ...broadcasts("hello, all of you", "alice", "bob")],
  },
  {
    name: "a message to one reaches nobody else",
    points: 10,
    cause: CAUSE.oneOnly,
    needs: [CALLS, CALLED],
    steps: [
      ...withBoth,
      forbid("bob", mentions("the message", "between us")),
      ...sends("alice", "between us"),
      ...broadcasts("and this for all", "bob"),
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
      ...sendsExactly("node", "send $carol", "alice", "hello, carol"),
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
      ...tellsAtOnce("alice", "node", numbered(3)),
    ],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 5,
    cause: CAUSES.characters,
    needs: [SHOWS],
    steps: [
      start("node"),
      ...called("alice"),
      ...sends("alice", "grüße, 你好"),
      ...tells("alice", "node", "你好, grüße"),
    ],
  },
  {
    name: "who sends to somebody unknown is told so, and may go on",
    points: 5,
    cause: CAUSE.unknown,
    needs: [CALLS],
    steps: [
      start("node"),
      ...cannot("node", "send $nobody hello"),
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
      ...cannot("node", "connect {host} 1 $nobody"),
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
      ...withBoth,
      leave("alice"),
      runs("node"),
      ...broadcasts("who is left?", "bob"),
      ...tells("bob", "node", "I am"),
    ],
  },
  {
    name: "disconnect hangs up on that one only",
    points: 5,
    cause: CAUSE.hangsUp,
    needs: [CALLS, CALLED],
    steps: [
      ...withBoth,
      type("node", "disconnect $alice"),
      expectEnd("alice"),
      runs("node"),
      ...broadcasts("who is left?", "bob"),
    ],
  },
  {
    name: "bytes that are not UTF-8 are no end",
    points: 5,
    cause: CAUSE.badText,
    needs: [CALLS, CALLED],
    steps: [
      ...withBoth,
      sendBadText("bob"),
      ...hears("alice", "I am another"),
      ...sends("alice", "I hear you"),
    ],
  },
  {
    name: "exit hangs up on everybody and ends the program",
    points: 5,
    cause: CAUSE.leaves,
    needs: [CALLS, CALLED],
    steps: [
      ...withBoth,
      type("node", "exit"),
      expectEnd("alice"),
      expectEnd("bob"),
      exits("node"),
    ],
  },
];
