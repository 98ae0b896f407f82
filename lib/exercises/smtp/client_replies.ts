// Replies as a client reads them (RFC 5321 section 4.2.1): lines of a code and text, the last one with a space behind its
// code. What students' servers make of that is a matter of `--compat course`.
//
//     250-mail.example greets you         a minus: more lines follow
//     250 SIZE 10485760                   a space, or nothing: the last one

import { ProtocolError } from "../../protocol/errors.ts";
import { escapeText } from "../../protocol/text.ts";
import { parseReplyLine } from "./protocol.ts";

/** Far more than any server says; one that goes on and on is stopped. */
const MAX_LINES = 1000;
/** Of what a server says, so much is quoted. */
const MAX_QUOTED = 100;

/** A reply, with the text of each line. */
export interface ClientReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** `550 5.1.1 nobody of that name`: the code and the last line of text, which says most. */
export function formatReply({ code, lines }: ClientReply): string {
  const text = lines.at(-1) ?? "";
  return text === "" ? String(code) : `${code} ${text}`;
}

/** Puts lines together to replies. */
export class ReplyReader {
  readonly #compat: boolean;
  readonly #onProblem: (text: string) => void;
  #code: number | null = null;
  #lines: string[] = [];
  /** Lines since the last reply, those too that are none. */
  #taken = 0;

  /** @param onProblem told of what is wrong and borne all the same */
  constructor(compat: boolean, onProblem: (text: string) => void) {
    this.#compat = compat;
    this.#onProblem = onProblem;
  }

  /** Whether a reply has begun and not ended. */
  get open(): boolean {
    return this.#code !== null;
  }

  /**
   * Takes in a line.
   *
   * @returns the reply that it completes
   * @throws {ProtocolError} for what is no reply, and for one of too many lines
   */
  take(line: string): ClientReply | null {
    if (++this.#taken > MAX_LINES) throw new ProtocolError(`a reply of more than ${MAX_LINES} lines`);
    const parsed = parseReplyLine(line) ?? (this.#compat ? this.#guess(line) : null);
    if (parsed === null) {
      const lack = /^\d{3}(?:[ -]|$)/.test(line)
        ? "the first digit of its code is none of 2 to 5"
        : /^\d{3}(?!\d)/.test(line)
        ? "a space is missing behind its code"
        : "a code of three digits is missing";
      if (!this.#compat) throw new ProtocolError(`${quote(line)} is no reply: ${lack}`);
      this.#onProblem(`${quote(line)} is no reply: ${lack} (RFC 5321 4.2)`);
      if (this.open) this.#lines.push(line);
      return null;
    }
    const { code, last, text } = parsed;
    if (this.#code !== null && this.#code !== code) {
      const why = `${quote(line)}: the lines of a reply have the same code, and it began with ${this.#code}`;
      if (!this.#compat) throw new ProtocolError(why);
      this.#onProblem(`${why} (RFC 5321 4.2.1)`);
    }
    this.#code = code;
    this.#lines.push(text);
    return last ? this.complete() : null;
  }

  /** Ends the reply that is open, as if its last line had been one. */
  complete(): ClientReply {
    const reply = { code: this.#code!, lines: this.#lines };
    this.#code = null;
    this.#lines = [];
    this.#taken = 0;
    return reply;
  }

  /** What the reply that is open lacks. */
  get lack(): string {
    const line = `${this.#code}-${this.#lines.at(-1)}`;
    return `${quote(line)} is the last line, and has a minus behind its code: it should be ${
      quote(`${this.#code} ${this.#lines.at(-1)}`)
    } (RFC 5321 4.2.1)`;
  }

  /** `250OK`, `250: OK`: a code at least. */
  #guess(line: string): { code: number; last: boolean; text: string } | null {
    const [, code, text] = /^\s*([2-5]\d\d)(?!\d)[:,. ]*(.*)$/s.exec(line) ?? [];
    if (code === undefined) return null;
    this.#onProblem(`${quote(line)}: a code is followed by a space (RFC 5321 4.2)`);
    return { code: Number(code), last: true, text };
  }
}

function quote(line: string): string {
  const text = escapeText(line);
  return `"${text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text}"`;
}
