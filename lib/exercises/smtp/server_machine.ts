// The server's side of an SMTP session (RFC 5321), as a machine: lines and content in, replies out. What takes time (looking
// at a password, writing to the disk) is asked for by an event, and answered by a command; meanwhile nothing may come in.
//
//     start ── EHLO, HELO ─► ready ── MAIL ─► mail ── RCPT ─► rcpt ── DATA, BDAT ─► content ─► ready
//                              ▲ RSET, EHLO and STARTTLS end a transaction; QUIT ends everything

import type { Millis } from "../../protocol/clock.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { decodeLossy, encodeText } from "../../protocol/text.ts";
import { isDomain, isLiteral, type Mailbox, parsePath } from "./address.ts";
import { decodeBase64 } from "./base64.ts";
import { DataDecoder } from "./data.ts";
import {
  type Command,
  MAX_AUTH_LINE,
  MAX_COMMAND,
  type Parameter,
  parseCommand,
  parseParameters,
  type Reply,
  reply,
  type Verb,
} from "./protocol.ts";

/** What a server offers and bears. */
export interface ServerOptions {
  /** What it calls itself. */
  readonly hostname: string;
  /** The largest message, in bytes (RFC 1870). */
  readonly maxSize: number;
  readonly maxRecipients: number;
  /** The domains it takes mail for, in lower case; null for any. */
  readonly accept: readonly string[] | null;
  /** Null where nobody can log in. */
  readonly auth: { readonly required: boolean; readonly insecure: boolean } | null;
  readonly tls: "none" | "offered" | "active";
  /** Whether a bare CR or LF in content is refused, and not content. */
  readonly rejectBareNewline: boolean;
  /** Speaks as the course's programs expect, where that bends the RFC. */
  readonly compat: boolean;
  readonly maxErrors: number;
}

/** Where a session is. */
export const STATES = ["start", "ready", "mail", "rcpt"] as const;
export type State = typeof STATES[number];

/** The code of each command in each state, when nothing else is wrong with it. */
export const CODES: Readonly<Record<Verb, Readonly<Record<State, number>>>> = {
  EHLO: { start: 250, ready: 250, mail: 250, rcpt: 250 },
  HELO: { start: 250, ready: 250, mail: 250, rcpt: 250 },
  MAIL: { start: 503, ready: 250, mail: 503, rcpt: 503 },
  RCPT: { start: 503, ready: 503, mail: 250, rcpt: 250 },
  DATA: { start: 503, ready: 503, mail: 503, rcpt: 354 },
  BDAT: { start: 503, ready: 503, mail: 503, rcpt: 250 },
  RSET: { start: 250, ready: 250, mail: 250, rcpt: 250 },
  NOOP: { start: 250, ready: 250, mail: 250, rcpt: 250 },
  VRFY: { start: 252, ready: 252, mail: 252, rcpt: 252 },
  EXPN: { start: 502, ready: 502, mail: 502, rcpt: 502 },
  HELP: { start: 214, ready: 214, mail: 214, rcpt: 214 },
  QUIT: { start: 221, ready: 221, mail: 221, rcpt: 221 },
  STARTTLS: { start: 503, ready: 220, mail: 503, rcpt: 503 },
  AUTH: { start: 503, ready: 334, mail: 503, rcpt: 503 },
};

/** Who sends, and to whom. */
export interface Envelope {
  /** Null for `<>`: a report of non-delivery, which must not be answered. */
  readonly from: Mailbox | null;
  readonly to: readonly Mailbox[];
  readonly smtputf8: boolean;
  /** As the client called itself, and how: for Received (section 4.4). */
  readonly helo: string;
  readonly protocol: string;
}

/** What comes in. */
export type Incoming =
  | { readonly type: "line"; readonly bytes: Uint8Array }
  /** A line longer than it may be, which was skipped. */
  | { readonly type: "longLine" }
  /** Content; a view. */
  | { readonly type: "content"; readonly bytes: Uint8Array };

/** What its user is asked for, and told. */
export type SmtpEvent =
  /** Make room for a message; answered by `opened` or `failed`. */
  | { readonly type: "open"; readonly envelope: Envelope; readonly size: number | null }
  | { readonly type: "content"; readonly bytes: Uint8Array }
  /** That was all of it: keep it safe; answered by `delivered` or `failed`. */
  | { readonly type: "deliver"; readonly envelope: Envelope }
  /** It will not be complete: forget it. */
  | { readonly type: "abandon" }
  /** Answered by `authenticated`. */
  | { readonly type: "authenticate"; readonly user: string; readonly password: string }
  /** What has been read and not handed over is void; TLS begins behind the reply. */
  | { readonly type: "startTls" };

/** Its user's answers. */
export type SmtpCommand =
  | { readonly type: "opened" }
  | { readonly type: "delivered"; readonly id: string }
  | { readonly type: "failed"; readonly reply: Reply }
  | { readonly type: "authenticated"; readonly ok: boolean }
  | { readonly type: "tlsBegun" };
