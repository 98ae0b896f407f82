// What a media file is: how long it plays, and its type. The library reads that; bundled, only as much of it as is used here.

import { ALL_FORMATS, CustomSource, Input, Logging, LogLevel } from "mediabunny";

/** What the library finds out. */
export interface Medium {
  readonly durationMs: number | null;
  readonly mediaType: string;
}

Logging.level = LogLevel.Silent; // what it does not know is no news to anybody here

/**
 * Reads what is needed of the file and no more.
 *
 * @param size of it, in bytes
 * @param patienceMs when it is given up: in a damaged file the library may look for something for ever
 */
export async function readMedium(
  read: (start: number, end: number) => Promise<Uint8Array>,
  size: number,
  patienceMs: number,
): Promise<Medium> {
  const source = new CustomSource({ getSize: () => size, read });
  const end = performance.now() + patienceMs;
  // What it asks at each step, and never waits for a timer meanwhile. (Some Denos, as 2.9, cannot end a thread that loops.)
  Object.defineProperty(source, "_disposed", { get: () => performance.now() > end, set: () => {} });
  using input = new Input({ formats: ALL_FORMATS, source });
  // What the library calls the duration is when it ends; a recorded broadcast does not begin at 0.
  const seconds = await input.computeDuration() - await input.getFirstTimestamp().catch(() => 0);
  const mediaType = await input.getMimeType().catch(() => "");
  return { durationMs: Number.isFinite(seconds) && seconds > 0 ? 1000 * seconds : null, mediaType };
}
