// What `netlab explain chat` shows.

import type { Explanation } from "../exercise.ts";
import { MAX_NAME } from "../names.ts";
import { errorReply } from "../text.ts";
import { BROADCAST, COMMANDS, MAX_MESSAGE, refusal, reply, RESERVED } from "./protocol.ts";

const WORDS = RESERVED.filter((word) => word !== BROADCAST);

export const explanation: Explanation = {
  wire: [
    `Each command and each reply is one frame. The server finds out how a client frames from its first bytes and answers`,
    `in the same way: a line (ends at LF), a decimal length of 1 to 8 digits before the text (0010NAME alice), a length of`,
    `8 bytes, big-endian, or nothing (one read is one message, known by 300 ms of silence). Lengths count bytes.`,
    ``,
    `Text is UTF-8; a command has at most ${MAX_MESSAGE} bytes. A name has 1 to ${MAX_NAME} letters, digits, _ - . and is case-sensitive;`,
    `commands are not. ${BROADCAST} stands for every other user; ${WORDS.slice(0, -1).join(", ")} and ${
      WORDS.at(-1)
    } are no`,
    `names: in the answer to GET_NAMES they would make a message of it, or an error. A message is delivered whole or not at`,
    `all, in the order in which its sender sent it; control characters in it are written out (\\x1b). Anything wrong is`,
    `answered with ERROR.`,
    ``,
    `BLOCK is of the user who has the name, and goes with it when it takes another; and of the name, for whoever takes that`,
    `later: nobody need have it yet. It is not answered, and the sender is not told. UNBLOCK of either name lifts it.`,
  ].join("\n"),
  messages: COMMANDS,
  dialogue: [
    { who: "Ca", text: "NAME alice" },
    { who: "Sa", text: reply.hello("alice") },
    { who: "Cb", text: "NAME alice" },
    { who: "Sb", text: errorReply(refusal.taken("alice")) },
    { who: "Cb", text: "NAME bob" },
    { who: "Sb", text: reply.hello("bob") },
    { who: "Ca", text: "GET_NAMES" },
    { who: "Sa", text: reply.names(["alice", "bob"]) },
    { who: "Ca", text: "MSG bob hi there" },
    { who: "Sb", text: reply.delivery("alice", "hi there") },
    { who: "Cb", text: "MSG carol hi" },
    { who: "Sb", text: errorReply(refusal.noSuchUser("carol")) },
    { who: "Ca", text: "EXIT" },
    { who: "Sa", text: reply.exit() },
  ],
};
