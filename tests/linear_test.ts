// What reads text that a peer has sent takes time in proportion to its length, whatever it is: a regular expression that
// begins anew at each character takes the square of it, and whoever sends such text holds up everybody.

import { assertLess } from "@std/assert";
import * as calc from "../lib/exercises/calc/protocol.ts";
import * as chat from "../lib/exercises/chat/protocol.ts";
import { splitWord } from "../lib/exercises/commands.ts";
import * as files from "../lib/exercises/files/protocol.ts";
import { isAddress } from "../lib/exercises/mesh/protocol.ts";
import { isQuit } from "../lib/exercises/messages/protocol.ts";
import { parseMessage } from "../lib/exercises/multitalk/protocol.ts";
import { fileNameProblem } from "../lib/exercises/names.ts";
import { isDomain, isLiteral, parseMailbox, parsePath } from "../lib/exercises/smtp/address.ts";
import { secretFrom } from "../lib/exercises/smtp/framing.ts";
import * as smtp from "../lib/exercises/smtp/protocol.ts";
import { SessionFramer } from "../lib/exercises/smtp/session_framer.ts";
import { isError } from "../lib/exercises/text.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { encodeText, escapeText, trimEndOf } from "../lib/protocol/text.ts";
import { test } from "./helpers.ts";

/** Twice, since what comes behind AUTH is looked at in another way. */
function conceal(text: string): void {
  const framer = new SessionFramer(() => ({ type: "command" }), false);
  const queue = new ByteQueue();
  queue.push(encodeText(text));
  for (let i = 0; i < 2; i++) framer.conceal(queue.peek(queue.length), queue);
}

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  "calc's requests": calc.parseRequest,
  "whether one of calc's is complete": calc.isComplete,
  "chat's commands": chat.parseCommand,
  "whether one of chat's is complete": chat.isComplete,
  "chat's replies": chat.parseReply,
  "requests for files": files.parseRequest,
  "replies with files": files.parseReply,
  "entries of files": files.parseEntry,
  "names of files": (text) => fileNameProblem(text),
  "names of peers": isAddress,
  "goodbyes": isQuit,
  "messages for somebody": parseMessage,
  "typed lines": splitWord,
  "SMTP's commands": smtp.parseCommand,
  "SMTP's replies": smtp.parseReplyLine,
  "parameters of MAIL": smtp.parseParameters,
  "paths": (text) => parsePath(`<${text}`),
  "what stands behind a path": (text) => parsePath(`<a@b> ${text}`),
  "mailboxes": parseMailbox,
  "domains": isDomain,
  "address literals": isLiteral,
  "where a password begins": (text) => secretFrom(text),
  "where a password begins, anywhere": (text) => secretFrom(text, true),
  "what bytes may be shown of SMTP": conceal,
  "errors": isError,
  "text to be shown": escapeText,
  "the end of a text": (text) => trimEndOf(text, " \r\n"),
};
const BEGINNINGS = ["", "MSG a ", "7 ", "AUTH ", '"'];
const RUNS = [
  " ",
  "\t",
  "\r",
  "\n",
  "\r\n",
  " \r",
  "0",
  "-",
  ".",
  ",",
  ":",
  "@",
  "=",
  "<",
  "(",
  '"',
  "\\",
  "a",
  "a.",
  "a ",
];
const ENDS = ["", "x", "x\r", "x ", "@"];
const LENGTH = 40_000;
/** A text takes some milliseconds at most; the square of its length would be a second and more. */
const LIMIT_MS = 400;

for (const [what, read] of Object.entries(READERS)) {
  test(`long texts of one character are read in time: ${what}`, () => {
    for (const begin of BEGINNINGS) {
      for (const run of RUNS) {
        for (const end of ENDS) {
          const text = begin + run.repeat(LENGTH / run.length) + end;
          let ms = Infinity;
          // Another program may have had the processor meanwhile, but not each time.
          for (let tries = 0; tries < 3 && ms >= LIMIT_MS; tries++) {
            const begun = performance.now();
            read(text);
            ms = performance.now() - begun;
          }
          assertLess(ms, LIMIT_MS, JSON.stringify([begin, run, end]));
        }
      }
    }
  });
}
