import { assert, assertEquals, assertMatch, assertNotMatch, assertRejects, assertThrows } from "@std/assert";
import { MaildirError } from "../lib/exercises/smtp/new_mail.ts";
import { connectTcp } from "../lib/net/client.ts";
import { formatAddress, formatHostPort, sendAtOnce } from "../lib/net/conn.ts";
import { DatagramEndpoint } from "../lib/net/datagram.ts";
import { describeSystemError, type Doing, isOutOfFiles, isReset, transportError } from "../lib/net/errors.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { deafAddress, Peer, skipUnlessIpv6, test } from "./helpers.ts";

const WINDOWS = Deno.build.os === "windows";

test("a refused connection says so, and what may be the matter", async () => {
  const { host, port } = deafAddress();
  const error = await assertRejects(() => connectTcp(host, port), NetlabError);
  assertEquals([error.kind, error.message], ["transport", `cannot connect to ${host}:${port}: connection refused`]);
  assertMatch(error.hint!, /is the server running/);
});

test("a host that does not exist, or cannot, says so", async () => {
  for (const host of ["no-such-host.invalid", "user@localhost", "*"]) {
    const error = await assertRejects(() => connectTcp(host, 7777), NetlabError);
    assertEquals([error.kind, error.message], ["transport", `cannot connect to ${host}:7777: no such host`]);
    assertMatch(error.hint!, /spelling/);
    const listening = transportError(error.cause, "listen on", `${host}:7777`);
    assertMatch(listening.hint!, /spelling.*; 0\.0\.0\.0 stands for all addresses of this machine$/);
  }
});

test("an address that is good on one interface only, and names none, is told so", () => {
  const invalid = new Error("Invalid argument (os error 22)");
  const said = (address: string) => transportError(invalid, "connect to", address).withHint;
  assertEquals(
    said("[fe80::1]:7777"),
    "cannot connect to [fe80::1]:7777: invalid argument: say by which interface: fe80::1%eth0",
  );
  assertEquals(said("[fe80::1%lo]:7777"), "cannot connect to [fe80::1%lo]:7777: invalid argument");
});

test("an address of some other machine cannot be listened on, and the hint says which can", () => {
  const error = assertThrows(() => new DatagramEndpoint({ host: "203.0.113.1" }), NetlabError);
  assertEquals(error.kind, "transport");
  assertMatch(error.message, /^cannot listen on 203\.0\.113\.1:0: this machine does not have that address$/);
  assertMatch(error.hint!, /0\.0\.0\.0/);
});

test("a connection carries bytes", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [ours, theirs] = await Promise.all([connectTcp("127.0.0.1", port), listener.accept()]);
  const peer = new Peer(theirs);
  await ours.write(new TextEncoder().encode("hello"));
  assertEquals(await peer.read(5), "hello");
  ours.close();
  peer.close();
});

test("a system that takes no options for a connection, as macOS for one that was reset, leaves it as it is", () => {
  const conn = {
    setNoDelay: () => {
      throw new Error("Invalid argument (os error 22)");
    },
  };
  assertEquals(sendAtOnce(conn), conn);
});

test("IPv6 addresses are connected to, and shown in brackets", async () => {
  using listener = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [ours, theirs] = await Promise.all([connectTcp("::1", port), listener.accept()]);
  assertEquals(formatAddress(ours.remoteAddr), `[::1]:${port}`);
  ours.close();
  theirs.close();
  listener.close();
  const error = await assertRejects(() => connectTcp("::1", port), NetlabError);
  assertEquals(error.message, `cannot connect to [::1]:${port}: connection refused`);
}, skipUnlessIpv6());

test("addresses look as people write them", () => {
  assertEquals(formatHostPort("127.0.0.1", 80), "127.0.0.1:80");
  assertEquals(formatHostPort("example.org", 80), "example.org:80");
  assertEquals(formatHostPort("fe80::1", 80), "[fe80::1]:80");
  assertEquals(formatHostPort("::ffff:10.0.0.1", 80), "10.0.0.1:80");
  assertEquals(formatAddress({ transport: "tcp", hostname: "::1", port: 9 }), "[::1]:9");
  assertEquals(formatAddress({ transport: "unix", path: "/run/x" }), "unix");
});

test("whatever the system says becomes one line with a next step", () => {
  const withCode = (code: string) => Object.assign(new Error(`${code} (os error 1)`), { code });
  const cases: [Error, Doing, string, RegExp][] = [
    [new Deno.errors.AddrInUse("x"), "listen on", "h:80", /^port 80 is in use on h$/],
    [withCode("EADDRINUSE"), "listen on", "[::1]:80", /^port 80 is in use on \[::1\]$/],
    [
      new Deno.errors.PermissionDenied("x"),
      "listen on",
      "h:80",
      WINDOWS ? /refused/ : /^cannot listen on h:80: ports below 1024 need/,
    ],
    [withCode("EACCES"), "listen on", "h:8080", /^cannot listen on h:8080: the system refused permission$/],
    [withCode("EMSGSIZE"), "talk to", "h:1", /^cannot talk to h:1: this system sends no datagram so large/],
    [new Deno.errors.NotCapable("x"), "connect to", "h:1", /^cannot connect to h:1: netlab was started without/],
    [new Deno.errors.AddrNotAvailable("x"), "connect to", "h:0", /cannot be used as a destination$/],
    [withCode("ENETUNREACH"), "connect to", "h:1", /: unreachable$/],
    [withCode("EHOSTUNREACH"), "connect to", "h:1", /: unreachable$/],
    [new Error("No route to host (os error 113)"), "connect to", "h:1", /: unreachable$/],
    [new Deno.errors.TimedOut("x"), "connect to", "h:1", /: no answer$/],
    [new Deno.errors.ConnectionReset("x"), "talk to", "h:1", /^cannot talk to h:1: the peer cut the connection$/],
  ];
  for (const [cause, doing, address, expected] of cases) {
    const error = transportError(cause, doing, address);
    assertMatch(error.message, expected);
    assertNotMatch(error.message, /\n/);
    assertEquals([error.kind, error.cause], ["transport", cause]);
    assert(error.hint, `no next step for: ${error.message}`);
  }
});

test("that no more files may be opened is this machine's fault", () => {
  const cause = Object.assign(new Error("x"), { code: "EMFILE" });
  const { kind, message, hint } = transportError(cause, "connect to", "h:1");
  assertEquals([kind, message], ["harness", "cannot connect to h:1: too many open files"]);
  assertEquals(hint, "raise the limit with: ulimit -n 65536");
});

test("what Windows says, in the language of its user, is known by its number", () => {
  const failure = Object.assign(new Error("Der angegebene Host ist unbekannt. (os error 11001)"), { code: "ENOENT" });
  assertEquals(transportError(failure, "connect to", "h:1").message, "cannot connect to h:1: no such host");
  const odd = "Falscher Parameter. (os error 87): open 'x'";
  assertEquals(describeSystemError(new Error(odd)), "falscher Parameter");
  assert(new MaildirError(Object.assign(new Error("Kein Platz. (os error 112)"), { code: "ENOSPC" })).full);
});

test("what is not foreseen is passed on in the system's words, without their capital and number", () => {
  const error = transportError(new Error("Something odd (os error 99)"), "connect to", "h:1");
  assertEquals([error.message, error.hint], ["cannot connect to h:1: something odd", undefined]);
  const abbreviation = transportError(new Error("TLS failed (os error 99)"), "connect to", "h:1");
  assertEquals(abbreviation.message, "cannot connect to h:1: TLS failed");
  const ours = new NetlabError("limit", "ours");
  assert(transportError(ours, "connect to", "h:1") === ours);
});

test("resets and a lack of files are recognised, other errors are not", () => {
  for (const reset of ["ConnectionReset", "ConnectionAborted", "BrokenPipe", "NotConnected"] as const) {
    assert(isReset(new Deno.errors[reset]("x")), reset);
  }
  assert(!isReset(new Deno.errors.TimedOut("x")));
  assert(isOutOfFiles(new Error("Too many open files (os error 24)")));
  assert(isOutOfFiles(Object.assign(new Error("x"), { code: "ENFILE" })));
  for (const other of [new Error("x"), null, undefined, "text"]) assert(!isOutOfFiles(other));
});
