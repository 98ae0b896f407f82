// What judges programs of this exercise, and the mistakes that its own server can make.

import { SAMPLE, SAMPLE_NAME } from "./sample.ts";

export { bugs } from "./bugs.ts";
export { checks, clientChecks, meeting } from "./checks.ts";
export { makeNotation } from "./framing.ts";

export const samples = { [SAMPLE_NAME]: SAMPLE };
