// The chat client: what is typed goes to the server as it is, what the server says is shown as it is. It bears the servers
// of all courses: it never probes their framing, sends one frame a write, and waits for no answer to MSG.

import { escapeText } from "../../protocol/text.ts";
import { ANSWER_MS, openChannel, TextClient } from "../client.ts";
import { type CommandForm, completeLine } from "../commands.ts";
import type { ConnectContext } from "../exercise.ts";
import { BROADCAST, COMMANDS, parseCommand, parseReply } from "./protocol.ts";

/** Lists of names grow with the room: more than a message may have. */
const MAX_REPLY = 1_048_576;

/** Runs the client until the person, the script or the server ends it. */
export async function connectChat(context: ConnectContext): Promise<void> {
  await new Chat(await openChannel(context, MAX_REPLY), context).run();
}

class Chat extends TextClient {
  /** Commands whose answers have not come, oldest first. */
  readonly #outstanding: string[] = [];
  readonly #names = new Set<string>();

  protected override async begin(): Promise<void> {
    this.console.completeWith((line) => completeLine(COMMANDS, line, (form) => this.#namesFor(form)));
    this.console.note(`connected to ${this.address}; commands: ${COMMANDS.map(({ word }) => word).join(", ")}`);
    const name = this.context.options.name;
    if (typeof name === "string") await this.say(`NAME ${name}`);
  }

  protected override async say(line: string): Promise<void> {
    const command = parseCommand(line);
    if (!this.send(line)) return;
    if (command.type === "exit") this.leaving = true;
    const expectsAnswer = command.type === "name" || command.type === "getNames" || command.type === "unknown";
    if (expectsAnswer) {
      this.#outstanding.push(command.type);
      this.expectAnswer();
    }
    if (this.console.interactive) return;
    if (command.type === "exit") return await this.channel.flushed();
    // A script goes on when it has its answer, so that its output reads like a dialogue.
    if (!expectsAnswer) return await this.pace();
    const asked = this.#outstanding.length;
    await this.until(() => this.#outstanding.length < asked, ANSWER_MS);
  }

  protected override leave(): Promise<void> {
    return this.say("EXIT");
  }

  protected override show(text: string): void {
    const reply = parseReply(text);
    if (reply.type === "delivery") {
      this.#names.add(reply.from);
      this.console.print(text, { event: "message", from: reply.from, text: reply.text });
      return;
    }
    if (reply.type === "error") this.refusals++;
    const asked = this.#outstanding.shift();
    if (asked === "getNames" && reply.type !== "error") {
      this.#names.clear();
      for (const name of text.split(/[,\s]+/)) if (name !== "") this.#names.add(name);
    }
    this.console.print(text, { event: "reply", text });
  }

  #namesFor({ word }: CommandForm): string[] {
    const names = [...this.#names].map(escapeText);
    if (word === "MSG") return [...names, BROADCAST];
    return word === "BLOCK" || word === "UNBLOCK" ? names : [];
  }
}
