// Problem 5, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import type { OptionSpec } from "../options.ts";
import { FREE_TEXT_WIRES } from "../text.ts";
import { RESEND_MS } from "./protocol.ts";

const resendAfter = {
  name: "resend-after",
  type: "duration",
  value: "DURATION",
  min: 1,
  default: RESEND_MS,
  summary: "over UDP: silence after which a message may be sent again",
} as const satisfies OptionSpec;

export const talk: Exercise = {
  name: "talk",
  summary: "lockstep chat: each message must be answered",
  transports: ["tcp", "udp"],
  port: 9005,
  ...FREE_TEXT_WIRES,
  limits: { maxClients: 1, firstByteMs: 3_600_000 },
  unusedOptions: ["max-clients"],
  serveOptions: [resendAfter],
  connectOptions: [{
    ...resendAfter,
    summary: `${resendAfter.summary}; a script gives up after four times that, over TCP, too`,
  }],
  serveExamples: [],
  connectExamples: [],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveTalk(context),
  connect: async (context) => (await import("./client.ts")).connectTalk(context),
};
