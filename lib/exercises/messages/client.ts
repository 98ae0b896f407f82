// The client of one-way messages: sends what is typed, and shows the log that comes back at the end.

import type { ByteQueue } from "../../protocol/byte_queue.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { type Framer, LineFramer } from "../../protocol/framing.ts";
import { decodeLossy } from "../../protocol/text.ts";
import type { Channel } from "../../net/channel.ts";
import { watchIdle } from "../../net/idle.ts";
import { openChannel, TextClient } from "../client.ts";
import type { ConnectContext } from "../exercise.ts";
import { isError } from "../text.ts";
import { isQuit, QUIT } from "./protocol.ts";

/** With a length field, a log may be one message. */
const MAX_LOG = 64 * 1_048_576;
/** How long the server may be silent after `quit`, in ms. */
const LOG_MS = 10_000;

/** Runs the client to its end. */
export async function connectMessages(context: ConnectContext): Promise<void> {
  const log = new LogFraming();
  const channel = await openChannel(context, MAX_LOG, (framer) => framer.headBytes === 0 ? log.over(framer) : framer);
  await new Messages(channel, context, log).run();
}

/**
 * Without a length field the log is all that comes after `quit`, however it is read: lines, the last of which may have no
 * end.
 */
class LogFraming {
  /** From then on, what comes is the log. */
  begun = false;
  #queue: ByteQueue | null = null;

  /** What has come behind the last LF. */
  get unended(): string {
    return this.#queue === null ? "" : decodeLossy(this.#queue.peek(this.#queue.length));
  }

  over(framer: Framer): Framer {
    const lines = new LineFramer(MAX_LOG);
    return {
      name: framer.name,
      headBytes: framer.headBytes,
      tailBytes: framer.tailBytes,
      maxBody: framer.maxBody,
      coalesces: framer.coalesces,
      seal: (buffer, start, bodyBytes) => framer.seal(buffer, start, bodyBytes),
      cut: (queue) => (this.begun ? lines : framer).cut(this.#queue = queue),
      end: (queue: ByteQueue) => this.begun && queue.length > 0 ? queue.take(queue.length) : null,
    };
  }
}

class Messages extends TextClient {
  protected override readonly sendsBlank = true;
  readonly #log: LogFraming;
  /** What we said ourselves that looks like a refusal: the log repeats it. */
  readonly #own = new Set<string>();

  constructor(channel: Channel<string>, context: ConnectContext, log: LogFraming) {
    super(channel, context);
    this.#log = log;
  }

  protected override begin(): Promise<void> {
    this.console.completeWith((line) => QUIT.startsWith(line.toLowerCase()) ? [QUIT] : []);
    this.console.note(`connected to ${this.address}; each line is a message, ${QUIT} ends and shows them all`);
    return Promise.resolve();
  }

  protected override async say(line: string): Promise<void> {
    if (isQuit(line)) return await this.leave();
    if (isError(line)) this.#own.add(line);
    if (this.send(line)) await this.pace();
  }

  protected override async leave(): Promise<void> {
    this.#log.begun = true;
    if (!this.send(QUIT)) return;
    this.leaving = true;
    this.expectAnswer();
    // The log may be long, and the line slow: as long as something comes, more may come.
    let silent = false;
    const unwatch = watchIdle(this, LOG_MS, () => {
      silent = true;
      this.changed();
    });
    await this.until(() => silent);
    unwatch();
    // What was cut off may lack its end, wherever that was.
    if (this.over) this.leaving = this.channel.reason!.startsWith("end of stream");
    else {
      const text = `the server has said nothing for ${LOG_MS / 1000} s, and not ended the session`;
      this.fail(new NetlabError("timeout", text, { hint: "behind the log it has to close the connection" }));
    }
  }

  /** What has come is shown, though it may have no end. */
  protected override fail(error: NetlabError): void {
    const { unended } = this.#log;
    if (unended !== "") this.show(unended);
    super.fail(error);
  }

  protected override show(text: string): void {
    if (isError(text) && !this.#own.has(text)) this.refusals++;
    if (!this.#log.begun || isError(text)) return this.console.print(text, { event: "reply", text });
    for (const line of text.split("\n")) this.console.print(line, { event: "logged", text: line });
  }
}
