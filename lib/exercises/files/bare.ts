// A file by nothing but its name, as the course's first servers give it: what comes is its content, and the end of the
// connection is its end.

import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy } from "../../protocol/text.ts";
import { type Progress, Receipt } from "./progress.ts";
import type { Target } from "./targets.ts";
import type { Errand, Visit } from "./visit.ts";

/** The longest answer that may be a refusal, in bytes. */
const MAX_REFUSAL = 200;

/** Fetches a file, whole: there is no offset to go on from. */
export async function getBare(
  target: Target,
  visit: Visit,
  { console }: Errand,
  name: string,
  progress: Progress,
): Promise<void> {
  const receipt = new Receipt(console, target, name);
  if (target.size > 0) target.restart();
  const file = progress.begin(name, Infinity);
  let bytes = 0;
  let first: number[] | null = []; // held back: an answer so short may be a refusal
  try {
    await visit.everything(name, async (piece) => {
      bytes += piece.length;
      file.add(piece.length);
      if (first !== null && bytes <= MAX_REFUSAL) return void first.push(...piece);
      if (first !== null) await target.write(Uint8Array.from(first));
      first = null;
      await target.write(piece);
    });
    const start = Uint8Array.from(first ?? []);
    const text = decodeLossy(start).trim();
    if (/^error\b/i.test(text)) throw new NetlabError("reply", `the server says: ${text}`);
    await target.write(start);
    if (await target.isThere(() => target.digest)) {
      target.restart();
      return receipt.present();
    }
    target.complete();
    receipt.got(bytes, "and nothing says whether that is all");
  } catch (error) {
    target.restart();
    throw error;
  } finally {
    file.end();
  }
}
