// The first and the last of what a program printed, for the report.

/** What is kept of it at each end, in characters, and what is shown of that, in lines. */
const CHARACTERS = 2000;
const LINES = 40;

export class KeptOutput {
  #length = 0;
  #first = "";
  #last = "";

  add(text: string): void {
    this.#length += text.length;
    const room = CHARACTERS - this.#first.length;
    if (room > 0) this.#first += text.slice(0, room);
    if (text.length > room) this.#last = (this.#last + text.slice(Math.max(0, room))).slice(-CHARACTERS);
  }

  /** All of it, where it is short; otherwise both ends, and between them how much is left out. */
  get text(): string {
    const ends = this.#first + this.#last;
    const isAll = ends.length === this.#length;
    if (isAll && ends.split(/(?<=\n)/).length <= 2 * LINES) return ends;
    // Each line has its end; behind the last one there is nothing.
    const [first, last] = (isAll ? [ends, ends] : [this.#first, this.#last]).map((end) => end.split(/(?<=\n)/));
    const shown = [first.slice(0, LINES).join(""), last.slice(-LINES).join("")];
    const left = this.#length - shown[0].length - shown[1].length;
    return shown.join(`${shown[0].endsWith("\n") ? "" : "\n"}… ${left} more characters …\n`);
  }
}
