// A program that is both ends: it listens, calls others, and treats all connections alike, whoever opened them. What the
// exercises peer and mesh share.

import type { Channel } from "../net/channel.ts";
import { connectTcp } from "../net/client.ts";
import { outlasts, systemClock } from "../net/clock.ts";
import type { Address, Conn } from "../net/conn.ts";
import { type ListenOptions, Server } from "../net/server.ts";
import type { Millis } from "../protocol/clock.ts";
import { NetlabError, type ProtocolError } from "../protocol/errors.ts";
import { ANSWER_MS, hintAtWire, judgeScript, watchServer } from "./client.ts";
import type { CommandForm } from "./commands.ts";
import { completeLine, describeForms, findForm, splitWord } from "./commands.ts";
import type { ConnectContext, Console, RunningServer, ServeContext } from "./exercise.ts";
import { Pace } from "./pace.ts";
import { badReply, errorReply, freeTextFramer, isError, textCodec } from "./text.ts";

/** A connection to another node. */
export interface Link {
  readonly channel: Channel<string>;
  /** Settles when it is no longer there. */
  readonly ended: Promise<void>;
  /** Where we called: as it was typed, over which connection, and when. */
  called: { readonly host: string; readonly port: number; readonly conn: Conn; readonly at: Millis } | null;
}

/** What a kind of node adds to the connections: its commands. */
export interface NodeCommands {
  readonly forms: readonly CommandForm[];
  /** Does what was typed; throws a `NetlabError` for what cannot be done. `word` is the form's, in its own spelling. */
  run(word: string, rest: string): Promise<void> | void;
  /** What may stand behind a word. */
  names?(form: CommandForm): Iterable<string>;
  /** How a message's sender is called. */
  label(link: Link): string;
}

/** What a node is made of: what a server gets, or, to only call others, what a client gets. */
export type NodeContext =
  & Pick<ServeContext, "console" | "limits" | "trace" | "transport" | "wire">
  & { readonly listen: ListenOptions | null; readonly full?: string; roomFor?(caller: Conn): Promise<unknown> | null };

/** How long what has been sent may take to leave, in ms. */
const GRACE_MS = 5000;

/**
 * Runs a node that calls another one, and cannot be called itself; ends when the input does.
 *
 * @throws {NetlabError} when the other does not answer, or falls silent, or something of a script failed
 */
export async function connectNode(context: ConnectContext, commandsOf: (node: Node) => NodeCommands): Promise<void> {
  const { console, trace, transport, wire } = context;
  const node = new Node({ console, trace, transport, wire, listen: null, limits: {} });
  let failure = null as NetlabError | null;
  let unwatch = () => {};
  try {
    await node.call(context.host, context.port);
    unwatch = watchServer(node, context, (error) => {
      failure = error;
      console.stop();
    });
    await node.operate(commandsOf(node));
  } finally {
    unwatch();
    await node.shutdown(GRACE_MS);
  }
  if (failure) throw failure;
  node.judge();
}

/** The connections of one program, and the person at it. */
export class Node implements RunningServer {
  readonly #context: NodeContext;
  readonly #console: Console;
  readonly #server: Server<string, string>;
  readonly #links = new Map<number, Link>();
  readonly #pace: Pace;
  #commands: NodeCommands | null = null;
  #leaving = false;
  /** A script has come to its own end, and is responsible for what it has come to. */
  #scriptOver = false;
  /** It had no exit: what others say from now on need be no answer to it. */
  #servesOn = false;
  /** How many of its lines could not be done. */
  #failed = 0;
  /** How often others have answered with ERROR. */
  #refusals = 0;
  #heard = 0;
  /** Rejects as `judge` does. */
  readonly finished: Promise<void>;

  /** @throws {NetlabError} of kind `transport` when the address cannot be bound */
  constructor(context: NodeContext) {
    this.#context = context;
    this.#console = context.console;
    this.#server = new Server<string, string>({
      listen: context.listen,
      limits: context.limits,
      trace: context.trace,
      roomFor: context.roomFor,
      codec: textCodec,
      makeFramer: (onDecided) => freeTextFramer(context, onDecided),
      farewells: {
        refuse: errorReply,
        bad: this.#refuse,
        full: context.full,
        leaving: "peer is leaving",
        goodbye: false,
      },
      session: (channel) => {
        const { promise: ended, resolve } = Promise.withResolvers<void>();
        const link: Link = { channel, ended, called: null };
        this.#links.set(channel.id, link);
        const onEnd = () => {
          if (channel.truncated) this.#noteTruncated(link);
          this.#forget(link);
          resolve();
        };
        return { onMessage: (text) => this.#show(link, text), onEnd };
      },
    });
    this.#pace = new Pace(context.console, this.#server.finished);
    this.finished = this.#server.finished.then(() => this.judge());
    this.finished.catch(() => {}); // whoever waits for it is told
  }

  get address(): Address {
    return this.#server.address;
  }

  get clientCount(): number {
    return this.#server.clientCount;
  }

  /** How many messages have come, from whomever. */
  get reads(): number {
    return this.#heard;
  }

  /** In the order in which they were opened. */
  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  shutdown(graceMs: number): Promise<void> {
    this.#leaving = true;
    return this.#server.shutdown(graceMs);
  }

  abort(): void {
    this.#server.abort();
  }

  /**
   * Calls another node.
   *
   * @param stillWanted throws when, by the time it answers, the call is no longer wanted
   * @throws {NetlabError} when it does not answer, and what `stillWanted` throws
   */
  async call(
    host: string,
    port: number,
    stillWanted: (conn: Conn) => void | Promise<void> = () => {},
  ): Promise<Link> {
    const conn = await connectTcp(host, port);
    try {
      await stillWanted(conn);
    } catch (error) {
      conn.close();
      throw error;
    }
    const channel = this.#server.adopt(conn);
    const link = this.#links.get(channel.id)!;
    if (this.#logless) this.#console.note(`connected to ${channel.remote}`);
    link.called = { host, port, conn, at: systemClock.now() };
    return link;
  }

  /** Whether who answers a call is this program itself. */
  isItself({ localAddr, remoteAddr }: Conn): boolean {
    if (this.#context.listen === null) return false;
    const [mine, local, remote] = [this.address, localAddr as Address, remoteAddr as Address];
    const hears = ["0.0.0.0", "::", remote.hostname].includes(mine.hostname);
    // Who listens everywhere is behind each address of the loopback, whichever a call comes from.
    const isHere = remote.hostname === local.hostname || /^(::ffff:)?127\./i.test(remote.hostname);
    return hears && remote.port === mine.port && isHere;
  }

  /**
   * Sends to one.
   *
   * @throws {NetlabError} when it is gone, or its framing cannot carry the text
   */
  send({ channel }: Link, text: string): void {
    if (channel.ending || !channel.send(text)) {
      throw new NetlabError("transport", `not sent: ${channel.remote} is gone`);
    }
    this.#pace.note(channel);
  }

  /** Hangs up: at once for us, in good order for the other. */
  hangUp(link: Link): void {
    link.channel.because("disconnected");
    this.#forget(link);
    void link.channel.close();
  }

  /** Whom we called should frame as we do: a script that does not hear it out has failed. */
  #noteTruncated({ called, channel }: Link): void {
    if (called === null) return;
    this.#failed++;
    this.#console.note(`the last message of ${channel.remote} has no end, and is dropped: ${hintAtWire(channel)}`);
  }

  #forget(link: Link): void {
    if (!this.#links.delete(link.channel.id)) return;
    // Who leaves knows it.
    if (this.#logless && !this.#leaving) {
      this.#console.note(`${this.#labelOf(link)} left: ${link.channel.reason ?? "bye"}`);
    }
  }

  /** A server's log says who comes and goes; who only calls has none. */
  get #logless(): boolean {
    return this.#context.listen === null;
  }

  #labelOf(link: Link): string {
    return this.#commands?.label(link) ?? link.channel.remote;
  }

  /**
   * To be asked when everything has ended: until then, somebody may still refuse what was sent.
   *
   * @throws {NetlabError} of kind `reply` when something of a script that has come to its end was not done, or refused
   */
  judge(): void {
    if (this.#scriptOver) judgeScript(this.#servesOn ? 0 : this.#refusals, this.#failed);
  }

  /** Does what is typed, until the input ends or the program is left. */
  async operate(commands: NodeCommands): Promise<void> {
    const left = await this.#operate(commands);
    if (this.#console.interactive) return;
    this.#scriptOver = true;
    // The end of a script is no end of the program that listens: others may still call.
    this.#servesOn = !left && this.#context.listen !== null;
    if (this.#servesOn) await this.#server.finished;
    else await this.#hearOut();
  }

  /** Says that nothing more comes, and hears what the others have to say to that: they may refuse what was sent. */
  async #hearOut(): Promise<void> {
    this.#leaving = true;
    const ends = this.links.map(({ channel, ended }) => channel.closeWrite().then(() => ended));
    await outlasts(Promise.all(ends), ANSWER_MS);
  }

  /** @returns whether it was told to exit */
  async #operate(commands: NodeCommands): Promise<boolean> {
    this.#commands = commands;
    const { forms } = commands;
    this.#console.completeWith((line) => completeLine(forms, line, commands.names));
    this.#console.note(`commands: ${forms.map(({ word }) => word).join(", ")}`);
    const isExit = (line: string) => findForm(forms, splitWord(line)[0])?.word === "exit";
    const lines = this.#console.lines("> ")[Symbol.asyncIterator]();
    for (let next = await lines.next(); !next.done;) {
      const line = next.value;
      if (isExit(line)) {
        await lines.return?.();
        return true;
      }
      const doing = this.#do(commands, line);
      const ahead = this.#console.interactive ? lines.next() : null;
      // A person who leaves does not wait for whom they have called.
      const leaves = ahead?.then(({ done, value }) => done || isExit(value));
      if (!leaves || !await Promise.race([doing, leaves])) await doing;
      await this.#pace.wait();
      next = await (ahead ?? lines.next());
    }
    return false;
  }

  /** Does one line; what goes wrong is said. */
  async #do(commands: NodeCommands, line: string): Promise<void> {
    if (line.trim() === "") return;
    const [word, rest] = splitWord(line);
    const { forms } = commands;
    try {
      const form = findForm(forms, word);
      if (form === undefined) {
        throw new NetlabError("usage", `no such command: ${word}`, { hint: forms.map((one) => one.word).join(", ") });
      }
      if (form.word === "help") { for (const row of describeForms(forms)) this.#console.print(row); }
      else await commands.run(form.word, rest);
    } catch (error) {
      this.#failed++;
      this.#console.print(...describeFailure(error));
    }
  }

  readonly #refuse = (error: ProtocolError): string => {
    if (this.#logless) this.#console.note(`unreadable: ${error.message}`);
    return badReply(error);
  };

  #show(link: Link, text: string): void {
    const from = this.#labelOf(link);
    this.#heard++;
    if (isError(text)) this.#refusals++;
    this.#console.print(`${from}: ${text}`, { event: "message", from, text });
  }
}

/** What a command that failed prints. */
function describeFailure(error: unknown): [text: string, event: Record<string, unknown>] {
  const text = error instanceof NetlabError ? error.withHint : `fault of netlab: ${error}`;
  return [text, { event: "error", text }];
}
