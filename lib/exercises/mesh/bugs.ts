// Mistakes that a node of a mesh can make.

import type { Channel } from "../../net/channel.ts";
import type { ServerOptions } from "../../net/server.ts";
import { type Bug, diesOfBadText, endsWithAClient, rehear, spoil } from "../bug.ts";
import { CAUSE } from "./checks.ts";

/** A node that keeps its channels, and does something besides when one comes, says something, or ends. */
function withChannels(
  options: ServerOptions<string, string>,
  change: {
    onBegin?(channel: Channel<string>, others: readonly Channel<string>[]): void;
    onMessage?(text: string, others: readonly Channel<string>[]): void;
    onEnd?(others: readonly Channel<string>[]): void;
  },
): ServerOptions<string, string> {
  const channels = new Set<Channel<string>>();
  return rehear(options, (session, channel) => {
    change.onBegin?.(channel, [...channels]);
    channels.add(channel);
    const others = () => [...channels].filter((one) => one !== channel);
    return {
      onMessage(text) {
        change.onMessage?.(text, others());
        return session.onMessage(text);
      },
      onEnd() {
        channels.delete(channel);
        session.onEnd();
        change.onEnd?.(others());
      },
    };
  });
}

const hostOf = ({ remote }: Channel<string>) => remote.slice(0, remote.lastIndexOf(":"));

export const bugs: readonly Bug[] = [
  {
    name: "only-one",
    summary: "has one connection at a time, as a peer, and sends others away",
    cause: CAUSE.onlyOne,
    spoil: (options) => ({ ...options, limits: { ...options.limits, maxClients: 1 } }),
  },
  {
    name: "by-address",
    summary: "keeps connections by IP address: who calls from the same one takes the other's place",
    cause: CAUSE.byAddress,
    spoil: spoil<string, string>((options) =>
      withChannels(options, {
        onBegin: (channel, others) =>
          others.filter((one) => hostOf(one) === hostOf(channel)).forEach((one) => one.abort("overwritten")),
      })
    ),
  },
  {
    name: "passes-on",
    summary: "sends what comes from one to all others",
    cause: CAUSE.passesOn,
    spoil: spoil<string, string>((options) =>
      withChannels(options, { onMessage: (text, others) => others.forEach((one) => void one.send(text)) })
    ),
  },
  {
    name: "never-closes",
    summary: "does not close a connection on which the other side has hung up",
    cause: CAUSE.neverCloses,
    spoil: spoil<string, string>((options) =>
      rehear(options, (_, channel) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const abort = channel.abort.bind(channel);
        channel.close = () => promise;
        channel.abort = (reason) => {
          abort(reason);
          resolve();
        };
        return {};
      })
    ),
  },
  {
    name: "one-ends-all",
    summary: "hangs up on everybody when one of them is gone",
    cause: CAUSE.endsAll,
    spoil: spoil<string, string>((options) =>
      withChannels(options, { onEnd: (others) => others.forEach((one) => one.abort("closed with another")) })
    ),
  },
  diesOfBadText(CAUSE.badText),
  endsWithAClient(CAUSE.ends),
];
