// Mistakes that the file server can make.

import { type Bug, diesOfBadText, firstOnly, oneAtATime, oneRecv, rehear, resay, slowReader, spoil } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { CAUSE } from "./checks.ts";
import { reply } from "./protocol.ts";
import type { Channel } from "../../net/channel.ts";

/** A server whose channels do something else: `change` gets each before its session does. */
const channels = (change: (channel: Channel<string>) => void) =>
  spoil<string, string>((options) => ({
    ...options,
    session(channel) {
      change(channel);
      return options.session(channel);
    },
  }));

/** What somebody would find in a file of the system: invented, so that the mistake endangers nobody. */
const ELSEWHERE = "root:x:0:0:root:/root:/bin/sh\n";

/** The most that one read brings, to who reads once. */
const ONE_READ = 1024;

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  slowReader(CAUSE.slow),
  diesOfBadText(CAUSES.badText),
  {
    name: "leads-out",
    summary: "gives away files outside of its folder (an invented one)",
    cause: CAUSE.outside,
    spoil: spoil<string, string>((options) =>
      resay(
        options,
        (line) =>
          line.startsWith(reply.error(403, ""))
            ? `${reply.file(ELSEWHERE.length, "0".repeat(64))}\n${ELSEWHERE}`
            : line,
      )
    ),
  },
  {
    name: "dies-of-a-missing-file",
    summary: "ends, for everybody, when somebody asks for a file that is not there",
    cause: CAUSE.missing,
    spoil: spoil<string, string>((options, end) =>
      resay(options, (line) => {
        if (!line.startsWith(reply.error(404, "")) && line !== reply.bareError(404, "")) return line;
        end();
        return null;
      })
    ),
  },
  {
    name: "reads-once",
    summary: `sends the first ${ONE_READ} bytes of a file, and takes them for all`,
    cause: CAUSE.partial,
    spoil: channels((channel) => {
      const pour = channel.pour.bind(channel);
      channel.pour = async (read, bytes, blockBytes) => {
        await pour(read, Math.min(bytes, ONE_READ), blockBytes);
        return bytes;
      };
    }),
  },
  {
    name: "newline-behind",
    summary: "puts a newline behind the content, which its size does not count",
    cause: CAUSE.size,
    spoil: channels((channel) => {
      const pour = channel.pour.bind(channel);
      channel.pour = async (read, bytes, blockBytes) => {
        const written = await pour(read, bytes, blockBytes);
        channel.sendStart("\n");
        return written;
      };
    }),
  },
  {
    name: "never-closes",
    summary: "leaves the connection open behind the content for a bare name",
    cause: CAUSE.end,
    spoil: channels((channel) => {
      const close = channel.close.bind(channel);
      channel.close = (...given) => channel.reason === "sent" ? Promise.resolve() : close(...given);
    }),
  },
  {
    name: "one-request",
    summary: "hangs up behind its first answer",
    cause: CAUSE.again,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session, channel) => ({
        async onMessage(line) {
          await session.onMessage(line);
          await channel.because("answered").close();
        },
      }))
    ),
  },
  {
    name: "no-offset",
    summary: "sends the whole file whatever offset is asked for",
    cause: CAUSE.offset,
    spoil: spoil<string, string>((options) =>
      rehear(options, (session) => ({
        onMessage: (line) => session.onMessage(line.replace(/^(GET \S+) \d+$/, "$1")),
      }))
    ),
  },
];
