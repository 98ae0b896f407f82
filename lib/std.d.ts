// Types of the standard-library functions that netlab uses. The npm package behind the `@std/*` names (see deno.json)
// carries no types of its own. Declared here is just what is imported; when the names are mapped to JSR instead, this
// file and its mention in deno.json go.

declare module "@std/assert" {
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  // deno-lint-ignore no-explicit-any
  type ErrorClass<E> = abstract new (...args: any[]) => E;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function assertInstanceOf<T>(actual: unknown, expectedType: ErrorClass<T>, msg?: string): asserts actual is T;
  export function fail(msg?: string): never;
}

declare module "@std/cli/parse-args" {
  /** `_` holds the positional arguments; every other key an option: strings as given, booleans as such. */
  export interface ParsedArgs {
    _: (string | number)[];
    [name: string]: unknown;
  }
  export function parseArgs(args: string[], options?: {
    string?: readonly string[];
    boolean?: readonly string[];
    collect?: readonly string[];
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }): ParsedArgs;
}

declare module "@std/fmt/bytes" {
  export function format(
    bytes: number,
    options?: { binary?: boolean; bits?: boolean; maximumFractionDigits?: number },
  ): string;
}

declare module "@std/fmt/colors" {
  export function setColorEnabled(value: boolean): void;
  export function getColorEnabled(): boolean;
  export function bold(text: string): string;
  export function dim(text: string): string;
  export function red(text: string): string;
  export function green(text: string): string;
  export function yellow(text: string): string;
  export function cyan(text: string): string;
  export function stripAnsiCode(text: string): string;
}

declare module "@std/fmt/duration" {
  export function format(ms: number, options?: { style?: "narrow" | "full" | "digital"; ignoreZero?: boolean }): string;
}

declare module "@std/streams" {
  export class DelimiterStream extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
    constructor(delimiter: Uint8Array, options?: { disposition?: "suffix" | "prefix" | "discard" });
  }
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
  export function toText(stream: ReadableStream): Promise<string>;
}

declare module "@std/text/closest-string" {
  export function closestString(givenWord: string, possibleWords: readonly string[]): string;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(a: string, b: string): number;
}
