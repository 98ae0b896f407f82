// `netlab explain EXERCISE`: its wire format and a sample dialogue, from the tables and functions that the code itself uses.

import { bold, cyan, dim, green } from "@std/fmt/colors";
import stringWidth from "fast-string-width";
import { formRows } from "../exercises/commands.ts";
import type { DialogueLine, Exercise } from "../exercises/exercise.ts";
import { spellingOf } from "../exercises/notation.ts";
import { exercises } from "../exercises/registry.ts";
import { makeFramer, wrap } from "../protocol/framing.ts";
import { encodeText, escapeBytes } from "../protocol/text.ts";
import type { Command } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";
import { ownUsage } from "./own.ts";
import { requireExercise } from "./serve.ts";
import { wrapParagraphs, wrapTable, wrapText } from "./wrap.ts";

export const explain: Command = {
  name: "explain",
  summary: "show an exercise's wire format and a sample dialogue",
  usage: "EXERCISE",
  maxWords: 1,
  options: () => [COLOR_OPTION, HELP_OPTION],
  examples: () => [],
  nextWords: (words) => words.length === 0 ? exercises.map((exercise) => exercise.name) : [],
  run({ output, words }) {
    for (const line of explainLines(requireExercise(words), output.width)) output.out.line(line);
  },
};

/** The page, a line each. */
export function explainLines(exercise: Exercise, columns: number): string[] {
  const { name, summary, transports, port, commands = [], explain: { wire, messages, typed, dialogue } } = exercise;
  return [
    ...wrapText(`${name}: ${summary}`, columns).map((line) => bold(line)),
    `${transports.map((transport) => transport.toUpperCase()).join(" and ")} port ${port}`,
    "",
    ...wrapParagraphs(wire, columns),
    "",
    bold("Messages"),
    ...wrapTable(messages.map(({ form, meaning }) => [form, meaning]), columns),
    "",
    ...(typed ? [bold("What is typed"), ...wrapTable(formRows(typed), columns), ""] : []),
    ...commands.flatMap((
      own,
    ) => [...wrapText(`${bold(`netlab ${name} ${ownUsage(own)}`)} ${own.summary}`, columns), ""]),
    ...wrapText(`${bold("A dialogue")} (C is the client, S the server; a second letter tells clients apart)`, columns),
    ...dialogue.flatMap((line) => dialogueLines(line, columns)),
    "",
    bold(exercise.notation ? "The first message in bytes" : "The same first message in each framing"),
    ...framings(exercise, dialogue[0].text, columns),
  ];
}

function dialogueLines({ who, text, typed }: DialogueLine, columns: number): string[] {
  const by = (who.startsWith("S") ? green : cyan)(who);
  const note = typed === undefined || typed === text ? "" : `   ${dim(`(typed at the server: ${typed})`)}`;
  const indent = who.length + 4;
  const [first, ...rest] = stringWidth(text + note) + indent <= columns
    ? [text + note]
    : wrapText(text + note, columns - indent);
  return [`  ${by}: ${first}`, ...rest.map((line) => " ".repeat(indent) + line)];
}

function framings(exercise: Exercise, text: string, columns: number): string[] {
  if (exercise.notation) {
    const { makeFramer, codec } = spellingOf(exercise, "tcp", exercise.clientWire);
    const body = codec.encode(text);
    if (typeof body === "string") return [`  ${escapeBytes(wrap(makeFramer(), encodeText(body)))}`];
    const bytes = wrap(makeFramer(), body);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return wrapText(hex, Math.min(columns, 74) - 2).map((row) => `  ${row}`);
  }
  return exercise.wires.flatMap((wire) => {
    if (wire === "auto") return [];
    const framer = makeFramer(wire === "lenN" ? "len4" : wire, Infinity)!;
    return [`  ${framer.name.padEnd(5)}  ${escapeBytes(wrap(framer, encodeText(text)))}`];
  });
}
