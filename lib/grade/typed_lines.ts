// The keyboard of a console that nobody sits at: lines come as they are typed, up to the end of the input.

export class TypedLines {
  readonly #typed: string[];
  #ended: boolean;
  #wake: () => void = () => {};

  /** @param script all lines there will ever be; without it, lines are typed as time goes on */
  constructor(script?: readonly string[]) {
    this.#typed = [...script ?? []];
    this.#ended = script !== undefined;
  }

  type(...lines: string[]): void {
    this.#typed.push(...lines);
    this.#wake();
  }

  /** End of input, behind what has been typed: Ctrl-D, or the end of a pipe. */
  endInput(): void {
    this.#ended = true;
    this.#wake();
  }

  /** What has been typed and not been read is nobody's. */
  stop(): void {
    this.#typed.length = 0;
    this.endInput();
  }

  async *lines(): AsyncIterable<string> {
    for (;;) {
      const line = this.#typed.shift();
      if (line !== undefined) yield line;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next line that is typed, as at any console without a person. */
  async secret(): Promise<string | null> {
    for await (const line of this.lines()) return line;
    return null;
  }
}
