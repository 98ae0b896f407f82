// Black-box checks of any calculator and any client of one: numbers are judged, and whether it refuses, not its words.

import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  expect,
  type Expectation,
  leave,
  mentions,
  refuses,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
  type,
  wholeText,
} from "../check.ts";
import { endsWithInput, outlivesBadText, outlivesServer } from "../check_parts.ts";
import { parseRequest } from "./protocol.ts";

const MULTIPLIES = "it multiplies";
const AGAIN = "a client may ask again on the same connection";
const REFUSES = "what is no calculation is refused, and the server goes on";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  multiplies:
    "the question is not understood, or the answer not sent as text: take it apart into two integers and an operator, " +
    "in any order that your course allows, and send what comes out",
  again: "the connection is closed behind the first answer: read the next question in a loop, until the client ends",
  operators: "one of + - * / % is missing, or does something else",
  negative:
    "a minus before a number is lost, or taken for the operator: take the question apart at its blanks, and leave the " +
    "rest to int()",
  big:
    "results are computed as floats or in the 32 or 64 bits of a machine's integers, and lose digits or turn negative: " +
    "Python's int has any size, elsewhere it is BigInteger or BigInt",
  zero: "dividing by zero throws, and nobody catches it: look at the divisor before, and answer with an error",
  words:
    "what is no number throws where it is converted, and nobody catches it: catch it, answer with an error, and serve " +
    "the next question",
  operator:
    "what is none of + - * / % falls through every branch, or does something in your language: answer with an error in " +
    "the last one",
  evaluates:
    "the question is run as a program (eval): whoever asks can do with your machine what you can. Convert the numbers " +
    "with int(), and choose the operation yourself",
  long:
    "a number of 20,000 digits is more than the buffer takes, or more than is converted (in Python int() throws beyond " +
    "4300): refuse it, and serve the others",
  computes:
    "what is shown is not what the server has answered: read from the connection until the answer is whole, show it, and " +
    "compute nothing in the client",
} as const;

/** The answer is this number, whatever stands around it; a decimal may have more or fewer digits. */
function number(value: number | string): Expectation {
  return {
    what: `the answer ${value}`,
    accepts: `the last number in it is ${value}, whatever stands around it`,
    matches(text) {
      const found = text.match(/[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi) ?? [];
      const last = found.at(-1);
      if (last === undefined) return false;
      if (typeof value === "string") return last.replace(/\.0+$/, "") === value;
      return Math.abs(Number(last) - value) <= 1e-6 * Math.max(1, Math.abs(value));
    },
  };
}

/** A refusal: by words, whatever numbers it quotes, or by any others. None and null are what comes of no answer. */
function saysNo(what: string): Expectation {
  const { accepts, matches, ...refusal } = refuses(what);
  return {
    ...refusal,
    accepts: `${accepts}; zero, undefined, infinity and nan count, too, and whatever has no number in it`,
    matches: (text, fill) =>
      matches(text, fill) || /zero|by 0|undefined|\binf(inity)?\b|nan|exception/i.test(text) ||
      (/\p{L}/u.test(text) && !/\d|\b(none|null|nil)\b/i.test(text)),
  };
}

/** A client asks, and is answered. */
const asks = (who: string, question: string, value: number | string): Step[] => [
  send(who, question),
  expect(who, number(value)),
];

/** A client of its own for each question: many servers answer one and hang up. What greets it may come a moment late. */
const afresh = (...questions: readonly (readonly [string, Expectation])[]): Step[] =>
  questions.flatMap(([question, what], i) => [
    ...connect(`client${i + 1}`),
    ...(what.answers ? [stays(`client${i + 1}`)] : []),
    send(`client${i + 1}`, question),
    expect(`client${i + 1}`, what),
    leave(`client${i + 1}`),
  ]);

const answered = (question: string, value: number | string) => [question, number(value)] as const;

/** Somebody else is still answered. */
const goesOn: Step[] = [...connect("alice"), ...asks("alice", "7 * 6", 42)];

const NINES = "9".repeat(20_000);

export const checks: readonly Check[] = [
  { name: MULTIPLIES, points: 15, cause: CAUSE.multiplies, steps: afresh(answered("7 * 6", 42)) },
  {
    name: AGAIN,
    points: 5,
    cause: CAUSE.again,
    needs: [MULTIPLIES],
    steps: [...connect("alice"), ...asks("alice", "7 * 6", 42), ...asks("alice", "7 + 6", 13)],
  },
  {
    name: "questions that arrive at once are all answered, in their order",
    points: 5,
    cause: CAUSES.joined,
    framed: true,
    needs: [AGAIN],
    steps: [
      ...connect("alice"),
      ...["7 * 6", "7 + 6", "16 - 7"].map((question) => send("alice", question)),
      ...[42, 13, 9].map((value) => expect("alice", number(value))),
    ],
  },
  {
    name: "it adds, subtracts, divides, and takes remainders",
    points: 15,
    cause: CAUSE.operators,
    needs: [MULTIPLIES],
    steps: afresh(answered("7 + 6", 13), answered("7 - 16", -9), answered("42 / 6", 7), answered("7 % 3", 1)),
  },
  {
    name: "it understands negative integers",
    points: 5,
    cause: CAUSE.negative,
    needs: [MULTIPLIES],
    steps: afresh(answered("-7 * 6", -42), answered("7 - -6", 13)),
  },
  {
    name: "it is exact beyond 64 bits",
    points: 10,
    cause: CAUSE.big,
    needs: [MULTIPLIES],
    steps: afresh(
      answered("99999999999999999999 * 99999999999999999999", "9999999999999999999800000000000000000001"),
    ),
  },
  {
    name: "division by zero is refused, and the server goes on",
    points: 10,
    cause: CAUSE.zero,
    needs: [MULTIPLIES],
    steps: [...afresh(["7 / 0", saysNo("a refusal: division by zero")]), ...goesOn],
  },
  {
    name: REFUSES,
    points: 5,
    cause: CAUSE.words,
    needs: [MULTIPLIES],
    steps: [
      ...afresh(["seven * six", saysNo("a refusal")]),
      // Without an end of line, half a question may still become a whole one.
      ...connect("mallory"),
      send("mallory", "7 *"),
      leave("mallory"),
      ...goesOn,
    ],
  },
  {
    name: "an unknown operator is refused, and the server goes on",
    points: 5,
    cause: CAUSE.operator,
    needs: [MULTIPLIES],
    steps: [...afresh(["7 ^ 6", saysNo("a refusal")]), ...goesOn],
  },
  {
    name: "what is asked is not run as a program",
    points: 5,
    cause: CAUSE.evaluates,
    needs: [REFUSES],
    steps: [...afresh(['len("seven") * 6', saysNo("a refusal: that is no integer")]), ...goesOn],
  },
  {
    name: "a number of 20,000 digits harms nobody",
    points: 5,
    cause: CAUSE.long,
    needs: [MULTIPLIES],
    steps: [...connect("mallory"), send("mallory", `${NINES} * 2`), leave("mallory"), ...goesOn],
  },
  {
    name: "a second client is served while the first stays",
    points: 5,
    cause: CAUSES.oneAtATime,
    needs: [MULTIPLIES],
    steps: [...connect("alice", "bob"), ...asks("bob", "7 * 6", 42), ...asks("alice", "7 + 6", 13)],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 5,
    cause: CAUSES.cut,
    needs: [MULTIPLIES],
    steps: [...connect("mallory"), send("mallory", "7 * 6"), leave("mallory", "reset"), ...goesOn],
  },
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 5,
    cause: CAUSES.badText,
    needs: [MULTIPLIES],
    steps: [
      ...connect("mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe, 0x20, 0x2a, 0x20, 0xc3, 0x0a]), "bytes that are not UTF-8"),
      leave("mallory"),
      ...goesOn,
    ],
  },
];

/** A client may write a question in its own way. */
function question(left: number, operator: string, right: number): Expectation {
  return {
    what: `the question ${left} ${operator} ${right}`,
    accepts: "the two integers in this order, and the operator before, between or behind them",
    matches(text) {
      const request = parseRequest(text);
      return request.type === "operation" && request.operator === operator &&
        request.left === BigInt(left) && request.right === BigInt(right);
    },
  };
}

/** A client under test has asked something: some call only then. */
const asking: Step[] = [
  start("client"),
  type("client", "7 * 6"),
  accept("server"),
  expect("server", question(7, "*", 6)),
];

const ASKS = "what is typed is asked";
const SHOWS = "what the server answers is shown";
const DIGITS = "1234567890".repeat(150);

export const clientChecks: readonly Check[] = [
  { name: ASKS, points: 15, cause: CAUSES.says, steps: asking },
  {
    name: SHOWS,
    points: 20,
    cause: CAUSE.computes,
    needs: [ASKS],
    // Whoever computes by itself shows 42.
    steps: [...asking, send("server", "1789"), shows("client", number(1789))],
  },
  {
    name: "another question is asked on the same connection",
    points: 10,
    cause:
      "the program ends or hangs up behind the first answer, or waits for something else than the keyboard: ask in a " +
      "loop, on the same connection",
    needs: [SHOWS],
    transports: ["tcp"],
    steps: [
      ...asking,
      send("server", "42"),
      shows("client", number(42)),
      type("client", "7 + 6"),
      expect("server", question(7, "+", 6)),
      send("server", "13"),
      shows("client", number(13)),
    ],
  },
  {
    name: "an error is shown",
    points: 15,
    cause: "the answer is taken for a number: show what came as it is",
    needs: [SHOWS],
    steps: [
      ...asking,
      send("server", "ERROR the calculator is closed today"),
      shows("client", mentions("the error", "closed today")),
    ],
  },
  {
    name: "a long answer is shown whole",
    points: 10,
    cause: CAUSES.buffer,
    needs: [SHOWS],
    steps: [...asking, send("server", DIGITS), shows("client", wholeText(DIGITS))],
  },
  {
    name: "an answer that is not ASCII is shown",
    points: 5,
    cause: CAUSES.text,
    needs: [SHOWS],
    steps: [
      ...asking,
      send("server", "ERROR 不行, ça ne va pas"),
      shows("client", mentions("the error", "不行, ça ne va pas")),
    ],
  },
  {
    name: "a server that hangs up without an answer does not hang the client",
    points: 10,
    cause: CAUSES.leaves,
    needs: [SHOWS],
    transports: ["tcp"],
    steps: [...asking, ...outlivesServer],
  },
  {
    name: "an answer that is not UTF-8 does not hang the client",
    points: 5,
    cause: CAUSES.badAnswer,
    needs: [SHOWS],
    transports: ["tcp"],
    steps: [...asking, ...outlivesBadText],
  },
  {
    name: "the end of the input ends the client",
    points: 10,
    cause: "the end of the input is not looked at, or a thread goes on: close the connection and end",
    needs: [SHOWS],
    steps: [
      ...asking,
      send("server", "42"),
      shows("client", number(42)),
      ...endsWithInput,
    ],
  },
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "two clients ask, and are shown their answers",
  points: 1,
  steps: [
    start("alice's client"),
    type("alice's client", "7 * 6"),
    shows("alice's client", number(42)),
    start("bob's client"),
    type("bob's client", "7 + 6"),
    shows("bob's client", number(13)),
  ],
};
