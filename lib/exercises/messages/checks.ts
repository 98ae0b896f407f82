// Black-box checks of any server and any client of one-way messages: what comes back at the end is all that the wire shows.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  exits,
  type Expectation,
  expectEnd,
  expectRest,
  forbid,
  leave,
  mentions,
  mentionsInOrder,
  send,
  shows,
  start,
  stays,
  type Step,
  type,
  wholeText,
} from "../check.ts";
import { comeApart, LONG, sendBadText, types, typesAtOnce } from "../check_parts.ts";

const QUITS = "quit ends the session";
const KEEPS = "a message does not come back before quit";
const RETURNS = "the log comes back at quit";
const SECOND = "a second client is served while the first stays";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  quits:
    "quit is not understood, or the connection stays open behind the log: only its end tells the client that the log " +
    "is whole. In Python close() ends it only when every file of makefile() is closed, too; shutdown() does at once",
  empty:
    "something comes besides the messages: a greeting, or a line before or behind them. Who has said nothing gets nothing " +
    "back, and who has said something just that",
  echoes:
    "each message is sent back when it comes: that is an echo. Put it on a list, and send nothing until quit: the client " +
    "may not read before",
  returns:
    "what was sent is not kept, or not sent back: put each message on a list, and at quit send them all, joined " +
    "by line ends. Two messages may come in one recv(): look for what ends each",
  last: "not all messages are kept: one variable holds one message, so put each on a list, at its end",
  anyQuit: "quit is looked for anywhere in what came: it ends the session only where it is the whole message",
  oneLog: "the messages of all clients are kept on one list: make a new one for each connection",
} as const;

const nothing: Expectation = {
  what: "nothing",
  accepts: "nothing, or blanks and line ends",
  matches: (text) => text.trim() === "",
};

/** Quits, and gets the log. */
function quits(who: string, ...messages: string[]): Step[] {
  return [
    send(who, "quit"),
    expectRest(who, mentionsInOrder(`the log with ${messages.map((text) => `"${text}"`).join(", ")}`, ...messages)),
  ];
}

/** Sends messages, quits, and gets them. */
const session = (who: string, ...messages: string[]): Step[] => [
  ...messages.map((text) => send(who, text)),
  ...quits(who, ...messages),
];

export const checks: readonly Check[] = [
  {
    name: QUITS,
    points: 5,
    cause: CAUSE.quits,
    steps: [...connect("alice"), send("alice", "quit"), expectEnd("alice")],
  },
  {
    name: "the log of a client that said nothing is empty",
    points: 5,
    cause: CAUSE.empty,
    needs: [QUITS],
    steps: [...connect("alice"), send("alice", "quit"), expectRest("alice", nothing)],
  },
  {
    name: KEEPS,
    points: 5,
    cause: CAUSE.echoes,
    needs: [QUITS],
    steps: [
      ...connect("alice"),
      forbid("alice", mentions("its message before quit", "hello from $alice")),
      send("alice", "hello from $alice"),
      stays("alice"),
      send("alice", "quit"),
      expectEnd("alice"),
    ],
  },
  {
    name: RETURNS,
    points: 10,
    cause: CAUSE.returns,
    needs: [KEEPS],
    steps: [...connect("alice"), ...session("alice", "hello from $alice")],
  },
  {
    name: "the log has all messages, in the order in which they were sent",
    points: 10,
    cause: CAUSE.last,
    needs: [RETURNS],
    steps: [...connect("alice"), ...session("alice", "first of $alice", "then this", "and $alice again")],
  },
  {
    name: "messages that arrive at once are all in the log",
    points: 10,
    cause: CAUSES.joined,
    framed: true,
    needs: [KEEPS],
    steps: [...connect("alice"), ...session("alice", ...Array.from({ length: 20 }, (_, i) => `message ${i}.`))],
  },
  {
    name: "a long message comes back whole",
    points: 5,
    cause: CAUSES.buffer,
    needs: [RETURNS],
    steps: [
      ...connect("alice"),
      send("alice", LONG),
      send("alice", "quit"),
      expectRest("alice", wholeText(LONG)),
    ],
  },
  {
    name: "quit within a message ends nothing",
    points: 5,
    cause: CAUSE.anyQuit,
    needs: [RETURNS],
    steps: [...connect("alice"), ...session("alice", "$alice will not quit yet")],
  },
  {
    name: "text that is not ASCII comes back whole",
    points: 5,
    cause: CAUSES.text,
    needs: [RETURNS],
    steps: [...connect("alice"), ...session("alice", "grüße, 你好.")],
  },
  {
    name: "the next client gets a log of its own",
    points: 10,
    cause: CAUSE.oneLog,
    needs: [RETURNS],
    steps: [
      ...connect("alice"),
      ...session("alice", "I was $alice"),
      ...connect("bob"),
      forbid("bob", mentions("a message of $alice", "$alice")),
      ...session("bob", "I am $bob"),
    ],
  },
  {
    name: SECOND,
    points: 10,
    cause: CAUSES.oneAtATime,
    needs: [RETURNS],
    steps: [...connect("alice"), send("alice", "I am $alice"), ...connect("bob"), ...session("bob", "I am $bob")],
  },
  {
    name: "two clients at once get their own messages only",
    points: 10,
    cause: CAUSE.oneLog,
    needs: [SECOND],
    steps: [
      ...connect("alice", "bob"),
      send("alice", "I am $alice"),
      send("bob", "I am $bob"),
      forbid("alice", mentions("a message of $bob", "$bob")),
      forbid("bob", mentions("a message of $alice", "$alice")),
      ...quits("alice", "I am $alice"),
      ...quits("bob", "I am $bob"),
    ],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 5,
    cause: CAUSES.cut,
    needs: [RETURNS],
    steps: [
      ...connect("mallory"),
      send("mallory", "I am off"),
      leave("mallory", "reset"),
      ...connect("alice"),
      ...session("alice", "I am here"),
    ],
  },
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 5,
    cause: CAUSES.badText,
    needs: [RETURNS],
    steps: [
      ...connect("mallory"),
      sendBadText("mallory"),
      leave("mallory"),
      ...connect("alice"),
      ...session("alice", "I am here"),
    ],
  },
];

const SAYS = "each line that is typed is sent, without waiting for an answer";
const SHOWS = "the log is shown at quit, and the client ends";

/** A client under test has called, and has sent something and quit. */
const quitting = (...messages: string[]): Step[] => [
  start("client"),
  accept("server"),
  ...[...messages, "quit"].flatMap((text) => types("client", "server", text)),
];

const lines = Array.from({ length: 200 }, (_, i) => `message ${i}.`);

export const clientChecks: readonly Check[] = [
  {
    name: SAYS,
    points: 20,
    cause: CAUSES.saysAtOnce,
    steps: [
      start("client"),
      accept("server"),
      ...["hello from $alice", "how are you"].flatMap((text) => types("client", "server", text)),
    ],
  },
  {
    name: SHOWS,
    points: 25,
    cause: "after quit the program has to read until the connection ends, show what came, and end",
    needs: [SAYS],
    steps: [
      ...quitting("hello from $alice", "how are you"),
      // Whoever shows what was typed, and not what comes, does not show the last.
      send("server", "hello from $alice\nhow are you\nthis was all of $bob"),
      leave("server"),
      shows("client", mentions("the first message", "hello from $alice")),
      shows("client", mentions("the second", "how are you")),
      shows("client", mentions("what else the log has", "this was all of $bob")),
      exits("client"),
    ],
  },
  {
    name: "a long log is shown to its end",
    points: 20,
    cause: CAUSES.buffer,
    needs: [SHOWS],
    steps: [
      ...quitting("hello"),
      send("server", lines.join("\n")),
      leave("server"),
      shows("client", mentions("the last of 200 messages", lines.at(-1)!)),
      exits("client"),
    ],
  },
  {
    name: "lines that are typed at once are messages of their own",
    points: 10,
    cause: "two lines are sent as one message: send each with what ends a message behind it",
    framed: true,
    needs: [SAYS],
    steps: [start("client"), accept("server"), ...typesAtOnce, ...comeApart],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 10,
    cause: CAUSES.text,
    needs: [SHOWS],
    steps: [
      ...quitting("grüße, 你好"),
      send("server", "你好, grüße"),
      leave("server"),
      shows("client", mentions("你好, grüße", "你好, grüße")),
      exits("client"),
    ],
  },
  {
    name: "an empty log ends the client",
    points: 5,
    cause: CAUSES.leaves,
    needs: [SAYS],
    steps: [...quitting(), leave("server"), exits("client")],
  },
  {
    name: "a server that vanishes at quit ends the client",
    points: 5,
    cause: CAUSES.leaves,
    needs: [SAYS],
    steps: [...quitting("hello"), leave("server", "reset"), exits("client")],
  },
  {
    name: "bytes that are not UTF-8 in the log do not hide the rest",
    points: 5,
    cause: CAUSES.badAnswer,
    needs: [SHOWS],
    steps: [
      ...quitting("hello"),
      sendBadText("server"),
      send("server", "and $alice said hello"),
      leave("server"),
      shows("client", mentions("what stands behind them", "$alice said hello")),
      exits("client"),
    ],
  },
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "a client gets its messages back at quit",
  points: 1,
  steps: [
    start("alice's client"),
    type("alice's client", "hello from $alice"),
    type("alice's client", "quit"),
    shows("alice's client", mentions("the message", "hello from $alice")),
    exits("alice's client"),
  ],
};
