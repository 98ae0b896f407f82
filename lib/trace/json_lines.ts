// Events as JSON, one object a line: for programs, and for a trace that can be shown again.

import { safeJson } from "../protocol/text.ts";
import { type TraceEvent, type TraceKind, wanting } from "../protocol/trace.ts";
import type { Sink } from "./bus.ts";

/** Everything: what a recorded trace needs. */
export const ALL_KINDS = Object.keys(wanting([])) as TraceKind[];

/** Everything but the bytes: what a program that watches needs. */
export const MESSAGE_KINDS: TraceKind[] = ALL_KINDS.filter((kind) => kind !== "bytes");

/** What a log needs: who came and went, and nothing per message. */
export const LOG_KINDS: TraceKind[] = MESSAGE_KINDS.filter((kind) => kind !== "message");

/**
 * A sink for JSON lines: `{"event":"message","at":1700000000000.123,"id":1,"direction":"in","text":"NAME alice"}`.
 * Bytes are in base64.
 *
 * @param write takes one line without its end
 */
export function jsonLinesSink(write: (line: string) => void, kinds: readonly TraceKind[], close?: () => void): Sink {
  return {
    kinds,
    event: (event, at) => write(safeJson({ event: event.type, at, ...payload(event) })),
    close,
  };
}

function payload(event: TraceEvent): Record<string, unknown> {
  const { type: _, ...rest } = event;
  return event.type === "bytes" ? { ...rest, bytes: event.bytes.toBase64() } : rest;
}
