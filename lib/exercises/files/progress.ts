// What is shown while files come.

import { format as formatBytes } from "@std/fmt/bytes";
import type { Console } from "../exercise.ts";

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
    const rate = formatSize(this.#bytes / Math.max(1e-3, (now - this.#begun) / 1000));
    this.#console.status(
      `${[...this.#files.keys()].join(", ")}  ${rate}/s`,
      sum(({ came }) => came) / sum(({ size }) => size),
    );
  }
}

/** A size for people. */
export function formatSize(bytes: number): string {
  return formatBytes(bytes, { maximumFractionDigits: 1 });
}
