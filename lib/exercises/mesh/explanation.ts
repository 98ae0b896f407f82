// What `netlab explain mesh` shows.

import type { Explanation } from "../exercise.ts";
import { FREE_TEXT_FRAMING, MAX_TEXT } from "../text.ts";
import { FORMS } from "./protocol.ts";

export const explanation: Explanation = {
  wire: [
    FREE_TEXT_FRAMING,
    ``,
    `Either end sends whenever it likes, and shows what comes under the name of its sender. Text is UTF-8, of at most ${MAX_TEXT}`,
    `bytes a message. Nothing else is on the wire: aliases are each program's own, and a connection serves both directions,`,
    `whoever opened it. Any port will do. <who> is an alias, an address, or host:port where several share an address.`,
  ].join("\n"),
  messages: [{ form: "<any text>", meaning: "is shown to the other, under the sender's alias or address" }],
  typed: FORMS,
  dialogue: [
    { who: "Ca", text: "hello" },
    { who: "Sa", text: "hi", typed: "send 127.0.0.1 hi" },
    { who: "Cb", text: "me too" },
    { who: "Sa", text: "hello, both of you", typed: "broadcast hello, both of you" },
    { who: "Sb", text: "hello, both of you" },
  ],
};
