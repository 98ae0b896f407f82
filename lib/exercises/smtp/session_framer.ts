// What a server's connection needs beyond the framing of SMTP: in the course's way silence ends a command, and what is shown
// of the bytes that come in has no password in it.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import type { Framer } from "../../protocol/framing.ts";
import { decodeAscii, escapeBytes } from "../../protocol/text.ts";
import { type Login, secretFrom, SmtpFramer, strayFrom } from "./framing.ts";
import type { Mode, SmtpMessage } from "./server_messages.ts";

/** With `--compat course`: what has no end is a command after so long. */
const SILENCE_MS = 300;
/** How much is read of content at once. */
const CONTENT_READ = 32_768;
const STAR = 0x2a;
const CR = 0x0d;
const LF = 0x0a;

/** One connection's framing, and its codec. */
export class SessionFramer implements Framer, Codec<SmtpMessage> {
  readonly name = "smtp";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  readonly #mode: () => Mode;
  readonly #compat: boolean;
  #inner: SmtpFramer;
  #silent = false;
  /** A command that silence has ended, until it is decoded. */
  #unended: SmtpMessage | null = null;
  #login: Login = "none";

  /** @param mode what the machine wants now */
  constructor(mode: () => Mode, compat: boolean) {
    this.#mode = mode;
    this.#compat = compat;
    this.#inner = new SmtpFramer(mode);
  }

  /** How the next bytes are to be read. */
  get mode(): Mode {
    return this.#mode();
  }

  get readBytes(): number {
    return this.#linewise ? 0 : CONTENT_READ;
  }

  get silenceMs(): number | null {
    return this.#compat && !this.#silent && this.#linewise ? SILENCE_MS : null;
  }

  get #linewise(): boolean {
    const { type } = this.#mode();
    return type === "command" || type === "auth";
  }

  silence(): void {
    this.#silent = true;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    if (!this.#silent || !this.#linewise || queue.length === 0 || queue.indexOf(LF) >= 0) {
      this.#silent = false;
      return this.#inner.cut(queue);
    }
    this.#silent = false;
    const long = this.#inner.skipping;
    this.#inner = new SmtpFramer(this.#mode); // the old one remembers how far it has looked
    const bytes = queue.take(queue.length);
    const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
    this.#unended = long ? { type: "longLine" } : { type: "line", bytes: line, bareLf: false, unended: true };
    return long ? bytes.subarray(0, 0) : bytes;
  }

  seal(): void {}

  decode(): SmtpMessage {
    const unended = this.#unended;
    this.#unended = null;
    return unended ?? this.#inner.decode();
  }

  encode(message: SmtpMessage): string {
    if (message.type === "reply" && message.reply.code === 235) this.#login = "done";
    return this.#inner.encode(message);
  }

  describe(frame: Uint8Array): string {
    // What comes in has lost its line end: only a reply of ours has one, where lines are expected.
    if (frame.at(-1) === LF) return escapeBytes(frame, 400);
    const secret = this.#linewise ? secretsIn(frame, this.#mode(), this.#note(frame)) : frame.length;
    const shown = this.#inner.describe(frame);
    return secret === frame.length || shown.endsWith("(not shown)") ? shown : "(not shown)";
  }

  /** Stars in place of what is said to log in. Rather too much than too little: the end of that may be in the next read. */
  conceal(bytes: Uint8Array, waiting: ByteQueue): Uint8Array {
    const all = waiting.peek(waiting.length);
    const from = secretsIn(all, this.#mode(), this.#note(all)) - (all.length - bytes.length);
    if (from >= bytes.length) return bytes;
    const shown = bytes.slice();
    for (let i = Math.max(0, from); i < shown.length; i++) if (shown[i] !== CR && shown[i] !== LF) shown[i] = STAR;
    return shown;
  }

  /** How far a login had come before these bytes. */
  #note(bytes: Uint8Array): Login {
    const login = this.#login;
    if (this.#linewise && /^[^\S\r\n]*auth/im.test(decodeAscii(bytes))) this.#login = "tried";
    return login;
  }
}

/** Where in what waits something begins that may be a password; its length where nothing does. */
function secretsIn(bytes: Uint8Array, mode: Mode, login: Login): number {
  if (mode.type === "auth") return 0;
  const text = decodeAscii(bytes);
  const from = commandsFrom(text, mode);
  // Content has no line end behind it where BDAT brought it, so AUTH may stand anywhere.
  const secret = from + secretFrom(text.slice(from), true);
  return mode.type === "command" ? Math.min(secret, strayFrom(text, login)) : secret;
}

/** Where commands go on behind content. */
function commandsFrom(text: string, mode: Mode): number {
  if (mode.type === "chunk") return Math.min(mode.left, text.length);
  if (mode.type !== "data") return 0;
  const end = /(?:^|\r\n)\.\r\n/.exec(text);
  return end ? end.index + end[0].length : text.length;
}
