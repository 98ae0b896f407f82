// What a server answers each command, by how far the session has come (RFC 5321 section 4.1.4 and 4.3.2).

import type { Verb } from "./protocol.ts";

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
