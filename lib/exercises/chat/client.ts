// The chat client: what is typed goes to the server as it is, what the server says is shown as it is. It bears the servers
// of all courses: it never probes their framing, sends one frame a write, and waits for no answer to MSG.

import { Channel } from "../../net/channel.ts";
import { connectTcp } from "../../net/client.ts";
import { outlasts, pause } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { watchIdle } from "../../net/idle.ts";
import type { Codec } from "../../protocol/codec.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import { makeFramer, WIRE_NAMES } from "../../protocol/framing.ts";
import { decodeText, escapeText } from "../../protocol/text.ts";
import type { ConnectContext, Console } from "../exercise.ts";
import { formatDuration } from "../options.ts";
import { COMMANDS, parseCommand, parseReply } from "./protocol.ts";

/** Lists of names grow with the room: more than a message may have. */
const MAX_REPLY = 1_048_576;
/** How long a script waits for an outstanding answer, and the client for the server's goodbye. */
const ANSWER_MS = 2000;
/** How many bytes of a script may wait to be written. */
const MAX_AHEAD = 65_536;
/** With `--wire raw` two writes in one read would be one message: the only remedy is a pause. */
const RAW_PAUSE_MS = 50;

const textCodec: Codec<string> = { decode: decodeText, encode: (text) => text };

/** Runs the client until the person, the script or the server ends it. */
export async function connectChat(context: ConnectContext): Promise<void> {
  const framer = makeFramer(context.wire, MAX_REPLY);
  if (framer === null) {
    throw new NetlabError("usage", `no such framing for a client: ${context.wire} (${WIRE_NAMES})`, {
      hint: "a client cannot find out what a server speaks: say it with --wire",
    });
  }
  const conn = await connectTcp(context.host, context.port);
  const channel = new Channel(conn, { framer, codec: textCodec, trace: context.trace, coalesce: false });
  await new Chat(channel, context).run();
}

class Chat {
  readonly #channel: Channel<string>;
  readonly #console: Console;
  readonly #context: ConnectContext;
  /** Commands whose answers have not come, oldest first. */
  readonly #outstanding: string[] = [];
  readonly #names = new Set<string>();
  #answered: () => void = () => {};
  #leaving = false;
  /** The server has said its last: nothing sent now is answered. */
  #over = false;
  #failure: NetlabError | null = null;

  constructor(channel: Channel<string>, context: ConnectContext) {
    this.#channel = channel;
    this.#console = context.console;
    this.#context = context;
  }

  async run(): Promise<void> {
    const address = formatHostPort(this.#context.host, this.#context.port);
    this.#console.completeWith((line) => this.#complete(line));
    this.#console.note(`connected to ${address}; commands: ${COMMANDS.map(({ word }) => word).join(", ")}`);
    const idleMs = this.#context.idleMs;
    const unwatch = idleMs === undefined ? () => {} : watchIdle(this.#channel, idleMs, () => {
      this.#failure ??= new NetlabError("timeout", `${address} has said nothing for ${formatDuration(idleMs)}`);
      this.#channel.abort("idle");
    });
    const listening = this.#listen().finally(() => {
      unwatch();
      this.#console.stop();
    });
    const name = this.#context.options.name;
    if (typeof name === "string") await this.#say(`NAME ${name}`);
    for await (const line of this.#console.lines("> ")) {
      if (line.trim() !== "" && !this.#over) await this.#say(line);
      if (this.#leaving || this.#over) break;
    }
    if (!this.#over && !this.#leaving) await this.#say("EXIT");
    if (await outlasts(listening, ANSWER_MS)) this.#channel.abort("left");
    await this.#channel.close();
    if (this.#failure) throw this.#failure;
    if (!this.#leaving) {
      throw new NetlabError("transport", `the server ${address} ended the connection (${this.#channel.reason})`, {
        hint: "it stopped, or it sent you away: its last words are above",
      });
    }
  }

  async #listen(): Promise<void> {
    await this.#channel.each((text) => this.#show(text), (error) => {
      const hint = error.fatal ? `the server does not frame with ${this.#channel.framer.name}: try another --wire` : "";
      this.#failure ??= new ProtocolError(`cannot read the server: ${error.message}`, { hint: hint || error.hint });
      if (!error.fatal) this.#console.note(`unreadable: ${error.message}`);
    });
    this.#over = true;
    this.#answered();
  }

  async #say(line: string): Promise<void> {
    const command = parseCommand(line);
    try {
      if (!this.#channel.send(line)) return;
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      return this.#console.note(`not sent: ${error.message}`);
    }
    if (command.type === "exit") this.#leaving = true;
    const expectsAnswer = command.type === "name" || command.type === "getNames" || command.type === "unknown";
    if (expectsAnswer) this.#outstanding.push(command.type);
    if (this.#console.interactive) return;
    // Nor may a script be faster than the server reads: our own queue has a limit.
    if (this.#channel.queuedBytes > MAX_AHEAD || command.type === "exit") await this.#channel.flushed();
    // A script goes on when it has its answer, so that its output reads like a dialogue.
    if (expectsAnswer && !this.#over) {
      await outlasts(new Promise<void>((resolve) => (this.#answered = resolve)), ANSWER_MS);
    } else if (this.#channel.framer.name === "raw") {
      await pause(RAW_PAUSE_MS);
    }
  }

  #show(text: string): void {
    const reply = parseReply(text);
    if (reply.type === "delivery") {
      this.#names.add(reply.from);
      this.#console.print(text, { event: "message", from: reply.from, text: reply.text });
      return;
    }
    const asked = this.#outstanding.shift();
    if (asked === "getNames" && reply.type !== "error") {
      this.#names.clear();
      for (const name of text.split(/[,\s]+/)) if (name !== "") this.#names.add(name);
    }
    this.#console.print(text, { event: "reply", text });
    this.#answered();
  }

  #complete(line: string): string[] {
    const [word, ...rest] = line.split(" ");
    if (rest.length === 0) {
      return COMMANDS.map((command) => command.form.includes("<") ? `${command.word} ` : command.word)
        .filter((candidate) => candidate.startsWith(word.toUpperCase()));
    }
    if (rest.length > 1 || !/^(MSG|BLOCK|UNBLOCK)$/i.test(word)) return [];
    const names = word.toUpperCase() === "MSG" ? [...this.#names, "BROADCAST"] : [...this.#names];
    return names.filter((name) => name.startsWith(rest[0])).map((name) => `${word} ${escapeText(name)} `);
  }
}
