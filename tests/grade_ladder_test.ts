// The ladder of a check that failed: the last that happened, and who is who in it, however much there was before.

import { assertEquals, assertMatch } from "@std/assert";
import { Ladder } from "../lib/grade/ladder.ts";
import { test } from "./helpers.ts";

const message = (text: string) => ({ type: "message", id: 1, direction: "out", text }) as const;

function ladderOf(messages: number): string[] {
  const ladder = new Ladder();
  ladder.event({ type: "open", id: 1, transport: "tcp", local: "127.0.0.1:1", remote: "127.0.0.1:2" }, 0);
  ladder.event({ type: "label", id: 1, label: "alice" }, 0);
  for (let i = 1; i <= messages; i++) ladder.event(message(`number ${i}`), i);
  ladder.event({ type: "close", id: 1, reason: "done" }, messages + 1);
  return ladder.draw();
}

test("a short ladder is drawn whole", () => {
  const lines = ladderOf(2);
  assertEquals(lines.length, 4);
  assertMatch(lines[0], /127\.0\.0\.1:2 +connected to 127\.0\.0\.1:1$/);
  assertMatch(lines[1], /alice +◀─+ number 1 ──$/);
});

test("of a long one the last 60 lines are drawn, and names are known that were taken before", () => {
  const lines = ladderOf(10_000);
  assertEquals([lines.length, lines[0]], [61, "…"]);
  assertMatch(lines[1], /alice .* number 9942 ──$/);
  assertMatch(lines[60], /alice +closed: done$/);
});

test("a message is drawn as far as it fits beside an arrow", () => {
  const ladder = new Ladder();
  ladder.event(message("x".repeat(100_000)), 0);
  assertEquals(ladder.draw().join("").replace(/[^x…]/g, ""), `${"x".repeat(200)}…`);
});
