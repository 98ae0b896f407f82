// The calculator exercise, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { errorReply } from "../text.ts";
import { answer, DIVISIONS, isExpression, MAX_DIGITS, refusal } from "./protocol.ts";

/** Calculated when somebody asks for it, not at each start. */
const exact = (question: string) => answer(question, "exact");

export const calc: Exercise = {
  name: "calc",
  summary: "a remote calculator: two integers and an operator",
  transports: ["tcp", "udp"],
  port: 9003,
  wires: ["auto", "line", "lenN", "raw"],
  detects: ["line", "raw"],
  clientWire: "line",
  acceptsArguments: isExpression,
  argumentsUsage: "7 '*' 6",
  serveOptions: [
    {
      name: "division",
      type: "string",
      value: "HOW",
      choices: DIVISIONS,
      default: DIVISIONS[0],
      summary: "what / gives: exact (an integer where it divides), float or floor as Python's / and //",
    },
  ],
  connectOptions: [],
  serveExamples: [],
  get connectExamples() {
    return [
      { command: "netlab connect calc 7 '*' 6", output: [exact("7 * 6")] },
      {
        command: "netlab connect calc",
        input: ["7 / 2", "* 7 6", "2,100,-", "1 / 0"],
        output: [exact("7 / 2"), exact("* 7 6"), exact("2,100,-"), exact("1 / 0")],
      },
    ];
  },
  explain: {
    wire: [
      `A request is two integers and an operator, a line each; the operator may stand between them, before or behind them, and`,
      `spaces may be commas. A client that sends no LF is understood, too, by 300 ms of silence. Over UDP a datagram is a`,
      `request, and its answer is a datagram; one that begins with ERROR is itself an answer, and gets none.`,
      ``,
      `Integers have up to ${MAX_DIGITS} digits. + - * are exact. / is exact when it divides, and otherwise the nearest binary64,`,
      `written as Python writes it (serve --division float, or floor, to have what a course expects). % has the sign of the`,
      `divisor, as in Python. Anything wrong is answered with ERROR, and the next request is served.`,
    ].join("\n"),
    get messages() {
      return [
        { form: "7 * 6, 7*6", meaning: `the answer is ${exact("7*6")}; also + - / %` },
        { form: "* 7 6", meaning: "the same, the operator first" },
        { form: "7 6 *, 7,6,*", meaning: "the same, the operator last" },
      ];
    },
    get dialogue() {
      return [
        ...["7 * 6", "7,6,-", "-7 / 2", "-7 % 3", "1 / 3"].flatMap((question) => [
          { who: "C", text: question },
          { who: "S", text: exact(question) },
        ]),
        { who: "C", text: "1 / 0" },
        { who: "S", text: errorReply(refusal.divisionByZero()) },
        { who: "C", text: "4.5 + 1" },
        { who: "S", text: errorReply(refusal.notAnInteger("4.5")) },
      ];
    },
  },
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveCalc(context),
  connect: async (context) => (await import("./client.ts")).connectCalc(context),
};
