import { assert, assertEquals, assertMatch } from "@std/assert";
import net from "node:net";
import type { Channel } from "../lib/net/channel.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { eventually, Peer, skipIf, test } from "./helpers.ts";
import { withServer } from "./net_helpers.ts";

/** Everybody in the test below. */
const room = new Set<Channel<string>>();

test("a client that never reads is cut when its queue is full, and the others get everything", () =>
  withServer({
    limits: { queueBytes: 50_000 },
    session: (channel) => {
      room.add(channel);
      return {
        onMessage: (text) => room.forEach((other) => void other.send(text)),
        onEnd: () => void room.delete(channel),
      };
    },
  }, async ({ server, trace, sessions, join }) => {
    const [talker, reader, stuck] = [await join(), await join(), await join()];
    const text = "x".repeat(60);
    let sent = 0;
    while (!sessions[2].ending) {
      await talker.send(`${text}\n`.repeat(500));
      sent += 500;
      for (let i = 0; i < 500; i++) assertEquals(await reader.line(), text);
      for (let i = 0; i < 500; i++) assertEquals(await talker.line(), text);
    }
    const cut = await trace.until("the cut", (event) => event.type === "close" && event.id === sessions[2].id);
    assert(/^too slow: 50\d{3} bytes waited for it to read$/.test(`${cut.reason}`), `${cut.reason}`);
    await eventually("it to be forgotten", () => server.clientCount === 2);
    await talker.send("after\n");
    assertEquals([await reader.line(), await talker.line()], ["after", "after"]);
    assert((await stuck.rest()).length < sent * 61);
  }));

type Resettable = net.Socket & { resetAndDestroy?(): void };
const canReset = "resetAndDestroy" in net.Socket.prototype;

/** Connects, perhaps says something, and is gone without an end of stream. */
async function connectAndReset(port: number, text: string): Promise<void> {
  const socket: Resettable = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  if (text) await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resetAndDestroy!();
  await closed;
}

const skipReset = skipIf(canReset ? null : "this Deno cannot reset a connection (net.Socket.resetAndDestroy)");

test(
  "a thousand clients that connect and reset leave nothing behind",
  () =>
    withServer({}, async ({ server, trace, sessions, ended, join }) => {
      const witness = await join();
      const texts = ["", "unfinished", "hello\n", "0005hello", "0005h"];
      for (let done = 0; done < 1000; done += 25) {
        const resets = Array.from(
          { length: 25 },
          (_, i) => connectAndReset(server.address.port, texts[i % texts.length]),
        );
        await Promise.all(resets);
      }
      const newcomer = await join();
      await eventually("every session to end", () => server.clientCount === 2);
      assertEquals(ended(), sessions.length - 2);
      const reasons = new Set(trace.of("close").map(({ reason }) => reason));
      assert(reasons.has("reset by peer"), [...reasons].join());
      for (const peer of [witness, newcomer]) {
        await peer.send("still here\n");
        assertEquals(await peer.line(), "re: still here");
      }
    }),
  skipReset,
);

test("clients that are gone before they are accepted keep nobody else out", () =>
  // Under a clock that stands still, a server that pauses because of them never goes on.
  withServer({ clock: new VirtualClock() }, async ({ server, join }) => {
    const code = `
      import net from "node:net";
      for (let i = 0; i < 20; i++) {
        await new Promise((closed) => {
          const socket = net.connect(${server.address.port}, "127.0.0.1", () => socket.resetAndDestroy());
          socket.on("error", () => {}).on("close", closed);
        });
      }`;
    // While it runs, this process does not look: all are gone when it does.
    assert(new Deno.Command(Deno.execPath(), { args: ["eval", code] }).outputSync().success);
    const peer = await join(5000);
    await peer.send("hello\n");
    assertEquals(await peer.line(), "re: hello");
  }), skipReset);

test("a thousand clients that connect and leave at once leave nothing behind", () =>
  withServer({}, async ({ server, sessions, ended }) => {
    for (let done = 0; done < 1000; done += 50) {
      const peers = await Promise.all(Array.from({ length: 50 }, () => Peer.connect(server.address)));
      await Promise.all(peers.map((peer, i) => i % 2 === 0 ? peer.send("hello\nunread answer\n") : undefined));
      for (const peer of peers) peer.close();
    }
    await eventually("every session to end", () => sessions.length === 1000 && server.clientCount === 0);
    assertEquals(ended(), 1000);
  }));

/** Runs `body` and returns the rejections that nobody handled meanwhile: outside a test they end the process. */
async function unhandled(body: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    seen.push(`${event.reason}`);
  };
  globalThis.addEventListener("unhandledrejection", note);
  try {
    await body();
  } finally {
    globalThis.removeEventListener("unhandledrejection", note);
  }
  return seen;
}

for (const where of ["a message", "its end", "its beginning"]) {
  test(`a session that fails at ${where} is warned of, closed and forgotten, and hurts nobody else`, async () => {
    const fault = (at: string, failing: boolean) => {
      if (failing && at === where) throw new Error(`broken at ${at}`);
    };
    let count = 0;
    const rejections = await unhandled(() =>
      withServer({
        session(channel) {
          const failing = ++count === 2;
          fault("its beginning", failing);
          return {
            onMessage(text) {
              fault("a message", failing);
              channel.send(text);
            },
            onEnd: () => fault("its end", failing),
          };
        },
      }, async ({ server, trace, join }) => {
        const witness = await join();
        const failing = await join();
        await failing.send("hello\n");
        if (where === "its end") await failing.conn.closeWrite();
        const warning = await trace.until("a warning", ({ type }) => type === "warning", 5000);
        assertMatch(`${warning.text}`, /^fault in the session of 127\.0\.0\.1:\d+: .*broken at /);
        const told = await failing.rest();
        if (where === "its end") assertMatch(told, /^hello\n/);
        else assertEquals(told, "ERROR internal error\n");
        await failing.conn.closeWrite().catch(() => {});
        await eventually("it to be forgotten", () => server.clientCount === 1, 5000);
        await witness.send("still here\n");
        assertEquals(await witness.line(), "still here");
      })
    );
    assertEquals(rejections, []);
  });
}
