// Lockstep chat: two people, and each message has to be answered before its sender may send the next.
//
//                 send                        the other's message
//     my turn ───────────► waiting ──────────────────────────────► my turn
//                            │ ▲ ERROR wait …        either may begin; a refusal is no turn
//                 silence    ▼ │
//                        may send again (UDP only: the message or its answer may be lost)
//
// On the wire: text. Out of turn it is answered with ERROR wait for the reply, and not shown.

import type { Millis } from "../../protocol/clock.ts";
import type { Effect, Input, Machine } from "../../protocol/machine.ts";
import { errorReply, isError } from "../text.ts";

export const refusal = {
  wait: () => "wait for the reply",
  busy: () => "busy",
  empty: () => "empty message",
  left: () => "your partner has left",
  shutdown: () => "server is shutting down",
};

/** What hangs up, when typed. */
export const BYE = "/bye";

/** After so long without an answer over UDP, a message may be sent again, in ms. */
export const RESEND_MS: Millis = 10_000;

/** What the person is told. */
export type TalkEvent =
  /** The other's message: now it is our turn. */
  | { readonly type: "message"; readonly text: string }
  /** The other's refusal, as it came. */
  | { readonly type: "refused"; readonly text: string }
  /** What was typed is not sent; why. */
  | { readonly type: "notSent"; readonly why: string }
  /** Nothing came for so long; what is typed now is sent. */
  | { readonly type: "silence"; readonly ms: Millis };

type Effects = Effect<string, TalkEvent>[];

/** One end of a conversation; its commands are the lines that are typed. */
export class TalkMachine implements Machine<string, string, TalkEvent> {
  /** Null over TCP, which loses nothing. */
  readonly #resendMs: Millis | null;
  readonly #whyUnfit: (text: string) => string | null;
  /** When our last message was sent, while it has no answer. */
  #waitingSince: Millis | null = null;
  /** It may be lost. */
  #silent = false;
  /** The other's last message, while it has no answer. */
  #unanswered: string | null = null;
  #begun = false;
  /** What the log has been told that the other said besides. */
  readonly #told = new Set<string>();

  /**
   * @param resendMs for UDP: after this, an unanswered message may be sent again
   * @param whyUnfit why a text cannot be sent whole; null when it can
   */
  constructor(resendMs: Millis | null, whyUnfit: (text: string) => string | null = () => null) {
    this.#resendMs = resendMs;
    this.#whyUnfit = whyUnfit;
  }

  /** Whether either has said anything that is a message. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether what is typed now would be sent. */
  get mayType(): boolean {
    return this.#waitingSince === null || this.#silent;
  }

  /** Whether what we sent may be lost. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Whether the other waits for our answer. */
  get owesAnswer(): boolean {
    return this.#unanswered !== null;
  }

  step(input: Input<string, string>, now: Millis): Effects {
    switch (input.type) {
      case "start":
        return [];
      case "message":
        return this.#receive(input.message, now);
      case "command":
        return this.#say(input.command, now);
      case "timer":
        return this.#fallSilent(now);
      case "end":
        return [{ type: "close", error: input.error }];
    }
  }

  deadline(): Millis | null {
    if (this.#resendMs === null || this.#waitingSince === null || this.#silent) return null;
    return this.#waitingSince + this.#resendMs;
  }

  #receive(text: string, now: Millis): Effects {
    if (isError(text)) return this.#refused(text, now);
    if (text.trim() === "") return [];
    if (this.#unanswered !== null) {
      // UDP may deliver twice, and who has heard nothing sends again: the same is no new message.
      if (this.#resendMs !== null && text === this.#unanswered) return this.#noteOnce("duplicate dropped");
      return [{ type: "send", message: errorReply(refusal.wait()) }, ...this.#noteOnce("out of turn, not shown")];
    }
    this.#told.clear();
    this.#begun = true;
    this.#unanswered = text;
    this.#waitSince(null);
    return [{ type: "event", event: { type: "message", text } }];
  }

  /** Once a turn: nobody shall fill the screen of who is to answer. */
  #noteOnce(text: string): Effects {
    if (this.#told.has(text)) return [];
    this.#told.add(text);
    return [{ type: "note", text }];
  }

  #refused(text: string, now: Millis): Effects {
    const refused: Effects = [{ type: "event", event: { type: "refused", text } }];
    if (text === errorReply(refusal.wait())) {
      // So our message has come, and only its answer is missing: unless that has come before, as where messages cross.
      if (this.#unanswered === null) this.#waitSince(now);
      return refused;
    }
    this.#waitSince(null);
    return this.#resendMs !== null && isLast(text) ? [...refused, { type: "close" }] : refused;
  }

  #say(text: string, now: Millis): Effects {
    const why = isError(text)
      ? "a message cannot begin with ERROR: refusals do"
      : this.mayType
      ? this.#whyUnfit(text)
      : refusal.wait();
    if (why !== null) return [{ type: "event", event: { type: "notSent", why } }];
    this.#waitSince(now);
    this.#begun = true;
    this.#unanswered = null;
    return [{ type: "send", message: text }];
  }

  #waitSince(time: Millis | null): void {
    this.#waitingSince = time;
    this.#silent = false;
  }

  #fallSilent(now: Millis): Effects {
    const deadline = this.deadline();
    if (deadline === null || now < deadline) return [];
    this.#silent = true;
    return [{ type: "event", event: { type: "silence", ms: this.#resendMs! } }];
  }
}

/** Whether, over UDP, nothing will follow this refusal. */
function isLast(text: string): boolean {
  return [refusal.busy(), refusal.left(), refusal.shutdown(), "idle for"].some((why) =>
    text.startsWith(errorReply(why))
  );
}
