// What judges programs of this exercise, and the mistakes that its own server can make.

import type { Check } from "../check.ts";
import { checks as pduChecks, seedChecks } from "./checks.ts";

export { bugs } from "./bugs.ts";
export { clientChecks, meeting, SAMPLES as clientSamples } from "./client_checks.ts";
export { makeNotation } from "./framing.ts";

export const checks: readonly Check[] = [...pduChecks, ...seedChecks];
