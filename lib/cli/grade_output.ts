// Where a graded run goes: to the terminal as it happens, or in one of the other forms, when it is over, to standard output
// or a file.

import { stripAnsiCode, yellow } from "@std/fmt/colors";
import { describeSystemError } from "../net/errors.ts";
import type { GradedCheck, Report } from "../grade/report.ts";
import { REPORT_FORMATS } from "../grade/reports/formats.ts";
import { NetlabError } from "../protocol/errors.ts";
import { encodeText, escapeText } from "../protocol/text.ts";
import { checkLines, summaryLines } from "./grade_report.ts";
import type { Output } from "./output.ts";

/** Takes a run as it happens. */
export interface ReportWriter extends Disposable {
  onResult(result: GradedCheck): void;
  /** @throws {NetlabError} of kind `harness` when it cannot be written */
  finish(report: Report): void;
}

/**
 * Makes ready to write a run, so that what cannot be written is known before an hour of grading.
 *
 * @param format `text`, or one of `REPORT_FORMATS`
 * @param path of the file; null for standard output
 * @throws {NetlabError} of kind `harness` when the file cannot be written
 */
export async function openReport(format: string, path: string | null, output: Output): Promise<ReportWriter> {
  const file = path === null ? null : new OutFile(path);
  const dispose = () => file?.close();
  const write = (text: string) => file === null ? output.out.text(text) : file.write(text);
  if (format === "text") {
    const line = (line: string) => write(`${file === null ? line : stripAnsiCode(line)}\n`);
    return {
      onResult: (result) => checkLines(result, output.width).forEach(line),
      finish: (report) => summaryLines(report).forEach(line),
      [Symbol.dispose]: dispose,
    };
  }
  const { load, needs = [] } = REPORT_FORMATS[format];
  const form = await load();
  const about = (name: string) => Deno.env.get(name);
  const missing = needs.filter((name) => !about(name));
  const note = (text: string) => output.err.line(`${yellow("note:")} ${escapeText(text)}`);
  return {
    onResult: () => {},
    finish(report) {
      report.notes.forEach(note);
      if (missing.length > 0) note(`this is nobody's result: ${missing.join(", ")} should be in the environment`);
      write(form(report, about));
    },
    [Symbol.dispose]: dispose,
  };
}

/** A file that is new: nobody takes yesterday's points for today's when a run breaks off. */
class OutFile {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#path = path;
    this.#file = this.#try(() => Deno.openSync(path, { write: true, create: true, truncate: true }));
  }

  write(text: string): void {
    this.#try(() => {
      for (let bytes = encodeText(text); bytes.length > 0;) bytes = bytes.subarray(this.#file.writeSync(bytes));
    });
  }

  close(): void {
    this.#file.close();
  }

  #try<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new NetlabError("harness", `cannot write ${this.#path}: ${describeSystemError(cause)}`, {
        hint: "name another --out",
        cause,
      });
    }
  }
}
