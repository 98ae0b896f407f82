// Two ends of lockstep chat joined through a link in virtual time, with a person at each: what holds on every link, and
// what holds where nothing is lost.

import { assert, assertEquals } from "@std/assert";
import { RESEND_MS, type TalkEvent, TalkMachine } from "../lib/exercises/talk/protocol.ts";
import { drive, type Driven } from "../lib/net/drive.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import type { Random } from "../lib/protocol/random.ts";
import { property } from "./helpers.ts";

/** What a link does to each message. */
interface Link {
  loss: number;
  duplicate: number;
  /** The longest way takes so long; with more than 0, messages overtake each other. */
  readonly maxDelayMs: number;
  /** False keeps the order, as TCP does. */
  readonly reorders: boolean;
}

/** A person at a machine: answers what is shown, after a while, and says the same again at silence. */
class Person {
  readonly machine: TalkMachine;
  readonly shown: string[] = [];
  /** What went out, sendings again included. */
  readonly sent: string[] = [];
  refused = 0;
  readonly #name: string;
  readonly #thinkMs: number;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  #driven!: Driven<string, string>;
  #count = 0;
  #last = "";

  constructor(name: string, thinkMs: number, resendMs: number | null, clock: VirtualClock, random: Random) {
    this.#name = name;
    this.#thinkMs = thinkMs;
    this.#clock = clock;
    this.#random = random;
    this.machine = new TalkMachine(resendMs);
  }

  join(send: (text: string) => void): void {
    this.#driven = drive(this.machine, {
      clock: this.#clock,
      send: (text) => {
        if (!text.startsWith("ERROR")) this.sent.push(text);
        send(text);
      },
      onEvent: (event) => this.#hear(event),
    });
  }

  receive(text: string): void {
    this.#driven.input({ type: "message", message: text });
  }

  /** Says something new. */
  speak(): void {
    this.#last = `${this.#name}${++this.#count}`;
    this.#type(this.#last);
  }

  #type(line: string): void {
    this.#driven.input({ type: "command", command: line });
  }

  #hear(event: TalkEvent): void {
    if (event.type === "message") {
      this.shown.push(event.text);
      this.#later(() => this.speak());
      // Some cannot wait for the answer, and are not let.
      if (this.#random.chance(0.2)) this.#later(() => this.machine.mayType || this.#type("well?"));
    } else if (event.type === "silence") {
      const seen = this.shown.length;
      this.#later(() => this.shown.length === seen && this.#type(this.#last));
    } else if (event.type === "refused") this.refused++;
  }

  #later(act: () => void): void {
    this.#clock.at(this.#clock.now() + this.#random.int(0, this.#thinkMs), act);
  }
}

/** Two persons at a link. */
function meet(random: Random, link: Link, thinkMs: number, resendMs: number | null) {
  const clock = new VirtualClock();
  const persons = ["a", "b"].map((name) => new Person(name, thinkMs, resendMs, clock, random));
  const arrivals = [0, 0];
  persons.forEach((person, i) =>
    person.join((text) => {
      for (let copies = random.chance(link.duplicate) ? 2 : 1; copies > 0; copies--) {
        if (random.chance(link.loss)) continue;
        const at = clock.now() + random.int(0, link.maxDelayMs);
        arrivals[i] = link.reorders ? at : Math.max(at, arrivals[i]);
        clock.at(arrivals[i], () => persons[1 - i].receive(text));
      }
    })
  );
  return { clock, persons };
}

property("on a link that loses, duplicates and reorders, nobody is locked and nothing is made up", 300, (random) => {
  const link: Link = { loss: random.next() * 0.6, duplicate: random.next() * 0.5, maxDelayMs: 500, reorders: true };
  const { clock, persons } = meet(random, link, random.pick([100, 3000, 3 * RESEND_MS]), RESEND_MS);
  persons[0].speak();
  if (random.chance(0.5)) persons[1].speak();
  const run = (steps: number) => {
    for (let i = 0; i < steps; i++) {
      const next = clock.next();
      assert(next !== null, "everything has come to rest, and nobody will ever speak again");
      clock.advanceTo(next);
      for (const { machine } of persons) {
        const deadline = machine.deadline();
        assert(machine.mayType || (deadline !== null && deadline <= clock.now() + RESEND_MS), "locked");
      }
    }
  };
  run(400);
  // When the link is good again, so is the conversation, at both ends.
  link.loss = 0;
  const before = persons.map(({ shown }) => shown.length);
  run(400);
  for (const [i, { shown }] of persons.entries()) {
    assert(shown.length >= before[i] + 5, `only ${shown.length - before[i]} messages were shown on a good link`);
    const sent = new Set(persons[1 - i].sent);
    assertEquals(shown.filter((text) => !sent.has(text)), []);
  }
});

property("on a link that loses nothing, every message is shown exactly once, in order", 300, (random) => {
  // Where the way takes time, somebody who sends again may cross the answer: then thinking must not take too long.
  const maxDelayMs = random.pick([0, 100]);
  const link: Link = { loss: 0, duplicate: 0, maxDelayMs, reorders: false };
  const tcp = random.chance(0.5);
  const slow = tcp;
  const { clock, persons } = meet(random, link, slow ? 3 * RESEND_MS : RESEND_MS / 2, tcp ? null : RESEND_MS);
  persons[0].speak();
  for (let i = 0; i < 300 && clock.next() !== null; i++) clock.advanceTo(clock.next()!);
  clock.advance(maxDelayMs);
  for (const [i, { shown, refused }] of persons.entries()) {
    assert(shown.length > 20, `${shown.length} were shown`);
    // Who sends again at silence may cross the answer, and is refused once: nothing is lost by it.
    if (tcp) assertEquals(refused, 0);
    // What was sent again at silence is the same as before.
    const said = persons[1 - i].sent.filter((text, at, all) => text !== all[at - 1]);
    assertEquals(said.slice(0, shown.length), shown);
    assert(said.length <= shown.length + 1);
  }
});

property("over TCP, where messages cross, each is shown once in order, or its sender is told", 300, (random) => {
  const link: Link = { loss: 0, duplicate: 0, maxDelayMs: 1000, reorders: false };
  const { clock, persons } = meet(random, link, random.pick([0, 500, 2000]), null);
  for (const person of persons) person.speak();
  for (let i = 0; i < 300; i++) {
    assert(clock.next() !== null, "both wait, and for ever");
    clock.advanceTo(clock.next()!);
  }
  for (const [i, { shown }] of persons.entries()) {
    const other = persons[1 - i];
    assert(shown.length > 5);
    assertEquals(shown, other.sent.filter((text) => shown.includes(text)));
    const missing = other.sent.length - shown.length - other.refused;
    assert(missing >= 0 && missing <= 1, `${missing} neither shown nor refused`);
  }
});
