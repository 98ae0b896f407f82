// Accepting callers where the system makes trouble: what is tried again and when, what is said of it, and who is told. The
// sockets are fakes, and the time virtual; a real limit of open files is in net_server_limits_test.ts.

import { assertEquals } from "@std/assert";
import { type AcceptorEvents, TcpAcceptor } from "../lib/net/acceptor.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { settle, test, within } from "./helpers.ts";

const CALLER = "a caller";
/** One that comes when files have become free, though there was none before. */
const LATER = "a caller, later";
const ODD = new Error("Odd (os error 99)");
const GONE = new Deno.errors.ConnectionAborted("gone");
const OUT_OF_FILES = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });

/** What the system answers to an accept. */
type Answer = typeof CALLER | typeof LATER | Error;

/** A port, and whoever calls it. */
class Door implements AcceptorEvents {
  readonly clock = new VirtualClock();
  /** How many times there will be no file to hold back. */
  noFile = 0;
  /** Settles when the one who is told with the last file has gone. */
  told: Promise<void> = Promise.resolve();
  /** What comes of it, with the time in ms. */
  #seen: string[] = [];
  readonly #answers: Answer[] = [];
  #come = () => {};

  /** In place of `Deno.listen`. */
  readonly listen = () => {
    if (this.noFile > 0) {
      this.noFile--;
      throw OUT_OF_FILES;
    }
    const { promise: closed, reject } = Promise.withResolvers<never>();
    closed.catch(() => {});
    let isOut = false;
    const accept = async () => {
      while (this.#answers.length === 0) {
        await Promise.race([closed, new Promise<void>((resolve) => (this.#come = resolve))]);
      }
      const answer = this.#answers.shift()!;
      if (answer === CALLER && isOut) this.noFile++; // it has the last one
      isOut = answer === OUT_OF_FILES;
      if (answer instanceof Error) throw answer;
      return {
        setNoDelay: (on: boolean) => this.#see(`no delay: ${on}`),
        setKeepAlive: (on: boolean) => this.#see(`keep alive: ${on}`),
      };
    };
    return { addr: { transport: "tcp", hostname: "127.0.0.1", port: 7777 }, accept, close: () => reject(GONE) };
  };

  onConn(): void {
    this.#see("accepted");
  }

  onLastFile(): Promise<void> {
    this.#see("told");
    return this.told;
  }

  onWarning(what: string, hint: string): void {
    this.#see(`${what}: ${hint}`);
  }

  #see(what: string): void {
    this.#seen.push(`${this.clock.now()} ${what}`);
  }

  /** Has the system answer so, and lets so much time pass as there is something to wait for. @returns what comes of it */
  async take(...answers: Answer[]): Promise<string[]> {
    this.#seen = [];
    this.#answers.push(...answers);
    this.#come();
    for (;;) {
      await settle();
      const next = this.clock.next();
      if (next === null) return this.#seen.filter((what) => !/ (no delay|keep alive): true$/.test(what));
      this.clock.advanceTo(next);
    }
  }

  /** The same, and everything that is done to a caller; no time passes. */
  async takeAtOnce(...answers: Answer[]): Promise<string[]> {
    this.#seen = [];
    this.#answers.push(...answers);
    this.#come();
    await settle();
    return this.#seen;
  }
}

/** Runs `fn` with a door, and closes it. */
async function withDoor(fn: (door: Door) => Promise<void>): Promise<void> {
  const { listen } = Deno;
  const door = new Door();
  Deno.listen = door.listen as unknown as typeof Deno.listen;
  try {
    const acceptor = new TcpAcceptor("127.0.0.1", 7777, door.clock);
    const running = acceptor.run(door);
    await fn(door);
    acceptor.close();
    await within(running, "the end of accepting");
    assertEquals(door.clock.next(), null); // no timer is left
  } finally {
    Deno.listen = listen;
  }
}

const AGAIN = "cannot accept callers: odd: it is tried again and again";
const RAISE = "too many open files: raise the limit with ulimit -n";

test("who is accepted gets messages at once, and is noticed when gone without a word", () =>
  withDoor(async (door) => {
    assertEquals(await door.takeAtOnce(CALLER), ["0 keep alive: true", "0 no delay: true", "0 accepted"]);
  }));

test("an accept that fails is tried again, later each time up to a second, and that is said once", () =>
  withDoor(async (door) => {
    assertEquals(await door.take(...Array(10).fill(ODD), CALLER), [`0 ${AGAIN}`, "3275 accepted"]);
    // Somebody has come: what happens now is new.
    assertEquals(await door.take(ODD, ODD, CALLER), [`3275 ${AGAIN}`, "3290 accepted"]);
  }));

test("a caller that is gone before it is accepted is no reason to wait, nor to say anything", () =>
  withDoor(async (door) => {
    assertEquals(await door.take(GONE, CALLER, GONE, GONE, CALLER), ["0 accepted", "0 accepted"]);
  }));

test("with no open file left the caller is told with the last one, which is then held back again", () =>
  withDoor(async (door) => {
    assertEquals(await door.take(OUT_OF_FILES, CALLER, OUT_OF_FILES, CALLER, CALLER), [
      ...[`0 ${RAISE}`, "0 told", "0 told", "0 accepted"],
    ]);
    assertEquals(await door.take(OUT_OF_FILES, GONE, CALLER), [`0 ${RAISE}`, "0 accepted"]);
  }));

test("a caller that comes when there are open files again is let in, though there was none before", () =>
  withDoor(async (door) => {
    assertEquals(await door.take(OUT_OF_FILES, LATER, CALLER), [`0 ${RAISE}`, "0 accepted", "0 accepted"]);
    assertEquals(await door.take(OUT_OF_FILES, CALLER), [`0 ${RAISE}`, "0 told"]);
  }));

test("until there is a file to hold back again, nobody is accepted", () =>
  withDoor(async (door) => {
    door.noFile = 4;
    assertEquals(await door.take(OUT_OF_FILES, CALLER, CALLER), [`0 ${RAISE}`, "0 told", "75 accepted"]);
    door.noFile = 1;
    assertEquals(await door.take(OUT_OF_FILES, CALLER, CALLER), [`75 ${RAISE}`, "75 told", "80 accepted"]);
  }));

test("while one is told with the last file, nobody is accepted", () =>
  withDoor(async (door) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    door.told = promise;
    assertEquals((await door.takeAtOnce(OUT_OF_FILES, CALLER, CALLER)).at(-1), "0 told");
    resolve();
    assertEquals(await door.take(), ["0 accepted"]);
  }));

test("a close ends the wait for better times", () =>
  withDoor(async (door) => {
    assertEquals(await door.takeAtOnce(ODD), [`0 ${AGAIN}`]);
  }));

test("a close ends the wait for a file, too", () =>
  withDoor(async (door) => {
    door.noFile = Infinity;
    assertEquals((await door.takeAtOnce(OUT_OF_FILES, CALLER)).at(-1), "0 told");
  }));
