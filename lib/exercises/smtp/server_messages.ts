// What the machine of a server's session is told and what it says: its options, and the messages, events and commands that
// pass between it and its user.

import type { Mailbox } from "./address.ts";
import type { Reply } from "./protocol.ts";

/** What a server offers and bears. */
export interface ServerOptions {
  /** What it calls itself. */
  readonly hostname: string;
  /** The largest message, in bytes; 0 sets no limit (RFC 1870 section 4). */
  readonly maxSize: number;
  readonly maxRecipients: number;
  /** The domains it takes mail for, as `asciiDomain` has them; null for any. */
  readonly accept: readonly string[] | null;
  /** Null where nobody can log in. */
  readonly auth: { readonly required: boolean; readonly insecure: boolean } | null;
  readonly tls: "none" | "offered" | "active";
  /** Whether a bare CR or LF is refused: in content, where it is content otherwise, and at the end of a command. */
  readonly rejectBareNewline: boolean;
  /** Speaks as the course's programs expect, where that bends the RFC. */
  readonly compat: boolean;
  readonly maxErrors: number;
}

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

/** What comes in, and what goes out. */
export type SmtpMessage =
  /** `bareLf` when no CR stood before its LF, `unended` when silence has ended it (`--compat course`). */
  | { readonly type: "line"; readonly bytes: Uint8Array; readonly bareLf: boolean; readonly unended?: boolean }
  /** A line longer than it may be, which was skipped. */
  | { readonly type: "longLine" }
  /**
   * The next pieces of the content, as views; `last` when the end has come, `behindDot` when in what has come is the end to a
   * client whose lines end in LF alone.
   */
  | {
    readonly type: "content";
    readonly pieces: readonly Uint8Array[];
    readonly last: boolean;
    readonly behindDot?: boolean;
  }
  | { readonly type: "reply"; readonly reply: Reply };

/** What its user is asked for, and told. */
export type SmtpEvent =
  /** Make room for a message; answered by `opened` or `failed`. `abandon` may come first, when the client has gone. */
  | { readonly type: "open"; readonly envelope: Envelope; readonly size: number | null }
  | { readonly type: "content"; readonly bytes: Uint8Array }
  /** That was all of it: keep it safe, even if the client goes now; answered by `delivered` or `failed`. */
  | { readonly type: "deliver"; readonly envelope: Envelope }
  /** It will not be complete: forget it. */
  | { readonly type: "abandon" }
  /** Answered by `authenticated`, or by `failed` when that cannot be found out. */
  | { readonly type: "authenticate"; readonly user: string; readonly password: string }
  /** What has been read and not handed over is void; TLS begins behind the reply. */
  | { readonly type: "startTls" };

/** Its user's answers. */
export type SmtpCommand =
  | { readonly type: "opened" }
  | { readonly type: "delivered"; readonly id: string }
  /** May also come unasked, as soon as content cannot be kept. */
  | { readonly type: "failed"; readonly reply: Reply }
  | { readonly type: "authenticated"; readonly ok: boolean }
  | { readonly type: "tlsBegun" };

/** How the next bytes are to be read. */
export type Mode =
  | { readonly type: "command" | "auth" | "data" }
  /** So many bytes of content. */
  | { readonly type: "chunk"; readonly left: number };
