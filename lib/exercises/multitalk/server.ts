// The operator's server: every client has a label, and nobody waits for anybody.

import type { Channel } from "../../net/channel.ts";
import { Server, type Session } from "../../net/server.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { escapeText } from "../../protocol/text.ts";
import { column } from "../../trace/format.ts";
import { completeLine, describeForms, findForm, splitWord } from "../commands.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { invalidName } from "../names.ts";
import { Pace, Restraint } from "../pace.ts";
import { badReply, errorReply, freeTextFramer, textCodec } from "../text.ts";
import { ALL, FORMS, MESSAGE_FORMS, parseMessage } from "./protocol.ts";

/** Starts a server with an operator at it. */
export function serveMultitalk(context: ServeContext): RunningServer {
  const desk = new Desk(context);
  const server = new Server<string, string>({
    listen: context,
    limits: context.limits,
    trace: context.trace,
    codec: textCodec,
    makeFramer: (onDecided) => freeTextFramer(context, onDecided),
    farewells: { refuse: errorReply, bad: badReply },
    session: (channel) => desk.enter(channel),
  });
  void desk.operate(server.finished);
  return server;
}

/** The operator and those who are connected, by their labels. */
class Desk {
  readonly #context: ServeContext;
  readonly #clients = new Map<string, Channel<string>>();
  #pace: Pace | null = null;
  #count = 0;

  constructor(context: ServeContext) {
    this.#context = context;
  }

  enter(channel: Channel<string>): Session<string> {
    let label: string;
    do label = `c${++this.#count}`; while (this.#clients.has(label));
    this.#clients.set(label, channel);
    this.#traceLabel(channel, label);
    const restraint = new Restraint();
    return {
      onMessage: (text) => this.#receive(channel, text, restraint),
      onEnd: () => void this.#clients.delete(this.#labelOf(channel)),
    };
  }

  /** Does what the operator types, until that, or the server, has `ended`. */
  async operate(ended: Promise<void>): Promise<void> {
    const { console } = this.#context;
    const pace = this.#pace = new Pace(console, ended);
    console.completeWith((line) => this.#complete(line));
    console.note(`@label message, @${ALL} message, or ${FORMS.map(({ word }) => word).join(", ")}`);
    for await (const line of console.lines("> ")) {
      if (line.trim() === "") continue;
      try {
        if (!this.#run(line.trim())) return this.#context.stop();
      } catch (error) {
        if (!(error instanceof NetlabError)) throw error;
        console.print(error.message, { event: "error", text: error.message });
      }
      await pace.wait();
    }
    // The end of a script is no end of the server: clients may still write.
    if (console.interactive) this.#context.stop();
  }

  #receive(channel: Channel<string>, text: string, restraint: Restraint): void | Promise<void> {
    const from = this.#labelOf(channel);
    this.#context.console.print(`${from}: ${text}`, { event: "message", from, text });
    const { relay } = this.#context.options;
    if (relay === undefined) return;
    const shown = escapeText(relay === "bare" ? text : `${from}: ${text}`);
    let behind: Promise<void> | undefined = undefined;
    for (const [label, other] of this.#clients) {
      if (other === channel) continue;
      this.#pass(label, other, shown);
      behind = restraint.after(shown.length, other) ?? behind;
    }
    return behind;
  }

  /** Sends a client what another wrote; whose queue has no room is cut, and nobody else is told. */
  #pass(label: string, channel: Channel<string>, text: string): void {
    try {
      channel.send(text);
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.#context.console.note(`not relayed to ${label}: ${error.message}`);
    }
  }

  /** @returns false when the operator leaves @throws {NetlabError} when what is typed cannot be done */
  #run(line: string): boolean {
    const message = parseMessage(line);
    if (message) {
      this.#send(message.to, message.text);
      return true;
    }
    const [word, rest] = splitWord(line);
    switch (findForm(FORMS, word)?.word) {
      case "list":
        this.#list();
        break;
      case "label":
        this.#relabel(rest);
        break;
      case "kick": {
        const channel = this.#find(rest);
        channel.sendStart(errorReply("kicked by the operator"));
        this.#clients.delete(this.#labelOf(channel));
        void channel.because("kicked").close();
        break;
      }
      case "help":
        for (const row of describeForms([...MESSAGE_FORMS, ...FORMS])) this.#context.console.print(row);
        break;
      case "exit":
        return false;
      default:
        throw new NetlabError("usage", `to whom? @label message, @${ALL} message, or help`);
    }
    return true;
  }

  #send(to: string, text: string): void {
    if (text === "") throw new NetlabError("usage", `say what? @${to || "label"} message`);
    const everybody = to.toLowerCase() === ALL;
    if (everybody && this.#clients.size === 0) throw new NetlabError("usage", "nobody is connected");
    const channels = everybody ? [...this.#clients.values()] : [this.#find(to)];
    const lost = channels.filter((channel) => channel.ending || !channel.send(text));
    for (const channel of channels) this.#pace?.note(channel);
    if (lost.length > 0) {
      throw new NetlabError(
        "transport",
        `not sent to ${lost.map((one) => this.#labelOf(one)).join(", ")}`,
      );
    }
  }

  #list(): void {
    const { console } = this.#context;
    if (this.#clients.size === 0) console.print("nobody is connected", { event: "clients", count: 0 });
    const labels = column([...this.#clients.keys()]);
    [...this.#clients].forEach(([label, { remote }], i) => {
      console.print(`${labels[i]}  ${remote}`, { event: "client", label, remote });
    });
  }

  #relabel(rest: string): void {
    const [old, label] = splitWord(rest);
    if (label === "") throw new NetlabError("usage", "label <old> <new>");
    const channel = this.#find(old);
    const wrong = invalidName(label, ALL);
    if (wrong !== null) throw new NetlabError("usage", `invalid label: ${wrong}`);
    if ((this.#clients.get(label) ?? channel) !== channel) throw new NetlabError("usage", `label taken: ${label}`);
    // In its place: the order is that in which they came.
    const entries = [...this.#clients].map(([one, other]) => [other === channel ? label : one, other] as const);
    this.#clients.clear();
    for (const [one, other] of entries) this.#clients.set(one, other);
    this.#traceLabel(channel, label);
  }

  #find(label: string): Channel<string> {
    const channel = this.#clients.get(label.replace(/^@/, ""));
    if (channel) return channel;
    throw new NetlabError("usage", `nobody is called ${label || "that"}: list shows who is connected`);
  }

  #labelOf(channel: Channel<string>): string {
    for (const [label, other] of this.#clients) if (other === channel) return label;
    return channel.remote;
  }

  #complete(line: string): string[] {
    const labels = [...this.#clients.keys()];
    if (!line.startsWith("@")) return completeLine(FORMS, line, ({ form }) => form.includes("<") ? labels : []);
    return [...labels, ALL].map((label) => `@${label} `).filter((candidate) => candidate.startsWith(line));
  }

  #traceLabel(channel: Channel<string>, label: string): void {
    const { trace } = this.#context;
    if (trace.wants.label) trace.emit({ type: "label", id: channel.id, label });
  }
}
