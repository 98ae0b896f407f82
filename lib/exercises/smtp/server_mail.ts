// What MAIL and RCPT say: a path, and parameters behind it (RFC 5321 section 4.1.1.2 and 4.1.1.3).

import { type Mailbox, parsePath } from "./address.ts";
import { type Parameter, parseParameters, type Reply, reply, syntax } from "./protocol.ts";
import type { ServerOptions } from "./server_messages.ts";

/** Why it is refused. */
export interface Refused {
  readonly refusal: Reply;
}

/** What MAIL says. */
export interface Sender {
  /** Null for `<>`. */
  readonly mailbox: Mailbox | null;
  readonly smtputf8: boolean;
  /** What SIZE announces. */
  readonly size: number | null;
  /** The address had no angle brackets (`--compat course`). */
  readonly bare: boolean;
}

/** What RCPT says. */
export interface Recipient {
  readonly mailbox: Mailbox;
  readonly bare: boolean;
}

/** Reads what stands behind MAIL. @param extended whether EHLO was said: only then there are parameters */
export function readSender(argument: string, options: ServerOptions, extended: boolean): Sender | Refused {
  const { maxSize, compat } = options;
  const [, path] = /^FROM:[ \t]*(.*)$/is.exec(argument) ?? [];
  if (path === undefined) return { refusal: syntax("MAIL FROM:<address>") };
  const parsed = parsePath(path, compat);
  if ("problem" in parsed) return { refusal: reply(501, "5.1.7", parsed.problem) };
  const parameters = parseParameters(parsed.rest);
  if (parameters === null) return { refusal: syntax("a parameter is wrong") };
  const refusal = checkParameters(parameters, extended, options.auth !== null);
  if (refusal !== null) return { refusal };
  const { mailbox } = parsed;
  if (mailbox?.domain === "") return { refusal: reply(501, "5.1.7", "a sender has a domain: local@domain") };
  const smtputf8 = parameters.some(({ keyword }) => keyword === "SMTPUTF8");
  if (mailbox?.utf8 && !smtputf8) return { refusal: reply(553, "5.6.7", "say SMTPUTF8 for that address") };
  const announced = parameters.find(({ keyword }) => keyword === "SIZE")?.value ?? null;
  const size = announced === null ? null : Number(announced);
  if (size !== null && maxSize > 0 && size > maxSize) {
    return { refusal: reply(552, "5.3.4", `at most ${maxSize} bytes`) };
  }
  return { mailbox, smtputf8, size, bare: !path.startsWith("<") };
}

/** What is wrong with the parameters of MAIL; null when nothing is. */
function checkParameters(parameters: readonly Parameter[], extended: boolean, auth: boolean): Reply | null {
  const seen = new Map<string, string>();
  for (const { keyword, value } of parameters) {
    if (!extended) return reply(555, "5.5.4", "parameters need EHLO");
    // Said again it says nothing new (Python's smtplib does that), unless it says something else.
    const said = (value ?? "").toUpperCase();
    if ((seen.get(keyword) ?? said) !== said) return syntax(`${keyword} is said twice, and differs`);
    seen.set(keyword, said);
    const right = {
      SIZE: value !== null && /^\d{1,20}$/.test(value),
      BODY: value !== null && /^(7BIT|8BITMIME)$/i.test(value),
      SMTPUTF8: value === null,
      ...(auth ? { AUTH: value !== null } : {}),
    }[keyword];
    if (right === undefined) return reply(555, "5.5.4", `no such parameter: ${keyword}`);
    if (!right) return syntax(`${keyword} is wrong`);
  }
  return null;
}

/** Reads what stands behind RCPT. @param smtputf8 whether MAIL has said SMTPUTF8 */
export function readRecipient(argument: string, options: ServerOptions, smtputf8: boolean): Recipient | Refused {
  const { accept, compat } = options;
  const [, path] = /^TO:[ \t]*(.*)$/is.exec(argument) ?? [];
  if (path === undefined) return { refusal: syntax("RCPT TO:<address>") };
  const parsed = parsePath(path, compat);
  if ("problem" in parsed) return { refusal: reply(501, "5.1.3", parsed.problem) };
  const { mailbox } = parsed;
  if (mailbox === null) return { refusal: reply(501, "5.1.3", "nobody is no recipient") };
  const parameters = parseParameters(parsed.rest);
  if (parameters === null) return { refusal: syntax("a parameter is wrong") };
  if (parameters.length > 0) return { refusal: reply(555, "5.5.4", `no such parameter: ${parameters[0].keyword}`) };
  if (mailbox.utf8 && !smtputf8) return { refusal: reply(553, "5.6.7", "say SMTPUTF8 with MAIL for that address") };
  if (accept !== null && mailbox.domain !== "" && !accept.includes(mailbox.domain)) {
    return { refusal: reply(550, "5.7.1", `no mail for ${mailbox.domain} here: this server does not relay`) };
  }
  return { mailbox, bare: !path.startsWith("<") };
}
