// One thread serves everybody. While a peer's input is always there and its answers always leave, serving it is all that
// happens: the runtime comes to new callers, timers and signals only when somebody waits. So a timer watches for that, and who
// makes work while it does not fire waits until it does, and everybody has had a turn.

/** How long the runtime may be kept from the others, in ms. */
const TURN_MS = 5;
/** How long nobody watches when nobody kept it: on a virtual machine a timer that is nearly due makes each sleep dearer. */
const REST_MS = 20;
/** So many questions may be asked meanwhile before the clock is looked at, which costs more than all else here. */
const REST_ASKS = 16;

/** Fires when the runtime comes round. */
let watch: ReturnType<typeof setTimeout> | null = null;
let watchedSince = 0;
let restSince = 0;
let asksSinceLook = 0;
/** How often it has come round. */
let rounds = 0;
/** Who waits for that. */
let waiting: (() => void)[] = [];
let workers = 0;

/** The turns of one channel. Needs an `end`. */
export class Turns {
  /** In which round it last asked. */
  #round = -1;

  constructor() {
    workers++;
  }

  /** Whether there is no other channel to take turns with. */
  get alone(): boolean {
    return workers === 1;
  }

  /** Asked now and then while there is work. @returns what to wait for before it goes on, when it is the others' turn */
  next(): Promise<void> | null {
    if (watch === null && ++asksSinceLook < REST_ASKS) return null;
    const now = Date.now();
    if (watch === null) {
      asksSinceLook = 0;
      if (isWithin(REST_MS, restSince, now)) return null;
      startWatch(now);
    }
    const first = this.#round !== rounds;
    this.#round = rounds;
    if (first || isWithin(TURN_MS, watchedSince, now)) return null;
    return new Promise((resolve) => waiting.push(resolve));
  }

  end(): void {
    if (--workers > 0 || watch === null) return;
    clearTimeout(watch);
    watch = null;
  }
}

/** By the clock on the wall, which costs a third of `performance.now`: it may jump. */
function isWithin(ms: number, since: number, now: number): boolean {
  return Math.abs(now - since) < ms;
}

function startWatch(now: number): void {
  watchedSince = now;
  watch = setTimeout(comeRound, 0);
}

function comeRound(): void {
  const now = Date.now();
  rounds++;
  watch = null;
  if (waiting.length === 0) {
    restSince = now;
    return;
  }
  const goOn = waiting;
  waiting = [];
  for (const resolve of goOn) resolve();
  startWatch(now);
}
