// A transfer without sockets: both machines on a virtual clock, and between them a network that an impairment plan makes bad.
// A datagram that a plan has changed is dropped by its checksum, as on a socket.

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import {
  acceptPdu,
  decodePdu,
  encodePdu,
  FLAG_PUSH,
  type Offer,
  type Pdu,
  readError,
  type Scheme,
} from "../lib/exercises/transfer/protocol.ts";
import {
  type ReceiveCommand,
  type ReceiveEvent,
  ReceiverMachine,
  type ReceiverOptions,
} from "../lib/exercises/transfer/receiver_machine.ts";
import {
  type SendCommand,
  SenderMachine,
  type SenderOptions,
  type SendEvent,
} from "../lib/exercises/transfer/sender_machine.ts";
import { type Impairment, ImpairmentPlan } from "../lib/faults/plan.ts";
import { drive, type Driven } from "../lib/net/drive.ts";
import type { Clock, Millis } from "../lib/protocol/clock.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import type { Effect, Input, Machine } from "../lib/protocol/machine.ts";
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
  /** `file` is only what comes behind so many chunks, which the receiver has as well. */
  readonly behind?: number;
  /** What is lost besides: `nth` counts the PDUs of that type, from 0. */
  readonly lose?: (pdu: Pdu, nth: number) => boolean;
  /** What arrives besides, with each PDU, at whom it was sent to. */
  readonly stray?: (pdu: Pdu, towards: "receiver" | "sender") => Pdu[];
}

/** What a simulated transfer came to. */
export interface Outcome {
  readonly sender: SenderMachine;
  readonly receiver: ReceiverMachine;
  /** What the receiver has put together. */
  readonly received: Uint8Array;
  /** Whether the sender was told DONE, and whether the receiver has found the digest right. */
  readonly done: boolean;
  readonly finished: boolean;
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
  /** Of which DATA was lost on the way, in that order. */
  readonly lost: number[];
  /** The most chunks that were sent and not acknowledged to the sender, as the wire shows it. */
  readonly maxInFlight: number;
  /** Chunks that the receiver was handed, in that order. */
  readonly delivered: number[];
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** Runs a transfer to its end in virtual time. */
export function simulate(simulation: Simulation): Outcome {
  const { file, seed = 1, scheme = "selective-repeat", chunk = 100, window = 8, behind = 0 } = simulation;
  const from = behind + (simulation.resumeAt ?? 0);
  const size = simulation.size === undefined ? behind * chunk + file.length : simulation.size;
  const offer: Offer = { name: "file", size, chunk, window, scheme, resume: from > 0 };
  const clock = new SimClock();
  const there = new ImpairmentPlan(simulation.there ?? {}, seed);
  const back = new ImpairmentPlan(simulation.back ?? simulation.there ?? {}, seed + 0x5bd1e995);
  const { retries = 500, rto, marks = false, paced = false } = simulation;
  const sender = new SenderMachine({ ...offer, session: SESSION, retries, rto, marks, paced });
  const receiver = new ReceiverMachine({
    ...offer,
    session: SESSION,
    maxWindow: 1024,
    idleMs: 600_000,
    beginMs: 600_000,
  });
  const [sent, answers]: { at: Millis; pdu: Pdu }[][] = [[], []];
  const [failures, delivered, lost]: [string[], number[], number[]] = [[], [], []];
  const received = new Uint8Array(file.length);
  received.set(file.subarray(0, (from - behind) * chunk));
  let [accepted, done, finished, spoiled, steps, maxInFlight, acknowledged] = [false, false, false, false, 0, 0, from];
  const counts = new Map<string, number>();

  /** As a server does: an OPEN of a session that it does not know makes a receiver, and nothing else does. */
  const deliver = (message: Pdu, towards: "receiver" | "sender") => {
    if (towards === "sender") {
      if (message.type === "ACK") acknowledged = Math.max(acknowledged, message.seq);
      sending.input({ type: "message", message });
    } else if (accepted) receiving.input({ type: "message", message });
    else if (message.type === "OPEN") {
      accepted = true;
      const digest = from > behind ? sha256(file.subarray(0, (from - behind) * chunk)) : null;
      receiving.input({ type: "command", command: { type: "accept", next: from, digest } });
    }
  };

  const carry = (pdu: Pdu, plan: ImpairmentPlan, log: typeof sent, towards: "receiver" | "sender") => {
    log.push({ at: clock.now(), pdu: decodePdu(encodePdu(pdu).slice()) });
    const nth = counts.get(pdu.type) ?? 0;
    counts.set(pdu.type, nth + 1);
    const arrivals = simulation.lose?.(pdu, nth) ? [] : plan.apply(encodePdu(pdu).slice(), clock.now());
    if (pdu.type === "DATA" && arrivals.length === 0) lost.push(pdu.seq);
    if (pdu.type === "DATA") maxInFlight = Math.max(maxInFlight, pdu.seq + 1 - acknowledged);
    for (const message of simulation.stray?.(pdu, towards) ?? []) {
      clock.at(clock.now(), () => deliver(message, towards));
    }
    for (const { at, bytes } of arrivals) {
      clock.at(at, () => {
        let message: Pdu;
        try {
          message = decodePdu(bytes);
        } catch (error) {
          assert(error instanceof ProtocolError, `${error}`);
          return;
        }
        deliver(message, towards);
      });
    }
  };

  let at = (from - behind) * chunk;
  const sending: Driven<Pdu, SendCommand> = drive(sender, {
    clock,
    trace: collect(["mark"]),
    send: (pdu) => carry(pdu, there, sent, "receiver"),
    onEvent: (event: SendEvent) => {
      if (event.type === "done") done = true;
      if (event.type !== "hungry") return;
      // Blocks of odd lengths: chunks do not end where they do.
      const bytes = file.subarray(at, at += 1 + (at * 7919) % 1000);
      const command: SendCommand = bytes.length > 0
        ? { type: "data", bytes }
        : { type: "finish", digest: sha256(file) };
      clock.at(clock.now(), () => sending.input({ type: "command", command }));
    },
  });
  const receiving: Driven<Pdu, ReceiveCommand> = drive(receiver, {
    clock,
    send: (pdu) => carry(pdu, back, answers, "sender"),
    onEvent: (event: ReceiveEvent) => {
      if (event.type === "data") {
        delivered.push(event.seq);
        const place = (event.seq - behind) * chunk;
        if (place + event.bytes.length > received.length) spoiled = true;
        else received.set(event.bytes, place);
      } else if (event.type === "failed") failures.push(event.text);
      else {
        finished = !spoiled && sha256(received).every((byte, i) => byte === event.digest[i]);
        const command: ReceiveCommand = finished ? { type: "finished" } : { type: "fail", code: 6, text: "digest" };
        clock.at(clock.now(), () => receiving.input({ type: "command", command }));
      }
    },
  });
  for (; !sender.over && steps < 2_000_000 && clock.step(); steps++);
  return {
    ...{ sender, receiver, received, done, finished, failures, steps, there, back, sent, answers, lost, maxInFlight },
    ...{ error: sender.failure, took: clock.now(), delivered },
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

/** The numbers of the DATA among PDUs that were sent, in that order. */
export function dataOf(sent: readonly { readonly pdu: Pdu }[]): number[] {
  return sent.filter(({ pdu }) => pdu.type === "DATA").map(({ pdu }) => pdu.seq);
}

/** Numbers from `first` up to, not including, `end`. */
export function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

/** What a machine of a transfer does, in a few words: `DATA 3!` (push), `ACK 3 +101`, `takes 3`, `closes: why`. */
function say(effect: Effect<Pdu, SendEvent | ReceiveEvent>): string {
  switch (effect.type) {
    case "send":
      return sayPdu(effect.message);
    case "note":
      return `(${effect.text})`;
    case "mark":
      return `${effect.what} ${effect.seq}`;
    case "close":
      return effect.error ? `closes: ${effect.error.message}` : "closes";
    case "event": {
      const { event } = effect;
      if (event.type === "accepted") return `accepted ${event.next}`;
      if (event.type === "data") return `takes ${event.seq}`;
      if (event.type === "finish") return `finish ${event.chunks}`;
      return event.type === "failed" ? `failed: ${event.text}` : event.type;
    }
  }
}

function sayPdu(pdu: Pdu): string {
  const { type, seq, flags, payload } = decodePdu(encodePdu(pdu).slice());
  const bits = () => Array.from(payload, (byte) => byte.toString(2).padStart(8, "0").split("").reverse().join(""));
  if (type === "OPEN") return type;
  if (type === "ERROR") return `ERROR ${readError(pdu).code} ${readError(pdu).text}`;
  if (type === "ACK" && payload.length > 0) return `ACK ${seq} +${bits().join("").replace(/0+$/, "")}`;
  return `${type} ${seq}${type === "DATA" && (flags & FLAG_PUSH) !== 0 ? "!" : ""}`;
}

/** A machine that is stepped by hand, from the time 1000 on. */
export class ByHand<C, E extends SendEvent | ReceiveEvent, T extends Machine<Pdu, C, E>> {
  readonly machine: T;
  now = 1000;

  constructor(machine: T) {
    this.machine = machine;
  }

  start(): string[] {
    return this.#step({ type: "start" });
  }

  get(pdu: Pdu): string[] {
    return this.#step({ type: "message", message: pdu });
  }

  tell(command: C): string[] {
    return this.#step({ type: "command", command });
  }

  end(error?: Error): string[] {
    return this.#step({ type: "end", error });
  }

  /** A timer, whether it is time or not. */
  timer(): string[] {
    return this.#step({ type: "timer" });
  }

  /** Lets time pass; a deadline on the way is stepped at its time. */
  pass(ms: Millis): string[] {
    const until = this.now + ms;
    const done: string[] = [];
    for (let steps = 0;; steps++) {
      const deadline = this.machine.deadline();
      if (deadline === null || deadline > until) break;
      assert(steps < 1000, "its deadline never passes");
      this.now = Math.max(this.now, deadline);
      done.push(...this.timer());
    }
    this.now = until;
    return done;
  }

  #step(input: Input<Pdu, C>): string[] {
    return this.machine.step(input, this.now).map(say);
  }
}

const OFFER = { name: "file", chunk: 10, window: 4, resume: false, session: SESSION };

/** A sender of chunks of 10 bytes, a window of 4 and 3 retries, unless told otherwise. */
export class Sending extends ByHand<SendCommand, SendEvent, SenderMachine> {
  constructor(scheme: Scheme, options: Partial<SenderOptions> = {}) {
    super(new SenderMachine({ ...OFFER, scheme, size: null, retries: 3, ...options }));
  }

  /** One that was accepted after 100 ms, which makes for an RTO of 300 ms, and was given a file of `length` bytes. */
  static of(scheme: Scheme, length: number, options: Partial<SenderOptions> = {}): [Sending, string[]] {
    const sending = new Sending(scheme, { size: length, ...options });
    assertEquals(sending.start(), ["OPEN"]);
    sending.now += 100;
    assertEquals(sending.get(acceptPdu(SESSION, 0, 1000, null)), ["accepted 0", "hungry"]);
    return [sending, sending.give(length)];
  }

  /** The rest of the file, which is so long. */
  give(length: number): string[] {
    const done = this.tell({ type: "data", bytes: makeFile(length) });
    done.push(...this.tell({ type: "finish", digest: sha256(makeFile(length)) }));
    return done.filter((one) => one !== "hungry");
  }
}

/** A receiver of chunks of 10 bytes and a window of 4, silent for 60 s at most and 5 s at the beginning. */
export class Receiving extends ByHand<ReceiveCommand, ReceiveEvent, ReceiverMachine> {
  constructor(scheme: Scheme, size: number | null, options: Partial<ReceiverOptions> = {}) {
    super(new ReceiverMachine({ ...OFFER, scheme, size, maxWindow: 1024, idleMs: 60_000, beginMs: 5000, ...options }));
  }

  /** One that has accepted the file. */
  static of(scheme: Scheme, size: number | null, options: Partial<ReceiverOptions> = {}): Receiving {
    const receiving = new Receiving(scheme, size, options);
    assertEquals(receiving.start(), []);
    assertEquals(receiving.tell({ type: "accept", next: 0, digest: null }), ["ACCEPT 0"]);
    return receiving;
  }

  /** Chunks arrive, whole ones unless told otherwise. */
  data(...seqs: (number | readonly [seq: number, length: number, flags?: number])[]): string[] {
    return seqs.flatMap((one) => {
      const [seq, length = 10, flags = 0] = typeof one === "number" ? [one] : one;
      return this.get({ type: "DATA", flags, session: SESSION, seq, payload: makeFile(length, seq) });
    });
  }
}
