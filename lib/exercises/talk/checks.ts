// Black-box checks of any server of lockstep chat: what can be seen without its person is that turns are kept, and that
// it talks to one at a time.

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

const TURNS = "a second message before the reply is refused";
const BUSY = "a second client is told that the server is busy";

const wait: Expectation = {
  what: "a refusal: wait for the reply",
  matches: (text) => /wait|turn|reply|error|not (yet|allowed)/i.test(text),
};
const busy: Expectation = {
  what: "a refusal: busy",
  matches: (text) => /busy|occupied|in use|already|error|only one/i.test(text),
};

const sentAway = (who: string): Step[] => [...connect(who), send(who, "let me in"), expect(who, busy), expectEnd(who)];

export const checks: readonly Check[] = [
  {
    name: TURNS,
    points: 25,
    steps: [callUntilTaken("alice", "hello"), send("alice", "are you there"), expect("alice", wait)],
  },
  {
    name: "a refused message costs the sender nothing else",
    points: 15,
    needs: [TURNS],
    steps: [
      callUntilTaken("alice", "hello"),
      send("alice", "are you there"),
      expect("alice", wait),
      send("alice", "hello?"),
      expect("alice", wait),
      stays("alice"),
    ],
  },
  {
    name: BUSY,
    points: 20,
    steps: [callUntilTaken("alice", "hello"), ...sentAway("bob")],
  },
  {
    name: "the first client is not disturbed by the second",
    // Over UDP nobody can be seen to leave: who came before would still have the place.
    transports: ["tcp"],
    points: 10,
    needs: [BUSY],
    steps: [
      callUntilTaken("alice", "hello"),
      forbid("alice", busy),
      ...sentAway("bob"),
      stays("alice"),
    ],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end"
      ? "after the client has hung up, the next is taken"
      : "after the client has vanished, the next is taken",
    points: 10,
    needs: [BUSY],
    transports: ["tcp"],
    steps: [
      callUntilTaken("alice", "hello"),
      leave("alice", how),
      callUntilTaken("bob", "hello"),
      ...sentAway("carol"),
    ],
  })),
  {
    name: "bytes that are not UTF-8 do not end the server",
    points: 10,
    needs: [BUSY],
    transports: ["tcp"],
    steps: [
      callUntilTaken("mallory", "hello"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0xc3]), "bytes that are not UTF-8"),
      leave("mallory"),
      callUntilTaken("alice", "hello"),
      ...sentAway("bob"),
    ],
  },
];
