// In which words programs may say what they say: those that students have used, and what sounds alike and is something else.

import { assertEquals } from "@std/assert";
import { findExercise } from "../lib/exercises/registry.ts";
import { test } from "./helpers.ts";

/** Those of `texts` that count as what a check expects, `what`; `$alice` is `alice` in them. */
async function taken(
  [exercise, name, what]: readonly [exercise: string, check: string, what: string],
  ...texts: readonly string[]
): Promise<string[]> {
  const { checks, clientChecks } = await findExercise(exercise)!.grading();
  const steps = [...checks, ...clientChecks].find((check) => check.name === name)!.steps;
  const step = steps.find((step) => (step.do === "expect" || step.do === "shows") && step.what.what === what);
  const { matches } = (step as typeof step & { do: "expect" }).what;
  return texts.filter((text) => matches(text, (template) => template.replace("$", "")));
}

const GREETS = ["chat", "a client takes a name", "a greeting that names $alice"] as const;

test("chat: a greeting may use the words of a refusal for something else", async () => {
  const greetings = [
    "Welcome alice! Users already online: 2",
    "OK, name alice taken",
    "alice, you have successfully taken this name",
    "Hi alice. Names in use: bob",
  ];
  assertEquals(await taken(GREETS, ...greetings), greetings);
  const refusals = [
    "alice is already taken",
    "Name alice already exists",
    "Name taken: alice",
    "the name alice is in use",
    "Sorry, alice",
    "ERROR alice",
    "alice is not available",
  ];
  assertEquals(await taken(GREETS, ...refusals), []);
});
