// Mistakes that the operator's server can make.

import type { Channel } from "../../net/channel.ts";
import {
  asciiOnly,
  type Bug,
  diesOfBadText,
  endsWithAClient,
  firstOnly,
  oneAtATime,
  oneRecv,
  rehear,
  resay,
  spoil,
  tellsEverybody,
} from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { CAUSE } from "./checks.ts";

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  asciiOnly,
  diesOfBadText(CAUSES.badText),
  endsWithAClient(CAUSES.cut),
  {
    name: "lockstep",
    summary: "waits for the answer to a message before it reads that client's next",
    cause: CAUSE.lockstep,
    spoil: spoil<string, string>((options) => {
      const waiting = new Map<Channel<string, string>, () => void>();
      const answering = resay(options, (text, channel) => {
        waiting.get(channel)?.();
        return text;
      });
      return rehear(answering, (session, channel) => {
        const abort = channel.abort.bind(channel);
        // The end of the server is the end of the waiting, too.
        channel.abort = (reason) => {
          abort(reason);
          waiting.get(channel)?.();
        };
        return {
          async onMessage(text) {
            await session.onMessage(text);
            if (!channel.ending) await new Promise<void>((resolve) => waiting.set(channel, resolve));
          },
        };
      });
    }),
  },
  {
    name: "last-caller-only",
    summary: "sends what the operator says to who has called last, if to anybody",
    cause: CAUSE.everybody,
    spoil: spoil<string, string>((options) => {
      let last: Channel<string, string> | null = null;
      return resay({
        ...options,
        session(channel) {
          last = channel;
          return options.session(channel);
        },
      }, (text, channel) => channel === last ? text : null);
    }),
  },
  tellsEverybody("sends what is for one client to all of them", CAUSE.one),
];
