// The server of one-way messages: prints each, and sends all of a session back at its end.

import type { Channel } from "../../net/channel.ts";
import { Server, type Session } from "../../net/server.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { badReply, errorReply, freeTextFramer, textCodec } from "../text.ts";
import { isQuit, MAX_KEPT, MessageLog, refusal } from "./protocol.ts";

/** A log leaves in writes of at most so many bytes, and each waits for the one before. */
const PART_BYTES = 65_536;

type TextChannel = Channel<string, string | Uint8Array>;

/** Starts a server of messages. @param maxKept what all sessions together may keep, in bytes */
export function serveMessages(context: ServeContext, maxKept: number = MAX_KEPT): RunningServer {
  const { limits, trace, options, console } = context;
  const maxLog = Number(options["max-log"] ?? 1_048_576);
  let kept = 0;

  class Writer implements Session<string> {
    readonly #channel: TextChannel;
    readonly #log = new MessageLog(maxLog);
    /** What of `kept` is this one's. */
    #counted = 0;
    lastWords: Promise<void> | null = null;

    constructor(channel: TextChannel) {
      this.#channel = channel;
    }

    onMessage(text: string): void {
      if (this.lastWords) return;
      if (isQuit(text)) return void (this.lastWords = this.#quit());
      if (kept >= maxKept) return this.#refuse(refusal.serverFull());
      if (!this.#log.add(text)) return this.#refuse(refusal.logFull(this.#log));
      this.#count(this.#log.length);
      const from = this.#channel.remote;
      console.print(`${from}: ${text}`, { event: "message", from, text });
    }

    onEnd(): void {
      this.#count(0);
    }

    #count(bytes: number): void {
      kept += bytes - this.#counted;
      this.#counted = bytes;
    }

    #refuse(why: string): void {
      this.#channel.sendStart(errorReply(why));
    }

    /** Sends the log and hangs up. */
    async #quit(): Promise<void> {
      const { framer } = this.#channel;
      // Only a length can say that there is nothing.
      if (this.#log.isEmpty && framer.headBytes > 0) this.#channel.send("");
      const bare = framer.headBytes + framer.tailBytes === 0;
      await this.#channel.flushed();
      for (const part of this.#log.take(Math.min(PART_BYTES, framer.maxBody), bare)) {
        if (!this.#channel.send(part)) return;
        await this.#channel.flushed();
        this.#channel.noteTaken();
        if (this.#counted > 0) this.#count(this.#log.length); // unless the session has ended meanwhile
      }
      await this.#channel.because("quit").close();
    }
  }

  return new Server<string, string | Uint8Array>({
    listen: context,
    limits,
    trace,
    codec: textCodec,
    makeFramer: (onDecided) => freeTextFramer(context, onDecided),
    farewells: { refuse: errorReply, bad: badReply },
    session: (channel) => new Writer(channel),
  });
}
