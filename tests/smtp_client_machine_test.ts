// The client's dialogue as a machine: what it says to what, without a socket and in virtual time.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Mail, MailResult } from "../lib/exercises/smtp/client_mail.ts";
import { SmtpClientMachine } from "../lib/exercises/smtp/client_machine.ts";
import {
  type ClientCommand,
  type ClientEvent,
  type ClientMessage,
  type ClientOptions,
  TIMEOUT_MS,
  TLS_AT_ONCE,
} from "../lib/exercises/smtp/client_messages.ts";
import { formatReply } from "../lib/exercises/smtp/client_replies.ts";
import { type Stage, STAGES } from "../lib/exercises/smtp/protocol.ts";
import type { NetlabError } from "../lib/protocol/errors.ts";
import type { Input } from "../lib/protocol/machine.ts";
import { decodeLossy, encodeText } from "../lib/protocol/text.ts";
import { test } from "./helpers.ts";

const MAIL: Mail = {
  from: "a@x.example",
  to: ["b@y.example"],
  content: encodeText("Subject: hi\r\n\r\n.dot\r\n"),
  eightBit: false,
  utf8: false,
};
const TWO: Mail = { ...MAIL, to: ["b@y.example", "c@y.example"] };

/** A client, and what it does. */
class Dialogue {
  now = 0;
  readonly said: string[] = [];
  readonly problems: string[] = [];
  readonly results: MailResult[] = [];
  stopped: string | null = null;
  tls = false;
  over = false;
  error: NetlabError | undefined;
  /** Writes, as they would leave: what one input brought. */
  readonly writes: string[][] = [];
  readonly machine: SmtpClientMachine;

  constructor(mails: readonly Mail[], options: Partial<ClientOptions> = {}) {
    const left = [...mails];
    this.machine = new SmtpClientMachine(
      { name: "[127.0.0.1]", tls: "none", login: null, stop: null, compat: false, ...options },
      () => left.shift() ?? null,
    );
    this.step({ type: "start" });
  }

  step(input: Input<ClientMessage, ClientCommand>): void {
    const write: string[] = [];
    const step = (one: typeof input) => {
      for (const effect of this.machine.step(one, this.now)) {
        if (effect.type === "send") this.#send(effect.message, write, step);
        else if (effect.type === "event") this.#on(effect.event);
        else if (effect.type === "close") {
          assert(!this.over, "closed twice");
          this.over = true;
          this.error = effect.error as NetlabError | undefined;
        }
      }
    };
    step(input);
    if (write.length > 0) this.writes.push(write);
  }

  #send(message: ClientMessage, write: string[], step: (input: Input<ClientMessage, ClientCommand>) => void): void {
    const text = message.type === "command" || message.type === "line" ? message.text : decodeLossy(message.bytes);
    this.said.push(text);
    write.push(text);
    if (message.type === "content") step({ type: "command", command: { type: "written" } });
  }

  #on(event: ClientEvent): void {
    if (event.type === "problem") this.problems.push(event.text);
    else if (event.type === "result") this.results.push(event.result);
    else if (event.type === "stopped") this.stopped = `${event.stage}${event.drop ? "!" : ""}`;
    else this.tls = true;
  }

  /** The server says lines; returns what was said to that. */
  hear(...lines: string[]): string[] {
    const before = this.said.length;
    for (const text of lines) this.step({ type: "message", message: { type: "line", text } });
    return this.said.slice(before);
  }

  /** Lets time pass up to the next deadline. */
  wait(): void {
    this.now = this.machine.deadline()!;
    this.step({ type: "timer" });
  }

  end(error?: Error): void {
    this.step({ type: "end", error });
  }

  begun(): void {
    this.step({ type: "command", command: { type: "tlsBegun" } });
  }
}

/** What became of a mail, in short. */
function short({ accepted, refused, reply, failure }: MailResult): unknown[] {
  return [
    accepted,
    refused.map(({ to, reply }) => `${to} ${formatReply(reply)}`),
    reply && formatReply(reply),
    failure?.message ?? null,
  ];
}

test("a mail is sent, a command at a time where pipelining is not offered", () => {
  const talk = new Dialogue([MAIL]);
  assertEquals(talk.hear("220 mail.example ESMTP"), ["EHLO [127.0.0.1]"]);
  assertEquals(talk.hear("250-mail.example greets you", "250-SIZE 1000", "250 8BITMIME"), [
    "MAIL FROM:<a@x.example> SIZE=21",
  ]);
  assertEquals(talk.hear("250 ok"), ["RCPT TO:<b@y.example>"]);
  assertEquals(talk.hear("250 ok"), ["DATA"]);
  assertEquals(talk.hear("354 go"), ["Subject: hi\r\n\r\n..dot\r\n", ".\r\n"]);
  assertEquals(talk.hear("250 2.0.0 taken"), ["QUIT"]);
  assertEquals(talk.results.map(short), [[["b@y.example"], [], "250 2.0.0 taken", null]]);
  talk.hear("221 bye");
  assertEquals([talk.over, talk.error, talk.problems], [true, undefined, []]);
});

test("where pipelining is offered, an envelope is one group, and the next one leaves with the end of the content", () => {
  const talk = new Dialogue([MAIL, TWO]);
  talk.hear("220 hi");
  const first = ["MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA"];
  assertEquals(talk.hear("250-hi", "250 PIPELINING"), first);
  assertEquals(talk.hear("250 ok", "250 ok"), []);
  assertEquals(talk.hear("354 go"), [
    "Subject: hi\r\n\r\n..dot\r\n",
    ".\r\n",
    "MAIL FROM:<a@x.example>",
    "RCPT TO:<b@y.example>",
    "RCPT TO:<c@y.example>",
    "DATA",
  ]);
  assertEquals(talk.hear("250 first", "250 ok", "250 ok", "550 nobody"), []);
  assertEquals(talk.hear("354 go"), ["Subject: hi\r\n\r\n..dot\r\n", ".\r\n"]);
  assertEquals(talk.hear("250 second"), ["QUIT"]);
  talk.hear("221 bye");
  assertEquals(talk.results.map(short), [
    [["b@y.example"], [], "250 first", null],
    [["b@y.example"], ["c@y.example 550 nobody"], "250 second", null],
  ]);
  // EHLO; the envelope; content and the next envelope; content; QUIT
  assertEquals(talk.writes.length, 5);
});

test("a refused message does not disturb the next one in the group", () => {
  const talk = new Dialogue([MAIL, MAIL]);
  talk.hear("220 hi", "250-hi", "250 PIPELINING", "250 ok", "250 ok", "354 go");
  talk.hear("554 spam", "250 ok", "250 ok", "354 go", "250 taken", "221 bye");
  assertEquals(talk.results.map(short), [
    [[], [], "554 spam", "the server refuses the message: 554 spam"],
    [["b@y.example"], [], "250 taken", null],
  ]);
});

test("when nobody is accepted but content is asked for, none is sent (RFC 2920 3.1)", () => {
  const talk = new Dialogue([MAIL]);
  talk.hear("220 hi", "250-hi", "250 PIPELINING", "250 ok", "550 5.1.1 nobody");
  assertEquals(talk.hear("354 go"), [".\r\n"]);
  assertEquals(talk.hear("554 no recipients"), ["RSET"]);
  assertEquals(talk.hear("250 ok"), ["QUIT"]);
  assertEquals(talk.results.map(short), [[
    [],
    ["b@y.example 550 5.1.1 nobody"],
    "550 5.1.1 nobody",
    "the server refuses the recipient <b@y.example>: 550 5.1.1 nobody",
  ]]);
});

test("all replies of a group are heard, whatever the first is", () => {
  const talk = new Dialogue([TWO, MAIL]);
  talk.hear("220 hi", "250-hi", "250 PIPELINING");
  assertEquals(talk.hear("552 too large", "503 no", "503 no"), []);
  assertEquals(talk.hear("503 no"), ["RSET"]);
  assertEquals(talk.hear("250 ok"), ["MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA"]);
  assertMatch(talk.results[0].failure!.message, /the sender <a@x.example>: 552 too large/);
  assertEquals(talk.results[0].refused, []);
});

/** A dialogue up to a stage, and the name of what is refused there. */
const REFUSALS: readonly [what: string, before: string[], refusal: string, says: string[], message: RegExp][] = [
  ["the greeting", [], "554 no", ["QUIT"], /the session: 554 no/],
  ["EHLO, for now", ["220 hi"], "450 later", ["QUIT"], /EHLO: 450 later/],
  ["HELO", ["220 hi", "502 what?"], "550 go away", ["QUIT"], /HELO: 550 go away/],
  ["MAIL", ["220 hi", "250 hi"], "550 no", ["RSET"], /the sender <a@x.example>: 550 no/],
  ["RCPT", ["220 hi", "250 hi", "250 ok"], "550 no", ["RSET"], /the recipient <b@y.example>: 550 no/],
  ["DATA", ["220 hi", "250 hi", "250 ok", "250 ok"], "451 no", ["RSET"], /DATA: 451 no/],
  ["the message", ["220 hi", "250 hi", "250 ok", "250 ok", "354 go"], "552 no", ["RSET"], /the message: 552 no/],
];

for (const [what, before, refusal, says, message] of REFUSALS) {
  test(`a refusal of ${what} is reported, and the session ended in good order`, () => {
    const talk = new Dialogue([MAIL]);
    talk.hear(...before);
    const said = talk.hear(refusal);
    // Behind the end of the content there is no transaction to forget.
    assertEquals(said, what === "the message" ? ["QUIT"] : says);
    if (said[0] === "RSET") assertEquals(talk.hear("250 ok"), ["QUIT"]);
    talk.hear("221 bye");
    assert(talk.over);
    assertMatch((talk.error ?? talk.results[0].failure)!.message, message);
    assertEquals((talk.error ?? talk.results[0].failure)!.kind, "reply");
  });

  test(`421 for ${what} ends the session: the server hangs up`, () => {
    const talk = new Dialogue([MAIL]);
    talk.hear(...before);
    assertEquals(talk.hear("421 shutting down"), []);
    assert(talk.over);
    assertMatch(talk.error!.message, /421 shutting down/);
  });

  test(`a server that ends the connection before it answers ${what} is a failure of the network`, () => {
    const talk = new Dialogue([MAIL]);
    talk.hear(...before);
    const said = talk.said.length;
    talk.end();
    assertEquals(talk.said.length, said, "nothing is said to somebody who is gone");
    assertEquals(talk.error?.kind, "transport");
    assertMatch(talk.error!.message, /ended the connection before it (answered|said anything)/);
  });

  test(`the client waits as long as RFC 5321 4.5.3.2 says for the answer to ${what}`, () => {
    const talk = new Dialogue([MAIL], { tls: "active" });
    talk.hear(...before);
    const limits: Record<string, number> = { DATA: TIMEOUT_MS.data, "the message": TIMEOUT_MS.end };
    const limit = limits[what] ?? TIMEOUT_MS.command;
    assertEquals(talk.machine.deadline(), limit);
    talk.now = limit - 1;
    talk.step({ type: "timer" });
    assert(!talk.over);
    talk.wait();
    assertEquals(talk.error?.kind, "timeout");
    assertMatch(talk.error!.message, new RegExp(`in ${limit / 1000} s$`));
  });
}

for (const refusal of ["500 what?", "502 not implemented", "504 no", "550 no"]) {
  test(`EHLO answered with ${refusal} leads to HELO, and to MAIL without parameters`, () => {
    const talk = new Dialogue([MAIL]);
    talk.hear("220 hi");
    assertEquals(talk.hear(refusal), ["HELO [127.0.0.1]"]);
    assertEquals(talk.hear("250 hi"), ["MAIL FROM:<a@x.example>"]);
  });
}

test("recipients are refused one by one", () => {
  const talk = new Dialogue([TWO]);
  talk.hear("220 hi", "250 hi", "250 ok", "550 nobody");
  assertEquals(talk.hear("251 will forward"), ["DATA"]);
  talk.hear("354 go", "250 ok", "221 bye");
  assertEquals(talk.results.map(short), [[["c@y.example"], ["b@y.example 550 nobody"], "250 ok", null]]);
});

test("what the server cannot take is not sent: SIZE, 8BITMIME, SMTPUTF8", () => {
  const cases: [string[], Mail, RegExp | null][] = [
    [["250-hi", "250 SIZE 20"], MAIL, /21 bytes, and the server takes 20/],
    [["250-hi", "250 SIZE 21"], MAIL, null],
    [["250-hi", "250 SIZE 0"], MAIL, null],
    [["250-hi", "250 SIZE"], MAIL, null],
    [["250 hi"], { ...MAIL, eightBit: true }, /8BITMIME/],
    [["250-hi", "250 8bitmime"], { ...MAIL, eightBit: true }, null],
    [["250-hi", "250 8BITMIME"], { ...MAIL, eightBit: true, utf8: true }, /SMTPUTF8/],
    [["250-hi", "250-SMTPUTF8", "250 8BITMIME"], { ...MAIL, eightBit: true, utf8: true }, null],
  ];
  for (const [hello, mail, failure] of cases) {
    const talk = new Dialogue([mail]);
    talk.hear("220 hi");
    const [said] = talk.hear(...hello);
    if (failure === null) assertMatch(said, /^MAIL /, hello.join());
    else assertEquals([said, failure.test(talk.results[0].failure!.message)], ["QUIT", true], hello.join());
    if (mail.eightBit && failure === null) assertMatch(said, / BODY=8BITMIME/);
    if (mail.utf8 && failure === null) assertMatch(said, / SMTPUTF8$/);
  }
});

test("STARTTLS: EHLO again, and what was offered in clear counts for nothing", () => {
  const talk = new Dialogue([MAIL], { tls: "starttls" });
  talk.hear("220 hi");
  assertEquals(talk.hear("250-hi", "250-PIPELINING", "250 STARTTLS"), ["STARTTLS"]);
  assertEquals(talk.hear("220 begin"), []);
  assert(talk.tls);
  talk.begun();
  assertEquals(talk.said.at(-1), "EHLO [127.0.0.1]");
  assertEquals(talk.hear("250 hi"), ["MAIL FROM:<a@x.example>"]);
});

test("STARTTLS that is not offered, or refused, ends the session: nothing is sent in clear", () => {
  for (const replies of [["250 hi"], ["250-hi", "250 STARTTLS", "454 not now"]]) {
    const talk = new Dialogue([MAIL], { tls: "starttls" });
    talk.hear("220 hi", ...replies);
    assertEquals(talk.said.at(-1), "QUIT");
    assert(!talk.said.some((text) => text.startsWith("MAIL")));
    talk.hear("221 bye");
    assertMatch(talk.error!.message, /STARTTLS/);
  }
});

test("what follows the answer to STARTTLS in clear is an attack, and ends the session", () => {
  const talk = new Dialogue([MAIL], { tls: "starttls" });
  talk.hear("220 hi", "250-hi", "250 STARTTLS");
  talk.hear("220 begin");
  talk.hear("250-injected", "250 hi");
  assertEquals(talk.error?.kind, "protocol");
});

const LOGIN = { user: "bob", password: "secret" };

test("AUTH: PLAIN at once, LOGIN by questions in any words, and the password never shown", () => {
  const plain = new Dialogue([], { login: LOGIN, tls: "active" });
  plain.hear("220 hi");
  assertEquals(plain.hear("250-hi", "250 AUTH LOGIN PLAIN"), [`AUTH PLAIN ${btoa("\0bob\0secret")}`]);
  assertEquals(plain.hear("235 welcome"), ["QUIT"]);
  for (const [one, two] of [["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], ["who?", ""], ["VXNlciBOYW1lAA==", "eA=="]]) {
    const login = new Dialogue([], { login: LOGIN, tls: "active" });
    login.hear("220 hi");
    assertEquals(login.hear("250-hi", "250 AUTH=LOGIN"), ["AUTH LOGIN"]);
    assertEquals(login.hear(`334 ${one}`), [btoa("bob")]);
    assertEquals(login.hear(`334 ${two}`), [btoa("secret")]);
    assertEquals(login.hear("235 welcome"), ["QUIT"]);
    assertEquals(login.problems, []);
  }
});

test("AUTH that fails, is not offered, or is offered and not known", () => {
  const wrong = new Dialogue([MAIL], { login: LOGIN, tls: "active" });
  wrong.hear("220 hi", "250-hi", "250 AUTH PLAIN", "535 5.7.8 wrong");
  assertEquals(wrong.said.at(-1), "QUIT");
  wrong.hear("221 bye");
  assertMatch(wrong.error!.message, /the login: 535 5.7.8 wrong/);
  assert(!wrong.error!.message.includes("secret"));

  const asking = new Dialogue([MAIL], { login: LOGIN, tls: "active" });
  asking.hear("220 hi", "250-hi", "250 AUTH PLAIN");
  assertEquals(asking.hear("334 "), ["*"]);
  assertEquals(asking.hear("501 given up"), ["QUIT"]);
  asking.hear("221 bye");
  assertMatch(asking.error!.message, /the login: 334/);

  const none = new Dialogue([MAIL], { login: LOGIN });
  none.hear("220 hi", "250-hi", "250 STARTTLS", "221 bye");
  assertMatch(none.error!.message, /does not offer to log in/);
  assertMatch(none.error!.hint!, /STARTTLS/i);
  assertEquals(none.problems, [], "no password goes in clear text");

  const fallback = new Dialogue([MAIL], { login: LOGIN });
  fallback.hear("220 hi", "250-hi", "250 AUTH PLAIN LOGIN");
  assertEquals(fallback.hear("504 not that"), ["AUTH LOGIN"]);
  assertMatch(fallback.problems[0], /clear text/);
});

test("a password too long for a command line goes on a line of its own (RFC 4954 4)", () => {
  const talk = new Dialogue([], { login: { user: "bob", password: "x".repeat(600) } });
  talk.hear("220 hi");
  assertEquals(talk.hear("250-hi", "250 AUTH PLAIN"), ["AUTH PLAIN"]);
  assertEquals(talk.hear("334 "), [btoa(`\0bob\0${"x".repeat(600)}`)]);
});

/** What a session has said when it stops at each stage, its own last words apart. */
const SAID: Readonly<Record<Stage, number>> = {
  ...{ greeting: 0, ehlo: 1, starttls: 1, auth: 1, mail: 2, rcpt: 3, data: 4, content: 5, message: 6 },
};

for (const after of STAGES) {
  for (const drop of [false, true]) {
    test(`--${drop ? "drop" : "stop"}-after ${after}`, () => {
      const talk = new Dialogue([MAIL, MAIL], { stop: { after, drop } });
      talk.hear("220 hi", "250-hi", "250 PIPELINING");
      talk.hear("250 ok", "250 ok", "354 go", "250 ok");
      const quits = !drop && after !== "data" && after !== "content";
      assertEquals(talk.said.length, SAID[after] + (quits ? 1 : 0), talk.said.join(" | "));
      assertEquals(talk.said.at(-1) === "QUIT", quits);
      if (quits) talk.hear("221 bye");
      assertEquals([talk.over, talk.stopped], [true, `${after}${drop ? "!" : ""}`]);
      assertEquals(talk.results.length, after === "message" ? 1 : 0);
    });
  }
}

test("a stage is not reached where what comes before it is refused", () => {
  const upToData = ["220 hi", "250 hi", "250 ok", "250 ok"];
  const cases: [Stage, string[]][] = [
    ["mail", [...upToData.slice(0, 2), "550 no"]],
    ["message", [...upToData.slice(0, 2), "550 no"]],
    ["rcpt", [...upToData.slice(0, 3), "550 no"]],
    ["data", [...upToData.slice(0, 3), "550 no"]],
    ["content", [...upToData, "451 no"]],
    ["message", [...upToData, "354 go", "552 no"]],
  ];
  for (const [after, replies] of cases) {
    for (const drop of [false, true]) {
      const talk = new Dialogue([MAIL], { stop: { after, drop } });
      talk.hear(...replies, ...(replies.at(-1) === "552 no" ? [] : ["250 ok"]), "221 bye");
      assertEquals([talk.over, talk.said.at(-1), talk.stopped], [true, "QUIT", null], `${after} of ${replies}`);
      assertEquals(talk.results[0].failure?.kind, "reply");
    }
  }
});

test("a server that lies ends the session", () => {
  const cases: [string[], RegExp][] = [
    [["hello"], /is no reply/],
    [["220-hi", "250 there"], /the same code/],
    [["220 hi", "250 hi", "250 ok", "250 ok", "250 what?"], /DATA is answered with 354/],
    [["199 hi"], /is no reply/],
    [["2200 hi"], /is no reply/],
  ];
  for (const [lines, message] of cases) {
    const talk = new Dialogue([MAIL]);
    talk.hear(...lines);
    assert(talk.over, lines.join());
    assertMatch(talk.error!.message, message);
    assertEquals(talk.error!.kind, "protocol");
  }
});

test("a reply that nothing asked for is noticed; 421 says why", () => {
  for (const [line, kind] of [["250 surprise", "protocol"], ["421 closing", "reply"]]) {
    const talk = new Dialogue([MAIL, MAIL], { stop: null });
    talk.hear("220 hi", "250-hi", "250 PIPELINING", "250 ok", "250 ok");
    // Three replies are owed to the group; while the content is on its way, nothing is.
    const before = talk.said.length;
    talk.machine.step({ type: "message", message: { type: "line", text: "354 go" } }, 0);
    for (const effect of talk.machine.step({ type: "message", message: { type: "line", text: line } }, 0)) {
      if (effect.type === "close") talk.error = effect.error as NetlabError;
    }
    assertEquals([talk.error?.kind, talk.said.length], [kind as NetlabError["kind"], before]);
  }
});

test("a reply of endless lines ends the session", () => {
  const talk = new Dialogue([MAIL]);
  for (let i = 0; i < 1001; i++) talk.hear("220-more");
  assertMatch(talk.error!.message, /more than 1000 lines/);
});

test("--compat course: lines without end that are no reply end the session, inside of a reply and before it", () => {
  for (const begun of [[], ["220-hi"]]) {
    const talk = new Dialogue([MAIL], { compat: true });
    const strange = (count: number) => Array.from({ length: count }, (_, i) => `hello ${i}`);
    talk.hear(...strange(999), "220 hi", ...strange(999), "250 hi", ...begun, ...strange(1000 - begun.length));
    assert(!talk.over);
    talk.hear("hello");
    assertEquals([talk.error?.kind, talk.error?.message], ["protocol", "a reply of more than 1000 lines"]);
  }
});

test("a code alone is a reply, and so is one with an empty text", () => {
  const talk = new Dialogue([MAIL]);
  assertEquals(talk.hear("220"), ["EHLO [127.0.0.1]"]);
  assertEquals(talk.hear("250 "), ["MAIL FROM:<a@x.example>"]);
});

test("a server without a greeting may wait for TLS: the person is told after 2 s, unless TLS is there", () => {
  const talk = new Dialogue([MAIL]);
  assertEquals(talk.machine.deadline(), 2000);
  talk.wait();
  assertMatch(talk.problems[0], /^no greeting yet: .*--tls$/);
  assertEquals(talk.machine.deadline(), TIMEOUT_MS.greeting);
  talk.wait();
  assertEquals([talk.error?.message, talk.error?.hint], ["no whole greeting in 300 s", TLS_AT_ONCE]);

  const secure = new Dialogue([MAIL], { tls: "active" });
  assertEquals(secure.machine.deadline(), TIMEOUT_MS.greeting);
  secure.wait();
  assertEquals(secure.error?.hint, undefined);
});

test("a malformed last line is waited for, and the person is told after 2 s", () => {
  const talk = new Dialogue([MAIL]);
  talk.hear("220 hi", "250-name Hello");
  assertEquals(talk.machine.deadline(), 2000);
  talk.wait();
  assertMatch(talk.problems[0], /"250-name Hello" is the last line.*"250 name Hello".*--compat course/);
  assertEquals(talk.machine.deadline(), TIMEOUT_MS.command);
  talk.wait();
  assertEquals(talk.error?.kind, "timeout");
  assertMatch(talk.error!.hint!, /--compat course/);
});

test("--compat course: a malformed last line is complete after 300 ms, and it says what is wrong", () => {
  const talk = new Dialogue([MAIL], { compat: true });
  talk.hear("220-mail", "220-is here");
  talk.now = 299;
  talk.step({ type: "timer" });
  assertEquals(talk.said, []);
  talk.wait();
  assertEquals([talk.now, talk.said.at(-1)], [300, "EHLO [127.0.0.1]"]);
  talk.hear("250-name Hello");
  talk.wait();
  assertEquals(talk.said.at(-1), "MAIL FROM:<a@x.example>");
  assertEquals(talk.problems.length, 2);
  assertMatch(talk.problems[1], /RFC 5321 4.2.1/);
});

test("--compat course: LOGIN though it is not offered, codes alone count, strange lines are borne", () => {
  const talk = new Dialogue([MAIL], { compat: true, login: LOGIN });
  talk.hear("welcome", "220 hi");
  assertEquals(talk.hear("250 hi"), ["AUTH LOGIN"]);
  assertEquals(talk.hear("334 bmFtZT8="), [btoa("bob")]);
  assertEquals(talk.hear("334 and?"), [btoa("secret")]);
  assertEquals(talk.hear("235: Authentication succeeded"), ["MAIL FROM:<a@x.example>"]);
  assertEquals(talk.hear("250OK"), ["RCPT TO:<b@y.example>"]);
  assertEquals(talk.hear("250-one", "251 other"), ["DATA"]);
  assertEquals(talk.hear("354 Enter message"), ["Subject: hi\r\n\r\n..dot\r\n", ".\r\n"]);
  assertEquals(talk.hear("250 a", "250 and another"), ["QUIT"]);
  talk.hear("221 bye");
  assertEquals(talk.error, undefined);
  assertEquals(talk.results.map(short), [[["b@y.example"], [], "250 a", null]]);
  assertMatch(talk.problems.join("\n"), /"welcome" is no reply[^]*clear text[^]*followed by a space[^]*same code/);
});

test("--idle shortens every wait, and content that makes progress lengthens its own", () => {
  const talk = new Dialogue([MAIL], { limitMs: 5000, tls: "active" });
  assertEquals(talk.machine.deadline(), 5000);
  talk.wait();
  assertMatch(talk.error!.message, /in 5 s/);

  for (const limitMs of [undefined, 5000]) {
    const machine = inContent(limitMs);
    assertEquals(machine.deadline(), limitMs ?? TIMEOUT_MS.block);
    machine.step({ type: "command", command: { type: "progress" } }, 1000);
    assertEquals(machine.deadline(), 1000 + (limitMs ?? TIMEOUT_MS.block));
    machine.step({ type: "command", command: { type: "written" } }, 2000);
    assertEquals(machine.deadline(), 2000 + (limitMs ?? TIMEOUT_MS.end));
  }
});

/** A client whose content is on its way. */
function inContent(limitMs?: number): SmtpClientMachine {
  const options = { name: "x", tls: "none", login: null, stop: null, compat: false, limitMs } as const;
  const machine = new SmtpClientMachine(options, () => MAIL);
  machine.step({ type: "start" }, 0);
  for (const text of ["220 hi", "250 hi", "250 ok", "250 ok", "354 go"]) {
    machine.step({ type: "message", message: { type: "line", text } }, 0);
  }
  return machine;
}

test("a refusal that comes while content is on its way is the server's answer to it", () => {
  const machine = inContent();
  const effects = machine.step({ type: "message", message: { type: "line", text: "552 too large" } }, 0);
  const close = effects.find((effect) => effect.type === "close");
  assertEquals((close?.error as NetlabError).message, "the server refuses the message: 552 too large");
});

test("a server that does not say goodbye has the message all the same", () => {
  for (const end of [(talk: Dialogue) => talk.end(), (talk: Dialogue) => talk.wait()]) {
    const talk = new Dialogue([MAIL]);
    talk.hear("220 hi", "250 hi", "250 ok", "250 ok", "354 go", "250 ok");
    end(talk);
    assertEquals([talk.over, talk.error, talk.results[0].accepted], [true, undefined, ["b@y.example"]]);
    assertMatch(talk.problems[0], /does not say goodbye/);
  }
});

test("a connection lost behind the server's word does not undo it, and what was not sent is given back", () => {
  const talk = new Dialogue([MAIL, MAIL]);
  talk.hear("220 hi", "250-hi", "250 PIPELINING", "250 ok", "250 ok", "354 go");
  talk.hear("250 taken");
  talk.end();
  assertEquals(talk.error?.kind, "transport");
  assertEquals(talk.results.map((one) => one.failure?.kind ?? null), [null]);
});

test("of content without the server's word nobody knows: that is a failure", () => {
  const talk = new Dialogue([MAIL, MAIL]);
  talk.hear("220 hi", "250-hi", "250 PIPELINING", "250 ok", "250 ok", "354 go");
  talk.end();
  assertEquals(talk.results.map((one) => one.failure?.kind ?? null), ["transport"]);
});
