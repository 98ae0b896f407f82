// Programs that do something simpler than what is asked, and that looks alike on the wire: they have no points for it.

import { assertEquals, assertMatch } from "@std/assert";
import { CAUSE } from "../lib/exercises/calc/checks.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { runGrading } from "../lib/grade/grading.ts";
import type { Report } from "../lib/grade/report.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** Grades a program in Python, whole only. */
function gradeProgram(name: string, type: "server" | "client", source: string): Promise<Report> {
  const path = `${temporaryFolder()}/program.py`;
  Deno.writeTextFileSync(path, source);
  return runGrading({
    exercise: findExercise(name)!,
    subject: { type, command: `python3 ${path} {port}` },
    ...{ port: null, wire: "line", ways: [], seed: 1, timeoutMs: 2000, startMs: 20_000, limitMs: 60_000 },
  });
}

/** The checks in which a program has points, and the causes of the first that fails. */
function outcome({ checks, points }: Report) {
  const passed = checks.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  const broken = checks.find(({ failure }) => failure !== undefined);
  return { points, passed, broken: broken?.name, causes: broken?.failure?.causes.join("\n") ?? "" };
}

test("messages: an echo is no log", async () => {
  const report = await gradeProgram(
    "messages",
    "server",
    `
import socket, sys, threading
def serve(client):
    with client, client.makefile("rb") as lines:
        for line in lines:
            if line.strip() == b"quit":
                break
            client.sendall(line)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`,
  );
  const { causes, ...rest } = outcome(report);
  assertEquals(rest, {
    points: 10,
    passed: ["quit ends the session, and the log of a client that said nothing is empty"],
    broken: "a message does not come back before quit",
  });
  assertMatch(causes, /^each message is sent back when it comes: that is an echo/);
}, PYTHON);

test("chat: an echo is no greeting", async () => {
  const { causes, ...rest } = outcome(
    await gradeProgram(
      "chat",
      "server",
      `
import socket, sys, threading
def serve(client):
    with client, client.makefile("rb") as lines:
        for line in lines:
            client.sendall(line)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`,
    ),
  );
  assertEquals(rest, { points: 0, passed: [], broken: "a client takes a name" });
  assertMatch(causes, /^NAME is not understood, or not answered/);
}, PYTHON);

test("chat: a client that shows what was typed shows no answer of the server", async () => {
  const { causes, ...rest } = outcome(
    await gradeProgram(
      "chat",
      "client",
      `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    server.sendall(line.encode())
    print(line, flush=True)
`,
    ),
  );
  assertEquals(rest, {
    points: 15,
    passed: ["what is typed is sent"],
    broken: "what the server answers is shown",
  });
  assertMatch(causes, /^what comes from the server is not read, or not shown/);
}, PYTHON);

test(
  "calc: a server that runs what is asked as a program has points for what it refuses, and is told what it does",
  async () => {
    const report = await gradeProgram(
      "calc",
      "server",
      `
import socket, sys, threading
def answer(line):
    try:
        return str(eval(line))
    except Exception as error:
        return "ERROR %s" % error
def serve(client):
    with client, client.makefile("rb") as lines:
        for line in lines:
            client.sendall(answer(line).encode() + b"\\n")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`,
    );
    const failed = report.checks.filter(({ outcome }) => outcome !== "passed");
    assertEquals(failed.map(({ name, outcome, failure }) => [name, outcome, failure?.causes]), [
      ["an unknown operator is refused, and the server goes on", "failed", [CAUSE.operator]],
      ["what is asked is not run as a program", "failed", [CAUSE.evaluates]],
    ]);
  },
  PYTHON,
);

test("calc: a client that computes by itself shows no answer of the server", async () => {
  const report = await gradeProgram(
    "calc",
    "client",
    `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    server.sendall(line.encode())
    print(eval(line), flush=True)
`,
  );
  const { causes, ...rest } = outcome(report);
  assertEquals(rest, {
    points: 15,
    passed: ["what is typed is asked"],
    broken: "what the server answers is shown",
  });
  assertMatch(causes, /^what is shown is not what the server has answered/);
}, PYTHON);

for (const name of ["mesh", "peer"]) {
  test(`${name}: who takes callers and shows nothing has not all points`, async () => {
    const { passed, broken } = outcome(
      await gradeProgram(
        name,
        "server",
        `
import socket, sys, threading
def take(caller):
    with caller:
        while caller.recv(4096):
            pass
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()
`,
      ),
    );
    assertEquals(passed[0], "a caller is taken, and may stay");
    assertMatch(broken!, /^what (the caller says|callers say) is shown$/);
  }, PYTHON);
}
