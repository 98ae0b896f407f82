// Standard input off a terminal: a line each, as UTF-8 and nothing else. What is not is never changed into something that
// is: the script ends there.

import { DelimiterStream } from "@std/streams";
import { standardInput } from "../exercises/standard_input.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { decodeText } from "../protocol/text.ts";

const LF = 0x0a;
/** The mark with which some editors begin a text; no part of its first line. */
const BYTE_ORDER_MARK = "\ufeff";

/** Lines that come from a pipe or a file. */
export interface PipedLines {
  /** Ends `lines`. */
  stop(): void;
  /**
   * Each without its LF, and one CR before that; the last needs no LF. Nothing is read before somebody asks.
   *
   * @throws {NetlabError} at a line that is not UTF-8, naming its number, and where nothing can be read
   */
  lines(): AsyncIterable<string>;
}

/** The lines of standard input. */
export function pipedLines(): PipedLines {
  const stopped = Promise.withResolvers<{ done: true; value: undefined }>();
  let isStopped = false;
  return {
    stop() {
      isStopped = true;
      stopped.resolve({ done: true, value: undefined });
    },
    async *lines(): AsyncIterable<string> {
      if (isStopped) return;
      const lines = standardInput()
        .pipeThrough(new DelimiterStream(Uint8Array.of(LF), { disposition: "suffix" }))
        .getReader();
      for (let number = 1;; number++) {
        const { value, done } = await Promise.race([lines.read(), stopped.promise]);
        if (done) return;
        if (value.length > 0) yield decodeLine(value, number); // the end of a text that ends with LF is none
      }
    },
  };
}

function decodeLine(line: Uint8Array, number: number): string {
  try {
    const text = decodeText(line).replace(/\r?\n$/, "");
    return number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(`line ${number} of standard input is not UTF-8 (${error.message})`, {
      side: "local",
      offset: error.offset,
      hint: "neither it nor what stands behind it is sent; iconv -f latin1 -t utf-8 makes UTF-8 of most old files",
    });
  }
}
