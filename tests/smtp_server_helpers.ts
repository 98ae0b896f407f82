// What the tests of the mail server share: a server in this process, clients that speak in whole commands, and a look into
// the mailboxes.

import { assertEquals } from "@std/assert";
import type { RunningServer, ServeContext } from "../lib/exercises/exercise.ts";
import type { OptionValues } from "../lib/exercises/options.ts";
import { serveSmtp } from "../lib/exercises/smtp/server.ts";
import { NO_TRACE, type Trace } from "../lib/protocol/trace.ts";
import { FakeConsole, temporaryFolder } from "./chat_helpers.ts";
import { Peer, within } from "./helpers.ts";

/** A mail server that runs, and its mailboxes. */
export interface Office {
  readonly server: RunningServer;
  readonly port: number;
  readonly root: string;
  readonly console: FakeConsole;
  /** Connects and reads the greeting. */
  call(): Promise<MailClient>;
  /** The messages in one part of a mailbox. */
  mail(recipient: string, part?: "new" | "tmp"): string[];
}

/** Runs `fn` with a mail server. */
export async function withOffice(
  options: OptionValues,
  fn: (office: Office) => Promise<void>,
  changes: { readonly limits?: ServeContext["limits"]; readonly trace?: Trace } = {},
): Promise<void> {
  const root = temporaryFolder();
  const console = new FakeConsole([]);
  const context: ServeContext = {
    host: "127.0.0.1",
    port: 0,
    transport: "tcp",
    wire: "line",
    limits: changes.limits ?? {},
    trace: changes.trace ?? NO_TRACE,
    options: { mailbox: root, ...options },
    console,
    stop() {},
  };
  const server = await serveSmtp(context);
  const { port } = server.address;
  const clients: MailClient[] = [];
  const call = async () => {
    const client = await MailClient.connect(port);
    clients.push(client);
    return client;
  };
  try {
    await fn({ server, port, root, console, call, mail: (recipient, part = "new") => readPart(root, recipient, part) });
  } finally {
    for (const client of clients) client.close();
    server.abort();
    await within(server.finished, "the end of the server");
  }
}

/** The files in one part of a mailbox, as text, in order of their names. */
export function readPart(root: string, recipient: string, part: "new" | "tmp"): string[] {
  try {
    const names = [...Deno.readDirSync(`${root}/${recipient}/${part}`)].map(({ name }) => name).sort();
    return names.map((name) => Deno.readTextFileSync(`${root}/${recipient}/${part}/${name}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What stands behind the three headers that delivery adds. */
export function contentOf(file: string): string {
  const [, content] = /^Return-Path: .*\nDelivered-To: .*\nReceived: .*\n\t.*\n\t.*\n([^]*)$/.exec(file)!;
  return content;
}

/** A client that says commands and reads whole replies. */
export class MailClient {
  peer: Peer;
  #open = true;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  static async connect(port: number): Promise<MailClient> {
    const client = new MailClient(await Peer.connect({ hostname: "127.0.0.1", port }));
    client.greeting = await client.reply();
    return client;
  }

  greeting = "";

  /** The lines of a reply, each without its end, joined by LF. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    do lines.push((await this.peer.line()).replace(/\r$/, "")); while (/^\d\d\d-/.test(lines.at(-1)!));
    return lines.join("\n");
  }

  async say(...parts: (string | number | Uint8Array)[]): Promise<void> {
    await this.peer.send(...parts);
  }

  /** Says a command and reads its reply. */
  async ask(command: string): Promise<string> {
    await this.say(`${command}\r\n`);
    return await this.reply();
  }

  /** Says commands, one after the other, and compares the codes. */
  async codes(expected: Readonly<Record<string, number>>): Promise<void> {
    for (const [command, code] of Object.entries(expected)) {
      assertEquals(`${command}: ${(await this.ask(command)).slice(0, 3)}`, `${command}: ${code}`);
    }
  }

  /** Sends a message to the end, and returns the last reply. */
  async deliver(content: string, ...to: string[]): Promise<string> {
    await this.begin(...to);
    await this.say(content, "\r\n.\r\n");
    return await this.reply();
  }

  /** Up to the 354. */
  async begin(...to: string[]): Promise<void> {
    const recipients = (to.length > 0 ? to : ["b@x.org"]).map((one) => [`RCPT TO:<${one}>`, 250] as const);
    await this.codes({ "EHLO me": 250, "MAIL FROM:<a@y.org>": 250, ...Object.fromEntries(recipients), DATA: 354 });
  }

  close(): void {
    if (this.#open) this.peer.close();
    this.#open = false;
  }
}
