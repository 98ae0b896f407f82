import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Channel } from "../lib/net/channel.ts";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { DigitsFramer } from "../lib/protocol/framing.ts";
import { NETLAB, startServer } from "./cli_helpers.ts";
import { eventually, Peer, settle, skipUnless, test } from "./helpers.ts";
import { withServer } from "./net_helpers.ts";

/** Before `netlab serve` has a client it holds fewer files than this. */
const MAX_FILES = 100;

const IDLE_MS = 10_000;
const FIRST_BYTE_MS = 4000;
/** The server looks for idle clients every so often: so much later may they be sent away. */
const SWEEP_MS = 1000;

test("a client over the limit is told so once, in its own framing, and everybody else goes on", () =>
  withServer({ limits: { maxClients: 2 } }, async ({ server, sessions, trace, join }) => {
    const [first] = [await join(), await join()];
    for (
      const [hello, refusal] of [["0004EXIT", "0028ERROR server full: 2 clients"], [
        "EXIT\n",
        "ERROR server full: 2 clients\n",
      ]]
    ) {
      const third = await Peer.connect(server.address);
      await third.send(hello);
      assertEquals(await third.rest(), refusal);
      third.close();
    }
    assertEquals([server.clientCount, sessions.length], [2, 2]);
    await first.send("hello\n");
    assertEquals(await first.line(), "re: hello");
    await trace.until("the end", (event) => event.type === "close" && event.reason === "server full: 2 clients");
  }));

test("a refused client that says nothing is told in a line after 300 ms", async () => {
  const clock = new VirtualClock();
  await withServer({ clock, limits: { maxClients: 1 } }, async ({ server, trace, join }) => {
    await join();
    const silent = await Peer.connect(server.address);
    await trace.until("it to be seen", () => trace.of("open").length === 2);
    await settle();
    clock.advance(299);
    await settle();
    assertEquals(trace.of("close"), []);
    clock.advance(1);
    assertEquals(await silent.rest(), "ERROR server full: 1 client\n");
    silent.close();
    await eventually("it to be forgotten", () => trace.of("close").length === 1);
  });
});

test("a place that becomes free is given to the next client", () =>
  withServer({ limits: { maxClients: 1 } }, async ({ server, join }) => {
    const first = await join();
    await first.conn.closeWrite();
    assertEquals(await first.rest(), "");
    await eventually("the place to be free", () => server.clientCount === 0);
    const second = await join();
    await second.send("hello\n");
    assertEquals(await second.line(), "re: hello");
  }));

test("many more than the limit are closed without ado, and answered again later", async () => {
  const clock = new VirtualClock();
  await withServer({ clock, limits: { maxClients: 1 } }, async ({ server, trace, join }) => {
    await join();
    const crowd = await Promise.all(Array.from({ length: 140 }, () => Peer.connect(server.address)));
    // 128 are being refused, which takes 300 ms of silence; for the others there is not even that.
    await eventually("the crowd to be seen", () => trace.of("open").length === 129);
    clock.advance(300);
    const answers = await Promise.all(crowd.map((peer) => peer.rest()));
    for (const peer of crowd) peer.close();
    const told = answers.filter((answer) => answer === "ERROR server full: 1 client\n").length;
    assertEquals([told, answers.filter((answer) => answer === "" || answer === "<reset>").length], [128, 12]);
    await eventually("the crowd to be forgotten", () => trace.of("close").length === 128);
    const late = await Peer.connect(server.address);
    await late.send("EXIT\n");
    assertEquals(await late.rest(), "ERROR server full: 1 client\n");
    late.close();
    await eventually("the last to be forgotten", () => trace.of("close").length === 129);
  });
});

test("a client that sends nothing at first is sent away in good time, others are not", async () => {
  const clock = new VirtualClock();
  const reasons: (string | null)[] = [];
  const session = (channel: Channel<string>) => ({
    onMessage: (text: string) => void channel.send(`re: ${text}`),
    onEnd: () => void reasons.push(channel.reason),
  });
  await withServer({ clock, limits: { idleMs: IDLE_MS, firstByteMs: FIRST_BYTE_MS }, session }, async (echo) => {
    const [silent, talker] = [await echo.join(), await echo.join()];
    await talker.send("hello\n");
    assertEquals(await talker.line(), "re: hello");
    await advanceTo(clock, FIRST_BYTE_MS - 1);
    assertEquals([echo.server.clientCount, echo.sessions[0].ending], [2, false]);
    await advanceTo(clock, FIRST_BYTE_MS + SWEEP_MS);
    assertEquals(await silent.rest(), "ERROR idle for 4 s\n");
    assertEquals(reasons, ["idle for 4 s"]);
    await silent.conn.closeWrite();
    await eventually("it to be gone", () => echo.server.clientCount === 1);
    assertEquals(echo.trace.of("close").map(({ reason }) => reason), ["idle for 4 s"]);
    assertEquals(echo.sessions[1].ending, false);
  });
});

test("an idle client is sent away when it has been silent for so long, and every byte counts as a sign of life", async () => {
  const clock = new VirtualClock();
  await withServer({ clock, limits: { idleMs: IDLE_MS, firstByteMs: FIRST_BYTE_MS } }, async (echo) => {
    const [idle, busy] = [await echo.join(), await echo.join()];
    for (const peer of [idle, busy]) {
      await peer.send("hello\n");
      assertEquals(await peer.line(), "re: hello");
    }
    for (let now = 3000; now < IDLE_MS; now += 3000) {
      await advanceTo(clock, now);
      await busy.send(".");
      const reads = echo.sessions[1].reads;
      await eventually("its byte to be read", () => echo.sessions[1].reads > reads);
    }
    await advanceTo(clock, IDLE_MS - 1);
    assertEquals(echo.sessions[0].ending, false);
    await advanceTo(clock, IDLE_MS + 2 * SWEEP_MS);
    assertEquals(await idle.rest(), "ERROR idle for 10 s\n");
    assertEquals(echo.sessions[1].ending, false);
    await busy.send("\n");
    assertEquals(await busy.line(), "re: ...");
  });
});

test("a client that takes what was all for it is not idle, and one that does not is sent away without a word in between", async () => {
  const clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const session = () => ({ onMessage() {}, onEnd() {}, lastWords: promise });
  await withServer({ clock, limits: { idleMs: IDLE_MS, firstByteMs: IDLE_MS }, session }, async (echo) => {
    const [idle] = [await echo.join(), await echo.join()];
    for (let now = 3000; now <= IDLE_MS + 2 * SWEEP_MS; now += 3000) {
      echo.sessions[1].noteTaken();
      await advanceTo(clock, now);
    }
    await advanceTo(clock, IDLE_MS + 2 * SWEEP_MS);
    assertEquals([await idle.rest(), echo.sessions[1].ending], ["", false]);
    resolve();
  });
});

test("an idle client is told once, and has the whole linger time to read it", async () => {
  const clock = new VirtualClock();
  // Small limits make the server look often: every 10 ms.
  await withServer({ clock, limits: { idleMs: 40, firstByteMs: 40 } }, async ({ sessions, server, ended, join }) => {
    const idle = await join();
    await advanceTo(clock, 60, 10);
    assertEquals(await idle.rest(), "ERROR idle for 0.04 s\n");
    assertEquals(ended(), 1, "what is its own, such as a name, is free at once");
    // It has read the end of the stream but does not end its own: the server looks again, and lets it be.
    await advanceTo(clock, 500, 10);
    assertEquals([sessions[0].send("anything"), server.clientCount], [true, 1], "it was cut before its time");
    await advanceTo(clock, 1100, 10);
    await eventually("it to be gone", () => server.clientCount === 0);
  });
});

test("too many wrong inputs in a row end a session, with a word, and only that session", () =>
  withServer({
    limits: { maxErrors: 3 },
    session: (channel) => ({
      onMessage(text) {
        if (text === "nonsense") throw new ProtocolError("what?");
        channel.send(`re: ${text}`);
      },
      onEnd() {},
    }),
  }, async ({ trace, join }) => {
    const [clumsy, witness] = [await join(), await join()];
    const invalid = "ERROR invalid UTF-8 at byte 0";
    for (let i = 0; i < 3; i++) {
      await clumsy.send("fine\n", 0xff, "\nnonsense\n");
      assertEquals([await clumsy.line(), await clumsy.line(), await clumsy.line()], [
        "re: fine",
        invalid,
        "ERROR what?",
      ]);
    }
    await clumsy.send("x".repeat(100), "\n", "not taken any more\n");
    assertEquals(
      await clumsy.rest(),
      "ERROR message too long: more than 64 bytes\nERROR too many errors\n",
    );
    await clumsy.conn.closeWrite();
    await trace.until("its end", (event) => event.type === "close" && event.reason === "3 wrong inputs in a row");
    await witness.send("hello\n");
    assertEquals(await witness.line(), "re: hello");
  }));

test("after a fatal error the client is told, then closed, and what it sends after is not taken", () =>
  withServer({ makeFramer: () => new DigitsFramer(4, 64), limits: { maxErrors: 1 } }, async ({ trace, join }) => {
    const peer = await join();
    await peer.send("0005helloabcd0005again");
    assertEquals(await peer.rest(), '0009re: hello0039ERROR length field is not a number: "a"');
    await peer.conn.closeWrite();
    const { reason } = await trace.until("its end", ({ type }) => type === "close");
    assertMatch(`${reason}`, /^protocol error: length field is not a number: "a": a length is 4 decimal digits/);
  }));

test("a framing with little room still carries the beginning of an error", () =>
  withServer({ makeFramer: () => new DigitsFramer(1, 64) }, async ({ join }) => {
    const peer = await join();
    await peer.send("1", 0xff);
    assertEquals(await peer.read(10), "9ERROR inv");
  }));

test("a message that waits for more bytes when the stream ends costs nothing but itself", () =>
  withServer({}, async ({ server, join }) => {
    const peer = await join();
    await peer.send("0005hello9999abc");
    await peer.conn.closeWrite();
    assertEquals(await peer.rest(), "0009re: hello0051ERROR message too long: 9999 bytes, the limit is 64");
    await eventually("it to be gone", () => server.clientCount === 0);
  }));

test(
  "with no open file left every caller is told so, and the log says it once",
  async () => {
    const limited = `ulimit -n ${MAX_FILES}; exec "$@"`;
    const { server, port } = await startServer("", { command: ["bash", "-c", limited, "netlab", ...NETLAB] });
    await using _ = server;
    const callers = await Promise.all(
      Array.from({ length: MAX_FILES + 10 }, () => Peer.connect({ hostname: "127.0.0.1", port })),
    );
    try {
      const answers = await Promise.all(callers.map(async (peer, i) => {
        await peer.send(`NAME n${i}\n`);
        return (await peer.line()).replace(/\d+/, "N");
      }));
      assertEquals(new Set(answers), new Set(["HELLO nN", "ERROR server full: N clients"]));
      assert(answers.filter((answer) => answer.startsWith("ERROR")).length > 10);
      // There is room again as soon as somebody leaves.
      for (const peer of callers.slice(0, 5)) await peer.conn.closeWrite();
      let said = "";
      for (const end = performance.now() + 30_000; !said.startsWith("HELLO") && performance.now() < end;) {
        const late = await Peer.connect({ hostname: "127.0.0.1", port });
        callers.push(late);
        await late.send("NAME late\n");
        said = await late.line();
      }
      assertEquals(said, "HELLO late");
    } finally {
      for (const peer of callers) peer.close();
    }
    server.signal("SIGTERM");
    const { err } = await server.result();
    const warnings = err.split("\n").filter((line) => /warning/.test(line));
    assertMatch(warnings[0] ?? err, /too many open files at \d+ clients: raise the limit with ulimit -n$/);
    assert(warnings.length <= 2, warnings.join("\n")); // once more after the one that left and came back
  },
  skipUnless("bash"),
);

/** Advances to `when` in steps, with a turn of the event loop between them, as real time would pass. */
async function advanceTo(clock: VirtualClock, when: number, stepMs = 250): Promise<void> {
  while (clock.now() < when) {
    clock.advanceTo(Math.min(when, clock.now() + stepMs));
    await settle();
  }
}
