// One session of the mail server: its machine, on a channel, and what the machine asks for, done.

import type { Channel } from "../../net/channel.ts";
import { systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import type { Session } from "../../net/server.ts";
import type { TlsServer } from "../../net/tls.ts";
import type { Framer } from "../../protocol/framing.ts";
import type { ServeContext } from "../exercise.ts";
import type { Mailbox } from "./address.ts";
import { deliveryHead, mailDate } from "./head.ts";
import { folderOf, type Maildir } from "./maildir.ts";
import type { MaildirError, NewMail } from "./new_mail.ts";
import { reply } from "./protocol.ts";
import type { SmtpServerMachine } from "./server_machine.ts";
import type { Envelope, SmtpCommand, SmtpEvent, SmtpMessage } from "./server_messages.ts";
import type { Users } from "./users.ts";

/** What the server calls itself. */
export const HOSTNAME = "netlab";
/** A body that ends in LF.LF, and then nothing for so long, waits for an end that never comes, in ms. */
const HINT_MS = 1000;

/** What the sessions of one server share. */
export interface Office {
  readonly context: ServeContext;
  readonly maildir: Maildir;
  readonly users: Users | null;
  readonly tls: TlsServer | null;
  readonly sessions: Set<MailSession>;
  /** The machine of each connection, by its framer. */
  readonly machines: WeakMap<Framer, SmtpServerMachine>;
  /** No new transaction begins. */
  leaving: boolean;
}

/** "421 4.3.2 netlab: server full", with a code of its own for idle clients (RFC 3463). */
export function farewell(why: string): SmtpMessage {
  const enhanced = why.startsWith("idle") ? "4.4.2" : "4.3.2";
  return { type: "reply", reply: reply(421, enhanced, `${HOSTNAME}: ${why}`) };
}

const recipientsOf = ({ to }: Envelope) => to.map(({ text }) => `<${text}>`).join(", ");

/** One client. */
export class MailSession implements Session<SmtpMessage> {
  readonly #channel: Channel<SmtpMessage>;
  /** The client's, without its port. */
  readonly #address: string;
  readonly #office: Office;
  readonly #machine: SmtpServerMachine;
  readonly #driven: Driven<SmtpMessage, SmtpCommand>;
  #mail: NewMail | null = null;
  /** What the machine waits for. */
  #task: Promise<void> | null = null;
  #cancelHint: () => void = () => {};

  constructor(channel: Channel<SmtpMessage>, office: Office) {
    this.#channel = channel;
    this.#address = channel.remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    this.#office = office;
    this.#machine = office.machines.get(channel.framer)!;
    this.#driven = drive(this.#machine, {
      clock: systemClock,
      send: (message) => void channel.send(message),
      onEvent: (event) => this.#obey(event),
      trace: office.context.trace,
      id: channel.id,
    });
    void this.#driven.finished.then(() => channel.because("said goodbye").close());
    office.sessions.add(this);
    if (office.leaving) this.#sayLeaving();
  }

  onMessage(message: SmtpMessage): void | Promise<void> {
    this.#cancelHint();
    this.#driven.input({ type: "message", message });
    if (this.#task === null && this.#mail?.heavy) this.#task = this.#mail.relieve();
    if (message.type === "content" && message.behindDot) this.#watchEnd();
    if (this.#task !== null || this.#office.leaving) return this.#idle();
  }

  onEnd(): void {
    this.#cancelHint();
    this.#driven.input({ type: "end" });
    this.#office.sessions.delete(this);
  }

  /** Says goodbye, behind the answer to what is being done. */
  async leave(): Promise<void> {
    while (this.#task !== null) await this.#task;
    this.#sayLeaving();
  }

  #sayLeaving(): void {
    if (this.#channel.ending) return;
    this.#channel.send(farewell("shutting down"));
    void this.#channel.because("server shut down").close();
  }

  /** Resolves when nothing is being done: only then the next bytes may come. */
  async #idle(): Promise<void> {
    while (this.#task !== null) {
      const task = this.#task;
      await task;
      if (this.#task === task) this.#task = null;
    }
    if (this.#office.leaving) this.#sayLeaving();
  }

  #obey(event: SmtpEvent): void {
    switch (event.type) {
      case "open":
        this.#mail = this.#begin(event.envelope, event.size ?? 0);
        return this.#answer({ type: "opened" });
      case "content":
        return this.#mail!.write(event.bytes);
      case "abandon":
        this.#mail?.discard();
        this.#mail = null;
        return;
      case "deliver":
        this.#task = this.#deliver(event.envelope);
        return;
      case "authenticate":
        this.#task = this.#authenticate(event.user, event.password);
        return;
      case "startTls":
        this.#task = this.#startTls();
    }
  }

  #answer(command: SmtpCommand): void {
    this.#driven.input({ type: "command", command });
  }

  /** Takes a message in; nothing is on the disk yet, so nothing can go wrong. */
  #begin(envelope: Envelope, size: number): NewMail {
    const recipients = new Map<string, Mailbox>();
    for (const mailbox of envelope.to) {
      const folder = folderOf(mailbox);
      if (!recipients.has(folder)) recipients.set(folder, mailbox);
    }
    const arrival = {
      envelope,
      from: this.#address,
      by: HOSTNAME,
      date: mailDate(Date.now()),
    };
    const head = (folder: string, id: string) => deliveryHead(arrival, recipients.get(folder)!, id);
    return this.#office.maildir.begin([...recipients.keys()], head, size);
  }

  /** @returns what has to be waited for, if anything has */
  #deliver(envelope: Envelope): Promise<void> | null {
    const mail = this.#mail!;
    this.#mail = null;
    const done = () => {
      this.#report(mail, envelope);
      this.#answer({ type: "delivered", id: mail.id });
    };
    const failed = (error: unknown) => {
      const { full, message } = error as MaildirError;
      this.#warn(`not delivered to ${recipientsOf(envelope)}: ${message}`);
      const problem = full ? reply(452, "4.3.1", "no room") : reply(451, "4.3.0", "it cannot be kept here");
      this.#answer({ type: "failed", reply: problem });
    };
    let now: boolean;
    try {
      now = mail.deliverNow();
    } catch (error) {
      failed(error);
      return null;
    }
    if (!now) return mail.deliver().then(done, failed);
    done();
    return null;
  }

  #report({ id, bytes }: NewMail, envelope: Envelope): void {
    const from = envelope.from?.text ?? "";
    const to = envelope.to.map(({ text }) => text);
    this.#office.context.console.print(
      `mail from <${from}> for ${recipientsOf(envelope)}: ${bytes} bytes`,
      { event: "mail", id, from, to, bytes, client: this.#channel.remote, user: this.#machine.user },
    );
  }

  async #authenticate(user: string, password: string): Promise<void> {
    const isWanted = () => !this.#channel.ending;
    try {
      const ok = await this.#office.users!.check(user, password, this.#address, isWanted);
      if (isWanted()) this.#answer({ type: "authenticated", ok });
    } catch {
      this.#answer({ type: "failed", reply: reply(454, "4.7.0", "that cannot be found out now") });
    }
  }

  async #startTls(): Promise<void> {
    await this.#channel.upgrade((conn) => this.#office.tls!.over(conn));
    this.#answer({ type: "tlsBegun" });
  }

  /** `nc` ends lines with LF alone: what its user takes for the end of the message is none (RFC 5321 section 2.3.8). */
  #watchEnd(): void {
    this.#cancelHint = systemClock.at(systemClock.now() + HINT_MS, () => {
      const { console } = this.#office.context;
      console.note(
        `${this.#channel.remote} waits behind a dot, but its lines end in LF, and only CR LF . CR LF ends a message: ` +
          "nc -C or telnet sends that",
      );
    });
  }

  #warn(text: string): void {
    const { trace } = this.#office.context;
    if (trace.wants.warning) trace.emit({ type: "warning", id: this.#channel.id, text });
  }
}
