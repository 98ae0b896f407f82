// What `netlab explain messages` shows.

import type { Explanation } from "../exercise.ts";
import { FREE_TEXT_FRAMING, MAX_TEXT } from "../text.ts";
import { MAX_KEPT, QUIT } from "./protocol.ts";

export const explanation: Explanation = {
  wire: [
    FREE_TEXT_FRAMING,
    ``,
    `Nothing is answered until ${QUIT}: then all messages of this session come back, joined by LF, and the connection ends. An`,
    `empty log is an empty answer. Messages are UTF-8, of at most ${MAX_TEXT} bytes; a session keeps 1 MiB of them (--max-log), and`,
    `a message beyond that is refused with ERROR: what comes back is complete up to there. So is one that comes while all`,
    `sessions together hold ${MAX_KEPT / 1_048_576} MiB.`,
  ].join("\n"),
  messages: [
    { form: "<any text>", meaning: "is printed at the server, and kept" },
    { form: QUIT, meaning: "the answer is all of them, then the connection ends" },
  ],
  dialogue: [
    { who: "C", text: "hello" },
    { who: "C", text: "how are you" },
    { who: "C", text: QUIT },
    { who: "S", text: "hello" },
    { who: "S", text: "how are you" },
  ],
};
