// What one end was sent, and what is expected of it: what counts as met, and what is said where it is not.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Expectation } from "../lib/exercises/check.ts";
import { Inbox, Unmet } from "../lib/grade/inbox.ts";
import { test } from "./helpers.ts";

/** An inbox in which `$name` is `alice`, and that has these texts. */
function inboxOf(...texts: string[]): Inbox {
  const inbox = new Inbox((text) => text.replaceAll("$name", "alice"));
  inbox.push(texts);
  return inbox;
}

const is = (...texts: string[]): Expectation => ({
  what: `"${texts}" for $name`,
  matches: (text, fill) => texts.some((one) => fill(one) === text),
});
const PATIENT = 10_000;

/** How an expectation is not met. */
async function unmet(inbox: Inbox, what: Expectation): Promise<[kind: string, says: string, ...got: string[]]> {
  const { kind, message, got } = await assertRejects(() => inbox.expect(what, 5), Unmet);
  return [kind, message, ...got];
}

test("texts are looked at once, in order, and what comes before the right one is passed over", async () => {
  const inbox = inboxOf("one", "two", "hi alice", "three");
  assertEquals(await inbox.expect(is("hi $name"), PATIENT), "hi alice");
  assertEquals(await unmet(inbox, is("one")), ["other", 'it got "three" in 5 ms', "three"]);
  const coming = inbox.expect(is("late"), PATIENT);
  inbox.push(["early"]);
  inbox.push(["late"]);
  assertEquals(await coming, "late");
});

test("what came instead is told: nothing, a part, or texts, which are counted where they repeat", async () => {
  assertEquals(await unmet(inboxOf(), is("x")), ["silence", "it got nothing in 5 ms"]);
  const part = new Inbox((text) => text, () => "0005hel");
  assertEquals(await unmet(part, is("x")), ["silence", 'it got no whole message, but "0005hel" in 5 ms']);
  const [, repeated] = await unmet(inboxOf("a", "b", "b", "b", "a"), is("x"));
  assertEquals(repeated, 'it got "a", "b" 3 times, "a" in 5 ms');
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));
  const [, eight] = await unmet(inboxOf(...numbers(8)), is("x"));
  assertEquals(eight, `it got ${numbers(8).map((one) => `"${one}"`).join(", ")} in 5 ms`);
  const [, nine] = await unmet(inboxOf(...numbers(9)), is("x"));
  assertEquals(nine, 'it got "0", "1", "2", "3", … 1 more …, "5", "6", "7", "8" in 5 ms');
  const [, long] = await unmet(inboxOf("x".repeat(120), "x".repeat(121)), is("x"));
  assertEquals(long, `it got "${"x".repeat(120)}", "${"x".repeat(120)}…" in 5 ms`);
  const more = { ...is("x"), extraMs: 7 };
  assertEquals((await unmet(inboxOf(), more))[1], "it got nothing in 12 ms");
});

test("an end is no text, is waited for no longer, and is said with the first reason that there was", async () => {
  const inbox = inboxOf("one");
  const coming = assertRejects(() => inbox.expect(is("two"), PATIENT), Unmet);
  inbox.end("the connection ended");
  inbox.end("it was closed");
  const { kind, message, got } = await coming;
  assertEquals([kind, message, ...got], ["end", 'it got "one", and then the connection ended', "one"]);
  assertEquals((await unmet(inbox, is("two")))[1], "it got nothing, and then the connection ended");
  assertEquals(await inbox.expect({ ...is("two"), orEnd: true }, PATIENT), "");
  assertEquals([await inbox.endsWithin(0), await inboxOf().endsWithin(5)], [true, false]);
  assertEquals((await unmet(inboxOf(), { ...is("two"), orEnd: true }))[0], "silence");
  // What came before it is there still.
  inbox.push(["three"]);
  assertEquals(await inbox.expect({ ...is("three"), orEnd: true }, PATIENT), "three");
});

test("a text that is not complete counts as it is, and once", async () => {
  const inbox = inboxOf();
  const coming = inbox.expect(is("name: "), PATIENT);
  inbox.setUnfinished("na", 0);
  inbox.setUnfinished("name: ", 0);
  assertEquals(await coming, "name: ");
  assertEquals(await unmet(inbox, is("name: ")), ["silence", "it got nothing in 5 ms"]);
  inbox.setUnfinished("what", 0);
  assertEquals(await unmet(inbox, is("name: ")), ["other", 'it got "what" in 5 ms', "what"]);
});

test("what is not complete is so in each stream by itself: a line of one leaves that of another as it is", async () => {
  const inbox = inboxOf();
  inbox.setUnfinished("= 42", 0);
  inbox.push(["log: done"]);
  inbox.setUnfinished("", 1);
  assertEquals(await inbox.expect(is("= 42"), PATIENT), "= 42");
  inbox.setUnfinished("one", 0);
  inbox.setUnfinished("two", 1);
  assertEquals(await unmet(inbox, is("three")), ["other", 'it got "one", "two" in 5 ms', "one", "two"]);
  assertEquals(await inbox.expect(is("two"), PATIENT), "two");
  assertEquals(await unmet(inbox, is("two")), ["other", 'it got "one" in 5 ms', "one"]);
});

test("what is forbidden must not come before what is expected next, and may come behind it", async () => {
  const forbidden = ["forbidden", 'it got "bad" for alice: "bad"', "bad"];
  const inbox = inboxOf("bad", "good");
  inbox.forbid(is("bad"));
  assertEquals(await unmet(inbox, is("good")), forbidden);
  const late = inboxOf("good", "bad", "good");
  late.forbid(is("bad"));
  for (let times = 0; times < 2; times++) assertEquals(await late.expect(is("good"), PATIENT), "good");
  const kept = inboxOf("bad");
  kept.forbid(is("bad"));
  assertEquals(assertThrows(() => kept.checkAll(), Unmet).kind, "forbidden");
  const logged = inboxOf();
  logged.forbid(is("bad"));
  logged.pushAside(["bad", "good"]);
  logged.checkAll();
  logged.forbid(is("bad"));
  assertEquals(await logged.expect(is("good"), PATIENT), "good");
  const free = inboxOf();
  free.forbid(is("bad"));
  free.checkAll();
  free.push(["bad"]);
  assertEquals(await free.expect(is("bad"), PATIENT), "bad");
});

test("what came before something was said is no answer to it, and may be what else is expected", async () => {
  const answer = { ...is("first"), answers: true };
  const inbox = inboxOf("first");
  inbox.ask();
  const coming = inbox.expect(answer, PATIENT);
  inbox.push(["second", "first"]);
  assertEquals(await coming, "first");
  assertEquals(await unmet(inbox, answer), ["silence", "it got nothing in 5 ms"]);
  const early = inboxOf("first", "second");
  early.ask();
  assertEquals(await unmet(early, answer), ["other", 'it got "first", "second" in 5 ms', "first", "second"]);
  const greeted = inboxOf("first");
  greeted.ask();
  assertEquals(await greeted.expect(is("first"), PATIENT), "first");
});

test("all that came is one text, of which nothing is left", () => {
  inboxOf("a", "b").checkRest(is("a\nb"), "\n");
  inboxOf("a", "b").checkRest(is("ab"), "");
  inboxOf().checkRest(is(""), "\n");
  const inbox = inboxOf("a", "b");
  const { kind, message, got } = assertThrows(() => inbox.checkRest(is("c"), "\n"), Unmet);
  assertEquals([kind, message, ...got], ["other", 'it got "a\\nb"', "a", "b"]);
  assertEquals(assertThrows(() => inbox.checkRest(is("c"), "\n"), Unmet).message, "it got nothing");
  const bad = inboxOf("bad");
  bad.forbid(is("bad"));
  assertEquals(assertThrows(() => bad.checkRest(is("bad"), "\n"), Unmet).kind, "forbidden");
});

test("what came first to somebody who had asked for something else is no answer where it comes first again", async () => {
  const greetings = new Set<string>();
  const inboxes = Array.from({ length: 4 }, () => new Inbox((text) => text, undefined, greetings));
  const answer: Expectation = { ...is("usage", "no"), answers: true };
  inboxes[0].push(["no"]);
  assertEquals(await inboxes[0].expect(answer, PATIENT), "no");
  inboxes[1].push(["usage", "42"]);
  assertEquals(await inboxes[1].expect(is("42"), PATIENT), "42");
  inboxes[2].push(["usage", "usage"]);
  assertEquals(await inboxes[2].expect(answer, PATIENT), "usage");
  assertEquals((await unmet(inboxes[2], answer))[0], "silence");
  inboxes[3].push(["no"]);
  assertEquals(await inboxes[3].expect(answer, PATIENT), "no");
});
