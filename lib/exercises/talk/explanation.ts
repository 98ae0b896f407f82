// What `netlab explain talk` shows.

import type { Explanation } from "../exercise.ts";
import { formatDuration } from "../options.ts";
import { errorReply, FREE_TEXT_FRAMING, MAX_TEXT } from "../text.ts";
import { BYE, refusal, RESEND_MS } from "./protocol.ts";

export const explanation: Explanation = {
  wire: [
    FREE_TEXT_FRAMING,
    `Over UDP a datagram is a message, and whoever sends the first one is the partner, until the end of the conversation. An`,
    `empty one is enough to be spoken to, but until something is said its sender gives way to the next.`,
    ``,
    `Each end enforces the turns: after a message, its sender has to wait for one from the other. Out of turn it is answered`,
    `with ${errorReply(refusal.wait())}, and not shown. Either may begin. A second client is told ${
      errorReply(refusal.busy())
    }. Text is UTF-8, of at`,
    `most ${MAX_TEXT} bytes a message; what begins with ERROR is a refusal, and no turn.`,
    ``,
    `UDP may lose a message or its answer: after ${
      formatDuration(RESEND_MS)
    } of silence (--resend-after) a message may be sent again. The same`,
    `message once more, before it is answered, is a duplicate, and shown once. Who leaves says ${
      errorReply(refusal.left())
    }.`,
  ].join("\n"),
  messages: [
    { form: "<any text>", meaning: "is shown to the other, whose turn it is then" },
    { form: errorReply(refusal.wait()), meaning: "it was not your turn; your last message has come" },
    { form: errorReply(refusal.busy()), meaning: "somebody else is talking; the connection ends" },
  ],
  typed: [{ word: BYE, form: BYE, meaning: "hang up; every other line is a message" }],
  dialogue: [
    { who: "C", text: "hello" },
    { who: "S", text: "hi, what is it?", typed: "hi, what is it?" },
    { who: "C", text: "nothing much" },
    { who: "C", text: "are you still there?" },
    { who: "S", text: errorReply(refusal.wait()) },
    { who: "S", text: "yes", typed: "yes" },
  ],
};
