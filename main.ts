// The entry point: hands the arguments to the command line and exits with its status.
import { run } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
