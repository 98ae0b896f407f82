// A login (RFC 4954), by PLAIN (RFC 4616) or by LOGIN, which nobody has standardized:
//
//     C: AUTH PLAIN             S: 334                  C: base64 of \0name\0password
//     C: AUTH LOGIN             S: 334 VXNlcm5hbWU6     C: base64 of the name
//                               S: 334 UGFzc3dvcmQ6     C: base64 of the password
//
// The first answer may stand behind the mechanism; `*` gives up.

import { decodeBase64 } from "./base64.ts";
import { type Reply, reply } from "./protocol.ts";

export const WRONG_PASSWORD = reply(535, "5.7.8", "wrong name or password");
export const NO_BASE64 = reply(501, "5.5.2", "that is no base64");

const MECHANISMS = ["PLAIN", "LOGIN"] as const;
export type Mechanism = typeof MECHANISMS[number];

/** The mechanism of that name, in any case. */
export function findMechanism(name: string): Mechanism | undefined {
  return MECHANISMS.find((one) => new RegExp(`^${one}$`, "i").test(name));
}

/** What comes next. */
export type AuthStep =
  /** A question: what the client says next is its answer. */
  | { readonly type: "ask"; readonly reply: Reply }
  | { readonly type: "refuse"; readonly reply: Reply }
  /** All has been said: whether it is right has to be looked up. */
  | { readonly type: "check"; readonly user: string; readonly password: string };

/** One login. */
export class AuthExchange {
  /** Whether there were spaces around an answer that have been taken away. */
  trimmed = false;
  readonly #mechanism: Mechanism;
  readonly #compat: boolean;
  #user: string | null = null;

  constructor(mechanism: Mechanism, compat: boolean) {
    this.#mechanism = mechanism;
    this.#compat = compat;
  }

  /** What is asked now. */
  question(): AuthStep {
    const text = this.#mechanism === "PLAIN" ? "" : this.#user === null ? "VXNlcm5hbWU6" : "UGFzc3dvcmQ6";
    return { type: "ask", reply: reply(334, null, text) };
  }

  /** Takes in the client's answer. */
  answer(line: string): AuthStep {
    if (line === "*") return { type: "refuse", reply: reply(501, "5.7.0", "as you like") };
    const decoded = decodeBase64(this.#trim(line));
    if (decoded === null) return { type: "refuse", reply: NO_BASE64 };
    const text = this.#trim(decoded);
    if (this.#mechanism === "LOGIN") {
      if (this.#user !== null) return this.#check("", this.#user, text);
      this.#user = text;
      return this.question();
    }
    const [identity, user, password, ...more] = text.split("\0");
    if (password === undefined || more.length > 0) {
      return { type: "refuse", reply: reply(501, "5.5.2", "PLAIN is \\0name\\0password") };
    }
    return this.#check(identity, user, password);
  }

  /** To act as somebody else (RFC 4616) is nobody's right here. */
  #check(identity: string, user: string, password: string): AuthStep {
    const isOwn = identity === "" || identity === user;
    return user !== "" && isOwn ? { type: "check", user, password } : { type: "refuse", reply: WRONG_PASSWORD };
  }

  #trim(text: string): string {
    const trimmed = this.#compat ? text.trim() : text;
    this.trimmed ||= trimmed !== text;
    return trimmed;
  }
}
