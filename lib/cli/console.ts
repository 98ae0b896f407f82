// The person or script at this end: a terminal with line editing, or lines from a pipe.

import { dim } from "@std/fmt/colors";
import { TextLineStream } from "@std/streams";
import type { Console } from "../exercises/exercise.ts";
import { escapeText, safeJson } from "../protocol/text.ts";
import type { Output } from "./output.ts";

/** How a console behaves. */
export interface ConsoleOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Called when the person presses Ctrl-C while a line is being edited. */
  onInterrupt(): void;
}

/** The console of this process. */
export async function openConsole(output: Output, options: ConsoleOptions): Promise<Console> {
  const interactive = Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && !options.json;
  const show = (text: string, event: Readonly<Record<string, unknown>>) =>
    options.json ? safeJson(event) : escapeText(text);
  if (interactive) {
    // Only now: what it stands on takes longer to load than all of netlab.
    const { openTerminal } = await import("./terminal.ts");
    const terminal = openTerminal(options.onInterrupt);
    // On the same screen, traces and notes must not run into the line being typed either.
    const print = (text: string) => terminal.print(text.replace(/\n$/, ""));
    output.out.divert(print);
    if (Deno.stderr.isTerminal()) output.err.divert(print);
    return {
      interactive,
      lines: (prompt = "> ") => terminal.lines(prompt),
      stop: () => terminal.stop(),
      print: (text) => terminal.print(escapeText(text)),
      note: (text) => options.quiet || terminal.print(dim(escapeText(text))),
      completeWith: (candidates) => terminal.completeWith(candidates),
    };
  }
  const pipe = pipedLines();
  return {
    interactive,
    lines: () => pipe.lines(),
    stop: () => pipe.stop(),
    print: (text, event = { event: "print", text }) => output.out.line(show(text, event)),
    note: (text) => options.quiet || output.err.line(escapeText(text)),
    completeWith() {},
  };
}

/** Standard input, a line each. Nothing is read before somebody asks. */
function pipedLines() {
  const stopped = new AbortController();
  return {
    stop: () => stopped.abort(),
    async *lines(): AsyncIterable<string> {
      if (stopped.signal.aborted) return;
      const reader = Deno.stdin.readable
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream({ allowCR: false }))
        .getReader();
      const stop = new Promise<{ done: true; value: undefined }>((resolve) =>
        stopped.signal.addEventListener("abort", () => resolve({ done: true, value: undefined }), { once: true })
      );
      for (;;) {
        const { value, done } = await Promise.race([reader.read(), stop]);
        if (done) return;
        yield value;
      }
    },
  };
}
