// Submissions that misbehave: none of them hangs, fools or crashes the grader, and nothing of them is left behind. What the
// exit status says is whether the submission is bad or the machine.

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { chat } from "../lib/exercises/chat/mod.ts";
import { messages } from "../lib/exercises/messages/mod.ts";
import { spellingOf } from "../lib/exercises/notation.ts";
import { talk } from "../lib/exercises/talk/mod.ts";
import { Actor } from "../lib/grade/actor.ts";
import { freePort } from "../lib/grade/calling.ts";
import type { RunningClient } from "../lib/grade/client_under_test.ts";
import { shape, untilRead, WHOLE } from "../lib/grade/delivery.ts";
import { ownServer, runGrading } from "../lib/grade/grading.ts";
import { Inbox, Unmet } from "../lib/grade/inbox.ts";
import { Program, shellWord } from "../lib/grade/program.ts";
import type { Report } from "../lib/grade/report.ts";
import { ServerProgram } from "../lib/grade/server_under_test.ts";
import { Stage } from "../lib/grade/stage.ts";
import { memoryPair } from "../lib/net/memory.ts";
import type { Clock } from "../lib/protocol/clock.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { NETLAB, netlab, Program as Netlab } from "./cli_helpers.ts";
import { eventually, skipIf, skipUnless, skipUnlessSh, test, within } from "./helpers.ts";

const python = skipUnless("python3");
const linux = skipIf(Deno.build.os === "linux" ? null : "only Linux tells which processes there are");

/** A chat server as students write it: a thread a client, a line a message. `more` is what is wrong with it. */
const SERVER = (more: { start?: string; line?: string } = {}) => `
import os, socket, sys, threading, time
users = {}
def serve(client):
    name = None
    for line in client.makefile("r", encoding="utf-8", errors="replace"):
        line = line.rstrip("\\r\\n")
        ${more.line ?? "pass"}
        word, _, rest = line.partition(" ")
        if word == "NAME":
            name = rest
            users[name] = client
            client.sendall(f"HELLO {name}\\n".encode())
        elif word == "GET_NAMES":
            client.sendall((" ".join(users) + "\\n").encode())
        elif word == "MSG":
            to, _, text = rest.partition(" ")
            users[to].sendall(f"{name} sent {text}\\n".encode())
    users.pop(name, None)
    client.close()
${more.start ?? ""}
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
`;

/** A command that runs a Python program. */
function python3(source: string): string {
  const path = `${temporaryFolder()}/server.py`;
  Deno.writeTextFileSync(path, source);
  return `python3 ${path} {port}`;
}

/** Grades the first checks of chat, whole only. */
function gradeProgram(
  command: string,
  changes: { only?: string; startMs?: number; port?: number } = {},
): Promise<Report> {
  return runGrading({
    exercise: chat,
    subject: { type: "server", command },
    port: null,
    wire: "line",
    ways: [],
    only: "a message reaches nobody else",
    seed: 1,
    timeoutMs: 1000,
    startMs: 5000,
    limitMs: 30_000,
    ...changes,
  });
}

const outcomes = ({ checks }: Report) => checks.map(({ outcome }) => outcome);

/** Processes whose command line has `text` in it. */
async function processesWith(text: string): Promise<string> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", text] }).output();
  return new TextDecoder().decode(stdout);
}

test("a server in a thread a client passes", async () => {
  assertEquals(outcomes(await gradeProgram(python3(SERVER()))), ["passed"]);
}, python);

test("one that opens its port late is waited for", async () => {
  assertEquals(outcomes(await gradeProgram(python3(SERVER({ start: "time.sleep(1)" })))), ["passed"]);
}, python);

test("one that never opens its port fails in time, and says why", async () => {
  const report = await gradeProgram("sleep 98.7654 #{port}", { startMs: 300, only: "a client takes a name" });
  assertEquals(outcomes(report), ["failed"]);
  assertMatch(report.checks[0].failure!.got, /refused/);
  assert(report.durationMs < 5000);
}, skipUnlessSh());

test("one that ends before it listens fails at once, with what it printed", async () => {
  const report = await gradeProgram("echo no such file >&2; exit 5 #{port}", { only: "a client takes a name" });
  const { failure } = report.checks[0];
  assertEquals(failure!.got, "the program ended with status 5 before it could be called");
  assertStringIncludes(failure!.output, "no such file");
  assert(report.durationMs < 4000);
}, skipUnlessSh());

test("words reach a program as they are, whatever is in them", async () => {
  const words = [
    "plain",
    "a  b",
    "",
    'say "hi"',
    "it's",
    "$HOME",
    "a&b|c",
    "*",
    "C:\\dir x\\",
    'back\\"slash',
    "(^)<>;",
    "`id`",
  ];
  const line = [Deno.execPath(), "eval", "console.log(JSON.stringify(Deno.args))", "--", ...words];
  const program = new Program({ command: line.map((word) => shellWord(word)).join(" ") });
  const { code } = await program.ended;
  await program.kill();
  assertEquals([code, JSON.parse(program.output)], [0, words]);
});

test("a word for a shell is in the quotes that most shells know", () => {
  for (const os of ["linux", "windows"] as const) {
    const expected = { "len4": "len4", "takes a name": '"takes a name"', "*": '"*"', "it's": `"it's"` };
    for (const [word, quoted] of Object.entries(expected)) assertEquals(shellWord(word, os), quoted);
  }
  assertEquals([shellWord("$1", "linux"), shellWord("C:\\x", "windows")], ["'$1'", "C:\\x"]);
});

test("one that crashes at its third client loses the check with three, and is started again for the next", async () => {
  const command = python3(SERVER({ line: 'if line.startswith("NAME carol"): os._exit(7)' }));
  const report = await gradeProgram(command, { only: "reach" });
  const [two, three] = report.checks;
  assertEquals([two.name, two.outcome], ["a message reaches the user it is for", "passed"]);
  assertEquals([three.name, three.outcome], ["a message reaches nobody else, nor its sender", "failed"]);
  assertMatch(three.failure!.causes[0], /ended in the middle.*status 7/);
}, python);

test(
  "one that serves a single client, and is a while about its end, has points for it with each that comes anew",
  async () => {
    const command = python3(`
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client, _ = server.accept()
with client, client.makefile("r") as lines:
    log = []
    for line in lines:
        if line == "quit\\n":
            break
        log.append(line)
    client.sendall("".join(log).encode())
time.sleep(0.1)
`);
    const { checks, notes } = await runGrading({
      ...{ exercise: messages, subject: { type: "server", command }, port: null, seed: 1 },
      ...{ only: "the next client gets a log of its own", ways: [], timeoutMs: 4000, limitMs: 60_000 },
    });
    assertEquals(checks.map(({ outcome, failure }) => [outcome, failure?.got]), [["passed", undefined]]);
    assertEquals(notes, [
      "it ended when a client had gone, and was started again for the next: it should go back to accept()",
    ]);
  },
  python,
);

test("one that ends with an error in the middle of a check is had anew for the next, and not before", async () => {
  const command = python3(`
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
server.accept()
sys.exit(3)
`);
  const server = new ServerProgram(command, { transport: "tcp", port: null, startMs: 20_000 });
  try {
    for (let check = 0; check < 2; check++) {
      server.begin();
      (await server.dial()).close();
      while (server.death === null) await server.settle();
      const { message, kind } = await assertRejects(() => server.dial(), Unmet);
      assertEquals([message, kind], ["the program ended with status 3 before it could be called", "end"]);
    }
  } finally {
    await server.stop();
  }
}, python);

test("one that prints without end is stopped, and what it printed first and last is kept", async () => {
  const report = await gradeProgram("yes it is so #{port}", { only: "a client takes a name", startMs: 30_000 });
  const { failure } = report.checks[0];
  assertMatch(failure!.got, /printed more than 16 MB/);
  assert(failure!.output.length < 10_000);
  assert(failure!.output.startsWith("it is so\n"));
}, skipUnlessSh());

test("how much it prints is counted in bytes", async () => {
  const program = new Program({ command: "yes €€€€€€€€€€ | head -c 17000000; exec cat", keyboard: true });
  try {
    await within(program.ended, "its end");
    assertEquals(program.exit?.why, "printed more than 16 MB and was stopped");
  } finally {
    await program.kill();
  }
}, skipUnlessSh());

test("one that prints empty lines is heard, and stopped where they have no end", async () => {
  const program = new Program({ command: "head -c 1000000 /dev/zero | tr '\\0' '\\n'; echo here; exec yes ''" });
  try {
    const here = { what: `"here"`, matches: (text: string) => text === "here" };
    assertEquals(await program.shown.expect(here, 60_000), "here");
    assertEquals((await program.ended).why, "printed more than 2 million lines and was stopped");
    const [first, left, last] = program.output.split(/\n+(… \d+ more characters …)\n+/);
    assertEquals([first, last], ["", ""]);
    assertMatch(left, /^… \d{7,} more/);
    assert(program.output.split("\n").length < 100);
  } finally {
    await program.kill();
  }
}, skipUnlessSh());

test("one that prints while it serves costs nothing but its output", async () => {
  const report = await gradeProgram(python3(SERVER({ line: 'print("x" * 100_000, flush=True)' })));
  assertEquals(outcomes(report), ["passed"]);
}, python);

test(
  "what it prints without an end of line stays the last of it, whatever it prints as an error meanwhile",
  async () => {
    const program = new Program({ command: "printf '= 42'; read line; echo debug >&2; exec cat", keyboard: true });
    try {
      await eventually("the answer", () => program.output === "= 42");
      await program.type("");
      const shows = (wanted: string) =>
        program.shown.expect({ what: `"${wanted}"`, matches: (text) => text === wanted }, 20_000);
      await shows("debug");
      await shows("= 42");
    } finally {
      await program.kill();
    }
  },
  skipUnlessSh(),
);

test("what it prints in colour is judged without, and told as it came", async () => {
  const program = new Program({
    command: String.raw`printf '\033[1;32m42\033[0m\n\033[38:5:9mname\033[m: '; exec sleep 98.7`,
  });
  try {
    for (const wanted of ["42", "name: "]) {
      await program.shown.expect({ what: `"${wanted}"`, matches: (text) => text === wanted }, 20_000);
    }
    assertEquals(program.output, "\x1b[1;32m42\x1b[0m\n\x1b[38:5:9mname\x1b[m: ");
  } finally {
    await program.kill();
  }
}, skipUnlessSh());

test(
  "one built with -fsanitize=address bears what buffers its lines, and what its options say besides is kept",
  async () => {
    const sees = async (env: Record<string, string>) => {
      await using run = new Netlab(
        ["grade", "chat", "--run", 'echo "options: $ASAN_OPTIONS"; exit 5 #{port}', "--only", "a client takes a name"],
        { env },
      );
      return (await run.result()).out.match(/options: (.*)/)?.[1];
    };
    assertEquals(await sees({}), "verify_asan_link_order=0");
    assertEquals(await sees({ ASAN_OPTIONS: "color=never" }), "color=never:verify_asan_link_order=0");
  },
  skipUnlessSh(),
);

test("what it prints cannot write to a terminal", async () => {
  const command = python3(
    SERVER({ start: 'print("\\x1b[2J\\x1b]0;owned\\x07\\x9b31m 100 of 100 points", flush=True); os._exit(0)' }),
  );
  const { status, out } = await netlab([
    "grade",
    "chat",
    "--run",
    command,
    "--wire",
    "line",
    "--only",
    "a client takes a name",
  ]);
  assertEquals(status, 1);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(out), JSON.stringify(out));
  assertStringIncludes(out, "\\x1b[2J");
  assertStringIncludes(out, "\n0 of 10 points");
}, python);

test(
  "whatever it starts is ended with it: children, those that ignore signals, and those that leave their group or environment",
  async () => {
    const unique = `4${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    const start = `
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "${unique}"])
subprocess.Popen(["sleep", "${unique}"], start_new_session=True)
subprocess.Popen(["env", "-i", "sh", "-c", "setsid sleep ${unique}; exit"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "${unique}"])
    os._exit(0)`;
    assertEquals(outcomes(await gradeProgram(python3(SERVER({ start })))), ["passed"]);
    assertEquals(await processesWith(`sleep ${unique}`), "");
  },
  linux.ignore ? linux : python,
);

test(
  "one that has emptied its environment is ended as its group, which is all that is known where /proc does not tell",
  async () => {
    const unique = `4${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    const start = `import subprocess; subprocess.Popen(["sleep", "${unique}"])`;
    const command = `exec env -i "PATH=$PATH" ${python3(SERVER({ start }))}`;
    assertEquals(outcomes(await gradeProgram(command)), ["passed"]);
    assertEquals(await processesWith(`sleep ${unique}`), "");
  },
  linux.ignore ? linux : python,
);

test("one that listens by its own port is not mistaken for who listens there already", async () => {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = other.addr as Deno.NetAddr;
    await assertRejects(
      () => gradeProgram(`sleep 5`, { port }),
      NetlabError,
      `another program listens on port ${port} already`,
    );
  } finally {
    other.close();
  }
}, linux);

/** Answers each datagram with a line that is typed, and does nothing else meanwhile. */
const ASKS_FOR_REPLIES = `
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65535)
    print(message.decode())
    server.sendto(input("Reply: ").encode(), client)
`;

for (const transport of ["tcp", "udp"] as const) {
  test(`over ${transport} one that has its own port is had anew where a check has to have it so`, async () => {
    const command = transport === "udp" ? python3(ASKS_FOR_REPLIES) : "python3 tests/peers/talk_seed_server.py {port}";
    const port = freePort(transport);
    // A message that was not answered waits for a reply still, and the next caller with it.
    const report = await runGrading({
      ...{
        exercise: talk,
        transport,
        wire: "raw",
        port,
        ways: [],
        only: "what that person types is the reply",
        seed: 1,
      },
      subject: { type: "server", command: command.replace("{port}", String(port)) },
      ...{ timeoutMs: 2000, startMs: 20_000, limitMs: 30_000 },
    });
    assertEquals(report.checks.map(({ outcome, failure }) => [outcome, failure?.got]), [["passed", undefined]]);
  }, python);
}

test("over UDP a server that runs somewhere has the same partner in each check of a talk", async () => {
  const server = ownServer(talk, "udp", "line", temporaryFolder());
  try {
    const report = await runGrading({
      ...{ exercise: talk, transport: "udp", subject: { type: "address", ...await server.address() } },
      ...{ port: null, seed: 1, timeoutMs: 5000, limitMs: 30_000 },
    });
    const told = report.checks.map(({ outcome, failure }) => [outcome, failure?.got]);
    assertEquals(told, [["passed", undefined], ["passed", undefined]]);
  } finally {
    await server.stop();
  }
});

test("a message shorter than the place where it would be cut is cut all the same", async () => {
  const writes: string[] = [];
  const [ours] = memoryPair();
  const write = ours.write.bind(ours);
  ours.write = (data: Uint8Array) => {
    writes.push(new TextDecoder().decode(data));
    return write(data);
  };
  const cut = shape(ours, { way: "split", after: 7 });
  const text = new TextEncoder().encode("7 * 6\n");
  const first = await cut.write(text);
  await cut.write(text.subarray(first));
  assertEquals(writes, ["7 * 6", "\n"]);
});

test("whoever hangs up waits not long for one that never does, where nobody asks whether it does", async () => {
  const [ours, theirs] = memoryPair();
  const { makeFramer, codec } = spellingOf({}, "tcp", "line");
  const fill = (text: string) => text;
  const actor = new Actor(ours, { framer: makeFramer(), codec, fill, delivery: WHOLE, timeoutMs: 3_600_000 });
  await actor.leave("end");
  assertEquals(await theirs.read(new Uint8Array(1)), null);
  await actor.close();
});

/** A clock whose timers come so late, in ms, one after the other. */
function lateClock(lateness: number[]): Clock {
  let now = 0;
  return {
    now: () => now,
    at: (when, run) => {
      now = when + lateness.shift()!;
      queueMicrotask(run);
      return () => {};
    },
  };
}

test("where timers come late, the pause between two pieces is repeated: the reader is late, too", async () => {
  const lateness = [40, 20, 1, 40];
  const [ours] = memoryPair();
  await shape(ours, { way: "bytes" }, lateClock(lateness)).write(new Uint8Array(2));
  assertEquals(lateness, [40]);
});

test("a long pause, as between messages without framing, is repeated where it is late by a tenth", async () => {
  const lateness = [300, 46, 45, 44, 300];
  await untilRead(450, lateClock(lateness));
  assertEquals(lateness, [300]);
});

test("interrupted, grading ends what it has started, and says so by its status", async () => {
  const unique = `6${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  await using run = new Netlab([
    ...["grade", "chat", "--run", `echo {port}; exec sleep ${unique}`, "--start", "60s", "--limit", "90s"],
  ]);
  for (let looks = 0; looks < 1000 && await processesWith(`^sleep ${unique}`) === ""; looks++);
  assert(await processesWith(`^sleep ${unique}`) !== "", "it has not been started");
  run.signal("SIGTERM");
  assertEquals((await run.result()).status, 130);
  assertEquals(await processesWith(`^sleep ${unique}`), "");
}, linux);

test("a Ctrl-C that reaches all of netlab's group while a program is being ended leaves nothing behind", async () => {
  const unique = `7${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const folder = temporaryFolder();
  // Who looks for what a program has left behind is interrupted there; the program's parent is netlab, in a group of its own.
  const find = `#!/bin/sh\nkill -s INT -- "-$(cat ${folder}/netlab)"\nPATH=\${PATH#*:}\nexec grep "$@"\n`;
  Deno.writeTextFileSync(`${folder}/grep`, find, { mode: 0o755 });
  await using run = new Netlab(
    [
      ...["grade", "chat", "--run", `echo $PPID >${folder}/netlab; exec sleep ${unique} #{port}`],
      ...["--only", "a client takes a name", "--start", "300ms"],
    ],
    { env: { PATH: `${folder}:${Deno.env.get("PATH")}` }, command: ["setsid", ...NETLAB] },
  );
  assertEquals((await run.result()).status, 130);
  assertEquals(await processesWith(`^sleep ${unique}`), "");
}, linux.ignore ? linux : skipUnless("setsid"));

test("what was being graded when a batch is interrupted has no result, and what was not has none", async () => {
  const unique = `4${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const dir = temporaryFolder();
  for (let i = 0; i < 20; i++) {
    Deno.mkdirSync(`${dir}/s${i}`);
    Deno.writeTextFileSync(`${dir}/s${i}/who`, String(i)); // like another it would have that one's result
  }
  await using run = new Netlab([
    ...["grade", "chat", "--batch", dir, "--run", `echo {port}; exec sleep ${unique}`, "--start", "60s"],
  ]);
  for (let looks = 0; looks < 1000 && await processesWith(`^sleep ${unique}`) === ""; looks++);
  run.signal("SIGINT");
  const { status, out, err } = await run.result();
  assertEquals([status, out, err], [130, "", ""]);
  assertEquals([...Deno.readDirSync(dir)].filter(({ name }) => name === ".netlab-grades"), []);
}, linux);

test("one that forks and forks is ended, too", async () => {
  const unique = `5${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  // Each of them starts the next and ends: a chain that a single look would miss. It is not endless, whatever happens.
  const command =
    `i=0; while [ $i -lt 40 ]; do setsid sh -c 'for j in 1 2 3 4 5 6; do sleep 0.2; setsid sleep ${unique} & done' & i=$((i+1)); done; echo started; sleep ${unique} #{port}`;
  const program = new Program({ command });
  await program.shown.expect({ what: "that all have started", matches: (text) => text === "started" }, 10_000);
  await program.kill();
  assertEquals(await processesWith(`sleep ${unique}`), "");
}, linux);

test("a client under test may take longer to start than for a step", async () => {
  const path = `${temporaryFolder()}/client.py`;
  Deno.writeTextFileSync(
    path,
    `import socket, sys, time
time.sleep(1)
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
answers = server.makefile()
for line in sys.stdin:
    server.sendall(line.encode())
    print(answers.readline())
`,
  );
  const grade = (startMs: number) =>
    runGrading({
      exercise: chat,
      subject: { type: "client", command: `python3 ${path} {host} {port}` },
      port: null,
      wire: "line",
      ways: [],
      only: "what is typed is sent",
      seed: 1,
      timeoutMs: 500,
      startMs,
      limitMs: 30_000,
    });
  assertEquals(outcomes(await grade(20_000)), ["passed"]);
  assertEquals((await grade(500)).checks[0].failure?.got, "nobody called in 500 ms");
}, python);

test("the ports that programs are told are from 10,000 to 20,000, where a course may want them to be", async () => {
  const isAsked = (port: number) => port >= 10_000 && port <= 20_000;
  for (const transport of ["tcp", "udp"] as const) {
    for (let i = 0; i < 50; i++) {
      const port = freePort(transport);
      assert(isAsked(port), `${port}`);
    }
  }
  const report = await runGrading({
    exercise: chat,
    subject: { type: "client", command: "echo {port}" },
    port: null,
    only: "what is typed is sent",
    seed: 1,
    timeoutMs: 400,
    startMs: 5000,
    limitMs: 10_000,
  });
  const { output } = report.checks[0].failure!;
  assert(isAsked(Number(output)), output);
}, skipUnlessSh());

test("a client under test that never calls, or ends at once, fails in time", async () => {
  const grade = (command: string) =>
    runGrading({
      exercise: chat,
      subject: { type: "client", command },
      port: null,
      only: "what is typed is sent",
      seed: 1,
      timeoutMs: 400,
      startMs: 400,
      limitMs: 10_000,
    });
  const idle = await grade("sleep 1234 #{port}");
  assertEquals(idle.checks[0].failure?.got, "nobody called in 400 ms");
  const gone = await grade("echo Traceback; exit 3 #{port}");
  assertEquals(gone.checks[0].failure?.got, "nobody called: the program ended with status 3");
  assertStringIncludes(gone.checks[0].failure!.output, "Traceback");
}, skipUnlessSh());

test("of a client that calls and calls, who comes first is taken, and no more than 64 are kept waiting", async () => {
  const { makeFramer, codec } = spellingOf({}, "tcp", "line");
  const calls: Deno.TcpConn[] = [];
  let address = { hostname: "", port: 0 };
  const running: RunningClient = {
    ...{ shown: new Inbox((text) => text), output: "", ended: null, exitCode: null },
    ...{ type: () => Promise.resolve(), endInput: () => Promise.resolve(), kill: () => Promise.resolve() },
  };
  const start = (hostname: string, port: number) => (address = { hostname, port }, running);
  const stage = new Stage({
    ...{ client: { program: { name: "it", start }, transport: "tcp", port: 0 }, makeFramer, codec, delivery: WHOLE },
    ...{ timeoutMs: 20_000, startMs: 20_000, nameSuffix: "a" },
  });
  try {
    await stage.start("client", []);
    for (let i = 0; i < 65; i++) calls.push(await Deno.connect(address));
    assertEquals(await calls[64].read(new Uint8Array(1)), null);
    await calls[0].write(new TextEncoder().encode("first\n"));
    await stage.accept("server");
    const first = { what: "the first", matches: (text: string) => text === "first" };
    assertEquals(await stage.actor("server").expect(first), "first");
  } finally {
    await stage.close();
    for (const call of calls) call.close();
  }
});

test("the whole takes no longer than --limit, and what was not run has no points", async () => {
  const report = await runGrading({
    exercise: chat,
    subject: { type: "server", command: "sleep 1234 #{port}" },
    port: null,
    seed: 1,
    timeoutMs: 1000,
    startMs: 300,
    limitMs: 100,
  });
  assertEquals(report.points, 0);
  assertEquals(report.checks.at(-1)!.because, "out of time");
}, skipUnlessSh());

test("the exit status tells a bad submission from a machine without the language", async () => {
  const grade = (run: string) =>
    netlab(["grade", "chat", "--run", run, "--only", "a client takes a name", "--start", "300ms"]);
  assertEquals((await grade("false #{port}")).status, 1);
  // Not even by pretending: 127 is what a shell says of a command that it does not find.
  assertEquals((await grade("sh -c 'exit 127' #{port}")).status, 1);
  const missing = await grade("no-such-language server {port}");
  assertEquals(missing.status, 3);
  assertEquals(missing.err, "netlab: this machine has no no-such-language: install it, or write its path\n");
  assertEquals((await grade("python3 server.py")).status, 2);
}, skipUnlessSh());

test(
  "what is to be run again for one check says how patient to be, where that was said, and is taken as it is",
  async () => {
    const grade = (...more: string[]) =>
      netlab(["grade", "chat", "--run", "false #{port}", "--only", "a client takes a name", ...more]);
    const again = async (...more: string[]) => (await grade(...more)).out.match(/again: netlab (.*)/)?.[1];
    const [run, only] = ['grade chat --run "false #{port}"', '--only "a client takes a name" --way whole --seed 1'];
    assertEquals(await again(), `${run} ${only}`);
    assertEquals(await again("--timeout", "1500ms", "--start", "1m"), `${run} --timeout 1.5s --start 1m ${only}`);
  },
  skipUnlessSh(),
);

test("what means nothing to a list of checks is refused", async () => {
  for (const [option, value] of [["format", "json"], ["out", "x"], ["repeat", "3"], ["batch", "."]]) {
    const { status, out, err } = await netlab(["grade", "chat", "--list", `--${option}`, value]);
    assertEquals([status, out, err], [2, "", `netlab: --${option} means nothing to --list\n`]);
  }
});

test("one that took its own folder away is not started again, and that is said", () => {
  assertThrows(
    () => new Program({ command: "true", cwd: `${temporaryFolder()}/gone` }),
    NetlabError,
    "the folder of the program is gone: it may have taken it away",
  );
});

test("a folder to start programs in that is none is wrong usage", async () => {
  const folder = temporaryFolder();
  Deno.writeTextFileSync(`${folder}/file`, "");
  for (const [name, why] of [["gone", "there is none"], ["file", "it is no folder"]]) {
    for (const how of ["--run", "--client"]) {
      const cwd = `${folder}/${name}`;
      const { status, out, err } = await netlab(["grade", "files", how, "true {port}", "--cwd", cwd]);
      assertEquals([status, out], [2, ""]);
      assertEquals(err, `netlab: cannot start programs in ${cwd}: ${why}: name a folder with --cwd\n`);
    }
  }
});
