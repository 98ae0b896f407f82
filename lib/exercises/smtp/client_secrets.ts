// What nobody may see of what a client says: wherever it would be shown, asterisks stand for it.

import { encodeText, indexOfBytes } from "../../protocol/text.ts";
import type { Trace } from "../../protocol/trace.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Passwords, in every form in which they could be seen. */
export class Secrets {
  readonly #texts = new Set<string>();

  /** @param text a password, or an answer of AUTH that has one in it */
  add(text: string): void {
    const said = [text, ...(decodeBase64(text)?.split("\0").slice(-1) ?? [])];
    for (const form of [...said, ...said.map(encodeBase64)]) {
      // Of what is shorter every text is full: hidden everywhere it would be easy to guess.
      if (form.length >= 4) this.#texts.add(form);
    }
  }

  hide(text: string): string {
    let hidden = text;
    for (const secret of this.#texts) hidden = hidden.replaceAll(secret, "****");
    return hidden;
  }

  /** As many bytes, with others in place of what is secret. */
  hideBytes(bytes: Uint8Array): Uint8Array {
    let hidden = bytes;
    for (const secret of this.#texts) {
      const wanted = encodeText(secret);
      for (let at = indexOfBytes(hidden, wanted); at >= 0; at = indexOfBytes(hidden, wanted, at + wanted.length)) {
        if (hidden === bytes) hidden = bytes.slice();
        hidden.fill(0x2a, at, at + wanted.length);
      }
    }
    return hidden;
  }

  /** A trace that does not show them. */
  keepFrom(trace: Trace): Trace {
    return {
      get wants() {
        return trace.wants;
      },
      emit: (event) => trace.emit(event.type === "bytes" ? { ...event, bytes: this.hideBytes(event.bytes) } : event),
    };
  }
}
