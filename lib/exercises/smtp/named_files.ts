// Files that options name.

import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy } from "../../protocol/text.ts";

/** @throws {NetlabError} of kind `usage` when there is no such file, or it may not be read */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const why = (cause as Error).message.replace(/ \(os error .*/s, "");
    throw new NetlabError("usage", `cannot read ${path}: ${why}`, { cause });
  }
}

/** The same as text. */
export function readText(path: string): string {
  return decodeLossy(readFile(path));
}
