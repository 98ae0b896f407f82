// The mail server over real sockets: what it keeps, how it says goodbye, TLS and logging in, and what nobody may see.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseLine } from "../lib/cli/args.ts";
import type { NetlabError } from "../lib/protocol/errors.ts";
import type { OptionValues } from "../lib/exercises/options.ts";
import { smtp } from "../lib/exercises/smtp/mod.ts";
import { makeIdentity } from "../lib/exercises/smtp/tls.ts";
import { userLine } from "../lib/exercises/smtp/users.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { collect, eventually, Peer, test, within } from "./helpers.ts";
import { contentOf, MailClient, withOffice } from "./smtp_server_helpers.ts";

const PASSWORD = "wordpass-7";
const base64 = (text: string) => btoa(text);
const PLAIN = base64(`\0ann\0${PASSWORD}`);

test("a message is in the recipient's new, with how it came before it, when its 250 comes", () =>
  withOffice({}, async ({ call, mail, console }) => {
    const client = await call();
    assertMatch(client.greeting, /^220 netlab ESMTP/);
    const reply = await client.deliver("Subject: hi\r\n\r\n..dot\r\nend", "Bob@X.org");
    const [, id] = /^250 2\.0\.0 taken as (\S+)$/.exec(reply)!;
    const [file, ...more] = mail("bob@x.org");
    assertEquals(more, []);
    assertMatch(
      file,
      new RegExp(
        "^Return-Path: <a@y\\.org>\\nDelivered-To: Bob@X\\.org\\n" +
          "Received: from me \\(\\[127\\.0\\.0\\.1\\]\\)\\n\\tby netlab with ESMTP id " + id.replaceAll(".", "\\.") +
          "\\n\\tfor <Bob@X\\.org>; \\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000\\nSubject: hi\\n",
      ),
    );
    assertEquals(contentOf(file), "Subject: hi\n\n.dot\nend\n");
    assertEquals(mail("bob@x.org", "tmp"), []);
    await console.shows("mail from <a@y.org> for <Bob@X.org>");
  }));

test("each recipient gets one copy, however often it is named", () =>
  withOffice({}, async ({ call, mail }) => {
    const client = await call();
    assertMatch(await client.deliver("hello", "a@x.org", "b@x.org", "A@X.ORG", "postmaster"), /^250 /);
    for (const one of ["a@x.org", "b@x.org", "postmaster"]) assertEquals(mail(one).map(contentOf), ["hello\n"]);
  }));

test("what begins with a blank is no part of the lines that delivery adds", () =>
  withOffice({}, async ({ call, mail }) => {
    const client = await call();
    const large = ` ${"x".repeat(100)}\r\n`.repeat(4000);
    for (const content of [" hello", "\thello\r\nSubject: x", ". hello", large]) {
      assertMatch(await client.deliver(content, "a@x.org", "b@x.org"), /^250 /);
    }
    const stored = ["\n hello\n", "\n\thello\nSubject: x\n", "\n hello\n", `\n${large.replaceAll("\r", "")}\n`];
    for (const one of ["a@x.org", "b@x.org"]) {
      assertEquals(mail(one).map(contentOf).sort(), stored.sort());
    }
  }));

test("a large message to several is whole, by DATA and by BDAT in pieces", () =>
  withOffice({}, async ({ call, mail }) => {
    const client = await call();
    const content = `${"0123456789abcdef".repeat(60)}\r\n`.repeat(3000);
    assertMatch(await client.deliver(content.slice(0, -2), "a@x.org", "b@x.org"), /^250 /);
    await client.codes({ "MAIL FROM:<>": 250, "RCPT TO:<a@x.org>": 250, "RCPT TO:<b@x.org>": 250 });
    const half = content.length >> 1;
    await client.say(
      `BDAT ${half}\r\n`,
      content.slice(0, half),
      `BDAT ${content.length - half} LAST\r\n`,
      content.slice(half),
    );
    assertMatch(await client.reply(), /^250 /);
    assertMatch(await client.reply(), /^250 .*taken/);
    const stored = content.replaceAll("\r\n", "\n");
    for (const one of ["a@x.org", "b@x.org"]) {
      const files = mail(one).map(contentOf);
      assertEquals(files.map((file) => file === stored), [true, true]);
      assertEquals(mail(one, "tmp"), []);
    }
  }));

test("where a mailbox cannot be made, the sender is told to come again, and the log says whose mail it was", async () => {
  const trace = collect(["warning"]);
  await withOffice({}, async ({ call, mail, root }) => {
    const client = await call();
    Deno.writeTextFileSync(`${root}/a@x.org`, "a file");
    assertMatch(await client.deliver("hello", "a@x.org", "b@x.org"), /^451 4\.3\.0 /);
    assertMatch(String(trace.of("warning")[0].text), /^not delivered to <a@x\.org>, <b@x\.org>: /);
    assertMatch(await client.deliver("hello", "b@x.org"), /^250 /);
    assertEquals(mail("b@x.org").length, 1);
  }, { trace });
});

test("a message that is not sent to its end, refused or reset leaves nothing", () =>
  withOffice({ "max-size": 1_000_000 }, async ({ call, mail, server }) => {
    const cut = await call();
    await cut.begin();
    await cut.say("half".repeat(200_000));
    cut.close();
    const large = await call();
    assertMatch(await large.deliver("x".repeat(1_000_001)), /^552 5\.3\.4/);
    const reset = await call();
    await reset.codes({ "EHLO me": 250, "MAIL FROM:<a@y.org>": 250, "RCPT TO:<b@x.org>": 250 });
    await reset.say(`BDAT 600000\r\n${"x".repeat(600_000)}`);
    assertMatch(await reset.reply(), /^250/);
    await reset.codes({ RSET: 250, QUIT: 221 });
    large.close();
    reset.close();
    await eventually("all to be gone", () => (server as unknown as { clientCount: number }).clientCount === 0);
    assertEquals([mail("b@x.org"), mail("b@x.org", "tmp")], [[], []]);
  }));

test("52 replies to a pipelined group leave in one write, or two", () => {
  const trace = collect(["bytes"]);
  return withOffice({}, async ({ call }) => {
    const client = await call();
    assertMatch(await client.ask("EHLO me"), /^250/);
    const before = trace.events.filter(({ direction }) => direction === "out").length;
    const to = Array.from({ length: 50 }, (_, i) => `RCPT TO:<r${i}@x.org>\r\n`);
    await client.say("MAIL FROM:<a@y.org>\r\n", ...to, "DATA\r\n");
    for (let i = 0; i < 51; i++) assertMatch(await client.reply(), /^250/);
    assertMatch(await client.reply(), /^354/);
    const writes = trace.events.filter(({ direction }) => direction === "out").length - before;
    assert(writes <= 2, `${writes} writes`);
  }, { trace });
});

test("who says nothing, and who falls silent, is told 421 and sent away", () =>
  withOffice({}, async ({ call }) => {
    const silent = await call();
    assertMatch(await silent.peer.rest(), /^421 4\.4\.2 netlab: idle for 0\.04 s\r\n$/);
    const slow = await call();
    assertMatch(await slow.ask("EHLO me"), /^250/);
    assertMatch(await slow.peer.rest(), /^421 4\.4\.2 netlab: idle for 0\.08 s\r\n$/);
  }, { limits: { firstByteMs: 40, idleMs: 80 } }));

for (const maxErrors of [undefined, 3, 150]) {
  test(`--max-errors ${maxErrors ?? "(not said)"}: the client is told 421 behind the last, and sent away`, () =>
    withOffice({}, async ({ call }) => {
      const client = await call();
      const most = maxErrors ?? 100;
      await client.say("NO\r\n".repeat(most - 1), "NOOP\r\n", "NO\r\n".repeat(most), "NOOP\r\n");
      const replies = (await client.peer.rest()).trimEnd().split("\r\n");
      assertEquals(replies.map((one) => one.slice(0, 3)), [
        ...Array(most - 1).fill("500"),
        "250",
        ...Array(most).fill("500"),
        "421",
      ]);
    }, { limits: { maxErrors } }));
}

test("one client too many is told 421, and the others are served", () =>
  withOffice({}, async ({ call }) => {
    const first = await call();
    const second = await call();
    assertMatch(second.greeting, /^421 4\.3\.2 netlab: server full: 1 client$/);
    assertMatch(await first.deliver("hello"), /^250/);
  }, { limits: { maxClients: 1 } }));

test("a shutdown says 421 to those who wait, and 250 first for what is being delivered", () =>
  withOffice({}, async ({ call, server, mail, console }) => {
    const idle = await call();
    const inside = await call();
    await inside.begin();
    const busy = await call();
    await busy.begin();
    // The end of the message has been read as soon as its delivery is printed; the reply comes behind that.
    await busy.say("hello\r\n.\r\n");
    await console.shows("mail from");
    const end = server.shutdown(5000);
    assertMatch(await busy.peer.rest(), /^250 [^\r]*\r\n421 4\.3\.2 netlab: shutting down\r\n$/);
    assertMatch(await idle.peer.rest(), /^421 4\.3\.2/);
    assertMatch(await inside.peer.rest(), /^421 4\.3\.2/);
    for (const client of [idle, inside, busy]) client.close();
    await within(end, "the end of the shutdown");
    assertEquals(mail("b@x.org").length, 1);
  }));

test("a shutdown that does not wait for all logins calls no password wrong", async () => {
  const trace = collect(["message"]);
  await withOffice({ user: `ann:${PASSWORD}`, "auth-insecure": true }, async ({ call, server }) => {
    const clients = await Promise.all(Array.from({ length: 16 }, call));
    for (const client of clients) await client.say(`EHLO me\r\nAUTH PLAIN ${PLAIN}\r\n`);
    const logins = () => trace.of("message").filter(({ text }) => String(text).startsWith("AUTH"));
    await eventually("the last login", () => logins().length === clients.length);
    await within(server.shutdown(400), "the end of the shutdown");
    assertEquals(trace.of("message").filter(({ text }) => String(text).includes("535")), []);
  }, { trace });
});

/** Says STARTTLS and what else comes with it, and goes on encrypted, if the server has the certificate of that file. */
async function startTls(client: MailClient, certFile: string, with_ = ""): Promise<MailClient> {
  await client.say(`STARTTLS\r\n${with_}`);
  assertMatch(await client.reply(), /^220/);
  const caCerts = [Deno.readTextFileSync(certFile)];
  const conn = await Deno.startTls(client.peer.conn, { hostname: "localhost", caCerts });
  await within(conn.handshake(), "the handshake");
  client.peer = new Peer(conn as unknown as Deno.TcpConn);
  return client;
}

test("STARTTLS: a new session, with AUTH and without STARTTLS, in which mail is taken", () =>
  withOffice({ tls: "self-signed", user: `ann:${PASSWORD}` }, async ({ call, root, mail }) => {
    const client = await call();
    const clear = await client.ask("EHLO me");
    assert(clear.includes("STARTTLS") && !clear.includes("AUTH"), clear);
    await client.codes({ [`AUTH PLAIN ${PLAIN}`]: 538 });
    await startTls(client, `${root}/.tls/cert.pem`);
    await client.codes({ "MAIL FROM:<a@y.org>": 503 });
    const secure = await client.ask("EHLO me");
    assert(!secure.includes("STARTTLS") && secure.includes("250-AUTH PLAIN LOGIN"), secure);
    await client.codes({ STARTTLS: 503, "EHLO me": 250, [`AUTH PLAIN ${PLAIN}`]: 235 });
    assertMatch(await client.deliver("x".repeat(500_000)), /^250/);
    assertMatch(mail("b@x.org")[0], /with ESMTPSA id/);
    assertEquals(contentOf(mail("b@x.org")[0]).length, 500_001);
    await client.codes({ QUIT: 221 });
    assertEquals(await client.peer.rest(), "");
  }));

test("nothing that was said before STARTTLS is heard behind it", () =>
  withOffice({ tls: "self-signed" }, async ({ call, root, mail }) => {
    const client = await call();
    await client.codes({ "EHLO me": 250 });
    await startTls(client, `${root}/.tls/cert.pem`, "EHLO injected\r\nMAIL FROM:<evil@y.org>\r\nRCPT TO:<b@x.org>\r\n")
      .then(
        async () => {
          await client.codes({ DATA: 503, "EHLO me": 250, DATA2: 500 });
        },
        () => {}, // what had not been read yet has spoiled the handshake: as good
      );
    assertEquals(mail("b@x.org"), []);
  }));

test("--tls implicit is TLS from the first byte, and the certificate is kept", async () => {
  const kept: string[] = [];
  await withOffice({ tls: "implicit" }, async ({ port, root, mail, console }) => {
    assertEquals(console.notes, [`the certificate is ${root}/.tls/cert.pem: clients trust it by --tls-ca`]);
    const cert = Deno.readTextFileSync(`${root}/.tls/cert.pem`);
    kept.push(root, cert);
    const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
    const client = new MailClient(new Peer(conn as unknown as Deno.TcpConn));
    try {
      assertMatch(await client.reply(), /^220/);
      assertMatch(await client.deliver("hello"), /^250/);
      assertMatch(mail("b@x.org")[0], /with ESMTPS id/);
    } finally {
      client.close();
    }
  });
  const [root, cert] = kept;
  if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${root}/.tls/key.pem`).mode! & 0o777, 0o600);
  await withOffice({ tls: "self-signed", mailbox: root }, async () => {
    assertEquals(Deno.readTextFileSync(`${root}/.tls/cert.pem`), cert);
    await Promise.resolve();
  });
});

test("a certificate of the server's own that cannot be kept is told, with what is in the way", async () => {
  for (
    const makeTls of [
      (path: string) => Deno.writeTextFileSync(path, ""),
      (path: string) => Deno.symlinkSync("gone", path),
    ]
  ) {
    const mailbox = temporaryFolder();
    makeTls(`${mailbox}/.tls`);
    const options = { mailbox, tls: "self-signed" };
    const error = await assertRejects(() => withOffice(options, () => Promise.resolve()), Error) as NetlabError;
    assertEquals(error.kind, "usage", error.message);
    assertMatch(error.message, /^cannot keep a certificate in .*\/\.tls: [a-z ]+/);
    assertMatch(error.hint!, /--mailbox/);
  }
}, { ignore: Deno.build.os === "windows" });

test("a kept certificate and a key that do not fit, or are none, are made anew, and the log says so", async () => {
  const mailbox = temporaryFolder();
  const [one, other] = [await makeIdentity(), await makeIdentity()];
  const file = (name: string) => `${mailbox}/.tls/${name}.pem`;
  Deno.mkdirSync(`${mailbox}/.tls`);
  for (const [cert, key] of [[one.cert, other.key], [one.cert, ""], ["nonsense", one.key], [one.cert, null]]) {
    Deno.writeTextFileSync(file("cert"), cert!);
    if (key !== null) Deno.writeTextFileSync(file("key"), key);
    else Deno.removeSync(file("key"));
    await withOffice({ mailbox, tls: "self-signed" }, async ({ call, console }) => {
      assertMatch(
        console.notes[0],
        /cert\.pem and its key are of no use \(.+\): they have been made anew$/,
      );
      const client = await call();
      await client.codes({ "EHLO me": 250 });
      await startTls(client, file("cert"));
      assertMatch(await client.deliver("hello"), /^250/);
    });
  }
});

test("--tls-cert and --tls-key: that certificate, by STARTTLS and from the first byte, and none of the server's own", async () => {
  const folder = temporaryFolder();
  const files = { "tls-cert": `${folder}/c.pem`, "tls-key": `${folder}/k.pem` };
  const { cert, key } = await makeIdentity();
  Deno.writeTextFileSync(files["tls-cert"], cert);
  Deno.writeTextFileSync(files["tls-key"], key);
  await withOffice(files, async ({ call, root, mail }) => {
    const client = await call();
    await client.codes({ "EHLO me": 250 });
    await startTls(client, files["tls-cert"]);
    assertMatch(await client.deliver("hello"), /^250/);
    assertMatch(mail("b@x.org")[0], /with ESMTPS id/);
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["b@x.org"]);
  });
  await withOffice({ ...files, tls: "implicit" }, async ({ port }) => {
    const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
    const client = new MailClient(new Peer(conn as unknown as Deno.TcpConn));
    try {
      assertMatch(await client.reply(), /^220/);
      assert(!(await client.ask("EHLO me")).includes("STARTTLS"));
    } finally {
      client.close();
    }
  });
  const wrong: [OptionValues, RegExp][] = [
    [{ "tls-cert": files["tls-cert"] }, /belong together/],
    [{ ...files, tls: "self-signed" }, /needs no --tls-cert/],
    [{ ...files, "tls-key": files["tls-cert"] }, /c\.pem and its key are of no use/],
    [{ ...files, "tls-cert": files["tls-key"] }, /k\.pem and its key are of no use/],
  ];
  for (const [options, message] of wrong) {
    const error = await assertRejects(() => withOffice(options, () => Promise.resolve()), Error) as NetlabError;
    assertEquals([error.kind, message.test(error.message)], ["usage", true], error.message);
  }
});

test("what is wrong with an option is told before there is a certificate", async () => {
  const mailbox = temporaryFolder();
  const options = { mailbox, tls: "self-signed", accept: "a..b" };
  const error = await assertRejects(() => withOffice(options, () => Promise.resolve()), Error);
  assertMatch(error.message, /"a\.\.b" is no domain/);
  assertEquals([...Deno.readDirSync(mailbox)], []);
});

for (const mailbox of ["/dev/null/x", "/proc/x", "/dev/null"]) {
  test(`a mailbox cannot be in ${mailbox}, which is told in netlab's words`, async () => {
    const error = await assertRejects(() => withOffice({ mailbox }, () => Promise.resolve()), Error) as NetlabError;
    assertEquals(error.kind, "usage");
    assertMatch(error.message, new RegExp(`^cannot make ${mailbox}: (?:netlab may not use it: .*|[a-z ]+)$`));
  }, { ignore: Deno.build.os !== "linux" });
}

test("what is no TLS at all ends one session", () =>
  withOffice({ tls: "implicit" }, async ({ port, server }) => {
    const peer = await Peer.connect({ hostname: "127.0.0.1", port });
    await peer.send("EHLO me\r\n");
    await peer.rest();
    peer.close();
    await eventually("it to be forgotten", () => (server as unknown as { clientCount: number }).clientCount === 0);
  }));

test("users of a file log in by PLAIN and LOGIN, others do not, and --require-auth means it", async () => {
  const users = `${temporaryFolder()}/users`;
  Deno.writeTextFileSync(users, `# those who may\n${await userLine("ann", PASSWORD)}\n`);
  assert(!Deno.readTextFileSync(users).includes(PASSWORD));
  await withOffice({ users, "require-auth": true, "auth-insecure": true }, async ({ call, mail }) => {
    const client = await call();
    await client.codes({ "EHLO me": 250, "MAIL FROM:<a@y.org>": 530, [`AUTH PLAIN ${base64("\0ann\0wrong")}`]: 535 });
    await client.codes({ [`AUTH PLAIN ${base64(`\0bob\0${PASSWORD}`)}`]: 535, "AUTH LOGIN": 334 });
    await client.codes({ [base64("ann")]: 334, [base64(PASSWORD)]: 235 });
    assertMatch(await client.deliver("hello"), /^250/);
    assertMatch(mail("b@x.org")[0], /with ESMTPA id/);
  });
});

test("--user and --accept may be said several times", async () => {
  const words = ["--user", `ann:${PASSWORD}`, "--user", "bob:other-pass", "--accept", "x.org", "--accept", "y.org"];
  const { values } = parseLine([...words, "--auth-insecure"], smtp.serveOptions, () => undefined);
  const { mailbox: _, ...options } = values;
  await withOffice(options, async ({ call }) => {
    for (const [name, password] of [["ann", PASSWORD], ["bob", "other-pass"]]) {
      const client = await call();
      await client.codes({ "EHLO me": 250, [`AUTH PLAIN ${base64(`\0${name}\0${password}`)}`]: 235 });
      await client.codes({ "MAIL FROM:<>": 250, "RCPT TO:<a@x.org>": 250, "RCPT TO:<a@y.org>": 250 });
      await client.codes({ "RCPT TO:<a@z.org>": 550 });
    }
  });
});

test("--accept takes a domain in either of its forms, and nothing else for one", async () => {
  for (const accept of ["Bücher.example", "x.org, XN--bcher-kva.example", "bu\u0308cher.example"]) {
    await withOffice({ accept }, async ({ call }) => {
      const client = await call();
      await client.codes({ "EHLO me": 250, "MAIL FROM:<> SMTPUTF8": 250, "RCPT TO:<a@xn--bcher-kva.example>": 250 });
      await client.codes({ "RCPT TO:<a@bücher.example>": 250, "RCPT TO:<a@bucher.example>": 550 });
    });
  }
  for (const accept of ["@example.org", " , ", "", "a@example.org", "a b"]) {
    const error = await assertRejects(() => withOffice({ accept }, () => Promise.resolve()), Error) as NetlabError;
    assertEquals([error.kind, error.hint?.startsWith("domains, ")], ["usage", true], error.message);
  }
});

test("what cannot be meant is refused before the server starts, and shows no password", async () => {
  const wrong = [{ "require-auth": true }, { user: PASSWORD }, { user: "ann:" }, { users: "/nowhere/users" }, {
    "tls-cert": "x",
  }, {
    "tls-cert": "/nowhere/c",
    "tls-key": "/nowhere/k",
  }];
  for (const options of wrong) {
    const error = await assertRejects(() => withOffice(options, () => Promise.resolve()), Error) as NetlabError;
    assertEquals(error.kind, "usage");
    assert(!error.message.includes(PASSWORD), error.message);
  }
});

test("a password is never seen: in no trace, no log, nothing printed, however it comes", async () => {
  const [name, secret] = [base64("ann"), base64(PASSWORD)];
  // As long as a command, and of letters only.
  const short = base64("abcdef");
  const ways: string[][] = [
    [`AUTH PLAIN ${PLAIN}\r\n`],
    [`AUTH PLAIN ${PLAIN.slice(0, 5)}`, `${PLAIN.slice(5)}\r\n`],
    [`AUTH LOGIN\r\n${name}\r\n${secret}\r\n`],
    ["AUTH LOGIN\r\n", `${name}\r\n`, `${secret}\r\n`],
    ["AUTH LOGIN\r\n", `${name}\r\n${secret.slice(0, 4)}`, `${secret.slice(4)}\r\n`],
    [`EHLO me\r\nNOOP\r\nauth plain ${PLAIN}\r\n`],
    [`MAIL FROM:<a@y.org>\r\nRCPT TO:<b@x.org>\r\nBDAT 3 LAST\r\nabcAUTH PLAIN ${PLAIN}\r\n`],
    [`MAIL FROM:<a@y.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n`, `abc\r\n.\r\nAUTH PLAIN ${PLAIN}\r\n`],
    ["AUTH CRAM\r\n", `${secret}\r\n`],
    ["AUTH CRAM\r\n", `${short}\r\n`],
    ["AUTH CRAM\r\n", `${PASSWORD}\r\n`],
    ["AUTH CRAM\r\n", `ann ${PASSWORD}\r\n`],
    [`AUTHPLAIN ${PLAIN}\r\n`],
    [`AUTH=PLAIN ${PLAIN}\r\n`],
    [`AUTHPLAIN\r\n`, `${short}\r\n`],
    [`AUTH ${PLAIN}\r\n`],
    [`AUTH PLAIN${PLAIN}\r\n`],
  ];
  for (const insecure of [true, false]) {
    for (const way of ways) {
      const trace = collect();
      await withOffice({ user: `ann:${PASSWORD}`, "auth-insecure": insecure }, async ({ call, console }) => {
        const client = await call();
        await client.codes({ "EHLO me": 250 });
        const id = trace.of("open")[0].id;
        for (const part of way) {
          const seen = trace.of("bytes").length;
          await client.say(part);
          await trace.until("it", (event) => event.direction === "in" && trace.of("bytes").indexOf(event) >= seen);
        }
        await client.say("NOOP\r\nQUIT\r\n");
        await client.peer.rest();
        client.close();
        await trace.until("its end", (event) => event.type === "close" && event.id === id);
        const all = JSON.stringify([trace.events, console.printed, console.notes, console.events]);
        assertMatch(all, insecure ? /250-netlab greets.*PIPELINING/ : /250-netlab greets.*"(538|500) 5/);
        for (const part of [PASSWORD, PLAIN, secret, PLAIN.slice(6), secret.slice(4), short]) {
          assert(!all.includes(part), `${part} of ${JSON.stringify(way)} in ${all}`);
        }
      }, { trace });
    }
  }
});

for (
  const [content, kept] of [
    ["hello\n.\n", "hello\n.\n\n"],
    [".\n", "\n\n"],
    ["hello\r\n.\n", "hello\n\n\n"],
    ["hello\n.\nQUIT\n", "hello\n.\nQUIT\n\n"],
  ]
) {
  test(`who waits behind ${JSON.stringify(content)} is helped by a hint in the log`, () =>
    withOffice({}, async ({ call, console, mail }) => {
      const client = await call();
      await client.begin();
      await client.say(content.slice(0, -2));
      await client.say(content.slice(-2));
      await console.shows("nc -C");
      assertEquals(mail("b@x.org"), []);
      await client.say("\r\n.\r\n");
      assertMatch(await client.reply(), /^250/);
      assertEquals(mail("b@x.org").map(contentOf), [kept]);
    }));
}

test("--compat course: a command that silence has ended is a command, and the log says once where that bends the RFC", () => {
  const trace = collect(["note"]);
  return withOffice({ compat: "course", user: `ann:${PASSWORD}`, "auth-insecure": true }, async ({ call, mail }) => {
    const client = await call();
    const steps: [string, RegExp][] = [
      ["EHLO client.com", /^250/],
      ["AUTH LOGIN\r\n", /^334 VXNlcm5hbWU6$/],
      [base64("ann"), /^334 UGFzc3dvcmQ6$/],
      [base64(PASSWORD), /^235 Authentication succeeded$/],
      ["MAIL FROM:<a@y.org>", /^250/],
      ["RCPT TO:<b@x.org>\r\n", /^250/],
      ["DATA", /^354 Enter message, ending with '\.' on a line by itself$/],
      ["Subject: x\r\n\r\nhello\r\n.\r\n\r\n", /^250/],
      ["QUIT", /^221/],
    ];
    for (const [said, expected] of steps) {
      await client.say(said);
      assertMatch(await client.reply(), expected);
    }
    assertEquals(mail("b@x.org").map(contentOf), ["Subject: x\n\nhello\n"]);
    assertEquals(trace.of("note").map(({ text }) => text), [
      "--compat course: silence ends a command, not CR LF (RFC 5321 2.3.8)",
      "--compat course: 235 has the course's words, and no enhanced code (RFC 2034 4)",
      "--compat course: an empty line is passed over, not refused (RFC 5321 4.1.1)",
    ]);
  }, { trace });
});

test("--compat course: STARTTLS that silence has ended is refused: nobody can say where TLS begins", () =>
  withOffice({ compat: "course", tls: "self-signed" }, async ({ call }) => {
    const client = await call();
    assertMatch(await client.ask("EHLO client.com"), /^250-STARTTLS$/m);
    await client.say("STARTTLS");
    assertEquals(await client.reply(), "501 5.5.4 STARTTLS needs CR LF at its end");
    assertEquals(await client.ask("STARTTLS"), "220 2.0.0 begin");
  }));

test("--compat course: a command that is too long is refused, too, when silence has ended it", () =>
  withOffice({ compat: "course" }, async ({ call }) => {
    const client = await call();
    for (const long of ["x".repeat(600), `MAIL FROM:<${"x".repeat(100_000)}@y.org>`]) {
      await client.say(long);
      assertEquals(await client.reply(), "500 line too long");
    }
    await client.codes({ "EHLO me": 250 });
  }));

test("1,000 who say nothing, 200 who drip and a line without an end: others are served meanwhile", () =>
  withOffice({}, async ({ call, mail, port }) => {
    const silent = await Promise.all(Array.from({ length: 1000 }, () => call()));
    const drips = await Promise.all(Array.from({ length: 200 }, () => call()));
    const endless = await Peer.connect({ hostname: "127.0.0.1", port });
    let flooding = true;
    const flood = (async () => {
      const chunk = new Uint8Array(65_536).fill(0x61);
      while (flooding) await endless.send(chunk);
    })();
    const client = await call();
    // A byte from each of them for each message.
    const dripped = [..."EHLO drip.example\r\n"];
    for (const byte of dripped) {
      await Promise.all(drips.map((drip) => drip.say(byte)));
      assertMatch(await client.deliver(`hello ${byte}`), /^250/);
    }
    flooding = false;
    await flood;
    assertEquals(mail("b@x.org").length, dripped.length);
    for (const drip of drips) assertMatch(await drip.reply(), /^250-netlab greets drip\.example\n/);
    await Promise.all(silent.map((one) => one.codes({ NOOP: 250, QUIT: 221 })));
    await endless.send("\r\nQUIT\r\n");
    assertMatch(await endless.rest(), /^220 .*\r\n500 line too long\r\n221 .*\r\n$/);
    endless.close();
  }));
