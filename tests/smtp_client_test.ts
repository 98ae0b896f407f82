// The client on sockets, against servers that a test plays and netlab's own.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { STAGES } from "../lib/exercises/smtp/protocol.ts";
import { smtp } from "../lib/exercises/smtp/mod.ts";
import { serveSmtp } from "../lib/exercises/smtp/server.ts";
import type { OptionValues } from "../lib/exercises/options.ts";
import type { NetlabError } from "../lib/protocol/errors.ts";
import { netlab, Program, type Result } from "./cli_helpers.ts";
import { FakeConsole, serveContext, temporaryFolder, withListener } from "./chat_helpers.ts";
import { collect, Peer, skipUnless, test, within } from "./helpers.ts";
import { readAll } from "./net_helpers.ts";
import {
  type Answers,
  client,
  type Heard,
  makeCertificate,
  passwordFile,
  play,
  run,
  TO_ONE,
  USUAL,
} from "./smtp_client_helpers.ts";

test("a message is sent, and the report says to whom and what the server said", async () => {
  const { console, heard, error } = await run({}, { ...TO_ONE, body: "one\n.\n..two", header: "X-A: b" });
  assertEquals(error, null);
  assertMatch(heard.commands[0], /^EHLO \[127\.0\.0\.1\]$/);
  assertMatch(heard.commands[1], /^MAIL FROM:<a@x\.example> SIZE=\d+$/);
  assertEquals(heard.commands.slice(2), ["RCPT TO:<b@y.example>", "DATA", "QUIT"]);
  const [head, body] = heard.contents[0].split("\r\n\r\n");
  assertMatch(head, /^Subject: hi$/m);
  assertMatch(head, /^X-A: b$/m);
  assertEquals(body, "one\r\n..\r\n...two", "dots are doubled");
  assertMatch(console.printed.join(), /^sent \d+ bytes to b@y\.example in [\d.]+ s: 250 2\.0\.0 taken$/);
  assertEquals(console.events[0].event, "sent");
  assertEquals(heard.ends, ["quit"]);
});

test("a file is attached as often as it is named", async () => {
  const file = `${temporaryFolder()}/ünï.bin`;
  Deno.writeFileSync(file, Uint8Array.of(0, 255, 10));
  const { heard, error } = await run({}, { ...TO_ONE, attach: `${file}\n${file}` });
  assertEquals(error, null);
  assertEquals(heard.contents[0].match(/filename\*/g)?.length, 2);
  assertMatch(heard.contents[0], /\r\nAP8K\r\n/);
});

test("a file is called what it is in its folder, also with a backslash in its name", async () => {
  const file = `${temporaryFolder()}/a\\b.txt`;
  Deno.writeTextFileSync(file, "x");
  const { heard, error } = await run({}, { ...TO_ONE, attach: file });
  assertEquals(error, null);
  assertMatch(heard.contents[0], /filename="a\\\\b\.txt"/);
}, { ignore: Deno.build.os === "windows" });

test("a person types the text of --body -", async () => {
  const console = new FakeConsole(["from", "a person"], true);
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  await withListener((conn) => play(conn, {}, heard), async (port) => {
    assertEquals(await client(port, console, { ...TO_ONE, body: "-" }), null);
  });
  assertMatch(heard.contents[0], /from\r\na person/);
});

test("--body - and --raw - take standard input as bytes", async () => {
  const latin1 = Uint8Array.from("Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n", (one) => one.charCodeAt(0));
  const send = async (option: string, input: Uint8Array) => {
    const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
    let result: Result | null = null;
    await withListener((conn) => play(conn, {}, heard), async (port) => {
      await using program = new Program(`connect smtp --port ${port} --from a@x.example --to b@y.example ${option} -`);
      await program.write(input);
      await program.endInput();
      result = await program.result();
    });
    return { content: heard.contents[0], ...result! as Result };
  };
  const raw = await send("--raw", latin1);
  assertEquals([raw.status, raw.content], [0, "Subject: x\r\n\r\nGr\u00fc\u00dfe"]);
  assert(!raw.err.includes("CRLF"), raw.err);
  const text = await send("--body", new TextEncoder().encode("from\na pipe\n"));
  assertEquals(text.status, 0);
  assertMatch(text.content, /from\r\na pipe/);
  const wrong = await send("--body", latin1);
  assertEquals([wrong.status, wrong.content], [2, undefined]);
  assertMatch(wrong.err, /the text of --body - is not UTF-8: invalid UTF-8 at byte 16/);
});

test("headers have the addresses of the envelope, also of a postmaster without a domain", async () => {
  const from = '"Doe, <J>" <"a, b@c"@x.example>';
  const { heard, error } = await run({}, { ...TO_ONE, from, to: "Postmaster, Boss <postmaster>, b@y.example" });
  assertEquals(error, null);
  assertMatch(heard.commands[1], /^MAIL FROM:<"a, b@c"@x\.example> /);
  assertEquals(heard.commands.slice(2, 5), ["RCPT TO:<Postmaster>", "RCPT TO:<postmaster>", "RCPT TO:<b@y.example>"]);
  assertMatch(heard.contents[0], /^From: "Doe, <J>" <"a, b@c"@x\.example>\r$/m);
  assertMatch(
    heard.contents[0].replace(/\r\n[ \t]+/g, " "),
    /^To: <Postmaster@\[127\.0\.0\.1\]>, Boss <postmaster@\[127\.0\.0\.1\]>, b@y\.example\r$/m,
  );
  const raw = `${temporaryFolder()}/x.eml`;
  Deno.writeTextFileSync(raw, "Subject: x\n\nhi\n");
  const sent = await run({}, { from: '"a<b>"@x.example', to: "b@y.example", raw });
  assertEquals([sent.error, sent.heard.contents.length], [null, 1]);
});

/** Sends a message as these words of a command line say. */
async function sendAs(...words: string[]): Promise<Heard> {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  await withListener((conn) => play(conn, {}, heard), async (port) => {
    const { status, err } = await netlab(["connect", "smtp", "--port", `${port}`, "--from", "a@x.example", ...words]);
    assertEquals([status, err], [0, ""]);
  });
  return heard;
}

test("--to may be said several times", async () => {
  const heard = await sendAs("--body", "hi", "--to", "b@y.example", "--to", "c@y.example, d@y.example");
  const to = ["b@y.example", "c@y.example", "d@y.example"];
  assertEquals(heard.commands.filter((one) => one.startsWith("RCPT")), to.map((one) => `RCPT TO:<${one}>`));
  assertMatch(heard.contents[0], new RegExp(`^To: ${to.join(", ")}\r$`, "m"));
});

test("a subject and a text may be empty", async () => {
  const heard = await sendAs("--to", "b@y.example", "--subject", "", "--body", "");
  assertMatch(heard.contents[0], /\r\n(\r\n)?$/);
  assert(!/^Subject: ./m.test(heard.contents[0]));
});

test("--raw sends a file as it is, with CRLF", async () => {
  const file = `${temporaryFolder()}/x.eml`;
  Deno.writeTextFileSync(file, "Subject: raw\n\n.hä\n");
  const { heard, console, error } = await run({}, { from: "<>", to: "b@y.example", raw: file });
  assertEquals(error, null);
  assertEquals(heard.commands[1], "MAIL FROM:<> SIZE=22 BODY=8BITMIME");
  assertEquals(heard.contents, ["Subject: raw\r\n\r\n..h\u00c3\u00a4"]);
  assertMatch(console.notes.join(), /3 line ends .* become CRLF/);
});

test("--raw without headers is a body, for which 8BITMIME will do", async () => {
  const file = `${temporaryFolder()}/x.eml`;
  Deno.writeTextFileSync(file, "Grüße\r\n");
  const { heard, error } = await run({}, { from: "a@x.example", to: "b@y.example", raw: file });
  assertEquals([error, heard.contents.length], [null, 1]);
  assertEquals(heard.commands[1], "MAIL FROM:<a@x.example> SIZE=9 BODY=8BITMIME");
});

/** Refusals at every stage: the answers, the kind of the failure, and what it says. */
const FAILURES: [what: string, answers: Answers, kind: string, message: RegExp][] = [];
for (
  const [word, what] of Object.entries({
    greeting: "the session",
    EHLO: "EHLO",
    MAIL: "the sender <a@x.example>",
    RCPT: "the recipient <b@y.example>",
    DATA: "DATA",
    ".": "the message",
  })
) {
  const refusal = word === "EHLO" ? "450 no" : "554 5.7.1 no";
  FAILURES.push(
    [`${word} refused`, { [word]: `${refusal}\r\n` }, "reply", new RegExp(`the server refuses ${what}: ${refusal}`)],
    [
      `${word} refused in several lines`,
      { [word]: `${refusal.slice(0, 3)}-so\r\n${refusal}\r\n` },
      "reply",
      new RegExp(refusal),
    ],
    [`${word} answered with 421`, { [word]: "421 closing\r\n" }, "reply", /421 closing/],
    [`${word} answered by hanging up`, { [word]: null }, "transport", /the server ended the connection/],
    [
      `${word} answered with half a line`,
      { [word]: (_, n) => n > 1 ? null : "25", QUIT: null },
      "timeout",
      word === "greeting" ? /no whole greeting/ : /no answer to/,
    ],
    [`${word} answered with nonsense`, { [word]: "\x00\xff hello\r\n" }, "protocol", /is no reply/],
    [`${word} answered with two codes`, { [word]: "250-a\r\n350 b\r\n" }, "protocol", /the same code/],
    [`${word} answered with an endless line`, { [word]: "x".repeat(10_000) }, "limit", /more than 8192 bytes/],
  );
}

for (const [what, answers, kind, message] of FAILURES) {
  test(`${what}: the client says so, and fails`, async () => {
    // Only who waits for what never comes should not wait for long.
    const { error, console } = await run(answers, TO_ONE, { idleMs: kind === "timeout" ? 150 : 20_000 });
    assert(error !== null, `no failure; printed were ${console.printed.join()}`);
    assertEquals([error.kind, message.test(error.message)], [kind as NetlabError["kind"], true], error.message);
    assert(!console.printed.some((row) => row.startsWith("sent ")));
  });
}

test("what is said of a refusal fits it", async () => {
  const cases: [Answers, string, string | undefined][] = [
    [{ greeting: "250 hi\r\n" }, "the server refuses the session: 250 hi", undefined],
    [{ ".": "550 5.7.1 no\r\n" }, "the server refuses the message: 550 5.7.1 no", undefined],
    [
      { RCPT: "550 no\r\n" },
      "the server refuses the recipient <b@y.example>: 550 no",
      "is the address right? the server may take mail for its own domains only",
    ],
    [{ greeting: "999 hi\r\n" }, '"999 hi" is no reply: the first digit of its code is none of 2 to 5', undefined],
    [{ greeting: "220hi\r\n" }, '"220hi" is no reply: a space is missing behind its code', undefined],
  ];
  for (const [answers, message, hint] of cases) {
    const { error } = await run(answers, TO_ONE, { idleMs: 2000 });
    assertEquals([error?.message.includes(message), error?.hint], [true, hint], error?.message);
  }
});

test("a multi-line greeting, a code alone, LF alone: all are understood", async () => {
  const { error, console } = await run({
    greeting: "220-one\r\n220-two\r\n220 three\r\n",
    MAIL: "250\r\n",
    RCPT: "250 ok\n",
  }, TO_ONE);
  assertEquals(error, null);
  assertMatch(console.notes.join(), /LF alone/);
});

test("replies may come byte by byte; a server that says all of them at once is found out", async () => {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole([]);
  await withListener((conn) => {
    conn.setNoDelay(true);
    const slow = {
      read: (into: Uint8Array) => conn.read(into),
      write: async (bytes: Uint8Array) => {
        for (let i = 0; i < bytes.length; i++) await conn.write(bytes.subarray(i, i + 1));
        return bytes.length;
      },
    } as Deno.Conn;
    return play(slow, {}, heard);
  }, async (port) => assertEquals(await client(port, console, { ...TO_ONE, count: 3 }), null));
  assertEquals(heard.contents.length, 3);
  const { error } = await run({ greeting: Object.values(USUAL).join("") }, TO_ONE);
  assertEquals(error?.kind, "protocol");
});

test("EHLO that is not known leads to HELO", async () => {
  const { error, heard } = await run({ EHLO: "502 no\r\n" }, TO_ONE);
  assertEquals(error, null);
  assertEquals(heard.commands.slice(1, 3), ["HELO [127.0.0.1]", "MAIL FROM:<a@x.example>"]);
});

test("a recipient that is refused is reported, the others get theirs, and the status is a failure", async () => {
  const answers: Answers = { RCPT: (line) => line.includes("nobody") ? "550 5.1.1 nobody\r\n" : "250 ok\r\n" };
  const { error, console } = await run(answers, { ...TO_ONE, to: "b@y.example,nobody@y.example, c@y.example" });
  assertEquals(console.printed[0], "refused: nobody@y.example: 550 5.1.1 nobody");
  assertMatch(console.printed[1], /^sent \d+ bytes to b@y\.example, c@y\.example /);
  assertEquals([error?.kind, error?.message], ["reply", "1 recipient was refused: the others get the message"]);
  assertEquals(console.events[0], { event: "refused", to: "nobody@y.example", code: 550, text: "5.1.1 nobody" });
});

test("of many recipients that are refused ten are told, and all are counted; --json has each", async () => {
  const answers: Answers = { RCPT: (line) => line.includes("nobody") ? "550 nobody\r\n" : "250 ok\r\n" };
  for (const [count, each] of [[1, 18], [3, 6]]) {
    const to = ["b@y.example", ...Array.from({ length: each }, (_, i) => `nobody${i}@y.example`)].join();
    const send = async (...words: string[]) => {
      let result: Result | null = null;
      const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
      await withListener((conn) => play(conn, answers, heard), async (port) => {
        const line = ["connect", "smtp", "--port", `${port}`, "--from", "a@x.example", "--to", to, "--body", "hi"];
        result = await netlab([...line, "--count", `${count}`, ...words]);
      });
      return { ...result! as Result };
    };
    const shown = await send();
    const rows = shown.out.trimEnd().split("\n");
    assertEquals(rows.map((row) => row.split(" ")[0]), [...Array(10).fill("refused:"), "and", "sent"]);
    assertEquals(rows[10], "and 8 more");
    assertMatch(shown.err, /18 recipients were refused/);
    const events = (await send("--json")).out.trimEnd().split("\n").map((row) => JSON.parse(row));
    const refused = events.filter(({ event }) => event === "refused");
    assertEquals([refused.length, new Set(refused.map((one) => one.to)).size], [18, each]);
    assertEquals(events.length, 19);
    if (count > 1) assertEquals(events.at(-1).refused, 18);
  }
});

test("where the server offers PIPELINING, an envelope leaves in one write", async () => {
  const reads: string[] = [];
  const console = new FakeConsole([]);
  await withListener(async (conn) => {
    const say = (text: string) => conn.write(new TextEncoder().encode(text));
    const block = new Uint8Array(65_536);
    const hear = async () => {
      const count = await conn.read(block);
      reads.push(new TextDecoder().decode(block.subarray(0, count ?? 0)));
    };
    await say("220 hi\r\n");
    await hear();
    await say("250-hi\r\n250 PIPELINING\r\n");
    await hear();
    await say("250 a\r\n250 b\r\n250 c\r\n354 d\r\n");
    await hear();
    await say("250 a\r\n250 b\r\n250 c\r\n354 d\r\n".replace("250 a", "250 first\r\n250 a"));
    await hear();
    await say("250 second\r\n");
    await hear();
    await say("221 bye\r\n");
  }, async (port) => {
    assertEquals(await client(port, console, { ...TO_ONE, to: "b@y.example,c@y.example", count: 2 }), null);
  });
  const envelope = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n";
  assertEquals(reads.length, 5);
  assertEquals(reads[1], envelope);
  assert(reads[2].endsWith(`\r\n.\r\n${envelope}`), "the next envelope leaves with the content");
  assertEquals(reads[4], "QUIT\r\n");
  assertMatch(console.printed.join(), /^sent 2 of 2 messages \(\d+ bytes\) over 1 connection in /);
});

test("--count over --connections sends all, each with a Message-ID of its own", async () => {
  const { error, console, heard } = await run({}, { ...TO_ONE, count: 50, connections: 4 });
  assertEquals(error, null);
  assertEquals([heard.contents.length, heard.connections], [50, 4]);
  assertEquals(new Set(heard.contents.map((text) => /^Message-ID: .*$/m.exec(text)![0])).size, 50);
  assertEquals(console.events.at(-1)?.sent, 50);
});

test("a server that takes a few messages a session gets the rest in others", async () => {
  const { error, heard } = await run({ MAIL: (_, n) => n > 3 ? "421 enough\r\n" : "250 ok\r\n" }, {
    ...TO_ONE,
    count: 10,
  });
  assertEquals([error, heard.contents.length, heard.connections], [null, 10, 4]);
});

test("connections that a server has no room for are told, and are no failure where the others send all", async () => {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole([]);
  // Two are served, when four have been turned away.
  const full = Promise.withResolvers<void>();
  let [come, away] = [0, 0];
  const greeting = () => {
    if (++come <= 2) return full.promise.then(() => "220 hi\r\n");
    if (++away === 4) full.resolve();
    return "421 server full\r\n";
  };
  await withListener((conn) => play(conn, { greeting }, heard), async (port) => {
    assertEquals(await client(port, console, { ...TO_ONE, count: 50, connections: 6 }), null);
  });
  assertEquals([heard.contents.length, heard.connections], [50, 6]);
  assertMatch(console.printed.join(), /^sent 50 of 50 messages \(\d+ bytes\) over 2 connections in /);
  assertEquals(console.notes, [
    "4 connections came to nothing, the others sent all: the server refuses the greeting: 421 server full",
  ]);

  const none = await run({ greeting: "421 server full\r\n" }, { ...TO_ONE, count: 5, connections: 2 });
  assertMatch(none.console.printed.join(), /^sent 0 of 5 messages \(0 bytes\) over 0 connections in /);
  assertEquals(none.error?.message, "5 of 5 messages failed: the server refuses the greeting: 421 server full");
});

test("a message that goes back when a session breaks gets a number that no other connection has", async () => {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const firstTaken = Promise.withResolvers<void>();
  const secondBegun = Promise.withResolvers<void>();
  // The first connection breaks at its second message, when the second connection has begun its first.
  const sessions: Answers[] = [{
    MAIL: async (_, n) => {
      if (n === 1) return "250 ok\r\n";
      firstTaken.resolve();
      await secondBegun.promise;
      return "421 enough\r\n";
    },
  }, {
    greeting: () => firstTaken.promise.then(() => "220 hi\r\n"),
    MAIL: () => {
      secondBegun.resolve();
      return "250 ok\r\n";
    },
  }];
  await withListener((conn) => play(conn, sessions.shift() ?? {}, heard), async (port) => {
    assertEquals(await client(port, new FakeConsole([]), { ...TO_ONE, count: 6, connections: 2 }), null);
  });
  const ids = heard.contents.map((text) => /^Message-ID: .*$/m.exec(text)![0]);
  assertEquals([ids.length, new Set(ids).size], [6, 6]);
});

test("--dialogue prints both sides, without the password", async () => {
  const password = "s3cret-w0rd";
  const trace = collect();
  const { error, console, heard } = await run(
    { EHLO: "250-mail.example\r\n250 AUTH PLAIN\r\n", AUTH: `235 welcome, your password is ${password}\r\n` },
    { ...TO_ONE, dialogue: true, user: "bob", "password-file": passwordFile(password) },
    { trace },
  );
  assertEquals(error, null);
  assertEquals(heard.commands[1], `AUTH PLAIN ${btoa(`\0bob\0${password}`)}`);
  assertEquals(console.printed.slice(0, 6), [
    "S: 220 mail.example ESMTP",
    "C: EHLO [127.0.0.1]",
    "S: 250-mail.example",
    "S: 250 AUTH PLAIN",
    "C: AUTH PLAIN ****",
    "S: 235 welcome, your password is ****",
  ]);
  assert(console.printed.includes("C: .") && console.printed.includes("C: Subject: hi"));
  assertMatch(console.notes.join(), /clear text/);
  const everything = JSON.stringify([console.printed, console.events, console.notes, trace.events]);
  for (const secret of [password, btoa(password), btoa(`\0bob\0${password}`)]) {
    assert(!everything.includes(secret), secret);
  }
});

for (const after of STAGES) {
  for (const how of ["stop-after", "drop-after"]) {
    test(`--${how} ${after} ends there`, async () => {
      const { error, heard, console } = await run({}, { ...TO_ONE, [how]: after });
      assertEquals(error, null);
      const quits = how === "stop-after" && after !== "data" && after !== "content";
      assertEquals(heard.ends, [quits ? "quit" : heard.ends[0]]);
      assertEquals(heard.contents.length, after === "message" ? 1 : 0);
      assertMatch(
        console.printed.at(-1)!,
        new RegExp(`${how === "drop-after" ? "dropped" : "stopped"} after ${after}|^sent`),
      );
    });
  }
}

for (const after of ["rcpt", "data", "content", "message"]) {
  for (const how of ["stop-after", "drop-after"]) {
    test(`--${how} ${after}: a recipient that is refused on the way is told, and a failure`, async () => {
      const answers: Answers = { RCPT: (line) => line.includes("nobody") ? "550 nobody\r\n" : "250 ok\r\n" };
      const options = { ...TO_ONE, to: "b@y.example,nobody@y.example", [how]: after };
      const { error, console } = await run(answers, options);
      const rest = after === "message" ? ": the others get the message" : "";
      assertEquals([error?.kind, error?.message], ["reply", `1 recipient was refused${rest}`]);
      assertEquals(console.printed[0], "refused: nobody@y.example: 550 nobody");
      assertEquals(console.printed.at(-1), `${how === "drop-after" ? "dropped" : "stopped"} after ${after}`);
    });
  }
}

test("by hand: a script waits for each reply, and says QUIT at its end", async () => {
  const script = ["EHLO me", "", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "Subject: x", "", "text", "."];
  const { error, console, heard } = await run({}, {}, {}, script);
  assertEquals(error, null);
  assertEquals(heard.commands, ["EHLO me", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "QUIT"]);
  assertEquals(heard.contents, ["Subject: x\r\n\r\ntext"]);
  assertEquals(console.printed.slice(0, 2), ["S: 220 mail.example ESMTP", "C: EHLO me"]);
  assertEquals(console.printed.at(-1), "S: 221 bye");
});

test("by hand: a script whose command is refused fails, and goes on", async () => {
  const { error, heard } = await run({ RCPT: "550 no\r\n" }, {}, {}, [
    "EHLO me",
    "MAIL FROM:<a@x>",
    "RCPT TO:<b@y>",
    "RSET",
    "QUIT",
  ]);
  assertEquals(heard.commands.length, 5);
  assertEquals([error?.kind, error?.message], ["reply", "the server refused 1 of the script's commands"]);
});

test("by hand: a refused greeting is no command of the script's that was refused", async () => {
  const others: Answers[] = [{}, { NOOP: "503 no\r\n" }, { QUIT: null }];
  for (const answers of others) {
    const { error, heard } = await run({ greeting: "554 no\r\n", ...answers }, {}, {}, ["NOOP", "QUIT"]);
    assertEquals(heard.commands, ["NOOP", "QUIT"]);
    assertEquals([error?.kind, error?.message], ["reply", "the server refuses the session: 554 no"]);
  }
});

test("by hand: a script that ends inside a message sends nothing, and is told so", async () => {
  const { heard, error } = await run({}, {}, {}, ["EHLO me", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "half"]);
  assertEquals([heard.contents, heard.ends.includes("quit")], [[], false]);
  assertEquals([error?.kind, error?.message], ["usage", "the script ended within the message, which was not sent"]);
});

/** Lets a script speak to a server that waits for these bytes, and answers each with a line. */
async function speak(script: readonly string[], turns: readonly (readonly [string, string])[]) {
  const heard: string[] = [];
  let error: NetlabError | null = null;
  await withListener(async (conn) => {
    const peer = new Peer(conn as Deno.TcpConn);
    await peer.send("220 hi\r\n");
    for (const [wanted, answer] of turns) {
      heard.push(await peer.read(new TextEncoder().encode(wanted).length));
      await peer.send(`${answer}\r\n`);
    }
  }, async (port) => {
    error = await client(port, new FakeConsole(script), {}, { idleMs: 2000 });
  });
  assertEquals(heard, turns.map(([wanted]) => wanted));
  return error as NetlabError | null;
}

test("--compat course: a server that says what is no reply without end is left, by hand too", async () => {
  for (const options of [TO_ONE, {}]) {
    const console = new FakeConsole(["EHLO me"]);
    await withListener(async (conn) => {
      const peer = new Peer(conn as Deno.TcpConn);
      for (let i = 0;; i++) await peer.send(`hello ${i}\r\n`.repeat(100));
    }, async (port) => {
      const error = await client(port, console, { ...options, compat: "course" });
      assertEquals(error?.kind, "protocol");
      assertMatch(error!.message, /a reply of more than 1000 lines$/);
    });
  }
});

test("by hand: who is refused to QUIT stays", async () => {
  const error = await speak(["QUIT now", "NOOP"], [
    ["QUIT now\r\n", "501 no argument"],
    ["NOOP\r\n", "250 ok"],
    ["QUIT\r\n", "221 bye"],
  ]);
  assertEquals(error?.message, "the server refused 1 of the script's commands");
});

test("by hand: what is behind BDAT is its chunk, and sent at once", async () => {
  const error = await speak(["BDAT 7", "a", "é", "BDAT 4 LAST", "quitNOOP", "BDAT 2", "x", "QUIT"], [
    ["BDAT 7\r\na\r\né\r\n", "250 ok"],
    ["BDAT 4 LAST\r\nquit", "250 ok"],
    ["NOOP\r\n", "250 ok"],
    ["BDAT 2\r\nx\r", "250 ok"],
    ["QUIT\r\n", "221 bye"],
  ]);
  assertEquals(error, null);
});

test("by hand: answers of AUTH are not shown", async () => {
  const answers: Answers = {
    AUTH: "334 VXNlcm5hbWU6\r\n",
    [btoa("bob").toUpperCase()]: "334 UGFzc3dvcmQ6\r\n",
    [btoa("geheim").toUpperCase()]: "235 ok\r\n",
  };
  const { error, console } = await run(answers, {}, {}, ["EHLO me", "AUTH LOGIN", btoa("bob"), btoa("geheim"), "QUIT"]);
  assertEquals(error, null);
  assert(console.printed.includes(`C: ${btoa("bob")}`) && console.printed.includes("C: ****"));
  assert(!JSON.stringify(console.printed).includes(btoa("geheim")));
});

test("by hand: a script learns what the reply lacks that it waits for", async () => {
  const lack = /"220-mail.example" is the last line, and has a minus behind its code/;
  const { error } = await run({ greeting: "220-mail.example\r\n" }, {}, { idleMs: 1500 }, ["EHLO me"]);
  assertEquals(error?.message, "no whole greeting in 1.5 s");
  assertMatch(error!.hint!, lack);

  const console = new FakeConsole(["EHLO me"]);
  await withListener(async (conn) => {
    await new Peer(conn as Deno.TcpConn).send("220-mail.example\r\n");
    await console.shows("the server is silent");
  }, async (port) => {
    await client(port, console, {});
    assertMatch(console.notes.join(), lack);
  });
});

test("by hand: who is not greeted is told that TLS may begin at once", async () => {
  const console = new FakeConsole(["EHLO me", "QUIT"]);
  await withListener(async (conn) => {
    const peer = new Peer(conn as Deno.TcpConn);
    await console.shows("no greeting yet: does TLS begin at once there? then --tls");
    await peer.send("220 hi\r\n");
    for (const reply of ["250 hi\r\n", "221 bye\r\n"]) {
      await peer.line();
      await peer.send(reply);
    }
  }, async (port) => assertEquals(await client(port, console, {}), null));
});

test("by hand: nor are those to an AUTH that was refused, as they are or in base64", async () => {
  for (const answers of [[btoa("bob"), btoa("geheim")], ["bob", "geheim yes"]]) {
    const trace = collect();
    const { console, heard } = await run({ AUTH: "503 no\r\n" }, {}, { trace }, [
      "EHLO me",
      "AUTH LOGIN",
      ...answers,
      "RSET",
      "QUIT",
    ]);
    assertEquals(heard.commands.slice(2, 4), answers);
    assertEquals(console.printed.filter((row) => row.startsWith("C: ")), [
      "C: EHLO me",
      "C: AUTH LOGIN",
      "C: ****",
      "C: ****",
      "C: RSET",
      "C: QUIT",
    ]);
    assert(!JSON.stringify(trace.events).includes(answers[1]));
  }
});

test("by hand: however AUTH is written, what it says at once is not shown", async () => {
  const answer = btoa("\0bob\0geheim");
  const ways = [
    [`AUTH XOAUTH2 ${answer}`, "AUTH XOAUTH2 ****"],
    [`AUTH LOGIN ${btoa("bob")} ${btoa("geheim")}`, "AUTH LOGIN ****"],
    [`AUTHPLAIN ${answer}`, "AUTHPLAIN ****"],
    [`AUTH PLAIN=${answer}`, "AUTH ****"],
    [`auth:plain ${answer}`, "auth:plain ****"],
    [`AUTH ${answer}`, "AUTH ****"],
    ["AUTHPLAIN", "AUTHPLAIN", answer, "****"],
    ["AUTH LOGIN", "AUTH LOGIN"],
  ];
  for (const way of ways) {
    const trace = collect();
    const script = way.filter((_, i) => i % 2 === 0);
    // What it does not know it says again, word by word.
    const answers = Object.fromEntries(
      script.map((line) => [
        line.split(/[ :]/)[0].toUpperCase(),
        (said: string) => `500 what is ${said.split(" ").reverse().join(" or ")}?\r\n`,
      ]),
    );
    const { console, heard, error } = await run(answers, {}, { trace }, ["EHLO me", ...script, "QUIT"]);
    assertEquals(heard.commands.slice(1, -1), script);
    const said = console.printed.filter((row) => row.startsWith("C: ")).slice(1, -1);
    assertEquals(said, way.filter((_, i) => i % 2 === 1).map((shown) => `C: ${shown}`));
    const everything = JSON.stringify([console.printed, console.events, console.notes, error?.message, trace.events]);
    for (const secret of ["geheim", answer, btoa("geheim")]) {
      assert(!everything.includes(secret), `${way}: ${everything}`);
    }
  }
});

test("a server that says the password again is quoted without it", async () => {
  const echo = (line: string) => `${line}\r\n`;
  const EHLO = "250-mail.example\r\n250 AUTH PLAIN\r\n";
  const options = { ...TO_ONE, user: "bob", "password-file": passwordFile("geheim") };
  const answer = btoa("\0bob\0geheim");
  const wrong = `535 5.7.8 geheim is wrong, ${btoa("geheim")} too\r\n`;
  const cases = [
    await run({ EHLO, AUTH: wrong }, options),
    await run({ EHLO, AUTH: echo }, options),
    await run({ EHLO, AUTH: echo }, {}, {}, ["EHLO me", `AUTH PLAIN ${answer}`, "QUIT"]),
    await run({ EHLO, AUTH: wrong }, {}, {}, ["EHLO me", `AUTH PLAIN ${answer}`, "QUIT"]),
  ];
  assertEquals(cases[0].error?.message, "the server refuses the login: 535 5.7.8 **** is wrong, **** too");
  for (const { console, error } of cases) {
    const everything = JSON.stringify([console.printed, console.events, console.notes, error?.message]);
    assert(everything.includes("****"), everything);
    for (const secret of ["geheim", btoa("geheim"), answer]) assert(!everything.includes(secret), everything);
  }
});

test("a reply cut off by the end of the connection is quoted, without a password", async () => {
  await withListener(async (conn) => {
    const peer = new Peer(conn as Deno.TcpConn);
    await peer.send("220 hi\r\n");
    await peer.read("EHLO [127.0.0.1]\r\n".length);
    await peer.send("250-hi\r\n250 AUTH PLAIN\r\n");
    await peer.read(`AUTH PLAIN ${btoa("\0bob\0geheim")}\r\n`.length);
    await peer.send("535 geheim is wrong");
  }, async (port) => {
    const console = new FakeConsole([]);
    const error = await client(port, console, { ...TO_ONE, user: "bob", "password-file": passwordFile("geheim") });
    assertMatch(error!.message, /ended the connection before it answered AUTH PLAIN \*\*\*\*/);
    assertMatch(console.notes.join("\n"), /^"535 \*\*\*\* is wrong" has no CRLF at its end/m);
  });
});

test("by hand: a person gets hints and completion, and learns that the server went", async () => {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole(undefined, true);
  await withListener((conn) => play(conn, { QUIT: "221 bye\r\n", NOOP: null }, heard), async (port) => {
    const ended = client(port, console, {});
    await console.shows("next: EHLO");
    assertEquals(console.complete("ma"), ["MAIL FROM:<"]);
    console.type("EHLO me");
    await console.shows("next: MAIL FROM:<address>, or AUTH");
    console.type("MAIL FROM:<a@x.example>");
    await console.shows("next: RCPT TO");
    assertEquals(console.complete("RCPT TO:<a"), ["RCPT TO:<a@x.example>"]);
    console.type("?", "/base64 bob");
    await console.shows("Ym9i");
    console.type("NOOP");
    assertMatch((await ended)!.message, /the server ended the connection/);
  });
});

test("by hand: what a person pastes waits where a reply decides how it is meant, and each hint is its own reply's", async () => {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole(undefined, true);
  await withListener(
    (conn) => play(conn, { RCPT: (line) => /bad/.test(line) ? "550 no\r\n" : "250 ok\r\n" }, heard),
    async (port) => {
      const ended = client(port, console, {});
      console.type("EHLO me", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "Subject: pasted", "", "  QUIT", ".");
      console.type("MAIL FROM:<a@x>", "RCPT TO:<bad@y>", "QUIT");
      assertEquals(await ended, null);
    },
  );
  assertEquals([heard.contents, heard.ends], [["Subject: pasted\r\n\r\n  QUIT"], ["quit"]]);
  assertEquals(console.notes.filter((note) => note.startsWith("next: ")).slice(0, 4), [
    "next: EHLO and your name",
    "next: MAIL FROM:<address>, or AUTH",
    "next: RCPT TO:<address>",
    "next: DATA, or RCPT TO:<address> for somebody else",
  ]);
});

test("what does not go together is said before anything is connected", async () => {
  const cases: [OptionValues, RegExp][] = [
    [{ ...TO_ONE, tls: true, starttls: true }, /--tls or --starttls/],
    [{ ...TO_ONE, user: "bob" }, /--user needs a password/],
    [{ from: "a@x.example", subject: "x" }, /--to is missing/],
    [{ to: "a@x.example" }, /--from is missing/],
    [{ ...TO_ONE, to: "nobody" }, /is no address/],
    [{ ...TO_ONE, to: "a <b@c.example> <d@e.example>" }, /more than one address: a comma is missing/],
    [{ ...TO_ONE, from: "postmaster" }, /--from: "postmaster" has no domain/],
    [{ ...TO_ONE, from: '"a<b>c"@y.example' }, /--from: netlab writes no header with the address "a<b>c"@y\.example/],
    [{ ...TO_ONE, to: 'B <" b"@y.example>' }, /--to: netlab writes no header with the address/],
    [{ ...TO_ONE, raw: "x.eml" }, /--raw or --subject/],
    [{ ...TO_ONE, subject: "", raw: "x.eml" }, /--raw or --subject/],
    [{ ...TO_ONE, attach: "/no/such/file" }, /cannot read/],
    [{ ...TO_ONE, tls: true, "tls-ca": passwordFile("no PEM") }, /password is no certificate/],
    [{ starttls: true }, /--starttls does nothing where SMTP is typed by hand/],
    [{ user: "bob", "password-file": "-" }, /--user does nothing/],
    [{ "password-file": "-", tls: true }, /--password-file does nothing/],
    [{ count: 2 }, /--count does nothing where SMTP is typed by hand/],
    [{ connections: 2, tls: true }, /--connections does nothing/],
    [{ list: "box", from: "a@x.example" }, /--list or --from: a mailbox is read, or mail is sent/],
    [{ list: "box", body: "" }, /--list or --body/],
    [{ list: "box", "stop-after": "rcpt" }, /--list or --stop-after/],
    [{ list: "box", show: 1, count: 2 }, /--list or --count/],
    [{ show: 1 }, /--show needs a mailbox/],
    [{ list: "/no/such/box" }, /no such mailbox/],
    [{ ...TO_ONE, subject: "a\r\nb" }, /control character/],
    [{ ...TO_ONE, "stop-after": "mail", "drop-after": "mail" }, /only once/],
  ];
  for (const [options, message] of cases) {
    const error = await client(1, new FakeConsole([]), options);
    assertEquals([error?.kind, message.test(error!.message)], ["usage", true], error?.message);
  }
});

test("NETLAB_USER as it is meant for a server: no mailbox minds it, and else it is refused without its password", async () => {
  const env = { NETLAB_USER: "ann:hunter2" };
  const sending = ["--from", "a@x.example", "--to", "b@y.example", "--password-file", passwordFile("geheim")];
  for (const words of [[], sending]) {
    const { status, err } = await netlab(["connect", "smtp", "--port", "1", ...words], env);
    assertEquals([status, err.includes("hunter2")], [2, false]);
    assertMatch(err, /--user takes a name without a colon.*NETLAB_USER/);
  }
  const list = writeMailbox("Subject: here\r\n\r\n");
  const { status, out } = await netlab(["connect", "smtp", "--list", list], env);
  assertEquals([status, out], [0, "1* (no date)  (no sender)  here\n"]);
});

test("a large message is written as fast as the server reads", async () => {
  const file = `${temporaryFolder()}/large.bin`;
  Deno.writeFileSync(file, new Uint8Array(3_000_000).fill(46));
  const { error, heard } = await run({ EHLO: "250-x\r\n250 SIZE 0\r\n" }, { ...TO_ONE, attach: file });
  assertEquals(error, null);
  assert(heard.contents[0].length > 4_000_000);
});

test("a server that refuses a large message while it comes, and hangs up, is heard", async () => {
  const raw = `${temporaryFolder()}/large.eml`;
  Deno.writeFileSync(raw, new Uint8Array(10_000_000).fill(0x61));
  await withListener(async (conn) => {
    const peer = new Peer(conn as Deno.TcpConn);
    for (const reply of ["220 hi", "250 hi", "250 ok", "250 ok", "354 go"]) {
      await peer.send(`${reply}\r\n`);
      if (!reply.startsWith("354")) await peer.line();
    }
    await peer.read(1000);
    await peer.send("552 5.3.4 too big\r\n");
  }, async (port) => {
    const error = await client(port, new FakeConsole([]), { from: "a@x.example", to: "b@y.example", raw });
    assertEquals(error?.message, "the server refuses the message: 552 5.3.4 too big");
  });
});

test("a message larger than SIZE is not sent", async () => {
  const { error, heard } = await run({ EHLO: "250-x\r\n250 SIZE 100\r\n" }, TO_ONE);
  assertEquals([error?.kind, heard.commands.at(-1)], ["limit", "QUIT"]);
});

test("--tls encrypts from the beginning, and trusts only whom it is told to", async () => {
  const { cert, key, path } = await makeCertificate();
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const serving = (async () => {
    for await (const conn of listener) await play(conn, {}, heard).finally(() => conn.close());
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  const stranger = await client(port, new FakeConsole([]), { ...TO_ONE, tls: true });
  assertEquals(stranger?.kind, "transport");
  assertMatch(stranger!.hint!, /--tls-ca/);
  const trusted = { ...TO_ONE, tls: true, "tls-ca": path };
  const another = await client(port, new FakeConsole([]), trusted, { host: "localhost" });
  assertEquals(another?.hint, "it is for another name: connect by one that it has", another?.message);
  assertEquals(await client(port, new FakeConsole([]), trusted), null);
  assertEquals(heard.contents.length, 1);
  listener.close();
  await serving;
}, skipUnless("openssl"));

test("who waits for TLS waits no longer than --idle says", async () => {
  for (const options of [TO_ONE, {}]) {
    await withListener(async (conn) => void await readAll(conn), async (port) => {
      const error = await client(port, new FakeConsole([]), { ...options, tls: true }, { idleMs: 150 });
      assertEquals([error?.kind, error?.message], ["timeout", `no TLS with 127.0.0.1:${port} in 0.15 s`]);
    });
  }
});

test("--starttls with a server that speaks no TLS fails, and nothing more is said in clear", async () => {
  const { error, heard } = await run(
    {
      EHLO: "250-x\r\n250 STARTTLS\r\n",
      STARTTLS: "220 go\r\n",
    },
    { ...TO_ONE, starttls: true },
    { idleMs: 2000 },
  );
  assert(error !== null && ["transport", "timeout"].includes(error.kind), error?.message);
  assert(!heard.commands.some((line) => /^(?:MAIL|EHLO)/.test(line) && heard.commands.indexOf(line) > 1));
});

test("what a server says in clear behind its answer to STARTTLS is not believed, and who is told learns why", async () => {
  const answers = { EHLO: "250-x\r\n250 STARTTLS\r\n", STARTTLS: "220 go\r\n250 injected\r\n" };
  const itself = await run(answers, { ...TO_ONE, starttls: true });
  const byHand = await run(answers, {}, {}, ["EHLO me", "STARTTLS"]);
  const message = "the server said more in clear text behind its answer to STARTTLS";
  const hint = "it is wrong, or somebody on the way has put that in";
  for (const { error } of [itself, byHand]) {
    assertEquals([error?.kind, error?.message, error?.hint], ["protocol", message, hint]);
  }
});

for (const how of ["starttls", "tls"]) {
  test(`netlab's own server: --${how} with its own certificate, AUTH, and the mailbox read`, async () => {
    const mailbox = temporaryFolder();
    const trace = collect();
    const server = await serveSmtp(serveContext({ transports: ["tcp"] }, {
      options: {
        ...Object.fromEntries(smtp.serveOptions.map((option) => [option.name, option.default])),
        ...{ mailbox, tls: how === "tls" ? "implicit" : "self-signed", user: "bob:pass w0rd", "require-auth": true },
      },
      trace,
    }));
    try {
      const { port } = server.address;
      const options = { ...TO_ONE, [how]: true, "tls-ca": `${mailbox}/.tls/cert.pem`, user: "bob", subject: "Grüße" };
      const right = { ...options, "password-file": passwordFile("pass w0rd") };
      assertEquals(await client(port, new FakeConsole([]), right), null);
      assertEquals(await client(port, new FakeConsole([]), { ...right, count: 10, connections: 2 }), null);
      const wrong = await client(port, new FakeConsole([]), { ...options, "password-file": passwordFile("pass word") });
      assertMatch(wrong!.message, /the login: 535/);
      const console = new FakeConsole([]);
      assertEquals(await client(port, console, { list: `${mailbox}/b@y.example` }), null);
      assertEquals(console.events.map(({ subject }) => subject), Array(11).fill("Grüße"));
      assert(!JSON.stringify(trace.events).includes("pass w0rd"));
    } finally {
      server.abort();
      await within(server.finished, "the end of the server");
    }
  });
}

test("a Maildir is listed and shown: decoded, and controls written out by the console", async () => {
  const dir = temporaryFolder();
  for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${dir}/box/${folder}`, { recursive: true });
  const mail = (subject: string, more = "") =>
    `Return-Path: <a@x.example>\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <a@x.example>\r\nTo: b@y.example\r\n` +
    `Date: Fri, 02 Jan 2026 03:04:05 +0000\r\nSubject: ${subject}\r\n${more}`;
  const qp =
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n";
  Deno.writeTextFileSync(`${dir}/box/new/1700000000.M1P1Q10.x`, mail("second", qp));
  Deno.writeTextFileSync(`${dir}/box/cur/1700000000.M1P1Q9.x:2,S`, mail("=?utf-8?q?first_=1B[31m?=", "\r\nbody\r\n"));
  Deno.writeTextFileSync(`${dir}/box/tmp/1700000000.M1P1Q1.x`, mail("not there yet"));
  const console = new FakeConsole([]);
  assertEquals(await client(1, console, { list: `${dir}/box` }), null);
  assertEquals(console.events.map(({ number, subject, new: isNew }) => [number, subject, isNew]), [
    [1, "first \x1b[31m", false],
    [2, "second", true],
  ]);
  assertMatch(console.printed[1], /^2\* 2026-01-0\d \d\d:\d\d {2}Jürgen <a@x.example> {2}second$/);
  const shown = new FakeConsole([]);
  assertEquals(await client(1, shown, { list: `${dir}/box`, show: 2 }), null);
  assertEquals([shown.printed[0], shown.printed.at(-1)], ["From: Jürgen <a@x.example>", "Grüße"]);
  const missing = await client(1, shown, { list: `${dir}/box`, show: 3 });
  assertMatch(missing!.message, /there is no message 3 in .*: it has 2/);
  const outside = await client(1, shown, { list: dir });
  assertEquals([outside?.kind, outside?.hint], ["usage", "it has mailboxes inside: box"]);
});

/** Writes a mailbox of these messages, in their order. */
function writeMailbox(...mails: string[]): string {
  const dir = temporaryFolder();
  for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${dir}/${folder}`);
  for (const [i, mail] of mails.entries()) Deno.writeTextFileSync(`${dir}/new/1700000000.M1P1Q${i}.x`, mail);
  return dir;
}

/** A part beside text. */
function inMultipart(part: string): string {
  const boundary = `b${part.length}`;
  return `Subject: x\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n\r\n` +
    `--${boundary}\r\n\r\nhi\r\n--${boundary}\r\n${part}\r\n--${boundary}--\r\n`;
}

test("a message that lacks headers, or the empty line behind them, is listed and shown all the same", async () => {
  const list = writeMailbox(
    "\r\nno headers\r\n",
    "Return-Path: <a@x.example>\r\nReceived: from x\r\n\tby y\r\nI love computer networks!\r\nSubject: no\r\n",
    "From: <>\r\nDate:\r\nSubject : old\r\n\r\ntext\r\n",
  );
  const listed = new FakeConsole([]);
  assertEquals(await client(1, listed, { list }), null);
  assertEquals(listed.printed, [
    "1* (no date)  (no sender)  (no subject)",
    "2* (no date)  a@x.example  (no subject)",
    "3* (no date)  (no sender)  old",
  ]);
  const expected = [["no headers"], ["I love computer networks!", "Subject: no"], ["text"]];
  for (const [i, text] of expected.entries()) {
    const shown = new FakeConsole([]);
    assertEquals(await client(1, shown, { list, show: i + 1 }), null);
    assertEquals(shown.printed.slice(5), text);
  }
});

test("a list shows the beginning of what is long", async () => {
  const list = writeMailbox(`From: a@b.example\r\nSubject: ${"x ä".repeat(9999)}\r\nDate: never\r\n\r\nhi\r\n`);
  const console = new FakeConsole([]);
  assertEquals(await client(1, console, { list }), null);
  assertEquals(console.printed, [`1* never  a@b.example  ${"x ä".repeat(50)}…`]);
  assertEquals(String(console.events[0].subject).length, 29_997);
});

test("headers behind others of many bytes are in the list, and those of one mail that have no end hide no other", async () => {
  const before = (bytes: number, more = "") => {
    const lines = `X-Long: ${"y".repeat(50)}\r\n`.repeat(Math.floor(bytes / 60) - 1);
    return `${lines}X: ${"y".repeat(bytes - lines.length - 5)}\r\n${more}`;
  };
  // What is read first ends anywhere in a line.
  const mails = Array.from(
    { length: 30 },
    (_, i) => before(65_536 - 20 + i, `From: a@b.example\r\nSubject: ${i}\r\n\r\nhi\r\n`),
  );
  const list = writeMailbox(...mails, before(300_000, "Subject: late\r\n\r\nhi\r\n"), before(1_200_000));
  const console = new FakeConsole([]);
  assertEquals(await client(1, console, { list }), null);
  assertEquals(console.events.map(({ subject }) => subject), [...mails.keys()].map(String).concat("late", ""));
});

test("a message that a mail program moves while the mailbox is listed is there once", async () => {
  const list = writeMailbox("Subject: stays\r\n\r\n", "Subject: moved\r\n\r\n");
  const readDirSync = Deno.readDirSync;
  Deno.readDirSync = (path) => {
    const names = [...readDirSync(path)];
    if (String(path).endsWith("/new")) {
      Deno.renameSync(`${list}/new/1700000000.M1P1Q1.x`, `${list}/cur/1700000000.M1P1Q1.x:2,S`);
    }
    return names.values();
  };
  try {
    const console = new FakeConsole([]);
    assertEquals(await client(1, console, { list }), null);
    assertEquals(console.events.map(({ subject }) => subject), ["stays", "moved"]);
  } finally {
    Deno.readDirSync = readDirSync;
  }
});

test("HTML is shown as its text", async () => {
  const html =
    "<STYLE type=x>p > a { }</Style ><p>one<br/>two</p><script>if (a<b) c();</script>1 &lt; 2 <b title=x>&uuml;</b><li>x<li>y";
  const mail = `Subject: x\r\nContent-Type: text/html\r\n\r\n${html}\r\n`;
  const list = writeMailbox(mail, inMultipart(mail), inMultipart(`Content-Type: message/rfc822\r\n\r\n${mail}`));
  for (const show of [1, 2, 3]) {
    const console = new FakeConsole([]);
    assertEquals(await client(1, console, { list, show }), null);
    assertEquals(console.printed.slice(-6), ["one", "two", "", "1 < 2 ü", "* x", "* y"]);
    assert(!console.printed.join().includes("{"), console.printed.join("\n"));
  }
});

test("a style or script of HTML that does not end hides nothing", async () => {
  const html = "<style>a { }</style>one <style>b { }<p>two</p><script>three</styles>";
  const list = writeMailbox(`Subject: x\r\nContent-Type: text/html\r\n\r\n${html}\r\n`);
  const console = new FakeConsole([]);
  assertEquals(await client(1, console, { list, show: 1 }), null);
  assertEquals(console.printed.slice(5), ["one b { }", "", "two", "", " three"]);
});

test("a message of nothing but white space, or of tags that do not end, is shown as fast as another one", async () => {
  const long = (piece: string) => piece.repeat(1_000_000 / piece.length);
  const html = (piece: string) => `Content-Type: text/html\r\n\r\n<${long(piece)}x\r\n`;
  const pieces = ["<", "<a href=", "<style ", "<script>", "</style", "<br ", "<p\t", "<body ", "<!--", "&", "a"];
  const mails = [
    `Subject: x\r\n\r\n${long(" ")}x\r\n`,
    inMultipart(`Content-Type: message/rfc822\r\n\r\n${inMultipart(html("<a href="))}`),
    ...pieces.flatMap((piece) => [`Subject: x\r\n${html(piece)}`, inMultipart(html(piece))]),
  ];
  const list = writeMailbox(...mails);
  const begun = performance.now();
  for (let show = 1; show <= mails.length; show++) {
    assertEquals(await client(1, new FakeConsole([]), { list, show }), null);
  }
  const ms = performance.now() - begun;
  assert(ms < 20_000, `${ms} ms`);
});

test("a message that cannot be taken apart does not hide the others, and is shown as it came", async () => {
  const nested = Array.from(
    { length: 300 },
    (_, i) => `Content-Type: multipart/mixed; boundary=${i}\r\n\r\n--${i}\r\n`,
  );
  const list = writeMailbox(
    `Subject: nested\r\n${nested.join("")}\x1b[31m\r\n`,
    `Subject: large\r\nX: ${`${"x".repeat(900)}\r\n `.repeat(2500)}\r\n\r\nhi\r\n`,
    "Subject: parts\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--y\r\n\r\nhi\r\n--y--\r\n",
    "Subject: small\r\n\r\nhi\r\n",
  );
  const listed = new FakeConsole([]);
  assertEquals(await client(1, listed, { list }), null);
  assertEquals(listed.events.map(({ subject }) => subject), ["nested", "large", "parts", "small"]);
  const whys = [/apart \(maximum MIME nesting/, /apart \(maximum header size/, /apart \(no text in its parts is found/];
  for (const [i, why] of whys.entries()) {
    const shown = new FakeConsole([]);
    assertEquals(await client(1, shown, { list, show: i + 1 }), null);
    assertMatch(shown.notes.join(), why);
    assertMatch(shown.printed[0], /^Subject: (?:nested|large|parts)$/);
  }
});
