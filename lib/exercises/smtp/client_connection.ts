// A client's connection: replies in by lines, commands and content out, in clear or by TLS. What is secret in it is neither
// traced nor printed.

import { BlockPool } from "../../net/block_pool.ts";
import { Channel } from "../../net/channel.ts";
import { type TlsTrust, UpgradableConn } from "../../net/tls_client.ts";
import type { Codec } from "../../protocol/codec.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy, encodeText, escapeText } from "../../protocol/text.ts";
import type { Trace } from "../../protocol/trace.ts";
import type { ConnectContext } from "../exercise.ts";
import type { ClientMessage, ClientOptions } from "./client_messages.ts";
import { ReplyFramer } from "./client_framer.ts";
import type { Secrets } from "./client_secrets.ts";

/** What may wait to be written; longer content is poured. */
const QUEUE_BYTES = 4_194_304;
/** Content of a message is shown up to so many lines. */
const SHOWN_LINES = 60;

/** How a connection is made. */
export interface ConnectionSetup {
  readonly tls: ClientOptions["tls"];
  readonly caCerts: readonly string[];
  readonly compat: boolean;
  readonly secrets: Secrets;
}

/** A line of the conversation, as it may be shown. */
export type OnLine = (who: "C" | "S", text: string) => void;

/** A connection to a server. */
export class SmtpConnection {
  readonly channel: Channel<string, ClientMessage>;
  /** How the client calls itself: by its address, in want of a name (RFC 5321 section 4.1.4). */
  readonly name: string;
  readonly #conn: UpgradableConn;
  readonly #framer: ReplyFramer;
  readonly #setup: ConnectionSetup;
  readonly #trust: TlsTrust;
  readonly #onLine: OnLine | null;
  /** From here on the server knows a password, and may say it. */
  #toldSecret = false;

  private constructor(
    conn: UpgradableConn,
    setup: ConnectionSetup,
    trust: TlsTrust,
    trace: Trace,
    onProblem: (text: string) => void,
    onLine: OnLine | null,
  ) {
    this.#conn = conn;
    this.#setup = setup;
    this.#trust = trust;
    this.#onLine = onLine;
    this.name = literalOf(conn.localAddr as Deno.NetAddr);
    this.#framer = new ReplyFramer(setup.compat, (text) => onProblem(setup.secrets.hide(text)));
    this.channel = new Channel<string, ClientMessage>(conn, {
      framer: this.#framer,
      codec: new ClientCodec(setup.secrets),
      trace: setup.secrets.keepFrom(trace),
      queueBytes: QUEUE_BYTES,
    });
  }

  /**
   * @param onProblem told of what is wrong with the server's lines
   * @param onLine told of what is said, in both directions
   * @throws {NetlabError} when there is no such server, or no TLS with it
   */
  static async open(
    { host, port, trace, idleMs }: ConnectContext,
    setup: ConnectionSetup,
    onProblem: (text: string) => void,
    onLine: OnLine | null,
  ): Promise<SmtpConnection> {
    const conn = await UpgradableConn.connect(host, port);
    const trust = { caCerts: setup.caCerts, timeoutMs: idleMs };
    if (setup.tls === "active") await conn.startTls(trust);
    return new SmtpConnection(conn, setup, trust, trace, onProblem, onLine);
  }

  send(message: ClientMessage): void {
    if (message.type === "command" && message.shown !== undefined) {
      const hidden = hiddenOf(message);
      // A server may say again one of several words.
      for (const text of [hidden, ...hidden.split(/\s+/)]) this.#setup.secrets.add(text);
      this.#toldSecret = true;
    }
    this.channel.send(message);
    if (this.#onLine === null) return;
    if (message.type === "command") this.#onLine("C", message.shown ?? message.text);
    else if (message.type !== "line") this.#showContent(message.bytes);
  }

  /** Tells of what the server said. @returns it, as it may be quoted */
  heard(text: string): string {
    const { secrets } = this.#setup;
    this.#onLine?.("S", secrets.hide(text));
    if (!this.#toldSecret) return text;
    const [code] = /^[2-5]\d\d(?!\d)/.exec(text) ?? [""];
    return code + secrets.hide(text.slice(code.length));
  }

  /** Writes content no faster than the server reads. @param onProgress called as it goes out */
  async pour(bytes: Uint8Array, onProgress: () => void): Promise<void> {
    let at = 0;
    await this.channel.pour(
      (into) => {
        onProgress();
        const piece = bytes.subarray(at, at + into.length);
        into.set(piece);
        at += piece.length;
        return Promise.resolve(piece.length);
      },
      bytes.length,
      new BlockPool({ maxBytes: 65_536 }),
    );
    if (this.#onLine !== null) this.#showContent(bytes);
  }

  /** @throws {NetlabError} when there is no TLS to be had; the connection is closed then */
  async startTls(): Promise<void> {
    // Said in clear, it would be taken as said under TLS: anybody on the way could have put it in (RFC 3207 section 6).
    if (this.#framer.waiting > 0) {
      this.channel.abort("more came in clear text behind the answer to STARTTLS");
      throw new NetlabError("protocol", "the server said more in clear text behind its answer to STARTTLS", {
        hint: "it is wrong, or somebody on the way has put that in",
      });
    }
    await this.#conn.startTls(this.#trust);
  }

  #showContent(bytes: Uint8Array): void {
    const lines = decodeLossy(bytes.subarray(0, 200 * SHOWN_LINES)).split("\r\n");
    if (lines.at(-1) === "") lines.pop();
    for (const line of lines.slice(0, SHOWN_LINES)) this.#onLine!("C", line);
    if (lines.length > SHOWN_LINES || bytes.length > 200 * SHOWN_LINES) this.#onLine!("C", `… (${bytes.length} bytes)`);
  }
}

/** `[127.0.0.1]`, `[IPv6:::1]` (RFC 5321 section 4.1.3). */
function literalOf({ hostname }: Deno.NetAddr): string {
  return hostname.includes(":") ? `[IPv6:${hostname}]` : `[${hostname}]`;
}

/** What the asterisks at the end of `shown` stand for. */
function hiddenOf({ text, shown = "" }: { readonly text: string; readonly shown?: string }): string {
  return text.slice(shown.replace(/\*+$/, "").length);
}

/** Lines in, commands and content out. */
class ClientCodec implements Codec<string, ClientMessage> {
  readonly #secrets: Secrets;
  /** What stands for the message that is being sent. */
  #shown: string | null = null;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  decode(frame: Uint8Array): string {
    return decodeLossy(frame);
  }

  encode(message: ClientMessage): Uint8Array {
    if (message.type === "content" || message.type === "end") {
      this.#shown = message.type === "end" ? "." : `${message.bytes.length} bytes of content`;
      return message.bytes;
    }
    this.#shown = escapeText((message.type === "command" ? message.shown : undefined) ?? message.text);
    return encodeText(`${message.text}\r\n`);
  }

  describe(frame: Uint8Array): string {
    const shown = this.#shown ?? escapeText(this.#secrets.hide(decodeLossy(frame)));
    this.#shown = null;
    return shown;
  }
}
