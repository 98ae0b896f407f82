// Mistakes that the calculator can make.

import { type Bug, diesOfBadText, firstOnly, oneAtATime, oneRecv, rehear, resay, spoil } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { errorReply } from "../text.ts";
import { CAUSE } from "./checks.ts";
import { refusal } from "./protocol.ts";

/** Nobody catches what becomes an answer that begins so. */
const diesOf = (start: string) =>
  spoil<string, string>((options, end) =>
    resay(options, (answer) => {
      if (!answer.startsWith(errorReply(start))) return answer;
      end();
      return null;
    })
  );

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  diesOfBadText(CAUSES.badText),
  {
    name: "one-question",
    summary: "hangs up behind its first answer",
    cause: CAUSE.again,
    transports: ["tcp"],
    spoil: spoil<string, string>((options) =>
      rehear(options, (session, channel) => ({
        async onMessage(text) {
          await session.onMessage(text);
          void channel.because("answered").close();
        },
      }))
    ),
  },
  {
    name: "dies-of-zero",
    summary: "ends, for everybody, when somebody divides by zero",
    cause: CAUSE.zero,
    spoil: diesOf(refusal.divisionByZero()),
  },
  {
    name: "dies-of-words",
    summary: "ends, for everybody, when somebody asks what is no number",
    cause: CAUSE.words,
    spoil: diesOf(refusal.notAnInteger("")),
  },
  {
    name: "32-bits",
    summary: "computes in 32 bits, and lets the rest go",
    cause: CAUSE.big,
    spoil: spoil<string, string>((options) =>
      resay(options, (answer) => /^-?\d+$/.test(answer) ? String(BigInt.asIntN(32, BigInt(answer))) : answer)
    ),
  },
  {
    name: "loses-the-sign",
    summary: "takes the digits of a number, and not the minus before them",
    cause: CAUSE.negative,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session) => ({
        onMessage: (text) => session.onMessage(text.replace(/(^|[-+*/%\s])-(?=\d)/g, "$1")),
      }))
    ),
  },
  {
    name: "no-remainder",
    summary: "divides where a remainder is asked for",
    cause: CAUSE.operators,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session) => ({ onMessage: (text) => session.onMessage(text.replaceAll("%", "/")) }))
    ),
  },
];
