// `netlab connect` off a terminal: scripts on standard input, what goes to which output, and how it ends when the server
// is not there, leaves, falls silent, or speaks something else.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectChat } from "../lib/exercises/chat/client.ts";
import { connectContext, FakeConsole, withChat } from "./chat_helpers.ts";
import { environment, NETLAB, netlab, Program, runProgram } from "./cli_helpers.ts";
import { deafAddress, Peer, skipUnless, skipUnlessSignals, test, within } from "./helpers.ts";

const SCRIPT = "NAME alice\nGET_NAMES\nMSG alice hi\nMSG bob hi\n";
/** One of them is ERROR, and so the script has failed. */
const ANSWERS = "HELLO alice\nalice\nalice sent hi\nERROR no such user: bob\nEXIT\n";
const FAILURE = "netlab: an answer was ERROR";

/** A server that takes one caller and is whatever `serve` makes of it. */
async function withServer(
  serve: (peer: Peer) => Promise<void>,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = listener.accept().then(async (conn) => {
    const peer = new Peer(conn);
    await serve(peer).finally(() => peer.close());
  });
  try {
    await use(`127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
    await serving;
  } finally {
    listener.close();
  }
}

test("a script on standard input is answered on standard output; notes are on standard error", () =>
  withChat(async ({ port }) => {
    const { status, out, err } = await runProgram(["connect", "chat", `127.0.0.1:${port}`], { input: SCRIPT });
    assertEquals([status, out], [1, ANSWERS]);
    assertEquals(
      err,
      `connected to 127.0.0.1:${port}; commands: NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT\n${FAILURE}\n`,
    );
  }));

test("a word that is no command of the client, and no host, is said to be none even if nothing is asked", async () => {
  const { status, out, err } = await runProgram("connect files no-such-command.invalid");
  assertEquals([status, out], [1, ""]);
  assertMatch(err, /^netlab: cannot connect to no-such-command\.invalid:9002: no such host: /);
});

test("a script has failed whose name is refused, and a person's dialogue has not", () =>
  withChat(async (room) => {
    await room.named("alice");
    const { status, out, err } = await runProgram(`connect chat --port ${room.port} --name alice --quiet`);
    assertEquals([status, out, err], [1, "ERROR name taken: alice\nEXIT\n", `${FAILURE}\n`]);
    const console = new FakeConsole(["NAME alice", "EXIT"], true);
    await within(connectChat(connectContext(room.port, console)), "the end of the client");
    assertEquals(console.printed, ["ERROR name taken: alice", "EXIT"]);
  }));

test("an empty script connects and leaves", () =>
  withChat(async ({ port }) => {
    assertEquals(await runProgram(`connect chat --port ${port} --quiet`), { status: 0, out: "EXIT\n", err: "" });
  }));

test("the last line of a script needs no end, and empty lines and CR do no harm", () =>
  withChat(async ({ port }) => {
    const options = { input: "\n\nNAME alice\r\n \nGET_NAMES" };
    assertEquals((await runProgram(`connect chat --port ${port}`, options)).out, "HELLO alice\nalice\nEXIT\n");
  }));

test("a script goes as far as it is UTF-8: no byte of it is changed, and its line is named", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    await using client = new Program(`connect chat --port ${room.port} --name alice --quiet`);
    await client.write(new Uint8Array([...new TextEncoder().encode("MSG bob grüß dich\n\nMSG bob caf"), 0xe9, 0x0a]));
    await client.type("MSG bob what stands behind it");
    const { status, out, err } = await client.result(); // its input is still open
    assertEquals([status, out], [1, "HELLO alice\nEXIT\n"]);
    assertMatch(err, /^netlab: line 3 of standard input is not UTF-8 \(invalid UTF-8 at byte 12\): neither it .*\n$/);
    assertEquals(await bob.receive(), "alice sent grüß dich");
    await bob.send("GET_NAMES");
    assertEquals(await bob.receive(), "bob");
  }));

test("the mark that begins a text is no part of a script's first command", () =>
  withChat(async ({ port }) => {
    const options = { input: "\ufeffNAME alice\n" };
    assertEquals((await runProgram(`connect chat --port ${port} --quiet`, options)).out, "HELLO alice\nEXIT\n");
  }));

test("what is typed at a server has to be UTF-8, too, and the server goes on without", async () => {
  await using server = new Program("serve talk --host 127.0.0.1 --port 0 --quiet");
  await server.out.line();
  await server.write(Uint8Array.of(0x68, 0xff, 0x0a));
  assertMatch(
    await server.err.line(),
    /^warning: line 1 of standard input is not UTF-8 .*: nothing is read from there on$/,
  );
  server.signal("SIGINT");
  assertEquals((await server.result()).status, 0);
}, skipUnlessSignals());

test("where nothing can be read, as under nohup, a client says so, and a server goes on without", async () => {
  // A standard input that is open for writing only.
  const command = ["sh", "-c", 'exec "$@" 0>/dev/null', "sh", ...NETLAB];
  const why = "cannot read standard input: bad file descriptor";
  await withChat(async ({ port }) => {
    const { status, out, err } = await runProgram(`connect chat --port ${port} --name alice --quiet`, { command });
    assertEquals([status, out, err], [3, "HELLO alice\nEXIT\n", `netlab: ${why}\n`]);
  });
  for (const exercise of ["peer", "mesh", "talk", "multitalk"]) {
    await using server = new Program(`serve ${exercise} --host 127.0.0.1 --port 0 --quiet`, { command });
    assertEquals(await server.err.line(), `warning: ${why}: nothing is read from there on`);
    const port = Number((await server.out.line()).match(/:(\d+) /)![1]);
    const caller = await Peer.connect({ hostname: "127.0.0.1", port });
    await caller.send("hello\n");
    assertMatch(await server.out.line(), /hello$/);
    caller.close();
    server.signal("SIGINT");
    assertEquals((await server.result()).status, 0);
  }
}, skipUnless("sh"));

test("the address may stand in the words, in options, and in the environment; the former win", () =>
  withChat(async ({ port }) => {
    const wrong = { NETLAB_HOST: "no-such-host.invalid", NETLAB_PORT: "1" };
    const ways: [string, Record<string, string>][] = [
      [`connect chat 127.0.0.1 ${port}`, wrong],
      [`connect chat 127.0.0.1:${port} --host no-such-host.invalid --port 1`, wrong],
      [`connect --host 127.0.0.1 --port=${port} chat`, wrong],
      ["connect chat", { NETLAB_PORT: `${port}`, NETLAB_NAME: "alice", NETLAB_QUIET: "1", NETLAB_WIRE: "line" }],
    ];
    for (const [line, env] of ways) {
      const { status, out } = await runProgram(line, { env, input: "GET_NAMES" });
      assertEquals([status, out], [0, env.NETLAB_NAME ? "HELLO alice\nalice\nEXIT\n" : "\nEXIT\n"], line);
    }
  }));

for (const wire of ["line", "len2", "be8", "raw"]) {
  test(`--wire ${wire} is understood by the server`, () =>
    withChat(async ({ port }) => {
      const { status, out } = await runProgram(`connect chat --port ${port} --wire ${wire}`, { input: SCRIPT });
      // Without framing, two answers that are read at once are one.
      const lines = (text: string) => wire === "raw" ? text.replaceAll("\n", "") : text;
      assertEquals([status, lines(out)], [1, lines(ANSWERS)]);
    }));
}

test("with --json everything on standard output is JSON", () =>
  withChat(async ({ port }) => {
    const { status, out } = await runProgram(`connect chat --port ${port} --json`, { input: SCRIPT });
    assertEquals(status, 1);
    assertEquals(out.trimEnd().split("\n").map((line) => JSON.parse(line)), [
      { event: "reply", text: "HELLO alice" },
      { event: "reply", text: "alice" },
      { event: "message", from: "alice", text: "hi" },
      { event: "reply", text: "ERROR no such user: bob" },
      { event: "reply", text: "EXIT" },
    ]);
  }));

test("--trace draws each message on standard error and leaves standard output as it is", () =>
  withChat(async ({ port }) => {
    const { out, err } = await runProgram(`connect chat --port ${port} --trace --quiet`, { input: SCRIPT });
    assertEquals(out, ANSWERS);
    const [connected, ...arrows] = err.trimEnd().split("\n");
    assertEquals(arrows.pop(), FAILURE);
    assertMatch(connected, new RegExp(`^[\\d:.]{12} {2}127.0.0.1:${port} +connected to 127.0.0.1:\\d+$`));
    assertMatch(arrows[0], /◀─+ NAME alice ──$/);
    assertMatch(arrows[1], /── HELLO alice ─+▶$/);
    assertMatch(arrows.at(-1)!, / closed: /);
    assertEquals(arrows.filter((row) => row.includes("◀")).length, 5);
    assertEquals(arrows.filter((row) => row.includes("▶")).length, 5);
    assertEquals(arrows.every((row) => [...row].length <= 80), true);
  }));

test("--trace=hex dumps the bytes, too", () =>
  withChat(async ({ port }) => {
    const { err } = await runProgram(`connect chat --port ${port} --trace=hex`, { input: "NAME alice" });
    assertStringIncludes(err, "14 bytes to 127.0.0.1:");
    assertStringIncludes(err, "000000  30 30 31 30 4e 41 4d 45  20 61 6c 69 63 65        |0010NAME alice|");
    assertStringIncludes(err, "000000  30 30 31 31 48 45 4c 4c  4f 20 61 6c 69 63 65     |0011HELLO alice|");
  }));

test("--trace-file records everything, bytes included, as a JSON object a line", () =>
  withChat(async ({ port }) => {
    const path = await Deno.makeTempFile({ suffix: ".jsonl" });
    try {
      const line = ["connect", "chat", "--port", `${port}`, "--trace-file", path];
      assertEquals((await runProgram(line, { input: "NAME alice" })).status, 0);
      const events = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
      assertEquals([events[0].event, events.at(-1).event], ["open", "close"]);
      const bytes = (direction: string) =>
        events.filter((event) => event.event === "bytes" && event.direction === direction)
          .map((event) => atob(event.bytes)).join("");
      assertEquals(bytes("out"), "0010NAME alice0004EXIT");
      assertEquals(bytes("in"), "0011HELLO alice0004EXIT");
      const messages = events.filter(({ event }) => event === "message").map(({ text }) => text);
      assertEquals(messages, ["NAME alice", "HELLO alice", "EXIT", "EXIT"]);
      assertEquals(events.every(({ at }) => typeof at === "number"), true);
    } finally {
      await Deno.remove(path);
    }
  }));

test("a trace file that cannot be is refused before anything happens", async () => {
  assertEquals(await netlab("connect chat --trace-file x.txt"), {
    status: 2,
    out: "",
    err: 'netlab: --trace-file: cannot write "x.txt": its name says its form: FILE.jsonl\n',
  });
  const { status, out, err } = await netlab("serve chat --port 0 --trace-file /no/such/folder/x.jsonl");
  assertEquals([status, out], [3, ""]);
  assertMatch(
    err,
    /^netlab: cannot write \/no\/such\/folder\/x\.jsonl: (?:no such file|.*path).*: name another --trace-file\n$/,
  );
});

test(
  "a trace file that can no longer be written ends with one warning, and nothing else does; the status says so",
  () =>
    withChat(async ({ port }) => {
      const path = await Deno.makeTempFile({ suffix: ".jsonl" });
      try {
        // A limit of 1 KiB for files, and the signal that goes with it ignored: as on a full disk.
        const limited = `ulimit -f 1; trap "" XFSZ; exec "$@"`;
        const run = (input: string) =>
          runProgram(`connect chat --port ${port} --quiet --trace-file ${path}`, {
            command: ["bash", "-c", limited, "netlab", ...NETLAB],
            input,
          });
        const warning = `warning: cannot write ${path}: file too large: the recording ends here\n`;
        assertEquals(await run(SCRIPT), { status: 1, out: ANSWERS, err: `${warning}${FAILURE}\n` });
        const { status, err } = await run("GET_NAMES\n".repeat(20));
        assertEquals([status, err], [3, `${warning}netlab: the recording in ${path} is not whole\n`]);
      } finally {
        await Deno.remove(path);
      }
    }),
  skipUnless("bash"),
);

test("what a peer sends is shown with its control characters escaped", () =>
  withServer(async (peer) => {
    const text = "\x1b[31mred\x07\u202e\r\n";
    await peer.send(`${new TextEncoder().encode(text).length}`.padStart(4, "0"), text);
    assertEquals(await peer.read(8), "0004EXIT");
  }, async (address) => {
    const { status, out } = await runProgram(["connect", "chat", address]);
    assertEquals([status, out], [0, "\\x1b[31mred\\x07\\u{202e}\\r\\n\n"]);
  }));

test("a reader that leaves (| head -1) is no error", () =>
  withChat(async ({ port }) => {
    const script = `printf 'NAME alice\\n%s\\n' "$(yes GET_NAMES | head -1000)" | ${
      NETLAB.map((word) => `'${word}'`).join(" ")
    } connect chat --port ${port} --quiet | head -1; echo "\${PIPESTATUS[1]}"`;
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script],
      clearEnv: true,
      env: environment(),
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([out, err], ["HELLO alice\n0\n", ""]);
  }), skipUnless("bash"));

test("a server that is not there is one line with status 1", async () => {
  const { host, port } = deafAddress();
  const hint = "nothing listens there: is the server running, and on this port?";
  assertEquals(await runProgram(`connect chat ${host}:${port}`), {
    status: 1,
    out: "",
    err: `netlab: cannot connect to ${host}:${port}: connection refused: ${hint}\n`,
  });
});

test("a host that nobody has, or that cannot be reached, is one line with status 1", async () => {
  const unknown = await runProgram("connect chat no-such-host.invalid");
  assertEquals([unknown.status, unknown.out], [1, ""]);
  assertMatch(
    unknown.err,
    /^netlab: cannot connect to no-such-host\.invalid:7777: no such host: check the spelling.*\n$/,
  );
  // No TCP connection leads to the broadcast address.
  const unreachable = await runProgram("connect chat 255.255.255.255");
  assertEquals([unreachable.status, unreachable.out], [1, ""]);
  assertMatch(unreachable.err, /^netlab: cannot connect to 255\.255\.255\.255:7777: .*: .*\n$/);
});

test("a server that ends the session while the script waits is one line with status 1", () =>
  withServer(async (peer) => {
    assertEquals(await peer.read(14), "0010NAME alice");
    await peer.send("0011HELLO alice");
  }, async (address) => {
    await using client = new Program(["connect", "chat", address, "--quiet", "--name", "alice"]);
    const { status, out, err } = await client.result(); // its input is still open
    assertEquals([status, out], [1, "HELLO alice\n"]);
    assertMatch(err, /^netlab: the server 127\.0\.0\.1:\d+ ended the connection \(.+\): it stopped, or .*\n$/);
  }));

test("a server that does not frame as --wire says is one line with status 1 and a way out", () =>
  withServer(async (peer) => {
    await peer.send("Welcome to my chat server\n");
    await peer.rest();
  }, async (address) => {
    const { status, out, err } = await runProgram(["connect", "chat", address, "--quiet"], { input: "GET_NAMES" });
    assertEquals([status, out], [1, ""]);
    assertMatch(err, /^netlab: cannot read the server: .*: the server does not frame with len4: try another --wire\n$/);
  }));

test("with --idle a server that falls silent is one line with status 124", () =>
  withServer(async (peer) => {
    await peer.rest();
  }, async (address) => {
    await using client = new Program(["connect", "chat", address, "--quiet", "--idle", "200ms"]);
    const { status, out, err } = await client.result(); // its input is still open
    assertEquals([status, out], [124, ""]);
    assertMatch(err, /^netlab: 127\.0\.0\.1:\d+ has said nothing for 200ms.*\n$/);
  }));

test("Ctrl-C ends a client with status 130", () =>
  withChat(async ({ port }) => {
    await using client = new Program(`connect chat --port ${port} --name alice`);
    assertEquals(await client.out.line(), "HELLO alice");
    client.signal("SIGINT");
    assertEquals((await client.result()).status, 130);
  }), skipUnlessSignals());
