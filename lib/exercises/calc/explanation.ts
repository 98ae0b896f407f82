// What `netlab explain calc` shows.

import type { Explanation } from "../exercise.ts";
import { errorReply } from "../text.ts";
import { answer, MAX_DIGITS, refusal } from "./protocol.ts";

const exact = (question: string) => answer(question, "exact");

export const explanation: Explanation = {
  wire: [
    `A request is two integers and an operator, a line each; the operator may stand between them, before or behind them, and`,
    `spaces may be commas. A client that sends no LF is understood, too, by 300 ms of silence. Over UDP a datagram is a`,
    `request, and its answer is a datagram; one that begins with ERROR is itself an answer, and gets none.`,
    ``,
    `Integers have up to ${MAX_DIGITS} digits. + - * are exact. / is exact when it divides, and otherwise the nearest binary64,`,
    `written as Python writes it (serve --division float, or floor, to have what a course expects). % has the sign of the`,
    `divisor, as in Python. Anything wrong is answered with ERROR, and the next request is served.`,
  ].join("\n"),
  messages: [
    { form: "7 * 6, 7*6", meaning: `the answer is ${exact("7*6")}; also + - / %` },
    { form: "* 7 6", meaning: "the same, the operator first" },
    { form: "7 6 *, 7,6,*", meaning: "the same, the operator last" },
  ],
  dialogue: [
    ...["7 * 6", "7,6,-", "-7 / 2", "-7 % 3", "1 / 3"].flatMap((question) => [
      { who: "C", text: question },
      { who: "S", text: exact(question) },
    ]),
    { who: "C", text: "1 / 0" },
    { who: "S", text: errorReply(refusal.divisionByZero()) },
    { who: "C", text: "4.5 + 1" },
    { who: "S", text: errorReply(refusal.notAnInteger("4.5")) },
  ],
};
