// The calculator's client: one expression from the command line, a person at a prompt, or a script whose lines are sent
// ahead and answered in order.

import type { Channel } from "../../net/channel.ts";
import { lookUp } from "../../net/client.ts";
import { outlasts } from "../../net/clock.ts";
import { formatHostPort } from "../../net/conn.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import { hintAtWire, judgeScript, openChannel, TextClient, unreadable } from "../client.ts";
import type { ConnectContext } from "../exercise.ts";
import { isError } from "../text.ts";
import { MAX_REQUEST } from "./protocol.ts";

/** How long an answer may take, in ms; over UDP the question is asked again so often within it. */
const ANSWER_MS = 5000;
const UDP_TRIES = 5;

/** Runs the client to its end. */
export async function connectCalc(context: ConnectContext): Promise<void> {
  if (context.args.length > 0) return await askOnce(context);
  if (context.transport === "udp") return await askEach(context);
  await new Calc(await openChannel(context, MAX_REQUEST), context).run();
}

/** Prints the result of the expression on the command line, or fails as the server says. */
async function askOnce(context: ConnectContext): Promise<void> {
  const text = await ask(context, context.args.join(" "));
  if (!isError(text)) return context.console.print(text, { event: "result", text });
  context.console.record?.({ event: "result", text });
  throw new NetlabError("reply", `the server says: ${text}`);
}

/** Asks question by question: without a byte stream, order has no other guarantee. */
async function askEach(context: ConnectContext): Promise<void> {
  const { console, host, port } = context;
  // Nobody is connected over UDP, but there has to be such a host.
  const address = await lookUp(host, port, "talk to");
  console.note(greeting(`asking ${formatHostPort(address, port)} over UDP`));
  let refusals = 0;
  let failed = 0;
  for await (const line of console.lines("> ")) {
    if (line.trim() === "") continue;
    try {
      const text = await ask(context, line);
      if (isError(text)) refusals++;
      console.print(text, { event: "result", text });
      await console.drained?.();
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      const unsent = error instanceof ProtocolError && error.side === "local";
      if (unsent) failed++;
      // A person may ask once more, and what is too long to be asked is one line of a script.
      else if (!console.interactive) throw error;
      console.note(error.withHint);
    }
  }
  if (!console.interactive) judgeScript(refusals, failed);
}

/** One question on a connection of its own: over UDP, a late answer can then not be taken for another question's. */
async function ask(context: ConnectContext, question: string): Promise<string> {
  const channel = await openChannel(context, MAX_REQUEST);
  try {
    const tries = context.transport === "udp" ? UDP_TRIES : 1;
    const answer = receiveAnswer(channel);
    for (let i = 0; i < tries; i++) {
      channel.send(question);
      if (await outlasts(answer, (context.idleMs ?? ANSWER_MS) / tries)) continue;
      return await answerOf(answer, channel);
    }
    answer.catch(() => {});
    throw new NetlabError("timeout", `no answer from ${channel.remote} in ${(context.idleMs ?? ANSWER_MS) / 1000} s`, {
      hint: context.transport === "udp" ? "does the server run, and with --transport udp?" : hintAtWire(channel),
    });
  } finally {
    channel.abort("answered");
  }
}

/** Any datagram may come, an empty one too, and a line may be blank. */
const isAnswer = (text: string) => text.trim() !== "";

/** The first answer, or null at the end of the connection. */
async function receiveAnswer(channel: Channel<string>): Promise<string | null> {
  for (let text; (text = await channel.receive()) !== null;) if (isAnswer(text)) return text;
  return null;
}

async function answerOf(answer: Promise<string | null>, channel: Channel<string>): Promise<string> {
  const text = await answer.catch((error) => {
    throw error instanceof ProtocolError ? unreadable(error, channel) : error;
  });
  if (text !== null) return text;
  throw new NetlabError("transport", `${channel.remote} ended the connection without an answer (${channel.reason})`, {
    hint: channel.truncated ? hintAtWire(channel) : undefined,
  });
}

const greeting = (where: string) => `${where}; try 7 * 6 (end with Ctrl-D)`;

class Calc extends TextClient {
  /** Questions without an answer. */
  #outstanding = 0;

  protected override begin(): Promise<void> {
    this.console.note(greeting(`connected to ${this.address}`));
    return Promise.resolve();
  }

  protected override async say(line: string): Promise<void> {
    if (!this.send(line)) return;
    this.#outstanding++;
    this.expectAnswer();
    await this.pace();
    // Without framing, two questions in one read would be one: each waits for its answer.
    if (this.channel.framer.name === "raw") await this.until(() => this.#outstanding === 0, ANSWER_MS);
  }

  protected override async leave(): Promise<void> {
    for (let before = -1; this.#outstanding > 0 && before !== this.#outstanding;) {
      before = this.#outstanding;
      await this.until(() => this.#outstanding < before, ANSWER_MS);
    }
    if (this.over) return;
    this.leaving = this.#outstanding === 0;
    if (this.leaving) return await this.channel.close();
    const questions = this.#outstanding === 1 ? "a question was" : `${this.#outstanding} questions were`;
    this.fail(new NetlabError("timeout", `${questions} not answered in ${ANSWER_MS / 1000} s`));
  }

  protected override show(text: string): void {
    // Without framing an answer may come in pieces, which are more than there were questions.
    if (isAnswer(text)) this.#outstanding = Math.max(0, this.#outstanding - 1);
    if (isError(text)) this.refusals++;
    this.console.print(text, { event: "result", text });
  }
}
