// What is kept of a program's output for the report: all of little, both ends of much.

import { assertEquals } from "@std/assert";
import { KeptOutput } from "../lib/grade/kept_output.ts";
import { test } from "./helpers.ts";

/** What is shown of these pieces. */
function shown(...pieces: string[]): string {
  const kept = new KeptOutput();
  for (const piece of pieces) kept.add(piece);
  return kept.text;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join("");

test("little is shown as it is, however it came", () => {
  assertEquals(shown(), "");
  assertEquals(shown("one\n", "two"), "one\ntwo");
  assertEquals(shown("x".repeat(1999), "yy", "z".repeat(1999)), "x".repeat(1999) + "yy" + "z".repeat(1999));
});

test("of many characters the first and the last are shown", () => {
  assertEquals(
    shown("a".repeat(3000), "b".repeat(3000)),
    `${"a".repeat(2000)}\n… 2000 more characters …\n${"b".repeat(2000)}`,
  );
});

test("of many lines the first and the last are shown, though they be short", () => {
  assertEquals(shown(numbers(0, 80)), numbers(0, 80));
  assertEquals(shown(numbers(100, 181)), `${numbers(100, 140)}… 4 more characters …\n${numbers(141, 181)}`);
  assertEquals(shown(numbers(1000, 9000)), `${numbers(1000, 1040)}… 39600 more characters …\n${numbers(8960, 9000)}`);
});
