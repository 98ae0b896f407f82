// Mistakes on purpose, and the checks that find them: smtp, and whatever none of the other files names.

import { exercises } from "../lib/exercises/registry.ts";
import { testBugs } from "./bugs_helpers.ts";

const others = [...Deno.readDirSync("tests")].map(({ name }) => name).filter((name) =>
  /^bugs_\w+_test\.ts$/.test(name) && !import.meta.url.endsWith(`/${name}`)
);
const named = others.flatMap((name) => Deno.readTextFileSync(`tests/${name}`).match(/(?<=")[a-z]+(?=")/g) ?? []);

testBugs(exercises.map(({ name }) => name).filter((name) => !named.includes(name)));
