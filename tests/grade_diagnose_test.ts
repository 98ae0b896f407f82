// Which cause is named for which symptoms, and in which order: the first is what a report begins with.

import { assertEquals } from "@std/assert";
import { CAUSES } from "../lib/exercises/causes.ts";
import type { Check } from "../lib/exercises/check.ts";
import type { Way } from "../lib/grade/delivery.ts";
import { diagnose, firstDifference, type Symptoms } from "../lib/grade/diagnose.ts";
import { test } from "./helpers.ts";

const USUAL = "what usually goes wrong";
const needed: Partial<Check> = { needs: ["another"] };

type Changes = Partial<Omit<Symptoms, "check" | "broken" | "ways">> & {
  readonly check?: Partial<Check>;
  readonly broken?: Partial<Symptoms["broken"]>;
};

/** What is said of a check that fails in these ways, or whole; the others that are said have passed. */
function causesOf(ways: Partial<Record<Way, boolean>>, { check, broken, ...more }: Changes = {}): string[] {
  return diagnose({
    ways: new Map(Object.entries(ways) as [Way, boolean][]),
    way: (Object.keys(ways) as Way[]).find((way) => !ways[way])!,
    check: { name: "it answers", points: 1, steps: [], cause: USUAL, ...check },
    broken: { step: "alice gets an answer", does: "expect", because: "it got another", kind: "other", ...broken },
    ...{ transport: "tcp", wire: "line" },
    ...more,
  });
}

const whole = (changes: Changes) => causesOf({ whole: false }, changes);

test("what fails only where messages are cut is told how it reads", () => {
  assertEquals(causesOf({ whole: true, bytes: false }), [CAUSES.oneRecv]);
  assertEquals(causesOf({ whole: true, bytes: true, split: false, joined: true }), [CAUSES.oneRecv]);
  assertEquals(causesOf({ whole: true, bytes: true, split: true, joined: false }), [CAUSES.joined]);
  // Both pieces may have come at once.
  assertEquals(causesOf({ whole: true, bytes: true, split: false, joined: false }), [CAUSES.joined]);
  assertEquals(causesOf({ whole: true, bytes: false, split: false, joined: false }), [CAUSES.oneRecv]);
  const death = "ended with status 1";
  const ended = `${CAUSES.ended} (it ${death})`;
  assertEquals(causesOf({ whole: true, joined: false }, { broken: { death } }), [CAUSES.joined, ended]);
  // Where single bytes are known to do no harm, it is how they become text.
  for (const cause of [CAUSES.text, CAUSES.characters]) {
    const check = { cause, ...needed };
    assertEquals(causesOf({ whole: true, bytes: false }, { check, broken: { death } }), [CAUSES.text, ended]);
    assertEquals(causesOf({ whole: true, bytes: true, split: false }, { check }), [CAUSES.oneRecv]);
    assertEquals(causesOf({ whole: true, bytes: false }, { check: { cause } }), [CAUSES.oneRecv]);
  }
});

test("what is known stands before what is usual", () => {
  assertEquals(whole({}), [USUAL]);
  assertEquals(whole({ check: { cause: undefined } }), []);
  assertEquals(whole({ broken: { why: "it is so", death: "ended with status 1" } }), ["it is so"]);
  assertEquals(whole({ broken: { death: "ended with status 1" } }), [
    `${CAUSES.ended} (it ended with status 1)`,
    USUAL,
  ]);
  assertEquals(whole({ broken: { why: "it is so", death: "printed more than 16 MB and was stopped" } }), [
    CAUSES.prints,
  ]);
  assertEquals(whole({ broken: { kind: "end", left: true } }), [CAUSES.onlyOne, USUAL]);
});

test("what came and is no message is a matter of framing, most likely where nothing has been read before", () => {
  for (const broken of [{ kind: "silence", bytes: "42" }, { kind: "end", unreadable: true }] as const) {
    assertEquals(whole({ broken }), [CAUSES.unframed, USUAL]);
    assertEquals(whole({ broken, check: needed }), [USUAL, CAUSES.unframed]);
  }
  assertEquals(whole({ broken: { kind: "other", bytes: "42" } }), [USUAL]);
  assertEquals(whole({ broken: { kind: "silence", does: "expectEnd", bytes: "42" } }), [USUAL]);
});

test("silence and an end are said to be one, where a message should have come", () => {
  for (const does of ["expect", "eventually", "shows", "expectRest"] as const) {
    assertEquals(whole({ broken: { kind: "silence", does } }), [USUAL, CAUSES.silence]);
  }
  for (const does of ["expectEnd", "exits", "accept"] as const) {
    assertEquals(whole({ broken: { kind: "silence", does } }), [USUAL]);
  }
  assertEquals(whole({ broken: { kind: "silence", does: "expectRest", bytes: "42" } }), [USUAL]);
  // Datagrams have no lengths before them.
  const silence = { broken: { kind: "silence" } } as const;
  assertEquals(whole({ ...silence, transport: "udp", wire: "len4" }), [USUAL, CAUSES.silence]);
  assertEquals(whole({ ...silence, wire: "len4" })[1].length > CAUSES.silence.length, true);
  for (const does of ["send", "sendBytes", "expect", "eventually", "expectRest", "stays"] as const) {
    assertEquals(whole({ broken: { kind: "end", does } }), [USUAL, CAUSES.hungUp]);
  }
  for (const does of ["shows", "runs", "exits", "connect"] as const) {
    assertEquals(whole({ broken: { kind: "end", does } }), [USUAL]);
  }
});

test("a cause is the one that there is on a transport and in a framing", () => {
  const named = (cause: string, transport: "tcp" | "udp", wire = "line") =>
    whole({ check: { cause }, transport, wire })[0];
  assertEquals([named(CAUSES.buffer, "tcp"), named(CAUSES.buffer, "udp")], [CAUSES.buffer, CAUSES.datagram]);
  for (const wire of ["len2", "be8"]) assertEquals(named(CAUSES.characters, "tcp", wire), CAUSES.characters);
  assertEquals([named(CAUSES.characters, "tcp"), named(CAUSES.characters, "udp", "len4")], [CAUSES.text, CAUSES.text]);
});

test("the first place where two texts differ is found, also where one of them ends", () => {
  for (
    const [a, b, at] of [["abc", "abd", 2], ["ab", "abc", 2], ["abc", "ab", 2], ["", "a", 0], ["a", "b", 0], [
      "ab",
      "ab",
      2,
    ]] as const
  ) {
    assertEquals(firstDifference(a, b), at);
  }
});
