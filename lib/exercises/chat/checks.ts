// Black-box checks of any chat server: what it does is judged, not how it words it.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  eventually,
  exits,
  expect,
  type Expectation,
  expectEnd,
  flood,
  forbid,
  grants,
  inItsTime,
  leave,
  lists,
  listsWithout,
  mentions,
  pauseReading,
  refuses,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
  type,
} from "../check.ts";

const NAMES = "a client takes a name";
const LISTS = "the names of all users are listed";
const DELIVERS = "a message reaches the user it is for";
const ONLY = "a message reaches nobody else, nor its sender";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  everybody: "messages are sent to every connection, and not only to that of the user they are for",
  taken: "a name is given away without a look at whether somebody has it: look it up before you store it",
  unknownUser: "looking up a user that is not there throws, or finds nothing, and nobody is told: answer with an error",
  unknownCommand: "what is no command falls through every branch: answer with an error in the last one",
  order:
    "messages to one user overtake each other, as when each is sent by a thread of its own: send them in one place",
  keepsNames:
    "a name is kept when its owner has gone: take it off the list when recv() returns nothing or throws, too " +
    "(in Python: in a finally)",
  badText: CAUSES.badText,
  anyName: "any text is taken for a name: allow letters, digits and little else, or names will rewrite terminals",
  answers:
    "what comes from the server is not read, or not shown: read from the connection, and print what came as it is",
  slow: "the server waits until one client has read what it is sent, and serves nobody meanwhile: give each client a " +
    "queue, or a thread, of its own",
} as const;

const takesName = (who: string): Step[] => [send(who, `NAME $${who}`), expect(who, greets(who))];

/** A client connects, takes its own name, and is greeted. */
const named = (...who: string[]): Step[] => who.flatMap((one) => [...connect(one), ...takesName(one)]);

/** The answer to NAME, which is more than the question. */
function greets(who: string): Expectation {
  const { matches, ...greeting } = grants(`a greeting that names $${who}`, `$${who}`);
  return { ...greeting, matches: (text, fill) => matches(text, fill) && text.trim() !== fill(`NAME $${who}`) };
}

/** `who` asks for the names, and these are among them. */
const asksNames = (who: string, ...names: string[]): Step[] => [
  send(who, "GET_NAMES"),
  expect(who, lists(...names.map((name) => `$${name}`))),
];

/** `who` still has a working session. */
const stillServed = (who: string): Step[] => asksNames(who, who);

const delivery = (from: string, text: string) => mentions(`"${text}" from $${from}`, `$${from}`, text);

/** What `from` says to `to` comes. */
const delivers = (from: string, to: string, text: string): Step[] => [
  send(from, `MSG $${to} ${text}`),
  expect(to, delivery(from, text)),
];

/** How alice goes, and what is true of her name then. */
const GOES: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  // A server may wait until the client has hung up as well.
  ["EXIT ends the connection and frees the name", [send("alice", "EXIT"), expectEnd("alice"), leave("alice")]],
  ["a client that hangs up gives its name back", [leave("alice")]],
  ["a client that vanishes gives its name back", [leave("alice", "reset")]],
];

/** Messages that are sent at once. In which order they arrive is a check of its own. */
const BURST = ["one.", "two.", "three."];

const anyOf = (some: readonly Expectation[]): Expectation => ({
  what: some.map(({ what }) => what).join(" or "),
  matches: (text, fill) => some.some(({ matches }) => matches(text, fill)),
});

export const checks: readonly Check[] = [
  {
    name: NAMES,
    points: 10,
    cause: "NAME is not understood, or not answered: the answer is HELLO and the name, in the framing of the question",
    steps: named("alice"),
  },
  {
    name: "a second client is served while the first stays",
    points: 5,
    cause: CAUSES.oneAtATime,
    needs: [NAMES],
    steps: named("alice", "bob"),
  },
  {
    name: LISTS,
    points: 5,
    cause: "the list is made of something else than all users that have a name right now",
    needs: [NAMES],
    steps: [...named("alice", "bob"), ...asksNames("bob", "alice", "bob")],
  },
  {
    name: DELIVERS,
    points: 10,
    cause:
      "a message has to be sent on the connection of the user it is for, with the sender's name and the whole text. Keep " +
      "each connection's name by itself: one variable for all holds the name that was taken last",
    needs: [NAMES],
    steps: [
      ...named("alice", "bob"),
      ...delivers("alice", "bob", "hi there"),
      ...delivers("bob", "alice", "hello you"),
    ],
  },
  {
    // Without it names are for nothing, and what is for one is read by all.
    name: ONLY,
    points: 25,
    cause: CAUSE.everybody,
    needs: [DELIVERS, LISTS],
    steps: [
      ...named("alice", "bob", "carol"),
      ...delivers("alice", "bob", "secret"),
      forbid("carol", mentions("the message", "secret")),
      ...stillServed("carol"),
      forbid("alice", mentions("the message", "secret")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "a name that is taken is refused, and its owner keeps it",
    points: 10,
    cause: CAUSE.taken,
    needs: [DELIVERS],
    steps: [
      ...named("alice"),
      ...connect("bob"),
      stays("bob"), // what greets it is no answer
      send("bob", "NAME $alice"),
      expect("bob", refuses("a refusal: the name is taken")),
      ...takesName("bob"),
      ...delivers("bob", "alice", "are you there"),
    ],
  },
  {
    name: "a message to an unknown user is refused, and the sender goes on",
    points: 5,
    cause: CAUSE.unknownUser,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      send("alice", "MSG $zoe hello"), // a name that is no word of refusal when it is quoted
      expect("alice", refuses("a refusal: there is no such user")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "an unknown command is refused, and the sender goes on",
    points: 5,
    cause: CAUSE.unknownCommand,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      send("alice", "DANCE now"),
      expect("alice", refuses("a refusal: there is no such command")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "text that is not ASCII arrives whole",
    points: 3,
    cause: CAUSES.characters,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob"),
      ...delivers("alice", "bob", "grüße, 你好."),
      ...delivers("alice", "bob", "and more"),
    ],
  },
  {
    name: "several messages that arrive at once are all delivered",
    points: 3,
    framed: true,
    cause: CAUSES.joined,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob"),
      ...BURST.map((text) => send("alice", `MSG $bob ${text}`)),
      ...BURST.map(() => expect("bob", anyOf(BURST.map((text) => delivery("alice", text))))),
    ],
  },
  {
    name: "messages arrive in the order in which they were sent",
    points: 3,
    cause: CAUSE.order,
    framed: true,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob"),
      ...Array.from({ length: 20 }, (_, i) => send("alice", `MSG $bob number ${i}.`)),
      ...Array.from({ length: 20 }, (_, i) => [
        ...(i < 19 ? [forbid("bob", mentions("a later message first", `number ${i + 1}.`))] : []),
        expect("bob", delivery("alice", `number ${i}.`)),
      ]).flat(),
    ],
  },
  ...GOES.map(([name, steps]): Check => ({
    name,
    points: 3,
    cause: CAUSE.keepsNames,
    needs: [LISTS],
    steps: [
      ...named("alice", "bob"),
      ...steps,
      eventually("bob", "GET_NAMES", listsWithout("$bob", "$alice")),
      ...connect("carol"),
      send("carol", "NAME $alice"),
      expect("carol", grants("a greeting that names $alice", "$alice")),
      ...asksNames("carol", "alice", "bob"),
    ],
  })),
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 3,
    cause: CAUSE.badText,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob"),
      ...connect("mallory"),
      sendBytes(
        "mallory",
        new Uint8Array([0x4e, 0x41, 0x4d, 0x45, 0x20, 0xff, 0xfe, 0xc3]),
        "a name that is not UTF-8",
      ),
      ...delivers("alice", "bob", "still here"),
    ],
  },
  {
    name: "a name with control characters is refused",
    points: 2,
    cause: CAUSE.anyName,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      ...connect("mallory"),
      stays("mallory"), // as above
      send("mallory", "NAME \x1b[31mred"),
      expect("mallory", refuses("a refusal: the name is not valid")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "a client that does not read holds up nobody else",
    points: 2,
    cause: CAUSE.slow,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob", "carol", "dave"),
      pauseReading("carol"),
      // More than the buffers of a connection hold, so that a server which waits for carol waits for ever.
      flood("alice", "MSG $carol ", 12_000_000),
      send("bob", "MSG $dave after all that"),
      // One that is only slow comes to it in the end.
      expect("dave", inItsTime(delivery("bob", "after all that"), 10_000)),
    ],
  },
];

/** A name is asked for, as it was typed. */
const asksFor = (who: string): Step[] => [
  type("client", `NAME $${who}`),
  expect("server", mentions(`NAME $${who}`, `NAME $${who}`)),
];

/** A client under test has called, and has asked for a name. */
const naming = (who: string): Step[] => [
  start("client"),
  accept("server"),
  ...asksFor(who),
];

/** The answer to that is shown: more than what was typed. */
const answered = (who: string): Step[] => [
  send("server", `HELLO $${who}`),
  shows("client", {
    what: `HELLO $${who}`,
    accepts: `it contains "$${who}", and not only what was typed`,
    matches: (text, fill) => text.replaceAll(fill(`NAME $${who}`), "").includes(fill(`$${who}`)),
  }),
];

/** A client under test has called, has taken its name, and was greeted. */
const greeted = (who: string): Step[] => [...naming(who), ...answered(who)];

const SAYS = "what is typed is sent";
const SHOWS = "what the server answers is shown";
const UNASKED = "a message that comes unasked is shown";

export const clientChecks: readonly Check[] = [
  { name: SAYS, points: 15, cause: CAUSES.says, steps: naming("alice") },
  { name: SHOWS, points: 15, cause: CAUSE.answers, needs: [SAYS], steps: greeted("alice") },
  {
    name: UNASKED,
    points: 20,
    cause: CAUSES.shows,
    needs: [SHOWS],
    steps: [
      ...greeted("alice"),
      send("server", "$bob sent are you there"),
      shows("client", mentions('"are you there" from $bob', "$bob", "are you there")),
    ],
  },
  {
    name: "several messages that come at once are all shown",
    points: 10,
    cause: CAUSES.joined,
    needs: [UNASKED],
    framed: true,
    steps: [
      ...greeted("alice"),
      ...Array.from({ length: 5 }, (_, i) => send("server", `$bob sent number ${i}.`)),
      ...Array.from({ length: 5 }, (_, i) => shows("client", mentions(`number ${i}.`, `number ${i}.`))),
    ],
  },
  {
    name: "text that is not ASCII arrives whole in both directions",
    points: 10,
    cause: CAUSES.characters,
    needs: [SHOWS],
    steps: [
      ...greeted("alice"),
      type("client", "MSG $bob grüße, 你好"),
      expect("server", mentions("MSG $bob grüße, 你好", "MSG $bob grüße, 你好")),
      send("server", "$bob sent 你好, grüße"),
      shows("client", mentions("你好, grüße", "你好, grüße")),
    ],
  },
  {
    name: "an error is shown, and the client goes on",
    points: 10,
    cause: "an answer that begins with ERROR is taken for the end, or not shown",
    needs: [SHOWS],
    steps: [
      ...naming("alice"),
      send("server", 'ERROR the name "$alice" is taken'),
      shows("client", mentions("the error", "taken")),
      ...asksFor("bob"),
      ...answered("bob"),
    ],
  },
  {
    name: "EXIT ends the client",
    points: 10,
    cause: "after EXIT the program has to close its connection and end, with every thread of it",
    needs: [SHOWS],
    steps: [
      ...greeted("alice"),
      type("client", "EXIT"),
      expect("server", mentions("EXIT", "EXIT")),
      send("server", "EXIT"),
      leave("server"),
      exits("client"),
    ],
  },
  {
    name: "a server that hangs up ends the client",
    points: 10,
    cause: CAUSES.leaves,
    needs: [SHOWS],
    steps: [...greeted("alice"), leave("server", "reset"), exits("client")],
  },
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "two clients take names and send each other messages",
  points: 1,
  steps: [
    start("alice's client"),
    type("alice's client", "NAME $alice"),
    shows("alice's client", mentions("HELLO $alice", "$alice")),
    start("bob's client"),
    type("bob's client", "NAME $bob"),
    shows("bob's client", mentions("HELLO $bob", "$bob")),
    type("alice's client", "MSG $bob are you there"),
    shows("bob's client", mentions("the message", "are you there")),
    type("bob's client", "MSG $alice here I am"),
    shows("alice's client", mentions("the answer", "here I am")),
  ],
};
