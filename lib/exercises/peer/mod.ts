// The second assignment, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { FREE_TEXT_WIRES } from "../text.ts";

export const peer: Exercise = {
  name: "peer",
  summary: "two peers, both client and server, one connection",
  transports: ["tcp"],
  port: 10_001,
  ...FREE_TEXT_WIRES,
  symmetric: true,
  limits: { maxClients: 1, firstByteMs: 3_600_000 },
  unusedOptions: ["max-clients"],
  serveOptions: [],
  connectOptions: [],
  serveExamples: [],
  connectExamples: [],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).servePeer(context),
  connect: async (context) => (await import("./server.ts")).connectPeer(context),
};
