// Servers that are not only called: connections they opened themselves, servers that listen nowhere, and what a server says,
// or does not say, to those who have to leave.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type MemoryConn, memoryPair } from "../lib/net/memory.ts";
import type { Server, ServerOptions } from "../lib/net/server.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { bytes, eventually, Peer, settle, test, within } from "./helpers.ts";
import { FRAME_LIMIT, readAll, withServer } from "./net_helpers.ts";

const REPLIES = { refuse: (why: string) => `ERROR ${why}`, bad: (error: Error) => `ERROR ${error.message}` };
const QUIET = { ...REPLIES, goodbye: false };

/** Not `AutoFramer`, whose silences would need the clock. */
const lines = { makeFramer: () => new LineFramer(FRAME_LIMIT) };

/** A connection in memory that `server` takes in, and its other end. */
function adopt(server: Server<string, string>): MemoryConn {
  const [ours, theirs] = memoryPair();
  server.adopt(ours);
  return theirs;
}

/** The next bytes, as text; null at the end of the stream. */
async function hear(conn: MemoryConn): Promise<string | null> {
  const buffer = new Uint8Array(1024);
  const count = await within(conn.read(buffer), "bytes");
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** Advances in steps, with a turn of the event loop between them, as real time would pass. */
async function advance(clock: VirtualClock, ms: number, stepMs = 250): Promise<void> {
  for (const end = clock.now() + ms; clock.now() < end;) {
    clock.advanceTo(Math.min(end, clock.now() + stepMs));
    await settle();
  }
}

test("a connection that the server opened is served like one that called", () =>
  withServer(lines, async ({ server, sessions, ended, trace, join }) => {
    const called = adopt(server);
    assertEquals([server.clientCount, sessions.length], [1, 1], "at once, so that it may be spoken to at once");
    sessions[0].send("hello, it is me");
    assertEquals(await hear(called), "hello, it is me\n");
    const caller = await join();
    await caller.send("one\n");
    await called.write(bytes("two\n", 0xff, "\n"));
    assertEquals(await caller.line(), "re: one");
    assertEquals(await hear(called), "re: two\nERROR invalid UTF-8 at byte 0\n");
    called.close();
    await eventually("its end", () => server.clientCount === 1);
    assertEquals([ended(), trace.of("open").length, trace.of("close").length], [1, 2, 1]);
    await caller.send("still here\n");
    assertEquals(await caller.line(), "re: still here");
  }));

test("a connection that the server opened has a place even where there is none for callers, and takes one", () =>
  withServer({ ...lines, limits: { maxClients: 1 } }, async ({ server, join }) => {
    const [first, second] = [adopt(server), adopt(server)];
    assertEquals(server.clientCount, 2);
    const caller = await Peer.connect(server.address);
    await caller.send("hello\n");
    assertEquals(await caller.rest(), "ERROR server full: 1 client\n");
    caller.close();
    for (const conn of [first, second]) {
      await conn.write(bytes("hello\n"));
      assertEquals(await hear(conn), "re: hello\n");
      conn.close();
    }
    await eventually("them to be gone", () => server.clientCount === 0);
    const next = await join();
    await next.send("hello\n");
    assertEquals(await next.line(), "re: hello");
  }));

test("a server that listens nowhere has no address, serves those it calls, and ends only when it is told", () =>
  withServer({ ...lines, listen: null, farewells: QUIET }, async ({ server, ended }) => {
    assertThrows(() => server.address, TypeError, "does not listen");
    let over = false;
    void server.finished.then(() => (over = true));
    for (let i = 1; i <= 3; i++) {
      const peer = adopt(server);
      await peer.write(bytes(`hello ${i}\n`));
      assertEquals(await hear(peer), `re: hello ${i}\n`);
      peer.close();
      await eventually("it to be gone", () => server.clientCount === 0);
      await settle();
      assertEquals([over, ended()], [false, i]);
    }
    await server.shutdown(1000);
    assert(over);
  }));

test("a server that listens nowhere and has nobody shuts down at once, or stops, and leaves no timer behind", async () => {
  for (const how of ["shutdown", "abort"] as const) {
    const clock = new VirtualClock();
    await withServer({ ...lines, clock, listen: null }, async ({ server }) => {
      assert(clock.next() !== null, "the look at idle clients is due some time");
      if (how === "abort") server.abort();
      else await server.shutdown(10_000);
      await server.finished;
      assertEquals(clock.next(), null);
    });
  }
});

test("stopping a server cuts those that it called, too", () =>
  withServer({ ...lines, listen: null }, async ({ server, trace, ended }) => {
    const peers = [adopt(server), adopt(server)];
    server.abort();
    await server.finished;
    for (const peer of peers) assertEquals(await readAll(peer), "");
    assertEquals([ended(), trace.of("close").map(({ reason }) => reason)], [2, ["server stopped", "server stopped"]]);
  }));

for (const how of ["shutdown", "abort"] as const) {
  test(`a call that is answered only after the ${how} leaves nothing open`, () =>
    withServer({ ...lines, listen: null }, async ({ server }) => {
      const over = how === "abort" ? server.abort() : server.shutdown(1000);
      await server.finished;
      const peer = adopt(server);
      assertEquals(await hear(peer), null, "it is closed");
      await eventually("it to be forgotten", () => server.clientCount === 0);
      await over;
    }));
}

test("whoever was called may be silent from the start, a caller may not; later silence ends both", async () => {
  const clock = new VirtualClock();
  const limits = { firstByteMs: 4000, idleMs: 20_000 };
  await withServer({ ...lines, clock, limits }, async ({ server, sessions, trace, join }) => {
    const called = adopt(server);
    const caller = await join();
    await advance(clock, 3999);
    assertEquals(sessions.map(({ ending }) => ending), [false, false]);
    await advance(clock, 1);
    assertEquals(await caller.rest(), "ERROR idle for 4 s\n");
    await caller.conn.closeWrite();
    await eventually("the caller to be gone", () => server.clientCount === 1);
    await advance(clock, 15_999);
    assertEquals([sessions[0].ending, clock.now()], [false, 19_999]);
    await advance(clock, 1);
    assertEquals(await readAll(called), "ERROR idle for 20 s\n");
    called.close();
    await eventually("the called to be gone", () => server.clientCount === 0);
    assertEquals(trace.of("close").map(({ reason }) => reason), ["idle for 4 s", "idle for 20 s"]);
  });
});

test("where no goodbye is said, a shutdown is only an end of stream, behind what was queued", () =>
  withServer({ ...lines, farewells: QUIET }, async ({ server, sessions, trace, join }) => {
    const [caller, called] = [await join(), adopt(server)];
    for (const channel of sessions) for (let i = 0; i < 50; i++) channel.send(`message ${i}`);
    const over = server.shutdown(30_000);
    const everything = Array.from({ length: 50 }, (_, i) => `message ${i}\n`).join("");
    assertEquals([await caller.rest(), await readAll(called)], [everything, everything]);
    await caller.conn.closeWrite();
    called.close();
    await over;
    assertEquals(trace.of("close").map(({ reason }) => reason), ["server shut down", "server shut down"]);
  }));

test("what comes too late is answered with what is said of leaving, even where no goodbye is said", async () => {
  const clock = new VirtualClock();
  const farewells = { ...QUIET, leaving: "gone fishing" };
  await withServer({ ...lines, clock, farewells, limits: { queueBytes: 64_000_000 } }, async (echo) => {
    const { server, sessions, join } = echo;
    const [talker, sleeper] = [await join(), await join()];
    // One that does not read keeps the shutdown from going on to close the others.
    for (let i = 0; i < 24; i++) sessions[1].send("x".repeat(1_000_000));
    await settle();
    assert(sessions[1].queuedBytes > 0);
    const over = server.shutdown(2000);
    await talker.send("am I too late?\n");
    assertEquals(await talker.line(), "ERROR gone fishing");
    await talker.conn.closeWrite();
    assertEquals(await talker.rest(), "", "it was not told twice, nor answered");
    sleeper.conn.closeWrite();
    await eventually("the talker to be gone", () => server.clientCount === 1);
    for (let i = 0; i < 3; i++) await advance(clock, 1000);
    await over;
    assertEquals(echo.ended(), 2);
  });
});

test("where a goodbye is said, it is in the server's own words", () =>
  withServer({ ...lines, farewells: { ...REPLIES, leaving: "the room closes" } }, async ({ server, join }) => {
    const peer = await join();
    const over = server.shutdown(30_000);
    assertEquals(await peer.rest(), "ERROR the room closes\n");
    await peer.conn.closeWrite();
    await over;
  }));

test("a caller for whom there is no room is told why in the server's own words", () =>
  withServer({ ...lines, limits: { maxClients: 1 }, farewells: { ...REPLIES, full: "busy" } }, async (echo) => {
    const first = await echo.join();
    const second = await Peer.connect(echo.server.address);
    await second.send("hello\n");
    assertEquals(await second.rest(), "ERROR busy\n");
    second.close();
    await echo.trace.until("its end", (event) => event.type === "close" && event.reason === "busy");
    await first.send("hello\n");
    assertEquals(await first.line(), "re: hello");
  }));

/** Whoever has not said `keep` last is forgotten. */
const FORGETFUL: Partial<ServerOptions<string, string>> = {
  ...lines,
  session: (channel) => {
    let kept = false;
    return {
      onMessage(text) {
        kept = text === "keep";
        channel.send(`re: ${text}`);
      },
      onEnd() {},
      get forgettable() {
        return !kept;
      },
    };
  },
};

test("a forgetful server makes room: who has been there the longest is forgotten without a word", () =>
  withServer({ ...FORGETFUL, limits: { maxClients: 2 } }, async ({ server, trace, ended, join }) => {
    const [first, second, third] = [await join(), await join(), await join()];
    assertEquals(await first.rest(), "");
    await eventually("one to be gone", () => server.clientCount === 2);
    for (const peer of [second, third]) {
      await peer.send("hello\n");
      assertEquals(await peer.line(), "re: hello");
    }
    const fourth = await join();
    assertEquals(await second.rest(), "");
    await fourth.send("hello\n");
    assertEquals(await fourth.line(), "re: hello");
    await eventually("the first two to have ended", () => ended() === 2);
    assertEquals(trace.of("close").map(({ reason }) => reason), ["forgotten", "forgotten"]);
  }));

test("a forgetful server keeps whoever would miss something: when all of them would, the next is refused", () =>
  withServer({ ...FORGETFUL, limits: { maxClients: 2 } }, async ({ join, server }) => {
    const [first, second] = [await join(), await join()];
    await first.send("keep\n");
    assertEquals(await first.line(), "re: keep");
    const third = await join();
    assertEquals(await second.rest(), "");
    await third.send("keep\n");
    assertEquals(await third.line(), "re: keep");
    const fourth = await Peer.connect(server.address);
    await fourth.send("hello\n");
    assertEquals(await fourth.rest(), "ERROR server full: 2 clients\n");
    fourth.close();
    await first.send("hello\n");
    assertEquals(await first.line(), "re: hello");
    const fifth = await join();
    assertEquals(await first.rest(), "");
    await fifth.send("hello\n");
    assertEquals(await fifth.line(), "re: hello");
  }));

test("a forgetful server sends idle clients away without a word", async () => {
  const clock = new VirtualClock();
  const limits = { firstByteMs: 4000, idleMs: 8000 };
  await withServer({ ...FORGETFUL, clock, limits }, async ({ server, ended, join }) => {
    const [silent, talker] = [await join(), await join()];
    await talker.send("hello\n");
    assertEquals(await talker.line(), "re: hello");
    await advance(clock, 5000);
    assertEquals([await silent.rest(), server.clientCount], ["", 1]);
    await advance(clock, 5000);
    assertEquals([await talker.rest(), server.clientCount], ["", 0]);
    await eventually("both sessions to have ended", () => ended() === 2);
  });
});
