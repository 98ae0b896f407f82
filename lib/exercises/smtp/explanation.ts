// What `netlab explain smtp` shows.

import type { Explanation } from "../exercise.ts";
import { CODES, STATES } from "./codes.ts";
import { HAND_FORMS } from "./client_forms.ts";
import { makeNotation } from "./notation.ts";
import { DEFAULT_MAX_SIZE, MAX_COMMAND, VERBS } from "./protocol.ts";

/** The code of each command in each state, as a table. */
function codesTable(): string[] {
  const row = (first: string, cells: readonly (string | number)[]) =>
    `  ${first.padEnd(9)}${cells.map((cell) => String(cell).padStart(7)).join("")}`;
  return [row("", STATES), ...VERBS.map((verb) => row(verb, STATES.map((state) => CODES[verb][state])))];
}

export const explanation: Explanation = {
  makeNotation,
  wire: [
    `The client says commands, a line each, and the server answers each with a code of three digits and text. In a reply of`,
    `several lines all but the last have a minus behind the code. 2xx is yes, 3xx means go on, 4xx not now, 5xx no. The`,
    `second code, 2.1.0, says the same in more detail (RFC 3463).`,
    ``,
    `A message has an envelope, MAIL and RCPT, and content, which DATA announces. It ends at a line that is only a dot:`,
    `CR LF . CR LF, and nothing else does. So a line that begins with a dot is sent with one more. BDAT sends content as a`,
    `number of bytes instead, and needs no dots (RFC 3030).`,
    ``,
    `A command may end in LF alone, because nc sends that; content may not (nc -C, or telnet). A command has at most`,
    `${MAX_COMMAND} bytes, CR LF included, and a longer one is answered with 500. A line of content should have at most 1000 (RFC`,
    `5321, 4.5.3.1.6); longer ones are taken all the same, up to the size of a whole message, which EHLO says (SIZE;`,
    `--max-size sets it). Mail is delivered to Maildirs, one for each recipient, and never sent on; the reply 250 means that`,
    `it is on the disk. There each CR LF is an LF, as programs that read Maildirs expect it.`,
    ``,
    `What is wrong is refused, and the client may go on: 500 for a command that is none or too long, 501 for what stands`,
    `behind it, 503 for one whose time has not come, 553 for an address beyond ASCII without SMTPUTF8, 555 for a parameter`,
    `that is not known.`,
    ``,
    `With --bare-newline reject, CR and LF that stand alone are refused everywhere. With --compat course, students' programs`,
    `are understood that the RFC does not allow: 300 ms of silence end a command (but not STARTTLS), an empty line is passed`,
    `over, an address needs no angle brackets, spaces around what AUTH says are none of it, and 354 and 235 have the words of`,
    `the course. The log says where that was needed.`,
    ``,
    `The code of each command in each state, when nothing else is wrong with it. EHLO leads from start to ready, MAIL to`,
    `mail, RCPT to rcpt; the end of the content, RSET and EHLO lead back to ready:`,
    ``,
    ...codesTable(),
  ].join("\n"),
  messages: [
    { form: "EHLO <name>", meaning: "who the client is; the reply lists what the server can do" },
    { form: "HELO <name>", meaning: "the same without the list, for old clients" },
    { form: "MAIL FROM:<address>", meaning: "a message from that address; SIZE=, BODY= and SMTPUTF8 may follow" },
    { form: "RCPT TO:<address>", meaning: "for that address; as often as there are recipients" },
    { form: "DATA", meaning: "354; then the content, and a line with only a dot" },
    { form: "BDAT <size> [LAST]", meaning: "so many bytes of the content follow; LAST: that is all of it" },
    { form: "RSET", meaning: "forget the message" },
    { form: "NOOP", meaning: "nothing" },
    { form: "VRFY <address>", meaning: "252: send mail, and see" },
    { form: "EXPN <list>", meaning: "502: there are no lists" },
    { form: "HELP", meaning: "214: the commands" },
    { form: "STARTTLS", meaning: "220; then TLS begins, and EHLO is said again" },
    { form: "AUTH PLAIN|LOGIN [answer]", meaning: "log in: 334 asks, in base64, and 235 means welcome" },
    { form: "QUIT", meaning: "221, and the end" },
  ],
  typed: HAND_FORMS,
  dialogue: [
    { who: "S", text: "220 netlab ESMTP netlab" },
    { who: "C", text: "EHLO client.example.org" },
    { who: "S", text: "250-netlab greets client.example.org" },
    { who: "S", text: "250-PIPELINING" },
    { who: "S", text: `250-SIZE ${DEFAULT_MAX_SIZE}` },
    { who: "S", text: "250-8BITMIME" },
    { who: "S", text: "250-SMTPUTF8" },
    { who: "S", text: "250-CHUNKING" },
    { who: "S", text: "250-ENHANCEDSTATUSCODES" },
    { who: "S", text: "250 HELP" },
    { who: "C", text: "MAIL FROM:<alice@example.org>" },
    { who: "S", text: "250 2.1.0 sender taken" },
    { who: "C", text: "RCPT TO:<bob@example.org>" },
    { who: "S", text: "250 2.1.5 recipient taken" },
    { who: "C", text: "DATA" },
    { who: "S", text: "354 go ahead; a line with only a dot is the end" },
    { who: "C", text: "Subject: lunch" },
    { who: "C", text: "" },
    { who: "C", text: "At noon?" },
    { who: "C", text: "..this line begins with one dot" },
    { who: "C", text: "." },
    { who: "S", text: "250 2.0.0 taken as …" },
    { who: "C", text: "QUIT" },
    { who: "S", text: "221 2.0.0 netlab says goodbye" },
  ],
};
