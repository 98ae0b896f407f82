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

test("chat: a refusal may be put in many words, and a receipt is none", async () => {
  const refusal = (name: string, why: string) => ["chat", name, `a refusal: ${why}`] as const;
  for (
    const [what, ...said] of [
      [
        refusal("a name that is taken is refused, and its owner keeps it", "the name is taken"),
        "Please choose a different name",
        "Duplicate name: alice",
        "Name occupied",
      ],
      [
        refusal("an unknown command is refused, and the sender goes on", "there is no such command"),
        "Available commands: NAME, GET_NAMES, MSG, EXIT",
      ],
      [
        refusal("a name with control characters is refused", "the name is not valid"),
        "Only letters and digits please",
      ],
    ] as const
  ) {
    assertEquals(await taken(what, ...said), said);
    assertEquals(await taken(what, "HELLO alice", "Message sent to bob", "alice bob", "DANCE now"), []);
  }
});

test("calc: a refusal may be put in any words, and a number is none", async () => {
  for (
    const [name, what, ...said] of [
      [
        "what is no calculation is refused, and the server goes on",
        "a refusal",
        "Please enter two integers",
        "Please enter a valid number",
        "请输入整数",
        'Exception: For input string: "seven"',
      ],
      [
        "division by zero is refused, and the server goes on",
        "a refusal: division by zero",
        "Division by 0",
        "Cant divide by 0",
        "7 / 0 = inf",
        "-Infinity",
      ],
      [
        "an unknown operator is refused, and the server goes on",
        "a refusal",
        "Only + - * / % are supported",
        "Exception: operator ^",
        "7 ^ 6: which operator, please?",
      ],
    ] as const
  ) {
    assertEquals(await taken(["calc", name, what], ...said), said);
    assertEquals(await taken(["calc", name, what], "1", "7 ^ 6 = 1", "Result: 0", "None", "null", "", "-", "30"), []);
  }
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
