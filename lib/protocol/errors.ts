// The errors of netlab. Each has a kind, from which the command line derives the exit status, and, where something can be
// done, a hint that says what.

/**
 * What went wrong, in one word:
 * - `usage`: an argument is wrong
 * - `transport`: the network refused, reset, could not resolve, address in use
 * - `protocol`: bytes that the protocol does not allow
 * - `reply`: the peer answered, and the answer was a refusal
 * - `timeout`: something did not come in time
 * - `limit`: a limit of netlab was reached
 * - `harness`: the machine or netlab itself is at fault, not the peer
 * - `interrupted`: the user stopped it
 */
export type ErrorKind =
  | "usage"
  | "transport"
  | "protocol"
  | "reply"
  | "timeout"
  | "limit"
  | "harness"
  | "interrupted";

/** Any failure that netlab foresees. Its message is one line; `hint` says what to do next. */
export class NetlabError extends Error {
  override name = "NetlabError";
  readonly kind: ErrorKind;
  readonly hint?: string;

  constructor(kind: ErrorKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }

  /** Its message and its hint, if it has one, in one line. */
  get withHint(): string {
    return this.hint ? `${this.message}: ${this.hint}` : this.message;
  }
}

/** The kind of several failures: theirs where they have one in common, and otherwise `reply`. */
export function kindOfAll([first, ...others]: readonly NetlabError[]): ErrorKind {
  return others.every(({ kind }) => kind === first.kind) ? first.kind : "reply";
}

/** Bytes that break the protocol (kind `protocol`) or a limit of it (kind `limit`). */
export class ProtocolError extends NetlabError {
  override name = "ProtocolError";
  /** `remote`: the peer broke it; `local`: we tried to send what the protocol cannot carry. */
  readonly side: "local" | "remote";
  /** True when the place in the stream is lost and the connection has to end. */
  readonly fatal: boolean;
  /** Where in the frame, in bytes from its start. */
  readonly offset?: number;

  constructor(
    message: string,
    options: {
      kind?: "protocol" | "limit";
      side?: "local" | "remote";
      fatal?: boolean;
      offset?: number;
      hint?: string;
    } = {},
  ) {
    super(options.kind ?? "protocol", message, { hint: options.hint });
    this.side = options.side ?? "remote";
    this.fatal = options.fatal ?? false;
    this.offset = options.offset;
  }
}
