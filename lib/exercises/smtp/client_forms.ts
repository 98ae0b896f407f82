// What a person may type to the client by hand: for help, for completion and for `explain`, which needs no client for that.

import type { CommandForm } from "../commands.ts";

/** What a person may type; anything else is sent as it is, too. */
export const HAND_FORMS: readonly CommandForm[] = [
  { word: "EHLO", form: "EHLO <name>", meaning: "say who you are, and ask what the server can" },
  { word: "HELO", form: "HELO <name>", meaning: "the same, without asking" },
  { word: "STARTTLS", form: "STARTTLS", meaning: "encrypt from now on; say EHLO again then" },
  { word: "AUTH", form: "AUTH LOGIN | AUTH PLAIN", meaning: "log in; the answers are base64" },
  { word: "MAIL", form: "MAIL FROM:<address>", meaning: "begin a message: where it comes from" },
  { word: "RCPT", form: "RCPT TO:<address>", meaning: "who gets it; once for each" },
  { word: "DATA", form: "DATA", meaning: "the message follows, and a line with only a dot" },
  { word: "RSET", form: "RSET", meaning: "forget the message that was begun" },
  { word: "NOOP", form: "NOOP", meaning: "nothing, which is answered" },
  { word: "VRFY", form: "VRFY <address>", meaning: "is there such a mailbox?" },
  { word: "HELP", form: "HELP", meaning: "the server's help" },
  { word: "QUIT", form: "QUIT", meaning: "say goodbye" },
  { word: "/base64", form: "/base64 <text>", meaning: "shows a text in base64, and sends nothing" },
  { word: "?", form: "?", meaning: "shows this, and sends nothing" },
];

/** How each of them begins on the line: `EHLO `, `MAIL FROM:<`. */
export const BEGINNINGS: readonly string[] = HAND_FORMS.flatMap(({ form }) => form.split(" | ")).map((form) =>
  form.replace(/(:<|(?<= )<).*/, (open) => open.startsWith(":") ? ":<" : "")
);
