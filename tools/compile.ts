// deno task compile: makes dist/netlab (dist\netlab.exe on Windows) for this platform and says so on stdout.
// Exit status: 0 made and tried out, 1 netlab does not compile, 3 something around it is missing.

import { format } from "@std/fmt/bytes";
import { build, BuildError, executable, findCompiler, version } from "./build.ts";

Deno.chdir(new URL("..", import.meta.url));

try {
  const compiler = await findCompiler();
  const base = Deno.env.get("DENORT_BIN") ?? "its own runtime base, downloaded the first time";
  console.error(`compiling netlab ${version} with Deno ${compiler.version} on ${base} …`);
  const name = executable("netlab");
  const bytes = await build(compiler, "dist", name);
  console.log(`dist/${name}: netlab ${version}, ${format(bytes)}`);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  if (error.cause) console.error(error.cause);
  console.error([`compile: ${error.message}`, error.hint].filter(Boolean).join("; "));
  Deno.exit(error.status);
}
