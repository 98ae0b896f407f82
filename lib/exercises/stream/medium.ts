// What a media file is: how long it plays, and its type. The library reads that; bundled, only as much of it as is used here.

import { ALL_FORMATS, CustomSource, Input, Logging, LogLevel } from "mediabunny";
import type { PartReader } from "./media.ts";

/** A file whose duration takes longer to find out is sent without it, in ms. */
const PATIENCE_MS = 3000;
/** The longest that others may have to wait for their turn meanwhile, and how often it is noted that they had one, in ms. */
const BLOCKED_MS = 1000;
const TURN_MS = 50;

/** What the library finds out. */
export interface Medium {
  readonly durationMs: number | null;
  readonly mediaType: string;
}

const UNKNOWN: Medium = { durationMs: null, mediaType: "" };

Logging.level = LogLevel.Silent; // what it does not know is no news to anybody here

/**
 * Reads what is needed of the file and no more; whatever is wrong with it, it can be sent.
 *
 * In a damaged file the library may look for something for ever, and lets nobody else have a turn meanwhile: then it is
 * stopped after `BLOCKED_MS`.
 *
 * @param size of it, in bytes
 */
export async function readMedium(reader: PartReader, size: number): Promise<Medium> {
  const source = new CustomSource({ getSize: () => size, read: (start, end) => reader.read(start, end - start) });
  let turnAt = performance.now();
  const turns = setInterval(() => turnAt = performance.now(), TURN_MS);
  let over = false;
  // The library asks for this at each of its steps.
  const isOver = () => over ||= performance.now() - turnAt > BLOCKED_MS;
  Object.defineProperty(source, "_disposed", { get: isOver, set: () => {} });
  using input = new Input({ formats: ALL_FORMATS, source });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Medium>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, UNKNOWN)));
  try {
    return await Promise.race([measure(input), late]);
  } catch {
    return UNKNOWN;
  } finally {
    over = true;
    clearTimeout(timer);
    clearInterval(turns);
  }
}

async function measure(
  input: Pick<Input, "computeDuration" | "getFirstTimestamp" | "getMimeType">,
): Promise<Medium> {
  // What the library calls the duration is when it ends; a recorded broadcast does not begin at 0.
  const seconds = await input.computeDuration() - await input.getFirstTimestamp().catch(() => 0);
  const mediaType = await input.getMimeType().catch(() => "");
  return { durationMs: Number.isFinite(seconds) && seconds > 0 ? 1000 * seconds : null, mediaType };
}
