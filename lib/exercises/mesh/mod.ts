// The third assignment, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { FREE_TEXT_WIRES } from "../text.ts";

export const mesh: Exercise = {
  name: "mesh",
  summary: "many peers, both client and server, with aliases",
  transports: ["tcp"],
  port: 10_002,
  ...FREE_TEXT_WIRES,
  symmetric: true,
  limits: { firstByteMs: 3_600_000 },
  serveOptions: [],
  connectOptions: [],
  serveExamples: [],
  connectExamples: [],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveMesh(context),
  connect: async (context) => (await import("./server.ts")).connectMesh(context),
};
