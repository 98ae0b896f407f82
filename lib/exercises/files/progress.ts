// What is shown while files come, and when they are here.

import { format as formatBytes } from "@std/fmt/bytes";
import { count } from "../../protocol/text.ts";
import type { Console } from "../exercise.ts";
import type { Target } from "./targets.ts";

/** How often, in ms. */
const PROGRESS_MS = 100;

/** One line about all files that are under way. */
export class Progress {
  readonly #console: Console;
  readonly #begun = performance.now();
  readonly #files = new Map<string, { came: number; readonly size: number }>();
  #bytes = 0;
  #shownAt = -Infinity; // the first bytes show at once, however young the process is

  constructor(console: Console) {
    this.#console = console;
  }

  /** @param size Infinity where nobody knows it */
  begin(name: string, size: number) {
    const file = { came: 0, size };
    this.#files.set(name, file);
    return {
      add: (bytes: number) => {
        file.came += bytes;
        this.#bytes += bytes;
        this.#show();
      },
      end: () => void this.#files.delete(name),
    };
  }

  stop(): void {
    this.#console.status(null);
  }

  #show(): void {
    const now = performance.now();
    if (now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    const files = [...this.#files.values()];
    const sum = (pick: (file: { came: number; size: number }) => number) =>
      files.reduce((n, file) => n + pick(file), 0);
    const size = sum(({ size }) => size);
    const rate = formatBytes(this.#bytes / Math.max(1e-3, (now - this.#begun) / 1000));
    this.#console.status(
      `${[...this.#files.keys()].join(", ")}  ${rate}/s`,
      size < Infinity ? sum(({ came }) => came) / size : undefined,
    );
  }
}

/** Says how a file was had. */
export class Receipt {
  readonly #begun = performance.now();

  constructor(readonly console: Console, readonly target: Target, readonly name: string) {}

  got(bytes: number, how: string): void {
    const seconds = this.#seconds;
    const rate = formatBytes(bytes / Math.max(seconds, 1e-3));
    const text = `got ${this.name}: ${count(bytes, "byte")}, ${seconds.toFixed(2)} s, ${rate}/s, ${how}`;
    this.#print(text, { bytes, size: this.target.size });
  }

  present(): void {
    this.#print(`${this.name}: it is here already, and the same`, {
      bytes: 0,
      size: Deno.statSync(this.target.path).size,
    });
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  #print(text: string, counts: { readonly bytes: number; readonly size: number }): void {
    const { console, name, target: { path } } = this;
    if (path === "-") console.note(text);
    else console.print(text, { event: "got", name, ...counts, seconds: this.#seconds, path });
  }
}
