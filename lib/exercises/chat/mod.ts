// The chat exercise, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { errorReply } from "../text.ts";
import { refusal, reply } from "./protocol.ts";

export const chat: Exercise = {
  name: "chat",
  summary: "named users send each other messages through a server",
  transports: ["tcp"],
  port: 7777,
  wires: ["auto", "line", "lenN", "be8", "raw"],
  detects: ["line", "lenN", "be8", "raw"],
  clientWire: "len4",
  serveOptions: [],
  connectOptions: [
    { name: "name", type: "string", value: "NAME", summary: "take this name first (sends NAME)" },
  ],
  serveExamples: [],
  connectExamples: [
    {
      command: "netlab connect chat --name alice",
      input: ["GET_NAMES", "MSG bob hi", "EXIT"],
      output: [reply.hello("alice"), reply.names(["alice"]), errorReply(refusal.noSuchUser("bob")), reply.exit()],
    },
  ],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveChat(context),
  connect: async (context) => (await import("./client.ts")).connectChat(context),
};
