// Mistakes that the server of messages can make.

import type { Session } from "../../net/server.ts";
import { asciiOnly, type Bug, diesOfBadText, firstOnly, oneAtATime, oneRecv, rehear, spoil } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { CAUSE } from "./checks.ts";
import { isQuit, QUIT } from "./protocol.ts";

/** A server that keeps something else than each message of each session: `hear` gets what comes, in place of the session. */
const keeps = (hear: (text: string, session: Session<string>) => void) =>
  spoil<string, string>((options) => rehear(options, (session) => ({ onMessage: (text) => hear(text, session) })));

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  asciiOnly,
  diesOfBadText(CAUSES.badText),
  {
    name: "ends-without-quit",
    summary: "ends, for everybody, when a client goes without quit",
    cause: CAUSES.cut,
    spoil: spoil<string, string>((options, end) =>
      rehear(options, (session) => {
        let quit = false;
        return {
          onMessage(text) {
            quit ||= isQuit(text);
            return session.onMessage(text);
          },
          onEnd() {
            session.onEnd();
            if (!quit) end();
          },
        };
      })
    ),
  },
  {
    name: "quits-at-any-quit",
    summary: "takes every message that has quit in it for the end of the session",
    cause: CAUSE.anyQuit,
    spoil: keeps((text, session) => session.onMessage(text.includes(QUIT) ? QUIT : text)),
  },
  {
    name: "keeps-the-last",
    summary: "keeps one message of each session, the last",
    cause: CAUSE.last,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session) => {
        let last: string | null = null;
        return {
          onMessage(text) {
            if (isQuit(text) && last !== null) session.onMessage(last);
            if (isQuit(text)) return session.onMessage(text);
            last = text;
          },
        };
      })
    ),
  },
  {
    name: "one-log",
    summary: "keeps the messages of all clients on one list",
    cause: CAUSE.oneLog,
    spoil: spoil<string, string>((options) => {
      const log: string[] = [];
      return rehear(options, (session) => ({
        onMessage(text) {
          if (!isQuit(text)) return void log.push(text);
          for (const one of log) session.onMessage(one);
          return session.onMessage(text);
        },
      }));
    }),
  },
  {
    name: "keeps-the-line-open",
    summary: "sends the log, and does not end the connection",
    cause: CAUSE.quits,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session, channel) => {
        const close = channel.close.bind(channel);
        channel.close = () => Promise.resolve();
        return {
          onEnd() {
            channel.close = close;
            session.onEnd();
          },
        };
      })
    ),
  },
];
