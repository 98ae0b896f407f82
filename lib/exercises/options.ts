// Options as data: one table entry says how an option is parsed, shown in help, completed and read from the environment.

/** What a value is and how it is written. Durations become milliseconds, sizes bytes; of `milliseconds` a bare number counts these, not seconds. */
export type OptionType = "flag" | "string" | "number" | "duration" | "milliseconds" | "size";

/** One option of a command or an exercise. */
export interface OptionSpec {
  /** Without the dashes: `max-clients`. The environment variable is `NETLAB_MAX_CLIENTS`. */
  readonly name: string;
  readonly type: OptionType;
  readonly summary: string;
  /** How the value is called in help. `DIR…` and `FILE…` are completed as one, in `NAME|FILE`, too. */
  readonly value?: string;
  readonly default?: string | number | boolean;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  /** Values that completion offers, where they have to be loaded; whoever uses the value says which are allowed. */
  candidates?(): Promise<readonly string[]>;
  /** The value when the option stands alone (`--trace`); it takes one of its choices, and any other only after `=`. */
  readonly bare?: string;
  /** With `bare`: a next word that ends so is its value all the same. */
  readonly suffix?: string;
  /** It may be said several times: its value is all of them, a line each. */
  readonly repeats?: boolean;
  /** An empty text is a value, too. */
  readonly empty?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** What is to be written in place of a value that is none; null where nobody knows. */
  meant?(text: string): string | null;
}

/** Parsed values by name; absent where neither given nor defaulted. */
export type OptionValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** `1500 ms` as `1.5s`, `7200000` as `2h`: the form that `--idle` takes. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [["h", 3_600_000], ["m", 60_000], ["s", 1000]] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`;
}

/** `1048576` as `1M`: the form that sizes take. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [["G", 2 ** 30], ["M", 2 ** 20], ["k", 2 ** 10]] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
