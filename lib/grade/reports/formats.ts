// The forms in which a graded run can be written. Whoever offers a choice of them (the command line, help, tests) reads this.

import type { Report } from "../report.ts";

/** What a form may ask about its surroundings: environment variables, by name. */
export type About = (name: string) => string | undefined;

/** One form. */
export interface ReportFormat {
  /** In two or three words. */
  readonly summary: string;
  /** Environment variables without which it says nothing of whose run it was. */
  readonly needs?: readonly string[];
  /** Loads what writes it: most runs of netlab write none. */
  load(): Promise<(report: Report, about: About) => string>;
}

/** By name. */
export const REPORT_FORMATS: Readonly<Record<string, ReportFormat>> = {
  tap: { summary: "TAP 14", load: async () => (await import("./tap.ts")).toTap },
  junit: { summary: "JUnit XML", load: async () => (await import("./junit.ts")).toJUnit },
  json: { summary: "all there is", load: async () => (await import("./json.ts")).toJson },
  gradescope: {
    summary: "results.json of Gradescope",
    load: async () => (await import("./gradescope.ts")).toGradescope,
  },
  classroom50: {
    summary: "result.json of Classroom 50",
    needs: ["CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"],
    load: async () => (await import("./classroom50.ts")).toClassroom50,
  },
  html: { summary: "one page", load: async () => (await import("./html.ts")).toHtml },
  md: {
    summary: "a comment on a pull request",
    load: async () => (await import("./markdown.ts")).toMarkdown,
  },
};
