// The chat exercise: named users who send each other messages through a server.
//
//     NAME alice            → HELLO alice           GET_NAMES              → alice bob
//     MSG bob hi there      → (bob gets) alice sent hi there
//     MSG BROADCAST hi      → every other user gets it
//     BLOCK bob, UNBLOCK bob                        EXIT                   → EXIT, and the end
//
// One command or reply is one frame; see lib/protocol/framing.ts for how it is delimited. Text is UTF-8.

import type { Codec } from "../../protocol/codec.ts";
import { decodeText, escapeText, trimEndOf, truncateText } from "../../protocol/text.ts";

/** The longest command, in bytes. */
export const MAX_MESSAGE = 1024;
/** The name that stands for everybody. */
export const BROADCAST = "BROADCAST";
/** What is no name: among the answers to GET_NAMES these words would make a message of them, or an error. */
export const RESERVED = [BROADCAST, "ERROR", "FROM", "SENT", "SEND", "SAYS"];

/** What a client asks. */
export type Command =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "getNames" }
  | { readonly type: "message"; readonly to: string; readonly text: string }
  | { readonly type: "block" | "unblock"; readonly name: string }
  | { readonly type: "exit" }
  | { readonly type: "unknown"; readonly word: string };

/** The commands: how they are written and what they do, for parsing, help and completion alike. */
export const COMMANDS = [
  { word: "NAME", form: "NAME <name>", meaning: "take a name, or a new one; the answer is HELLO <name>" },
  { word: "GET_NAMES", form: "GET_NAMES", meaning: "the names, joined by a space, in the order they came" },
  { word: "MSG", form: "MSG <name> <message>", meaning: "that user gets: <your name> sent <message>" },
  { word: "BLOCK", form: "BLOCK <name>", meaning: "that user's messages no longer reach you, under any name" },
  { word: "UNBLOCK", form: "UNBLOCK <name>", meaning: "they do again" },
  { word: "EXIT", form: "EXIT", meaning: "the answer is EXIT, then the connection ends" },
] as const;

const WORDS = COMMANDS.map((command) => command.word);

/** Reads a command. Words may be in any case; what follows the name in MSG is the message, to the last space. */
export function parseCommand(text: string): Command {
  // Some clients count the end of the typed line as part of the message.
  text = trimEndOf(text, "\r\n");
  // The common case first, and without making strings of it.
  if (text.startsWith("MSG ")) return parseMessage(text, 4);
  text = text.trimStart();
  const space = text.indexOf(" ");
  const word = space < 0 ? text : text.slice(0, space);
  const rest = space < 0 ? "" : text.slice(space + 1);
  switch (word.trim().toUpperCase()) {
    case "MSG":
      return parseMessage(rest, 0);
    case "NAME":
      return { type: "name", name: rest.trim() };
    case "GET_NAMES":
      return { type: "getNames" };
    case "BLOCK":
      return { type: "block", name: rest.trim() };
    case "UNBLOCK":
      return { type: "unblock", name: rest.trim() };
    case "EXIT":
      return { type: "exit" };
    default:
      return { type: "unknown", word };
  }
}

/** Reads what stands behind MSG. */
function parseMessage(text: string, from: number): Command {
  const code = text.charCodeAt(from);
  const start = code > 0x20 && code < 0x7f ? from : text.length - text.slice(from).trimStart().length;
  const end = text.indexOf(" ", start);
  if (end < 0) return { type: "message", to: text.slice(start), text: "" };
  return { type: "message", to: text.slice(start, end), text: text.slice(end + 1) };
}

/** Whether `text` lacks nothing: so that, without LF and followed by silence, it may be taken for a command. */
export function isComplete(text: string): boolean {
  const command = parseCommand(text);
  if (command.type === "message") return command.to !== "" && command.text !== "";
  if ("name" in command) return command.name !== "";
  // An unknown word is complete unless it may still become a known one.
  return command.type !== "unknown" || !WORDS.some((word) => word.startsWith(command.word.toUpperCase()));
}

/** What the server answers. */
export const reply = {
  hello: (name: string) => `HELLO ${name}`,
  names: (names: Iterable<string>) => [...names].join(" "),
  /** What the receiver gets. Controls are written out, since its terminal may show them as they come. */
  delivery: (from: string, text: string) => `${from} sent ${escapeText(text)}`,
  exit: () => "EXIT",
};

/** What goes wrong, in the words of the exercise. */
export const refusal = {
  taken: (name: string) => `name taken: ${name}`,
  invalidName: (why: string) => `invalid name: ${why}`,
  noSuchUser: (name: string) => `no such user: ${truncateText(name, 128)}`,
  chooseName: () => "choose a name first: NAME <name>",
  emptyMessage: () => "empty message",
  unknown: (word: string) =>
    `${word === "" ? "no command" : `unknown command: ${truncateText(word, 32)}`} (${WORDS.join(", ")})`,
  notDelivered: (name: string, why: string) => `not delivered to ${name}: ${why}`,
};

/** The server's codec: commands in, replies out. */
export const serverCodec: Codec<Command, string> = {
  decode: (frame) => parseCommand(decodeText(frame)),
  encode: (text) => text,
};

/** What a reply is, as far as it can be told from its text; servers of the courses word them in many ways. */
export type Reply =
  | { readonly type: "delivery"; readonly from: string; readonly text: string }
  | { readonly type: "error" }
  | { readonly type: "other" };

/** Reads a reply of any course's server: `alice sent hi`, `alice send hi`, `FROM alice hi`, `ERROR …`. */
export function parseReply(text: string): Reply {
  const delivery = /^(?:FROM\s+)(\S+)\s(.*)$/is.exec(text) ?? /^(\S+) (?:sent|send|says) ?(.*)$/is.exec(text);
  if (delivery) return { type: "delivery", from: delivery[1], text: delivery[2] };
  return { type: /^error\b/i.test(text) ? "error" : "other" };
}
