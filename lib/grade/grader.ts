// Grades: plays each check, first in the plainest way and then in every other, and makes a report of it.

import type { Check } from "../exercises/check.ts";
import type { Transport } from "../exercises/exercise.ts";
import type { Spelling } from "../exercises/notation.ts";
import { crc32 } from "../protocol/crc32.ts";
import { Random } from "../protocol/random.ts";
import { encodeText } from "../protocol/text.ts";
import { TraceBus } from "../trace/bus.ts";
import type { ClientUnderTest } from "./client_under_test.ts";
import { chooseDelivery, type Delivery, describeDelivery, type Way, WHOLE } from "./delivery.ts";
import { diagnose, firstDifference } from "./diagnose.ts";
import { Ladder } from "./ladder.ts";
import { stopIfInterrupted } from "./leftovers.ts";
import { type Break, letters, play, type Played } from "./play.ts";
import { isGoodEnd } from "./program.ts";
import type { Failure, GradedCheck, Outcome, Report } from "./report.ts";
import type { ServerUnderTest } from "./server_under_test.ts";
import type { StageOptions } from "./stage.ts";

/** What is judged. */
export type Target =
  | { readonly kind: "server"; readonly server: ServerUnderTest }
  /** `port`: where it calls; 0 for any. */
  | { readonly kind: "client"; readonly client: ClientUnderTest; readonly port: number };

/** How to grade. */
export interface GradeOptions {
  readonly exercise: string;
  readonly target: Target;
  /** Those that count, in order, each behind those that it needs. */
  readonly checks: readonly Check[];
  /** Those of `checks` that are only played because others need them. */
  readonly auxiliary?: ReadonlySet<Check>;
  readonly transport: Transport;
  readonly wire: string;
  readonly spelling: Spelling;
  /** How else than whole to deliver what netlab says. */
  readonly ways: readonly Way[];
  readonly seed: number;
  /** How long an expectation may take, until a client under test has started, and the whole run, in ms. */
  readonly timeoutMs: number;
  readonly startMs: number;
  readonly limitMs: number;
  /** Stops at the first check that does not pass. */
  readonly failFast?: boolean;
  /** The command that runs just this check in that way again. */
  again(check: Check, way: Way, seed: number): string;
  onResult?(result: GradedCheck): void;
}

/** The share of a check's points that the plainest way is worth, where there are others. */
const WHOLE_SHARE = 0.5;

export async function grade(options: GradeOptions): Promise<Report> {
  const startedAt = Date.now();
  const begun = performance.now();
  const grader = new Grader(options, begun + options.limitMs);
  const results: GradedCheck[] = [];
  try {
    for (const check of options.checks) {
      const result = await grader.check(check);
      if (options.auxiliary?.has(check)) {
        grader.keepUntold(result);
        continue;
      }
      results.push(result);
      options.onResult?.(result);
    }
  } finally {
    await grader.stop();
  }
  const { exercise, target, transport, wire, seed } = options;
  return {
    ...{ exercise, kind: target.kind, transport, wire, seed, startedAt, checks: results },
    target: target.kind === "server" ? target.server.name : target.client.name,
    durationMs: performance.now() - begun,
    points: sum(results.map(({ points }) => points)),
    maxPoints: sum(results.map(({ maxPoints }) => maxPoints)),
    notes: target.kind === "server" ? target.server.notes : [],
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

class Grader {
  readonly #options: GradeOptions;
  readonly #deadline: number;
  /** In which ways each check has failed; empty when it has passed in all. A check that has not been played is not in it. */
  readonly #failed = new Map<string, ReadonlySet<Way>>();
  /** Why those are not run that need one that did not pass, and is not in the report. */
  readonly #untold = new Map<string, string>();
  readonly #headBytes: number;
  readonly #greetings = new Set<string>();
  #plays = 0;
  #over: string | null = null;
  /** The last play failed, so that nobody knows what state the server is in. */
  #suspect = false;

  constructor(options: GradeOptions, deadline: number) {
    this.#options = options;
    this.#deadline = deadline;
    this.#headBytes = options.spelling.makeFramer().headBytes;
  }

  async check(check: Check): Promise<GradedCheck> {
    const begun = performance.now();
    const idle = this.#whyNot(check);
    if (idle !== null) return this.#result(check, "not run", begun, { because: idle });
    const { transport, wire } = this.#options;
    const deliveries = this.#deliveries(check);
    const ways = new Map<Way, boolean>();
    const failures: Omit<Failure, "causes">[] = [];
    const breaks: { way: Way; broken: Break }[] = [];
    for (const delivery of deliveries) {
      if (ways.get("whole") === false || this.#isOver()) break;
      if (this.#failsAs(check, delivery.way) !== undefined) {
        ways.set(delivery.way, false);
        continue;
      }
      const ladder = new Ladder();
      const { broken, ...played } = await this.#play(check, delivery, ladder);
      stopIfInterrupted(); // that a program was ended is no result of its own
      ways.set(delivery.way, broken === null);
      if (broken === null) continue;
      breaks.push({ way: delivery.way, broken });
      failures.push(this.#describe(check, delivery, played, broken, ladder));
    }
    const whole = ways.get("whole") === true;
    this.#failed.set(check.name, new Set(deliveries.map(({ way }) => way).filter((way) => !ways.get(way))));
    const passed = [...ways.values()].filter((one) => one).length;
    const complete = passed === deliveries.length;
    if (!complete && this.#options.failFast) this.#over ??= "stopped at the first failure";
    const others = deliveries.length - 1;
    const share = !whole ? 0 : others === 0 ? 1 : WHOLE_SHARE + (1 - WHOLE_SHARE) * (passed - 1) / others;
    return this.#result(check, complete ? "passed" : whole ? "partly" : "failed", begun, {
      share,
      ways: deliveries.filter(({ way }) => ways.has(way)).map((delivery) => ({
        way: describeDelivery(delivery),
        passed: ways.get(delivery.way)!,
        as: this.#failsAs(check, delivery.way),
      })),
      ...(ways.size < deliveries.length && failures.length === 0 ? { because: this.#over! } : {}),
      failure: failures.length === 0 ? undefined : {
        ...failures[0],
        causes: diagnose({ check, ways, transport, wire, ...breaks[0] }),
      },
    });
  }

  /** Has the checks that need this one say why it did not pass, since nothing else does. */
  keepUntold({ name, failure, because }: GradedCheck): void {
    const why = failure === undefined ? because : `it needs: ${name}, which failed: ${failure.got}`;
    if (why !== undefined) this.#untold.set(name, why);
  }

  async stop(): Promise<void> {
    const { target } = this.#options;
    if (target.kind === "server") await target.server.stop();
  }

  /** Plays it, and has the server anew when the last play may have broken it. */
  async #play(check: Check, delivery: Delivery, ladder: Ladder): Promise<Played> {
    const { spelling, startMs, target, timeoutMs, transport } = this.#options;
    const bus = new TraceBus();
    bus.attach(ladder);
    const stage: StageOptions = {
      ...(target.kind === "server"
        ? {
          dial: () => target.server.dial(),
          terminal: () => target.server.terminal,
          death: () => target.server.death,
        }
        : { client: { program: target.client, transport, port: target.port } }),
      makeFramer: () => spelling.makeFramer(),
      codec: spelling.codec,
      delivery,
      timeoutMs,
      startMs,
      nameSuffix: letters(this.#plays++),
      greetings: this.#greetings,
      trace: bus,
    };
    if (target.kind === "server") {
      const afresh = check.afresh === true || check.afresh === transport;
      if (this.#suspect || (afresh && this.#plays > 1)) await target.server.fresh();
      target.server.begin(afresh);
    }
    let played = await play(check, stage);
    if (target.kind === "server") {
      const { broken } = played;
      // One that ends by itself is found out at the first check: whom it takes while it does so would be a matter of luck.
      if (broken?.kind === "end" || broken?.does === "expectRest" || this.#plays === 1) await target.server.settle();
      const { death, output } = target.server;
      played = { ...played, output };
      if (broken && death !== null) {
        const left = broken.got === undefined && broken.bytes === undefined;
        played = { ...played, broken: { ...broken, ...(isGoodEnd(death) ? { left } : { death }) } };
      }
    }
    this.#suspect = played.broken !== null;
    return played;
  }

  #describe(
    check: Check,
    delivery: Delivery,
    { done, output }: Omit<Played, "broken">,
    { step, kind, expected, accepts, because, bytes, exactly, got }: Break,
    ladder: Ladder,
  ): Omit<Failure, "causes"> {
    const difference = exactly !== undefined && got !== undefined
      ? { expected: exactly, got, at: firstDifference(exactly, got) }
      : undefined;
    return {
      ...{ way: describeDelivery(delivery), done, step, kind, expected, accepts, got: because, bytes, difference },
      ...{ ladder: ladder.draw(), output, again: this.#options.again(check, delivery.way, this.#options.seed) },
    };
  }

  /** The check that this one needs, and that fails in this way, so that this one has to. */
  #failsAs({ needs = [] }: Check, way: Way): string | undefined {
    return needs.find((name) => this.#failed.get(name)?.has(way));
  }

  /** How `check` is delivered, the plainest way first. */
  #deliveries(check: Check): Delivery[] {
    const { seed, ways, transport, spelling } = this.#options;
    // A check that is run alone has to be cut in the same places as among others.
    const random = new Random(seed + crc32(encodeText(check.name)));
    const cuts = transport === "tcp" && spelling.makeFramer().name !== "raw";
    return [
      WHOLE,
      ...ways.filter((way) => way !== "whole").map((way) => chooseDelivery(way, random, this.#headBytes))
        .filter(({ way }) => cuts && !floods(check) && (way !== "bytes" || !saysMuch(check)))
        .filter(({ way }) => way === "joined" ? sendsTwice(check) : sends(check)),
    ];
  }

  #isOver(): boolean {
    if (performance.now() > this.#deadline) this.#over ??= "out of time";
    return this.#over !== null;
  }

  #whyNot({ needs = [] }: Check): string | null {
    if (this.#isOver()) return this.#over;
    const missing = needs.find((name) => this.#failed.get(name)?.has("whole") ?? true);
    return missing === undefined ? null : this.#untold.get(missing) ?? `it needs: ${missing}`;
  }

  #result(
    { name, points }: Check,
    outcome: Outcome,
    begun: number,
    { share = 0, ways = [], ...rest }: Partial<GradedCheck> & { share?: number },
  ): GradedCheck {
    const durationMs = performance.now() - begun;
    return { name, points: points * share, maxPoints: points, outcome, durationMs, ways, ...rest };
  }
}

/** Whether netlab says all that somebody takes in it. */
const floods = ({ steps }: Check) => steps.some((step) => step.do === "flood");

/** More characters than so many take too long byte by byte. */
const MUCH = 1000;

/** Whether netlab says so much in it that it would take too long byte by byte. */
const saysMuch = ({ steps }: Check) =>
  sum(steps.map((step) => step.do === "send" ? step.text.length : step.do === "sendBytes" ? step.bytes.length : 0)) >
    MUCH;

/** Whether netlab says anything in it. */
const sends = ({ steps }: Check) =>
  steps.some((step) =>
    step.do === "send" || step.do === "eventually" || (step.do === "callUntilTaken" && step.text !== undefined)
  );

/** Whether it sends two messages one behind the other. */
const sendsTwice = ({ steps }: Check) =>
  steps.some((step, i) => {
    const next = steps[i + 1];
    return step.do === "send" && next?.do === "send" && step.who === next.who;
  });
