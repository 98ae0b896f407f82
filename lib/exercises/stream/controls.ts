// Pause and seek while a stream plays: single keys on a terminal, lines of a script elsewhere.

import type { Console } from "../exercise.ts";
import { CONTROL_KEYS, CONTROL_LINES } from "./defaults.ts";
import type { Action } from "./protocol.ts";
import type { ReceiveCommand, ReceiverMachine } from "./receiver_machine.ts";

/** How far an arrow key goes, in ms. */
const STEPS: Readonly<Record<string, number>> = { left: -10_000, right: 10_000, down: -60_000, up: 60_000 };

/** Whoever is at the console. */
export class Controls {
  readonly #console: Console;
  readonly #machine: ReceiverMachine;
  readonly #send: (command: ReceiveCommand) => void;
  /** Whether the last word was to pause. */
  #paused = false;

  constructor(console: Console, machine: ReceiverMachine, send: (command: ReceiveCommand) => void) {
    this.#console = console;
    this.#machine = machine;
    this.#send = send;
  }

  /** Obeys until the console ends. */
  async run(): Promise<void> {
    if (this.#console.keys) {
      this.#console.note(CONTROL_KEYS);
      for await (const key of this.#console.keys()) this.#press(key);
    } else {
      for await (const line of this.#console.lines()) this.#obey(line.trim());
      if (this.#paused) this.#control("resume"); // nobody else will
    }
  }

  #press(key: string): void {
    const step = STEPS[key];
    if (key === "space") this.#control(this.#paused ? "resume" : "pause");
    else if (step !== undefined) this.#control("seek", this.#machine.positionMs + step);
    else if (key === "q" || key === "escape") this.#send({ type: "leave" });
  }

  #obey(line: string): void {
    const [word, value, ...more] = line.toLowerCase().split(/\s+/);
    const seconds = Number(value);
    if (word === "") return;
    if (word === "quit") this.#send({ type: "leave" });
    else if (word === "seek" && value !== undefined && seconds >= 0 && more.length === 0) {
      this.#control("seek", 1000 * seconds);
    } else if ((word === "pause" || word === "resume") && value === undefined) this.#control(word);
    else this.#console.note(`not a command: ${line} (${CONTROL_LINES})`);
  }

  #control(action: Action, positionMs = 0): void {
    if (action !== "seek") this.#paused = action === "pause";
    this.#send({ type: "control", action, positionMs: Math.min(Math.max(0, positionMs), 0xffff_fffe) });
  }
}
