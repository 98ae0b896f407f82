// Mistakes on purpose, and the checks that find them: talk, multitalk.

import { testBugs } from "./bugs_helpers.ts";

testBugs(["talk", "multitalk"]);
