// What a media file is: how long it plays, and its type. The library reads that; bundled, only as much of it as is used here.

import { ALL_FORMATS, CustomSource, Input, Logging, LogLevel } from "mediabunny";
import { encodeText } from "../../protocol/text.ts";
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
  const read = (start: number, end: number) => readWithoutOffsets(reader, start, end, size);
  const source = new CustomSource({ getSize: () => size, read });
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

/** In an MP4: by how much samples are shown later than they are decoded. */
const OFFSETS = encodeText("ctts");
const SKIPPED = encodeText("free");

/**
 * Reads a part, from `start` to before `end`, with that renamed to what is skipped: of samples that it claims, though there are
 * none, the library counts billions in one step, and remembers them. Without it the duration is wrong by a few frames at most.
 */
export async function readWithoutOffsets(
  reader: Pick<PartReader, "read">,
  start: number,
  end: number,
  size: number,
): Promise<Uint8Array> {
  const around = OFFSETS.length - 1; // what is asked for may begin or end inside of one
  const from = Math.max(0, start - around);
  const bytes = await reader.read(from, Math.min(size, end + around) - from);
  for (let at = bytes.indexOf(OFFSETS[0]); at >= 0; at = bytes.indexOf(OFFSETS[0], at + 1)) {
    if (OFFSETS.every((byte, i) => bytes[at + i] === byte)) bytes.set(SKIPPED, at);
  }
  return bytes.subarray(start - from, end - from);
}
