// Standard input as bytes. It may be no file that can be read: `nohup` makes it one that cannot.

import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";

/** What is piped in; fails with a `NetlabError` of kind `harness` where it cannot be read. */
export function standardInput(): ReadableStream<Uint8Array> {
  return ReadableStream.from(blocks());
}

async function* blocks(): AsyncIterable<Uint8Array> {
  try {
    yield* Deno.stdin.readable;
  } catch (cause) {
    throw new NetlabError("harness", `cannot read standard input: ${describeSystemError(cause)}`, { cause });
  }
}
