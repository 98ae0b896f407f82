// Messages on their way, over one connection or several: who sends which, what becomes of each, and what is said of all.

import { NetlabError } from "../../protocol/errors.ts";
import { count } from "../../protocol/text.ts";
import type { ConnectContext } from "../exercise.ts";
import type { ConnectionSetup } from "./client_connection.ts";
import type { Mail, MailResult } from "./client_mail.ts";
import type { ClientOptions } from "./client_messages.ts";
import { readStop } from "./client_options.ts";
import { type ClientReply, formatReply } from "./client_replies.ts";
import { runSession } from "./client_session.ts";
import type { Stage } from "./protocol.ts";

/** How often progress is shown, in ms. */
const PROGRESS_MS = 100;
/** So many refusals are told one by one. */
const MAX_TOLD = 10;

/** Makes the message of that number, from 1. */
export type MakeMail = (count: number) => Mail;

/** All that one start of the client sends. */
export class Sending {
  readonly #context: ConnectContext;
  readonly #setup: ConnectionSetup;
  readonly #login: ClientOptions["login"];
  readonly #makeMail: MakeMail | null;
  readonly #count: number;
  readonly #begun = performance.now();
  readonly #problems = new Set<string>();
  #left: number;
  /** Messages made so far, those that come to nothing too: what is begun anew has a number of its own. */
  #made = 0;
  #sent = 0;
  #bytes = 0;
  #failures: NetlabError[] = [];
  /** Why connections ended over which nothing was sent: the others may do their part. */
  readonly #turnedAway: NetlabError[] = [];
  /** How many connections at once something was sent over, or tried to. */
  #served = 0;
  #refusals = 0;
  /** The last refusal of those that are not told one by one: it is told with their number. */
  #untold: Readonly<Record<string, unknown>> | null = null;
  #stopped = false;
  #shownAt = -Infinity;

  /** @param makeMail null where the session stops before it would need one */
  constructor(
    context: ConnectContext,
    setup: ConnectionSetup,
    login: ClientOptions["login"],
    makeMail: MakeMail | null,
  ) {
    this.#context = context;
    this.#setup = setup;
    this.#login = login;
    this.#makeMail = makeMail;
    this.#left = this.#count = makeMail === null ? 0 : Number(context.options.count ?? 1);
  }

  /** @throws {NetlabError} unless everybody gets everything */
  async run(): Promise<void> {
    const connections = Math.max(1, Math.min(this.#count, Number(this.#context.options.connections ?? 1)));
    const ends = await Promise.allSettled(Array.from({ length: connections }, () => this.#work()));
    this.#context.console.status(null);
    for (const end of ends) {
      if (end.status === "fulfilled") continue;
      if (!(end.reason instanceof NetlabError)) throw end.reason;
      this.#failures.push(end.reason);
    }
    this.#report();
  }

  /** Sends over one connection after the other, as long as there is something left and it gets somewhere. */
  async #work(): Promise<void> {
    let served = false;
    do {
      let sent = false;
      try {
        await this.#session((result) => {
          if (!served) this.#served++;
          served = true;
          sent ||= result.failure === null;
        });
      } catch (error) {
        // A server may end a session after so many messages: the rest goes in another one.
        if (sent && this.#left > 0) continue;
        if (sent || !(error instanceof NetlabError)) throw error;
        return void this.#turnedAway.push(error);
      }
    } while (this.#left > 0 && !this.#stopped);
  }

  async #session(onResult: (result: MailResult) => void): Promise<void> {
    let taken = 0;
    try {
      await runSession(this.#context, {
        setup: this.#setup,
        login: this.#login,
        stop: readStop(this.#context.options),
        next: () => {
          if (this.#left === 0) return null;
          taken++;
          this.#left--;
          return this.#makeMail!(++this.#made);
        },
        onResult: (result) => {
          taken--;
          onResult(result);
          this.#onResult(result);
        },
        onStopped: (stage, drop) => this.#onStopped(stage, drop),
        onProblem: (text) => this.#onProblem(text),
        onLine: this.#context.options.dialogue ? (who, text) => this.#show(who, text) : null,
      });
    } finally {
      // What has been begun at most, and not been sent, is still to be sent.
      if (!this.#stopped) this.#left += taken;
    }
  }

  #show(who: string, text: string): void {
    this.#context.console.print(`${who}: ${text}`, { event: "dialogue", who, text });
  }

  /** Says once what is wrong with the server. */
  #onProblem(text: string): void {
    if (this.#problems.has(text)) return;
    this.#problems.add(text);
    this.#context.console.note(text);
  }

  #onStopped(stage: Stage, drop: boolean): void {
    this.#stopped = true;
    this.#context.console.print(`${drop ? "dropped" : "stopped"} after ${stage}`, { event: "stopped", stage, drop });
  }

  #onResult({ mail, accepted, refused, reply, failure }: MailResult): void {
    for (const { to, reply } of refused) this.#onRefused(to, reply);
    if (failure !== null) this.#failures.push(failure);
    else if (accepted.length > 0) {
      this.#sent++;
      this.#bytes += mail.content.length;
    }
    if (this.#count > 1) return this.#progress();
    this.#tellUntold();
    if (failure !== null || reply === null || accepted.length === 0) return;
    const seconds = (performance.now() - this.#begun) / 1000;
    const row = `sent ${mail.content.length} bytes to ${accepted.join(", ")} in ${seconds.toFixed(2)} s: ${
      formatReply(reply)
    }`;
    this.#context.console.print(row, {
      ...{ event: "sent", from: mail.from, to: accepted, bytes: mail.content.length, seconds },
      ...{ refused: refused.map(({ to }) => to), code: reply.code, text: reply.lines.at(-1) ?? "" },
    });
  }

  /** Tells the first refusals one by one; with `--json`, which counts for itself, each of them. */
  #onRefused(to: string, reply: ClientReply): void {
    const { console } = this.#context;
    const event = { event: "refused", to, code: reply.code, text: reply.lines.at(-1) ?? "" };
    if (++this.#refusals <= MAX_TOLD) return console.print(`refused: ${to}: ${formatReply(reply)}`, event);
    if (this.#untold !== null) console.record?.(this.#untold);
    this.#untold = event;
  }

  #tellUntold(): void {
    if (this.#untold === null) return;
    this.#context.console.print(`and ${this.#refusals - MAX_TOLD} more`, this.#untold);
    this.#untold = null;
  }

  #progress(): void {
    const now = performance.now();
    if (now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    const done = this.#count - this.#left;
    this.#context.console.status(`${done} of ${this.#count} messages`, done / this.#count);
  }

  #tellTotal(failed: number): void {
    const seconds = (performance.now() - this.#begun) / 1000;
    const perSecond = Math.round(this.#sent / Math.max(seconds, 1e-3));
    const over = `(${this.#bytes} bytes) over ${count(this.#served, "connection")} in ${seconds.toFixed(2)} s`;
    this.#context.console.print(`sent ${this.#sent} of ${this.#count} messages ${over}: ${perSecond}/s`, {
      ...{ event: "report", sent: this.#sent, failed, refused: this.#refusals },
      ...{ bytes: this.#bytes, seconds, perSecond },
    });
  }

  /** @throws {NetlabError} unless everybody gets everything */
  #report(): void {
    this.#tellUntold();
    const failed = this.#count - this.#sent;
    if (failed > 0 || this.#count === 0) this.#failures.push(...this.#turnedAway);
    if (this.#count > 1) this.#tellTotal(failed);
    const [first] = this.#failures;
    if (first !== undefined && this.#count > 1 && failed > 0 && !this.#stopped) {
      throw new NetlabError(first.kind, `${failed} of ${this.#count} messages failed: ${first.message}`, first);
    }
    if (first !== undefined) throw first;
    if (this.#turnedAway.length > 0) {
      const [{ message }] = this.#turnedAway;
      const connections = count(this.#turnedAway.length, "connection");
      this.#context.console.note(`${connections} came to nothing, the others sent all: ${message}`);
    }
    if (this.#refusals === 0) return;
    const rest = this.#sent === 0 ? "" : `: the others get ${this.#count > 1 ? "theirs" : "the message"}`;
    throw new NetlabError(
      "reply",
      `${this.#refusals} recipient${this.#refusals === 1 ? " was" : "s were"} refused${rest}`,
    );
  }
}
