// Black-box checks of any calculator server: numbers are judged, and whether it refuses, not its words.

import { type Check, connect, expect, type Expectation, leave, refuses, send, sendBytes, type Step } from "../check.ts";

const MULTIPLIES = "it multiplies";

/** The answer is this number, whatever stands around it; a decimal may have more or fewer digits. */
function number(value: number | string): Expectation {
  return {
    what: `the answer ${value}`,
    matches(text) {
      const found = text.match(/[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi) ?? [];
      const last = found.at(-1);
      if (last === undefined) return false;
      if (typeof value === "string") return last.replace(/\.0+$/, "") === value;
      return Math.abs(Number(last) - value) <= 1e-6 * Math.max(1, Math.abs(value));
    },
  };
}

/** A client asks, and is answered. */
const asks = (who: string, question: string, value: number | string): Step[] => [
  send(who, question),
  expect(who, number(value)),
];

/** A client of its own for each question: many servers answer one and hang up. */
const afresh = (...questions: readonly (readonly [string, number | string])[]): Step[] =>
  questions.flatMap(([question, value], i) => [
    ...connect(`client${i + 1}`),
    ...asks(`client${i + 1}`, question, value),
    leave(`client${i + 1}`),
  ]);

export const checks: readonly Check[] = [
  { name: MULTIPLIES, points: 20, steps: afresh(["7 * 6", 42]) },
  {
    name: "it adds, subtracts, divides, and takes remainders",
    points: 20,
    needs: [MULTIPLIES],
    steps: afresh(["7 + 6", 13], ["7 - 16", -9], ["42 / 6", 7], ["7 % 3", 1]),
  },
  {
    name: "it understands negative integers",
    points: 10,
    needs: [MULTIPLIES],
    steps: afresh(["-7 * 6", -42], ["7 - -6", 13]),
  },
  {
    name: "it is exact beyond 64 bits",
    points: 10,
    needs: [MULTIPLIES],
    steps: afresh(["99999999999999999999 * 99999999999999999999", "9999999999999999999800000000000000000001"]),
  },
  {
    name: "division by zero is refused, and the server goes on",
    points: 10,
    needs: [MULTIPLIES],
    steps: [
      ...connect("client1"),
      send("client1", "7 / 0"),
      expect("client1", saysNo("a refusal: division by zero")),
      leave("client1"),
      ...connect("client2"),
      ...asks("client2", "7 * 6", 42),
    ],
  },
  {
    name: "what is no calculation is refused, and the server goes on",
    points: 10,
    needs: [MULTIPLIES],
    steps: [
      ...["seven * six", "7 ^ 6", "7 *"].flatMap((question, i): Step[] => [
        ...connect(`client${i + 1}`),
        send(`client${i + 1}`, question),
        // Without an end of line, half a request may still become a whole one.
        ...(question === "7 *" ? [] : [expect(`client${i + 1}`, saysNo("a refusal"))]),
        leave(`client${i + 1}`),
      ]),
      ...connect("client4"),
      ...asks("client4", "7 * 6", 42),
    ],
  },
  {
    name: "two clients are served at once",
    points: 10,
    needs: [MULTIPLIES],
    steps: [...connect("alice", "bob"), ...asks("bob", "7 * 6", 42), ...asks("alice", "7 + 6", 13)],
  },
  {
    name: "a client that vanishes, or sends what is not UTF-8, harms nobody",
    points: 10,
    needs: [MULTIPLIES],
    steps: [
      ...connect("alice", "mallory", "trudy"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0x2a, 0x20, 0xc3]), "bytes that are not UTF-8"),
      send("trudy", "7 "),
      leave("trudy", "reset"),
      ...asks("alice", "7 * 6", 42),
    ],
  },
];

/** A refusal by words, whatever numbers it quotes. */
function saysNo(what: string): Expectation {
  const { matches } = refuses(what);
  return { what, matches: (text, fill) => matches(text, fill) || /zero|undefined|infinity|nan|must/i.test(text) };
}
