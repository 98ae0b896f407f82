// Black-box checks of any node of a mesh: the wire shows that it takes many, and that none of them can hurt the others.

import { type Check, connect, expectEnd, leave, send, sendBytes, stays, type Step } from "../check.ts";

const TAKES = "a caller is taken, and may send";
const MANY = "ten callers from one address are taken at once";

const crowd = Array.from({ length: 10 }, (_, i) => `peer${i}`);
const talks = (who: string): Step[] => [send(who, `hello from $${who.replace(/\d+$/, "")}`), stays(who)];

export const checks: readonly Check[] = [
  { name: TAKES, points: 20, steps: [...connect("alice"), ...talks("alice")] },
  {
    name: MANY,
    points: 30,
    needs: [TAKES],
    steps: [...connect(...crowd), ...crowd.map((who) => send(who, `I am ${who}`)), ...crowd.map(stays)],
  },
  ...(["end", "reset"] as const).map((how): Check => ({
    name: how === "end" ? "one that hangs up is let go, and the others stay" : "one that vanishes disturbs nobody",
    points: 15,
    needs: [TAKES],
    steps: [
      ...connect("alice", "bob"),
      send("bob", "bye"),
      leave("bob", how),
      ...(how === "end" ? [expectEnd("bob")] : []),
      ...talks("alice"),
      ...connect("carol"),
      ...talks("carol"),
    ],
  })),
  {
    name: "bytes that are not UTF-8 disturb nobody",
    points: 20,
    needs: [TAKES],
    steps: [
      ...connect("alice", "mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0xc3]), "bytes that are not UTF-8"),
      ...talks("alice"),
      ...connect("carol"),
      ...talks("carol"),
    ],
  },
];
