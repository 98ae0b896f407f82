// The checks of chat against servers with flaws, because checks that cannot fail grade nobody; and against good servers in
// other words, because they judge meaning.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { chat } from "../lib/exercises/chat/mod.ts";
import type { Way } from "../lib/grade/delivery.ts";
import { runGrading } from "../lib/grade/grading.ts";
import type { GradedCheck } from "../lib/grade/report.ts";
import { test } from "./helpers.ts";
import { type Flaw, StudentServer, WORDINGS } from "./peers/student_server.ts";

type Made = ConstructorParameters<typeof StudentServer>;

/** Grades one check, and those that it needs, against a server that lives only for that. */
async function gradeStudent(check: string, way: Way, timeoutMs: number, ...made: Made): Promise<GradedCheck> {
  const server = new StudentServer(...made);
  try {
    const { checks } = await runGrading({
      exercise: chat,
      subject: { type: "address", host: "127.0.0.1", port: server.port },
      port: null,
      wire: "len4",
      only: check,
      ways: [way],
      seed: 1,
      timeoutMs,
      limitMs: 60_000,
    });
    return checks[0];
  } finally {
    await server.close();
  }
}

/** Checks that other mistakes are found by, in bugs_chat_test.ts. */
const OTHERS = [
  "a second client is served while the first stays",
  "text that is not ASCII arrives whole",
  "several messages that arrive at once are all delivered",
  "a client that does not read holds up nobody else",
];
const ORDER = "messages arrive in the order in which they were sent";
const CHECKS = (await chat.grading()).checks.map(({ name }) => name).filter((name) => !OTHERS.includes(name));

/** All of them at once: where one has to wait, for silence or for what never comes, all wait together. */
const gradeAll = (way: Way, timeoutMs: number, ...made: Made): Promise<GradedCheck[]> =>
  Promise.all(CHECKS.map((name) => gradeStudent(name, way, timeoutMs, ...made)));

const show = ({ name, outcome, failure }: GradedCheck) => `${name}: ${outcome} · ${failure?.step} · ${failure?.got}`;

/** A flaw, how messages arrive, and the checks that find it with the step that breaks (others may not be run for want). */
const FLAWS: readonly (readonly [Flaw, Way, Readonly<Record<string, RegExp>>])[] = [
  ["takes one read for one message", "bytes", {
    "a client takes a name": /^alice gets a greeting that names alice[a-z]$/,
  }],
  ["refuses every name", "whole", { "a client takes a name": /^alice gets a greeting that names alice[a-z]$/ }],
  ["never greets", "whole", { "a client takes a name": /^alice gets a greeting that names alice[a-z]$/ }],
  ["lists only the asker", "whole", {
    "the names of all users are listed": /^bob gets a list with alice[a-z], bob[a-z]$/,
  }],
  ["loses messages", "whole", { "a message reaches the user it is for": /^bob gets "hi there" from alice[a-z]$/ }],
  ["sends messages to everybody", "whole", {
    "a message reaches nobody else, nor its sender": /^carol gets a list with carol[a-z]$/,
  }],
  ["delivers in reverse", "whole", {
    "messages arrive in the order in which they were sent": /^bob gets "number 1\." from alice[a-z]$/,
  }],
  ["gives a taken name away", "whole", {
    "a name that is taken is refused, and its owner keeps it": /^bob gets a refusal: the name is taken$/,
  }],
  ["says nothing to an unknown user", "whole", {
    "a message to an unknown user is refused, and the sender goes on": /^alice gets a refusal: there is no such user$/,
  }],
  ["says nothing to an unknown command", "whole", {
    "an unknown command is refused, and the sender goes on": /^alice gets a refusal: there is no such command$/,
  }],
  ["ends the session after an error", "whole", {
    "a name that is taken is refused, and its owner keeps it": /^bob (sends NAME|gets a greeting that names) bob[a-z]$/,
    "a message to an unknown user is refused, and the sender goes on":
      /^alice (sends GET_NAMES|gets a list with alice[a-z])$/,
    "an unknown command is refused, and the sender goes on": /^alice (sends GET_NAMES|gets a list with alice[a-z])$/,
  }],
  ["never ends after EXIT", "whole", {
    "EXIT ends the connection and frees the name": /^alice's connection is ended by the other side$/,
  }],
  ["never frees names", "whole", {
    "EXIT ends the connection and frees the name":
      /^bob sends GET_NAMES and soon gets a list with bob[a-z] and without alice[a-z]$/,
    "a client that hangs up gives its name back":
      /^bob sends GET_NAMES and soon gets a list with bob[a-z] and without alice[a-z]$/,
    "a client that vanishes gives its name back":
      /^bob sends GET_NAMES and soon gets a list with bob[a-z] and without alice[a-z]$/,
  }],
  ["falls over bad UTF-8", "whole", {
    "bytes that are not UTF-8 harm nobody": /^(alice sends MSG|bob gets "still here")/,
  }],
  ["takes any name", "whole", {
    "a name with control characters is refused": /^mallory gets a refusal: the name is not valid$/,
  }],
];

test("each flaw of a student's server is found by the checks that are about it, which name the step", async (t) => {
  const gradings = FLAWS.map(([flaw, way]) => gradeAll(way, 4000, flaw));
  await Promise.allSettled(gradings);
  for (const [index, [flaw, way, expected]] of FLAWS.entries()) {
    await t.step(flaw, async () => {
      const failed = (await gradings[index]).filter(({ failure }) => failure !== undefined);
      const names = failed.map(({ name }) => name);
      assertEquals(
        names,
        // What reads one message for many may also lose some that come one behind the other: that is chance.
        CHECKS.filter((name) => expected[name] || (way === "bytes" && name === ORDER && names.includes(name))),
        failed.map(show).join(),
      );
      for (const { name, points, maxPoints, failure } of failed.filter(({ name }) => expected[name])) {
        assertMatch(failure!.step, expected[name]);
        assert(failure!.got);
        assert(failure!.causes.length > 0);
        const { done, ladder } = failure!;
        assert(done.length > 0 && done.every((step) => !step.includes("$")), done.join());
        assert(ladder.length > 0);
        assertEquals(points, way === "whole" ? 0 : maxPoints / 2);
      }
    });
  }
  const found = FLAWS.flatMap(([, , expected]) => Object.keys(expected));
  assertEquals(CHECKS.filter((name) => !found.includes(name)), [], "never seen to fail");
});

test("a check that needs a failed one is not run and says which", async () => {
  const result = await gradeStudent("the names of all users are listed", "whole", 500, "never greets");
  assertEquals([result.outcome, result.points], ["not run", 0]);
  const { failure } = await gradeStudent("a client takes a name", "whole", 500, "never greets");
  assertMatch(failure!.got, /^it got "Welcome to the chat server!" in 500 ms$/);
  assertEquals(result.because, `it needs: a client takes a name, which failed: ${failure!.got}`);
});

test("good servers in other words pass every check", async (t) => {
  for (const [name, wording] of Object.entries(WORDINGS)) {
    await t.step(name, async () => {
      const results = await Promise.all(
        (["bytes", "split"] as const).map((way) => gradeAll(way, 10_000, undefined, wording)),
      );
      assertEquals(results.flat().filter(({ outcome }) => outcome !== "passed").map(show), []);
    });
  }
});
