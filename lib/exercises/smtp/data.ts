// The body of a message on the wire (RFC 5321 section 4.5.2): lines that begin with a dot get another one, and a line that is
// only a dot is the end. Only CRLF ends a line: what else looks like an end is content, or mail could be smuggled (section
// 2.3.8).

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Where in a line the decoder is. */
const IN_LINE = 0;
const AFTER_CR = 1;
const LINE_START = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;

/** What one piece of input came to. */
export interface Decoded {
  /** Pieces of the content, views of the input, in order. */
  readonly content: readonly Uint8Array[];
  /** How much of the input belonged to the message; the rest is the next command. -1 while the end has not come. */
  readonly end: number;
}

/** Takes the dots out, and finds the end, in pieces cut anywhere. */
export class DataDecoder {
  #state = LINE_START;

  /** Takes in the next bytes. After the end, make another decoder. */
  decode(input: Uint8Array): Decoded {
    const content: Uint8Array[] = [];
    let from = 0;
    let at = 0;
    const emit = (to: number) => {
      if (to > from) content.push(input.subarray(from, to));
    };
    while (at < input.length) {
      const byte = input[at];
      switch (this.#state) {
        case IN_LINE: {
          // Most bytes are passed over here, by the engine's own search.
          const cr = input.indexOf(CR, at);
          if (cr < 0) at = input.length;
          else {
            at = cr + 1;
            this.#state = AFTER_CR;
          }
          break;
        }
        case AFTER_CR:
          this.#state = byte === LF ? LINE_START : byte === CR ? AFTER_CR : IN_LINE;
          at++;
          break;
        case LINE_START:
          if (byte === DOT) {
            emit(at);
            from = ++at;
            this.#state = AFTER_DOT;
          } else this.#state = IN_LINE; // and looked at again: it may be a CR
          break;
        case AFTER_DOT:
          if (byte === CR) {
            emit(at);
            from = at++;
            this.#state = AFTER_DOT_CR;
          } else this.#state = IN_LINE;
          break;
        case AFTER_DOT_CR:
          if (byte === LF) return { content, end: at + 1 };
          // No end, then: the CR behind the dot is content.
          if (from === at) content.push(ONE_CR);
          this.#state = byte === CR ? AFTER_CR : IN_LINE;
          at++;
          break;
      }
    }
    if (this.#state !== AFTER_DOT_CR) emit(at);
    return { content, end: -1 };
  }
}

const ONE_CR = Uint8Array.of(CR);

/** Puts the dots in, and the end; lines have to end in CRLF. Pieces may be cut anywhere. */
export class DataEncoder {
  #state = LINE_START;

  /** The next bytes of the content, as they go on the wire: views of the input, and dots. */
  encode(input: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    let from = 0;
    for (let at = 0; at < input.length;) {
      if (this.#state === IN_LINE) {
        const cr = input.indexOf(CR, at);
        if (cr < 0) break;
        at = cr + 1;
        this.#state = AFTER_CR;
      } else if (this.#state === AFTER_CR) {
        this.#state = input[at] === LF ? LINE_START : input[at] === CR ? AFTER_CR : IN_LINE;
        at++;
      } else {
        if (input[at] === DOT) {
          out.push(input.subarray(from, at), ONE_DOT);
          from = at;
        }
        this.#state = IN_LINE;
      }
    }
    out.push(input.subarray(from));
    return out;
  }

  /** What ends the message: with a line end before it, where the content has none. */
  end(): Uint8Array {
    return this.#state === LINE_START ? END : LINE_AND_END;
  }
}

const ONE_DOT = Uint8Array.of(DOT);
const END = Uint8Array.of(DOT, CR, LF);
const LINE_AND_END = Uint8Array.of(CR, LF, DOT, CR, LF);

/** Finds CR and LF that stand alone, in pieces cut anywhere. */
export class NewlineCheck {
  #afterCr = false;

  /** @returns false when one does */
  check(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (this.#afterCr && bytes[0] !== LF) return false;
    let right = this.#afterCr || bytes[0] !== LF;
    for (let at = bytes.indexOf(LF, 1); at >= 0 && right; at = bytes.indexOf(LF, at + 1)) right = bytes[at - 1] === CR;
    for (let at = bytes.indexOf(CR); at >= 0 && right; at = bytes.indexOf(CR, at + 1)) {
      right = at === bytes.length - 1 || bytes[at + 1] === LF;
    }
    this.#afterCr = bytes[bytes.length - 1] === CR;
    return right;
  }
}
