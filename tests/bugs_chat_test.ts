// Mistakes on purpose, and the checks that find them: chat, messages.

import { testBugs } from "./bugs_helpers.ts";

testBugs(["chat", "messages"]);
