// What a server bears before it says no. Every server has all of these, with defaults that suit a classroom.

import type { Millis } from "../protocol/clock.ts";

/** Limits of a server. */
export interface Limits {
  /** Connections at once. @default {10000} */
  readonly maxClients: number;
  /** Bytes waiting for one client that does not read. @default {1048576} */
  readonly queueBytes: number;
  /** Silence after which a client is sent away, in ms. @default {3600000} */
  readonly idleMs: Millis;
  /** Silence allowed before the first byte, in ms. @default {120000} */
  readonly firstByteMs: Millis;
  /** Inputs in a row that are no messages, or none of the protocol's; what is just refused does not count. @default {1000} */
  readonly maxErrors: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxClients: 10_000,
  queueBytes: 1_048_576,
  idleMs: 3_600_000,
  firstByteMs: 120_000,
  maxErrors: 1000,
};
