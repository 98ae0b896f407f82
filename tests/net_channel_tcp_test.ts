import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Channel } from "../lib/net/channel.ts";
import { DigitsFramer, type Framer, LineFramer, wrap } from "../lib/protocol/framing.ts";
import type { Trace } from "../lib/protocol/trace.ts";
import { bytes, collect, Peer, splits, test } from "./helpers.ts";
import { follow, readAll, textCodec } from "./net_helpers.ts";

/** A channel and a bare client, joined by a real TCP connection. */
async function tcpPair(framer: Framer, trace?: Trace): Promise<{ channel: Channel<string>; peer: Peer }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [conn, peer] = await Promise.all([listener.accept(), Peer.connect(listener.addr as Deno.NetAddr)]);
  conn.setNoDelay(true);
  peer.conn.setNoDelay(true);
  return { channel: new Channel(conn, { framer, codec: textCodec, trace }), peer };
}

test("over TCP every split gives the same messages, and the replies come back", async () => {
  const texts = ["one", "", "zwölf🦕"];
  const frames = texts.map((text) => wrap(new DigitsFramer(2, 64), bytes(text)));
  for (const { how, chunks } of splits(...frames)) {
    const { channel, peer } = await tcpPair(new DigitsFramer(2, 64));
    const got: string[] = [];
    const session = channel.each((text) => {
      got.push(text);
      channel.send(text);
    }, (error) => got.push(`!${error.message}`));
    for (const chunk of chunks) await peer.send(chunk);
    await peer.conn.closeWrite();
    await session;
    await channel.close();
    assertEquals([got, await peer.rest(), channel.reason], [texts, "03one0010zwölf🦕", "end of stream"], how);
    peer.close();
  }
});

test("many messages sent in one turn reach the peer whole and in order, in few writes", async () => {
  const trace = collect(["bytes"]);
  const { channel, peer } = await tcpPair(new LineFramer(64), trace);
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
  for (const line of lines) channel.send(line);
  const closed = channel.close();
  assertEquals((await readAll(peer.conn)).trimEnd().split("\n"), lines);
  peer.close();
  await closed;
  assertLessOrEqual(trace.of("bytes").length, 10);
});

test("messages larger than any socket buffer arrive whole", async () => {
  const { channel, peer } = await tcpPair(new DigitsFramer(8, 20_000_000));
  const big = "0123456789abcdef".repeat(2 ** 16);
  const sender = (async () => {
    for (let i = 0; i < 3; i++) await peer.send("01048576", big);
    await peer.conn.closeWrite();
  })();
  for (let i = 0; i < 3; i++) assert(await channel.receive() === big);
  assertEquals(await channel.receive(), null);
  await sender;
  await channel.close();
  peer.close();
});

test("a reset by the peer ends the channel with that reason", async () => {
  const trace = collect();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const conn = await Deno.connect({ hostname, port });
  const channel = new Channel(conn, { framer: new LineFramer(64), codec: textCodec, trace });
  const { ended } = follow(channel);
  listener.close(); // the system resets what was never accepted
  await ended;
  assertEquals([channel.reason, channel.send("more")], ["reset by peer", false]);
  assertEquals(trace.of("close"), [{ type: "close", id: channel.id, reason: "reset by peer" }]);
  await channel.close();
});

test("aborting a channel ends a read that waits, and the peer sees the end", async () => {
  const { channel, peer } = await tcpPair(new LineFramer(64));
  const { got, ended } = follow(channel);
  channel.abort("enough");
  await ended;
  assertEquals([got, await peer.rest()], [[], ""]);
  peer.close();
});

test("what was sent before a close arrives even if the peer's own messages were not read", async () => {
  const { channel, peer } = await tcpPair(new LineFramer(64));
  await peer.send("never read\n".repeat(1000));
  channel.send("the last word");
  const closed = channel.close();
  assertEquals(await peer.rest(), "the last word\n");
  peer.close();
  await closed;
});
