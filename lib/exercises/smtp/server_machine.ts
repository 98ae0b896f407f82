// The server's side of an SMTP session (RFC 5321), as a machine: lines and content in, replies out. What takes time (looking
// at a password, writing to the disk) is asked for by an event, and answered by a command; meanwhile nothing may come in.
//
//     start ── EHLO, HELO ─► ready ── MAIL ─► mail ── RCPT ─► rcpt ── DATA, BDAT ─► content ─► ready
//                              ▲ RSET, EHLO and STARTTLS end a transaction; QUIT ends everything

import type { Millis } from "../../protocol/clock.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { decodeText } from "../../protocol/text.ts";
import type { Mailbox } from "./address.ts";
import { CODES, type State } from "./codes.ts";
import { NewlineCheck } from "./data.ts";
import { type Command, parseCommand, type Reply, reply, syntax, type Verb, VERBS } from "./protocol.ts";
import { AuthExchange, type AuthStep, findMechanism, NO_BASE64, WRONG_PASSWORD } from "./server_auth.ts";
import { readRecipient, readSender } from "./server_mail.ts";
import type { Envelope, Mode, ServerOptions, SmtpCommand, SmtpEvent, SmtpMessage } from "./server_messages.ts";

type Effects = Effect<SmtpMessage, SmtpEvent>[];

/** A message that is coming in. */
interface Incoming {
  /** Why it is refused, once that is known; the rest of it is read all the same. */
  refusal: Reply | null;
  bytes: number;
  readonly newlines: NewlineCheck;
  /** Whether a CR or LF stood alone, where that counts. */
  bare: boolean;
  /** Whether its user keeps room for it, or has been asked to, and has to be told when it comes to nothing. */
  opened: boolean;
}

const BARE_NEWLINE = reply(550, "5.5.2", "a CR or LF stands alone: lines end in both");
const GO_ON = "go on with BDAT, or say RSET";
const BARE_PATH = "an address needs no angle brackets (RFC 5321 4.1.2)";
const CR = 0x0d;
const OUT_OF_ORDER: Readonly<Partial<Record<Verb, string>>> = {
  MAIL: "say EHLO first, or RSET: one message at a time",
  RCPT: "say MAIL FROM first",
  DATA: "say RCPT TO first",
  BDAT: "say RCPT TO first",
  STARTTLS: "not now",
  AUTH: "not now",
};

/** Whether what was said is wrong. What is understood, and the mail system refuses (x5z, RFC 5321 4.2.1), is not. */
const isError = ({ code }: Reply): boolean => code === 555 || Math.floor(code / 10) % 10 !== 5;

/** The server's side of one session. */
export class SmtpServerMachine implements Machine<SmtpMessage, SmtpCommand, SmtpEvent> {
  readonly #options: ServerOptions;
  #state: State = "start";
  #mode: Mode = { type: "command" };
  /** An event waits for its answer: nothing may come in. */
  #busy = false;
  #tls: boolean;
  #helo = "";
  #extended = false;
  #user: string | null = null;
  /** Who says so, while the password is looked at. */
  #claimed: string | null = null;
  #from: Mailbox | null = null;
  #to: Mailbox[] = [];
  #smtputf8 = false;
  #size: number | null = null;
  #incoming: Incoming | null = null;
  /** In the midst of BDAT: whether the chunk under way is the last. */
  #lastChunk = false;
  /** A login under way: the next line is its answer. */
  #auth: AuthExchange | null = null;
  /** In a row. */
  #errors = 0;
  /** Of the whole session: good commands in between make them no fewer. */
  #wrongPasswords = 0;
  /** Where the RFC has been bent, and that been said. */
  readonly #bent = new Set<string>();
  #closed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#tls = options.tls === "active";
  }

  get mode(): Mode {
    return this.#mode;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Who has logged in; null when nobody has. */
  get user(): string | null {
    return this.#user;
  }

  deadline(): Millis | null {
    return null;
  }

  step(input: Input<SmtpMessage, SmtpCommand>): Effects {
    const out: Effects = [];
    if (this.#closed) return out;
    if (input.type === "start") this.#greet(out);
    else if (input.type === "message") this.#receive(input.message, out);
    else if (input.type === "command") this.#answered(input.command, out);
    else if (input.type === "end") this.#close(out);
    return out;
  }

  #greet(out: Effects): void {
    const { hostname } = this.#options;
    this.#say(out, reply(220, null, `${hostname} ESMTP netlab`));
  }

  #receive(message: SmtpMessage, out: Effects): void {
    if (message.type === "content") return this.#take(message.pieces, message.last, out);
    if (message.type === "reply") return;
    const line = this.#readLine(message);
    if (typeof line !== "string") {
      // An answer of AUTH that is none ends the exchange (RFC 4954 section 4).
      this.#auth = null;
      this.#mode = { type: "command" };
      return this.#refuse(out, line);
    }
    const unended = message.type === "line" && message.unended === true;
    if (unended) this.#bend(out, "silence ends a command, not CR LF (RFC 5321 2.3.8)");
    if (this.#options.compat && line.trim() === "") {
      return this.#bend(out, "an empty line is passed over, not refused (RFC 5321 4.1.1)");
    }
    if (this.#auth !== null) return this.#followAuth(this.#auth, this.#auth.answer(line), out);
    const command = parseCommand(line);
    // Nobody can say then where TLS begins.
    if (unended && command.verb === "STARTTLS") return this.#refuse(out, syntax("STARTTLS needs CR LF at its end"));
    this.#obey(command, out);
  }

  /** The text of a line, or what is wrong with it. */
  #readLine(message: SmtpMessage & { type: "line" | "longLine" }): string | Reply {
    const auth = this.#auth !== null;
    if (message.type === "longLine") return reply(500, auth ? "5.5.6" : "5.5.2", "line too long");
    // RFC 5321 section 2.3.8 has them nowhere.
    if (this.#options.rejectBareNewline && (message.bareLf || message.bytes.includes(CR))) {
      return { ...BARE_NEWLINE, code: 500 };
    }
    let line: string;
    try {
      line = decodeText(message.bytes);
    } catch {
      return auth ? NO_BASE64 : reply(500, "5.5.2", "not UTF-8");
    }
    if (line.includes("\0")) return auth ? NO_BASE64 : reply(500, "5.5.2", "a NUL is no text");
    return line;
  }

  #obey(command: Command, out: Effects): void {
    const { verb, word, argument } = command;
    if (verb === null) {
      if (/^(GET|POST|HEAD|PUT|OPTIONS|CONNECT)$/.test(word) && /HTTP\/\d/.test(argument)) {
        this.#say(out, reply(500, "5.5.2", "this is SMTP, not HTTP"));
        return this.#close(out);
      }
      return this.#refuse(out, reply(500, "5.5.2", word === "" ? "a command is missing" : "unknown command"));
    }
    if (CODES[verb][this.#state] === 503 && verb !== "BDAT") {
      return this.#refuse(out, reply(503, "5.5.1", OUT_OF_ORDER[verb] ?? "not now"));
    }
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#hello(verb, argument, out);
      case "MAIL":
        return this.#mail(argument, out);
      case "RCPT":
        return this.#rcpt(argument, out);
      case "DATA":
        return this.#data(argument, out);
      case "BDAT":
        return this.#bdat(argument, out);
      case "RSET":
        if (argument !== "") return this.#refuse(out, syntax("RSET takes nothing"));
        this.#reset(out);
        return this.#say(out, reply(250, "2.0.0", "forgotten"));
      case "NOOP":
        return this.#say(out, reply(250, "2.0.0", "done, nothing"));
      case "VRFY":
        if (argument === "") return this.#refuse(out, syntax("verify whom?"));
        return this.#say(out, reply(252, "2.5.2", "send mail, and see"));
      case "EXPN":
        return this.#refuse(out, reply(502, "5.5.1", "there are no lists"));
      case "HELP":
        return this.#say(out, reply(214, "2.0.0", VERBS.join(" "), "RFC 5321"));
      case "QUIT":
        if (argument !== "") return this.#refuse(out, syntax("QUIT takes nothing"));
        this.#reset(out);
        this.#say(out, reply(221, "2.0.0", `${this.#options.hostname} says goodbye`));
        return this.#close(out);
      case "STARTTLS":
        return this.#startTls(argument, out);
      case "AUTH":
        return this.#authenticate(argument, out);
    }
  }

  #hello(verb: "EHLO" | "HELO", argument: string, out: Effects): void {
    // Real programs call themselves all sorts of things; a name without a space will do (RFC 5321 section 4.1.4).
    if (!/^[\x21-\x7e\u0080-\u{10ffff}]+$/u.test(argument)) {
      return this.#refuse(out, syntax(`${verb} takes your name`));
    }
    this.#reset(out);
    this.#state = "ready";
    this.#helo = argument;
    this.#extended = verb === "EHLO";
    const { hostname } = this.#options;
    if (verb === "HELO") return this.#say(out, reply(250, null, hostname));
    this.#say(out, reply(250, null, `${hostname} greets ${argument}`, ...this.#extensions()));
  }

  #extensions(): string[] {
    const { maxSize, auth, tls } = this.#options;
    return [
      ...["PIPELINING", `SIZE ${maxSize}`, "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"],
      ...(tls === "offered" && !this.#tls ? ["STARTTLS"] : []),
      ...(auth !== null && (this.#tls || auth.insecure) && this.#user === null ? ["AUTH PLAIN LOGIN"] : []),
      "HELP",
    ];
  }

  #mail(argument: string, out: Effects): void {
    if (this.#options.auth?.required && this.#user === null) {
      return this.#refuse(out, reply(530, "5.7.0", "log in first: AUTH"));
    }
    const sender = readSender(argument, this.#options, this.#extended);
    if ("refusal" in sender) return this.#refuse(out, sender.refusal);
    if (sender.bare) this.#bend(out, BARE_PATH);
    this.#from = sender.mailbox;
    this.#smtputf8 = sender.smtputf8;
    this.#size = sender.size;
    this.#state = "mail";
    this.#say(out, reply(250, "2.1.0", "sender taken"));
  }

  #rcpt(argument: string, out: Effects): void {
    const { maxRecipients } = this.#options;
    if (this.#incoming !== null) return this.#refuse(out, reply(503, "5.5.1", GO_ON));
    const recipient = readRecipient(argument, this.#options, this.#smtputf8);
    if ("refusal" in recipient) return this.#refuse(out, recipient.refusal);
    if (this.#to.length >= maxRecipients) {
      return this.#refuse(out, reply(452, "4.5.3", `at most ${maxRecipients} recipients`));
    }
    if (recipient.bare) this.#bend(out, BARE_PATH);
    this.#to.push(recipient.mailbox);
    this.#state = "rcpt";
    this.#say(out, reply(250, "2.1.5", "recipient taken"));
  }

  #data(argument: string, out: Effects): void {
    if (argument !== "") return this.#refuse(out, syntax("DATA takes nothing"));
    if (this.#incoming !== null) return this.#refuse(out, reply(503, "5.5.1", GO_ON));
    this.#open(out);
    this.#mode = { type: "data" };
  }

  #bdat(argument: string, out: Effects): void {
    const [, size, last] = /^(\d+)( +LAST)?$/i.exec(argument) ?? [];
    if (size === undefined) return this.#refuse(out, syntax("BDAT size [LAST]"));
    if (Number(size) > Number.MAX_SAFE_INTEGER) {
      // Nobody can count to its end, and what is in it must not be taken for commands.
      this.#say(out, reply(552, "5.3.4", "no chunk is so large"));
      return this.#close(out);
    }
    this.#lastChunk = last !== undefined;
    // Whatever is wrong, the chunk comes all the same (RFC 3030 section 2).
    this.#mode = { type: "chunk", left: Number(size) };
    if (this.#state !== "rcpt") {
      this.#incoming = this.#newIncoming(reply(503, "5.5.1", OUT_OF_ORDER.BDAT!));
    } else if (this.#incoming === null) return this.#open(out);
    if (Number(size) === 0) this.#endContent(this.#incoming, out);
  }

  #newIncoming(refusal: Reply | null): Incoming {
    return { refusal, bytes: 0, newlines: new NewlineCheck(), bare: false, opened: false };
  }

  #open(out: Effects): void {
    this.#incoming = { ...this.#newIncoming(null), opened: true };
    this.#busy = true;
    out.push({ type: "event", event: { type: "open", envelope: this.#envelope(), size: this.#size } });
  }

  #envelope(): Envelope {
    const suffix = `${this.#tls ? "S" : ""}${this.#user === null ? "" : "A"}`;
    // RFC 3848, RFC 6531 section 4.3.
    const protocol = !this.#extended ? "SMTP" : `${this.#smtputf8 ? "UTF8SMTP" : "ESMTP"}${suffix}`;
    return { from: this.#from, to: this.#to, smtputf8: this.#smtputf8, helo: this.#helo, protocol };
  }

  #take(pieces: readonly Uint8Array[], last: boolean, out: Effects): void {
    const incoming = this.#incoming;
    if (incoming === null) return;
    const { maxSize, rejectBareNewline } = this.#options;
    for (const bytes of pieces) {
      incoming.bytes += bytes.length;
      if (this.#mode.type === "chunk") this.#mode = { type: "chunk", left: this.#mode.left - bytes.length };
      if (maxSize > 0 && incoming.bytes > maxSize) {
        incoming.refusal ??= reply(552, "5.3.4", `at most ${maxSize} bytes`);
      }
      if (rejectBareNewline && !incoming.newlines.check(bytes)) incoming.bare = true;
      if (incoming.refusal === null && !incoming.bare) out.push({ type: "event", event: { type: "content", bytes } });
    }
    if (last) this.#endContent(incoming, out);
  }

  /** The end of the message, or of a chunk of it. */
  #endContent(incoming: Incoming, out: Effects): void {
    const whole = this.#mode.type === "data" || this.#lastChunk;
    this.#mode = { type: "command" };
    if (whole && this.#options.rejectBareNewline && incoming.newlines.afterCr) incoming.bare = true;
    // Only now, so that it is the same refusal however the content came in pieces.
    const refusal = incoming.refusal ?? (incoming.bare ? BARE_NEWLINE : null);
    if (refusal !== null) {
      this.#abandon(out);
      // A chunk out of order changes nothing; one that failed is followed by more (RFC 3030 section 2).
      if (this.#state !== "rcpt") this.#incoming = null;
      else if (whole) this.#endTransaction();
      return this.#refuse(out, refusal);
    }
    if (!whole) return this.#say(out, reply(250, "2.0.0", `${incoming.bytes} bytes so far`));
    incoming.opened = false;
    this.#busy = true;
    out.push({ type: "event", event: { type: "deliver", envelope: this.#envelope() } });
  }

  #answered(command: SmtpCommand, out: Effects): void {
    const wasBusy = this.#busy;
    this.#busy = false;
    switch (command.type) {
      case "opened":
        if (this.#mode.type === "data") this.#say(out, this.#goAhead());
        else if (this.#mode.type === "chunk" && this.#mode.left === 0) this.#endContent(this.#incoming!, out);
        break;
      case "delivered":
        this.#endTransaction();
        this.#say(out, reply(250, "2.0.0", `taken as ${command.id}`));
        break;
      case "failed":
        this.#failed(command.reply, wasBusy, out);
        break;
      case "authenticated":
        if (command.ok) {
          this.#user = this.#claimed;
          this.#welcome(out);
        } else this.#refuse(out, WRONG_PASSWORD);
        break;
      case "tlsBegun":
        // All that was said in clear text is forgotten (RFC 3207 section 4.2).
        this.#tls = true;
        this.#state = "start";
        this.#helo = "";
        this.#extended = false;
        this.#user = null;
    }
  }

  #failed(refusal: Reply, wasBusy: boolean, out: Effects): void {
    const incoming = this.#incoming;
    if (incoming === null) return wasBusy ? this.#refuse(out, refusal) : undefined;
    incoming.opened = false;
    const { mode } = this;
    if (!wasBusy || mode.type === "chunk") {
      // Whatever belongs to the message is read all the same: it must not be taken for commands.
      incoming.refusal ??= refusal;
      if (wasBusy && mode.type === "chunk" && mode.left === 0) this.#endContent(incoming, out);
      return;
    }
    this.#mode = { type: "command" };
    this.#endTransaction();
    this.#refuse(out, refusal);
  }

  #goAhead(): Reply {
    return this.#options.compat
      ? reply(354, null, "Enter message, ending with '.' on a line by itself")
      : reply(354, null, "go ahead; a line with only a dot is the end");
  }

  #welcome(out: Effects): void {
    if (!this.#options.compat) return this.#say(out, reply(235, "2.7.0", "welcome"));
    if (this.#extended) this.#bend(out, "235 has the course's words, and no enhanced code (RFC 2034 4)");
    this.#say(out, reply(235, null, "Authentication succeeded"));
  }

  #startTls(argument: string, out: Effects): void {
    if (argument !== "") return this.#refuse(out, syntax("STARTTLS takes nothing"));
    if (this.#tls) return this.#refuse(out, reply(503, "5.5.1", "it is encrypted already"));
    if (this.#options.tls === "none") return this.#refuse(out, reply(502, "5.5.1", "there is no TLS here"));
    this.#say(out, reply(220, "2.0.0", "begin"));
    this.#busy = true;
    out.push({ type: "event", event: { type: "startTls" } });
  }

  #authenticate(argument: string, out: Effects): void {
    const { auth } = this.#options;
    if (auth === null) return this.#refuse(out, reply(502, "5.5.1", "nobody can log in here"));
    if (this.#user !== null) return this.#refuse(out, reply(503, "5.5.1", "you are logged in already"));
    if (!this.#tls && !auth.insecure) return this.#refuse(out, reply(538, "5.7.11", "encrypt first: STARTTLS"));
    const [, name, initial] = /^(\S+)(?: (\S*))?$/.exec(argument) ?? [];
    if (name === undefined) return this.#refuse(out, syntax("AUTH mechanism [answer]"));
    const mechanism = findMechanism(name);
    if (mechanism === undefined) return this.#refuse(out, reply(504, "5.5.4", "PLAIN or LOGIN"));
    const exchange = this.#auth = new AuthExchange(mechanism, this.#options.compat);
    const step = initial === undefined ? exchange.question() : exchange.answer(initial === "=" ? "" : initial);
    this.#followAuth(exchange, step, out);
  }

  #followAuth(exchange: AuthExchange, step: AuthStep, out: Effects): void {
    if (exchange.trimmed) this.#bend(out, "spaces around what AUTH says are no part of it (RFC 4954 4)");
    this.#auth = step.type === "ask" ? exchange : null;
    this.#mode = { type: step.type === "ask" ? "auth" : "command" };
    if (step.type === "ask") return this.#say(out, step.reply);
    if (step.type === "refuse") return this.#refuse(out, step.reply);
    this.#claimed = step.user;
    this.#busy = true;
    out.push({ type: "event", event: { type: "authenticate", user: step.user, password: step.password } });
  }

  /** Forgets the message that is coming in. */
  #reset(out: Effects): void {
    this.#abandon(out);
    this.#endTransaction();
  }

  #abandon(out: Effects): void {
    if (this.#incoming?.opened) out.push({ type: "event", event: { type: "abandon" } });
    if (this.#incoming !== null) this.#incoming.opened = false;
  }

  #endTransaction(): void {
    this.#incoming = null;
    this.#from = null;
    this.#to = [];
    this.#smtputf8 = false;
    this.#size = null;
    if (this.#state !== "start") this.#state = "ready";
  }

  /** Says, once, what the RFC does not have and this session does. */
  #bend(out: Effects, how: string): void {
    if (this.#bent.has(how)) return;
    this.#bent.add(how);
    out.push({ type: "note", text: `--compat course: ${how}` });
  }

  #say(out: Effects, one: Reply): void {
    // What AUTH asks does not say yet that anything was right.
    if (one.code < 400 && one.code !== 334) this.#errors = 0;
    const shown = this.#extended ? one : { code: one.code, lines: one.lines };
    out.push({ type: "send", message: { type: "reply", reply: shown } });
  }

  #refuse(out: Effects, refusal: Reply): void {
    this.#say(out, refusal);
    const wrong = refusal.code === WRONG_PASSWORD.code ? ++this.#wrongPasswords : isError(refusal) ? ++this.#errors : 0;
    if (wrong < this.#options.maxErrors) return;
    this.#say(out, reply(421, "4.7.0", "too many errors"));
    this.#close(out);
  }

  #close(out: Effects): void {
    this.#abandon(out);
    this.#closed = true;
    out.push({ type: "close" });
  }
}
