// deno task release: makes the binaries of every platform in dist/release, and SHA256SUMS to check them with
// (`sha256sum -c SHA256SUMS`). A target that can't be made is named with the reason, and makes the exit status 1. Where
// the reason is in netlab's code, `deno task compile` tells more.

import { createHash } from "node:crypto";
import { format } from "@std/fmt/bytes";
import { build, BuildError, executable, findCompiler, version } from "./build.ts";

const TARGETS = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64": "x86_64-pc-windows-msvc",
};
const FOLDER = "dist/release";
/** For one target, with the download of its runtime base. */
const LIMIT_MS = 120_000;

Deno.chdir(new URL("..", import.meta.url));
Deno.exit(await release());

/** Returns the exit status. */
async function release(): Promise<number> {
  await removeOld();
  const sums: string[] = [];
  const missing: string[] = [];
  for (const [platform, target] of Object.entries(TARGETS)) {
    const name = executable(`netlab-${version}-${platform}`, target);
    try {
      const bytes = await build(await findCompiler(), FOLDER, name, { target, limitMs: LIMIT_MS });
      sums.push(`${await sha256(`${FOLDER}/${name}`)}  ${name}\n`);
      console.error(`made ${name}, ${format(bytes)}`);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      missing.push(platform);
      console.error(`MISSING ${name}: ${error.message}`);
    }
  }
  if (sums.length > 0) await Deno.writeTextFile(`${FOLDER}/SHA256SUMS`, sums.join(""));
  const made = `${sums.length} of ${Object.keys(TARGETS).length} made in ${FOLDER}`;
  console.error(missing.length === 0 ? made : `${made}; missing: ${missing.join(", ")}`);
  return missing.length === 0 ? 0 : 1;
}

/** An earlier release must not be taken for a part of this one. */
async function removeOld(): Promise<void> {
  try {
    await Deno.remove(FOLDER, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  return hash.digest("hex");
}
