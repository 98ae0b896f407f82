// SMTP's input: lines, an answer of AUTH, or content, as the machine says at each moment.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import type { Codec } from "../../protocol/codec.ts";
import type { Framer } from "../../protocol/framing.ts";
import { decodeAscii, escapeBytes } from "../../protocol/text.ts";
import { DataDecoder } from "./data.ts";
import { encodeReply, MAX_AUTH_LINE, MAX_COMMAND, MAX_MAIL, VERBS } from "./protocol.ts";
import type { Mode, SmtpMessage } from "./server_messages.ts";

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Cuts what the machine wants next; it is the codec, too, because it knows what it has cut. */
export class SmtpFramer implements Framer, Codec<SmtpMessage> {
  readonly name = "smtp";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly maxBody = Infinity;
  readonly coalesces = true;
  readonly #mode: () => Mode;
  /** What the last frame was: of a line, or all of an answer, nobody may read what may be a password. */
  #cutAs: "line" | "answer" | "content" = "content";
  #message: SmtpMessage | null = null;
  #decoder: DataDecoder | null = null;
  /** The last two bytes of the content as they came; before its first line, too, a line has ended. */
  #tail: readonly number[] = [LF];
  #behindDot = false;
  #searched = 0;
  #skipping = false;

  /** @param mode what the machine wants now */
  constructor(mode: () => Mode) {
    this.#mode = mode;
  }

  /** In the midst of a line that is too long: what has come of it is gone. */
  get skipping(): boolean {
    return this.#skipping;
  }

  cut(queue: ByteQueue): Uint8Array | null {
    const mode = this.#mode();
    if (mode.type === "data") return this.#cutData(queue);
    if (mode.type === "chunk") return this.#cutChunk(queue, mode.left);
    return queue.length === 0 ? null : this.#cutLine(queue, mode.type === "auth");
  }

  #cutLine(queue: ByteQueue, auth: boolean): Uint8Array | null {
    const end = queue.indexOf(LF, this.#searched);
    if (end < 0) {
      // What is too long is answered at its end, as every command is.
      this.#skipping ||= tooLong(queue, queue.length, auth);
      // Its last byte stays: a line is still coming.
      if (this.#skipping) queue.skip(queue.length - 1);
      this.#searched = queue.length;
      return null;
    }
    this.#searched = 0;
    const long = this.#skipping || tooLong(queue, end + 1, auth);
    const line = queue.take(end + 1);
    if (long) {
      this.#skipping = false;
      this.#message = { type: "longLine" };
      return line.subarray(0, 0);
    }
    const bareLf = end === 0 || line[end - 1] !== CR;
    const bytes = line.subarray(0, bareLf ? end : end - 1);
    this.#cutAs = auth ? "answer" : "line";
    this.#message = { type: "line", bytes, bareLf };
    return bytes;
  }

  #cutData(queue: ByteQueue): Uint8Array | null {
    if (queue.length === 0) return null;
    this.#decoder ??= new DataDecoder();
    const { content, end } = this.#decoder.decode(queue.peek(queue.length));
    const bytes = queue.take(end < 0 ? queue.length : end);
    this.#cutAs = "content";
    if (end < 0) this.#watchDots(bytes);
    else {
      this.#decoder = null;
      this.#tail = [LF];
      this.#behindDot = false;
    }
    this.#message = { type: "content", pieces: content, last: end >= 0, behindDot: this.#behindDot };
    return bytes;
  }

  /** Notices a dot between two LF: what a program sends for the end that knows no CR. Commands may stand behind it. */
  #watchDots(bytes: Uint8Array): void {
    const seam = Uint8Array.of(...this.#tail, ...bytes.subarray(0, 2));
    this.#behindDot ||= hasLoneDot(seam) || hasLoneDot(bytes);
    this.#tail = [...this.#tail, ...bytes.subarray(-2)].slice(-2);
  }

  #cutChunk(queue: ByteQueue, left: number): Uint8Array | null {
    if (queue.length === 0) return null;
    const bytes = queue.take(Math.min(left, queue.length));
    this.#cutAs = "content";
    this.#message = { type: "content", pieces: [bytes], last: bytes.length === left };
    return bytes;
  }

  seal(): void {}

  decode(): SmtpMessage {
    return this.#message!;
  }

  encode(message: SmtpMessage): string {
    return message.type === "reply" ? encodeReply(message.reply) : "";
  }

  describe(frame: Uint8Array): string {
    const secret = this.#cutAs === "line" ? secretInLine(frame) : this.#cutAs === "answer" ? 0 : Infinity;
    if (secret >= frame.length) return escapeBytes(frame, 200);
    return `${escapeBytes(frame.subarray(0, secret))}(not shown)`;
  }
}

function hasLoneDot(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(DOT); at >= 0; at = bytes.indexOf(DOT, at + 1)) {
    if (bytes[at - 1] === LF && bytes[at + 1] === LF) return true;
  }
  return false;
}

/** Whether `bytes` are too many for the line at the front of the queue. */
function tooLong(queue: ByteQueue, bytes: number, auth: boolean): boolean {
  if (bytes <= MAX_COMMAND) return false;
  return bytes > (auth ? MAX_AUTH_LINE : isMail(queue) ? MAX_MAIL : MAX_COMMAND);
}

function isMail(queue: ByteQueue): boolean {
  return /^mail[ \t]/i.test(decodeAscii(queue.peek(5)));
}

/** Only MAIL may be so long that it need not be looked at. */
function secretInLine(line: Uint8Array): number {
  return line.length > MAX_COMMAND ? Infinity : secretFrom(decodeAscii(line));
}

/** A mechanism that may be shown: by the name of any other, a password may have been said where none belongs. */
const MECHANISM =
  "(?:PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|SCRAM-SHA-1|SCRAM-SHA-256|XOAUTH2|OAUTHBEARER|NTLM|GSSAPI|EXTERNAL)";
const ANYHOW = `auth[ \\t=:-]*(?:${MECHANISM}(?!\\S)[ \\t]*)?`;
/** Not `\s`, which goes on over the ends of lines, so that many of them would be gone through from each. */
const BLANKS = "[^\\S\\n\\r\\u2028\\u2029]*";
const AUTH_LINE = new RegExp(`^${BLANKS}${ANYHOW}`, "im");
/** Behind a chunk of content, too, which has no line end. */
const AUTH_ANYWHERE = new RegExp(`^${BLANKS}${ANYHOW}|(?=auth(?:[ \\t]|[=:-]?(?:plain|login)[ \\t]))${ANYHOW}`, "im");

/**
 * Where in commands begins what AUTH says at once (RFC 4954 section 4), however AUTH is written: `AUTHPLAIN` is a slip, and
 * what stands behind it is a password all the same. Their length where nothing does.
 *
 * @param anywhere whether AUTH may stand in the midst of a line
 */
export function secretFrom(text: string, anywhere = false): number {
  const found = (anywhere ? AUTH_ANYWHERE : AUTH_LINE).exec(text);
  return found ? found.index + found[0].length : text.length;
}

/** How far a login has come: from then on what is no command may be an answer of AUTH that came at the wrong time. */
export type Login = "none" | "tried" | "done";

/** What it may be: any line but a command, unless a login went well; then base64, where a short password looks like a word. */
const STRAYS = {
  tried: new RegExp(`^(?!${BLANKS}(?:AUTH|(?:${VERBS.join("|")})(?!\\S)))${BLANKS}\\S`, "im"),
  done: new RegExp(`^(?!${BLANKS}(?:${VERBS.join("|")})${BLANKS}\\r?$)${BLANKS}[A-Za-z0-9+/=]+${BLANKS}\\r?$`, "im"),
};

/** Where in commands the first line of that kind begins; their length where there is none. */
export function strayFrom(text: string, login: Login): number {
  const at = login === "none" ? -1 : text.search(STRAYS[login]);
  return at < 0 ? text.length : at;
}
