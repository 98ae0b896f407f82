// What happened in a check, as its report draws it: drawn only when the check has failed, since drawing takes time, and a flood
// is a hundred thousand messages.

import { stripAnsiCode } from "@std/fmt/colors";
import type { TraceEvent } from "../protocol/trace.ts";
import type { Sink } from "../trace/bus.ts";
import { ladderSink } from "../trace/ladder.ts";

/** The longest ladder, in lines: the last are the ones that matter. */
const MAX_LINES = 60;
const WIDTH = 96;
const MAX_TEXT = 200;

/** Keeps the last messages, and who is who. */
export class Ladder implements Sink {
  readonly kinds = ladderSink(() => {}).kinds;
  readonly #events: { readonly event: TraceEvent; readonly at: number }[] = [];
  #messages = 0;

  event(event: TraceEvent, at: number): void {
    this.#events.push({ event: shorten(event), at });
    if (event.type === "message" && ++this.#messages > MAX_LINES) {
      this.#events.splice(this.#events.findIndex(({ event: { type } }) => type === "message"), 1);
    }
  }

  /** Its lines, without colours. */
  draw(): string[] {
    const lines: string[] = [];
    const sink = ladderSink((line) => lines.push(stripAnsiCode(line)), { width: WIDTH });
    for (const { event, at } of this.#events) sink.event(event, at);
    return lines.length > MAX_LINES || this.#messages > MAX_LINES ? ["…", ...lines.slice(-MAX_LINES)] : lines;
  }
}

/** A message with no more of its text than fits beside an arrow. */
function shorten(event: TraceEvent): TraceEvent {
  if (event.type !== "message" || event.text.length <= MAX_TEXT) return event;
  return { ...event, text: `${event.text.slice(0, MAX_TEXT)}…` };
}
