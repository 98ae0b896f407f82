// Black-box checks of any server with an operator, who is netlab, and of any client of one.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  expect,
  expectEnd,
  forbid,
  leave,
  mentions,
  mentionsInOrder,
  send,
  SERVER,
  shows,
  start,
  stays,
  type Step,
  type,
  wholeText,
} from "../check.ts";
import {
  comeApart,
  endsWithInput,
  LONG,
  numbered,
  outlivesBadText,
  outlivesServer,
  saysFirst,
  sendBadText,
  tells,
  tellsAtOnce,
  types,
  typesAtOnce,
} from "../check_parts.ts";
import { ALL } from "./protocol.ts";

const ARRIVES = "a client's message is shown to the operator";
const AGAIN = "a client may send again without waiting";
const MANY = "ten clients are served at once";
const ALONE = "with nobody at it, a client is taken, and may send without waiting";
const EVERYBODY = "what the operator says to all reaches every client";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  arrives: "what comes is not printed as it came, or only later: print it, with the end of a line, when it is read",
  lockstep:
    "the server waits for its operator's answer before it reads on: read each client in a thread of its own, and the " +
    "keyboard in another",
  everybody:
    `the operator's @${ALL} is not understood, or one variable holds "the" connection, and the last caller is the only ` +
    "one who is answered: keep all connections on a list, and send to each",
  one:
    "the answer to one client goes to another, or to all: labels are c1, c2, … in the order in which they called; look " +
    "up the connection by its label",
  labels: "it does not show who has said what: print the label of the client before its message",
} as const;

const crowd = Array.from({ length: 10 }, (_, i) => `client${i}`);

/** The operator is shown what `who` says. */
const says = (who: string, text: string): Step[] => tells(who, SERVER, text);

/** The same, where nobody can be asked what is shown. */
const talks = (who: string): Step[] => [send(who, "hello"), send(who, "are you there"), stays(who)];

const called = (...who: string[]): Step[] =>
  who.flatMap((one) => [...connect(one), ...says(one, `hello from $${one}`)]);

/** The operator says it to all, and these get it. */
const toAll = (text: string, ...who: string[]): Step[] => [
  type(SERVER, `@${ALL} ${text}`),
  ...who.map((one) => expect(one, mentions(`"${text}"`, text))),
];

/** The ways in which a client goes, and what a check of that is called. */
const GOES: readonly (readonly [how: "end" | "reset", name: string])[] = [
  ["end", "a client that hangs up is let go, and the others stay"],
  ["reset", "a client that vanishes disturbs nobody"],
];

/** A client goes in that way. */
const goes = (who: string, how: "end" | "reset"): Step[] => [
  leave(who, how),
  ...(how === "end" ? [expectEnd(who)] : []),
];

export const checks: readonly Check[] = [
  { name: ARRIVES, points: 10, cause: CAUSE.arrives, steps: called("alice") },
  {
    name: AGAIN,
    points: 5,
    cause: CAUSE.lockstep,
    needs: [ARRIVES],
    steps: [...called("alice"), ...says("alice", "is $alice alone"), ...says("alice", "$alice is still here")],
  },
  {
    name: "messages that arrive at once are all shown",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [AGAIN],
    steps: [
      ...connect("alice"),
      ...["one", "two", "three"].map((word) => send("alice", `${word} of $alice`)),
      ...["one", "two", "three"].map((word) =>
        shows(SERVER, {
          what: `"${word} of $alice" in a line of its own`,
          accepts: "a line with this message and none of the others",
          matches: (line, fill) => line.match(/\w+ of \w+/g)?.join() === fill(`${word} of $alice`),
        })
      ),
    ],
  },
  {
    name: MANY,
    points: 5,
    cause: CAUSES.oneAtATime,
    needs: [ARRIVES],
    steps: [...connect(...crowd), ...crowd.flatMap((who) => says(who, `I am ${who}.`))],
  },
  {
    name: EVERYBODY,
    points: 10,
    cause: CAUSE.everybody,
    needs: [MANY],
    steps: [...called("alice", "bob"), ...toAll("we close soon", "alice", "bob")],
  },
  {
    name: "the operator sees who has said what",
    points: 15,
    cause: CAUSE.labels,
    afresh: true,
    needs: [MANY],
    steps: [
      ...connect("alice"),
      send("alice", "I am $alice"),
      shows(SERVER, mentionsInOrder('c1 and "I am $alice"', "c1", "I am $alice")),
      ...connect("bob"),
      send("bob", "I am $bob"),
      shows(SERVER, mentionsInOrder('c2 and "I am $bob"', "c2", "I am $bob")),
    ],
  },
  {
    name: "the operator answers one client, and no other",
    points: 20,
    cause: CAUSE.one,
    afresh: true,
    needs: [EVERYBODY],
    steps: [
      ...called("alice", "bob"),
      forbid("alice", mentions("what is for $bob", "only for $bob")),
      type(SERVER, "@c2 only for $bob"),
      expect("bob", mentions('"only for $bob"', "only for $bob")),
      type(SERVER, "@c1 only for $alice"),
      expect("alice", mentions('"only for $alice"', "only for $alice")),
    ],
  },
  {
    name: "text that is not ASCII arrives whole, to and from the operator",
    points: 5,
    cause: CAUSES.text,
    needs: [EVERYBODY],
    steps: [
      ...connect("alice"),
      ...says("alice", "grüße, 你好 $alice"),
      ...toAll("你好, grüße.", "alice"),
    ],
  },
  {
    name: "a long message is shown whole",
    points: 5,
    cause: CAUSES.buffer,
    needs: [ARRIVES],
    steps: [...connect("alice"), send("alice", LONG), shows(SERVER, wholeText(LONG))],
  },
  ...GOES.map(([how, name]): Check => ({
    name,
    points: 5,
    cause: CAUSES.cut,
    needs: [AGAIN, MANY],
    steps: [
      ...called("alice", "bob"),
      ...goes("bob", how),
      ...says("alice", "$alice is still here"),
      ...called("carol"),
    ],
  })),
  {
    name: "what the operator says to all still reaches those who stay",
    points: 5,
    cause: CAUSES.cut,
    needs: [EVERYBODY],
    steps: [
      ...called("bob", "alice", "carol"),
      leave("bob"),
      ...toAll("one has gone", "alice", "carol"),
    ],
  },
  {
    name: "bytes that are not UTF-8 disturb nobody",
    points: 5,
    cause: CAUSES.badText,
    needs: [AGAIN, MANY],
    steps: [
      ...called("alice"),
      ...connect("mallory"),
      sendBadText("mallory"),
      leave("mallory"),
      ...says("alice", "$alice is still here"),
      ...called("carol"),
    ],
  },
  {
    name: ALONE,
    points: 40,
    cause: CAUSE.lockstep,
    unattended: true,
    steps: [...connect("alice"), ...talks("alice")],
  },
  {
    name: "with nobody at it, ten clients are served at once",
    points: 30,
    cause: CAUSES.oneAtATime,
    unattended: true,
    needs: [ALONE],
    steps: [
      ...connect(...crowd),
      ...crowd.map((who) => send(who, `I am ${who}.`)),
      stays(crowd[0]),
      stays(crowd.at(-1)!),
    ],
  },
  ...GOES.map(([how, name]): Check => ({
    name: `with nobody at it, ${name}`,
    points: 10,
    cause: CAUSES.cut,
    unattended: true,
    needs: [ALONE],
    steps: [
      ...connect("alice", "bob"),
      send("bob", "bye"),
      ...goes("bob", how),
      ...talks("alice"),
      ...connect("carol"),
      ...talks("carol"),
    ],
  })),
  {
    name: "with nobody at it, bytes that are not UTF-8 disturb nobody",
    points: 10,
    cause: CAUSES.badText,
    unattended: true,
    needs: [ALONE],
    steps: [
      ...connect("alice", "mallory"),
      sendBadText("mallory"),
      leave("mallory"),
      ...talks("alice"),
      ...connect("carol"),
      ...talks("carol"),
    ],
  },
];

const SAYS = "what is typed is sent, without waiting for an answer";
const SHOWS = "what comes is shown, asked or not";

const calls = (text = "hello from $alice"): Step[] => saysFirst(text);
const isTold = (text: string): Step[] => tells("server", "client", text);

export const clientChecks: readonly Check[] = [
  {
    name: SAYS,
    points: 25,
    cause: CAUSES.saysAtOnce,
    steps: [...calls(), ...types("client", "server", "is anybody there")],
  },
  {
    name: SHOWS,
    points: 25,
    cause: CAUSES.shows,
    needs: [SAYS],
    steps: [...calls(), ...isTold("hello $alice"), ...isTold("we close soon"), ...isTold("good bye then")],
  },
  {
    name: "messages that come at once are all shown",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [SHOWS],
    steps: [...calls(), ...tellsAtOnce("server", "client", numbered(5))],
  },
  {
    name: "lines that are typed at once are messages of their own",
    points: 5,
    cause: "two lines are sent as one message: send each with what ends a message behind it",
    framed: true,
    needs: [SAYS],
    steps: [start("client"), ...typesAtOnce, accept("server"), ...comeApart],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 10,
    cause: CAUSES.text,
    needs: [SHOWS],
    steps: [...calls("grüße, 你好"), ...isTold("你好, grüße")],
  },
  {
    name: "a long message is shown whole",
    points: 5,
    cause: CAUSES.buffer,
    needs: [SHOWS],
    steps: [...calls(), send("server", LONG), shows("client", wholeText(LONG))],
  },
  {
    name: "a server that hangs up does not hang the client",
    points: 10,
    cause: CAUSES.leaves,
    needs: [SAYS],
    steps: [...calls(), ...outlivesServer],
  },
  {
    name: "bytes that are not UTF-8 do not hang the client",
    points: 5,
    cause: CAUSES.badAnswer,
    needs: [SHOWS],
    steps: [...calls(), ...outlivesBadText],
  },
  {
    name: "the end of the input ends the client",
    points: 10,
    cause: "the end of the input is not looked at, or a thread goes on: close the connection and end",
    needs: [SAYS],
    steps: [...calls(), ...endsWithInput],
  },
];
