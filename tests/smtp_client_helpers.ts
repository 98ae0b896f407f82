// What the tests of the mail client share: servers that a test plays, a client that runs in this process, and secrets and
// certificates in files.

import { assert } from "@std/assert";
import { connectSmtp } from "../lib/exercises/smtp/client.ts";
import { connectOptions } from "../lib/exercises/smtp/client_options.ts";
import type { OptionValues } from "../lib/exercises/options.ts";
import type { ConnectContext } from "../lib/exercises/exercise.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { connectContext, FakeConsole, temporaryFolder, withListener } from "./chat_helpers.ts";
import { within } from "./helpers.ts";

export const TO_ONE = { from: "a@x.example", to: "b@y.example", subject: "hi", body: "hello" };

/** What a played server says: text with its line ends, or null to hang up. By command word; `greeting`; `.` for the content. */
export type Answers = Readonly<
  Record<string, Answer | ((argument: string, count: number) => Answer | Promise<Answer>)>
>;
type Answer = string | null;

export const USUAL: Answers = {
  greeting: "220 mail.example ESMTP\r\n",
  EHLO: "250-mail.example\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000000\r\n",
  HELO: "250 mail.example\r\n",
  AUTH: "235 ok\r\n",
  MAIL: "250 ok\r\n",
  RCPT: "250 ok\r\n",
  DATA: "354 go\r\n",
  ".": "250 2.0.0 taken\r\n",
  RSET: "250 ok\r\n",
  QUIT: "221 bye\r\n",
};

/** What a played server has heard. */
export interface Heard {
  readonly commands: string[];
  readonly contents: string[];
  connections: number;
  /** How each connection ended: `quit`, `end`, or `cut`. */
  readonly ends: string[];
}

/** Plays one session. */
export async function play(conn: Deno.Conn, answers: Answers, heard: Heard): Promise<void> {
  heard.connections++;
  const counts = new Map<string, number>();
  const say = async (word: string, argument = "") => {
    const count = (counts.get(word) ?? 0) + 1;
    counts.set(word, count);
    const answer = answers[word] ?? USUAL[word] ?? "500 what?\r\n";
    const text = word in answers && answers[word] === null
      ? null
      : typeof answer === "function"
      ? await answer(argument, count)
      : answer;
    if (text === null) throw new Deno.errors.Interrupted("played out");
    await conn.write(new TextEncoder().encode(text));
  };
  let text = "";
  const block = new Uint8Array(65_536);
  const until = async (end: string): Promise<string> => {
    while (!text.includes(end)) {
      const count = await conn.read(block);
      if (count === null) throw new Deno.errors.UnexpectedEof("end");
      text += new TextDecoder("latin1").decode(block.subarray(0, count));
    }
    const piece = text.slice(0, text.indexOf(end));
    text = text.slice(piece.length + end.length);
    return piece;
  };
  let last = "";
  try {
    await say("greeting");
    for (;;) {
      const line = await until("\r\n");
      heard.commands.push(line);
      last = line.split(/[ :]/)[0].toUpperCase();
      await say(last, line);
      if (last === "QUIT") break;
      if (last !== "DATA" || !String(answers.DATA ?? USUAL.DATA).startsWith("354")) continue;
      text = `\r\n${text}`;
      heard.contents.push((await until("\r\n.\r\n")).slice(2));
      await say(".");
    }
    heard.ends.push("quit");
  } catch (error) {
    heard.ends.push(
      error instanceof Deno.errors.UnexpectedEof ? "end" : error instanceof Deno.errors.Interrupted ? "hung up" : "cut",
    );
  }
}

/** Runs the client against a played server. */
export async function run(
  answers: Answers,
  options: OptionValues,
  changes: Partial<ConnectContext> = {},
  script: readonly string[] = [],
): Promise<{ console: FakeConsole; heard: Heard; error: NetlabError | null }> {
  const heard: Heard = { commands: [], contents: [], connections: 0, ends: [] };
  const console = new FakeConsole(script);
  let error: NetlabError | null = null;
  await withListener((conn) => play(conn, answers, heard), async (port) => {
    error = await client(port, console, options, changes);
  });
  return { console, heard, error };
}

/** Runs the client; returns how it failed. */
export async function client(
  port: number,
  console: FakeConsole,
  options: OptionValues,
  changes: Partial<ConnectContext> = {},
): Promise<NetlabError | null> {
  const defaults = Object.fromEntries(connectOptions.map((option) => [option.name, option.default]));
  try {
    const context = connectContext(port, console, { options: { ...defaults, ...options }, ...changes });
    await within(connectSmtp(context), "the end of the client");
    return null;
  } catch (error) {
    if (error instanceof NetlabError) return error;
    throw error;
  }
}

export function passwordFile(password: string): string {
  const path = `${temporaryFolder()}/password`;
  Deno.writeTextFileSync(path, `${password}\n`);
  return path;
}

/** A certificate for 127.0.0.1 that signs itself. */
export async function makeCertificate(): Promise<{ cert: string; key: string; path: string }> {
  const dir = temporaryFolder();
  const { success } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`, "-subj", "/CN=mail.example"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ],
    stderr: "null",
  }).output();
  assert(success, "openssl could make no certificate");
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  return { cert: read("cert.pem"), key: read("key.pem"), path: `${dir}/cert.pem` };
}
