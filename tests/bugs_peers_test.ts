// Mistakes on purpose, and the checks that find them: peer, mesh, calc.

import { testBugs } from "./bugs_helpers.ts";

testBugs(["peer", "mesh", "calc"]);
