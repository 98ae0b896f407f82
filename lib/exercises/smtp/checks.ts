// Black-box checks of any mail server that takes mail for `student@example.org` without a password. Each names the section of
// the RFC it rests on; where no other is named, that is RFC 5321.

import { encodeText } from "../../protocol/text.ts";
import {
  type Check,
  connect,
  expect,
  type Expectation,
  expectEnd,
  forbid,
  leave,
  send,
  sendBytes,
  type Step,
} from "../check.ts";

/** The last line of a reply with one of these codes. */
function code(...codes: number[]): Expectation {
  const all = codes.join(" or ");
  return { what: `a reply ${all}`, matches: (text) => new RegExp(`^(?:${codes.join("|")})(?: |$)`).test(text) };
}

/** A refusal: any code of its kind will do. */
const refusal: Expectation = { what: "a refusal (5xx)", matches: (text) => /^5\d\d(?: |$)/.test(text) };
const anyRefusal: Expectation = { what: "a refusal (4xx or 5xx)", matches: (text) => /^[45]\d\d(?: |$)/.test(text) };
const another: Expectation = { what: "a second reply", matches: (text) => /^(?:250|[45]\d\d)(?: |$)/.test(text) };

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
const isThere = (who: string): Step[] => ask(who, "NOOP", 250);
/** The message ends here: one reply, and nothing behind it but that of the next command. */
const endsOnce = (who: string): Step[] => [
  ...ask(who, ".", 250),
  forbid(who, another),
  ...ask(who, "QUIT", 221),
];

const HELLO = "EHLO is answered with 250 (4.1.1.1)";
const MAIL = "a message is taken (3.3)";

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

export const checks: readonly Check[] = [
  { name: "the server greets with 220 (4.2, 3.1)", points: 2, steps: greeted("alice") },
  { name: HELLO, points: 2, steps: hello("alice") },
  {
    name: "HELO is answered with 250 (4.1.1.1)",
    points: 1,
    steps: [...greeted("alice"), ...ask("alice", "HELO alice.example.org", 250)],
  },
  {
    name: MAIL,
    points: 4,
    needs: [HELLO],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      send("alice", "Subject: hello"),
      send("alice", ""),
      ...endsOnce("alice"),
    ],
  },
  {
    name: "a reply without an address can be sent: MAIL FROM:<> (4.5.5)",
    points: 1,
    needs: [MAIL],
    steps: [...hello("alice"), ...ask("alice", "MAIL FROM:<>", 250), ...ask("alice", TO, 250)],
  },
  {
    name: "commands may be written in any case (2.4)",
    points: 1,
    steps: [...greeted("alice"), ...ask("alice", "eHlO alice.example.org", 250), ...ask("alice", "nOoP", 250)],
  },
  {
    name: "a second message goes over the same connection (3.3)",
    points: 2,
    needs: [MAIL],
    steps: [...hello("alice"), ...data("alice"), ...ask("alice", ".", 250), ...data("alice"), ...endsOnce("alice")],
  },
  {
    name: "RCPT before MAIL, and DATA before RCPT, are refused with 503 (4.1.4)",
    points: 2,
    needs: [HELLO],
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
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", FROM, 250), ...ask("alice", FROM, 503)],
  },
  {
    name: "RSET forgets sender and recipients (4.1.1.5)",
    points: 2,
    needs: [HELLO],
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
    needs: [HELLO],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      ...ask("alice", "EHLO alice.example.org", 250),
      ...ask("alice", TO, 503),
    ],
  },
  {
    name: "an unknown command is refused with 500 or 502, and the client may go on (4.2.4)",
    points: 1,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "FROBNICATE now", 500, 502), ...isThere("alice")],
  },
  {
    name: "paths that are none are refused with 501, or 553 (4.1.2)",
    points: 2,
    needs: [HELLO],
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
    points: 2,
    steps: [...greeted("alice"), ...ask("alice", "QUIT", 221), expectEnd("alice")],
  },
  {
    name: "VRFY does not tell who is there, or does: 252, 250 or a refusal (3.5.3)",
    points: 1,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "VRFY student", 250, 252, 502, 550, 551, 553), ...isThere("alice")],
  },
  {
    name: "commands that come in one group are answered in order (RFC 2920 section 3.1)",
    points: 2,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...askBytes("alice", `${FROM}\r\n${TO}\r\nDATA\r\n`, "MAIL, RCPT and DATA in one group", code(354)),
      ...endsOnce("alice"),
    ],
  },
  {
    name: "a line that begins with a dot is content (4.5.2)",
    points: 2,
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...data("alice"),
      ...["..", ".x", "..x", "...", ".."].map((line) => send("alice", line)),
      ...endsOnce("alice"),
    ],
  },
  ...FALSE_ENDS.map(([bytes, name]): Check => ({
    name: `${name} does not end a message (2.3.8, 4.1.1.4)`,
    points: 1,
    needs: [MAIL],
    steps: [
      ...hello("mallory"),
      ...data("mallory"),
      sendBytes("mallory", encodeText(`line${bytes}NOOP\r\n`), `a line, ${name}, and NOOP`),
      // A server may refuse all of it at its end, as long as it is one message (4.1.1.4).
      send("mallory", "."),
      expect("mallory", { what: "one reply to the message", matches: (text) => /^(?:250|[45]\d\d)(?: |$)/.test(text) }),
      forbid("mallory", another),
      ...ask("mallory", "QUIT", 221),
    ],
  })),
  {
    name: "a long command line is refused, and the client may go on (4.5.3.1.4)",
    points: 1,
    needs: [HELLO],
    steps: [
      ...hello("alice"),
      ...askBytes("alice", `NOOP ${"x".repeat(2000)}\r\n`, "a command of 2000 bytes", {
        what: "a reply",
        matches: (text) => /^(?:250|5\d\d)(?: |$)/.test(text),
      }),
      ...isThere("alice"),
    ],
  },
  {
    name: "a line of 998 bytes is taken (4.5.3.1.6)",
    points: 1,
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
    needs: [MAIL],
    steps: [
      ...hello("alice"),
      ...ask("alice", FROM, 250),
      ...Array.from({ length: 100 }, () => ask("alice", TO, 250)).flat(),
      ...ask("alice", "RSET", 250),
    ],
  },
  {
    name: "an address beyond ASCII needs SMTPUTF8 (RFC 6531 section 3.5)",
    points: 1,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", "MAIL FROM:<älice@example.org>", 553, 550, 501), ...isThere("alice")],
  },
  {
    name: "an unknown parameter is refused with 555, 501 or 504 (4.1.1.11)",
    points: 1,
    needs: [HELLO],
    steps: [...hello("alice"), ...ask("alice", `${FROM} FROBNICATE=1`, 555, 501, 504), ...isThere("alice")],
  },
  {
    name: "several clients are served at once",
    points: 2,
    needs: [MAIL],
    steps: [
      ...hello("alice", "bob", "carol"),
      ...["carol", "alice", "bob"].flatMap(data),
      ...["alice", "bob", "carol"].flatMap((who) => ask(who, ".", 250)),
    ],
  },
  {
    name: "a client that vanishes in the middle of a message harms nobody",
    points: 2,
    needs: [MAIL],
    steps: [
      ...hello("alice", "bob"),
      ...data("alice"),
      send("alice", "half a message"),
      leave("alice", "reset"),
      ...data("bob"),
      ...endsOnce("bob"),
    ],
  },
  {
    name: "who speaks HTTP is refused",
    points: 1,
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
