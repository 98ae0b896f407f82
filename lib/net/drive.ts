// Runs a machine: on a socket and the system's clock in earnest, on memory and a virtual clock in tests.

import type { Clock, Millis } from "../protocol/clock.ts";
import type { Effect, Input, Machine } from "../protocol/machine.ts";
import { type ConnectionId, NO_TRACE, type Trace } from "../protocol/trace.ts";

/** Where a machine's effects go. */
export interface DriveOptions<M, E> {
  readonly clock: Clock;
  send(message: M): void;
  onEvent?(event: E): void;
  readonly trace?: Trace;
  readonly id?: ConnectionId;
}

/** A running machine. */
export interface Driven<M, C> {
  /** Steps the machine now. After its end this does nothing. */
  input(input: Input<M, C>): void;
  /** Settles when the machine closes: with its error, if it has one. */
  readonly finished: Promise<Error | undefined>;
}

/** Starts `machine` and steps it with whatever comes and whenever its deadline is reached. */
export function drive<M, C, E>(machine: Machine<M, C, E>, options: DriveOptions<M, E>): Driven<M, C> {
  const { clock } = options;
  const trace = options.trace ?? NO_TRACE;
  let closed = false;
  let cancelTimer = () => {};
  let armedFor: Millis | null = null;
  const { promise: finished, resolve } = Promise.withResolvers<Error | undefined>();

  // An effect may bring the next input before the others are done (two machines in one process): it waits its turn.
  const waiting: Input<M, C>[] = [];
  let stepping = false;

  function step(input: Input<M, C>): void {
    waiting.push(input);
    if (stepping) return;
    stepping = true;
    const now = clock.now();
    try {
      for (let next; !closed && (next = waiting.shift()) !== undefined;) apply(machine.step(next, now));
    } finally {
      stepping = false;
      waiting.length = 0;
    }
    arm();
  }

  /** A timer that is set too early is left alone, and looks again when it fires: deadlines mostly move on. */
  function arm(): void {
    const deadline = closed ? null : machine.deadline();
    if (deadline !== null && armedFor !== null && armedFor <= deadline) return;
    cancelTimer();
    armedFor = deadline;
    if (deadline === null) return;
    cancelTimer = clock.at(deadline, () => {
      armedFor = null;
      const due = machine.deadline();
      if (due !== null && due <= clock.now()) step({ type: "timer" });
      else arm();
    });
  }

  function apply(effects: Effect<M, E>[]): void {
    for (const effect of effects) {
      if (effect.type === "send") options.send(effect.message);
      else if (effect.type === "event") options.onEvent?.(effect.event);
      else if (effect.type === "note") {
        if (trace.wants.note) trace.emit({ type: "note", id: options.id, text: effect.text });
      } else if (effect.type === "mark") {
        if (trace.wants.mark) trace.emit({ type: "mark", id: options.id, what: effect.what, seq: effect.seq });
      } else {
        closed = true;
        return resolve(effect.error);
      }
    }
  }

  step({ type: "start" });
  return { input: step, finished };
}
