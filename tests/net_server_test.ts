import { assertEquals, assertThrows } from "@std/assert";
import { Server } from "../lib/net/server.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { eventually, skipUnlessIpv6, test } from "./helpers.ts";
import { textCodec, withServer } from "./net_helpers.ts";

test("clients are served side by side, each in its own framing", () =>
  withServer({}, async ({ server, trace, join }) => {
    const [alice, bob, carol] = [await join(), await join(), await join()];
    assertEquals(server.clientCount, 3);
    await bob.send("0005hello");
    await alice.send("hello\n");
    await carol.send(0, 0, 0, 0, 0, 0, 0, 5, "hello");
    assertEquals(await alice.line(), "re: hello");
    assertEquals(await bob.read(13), "0009re: hello");
    assertEquals(await carol.read(17), "\0\0\0\0\0\0\0\x09re: hello");
    const notes = trace.of("note").map(({ text }) => text).sort();
    assertEquals(notes, [
      "client frames with 4 digits",
      "client frames with an 8-byte length",
      "client frames with lines",
    ]);
  }));

test("a client that frames nothing is answered after 300 ms of silence", () =>
  withServer({}, async ({ trace, join }) => {
    const peer = await join();
    await peer.send("SAY hi");
    assertEquals(await peer.read(10), "re: SAY hi");
    assertEquals(trace.of("note").map(({ text }) => text), ["client frames with nothing: one read is one message"]);
  }));

test("each end has its reason, and ends that session only", () =>
  withServer({
    session: (channel) => ({
      onMessage: (text) => text === "bye" ? void channel.because("said bye").close() : void channel.send(text),
      onEnd() {},
    }),
  }, async ({ server, trace, join, sessions, ended }) => {
    const witness = await join();
    const reasonOf = async (number: number) => {
      const { id } = sessions[number];
      return (await trace.until("the end", (event) => event.type === "close" && event.id === id)).reason;
    };
    const [leaver, halfway, polite] = [await join(), await join(), await join()];
    await leaver.conn.closeWrite();
    assertEquals(await reasonOf(1), "end of stream");
    await halfway.send("whole\nunfinish");
    await halfway.conn.closeWrite();
    assertEquals(await reasonOf(2), "end of stream inside a message");
    await polite.send("bye\n");
    assertEquals(await polite.rest(), "");
    await polite.conn.closeWrite();
    assertEquals(await reasonOf(3), "said bye");
    await eventually("the sessions to end", () => server.clientCount === 1);
    assertEquals(ended(), 3);
    await witness.send("still here\n");
    assertEquals(await witness.line(), "still here");
  }));

test("a client that ends its direction after its questions gets all answers", () =>
  withServer({}, async ({ join }) => {
    const peer = await join();
    await peer.send("one\ntwo\nthree\n");
    await peer.conn.closeWrite();
    assertEquals(await peer.rest(), "re: one\nre: two\nre: three\n");
  }));

test(
  "a server listens on IPv6, and says so in brackets",
  () =>
    withServer({ listen: { host: "::1", port: 0 } }, async ({ server, trace, join }) => {
      assertEquals(server.address.hostname, "::1");
      const peer = await join();
      await peer.send("hello\n");
      assertEquals(await peer.line(), "re: hello");
      assertEquals(trace.of("open")[0].local, `[::1]:${server.address.port}`);
    }),
  skipUnlessIpv6(),
);

test("a port in use is said in one line, with what to do", () =>
  withServer({}, ({ server }) => {
    const { port } = server.address;
    const error = assertThrows(() =>
      new Server({
        listen: { host: "127.0.0.1", port },
        codec: textCodec,
        makeFramer: () => new LineFramer(64),
        farewells: { refuse: (why) => why, bad: (error) => error.message },
        session: () => ({ onMessage() {}, onEnd() {} }),
      }), NetlabError);
    assertEquals(
      [error.kind, error.message, error.hint],
      ["transport", `port ${port} is in use on 127.0.0.1`, "stop the other server or pick another with --port"],
    );
    return Promise.resolve();
  }));
