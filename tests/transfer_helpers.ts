// A transfer without sockets: both machines on a virtual clock, and between them a network that an impairment plan makes bad.
// A datagram that a plan has changed is dropped by its checksum, as on a socket.

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { decodePdu, encodePdu, type Offer, type Pdu } from "../lib/exercises/transfer/protocol.ts";
import { type ReceiveEvent, ReceiverMachine } from "../lib/exercises/transfer/receiver_machine.ts";
import { SenderMachine, type SenderOptions, type SendEvent } from "../lib/exercises/transfer/sender_machine.ts";
import { type Impairment, ImpairmentPlan } from "../lib/faults/plan.ts";
import { drive, type Driven } from "../lib/net/drive.ts";
import type { Clock, Millis } from "../lib/protocol/clock.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { collect } from "./helpers.ts";

/** A clock that only moves when told; unlike `VirtualClock` it bears thousands of timers, being a heap. */
export class SimClock implements Clock {
  #now: Millis = 0;
  #order = 0;
  readonly #heap: { when: Millis; order: number; run: (() => void) | null }[] = [];

  now(): Millis {
    return this.#now;
  }

  at(when: Millis, run: () => void): () => void {
    const timer = { when: Math.max(when, this.#now), order: this.#order++, run: run as (() => void) | null };
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    for (let parent; at > 0 && before(timer, heap[parent = (at - 1) >> 1]); at = parent) heap[at] = heap[parent];
    heap[at] = timer;
    return () => void (timer.run = null);
  }

  /** Runs the next timer. @returns false when there is none */
  step(): boolean {
    for (let timer; (timer = this.#pop()) !== undefined;) {
      if (timer.run === null) continue;
      this.#now = timer.when;
      timer.run();
      return true;
    }
    return false;
  }

  #pop() {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: { when: Millis; order: number }, b: { when: Millis; order: number }): boolean {
  return a.when < b.when || (a.when === b.when && a.order < b.order);
}

export const SESSION = 0xfeed_beef;

/** What a simulated transfer is of. */
export interface Simulation extends Partial<Omit<SenderOptions, keyof Offer>>, Partial<Offer> {
  readonly file: Uint8Array;
  /** What happens on the way to the receiver, and on the way back. */
  readonly there?: Impairment;
  readonly back?: Impairment;
  readonly seed?: number;
  /** What the receiver has already, in chunks. */
  readonly resumeAt?: number;
}

/** What a simulated transfer came to. */
export interface Outcome {
  readonly sender: SenderMachine;
  readonly receiver: ReceiverMachine;
  /** What the receiver has put together. */
  readonly received: Uint8Array;
  readonly done: boolean;
  /** Why the sender has failed. */
  readonly error: Error | undefined;
  readonly failures: string[];
  /** Virtual time, in ms. */
  readonly took: Millis;
  readonly steps: number;
  readonly there: ImpairmentPlan;
  readonly back: ImpairmentPlan;
  /** Every PDU that was sent to the receiver, and back, with the time. */
  readonly sent: { readonly at: Millis; readonly pdu: Pdu }[];
  readonly answers: { readonly at: Millis; readonly pdu: Pdu }[];
  readonly maxInFlight: number;
  /** Chunks that the receiver was handed, in that order. */
  readonly delivered: number[];
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** Runs a transfer to its end in virtual time. */
export function simulate(simulation: Simulation): Outcome {
  const { file, seed = 1, scheme = "selective-repeat", chunk = 100, window = 8, resumeAt = 0 } = simulation;
  const size = simulation.size === undefined ? file.length : simulation.size;
  const offer: Offer = { name: "file", size, chunk, window, scheme, resume: resumeAt > 0 };
  const clock = new SimClock();
  const there = new ImpairmentPlan(simulation.there ?? {}, seed);
  const back = new ImpairmentPlan(simulation.back ?? simulation.there ?? {}, seed + 0x5bd1e995);
  const sender = new SenderMachine({
    ...offer,
    session: SESSION,
    retries: simulation.retries ?? 500,
    rto: simulation.rto,
    marks: simulation.marks ?? false,
  });
  const receiver = new ReceiverMachine({
    ...offer,
    session: SESSION,
    maxWindow: 1024,
    idleMs: 600_000,
    beginMs: 600_000,
  });
  const [sent, answers]: { at: Millis; pdu: Pdu }[][] = [[], []];
  const failures: string[] = [];
  const delivered: number[] = [];
  const received = new Uint8Array(file.length);
  received.set(file.subarray(0, resumeAt * chunk));
  let [done, steps, maxInFlight] = [false, 0, 0];

  const carry = (pdu: Pdu, plan: ImpairmentPlan, log: typeof sent, to: () => Driven<Pdu, never>) => {
    log.push({ at: clock.now(), pdu: decodePdu(encodePdu(pdu).slice()) });
    for (const { at, bytes } of plan.apply(encodePdu(pdu).slice(), clock.now())) {
      clock.at(at, () => {
        let message: Pdu;
        try {
          message = decodePdu(bytes);
        } catch (error) {
          assert(error instanceof ProtocolError, `${error}`);
          return;
        }
        to().input({ type: "message", message });
      });
    }
  };

  let at = resumeAt * chunk;
  const sending = drive(sender, {
    clock,
    trace: collect(["mark"]),
    send: (pdu) => carry(pdu, there, sent, () => receiving as Driven<Pdu, never>),
    onEvent: (event: SendEvent) => {
      if (event.type === "done") done = true;
      if (event.type !== "hungry") return;
      // Blocks of odd lengths: chunks do not end where they do.
      const bytes = file.subarray(at, at += 1 + (at * 7919) % 1000);
      if (bytes.length > 0) {
        clock.at(clock.now(), () => sending.input({ type: "command", command: { type: "data", bytes } }));
      } else {
        const command = { type: "finish", digest: sha256(file) } as const;
        clock.at(clock.now(), () => sending.input({ type: "command", command }));
      }
    },
  });
  const receiving = drive(receiver, {
    clock,
    send: (pdu) => carry(pdu, back, answers, () => sending as Driven<Pdu, never>),
    onEvent: (event: ReceiveEvent) => {
      if (event.type === "data") {
        delivered.push(event.seq);
        received.set(event.bytes, event.seq * chunk);
      } else if (event.type === "failed") failures.push(event.text);
      else {
        const right = sha256(received).every((byte, i) => byte === event.digest[i]);
        const command = right ? { type: "finished" } as const : { type: "fail", code: 6, text: "digest" } as const;
        clock.at(clock.now(), () => receiving.input({ type: "command", command }));
      }
    },
  });
  const digest = resumeAt > 0 ? sha256(file.subarray(0, resumeAt * chunk)) : null;
  receiving.input({ type: "command", command: { type: "accept", next: resumeAt, digest } });
  while (!sender.over && steps < 2_000_000 && clock.step()) {
    steps++;
    maxInFlight = Math.max(maxInFlight, sender.inFlight);
  }
  const error = sender.failure;
  return {
    ...{ sender, receiver, received, done, error, failures, steps, there, back, sent, answers, maxInFlight, delivered },
    took: clock.now(),
  };
}

/** A file in which every byte depends on its place. */
export function makeFile(length: number, seed = 1): Uint8Array {
  const file = new Uint8Array(length);
  let x = seed | 1;
  for (let i = 0; i < length; i++) file[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) | 0) >>> 16;
  return file;
}

/** The outcome is a whole file, each chunk handed over once, in order. */
export function assertDelivered(outcome: Outcome, file: Uint8Array): void {
  assertEquals([outcome.done, outcome.error, outcome.failures], [true, undefined, []]);
  assert(outcome.received.every((byte, i) => byte === file[i]), "the file arrived changed");
  assert(outcome.delivered.every((seq, i) => seq === outcome.delivered[0] + i), "a chunk came twice, or out of order");
}
