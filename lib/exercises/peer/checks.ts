// Black-box checks of any peer: the wire shows whom it takes and whom it sends away. What it shows its person, it does not.

import {
  callUntilTaken,
  type Check,
  connect,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  leave,
  send,
  sendBytes,
  stays,
  type Step,
} from "../check.ts";

const BUSY = "a second caller is told that the peer is busy, and sent away";

const busy: Expectation = {
  what: "a refusal: busy",
  matches: (text) => /busy|occupied|in use|already|error|only one/i.test(text),
};

/** The connection is up: a second caller is sent away because of it. */
const holds = (second: string): Step[] => [...connect(second), expect(second, busy), expectEnd(second)];

export const checks: readonly Check[] = [
  {
    name: BUSY,
    points: 30,
    steps: [callUntilTaken("alice", "hello"), ...holds("bob")],
  },
  {
    name: "the first caller is not disturbed by the second",
    points: 20,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      ...holds("bob"),
      forbid("alice", busy),
      send("alice", "still here"),
      ...holds("carol"),
      stays("alice"),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end"
      ? "after the first has hung up, another is taken"
      : "after the first has vanished, another is taken",
    points: 15,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      leave("alice", how),
      callUntilTaken("bob", "hello"),
      ...holds("carol"),
    ],
  })),
  {
    name: "bytes that are not UTF-8 do not end the program",
    points: 20,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      sendBytes("alice", new Uint8Array([0xff, 0xfe, 0x20, 0xc3]), "bytes that are not UTF-8"),
      leave("alice"),
      callUntilTaken("bob", "hello"),
      ...holds("carol"),
    ],
  },
];
