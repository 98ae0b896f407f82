// Where programs under test listen: what the system's tables say of it, and how one is graded that is not at 127.0.0.1.

import { assertEquals } from "@std/assert";
import type { Transport } from "../lib/exercises/exercise.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { runGrading } from "../lib/grade/grading.ts";
import { parseListeners } from "../lib/grade/sockets.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { skipIf, skipUnless, skipUnlessIpv6, test } from "./helpers.ts";

/** For what needs a program in Python that /proc tells of. */
const PYTHON = Deno.build.os === "linux" ? skipUnless("python3") : skipIf("only Linux tells who listens where");
const PYTHON6 = PYTHON.ignore ? PYTHON : skipUnlessIpv6();

/** Rows of the system's tables, without what nobody reads. */
const table = (...rows: readonly (readonly [local: string, state: string])[]) =>
  [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    ...rows.map(([local, state], i) =>
      `   ${i}: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000`
    ),
  ].join("\n");

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
