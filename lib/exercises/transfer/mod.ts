// The transfer exercise, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { areFiles, fileProblem } from "./arguments.ts";
import { DEFAULT_CHUNK, MAX_CHUNK, MAX_WINDOW, SCHEMES } from "./protocol.ts";

export const transfer: Exercise = {
  name: "transfer",
  summary: "files in chunks: acknowledgements, timeouts, windows",
  transports: ["tcp", "udp"],
  port: 9001,
  wires: ["pdu", "seed"],
  detects: [],
  clientWire: "pdu",
  acceptsArguments: areFiles,
  argumentsProblem: fileProblem,
  argumentsUsage: "FILE…",
  serveOptions: [
    { name: "dir", type: "string", value: "DIR", default: ".", summary: "where files go" },
    { name: "overwrite", type: "flag", summary: "a file that comes takes the place of one of its name" },
    { name: "max-size", type: "size", value: "SIZE", default: 2 ** 32, summary: "the largest file that is taken" },
    { name: "once", type: "flag", summary: "end after one file, with its outcome as the exit status" },
  ],
  connectOptions: [
    {
      name: "arq",
      type: "string",
      value: "SCHEME",
      choices: SCHEMES,
      summary: `what makes it reliable: ${SCHEMES.join(", ")}; stop-and-wait over TCP and none over UDP unless said`,
    },
    {
      name: "chunk",
      type: "size",
      value: "SIZE",
      min: 1,
      max: MAX_CHUNK,
      default: DEFAULT_CHUNK,
      summary: "bytes of the file in one PDU",
    },
    {
      name: "window",
      type: "number",
      value: "N",
      min: 1,
      max: MAX_WINDOW,
      default: 32,
      summary: "chunks on their way at once, with go-back-n and selective-repeat",
    },
    {
      name: "timeout",
      type: "milliseconds",
      value: "MS",
      min: 1,
      summary: "send again after exactly so long; without it, the wait adapts to the round trip",
    },
    { name: "retries", type: "number", value: "N", default: 12, summary: "timeouts in a row before it gives up" },
    { name: "as", type: "string", value: "NAME", summary: "what the file is called there; - reads standard input" },
    { name: "resume", type: "flag", summary: "go on where an interrupted transfer has ended" },
    {
      name: "plot",
      type: "string",
      value: "FILE.svg",
      bare: "terminal",
      suffix: ".svg",
      summary: "draw chunks and acknowledgements over time, into a file or here",
    },
  ],
  serveExamples: [],
  connectExamples: [],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveTransfer(context),
  connect: async (context) => (await import("./client.ts")).connectTransfer(context),
};
