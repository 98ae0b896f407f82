// Problem 6, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { FREE_TEXT_FRAMING, FREE_TEXT_WIRES, MAX_TEXT } from "../text.ts";
import { ALL, FORMS, MESSAGE_FORMS } from "./protocol.ts";

export const multitalk: Exercise = {
  name: "multitalk",
  summary: "one operator at the server talks with many clients",
  transports: ["tcp"],
  port: 9006,
  ...FREE_TEXT_WIRES,
  limits: { firstByteMs: 3_600_000 },
  serveOptions: [
    {
      name: "relay",
      type: "string",
      bare: "labelled",
      choices: ["labelled", "bare"],
      value: "bare",
      summary: "pass each client's text to the others as well, under its label; --relay=bare without",
    },
  ],
  connectOptions: [],
  serveExamples: [],
  connectExamples: [],
  explain: {
    wire: [
      FREE_TEXT_FRAMING,
      ``,
      `Clients send whenever they like; the operator at the server sees each message under its client's label (c1, c2, … until`,
      `it is given another), and answers whom it likes. Nobody waits for anybody. Text is UTF-8, of at most ${MAX_TEXT} bytes a`,
      `message. With serve --relay, the other clients get it as well, as label: text.`,
    ].join("\n"),
    messages: [{ form: "<any text>", meaning: `is shown to the operator; or, from there, to a client or to @${ALL}` }],
    typed: [...MESSAGE_FORMS, ...FORMS],
    dialogue: [
      { who: "Ca", text: "hello" },
      { who: "Cb", text: "is anybody there?" },
      { who: "Sa", text: "hello, first one", typed: "@c1 hello, first one" },
      { who: "Sb", text: "hello, second one", typed: "@c2 hello, second one" },
      { who: "Sa", text: "we close soon", typed: `@${ALL} we close soon` },
      { who: "Sb", text: "we close soon" },
    ],
  },
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveMultitalk(context),
  connect: async (context) => (await import("./client.ts")).connectMultitalk(context),
};
