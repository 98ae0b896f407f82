// Mistakes that the server of lockstep chat can make.

import { asciiOnly, type Bug, diesOfBadText, endsWithAClient, firstOnly, oneRecv, resay, spoil } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { errorReply, isError } from "../text.ts";
import { CAUSE } from "./checks.ts";
import { refusal } from "./protocol.ts";

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  asciiOnly,
  diesOfBadText(CAUSES.badText),
  endsWithAClient(CAUSE.next),
  {
    name: "silent-out-of-turn",
    summary: "says nothing to who does not wait for the reply",
    cause: CAUSE.turns,
    spoil: spoil<string, string>((options) =>
      resay(options, (text) => text === errorReply(refusal.wait()) ? null : text)
    ),
  },
  {
    name: "taken-over",
    summary: "drops the conversation when somebody else calls, and talks with that one",
    cause: CAUSE.busy,
    spoil: spoil<string, string>((options) => ({ ...options, limits: { ...options.limits, maxClients: 100 } })),
  },
  {
    name: "one-exchange",
    summary: "hangs up behind its first reply",
    cause: CAUSE.rounds,
    transports: ["tcp"],
    spoil: spoil<string, string>((options) =>
      resay(options, (text, channel) => {
        // Behind the reply, which is still to be sent.
        if (!isError(text)) queueMicrotask(() => void channel.because("answered").close());
        return text;
      })
    ),
  },
];
