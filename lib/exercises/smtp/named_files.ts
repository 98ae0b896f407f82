// Files that options name.

import { describeSystemError } from "../../net/errors.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy } from "../../protocol/text.ts";

/** @throws {NetlabError} of kind `usage` when there is no such file, or it may not be read */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    throw new NetlabError("usage", `cannot read ${path}: ${describeSystemError(cause)}`, { cause });
  }
}

/** The same as text. */
export function readText(path: string): string {
  return decodeLossy(readFile(path));
}
