// One peer: listens and calls, and has one connection at a time.

import { takeAddress } from "../../net/address.ts";
import { outlasts } from "../../net/clock.ts";
import { formatAddress } from "../../net/conn.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext, RunningServer, ServeContext } from "../exercise.ts";
import { clientContext, type Link, Node, type NodeCommands } from "../node.ts";
import { BUSY, FORMS } from "./protocol.ts";

/** Starts a peer that can be called. */
export function servePeer(context: ServeContext): RunningServer {
  const node = new Node({ ...context, listen: context, limits: { ...context.limits, maxClients: 1 }, full: BUSY });
  void node.operate(commandsOf(node)).finally(() => context.stop());
  return node;
}

/** Starts a peer that calls another one, and cannot be called itself; ends when the input does. */
export async function connectPeer(context: ConnectContext): Promise<void> {
  const node = new Node(clientContext(context));
  try {
    await node.call(context.host, context.port);
    await node.operate(commandsOf(node));
  } finally {
    await node.shutdown(GRACE_MS);
  }
  node.judge();
}

/** How long what has been sent may take to leave, in ms. */
const GRACE_MS = 5000;

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
  const { address, rest } = takeAddress(where.split(/\s+/).filter((word) => word !== ""));
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

/**
 * Two that have called each other at the same moment have two connections, and each would end its own. Whose address as a
 * caller is the smaller waits for so long, in ms, whether the other does.
 */
const YIELD_MS = 1000;
