// What `netlab explain multitalk` shows.

import type { Explanation } from "../exercise.ts";
import { FREE_TEXT_FRAMING, MAX_TEXT } from "../text.ts";
import { ALL, FORMS, MESSAGE_FORMS } from "./protocol.ts";

export const explanation: Explanation = {
  wire: [
    FREE_TEXT_FRAMING,
    ``,
    `Clients send whenever they like; the operator at the server sees each message under its client's label (c1, c2, … until`,
    `it is given another), and answers whom it likes. Nobody waits for anybody. Text is UTF-8, of at most ${MAX_TEXT} bytes a`,
    `message. With serve --relay, the other clients get it as well, as label: text.`,
  ].join("\n"),
  messages: [{ form: "<any text>", meaning: `is shown to the operator; or, from there, to a client or to @${ALL}` }],
  typed: [...MESSAGE_FORMS, ...FORMS],
  dialogue: [
    { who: "Ca", text: "hello" },
    { who: "Cb", text: "is anybody there?" },
    { who: "Sa", text: "hello, first one", typed: "@c1 hello, first one" },
    { who: "Sb", text: "hello, second one", typed: "@c2 hello, second one" },
    { who: "Sa", text: "we close soon", typed: `@${ALL} we close soon` },
    { who: "Sb", text: "we close soon" },
  ],
};
