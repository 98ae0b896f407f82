// Which netlab this is.

import config from "../../deno.json" with { type: "json" };

export const VERSION: string = config.version;

/** `netlab 0.1.0`, and with `verbose` what it stands on. */
export function versionLines(verbose: boolean): string[] {
  const lines = [`netlab ${VERSION}`];
  if (verbose) {
    lines.push(
      `deno ${Deno.version.deno}, v8 ${Deno.version.v8}, typescript ${Deno.version.typescript}`,
      `${Deno.build.target}${Deno.build.standalone ? ", standalone" : ""}`,
    );
  }
  return lines;
}
