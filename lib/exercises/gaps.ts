// Which numbers have come, of those counted from 0: kept as the gaps between them, which are few while little is lost.

/** What has come, and what is missing. */
export class Gaps {
  /** Behind the highest number that has come. */
  #next = 0;
  /** Missing numbers below that: first and last, both included, in order. */
  readonly #gaps: [first: number, last: number][] = [];
  #missing = 0;
  readonly #most: number;
  /** Gaps that nothing will fill any more, and how many numbers are missing in them. */
  #givenUp = 0;
  #lost = 0;

  /** @param most how many gaps are remembered: of more, the earlier half is given up, and what fills one has come before */
  constructor(most = Infinity) {
    this.#most = most;
  }

  /** How many gaps there are. */
  get count(): number {
    return this.#givenUp + this.#gaps.length;
  }

  /** Behind the highest number that has come. */
  get next(): number {
    return this.#next;
  }

  /** Takes in the numbers from `first` to `last`. @returns false when all of them have come before */
  add(first: number, last = first): boolean {
    const next = this.#next;
    if (last >= next) {
      if (first > next) this.#gaps.push([next, first - 1]);
      this.#missing += Math.max(0, first - next);
      this.#next = last + 1;
      if (first < next) this.#fill(first, next - 1);
      else this.#giveUp();
      return true;
    }
    return this.#fill(first, last);
  }

  /** @returns false when none of these was missing */
  #fill(first: number, last: number): boolean {
    const from = this.#find(first);
    const left: [first: number, last: number][] = [];
    let to = from;
    for (; this.#gaps[to]?.[0] <= last; to++) {
      const [low, high] = this.#gaps[to];
      if (low < first) left.push([low, first - 1]);
      if (high > last) left.push([last + 1, high]);
      this.#missing -= Math.min(high, last) - Math.max(low, first) + 1;
    }
    if (to === from) return false;
    this.#gaps.splice(from, to - from, ...left);
    this.#giveUp();
    return true;
  }

  #giveUp(): void {
    if (this.#gaps.length <= this.#most) return;
    const earlier = this.#gaps.splice(0, Math.ceil(this.#gaps.length / 2));
    this.#givenUp += earlier.length;
    for (const [first, last] of earlier) this.#lost += last - first + 1;
  }

  /** How many of the numbers below `total` are missing. */
  missing(total: number): number {
    if (total >= this.#next) return total - this.#next + this.#missing;
    let missing = this.#lost;
    for (const [first, last] of this.ranges(total)) missing += last - first + 1;
    return missing;
  }

  /** The missing numbers below `total`, in order, without those that were given up. */
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
