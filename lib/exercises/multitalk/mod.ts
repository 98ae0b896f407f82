// Problem 6, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { FREE_TEXT_WIRES } from "../text.ts";

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
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveMultitalk(context),
  connect: async (context) => (await import("./client.ts")).connectMultitalk(context),
};
