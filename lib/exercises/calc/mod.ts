// The calculator exercise, as the registry knows it.

import { truncateText } from "../../protocol/text.ts";
import type { Exercise } from "../exercise.ts";
import { answer, DIVISIONS, isExpression } from "./protocol.ts";

/** Calculated when somebody asks for it, not at each start. */
const exact = (question: string) => answer(question, "exact");

/** What is wrong with a question on the command line, an address perhaps before it; null when there is one, or none. */
function questionProblem(words: readonly string[]): string | null {
  if (words.length <= 2 || [0, 1, 2].some((i) => isExpression(words.slice(i)))) return null;
  return `not two integers and an operator: "${truncateText(words.join(" "), 60)}"; * has to be in quotes`;
}

export const calc: Exercise = {
  name: "calc",
  summary: "a remote calculator: two integers and an operator",
  transports: ["tcp", "udp"],
  port: 9003,
  wires: ["auto", "line", "lenN", "raw"],
  detects: ["line", "raw"],
  clientWire: "line",
  acceptsArguments: isExpression,
  argumentsProblem: questionProblem,
  argumentsUsage: '7 "*" 6',
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
      { command: 'netlab connect calc 7 "*" 6', output: [exact("7 * 6")] },
      {
        command: "netlab connect calc",
        input: ["7 / 2", "* 7 6", "2,100,-", "1 / 0"],
        output: [exact("7 / 2"), exact("* 7 6"), exact("2,100,-"), exact("1 / 0")],
      },
    ];
  },
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveCalc(context),
  connect: async (context) => (await import("./client.ts")).connectCalc(context),
};
