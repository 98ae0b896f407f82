// The causes that a report names where more is known than what usually goes wrong: nobody listens, or elsewhere; messages are
// framed in another way; the program ends, or prints without end.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CAUSES } from "../lib/exercises/causes.ts";
import { CAUSE } from "../lib/exercises/chat/checks.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { type GradingSettings, runGrading, type Subject } from "../lib/grade/grading.ts";
import { guessFraming, whyMisframed } from "../lib/grade/misframed.ts";
import { PROFILES } from "../lib/grade/profiles/mod.ts";
import type { Failure } from "../lib/grade/report.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { bytes, deafAddress, skipIf, skipUnless, skipUnlessIpv6, skipUnlessSh, test } from "./helpers.ts";

const PYTHON = skipUnless("python3");
const LINUX = Deno.build.os === "linux" ? PYTHON : skipIf("only Linux tells who listens where");

/** A chat server that knows NAME only, and answers with what `reply` makes of the bytes `text`. */
const SERVER = (reply: string, start = "") => `
import socket, sys, threading
port = int(sys.argv[1])
${start}
def serve(client):
    with client:
        while True:
            data = client.recv(4096)
            if not data:
                return
            name = data[data.find(b"NAME ") + 5:].strip()
            text = b"HELLO " + name
            client.sendall(${reply})
server = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
const [LINE, LEN4, BE8] = ['text + b"\\n"', 'b"%04d" % len(text) + text', 'len(text).to_bytes(8, "big") + text'];

/** How the first check fails, played whole. */
async function failureOf(settings: Partial<GradingSettings> & Pick<GradingSettings, "subject">): Promise<Failure> {
  const { checks: [{ failure }] } = await runGrading({
    exercise: findExercise("chat")!,
    ...{ port: null, wire: "line", ways: [], only: "a client takes a name", seed: 1 },
    ...{ timeoutMs: 1500, startMs: 20_000, limitMs: 60_000, cwd: temporaryFolder() },
    ...settings,
  });
  assert(failure, "the check has passed");
  return failure;
}

const causesOf = async (...settings: Parameters<typeof failureOf>) => [...(await failureOf(...settings)).causes];

/** A server in Python. */
function serverOf(source: string): Subject {
  const path = `${temporaryFolder()}/server.py`;
  Deno.writeTextFileSync(path, source);
  return { type: "server", command: `python3 ${path} {port}` };
}

const serverCauses = (source: string, changes: Partial<GradingSettings> = {}) =>
  causesOf({ subject: serverOf(source), ...changes });

/** What a server sends, how it should and how it does frame it. */
const FRAMED_OTHERWISE = [
  { reply: LEN4, wire: "line", is: "len4" },
  { reply: BE8, wire: "line", is: "be8" },
  { reply: LINE, wire: "len4", is: "line" },
  { reply: BE8, wire: "len4", is: "be8" },
];

test("a server that frames in another way is told in which, and nothing else", async () => {
  for (const { reply, wire, is } of FRAMED_OTHERWISE) {
    const causes = await serverCauses(SERVER(reply), { wire });
    assertEquals(causes.length, 1, causes.join("\n"));
    assertMatch(causes[0], new RegExp(`^what came is framed as with --wire ${is} .*, and not as with --wire ${wire} `));
  }
  for (const wire of ["line", "len4"]) {
    const causes = await serverCauses(SERVER("text"), { wire });
    assertEquals([causes[0], causes.includes(CAUSES.hungUp)], [CAUSES.unframed, false]);
  }
}, PYTHON);

test("what came without the end of a message is said, and not that nothing came", async () => {
  const got = async (send: string, end: string, wire = "line") => {
    const subject = serverOf(`
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client, _ = server.accept()
client.recv(100)
client.sendall(b"${send}")
${end}
server.accept()
`);
    return (await failureOf({ exercise: findExercise("calc")!, only: "it multiplies", subject, wire })).got;
  };
  assertEquals(await got("the answer is 42", ""), 'it got no whole message, but "the answer is 42" in 1500 ms');
  assertMatch(await got("42", "client.close()"), /^it got no whole message, but "42", and then the connection ended/);
  assertMatch(await got("0009 42", "client.close()", "len4"), /^it got no whole message, but "0009 42", and then /);
  assertEquals(await got("", ""), "it got nothing in 1500 ms");
}, PYTHON);

test("what came behind a message, and is none, is not forgotten with it", async () => {
  const subject = serverOf(`
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    client.recv(100)
    client.sendall(b"42\\n13")
`);
  const only = "a client may ask again on the same connection";
  const { got, bytes } = await failureOf({ exercise: findExercise("calc")!, only, subject });
  assertEquals([got, bytes], ['it got no whole message, but "13" in 1500 ms', "13"]);
}, PYTHON);

test("a server that waits for the end of a line is told how messages with lengths begin", async () => {
  const silence = async (server: string, wire: string) =>
    (await serverCauses(server, { wire })).filter((cause) => cause.startsWith(CAUSES.silence));
  const readsLines = SERVER(LINE).replace("client.recv(4096)", "client.makefile().readline().encode()");
  assertEquals(await silence(readsLines, "len4"), [
    `${CAUSES.silence}. With --wire len4, as here, every message begins with the number of its bytes, in 4 digits`,
  ]);
  assertEquals(await silence(SERVER('b""'), "line"), [CAUSES.silence]);
}, PYTHON);

test(
  "a server that waits for more of a bare name is told that nothing came, and one that does not hang up is not",
  async () => {
    const silence = async (read: string) => {
      const subject = serverOf(`
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client, _ = server.accept()
${read}
client.sendall(b"hello\\n")
server.accept()
`);
      const { causes } = await failureOf({
        ...{ exercise: findExercise("files")!, profile: { name: "files-seed", profile: PROFILES["files-seed"] } },
        ...{ only: "a bare name gives", wire: undefined, subject },
      });
      return causes.includes(CAUSES.silence);
    };
    assertEquals([await silence("client.makefile().readline()"), await silence("client.recv(100)")], [true, false]);
  },
  PYTHON,
);

test("lengths that count characters are said to, and nothing else", async () => {
  const server = `
import socket, sys, threading
users = {}
def serve(client):
    name = None
    while head := client.recv(4, socket.MSG_WAITALL):
        words = client.recv(int(head), socket.MSG_WAITALL).decode().split(" ", 2)
        def send(to, text):
            to.sendall(("%04d" % len(text) + text).encode())
        if words[0] == "NAME":
            name = words[1]
            users[name] = client
            send(client, "HELLO " + name)
        else:
            send(users[words[1]], name + " sent " + words[2])
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
  const { got, causes } = await failureOf({
    ...{ subject: serverOf(server), wire: "len4" },
    only: "text that is not ASCII arrives whole",
  });
  assertMatch(
    got,
    /^it got "alice[a-z] sent grüße, \ufffd", and then what is no message: length field is not a number/,
  );
  assertEquals(causes, [CAUSES.characters]);
}, PYTHON);

test("a server that decodes pieces is not told that it takes pieces for messages", async () => {
  const server = `
import socket, sys, threading
def serve(client):
    with client:
        text = ""
        while data := client.recv(1024):
            text += data.decode()
            *log, last = text.split("\\n")
            if "quit" in log:
                client.sendall("\\n".join(log[:-1]).encode())
                return
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
  const settings = { exercise: findExercise("messages")!, only: "text that is not ASCII", ways: ["bytes"] as const };
  assertEquals(await serverCauses(server, settings), [CAUSES.text]);
}, PYTHON);

test("a server that ends in good order with one of its clients is told so", async () => {
  const server = `
import os, socket, sys, threading
users = {}
def serve(client):
    for line in client.makefile("r"):
        word, _, name = line.strip().partition(" ")
        if word == "NAME":
            users[name] = client
            client.sendall(("HELLO " + name + "\\n").encode())
        elif word == "GET_NAMES":
            client.sendall((" ".join(users) + "\\n").encode())
        else:
            os._exit(0)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
  assertEquals((await serverCauses(server, { only: "EXIT ends the connection" }))[0], CAUSES.onlyOne);
}, PYTHON);

test("a program that goes on, or ends, is not told what a connection that does so usually comes of", async () => {
  const client = (source: string): Subject => {
    const path = `${temporaryFolder()}/client.py`;
    Deno.writeTextFileSync(path, source);
    return { type: "client", command: `python3 ${path} {port}` };
  };
  const start = `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
answers = server.makefile("r")
`;
  const goesOn = client(`${start}
for line in sys.stdin:
    server.sendall(line.encode())
    print(answers.readline(), flush=True)
`);
  assertEquals(await causesOf({ subject: goesOn, only: "a server that hangs up ends the client" }), [CAUSES.leaves]);
  const ends = client(`${start}
server.sendall(input().encode() + b"\\n")
`);
  const { got, causes } = await failureOf({ subject: ends, only: "what the server answers is shown" });
  assertEquals(got, "it got nothing, and then the program ended with status 0");
  assertEquals(causes, [CAUSE.answers]);
}, PYTHON);

test("a datagram that is cut is not told to come in pieces", async () => {
  const server = `
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, client = server.recvfrom(1024)
    print(data.decode(), flush=True)
    server.sendto(input().encode(), client)
`;
  const settings = { exercise: findExercise("talk")!, transport: "udp", wire: undefined } as const;
  assertEquals(await serverCauses(server, { ...settings, only: "a long message is shown whole" }), [CAUSES.datagram]);
}, PYTHON);

test("a framing is guessed only where bytes are whole messages of it, and of no other", () => {
  const guesses = (...parts: (string | Uint8Array)[]) => guessFraming(bytes(...parts));
  assertEquals(guesses("0012HELLO aliceb"), "len4");
  assertEquals(guesses("05HELLO02hi"), "len2");
  assertEquals(guesses("000242"), "len4");
  assertEquals(guesses(bytes(0, 0, 0, 0, 0, 0, 0, 2), "hi"), "be8");
  assertEquals(guesses("HELLO\r\nhi\n"), "line");
  // An answer of a calculator, a message that is cut, one that both ends, and nothing.
  for (const text of ["1234567890123", "0012HELLO", "0006HELLO\n", "HELLO", ""]) {
    assertEquals(guesses(text), null, text);
  }
  assertEquals(whyMisframed(bytes("0005HELLO"), "len4"), null);
  assertEquals(whyMisframed(bytes("0005HELLO"), "pdu"), null);
});

test("a length that is wrong is said to be, and how", () => {
  const why = (text: string) => whyMisframed(bytes(text), "len4");
  for (const [text, says, came] of [["0006HELLO", 6, 5], ["0002hi0009HELLO", 9, 5], ["0004", 4, 0]] as const) {
    assertEquals(
      why(text),
      `the length before a message says ${says} bytes, and ${came} came: it is the number of the bytes that follow, ` +
        "without its own digits",
    );
  }
  const more = "behind a message there is an end of line that its length does not count: send none, or count it";
  for (const text of ["0005HELLO\n", "0005HELLO\r\n0002hi\r\n"]) assertEquals(why(text), more);
  for (const text of ["0005HELLO, and more", "HELLO", "00", "0005HELLO\nand more"]) assertEquals(why(text), null);
});

test("an end of line that a length does not count is found behind the message, though that is read", async () => {
  const causes = await serverCauses(SERVER(`${LEN4} + b"\\n"`), {
    ...{ wire: "len4", only: "the names of all users are listed" },
  });
  assertMatch(causes.join("\n"), /^behind a message there is an end of line that its length does not count/);
}, PYTHON);

test("where no length is counted, text that is not ASCII is not said to be counted wrongly", async () => {
  const path = `${temporaryFolder()}/client.py`;
  Deno.writeTextFileSync(
    path,
    `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
answers = server.makefile("r")
for line in sys.stdin:
    server.sendall(line.encode("latin-1", "replace"))
    print(answers.readline(), flush=True)
`,
  );
  const subject: Subject = { type: "client", command: `python3 ${path} {port}` };
  const [first] = await causesOf({ subject, only: "text that is not ASCII arrives whole" });
  assertEquals(first, CAUSES.text);
}, PYTHON);

test("a server that listens on another port is told on which", async () => {
  const start = "port = 0";
  const [told, ...more] = await serverCauses(SERVER(LINE, start), { startMs: 4000 });
  assertMatch(told, /^your program listens on port \d+, and not on \d+: take the port from the command line$/);
  assertEquals(more, []);
}, LINUX);

test("a server over UDP that is called over TCP is told so, and the other way round", async () => {
  const bind = (kind: string) =>
    `import socket, sys\nsock = socket.socket(socket.AF_INET, socket.${kind})\nsock.bind(("127.0.0.1", int(sys.argv[1])))\n` +
    (kind === "SOCK_STREAM" ? "sock.listen()\nsock.accept()" : "sock.recv(1)");
  const calc = { exercise: findExercise("calc")!, only: "it multiplies", startMs: 4000 };
  const [udp] = await serverCauses(bind("SOCK_DGRAM"), { ...calc, transport: "tcp" });
  assertMatch(
    udp,
    /^your program has port (\d+) over UDP, and is called over TCP: take TCP, or grade with --transport udp/,
  );
  const [tcp] = await serverCauses(bind("SOCK_STREAM"), { ...calc, transport: "udp" });
  assertMatch(
    tcp,
    /^your program has port (\d+) over TCP, and is called over UDP: take UDP, or grade with --transport tcp/,
  );
}, LINUX);

test(
  "a server that listens nowhere, ends, or prints without end is told that, and nothing of its protocol",
  async () => {
    const run = (command: string, startMs = 20_000) => causesOf({ subject: { type: "server", command }, startMs });
    const [nowhere, ...more] = await run("sleep 1234 #{port}", 300);
    assertMatch(nowhere, /^nobody listens on port \d+: your program does not come as far as listen\(\)/);
    assertEquals(more, []);
    assertEquals(await run("exit 0 #{port}"), [CAUSES.endedBefore]);
    assertEquals(await run("exit 3 #{port}"), [CAUSES.endedBefore]);
    assertEquals(await run("yes #{port}"), [CAUSES.prints]);
  },
  skipUnlessSh(),
);

test("a server that ends with its first client is told what that usually comes of", async () => {
  const start = "import os";
  const causes = await serverCauses(SERVER("os._exit(3) or b''", start));
  assertMatch(causes[0], /^your program ended in the middle.*status 3/);
  assertEquals(causes.includes(CAUSES.endedBefore), false);
}, PYTHON);

test("an address at which nobody listens is said to be one", async () => {
  const { host, port } = deafAddress();
  assertEquals(await causesOf({ subject: { type: "address", host, port } }), [
    `nobody takes calls at ${host}:${port}: start the server, or look where it listens`,
  ]);
});

test("an address at which somebody listens for IPv6 only is told so", async () => {
  // A test beside this one may have the same port at 127.0.0.1: then another is tried.
  for (let tries = 3; tries > 0; tries--) {
    using listener = Deno.listen({ hostname: "::1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const causes = await causesOf({ subject: { type: "address", host: "127.0.0.1", port } });
    const told =
      `nobody listens on 127.0.0.1:${port}, and somebody on [::1]:${port}: grade with --server [::1]:${port}`;
    if (tries > 1 && causes[0] !== told) continue;
    return assertEquals(causes, [told]);
  }
}, LINUX.ignore ? LINUX : skipUnlessIpv6());

test("a client that calls nobody, or ends before it does, is told that", async () => {
  const run = (command: string, startMs: number) =>
    causesOf({ subject: { type: "client", command }, only: "what is typed is sent", startMs });
  assertEquals(await run("sleep 1234 #{port}", 300), [CAUSES.callsNobody]);
  assertEquals(await run("exit 3 #{port}", 20_000), [CAUSES.endedBefore]);
}, skipUnlessSh());

test("a client that waits for an answer where nobody owes one is told that", async () => {
  const path = `${temporaryFolder()}/client.py`;
  Deno.writeTextFileSync(
    path,
    `import socket, sys
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin:
    server.sendall(line.encode())
    print(server.recv(1024).decode())
`,
  );
  const subject = { type: "client", command: `python3 ${path} {host} {port}` } as const;
  for (const exercise of ["multitalk", "messages"].map((name) => findExercise(name)!)) {
    assertMatch(
      (await causesOf({ exercise, subject, only: "without waiting for an answer" }))[0],
      /nobody owes it one/,
    );
  }
}, PYTHON);

test("a client that asks for host and port is graded as the cause advises", async () => {
  const path = `${temporaryFolder()}/client.py`;
  Deno.writeTextFileSync(
    path,
    `import socket
server = socket.create_connection((input("host: "), int(input("port: "))))
while True:
    server.sendall((input() + "\\n").encode())
`,
  );
  const advice = /bash -c .*?'(?=;)/.exec(CAUSES.callsNobody)![0];
  const command = advice.replace("your client", `python3 ${path}`).replace(/\ba\b/, "{host}").replace(
    /\bb\b/,
    "{port}",
  );
  const { checks } = await runGrading({
    exercise: findExercise("chat")!,
    subject: { type: "client", command },
    ...{ port: null, wire: "line", ways: [], only: "what is typed is sent", seed: 1, timeoutMs: 1500, limitMs: 60_000 },
  });
  assertEquals(checks.map(({ failure }) => failure?.got), [undefined]);
}, PYTHON.ignore ? PYTHON : skipUnless("bash"));
