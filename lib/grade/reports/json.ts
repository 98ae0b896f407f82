// All there is of a graded run, as JSON.

import { safeJson } from "../../protocol/text.ts";
import type { Report } from "../report.ts";

/** Goes up when a field changes its meaning or goes; new ones may come at any time. */
const VERSION = 1;

export function toJson(report: Report): string {
  return `${safeJson({ version: VERSION, ...report }, 2)}\n`;
}
