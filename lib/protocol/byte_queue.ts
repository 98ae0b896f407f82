// Bytes that have arrived and wait to be cut into frames: one contiguous buffer, read into directly and handed out as views.
//
//     [ done | waiting ........ | space ]
//            ^start             ^end

/**
 * A queue of bytes in one buffer. `space` and `commit` let a socket read straight into it; `take` returns a view, not a
 * copy, that stays valid until the next `space` or `push`. To `at`, `peek`, `last` and `take` more than waits is a
 * `RangeError`.
 */
export class ByteQueue {
  #buffer: Uint8Array<ArrayBuffer>;
  #start = 0;
  #end = 0;

  constructor(initialBytes = 2048) {
    this.#buffer = new Uint8Array(initialBytes);
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Room for at least `bytes` more, to be filled from its start and then told to `commit`. Invalidates earlier views. */
  space(bytes: number): Uint8Array<ArrayBuffer> {
    const waiting = this.length;
    if (waiting === 0) {
      this.#start = this.#end = 0;
      // Empty is the moment to fit the buffer: large enough, and not much larger than the reads that now come.
      if (this.#buffer.length < bytes || this.#buffer.length > 8 * bytes) this.#buffer = new Uint8Array(bytes);
      return this.#buffer;
    }
    if (this.#buffer.length - this.#end < bytes) {
      if (waiting + bytes <= this.#buffer.length) {
        this.#buffer.copyWithin(0, this.#start, this.#end);
      } else {
        const grown = new Uint8Array(Math.max(waiting + bytes, 2 * this.#buffer.length));
        grown.set(this.#buffer.subarray(this.#start, this.#end));
        this.#buffer = grown;
      }
      this.#start = 0;
      this.#end = waiting;
    }
    return this.#buffer.subarray(this.#end);
  }

  /** Says that the first `bytes` bytes of the last `space` are filled. */
  commit(bytes: number): void {
    if (bytes < 0 || this.#end + bytes > this.#buffer.length) throw new RangeError(`cannot commit ${bytes} bytes`);
    this.#end += bytes;
  }

  /** Appends a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    this.space(bytes.length).set(bytes);
    this.#end += bytes.length;
  }

  /** The byte at `index`, counted from the first one waiting. */
  at(index: number): number {
    if (index < 0 || index >= this.length) throw new RangeError(`no byte ${index} among ${this.length}`);
    return this.#buffer[this.#start + index];
  }

  /** Where `byte` first stands at or after `from`, or -1. */
  indexOf(byte: number, from = 0): number {
    const at = this.#buffer.indexOf(byte, this.#start + from);
    return at < 0 || at >= this.#end ? -1 : at - this.#start;
  }

  /** A view of the first `bytes` bytes, which stay in the queue. */
  peek(bytes: number): Uint8Array {
    if (bytes < 0 || bytes > this.length) throw new RangeError(`${bytes} bytes wanted, ${this.length} waiting`);
    return this.#buffer.subarray(this.#start, this.#start + bytes);
  }

  /** A view of the last `bytes` bytes, which stay in the queue. */
  last(bytes: number): Uint8Array {
    if (bytes < 0 || bytes > this.length) throw new RangeError(`${bytes} bytes wanted, ${this.length} waiting`);
    return this.#buffer.subarray(this.#end - bytes, this.#end);
  }

  /** Takes the first `bytes` bytes out, as a view. */
  take(bytes: number): Uint8Array {
    const view = this.peek(bytes);
    this.#start += bytes;
    return view;
  }

  /** Drops up to `bytes` bytes and returns how many there were. */
  skip(bytes: number): number {
    if (bytes < 0) throw new RangeError(`cannot skip ${bytes} bytes`);
    const dropped = Math.min(bytes, this.length);
    this.#start += dropped;
    return dropped;
  }
}
