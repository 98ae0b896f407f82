// Nobody may be faster than those who are written to can read: our queues have limits, and who frames nothing takes what comes
// in one read for one message.

import { outlasts } from "../net/clock.ts";
import { SILENCE_MS } from "../protocol/auto_framing.ts";
import type { Millis } from "../protocol/clock.ts";
import type { Framer } from "../protocol/framing.ts";
import type { Console } from "./exercise.ts";

/** What is written to: as a channel. */
interface Peer {
  readonly framer: Framer;
  readonly queuedBytes: number;
  /** The most that may be queued. */
  readonly queueBytes: number;
  flushed(): Promise<void>;
}

/** With `raw` two writes in one read would be one message: the only remedy is a pause, in ms. */
const RAW_PAUSE_MS = 50;
/** The same after the first message, from whose silence a server may have to find out that nothing is framed. */
const FIRST_RAW_PAUSE_MS = SILENCE_MS + 100;

/** The pauses of a script between messages to those who frame nothing. */
export class RawPauses {
  readonly #begun = new WeakSet<Peer>();

  /** How long to wait, in ms, when something has been written to `peers`. */
  after(peers: Iterable<Peer>): Millis {
    let ms = 0;
    for (const peer of peers) {
      if (peer.framer.name !== "raw") continue;
      ms = Math.max(ms, this.#begun.has(peer) ? RAW_PAUSE_MS : FIRST_RAW_PAUSE_MS);
      this.#begun.add(peer);
    }
    return ms;
  }
}

/** More than this waiting for one peer, in bytes, makes a script wait, but no longer than so many ms. */
const MAX_AHEAD = 32_768;
const AHEAD_MS = 5000;

/** Holds a script up between its lines; a person is slow enough. */
export class Pace {
  readonly #console: Console;
  readonly #ended: Promise<unknown>;
  /** Who was written to since the last wait. */
  readonly #written = new Set<Peer>();
  /** Who has not read for too long is not waited for again, until it reads. */
  readonly #stuck = new WeakSet<Peer>();
  readonly #rawPauses = new RawPauses();

  /** @param ended settles when nothing more is written */
  constructor(console: Console, ended: Promise<unknown>) {
    this.#console = console;
    this.#ended = ended;
  }

  /** Notes that something is written to `peer`. */
  note(peer: Peer): void {
    this.#written.add(peer);
  }

  /** Waits until those who were written to have read most of it. */
  async wait(): Promise<void> {
    const peers = [...this.#written];
    this.#written.clear();
    if (this.#console.interactive) return;
    for (const peer of peers) {
      if (peer.queuedBytes <= MAX_AHEAD) this.#stuck.delete(peer);
      else if (!this.#stuck.has(peer) && await outlasts(peer.flushed(), AHEAD_MS)) this.#stuck.add(peer);
    }
    const pauseMs = this.#rawPauses.after(peers);
    if (pauseMs > 0) await outlasts(this.#ended, pauseMs);
  }
}

/** What one client may write to others who are behind with reading before it waits, in UTF-16 units. */
const FREE_UNITS = 131_072;
/** How often is looked whether who is behind reads at all, and after how long each time, in ms. */
const LOOKS = 3;
const LOOK_MS = 300;

/** Holds one client up that writes more than another reads: it could have anybody cut, however quickly that one reads. */
export class Restraint {
  #units = 0;
  /** Who did not read at all is not waited for again, until it reads. */
  #stuck: WeakSet<Peer> | null = null;

  /** @returns what to wait for when something of so many units has been written to `peer`, before its writer is heard again */
  after(units: number, peer: Peer): Promise<void> | undefined {
    this.#units += units;
    if (this.#units < FREE_UNITS) return;
    if (peer.queuedBytes <= peer.queueBytes / 2) return void this.#stuck?.delete(peer);
    if (this.#stuck?.has(peer)) return;
    this.#units = 0;
    return this.#wait(peer);
  }

  async #wait(peer: Peer): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      const before = peer.queuedBytes;
      if (!await outlasts(peer.flushed(), LOOK_MS)) return;
      if (peer.queuedBytes < before) continue;
      this.#stuck ??= new WeakSet();
      return void this.#stuck.add(peer);
    }
  }
}
