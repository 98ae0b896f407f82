// A protocol as a machine: it owns no socket and no clock. Inputs go in with the time, effects come out, and `deadline`
// says when it wants to be stepped next even if nothing happens.

import type { Millis } from "./clock.ts";

/** What a machine is told: `M` are the messages of its protocol, `C` the commands of its user. */
export type Input<M, C> =
  | { readonly type: "start" }
  | { readonly type: "message"; readonly message: M }
  | { readonly type: "command"; readonly command: C }
  /** The deadline has been reached. */
  | { readonly type: "timer" }
  /** The peer will send nothing more; `error` when that was not by agreement. */
  | { readonly type: "end"; readonly error?: Error };

/** What may happen to a numbered piece of data, at its sender. `acknowledged` names the next one expected. */
export type Mark = "sent" | "resent" | "acknowledged" | "timeout";

/** What a machine wants: `E` are the events that its user is told. */
export type Effect<M, E> =
  | { readonly type: "send"; readonly message: M }
  | { readonly type: "event"; readonly event: E }
  /** For the trace: a state reached, a timer set, a note. */
  | { readonly type: "note"; readonly text: string }
  /** For the plot of a transfer: what happened to which chunk. */
  | { readonly type: "mark"; readonly what: Mark; readonly seq: number }
  /** The machine is finished; nothing after this counts. */
  | { readonly type: "close"; readonly error?: Error };

/** A protocol without I/O. `step` never throws for what a peer sent; it closes with an error instead. */
export interface Machine<M, C = never, E = never> {
  step(input: Input<M, C>, now: Millis): Effect<M, E>[];
  /** When to step with `timer`, or null for never. Asked again after each step. */
  deadline(): Millis | null;
}
