// What the shell is asked: Deno's permissions let netlab read neither /proc nor PATH.

import { decodeLossy } from "../protocol/text.ts";

/** What a shell command prints: for what Deno's permissions do not let us read. Empty when it fails. @param args `$0` … */
export async function ask(line: string, ...args: string[]): Promise<string> {
  if (Deno.build.os === "windows") return "";
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line, ...args], stdin: "null", stderr: "null" })
    .output();
  return decodeLossy(stdout);
}
