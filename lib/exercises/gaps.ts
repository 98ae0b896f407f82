// Which numbers have come, of those counted from 0: kept as the gaps between them, which are few while little is lost.

/** What has come, and what is missing. */
export class Gaps {
  /** Behind the highest number that has come. */
  #next = 0;
  /** Missing numbers below that: first and last, both included, in order. */
  readonly #gaps: [first: number, last: number][] = [];
  #missing = 0;

  /** Takes in a number. @returns false when it has come before */
  add(number: number): boolean {
    if (number >= this.#next) {
      if (number > this.#next) this.#gaps.push([this.#next, number - 1]);
      this.#missing += number - this.#next;
      this.#next = number + 1;
      return true;
    }
    const at = this.#find(number);
    const gap = this.#gaps[at];
    if (gap === undefined || gap[0] > number) return false;
    const [first, last] = gap;
    const left: [number, number][] = [];
    if (first < number) left.push([first, number - 1]);
    if (number < last) left.push([number + 1, last]);
    this.#gaps.splice(at, 1, ...left);
    this.#missing--;
    return true;
  }

  /** How many of the numbers below `total` are missing. */
  missing(total: number): number {
    let missing = Math.max(0, total - this.#next);
    if (total >= this.#next) return missing + this.#missing;
    for (const [first, last] of this.ranges(total)) missing += last - first + 1;
    return missing;
  }

  /** The missing numbers below `total`, in order. */
  *ranges(total: number): Iterable<readonly [first: number, last: number]> {
    for (const [first, last] of this.#gaps) if (first < total) yield [first, Math.min(last, total - 1)];
    if (this.#next < total) yield [this.#next, total - 1];
  }

  /** The first gap that does not end before `number`. */
  #find(number: number): number {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#gaps[middle][1] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
