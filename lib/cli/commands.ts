// All commands. Dispatch, help and completion read this table and nothing else.

import { completions } from "./completions.ts";
import type { Command } from "./command.ts";
import { connect } from "./connect.ts";
import { explain } from "./explain.ts";
import { help } from "./help.ts";
import { list } from "./list.ts";
import { serve } from "./serve.ts";
import { version } from "./version.ts";

export const commands: readonly Command[] = [list, explain, serve, connect, completions, help, version];
