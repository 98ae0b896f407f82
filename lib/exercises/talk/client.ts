// The person who calls.

import { systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { hintAtWire, openChannel, TextClient } from "../client.ts";
import { completeWord } from "../commands.ts";
import type { ConnectContext } from "../exercise.ts";
import { leavingSignal } from "../leaving.ts";
import { formatDuration } from "../options.ts";
import { errorReply, MAX_TEXT, whyUnfit } from "../text.ts";
import { BYE, refusal, RESEND_MS, type TalkEvent, TalkMachine } from "./protocol.ts";

/** How often a script sends a line over UDP before it gives up. Over TCP, where nothing is lost, it waits as long for an answer. */
const TRIES = 4;

/** Runs the client to its end. */
export async function connectTalk(context: ConnectContext): Promise<void> {
  await new Talk(await openChannel(context, 2 * MAX_TEXT), context).run();
}

class Talk extends TextClient {
  readonly #resendMs = Number(this.context.options["resend-after"] ?? RESEND_MS);
  readonly #machine = new TalkMachine(
    this.context.transport === "udp" ? this.#resendMs : null,
    (text) => whyUnfit(this.channel.framer, text),
  );
  readonly #driven: Driven<string, string> = drive(this.#machine, {
    clock: systemClock,
    send: (text) => void this.channel.sendStart(text), // a refusal may be too long for it
    onEvent: (event) => this.#tell(event),
    trace: this.context.trace,
    id: this.channel.id,
  });
  /** UDP has no end of stream: our going has to be said, unless the other has left. Over TCP it shows. */
  #parted = this.context.transport === "tcp";

  override async run(): Promise<void> {
    try {
      await super.run();
    } finally {
      this.#driven.input({ type: "end" });
    }
  }

  protected override begin(): Promise<void> {
    this.console.completeWith((line) => completeWord(line, [BYE]));
    const { transport } = this.context;
    const where = transport === "udp" ? `calling ${this.address} over UDP` : `connected to ${this.address}`;
    this.console.note(`${where}; each line is a message, and has to be answered before the next; ${BYE} hangs up`);
    if (!this.#parted) {
      const interrupted = leavingSignal(this.context);
      interrupted.addEventListener("abort", () => this.fail(interrupted.reason));
    }
    void this.#driven.finished.then(() => {
      if (this.leaving) return;
      this.#parted = true;
      this.fail(new NetlabError("reply", `${this.address} has ended the conversation`));
    });
    return Promise.resolve();
  }

  protected override async say(line: string): Promise<void> {
    if (line.trim() === BYE) return await this.leave();
    if (this.console.interactive) return this.#driven.input({ type: "command", command: line });
    // A script goes on when it has its answer; what may be lost is sent again.
    if (this.context.transport === "tcp") return await this.#ask(line);
    for (let i = 0; i < TRIES && !this.over; i++) {
      this.#driven.input({ type: "command", command: line });
      await this.until(() => this.#machine.mayType);
      if (!this.#machine.silent) return;
    }
    if (!this.over) this.fail(new NetlabError("timeout", `${this.address} has not answered, ${TRIES} times`));
  }

  async #ask(line: string): Promise<void> {
    const patienceMs = this.context.idleMs === undefined ? TRIES * this.#resendMs : Infinity; // who says --idle has a limit
    this.#driven.input({ type: "command", command: line });
    await this.until(() => this.#machine.mayType, patienceMs);
    if (this.#machine.mayType || this.over) return;
    // Who has answered once is understood.
    const wire = this.channel.reads === 0 ? `${hintAtWire(this.channel)}; ` : "";
    const hint = `${wire}a person may need longer: say it with --idle`;
    const text = `${this.address} has not answered for ${formatDuration(patienceMs)}`;
    this.fail(new NetlabError("timeout", text, { hint }));
  }

  protected override async leave(): Promise<void> {
    this.leaving = true;
    this.#driven.input({ type: "end" });
    await this.#part();
    await this.channel.close();
  }

  protected override fail(error: NetlabError): void {
    if (this.#parted) return super.fail(error);
    this.leaving = true; // nothing more of a script is said
    void this.#part().then(() => super.fail(error));
  }

  async #part(): Promise<void> {
    if (this.#parted) return;
    this.#parted = true;
    this.channel.sendStart(errorReply(refusal.left()));
    await this.channel.flushed();
  }

  protected override show(text: string): void {
    this.#driven.input({ type: "message", message: text });
  }

  #tell(event: TalkEvent): void {
    if (event.type === "refused") this.refusals++;
    if (event.type === "message" || event.type === "refused") {
      this.console.print(event.text, { event: event.type, text: event.text });
    } else if (event.type === "notSent") {
      this.notSent(event.why);
    } else {
      this.console.note(`no answer for ${event.ms / 1000} s: something may be lost; you can send again`);
    }
    this.changed();
  }
}
