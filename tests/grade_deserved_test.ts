// Programs that do something simpler than what is asked, and that looks alike on the wire: they have no points for it.

import { assertEquals, assertMatch } from "@std/assert";
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
