// Mistakes that a peer can make.

import type { Channel } from "../../net/channel.ts";
import { type Bug, diesOfBadText, endsWithAClient, rehear, spoil } from "../bug.ts";
import { errorReply } from "../text.ts";
import { CAUSE } from "./checks.ts";
import { BUSY } from "./protocol.ts";

/** More than a check ever makes. */
const MANY = 1000;

export const bugs: readonly Bug[] = [
  {
    name: "takes-everybody",
    summary: "takes a second caller as well",
    cause: CAUSE.takesSecond,
    spoil: (options) => ({ ...options, limits: { ...options.limits, maxClients: MANY } }),
  },
  {
    name: "says-nothing",
    summary: "sends a second caller away and does not say why",
    cause: CAUSE.takesSecond,
    spoil: spoil<string, string>((options) => ({
      ...options,
      farewells: { ...options.farewells, refuse: () => "" },
    })),
  },
  {
    name: "drops-the-first",
    summary: "tells a second caller that it is busy, and talks to nobody from then on",
    cause: CAUSE.firstLost,
    spoil: spoil<string, string>((options) => {
      let first: Channel<string> | null = null;
      return {
        ...options,
        limits: { ...options.limits, maxClients: MANY },
        session(channel) {
          if (first === null || first.ending) first = channel;
          else {
            channel.send(errorReply(BUSY));
            void channel.because(BUSY).close();
            first.abort("overwritten");
          }
          return options.session(channel);
        },
      };
    }),
  },
  {
    name: "stays-busy",
    summary: "is busy for ever when somebody has been there",
    cause: CAUSE.staysBusy,
    spoil: spoil<string, string>((options) => {
      let taken = false;
      return rehear(options, (_, channel) => {
        if (taken) {
          channel.send(errorReply(BUSY));
          void channel.because(BUSY).close();
        }
        taken = true;
        return {};
      });
    }),
  },
  diesOfBadText(CAUSE.badText),
  endsWithAClient(CAUSE.ends),
];
