// Proof that who asks hears the answer: a UDP source can be forged, and a stream sent to somebody who never asked would be an
// attack on them. A cookie is computed from the address, so nothing has to be remembered of those who have not returned it
// but how much they have been sent.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Millis } from "../../protocol/clock.ts";
import { BUDGET_MS, COOKIE_BYTES, UNPROVEN_BYTES } from "./protocol.ts";

/** A cookie is good until the end of the second of these, in ms. */
const EPOCH_MS: Millis = 30_000;

/** Gives cookies, and knows its own. */
export class Cookies {
  readonly #key = randomBytes(32);

  /** @param address with port, as text */
  give(address: string, session: number, now: Millis): Uint8Array {
    return this.#make(address, session, Math.floor(now / EPOCH_MS));
  }

  isGood(cookie: Uint8Array, address: string, session: number, now: Millis): boolean {
    const epoch = Math.floor(now / EPOCH_MS);
    return [epoch, epoch - 1].some((one) => timingSafeEqual(this.#make(address, session, one), cookie));
  }

  #make(address: string, session: number, epoch: number): Uint8Array {
    const whole = createHmac("sha256", this.#key).update(`${epoch} ${session} ${address}`).digest();
    return new Uint8Array(whole.subarray(0, COOKIE_BYTES));
  }
}

/** So many addresses are remembered; of more, the oldest is forgotten. */
const MAX_ADDRESSES = 10_000;

/** How much may go to addresses that have not returned a cookie. */
export class Budget {
  readonly #sent = new Map<string, { readonly since: Millis; bytes: number }>();

  /** Whether `address` may be sent so many bytes; if so, they are counted. */
  take(address: string, bytes: number, now: Millis): boolean {
    let sent = this.#sent.get(address);
    if (sent === undefined || now - sent.since >= BUDGET_MS) {
      this.#sent.delete(address); // so that it stands behind the others
      sent = { since: now, bytes: 0 };
      this.#sent.set(address, sent);
      if (this.#sent.size > MAX_ADDRESSES) this.#sent.delete(this.#sent.keys().next().value!);
    }
    if (sent.bytes + bytes > UNPROVEN_BYTES) return false;
    sent.bytes += bytes;
    return true;
  }
}
