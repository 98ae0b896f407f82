// SMTP by hand: what is typed is what is sent. A person gets completion and a hint after each reply; a script waits for the
// reply to each of its lines.

import { outlasts } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy, encodeText } from "../../protocol/text.ts";
import { describeForms } from "../commands.ts";
import type { ConnectContext } from "../exercise.ts";
import { encodeBase64 } from "./base64.ts";
import { type ConnectionSetup, SmtpConnection } from "./client_connection.ts";
import { BEGINNINGS, HAND_FORMS } from "./client_forms.ts";
import { hintFor } from "./client_hints.ts";
import { refused } from "./client_mail.ts";
import { HINT_MS, SILENCE_MS, TIMEOUT_MS, TLS_AT_ONCE } from "./client_messages.ts";
import { type ClientReply, ReplyReader } from "./client_replies.ts";
import { type LineMode, TypedSecrets } from "./client_typed_secrets.ts";

/** Connects, and lets the person or the script speak. @throws {NetlabError} when a script's command is refused, or the server goes */
export async function talkByHand(context: ConnectContext, setup: ConnectionSetup): Promise<void> {
  const { console } = context;
  const show = (who: string, text: string) => {
    // What a person types is on the screen already.
    if (who === "S" || !console.interactive) console.print(`${who}: ${text}`, { event: "dialogue", who, text });
  };
  const connection = await SmtpConnection.open(context, setup, (text) => console.note(text), show);
  await new HandSession(connection, context, setup).run();
}

class HandSession {
  readonly #connection: SmtpConnection;
  readonly #context: ConnectContext;
  readonly #setup: ConnectionSetup;
  readonly #reader: ReplyReader;
  #mode: LineMode = "command";
  /** What is still to come of a chunk, in bytes. */
  #chunkLeft = 0;
  /** What has not been answered yet, in upper case, the greeting first: it is the answer to nothing. */
  readonly #asked: string[] = [""];
  #refusals = 0;
  /** How the server refuses the session in place of a greeting. */
  #turnedAway: NetlabError | null = null;
  #over = false;
  #leaving = false;
  readonly #typed = new TypedSecrets();
  #offered: readonly string[] = [];
  #addresses = new Set<string>();
  #wake: () => void = () => {};

  constructor(connection: SmtpConnection, context: ConnectContext, setup: ConnectionSetup) {
    this.#connection = connection;
    this.#context = context;
    this.#setup = setup;
    this.#reader = new ReplyReader(setup.compat, (text) => context.console.note(text));
  }

  async run(): Promise<void> {
    const { console, host, port } = this.#context;
    const { channel } = this.#connection;
    console.completeWith((line) => this.#complete(line));
    if (console.interactive) {
      console.note(`connected to ${formatHostPort(host, port)}: type SMTP; Tab completes, ? lists the commands`);
    }
    let failure: NetlabError | undefined;
    let ended = false;
    const listening = this.#listen().catch((error) => void (failure = error)).finally(() => {
      this.#over = true;
      this.#wake();
      console.stop();
    });
    try {
      await this.#converse();
    } catch (error) {
      channel.abort((error as Error).message);
      throw error;
    } finally {
      ended = this.#over;
      if (this.#leaving || this.#over) await channel.close();
      else channel.abort("left");
      await listening;
    }
    if (failure) throw failure;
    if (this.#turnedAway !== null && !console.interactive) throw this.#turnedAway;
    if (!this.#leaving && ended) {
      throw new NetlabError("transport", `the server ended the connection (${channel.reason})`);
    }
    if (this.#refusals > 0 && !console.interactive) {
      throw new NetlabError("reply", `the server refused ${this.#refusals} of the script's commands`);
    }
  }

  async #converse(): Promise<void> {
    const { console } = this.#context;
    await this.#answered();
    const isSecret = (line: string) => this.#typed.take(line, this.#mode);
    for await (const line of console.lines("> ", isSecret, (line) => this.#typed.hiddenFrom(line, this.#mode))) {
      if (this.#over) break;
      await this.#say(line);
      await this.#turn();
      if (this.#leaving) break;
    }
    if (this.#over || this.#leaving) return;
    if (this.#mode !== "command") {
      const within = this.#mode === "content" || this.#mode === "chunk" ? "the message, which was not sent" : "AUTH";
      throw new NetlabError("usage", `the ${console.interactive ? "input" : "script"} ended within ${within}`);
    }
    this.#send("QUIT");
    await this.#answered();
  }

  /** A script waits for its replies; a person sees them come, unless silence may be the end of one. */
  async #turn(): Promise<void> {
    if (this.#mode === "chunk") return;
    if (!this.#context.console.interactive || this.#leaving || this.#setup.compat) await this.#answered();
  }

  async #answered(): Promise<void> {
    const limit = this.#context.idleMs ?? (this.#mode === "content" ? TIMEOUT_MS.end : TIMEOUT_MS.command);
    const end = performance.now() + limit;
    let hinted = false;
    while (this.#asked.length > 0 && !this.#over) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      const open = this.#reader.open;
      const left = Math.max(0, end - performance.now());
      // Whoever has not greeted may wait, as the client does.
      const mute = this.#asked[0] === "" && !open && this.#setup.tls !== "active";
      const patience = open && this.#setup.compat ? SILENCE_MS : (open || mute) && !hinted ? HINT_MS : Infinity;
      if (!await outlasts(changed, Math.min(patience, left))) continue;
      if (open && this.#setup.compat) {
        this.#context.console.note(this.#reader.lack);
        await this.#heard(this.#reader.complete());
      } else if (patience < left) {
        hinted = true;
        this.#context.console.note(
          open
            ? `the server is silent: ${this.#reader.lack}; --compat course does not mind`
            : `no greeting yet: ${TLS_AT_ONCE}`,
        );
        if (!open && this.#context.console.interactive) return;
      } else {
        const hint = open ? `${this.#reader.lack}: --compat course does not mind` : mute ? TLS_AT_ONCE : undefined;
        const why = `no ${this.#asked[0] ? `answer to ${this.#asked[0]}` : "whole greeting"} in ${limit / 1000} s`;
        throw new NetlabError("timeout", why, { hint });
      }
    }
  }

  async #say(line: string): Promise<void> {
    const { console } = this.#context;
    // What this line is depends on a reply that may still be on its way.
    if (this.#asked.some((asked) => TURNING.test(asked))) await this.#answered();
    if (this.#mode === "content") return this.#sayContent(line);
    if (this.#mode === "chunk") return await this.#sayChunk(line);
    if (this.#mode === "user" || this.#mode === "secret") return this.#sayAnswer(line);
    const text = line.trim();
    if (text === "") return;
    if (text === "?") return void describeForms(HAND_FORMS).forEach((row) => console.print(row));
    const [, plain] = /^\/base64 (.*)$/.exec(text) ?? [];
    if (plain !== undefined) return void console.print(encodeBase64(plain));
    if (TURNING.test(text)) await this.#answered();
    this.#send(text);
  }

  #send(text: string): void {
    if (/^QUIT\b/i.test(text)) this.#leaving = true;
    const [, address] = /^(?:MAIL FROM|RCPT TO):\s*<([^>]+)>/i.exec(text) ?? [];
    if (address !== undefined) this.#addresses.add(address);
    const secret = this.#typed.secretIn(text);
    const shown = secret < text.length ? `${text.slice(0, secret)}****` : undefined;
    this.#asked.push((shown ?? text).toUpperCase());
    this.#connection.send({ type: "command", text, shown });
    // No reply comes before the chunk does (RFC 3030 section 2).
    this.#chunkLeft = Number(/^BDAT\s+(\d+)(?:\s+LAST)?$/i.exec(text)?.[1] ?? 0);
    if (this.#chunkLeft > 0) this.#mode = "chunk";
  }

  /** A line, or as much of it as belongs to the chunk: what is behind that is the next line. */
  async #sayChunk(line: string): Promise<void> {
    const bytes = encodeText(`${line}\r\n`);
    const piece = bytes.subarray(0, this.#chunkLeft);
    this.#chunkLeft -= piece.length;
    this.#connection.send({ type: "content", bytes: piece });
    if (this.#chunkLeft > 0) return;
    this.#mode = "command";
    const rest = decodeLossy(bytes.subarray(piece.length)).trimEnd();
    if (rest === "") return;
    await this.#turn();
    if (!this.#over) await this.#say(rest);
  }

  #sayContent(line: string): void {
    if (line === ".") {
      this.#mode = "command";
      this.#asked.push(".");
    }
    this.#connection.send({ type: "command", text: line });
  }

  #sayAnswer(line: string): void {
    this.#asked.push("AUTH");
    this.#connection.send({ type: "command", text: line, shown: this.#mode === "user" ? undefined : "****" });
    this.#mode = this.#mode === "user" ? "secret" : "command";
  }

  async #listen(): Promise<void> {
    await this.#connection.channel.each((line) => {
      const reply = this.#reader.take(this.#connection.heard(line));
      this.#wake();
      if (reply !== null) return this.#heard(reply);
    }, (error) => {
      throw new NetlabError(error.kind, `the server says what is no reply: ${error.message}`);
    });
  }

  async #heard(reply: ClientReply): Promise<void> {
    const isGreeting = this.#asked[0] === "";
    const asked = this.#asked.shift() ?? "";
    this.#typed.heard(asked, reply.code);
    if (reply.code >= 400) {
      if (isGreeting) this.#turnedAway = refused("the session", reply);
      else this.#refusals++;
      // A chunk is sent to its end, whatever is said to it.
      if (this.#mode !== "chunk") this.#mode = "command";
    } else if (reply.code === 354) this.#mode = "content";
    else if (reply.code === 334) {
      if (this.#mode === "command") this.#mode = /^AUTH\s+LOGIN\s*$/.test(asked) ? "user" : "secret";
      // The second question of LOGIN finds the mode as the first answer has left it.
    } else if (reply.code < 300 && this.#mode === "secret") this.#mode = "command";
    if (/^EHLO\b/.test(asked)) this.#offered = reply.lines.slice(1).map((text) => text.split(" ")[0].toUpperCase());
    if (/^QUIT\b/.test(asked) && reply.code >= 300) this.#leaving = false;
    if (asked === "STARTTLS" && reply.code === 220) await this.#connection.startTls();
    const hint = this.#context.console.interactive ? hintFor(asked, reply, this.#offered) : null;
    if (hint !== null) this.#context.console.note(hint);
    this.#wake();
  }

  #complete(line: string): string[] {
    if (this.#mode !== "command") return [];
    const upper = line.toUpperCase();
    const [, path, begun] = /^(MAIL FROM:<|RCPT TO:<)(.*)$/i.exec(line) ?? [];
    if (path !== undefined) {
      return [...this.#addresses].filter((one) => one.startsWith(begun)).map((one) => `${path}${one}>`);
    }
    return BEGINNINGS.filter((one) => one.toUpperCase().startsWith(upper));
  }
}

/** What changes how the next line is meant. */
const TURNING = /^(?:DATA|AUTH|STARTTLS)\b/i;
