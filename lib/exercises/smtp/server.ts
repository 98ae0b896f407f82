// The mail server's I/O: each connection a machine on a channel; what it asks for is done here.
//
//     bytes ─► SessionFramer ─► SmtpServerMachine ─► replies, in one write when the input is used up
//                                 └─ open, content, deliver ─► Maildir     authenticate ─► Users     startTls ─► TlsServer

import type { Channel } from "../../net/channel.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { describeSystemError } from "../../net/errors.ts";
import { Server, type Session } from "../../net/server.ts";
import type { TlsServer } from "../../net/tls.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { Framer } from "../../protocol/framing.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import type { OptionValues } from "../options.ts";
import { asciiDomain, isDomain, isLiteral, type Mailbox } from "./address.ts";
import { deliveryHead, mailDate } from "./head.ts";
import { folderOf, Maildir } from "./maildir.ts";
import type { MaildirError, NewMail } from "./new_mail.ts";
import { DEFAULT_MAX_RECIPIENTS, DEFAULT_MAX_SIZE, reply } from "./protocol.ts";
import { SmtpServerMachine } from "./server_machine.ts";
import type { Envelope, ServerOptions, SmtpCommand, SmtpEvent, SmtpMessage } from "./server_messages.ts";
import { SessionFramer } from "./session_framer.ts";
import { openTls } from "./tls.ts";
import { Users } from "./users.ts";

/** What the server calls itself. */
const HOSTNAME = "netlab";
/** After so many wrong commands in a row, or wrong passwords, a client is sent away. */
const MAX_ERRORS = 100;
/** A body that ends in LF.LF, and then nothing for so long, waits for an end that never comes, in ms. */
const HINT_MS = 1000;

type MailChannel = Channel<SmtpMessage>;

/** What the sessions of one server share. */
interface Office {
  readonly context: ServeContext;
  readonly maildir: Maildir;
  readonly users: Users | null;
  readonly tls: TlsServer | null;
  /** The machine of each connection, by its framer. */
  readonly machines: WeakMap<Framer, SmtpServerMachine>;
  /** No new transaction begins. */
  leaving: boolean;
}

/** Starts a mail server. @throws {NetlabError} */
export async function serveSmtp(context: ServeContext): Promise<RunningServer> {
  const { limits, options, trace } = context;
  const root = String(options.mailbox ?? "mail");
  makeRoot(root);
  const users = await Users.load(text(options.user), text(options.users));
  if (options["require-auth"] === true && users === null) {
    throw new NetlabError("usage", "--require-auth without users", { hint: "name them with --user or --users" });
  }
  // Whatever is wrong with the options is told before there is a certificate, and something open.
  const others = readSettings(context, users !== null);
  const tls = await openTls(options, root, (problem) => context.console.note(problem));
  if (tls !== null) context.console.note(`the certificate is ${tls.certFile}: clients trust it by --tls-ca`);
  const maildir = new Maildir(root, { fsync: options["no-fsync"] !== true });
  const office: Office = { context, maildir, users, tls: tls && tls.server, machines: new WeakMap(), leaving: false };
  const settings: ServerOptions = {
    ...others,
    tls: tls === null ? "none" : tls.implicit ? "active" : "offered",
  };
  const visits = new Set<Visit>();
  const makeServer = () =>
    new Server<SmtpMessage, SmtpMessage>({
      listen: context,
      limits,
      trace,
      wrap: tls?.implicit ? (conn) => tls.server.over(conn) : undefined,
      codec: (framer) => framer as SessionFramer,
      makeFramer() {
        const machine = new SmtpServerMachine(settings);
        const framer = new SessionFramer(() => machine.mode, settings.compat);
        office.machines.set(framer, machine);
        return framer;
      },
      farewells: {
        refuse: farewell,
        leaving: "shutting down",
        bad: (error) => ({ type: "reply", reply: reply(500, "5.5.2", error.message) }),
        goodbye: false,
        atOnce: true,
      },
      session(channel) {
        const visit: Visit = new Visit(channel, office, () => visits.delete(visit));
        visits.add(visit);
        return visit;
      },
    });
  try {
    return endGently(makeServer(), office, visits);
  } catch (error) {
    tls?.server.close();
    throw error;
  }
}

/** Has a shutdown wait for what is being delivered: a sender that is told 421 in place of 250 would send it once more. */
function endGently(server: Server<SmtpMessage, SmtpMessage>, office: Office, visits: Set<Visit>): RunningServer {
  const shutdown = server.shutdown.bind(server);
  server.shutdown = async (graceMs) => {
    office.leaving = true;
    const left = Promise.all([...visits].map((visit) => visit.leave()));
    await outlasts(left, graceMs / 2);
    await shutdown(graceMs / 2);
  };
  void server.finished.then(() => office.tls?.close());
  return server;
}

/** "421 4.3.2 netlab: server full", with a code of its own for idle clients (RFC 3463). */
function farewell(why: string): SmtpMessage {
  const enhanced = why.startsWith("idle") ? "4.4.2" : "4.3.2";
  return { type: "reply", reply: reply(421, enhanced, `${HOSTNAME}: ${why}`) };
}

function makeRoot(root: string): void {
  try {
    Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = describeSystemError(error);
    throw new NetlabError("usage", `cannot make ${root}: ${why}`, { hint: "--mailbox names a folder", cause: error });
  }
}

const recipientsOf = ({ to }: Envelope) => to.map(({ text }) => `<${text}>`).join(", ");
const text = (value: OptionValues[string]) => value === undefined ? undefined : String(value);

/** The domains of --accept. @throws {NetlabError} of kind `usage` */
function readDomains(list: string): string[] {
  const hint = "domains, with commas between them: --accept example.org,example.com";
  const domains = list.split(/[,\n]/).map((one) => one.trim()).filter((one) => one !== "");
  if (domains.length === 0) throw new NetlabError("usage", "--accept names no domain", { hint });
  for (const one of domains) {
    if (!isDomain(one) && !isLiteral(one)) throw new NetlabError("usage", `--accept: "${one}" is no domain`, { hint });
  }
  return domains.map(asciiDomain);
}

function readSettings({ options, limits }: ServeContext, users: boolean): Omit<ServerOptions, "tls"> {
  return {
    hostname: HOSTNAME,
    maxSize: Number(options["max-size"] ?? DEFAULT_MAX_SIZE),
    maxRecipients: Number(options["max-recipients"] ?? DEFAULT_MAX_RECIPIENTS),
    accept: options.accept === undefined ? null : readDomains(String(options.accept)),
    auth: users ? { required: options["require-auth"] === true, insecure: options["auth-insecure"] === true } : null,
    rejectBareNewline: options["bare-newline"] === "reject",
    compat: options.compat === "course",
    maxErrors: limits.maxErrors ?? MAX_ERRORS,
  };
}

/** One client. */
class Visit implements Session<SmtpMessage> {
  readonly #channel: MailChannel;
  /** The client's, without its port. */
  readonly #address: string;
  readonly #office: Office;
  readonly #onGone: () => void;
  readonly #machine: SmtpServerMachine;
  readonly #driven: Driven<SmtpMessage, SmtpCommand>;
  #mail: NewMail | null = null;
  /** What the machine waits for. */
  #task: Promise<void> | null = null;
  #cancelHint: () => void = () => {};

  constructor(channel: MailChannel, office: Office, onGone: () => void) {
    this.#channel = channel;
    this.#address = channel.remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    this.#office = office;
    this.#onGone = onGone;
    this.#machine = office.machines.get(channel.framer)!;
    this.#driven = drive(this.#machine, {
      clock: systemClock,
      send: (message) => void channel.send(message),
      onEvent: (event) => this.#obey(event),
      trace: office.context.trace,
      id: channel.id,
    });
    void this.#driven.finished.then(() => channel.because("said goodbye").close());
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
    this.#onGone();
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
