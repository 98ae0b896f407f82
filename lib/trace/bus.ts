// One bus, many sinks: everything that shows anything of a run is a sink.

import { type Trace, type TraceEvent, type TraceKind, wanting } from "../protocol/trace.ts";

/** Shows or keeps events. `event` must not keep the event's bytes without copying them. */
export interface Sink {
  /** What it wants to see; nothing else is built for it. */
  readonly kinds: readonly TraceKind[];
  /** `at`: milliseconds since the epoch, fractions included. */
  event(event: TraceEvent, at: number): void;
  /** Writes out what it holds. */
  close?(): void;
}

/** Carries events to the sinks that want them, with the time at which they happened. */
export class TraceBus implements Trace {
  wants: Record<TraceKind, boolean> = wanting([]);
  #sinks: Sink[] = [];
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = () => performance.timeOrigin + performance.now()) {
    this.#now = now;
  }

  /** Adds a sink; the result removes and closes it. */
  attach(sink: Sink): () => void {
    this.#sinks = [...this.#sinks, sink];
    this.#recount();
    return () => {
      if (!this.#sinks.includes(sink)) return;
      this.#sinks = this.#sinks.filter((other) => other !== sink);
      this.#recount();
      sink.close?.();
    };
  }

  emit(event: TraceEvent): void {
    if (!this.wants[event.type]) return;
    const at = this.#now();
    for (const sink of this.#sinks) if (sink.kinds.includes(event.type)) sink.event(event, at);
  }

  /** Closes every sink. */
  close(): void {
    for (const sink of this.#sinks) sink.close?.();
    this.#sinks = [];
    this.#recount();
  }

  #recount(): void {
    this.wants = wanting(this.#sinks.flatMap((sink) => sink.kinds));
  }
}
