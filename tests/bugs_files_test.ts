// Mistakes on purpose, and the checks that find them: files, stream, transfer.

import { testBugs } from "./bugs_helpers.ts";

testBugs(["files", "stream", "transfer"]);
