// Black-box checks of any mail server that takes mail for `student@example.org` without a password, and of any mail client:
// one that takes sender, recipient and text behind the address, or has its own. Each names the section of the RFC it rests on;
// where no other is named, that is RFC 5321.

import { encodeText } from "../../protocol/text.ts";
import { CAUSES } from "../causes.ts";
import {
  accept,
  type Check,
  connect,
  exits,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  leave,
  mentions,
  orEnd,
  send,
  sendBytes,
  shows,
  start,
  stays,
  type Step,
} from "../check.ts";

/** What is usually wrong. The mistakes that netlab's own server can make name the same. */
export const CAUSE = {
  lfReplies: "a line of yours ends in \\n: what SMTP says ends in \\r\\n, every line of it",
  content:
    "what one recv() brings is taken for the mail: it may be its beginning, or a line of it. Collect what comes until it " +
    "ends with \\r\\n.\\r\\n",
  falseEnd:
    "something else than the five bytes \\r\\n.\\r\\n ends a mail, as when lines are stripped or split at \\n before they " +
    "are compared with the dot. What stands behind it is taken for commands then: that is how mail is smuggled",
  endsWithDot:
    'a mail is taken to end where a text ends with a dot (endswith(".") or the like): look for \\r\\n.\\r\\n, the dot ' +
    "alone in its line",
  beginsWithDot:
    'every line that begins with a dot is taken for the end (startswith(".")): the end is a line that is only a dot. Clients ' +
    "put another dot before a line of theirs that begins with one: take that off",
  again: "the connection is closed, or nothing is listened to, behind the first mail: go back to waiting for commands",
  order: "commands are taken in any order: remember how far the client has come, and answer 503 to what cannot be yet",
  forgets: "RSET is answered and nothing forgotten, or not known: drop sender and recipients",
  keeps:
    "the list of recipients, or the sender, is not emptied when a mail has been taken: the next mail goes to people for " +
    "whom it is not",
  oneRecipient:
    "RCPT is taken once, and then something else is waited for: a mail may have many recipients, each said by an RCPT of " +
    "its own. Keep a list",
  unknown: "what is no command falls through every branch: answer 500 in the last one, and listen on",
  nameless:
    "EHLO stands alone, and servers refuse that: behind it is the name of your machine, or its address as in [127.0.0.1]",
  noop: "NOOP is not known: it does nothing, and asks whether you are there",
  anyPath:
    "whatever stands behind MAIL FROM: or RCPT TO: is taken: an address is <, a name, @, a host, > and nothing else",
  anyCase:
    "commands are compared as they come: make the first word, and FROM: and TO: behind it, upper case before you look at them",
  emptyMail:
    "the end is looked for behind the first line only: of an empty mail .\\r\\n comes right behind the line that said DATA, " +
    "whose \\r\\n is the one before the dot",
  badText:
    "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: mail may have any bytes. Keep content " +
    'as bytes, and decode commands with errors="replace"',
} as const;

/** The last line of a reply with one of these codes. */
function code(...codes: number[]): Expectation {
  const all = codes.join(" or ");
  return {
    what: `a reply ${all}`,
    accepts: "a line that begins with the code, and a space or nothing behind it",
    matches: (text) => new RegExp(`^(?:${codes.join("|")})(?:\\s|$)`).test(text),
  };
}

/** A refusal: any code of its kind will do. */
const refusal: Expectation = { what: "a refusal (5xx)", matches: (text) => /^5\d\d(?: |$)/.test(text) };
const anyRefusal: Expectation = { what: "a refusal (4xx or 5xx)", matches: (text) => /^[45]\d\d(?: |$)/.test(text) };
const another: Expectation = { what: "a second reply", matches: (text) => /^(?:250|[45]\d\d)(?: |$)/.test(text) };
const oneReply: Expectation = { ...another, what: "one reply to the message" };
const bareLf: Expectation = { what: "a line that ends in LF alone", matches: (text) => text.endsWith("\n") };

const FROM = "MAIL FROM:<alice@example.org>";
const TO = "RCPT TO:<student@example.org>";

const ask = (who: string, text: string, ...codes: number[]): Step[] => [send(who, text), expect(who, code(...codes))];
const askBytes = (who: string, text: string, what: string, expected: Expectation): Step[] => [
  sendBytes(who, encodeText(text), what),
  expect(who, expected),
];
const greeted = (...who: string[]): Step[] => who.flatMap((one) => [...connect(one), expect(one, code(220))]);
const hello = (...who: string[]): Step[] => [
  ...greeted(...who),
  ...who.flatMap((one) => ask(one, `EHLO ${one}.example.org`, 250)),
];
const data = (who: string): Step[] => [...ask(who, FROM, 250), ...ask(who, TO, 250), ...ask(who, "DATA", 354)];
/** Whether it knows NOOP is another matter. */
const isThere = (who: string): Step[] => ask(who, "NOOP", 250, 500, 502);
/** Nothing was said behind the last reply but what the next command is answered with. */
const saysNoMore = (who: string): Step[] => [
  forbid(who, another),
  send(who, "QUIT"),
  expect(who, orEnd(code(221))), // one check is enough for who hangs up behind a mail
];
/** The content ends here. */
const end = (who: string): Step[] => [send(who, "At noon?"), ...ask(who, ".", 250)];
/** The same: one reply to it. */
const endsOnce = (who: string): Step[] => [...ask(who, ".", 250), ...saysNoMore(who)];

const HELLO = "EHLO is answered with 250 (4.1.1.1)";
const MAIL = "a message is taken (3.3)";
const GROUP = "commands that come in one group are answered in order (RFC 2920 section 3.1)";
const SECOND = "a second client is served while the first stays";

/** What looks like the end of a message, and is none: only CR LF . CR LF is (2.3.8, 4.1.1.4). */
const FALSE_ENDS: readonly (readonly [bytes: string, name: string])[] = [
  ["\n.\n", "LF . LF"],
  ["\n.\r\n", "LF . CR LF"],
  ["\r\n.\n", "CR LF . LF"],
  ["\r.\r", "CR . CR"],
  ["\r.\r\n", "CR . CR LF"],
  ["\r\n.\r", "CR LF . CR"],
  ["\r\r\n.\r\r\n", "CR CR LF . CR CR LF"],
  ["\r\n.\0\r\n", "CR LF . NUL CR LF"],
  ["\r\n\0.\r\n", "CR LF NUL . CR LF"],
  ["\r\n. \r\n", "CR LF . SP CR LF"],
];

/** A text of many lines, longer than a recv() brings. */
const LONG = Array.from({ length: 1000 }, (_, i) => `This is line ${i} of a mail that is long.`).join("\r\n");

// What comes too early, or is undone, is refused by a server that takes no mail at all, too: these checks need one that does.
export const checks: readonly Check[] = [
  {
    name: "the server greets with 220 (4.2, 3.1)",
    points: 2,
    cause: "the server waits for the client to speak: in SMTP the server speaks first, a line that begins with 220",
    steps: greeted("alice"),
  },
  {
    name: HELLO,
    points: 5,
    cause:
      "EHLO is not known, or the last line of the answer is not 250, a space and text: 250- says that another follows",
    steps: hello("alice"),
  },
  {
    name: "HELO is answered with 250 (4.1.1.1)",
    points: 1,
    cause: "only EHLO is known: old clients say HELO",
    steps: [...greeted("alice"), ...ask("alice", "HELO alice.example.org", 250)],
  },
  {
    name: "lines end in CR LF (2.3.8)",
    points: 2,
    cause: CAUSE.lfReplies,
    needs: [HELLO],
    steps: [
      ...connect("alice"),
      forbid("alice", bareLf),
      expect("alice", code(220)),
      forbid("alice", bareLf),
      ...ask("alice", "EHLO alice.example.org", 250),
      forbid("alice", bareLf),
      ...ask("alice", FROM, 250),
    ],
  },
  {
    name: MAIL,
    points: 11,
    cause: CAUSE.content,
    needs: [HELLO],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      send("alice", "Subject: hello"),
      send("alice", ""),
      send("alice", "At noon?"),
      ...endsOnce("alice"),
    ],
  },
  {
    name: "an empty mail is taken (4.1.1.4)",
    points: 1,
    cause: CAUSE.emptyMail,
    needs: [MAIL],
    steps: [...hello("alice"), ...data("alice"), ...endsOnce("alice")],
  },
  {
    name: "a mail that is longer than one read is taken",
    points: 3,
    cause: CAUSE.content,
    needs: [MAIL],
    steps: [...hello("alice"), ...data("alice"), send("alice", LONG), ...endsOnce("alice")],
  },
  {
    name: "a mail may have several recipients (3.3)",
    points: 2,
    cause: CAUSE.oneRecipient,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      // Whom else it knows is its own affair.
      ...[TO, TO, TO].flatMap((to) => ask("alice", to, 250)),
      ...ask("alice", "DATA", 354),
      ...end("alice"),
    ],
  },
  {
    name: "a reply without an address can be sent: MAIL FROM:<> (4.5.5)",
    points: 1,
    cause:
      "the sender is taken for an address in any case: <> is said of what nobody shall answer, as a report of failure",
    needs: [MAIL],
    steps: [...hello("alice"), ...ask("alice", "MAIL FROM:<>", 250), ...ask("alice", TO, 250)],
  },
  {
    name: "commands may be written in any case (2.4)",
    points: 2,
    cause: CAUSE.anyCase,
    steps: [
      ...greeted("alice"),
      ...ask("alice", "eHlO alice.example.org", 250),
      ...ask("alice", "mAiL fRoM:<alice@example.org>", 250),
      ...ask("alice", "rCpT tO:<student@example.org>", 250),
    ],
  },
  {
    name: "a second message goes over the same connection (3.3)",
    points: 2,
    cause: CAUSE.again,
    needs: [MAIL],
    steps: [...hello("alice"), ...data("alice"), ...end("alice"), ...data("alice"), ...end("alice")],
  },
  {
    name: "behind a message its sender and recipients are forgotten (4.1.1.4)",
    points: 4,
    cause: CAUSE.keeps,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      ...end("alice"),
      ...ask("alice", TO, 503),
      ...ask("alice", FROM, 250),
      ...ask("alice", "DATA", 503, 554),
    ],
  },
  {
    name: "RCPT before MAIL, and DATA before RCPT, are refused with 503 (4.1.4)",
    points: 10,
    cause: CAUSE.order,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", TO, 503),
      ...ask("alice", "DATA", 503, 554),
      ...ask("alice", FROM, 250),
      ...ask("alice", "DATA", 503, 554),
    ],
  },
  {
    name: "a second MAIL inside a transaction is refused with 503 (4.1.4)",
    points: 1,
    cause: CAUSE.order,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", FROM, 250), ...ask("alice", FROM, 503)],
  },
  {
    name: "RSET forgets sender and recipients (4.1.1.5)",
    points: 6,
    cause: CAUSE.forgets,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      ...ask("alice", TO, 250),
      ...ask("alice", "RSET", 250),
      ...ask("alice", "DATA", 503, 554),
      ...ask("alice", FROM, 250),
    ],
  },
  {
    name: "a second EHLO ends the transaction (4.1.4)",
    points: 1,
    cause: "EHLO is answered and nothing forgotten: it begins anew, as RSET does",
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      ...ask("alice", "EHLO alice.example.org", 250),
      ...ask("alice", TO, 503),
    ],
  },
  {
    name: "NOOP is answered with 250 (4.1.1.9)",
    points: 1,
    cause: CAUSE.noop,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "NOOP", 250)],
  },
  {
    name: "an unknown command is refused with 500 or 502, and the client may go on (4.2.4)",
    points: 5,
    cause: CAUSE.unknown,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "FROBNICATE now", 500, 502), ...isThere("alice")],
  },
  {
    name: "paths that are none are refused with 501, or 553 (4.1.2)",
    points: 5,
    cause: CAUSE.anyPath,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", "MAIL FROM:<a b@example.org>", 501, 553),
      ...ask("alice", "MAIL alice@example.org", 501, 500),
      ...ask("alice", FROM, 250),
      ...ask("alice", "RCPT TO:<>", 501, 550, 553),
    ],
  },
  {
    name: "QUIT is answered with 221, and the server ends the connection (4.1.1.10)",
    points: 3,
    cause: "QUIT is not answered, or the connection is not closed behind the answer",
    steps: [...greeted("alice"), ...ask("alice", "QUIT", 221), expectEnd("alice")],
  },
  {
    name: "VRFY does not tell who is there, or does: 252, 250 or a refusal (3.5.3)",
    points: 1,
    cause: "VRFY is not known: answer 252, or 502",
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "VRFY student", 250, 252, 502, 550, 551, 553), ...isThere("alice")],
  },
  {
    name: GROUP,
    points: 3,
    cause: CAUSES.joined,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...askBytes("alice", `${FROM}\r\n${TO}\r\nDATA`, "MAIL, RCPT and DATA in one group", code(354)),
      ...askBytes("alice", `At noon?\r\n.\r\n${FROM}`, "a mail and MAIL in one group", code(250)),
      expect("alice", code(250)),
    ],
  },
  {
    name: "a line that begins with a dot is content (4.5.2)",
    points: 3,
    cause: CAUSE.beginsWithDot,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      ...["..", "..x", "...", ".."].map((line) => send("alice", line)),
      ...endsOnce("alice"),
    ],
  },
  {
    name: "a line that ends with a dot does not end a message (4.1.1.4)",
    points: 2,
    cause: CAUSE.endsWithDot,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      ...["It is late.", "See you...", "Bye."].map((line) => send("alice", line)),
      ...endsOnce("alice"),
    ],
  },
  ...FALSE_ENDS.map(([bytes, name]): Check => ({
    name: `${name} does not end a message (2.3.8, 4.1.1.4)`,
    points: 1,
    cause: CAUSE.falseEnd,
    needs: [MAIL],
    steps: [
      ...hello("mallory"),
      ...data("mallory"),
      sendBytes("mallory", encodeText(`line${bytes}NOOP`), `a line, ${name}, and NOOP`),
      // A server may refuse all of it at its end, as long as it is one message (4.1.1.4).
      send("mallory", "."),
      expect("mallory", oneReply),
      ...saysNoMore("mallory"),
    ],
  })),
  {
    name: "a long command line is refused, and the client may go on (4.5.3.1.4)",
    points: 1,
    cause: "a command longer than one recv() is taken for several: read on to its end, and answer it once",
    needs: [HELLO],
    steps: [
      ...hello("alice"),
      ...askBytes("alice", `NOOP ${"x".repeat(2000)}`, "a command of 2000 bytes", {
        what: "a reply",
        matches: (text) => /^(?:250|5\d\d)(?: |$)/.test(text),
      }),
      ...isThere("alice"),
    ],
  },
  {
    name: "a line of 998 bytes is taken (4.5.3.1.6)",
    points: 1,
    cause: "lines are cut somewhere: a line of mail may have 998 bytes and CR LF",
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      send("alice", "x".repeat(998)),
      ...endsOnce("alice"),
    ],
  },
  {
    name: "a hundred recipients are taken (4.5.3.1.8)",
    points: 1,
    cause: CAUSE.oneRecipient,
    needs: [GROUP],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      sendBytes("alice", encodeText(Array(100).fill(TO).join("\r\n")), "a hundred times RCPT"),
      ...Array.from({ length: 100 }, () => expect("alice", code(250))),
      ...ask("alice", "DATA", 354),
    ],
  },
  {
    name: "an address beyond ASCII needs SMTPUTF8 (RFC 6531 section 3.5)",
    points: 1,
    cause: "an address is taken as it comes: without SMTPUTF8 behind it, one that is not ASCII is refused",
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "MAIL FROM:<älice@example.org>", 553, 550, 501), ...isThere("alice")],
  },
  {
    name: "an unknown parameter is refused with 555, 501 or 504 (4.1.1.11)",
    points: 1,
    cause: "what stands behind the address is not looked at: it asks for something that you do not do",
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", `${FROM} FROBNICATE=1`, 555, 501, 504), ...isThere("alice")],
  },
  {
    name: SECOND,
    points: 2,
    cause: CAUSES.oneAtATime,
    needs: [HELLO],
    steps: hello("alice", "bob"),
  },
  {
    name: "several mails come in at once and do not mix",
    points: 1,
    cause:
      "what is kept of one connection is kept for all (a global variable): keep it in the function that serves one",
    needs: [MAIL, SECOND],
    steps: [
      ...hello("alice", "bob", "carol"),
      ...["carol", "alice", "bob"].flatMap(data),
      ...["alice", "bob", "carol"].flatMap(end),
    ],
  },
  {
    name: "a client that vanishes in the middle of a message harms nobody",
    points: 2,
    cause: CAUSES.cut,
    needs: [MAIL],
    steps: [
      ...hello("mallory"),
      ...data("mallory"),
      send("mallory", "half a message"),
      leave("mallory", "reset"),
      ...hello("alice"),
      ...data("alice"),
      ...end("alice"),
    ],
  },
  {
    name: "bytes that are not UTF-8 harm nobody",
    points: 2,
    cause: CAUSE.badText,
    needs: [MAIL],
    steps: [
      ...hello("mallory"),
      ...data("mallory"),
      sendBytes("mallory", Uint8Array.of(0x67, 0x72, 0xfc, 0xdf, 0x65), "a line in ISO 8859-1"),
      send("mallory", "."),
      expect("mallory", oneReply),
      sendBytes("mallory", Uint8Array.of(0xff, 0xfe, 0xc3), "a command that is not UTF-8"),
      leave("mallory"),
      ...hello("alice"),
      ...isThere("alice"),
    ],
  },
  {
    name: "who speaks HTTP is refused",
    points: 1,
    cause:
      "what is no command is taken, or not answered: a browser that somebody points at your port is no mail client",
    steps: [
      ...greeted("mallory"),
      send("mallory", "GET / HTTP/1.1"),
      expect("mallory", anyRefusal),
      leave("mallory"),
      ...greeted("alice"),
      send("alice", "Host: example.org"),
      expect("alice", refusal),
    ],
  },
];

// A client under test: what a check wants to be sent; who has addresses and a text of its own sends these.

const SENDER = "alice@example.org";
const RECIPIENT = "student@example.org";

/** A client under test calls. */
const called = (text = "At noon?"): Step[] => [start("client", SENDER, RECIPIENT, text), accept("server")];

/** A command of the client's, in any case. */
const command = (what: string, pattern: RegExp): Expectation => ({
  what,
  accepts: "in any case, whatever address or name stands in it",
  matches: (text) => pattern.test(text),
});
const HELLO_SAID = command("EHLO or HELO", /^(?:EHLO|HELO)\b/i);
const MAIL_SAID = command("MAIL FROM:<…>", /^MAIL FROM:\s*<.*>/i);
const RCPT_SAID = command("RCPT TO:<…>", /^RCPT TO:\s*<.+>/i);
const DATA_SAID = command("DATA", /^DATA\s*$/i);
const QUIT_SAID = command("QUIT", /^QUIT\s*$/i);
const END_SAID: Expectation = { what: "a line that is only a dot", matches: (text) => text.trimEnd() === "." };
const GIVES_UP = orEnd(command("QUIT or RSET", /^(?:QUIT|RSET)\s*$/i));
/** What a client goes on with that was told to stop; an empty line does no harm. */
const goesOn = (...verbs: string[]): Expectation => ({
  what: `${verbs.join(" or ")}, or content`,
  matches: (text) => new RegExp(`^(?:${verbs.join("|")})\\b`, "i").test(text) || !/^(?:[A-Z]{4}\b|$)/i.test(text),
});

const HELLO_REPLY = "250 mail.example.org greets you";

/** The dialogue up to a stage, each command answered with yes. */
const toHello = (text?: string): Step[] => [
  ...called(text),
  send("server", "220 mail.example.org ESMTP"),
  expect("server", HELLO_SAID),
];
const toMail = (text?: string): Step[] => [...toHello(text), send("server", HELLO_REPLY), expect("server", MAIL_SAID)];
const toRcpt = (text?: string): Step[] => [...toMail(text), send("server", "250 fine"), expect("server", RCPT_SAID)];
const toData = (text?: string): Step[] => [...toRcpt(text), send("server", "250 fine"), expect("server", DATA_SAID)];
const toEnd = (text?: string): Step[] => [...toData(text), send("server", "354 go ahead"), expect("server", END_SAID)];

/** It was told no, does not go on, and leaves. */
const givesUp = (reply: string, ...verbs: string[]): Step[] => [
  send("server", reply),
  forbid("server", goesOn(...verbs)),
  expect("server", GIVES_UP),
  // Some say RSET first: what they are told then is of no account.
  send("server", "221 goodbye"),
  expect("server", orEnd(QUIT_SAID)),
  send("server", "221 goodbye"),
  forbid("server", goesOn(...verbs)),
  leave("server"),
  exits("client"),
];

/** The same, and the person at it is told. */
const tells = (reply: string, ...verbs: string[]): Step[] => [
  ...givesUp(reply, ...verbs),
  shows("client", mentions(`the refusal: ${reply}`, reply.slice(0, 3))),
];

/** It does not go on while it has to wait. */
const waits = (what: string): Step[] => [forbid("server", { what, matches: () => true }), stays("server")];

const SENDS = "a mail is sent";
const REFUSED =
  "the answer is not looked at, or not its code: the first three digits say it, 2 and 3 yes, 4 and 5 no. Show " +
  "what the server said, say QUIT, and close";

export const clientChecks: readonly Check[] = [
  {
    name: SENDS,
    points: 28,
    cause:
      "one of EHLO, MAIL FROM:<…>, RCPT TO:<…>, DATA, the mail, a line with only a dot, and QUIT is missing, or not a " +
      "line of its own that ends in \\r\\n",
    steps: [...toEnd(), send("server", "250 taken"), expect("server", orEnd(QUIT_SAID)), send("server", "221 goodbye")],
  },
  {
    name: "EHLO names the client (4.1.1.1)",
    points: 2,
    cause: CAUSE.nameless,
    needs: [SENDS],
    steps: [
      ...called(),
      send("server", "220 mail.example.org ESMTP"),
      expect("server", command("EHLO or HELO, and a name", /^(?:EHLO|HELO)\s+\S/i)),
    ],
  },
  {
    name: "QUIT is said before it goes, and the program ends (4.1.1.10)",
    points: 5,
    cause: "the connection is closed without QUIT, or the program does not end behind it",
    needs: [SENDS],
    steps: [
      ...toEnd(),
      send("server", "250 taken"),
      expect("server", QUIT_SAID),
      send("server", "221 goodbye"),
      leave("server"),
      exits("client"),
    ],
  },
  {
    name: "lines end in CR LF (2.3.8)",
    points: 10,
    cause: `${CAUSE.lfReplies}. So have the lines of the mail to`,
    needs: [SENDS],
    steps: [
      ...called("One\nand two."),
      forbid("server", bareLf),
      send("server", "220 mail.example.org ESMTP"),
      ...[
        [HELLO_SAID, HELLO_REPLY],
        [MAIL_SAID, "250 fine"],
        [RCPT_SAID, "250 fine"],
        [DATA_SAID, "354 go ahead"],
        [END_SAID, "250 taken"],
      ].flatMap(([what, reply]) => [
        expect("server", what as Expectation),
        forbid("server", bareLf),
        send("server", reply as string),
      ]),
      expect("server", orEnd(QUIT_SAID)),
    ],
  },
  {
    name: "it waits for the greeting (4.3.1)",
    points: 5,
    cause: "the program speaks before it has read anything: the server speaks first",
    needs: [SENDS],
    steps: [
      ...called(),
      ...waits("a command before the greeting"),
      send("server", "220 mail.example.org ESMTP"),
      expect("server", HELLO_SAID),
    ],
  },
  {
    name: "a reply of several lines is one reply (4.2.1)",
    points: 10,
    cause:
      "one line, or one recv(), is taken for the whole reply: as long as a minus stands behind the code, read another line",
    needs: [SENDS],
    steps: [
      ...called(),
      send("server", "220-mail.example.org ESMTP"),
      ...waits("a command before the last line of the greeting"),
      send("server", "220 no bulk mail, please"),
      expect("server", HELLO_SAID),
      send("server", "250-mail.example.org greets you"),
      send("server", "250-8BITMIME"),
      ...waits("a command before the last line of the reply"),
      send("server", "250 HELP"),
      expect("server", MAIL_SAID),
    ],
  },
  {
    name: "it waits for 354 before it sends the mail (4.1.1.4)",
    points: 10,
    cause: "the mail is sent right behind DATA: the server may still refuse. Read its answer first",
    needs: [SENDS],
    steps: [
      ...toData(),
      ...waits("content before 354"),
      send("server", "354 go ahead"),
      expect("server", END_SAID),
    ],
  },
  {
    name: "a line of the mail that begins with a dot gets another (4.5.2)",
    points: 10,
    cause:
      "lines are sent as they are: one that begins with a dot would end the mail, or lose its dot. Put another before it",
    needs: [SENDS],
    steps: [
      ...toData("One\n.\n.two\n...three\nfour"),
      send("server", "354 go ahead"),
      forbid("server", { what: "a line that begins with one dot", matches: (text) => /^\.[^.\s]/.test(text) }),
      expect("server", END_SAID),
      forbid("server", { what: "content behind the end", matches: (text) => !/^(?:QUIT|RSET|NOOP)?\s*$/i.test(text) }),
      send("server", "250 taken"),
      expect("server", orEnd(QUIT_SAID)),
    ],
  },
  {
    name: "a server that wants no mail gets none (3.1)",
    points: 3,
    cause: REFUSED,
    needs: [SENDS],
    steps: [...called(), ...givesUp("554 no service here", "EHLO", "HELO", "MAIL")],
  },
  {
    name: "a sender that is refused is told, and nothing more is sent (3.3)",
    points: 3,
    cause: REFUSED,
    needs: [SENDS],
    steps: [...toMail(), ...tells("451 not now, try later", "RCPT", "DATA")],
  },
  {
    name: "a recipient that is refused is told, and nothing is sent (3.3)",
    points: 5,
    cause: REFUSED,
    needs: [SENDS],
    steps: [...toRcpt(), ...tells("550 nobody of that name", "DATA")],
  },
  {
    name: "no mail is sent when DATA is refused (3.3)",
    points: 3,
    cause: REFUSED,
    needs: [SENDS],
    steps: [...toData(), ...tells("554 no mail today", "DATA")],
  },
  {
    name: "a mail that is refused at its end is told (3.3)",
    points: 2,
    cause: REFUSED,
    needs: [SENDS],
    steps: [...toEnd(), ...tells("552 the mailbox is full", "DATA")],
  },
  {
    name: "a server that hangs up ends the client",
    points: 2,
    cause: CAUSES.leaves,
    needs: [SENDS],
    steps: [...toMail(), leave("server", "reset"), exits("client")],
  },
  {
    name: "an answer that is no reply ends the client",
    points: 2,
    cause: CAUSES.badAnswer,
    needs: [SENDS],
    steps: [
      ...toHello(),
      sendBytes("server", Uint8Array.of(0xff, 0xfe, 0x20, 0xc3), "bytes that are no reply"),
      leave("server"),
      exits("client"),
    ],
  },
];

/** What two programs for this exercise can do together. */
export const meeting: Check = {
  name: "a mail is sent, and the client ends well",
  points: 1,
  steps: [start("client", SENDER, RECIPIENT, "At noon?"), exits("client", "well")],
};
