// Standard input off a terminal: a line each, as UTF-8 and nothing else. What is not is never changed into something that
// is: the script ends there.

import { ByteQueue } from "../protocol/byte_queue.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { LineFramer } from "../protocol/framing.ts";
import { decodeText } from "../protocol/text.ts";

/** The mark with which some editors begin a text; no part of its first line. */
const BYTE_ORDER_MARK = "\ufeff";

/** Lines that come from a pipe or a file. */
export interface PipedLines {
  /** Ends `lines`. */
  stop(): void;
  /** @throws {ProtocolError} at a line that is not UTF-8 */
  lines(): AsyncIterable<string>;
}

/** The lines of standard input. Nothing is read before somebody asks. */
export function pipedLines(): PipedLines {
  const stopped = new AbortController();
  return {
    stop: () => stopped.abort(),
    lines: () => stopped.signal.aborted ? nothing() : splitLines(chunks(stopped.signal)),
  };
}

async function* nothing(): AsyncIterable<string> {}

/** What is read from standard input, until it ends or `signal` is aborted. */
async function* chunks(signal: AbortSignal): AsyncIterable<Uint8Array> {
  const reader = Deno.stdin.readable.getReader();
  const stop = new Promise<{ done: true; value: undefined }>((resolve) =>
    signal.addEventListener("abort", () => resolve({ done: true, value: undefined }), { once: true })
  );
  while (!signal.aborted) {
    const { value, done } = await Promise.race([reader.read(), stop]);
    if (done) return;
    yield value;
  }
}

/**
 * The lines of a text, each without its LF and one CR before that; the last needs no LF.
 *
 * @throws {ProtocolError} at a line that is not UTF-8, naming its number
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const [queue, framer] = [new ByteQueue(), new LineFramer(Infinity)];
  let number = 0;
  const read = (line: Uint8Array) => {
    const text = decodeLine(line, ++number);
    return number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  };
  for await (const chunk of chunks) {
    queue.push(chunk);
    for (let line = framer.cut(queue); line !== null; line = framer.cut(queue)) yield read(line);
  }
  if (queue.length > 0) yield read(queue.take(queue.length));
}

function decodeLine(line: Uint8Array, number: number): string {
  try {
    return decodeText(line);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(`line ${number} of standard input is not UTF-8 (${error.message})`, {
      side: "local",
      offset: error.offset,
      hint: "neither it nor what stands behind it is sent; iconv -f latin1 -t utf-8 makes UTF-8 of most old files",
    });
  }
}
