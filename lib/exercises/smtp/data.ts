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
  /** The content, in order: of the input itself where no dot had to go. Not more than two pieces, however many dots there are. */
  readonly content: readonly Uint8Array[];
  /** How much of the input belonged to the message; the rest is the next command. -1 while the end has not come. */
  readonly end: number;
}

/** Takes the dots out, and finds the end, in pieces cut anywhere. */
export class DataDecoder {
  #state = LINE_START;

  /** Takes in the next bytes. After the end, make another decoder. */
  decode(input: Uint8Array): Decoded {
    const kept = new Compaction(input);
    /** The CR behind a dot came with the last input, and was content after all. */
    let heldCr = false;
    let state = this.#state;
    let at = 0;
    while (at < input.length) {
      const byte = input[at];
      switch (state) {
        case IN_LINE: {
          // Only a dot can matter, so lines are not looked at one by one.
          const dot = find(DOT, input, at);
          const next = dot < 0 ? input.length : dot;
          state = stateBehind(input, at, next);
          at = dot >= 0 && state === IN_LINE ? dot + 1 : next;
          break;
        }
        case AFTER_CR:
          state = byte === LF ? LINE_START : byte === CR ? AFTER_CR : IN_LINE;
          at++;
          break;
        case LINE_START:
          state = byte === DOT ? AFTER_DOT : IN_LINE; // looked at again in a line: it may be a CR
          if (byte === DOT) kept.leaveOut(at++);
          break;
        case AFTER_DOT:
          state = byte === CR ? AFTER_DOT_CR : IN_LINE;
          at++;
          break;
        case AFTER_DOT_CR:
          if (byte === LF) return { content: kept.pieces(heldCr), end: at + 1 };
          heldCr ||= at === 0;
          state = byte === CR ? AFTER_CR : IN_LINE;
          at++;
      }
    }
    this.#state = state;
    kept.keep(state === AFTER_DOT_CR ? at - 1 : at);
    return { content: kept.pieces(heldCr), end: -1 };
  }
}

/** Most bytes are passed over here: few of them by hand, many by the engine's own search, whose call has its price. */
function find(byte: number, input: Uint8Array, from: number): number {
  const near = Math.min(from + 16, input.length);
  for (let at = from; at < near; at++) {
    if (input[at] === byte) return at;
  }
  return input.indexOf(byte, near);
}

/** Where in a line `to` is, when `from`, before it or there, is in one. */
function stateBehind(input: Uint8Array, from: number, to: number): number {
  if (to > from && input[to - 1] === CR) return AFTER_CR;
  return to > from + 1 && input[to - 1] === LF && input[to - 2] === CR ? LINE_START : IN_LINE;
}

const ONE_CR = Uint8Array.of(CR);

/** An input from which bytes are left out: the input itself, or, behind the first gap, one copy without gaps. */
class Compaction {
  readonly #input: Uint8Array;
  #kept: Uint8Array;
  #from = 0;
  #to = 0;

  constructor(input: Uint8Array) {
    this.#input = this.#kept = input;
  }

  /** Keeps what lies between the last gap and `end`. */
  keep(end: number): void {
    const length = end - this.#from;
    if (length <= 0) return;
    if (this.#from > this.#to) {
      if (this.#kept === this.#input) this.#kept = this.#input.slice();
      move(this.#kept, this.#to, this.#from, length);
    }
    this.#to += length;
    this.#from = end;
  }

  leaveOut(at: number): void {
    this.keep(at);
    this.#from = at + 1;
  }

  pieces(heldCr: boolean): Uint8Array[] {
    const all = this.#kept.subarray(0, this.#to);
    return [...(heldCr ? [ONE_CR] : []), ...(all.length > 0 ? [all] : [])];
  }
}

/** Moves bytes towards the front. Few of them are moved faster by hand than by a call into the engine. */
function move(bytes: Uint8Array, to: number, from: number, length: number): void {
  if (length > 32) bytes.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i];
}

/** Puts the dots in, and the end; lines have to end in CRLF. Pieces may be cut anywhere. */
export class DataEncoder {
  #state = LINE_START;

  /** The next bytes of the content, as they go on the wire: the input itself where it needs no dots. */
  encode(input: Uint8Array): Uint8Array {
    let out = input;
    /** Where in `out` the input stands, and how much of it has been moved to its place. */
    let [room, from, to] = [0, 0, 0];
    const keep = (end: number) => {
      if (out !== input) move(out, to, room + from, end - from);
      to += end - from;
      from = end;
    };
    for (let at = 0; at < input.length;) {
      if (this.#state === IN_LINE) {
        const cr = find(CR, input, at);
        if (cr < 0) break;
        at = cr + 1;
        this.#state = AFTER_CR;
      } else if (this.#state === AFTER_CR) {
        this.#state = input[at] === LF ? LINE_START : input[at] === CR ? AFTER_CR : IN_LINE;
        at++;
      } else {
        if (input[at] === DOT) {
          if (out === input) {
            // A dot a line, and a line has at least three bytes.
            room = 1 + Math.ceil(input.length / 3);
            out = new Uint8Array(room + input.length);
            out.set(input, room);
          }
          keep(at);
          out[to++] = DOT;
        }
        this.#state = IN_LINE;
      }
    }
    keep(input.length);
    return out.subarray(0, to);
  }

  /** What ends the message: with a line end before it, where the content has none. */
  end(): Uint8Array {
    return this.#state === LINE_START ? END : LINE_AND_END;
  }
}

const END = Uint8Array.of(DOT, CR, LF);
const LINE_AND_END = Uint8Array.of(CR, LF, DOT, CR, LF);

/** Finds CR and LF that stand alone, in pieces cut anywhere. */
export class NewlineCheck {
  #afterCr = false;

  /** Whether the last byte so far was a CR: one that stands alone, when nothing comes behind it. */
  get afterCr(): boolean {
    return this.#afterCr;
  }

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
