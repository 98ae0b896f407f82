// Black-box checks of any chat server: what it does is judged, not how it words it.

import {
  type Check,
  connect,
  eventually,
  expect,
  expectEnd,
  forbid,
  grants,
  leave,
  lists,
  listsWithout,
  mentions,
  refuses,
  send,
  sendBytes,
  type Step,
} from "../check.ts";

const NAMES = "a client takes a name";
const LISTS = "the names of all users are listed";
const DELIVERS = "a message reaches the user it is for";

/** A client connects, takes its own name, and is greeted. */
function named(...who: string[]): Step[] {
  return who.flatMap((one) => [
    ...connect(one),
    send(one, `NAME $${one}`),
    expect(one, grants(`a greeting that names $${one}`, `$${one}`)),
  ]);
}

/** `who` still has a working session. */
function stillServed(who: string): Step[] {
  return [send(who, "GET_NAMES"), expect(who, lists(`$${who}`))];
}

const delivery = (from: string, text: string) => mentions(`"${text}" from $${from}`, `$${from}`, text);

export const checks: readonly Check[] = [
  { name: NAMES, points: 10, steps: named("alice") },
  {
    name: LISTS,
    points: 10,
    needs: [NAMES],
    steps: [...named("alice", "bob"), send("bob", "GET_NAMES"), expect("bob", lists("$alice", "$bob"))],
  },
  {
    name: DELIVERS,
    points: 15,
    needs: [NAMES],
    steps: [
      ...named("alice", "bob"),
      send("alice", "MSG $bob hi there"),
      expect("bob", delivery("alice", "hi there")),
      send("bob", "MSG $alice hello you"),
      expect("alice", delivery("bob", "hello you")),
    ],
  },
  {
    name: "a message reaches nobody else, nor its sender",
    points: 5,
    needs: [DELIVERS, LISTS],
    steps: [
      ...named("alice", "bob", "carol"),
      send("alice", "MSG $bob secret"),
      expect("bob", delivery("alice", "secret")),
      forbid("carol", mentions("the message", "secret")),
      ...stillServed("carol"),
      forbid("alice", mentions("the message", "secret")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "a name that is taken is refused, and its owner keeps it",
    points: 10,
    needs: [DELIVERS],
    steps: [
      ...named("alice"),
      ...connect("bob"),
      send("bob", "NAME $alice"),
      expect("bob", refuses("a refusal: the name is taken")),
      send("bob", "NAME $bob"),
      expect("bob", grants("a greeting that names $bob", "$bob")),
      send("bob", "MSG $alice are you there"),
      expect("alice", delivery("bob", "are you there")),
    ],
  },
  {
    name: "a message to an unknown user is refused, and the sender goes on",
    points: 10,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      send("alice", "MSG $nobody hello"),
      expect("alice", refuses("a refusal: there is no such user")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "an unknown command is refused, and the sender goes on",
    points: 5,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      send("alice", "DANCE now"),
      expect("alice", refuses("a refusal: there is no such command")),
      ...stillServed("alice"),
    ],
  },
  {
    name: "messages arrive in the order in which they were sent",
    points: 5,
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
  {
    name: "EXIT ends the connection and frees the name",
    points: 10,
    needs: [LISTS],
    steps: [
      ...named("alice", "bob"),
      send("alice", "EXIT"),
      expectEnd("alice"),
      eventually("bob", "GET_NAMES", listsWithout("$bob", "$alice")),
      ...connect("carol"),
      send("carol", "NAME $alice"),
      expect("carol", grants("a greeting that names $alice", "$alice")),
      forbid("carol", refuses("a refusal")),
      send("carol", "GET_NAMES"),
      expect("carol", lists("$alice", "$bob")),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end" ? "a client that hangs up gives its name back" : "a client that vanishes gives its name back",
    points: 5,
    needs: [LISTS],
    steps: [
      ...named("alice", "bob"),
      leave("alice", how),
      eventually("bob", "GET_NAMES", listsWithout("$bob", "$alice")),
      ...connect("carol"),
      send("carol", "NAME $alice"),
      expect("carol", grants("a greeting that names $alice", "$alice")),
      send("carol", "GET_NAMES"),
      expect("carol", lists("$alice", "$bob")),
    ],
  })),
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 5,
    needs: [DELIVERS],
    steps: [
      ...named("alice", "bob"),
      ...connect("mallory"),
      sendBytes(
        "mallory",
        new Uint8Array([0x4e, 0x41, 0x4d, 0x45, 0x20, 0xff, 0xfe, 0xc3]),
        "a name that is not UTF-8",
      ),
      send("alice", "MSG $bob still here"),
      expect("bob", delivery("alice", "still here")),
    ],
  },
  {
    name: "a name with control characters is refused",
    points: 5,
    needs: [LISTS],
    steps: [
      ...named("alice"),
      ...connect("mallory"),
      send("mallory", "NAME \x1b[31mred"),
      expect("mallory", refuses("a refusal: the name is not valid")),
      ...stillServed("alice"),
    ],
  },
];
