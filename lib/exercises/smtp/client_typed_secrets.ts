// Passwords in what a person types who speaks SMTP by hand: they are not seen while they are typed, and stay in no history.

import { type Login, secretFrom, strayFrom } from "./framing.ts";

/** What the next line is: a command, content behind DATA or BDAT, or an answer of AUTH: a name, or what nobody may see. */
export type LineMode = "command" | "content" | "chunk" | "user" | "secret";

/** Looks for them in the lines of one session. */
export class TypedSecrets {
  /** What may be an answer of AUTH counts as one also before its question has come. */
  #login: Login = "none";
  /** So many answers to it are still to be typed: what is pasted comes before anybody is asked for it. */
  #answersLeft = 0;

  /** Takes in a line that has just been typed. @returns whether it has a password in it, or may have */
  take(line: string, mode: LineMode): boolean {
    if (isContent(mode)) return false;
    const secret = this.#isSecret(line, mode);
    const [, mechanism, answer] = /^\s*AUTH\s+(LOGIN|PLAIN)(\s+\S)?/i.exec(line) ?? [];
    if (mechanism === undefined) this.#answersLeft = Math.max(0, this.#answersLeft - 1);
    else this.#answersLeft = (/LOGIN/i.test(mechanism) ? 2 : 1) - (answer === undefined ? 0 : 1);
    return secret;
  }

  /** An answer, too, where AUTH was refused. */
  #isSecret(line: string, mode: LineMode): boolean {
    if (mode !== "command" || this.#answersLeft > 0 || /^\s*\/base64\s/.test(line)) return true;
    return this.secretIn(line) < line.length;
  }

  /** Where in a command a password begins, or what may be one; its length where nothing does. */
  secretIn(command: string): number {
    if (!/^\s*AUTH/i.test(command)) return strayFrom(command, this.#login);
    this.#login = "tried";
    return secretFrom(command);
  }

  /** Where in the line being typed a password begins; not before its end where none does. */
  hiddenFrom(line: string, mode: LineMode): number {
    if (isContent(mode)) return Infinity;
    const isName = mode === "user" && this.#answersLeft === 2;
    if (mode === "secret" || (this.#answersLeft > 0 && !isName)) return 0;
    // The mechanism is seen while it is being typed: no name of one is whole before its end.
    return mode === "command" && !/^\s*AUTH\s*\S*$/i.test(line) ? secretFrom(line) : Infinity;
  }

  /** Takes in the code of a reply to `asked`. */
  heard(asked: string, code: number): void {
    const isLogin = /^AUTH\b/.test(asked);
    if (isLogin ? code !== 334 : code === 354) this.#answersLeft = 0;
    if (isLogin && code === 235) this.#login = "done";
  }
}

const isContent = (mode: LineMode): boolean => mode === "content" || mode === "chunk";
