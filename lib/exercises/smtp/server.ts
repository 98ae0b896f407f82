// The mail server: its options, and each connection a machine on a channel. What the machine asks for is done by its session.
//
//     bytes ─► SessionFramer ─► SmtpServerMachine ─► replies, in one write when the input is used up
//                                 └─ open, content, deliver ─► Maildir     authenticate ─► Users     startTls ─► TlsServer

import { outlasts } from "../../net/clock.ts";
import { describeSystemError } from "../../net/errors.ts";
import { Server } from "../../net/server.ts";
import { NetlabError } from "../../protocol/errors.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import type { OptionValues } from "../options.ts";
import { asciiDomain, isDomain, isLiteral } from "./address.ts";
import { Maildir } from "./maildir.ts";
import { DEFAULT_MAX_RECIPIENTS, DEFAULT_MAX_SIZE, reply } from "./protocol.ts";
import { SmtpServerMachine } from "./server_machine.ts";
import type { ServerOptions, SmtpMessage } from "./server_messages.ts";
import { farewell, HOSTNAME, MailSession, type Office } from "./server_session.ts";
import { SessionFramer } from "./session_framer.ts";
import { openTls } from "./tls.ts";
import { Users } from "./users.ts";

/** After so many wrong commands in a row, or wrong passwords, a client is sent away. */
const MAX_ERRORS = 100;

/** Starts a mail server. @throws {NetlabError} */
export async function serveSmtp(context: ServeContext): Promise<RunningServer> {
  const { options } = context;
  const root = String(options.mailbox ?? "mail");
  makeRoot(root);
  const users = await Users.load(text(options.user), text(options.users));
  if (options["require-auth"] === true && users === null) {
    throw new NetlabError("usage", "--require-auth without users", { hint: "name them with --user or --users" });
  }
  // Whatever is wrong with the options is told before there is a certificate, and something open.
  const others = readSettings(context, users !== null);
  const tls = await openTls(options, root, (problem) => context.console.note(problem));
  if (tls !== null) context.console.note(`the certificate is ${tls.certFile}: clients trust it by --tls-ca`);
  const maildir = new Maildir(root, { fsync: options["no-fsync"] !== true });
  const office: Office = {
    ...{ context, maildir, users, tls: tls && tls.server },
    ...{ sessions: new Set(), machines: new WeakMap(), leaving: false },
  };
  try {
    return openServer(office, { ...others, tls: tls === null ? "none" : tls.implicit ? "active" : "offered" });
  } catch (error) {
    tls?.server.close();
    throw error;
  }
}

function openServer(office: Office, settings: ServerOptions): RunningServer {
  const { context, tls } = office;
  const server = new Server<SmtpMessage, SmtpMessage>({
    listen: context,
    limits: context.limits,
    trace: context.trace,
    wrap: settings.tls === "active" ? (conn) => tls!.over(conn) : undefined,
    codec: (framer) => framer as SessionFramer,
    makeFramer() {
      const machine = new SmtpServerMachine(settings);
      const framer = new SessionFramer(() => machine.mode, settings.compat);
      office.machines.set(framer, machine);
      return framer;
    },
    farewells: {
      refuse: farewell,
      leaving: "shutting down",
      bad: (error) => ({ type: "reply", reply: reply(500, "5.5.2", error.message) }),
      goodbye: false,
      atOnce: true,
    },
    session: (channel) => new MailSession(channel, office),
  });
  endGently(server, office);
  void server.finished.then(() => tls?.close());
  return server;
}

/** Has a shutdown wait for what is being delivered: a sender that is told 421 in place of 250 would send it once more. */
function endGently(server: Server<SmtpMessage, SmtpMessage>, office: Office): void {
  const shutdown = server.shutdown.bind(server);
  server.shutdown = async (graceMs) => {
    office.leaving = true;
    const left = Promise.all([...office.sessions].map((session) => session.leave()));
    await outlasts(left, graceMs / 2);
    await shutdown(graceMs / 2);
  };
}

function makeRoot(root: string): void {
  try {
    Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = describeSystemError(error);
    throw new NetlabError("usage", `cannot make ${root}: ${why}`, { hint: "--mailbox names a folder", cause: error });
  }
}

const text = (value: OptionValues[string]) => value === undefined ? undefined : String(value);

/** The domains of --accept. @throws {NetlabError} of kind `usage` */
function readDomains(list: string): string[] {
  const hint = "domains, with commas between them: --accept example.org,example.com";
  const domains = list.split(/[,\n]/).map((one) => one.trim()).filter((one) => one !== "");
  if (domains.length === 0) throw new NetlabError("usage", "--accept names no domain", { hint });
  for (const one of domains) {
    if (!isDomain(one) && !isLiteral(one)) throw new NetlabError("usage", `--accept: "${one}" is no domain`, { hint });
  }
  return domains.map(asciiDomain);
}

function readSettings({ options, limits }: ServeContext, users: boolean): Omit<ServerOptions, "tls"> {
  return {
    hostname: HOSTNAME,
    maxSize: Number(options["max-size"] ?? DEFAULT_MAX_SIZE),
    maxRecipients: Number(options["max-recipients"] ?? DEFAULT_MAX_RECIPIENTS),
    accept: options.accept === undefined ? null : readDomains(String(options.accept)),
    auth: users ? { required: options["require-auth"] === true, insecure: options["auth-insecure"] === true } : null,
    rejectBareNewline: options["bare-newline"] === "reject",
    compat: options.compat === "course",
    maxErrors: limits.maxErrors ?? MAX_ERRORS,
  };
}
