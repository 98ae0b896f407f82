// What `netlab connect smtp` takes, and what it comes to.

import { NetlabError } from "../../protocol/errors.ts";
import { decodeText, encodeText } from "../../protocol/text.ts";
import type { ConnectContext, Example } from "../exercise.ts";
import type { OptionSpec, OptionValues } from "../options.ts";
import { standardInput } from "../standard_input.ts";
import { readFile, readText } from "./named_files.ts";
import { DAEMON, type Stage, STAGES } from "./protocol.ts";

const stageOption = (name: string, summary: string): OptionSpec => ({
  ...{ name, summary, type: "string", value: "STAGE", choices: STAGES },
});

/** The client's options. */
export const connectOptions: readonly OptionSpec[] = [
  {
    name: "from",
    type: "string",
    value: "ADDRESS",
    summary: `the sender; "<>" for none: the header From is then ${DAEMON}, unless --header says another`,
  },
  {
    name: "to",
    type: "string",
    value: "ADDRESS,…",
    repeats: true,
    summary: "the recipients; may be said several times",
  },
  { name: "subject", type: "string", value: "TEXT", empty: true, summary: "what it is about" },
  {
    ...{ name: "body", type: "string", value: "TEXT|-", empty: true },
    summary: "the text; - reads it from standard input",
  },
  {
    name: "attach",
    type: "string",
    value: "FILE",
    repeats: true,
    summary: "a file to attach; may be said several times",
  },
  {
    ...{ name: "header", type: "string", value: '"X: y"', repeats: true },
    summary: "another header; may be said several times",
  },
  { name: "raw", type: "string", value: "FILE.eml", summary: "a whole message to send as it is; - is standard input" },
  { name: "user", type: "string", value: "NAME", summary: "log in, with the password of --password-file" },
  {
    name: "password-file",
    type: "string",
    value: "FILE",
    summary: "its first line is the password; - asks for it, or reads standard input",
  },
  { name: "starttls", type: "flag", summary: "encrypt once the server has agreed (port 25, 587)" },
  { name: "tls", type: "flag", summary: "encrypt from the beginning (port 465)" },
  {
    name: "tls-ca",
    type: "string",
    value: "FILE.pem",
    summary: "a certificate to trust: the server's, where it is self-signed",
  },
  { name: "dialogue", type: "flag", summary: "print the conversation, C: and S:, without passwords" },
  stageOption("stop-after", `go no further than this, and leave in good order: ${STAGES.join(", ")}`),
  stageOption("drop-after", "the same, and cut the connection"),
  {
    ...{ name: "count", type: "number", value: "N", min: 1, default: 1 },
    summary: "send it so many times, each with a Message-ID of its own unless --raw or --header gives one",
  },
  {
    name: "connections",
    type: "number",
    value: "M",
    min: 1,
    max: 1000,
    default: 1,
    summary: "over so many connections",
  },
  { name: "list", type: "string", value: "MAILBOX", summary: "list what is in a Maildir" },
  { name: "show", type: "number", value: "N", min: 1, summary: "show the message of this number in --list's MAILBOX" },
  {
    ...{ name: "compat", type: "string", value: "course", choices: ["course"] },
    summary: "understand students' servers, where that bends RFC 5321; says what is wrong",
  },
];

/** Examples for help, with what they print. */
export const connectExamples: readonly Example[] = [
  {
    command: "netlab connect smtp --dialogue --stop-after greeting",
    output: ["S: 220 netlab ESMTP netlab", "stopped after greeting", "C: QUIT", "S: 221 netlab says goodbye"],
  },
  {
    command: "netlab connect smtp",
    input: ["HELO me.example", "MAIL FROM:<alice@example.org>", "RCPT TO:<bob@example.org>", "RSET", "QUIT"],
    output: [
      "S: 220 netlab ESMTP netlab",
      "C: HELO me.example",
      "S: 250 netlab",
      "C: MAIL FROM:<alice@example.org>",
      "S: 250 sender taken",
      "C: RCPT TO:<bob@example.org>",
      "S: 250 recipient taken",
      "C: RSET",
      "S: 250 forgotten",
      "C: QUIT",
      "S: 221 netlab says goodbye",
    ],
  },
];

/** What makes it send a message by itself. */
const SENDING = ["from", "to", "subject", "body", "attach", "header", "raw", "stop-after", "drop-after"];

/** Whether the options say what to send, so that nobody has to type commands. */
export function sendsByItself(options: OptionValues): boolean {
  return SENDING.some((name) => options[name] !== undefined);
}

/** How often it does. */
const REPEATING = ["count", "connections"];

/** What only happens by itself where a message is sent, and what a person types instead. */
const BY_HAND = [
  ["starttls", "type STARTTLS behind EHLO; or "],
  ["user", "type AUTH; or "],
  ["password-file", "type AUTH; or "],
  ...REPEATING.map((name) => [name, ""]),
];

/** @throws {NetlabError} of kind `usage` for options that do not go together */
export function checkOptions(options: OptionValues): void {
  const usual = new Map(connectOptions.map((option) => [option.name, option.default]));
  const isGiven = (name: string) => ![undefined, false, usual.get(name)].includes(options[name]);
  const both = (one: string, other: string, why: string) => {
    if (isGiven(one) && isGiven(other)) throw new NetlabError("usage", `--${one} or --${other}: ${why}`);
  };
  for (const name of [...SENDING, ...REPEATING]) both("list", name, "a mailbox is read, or mail is sent");
  both("tls", "starttls", "TLS begins at once, or later");
  both("stop-after", "drop-after", "it can end only once");
  for (const name of ["subject", "body", "attach"]) both("raw", name, "a raw message has everything already");
  both("raw", "header", "a raw message has everything already");
  // Who reads a mailbox does not log in: there a NETLAB_USER that is meant for a server is no matter.
  const user = options.list === undefined ? options.user : undefined;
  if (String(user).includes(":")) {
    throw new NetlabError("usage", "--user takes a name without a colon: name:password is what a server takes", {
      hint: "perhaps it came from NETLAB_USER; --password-file has a client's password",
    });
  }
  if (user !== undefined && options["password-file"] === undefined) {
    throw new NetlabError("usage", "--user needs a password", { hint: "--password-file FILE; - for standard input" });
  }
  if (options.show !== undefined && options.list === undefined) {
    throw new NetlabError("usage", "--show needs a mailbox", { hint: "--list MAILBOX --show N" });
  }
  if (options.list === undefined && !sendsByItself(options)) {
    for (const [name, instead] of BY_HAND) {
      if (!isGiven(name)) continue;
      throw new NetlabError("usage", `--${name} does nothing where SMTP is typed by hand`, {
        hint: `${instead}say what to send: --from ADDRESS --to ADDRESS`,
      });
    }
  }
  const inputs = ["body", "raw", "password-file"].filter((name) => options[name] === "-");
  if (inputs.length > 1) {
    throw new NetlabError("usage", `--${inputs.join(" and --")} cannot both come from standard input`);
  }
}

/** Where to stop. */
export function readStop(options: OptionValues): { readonly after: Stage; readonly drop: boolean } | null {
  const after = options["stop-after"] ?? options["drop-after"];
  return after === undefined ? null : { after: after as Stage, drop: options["drop-after"] !== undefined };
}

/** The values of an option that may be said several times. */
export function valuesOf(options: OptionValues, name: string): string[] {
  return options[name] === undefined ? [] : String(options[name]).split("\n");
}

/** A file's bytes, or those of standard input, as they are; what a person types is text. @throws {NetlabError} of kind `usage` */
export async function readBytes(context: ConnectContext, option: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = String(context.options[option]);
  if (path !== "-") return readFile(path);
  if (!context.console.interactive) return new Uint8Array(await new Response(standardInput()).arrayBuffer());
  const lines = [];
  for await (const line of context.console.lines("")) lines.push(`${line}\n`);
  return encodeText(lines.join(""));
}

/** The certificates of --tls-ca. @throws {NetlabError} of kind `usage` when there are none in it */
export function readCertificates(options: OptionValues): string[] {
  if (options["tls-ca"] === undefined) return [];
  const path = String(options["tls-ca"]);
  const text = readText(path);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return [text];
  throw new NetlabError("usage", `${path} is no certificate`, { hint: "--tls-ca names one in PEM" });
}

/** The text of --body. @throws {NetlabError} of kind `usage` when standard input is not UTF-8 */
export async function readBody(context: ConnectContext): Promise<string> {
  if (context.options.body !== "-") return String(context.options.body ?? "");
  const bytes = await readBytes(context, "body");
  try {
    return decodeText(bytes);
  } catch (error) {
    throw new NetlabError("usage", `the text of --body - is not UTF-8: ${(error as Error).message}`, {
      hint: "--attach FILE sends any bytes, and --raw - a message as it is",
    });
  }
}
