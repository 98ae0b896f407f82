// The exit status of each kind of failure, once.

import type { ErrorKind } from "../protocol/errors.ts";

/** Done. */
export const EXIT_OK = 0;

/** By kind of error; `help` prints this table. */
export const EXIT_STATUS: Readonly<Record<ErrorKind, number>> = {
  usage: 2,
  transport: 1,
  protocol: 1,
  reply: 1,
  limit: 1,
  harness: 3,
  timeout: 124,
  interrupted: 130,
};

/** What each status means, for help. */
export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT_OK, "done"],
  [1, "failed: the peer, the network, a check, or a line of a script"],
  [2, "wrong usage"],
  [3, "netlab or this machine is at fault, not the peer"],
  [124, "timed out"],
  [130, "interrupted"],
];
