import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { Channel } from "../lib/net/channel.ts";
import type { Session } from "../lib/net/server.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { eventually, Peer, QUIET_HOST, settle, test } from "./helpers.ts";
import { withServer } from "./net_helpers.ts";

const GOODBYE = "ERROR server is shutting down\n";
/** More than the system keeps for a connection that is not read. */
const FLOOD_BYTES = 24_000_000;
const ROOMY = { queueBytes: 64_000_000 };

/** Sends more than the peer's system takes. */
function flood(channel: Channel<string>): void {
  const megabyte = "x".repeat(1_000_000);
  for (let sent = 0; sent < FLOOD_BYTES; sent += megabyte.length) channel.send(megabyte);
}

test("a shutdown delivers what was queued, says goodbye, and ends when everybody has left", () =>
  withServer({}, async ({ server, trace, sessions, ended, join }) => {
    const peers = [await join(), await join()];
    for (const channel of sessions) for (let i = 0; i < 100; i++) channel.send(`message ${i}`);
    const over = server.shutdown(30_000);
    const everything = Array.from({ length: 100 }, (_, i) => `message ${i}\n`).join("") + GOODBYE;
    for (const peer of peers) {
      assertEquals(await peer.rest(), everything);
      await peer.conn.closeWrite();
    }
    await over;
    await server.finished;
    assertEquals([server.clientCount, ended()], [0, 2]);
    assertEquals(trace.of("close").map(({ reason }) => reason), ["server shut down", "server shut down"]);
  }));

test("after a shutdown nobody can connect, and the port is free", () =>
  withServer({ listen: { host: QUIET_HOST, port: 0 } }, async ({ server }) => {
    await server.shutdown(1000);
    await assertRejects(() => Peer.connect(server.address), Deno.errors.ConnectionRefused);
    Deno.listen({ hostname: QUIET_HOST, port: server.address.port }).close();
  }));

test("a server without clients shuts down at once and leaves no timer behind", async () => {
  const clock = new VirtualClock();
  await withServer({ clock }, async ({ server }) => {
    assert(clock.next() !== null, "the look at idle clients is due some time");
    await server.shutdown(10_000);
    assertEquals(clock.next(), null);
  });
});

test("clients that neither leave nor read are cut within the grace period, and the others are told what was lost", async () => {
  const clock = new VirtualClock();
  const stuck: string[] = [];
  await withServer({
    clock,
    limits: ROOMY,
    session: (channel) => ({ onMessage: () => flood(channel), onEnd() {} }),
    farewells: {
      refuse: (why) => `ERROR ${why}`,
      bad: (error) => `ERROR ${error.message}`,
      undelivered: (channels) => stuck.push(...channels.map(({ remote }) => remote)),
    },
  }, async ({ server, sessions, join }) => {
    const [reader, sleeper] = [await join(), await join()];
    await sleeper.send("flood me\n");
    await eventually("the flood", () => sessions[1].queuedBytes > 0);
    const over = server.shutdown(2000);
    assertEquals(await reader.line(), GOODBYE.trim());
    await settle();
    clock.advance(999);
    await settle();
    assertEquals([stuck, server.clientCount], [[], 2]);
    clock.advance(1);
    assertEquals(await reader.rest(), "");
    assertEquals(stuck, [sessions[1].remote]);
    await reader.conn.closeWrite();
    await eventually("the reader to be gone", () => server.clientCount === 1);
    clock.advance(1000);
    await over;
    assertEquals([server.clientCount, clock.now() <= 2000], [0, true]);
    const { port } = sleeper.conn.localAddr as Deno.NetAddr;
    assertEquals(sessions[1].remote, `127.0.0.1:${port}`);
    assertLess((await sleeper.rest()).length, FLOOD_BYTES);
  });
});

test("what a client sends during a shutdown is refused, so that it knows that it was not taken", async () => {
  const clock = new VirtualClock();
  const taken: string[] = [];
  await withServer({
    clock,
    limits: ROOMY,
    session: (channel) => ({
      onMessage(text) {
        taken.push(text);
        if (text === "flood me") flood(channel);
      },
      onEnd() {},
    }),
  }, async ({ server, sessions, join }) => {
    const [talker, sleeper] = [await join(), await join()];
    await sleeper.send("flood me\n");
    await eventually("the flood", () => sessions[1].queuedBytes > 0);
    // Whoever sleeps holds the shutdown up, so that there is time to talk.
    const over = server.shutdown(2000);
    assertEquals(await talker.line(), GOODBYE.trim());
    await talker.send("one more thing\n");
    assertEquals(await talker.line(), GOODBYE.trim());
    assertEquals(taken, ["flood me"]);
    server.abort();
    await over;
  });
});

/** A session that takes a while to say its last words, which are two messages. */
function farewell(release: Promise<void>): (channel: Channel<string>) => Session<string> {
  return (channel) => {
    let words: Promise<void> | null = null;
    const say = async () => {
      channel.send("the beginning");
      await release;
      channel.send("and the end");
      await channel.close();
    };
    return {
      onMessage: () => void (words = say()),
      onEnd() {},
      get lastWords() {
        return words;
      },
    };
  };
}

test("last words are not cut short within the grace period, nor by the end of what the client sends, and nothing comes between", async () => {
  const clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  await withServer({ clock, session: farewell(promise) }, async ({ server, join }) => {
    const [talker, ended, quiet] = [await join(), await join(), await join()];
    for (const peer of [talker, ended]) {
      await peer.send("go on\n");
      assertEquals(await peer.line(), "the beginning");
    }
    await ended.conn.closeWrite();
    const over = server.shutdown(2000);
    assertEquals(await quiet.rest(), GOODBYE);
    await talker.send("more\n", 0xff, "\n");
    quiet.conn.closeWrite();
    await eventually("the quiet one to be gone", () => server.clientCount === 2);
    clock.advance(1999);
    resolve();
    for (const peer of [talker, ended]) assertEquals(await peer.rest(), "and the end\n");
    await talker.conn.closeWrite();
    await over;
    assertEquals([clock.now(), server.clientCount], [1999, 0]);
  });
});

test("last words that are not out when the grace period is over are cut", async () => {
  const clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  await withServer({ clock, session: farewell(promise) }, async ({ server, join }) => {
    const peer = await join();
    await peer.send("go on\n");
    assertEquals(await peer.line(), "the beginning");
    const over = server.shutdown(2000);
    await settle();
    clock.advance(2000);
    assertEquals(await peer.rest(), "");
    resolve();
    await over;
  });
});

test("the grace period is one for both: for who does not read, and then for last words", async () => {
  const clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  await withServer({
    clock,
    limits: ROOMY,
    session(channel) {
      const session = farewell(promise)(channel);
      const onMessage = (text: string) => text === "flood me" ? flood(channel) : session.onMessage(text);
      return {
        onMessage,
        onEnd() {},
        get lastWords() {
          return session.lastWords;
        },
      };
    },
  }, async ({ server, sessions, join }) => {
    const [talker, sleeper] = [await join(), await join()];
    await talker.send("go on\n");
    assertEquals(await talker.line(), "the beginning");
    await sleeper.send("flood me\n");
    await eventually("the flood", () => sessions[1].queuedBytes > 0);
    const over = server.shutdown(2000);
    for (const ms of [1000, 999]) {
      await settle();
      clock.advance(ms);
    }
    await settle();
    assertEquals(sessions[0].reason, null);
    clock.advance(1);
    await settle();
    assertEquals(sessions[0].reason, "server stopped");
    resolve();
    await over;
  });
});

test("an abort cuts everybody at once, whatever is queued", async () => {
  const clock = new VirtualClock();
  await withServer({
    clock,
    limits: ROOMY,
    session: (channel) => ({ onMessage: () => flood(channel), onEnd() {} }),
  }, async ({ server, trace, sessions, ended, join }) => {
    const [sleeper, quiet] = [await join(), await join()];
    await sleeper.send("flood me\n");
    await eventually("the flood", () => sessions[0].queuedBytes > 0);
    server.abort();
    await server.finished;
    assertEquals([server.clientCount, ended(), clock.now(), clock.next()], [0, 2, 0, null]);
    assertEquals(trace.of("close").map(({ reason }) => reason), ["server stopped", "server stopped"]);
    assertEquals(await quiet.rest(), "");
  });
});

test("an abort cuts a shutdown short", async () => {
  const clock = new VirtualClock();
  await withServer({ clock }, async ({ server, join }) => {
    const peer = await join();
    const over = server.shutdown(10_000);
    assertEquals(await peer.line(), GOODBYE.trim());
    server.abort();
    await over;
    assertEquals([server.clientCount, clock.next()], [0, null]);
  });
});

test("a second shutdown waits for the first, and an abort after the end is harmless", () =>
  withServer({}, async ({ server, join }) => {
    const peer = await join();
    const order: string[] = [];
    const first = server.shutdown(30_000).then(() => order.push("first"));
    const second = server.shutdown(30_000).then(() => order.push("second"));
    assertEquals(await peer.rest(), GOODBYE);
    assertEquals(order, []);
    peer.conn.closeWrite();
    await Promise.all([first, second]);
    assertEquals([order.length, server.clientCount], [2, 0]);
    server.abort();
    await server.shutdown(1000);
  }));

test("a caller that waits for room while the server shuts down is closed, and has no session", async () => {
  const room = Promise.withResolvers<void>();
  const waits = Promise.withResolvers<void>();
  const roomFor = () => {
    waits.resolve();
    return room.promise;
  };
  await withServer({ limits: { maxClients: 1 }, roomFor }, async ({ server, sessions, join }) => {
    const first = await join();
    const late = await Peer.connect(server.address);
    await waits.promise;
    const over = server.shutdown(30_000);
    assertEquals(await first.rest(), GOODBYE);
    first.conn.closeWrite();
    await over;
    room.resolve();
    assertEquals([await late.rest(), sessions.length], ["", 1]);
    late.close();
  });
});

test("a client that is being refused does not outlive the server", async () => {
  const clock = new VirtualClock();
  await withServer({ clock, limits: { maxClients: 1 } }, async ({ server, trace, join }) => {
    await join();
    const refused = await Peer.connect(server.address);
    try {
      await eventually("it to be seen", () => trace.of("open").length === 2);
      server.abort();
      await server.finished;
      assertEquals([trace.of("close").length, clock.next()], [2, null]);
    } finally {
      clock.advance(300);
      refused.close();
      await eventually("it to be gone", () => trace.of("close").length === 2);
    }
  });
});
