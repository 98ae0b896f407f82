// Runs a command line as main.ts does, and says on standard error whether it may start a shell afterwards.

import { run } from "../../lib/cli/main.ts";

await run(Deno.args);
const command = Deno.build.os === "windows" ? "cmd" : "sh";
const { state } = await Deno.permissions.query({ name: "run", command });
await Deno.stderr.write(new TextEncoder().encode(`shell: ${state}\n`));
Deno.exit(0);
