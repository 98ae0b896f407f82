// The first assignment, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { formatSize } from "../options.ts";
import { FREE_TEXT_WIRES } from "../text.ts";
import { MAX_KEPT } from "./protocol.ts";

export const messages: Exercise = {
  name: "messages",
  summary: "one way: messages, and the log of them at quit",
  transports: ["tcp"],
  port: 10_000,
  ...FREE_TEXT_WIRES,
  serveOptions: [
    {
      name: "max-log",
      type: "size",
      value: "SIZE",
      min: 1,
      max: 64 * 1_048_576,
      default: 1_048_576,
      summary: `what is kept of a session, ${formatSize(MAX_KEPT)} of all together; a message beyond is refused`,
    },
  ],
  connectOptions: [],
  serveExamples: [],
  connectExamples: [
    { command: "netlab connect messages", input: ["hello", "how are you", "quit"], output: ["hello", "how are you"] },
  ],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveMessages(context),
  connect: async (context) => (await import("./client.ts")).connectMessages(context),
};
