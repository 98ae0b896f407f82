// UDP as connections: each source of a bound socket is a peer of its own, and a client hears its server only.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Conn } from "../lib/net/conn.ts";
import { connectUdp, DatagramAcceptor } from "../lib/net/datagram_peers.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { decodeText } from "../lib/protocol/text.ts";
import { bytes, eventually, QUIET_HOST, skipIf, skipUnlessIpv6, test, within } from "./helpers.ts";

/** What an acceptor takes in one session at most. */
const MAX_WAITING = 1024;
const MAX_WAITING_BYTES = 1_048_576;

/** An acceptor, who has called it, and what calls it. */
class Desk {
  readonly acceptor: DatagramAcceptor;
  readonly callers: Conn[] = [];
  readonly ended: Promise<void>;
  readonly #clients: Conn[] = [];

  constructor(host: string) {
    this.acceptor = new DatagramAcceptor(host, 0);
    this.ended = this.acceptor.run({
      onConn: (conn) => this.callers.push(conn),
      onLastFile: () => Promise.reject(new Error("UDP has one file")),
      onWarning: (text) => Promise.reject(new Error(text)),
    });
  }

  /** A client, which has sent nothing yet. */
  async client(): Promise<Conn> {
    const { hostname, port } = this.acceptor.address;
    const client = await connectUdp(hostname, port);
    this.#clients.push(client);
    return client;
  }

  /** A client, and its peer at the acceptor, that has taken the first datagram. */
  async pair(): Promise<[client: Conn, peer: Conn]> {
    const client = await this.client();
    const before = this.callers.length;
    await client.write(bytes("hello"));
    await eventually("the caller", () => this.callers.length > before);
    assertEquals(await text(this.callers[before]), "hello");
    return [client, this.callers[before]];
  }

  async close(): Promise<void> {
    for (const conn of [...this.callers, ...this.#clients]) conn.close();
    this.acceptor.close();
    await within(this.ended, "the end of the acceptor");
  }
}

async function withDesk(fn: (desk: Desk) => Promise<void>, host = "127.0.0.1"): Promise<void> {
  const desk = new Desk(host);
  try {
    await fn(desk);
  } finally {
    await desk.close();
  }
}

/** The next datagram. */
async function receive(conn: Conn): Promise<Uint8Array> {
  const datagram = await within(conn.receive!(), "a datagram");
  assert(datagram !== null, "it has ended");
  return datagram;
}

const text = async (conn: Conn) => decodeText(await receive(conn));

/** What waits, up to the end. */
async function drain(conn: Conn): Promise<Uint8Array[]> {
  await conn.closeWrite();
  const got: Uint8Array[] = [];
  for (let one = await conn.receive!(); one !== null; one = await conn.receive!()) got.push(one);
  return got;
}

/** Sends so that the system's own buffer never overflows: after a few, the answer of another peer shows that they came. */
async function sendAll(client: Conn, datagrams: readonly Uint8Array[], [fence, peer]: [Conn, Conn], few: number) {
  for (const [i, datagram] of datagrams.entries()) {
    await client.write(datagram);
    if (i % few !== 0 && i < datagrams.length - 1) continue;
    await fence.write(bytes("fence"));
    await receive(peer);
  }
}

test("each source is a peer of its own, and an answer reaches the one who asked", () =>
  withDesk(async (desk) => {
    const pairs = [await desk.pair(), await desk.pair(), await desk.pair()];
    for (const [i, [client]] of pairs.entries()) await client.write(bytes(`question ${i}`));
    for (const [i, [, peer]] of pairs.entries()) assertEquals(await text(peer), `question ${i}`);
    for (const [i, [, peer]] of pairs.entries()) await peer.write(bytes(`answer ${i}`));
    for (const [i, [client]] of pairs.entries()) assertEquals(await text(client), `answer ${i}`);
    const ports = desk.callers.map(({ remoteAddr }) => (remoteAddr as Deno.NetAddr).port);
    assertEquals(new Set(ports), new Set(pairs.map(([client]) => (client.localAddr as Deno.NetAddr).port)));
  }));

test("a client talks over IPv6", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    await peer.write(bytes("six"));
    assertEquals(await text(client), "six");
  }, "::1"), skipUnlessIpv6());

for (const [host, written] of [["::1", "0:0:0:0:0:0:0:1"], ["127.0.0.1", "0.0.0.0"]] as const) {
  test(`a server at ${host} is heard by a client that calls it ${written}`, () =>
    withDesk(async (desk) => {
      const client = await connectUdp(written, desk.acceptor.address.port);
      try {
        await client.write(bytes("hello"));
        await eventually("the caller", () => desk.callers.length === 1);
        await desk.callers[0].write(bytes("heard"));
        assertEquals(await within(text(client), "the answer", 5000), "heard");
      } finally {
        client.close();
      }
    }, host), host === "::1" ? skipUnlessIpv6() : {});
}

for (const host of ["127.0.0.1", "::1"]) {
  test(
    `a client that calls ${host} knows its own address, and has it on this machine only`,
    () =>
      withDesk(async (desk) => {
        const [client, peer] = await desk.pair();
        assertEquals(client.localAddr, peer.remoteAddr);
      }, host),
    host === "::1" ? skipUnlessIpv6() : {},
  );
}

const link = Deno.build.os === "linux"
  ? Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"))
  : undefined;
test(
  "a server at an address of this link only is heard by a client that names the link, too",
  () =>
    withDesk(async (desk) => {
      const client = await connectUdp(`${link!.address}%${link!.name}`, desk.acceptor.address.port);
      try {
        await client.write(bytes("hello"));
        await eventually("the caller", () => desk.callers.length === 1);
        await desk.callers[0].write(bytes("heard"));
        assertEquals(await text(client), "heard");
      } finally {
        client.close();
      }
    }, "::"),
  skipIf(link === undefined ? "no address of a link only" : null),
);

test("a stranger's datagram does not reach a client, whatever it says", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    const { port } = client.localAddr as Deno.NetAddr;
    const stranger = await connectUdp("127.0.0.1", port);
    for (let i = 0; i < 5; i++) await stranger.write(bytes("I am your server"));
    await peer.write(bytes("I am"));
    assertEquals(await text(client), "I am");
    assertEquals(await drain(client), []);
    stranger.close();
  }));

test("what waits for a session is as it came, though the buffer it came in is used again", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    const sent = [bytes("first"), bytes("second one"), bytes("3")];
    await sendAll(client, sent, await desk.pair(), 3);
    assertEquals([await receive(peer), await receive(peer), await receive(peer)], sent);
  }));

test("an empty datagram is one, and no end", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    for (const sent of [bytes(), bytes("x"), bytes()]) {
      await client.write(sent);
      assertEquals(await receive(peer), sent);
      await peer.write(sent);
      assertEquals(await receive(client), sent);
    }
  }));

test("of a flood the first are kept, and what comes when there is room again arrives", () =>
  withDesk(async (desk) => {
    const [[client, peer], fence] = [await desk.pair(), await desk.pair()];
    const flood = Array.from({ length: MAX_WAITING + 100 }, (_, i) => bytes(`${i}`));
    await sendAll(client, flood, fence, 50);
    for (let i = 0; i < MAX_WAITING; i++) assertEquals(await text(peer), `${i}`);
    await client.write(bytes("later"));
    assertEquals(await text(peer), "later");
  }));

test("of a flood of large ones no more are kept than a mebibyte holds", () =>
  withDesk(async (desk) => {
    const [[client, peer], fence] = [await desk.pair(), await desk.pair()];
    const flood = Array.from({ length: 20 }, (_, i) => new Uint8Array(65_507).fill(i));
    await sendAll(client, flood, fence, 1);
    const kept = Math.floor(MAX_WAITING_BYTES / 65_507);
    for (let i = 0; i < kept; i++) assertEquals((await receive(peer))[0], i);
    await client.write(new Uint8Array(65_507).fill(0xff));
    assertEquals((await receive(peer))[0], 0xff);
  }));

test("one peer's flood costs the others nothing", () =>
  withDesk(async (desk) => {
    const [[flooder, flooded], [client, peer]] = [await desk.pair(), await desk.pair()];
    const flood = Array.from({ length: 2 * MAX_WAITING }, () => bytes("me!"));
    await sendAll(flooder, flood, [client, peer], 50);
    await client.write(bytes("me, too"));
    assertEquals(await text(peer), "me, too");
    assertEquals((await drain(flooded)).length, MAX_WAITING);
  }));

test("our own end gives out what waits, and then null for ever", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    const fence = await desk.pair();
    await sendAll(client, [bytes("one"), bytes("two")], fence, 2);
    await peer.closeWrite();
    await sendAll(client, [bytes("too late")], fence, 1);
    assertEquals([await text(peer), await text(peer)], ["one", "two"]);
    assertEquals([await peer.receive!(), await peer.receive!()], [null, null]);
  }));

test("closing ends a receive that waits, and may be done twice", () =>
  withDesk(async (desk) => {
    for (const conn of await desk.pair()) {
      const waiting = conn.receive!();
      conn.close();
      conn.close();
      assertEquals(await within(waiting, "its end"), null);
    }
  }));

test("each hands over what waits and then what comes, in order, until the end", () =>
  withDesk(async (desk) => {
    const [[client, peer], fence] = [await desk.pair(), await desk.pair()];
    const got: string[] = [];
    await sendAll(client, ["0", "1", "2"].map((one) => bytes(one)), fence, 3);
    const ended = peer.each!((datagram) => void got.push(decodeText(datagram)));
    await sendAll(client, ["3", "4", "5"].map((one) => bytes(one)), fence, 1);
    assertEquals(got, ["0", "1", "2", "3", "4", "5"]);
    await peer.closeWrite();
    await within(ended, "its end");
    await sendAll(client, [bytes("late")], fence, 1);
    assertEquals(got.length, 6);
  }));

test("while one of each takes its time the next ones are kept, as they came, and then handed over", () =>
  withDesk(async (desk) => {
    const [[client, peer], fence] = [await desk.pair(), await desk.pair()];
    const got: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = peer.each!((datagram) => {
      got.push(decodeText(datagram));
      return got.length === 2 ? promise : undefined;
    });
    await sendAll(client, ["0", "1", "2", "3"].map((one) => bytes(one)), fence, 1);
    assertEquals(got, ["0", "1"]);
    resolve();
    await eventually("the others", () => got.length === 4);
    await sendAll(client, [bytes("4")], fence, 1);
    assertEquals(got, ["0", "1", "2", "3", "4"]);
    peer.close();
    await within(ended, "its end");
  }));

test("what one of each throws, or ends with, is the end of it, and of nobody else", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    for (const waiting of [true, false]) {
      for (const fail of [() => Promise.reject(new Error("fault")), () => void bytes(fault())]) {
        if (waiting) await client.write(bytes("x"));
        const ended = assertRejects(() => peer.each!(fail), Error, "fault");
        if (!waiting) await client.write(bytes("x"));
        await within(ended, "the fault");
      }
    }
    await client.write(bytes("afterwards"));
    assertEquals(await text(peer), "afterwards");
  }));

function fault(): string {
  throw new Error("fault");
}

test("who closes while a datagram is handed over is handed no other, and has the end of each", () =>
  withDesk(async (desk) => {
    for (const waiting of [true, false]) {
      const [client, peer] = await desk.pair();
      if (waiting) await client.write(bytes("x"));
      const ended = peer.each!(() => peer.close());
      if (!waiting) await client.write(bytes("x"));
      await within(ended, "its end");
    }
  }));

test("writing to a closed peer fails, and the others go on", () =>
  withDesk(async (desk) => {
    const [[, closed], [client, peer]] = [await desk.pair(), await desk.pair()];
    closed.close();
    await assertRejects(() => closed.write(bytes("late")), Deno.errors.BrokenPipe);
    await peer.write(bytes("still here"));
    assertEquals(await text(client), "still here");
  }));

test("a datagram that is larger than any is refused, and the peer is there for others", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    await assertRejects(() => peer.write(new Uint8Array(65_508)), NetlabError, "no datagram so large");
    await peer.write(bytes("smaller"));
    assertEquals(await text(client), "smaller");
  }));

test("datagrams are not read as a stream", () =>
  withDesk(async (desk) => {
    const [client] = await desk.pair();
    await assertRejects(async () => await client.read(new Uint8Array(10)), TypeError, "whole");
  }));

test("who sends again after its peer was closed is a new caller", () =>
  withDesk(async (desk) => {
    const [client, peer] = await desk.pair();
    peer.close();
    await client.write(bytes("me again"));
    await eventually("the caller", () => desk.callers.length === 2);
    assertEquals(await text(desk.callers[1]), "me again");
    assertEquals(desk.callers[1].remoteAddr, peer.remoteAddr);
    peer.close();
    await client.write(bytes("and again"));
    assertEquals(await text(desk.callers[1]), "and again");
  }));

test("an acceptor that is closed takes nobody new, and serves those who are there until the last is closed", () =>
  withDesk(async (desk) => {
    const [pair, other] = [await desk.pair(), await desk.pair()];
    desk.acceptor.close();
    const late = await desk.client();
    await late.write(bytes("anybody?"));
    await sendAll(pair[0], [bytes("still here")], other, 1);
    assertEquals([desk.callers.length, await text(pair[1])], [2, "still here"]);
    for (const [, peer] of [pair, other]) peer.close();
    await within(desk.ended, "the end of the acceptor");
  }));

test("with its last peer a closed acceptor gives its port back, and so does one that nobody has called", async () => {
  for (const calls of [0, 2]) {
    const desk = new Desk("127.0.0.1");
    const { port } = desk.acceptor.address;
    for (let i = 0; i < calls; i++) await desk.pair();
    await desk.close();
    // The system may take a moment, and another test may get the port meanwhile.
    await eventually("its port to be free", () => isFree(port));
  }
});

test("a client that is closed gives its port back", () =>
  withDesk(async (desk) => {
    const [client] = await desk.pair();
    client.close();
    await eventually("its port to be free", () => isFree((client.localAddr as Deno.NetAddr).port));
  }));

function isFree(port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}

test("a host that does not exist is said in one line, with what to do", async () => {
  // No label is so long: it is refused before anybody in a network is asked.
  const host = `${"x".repeat(64)}.example`;
  const error = await assertRejects(() => connectUdp(host, 9005), NetlabError);
  assertEquals([error.kind, error.message], ["transport", `cannot talk to ${host}:9005: no such host`]);
  assert(error.hint);
});

test("a port that nobody listens on is like one that is silent", async () => {
  const gone = new DatagramAcceptor(QUIET_HOST, 0);
  gone.close();
  await gone.run({ onConn() {}, onLastFile: () => Promise.resolve(), onWarning() {} });
  const client = await connectUdp(QUIET_HOST, gone.address.port);
  for (let i = 0; i < 10; i++) assertEquals(await client.write(bytes("anybody?")), 8);
  const desk = Deno.listenDatagram({ transport: "udp", hostname: QUIET_HOST, port: gone.address.port });
  await desk.send(bytes("now I am"), client.localAddr as Deno.NetAddr);
  assertEquals(await text(client), "now I am");
  client.close();
  desk.close();
});
