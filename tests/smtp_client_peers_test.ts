// The mail client against other people's servers: a student's, Python's, npm's and Postfix's.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../lib/grade/calling.ts";
import type { NetlabError } from "../lib/protocol/errors.ts";
import { FakeConsole } from "./chat_helpers.ts";
import { environment } from "./cli_helpers.ts";
import { skipIf, skipUnless, test, within } from "./helpers.ts";
import { client, makeCertificate, passwordFile, TO_ONE } from "./smtp_client_helpers.ts";

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

const SEED_SERVER = `${import.meta.dirname}/peers/smtp_seed_server.py`;

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

const NPM_SERVER = `${import.meta.dirname}/peers/smtp_npm_server.ts`;
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
  const port = freePort("tcp");
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
