// What a client says in a session (RFC 5321), written down as it goes, as a generator: where it waits, it yields. The machine
// lets it go on.
//
//     greeting ─► EHLO (HELO) ─► [STARTTLS, EHLO] ─► [AUTH] ─► MAIL, RCPT…, DATA ─► content ─► … ─► QUIT
//                                                              ▲ one group, where PIPELINING is offered ┘
//
// With the end of one message's content, the next one's MAIL, RCPT and DATA leave (RFC 2920 section 3.1).

import type { Millis } from "../../protocol/clock.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import type { Effect } from "../../protocol/machine.ts";
import { encodeBase64 } from "./base64.ts";
import { Delivery, isPositive, type Mail, refused } from "./client_mail.ts";
import {
  type ClientEvent,
  type ClientMessage,
  type ClientOptions,
  TIMEOUT_MS,
  TLS_AT_ONCE,
} from "./client_messages.ts";
import { type ClientReply, formatReply } from "./client_replies.ts";
import { DataEncoder } from "./data.ts";
import { MAX_COMMAND, type Stage, STAGES } from "./protocol.ts";

/** What the dialogue waits for, and what it is called in an error. */
export interface Wait {
  readonly for: "reply" | "written" | "tlsBegun";
  readonly what: string;
  readonly ms: Millis;
}
/** A part of the dialogue; a wait for a reply is answered with one. */
export type Talk<T = void> = Generator<Wait, T, ClientReply>;

/** What a dialogue speaks through. */
export interface Wire {
  emit(effect: Effect<ClientMessage, ClientEvent>): void;
  /** Sends what a reply will come to. */
  ask(message: ClientMessage): void;
  /** Whether something has come that the dialogue has not waited for yet. */
  unread(): boolean;
}

/** Thrown to end the dialogue where the user wants it to end. */
class Stopped {
  readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }
}

/** One session's dialogue. */
export class Dialogue {
  /** Nothing more can be said: not even QUIT. */
  lost = false;
  readonly #options: ClientOptions;
  readonly #next: () => Mail | null;
  readonly #wire: Wire;
  /** What the server offers, in upper case, with what stands behind it. */
  #extensions = new Map<string, string>();

  /** @param next the next mail to send, or null when there is none: asked when there is room for it */
  constructor(options: ClientOptions, next: () => Mail | null, wire: Wire) {
    this.#options = options;
    this.#next = next;
    this.#wire = wire;
  }

  /** All of it, to the end. */
  *run(): Talk {
    let failure: NetlabError | undefined;
    let drop = false;
    try {
      yield* this.#session();
    } catch (error) {
      if (error instanceof Stopped) {
        drop = this.#options.stop!.drop;
        // Behind DATA nothing is a command: whoever stops there can only go.
        if (error.stage === "data" || error.stage === "content") this.lost = true;
        this.#tell({ type: "stopped", stage: error.stage, drop });
      } else if (error instanceof NetlabError) failure = error;
      else throw error;
    }
    if (!this.lost && !drop) yield* this.#quit();
    this.#wire.emit(failure === undefined ? { type: "close" } : { type: "close", error: failure });
  }

  *#session(): Talk {
    const greeting = yield* this.#reply("the greeting", TIMEOUT_MS.greeting);
    if (greeting.code !== 220) throw refused("the session", greeting);
    this.#reached("greeting");
    yield* this.#hello();
    this.#reached("ehlo");
    if (this.#options.tls === "starttls") yield* this.#startTls();
    this.#reached("starttls");
    if (this.#options.login !== null) yield* this.#logIn(this.#options.login);
    this.#reached("auth");
    yield* this.#messages();
  }

  /** EHLO, or HELO where that is not known (RFC 5321 section 4.1.1.1). */
  *#hello(): Talk {
    const { name } = this.#options;
    this.#extensions = new Map();
    const reply = yield* this.#ask(`EHLO ${name}`);
    if (isPositive(reply)) {
      for (const line of reply.lines.slice(1)) {
        // AUTH=LOGIN is how it was said before RFC 2554.
        const [keyword, ...rest] = line.trim().replace(/^AUTH=/i, "AUTH ").split(/ +/);
        const before = this.#extensions.get(keyword.toUpperCase());
        this.#extensions.set(keyword.toUpperCase(), [...before === undefined ? [] : [before], ...rest].join(" "));
      }
      return;
    }
    if (reply.code < 500) throw refused("EHLO", reply);
    this.#note(`EHLO is refused (${formatReply(reply)}): HELO`);
    const second = yield* this.#ask(`HELO ${name}`);
    if (!isPositive(second)) throw refused("HELO", second);
  }

  /** RFC 3207: what was said before counts for nothing behind it. */
  *#startTls(): Talk {
    if (!this.#extensions.has("STARTTLS") && !this.#options.compat) {
      throw new NetlabError("reply", "the server does not offer STARTTLS", { hint: TLS_AT_ONCE });
    }
    const reply = yield* this.#ask("STARTTLS");
    if (reply.code !== 220) throw refused("STARTTLS", reply);
    if (this.#wire.unread()) {
      this.lost = true;
      throw new ProtocolError(
        "the server said more in clear text behind its answer to STARTTLS: somebody may have put it in",
      );
    }
    this.#tell({ type: "startTls" });
    yield { for: "tlsBegun", what: "the TLS handshake", ms: TIMEOUT_MS.command };
    yield* this.#hello();
  }

  /** RFC 4954; PLAIN of RFC 4616, or LOGIN, which nobody has standardized. */
  *#logIn({ user, password }: { readonly user: string; readonly password: string }): Talk {
    const offered = this.#extensions.get("AUTH")?.toUpperCase().split(" ") ?? (this.#options.compat ? ["LOGIN"] : []);
    let reply: ClientReply | null = null;
    if (this.#options.tls === "none" && (offered.includes("PLAIN") || offered.includes("LOGIN"))) {
      this.#problem("the password goes in clear text: --starttls or --tls hides it");
    }
    if (offered.includes("PLAIN")) reply = yield* this.#plain(user, password);
    // 504 says that the mechanism is not known: it should not have been offered, but then the other one may do.
    if (offered.includes("LOGIN") && (reply === null || reply.code === 504)) reply = yield* this.#login(user, password);
    if (reply === null) {
      const hint = this.#extensions.has("STARTTLS") && this.#options.tls === "none"
        ? "perhaps it does behind --starttls"
        : undefined;
      throw new NetlabError("reply", "the server does not offer to log in with PLAIN or LOGIN", { hint });
    }
    // Until what it asks for has been given up, QUIT would be an answer (RFC 4954 section 4).
    if (reply.code === 334) yield* this.#ask("*");
    if (reply.code !== 235) throw refused("the login", reply);
  }

  *#plain(user: string, password: string): Talk<ClientReply> {
    const response = encodeBase64(`\0${user}\0${password}`);
    const line = `AUTH PLAIN ${response}`;
    if (line.length + 2 <= MAX_COMMAND) return yield* this.#ask(line, "AUTH PLAIN ****");
    const reply = yield* this.#ask("AUTH PLAIN");
    return reply.code === 334 ? yield* this.#ask(response, "****") : reply;
  }

  *#login(user: string, password: string): Talk<ClientReply> {
    // What the server asks with is of no account: servers say Username:, User Name, or nothing at all.
    const first = yield* this.#ask("AUTH LOGIN");
    if (first.code !== 334) return first;
    const second = yield* this.#ask(encodeBase64(user));
    return second.code === 334 ? yield* this.#ask(encodeBase64(password), "****") : second;
  }

  *#messages(): Talk {
    let mail = this.#nextMail();
    let begun = false;
    while (mail !== null) {
      const delivery = new Delivery(mail);
      let following: Mail | null = null;
      try {
        following = yield* this.#deliver(delivery, begun);
        begun = following !== null;
      } catch (error) {
        if (error instanceof NetlabError) delivery.failure ??= error;
        // What has been taken stays taken, even if the session is stopped or lost behind it. Without the server's word nobody
        // knows; and what has not been said at all can be sent in another session. Who stops wants to know of refusals.
        const told = error instanceof Stopped ? delivery.refused.length > 0 : delivery.said;
        if (delivery.taken || told) {
          this.#tell({ type: "result", result: delivery.result() });
        }
        throw error;
      }
      this.#tell({ type: "result", result: delivery.result() });
      mail = following ?? this.#nextMail();
    }
  }

  /** The next mail that this server can take; what it cannot take is answered here. */
  #nextMail(): Mail | null {
    for (;;) {
      const mail = this.#next();
      const failure = mail === null ? null : this.#unfit(mail);
      if (mail === null || failure === null) return mail;
      this.#tell({ type: "result", result: { mail, accepted: [], refused: [], reply: null, failure } });
    }
  }

  /** Why a mail cannot be sent to this server, from what it offers. */
  #unfit({ content, eightBit, utf8 }: Mail): NetlabError | null {
    if (this.#options.compat) return null;
    const most = Number(this.#extensions.get("SIZE") ?? 0);
    // 0 says that there is no limit (RFC 1870 section 4).
    if (most > 0 && content.length > most) {
      return new NetlabError("limit", `the message has ${content.length} bytes, and the server takes ${most} (SIZE)`);
    }
    if (utf8 && !this.#extensions.has("SMTPUTF8")) {
      return new NetlabError("reply", "an address or a header is beyond ASCII, and the server does not offer SMTPUTF8");
    }
    if (eightBit && !this.#extensions.has("8BITMIME")) {
      return new NetlabError("reply", "the message has 8-bit bytes, and the server does not offer 8BITMIME", {
        hint: "encode it with quoted-printable or base64",
      });
    }
    return null;
  }

  get #pipelining(): boolean {
    // Whoever stops somewhere must not have said what comes behind it.
    return this.#extensions.has("PIPELINING") && !this.#options.compat && this.#options.stop === null;
  }

  /**
   * One mail transaction.
   *
   * @param begun whether its envelope has been sent with the end of the one before
   * @returns the next mail, when its envelope has been sent with the end of this one
   */
  *#deliver(delivery: Delivery, begun: boolean): Talk<Mail | null> {
    if (this.#pipelining && !begun) this.#sayEnvelope(delivery.mail);
    const goAhead = this.#pipelining ? yield* this.#hearEnvelope(delivery) : yield* this.#envelope(delivery);
    if (!goAhead) {
      // An error is an answer, too: only what it was refused with counts.
      yield* this.#ask("RSET");
      return null;
    }
    this.#reached("data");
    return yield* this.#content(delivery);
  }

  #sayEnvelope(mail: Mail): void {
    this.#say(this.#mailCommand(mail));
    for (const to of mail.to) this.#say(`RCPT TO:<${to}>`);
    this.#say("DATA");
  }

  #mailCommand({ from, content, eightBit, utf8 }: Mail): string {
    const has = (keyword: string) => this.#extensions.has(keyword);
    return [
      `MAIL FROM:<${from}>`,
      ...(has("SIZE") ? [`SIZE=${content.length}`] : []),
      ...(has("8BITMIME") && eightBit ? ["BODY=8BITMIME"] : []),
      ...(has("SMTPUTF8") && utf8 ? ["SMTPUTF8"] : []),
    ].join(" ");
  }

  /** The replies to a group: all of them come, whatever the first ones are (RFC 2920 section 3.1). */
  *#hearEnvelope(delivery: Delivery): Talk<boolean> {
    delivery.onSender(yield* this.#reply("MAIL", TIMEOUT_MS.command));
    for (const to of delivery.mail.to) delivery.onRecipient(to, yield* this.#reply("RCPT", TIMEOUT_MS.command));
    const data = yield* this.#reply("DATA", TIMEOUT_MS.data);
    if (data.code === 354 && delivery.accepted.length === 0) {
      // The server wants content though nobody gets it: it gets none.
      yield* this.#end(new DataEncoder().end());
      return false;
    }
    return this.#checkData(delivery, data);
  }

  /** The same, one after the other. */
  *#envelope(delivery: Delivery): Talk<boolean> {
    delivery.onSender(yield* this.#ask(this.#mailCommand(delivery.mail)));
    if (delivery.failure !== null) return false;
    this.#reached("mail");
    for (const to of delivery.mail.to) delivery.onRecipient(to, yield* this.#ask(`RCPT TO:<${to}>`));
    if (delivery.failure !== null) return false;
    this.#reached("rcpt");
    this.#say("DATA");
    return this.#checkData(delivery, yield* this.#reply("DATA", TIMEOUT_MS.data));
  }

  #checkData(delivery: Delivery, reply: ClientReply): boolean {
    if (reply.code === 354) return true;
    if (delivery.failure !== null) return false;
    if (isPositive(reply)) {
      // Whether it now waits for commands or for content is anybody's guess.
      this.lost = true;
      throw new ProtocolError(`DATA is answered with 354, not with "${formatReply(reply)}"`);
    }
    delivery.fail(refused("DATA", reply), reply);
    return false;
  }

  *#content(delivery: Delivery): Talk<Mail | null> {
    const encoder = new DataEncoder();
    delivery.said = true;
    this.#wire.emit({ type: "send", message: { type: "content", bytes: encoder.encode(delivery.mail.content) } });
    yield { for: "written", what: "the content (the server does not read)", ms: TIMEOUT_MS.block };
    this.#reached("content");
    this.#sayEnd(encoder.end());
    const following = this.#pipelining ? this.#nextMail() : null;
    if (following !== null) this.#sayEnvelope(following);
    const reply = yield* this.#reply("the end of the content", TIMEOUT_MS.end);
    if (isPositive(reply)) delivery.onTaken(reply);
    else delivery.fail(refused("the message", reply), reply);
    if (following === null && delivery.failure === null) this.#reached("message");
    return following;
  }

  *#end(bytes: Uint8Array): Talk<ClientReply> {
    this.#sayEnd(bytes);
    return yield* this.#reply("the end of the content", TIMEOUT_MS.end);
  }

  *#quit(): Talk {
    try {
      this.#say("QUIT");
      const reply = yield* this.#reply("QUIT", TIMEOUT_MS.quit);
      if (!isPositive(reply)) this.#problem(`QUIT is answered with 221, not with "${formatReply(reply)}"`);
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.#problem(`the server does not say goodbye: ${error.message}`);
    }
  }

  // What it consists of.

  *#ask(text: string, shown?: string): Talk<ClientReply> {
    this.#say(text, shown);
    return yield* this.#reply(shown ?? text, TIMEOUT_MS.command);
  }

  *#reply(what: string, ms: Millis): Talk<ClientReply> {
    const reply: ClientReply = yield { for: "reply", what, ms };
    if (reply.code !== 421) return reply;
    this.lost = true;
    throw refused(what, reply);
  }

  #say(text: string, shown?: string): void {
    this.#wire.ask({ type: "command", text, shown });
  }

  #sayEnd(bytes: Uint8Array): void {
    this.#wire.ask({ type: "end", bytes });
  }

  #reached(stage: Stage): void {
    const { stop } = this.#options;
    if (stop !== null && STAGES.indexOf(stage) >= STAGES.indexOf(stop.after)) throw new Stopped(stage);
  }

  #tell(event: ClientEvent): void {
    this.#wire.emit({ type: "event", event });
  }

  #problem(text: string): void {
    this.#tell({ type: "problem", text });
  }

  #note(text: string): void {
    this.#wire.emit({ type: "note", text });
  }
}
