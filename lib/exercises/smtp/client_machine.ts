// The client's side of an SMTP session, as a machine: lines of replies in, commands and content out. What is said is the
// dialogue's; here replies are put together, waited for, and given up.

import type { Millis } from "../../protocol/clock.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { Dialogue, type Talk, type Wait, type Wire } from "./client_dialogue.ts";
import { type Mail, refused } from "./client_mail.ts";
import {
  type ClientCommand,
  type ClientEvent,
  type ClientMessage,
  type ClientOptions,
  HINT_MS,
  SILENCE_MS,
  TLS_AT_ONCE,
} from "./client_messages.ts";
import { type ClientReply, formatReply, ReplyReader } from "./client_replies.ts";

type Effects = Effect<ClientMessage, ClientEvent>[];

/** The client's side of one session. */
export class SmtpClientMachine implements Machine<ClientMessage, ClientCommand, ClientEvent> {
  readonly #options: ClientOptions;
  readonly #reader: ReplyReader;
  readonly #dialogue: Dialogue;
  readonly #talk: Talk;
  /** Complete, and not yet asked for. */
  #replies: ClientReply[] = [];
  /** Replies that are still to come, those in `#replies` included: the greeting is the first. */
  #owed = 1;
  #wait: Wait | null = null;
  #due: Millis | null = null;
  #now: Millis = 0;
  #heardAt: Millis = 0;
  #hinted = false;
  /** The server has not said a word. */
  #mute = true;
  #closed = false;
  #out: Effects = [];

  /**
   * @param next the next mail to send on this session, or null when there is none: asked when there is room for it. Those of
   * which no result is told when the session ends have not been sent.
   */
  constructor(options: ClientOptions, next: () => Mail | null) {
    this.#options = options;
    this.#reader = new ReplyReader(options.compat, (text) => this.#problem(text));
    this.#dialogue = new Dialogue(options, next, this.#wire());
    this.#talk = this.#dialogue.run();
  }

  #wire(): Wire {
    return {
      emit: (effect) => void this.#out.push(effect),
      ask: (message) => {
        this.#owed++;
        this.#out.push({ type: "send", message });
      },
      unread: () => this.#replies.length > 0 || this.#reader.open,
    };
  }

  deadline(): Millis | null {
    if (this.#closed || this.#due === null) return null;
    const { open } = this.#reader;
    const silence = open && this.#options.compat
      ? SILENCE_MS
      : (open || this.#waitsForTls) && !this.#hinted
      ? HINT_MS
      : Infinity;
    return Math.min(this.#due, this.#heardAt + silence);
  }

  step(input: Input<ClientMessage, ClientCommand>, now: Millis): Effects {
    this.#out = [];
    this.#now = now;
    if (this.#closed) return this.#out;
    switch (input.type) {
      case "start":
        this.#heardAt = now;
        this.#go(() => this.#talk.next(undefined as never));
        break;
      case "message":
        if (input.message.type === "line") this.#hear(input.message.text);
        break;
      case "command":
        this.#told(input.command);
        break;
      case "timer":
        this.#timer();
        break;
      case "end":
        this.#ended(input.error);
    }
    return this.#out;
  }

  /** Lets the dialogue go on until it waits for what is not there yet. */
  #go(resume: () => IteratorResult<Wait, void>): void {
    this.#wait = null;
    let step = resume();
    while (!step.done) {
      const wait = step.value;
      const reply = wait.for === "reply" ? this.#replies.shift() : undefined;
      if (reply === undefined) {
        this.#wait = wait;
        this.#due = this.#now + this.#patience(wait);
        return;
      }
      this.#owed--;
      step = this.#talk.next(reply);
    }
    this.#closed = true;
  }

  #hear(line: string): void {
    this.#heardAt = this.#now;
    this.#hinted = this.#mute = false;
    try {
      const reply = this.#reader.take(line);
      if (reply !== null) this.#arrived(reply);
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.#lose(error);
    }
  }

  #arrived(reply: ClientReply): void {
    // A server may end a session at any time (RFC 5321 section 3.8), and says nothing else unasked; some refuse content while
    // it comes.
    if (this.#replies.length >= this.#owed) {
      if (reply.code === 421) return this.#lose(refused("to go on", reply));
      if (reply.code >= 400 && this.#wait?.for === "written") return this.#lose(refused("the message", reply));
      const what = `"${formatReply(reply)}" answers nothing: there was one reply too many`;
      if (this.#options.compat) return this.#problem(what);
      return this.#lose(new ProtocolError(what));
    }
    this.#replies.push(reply);
    if (this.#wait?.for !== "reply") return;
    this.#go(() => {
      this.#owed--;
      return this.#talk.next(this.#replies.shift()!);
    });
  }

  /** Whether the server may wait as the client does. */
  get #waitsForTls(): boolean {
    return this.#mute && this.#options.tls !== "active";
  }

  #patience({ ms }: Wait): Millis {
    return Math.min(ms, this.#options.limitMs ?? Infinity);
  }

  #told(command: ClientCommand): void {
    if (command.type === "progress") {
      if (this.#wait?.for === "written") this.#due = this.#now + this.#patience(this.#wait);
    } else if (command.type === this.#wait?.for) this.#go(() => this.#talk.next(undefined as never));
  }

  #timer(): void {
    if (this.#due !== null && this.#now >= this.#due) {
      const wait = this.#wait!;
      const hint = this.#reader.open
        ? `${this.#reader.lack}: --compat course does not mind`
        : this.#waitsForTls
        ? TLS_AT_ONCE
        : undefined;
      const missing = wait.what === "the greeting" ? "whole greeting" : `answer to ${wait.what}`;
      const why = `no ${missing} in ${this.#patience(wait) / 1000} s`;
      return this.#lose(new NetlabError("timeout", why, { hint }));
    }
    if (this.#now < this.deadline()!) return;
    if (!this.#reader.open) {
      this.#hinted = true;
      this.#problem(`no greeting yet: ${TLS_AT_ONCE}`);
    } else if (this.#options.compat) {
      this.#problem(this.#reader.lack);
      this.#arrived(this.#reader.complete());
    } else {
      this.#hinted = true;
      this.#problem(`the server is silent: ${this.#reader.lack}; --compat course does not mind`);
    }
  }

  #ended(error?: Error): void {
    if (error instanceof NetlabError) return this.#lose(error);
    const where = this.#reader.open
      ? "inside of a reply"
      : this.#mute
      ? "before it said anything"
      : `before it answered ${this.#wait?.what ?? "anything"}`;
    const why = error === undefined ? "" : ` (${error.message})`;
    this.#lose(new NetlabError("transport", `the server ended the connection ${where}${why}`));
  }

  /** The connection is of no more use. */
  #lose(error: NetlabError): void {
    this.#dialogue.lost = true;
    this.#go(() => this.#talk.throw(error));
  }

  #problem(text: string): void {
    this.#out.push({ type: "event", event: { type: "problem", text } });
  }
}
