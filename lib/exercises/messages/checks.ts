// Black-box checks of any server of one-way messages: what comes back at the end is all that the wire shows.

import {
  type Check,
  connect,
  expectRest,
  forbid,
  leave,
  mentions,
  mentionsInOrder,
  send,
  sendBytes,
  type Step,
} from "../check.ts";

const RETURNS = "the log comes back at quit";

/** Sends messages, quits, and gets them. */
function session(who: string, ...messages: string[]): Step[] {
  return [
    ...messages.map((text) => send(who, text)),
    send(who, "quit"),
    expectRest(who, mentionsInOrder(`the log with ${messages.map((text) => `"${text}"`).join(", ")}`, ...messages)),
  ];
}

export const checks: readonly Check[] = [
  { name: RETURNS, points: 25, steps: [...connect("alice"), ...session("alice", "hello from $alice")] },
  {
    name: "the log has all messages, in the order in which they were sent",
    points: 20,
    framed: true,
    needs: [RETURNS],
    steps: [
      ...connect("alice"),
      ...session("alice", ...Array.from({ length: 20 }, (_, i) => `message ${i}.`)),
    ],
  },
  {
    name: "the log of a client that said nothing is empty, and the session ends",
    points: 10,
    steps: [
      ...connect("alice"),
      send("alice", "quit"),
      expectRest("alice", { what: "nothing", matches: (text) => text.trim() === "" }),
    ],
  },
  {
    name: "two clients at once get their own messages only",
    points: 20,
    needs: [RETURNS],
    steps: [
      ...connect("alice", "bob"),
      send("alice", "I am $alice"),
      send("bob", "I am $bob"),
      forbid("alice", mentions("a message of $bob", "$bob")),
      ...session("alice", "still $alice"),
      ...session("bob", "still $bob"),
    ],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 15,
    needs: [RETURNS],
    steps: [
      ...connect("alice", "mallory"),
      send("mallory", "I am off"),
      leave("mallory", "reset"),
      ...session("alice", "I am here"),
    ],
  },
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 10,
    needs: [RETURNS],
    steps: [
      ...connect("alice", "mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0xc3]), "bytes that are not UTF-8"),
      ...session("alice", "I am here"),
    ],
  },
];
