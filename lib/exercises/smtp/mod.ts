// The mail exercise, as the registry knows it.

import type { Exercise } from "../exercise.ts";
import { connectExamples, connectOptions } from "./client_options.ts";
import { DEFAULT_MAX_RECIPIENTS, DEFAULT_MAX_SIZE } from "./protocol.ts";

/** RFC 5321 section 4.5.3.2.7, and, before the first command, the same. */
const IDLE_MS = 300_000;

export const smtp: Exercise = {
  name: "smtp",
  summary: "mail: a server that keeps what it takes, and a client",
  transports: ["tcp"],
  port: 2525,
  wires: ["line"],
  detects: ["line"],
  clientWire: "line",
  limits: { idleMs: IDLE_MS, firstByteMs: IDLE_MS, maxErrors: 100 },
  serveOptions: [
    {
      name: "mailbox",
      type: "string",
      value: "DIR",
      default: "mail",
      summary: "where mail goes: a Maildir for each recipient",
    },
    {
      name: "accept",
      type: "string",
      value: "DOMAIN,…",
      repeats: true,
      summary: "take mail for these domains only; any unless said; may be said several times",
    },
    {
      name: "user",
      type: "string",
      value: "NAME:PASSWORD",
      repeats: true,
      summary: "somebody who may log in; may be said several times",
    },
    {
      name: "users",
      type: "string",
      value: "FILE",
      summary: "those who may log in: lines that netlab smtp passwd makes",
    },
    { name: "require-auth", type: "flag", summary: "mail only from those who have logged in" },
    { name: "auth-insecure", type: "flag", summary: "let them log in without TLS, where others can read passwords" },
    {
      name: "tls",
      type: "string",
      value: "HOW",
      choices: ["self-signed", "implicit"],
      summary: "self-signed: offer STARTTLS, with a certificate of its own; implicit: TLS from the first byte",
    },
    {
      name: "tls-cert",
      type: "string",
      value: "FILE",
      summary: "a certificate of yours, in PEM: offers STARTTLS, too",
    },
    { name: "tls-key", type: "string", value: "FILE", summary: "its key, in PEM" },
    {
      name: "max-size",
      type: "size",
      value: "SIZE",
      default: DEFAULT_MAX_SIZE,
      summary: "the largest message that is taken; 0 for any",
    },
    {
      name: "max-recipients",
      type: "number",
      value: "N",
      min: 1,
      default: DEFAULT_MAX_RECIPIENTS,
      summary: "how many recipients a message may have",
    },
    {
      name: "bare-newline",
      type: "string",
      value: "accept|reject",
      choices: ["accept", "reject"],
      default: "accept",
      summary: "what to do with CR and LF that stand alone: they are content, or refused",
    },
    {
      name: "compat",
      type: "string",
      value: "WHOM",
      choices: ["course"],
      summary: "course: bear programs of a course that end commands with silence",
    },
    { name: "no-fsync", type: "flag", summary: "faster, and mail may be lost when the power fails" },
  ],
  connectOptions,
  optionsFor: ([from, to, body]) => ({ from, to, body }),
  serveExamples: [],
  connectExamples,
  commands: [{
    name: "passwd",
    summary: "makes a line for serve --users: a name and a salted hash",
    words: ["NAME"],
    details:
      "Asks for the password twice, and shows nothing of it; from a pipe it is the first line. The line goes to\n" +
      "standard output: netlab smtp passwd ann >> users, and then netlab serve smtp --users users.",
    run: async ([name], console) => (await import("./users.ts")).makeUserLine(name, console),
  }],
  explanation: async () => (await import("./explanation.ts")).explanation,
  grading: () => import("./grading.ts"),
  serve: async (context) => (await import("./server.ts")).serveSmtp(context),
  connect: async (context) => (await import("./client.ts")).connectSmtp(context),
};
