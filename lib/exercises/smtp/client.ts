// The client: sends a message by what the options say, lets a person or a script speak SMTP by hand, or reads a mailbox.

import { basename } from "node:path";
import { NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { inHeader, isAscii, readMailboxes, readSender } from "./client_addresses.ts";
import { talkByHand } from "./client_by_hand.ts";
import type { ConnectionSetup } from "./client_connection.ts";
import type { ClientOptions } from "./client_messages.ts";
import {
  checkOptions,
  readBody,
  readBytes,
  readCertificates,
  readStop,
  sendsByItself,
  valuesOf,
} from "./client_options.ts";
import { Secrets } from "./client_secrets.ts";
import { type MakeMail, Sending } from "./client_sending.ts";
import { composeMessage, hasUtf8Headers, isEightBit, normalizeMessage, numbered } from "./mime.ts";
import { readFile, readText } from "./named_files.ts";
import { NO_DOMAIN, STAGES } from "./protocol.ts";
import { readMaildir } from "./reader.ts";

/** Does what the options say. @throws {NetlabError} when that fails, or a recipient is refused */
export async function connectSmtp(context: ConnectContext): Promise<void> {
  const { options } = context;
  checkOptions(options);
  if (options.list !== undefined) return await readMaildir(context);
  const secrets = new Secrets();
  const setup: ConnectionSetup = {
    tls: options.tls ? "active" : options.starttls ? "starttls" : "none",
    caCerts: readCertificates(options),
    compat: options.compat === "course",
    secrets,
  };
  if (!sendsByItself(options)) return await talkByHand(context, setup);
  const login = await readLogin(context, secrets);
  await new Sending(context, setup, login, await readMail(context)).run();
}

async function readLogin(context: ConnectContext, secrets: Secrets): Promise<ClientOptions["login"]> {
  const { user, "password-file": file } = context.options;
  if (user === undefined) return null;
  const password = file === "-"
    ? await context.console.secret(`password for ${user}: `)
    : readText(String(file)).split(/\r?\n/)[0];
  if (!password) throw new NetlabError("usage", "there is no password: the first line is empty");
  secrets.add(password);
  return { user: String(user), password };
}

/** Makes the mail, once for all times that it is sent; null where the session stops before it would need one. */
async function readMail(context: ConnectContext): Promise<MakeMail | null> {
  const { options } = context;
  const stop = readStop(options);
  if (stop !== null && STAGES.indexOf(stop.after) < STAGES.indexOf("mail")) return null;
  if (options.from === undefined || options.to === undefined) {
    const missing = options.from === undefined ? "--from" : "--to";
    throw new NetlabError("usage", `${missing} is missing`, { hint: "--from ADDRESS --to ADDRESS[,…]" });
  }
  const nobody = /^\s*<?\s*>?\s*$/.test(String(options.from));
  const from = nobody ? null : readSender(String(options.from));
  const to = readMailboxes("to", valuesOf(options, "to").join());
  const id = `${crypto.randomUUID()}@${from === null ? NO_DOMAIN : from.address.replace(/^.*@/, "")}`;
  const content = options.raw !== undefined ? await readRaw(context) : await composeMessage({
    from: from && inHeader("from", from, context.host),
    to: to.map((one) => inHeader("to", one, context.host)),
    subject: options.subject === undefined ? undefined : String(options.subject),
    text: await readBody(context),
    headers: valuesOf(options, "header"),
    attachments: valuesOf(options, "attach").map((path) => ({ name: basename(path), bytes: readFile(path) })),
    date: new Date(),
    messageId: id,
  });
  const addresses = [from?.address ?? "", ...to.map(({ address }) => address)];
  const envelope = {
    from: addresses[0],
    to: addresses.slice(1),
    eightBit: isEightBit(content),
    utf8: !addresses.every(isAscii) || hasUtf8Headers(content),
  };
  const copy = Number(options.count ?? 1) > 1 ? numbered(content, id) : () => content;
  return (count) => ({ ...envelope, content: copy(count) });
}

async function readRaw(context: ConnectContext): Promise<Uint8Array> {
  const { content, newlines } = normalizeMessage(await readBytes(context, "raw"));
  if (newlines > 0) {
    const these = newlines === 1 ? "1 line end of the message becomes" : `${newlines} line ends of the message become`;
    context.console.note(`${these} CRLF (RFC 5321 2.3.8)`);
  }
  return content;
}
