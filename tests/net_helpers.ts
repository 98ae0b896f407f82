// What the tests of lib/net share: a channel on a connection in memory, and a small server on a real one.

import { Channel, type ChannelOptions } from "../lib/net/channel.ts";
import type { Conn } from "../lib/net/conn.ts";
import { type MemoryConn, memoryPair } from "../lib/net/memory.ts";
import { Server, type ServerOptions } from "../lib/net/server.ts";
import { AutoFramer } from "../lib/protocol/auto_framing.ts";
import type { Codec } from "../lib/protocol/codec.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { decodeLossy, decodeText } from "../lib/protocol/text.ts";
import { bytes, collect, type Collected, eventually, Peer } from "./helpers.ts";

/** The longest frame that `makeChannel` takes. */
export const FRAME_LIMIT = 64;

/** The simplest codec: a message is its text. */
export const textCodec: Codec<string> = { decode: decodeText, encode: (text) => text };

/** A channel, and the bare connection at its other end. */
export function makeChannel(
  options: Partial<ChannelOptions<string, string>> = {},
  capacity?: number,
): { channel: Channel<string>; peer: MemoryConn } {
  const [ours, peer] = memoryPair(capacity);
  const channel = new Channel(ours, { framer: new LineFramer(FRAME_LIMIT), codec: textCodec, ...options });
  return { channel, peer };
}

/** What `each` reports until it ends: messages, and bad input with `!`. */
export function follow(channel: Channel<string>): { got: string[]; ended: Promise<void> } {
  const got: string[] = [];
  const ended = channel.each((text) => void got.push(text), (error) => void got.push(`!${error.message}`));
  return { got, ended };
}

/** Everything that can be read from `conn` until the end of the stream. */
export async function readAll(conn: Pick<Conn, "read">): Promise<string> {
  const all: Uint8Array[] = [];
  const buffer = new Uint8Array(1024);
  for (let count; (count = await conn.read(buffer)) !== null;) all.push(buffer.slice(0, count));
  return decodeLossy(bytes(...all));
}

/** A server that answers `re: …` to each message, and knows what it was told. */
export interface Echo {
  readonly server: Server<string, string>;
  readonly trace: Collected;
  /** The channels of the sessions, in the order they began. */
  readonly sessions: Channel<string>[];
  /** How many sessions were told that they have ended. */
  ended(): number;
  /** A client whose session has begun. */
  join(withinMs?: number): Promise<Peer>;
}

/** Runs `body` with an echo server, which is stopped in the end, whatever happens. */
export async function withServer(
  options: Partial<ServerOptions<string, string>>,
  body: (echo: Echo) => Promise<void>,
): Promise<void> {
  const trace = collect(["open", "close", "label", "note", "warning"]);
  const sessions: Channel<string>[] = [];
  const peers: Peer[] = [];
  let ended = 0;
  const server = new Server<string, string>({
    listen: { host: "127.0.0.1", port: 0 },
    codec: textCodec,
    makeFramer: (onDecided) =>
      new AutoFramer({
        maxBytes: FRAME_LIMIT,
        lengths: true,
        isComplete: (text) => text.startsWith("SAY "),
        onDecided,
      }),
    farewells: { refuse: (why) => `ERROR ${why}`, bad: (error) => `ERROR ${error.message}` },
    trace,
    ...options,
    session(channel) {
      sessions.push(channel);
      const inner = options.session?.(channel);
      return {
        onMessage: (text) => inner ? inner.onMessage(text) : void channel.send(`re: ${text}`),
        onEnd() {
          ended++;
          inner?.onEnd();
        },
        get lastWords() {
          return inner?.lastWords;
        },
        get forgettable() {
          return inner?.forgettable;
        },
      };
    },
  });
  const join = async (withinMs?: number) => {
    const before = sessions.length;
    const peer = await Peer.connect(server.address);
    peers.push(peer);
    await eventually("the session to begin", () => sessions.length > before, withinMs);
    return peer;
  };
  try {
    await body({ server, trace, sessions, ended: () => ended, join });
  } finally {
    for (const peer of peers) peer.close();
    server.abort();
    await server.finished;
  }
}
