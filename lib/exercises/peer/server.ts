// One peer: listens and calls, and has one connection at a time.

import { takeAddress } from "../../net/address.ts";
import { outlasts, systemClock } from "../../net/clock.ts";
import { type Address, type Conn, formatAddress } from "../../net/conn.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { splitWords } from "../commands.ts";
import type { ConnectContext, RunningServer, ServeContext } from "../exercise.ts";
import { connectNode, type Link, Node, type NodeCommands } from "../node.ts";
import { BUSY, FORMS } from "./protocol.ts";

/** Starts a peer that can be called. */
export function servePeer(context: ServeContext): RunningServer {
  const limits = { ...context.limits, maxClients: 1 };
  const node: Node = new Node({
    ...{ ...context, listen: context, limits, full: BUSY },
    roomFor: (caller) => yieldTo(node, caller),
  });
  void node.operate(commandsOf(node)).finally(() => context.stop());
  return node;
}

/** Starts a peer that calls another one, and cannot be called itself; ends when the input does. */
export async function connectPeer(context: ConnectContext): Promise<void> {
  await connectNode(context, commandsOf);
}

function commandsOf(node: Node): NodeCommands {
  const current = (): Link => {
    const [link] = node.links;
    if (link) return link;
    throw new NetlabError("usage", "not connected", { hint: "connect <host> <port>, or wait to be called" });
  };
  return {
    forms: FORMS,
    label: ({ channel }) => channel.remote,
    async run(word, rest) {
      if (word === "send") {
        if (rest === "") throw new NetlabError("usage", "send what? send <message>");
        node.send(current(), rest);
      } else if (word === "disconnect") {
        node.hangUp(current());
      } else {
        await call(node, rest);
      }
    },
  };
}

async function call(node: Node, where: string): Promise<void> {
  const { address, rest } = takeAddress(splitWords(where));
  if (address?.port === undefined || rest.length > 0) throw new NetlabError("usage", "connect <host> <port>");
  const refuseSecond = () => {
    const [link] = node.links;
    if (!link) return;
    throw new NetlabError("usage", `already connected to ${link.channel.remote}`, { hint: "disconnect first" });
  };
  refuseSecond();
  await node.call(address.host, address.port, async (conn) => {
    if (node.isItself(conn)) throw new NetlabError("usage", `${where.trim()} is this peer itself`);
    const [link] = node.links;
    if (link?.called === null && formatAddress(conn.localAddr) < link.channel.remote) {
      await outlasts(link.ended, YIELD_MS);
    }
    refuseSecond();
  });
}

// Two that have called each other at the same moment have two connections, and each would end one: its own, or the other's.
// That of the caller with the smaller address stays. Whoever knows both waits until the other has ended its own.

/**
 * Where we have called somebody, and are called from there before anything came: until our call has ended, if it is not the
 * one that stays.
 */
function yieldTo(node: Node, caller: Conn): Promise<unknown> | null {
  const [link] = node.links;
  if (!link?.called || link.channel.reads > 0) return null;
  const { conn, at } = link.called;
  const stays = formatAddress(conn.localAddr) < formatAddress(caller.remoteAddr);
  if (stays || hostOf(conn) !== hostOf(caller)) return null;
  return outlasts(link.ended, at + YIELD_MS - systemClock.now());
}

const hostOf = ({ remoteAddr }: Conn) => formatAddress({ ...remoteAddr as Address, port: 0 });

/** How long one of two such callers waits for the other, in ms. */
const YIELD_MS = 1000;
