// One thread serves everybody. While a peer's input is always there and its answers always leave, serving it is all that
// happens: the runtime comes to new callers, timers and signals only when somebody waits. So who has made work for a while
// stands in line before it reads on, and of those who stand there, one goes on each time the others have had their turn.

/** How much work a channel may make before it stands in line, in ms. */
const TURN_MS = 5;

const line: (() => void)[] = [];

/** How long one channel has made the others wait since its last turn. */
export class Turns {
  #workedMs = 0;
  #since = performance.now();

  /** Work begins: something was read. */
  begin(): void {
    this.#since = performance.now();
  }

  /** Asked now and then while there is work. @returns what to wait for before it goes on, when it is the others' turn */
  next(): Promise<void> | null {
    const now = performance.now();
    this.#workedMs += now - this.#since;
    this.#since = now;
    if (this.#workedMs < TURN_MS) return null;
    this.#workedMs = 0;
    const turn = new Promise<void>((resolve) => {
      if (line.push(resolve) === 1) setTimeout(letOneOn, 0);
    });
    return turn.then(() => this.begin());
  }
}

function letOneOn(): void {
  line.shift()!();
  if (line.length > 0) setTimeout(letOneOn, 0);
}
