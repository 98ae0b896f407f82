// Mistakes that the chat server can make.

import {
  type Bug,
  countsCharacters,
  diesOfBadText,
  firstOnly,
  forgetsTheEnd,
  oneAtATime,
  oneRecv,
  resay,
  slowReader,
  spoil,
  tellsEverybody,
} from "../bug.ts";
import { errorReply } from "../text.ts";
import { CAUSE } from "./checks.ts";
import { type Command, parseReply, refusal, reply } from "./protocol.ts";

/** Answers that begin so are not sent, or others in their place. */
const instead = (start: string, other: (message: string) => string | null) =>
  spoil<Command, string>((options) =>
    resay(options, (message) => message.startsWith(errorReply(start)) ? other(message) : message)
  );

/** What is greeted in place of a refusal: a name that it tells, or whatever was said. */
const greetAnyway = (message: string) => reply.hello(message.replace(/^.*: /s, ""));

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  countsCharacters,
  slowReader(CAUSE.slow),
  diesOfBadText(CAUSE.badText),
  forgetsTheEnd("keeps-names", "a name stays taken when its owner has gone", CAUSE.keepsNames),
  {
    name: "gives-names-away",
    summary: "greets whoever asks for a name, whether somebody has it or not",
    cause: CAUSE.taken,
    spoil: instead(refusal.taken(""), greetAnyway),
  },
  {
    name: "any-name",
    summary: "takes any text for a name",
    cause: CAUSE.anyName,
    spoil: instead(refusal.invalidName(""), greetAnyway),
  },
  {
    name: "silent-unknown-user",
    summary: "says nothing when there is nobody of the name that a message is for",
    cause: CAUSE.unknownUser,
    spoil: instead(refusal.noSuchUser(""), () => null),
  },
  {
    name: "silent-unknown-command",
    summary: "says nothing when it does not know a command",
    cause: CAUSE.unknownCommand,
    spoil: instead("unknown command", () => null),
  },
  tellsEverybody("sends each message to every connection", CAUSE.everybody, (message) => {
    return parseReply(String(message)).type === "delivery";
  }),
];
