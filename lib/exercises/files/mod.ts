// The file server exercise, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { HELLO_DIGEST, isCommand } from "./protocol.ts";

export const files: Exercise = {
  name: "files",
  summary: "a concurrent file server: many fetch files at once",
  transports: ["tcp"],
  port: 9002,
  wires: ["auto", "line", "raw"],
  detects: ["line", "raw"],
  clientWire: "line",
  acceptsArguments: isCommand,
  argumentsUsage: "get NAME… | stat NAME | list",
  serveOptions: [
    { name: "dir", type: "string", value: "DIR", default: ".", summary: "the folder whose files are served" },
  ],
  connectOptions: [
    { name: "out", type: "string", value: "DIR", default: ".", summary: "where files go; - is standard output" },
    { name: "overwrite", type: "flag", summary: "a file that comes takes the place of one of its name" },
  ],
  serveExamples: [],
  connectExamples: [
    { command: "netlab connect files list", output: ["6 B  hello.txt"] },
    {
      command: "netlab connect files stat hello.txt",
      output: ["hello.txt: 6 bytes (6 B)", `  sha-256 ${HELLO_DIGEST}`],
    },
  ],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveFiles(context),
  connect: async (context) => (await import("./client.ts")).connectFiles(context),
};
