// Where programs under test listen: what the system's tables say of it, and how one is graded that is not at 127.0.0.1.

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Transport } from "../lib/exercises/exercise.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { freePort } from "../lib/grade/calling.ts";
import { runGrading } from "../lib/grade/grading.ts";
import { parseListeners } from "../lib/grade/sockets.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { runProgram } from "./cli_helpers.ts";
import { skipIf, skipUnless, skipUnlessIpv6, test } from "./helpers.ts";

/** For what needs a program in Python that /proc tells of. */
const PYTHON = Deno.build.os === "linux" ? skipUnless("python3") : skipIf("only Linux tells who listens where");
const UNIX_PYTHON = Deno.build.os === "windows" ? skipIf("Windows has no sh") : skipUnless("python3");
const PYTHON6 = PYTHON.ignore ? PYTHON : skipUnlessIpv6();

/** Rows of the system's tables, without what nobody reads. */
const table = (...rows: readonly (readonly [local: string, state: string])[]) =>
  [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    ...rows.map(([local, state], i) =>
      `   ${i}: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000`
    ),
  ].join("\n");

test("no two programs that start at the same time are told the same port", () => {
  const ports = Array.from({ length: 500 }, () => freePort("tcp"));
  assertEquals(new Set(ports).size, ports.length);
});

test("the tables of listeners are read: IPv4, IPv6, and one in the other's form", () => {
  const text = table(
    ["0100007F:1F90", "0A"],
    ["00000000:0050", "0A"],
    ["0101A8C0:0051", "01"], // a connection
    ["00000000000000000000000001000000:8DB1", "0A"],
    ["00000000000000000000000000000000:A4EB", "0A"],
    ["B80D0120000000000000000067452301:0001", "0A"],
    ["0000000000000000FFFF00000100007F:8681", "0A"],
  );
  const read = (transport: Transport) => parseListeners(text, transport).map(({ host, port }) => `${host} ${port}`);
  assertEquals(read("tcp"), [
    ...["127.0.0.1 8080", "0.0.0.0 80", "::1 36273", ":: 42219", "2001:db8::123:4567 1", "127.0.0.1 34433"],
  ]);
  // Over UDP there is no state of listening.
  assertEquals(read("udp").includes("192.168.1.1 81"), true);
  assertEquals(parseListeners("", "tcp"), []);
});

/** A calculator that binds `host`. */
const calculator = (transport: Transport, host: string) => `
import socket, sys
family = socket.AF_INET6 if ":" in "${host}" else socket.AF_INET
kind = socket.${transport === "tcp" ? "SOCK_STREAM" : "SOCK_DGRAM"}
server = socket.socket(family, kind)
if family == socket.AF_INET6: server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
server.bind(("${host}", int(sys.argv[1])))
if kind == socket.SOCK_DGRAM:
    while True:
        question, client = server.recvfrom(1000)
        server.sendto(b"42", client)
server.listen()
while True:
    client, _ = server.accept()
    with client, client.makefile() as questions:
        for question in questions:
            client.sendall(b"42\\n")
`;

/** What "it multiplies" comes to, and the notes. */
async function multiplies(transport: Transport, host: string): Promise<unknown> {
  const path = `${temporaryFolder()}/server.py`;
  Deno.writeTextFileSync(path, calculator(transport, host));
  const { checks, notes } = await runGrading({
    exercise: findExercise("calc")!,
    subject: { type: "server", command: `python3 ${path} {port}` },
    ...{ port: null, transport, wire: "line", ways: ["bytes"], only: "it multiplies" },
    ...{ seed: 1, timeoutMs: 10_000, startMs: 20_000, limitMs: 60_000 },
  });
  return [...checks.map(({ outcome }) => outcome), ...notes];
}

for (const transport of ["tcp", "udp"] as const) {
  test(`a program that binds ::1 only is found over ${transport}, and that is noted`, async () => {
    const note =
      "it listens on ::1 only, and not on 127.0.0.1: let it bind 0.0.0.0, or no address, for clients everywhere";
    assertEquals(await multiplies(transport, "::1"), ["passed", note]);
  }, PYTHON6);

  test(
    `a program that binds the address of its machine is found over ${transport}, as is one that binds all`,
    async () => {
      const note =
        "it listens on 127.0.1.1 only, and not on 127.0.0.1: let it bind 0.0.0.0, or no address, for clients everywhere";
      assertEquals(await multiplies(transport, "127.0.1.1"), ["passed", note]);
      assertEquals(await multiplies(transport, "0.0.0.0"), ["passed"]);
    },
    PYTHON,
  );
}

test("a program that binds all addresses of IPv6 only is found", async () => {
  const note =
    "it listens on ::1 only, and not on 127.0.0.1: let it bind 0.0.0.0, or no address, for clients everywhere";
  assertEquals(await multiplies("tcp", "::"), ["passed", note]);
}, PYTHON6);

/** A calculator for one client, whose port is in use when it is started the second time, as without SO_REUSEADDR. */
const ONCE = `
import os, socket
starts = os.open("starts", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
os.write(starts, b"x")
if os.fstat(starts).st_size == 2: raise OSError("[Errno 48] Address already in use")
server = socket.create_server(("127.0.0.1", PORT), reuse_port=False)
client, _ = server.accept()
with client, client.makefile() as questions:
    for question in questions: client.sendall(b"42\\n")
`;

/** Puts commands in front of those that tell who listens, as on a system that does not. */
function silent(): string {
  const dir = temporaryFolder();
  for (const name of ["cat", "grep"]) {
    Deno.writeTextFileSync(`${dir}/${name}`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  }
  return `${dir}:${Deno.env.get("PATH")}`;
}

/** Grades a server in Python that listens by itself. */
async function gradeAt(port: number, source: string, env: Record<string, string>) {
  const cwd = temporaryFolder();
  Deno.writeTextFileSync(`${cwd}/server.py`, source.replace("PORT", String(port)));
  const line = ["grade", "calc", "--run", "python3 server.py", "--port", String(port), "--only", "it multiplies"];
  return await runProgram([...line, "--way", "bytes"], { cwd, env });
}

for (const told of [true, false]) {
  const [where, env] = told ? ["tells", {}] : ["does not tell", { PATH: silent() }];
  const needs = told ? PYTHON : UNIX_PYTHON;

  test(
    `where the system ${where} who listens, a program is waited for whose port is in use after a restart`,
    async () => {
      const { status, out, err } = await gradeAt(freePort("tcp"), ONCE, env);
      assertEquals([status, err], [0, ""], out);
      assertStringIncludes(out, "after a restart its port was still in use: it should set SO_REUSEADDR");
    },
    needs,
  );

  test(`where the system ${where} who listens, nobody is graded in the place of the program`, async () => {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr as Deno.NetAddr;
    const { status, err } = await gradeAt(port, ONCE, env);
    assertEquals([status, err.split(": ")[1]], [3, `another program listens on port ${port} already`]);
  }, needs);

  test(`where the system ${where} who listens, a program that binds ::1 only is found`, async () => {
    const source = `
import socket
server = socket.create_server(("::1", PORT), family=socket.AF_INET6)
while True:
    client, _ = server.accept()
    with client, client.makefile() as questions:
        for question in questions: client.sendall(b"42\\n")
`;
    const { status, out } = await gradeAt(freePort("tcp"), source, env);
    assertEquals(status, 0, out);
    assertStringIncludes(out, "it listens on ::1 only, and not on 127.0.0.1");
  }, needs.ignore ? needs : skipUnlessIpv6());
}
