// One session of the client that sends by itself: its machine, on a connection.

import { systemClock } from "../../net/clock.ts";
import { drive } from "../../net/drive.ts";
import { NetlabError, type ProtocolError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { type ConnectionSetup, type OnLine, SmtpConnection } from "./client_connection.ts";
import type { Mail, MailResult } from "./client_mail.ts";
import { SmtpClientMachine } from "./client_machine.ts";
import type { ClientEvent, ClientMessage, ClientOptions } from "./client_messages.ts";
import type { Stage } from "./protocol.ts";

/** Content longer than this is written as fast as the server reads; what is shorter leaves in one write with what follows. */
const POUR_BYTES = 262_144;

/** What a session is for. */
export interface SessionOptions {
  readonly setup: ConnectionSetup;
  readonly login: ClientOptions["login"];
  readonly stop: ClientOptions["stop"];
  next(): Mail | null;
  onResult(result: MailResult): void;
  onStopped(stage: Stage, drop: boolean): void;
  onProblem(text: string): void;
  readonly onLine: OnLine | null;
}

/** Connects, sends what there is to send, and leaves. @throws {NetlabError} when the session as a whole fails */
export async function runSession(context: ConnectContext, options: SessionOptions): Promise<void> {
  const { setup, login, stop } = options;
  const connection = await SmtpConnection.open(context, setup, options.onProblem, options.onLine);
  const machine = new SmtpClientMachine({
    ...{ name: connection.name, tls: setup.tls, compat: setup.compat, login, stop },
    limitMs: context.idleMs,
  }, options.next);
  await new Session(connection, machine, context, options).run();
}

class Session {
  readonly #connection: SmtpConnection;
  readonly #options: SessionOptions;
  readonly #driven;
  #upgrading: Promise<void> | null = null;
  #dropped = false;

  constructor(
    connection: SmtpConnection,
    machine: SmtpClientMachine,
    { trace }: ConnectContext,
    options: SessionOptions,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#driven = drive(machine, {
      clock: systemClock,
      send: (message: ClientMessage) => this.#send(message),
      onEvent: (event: ClientEvent) => this.#on(event),
      trace,
      id: connection.channel.id,
    });
  }

  async run(): Promise<void> {
    const { channel } = this.#connection;
    const listening = this.#listen();
    const error = await this.#driven.finished;
    if (this.#dropped) {
      await channel.flushed();
      channel.abort("dropped");
    } else if (error) channel.abort(error.message);
    else await channel.close();
    await listening;
    if (error) throw error;
  }

  async #listen(): Promise<void> {
    const { channel } = this.#connection;
    let failure: Error | undefined;
    await channel.each((line) => {
      const text = this.#connection.heard(line);
      this.#driven.input({ type: "message", message: { type: "line", text } });
      // Nothing may be read before TLS has begun.
      const upgrading = this.#upgrading;
      this.#upgrading = null;
      if (upgrading !== null) return upgrading;
    }, (error: ProtocolError) => {
      failure ??= new NetlabError(error.kind, `the server says what is no reply: ${error.message}`);
    });
    failure ??= channel.reason === null || channel.reason === "end of stream" ? undefined : new Error(channel.reason);
    this.#driven.input({ type: "end", error: failure });
  }

  #send(message: ClientMessage): void {
    if (message.type !== "content" || message.bytes.length <= POUR_BYTES) {
      this.#connection.send(message);
      if (message.type === "content") this.#driven.input({ type: "command", command: { type: "written" } });
      return;
    }
    const tell = (type: "progress" | "written") => this.#driven.input({ type: "command", command: { type } });
    void this.#connection.pour(message.bytes, () => tell("progress")).then(() => tell("written"));
  }

  #on(event: ClientEvent): void {
    switch (event.type) {
      case "problem":
        return this.#options.onProblem(event.text);
      case "result":
        return this.#options.onResult(event.result);
      case "stopped":
        this.#dropped = event.drop;
        return this.#options.onStopped(event.stage, event.drop);
      case "startTls":
        this.#upgrading = this.#connection.startTls().then(
          () => this.#driven.input({ type: "command", command: { type: "tlsBegun" } }),
          (error) => this.#driven.input({ type: "end", error }),
        );
    }
  }
}
