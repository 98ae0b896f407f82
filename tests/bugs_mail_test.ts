// Mistakes on purpose, and the checks that find them: smtp.

import { assert } from "@std/assert";
import { exercises } from "../lib/exercises/registry.ts";
import { testBugs } from "./bugs_helpers.ts";
import { test } from "./helpers.ts";

testBugs(["smtp"]);

test("every exercise is in one of these files", () => {
  const files = [...Deno.readDirSync("tests")].map(({ name }) => name).filter((name) =>
    /^bugs_\w+_test\.ts$/.test(name)
  );
  const named = files.flatMap((name) => Deno.readTextFileSync(`tests/${name}`).match(/(?<=")[a-z]+(?=")/g) ?? []);
  for (const { name } of exercises) assert(named.includes(name), name);
});
