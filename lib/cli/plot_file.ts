// `--plot`: where the time-sequence graph of a transfer is drawn, on standard error or into a file.

import { isFile } from "../exercises/own_file.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Sink } from "../trace/bus.ts";
import { type Draw, drawSvg, drawText, type PlotPoint, plotSink } from "../trace/plot.ts";
import type { Output } from "./output.ts";

/** A graph to be. */
export interface Plot {
  /** Draws what it was told when it is closed. */
  readonly sink: Sink;
  /** Why there is no picture, once that is known. */
  readonly failure: NetlabError | null;
}

/** Draws below the results, in characters. */
export function plotInText(output: Output): Plot {
  const draw = (points: readonly PlotPoint[]) => {
    if (points.length > 0) drawText(points, output.width).forEach((row) => output.err.line(row));
  };
  return { sink: plotSink(draw), failure: null };
}

/**
 * Draws into a file, and says so.
 *
 * @throws {NetlabError} of kind `usage` when it is called otherwise than a drawing, and of kind `harness` when it cannot
 *   be written, before there is anything to draw
 */
export function plotInFile(path: string, title: string, output: Output): Plot {
  if (!path.endsWith(".svg")) {
    throw new NetlabError("usage", `--plot: cannot draw "${path}"`, { hint: "its name says its form: FILE.svg" });
  }
  const isNew = makeWritable(path);
  let failure: NetlabError | null = null;
  const draw: Draw = (points, countOf, connected) => {
    try {
      if (points.length > 0) {
        Deno.writeTextFileSync(path, drawSvg(points, title, countOf));
        output.err.line(`the plot is in ${path}`);
        return;
      }
      if (isNew) Deno.removeSync(path);
      if (connected) output.err.line(`no chunk was sent: there is no plot of it in ${path}`);
    } catch (cause) {
      failure = notWritten(path, cause, "the transfer is not drawn");
    }
  };
  return {
    sink: plotSink(draw),
    get failure() {
      return failure;
    },
  };
}

/** Sees to it that there is such a file, and changes nothing in it. @returns whether there was none */
function makeWritable(path: string): boolean {
  try {
    try {
      Deno.openSync(path, { write: true, createNew: true }).close();
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      // A pipe would wait for who reads it.
      if (!isFile(path)) throw new Error("it is no file");
      Deno.openSync(path, { write: true }).close();
      return false;
    }
  } catch (cause) {
    throw notWritten(path, cause, "name another --plot");
  }
}

function notWritten(path: string, cause: unknown, hint: string): NetlabError {
  return new NetlabError("harness", `cannot write ${path}: ${describeSystemError(cause)}`, { hint, cause });
}
