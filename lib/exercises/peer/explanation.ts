// What `netlab explain peer` shows.

import type { Explanation } from "../exercise.ts";
import { errorReply, FREE_TEXT_FRAMING, MAX_TEXT } from "../text.ts";
import { BUSY, FORMS } from "./protocol.ts";

export const explanation: Explanation = {
  wire: [
    FREE_TEXT_FRAMING,
    ``,
    `Either end sends whenever it likes, and shows what comes. Text is UTF-8, of at most ${MAX_TEXT} bytes a message. A peer has one`,
    `connection at a time, whoever opened it: a second caller is told ${
      errorReply(BUSY)
    }, and sent away. Any port will do.`,
    `Of two that call each other at the same moment, the one with the smaller address (host:port of the caller, as text)`,
    `keeps its call.`,
  ].join("\n"),
  messages: [{ form: "<any text>", meaning: "is shown to the other" }],
  typed: FORMS,
  dialogue: [
    { who: "C", text: "hello" },
    { who: "S", text: "hi, who is there?", typed: "send hi, who is there?" },
    { who: "C", text: "a peer" },
    { who: "C", text: "and you?" },
  ],
};
