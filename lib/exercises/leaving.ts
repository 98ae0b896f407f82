// Ctrl-C at a client that has something to say or to put away before it ends.

import { NetlabError } from "../protocol/errors.ts";
import type { ConnectContext } from "./exercise.ts";

/** A signal that is aborted when the person has had enough, with what the client is to fail with as its reason. */
export function leavingSignal({ console, onInterrupt }: ConnectContext): AbortSignal {
  const leaving = new AbortController();
  onInterrupt?.(() => {
    leaving.abort(new NetlabError("interrupted", "interrupted"));
    console.stop();
  });
  return leaving.signal;
}
