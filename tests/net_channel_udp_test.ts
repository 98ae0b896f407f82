// A channel whose connection brings datagrams, each a message.

import { assertEquals, assertRejects } from "@std/assert";
import { Channel } from "../lib/net/channel.ts";
import { connectUdp } from "../lib/net/datagram_peers.ts";
import type { Codec } from "../lib/protocol/codec.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { BytesFramer } from "../lib/exercises/transfer/framing.ts";
import { decodeText } from "../lib/protocol/text.ts";
import { eventually, test, within } from "./helpers.ts";
import { follow } from "./net_helpers.ts";

/** Text; `bad` is none, and `fatal` is the end. */
const codec: Codec<string> = {
  decode(frame) {
    const text = decodeText(frame);
    if (text !== "bad" && text !== "fatal") return text;
    throw new ProtocolError(text, { fatal: text === "fatal" });
  },
  encode: (text) => text,
};

/** A channel on a UDP socket, and the socket that it talks to. */
async function withChannel(
  fn: (
    channel: Channel<string>,
    send: (...texts: string[]) => Promise<void>,
    socket: Deno.DatagramConn,
  ) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const conn = await connectUdp("127.0.0.1", (socket.addr as Deno.NetAddr).port);
  const channel = new Channel(conn, { framer: new BytesFramer(), codec });
  channel.send("hello");
  const [, from] = await within(socket.receive(), "the first word");
  const send = async (...texts: string[]) => {
    for (const text of texts) await socket.send(new TextEncoder().encode(text), from);
  };
  try {
    await fn(channel, send, socket);
  } finally {
    channel.abort("the test is over");
    socket.close();
  }
}

test("over UDP, what cannot be read is reported in its place, and the channel goes on", () =>
  withChannel(async (channel, send) => {
    const { got, ended } = follow(channel);
    await send("one", "bad", "two", "bad");
    await eventually("all of it", () => got.length === 4);
    assertEquals(got, ["one", "!bad", "two", "!bad"]);
    assertEquals(channel.reads, 4);
    await channel.close();
    await within(ended, "the end of each");
  }));

test("over UDP, a fatal error ends the reading and becomes the reason; what was sent before it has left", () =>
  withChannel(async (channel, send, socket) => {
    const got: string[] = [];
    const answer = (text: string) => {
      got.push(text);
      channel.send(`re: ${text}`);
    };
    const ended = channel.each(answer, (error) => answer(`!${error.message}`));
    await send("one", "fatal", "never");
    await within(ended, "the end of each");
    assertEquals([got, channel.reason], [["one", "!fatal"], "protocol error: fatal"]);
    for (const expected of ["re: one", "re: !fatal"]) {
      const [datagram] = await within(socket.receive(), "an answer");
      assertEquals(decodeText(datagram), expected);
    }
  }));

test("over UDP, a fault of whoever takes the messages is theirs, and said by each", () =>
  withChannel(async (channel, send) => {
    const faulty = channel.each(() => {
      throw new TypeError("a fault");
    }, () => {});
    await send("one");
    await assertRejects(() => within(faulty, "the fault"), TypeError, "a fault");
  }));

test("over UDP, a message is handled when the one before it has been, and not before", () =>
  withChannel(async (channel, send) => {
    const got: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = channel.each((text) => {
      got.push(text);
      return text === "one" ? promise : undefined;
    }, () => {});
    await send("zero", "one", "two", "three");
    await eventually("the slow one", () => got.length === 2);
    resolve();
    await eventually("the others", () => got.length === 4);
    assertEquals(got, ["zero", "one", "two", "three"]);
    await channel.close();
    await within(ended, "the end of each");
    assertEquals(channel.reason, "closed");
  }));

test("over UDP, messages are received one by one just as well", () =>
  withChannel(async (channel, send) => {
    await send("one", "two");
    assertEquals([await channel.receive(), await channel.receive()], ["one", "two"]);
  }));
