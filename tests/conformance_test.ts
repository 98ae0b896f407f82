// Every exercise's checks against netlab's own server, over real sockets: what grades students must pass here first. And
// against servers with flaws, because checks that cannot fail grade nobody.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Check } from "../lib/exercises/check.ts";
import { chat } from "../lib/exercises/chat/mod.ts";
import type { Exercise } from "../lib/exercises/exercise.ts";
import { spellingOf } from "../lib/exercises/notation.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { type CheckResult, playChecks } from "../lib/grade/play.ts";
import type { Delivery } from "../lib/grade/stage.ts";
import { connectTcp } from "../lib/net/client.ts";
import { connectUdp } from "../lib/net/datagram_peers.ts";
import { serveContext } from "./chat_helpers.ts";
import { test, within } from "./helpers.ts";
import { type Flaw, StudentServer, WORDINGS } from "./peers/student_server.ts";

/** How messages may be framed and cut into writes; without framing, a write is a message and cannot be cut. */
const WAYS: readonly (readonly [wire: string, delivery: Delivery])[] = [
  ...["len2", "len4", "line", "be8"].flatMap((wire) => [[wire, "whole"], [wire, "bytes"]] as const),
  ["raw", "whole"],
  ...(["whole", "bytes"] as const).map((delivery) => ["pdu", delivery] as const),
  ["udp", "whole"],
  ["seed", "whole"],
];

/** Whether a check makes sense on what a way is named after: `udp`, or a framing on TCP. */
const isFor = (way: string) => ({ transports = ["tcp", "udp"], wire }: Check) =>
  transports.includes(way === "udp" ? "udp" : "tcp") && wire === (way === "seed" ? way : undefined);

function play(
  exercise: Exercise,
  checks: readonly Check[],
  port: number,
  wire: string,
  delivery: Delivery,
  timeoutMs = 10_000,
): Promise<CheckResult[]> {
  const transport = wire === "udp" ? "udp" : "tcp";
  return playChecks(checks.filter(isFor(wire)), {
    dial: () => transport === "udp" ? connectUdp("127.0.0.1", port) : connectTcp("127.0.0.1", port),
    ...spellingOf(exercise, transport, wire),
    delivery,
    timeoutMs,
  });
}

/** Plays against netlab's own server, which lives only for that. */
async function playNetlab(
  exercise: Exercise,
  checks: readonly Check[],
  wire: string,
  delivery: Delivery,
): Promise<CheckResult[]> {
  const transport = wire === "udp" ? "udp" : "tcp";
  const known = transport === "udp" || exercise.detects.includes(wire.replace(/^len\d$/, "lenN"));
  const server = await exercise.serve(serveContext(exercise, { transport, wire: known ? "auto" : wire }));
  try {
    return await play(exercise, checks, server.address.port, wire, delivery);
  } finally {
    server.abort();
    await within(server.finished, "the end of the server");
  }
}

/** As `playNetlab`, against a student's server. */
async function playStudent(
  checks: readonly Check[],
  delivery: Delivery,
  timeoutMs: number,
  ...made: ConstructorParameters<typeof StudentServer>
): Promise<CheckResult[]> {
  const server = new StudentServer(...made);
  try {
    return await play(chat, checks, server.port, "len4", delivery, timeoutMs);
  } finally {
    await server.close();
  }
}

/**
 * Plays each check behind those that it needs, all at once and each against a server of its own: where one has to wait, for
 * silence or for what never comes, all wait together.
 */
async function apart(
  exercise: Exercise,
  playSome: (checks: readonly Check[]) => Promise<CheckResult[]>,
  checks = exercise.checks,
): Promise<CheckResult[]> {
  const plays = checks.map((check) => playSome(withNeeds(exercise, check)));
  return (await Promise.all(plays)).map((results) => results.at(-1)!);
}

/** A check behind those that it needs. */
function withNeeds(exercise: Exercise, check: Check): Check[] {
  const needed = new Set([check]);
  for (const { needs = [] } of needed) {
    for (const other of exercise.checks) if (needs.includes(other.name)) needed.add(other);
  }
  return exercise.checks.filter((other) => needed.has(other) && other !== check).concat(check);
}

/** A result in a line: what failed is said with its reason. */
function show({ check, outcome, broken, because }: CheckResult): string {
  return outcome === "passed" ? `${check.name}: passed` : [`${check.name}: ${outcome}`, broken, because].join(" · ");
}

for (const exercise of exercises) {
  const { transports, wires } = exercise;
  const knows = (wire: string) =>
    wire === "udp"
      ? transports.includes(wire)
      : transports.includes("tcp") && wires.includes(wire.replace(/^len\d$/, "lenN"));
  test(`netlab's ${exercise.name} server passes every check, in every framing`, async (t) => {
    const ways = WAYS.filter(([wire]) => knows(wire));
    assert(ways.length > 0);
    const plays = ways.map(([wire, delivery]) =>
      // Where nobody can be seen to leave, each check has a server of its own; and where a byte is a write, to have it done.
      wire === "raw" || wire === "udp" || delivery === "bytes"
        ? apart(
          exercise,
          (checks) => playNetlab(exercise, checks, wire, delivery),
          exercise.checks.filter(isFor(wire)),
        )
        : playNetlab(exercise, exercise.checks, wire, delivery)
    );
    await Promise.allSettled(plays);
    for (const [index, [wire, delivery]] of ways.entries()) {
      await t.step(`${wire}, ${delivery === "whole" ? "a write a message" : "a write a byte"}`, async () => {
        const results = await plays[index];
        assertEquals(results.map(({ check }) => check), exercise.checks.filter(isFor(wire)));
        const passed = results.filter(({ outcome }) => outcome === "passed");
        const notRun = results.filter(({ check, outcome }) => wire === "raw" && check.framed && outcome === "not run");
        assertEquals(results.filter((result) => !passed.includes(result) && !notRun.includes(result)).map(show), []);
        assert(passed.length > notRun.length);
      });
    }
  });

  test(`the checks of ${exercise.name} need only checks before them, have points and names of their own`, () => {
    const names = exercise.checks.map(({ name }) => name);
    assertEquals(new Set(names).size, names.length);
    for (const [index, { needs = [], points, steps }] of exercise.checks.entries()) {
      assert(points > 0 && steps.length > 0);
      for (const need of needs) assert(names.indexOf(need) < index && names.includes(need), `${need} comes too late`);
    }
  });
}

/** A flaw, how messages arrive, and the checks that find it with the step that breaks (others may not be run for want). */
const FLAWS: readonly (readonly [Flaw, Delivery, Readonly<Record<string, RegExp>>])[] = [
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
    "EXIT ends the connection and frees the name": /^the server ends alice's connection$/,
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
  const plays = FLAWS.map(([flaw, delivery]) => apart(chat, (checks) => playStudent(checks, delivery, 2000, flaw)));
  await Promise.allSettled(plays);
  for (const [index, [flaw, , expected]] of FLAWS.entries()) {
    await t.step(flaw, async () => {
      const failed = (await plays[index]).filter(({ outcome }) => outcome === "failed");
      const names = failed.map(({ check }) => check.name);
      assertEquals(
        names,
        chat.checks.map(({ name }) => name).filter((name) => expected[name]),
        failed.map(show).join(),
      );
      for (const { check, broken, because, done } of failed) {
        assertMatch(broken!, expected[check.name]);
        assert(because);
        assert(done.length > 0 && done.every((step) => !step.includes("$")), done.join());
      }
    });
  }
  const found = FLAWS.flatMap(([, , expected]) => Object.keys(expected));
  assertEquals(chat.checks.map(({ name }) => name).filter((name) => !found.includes(name)), [], "never seen to fail");
});

test("a check that needs a failed one is not run and says which", async () => {
  const results = await playStudent(chat.checks.slice(0, 3), "whole", 500, "never greets");
  assertEquals(results.map(({ outcome }) => outcome), ["failed", "not run", "not run"]);
  assertEquals(results[1].because, "it needs: a client takes a name");
  assertMatch(results[0].because!, /^it got "Welcome to the chat server!" in 500 ms$/);
});

test("good servers in other words pass every check", async (t) => {
  const ways = Object.entries(WORDINGS).flatMap(([name, wording]) =>
    (["whole", "bytes"] as const).map((delivery) => ({ name, wording, delivery }))
  );
  const plays = ways.map(({ wording, delivery }) => playStudent(chat.checks, delivery, 10_000, undefined, wording));
  await Promise.allSettled(plays);
  for (const [index, { name, delivery }] of ways.entries()) {
    await t.step(`${name} (${delivery})`, async () => {
      assertEquals((await plays[index]).filter(({ outcome }) => outcome !== "passed").map(show), []);
    });
  }
});
