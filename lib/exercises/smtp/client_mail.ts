// A mail on its way: who gets it, who does not, and what the server said to that.

import { NetlabError } from "../../protocol/errors.ts";
import { type ClientReply, formatReply } from "./client_replies.ts";

/** What is sent, and to whom. */
export interface Mail {
  /** Empty for `<>`. */
  readonly from: string;
  readonly to: readonly string[];
  /** With CRLF at the end of each line. */
  readonly content: Uint8Array;
  /** Whether the content has bytes beyond ASCII. */
  readonly eightBit: boolean;
  /** Whether an address or a header has characters beyond ASCII. */
  readonly utf8: boolean;
}

/** What became of a mail. */
export interface MailResult {
  readonly mail: Mail;
  /** Those who get it, if the server has taken it. */
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly to: string; readonly reply: ClientReply }[];
  /** What the server said last: to the content, where it came so far. */
  readonly reply: ClientReply | null;
  /** Why nobody gets it. */
  readonly failure: NetlabError | null;
}

/** What else may help, by code. */
const HINTS: Readonly<Record<number, string>> = {
  421: "the server ends the session: try later",
  450: "try later",
  451: "try later",
  452: "try later, or with fewer recipients",
  530: "log in with --user and --password-file; perhaps --starttls first",
  535: "is the name right, and the password?",
  538: "encrypt first: --starttls",
  552: "the message is too large for it",
};

/** The same, where an address is refused. */
const ADDRESS_HINTS: typeof HINTS = {
  ...HINTS,
  550: "is the address right? the server may take mail for its own domains only",
};

/** A server's refusal as an error. */
export function refused(what: string, reply: ClientReply, hints = HINTS): NetlabError {
  const said = `the server refuses ${what}: ${formatReply(reply)}`;
  const later = reply.code >= 400 && reply.code < 500 ? "try later" : undefined;
  return new NetlabError("reply", said, { hint: hints[reply.code] ?? later });
}

/** Whether a reply is a yes. */
export const isPositive = ({ code }: ClientReply) => code >= 200 && code < 300;

/** One mail on its way. */
export class Delivery {
  readonly mail: Mail;
  readonly accepted: string[] = [];
  readonly refused: { to: string; reply: ClientReply }[] = [];
  failure: NetlabError | null = null;
  /** Its content is on its way. */
  said = false;
  taken = false;
  #reply: ClientReply | null = null;

  constructor(mail: Mail) {
    this.mail = mail;
  }

  onSender(reply: ClientReply): void {
    if (!isPositive(reply)) this.fail(refused(`the sender <${this.mail.from}>`, reply, ADDRESS_HINTS), reply);
  }

  onRecipient(to: string, reply: ClientReply): void {
    if (this.failure !== null) return; // what follows a refused MAIL says nothing about anybody
    if (isPositive(reply)) this.accepted.push(to);
    else this.refused.push({ to, reply });
    if (this.refused.length < this.mail.to.length) return;
    const [first] = this.refused;
    const whom = this.refused.length === 1 ? `the recipient <${first.to}>` : `all ${this.refused.length} recipients`;
    this.fail(refused(whom, first.reply, ADDRESS_HINTS), first.reply);
  }

  onTaken(reply: ClientReply): void {
    this.#reply = reply;
    this.taken = true;
  }

  fail(failure: NetlabError, reply: ClientReply): void {
    this.failure ??= failure;
    this.#reply ??= reply;
  }

  result(): MailResult {
    // What comes behind the server's word (a lost connection, say) does not undo it.
    const failure = this.taken ? null : this.failure;
    const { mail, refused } = this;
    return { mail, accepted: this.taken ? this.accepted : [], refused, reply: this.#reply, failure };
  }
}
