// Enforces the rules of the house: which folder may import which, what is pure, who opens sockets, who prints. The rules are
// checked on the text of the files; each is shown below to catch a small offender.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { test } from "./helpers.ts";

/** The folders of lib; an import may only point up this list, or stay where it is. */
const FOLDERS = ["protocol", "net", "trace", "exercises", "faults", "grade", "web", "cli"];

/** Words that pure code may not use: time, chance, the system, and waiting. */
const IMPURE = [
  ...["Deno", "Date", "performance", "process", "console", "fetch", "crypto"].map((name) =>
    `(?<![.\\w#])${name}\\b(?!\\s*:)`
  ),
  "\\bMath\\s*\\.\\s*random\\b",
  "\\b(?:set|clear)(?:Timeout|Interval|Immediate)\\b",
  "\\bqueueMicrotask\\b",
  "\\b(?:await|async)\\b",
  "\\bglobalThis\\b",
];
const SOCKETS = [
  "\\bDeno\\s*\\.\\s*(?:listen|connect|startTls|resolveDns)\\w*",
  "\\bnew\\s+(?:WebSocket|WebTransport|EventSource)\\b",
];
/** What is pure in what it does, and not in how it gets there: a built-in function is loaded when it is first called. */
const PURE_ALL_THE_SAME = "lib/protocol/crc32.ts";
const SOCKET_MODULES = /^node:(?:net|tls|dgram|http|https|http2|dns)\b/;
const PRINTS = [
  "(?<![.\\w#])console\\s*\\.\\s*(?:log|error|warn|info|debug|dir|table|trace|group\\w*|count\\w*|time\\w*|assert|clear)\\b",
  "\\bDeno\\s*\\.\\s*(?:stdout|stderr|consoleSize)\\b",
  "\\bprocess\\s*\\.\\s*(?:stdout|stderr)\\b",
];
/** What writes as a language does: the tables behind it take 12 ms to load, at each start if a module does so at its top. */
const LOCALE = ["\\btoLocale\\w*", "\\bIntl\\s*\\.\\s*(?!Segmenter\\b)\\w+"];

/** Source code without comments and with each literal as `"<its place in texts>"`. */
interface Code {
  readonly code: string;
  readonly texts: readonly string[];
}

/** Takes comments, strings, templates and regular expressions out of TypeScript; code inside of templates stays. */
function strip(source: string): Code {
  const texts: string[] = [];
  let code = "";
  let at = 0;
  const literal = (text: string) => `"${texts.push(text) - 1}"`;
  /** Up to the first match of `end` at or behind `from`, which is passed over. */
  const until = (end: RegExp, from: number): string => {
    end.lastIndex = from;
    const found = end.exec(source);
    at = found ? end.lastIndex : source.length;
    return source.slice(from, found ? found.index : source.length);
  };
  /** Reads code up to the brace that ends a template's `${`, or to the end. */
  const read = (inTemplate: boolean) => {
    for (let depth = 0; at < source.length;) {
      const rest = source.slice(at, at + 2);
      const character = source[at];
      if (rest === "//") until(/(?=\n)/g, at + 2);
      else if (rest === "/*") code += until(/\*\//g, at + 2).replace(/[^\n]/g, "") + " ";
      else if (character === '"' || character === "'") {
        code += literal(until(character === '"' ? /(?<!\\)(?:\\\\)*"/g : /(?<!\\)(?:\\\\)*'/g, at + 1));
      } else if (character === "`") {
        at++;
        readTemplate();
      } else if (character === "/" && /(?:^|[=(,:[!&|?{};+\n>]|\breturn|\bof|\bin)\s*$/.test(code)) {
        code += literal(until(/(?<!\\)(?:\\\\)*\/[a-z]*/g, at + 1));
      } else {
        if (character === "{") depth++;
        if (character === "}" && depth-- === 0 && inTemplate) return;
        code += character;
        at++;
      }
    }
  };
  const readTemplate = () => {
    code += literal("");
    while (at < source.length && source[at] !== "`") {
      if (source[at] === "\\") at += 2;
      else if (source.startsWith("${", at)) {
        at += 2;
        code += "+(";
        read(true);
        code += ")";
        at++;
      } else at++;
    }
    at++;
  };
  read(false);
  return { code, texts };
}

/** What a file imports, type imports included; `null` stands for a name that is computed. */
function importsOf({ code, texts }: Code): (string | null)[] {
  const named = code.matchAll(/\b(?:from|import)\s*\(?\s*"(\d+)"/g);
  const computed = code.matchAll(/\bimport\s*\(\s*(?!")/g);
  return [...[...named].map(([, place]) => texts[Number(place)]), ...[...computed].map(() => null)];
}

/** A path like `lib/net/x.ts`, seen from `lib/cli/y.ts` as `../net/x.ts`. */
function resolve(specifier: string, from: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

const isLocal = (specifier: string) => /^\.{0,2}\//.test(specifier);
const folderOf = (path: string) => path.split("/")[1];
const exerciseOf = (path: string) => /^lib\/exercises\/([^/]+)\//.exec(path)?.[1];

/** What all exercises share: a file of lib/exercises itself. */
const isShared = (path: string) => /^lib\/exercises\/[^/]+\.ts$/.test(path);

/** The files that have to be pure: protocol/, plans, each exercise's protocol.ts and machines, and what these take of their own or shared. */
function pureFiles(files: ReadonlyMap<string, Code>): Set<string> {
  const pure = new Set<string>();
  const add = (path: string) => {
    const file = files.get(path);
    if (file === undefined || pure.has(path)) return;
    pure.add(path);
    for (const specifier of importsOf(file)) {
      const target = specifier !== null && isLocal(specifier) ? resolve(specifier, path) : "";
      const own = exerciseOf(target) !== undefined && exerciseOf(target) === exerciseOf(path);
      if (own || isShared(target)) add(target);
    }
  };
  for (const path of files.keys()) {
    if (folderOf(path) === "protocol" || /^lib\/exercises\/[^/]+\/(?:protocol|\w+_machine)\.ts$/.test(path)) add(path);
    if (path === "lib/faults/plan.ts") add(path);
  }
  return pure;
}

/** Every breach of the rules in these files (paths from the root of the project). */
function breaches(sources: Readonly<Record<string, string>>): string[] {
  const files = new Map(Object.entries(sources).map(([path, source]) => [path, strip(source)]));
  const pure = pureFiles(files);
  const found: string[] = [];
  for (const [path, file] of files) {
    const folder = folderOf(path);
    const rank = FOLDERS.indexOf(folder);
    const say = (what: string) => found.push(`${path}: ${what}`);
    const forbid = (patterns: readonly string[], why: string) => {
      for (const pattern of patterns) {
        for (const [word] of file.code.matchAll(new RegExp(pattern, "g"))) say(`${why}: ${word}`);
      }
    };
    if (rank < 0) say(`there is no folder ${folder} in the design`);
    if (pure.has(path) && path !== PURE_ALL_THE_SAME) forbid(IMPURE, "is not pure");
    if (folder !== "net") forbid(SOCKETS, "opens sockets");
    if (folder !== "net" && folder !== "web") forbid(["\\bDeno\\s*\\.\\s*serve\\w*"], "opens sockets");
    if (folder !== "cli") forbid(PRINTS, "prints");
    forbid(LOCALE, "writes in a locale");
    for (const specifier of importsOf(file)) {
      if (specifier === null) say("imports a computed name");
      else if (!isLocal(specifier)) {
        if (pure.has(path) && path !== PURE_ALL_THE_SAME) say(`is not pure: imports ${specifier}`);
        if (folder !== "net" && SOCKET_MODULES.test(specifier)) say(`opens sockets: imports ${specifier}`);
      } else {
        const target = resolve(specifier, path);
        const ownFolder = exerciseOf(path) !== undefined && exerciseOf(target) === exerciseOf(path);
        if (pure.has(path) && folderOf(target) !== "protocol" && !pure.has(target)) {
          say(`is not pure: imports ${target}`);
        }
        if (!target.startsWith("lib/") && target !== "deno.json") say(`leaves the house: imports ${target}`);
        else if (FOLDERS.indexOf(folderOf(target)) > rank) say(`points down: imports ${target}`);
        if (exerciseOf(target) !== undefined && !ownFolder && path !== "lib/exercises/registry.ts") {
          say(`goes around the registry: imports ${target}`);
        }
      }
    }
  }
  return found;
}

/** All TypeScript under a folder of the project, by path. */
function sourcesUnder(folder: string): Record<string, string> {
  const root = new URL("../", import.meta.url);
  const sources: Record<string, string> = {};
  for (const entry of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) Object.assign(sources, sourcesUnder(path));
    else if (/\.tsx?$/.test(path) && !path.endsWith(".d.ts")) {
      sources[path] = Deno.readTextFileSync(new URL(path, root));
    }
  }
  return sources;
}

test("the house is in order: imports, purity, sockets and printing", () => {
  const sources = sourcesUnder("lib");
  assertGreaterOrEqual(Object.keys(sources).length, 30);
  assertEquals(breaches(sources), []);
});

test("the entry point does nothing but hand over to the command line", () => {
  const { code, texts } = strip(Deno.readTextFileSync(new URL("../main.ts", import.meta.url)));
  assertEquals(importsOf({ code, texts }), ["./lib/cli/main.ts"]);
  assertEquals(code.trim().split("\n").filter((line) => line.trim() !== "").length, 2);
});

test("no test sleeps", () => {
  const sleeping = Object.entries(sourcesUnder("tests")).filter(([, source]) =>
    /\b(?:setTimeout|setInterval)\b|(?<![.\w])(?:delay|pause)\s*\(|\bAtomics\s*\.\s*wait\b/.test(strip(source).code)
  );
  assertEquals(sleeping.map(([path]) => path), ["tests/net_clock_test.ts"]); // which is about pauses
});

/** Files, and the breaches that have to be found in them. */
const OFFENDERS: [string, Record<string, string>, string[]][] = [
  ["an import that points down", {
    "lib/protocol/a.ts": 'import { x } from "../net/b.ts";',
    "lib/net/b.ts": 'export type { Y } from "../trace/c.ts";',
    "lib/grade/c.ts": 'const y = await import("../cli/d.ts");',
    "lib/exercises/registry.ts": 'import "../grade/e.ts";',
  }, [
    "lib/protocol/a.ts: is not pure: imports lib/net/b.ts",
    "lib/protocol/a.ts: points down: imports lib/net/b.ts",
    "lib/net/b.ts: points down: imports lib/trace/c.ts",
    "lib/grade/c.ts: points down: imports lib/cli/d.ts",
    "lib/exercises/registry.ts: points down: imports lib/grade/e.ts",
  ]],
  ["a way around the registry, out of the house, or into the unknown", {
    "lib/cli/a.ts": 'import { chat } from "../exercises/chat/mod.ts";',
    "lib/exercises/talk/server.ts": 'import { Room } from "../chat/server.ts";',
    "lib/cli/b.ts": 'import "../../tests/helpers.ts"; import(name);',
    "lib/misc/c.ts": "",
  }, [
    "lib/cli/a.ts: goes around the registry: imports lib/exercises/chat/mod.ts",
    "lib/exercises/talk/server.ts: goes around the registry: imports lib/exercises/chat/server.ts",
    "lib/cli/b.ts: leaves the house: imports tests/helpers.ts",
    "lib/cli/b.ts: imports a computed name",
    "lib/misc/c.ts: there is no folder misc in the design",
  ]],
  ["time, chance, the system and waiting in pure code", {
    "lib/protocol/a.ts": "const now = Date.now() + performance.now() + Math.random();",
    "lib/protocol/b.ts": "export async function f() { await g(); setTimeout(g, 1); Deno.exit(); }",
    "lib/exercises/chat/protocol.ts": 'import { t } from "./tables.ts"; import "@std/fmt/colors";',
    "lib/exercises/chat/tables.ts": "const t = `${new Date()}`;",
    "lib/exercises/chat/server.ts": "const t = new Date();",
    "lib/exercises/talk/protocol.ts": 'import { Channel } from "../../net/channel.ts";',
  }, [
    "lib/protocol/a.ts: is not pure: Date",
    "lib/protocol/a.ts: is not pure: performance",
    "lib/protocol/a.ts: is not pure: Math.random",
    "lib/protocol/b.ts: is not pure: Deno",
    "lib/protocol/b.ts: is not pure: setTimeout",
    "lib/protocol/b.ts: is not pure: async",
    "lib/protocol/b.ts: is not pure: await",
    "lib/exercises/chat/protocol.ts: is not pure: imports @std/fmt/colors",
    "lib/exercises/chat/tables.ts: is not pure: Date",
    "lib/exercises/talk/protocol.ts: is not pure: imports lib/net/channel.ts",
  ]],
  ["sockets outside of net", {
    "lib/trace/a.ts": "Deno.listen({ port: 1 }); Deno . connectTls(x);",
    "lib/exercises/chat/client.ts": 'import net from "node:net"; Deno.listenDatagram(x);',
    "lib/grade/b.ts": "Deno.serve(f);",
    "lib/net/c.ts": 'import tls from "node:tls"; Deno.listen(x);',
    "lib/web/d.ts": "Deno.serve(f);",
  }, [
    "lib/trace/a.ts: opens sockets: Deno.listen",
    "lib/trace/a.ts: opens sockets: Deno . connectTls",
    "lib/exercises/chat/client.ts: opens sockets: Deno.listenDatagram",
    "lib/exercises/chat/client.ts: opens sockets: imports node:net",
    "lib/grade/b.ts: opens sockets: Deno.serve",
  ]],
  ["printing outside of cli", {
    "lib/net/a.ts": "console.error(x); Deno.stderr.writeSync(y);",
    "lib/exercises/chat/client.ts": "`${console.log(x)}`; this.#console.print(x); context.console.log(x);",
    "lib/cli/b.ts": "console.log(x); Deno.stdout.writeSync(y);",
  }, [
    "lib/net/a.ts: prints: console.error",
    "lib/net/a.ts: prints: Deno.stderr",
    "lib/exercises/chat/client.ts: prints: console.log",
  ]],
  ["what writes in a locale", {
    "lib/cli/a.ts": 'n.toLocaleString("en"); new Intl.NumberFormat("en");',
    "lib/cli/b.ts": "new Intl.Segmenter();",
  }, [
    "lib/cli/a.ts: writes in a locale: toLocaleString",
    "lib/cli/a.ts: writes in a locale: Intl.NumberFormat",
  ]],
];

for (const [what, files, expected] of OFFENDERS) {
  test(`the checker finds ${what}`, () => assertEquals(breaches(files), expected));
}

test("the checker does not mind words in comments, strings, templates and patterns", () => {
  const source = [
    "// Date.now(), Deno.listen",
    "/* await import('../cli/x.ts') */",
    `const a = "Math.random()", b = 'it\\'s Deno.exit()', c = "\\\\"; // "`,
    'const d = `Date ${a + `performance ${b}` + "}"} async`;',
    'const e = /Deno\\/"await/v.test(a) ? a / 2 : b / 2;',
    "const f = { Date: 1 }.Date, g = this.performance, h = x.#process;",
    'import { z } from "./z.ts"; // from "../net/y.ts"',
  ].join("\n");
  assertEquals(breaches({ "lib/protocol/a.ts": source, "lib/protocol/z.ts": "" }), []);
  assert(breaches({ "lib/protocol/a.ts": `${source}\nDate.now();` }).length === 1, "and still sees what comes after");
});
