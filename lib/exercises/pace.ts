// A script may not be faster than those it writes to can read: our queues have limits.

import { outlasts } from "../net/clock.ts";
import type { Console } from "./exercise.ts";

/** What has a queue towards a peer. */
interface Queue {
  readonly queuedBytes: number;
  flushed(): Promise<void>;
}

/** More than this waiting for one peer, in bytes, makes a script wait, but no longer than so many ms. */
const MAX_AHEAD = 32_768;
const AHEAD_MS = 5000;

/** Holds a script up between its lines; a person is slow enough. */
export class Pace {
  readonly #console: Console;
  /** Who has not read for too long is not waited for again, until it reads. */
  readonly #stuck = new WeakSet<Queue>();

  constructor(console: Console) {
    this.#console = console;
  }

  /** Waits until `peers` have read most of what was sent to them. */
  async wait(peers: Iterable<Queue>): Promise<void> {
    if (this.#console.interactive) return;
    for (const peer of peers) {
      if (peer.queuedBytes <= MAX_AHEAD) this.#stuck.delete(peer);
      else if (!this.#stuck.has(peer) && await outlasts(peer.flushed(), AHEAD_MS)) this.#stuck.add(peer);
    }
  }
}
