// Other people's mail programs against the server: Python's smtplib, swaks, curl, and Postfix's smtp-source.

import { assert, assertEquals, assertMatch } from "@std/assert";
import nodemailer from "nodemailer";
import { eventually, skipIf, skipUnless, test, within } from "./helpers.ts";
import { contentOf, type Office, withOffice } from "./smtp_server_helpers.ts";

const PASSWORD = "wordpass-7";
const USER = { user: `ann:${PASSWORD}` };
const SCRIPT = `${import.meta.dirname}/peers/smtp_client.py`;

/** Runs a program to its end, which has to be a good one. */
async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(command, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await within(child.output(), `the end of ${command}`);
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(code, 0, `${command} ${args.join(" ")}:\n${out}${err}`);
  return out;
}

/** Where the server's own certificate is. */
const certOf = ({ root }: Office) => `${root}/.tls/cert.pem`;

const PYTHON = skipUnless("python3");
const python = ({ port }: Office, ...args: string[]) => run("python3", [SCRIPT, String(port), ...args]);

test("Python: two messages over one connection, whose dots survive", () =>
  withOffice({}, async (office) => {
    await python(office, "plain");
    assertEquals(office.mail("b@x.org").length, 2);
    for (const file of office.mail("b@x.org")) assertMatch(contentOf(file), /\n\nhello\n\.dot\n\.\.dots\n$/);
  }), PYTHON);

test(
  "Python: STARTTLS with a certificate that it trusts, and AUTH",
  () =>
    withOffice({ ...USER, tls: "self-signed", "require-auth": true }, async (office) => {
      await python(office, "starttls", certOf(office));
      assertMatch(office.mail("b@x.org")[0], /with ESMTPSA id/);
    }),
  PYTHON,
);

test(
  "Python: AUTH in clear where that is allowed; a wrong password is a 535",
  () =>
    withOffice({ ...USER, "auth-insecure": true }, async (office) => {
      await python(office, "auth");
      assertEquals(await python(office, "wrong"), "535\n");
      assertEquals(office.mail("b@x.org").length, 1);
    }),
  PYTHON,
);

test("Python: TLS from the first byte", () =>
  withOffice({ tls: "implicit" }, async (office) => {
    await python(office, "implicit", certOf(office));
    assertEquals(office.mail("b@x.org").map((file) => /with (\S+) id/.exec(file)?.[1]), ["ESMTPS", "ESMTPS"]);
  }), PYTHON);

test("Python: SMTPUTF8", () =>
  withOffice({}, async (office) => {
    await python(office, "utf8");
    assertEquals(office.mail("bänk@x.org").map((file) => /with (\S+) id/.exec(file)?.[1]), ["UTF8SMTP", "UTF8SMTP"]);
  }), PYTHON);

test("Python: 15 MB whose every line begins with a dot", () =>
  withOffice({}, async (office) => {
    await python(office, "large");
    const expected = `Subject: large\n\n${".23456789012345678901234567890\n".repeat(500_000)}`;
    assert(contentOf(office.mail("b@x.org")[0]) === expected);
  }), PYTHON);

test(
  "Python: who may not have mail is refused, and the others get theirs",
  () =>
    withOffice({ accept: "x.org, Z.org" }, async (office) => {
      assertMatch(await python(office, "refused"), /^\[\('c@elsewhere\.org', \(550, b'5\.7\.1 /);
      assertEquals([office.mail("b@x.org").length, office.mail("c@elsewhere.org").length], [1, 0]);
    }),
  PYTHON,
);

const SEED_CLIENT = `${import.meta.dirname}/peers/smtp_seed_client.py`;
const COURSE = { compat: "course", user: "barbie:helloken", "auth-insecure": true };

for (const how of [[], ["bare"]]) {
  test(
    `a client of the course, one recv a step${how.length > 0 ? ", whose commands have no end" : ""}`,
    () =>
      withOffice(COURSE, async (office) => {
        const replies = (await run("python3", [SEED_CLIENT, String(office.port), ...how])).trimEnd().split("\n");
        assertEquals(replies.length, 10);
        assertEquals(office.mail("ken@server.com").map(contentOf), [
          "Subject: hi\n\nHello Ken,\nhow are you?\n",
        ]);
      }),
    PYTHON,
  );
}

const SWAKS = skipUnless("swaks");
const SWAKS_TLS = SWAKS.ignore || perlHas("Net::SSLeay") ? SWAKS : skipIf("swaks has no TLS: Perl has no Net::SSLeay");

function perlHas(module: string): boolean {
  return new Deno.Command("perl", { args: [`-M${module}`, "-e", "1"], stderr: "null" }).outputSync().success;
}

const swaks = ({ port }: Office, ...args: string[]) =>
  run("swaks", ["--server", "127.0.0.1", "--port", String(port), "--from", "a@y.org", "--to", "b@x.org", ...args]);

for (const args of [[], ["--pipeline"], ["--helo", "[127.0.0.1]"], ["--protocol", "SMTP"]]) {
  test(`swaks ${args.join(" ")}: a message`, () =>
    withOffice({}, async (office) => {
      await swaks(office, ...args);
      assertMatch(contentOf(office.mail("b@x.org")[0]), /This is a test mailing/);
    }), SWAKS);
}

for (const mechanism of ["PLAIN", "LOGIN"]) {
  test(
    `swaks: AUTH ${mechanism} behind STARTTLS`,
    () =>
      withOffice({ ...USER, tls: "self-signed", "require-auth": true }, async (office) => {
        await swaks(office, "--tls", "--auth", mechanism, "--auth-user", "ann", "--auth-password", PASSWORD);
        assertMatch(office.mail("b@x.org")[0], /with ESMTPSA id/);
      }),
    SWAKS_TLS,
  );
}

test("swaks: TLS from the first byte", () =>
  withOffice({ tls: "implicit" }, async (office) => {
    await swaks(office, "--tls-on-connect");
    assertMatch(office.mail("b@x.org")[0], /with ESMTPS id/);
  }), SWAKS_TLS);

const CURL = skipUnless("curl");
const curl = (url: string, ...args: string[]) =>
  run(
    "curl",
    ["-sS", url, "--mail-from", "a@y.org", "--mail-rcpt", "b@x.org", "-T", "-", ...args],
    "Subject: x\n\n.x\n",
  );

test("curl smtp://, and with --ssl-reqd", () =>
  withOffice({ tls: "self-signed" }, async (office) => {
    await curl(`smtp://127.0.0.1:${office.port}/me`, "--crlf");
    await curl(`smtp://localhost:${office.port}/me`, "--ipv4", "--ssl-reqd", "--cacert", certOf(office), "--crlf");
    assertEquals(office.mail("b@x.org").map(contentOf), Array(2).fill("Subject: x\n\n.x\n"));
  }), CURL);

test(
  "curl smtps://, with a password",
  () =>
    withOffice({ ...USER, tls: "implicit", "require-auth": true }, async (office) => {
      await curl(
        `smtps://localhost:${office.port}/me`,
        ...["--ipv4", "--cacert", certOf(office), "--user", `ann:${PASSWORD}`],
      );
      assertMatch(office.mail("b@x.org")[0], /with ESMTPSA id/);
    }),
  CURL,
);

const SOURCE = skipUnless("smtp-source");
for (const args of [[], ["-d"], ["-r", "5"], ["-l", "300000"]]) {
  test(`smtp-source ${args.join(" ")}: 200 messages over 20 connections`, () =>
    withOffice({}, async (office) => {
      await run("smtp-source", [
        ...["-s", "20", "-m", "200", "-f", "a@y.org", "-t", "b@x.org", ...args],
        `127.0.0.1:${office.port}`,
      ]);
      const boxes = [...Deno.readDirSync(office.root)].map(({ name }) => name);
      assertEquals(boxes.reduce((sum, box) => sum + office.mail(box).length, 0), args[0] === "-r" ? 1000 : 200);
    }), SOURCE);
}

/** Sends two messages through nodemailer, over one connection of a pool. */
async function nodemail(port: number, options: Readonly<Record<string, unknown>>): Promise<void> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port, pool: true, maxConnections: 1, ...options });
  const text = ".\n..\n.dot\n";
  const mails = [1, 2].map((n) =>
    transport.sendMail({
      from: "a@y.org",
      to: "b@x.org",
      subject: `${n} ä`,
      text,
      attachments: [{ content: "x\n".repeat(9999) }],
    })
  );
  try {
    await within(Promise.all(mails), "nodemailer");
  } finally {
    transport.close();
  }
}

test("nodemailer: two messages with attachments over one connection", () =>
  withOffice({}, async (office) => {
    await nodemail(office.port, {});
    assertEquals(office.mail("b@x.org").length, 2);
    for (const file of office.mail("b@x.org")) assertMatch(contentOf(file), /\n\.\n\.\.\n\.dot\n/);
    await eventually("its connection to end", () =>
      (office.server as unknown as { clientCount: number }).clientCount === 0);
  }));

test("nodemailer: AUTH in clear", () =>
  withOffice({ ...USER, "auth-insecure": true, "require-auth": true }, async (office) => {
    await nodemail(office.port, { auth: { user: "ann", pass: PASSWORD } });
    assertEquals(office.mail("b@x.org").length, 2);
    await eventually(
      "its connection to end",
      () => (office.server as unknown as { clientCount: number }).clientCount === 0,
    );
  }));
