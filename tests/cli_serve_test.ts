// `netlab serve`: what it says at its start, in each form, and how it ends.

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { temporaryFolder } from "./chat_helpers.ts";
import { NETLAB, netlab, Program, runProgram, startServer } from "./cli_helpers.ts";
import { eventually, Peer, skipIf, skipUnless, skipUnlessIpv6, skipUnlessSignals, test } from "./helpers.ts";

const LOOPBACK = "127.0.0.1";

/** A caller with a name, so that it is known to be in a session. */
async function caller(port: number, name: string): Promise<Peer> {
  const peer = await Peer.connect({ hostname: LOOPBACK, port });
  await peer.send(`NAME ${name}\n`);
  assertEquals(await peer.line(), `HELLO ${name}`);
  return peer;
}

test("a server says its address, with the port that --port 0 has chosen, and what to type here", async () => {
  await using server = new Program("serve chat --host 127.0.0.1 --port 0");
  const said = await server.out.line();
  assertMatch(said, /^chat listens on 127\.0\.0\.1:\d+ \(tcp\)$/);
  const port = said.match(/:(\d+)/)![1];
  assertEquals(await server.err.line(), `  here:       netlab connect chat 127.0.0.1:${port}`);
  (await caller(Number(port), "alice")).close();
  server.signal("SIGTERM");
  assertNotMatch((await server.result()).err, /elsewhere/);
});

test("a server on all interfaces says what to type on another machine", async () => {
  await using server = new Program("serve chat --port 0");
  const port = (await server.out.line()).match(/^chat listens on 0\.0\.0\.0:(\d+) \(tcp\)$/)![1];
  assertEquals(await server.err.line(), `  here:       netlab connect chat 127.0.0.1:${port}`);
  const lan = Deno.networkInterfaces().filter(({ family, address }) =>
    family === "IPv4" && !/^(127|169\.254)\./.test(address)
  );
  if (lan.length > 0) {
    const [, host, elsewhere] = (await server.err.line()).match(/^ {2}elsewhere: {2}netlab connect chat (.*):(\d+)$/)!;
    assert(lan.some(({ address }) => address === host), host);
    assertEquals(elsewhere, port);
  }
  server.signal("SIGTERM");
  await server.result();
});

test("a server on IPv6 says its address in brackets and takes callers there", async () => {
  await using server = new Program("serve chat --host ::1 --port 0");
  const port = (await server.out.line()).match(/^chat listens on \[::1\]:(\d+) \(tcp\)$/)![1];
  assertEquals(await server.err.line(), `  here:       netlab connect chat [::1]:${port}`);
  const { status, out } = await runProgram(["connect", "chat", `[::1]:${port}`, "--quiet"], { input: "NAME six" });
  assertEquals([status, out], [0, "HELLO six\nEXIT\n"]);
}, skipUnlessIpv6());

test("with --json the first line on standard output is an object that says where", async () => {
  await using server = new Program("serve chat --port 0 --json --quiet");
  const line = await server.out.line();
  const { port } = JSON.parse(line);
  assert(Number.isInteger(port) && port > 0, line);
  assertEquals(
    line,
    `{"event":"listening","exercise":"chat","transport":"tcp","host":"0.0.0.0","port":${port}}`,
  );
  (await caller(port, "alice")).close();
  server.signal("SIGTERM");
  const { status, out, err } = await server.result();
  assertEquals([status, err], [0, ""]);
  const events = out.trimEnd().split("\n").map((text) => JSON.parse(text).event);
  assertEquals(events, ["listening", "open", "note", "label", "close"]);
}, skipUnlessSignals());

test("with --json and --trace the messages are there, too", async () => {
  await using server = new Program("serve chat --host 127.0.0.1 --port 0 --json --trace --quiet");
  const { port } = JSON.parse(await server.out.line());
  (await caller(port, "alice")).close();
  await server.out.until(/"event":"close"/);
  server.signal("SIGTERM");
  const { out } = await server.result();
  const messages = out.trimEnd().split("\n").map((text) => JSON.parse(text)).filter(({ event }) => event === "message");
  assertEquals(messages.map(({ direction, text }) => [direction, text]), [["in", "NAME alice"], [
    "out",
    "HELLO alice",
  ]]);
});

test("a server whose recording cannot go on serves on, and says so by its status in the end", async () => {
  const path = `${temporaryFolder()}/trace.jsonl`;
  // A limit of 1 KiB for files, and the signal that goes with it ignored: as on a full disk.
  const command = ["bash", "-c", `ulimit -f 1; trap "" XFSZ; exec "$@"`, "netlab", ...NETLAB];
  const line = `serve chat --host 127.0.0.1 --port 0 --quiet --trace-file ${path}`;
  await using server = new Program(line, { command });
  const port = Number((await server.out.line()).match(/:(\d+)/)![1]);
  for (let i = 0; i < 20; i++) (await caller(port, `alice-${i}`)).close();
  server.signal("SIGTERM");
  const { status, err } = await server.result();
  assertEquals(status, 3);
  const warning = `warning: cannot write ${path}: file too large: the recording ends here\n`;
  assertEquals(err, `${warning}netlab: the recording in ${path} is not whole\n`);
}, { ignore: skipUnless("bash").ignore || skipUnlessSignals().ignore });

test("with --quiet a server says its address and nothing else", async () => {
  await using server = new Program("serve chat --host 127.0.0.1 --port 0 --quiet");
  const line = await server.out.line();
  (await caller(Number(line.match(/:(\d+)/)![1]), "alice")).close();
  server.signal("SIGINT");
  assertEquals(await server.result(), { status: 0, out: `${line}\n`, err: "" });
}, skipUnlessSignals());

test("a server's log says who came, who is who, and who left and why", async () => {
  const { server, port } = await startServer();
  await using _ = server;
  const peer = await caller(port, "alice");
  await peer.send("EXIT\n");
  assertEquals(await peer.rest(), "EXIT\n");
  peer.close();
  const address = await server.err.until(/^\d\d:\d\d:\d\d (127\.0\.0\.1:\d+) connected\n/m);
  assertMatch(await server.err.line(), new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${address}: client frames with lines$`));
  assertMatch(await server.err.line(), new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${address} is now alice$`));
  assertMatch(await server.err.line(), /^\d\d:\d\d:\d\d alice left: EXIT$/);
});

test("a port in use is one line that says what to do, with status 1", async () => {
  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  assertEquals(await netlab(`serve chat --port ${port}`), {
    status: 1,
    out: "",
    err: `netlab: port ${port} is in use on 0.0.0.0: stop the other server or pick another with --port\n`,
  });
});

test("an address that this machine does not have, or that nobody has, is one line with status 1", async () => {
  const { status, out, err } = await netlab("serve chat --host 203.0.113.7 --port 0");
  assertEquals([status, out], [1, ""]);
  assertEquals(
    err,
    "netlab: cannot listen on 203.0.113.7:0: this machine does not have that address: " +
      "0.0.0.0 stands for all of its addresses\n",
  );
  const unknown = await netlab("serve chat --host no-such-host.invalid --port 0");
  assertEquals([unknown.status, unknown.out], [1, ""]);
  assertMatch(unknown.err, /^netlab: cannot listen on no-such-host\.invalid:0: no such host: .*\n$/);
});

/** A user, or a root without the right, who may not listen below 1024; null where everybody may. */
function unprivileged(): { command: string[] | null; why: string | null } {
  if (Deno.build.os !== "linux") return { command: null, why: "privileged ports are tried on Linux only" };
  const { stdout } = new Deno.Command("cat", { args: ["/proc/sys/net/ipv4/ip_unprivileged_port_start"] }).outputSync();
  const start = Number(new TextDecoder().decode(stdout));
  if (start < 1024) return { command: null, why: "on this machine everybody may listen on ports below 1024" };
  if (Deno.uid() !== 0) return { command: [], why: null };
  const without = ["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"];
  return skipUnless("setpriv").ignore
    ? { command: null, why: "setpriv is not installed" }
    : { command: ["setpriv", ...without], why: null };
}

const { command, why } = unprivileged();

test("a privileged port without the right is one line that says what to do", async () => {
  const { status, out, err } = await runProgram("serve chat --port 81", { command: [...command!, ...NETLAB] });
  assertEquals([status, out], [1, ""]);
  assertEquals(
    err,
    "netlab: cannot listen on 0.0.0.0:81: ports below 1024 need special rights: pick one from 1024 with --port\n",
  );
}, skipIf(why));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`at ${signal} a server says goodbye to its clients and ends with status 0`, async () => {
    const { server, port } = await startServer();
    await using _ = server;
    const peer = await caller(port, "alice");
    server.signal(signal);
    assertEquals(await peer.rest(), "ERROR server is shutting down\n");
    peer.close();
    const { status, err } = await server.result();
    assertEquals(status, 0);
    assertMatch(err, /^stopping \(Ctrl-C again to cut\) …$/m);
    assertMatch(err, /alice left: server shut down\n$/);
  }, skipUnlessSignals());
}

/** A reader that does not read, with more on its way to it than the system buffers; and the writer of that. */
async function stuck(port: number): Promise<{ reader: Peer; writer: Peer }> {
  const [reader, writer] = [await caller(port, "reader"), await caller(port, "writer")];
  await writer.send(`MSG reader ${"x".repeat(1000)}\n`.repeat(16_000), "GET_NAMES\n");
  assertEquals(await writer.line(), "reader writer");
  return { reader, writer };
}

test("when the grace period ends, what a client has not read is lost, and the sender was told", async () => {
  const { server, port } = await startServer("--grace 200ms --max-queue 1G");
  await using _ = server;
  const { reader, writer } = await stuck(port);
  server.signal("SIGINT");
  assertEquals(
    await writer.rest(),
    "ERROR server is shutting down\nERROR not delivered to reader: the last messages, it stopped reading\n",
  );
  assertEquals((await server.result()).status, 0);
  reader.close();
  writer.close();
}, skipUnlessSignals());

test("a second Ctrl-C cuts, with status 130", async () => {
  const { server, port } = await startServer("--grace 1h --max-queue 1G --quiet");
  await using _ = server;
  const { reader, writer } = await stuck(port);
  server.signal("SIGINT");
  assertEquals(await writer.line(), "ERROR server is shutting down");
  server.signal("SIGINT");
  const { status, err } = await server.result();
  assertEquals([status, err], [130, ""]);
  reader.close();
  writer.close();
}, skipUnlessSignals());

test("what never ends in a session ends with the grace period, or at a second Ctrl-C, with status 130", async () => {
  const users = `${temporaryFolder()}/users`;
  // A login that takes an hour.
  Deno.writeTextFileSync(users, `ann:scrypt:16384:8:200000:${btoa("salt")}:${btoa("x".repeat(32))}\n`);
  for (const grace of ["200ms", "1h"]) {
    const options = ["--mailbox", temporaryFolder(), "--users", users, "--auth-insecure", "--grace", grace];
    await using server = new Program(["serve", "smtp", "--host", LOOPBACK, "--port", "0", "--trace", ...options]);
    const port = Number(/:(\d+)/.exec(await server.out.line())![1]);
    const peer = await Peer.connect({ hostname: LOOPBACK, port });
    await peer.send(`EHLO here\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n`);
    await server.err.until(/AUTH PLAIN \(not shown\)/);
    server.signal("SIGINT");
    await server.err.until(/stopping/);
    // However long Ctrl-C is held.
    let over = grace !== "1h";
    const held = eventually("the end", () => {
      if (!over) server.signal("SIGINT");
      return over;
    });
    assertEquals((await server.result()).status, 130);
    over = true;
    await held;
    peer.close();
  }
}, skipUnlessSignals());
