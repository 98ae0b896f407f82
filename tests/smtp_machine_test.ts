// The server's machine of SMTP against the table of wire cases, each in every way its bytes may arrive, and what the table
// cannot say: envelopes, extensions, and what happens while the machine waits for its user.

import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { CODES, STATES } from "../lib/exercises/smtp/codes.ts";
import { SmtpFramer } from "../lib/exercises/smtp/framing.ts";
import { parseReplyLine, VERBS } from "../lib/exercises/smtp/protocol.ts";
import { SmtpServerMachine } from "../lib/exercises/smtp/server_machine.ts";
import type { Envelope, ServerOptions, SmtpCommand, SmtpEvent } from "../lib/exercises/smtp/server_messages.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { bytes, property, type Split, splits, test } from "./helpers.ts";
import { CASES, FALSE_ENDS, ORDER, WAYS, type WireCase } from "./smtp_cases.ts";

const OPTIONS: ServerOptions = {
  ...{ hostname: "s.example", maxSize: 100_000, maxRecipients: 100, accept: null, auth: null, tls: "none" },
  ...{ rejectBareNewline: false, compat: false, maxErrors: 20 },
};
const FULL: SmtpCommand = { type: "failed", reply: { code: 452, enhanced: "4.3.1", lines: ["no room"] } };

/** When the server's user answers: at once, or when the next bytes have come. */
type Pace = "at once" | "later";

/** A server without sockets: a queue, the framer, the machine, and a user who keeps what comes. */
class Bench {
  readonly machine: SmtpServerMachine;
  readonly framer: SmtpFramer;
  readonly kept: Uint8Array[] = [];
  readonly envelopes: Envelope[] = [];
  readonly shown: string[] = [];
  readonly notes: string[] = [];
  closed = false;
  output = "";
  readonly #queue = new ByteQueue();
  readonly #full: WireCase["full"];
  readonly #pace: Pace;
  /** What the user will answer. */
  #answer: SmtpCommand | null = null;
  /** TLS begins when the client has sent what it sends in clear text. */
  #tlsBegins = false;
  /** The message that is coming in. */
  #content: Uint8Array[] | null = null;
  /** Of that one: whether the user has been told to keep it. */
  #delivering = false;

  constructor(options: Partial<ServerOptions> = {}, pace: Pace = "at once", full: WireCase["full"] = undefined) {
    this.machine = new SmtpServerMachine({ ...OPTIONS, ...options });
    this.framer = new SmtpFramer(() => this.machine.mode);
    this.#pace = pace;
    this.#full = full;
    this.#step({ type: "start" });
  }

  /** Bytes of a client, in pieces; then it waits for the replies. */
  send(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#queue.push(chunk);
      this.#giveAnswer();
      this.#run();
    }
    while (this.#answer !== null) {
      this.#giveAnswer();
      this.#run();
    }
    if (!this.#tlsBegins) return;
    this.#tlsBegins = false;
    this.#queue.skip(this.#queue.length);
    this.#step({ type: "command", command: { type: "tlsBegun" } });
  }

  /** The client's end of the stream. */
  end(): void {
    this.#step({ type: "end" });
    assert(this.closed, "the end of the stream closes");
    if (!this.#delivering) assertEquals(this.#content, null, "a message is neither delivered nor abandoned");
  }

  /** The codes of the replies, as the table has them. */
  get replies(): string[] {
    const codes: string[] = [];
    let lines = 0;
    for (const line of this.output.split("\r\n").slice(0, -1)) {
      const parsed = parseReplyLine(line);
      assert(parsed !== null, `no reply: ${line}`);
      lines++;
      if (!parsed.last) continue;
      const enhanced = /^\d\.\d+\.\d+(?= )/.exec(parsed.text)?.[0] ?? "-";
      codes.push(`${parsed.code}/${enhanced}${lines > 1 ? "+" : ""}`);
      lines = 0;
    }
    assertEquals(lines, 0, "a reply without its last line");
    return codes;
  }

  #run(): void {
    while (!this.closed && !this.machine.busy) {
      const frame = this.framer.cut(this.#queue);
      if (frame === null) return;
      this.shown.push(this.framer.describe(frame));
      this.#step({ type: "message", message: this.framer.decode() });
    }
  }

  #step(input: Parameters<SmtpServerMachine["step"]>[0]): void {
    for (const effect of this.machine.step(input)) {
      assert(!this.closed, "something behind the close");
      if (effect.type === "close") this.closed = true;
      else if (effect.type === "send") this.output += this.framer.encode(effect.message);
      else if (effect.type === "event") this.#told(effect.event);
      else if (effect.type === "note") this.notes.push(effect.text);
    }
    if (this.#pace === "at once") this.#giveAnswer();
  }

  #told(event: SmtpEvent): void {
    switch (event.type) {
      case "open":
        assertEquals(this.#content, null, "two messages at once");
        this.#content = this.#full === "open" ? null : [];
        this.#answer = this.#full === "open" ? FULL : { type: "opened" };
        break;
      case "content":
        assert(this.#content !== null, "content that nobody wants");
        this.#content.push(event.bytes.slice());
        if (this.#full === "content") this.#answer = FULL;
        break;
      case "deliver":
        assert(this.#content !== null, "nothing to deliver");
        this.#answer = this.#full !== undefined ? FULL : { type: "delivered", id: "x" };
        this.#delivering = true;
        this.envelopes.push(event.envelope);
        break;
      case "abandon":
        assert(this.#content !== null && !this.#delivering, "nothing to abandon");
        this.#content = null;
        break;
      case "authenticate":
        this.#answer = { type: "authenticated", ok: event.user === "alice" && event.password === "secret" };
        break;
      case "startTls":
        this.#tlsBegins = true;
    }
  }

  #giveAnswer(): void {
    const command = this.#answer;
    if (command === null) return;
    this.#answer = null;
    if (command.type === "delivered") this.kept.push(bytes(...this.#content!));
    // Who says that there is no room keeps nothing.
    if (this.#delivering || command === FULL) this.#content = null;
    this.#delivering = false;
    this.#step({ type: "command", command });
  }
}

/** What a case comes to when its bytes arrive in one way. */
interface Outcome {
  readonly replies: string[];
  readonly kept: string[];
  readonly closed: boolean;
}

const show = (wire: string | Uint8Array) => Array.from(bytes(wire), (byte) => String.fromCharCode(byte)).join("");

/** Plays a case; `split` says how the stage of that number arrives, the others arrive whole. */
function play(wireCase: WireCase, pace: Pace, stage = -1, split: Split | null = null): Outcome {
  const bench = new Bench(wireCase.server, pace, wireCase.full);
  stagesOf(wireCase).forEach((wire, i) => bench.send(i === stage ? split!.chunks : [wire]));
  const { closed } = bench;
  if (wireCase.ends === undefined) {
    const before = bench.replies.length;
    bench.send([bytes("NOOP\r\n")]);
    assertEquals(bench.replies.length, before + 1, `${wireCase.name}: a reply waited for the next command`);
  }
  const outcome = { replies: bench.replies, kept: bench.kept.map(show), closed };
  if (!closed) bench.end();
  return outcome;
}

function stagesOf({ from = "ready", send }: WireCase): Uint8Array[] {
  const way = WAYS[from].send;
  return [...(way === "" ? [] : [bytes(way)]), ...send.map((wire) => bytes(wire))];
}

/** The ways in which a stage may arrive; of a long one, the cuts at its ends and some others. */
function waysOf(wire: Uint8Array): Split[] {
  const all = splits(wire);
  return all.length < 700 ? all : all.filter((_, i) => i < 40 || i > all.length - 40 || i % 211 === 0);
}

/** Whether what came is what a case says, word by word: a code alone leaves the enhanced one open. */
function assertReplies(actual: readonly string[], expected: string, what: string): void {
  const words = expected.split(" ").filter((word) => word !== "");
  const simplified = actual.map((one, i) => words[i]?.includes("/") ? one : one.replace(/\/[^+]*/, ""));
  assertEquals(simplified, words, what);
}

for (const from of STATES) {
  test(`wire cases of SMTP that begin in ${from}, however their bytes arrive`, () => {
    for (const wireCase of CASES.filter((one) => (one.from ?? "ready") === from)) {
      const { name, rfc, replies, kept = [], ends } = wireCase;
      const what = `${name} (RFC ${rfc})`;
      const whole = play(wireCase, "at once");
      const behind = ends === undefined ? " 250" : "";
      assertReplies(whole.replies, `${WAYS[from].replies} ${replies}${behind}`, what);
      assertEquals(whole.kept, kept.map(show), `${what}: kept`);
      assertEquals(whole.closed, ends === "closed", `${what}: closed`);
      assertEquals(play(wireCase, "later"), whole, `${what}, answered later`);
      stagesOf(wireCase).forEach((wire, stage) => {
        if (wire.length === 0 || (stage === 0 && WAYS[from].send !== "")) return;
        for (const split of waysOf(wire)) {
          for (const pace of ["at once", "later"] as const) {
            assertEquals(play(wireCase, pace, stage, split), whole, `${what}, stage ${stage} ${split.how}, ${pace}`);
          }
        }
      });
    }
  });
}

test("the table has what it has to have", () => {
  assertGreaterOrEqual(CASES.length, 140);
  assertEquals(new Set(CASES.map(({ name, server }) => `${name} ${JSON.stringify(server)}`)).size, CASES.length);
  for (const { name, rfc } of CASES) assertMatch(rfc, /^\d{4} [0-9A-Z][0-9.]*$/, name);
  const rfcs = new Set(CASES.map(({ rfc }) => rfc.split(" ")[0]));
  for (const rfc of ["5321", "3207", "4954", "1870", "2920", "3030", "6531", "6152", "2034"]) {
    assert(rfcs.has(rfc), rfc);
  }
  assertGreaterOrEqual(new Set(FALSE_ENDS).size, 10);
});

test("the machine's table of codes is the one that the wire cases hold it to", () => {
  for (const verb of VERBS) {
    for (const state of STATES) {
      assertEquals(CODES[verb][state], Number(ORDER[verb].replies[state].slice(0, 3)), `${verb} in ${state}`);
    }
  }
});

/** A dialogue in one go, up to the messages' envelopes. */
function envelopesOf(options: Partial<ServerOptions>, ...stages: string[]): Envelope[] {
  const bench = new Bench(options);
  for (const stage of stages) bench.send([bytes(stage)]);
  return bench.envelopes;
}

const MAIL = "MAIL FROM:<a@c.example>\r\nRCPT TO:<b@s.example>\r\nBDAT 0 LAST\r\n";
const AUTH = { auth: { required: false, insecure: true } };
const LOGIN = `AUTH PLAIN ${btoa("\0alice\0secret")}\r\n`;

test("an envelope says who sends and to whom, without routes and quotes", () => {
  const [envelope] = envelopesOf(
    {},
    'EHLO [192.0.2.7]\r\nMAIL FROM:<@r.example:"a b"@C.Example> SMTPUTF8\r\nRCPT TO:<ä@s.example>\r\n',
    "RCPT TO:<Postmaster>\r\nBDAT 0 LAST\r\n",
  );
  assertEquals(envelope, {
    from: { local: "a b", domain: "c.example", text: '"a b"@C.Example', utf8: false },
    to: [
      { local: "ä", domain: "s.example", text: "ä@s.example", utf8: true },
      { local: "Postmaster", domain: "", text: "Postmaster", utf8: false },
    ],
    ...{ smtputf8: true, helo: "[192.0.2.7]", protocol: "UTF8SMTP" },
  });
  assertEquals(envelopesOf({}, `EHLO c\r\n${MAIL.replace("a@c.example", "")}`)[0].from, null);
});

test("an envelope holds nothing of the transactions before it", () => {
  const old = "MAIL FROM:<old@c.example> SMTPUTF8 SIZE=5\r\nRCPT TO:<old@s.example>\r\n";
  for (const end of ["RSET\r\n", "EHLO c\r\n", "BDAT 0 LAST\r\n", "BDAT 1\r\nxRSET\r\n"]) {
    const { from, to, smtputf8 } = envelopesOf({}, `EHLO c\r\n${old}${end}${MAIL}`).at(-1)!;
    assertEquals([from?.local, to.map(({ local }) => local), smtputf8], ["a", ["b"], false], end);
  }
});

test("an envelope names the protocol as RFC 3848 and RFC 6531 do", () => {
  const protocol = (options: Partial<ServerOptions>, ...stages: string[]) =>
    envelopesOf(options, ...stages)[0].protocol;
  assertEquals(protocol({}, `HELO c\r\n${MAIL}`), "SMTP");
  assertEquals(protocol({}, `EHLO c\r\n${MAIL}`), "ESMTP");
  assertEquals(protocol({ tls: "active" }, `EHLO c\r\n${MAIL}`), "ESMTPS");
  assertEquals(protocol({ tls: "offered" }, "EHLO c\r\nSTARTTLS\r\n", `EHLO c\r\n${MAIL}`), "ESMTPS");
  assertEquals(protocol(AUTH, `EHLO c\r\n${LOGIN}${MAIL}`), "ESMTPA");
  assertEquals(protocol({ ...AUTH, tls: "active" }, `EHLO c\r\n${LOGIN}${MAIL}`), "ESMTPSA");
  assertEquals(protocol({ tls: "active" }, `EHLO c\r\n${MAIL.replace(">", "> SMTPUTF8")}`), "UTF8SMTPS");
});

/** What EHLO offers. */
function offers(options: Partial<ServerOptions>, ...stages: string[]): string[] {
  const bench = new Bench(options);
  for (const stage of [...stages, "EHLO last\r\n"]) bench.send([bytes(stage)]);
  return bench.output.slice(bench.output.lastIndexOf("greets last")).split("\r\n").slice(1, -1).map((line) =>
    line.slice(4)
  );
}

test("EHLO offers what is to be had, and no more", () => {
  const always = ["PIPELINING", "SIZE 100000", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"];
  assertEquals(offers({}), [...always, "HELP"]);
  assertEquals(offers({ tls: "offered" }), [...always, "STARTTLS", "HELP"]);
  assertEquals(offers({ tls: "active" }), [...always, "HELP"]);
  assertEquals(offers(AUTH), [...always, "AUTH PLAIN LOGIN", "HELP"]);
  assertEquals(offers(AUTH, `EHLO c\r\n${LOGIN}`), [...always, "HELP"]);
  const encrypted = { tls: "offered", auth: { required: true, insecure: false } } as const;
  assertEquals(offers(encrypted), [...always, "STARTTLS", "HELP"]);
  assertEquals(offers(encrypted, "EHLO c\r\nSTARTTLS\r\n"), [...always, "AUTH PLAIN LOGIN", "HELP"]);
});

test("no line of a reply has more than 512 bytes, whatever it repeats", () => {
  for (const said of [`EHLO ${"x".repeat(505)}`, `EHLO ${"ä".repeat(250)}`, `MAIL FROM:<> ${"X".repeat(900)}`]) {
    const bench = new Bench();
    bench.send([bytes(`EHLO c\r\n${said}\r\n`)]);
    const lengths = bench.output.split("\r\n").slice(0, -1).map((line) => bytes(line).length + 2);
    assert(Math.max(...lengths) <= 512 && Math.max(...lengths) > 509, `${said}: ${lengths}`);
    assertGreaterOrEqual(bench.replies.length, 3);
  }
});

test("AUTH asks in base64, and compat course has the words of the course", () => {
  const said = (options: Partial<ServerOptions>, ...stages: string[]) => {
    const bench = new Bench(options);
    bench.send([bytes("EHLO c\r\n")]);
    const before = bench.output.length;
    for (const stage of stages) bench.send([bytes(stage)]);
    return bench.output.slice(before);
  };
  assertEquals(said(AUTH, "AUTH LOGIN\r\n"), "334 VXNlcm5hbWU6\r\n");
  assertEquals(said(AUTH, "AUTH LOGIN YWxpY2U=\r\n"), "334 UGFzc3dvcmQ6\r\n");
  assertEquals(said(AUTH, "AUTH PLAIN\r\n"), "334 \r\n");
  assertEquals(said({ ...AUTH, compat: true }, LOGIN), "235 Authentication succeeded\r\n");
  const data = said({ compat: true }, MAIL.replace("BDAT 0 LAST", "DATA")).split("\r\n").at(-2);
  assertEquals(data, "354 Enter message, ending with '.' on a line by itself");
});

test("--compat course says once in a session where it bends the RFC, and without it nothing is bent", () => {
  const bends: [string, RegExp][] = [
    ["\r\n \r\n\r\n", /an empty line is passed over/],
    [`AUTH LOGIN\r\n ${btoa("alice")}\r\n${btoa("secret")} \r\n`, /spaces around what AUTH says/],
    [`AUTH PLAIN ${btoa("\0alice\0secret\r\n")}\r\n`, /spaces around what AUTH says/],
    ["MAIL FROM:a@c.example\r\nRCPT TO: b@s.example\r\nRCPT TO:c@s.example\r\n", /angle brackets/],
    [LOGIN, /235 has the course's words/],
  ];
  for (const [said, note] of bends) {
    const bench = new Bench({ ...AUTH, compat: true });
    bench.send([bytes(`EHLO c\r\n${said}`)]);
    const notes = bench.notes.filter((text) => note.test(text));
    assertEquals([notes.length, notes[0]?.startsWith("--compat course: ")], [1, true], said);
    assertMatch(notes[0], /\(RFC \d+ [\d.]+\)$/);
    const strict = new Bench(AUTH);
    strict.send([bytes(`EHLO c\r\n${said}`)]);
    assertEquals(strict.notes, []);
  }
  const straight = new Bench({ ...AUTH, compat: true });
  straight.send([bytes(`EHLO c\r\n${MAIL}`)]);
  assertEquals(straight.notes, []);
});

test("what is shown of a session has no passwords in it", () => {
  const bench = new Bench(AUTH);
  const secret = btoa("secret");
  for (
    const line of [
      "EHLO c",
      `AUTH PLAIN ${secret}`,
      `auth\tlogin ${secret}`,
      "*",
      "AUTH LOGIN",
      secret,
      secret,
      "NOOP",
      // An answer that is none ends the exchange: what follows is a command.
      "AUTH LOGIN",
      "x".repeat(20_000),
      "NOOP",
    ]
  ) {
    bench.send([bytes(`${line}\r\n`)]);
  }
  const hidden = "(not shown)";
  const shown = [
    "EHLO c",
    `AUTH PLAIN ${hidden}`,
    `auth\\tlogin ${hidden}`,
    hidden,
    "AUTH LOGIN",
    hidden,
    hidden,
    "NOOP",
    "AUTH LOGIN",
    "",
    "NOOP",
  ];
  assertEquals(bench.shown, shown);
});

/** A machine in state rcpt, and a way to tell it a line. */
function inTransaction(options: Partial<ServerOptions> = {}) {
  const machine = new SmtpServerMachine({ ...OPTIONS, ...options });
  const tell = (line: string) =>
    machine.step({ type: "message", message: { type: "line", bytes: bytes(line), bareLf: false } });
  for (const line of ["EHLO c", "MAIL FROM:<a@c.example>", "RCPT TO:<b@s.example>"]) tell(line);
  const types = (input: Parameters<typeof machine.step>[0]) =>
    machine.step(input).map((effect) => effect.type === "event" ? effect.event.type : effect.type);
  return { machine, tell, types };
}

test("a client that goes while room is made is forgotten, and one that goes during delivery is not", () => {
  const opening = inTransaction();
  opening.tell("DATA");
  assertEquals(opening.types({ type: "end" }), ["abandon", "close"]);
  const delivering = inTransaction();
  delivering.tell("DATA");
  delivering.types({ type: "command", command: { type: "opened" } });
  delivering.types({ type: "message", message: { type: "content", pieces: [], last: true } });
  assert(delivering.machine.busy);
  assertEquals(delivering.types({ type: "end" }), ["close"]);
  assertEquals(delivering.types({ type: "command", command: { type: "delivered", id: "x" } }), []);
});

test("nobody is logged in while the password is looked at", () => {
  const machine = new SmtpServerMachine({ ...OPTIONS, ...AUTH });
  for (const line of ["EHLO c", LOGIN.trim()]) {
    machine.step({ type: "message", message: { type: "line", bytes: bytes(line), bareLf: false } });
  }
  assertEquals([machine.busy, machine.user], [true, null]);
  machine.step({ type: "command", command: { type: "authenticated", ok: true } });
  assertEquals([machine.busy, machine.user], [false, "alice"]);
});

test("a password that cannot be looked at is a reply, too", () => {
  const machine = new SmtpServerMachine({ ...OPTIONS, ...AUTH });
  for (const line of ["EHLO c", LOGIN.trim()]) {
    machine.step({ type: "message", message: { type: "line", bytes: bytes(line), bareLf: false } });
  }
  const effects = machine.step({ type: "command", command: FULL });
  assertEquals(effects.map(({ type }) => type), ["send"]);
  assertEquals([machine.busy, machine.user], [false, null]);
});

test("an endless line is not kept, and is answered once it ends", () => {
  const bench = new Bench();
  const block = bytes("x".repeat(60_000));
  for (let i = 0; i < 100; i++) bench.send([block]);
  assertEquals(bench.replies, ["220/-"]);
  bench.send([bytes("\r\nNOOP\r\n")]);
  assertEquals(bench.replies, ["220/-", "500/-", "250/-"]);
});

const WORDS = [
  ...["EHLO c\r\n", "HELO c\r\n", "MAIL FROM:<a@c.example>\r\n", "RCPT TO:<b@s.example>\r\n", "DATA\r\n", "x\r\n.\r\n"],
  ...[
    "BDAT 3\r\nabc",
    "BDAT 0 LAST\r\n",
    "RSET\r\n",
    "NOOP\n",
    "AUTH LOGIN\r\n",
    "AUTH PLAIN\r\n",
    "*\r\n",
    "\r\n.\r\n",
  ],
  ...[
    "STARTTLS\r\n",
    "VRFY x\r\n",
    "\0\r\n",
    "ä\r\n",
    ".\r\n",
    "\r",
    "\n",
    ".",
    "BDAT 9\r\n",
    "YWxpY2U=\r\n",
    "QUIT\r\n",
  ],
];

property("whatever is said, in any order and in any pieces, the same comes of it", 1000, (random) => {
  const words = Array.from(
    { length: random.int(1, 25) },
    () => random.chance(0.05) ? random.bytes(5) : random.pick(WORDS),
  );
  const wire = bytes("EHLO c\r\n", ...words);
  const options = {
    ...AUTH,
    tls: "offered",
    maxErrors: 8,
    maxSize: 12,
    rejectBareNewline: random.chance(0.3),
  } as const;
  const full = random.pick([undefined, undefined, "open", "deliver"] as const);
  const run = (pace: Pace, chunks: Uint8Array[]) => {
    const bench = new Bench(options, pace, full);
    bench.send(chunks);
    const outcome = { replies: bench.replies, kept: bench.kept.map(show), closed: bench.closed };
    if (!bench.closed) bench.end();
    return outcome;
  };
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wire.length;) chunks.push(wire.subarray(at, at += random.int(1, 12)));
  const whole = run("at once", [wire]);
  assertEquals(run("at once", chunks), whole);
  assertEquals(run("later", chunks), whole);
});
