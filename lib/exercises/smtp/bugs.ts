// Mistakes that the mail server can make.

import type { Channel } from "../../net/channel.ts";
import { decodeAscii, encodeText } from "../../protocol/text.ts";
import type { ByteQueue } from "../../protocol/byte_queue.ts";
import { type Bug, isText, oneAtATime, rehear, resay, spoil } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { CAUSE } from "./checks.ts";
import { type Reply, reply } from "./protocol.ts";
import type { Mode, SmtpMessage } from "./server_messages.ts";
import type { SessionFramer } from "./session_framer.ts";

/** What is taken out of the queue: a message, or nothing yet. */
type Reading = SmtpMessage | null;

/** A server that reads otherwise: `read` gets what waits, where `when` says, in place of the framer. */
const reads = (when: (mode: Mode) => boolean, read: (queue: ByteQueue, usual: () => Reading) => Reading) =>
  spoil<SmtpMessage, SmtpMessage>((options) => ({
    ...options,
    makeFramer(onDecided) {
      const framer = options.makeFramer(onDecided) as SessionFramer;
      const cut = framer.cut.bind(framer);
      const decode = framer.decode.bind(framer);
      let message: Reading = null;
      framer.cut = (queue) => {
        message = null;
        if (!when(framer.mode)) return cut(queue);
        message = read(queue, () => cut(queue) === null ? null : decode());
        return message === null ? null : NO_BYTES;
      };
      framer.decode = () => message ?? decode();
      return framer;
    },
  }));

const NO_BYTES = new Uint8Array(0);
const isContent = ({ type }: Mode) => type === "data";
const isCommand = ({ type }: Mode) => type === "command";

/** A server for which content ends where `end` matches. */
const contentEnds = (end: RegExp) =>
  reads(isContent, (queue) => {
    const found = end.exec(decodeAscii(queue.peek(queue.length)));
    if (found === null) return null;
    const pieces = [queue.take(found.index + found[0].length).slice(0, found.index)];
    return { type: "content", pieces, last: true };
  });

/** A server that hears other commands than were said. */
const hears = (change: () => (line: string) => string) =>
  spoil<SmtpMessage, SmtpMessage>((options) =>
    rehear(options, (session) => {
      const changed = change();
      return {
        onMessage: (message) =>
          session.onMessage(
            message.type === "line"
              ? { ...message, bytes: encodeText(changed(new TextDecoder().decode(message.bytes))) }
              : message,
          ),
      };
    })
  );

/** A server that answers otherwise; null is no answer. */
const answers = (change: (reply: Reply) => Reply | null) =>
  spoil<SmtpMessage, SmtpMessage>((options) =>
    resay(options, (message) => {
      const changed = message.type === "reply" ? change(message.reply) : null;
      return changed && { type: "reply", reply: changed };
    })
  );

/** What is said in place of a refusal. */
const YES = reply(250, null, "OK");
const NONSENSE = "FROBNICATE";

export const bugs: readonly Bug[] = [
  {
    name: "one-recv",
    summary: "takes what one read brings for one command: pieces are commands, and what is behind the first is lost",
    cause: CAUSES.oneRecv,
    spoil: reads(isCommand, (queue) => {
      if (queue.length === 0) return null;
      const [line] = decodeAscii(queue.take(queue.length)).split("\r\n");
      return { type: "line", bytes: encodeText(line), bareLf: false };
    }),
  },
  {
    name: "first-only",
    summary: "loses what one read brings behind the first command",
    cause: CAUSES.joined,
    spoil: reads(isCommand, (queue, usual) => {
      const first = usual();
      if (first !== null) queue.skip(queue.length);
      return first;
    }),
  },
  {
    name: "one-recv-mail",
    summary: "takes what one read brings behind DATA for the whole mail",
    cause: CAUSE.content,
    spoil: contentEnds(/[^](?![^])/),
  },
  {
    name: "lf-dot-lf",
    summary: "splits a mail at LF, so that LF . LF ends it",
    cause: CAUSE.falseEnd,
    spoil: contentEnds(/(?<![^\n])\.\r?\n/),
  },
  {
    name: "any-last-dot",
    summary: "ends a mail where a line ends with a dot",
    cause: CAUSE.endsWithDot,
    spoil: contentEnds(/\.\r\n/),
  },
  {
    name: "any-first-dot",
    summary: "ends a mail where a line begins with a dot",
    cause: CAUSE.beginsWithDot,
    spoil: contentEnds(/(?<![^\n])\.[^\n]*\n/),
  },
  {
    name: "no-empty-mail",
    summary: "waits for CR LF . CR LF behind DATA, so that an empty mail has no end",
    cause: CAUSE.emptyMail,
    spoil: contentEnds(/\r\n\.\r\n/),
  },
  oneAtATime,
  {
    name: "dies-of-half-a-mail",
    summary: "ends, for everybody, when a client goes in the middle of its mail",
    cause: CAUSES.cut,
    spoil: spoil<SmtpMessage, SmtpMessage>((options, end) => {
      const mailing = new WeakSet<Channel<SmtpMessage>>();
      const watched = resay(options, (message, channel) => {
        if (message.type === "reply" && message.reply.code === 354) mailing.add(channel);
        else mailing.delete(channel);
        return message;
      });
      return rehear(watched, (session, channel) => ({
        onEnd() {
          session.onEnd();
          if (mailing.has(channel)) end();
        },
      }));
    }),
  },
  {
    name: "dies-of-bad-text",
    summary: "ends, for everybody, when somebody sends bytes that are not UTF-8",
    cause: CAUSE.badText,
    spoil: spoil<SmtpMessage, SmtpMessage>((options, end) =>
      rehear(options, (session) => ({
        onMessage(message) {
          const bytes = message.type === "line" ? [message.bytes] : message.type === "content" ? message.pieces : [];
          if (!bytes.every(isText)) end();
          return session.onMessage(message);
        },
      }))
    ),
  },
  {
    name: "any-order",
    summary: "says 250 to a command whose time has not come",
    cause: CAUSE.order,
    spoil: answers((reply) => reply.code === 503 ? YES : reply),
  },
  {
    name: "any-path",
    summary: "takes anything for an address",
    cause: CAUSE.anyPath,
    spoil: answers((reply) => reply.code === 501 ? YES : reply),
  },
  {
    name: "silent-unknown-command",
    summary: "says nothing when it does not know a command",
    cause: CAUSE.unknown,
    spoil: answers((reply) => reply.lines[0] === "unknown command" ? null : reply),
  },
  {
    name: "forgets-nothing",
    summary: "answers RSET, and keeps sender and recipients",
    cause: CAUSE.forgets,
    spoil: hears(() => (line) => line.toUpperCase() === "RSET" ? "NOOP" : line),
  },
  {
    name: "capitals-only",
    summary: "knows commands in capital letters only",
    cause: CAUSE.anyCase,
    spoil: hears(() => (line) => /^[A-Z]+\b/.test(line) ? line : NONSENSE),
  },
  {
    name: "one-recipient",
    summary: "takes one recipient, and then knows RCPT no more",
    cause: CAUSE.oneRecipient,
    spoil: hears(() => {
      let recipients = 0;
      return (line) => {
        if (/^MAIL/i.test(line)) recipients = 0;
        return /^RCPT/i.test(line) && ++recipients > 1 ? NONSENSE : line;
      };
    }),
  },
  {
    name: "one-mail",
    summary: "hangs up behind the first mail",
    cause: CAUSE.again,
    spoil: spoil<SmtpMessage, SmtpMessage>((options) =>
      resay(options, (message, channel) => {
        const taken = message.type === "reply" && message.reply.lines[0].startsWith("taken as");
        if (taken) void Promise.resolve().then(() => channel.because("done").close());
        return message;
      })
    ),
  },
  {
    name: "lf-replies",
    summary: "ends its replies with LF alone",
    cause: CAUSE.lfReplies,
    spoil: spoil<SmtpMessage, SmtpMessage>((options) => ({
      ...options,
      makeFramer(onDecided) {
        const framer = options.makeFramer(onDecided) as SessionFramer;
        const encode = framer.encode.bind(framer);
        framer.encode = (message) => encode(message).replaceAll("\r", "");
        return framer;
      },
    })),
  },
];
