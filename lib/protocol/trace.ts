// What can be seen of a connection: the events that the layers emit, and the interface they emit them to. The bus that
// carries them to the sinks is in lib/trace.

import type { Mark } from "./machine.ts";

/** A connection's number, unique within one run. */
export type ConnectionId = number;

/** As seen from this process. */
export type Direction = "in" | "out";

/** Something that happened on the wire or in a machine. */
export type TraceEvent =
  | {
    readonly type: "open";
    readonly id: ConnectionId;
    readonly transport: "tcp" | "udp";
    /** `host:port`. */
    readonly local: string;
    readonly remote: string;
  }
  /** `reason` says who ended it and how: "end of stream", "reset by peer", "idle for 1h". */
  | { readonly type: "close"; readonly id: ConnectionId; readonly reason: string }
  /** The bytes are a view: a sink that keeps them copies them. */
  | { readonly type: "bytes"; readonly id: ConnectionId; readonly direction: Direction; readonly bytes: Uint8Array }
  | { readonly type: "message"; readonly id: ConnectionId; readonly direction: Direction; readonly text: string }
  /** A peer got a name: its label from now on. */
  | { readonly type: "label"; readonly id: ConnectionId; readonly label: string }
  /** What happened to a numbered piece of data, at its sender. */
  | { readonly type: "mark"; readonly id?: ConnectionId; readonly what: Mark; readonly seq: number }
  /** A state reached, a timer set, a decision taken. */
  | { readonly type: "note"; readonly id?: ConnectionId; readonly text: string }
  /** As a note, but something is wrong. */
  | { readonly type: "warning"; readonly id?: ConnectionId; readonly text: string };

export type TraceKind = TraceEvent["type"];

/** Where events go. Ask `wants` before building an event on a hot path. */
export interface Trace {
  readonly wants: Readonly<Record<TraceKind, boolean>>;
  emit(event: TraceEvent): void;
}

const KINDS: readonly TraceKind[] = ["open", "close", "bytes", "message", "label", "mark", "note", "warning"];

/** Which of all kinds are in `kinds`. */
export function wanting(kinds: readonly TraceKind[]): Record<TraceKind, boolean> {
  return Object.fromEntries(KINDS.map((kind) => [kind, kinds.includes(kind)])) as Record<TraceKind, boolean>;
}

/** The trace that nobody looks at. */
export const NO_TRACE: Trace = { wants: wanting([]), emit() {} };
