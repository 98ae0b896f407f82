import { assertEquals, assertThrows } from "@std/assert";
import { drive, type Driven } from "../lib/net/drive.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import type { Effect, Input, Machine } from "../lib/protocol/machine.ts";
import { collect, test } from "./helpers.ts";

const RTO_MS = 200;
const TRIES = 3;

/** Sends a text and sends it again until the answer is "ack": stop-and-wait at its smallest. */
class Sender implements Machine<string, string, string> {
  #deadline: number | null = null;
  #text = "";
  #tries = 0;

  step(input: Input<string, string>, now: number): Effect<string, string>[] {
    switch (input.type) {
      case "start":
        return [{ type: "note", text: "ready" }];
      case "command":
        this.#text = input.command;
        return this.#send(now);
      case "timer":
        if (this.#tries < TRIES) return this.#send(now);
        return [{ type: "close", error: new Error(`no answer after ${TRIES} tries`) }, {
          type: "event",
          event: "never",
        }];
      case "message":
        if (input.message !== "ack") return [{ type: "event", event: `strange: ${input.message}` }];
        this.#deadline = null;
        return [{ type: "event", event: `delivered ${this.#text}` }];
      case "end":
        return [{ type: "close", error: input.error }];
    }
  }

  deadline(): number | null {
    return this.#deadline;
  }

  #send(now: number): Effect<string, string>[] {
    this.#tries++;
    this.#deadline = now + RTO_MS;
    return [{ type: "send", message: this.#text }];
  }
}

function makeSender() {
  const clock = new VirtualClock(1000);
  const trace = collect();
  const log: string[] = [];
  const driven = drive(new Sender(), {
    clock,
    trace,
    id: 5,
    send: (message) => log.push(`${clock.now()} say ${message}`),
    onEvent: (event) => log.push(`${clock.now()} ${event}`),
  });
  return { clock, trace, log, driven };
}

test("a machine is stepped at the start, and its notes are traced", () => {
  const { clock, trace, log } = makeSender();
  assertEquals([log, clock.next()], [[], null]);
  assertEquals(trace.events, [{ type: "note", id: 5, text: "ready" }]);
});

test("a deadline is reached at its time and not a millisecond before", () => {
  const { clock, log, driven } = makeSender();
  driven.input({ type: "command", command: "hello" });
  assertEquals(log, ["1000 say hello"]);
  clock.advance(RTO_MS - 1);
  assertEquals(log.length, 1);
  clock.advance(1);
  assertEquals(log, ["1000 say hello", "1200 say hello"]);
  clock.advance(RTO_MS - 1);
  assertEquals(log.length, 2);
});

test("a deadline that the machine gives up is not reached", () => {
  const { clock, log, driven } = makeSender();
  driven.input({ type: "command", command: "hello" });
  clock.advance(RTO_MS - 1);
  driven.input({ type: "message", message: "ack" });
  assertEquals([log.at(-1), clock.next()], ["1199 delivered hello", null]);
  clock.advance(10 * RTO_MS);
  assertEquals(log.length, 2);
});

test("a deadline that stays is still reached once, whatever else happens meanwhile", () => {
  const { clock, log, driven } = makeSender();
  driven.input({ type: "command", command: "hello" });
  for (let i = 0; i < 5; i++) {
    clock.advance(30);
    driven.input({ type: "message", message: "noise" });
  }
  clock.advance(49);
  assertEquals(log.filter((line) => line.includes(" say ")).length, 1);
  clock.advance(1);
  assertEquals(log.filter((line) => line.includes(" say ")), ["1000 say hello", "1200 say hello"]);
});

test("a machine that closes settles with its error, and nothing after that counts", async () => {
  const { clock, log, driven } = makeSender();
  driven.input({ type: "command", command: "hello" });
  clock.advance(3 * RTO_MS);
  assertEquals((await driven.finished)?.message, "no answer after 3 tries");
  assertEquals(log, ["1000 say hello", "1200 say hello", "1400 say hello"]);
  driven.input({ type: "command", command: "again" });
  clock.advance(10 * RTO_MS);
  assertEquals([log.length, clock.next()], [3, null]);
});

test("a machine that closes in good order settles without an error, and its timer is gone", async () => {
  const { clock, driven } = makeSender();
  driven.input({ type: "command", command: "hello" });
  driven.input({ type: "end" });
  assertEquals([await driven.finished, clock.next()], [undefined, null]);
});

/** Answers each number with the next one, twice, and closes at `last`. */
class Counter implements Machine<number> {
  readonly got: number[] = [];
  readonly #last: number;

  constructor(last: number) {
    this.#last = last;
  }

  step(input: Input<number, never>): Effect<number, never>[] {
    if (input.type !== "message") return [];
    this.got.push(input.message);
    if (input.message >= this.#last) return [{ type: "close" }];
    return [{ type: "send", message: input.message + 1 }, { type: "send", message: input.message + 1 }];
  }

  deadline(): number | null {
    return 1_000_000;
  }
}

test("machines joined with nothing between them keep the order of what they send, and leave no timer", async () => {
  const clock = new VirtualClock();
  const machines = [new Counter(6), new Counter(5)];
  // Each message arrives in the middle of the other's effects: the hardest case.
  const ends: Driven<number, never>[] = machines.map((machine, i) =>
    drive(machine, { clock, send: (message) => ends[1 - i].input({ type: "message", message }) })
  );
  ends[0].input({ type: "message", message: 0 });
  await ends[1].finished;
  assertEquals(machines[0].got, [0, ...Array(4).fill(2), ...Array(16).fill(4)]);
  assertEquals(machines[1].got, [...Array(2).fill(1), ...Array(8).fill(3), 5]);
  ends[0].input({ type: "message", message: 6 });
  await ends[0].finished;
  assertEquals(clock.next(), null);
});

test("a step that throws reaches whoever gave the input, and does not block the next", () => {
  const log: string[] = [];
  const driven = drive<string, string, never>({
    step(input) {
      if (input.type !== "command") return [];
      if (input.command === "break") throw new Error("broken");
      return [{ type: "send", message: input.command }];
    },
    deadline: () => null,
  }, { clock: new VirtualClock(), send: (message) => log.push(message) });
  assertThrows(() => driven.input({ type: "command", command: "break" }), Error, "broken");
  driven.input({ type: "command", command: "go on" });
  assertEquals(log, ["go on"]);
});

/** Wants to be stepped `ms` after whatever came last, and says when it was; a `quiet` one wants nothing. */
class Idler implements Machine<string, never, string> {
  #deadline: number | null = null;

  step(input: Input<string, never>, now: number): Effect<string, string>[] {
    if (input.type === "timer") {
      this.#deadline = null;
      return [{ type: "event", event: "silence" }];
    }
    if (input.type === "message") this.#deadline = input.message === "quiet" ? null : now + Number(input.message);
    return [];
  }

  deadline(): number | null {
    return this.#deadline;
  }
}

/** An idler on a clock that counts the timers set. */
function makeIdler() {
  const clock = new VirtualClock();
  const log: number[] = [];
  const counted = {
    set: 0,
    now: () => clock.now(),
    at: (when: number, run: () => void) => (counted.set++, clock.at(when, run)),
  };
  const machine = new Idler();
  const driven = drive(machine, { clock: counted, send: () => {}, onEvent: () => log.push(clock.now()) });
  return {
    clock,
    log,
    counted,
    machine,
    wait: (ms: number | "quiet") => driven.input({ type: "message", message: `${ms}` }),
    driven,
  };
}

test("a deadline that moves on costs no new timer until the old one fires, and is reached at its time", () => {
  const { clock, log, counted, wait } = makeIdler();
  for (let i = 0; i < 100; i++, clock.advance(1)) {
    wait(200);
    wait(200);
  }
  assertEquals(counted.set, 1);
  clock.advanceTo(298);
  assertEquals([log, counted.set], [[], 2]);
  clock.advance(1);
  assertEquals([log, clock.next()], [[299], null]);
});

test("a deadline that moves nearer is reached at its new time, once", () => {
  const { clock, log, wait } = makeIdler();
  wait(1000);
  clock.advance(100);
  wait(50);
  clock.advance(49);
  assertEquals(log, []);
  clock.advance(2000);
  assertEquals([log, clock.next()], [[150], null]);
});

test("a deadline that moves nearer, then on again, is reached at the last", () => {
  const { clock, log, wait } = makeIdler();
  for (const ms of [1000, 50, 3000]) wait(ms);
  clock.advance(2999);
  assertEquals(log, []);
  clock.advance(1);
  assertEquals([log, clock.next()], [[3000], null]);
});

test("a deadline given up and wanted again is reached at its time; the timer of the first is gone", () => {
  const { clock, log, wait } = makeIdler();
  wait(100);
  wait("quiet");
  assertEquals(clock.next(), null);
  clock.advance(90);
  wait(100);
  clock.advance(99);
  assertEquals(log, []);
  clock.advance(1);
  assertEquals(log, [190]);
});

test("a timer that looks again does not step the machine, and one for now or the past fires at once", () => {
  const { clock, log, wait } = makeIdler();
  wait(100);
  clock.advance(50);
  wait(100);
  clock.advance(50);
  assertEquals([log, clock.next()], [[], 150]);
  clock.advance(50);
  wait(0);
  assertEquals(log, [150]);
  clock.advance(0);
  wait(-5);
  clock.advance(0);
  assertEquals([log, clock.next()], [[150, 150, 150], null]);
});

test("a machine that closes leaves no timer, though its deadline has moved on since that was set", async () => {
  const { clock, wait, driven } = makeIdler();
  wait(100);
  wait(500);
  assertEquals(clock.next(), 100);
  const closing = drive<string, never, never>({
    step: (input) => input.type === "message" ? [{ type: "close" }] : [],
    deadline: () => clock.now() + 100,
  }, { clock, send: () => {} });
  closing.input({ type: "message", message: "" });
  assertEquals(await closing.finished, undefined);
  driven.input({ type: "message", message: "quiet" });
  assertEquals(clock.next(), null);
});
