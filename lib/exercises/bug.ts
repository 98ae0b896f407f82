// Mistakes that students make, made on purpose: `netlab serve chat --bug one-recv`. A mistake is a change of what a server is
// made of, so that no working code knows of it.

import type { Channel } from "../net/channel.ts";
import type { ServerOptions, Session, Spoil } from "../net/server.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Framer } from "../protocol/framing.ts";
import { decodeLossy, decodeText } from "../protocol/text.ts";
import { CAUSES } from "./causes.ts";
import type { Transport } from "./exercise.ts";

/** A mistake. */
export interface Bug {
  /** As in `--bug`: `one-recv`. */
  readonly name: string;
  /** What the server does, in words that follow its name: `takes what one read brings for one message`. */
  readonly summary: string;
  /** What a grader has to say of it: one of `CAUSES`, or the cause of a check. */
  readonly cause: string;
  /** Where it shows, if not on every transport and wire. */
  readonly transports?: readonly Transport[];
  readonly wires?: readonly string[];
  /** Makes the mistake; `end` is what an exception does that nobody catches. */
  readonly spoil: Spoil;
}

/** A change of one kind of server, as a mistake of the exercise that has it. */
export const spoil = <In, Out>(
  change: (options: ServerOptions<In, Out>, end: () => void) => ServerOptions<In, Out>,
): Spoil => change as unknown as Spoil;

/** `inner`, with some of it done otherwise. */
function altered<T extends object>(inner: T, changes: Partial<T>): T {
  return new Proxy(inner, {
    get(target, key) {
      if (key in changes) return changes[key as keyof T];
      const value = target[key as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A server whose clients' framers do some of their work otherwise. */
function reframe<In, Out>(
  options: ServerOptions<In, Out>,
  change: (framer: Framer) => Partial<Framer>,
): ServerOptions<In, Out> {
  return {
    ...options,
    makeFramer(onDecided) {
      const framer = options.makeFramer(onDecided);
      return altered(framer, change(framer));
    },
  };
}

/** The same of its sessions. */
export function rehear<In, Out>(
  options: ServerOptions<In, Out>,
  change: (session: Session<In>, channel: Channel<In, Out>) => Partial<Session<In>>,
): ServerOptions<In, Out> {
  return {
    ...options,
    session(channel) {
      const session = options.session(channel);
      return altered(session, change(session, channel));
    },
  };
}

/** A server that says other things: `change` gets each message, and null keeps it from being sent. */
export function resay<In, Out>(
  options: ServerOptions<In, Out>,
  change: (message: Out, channel: Channel<In, Out>) => Out | null,
): ServerOptions<In, Out> {
  return {
    ...options,
    session: (channel) => {
      const send = channel.send.bind(channel);
      const sendStart = channel.sendStart.bind(channel);
      const changed = (message: Out, say: (message: Out) => boolean) => {
        const other = change(message, channel);
        return other === null || say(other);
      };
      channel.send = (message) => changed(message, send);
      channel.sendStart = (message) => changed(message, sendStart);
      return options.session(channel);
    },
  };
}

/** A server that reads other frames than come: `change` gets each. */
export function reread<In, Out>(
  options: ServerOptions<In, Out>,
  change: (frame: Uint8Array) => Uint8Array,
): ServerOptions<In, Out> {
  const { codec } = options;
  const changed = (inner: Codec<In, Out>): Codec<In, Out> => ({
    encode: (message) => inner.encode(message),
    decode: (frame) => inner.decode(change(frame)),
    describe: inner.describe && ((frame) => inner.describe!(frame)),
  });
  return { ...options, codec: typeof codec === "function" ? (framer) => changed(codec(framer)) : changed(codec) };
}

/** What one read brings is one message: a piece is taken for the whole, and what is behind a whole is lost. */
export const oneRecv: Bug = {
  name: "one-recv",
  summary: "takes what one read brings for one message: pieces are messages, and what is behind the first is lost",
  cause: CAUSES.oneRecv,
  transports: ["tcp"],
  spoil: (options) =>
    reframe(options, (inner) => ({
      cut(queue) {
        if (queue.length === 0) return null;
        const frame = (inner.cut(queue) ?? queue.take(queue.length)).slice();
        queue.skip(queue.length);
        return frame;
      },
    })),
};

/** What stands behind a message in the same read is lost. */
export const firstOnly: Bug = {
  name: "first-only",
  summary: "loses what one read brings behind the first whole message",
  cause: CAUSES.joined,
  transports: ["tcp"],
  spoil: (options) =>
    reframe(options, (inner) => ({
      cut(queue) {
        const frame = inner.cut(queue)?.slice() ?? null;
        if (frame !== null) queue.skip(queue.length);
        return frame;
      },
    })),
};

/** The second client waits until the first has gone. */
export const oneAtATime: Bug = {
  name: "one-at-a-time",
  summary: "serves one client after the other: while one is connected, the next waits",
  cause: CAUSES.oneAtATime,
  transports: ["tcp"],
  spoil(options) {
    const ends: Promise<void>[] = [];
    return rehear(options, (session) => {
      const before = Promise.all(ends);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(promise);
      return {
        onMessage: (message) => before.then(() => session.onMessage(message)),
        onEnd() {
          resolve();
          session.onEnd();
        },
      };
    });
  },
};

/** The length field counts characters. */
export const countsCharacters: Bug = {
  name: "counts-characters",
  summary: "writes how many characters a message has where its bytes are meant",
  cause: CAUSES.characters,
  transports: ["tcp"],
  wires: ["lenN", "be8"],
  spoil: (options) =>
    reframe(options, (inner) => ({
      seal(buffer, start, bodyBytes) {
        const body = start + inner.headBytes;
        inner.seal(buffer, start, decodeLossy(buffer.subarray(body, body + bodyBytes)).length);
      },
    })),
};

/** Whoever is sent something has to read it first, and all others wait. */
export const slowReader = (cause: string): Bug => ({
  name: "slow-reader",
  summary: "waits until everybody has read what was sent to them before it takes the next message from anybody",
  cause,
  transports: ["tcp"],
  spoil(options) {
    const channels = new Set<{ flushed(): Promise<void> }>();
    return rehear(options, (session, channel) => {
      channels.add(channel);
      return {
        async onMessage(message) {
          await Promise.all([...channels].map((one) => one.flushed()));
          await session.onMessage(message);
        },
        onEnd() {
          channels.delete(channel);
          session.onEnd();
        },
      };
    });
  },
});

/** Nobody catches what decoding throws. */
export const diesOfBadText = (cause: string): Bug => ({
  name: "dies-of-bad-text",
  summary: "ends, for everybody, when somebody sends bytes that are not UTF-8",
  cause,
  spoil: (options, end) =>
    reread(options, (frame) => {
      if (!isText(frame)) end();
      return frame;
    }),
});

/** Text is taken for ASCII, and what is none is dropped. */
export const asciiOnly: Bug = {
  name: "ascii-only",
  summary: "drops every byte that is not ASCII",
  cause: CAUSES.text,
  spoil: (options) => reread(options, (frame) => frame.filter((byte) => byte < 0x80)),
};

/** Nobody catches what a connection throws at its end. */
export const endsWithAClient = (cause: string): Bug => ({
  name: "ends-with-a-client",
  summary: "ends, for everybody, when one connection does",
  cause,
  transports: ["tcp"],
  spoil: (options, end) =>
    rehear(options, (session) => ({
      onEnd() {
        session.onEnd();
        end();
      },
    })),
});

/** What is for one goes to all. @param isForOne which messages that is about; all, unless said */
export const tellsEverybody = (
  summary: string,
  cause: string,
  isForOne: (message: unknown) => boolean = () => true,
): Bug => ({
  ...{ name: "tells-everybody", summary, cause },
  spoil<In, Out>(options: ServerOptions<In, Out>) {
    const channels = new Set<Channel<In, Out>>();
    let telling = false;
    const noticing: ServerOptions<In, Out> = {
      ...options,
      session(channel) {
        channels.add(channel);
        return options.session(channel);
      },
    };
    return resay(noticing, (message, channel) => {
      if (telling || !isForOne(message)) return message;
      telling = true;
      for (const other of channels) if (other !== channel && !other.ending) other.send(message);
      telling = false;
      return message;
    });
  },
});

/** The end of a connection is not noticed by what the exercise keeps of it. */
export const forgetsTheEnd = (name: string, summary: string, cause: string): Bug => ({
  ...{ name, summary, cause },
  spoil: (options) => rehear(options, () => ({ onEnd() {} })),
});

export function isText(bytes: Uint8Array): boolean {
  try {
    decodeText(bytes);
    return true;
  } catch {
    return false;
  }
}
