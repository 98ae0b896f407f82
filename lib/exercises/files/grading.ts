// What judges programs of this exercise, and the mistakes that its own server can make.

import { LONG } from "./checks.ts";
import { SAMPLES } from "./protocol.ts";

export { bugs } from "./bugs.ts";
export { checks, clientChecks, meeting } from "./checks.ts";

export const samples = { ...SAMPLES, "long.txt": LONG };
