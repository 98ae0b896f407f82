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

const FETCHES = ["files", "a file is fetched", "that the file is there"] as const;
const NOTICES = ["files", "content that has another digest is noticed", "that something is wrong"] as const;
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

test("files: a client may say in many words that it has the file", async () => {
  const said = [
    "Fetched poem.txt",
    "Stored file poem.txt",
    "poem.txt: OK",
    "File written.",
    "wrote poem.txt",
    "transfer complete",
    "poem.txt has been transferred",
    "31 bytes",
    "roses are red",
  ];
  assertEquals(await taken(FETCHES, ...said), said);
  assertEquals(await taken(FETCHES, "asking for poem.txt", "connected to 127.0.0.1:9002"), []);
});

test("files: to show a digest is not to say that it is wrong", async () => {
  const said = [
    "checksum mismatch!",
    "sha256 does not match",
    "the hash is wrong",
    "bad digest",
    "expected 58ba, got f64a",
  ];
  assertEquals(await taken(NOTICES, ...said), said);
  assertEquals(await taken(NOTICES, "Saved poem.txt, sha256 58bad", "SHA-256 hash: 58ba", "digest 58ba"), []);
});
