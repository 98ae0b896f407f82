// What one end was sent, in order, and what is expected of it.

import type { Expectation } from "../exercises/check.ts";
import { outlasts } from "../net/clock.ts";
import { escapeText } from "../protocol/text.ts";

/** How an expectation was not met: by nothing, by an end, by something else, or by what must not be. */
export type UnmetKind = "silence" | "end" | "other" | "forbidden";

/** A failed expectation. Its message says what came instead. */
export class Unmet extends Error {
  readonly kind: UnmetKind;
  /** What came in place of it, as far as it is text. */
  readonly got: readonly string[];
  /** Why, where that is known, and not what it usually comes of: a sentence for the student. */
  readonly why?: string;

  constructor(kind: UnmetKind, message: string, got: readonly string[] = [], why?: string) {
    super(message);
    this.kind = kind;
    this.got = got;
    this.why = why;
  }
}

/** Texts as they come, each looked at once; what nobody expects is passed over. */
export class Inbox {
  readonly #fill: (template: string) => string;
  readonly #fragment: () => string | null;
  readonly #greetings: Set<string>;
  /** Nothing has been looked at yet: what comes first may be a greeting. */
  #opening = true;
  /** What came first, where it was not what was waited for. */
  #greeting: string | null = null;
  readonly #waiting: { readonly text: string; readonly aside: boolean }[] = [];
  /** How many of them had come when something was said last: they are no answer to it. */
  #early = 0;
  /** What has come of texts that are not complete yet, by the stream that they come from. */
  readonly #unfinished = new Map<number, string>();
  /** What nothing may match until the next expectation is met. */
  #forbidden: Expectation[] = [];
  #ended: string | null = null;
  #changed: () => void = () => {};

  /**
   * @param fill replaces `$names`
   * @param fragment what has come, controls written out, where nothing of it became a text; null for nothing
   * @param greetings what came first to others, and was not what they had asked for: late as it may come, it is no answer
   */
  constructor(
    fill: (template: string) => string,
    fragment: () => string | null = () => null,
    greetings: Set<string> = new Set(),
  ) {
    this.#fill = fill;
    this.#fragment = fragment;
    this.#greetings = greetings;
  }

  /** Why nothing more comes, in a clause (`the connection ended (end of stream)`), or null. */
  get ended(): string | null {
    return this.#ended;
  }

  push(texts: readonly string[]): void {
    this.#add(texts, false);
  }

  /** What is said besides, as in a log: it may be what is expected, and may be what is forbidden, too. */
  pushAside(texts: readonly string[]): void {
    this.#add(texts, true);
  }

  /** Says what there is of the next text of a stream, in place of what was said before: a prompt has no end of line. */
  setUnfinished(text: string, stream: number): void {
    this.#unfinished.delete(stream); // what has changed last stands last
    if (text === "") return;
    this.#unfinished.set(stream, text);
    this.#changed();
  }

  end(reason: string): void {
    this.#ended ??= reason;
    this.#changed();
  }

  /** Something is said now, so that an answer to it comes from now on. */
  ask(): void {
    this.#early = this.#waiting.length;
  }

  forbid(what: Expectation): void {
    this.#forbidden.push(what);
  }

  /** @returns the text that matches, or none where the end is as good @throws {Unmet} when none comes in time */
  async expect(what: Expectation, usualMs: number): Promise<string> {
    const passedOver: string[] = [];
    const timeoutMs = usualMs + (what.extraMs ?? 0);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const met = this.#next(what, passedOver);
      if (met !== null) return met;
      for (const [stream, text] of this.#unfinished) {
        if (!this.#meets(text, what)) continue;
        this.#unfinished.delete(stream);
        return text;
      }
      if (this.#ended !== null && what.orEnd) return "";
      const got = [...passedOver, ...this.#unfinished.values()];
      // Bytes that become no text wake nobody: what there is of them is looked at when the waiting is over.
      const said = () => `it got ${got.length > 0 ? listTexts(got) : this.#nothing}`;
      if (this.#ended !== null) {
        throw new Unmet("end", `${said()}, and then ${this.#ended}`, got);
      }
      if (!await this.#changes(deadline)) {
        throw new Unmet(got.length > 0 ? "other" : "silence", `${said()} in ${timeoutMs} ms`, got);
      }
    }
  }

  /** Whether the end comes in time. */
  async endsWithin(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.#ended === null) if (!await this.#changes(deadline)) return false;
    return true;
  }

  /** Nothing is forbidden from now on. @throws {Unmet} when what was forbidden has come */
  checkAll(): void {
    for (const { text, aside } of this.#waiting) if (!aside) this.#checkForbidden(text);
    this.#forbidden = [];
  }

  /** All that has come and was not looked at, joined to one text that has to match. @throws {Unmet} */
  checkRest(what: Expectation, joint: string): void {
    const got = this.#waiting.splice(0).map(({ text }) => text);
    this.#early = 0;
    const text = got.join(joint);
    this.#checkForbidden(text);
    if (what.matches(text, this.#fill)) return;
    throw new Unmet("other", `it got ${text === "" ? this.#nothing : quote(text)}`, got);
  }

  /** What there is where there is no text. */
  get #nothing(): string {
    const fragment = this.#fragment();
    return fragment === null ? "nothing" : `no whole message, but "${shorten(fragment)}"`;
  }

  #add(texts: readonly string[], aside: boolean): void {
    for (const text of texts) this.#waiting.push({ text, aside });
    this.#changed();
  }

  /** The first text that matches, or null; what came before it is passed over. */
  #next(what: Expectation, passedOver: string[]): string | null {
    let looked = 0;
    try {
      for (const { text, aside } of this.#waiting) {
        looked++;
        const isEarly = this.#early > 0;
        if (isEarly) this.#early--;
        const isGreeting = this.#opening && this.#greetings.has(text);
        if (!aside) this.#checkForbidden(text);
        if (!((isEarly || isGreeting) && what.answers) && this.#meets(text, what)) {
          this.#opening = false;
          if (this.#greeting !== null) this.#greetings.add(this.#greeting);
          return text;
        }
        if (this.#opening) this.#greeting = text;
        this.#opening = false;
        passedOver.push(text);
      }
      return null;
    } finally {
      this.#waiting.splice(0, looked); // at once: there may be a million, and each would move the others
    }
  }

  #meets(text: string, what: Expectation): boolean {
    if (!what.matches(text, this.#fill)) return false;
    this.#forbidden = [];
    return true;
  }

  #checkForbidden(text: string): void {
    const broken = this.#forbidden.find((forbidden) => forbidden.matches(text, this.#fill));
    if (broken) throw new Unmet("forbidden", `it got ${this.#fill(broken.what)}: ${quote(text)}`, [text]);
  }

  /** Whether something new comes before the deadline. */
  async #changes(deadline: number): Promise<boolean> {
    const left = deadline - performance.now();
    return left > 0 && !await outlasts(new Promise<void>((resolve) => (this.#changed = resolve)), left);
  }
}

/** Texts in a line: those that repeat are counted, and of many only the first and the last are shown. */
function listTexts(texts: readonly string[]): string {
  const runs: { readonly text: string; count: number }[] = [];
  for (const text of texts) {
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  const shown = runs.map(({ text, count }) => count === 1 ? quote(text) : `${quote(text)} ${count} times`);
  return (shown.length <= 8 ? shown : [...shown.slice(0, 4), `… ${shown.length - 8} more …`, ...shown.slice(-4)])
    .join(", ");
}

function quote(text: string): string {
  return `"${escapeText(shorten(text))}"`;
}

const shorten = (text: string) => text.length > 120 ? `${text.slice(0, 120)}…` : text;
