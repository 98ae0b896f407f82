// The client on sockets: against servers that a test plays, and against other people's.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connectSmtp } from "../lib/exercises/smtp/client.ts";
import { STAGES } from "../lib/exercises/smtp/protocol.ts";
import { connectOptions } from "../lib/exercises/smtp/client_options.ts";
import { smtp } from "../lib/exercises/smtp/mod.ts";
import { serveSmtp } from "../lib/exercises/smtp/server.ts";
import type { OptionValues } from "../lib/exercises/options.ts";
import type { ConnectContext } from "../lib/exercises/exercise.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { connectContext, FakeConsole, serveContext, temporaryFolder, withListener } from "./chat_helpers.ts";
import { collect, skipIf, skipUnless, test, within } from "./helpers.ts";
import { environment } from "./cli_helpers.ts";

const TO_ONE = { from: "a@x.example", to: "b@y.example", subject: "hi", body: "hello" };

/** What a played server says: text with its line ends, or null to hang up. By command word; `greeting`; `.` for the content. */
type Answers = Readonly<Record<string, string | null | ((argument: string, count: number) => string | null)>>;

const USUAL: Answers = {
  greeting: "220 mail.example ESMTP\r\n",
  EHLO: "250-mail.example\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000000\r\n",
  HELO: "250 mail.example\r\n",
  AUTH: "235 ok\r\n",
  MAIL: "250 ok\r\n",
  RCPT: "250 ok\r\n",
  DATA: "354 go\r\n",
  ".": "250 2.0.0 taken\r\n",
  RSET: "250 ok\r\n",
  QUIT: "221 bye\r\n",
};

/** What a played server has heard. */
interface Heard {
  readonly commands: string[];
  readonly contents: string[];
  connections: number;
  /** How each connection ended: `quit`, `end`, or `cut`. */
  readonly ends: string[];
}

/** Plays one session. */
async function play(conn: Deno.Conn, answers: Answers, heard: Heard): Promise<void> {
  heard.connections++;
  const counts = new Map<string, number>();
  const say = async (word: string, argument = "") => {
    const count = (counts.get(word) ?? 0) + 1;
    counts.set(word, count);
    const answer = answers[word] ?? USUAL[word] ?? "500 what?\r\n";
    const text = word in answers && answers[word] === null
      ? null
      : typeof answer === "function"
      ? answer(argument, count)
      : answer;
    if (text === null) throw new Deno.errors.Interrupted("played out");
    await conn.write(new TextEncoder().encode(text));
  };
  let text = "";
  const block = new Uint8Array(65_536);
  const until = async (end: string): Promise<string> => {
    while (!text.includes(end)) {
      const count = await conn.read(block);
      if (count === null) throw new Deno.errors.UnexpectedEof("end");
      text += new TextDecoder("latin1").decode(block.subarray(0, count));
    }
    const piece = text.slice(0, text.indexOf(end));
    text = text.slice(piece.length + end.length);
    return piece;
  };
  let last = "";
  try {
    await say("greeting");
    for (;;) {
      const line = await until("\r\n");
      heard.commands.push(line);
      last = line.split(/[ :]/)[0].toUpperCase();
      await say(last, line);
      if (last === "QUIT") break;
      if (last !== "DATA" || !String(answers.DATA ?? USUAL.DATA).startsWith("354")) continue;
      text = `\r\n${text}`;
      heard.contents.push((await until("\r\n.\r\n")).slice(2));
      await say(".");
    }
    heard.ends.push("quit");
  } catch (error) {
    heard.ends.push(
      error instanceof Deno.errors.UnexpectedEof ? "end" : error instanceof Deno.errors.Interrupted ? "hung up" : "cut",
    );
  }
}

/** Runs the client against a played server. */
async function run(
  answers: Answers,
  options: OptionValues,
  changes: Partial<ConnectContext> = {},
  script: readonly string[] = [],
): Promise<{ console: FakeConsole; heard: Heard; error: NetlabError | null }> {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole(script);
  let error: NetlabError | null = null;
  await withListener((conn) => play(conn, answers, heard), async (port) => {
    error = await client(port, console, options, changes);
  });
  return { console, heard, error };
}

/** Runs the client; returns how it failed. */
async function client(
  port: number,
  console: FakeConsole,
  options: OptionValues,
  changes: Partial<ConnectContext> = {},
): Promise<NetlabError | null> {
  const defaults = Object.fromEntries(connectOptions.map((option) => [option.name, option.default]));
  try {
    const context = connectContext(port, console, { options: { ...defaults, ...options }, ...changes });
    await within(connectSmtp(context), "the end of the client");
    return null;
  } catch (error) {
    if (error instanceof NetlabError) return error;
    throw error;
  }
}

function passwordFile(password: string): string {
  const path = `${temporaryFolder()}/password`;
  Deno.writeTextFileSync(path, `${password}\n`);
  return path;
}

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

test("--body - comes from standard input, and files are attached", async () => {
  const file = `${temporaryFolder()}/ünï.bin`;
  Deno.writeFileSync(file, Uint8Array.of(0, 255, 10));
  const { heard, error } = await run({}, { ...TO_ONE, body: "-", attach: `${file}\n${file}` }, {}, ["from", "a pipe"]);
  assertEquals(error, null);
  assertMatch(heard.contents[0], /from\r\na pipe/);
  assertEquals(heard.contents[0].match(/filename\*/g)?.length, 2);
  assertMatch(heard.contents[0], /\r\nAP8K\r\n/);
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
      /no answer to/,
    ],
    [`${word} answered with nonsense`, { [word]: "\x00\xff hello\r\n" }, "protocol", /is no reply/],
    [`${word} answered with two codes`, { [word]: "250-a\r\n350 b\r\n" }, "protocol", /the same code/],
    [`${word} answered with an endless line`, { [word]: "x".repeat(10_000) }, "limit", /more than 8192 bytes/],
  );
}

for (const [what, answers, kind, message] of FAILURES) {
  test(`${what}: the client says so, and fails`, async () => {
    const { error, console } = await run(answers, TO_ONE, { idleMs: 150 });
    assert(error !== null, `no failure; printed were ${console.printed.join()}`);
    assertEquals([error.kind, message.test(error.message)], [kind as NetlabError["kind"], true], error.message);
    assert(!console.printed.some((row) => row.startsWith("sent ")));
  });
}

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

test("by hand: a script whose input ends inside a message sends nothing", async () => {
  const { heard } = await run({}, {}, {}, ["EHLO me", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "half"]);
  assertEquals([heard.contents, heard.ends.includes("quit")], [[], false]);
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

test("what does not go together is said before anything is connected", async () => {
  const cases: [OptionValues, RegExp][] = [
    [{ ...TO_ONE, tls: true, starttls: true }, /--tls or --starttls/],
    [{ ...TO_ONE, user: "bob" }, /--user needs a password/],
    [{ from: "a@x.example", subject: "x" }, /--to is missing/],
    [{ to: "a@x.example" }, /--from is missing/],
    [{ ...TO_ONE, to: "nobody" }, /is no address/],
    [{ ...TO_ONE, raw: "x.eml" }, /--raw or --subject/],
    [{ ...TO_ONE, attach: "/no/such/file" }, /cannot read/],
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

test("a large message is written as fast as the server reads", async () => {
  const file = `${temporaryFolder()}/large.bin`;
  Deno.writeFileSync(file, new Uint8Array(3_000_000).fill(46));
  const { error, heard } = await run({ EHLO: "250-x\r\n250 SIZE 0\r\n" }, { ...TO_ONE, attach: file });
  assertEquals(error, null);
  assert(heard.contents[0].length > 4_000_000);
});

test("a message larger than SIZE is not sent", async () => {
  const { error, heard } = await run({ EHLO: "250-x\r\n250 SIZE 100\r\n" }, TO_ONE);
  assertEquals([error?.kind, heard.commands.at(-1)], ["limit", "QUIT"]);
});

// TLS: a certificate is made by openssl, where that is installed.

/** A certificate for 127.0.0.1 that signs itself. */
async function makeCertificate(): Promise<{ cert: string; key: string; path: string }> {
  const dir = temporaryFolder();
  const { success } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`, "-subj", "/CN=mail.example"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ],
    stderr: "null",
  }).output();
  assert(success, "openssl could make no certificate");
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  return { cert: read("cert.pem"), key: read("key.pem"), path: `${dir}/cert.pem` };
}

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
  assertEquals(await client(port, new FakeConsole([]), { ...TO_ONE, tls: true, "tls-ca": path }), null);
  assertEquals(heard.contents.length, 1);
  listener.close();
  await serving;
}, skipUnless("openssl"));

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

test("what a server says in clear behind its answer to STARTTLS is not believed", async () => {
  const { error } = await run({
    EHLO: "250-x\r\n250 STARTTLS\r\n",
    STARTTLS: "220 go\r\n250 injected\r\n",
  }, { ...TO_ONE, starttls: true });
  assertEquals([error?.kind, /in clear text behind/.test(error!.message)], ["protocol", true], error?.message);
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

// Other people's servers.

const withSeedServer = (fn: (port: number) => Promise<void>) => withProgram("python3", [SEED_SERVER], fn);

/** A program that says its port first; `said` waits for another line. */
async function withProgram(
  program: string,
  args: readonly string[],
  fn: (port: number, said: (pattern: RegExp) => Promise<string>) => Promise<void>,
): Promise<void> {
  const command = new Deno.Command(program, {
    args: [...args],
    stdout: "piped",
    stderr: "null",
    clearEnv: true,
    env: environment(),
  });
  const child = command.spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const more = async () => {
    const { value, done } = await within(reader.read(), "what the server says");
    text += value ?? "";
    return !done;
  };
  try {
    while (!text.includes("\n")) assert(await more(), "the server has ended");
    await fn(Number(text.split("\n")[0]), async (pattern) => {
      while (!pattern.test(text)) assert(await more(), `the server has ended; it said ${text}`);
      return pattern.exec(text)![0];
    });
  } finally {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await reader.cancel();
    await child.status;
  }
}

const SEED_SERVER = new URL("peers/smtp_seed_server.py", import.meta.url).pathname;

test("a server of the course: --compat course copes with it, and says what is wrong", async () => {
  const console = new FakeConsole([]);
  await withSeedServer(async (port) => {
    const options = { ...TO_ONE, compat: "course", user: "barbie", "password-file": passwordFile("helloken") };
    assertEquals(await client(port, console, options), null);
  });
  assertMatch(console.printed.join(), /^sent \d+ bytes to b@y\.example .*250 OK$/);
  const notes = console.notes.join("\n");
  assertMatch(notes, /"250-\[127\.0\.0\.1\] Hello" is the last line, and has a minus/);
  assertMatch(notes, /"250 Accepted" has no CRLF/);
}, skipUnless("python3"));

test("a server of the course: without --compat the client waits, and says what to do", async () => {
  const console = new FakeConsole([]);
  await withSeedServer(async (port) => {
    const error = await client(port, console, TO_ONE, { idleMs: 3000 });
    assertEquals(error?.kind, "timeout");
    assertMatch(error!.hint!, /--compat course/);
  });
  assertMatch(console.notes.join(), /the server is silent.*--compat course/);
}, skipUnless("python3"));

test("a server of the course: a wrong password is told", async () => {
  await withSeedServer(async (port) => {
    const options = { ...TO_ONE, compat: "course", user: "barbie", "password-file": passwordFile("helloben") };
    assertMatch((await client(port, new FakeConsole([]), options))!.message, /the login: 535 Incorrect/);
  });
}, skipUnless("python3"));

/** A Python that has a module: the first on PATH, or the system's, for which packages are made. */
function pythonWith(module: string): string | null {
  const args = ["-W", "ignore", "-c", `import ${module}`];
  return ["python3", "/usr/bin/python3"].find((python) => {
    try {
      return new Deno.Command(python, { args, stderr: "null" }).outputSync().success;
    } catch {
      return false; // there is none
    }
  }) ?? null;
}

const AIOSMTPD = `
import asyncio
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody'): return '550 5.1.1 nobody'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        return '250 OK'
async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(), enable_SMTPUTF8=True), '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())`;

const WITH_AIOSMTPD = pythonWith("aiosmtpd");

test("aiosmtpd takes what the client sends", async () => {
  await withProgram(WITH_AIOSMTPD!, ["-c", AIOSMTPD], async (port) => {
    const console = new FakeConsole([]);
    const error = await client(port, console, { ...TO_ONE, to: "b@y.example,nobody@y.example" });
    assertEquals(error?.kind, "reply");
    assertEquals(await client(port, console, { ...TO_ONE, to: "jürgen@y.example" }), null);
    assertEquals(await client(port, console, { ...TO_ONE, count: 100, connections: 5 }), null);
  });
}, skipIf(WITH_AIOSMTPD ? null : "no Python here has aiosmtpd"));

const SMTPD = `
import asyncore, smtpd
class Server(smtpd.SMTPServer):
    def process_message(self, peer, mailfrom, rcpttos, data, **kwargs):
        pass
server = Server(('127.0.0.1', 0), None, enable_SMTPUTF8=True)
print(server.socket.getsockname()[1], flush=True)
asyncore.loop()`;

const WITH_SMTPD = pythonWith("smtpd");

test("Python's smtpd takes what the client sends", async () => {
  await withProgram(WITH_SMTPD!, ["-W", "ignore", "-c", SMTPD], async (port) => {
    const console = new FakeConsole([]);
    assertEquals(
      await client(port, console, { ...TO_ONE, to: "jürgen@y.example,b@y.example", subject: "Grüße" }),
      null,
    );
    assertEquals(await client(port, console, { ...TO_ONE, count: 20, connections: 2 }), null);
  });
}, skipIf(WITH_SMTPD ? null : "no Python here has smtpd"));

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

const NPM_SERVER = new URL("peers/smtp_npm_server.ts", import.meta.url).pathname;
/** TLS on a socket that is there already hangs there at a server's end (node:tls). */
const OLD = Deno.version.deno.startsWith("2.6.");

for (const how of ["starttls", "tls"]) {
  test(
    `npm's smtp-server: --${how} and AUTH`,
    async () => {
      const { path } = await makeCertificate();
      const args = ["run", "--quiet", "--allow-net", "--allow-read", "--allow-env", "--allow-sys", NPM_SERVER];
      const files = [path, path.replace("cert.pem", "key.pem"), how];
      await withProgram(Deno.execPath(), [...args, ...files], async (port, said) => {
        const options = { ...TO_ONE, [how]: true, "tls-ca": path, user: "bob" };
        const console = new FakeConsole([]);
        const right = { ...options, "password-file": passwordFile("pass w0rd") };
        assertEquals(await client(port, console, right), null);
        await said(/^a@x\.example b@y\.example bob true \d+$/m);
        assertMatch(console.printed.join(), /: 250 .*kept/);
        assertEquals(await client(port, console, { ...right, count: 20, connections: 3 }), null);
        const wrong = await client(port, console, { ...options, "password-file": passwordFile("wrong") });
        assertMatch(wrong!.message, /the login: 535/);
        const large = await client(port, console, { ...right, body: "x".repeat(100_001) });
        assertEquals(large?.kind, "limit");
        if (how === "starttls") {
          const clear = await client(port, console, { ...right, starttls: false });
          assertEquals(clear?.kind, "reply", "what is refused in clear is a failure");
        }
      });
    },
    OLD ? skipIf("this Deno's node:tls cannot serve on a socket that is there already") : skipUnless("openssl"),
  );
}

test("Postfix's smtp-sink takes what the client sends, many at once", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const user = Deno.uid() === 0 ? ["-u", "nobody"] : [];
  const child = new Deno.Command("smtp-sink", { args: [...user, `127.0.0.1:${port}`, "100"], stderr: "null" }).spawn();
  try {
    // It says nothing when it listens: the first connection that is taken says it.
    let error: NetlabError | null = null;
    const begun = performance.now();
    do error = await client(port, new FakeConsole([]), TO_ONE); while (
      error?.message.includes("refused") && performance.now() - begun < 10_000
    );
    assertEquals(error, null);
    const console = new FakeConsole([]);
    assertEquals(await client(port, console, { ...TO_ONE, count: 2000, connections: 10 }), null);
    assertMatch(console.printed.join(), /^sent 2000 of 2000 messages/);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}, skipUnless("smtp-sink"));
