// Programs that do something simpler than what is asked, and that looks alike on the wire: they have no points for it.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { CAUSE } from "../lib/exercises/calc/checks.ts";
import { CAUSE as CAUSE_OF_CHAT } from "../lib/exercises/chat/checks.ts";
import { CAUSES } from "../lib/exercises/causes.ts";
import { CAUSE as CAUSE_OF_FILES } from "../lib/exercises/files/checks.ts";
import { CAUSE as CAUSE_OF_MESSAGES } from "../lib/exercises/messages/checks.ts";
import { findExercise } from "../lib/exercises/registry.ts";
import { CAUSE as CAUSE_OF_MAIL } from "../lib/exercises/smtp/checks.ts";
import { readPdu } from "../lib/exercises/stream/framing.ts";
import type { Mistakes } from "../lib/exercises/stream/outlet.ts";
import type { Spoil } from "../lib/net/server.ts";
import { type GradingSettings, runGrading } from "../lib/grade/grading.ts";
import type { Report } from "../lib/grade/report.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** Grades a program in Python, whole only. */
function gradeProgram(
  name: string,
  type: "server" | "client",
  source: string,
  args = "{port}",
  more: Partial<GradingSettings> = {},
): Promise<Report> {
  const cwd = temporaryFolder();
  Deno.writeTextFileSync(`${cwd}/program.py`, source);
  return runGrading({
    exercise: findExercise(name)!,
    subject: { type, command: `python3 program.py ${args}` },
    cwd,
    ...{ port: null, wire: "line", ways: [], seed: 1, timeoutMs: 2000, startMs: 20_000, limitMs: 60_000, ...more },
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
    passed: ["quit ends the session", "the log of a client that said nothing is empty"],
    broken: "a message does not come back before quit",
  });
  assertMatch(causes, /^each message is sent back when it comes: that is an echo/);
}, PYTHON);

test("messages: who greets its clients, and puts a line over the log, loses points for just that", async () => {
  const { checks } = await gradeProgram(
    "messages",
    "server",
    `
import socket, sys, threading
def serve(client):
    log = []
    with client, client.makefile("rb") as lines:
        client.sendall(b"Say quit to end.\\n")
        for line in lines:
            if line.strip() == b"quit":
                client.sendall(b"Your messages:\\n" + b"".join(log))
                break
            log.append(line)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`,
  );
  const failed = checks.filter(({ outcome }) => outcome !== "passed");
  assertEquals(failed.map(({ name, failure }) => [name, failure?.causes]), [
    ["the log of a client that said nothing is empty", [CAUSE_OF_MESSAGES.empty]],
  ]);
}, PYTHON);

test("messages: a client that shows what was typed shows no log", async () => {
  const { causes, ...rest } = outcome(
    await gradeProgram(
      "messages",
      "client",
      `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    server.sendall(line.encode())
    print("sent:", line, flush=True)
    if line.strip() == "quit":
        break
while server.recv(4096):
    pass
`,
    ),
  );
  assertEquals(rest.broken, "the log is shown at quit, and the client ends");
  assertMatch(causes, /^after quit the program has to read until the connection ends, show what came/);
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

/** A chat server that is right, but for what is changed in it: an answer to EXIT is the last, and the client's end ends it. */
const CHAT_SERVER = `
import re, socket, sys, threading
users = {}
def serve(client):
    name = None
    def say(text): client.sendall((text + "\\n").encode())
    with client, client.makefile("rb") as lines:
        for line in lines:
            word, _, rest = line.decode(errors="replace").strip().partition(" ")
            if word == "NAME":
                if rest in users: say("It is taken")
                elif not re.fullmatch("[a-z]+", rest): say("That is not a name")
                else:
                    name = rest
                    users[name] = say
                    say("HELLO " + name)
            elif word == "GET_NAMES": say(" ".join(users))
            elif word == "MSG":
                to, _, text = rest.partition(" ")
                if to in users: users[to](f"{name} sent {text}")
                else: say("They are not here")
            elif word == "EXIT":
                say("BYE")
                client.shutdown(socket.SHUT_WR)
            else: say("That is not a command")
    users.pop(name, None)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;

test("chat: a server that ends a session when the client has ended its side, too, is right", async () => {
  const { checks } = await gradeProgram("chat", "server", CHAT_SERVER);
  const failed = checks.filter(({ outcome }) => outcome !== "passed");
  assertEquals(failed.map(({ name, failure }) => [name, failure?.step, failure?.got]), []);
}, PYTHON);

test("chat: a receipt with the name in it refuses nothing", async () => {
  const source = CHAT_SERVER.replace('say("They are not here")', 'say("Message sent to " + to)');
  assertNotEquals(source, CHAT_SERVER);
  const { checks } = await gradeProgram("chat", "server", source);
  const failed = checks.filter(({ outcome }) => outcome !== "passed");
  assertEquals(failed.map(({ name, failure }) => [name, failure?.causes]), [
    ["a message to an unknown user is refused, and the sender goes on", [CAUSE_OF_CHAT.unknownUser]],
  ]);
}, PYTHON);

test("chat: who lets messages overtake each other loses points for just that", async () => {
  const hold = `users, held = {}, []
def deliver(say, text, message):
    held.insert(0, message)
    while held and text not in ("one.", "number 0."): say(held.pop(0))
`;
  const source = CHAT_SERVER.replace("users = {}\n", hold).replace("users[to](f", "deliver(users[to], text, f");
  assertMatch(source, /held[^]*deliver\(users/);
  const { checks } = await gradeProgram("chat", "server", source);
  const failed = checks.filter(({ outcome }) => outcome !== "passed");
  assertEquals(failed.map(({ name, failure }) => [name, failure?.causes]), [
    ["messages arrive in the order in which they were sent", [CAUSE_OF_CHAT.order]],
  ]);
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

for (const late of ["", "time.sleep(0.4); "]) {
  const when = late === "" ? "" : ", however late it comes";
  test(`calc: what greets every client refuses nothing, whatever is in it${when}`, async () => {
    const { passed, broken } = outcome(
      await gradeProgram(
        "calc",
        "server",
        `
import operator, socket, sys, threading, time
def serve(client):
    with client, client.makefile("rb") as lines:
        ${late}client.sendall(b"Error-free calculator. Usage: <integer> <operator> <integer>\\n")
        for line in lines:
            left, sign, right = line.decode().split()
            do = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv, "%": operator.mod}[sign]
            client.sendall(b"%d\\n" % do(int(left), int(right)))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`,
      ),
    );
    assertEquals(broken, "division by zero is refused, and the server goes on");
    assertEquals(passed.filter((name) => /refused/.test(name)), []);
  }, PYTHON);
}

test("chat: what greets every client refuses nothing, whatever is in it", async () => {
  const source = CHAT_SERVER.replace("as lines:", 'as lines:\n        say("Choose a name first")')
    .replace('if rest in users: say("It is taken")', "if rest == None: pass")
    .replace('re.fullmatch("[a-z]+", rest)', "rest");
  assertMatch(source, /first[^]*None[^]*not rest/);
  const { passed, broken } = outcome(await gradeProgram("chat", "server", source));
  assertEquals(broken, "a name that is taken is refused, and its owner keeps it");
  assertEquals(passed.filter((name) => /refused/.test(name)), [
    "a message to an unknown user is refused, and the sender goes on",
    "an unknown command is refused, and the sender goes on",
  ]);
}, PYTHON);

test("talk: what greets every client refuses nothing, whatever is in it", async () => {
  const right = Deno.readTextFileSync("tests/peers/talk_lines.py");
  const source = right.replace('client.sendall(b"ERROR wait for the reply\\n")', 'print("Client:", line, flush=True)')
    .replace("        owed = threading", '        client.sendall(b"Wait for each reply\\n")\n        owed = threading');
  assertMatch(source, /Wait for each reply/);
  const { passed, broken } = outcome(await gradeProgram("talk", "server", source));
  assertEquals(broken, "a second message before the reply is refused");
  assertEquals(passed.filter((name) => /refused/.test(name)), []);
}, PYTHON);

test("talk: a message that was refused may be named in a log", async () => {
  const right = Deno.readTextFileSync("tests/peers/talk_lines.py");
  const source = right.replace(
    "if owed.is_set():",
    "if owed.is_set():\n" + " ".repeat(20) + "print(line, file=sys.stderr)",
  );
  assertNotEquals(source, right);
  const { checks } = await gradeProgram("talk", "server", source);
  assertEquals(
    checks.filter(({ outcome }) => outcome !== "passed").map(({ name, failure }) => [name, failure?.got]),
    [],
  );
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

/** Takes callers, each in a thread of its own, and does this with them. */
const takes = (
  body: string,
  starts = "threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()",
) => `
import socket, sys, threading
def take(caller):
    with caller, caller.makefile("rb") as lines:
${body}
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    ${starts}
`;

const TAKEN = "a caller is taken, and may stay";

for (const [name, shown, points] of [["mesh", "what callers say", 10], ["peer", "what the caller says", 15]] as const) {
  test(`${name}: who takes callers and shows nothing has points for that alone`, async () => {
    const { causes: _, ...rest } = outcome(
      await gradeProgram(name, "server", takes("        for line in lines: pass")),
    );
    assertEquals(rest, { points, passed: [TAKEN], broken: `${shown} is shown` });
  }, PYTHON);
}

test("mesh: who leaves the second caller in the queue until the first has gone has no points for many", async () => {
  const one = takes("        for line in lines: print(line.decode(), flush=True)", "take(server.accept()[0])");
  const { points, passed, broken, causes } = outcome(await gradeProgram("mesh", "server", one));
  assertEquals([points, broken], [35, "a second caller is taken, too"]);
  assertEquals(passed, [TAKEN, "what callers say is shown", "ten that come and go at once are no end of the program"]);
  assertMatch(causes, /^the program takes one connection and then sends others away, or leaves them in the queue/);
}, PYTHON);

test("chat: who sends every message to everybody has no points for most of what a chat is for", async () => {
  const source = CHAT_SERVER.replace("users[to](f", "for each in list(users.values()): each(f");
  assertNotEquals(source, CHAT_SERVER);
  const { checks, points } = await gradeProgram("chat", "server", source.replace(/if to in users: (for .*)/, "$1"));
  const failed = checks.filter(({ failure }) => failure !== undefined);
  assertEquals(failed.map(({ name, failure }) => [name, failure?.causes]), [
    ["a message reaches nobody else, nor its sender", [CAUSE_OF_CHAT.everybody]],
  ]);
  assertEquals(points, 75);
}, PYTHON);

test("multitalk: who has no labels has no points for what one operator needs to talk with many", async () => {
  const right = Deno.readTextFileSync("tests/peers/multitalk_lines.py");
  const source = right.replace("{label}: {line}", "{line}").replace('to in ("@all", "@" + label)', "True");
  assertNotEquals(source, right);
  const { checks, points } = await gradeProgram("multitalk", "server", source);
  const failed = checks.filter(({ outcome }) => outcome !== "passed").map(({ name }) => name);
  assertEquals(failed, ["the operator sees who has said what", "the operator answers one client, and no other"]);
  assertEquals(points, 65);
}, PYTHON);

test("transfer: who acknowledges everything and writes nothing has fewer than half of the points", async () => {
  const right = Deno.readTextFileSync("tests/peers/transfer_pdu_receiver.py");
  const source = right.replace(
    / {8}if kind == DATA:[^]*?(?= {4}def bitmap)/,
    () =>
      `        return (ACK, seq + 1, b"") if kind == DATA else (DONE, seq, bytes(4))

`,
  );
  assertNotEquals(source, right);
  const { checks, points } = await gradeProgram("transfer", "server", source, "tcp {port} {dir}", { wire: undefined });
  assertEquals(checks.filter(({ failure }) => failure !== undefined)[0]?.name, "a wrong digest is refused");
  assertEquals(checks.find(({ name }) => name === "a chunk that comes twice is written once")?.outcome, "not run");
  assert(points < 50, `${points} points`);
}, PYTHON);

/** Of all the DATA the first is sent, and no FIN. */
const beginsOnly = ((usual: Mistakes): Mistakes => ({
  ...usual,
  through: ({ send, receive }) => ({
    receive,
    send(bytes, to) {
      const { type, seq } = readPdu(bytes)!;
      if (type !== "FIN" && !(type === "DATA" && seq > 0)) send(bytes, to);
    },
  }),
})) as unknown as Spoil;

test("stream: who sends the beginning of a file has fewer than half of the points, and none for real time", async () => {
  const { checks, points } = await runGrading({
    exercise: findExercise("stream")!,
    subject: {
      type: "own server",
      bug: {
        ...{ name: "begins", summary: "sends the first datagram alone", cause: "" },
        spoil: beginsOnly,
      },
    },
    ...{ port: null, ways: [], seed: 1, timeoutMs: 1000, limitMs: 60_000 },
  });
  const paced = checks.find(({ name }) => name.startsWith("the file is sent in real time"));
  assertEquals(paced?.outcome, "not run");
  assert(points < 50, `${points} points`);
});

test("stream-seed: who never says EOF has no points for not saying it too early", async () => {
  const right = Deno.readTextFileSync("tests/peers/stream_seed_server.py");
  const source = right.replace("    sock.sendto(end, client)", "");
  assertNotEquals(source, right);
  const more = { transport: "udp", wire: "seed" } as const;
  const { checks } = await gradeProgram("stream", "server", source, "{port}", more);
  const lost = checks.filter(({ outcome }) => outcome !== "passed").map(({ name, outcome }) => [outcome, name]);
  assertEquals(lost.slice(0, 3), [
    ["failed", "EOF or END follows the end of the file (seed)"],
    ["not run", "the file is sent in real time: what is due at its end does not come at once (seed)"],
    ["failed", "names that lead out of the folder are refused (seed)"],
  ]);
}, PYTHON);

for (
  const [what, right, wrong, name, cause, most] of [
    [
      "sends the beginning of a long file",
      "(content[offset:] if",
      "(content[offset:][:1024] if",
      "GET gives all of a file that is longer than one read",
      CAUSE_OF_FILES.partial,
      80,
    ],
    [
      "sends less than it says",
      "(content[offset:] if",
      "(content[offset:][:-1] if",
      "GET gives the content",
      CAUSE_OF_FILES.size,
      60,
    ],
    [
      "sends from the beginning what is asked for with an offset",
      "(content[offset:] if",
      "(content[:size] if",
      "GET with an offset gives the rest, and the digest of the whole",
      CAUSE_OF_FILES.offset,
      99,
    ],
  ] as const
) {
  test(`files: who ${what} loses points for that, as many as it matters, and for nothing else`, async () => {
    const peer = Deno.readTextFileSync("tests/peers/files_threads.py");
    const source = peer.replace(right, wrong);
    assertNotEquals(source, peer);
    const { checks, points } = await gradeProgram("files", "server", source, "{port} {dir}");
    const failed = checks.filter(({ failure }) => failure !== undefined);
    assertEquals(failed.map(({ name, failure }) => [name, failure?.causes[0]]), [[name, cause]]);
    assert(points <= most, `${points} points`);
  }, PYTHON);
}

test("files: a client that says that it has a file before it can have it has not fetched it", async () => {
  for (const read of ["", "print(server.recv(1024))", "server.recv(1024); server.recv(1024)"]) {
    const { passed, broken, causes } = outcome(
      await gradeProgram(
        "files",
        "client",
        `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
server.sendall(b"GET " + sys.argv[3].encode() + b"\\n")
${read}
print("saved")
`,
        "{port} {args}",
      ),
    );
    const isShort = read.includes(";");
    assertEquals(passed.includes("a file is fetched"), isShort);
    assertEquals(broken, isShort ? "a refusal is shown" : "a file is fetched");
    assertEquals(passed.includes("a long file arrives whole"), false);
    if (!isShort) assertMatch(causes, /^behind the line that begins with OK come exactly as many bytes as it says/);
  }
}, PYTHON);

/** A mail server that is right, and knows one person. */
const MAIL_SERVER = `
import re, socket, sys, threading
def serve(client):
    sender, to = None, []
    with client, client.makefile("rb") as lines:
        reply = lambda text: client.sendall(text.encode() + b"\\r\\n")
        reply("220 mail.example.org")
        for line in lines:
            verb = line[:4].upper()
            path = re.search(rb"(?:FROM|TO):<([a-z]+@[a-z.]+)?>\\s*$", line, re.I)
            if verb in (b"EHLO", b"HELO", b"RSET"):
                sender, to = None, []
                reply("250 fine")
            elif verb == b"MAIL":
                reply("503 not now" if sender else "250 fine" if path else "501 no address")
                sender = sender or path
            elif verb == b"RCPT":
                is_right = path and path[1] == b"student@example.org"
                if sender and is_right: to.append(path[1])
                reply("503 not now" if not sender else "250 fine" if is_right else "501 no address")
            elif verb == b"DATA":
                reply("354 go ahead" if to else "503 not now")
                content = b"\\r\\n"
                while to and not content.endswith(b"\\r\\n.\\r\\n"): content += lines.readline() or sys.exit()
                if to:
                    sender, to = None, []
                    reply("250 taken")
            elif verb in (b"NOOP", b"VRFY"):
                reply("250 fine")
            elif verb == b"QUIT":
                return reply("221 goodbye")
            else:
                reply("500 unknown")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;

for (
  const [what, right, wrong, name, why] of [
    [
      "keeps a mail's recipients for the next one",
      "sender, to = None, []\n                    reply",
      "sender = None\n                    reply",
      "behind a message its sender and recipients are forgotten (4.1.1.4)",
      CAUSE_OF_MAIL.keeps,
    ],
    [
      "knows FROM: and TO: in capitals only",
      ", re.I)",
      ")",
      "commands may be written in any case (2.4)",
      CAUSE_OF_MAIL.anyCase,
    ],
    [
      "does not know NOOP",
      'b"NOOP", ',
      "",
      "NOOP is answered with 250 (4.1.1.9)",
      CAUSE_OF_MAIL.noop,
    ],
    [
      "forgets what comes behind the end of a mail",
      "lines.readline()",
      '(mail := mail if content[2:] else client.makefile("rb")).readline()',
      "commands that come in one group are answered in order (RFC 2920 section 3.1)",
      CAUSES.joined,
    ],
  ]
) {
  test(`smtp: who ${what} loses points for just that`, async () => {
    const source = MAIL_SERVER.replace(right, wrong);
    assertNotEquals(source, MAIL_SERVER);
    const { checks } = await gradeProgram("smtp", "server", source);
    const failed = checks.filter(({ failure }) => failure !== undefined);
    assertEquals(failed.map(({ name, failure }) => [name, failure?.causes[0]]), [[name, why]]);
  }, PYTHON);
}

test("smtp: who takes no mail has no points for what it refuses", async () => {
  const source = MAIL_SERVER.replace('"354 go ahead" if to else "503 not now"', '"503 not now"')
    .replace("while to and not", "while False and not").replace("if to:\n", "if False:\n");
  assertNotEquals(source, MAIL_SERVER);
  const { checks, points } = await gradeProgram("smtp", "server", source);
  const refusals = checks.filter(({ name }) => /^(RCPT before|RSET|a second EHLO|paths)/.test(name));
  assertEquals(refusals.map(({ outcome }) => outcome), ["not run", "not run", "not run", "not run"]);
  assert(points < 35, `${points} points`);
}, PYTHON);

test("smtp: who says yes to everything has two thirds of the points, and no more", async () => {
  const yes = takes(`        reply = lambda text: caller.sendall(text + b"\\r\\n")
        reply(b"220 hello")
        for line in lines:
            reply({b"DATA": b"354 go ahead", b"QUIT": b"221 goodbye"}.get(line[:4].upper(), b"250 yes"))
            if line[:4].upper() == b"QUIT": break
            if line[:4].upper() == b"DATA":
                content = b"\\r\\n"
                while not content.endswith(b"\\r\\n.\\r\\n"): content += lines.readline() or sys.exit()
                reply(b"250 taken")`);
  const { checks, points } = await gradeProgram("smtp", "server", yes);
  assertEquals(checks.filter(({ failure }) => failure !== undefined)[0]?.failure?.causes, [CAUSE_OF_MAIL.keeps]);
  assert(points <= 67, `${points} points`);
}, PYTHON);

test("smtp: a client that does not say who it is loses points for just that", async () => {
  const { checks } = await gradeProgram(
    "smtp",
    "client",
    `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
lines = server.makefile("rb")
def say(line, code):
    server.sendall(line + b"\\r\\n" if line else b"")
    reply = b"   -"
    while reply[3:4] == b"-":
        reply = lines.readline()
    if reply[:3] != code:
        print(reply)
        server.sendall(b"QUIT\\r\\n")
        sys.exit(1)
say(b"", b"220")
say(b"EHLO", b"250")
say(b"MAIL FROM:<alice@example.org>", b"250")
say(b"RCPT TO:<student@example.org>", b"250")
say(b"DATA", b"354")
say(b"At noon?\\r\\n.", b"250")
say(b"QUIT", b"221")
`,
  );
  const failed = checks.filter(({ failure }) => failure !== undefined);
  const name = "EHLO names the client (4.1.1.1)";
  assertEquals(failed.map(({ name, failure }) => [name, failure?.causes[0]]), [[name, CAUSE_OF_MAIL.nameless]]);
}, PYTHON);
