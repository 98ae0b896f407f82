// What the machine of a client's session is told and what it says: its options, and the messages, events and commands that
// pass between it and its user.

import type { Millis } from "../../protocol/clock.ts";
import type { MailResult } from "./client_mail.ts";
import type { Stage } from "./protocol.ts";

/** How long a client waits, in ms (RFC 5321 section 4.5.3.2). */
export const TIMEOUT_MS = {
  greeting: 300_000,
  command: 300_000,
  data: 120_000,
  block: 180_000,
  end: 600_000,
  // The message is safe by then: a server that does not say goodbye is not waited for as long.
  quit: 10_000,
} as const;
/** Silence in which a student's server seems to have ended a line, or a reply (`--compat course`), in ms. */
export const SILENCE_MS = 300;
/** Silence in a line or a reply after which the person is told what may be wrong, in ms. */
export const HINT_MS = 2000;
/** What to try where the server lacks a greeting, or STARTTLS. */
export const TLS_AT_ONCE = "does TLS begin at once there? then --tls";

/** What the client does. */
export interface ClientOptions {
  /** What it calls itself. */
  readonly name: string;
  readonly tls: "none" | "starttls" | "active";
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Where it ends: in good order as far as possible, or by cutting the connection. */
  readonly stop: { readonly after: Stage; readonly drop: boolean } | null;
  /** Understands students' servers, where that bends the RFC. */
  readonly compat: boolean;
  /** The longest wait, where that is shorter than what the RFC has. */
  readonly limitMs?: Millis;
}

/** What comes in, and what goes out. */
export type ClientMessage =
  | { readonly type: "line"; readonly text: string }
  /** `shown` stands for it where somebody may read it: it has a password in it. */
  | { readonly type: "command"; readonly text: string; readonly shown?: string }
  /** Bytes as they go on the wire; answered by `written`. */
  | { readonly type: "content"; readonly bytes: Uint8Array }
  /** What ends it; not answered. */
  | { readonly type: "end"; readonly bytes: Uint8Array };

/** What its user is told, and asked for. */
export type ClientEvent =
  /** Something is wrong, and borne. */
  | { readonly type: "problem"; readonly text: string }
  /** TLS begins now; answered by `tlsBegun`. */
  | { readonly type: "startTls" }
  | { readonly type: "result"; readonly result: MailResult }
  | { readonly type: "stopped"; readonly stage: Stage; readonly drop: boolean };

/** Its user's answers. */
export type ClientCommand =
  | { readonly type: "tlsBegun" }
  /** All of the content is on its way. */
  | { readonly type: "written" }
  /** Some of it is. */
  | { readonly type: "progress" };
