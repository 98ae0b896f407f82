// Problem 4, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { BUFFER_MS, IDLE_MS, isOneFile, MAX_CLIENTS, PLAYERS, SEED_ENDS } from "./defaults.ts";

export const stream: Exercise = {
  name: "stream",
  summary: "media in real time: datagrams, jitter buffer, loss",
  transports: ["udp"],
  port: 9004,
  wires: ["pdu", "seed"],
  detects: [],
  clientWire: "pdu",
  acceptsArguments: isOneFile,
  optionsFor: () => ({ play: "none", out: undefined }),
  argumentsUsage: "NAME",
  limits: { maxClients: MAX_CLIENTS, idleMs: IDLE_MS },
  // Nobody is connected, nothing waits for anybody, what is no PDU is passed over, and the end is said in one datagram.
  unusedOptions: ["first-byte", "max-queue", "max-errors", "grace"],
  serveOptions: [
    { name: "dir", type: "string", value: "DIR", default: ".", summary: "the folder whose files may be streamed" },
    {
      name: "rate",
      type: "size",
      value: "SIZE",
      min: 1,
      summary: "bytes a second, in place of what the duration of each file says",
    },
    {
      name: "seed-end",
      type: "string",
      value: SEED_ENDS.join("|"),
      choices: SEED_ENDS,
      default: SEED_ENDS[0],
      summary: "with --wire seed: what the last datagram says",
    },
    { name: "seed-size", type: "flag", summary: "with --wire seed: the size goes first, in ASCII" },
  ],
  connectOptions: [
    {
      name: "play",
      type: "string",
      value: "auto|PLAYER|none",
      choices: ["auto", ...PLAYERS, "none"],
      summary: `what plays it: ${PLAYERS.join(", ")}; auto, unless --out is given, takes the first that is there`,
    },
    { name: "out", type: "string", value: "FILE", summary: "keep what comes in FILE; - is standard output" },
    { name: "overwrite", type: "flag", summary: "FILE may be there already: it is replaced" },
    {
      name: "buffer",
      type: "milliseconds",
      value: "MS",
      default: BUFFER_MS,
      summary: "jitter buffer: how long a datagram waits for those before it",
    },
    { name: "start", type: "duration", value: "DURATION", summary: "begin there, and not at the beginning" },
  ],
  serveExamples: [],
  connectExamples: [],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  // Only now: all else that netlab does would wait for them.
  serve: async (context) => (await import("./server.ts")).serveStream(context),
  connect: async (context) => await (await import("./client.ts")).connectStream(context),
};
