// The first assignment: a client sends messages one way, and gets them all back at the end.
//
//     hello          → (printed at the server)
//     how are you    → (printed at the server)
//     quit           → hello LF how are you, and the end of the connection

import { ByteQueue } from "../../protocol/byte_queue.ts";
import { encodeText } from "../../protocol/text.ts";

/** What ends the session, in any case. */
export const QUIT = "quit";

export function isQuit(text: string): boolean {
  return text.trim().toLowerCase() === QUIT;
}

const LF = 0x0a;
const END = Uint8Array.of(LF);

/** The messages of one session, in order, as bytes: however many and however short, they take no more than `maxBytes`. */
export class MessageLog {
  readonly maxBytes: number;
  /** Each message with an LF behind it. */
  readonly #bytes = new ByteQueue(256);

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Whether it holds no message: one empty message is one. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Bytes kept, an LF between messages included. */
  get length(): number {
    return Math.max(0, this.#bytes.length - 1);
  }

  /**
   * Keeps a message. A line end inside of it, which only a length field lets through, is written out: one message is one
   * line of the log.
   *
   * @returns false, and keeps nothing, when there is no room
   */
  add(text: string): boolean {
    const line = encodeText(text.replaceAll("\r", "\\r").replaceAll("\n", "\\n"));
    if (this.#bytes.length + line.length > this.maxBytes) return false;
    this.#bytes.push(line);
    this.#bytes.push(END);
    return true;
  }

  /**
   * Takes the log out in parts of at most `maxPart` bytes, cut between messages where there is one to cut at.
   *
   * @param keepEnds leaves the LF at the end of each part but the last; without, parts joined by LF are the whole
   */
  *take(maxPart: number, keepEnds: boolean): Iterable<Uint8Array> {
    const bytes = this.#bytes;
    if (this.isEmpty) return;
    while (this.length > maxPart) {
      const lf = bytes.peek(maxPart + (keepEnds ? 0 : 1)).lastIndexOf(LF);
      if (lf >= 0) {
        yield bytes.take(lf + (keepEnds ? 1 : 0));
        if (!keepEnds) bytes.skip(1);
        continue;
      }
      let end = maxPart;
      while (end > 1 && isInsideCharacter(bytes.at(end))) end--;
      yield bytes.take(end);
    }
    const rest = this.length;
    const last = bytes.take(bytes.length).subarray(0, rest);
    if (last.length > 0 || !keepEnds) yield last;
  }
}

function isInsideCharacter(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** What the logs of all sessions together may hold, in bytes, unless told otherwise. */
export const MAX_KEPT = 256 * 1_048_576;

/** What goes wrong. */
export const refusal = {
  logFull: (log: MessageLog) =>
    `log full: ${log.maxBytes} bytes are kept, this message is not; say ${QUIT} to get them`,
  serverFull: () => `server full: it keeps the messages of all, and this one is not kept; say ${QUIT} to get yours`,
};
