// How what netlab says in a check is cut into writes. TCP carries bytes, not messages, so every program has to bear every
// way; which of them it does not bear tells what is wrong with it.

import { shortPause, systemClock } from "../net/clock.ts";
import type { Conn } from "../net/conn.ts";
import type { Clock, Millis } from "../protocol/clock.ts";
import type { Random } from "../protocol/random.ts";

/**
 * - `whole`: a write a message
 * - `bytes`: a write a byte
 * - `split`: each message in two writes, cut after `after` bytes; less than 0 counts from its end
 * - `joined`: what is sent one behind the other, in one write
 */
export type Delivery =
  | { readonly way: "whole" }
  | { readonly way: "bytes" }
  | { readonly way: "joined" }
  | { readonly way: "split"; readonly after: number };
export type Way = Delivery["way"];

/** All ways, in the order in which they are tried. */
export const WAYS: readonly Way[] = ["whole", "bytes", "split", "joined"];

export const WHOLE: Delivery = { way: "whole" };

/** What each way is called in a report. */
export function describeDelivery(delivery: Delivery): string {
  switch (delivery.way) {
    case "whole":
      return "a write a message";
    case "bytes":
      return "a write a byte";
    case "joined":
      return "several messages in a write";
    case "split":
      return delivery.after < 0 ? "split before the last byte" : `split after byte ${delivery.after}`;
  }
}

/** A pause between two writes, in ms: without one the system gathers them, and the reader gets them as one. */
const DRIP_MS = 1;
const SPLIT_MS = 15;
/** How late it may end, in ms or as a part of it, before there is another, and how many there are at most. */
const LATE_MS = 5;
const LATE = 1 / 10;
const MAX_PAUSES = 10;

/** Until a reader that waits has read: where our own timer comes late, the machine is busy, and the reader has not run either. */
export async function untilRead(ms: Millis, clock: Clock = systemClock): Promise<void> {
  const late = Math.max(LATE_MS, ms * LATE);
  for (let left = MAX_PAUSES; left > 0; left--) {
    const due = clock.now() + ms;
    await shortPause(ms, clock);
    if (clock.now() < due + late) return;
  }
}

/** Where messages are cut: in and around what stands before a body, and before the last byte. */
export function chooseDelivery(way: Way, random: Random, headBytes: number): Delivery {
  if (way !== "split") return { way };
  return {
    way,
    after: random.pick([1, headBytes > 1 ? headBytes - 1 : 2, headBytes > 0 ? headBytes : 7, headBytes + 3, -1]),
  };
}

/** `conn`, with its writes cut; each write has to be a message. */
export function shape(conn: Conn, delivery: Delivery, clock: Clock = systemClock): Conn {
  if (delivery.way === "whole" || delivery.way === "joined" || conn.receive !== undefined) return conn;
  const after = delivery.way === "split" ? delivery.after : 0;
  // How much of a message that was cut is still to come.
  let rest = 0;
  const write = async (bytes: Uint8Array) => {
    if (delivery.way === "bytes") {
      const written = await conn.write(bytes.subarray(0, 1));
      await untilRead(DRIP_MS, clock);
      return written;
    }
    // A shorter message is cut, too: before its last byte.
    const cut = after < 0 ? bytes.length + after : Math.min(after, bytes.length - 1);
    if (rest > 0 || cut < 1) {
      const written = await conn.write(bytes);
      rest = Math.max(0, rest - written);
      return written;
    }
    const written = await conn.write(bytes.subarray(0, cut));
    rest = bytes.length - written;
    await untilRead(SPLIT_MS, clock);
    return written;
  };
  return {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    read: (into) => conn.read(into),
    write,
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
  };
}
