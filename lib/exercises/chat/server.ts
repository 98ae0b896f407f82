// The chat server: a room of named users. One user is one session; the room is what they share.

import type { Channel } from "../../net/channel.ts";
import { Server, type Session } from "../../net/server.ts";
import { makeServerFramer } from "../../protocol/auto_framing.ts";
import { NetlabError, ProtocolError } from "../../protocol/errors.ts";
import type { Trace } from "../../protocol/trace.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { invalidName } from "../names.ts";
import { Restraint } from "../pace.ts";
import { badReply, errorReply } from "../text.ts";
import { Blocks, MAX_BLOCKS } from "./blocks.ts";
import { BROADCAST, type Command, isComplete, MAX_MESSAGE, refusal, reply, RESERVED, serverCodec } from "./protocol.ts";

type ChatChannel = Channel<Command, string>;

/** Everybody who has a name, in the order they came. */
export class Room {
  readonly #users = new Map<string, User>();
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  enter(channel: ChatChannel): Session<Command> {
    return new User(this, channel);
  }

  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  get names(): Iterable<string> {
    return this.#users.keys();
  }

  /** Every user but `except`. */
  *others(except: User): Iterable<User> {
    for (const user of this.#users.values()) if (user !== except) yield user;
  }

  /** Gives `user` the name, if nobody has it. A new name keeps no place in the order: it is as if one had come anew. */
  rename(user: User, name: string): boolean {
    if (this.#users.has(name)) return this.#users.get(name) === user;
    if (user.name) this.#users.delete(user.name);
    this.#users.set(name, user);
    if (this.#trace.wants.label) this.#trace.emit({ type: "label", id: user.channelId, label: name });
    return true;
  }

  leave(user: User): void {
    if (user.name) this.#users.delete(user.name);
  }

  /** Tells everybody else that messages to these clients were lost. */
  reportUndelivered(stuck: readonly Channel<never, string>[]): void {
    const ids = new Set(stuck.map((channel) => channel.id));
    const lost = [...this.#users.values()].filter((user) => ids.has(user.channelId));
    for (const user of this.#users.values()) {
      if (ids.has(user.channelId)) continue;
      for (const { name } of lost) user.refuse(refusal.notDelivered(name!, "the last messages, it stopped reading"));
    }
  }
}

/** One client: nameless at first. */
class User implements Session<Command> {
  name: string | null = null;
  readonly #room: Room;
  readonly #channel: ChatChannel;
  readonly #blocks = new Blocks();
  readonly #restraint = new Restraint();

  constructor(room: Room, channel: ChatChannel) {
    this.#room = room;
    this.#channel = channel;
  }

  get channelId(): number {
    return this.#channel.id;
  }

  onMessage(command: Command): void | Promise<void> {
    switch (command.type) {
      case "message":
        return this.#message(command.to, command.text);
      case "name":
        return this.#takeName(command.name);
      case "getNames":
        return this.#answer(reply.names(this.#room.names));
      case "block":
      case "unblock":
        return this.#block(command.name, command.type === "block");
      case "exit":
        this.#answer(reply.exit());
        void this.#channel.because("EXIT").close();
        return;
      case "unknown":
        throw new ProtocolError(refusal.unknown(command.word));
    }
  }

  onEnd(): void {
    this.#room.leave(this);
  }

  refuse(why: string): void {
    this.#channel.sendStart(errorReply(why));
  }

  #takeName(name: string): void {
    const wrong = invalidName(name, ...RESERVED);
    if (wrong !== null) return this.refuse(refusal.invalidName(wrong));
    if (!this.#room.rename(this, name)) return this.refuse(refusal.taken(name));
    this.name = name;
    this.#answer(reply.hello(name));
  }

  #message(to: string, text: string): void | Promise<void> {
    if (this.name === null) return this.refuse(refusal.chooseName());
    if (to === "") return this.refuse("missing name: MSG <name> <message>");
    if (text.trim() === "") return this.refuse(refusal.emptyMessage());
    const everybody = to.length === BROADCAST.length && to.toUpperCase() === BROADCAST;
    const receiver = everybody ? undefined : this.#room.user(to);
    if (!everybody && receiver === undefined) return this.refuse(refusal.noSuchUser(to));
    const message = reply.delivery(this.name, text);
    if (receiver) return this.#deliver(receiver, message);
    let behind: Promise<void> | undefined = undefined;
    for (const other of this.#room.others(this)) behind = this.#deliver(other, message) ?? behind;
    return behind;
  }

  /**
   * Delivers the message whole, or tells the sender that it did not arrive.
   *
   * @returns what to wait for where the receiver is behind
   */
  #deliver(receiver: User, message: string): Promise<void> | undefined {
    if (receiver.#blocks.has(this.name!, this.channelId)) return;
    const channel = receiver.#channel;
    try {
      // One that is being sent away may still be written to, but it may be closed before that is out.
      if (!channel.ending && channel.send(message)) return this.#restraint.after(message.length, channel);
      this.refuse(refusal.notDelivered(receiver.name!, "it is gone"));
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.refuse(refusal.notDelivered(receiver.name!, error.message));
    }
  }

  #block(name: string, block: boolean): void {
    const wrong = invalidName(name, ...RESERVED);
    if (wrong !== null) return this.refuse(refusal.invalidName(wrong));
    // Nobody need have the name yet.
    const connection = this.#room.user(name)?.channelId ?? null;
    if (!block) this.#blocks.remove(name, connection);
    else if (!this.#blocks.add(name, connection)) this.refuse(`you have blocked ${MAX_BLOCKS} names already`);
  }

  /** Sends an answer, or, where the client's framing has no room for it, an error that says so. */
  #answer(text: string): void {
    try {
      this.#channel.send(text);
    } catch (error) {
      if (!(error instanceof NetlabError)) throw error;
      this.refuse(error.message);
    }
  }
}

/** Starts a chat server. */
export function serveChat(context: ServeContext): RunningServer {
  const room = new Room(context.trace);
  return new Server({
    listen: context,
    limits: context.limits,
    trace: context.trace,
    codec: serverCodec,
    makeFramer: (onDecided) =>
      makeServerFramer(context.wire, { maxBytes: MAX_MESSAGE, lengths: true, isComplete, onDecided }),
    farewells: {
      refuse: errorReply,
      bad: badReply,
      undelivered: (stuck) => room.reportUndelivered(stuck),
    },
    session: (channel) => room.enter(channel),
  });
}
