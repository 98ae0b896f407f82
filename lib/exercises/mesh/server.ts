// One node of a mesh: listens and calls, and has any number of connections, which its person may name.

import { takeAddress } from "../../net/address.ts";
import { type Conn, formatAddress } from "../../net/conn.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { Trace } from "../../protocol/trace.ts";
import { column } from "../../trace/format.ts";
import { splitWord, splitWords } from "../commands.ts";
import type { ConnectContext, Console, RunningServer, ServeContext } from "../exercise.ts";
import { invalidName } from "../names.ts";
import { connectNode, type Link, Node, type NodeCommands } from "../node.ts";
import { FORMS, isAddress, type Known, labelOf, resolve } from "./protocol.ts";

/** Starts a node that can be called. */
export function serveMesh(context: ServeContext): RunningServer {
  const node = new Node({ ...context, listen: context });
  void node.operate(new Mesh(node, context)).finally(() => context.stop());
  return node;
}

/** Starts a node that calls another one, and cannot be called itself; ends when the input does. */
export async function connectMesh(context: ConnectContext): Promise<void> {
  await connectNode(context, (node) => new Mesh(node, context));
}

/** A connection, and what it is called. */
interface Peer extends Known {
  readonly link: Link;
}

class Mesh implements NodeCommands {
  readonly forms = FORMS;
  readonly #node: Node;
  readonly #console: Console;
  readonly #trace: Trace;
  readonly #aliases = new WeakMap<Link, string>();

  constructor(node: Node, { console, trace }: { console: Console; trace: Trace }) {
    this.#node = node;
    this.#console = console;
    this.#trace = trace;
  }

  readonly label = (link: Link): string => labelOf(this.#peer(link));

  /** Behind a word that is about one connection, any of their names. */
  readonly names = ({ form }: { form: string }): string[] => form.includes("<who>") ? this.#peers().map(labelOf) : [];

  async run(word: string, rest: string): Promise<void> {
    switch (word) {
      case "connect":
        return await this.#connect(rest);
      case "send":
        return this.#send(rest);
      case "broadcast":
        return this.#broadcast(rest);
      case "alias":
        return this.#alias(rest);
      case "list":
        return this.#list();
      case "disconnect":
        return this.#node.hangUp(this.#find(rest.trim()).link);
    }
  }

  async #connect(where: string): Promise<void> {
    const { address, rest: [alias, ...extra] } = takeAddress(splitWords(where));
    if (address?.port === undefined || extra.length > 0) {
      throw new NetlabError("usage", "connect <host> <port> [alias]");
    }
    const { host, port } = address;
    if (alias !== undefined) this.#check(alias);
    // Under another name of its host it is the same, which only shows when it answers.
    const refuseSecond = (conn?: Conn) => {
      const isSame = ({ called, remote }: Peer) =>
        called && (called.host === host && called.port === port || conn && formatAddress(conn.remoteAddr) === remote);
      const same = this.#peers().find(isSame);
      if (same) {
        throw new NetlabError("usage", `already connected to ${labelOf(same)}`, { hint: "disconnect it first" });
      }
    };
    refuseSecond();
    const link = await this.#node.call(host, port, refuseSecond);
    if (alias !== undefined) this.#name(link, alias);
  }

  #send(rest: string): void {
    const [who, text] = splitWord(rest);
    if (text === "") throw new NetlabError("usage", "send <who> <message>");
    this.#node.send(this.#find(who).link, text);
  }

  #broadcast(text: string): void {
    if (text === "") throw new NetlabError("usage", "broadcast <message>");
    const { links } = this.#node;
    if (links.length === 0) throw new NetlabError("usage", "nobody is connected");
    const failures: string[] = [];
    for (const link of links) {
      try {
        this.#node.send(link, text);
      } catch (error) {
        failures.push(`${this.label(link)}: ${(error as Error).message}`);
      }
    }
    if (failures.length > 0) throw new NetlabError("transport", failures.join("; "));
  }

  #alias(rest: string): void {
    const [who, alias] = splitWord(rest.trim());
    if (alias === "") throw new NetlabError("usage", "alias <who> <alias>");
    const { link } = this.#find(who);
    this.#check(alias, link);
    this.#name(link, alias);
  }

  #list(): void {
    const peers = this.#peers();
    if (peers.length === 0) return this.#console.print("nobody is connected", { event: "connections", count: 0 });
    const aliases = column(peers.map(({ alias }) => alias ?? "-"));
    peers.forEach(({ alias, remote, called }, i) => {
      const text = `${aliases[i]}  ${remote}  ${called ? "we called" : "called us"}`;
      this.#console.print(text, { event: "connection", alias, remote, called: called !== null });
    });
  }

  /** @throws {NetlabError} when nobody else may be called that */
  #check(alias: string, mine?: Link): void {
    const wrong = invalidName(alias) ?? (isAddress(alias) ? "it is an address" : null);
    if (wrong !== null) throw new NetlabError("usage", `invalid alias: ${wrong}`);
    const owner = this.#peers().find((peer) => peer.alias === alias && peer.link !== mine);
    if (owner) throw new NetlabError("usage", `alias taken: ${alias} is ${owner.remote}`);
  }

  #name(link: Link, alias: string): void {
    this.#aliases.set(link, alias);
    if (this.#trace.wants.label) this.#trace.emit({ type: "label", id: link.channel.id, label: alias });
  }

  #find(who: string): Peer {
    if (who === "") throw new NetlabError("usage", "who? an alias, an address, or host:port");
    return resolve(who, this.#peers());
  }

  #peers(): Peer[] {
    return this.#node.links.map((link) => this.#peer(link));
  }

  #peer(link: Link): Peer {
    return { link, alias: this.#aliases.get(link) ?? null, remote: link.channel.remote, called: link.called };
  }
}
