// `netlab grade EXERCISE --batch DIR`: a folder of submissions, each by itself, or with `--matrix` all with all.

import { dim, green, red, yellow } from "@std/fmt/colors";
import { describeSystemError } from "../net/errors.ts";
import {
  batchCsv,
  type BatchSettings,
  gradeFolder,
  matrixCsv,
  type MatrixSettings,
  meetAll,
  submissionsOf,
} from "../grade/batch.ts";
import { listOthers } from "../grade/folder.ts";
import { formatPoints, isPerfect } from "../grade/report.ts";
import { batchPage, matrixPage } from "../grade/reports/tables.ts";
import { NetlabError } from "../protocol/errors.ts";
import { escapeText } from "../protocol/text.ts";
import { EXIT_OK, EXIT_STATUS } from "./exit.ts";
import type { Output } from "./output.ts";

/** Grades each. @param out the results' file, without what its form adds to its name */
export async function runBatch(settings: BatchSettings, out: string, output: Output): Promise<number> {
  prepare(settings.dir, out, output);
  const { subject } = settings;
  const graded = await gradeFolder(settings, ({ name, report, cached, ungraded }) => {
    if (ungraded !== null) {
      return output.out.line(`${red("not graded".padStart(14))}  ${escapeText(name)}  ${dim(escapeText(ungraded))}`);
    }
    const { points, maxPoints, durationMs } = report;
    const score = `${formatPoints(points)} of ${formatPoints(maxPoints)}`;
    const color = isPerfect(report) ? green : points > 0 ? yellow : red;
    const how = cached ? "unchanged" : `${(durationMs / 1000).toFixed(1)} s`;
    output.out.line(`${color(score.padStart(14))}  ${escapeText(name)}  ${dim(how)}`);
  });
  writeTable(`${out}.csv`, batchCsv(graded), output);
  writeTable(`${out}.html`, batchPage(graded, "command" in subject ? subject.command : ""), output);
  const unkept = graded.find(({ unkept }) => unkept !== null)?.unkept;
  if (unkept) output.err.line(`${yellow("note:")} results are not kept for the next time: ${escapeText(unkept)}`);
  if (graded.some(({ ungraded }) => ungraded !== null)) return EXIT_STATUS.harness;
  return graded.every(({ report }) => isPerfect(report)) ? EXIT_OK : 1;
}

/** Has every client meet every server. */
export async function runMatrix(settings: MatrixSettings, out: string, output: Output): Promise<number> {
  prepare(settings.dir, out, output);
  const meetings = await meetAll(settings, ({ server, client, broken }) => {
    const mark = broken ? red("✗") : green("✓");
    const why = broken ? dim(`  ${escapeText(`${broken.step}: ${broken.because}`)}`) : "";
    output.out.line(`${mark} server of ${escapeText(server)}, client of ${escapeText(client)}${why}`);
  });
  writeTable(`${out}.csv`, matrixCsv(meetings), output);
  writeTable(`${out}.html`, matrixPage(settings.exercise.name, meetings), output);
  if (meetings.some(({ unplayed }) => unplayed)) return EXIT_STATUS.harness;
  return meetings.every(({ broken }) => broken === null) ? EXIT_OK : 1;
}

/** Finds out what is in the way, before an hour of grading. @throws {NetlabError} when the table cannot be written */
function prepare(dir: string, out: string, output: Output): void {
  submissionsOf(dir); // who names another folder by mistake hears of that
  const others = listOthers(dir);
  if (others.length > 0) {
    output.err.line(`${yellow("note:")} not graded, as it is no folder: ${escapeText(others.join(", "))}`);
  }
  for (const path of [`${out}.csv`, `${out}.html`]) {
    attempt(path, () => {
      using file = Deno.openSync(path, { append: true, create: true });
      if (file.statSync().isDirectory) throw new Error("it is a folder"); // Windows opens them, too
    });
  }
}

function writeTable(path: string, text: string, output: Output): void {
  attempt(path, () => Deno.writeTextFileSync(path, text));
  output.err.line(`the table is in ${path}`);
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new NetlabError("harness", `cannot write ${path}: ${describeSystemError(cause)}`, {
      hint: "the table goes into the folder of the submissions: grade a copy of it, where you may write",
      cause,
    });
  }
}
