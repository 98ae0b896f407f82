// The chat client: what is typed goes to the server as it is, what the server says is shown as it is. It bears the servers
// of all courses: it never probes their framing, sends one frame a write, and waits for no answer to MSG.

import { escapeText } from "../../protocol/text.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { ANSWER_MS, hintAtWire, openChannel, TextClient } from "../client.ts";
import { type CommandForm, completeLine } from "../commands.ts";
import type { ConnectContext } from "../exercise.ts";
import { MAX_NAME } from "../names.ts";
import { BROADCAST, COMMANDS, parseCommand, parseReply } from "./protocol.ts";

/** Lists of names grow with the room: more than a message may have. */
const MAX_REPLY = 1_048_576;
/** So many names are remembered to complete what is typed, of so many UTF-16 units at most: a server may make up others for ever. */
const MAX_NAMES = 10_000;
const MAX_NAME_UNITS = 2 * MAX_NAME;
/** How long a script that has ended waits for the answers to its questions, in ms. */
const LAST_ANSWER_MS = 5000;

/** Runs the client until the person, the script or the server ends it. */
export async function connectChat(context: ConnectContext): Promise<void> {
  await new Chat(await openChannel(context, MAX_REPLY), context).run();
}

class Chat extends TextClient {
  /** Commands whose answers have not come, oldest first. */
  readonly #outstanding: string[] = [];
  /** How many questions have been asked that every server answers, and how many answers have come to any. */
  #questions = 0;
  #answers = 0;
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
    const isQuestion = command.type === "name" || command.type === "getNames";
    const expectsAnswer = isQuestion || command.type === "unknown";
    if (isQuestion) this.#questions++;
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

  /** @throws {NetlabError} also when a script has had no answer to its questions */
  override async run(): Promise<void> {
    await super.run();
    const unanswered = this.#questions - this.#answers;
    if (this.console.interactive || unanswered <= 0) return;
    throw new NetlabError(
      "timeout",
      unanswered === 1 ? "a question was not answered" : `${unanswered} questions were not answered`,
      {
        hint: this.channel.reads === 0 ? hintAtWire(this.channel) : undefined,
      },
    );
  }

  protected override async leave(): Promise<void> {
    if (!this.console.interactive) await this.until(() => this.#answers >= this.#questions, LAST_ANSWER_MS);
    if (!this.over) await this.say("EXIT");
  }

  protected override show(text: string): void {
    const reply = parseReply(text);
    const isGreeting = this.#outstanding[0] === "name" && /^hello /i.test(text); // of one who is called `sent`, too
    if (reply.type === "delivery" && !isGreeting) {
      this.#remember(reply.from);
      this.console.print(text, { event: "message", from: reply.from, text: reply.text });
      return;
    }
    if (reply.type === "error") this.refusals++;
    this.#answers++;
    const asked = this.#outstanding.shift();
    if (asked === "getNames" && reply.type !== "error") {
      this.#names.clear();
      text.split(/[,\s]+/).forEach((name) => this.#remember(name));
    }
    this.console.print(text, { event: "reply", text });
  }

  #remember(name: string): void {
    if (name !== "" && name.length <= MAX_NAME_UNITS && this.#names.size < MAX_NAMES) this.#names.add(name);
  }

  #namesFor({ word }: CommandForm): string[] {
    const names = [...this.#names].map(escapeText);
    if (word === "MSG") return [...names, BROADCAST];
    return word === "BLOCK" || word === "UNBLOCK" ? names : [];
  }
}
