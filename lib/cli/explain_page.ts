// The page of `netlab explain`: an exercise's wire format and a sample dialogue, in lines.

import { bold, cyan, dim, green } from "@std/fmt/colors";
import stringWidth from "fast-string-width";
import { formRows } from "../exercises/commands.ts";
import type { DialogueLine, Exercise, Explanation } from "../exercises/exercise.ts";
import { makeFramer, wrap } from "../protocol/framing.ts";
import { encodeText, escapeBytes } from "../protocol/text.ts";
import { ownUsage } from "./own.ts";
import { wrapParagraphs, wrapTable, wrapText } from "./wrap.ts";

/** The page, a line each. */
export async function explainLines(exercise: Exercise, columns: number): Promise<string[]> {
  const { name, summary, transports, port, commands = [] } = exercise;
  const explanation = await exercise.explanation();
  const { wire, messages, typed, dialogue } = explanation;
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
    bold(explanation.makeNotation ? "The first message in bytes" : "The same first message in each framing"),
    ...framings(exercise, explanation, columns),
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

function framings({ wires }: Exercise, { makeNotation, dialogue: [{ text }] }: Explanation, columns: number): string[] {
  if (makeNotation) {
    const { makeFramer, codec } = makeNotation();
    const body = codec.encode(text);
    if (typeof body === "string") return [`  ${escapeBytes(wrap(makeFramer("tcp"), encodeText(body)))}`];
    const bytes = wrap(makeFramer("tcp"), body);
    const hex = bytes.toHex().replace(/..\B/g, "$& ");
    return wrapText(hex, Math.min(columns, 74) - 2).map((row) => `  ${row}`);
  }
  return wires.flatMap((wire) => {
    if (wire === "auto") return [];
    const framer = makeFramer(wire, Infinity)!;
    return [`  ${framer.name.padEnd(5)}  ${escapeBytes(wrap(framer, encodeText(text)))}`];
  });
}
