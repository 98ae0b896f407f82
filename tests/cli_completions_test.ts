// Completion: what fits where, and the glue of each shell, in that shell where it is installed.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { commands } from "../lib/cli/commands.ts";
import { complete, mayBeFile } from "../lib/cli/completions.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { netlab, runProgram, shimFolder } from "./cli_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const names = exercises.map(({ name }) => name);

/** What fits at the end of `line`; a space at its end begins a new word. */
const at = (line: string) => complete(line.split(" "), commands);

test("commands complete, and options of netlab itself", async () => {
  assertEquals(await at(""), [...commands.map(({ name }) => name), "--help"]);
  assertEquals(await at("se"), ["serve"]);
  assertEquals(await at("c"), ["connect", "completions"]);
  assertEquals(await at("--"), ["--version", "--help"]);
  assertEquals(await at("x"), []);
  assertEquals(await at("nonsense "), []);
  assertEquals(await complete([], commands), await at(""));
});

test("exercises, shells and words for help complete, each once", async () => {
  for (const command of ["serve", "connect", "explain"]) assertEquals(await at(`${command} `), names);
  assertEquals(await at("serve ch"), ["chat"]);
  assertEquals(await at("serve chat "), []);
  assertEquals(await at("completions "), ["bash", "zsh", "fish", "powershell"]);
  assertEquals(await at("smtp "), ["passwd"]);
  assertEquals(await at("smtp passwd "), []);
  assertEquals(await at("help "), commands.map(({ name }) => name).filter((name) => name !== "--version"));
  assertEquals(await at("help serve "), names);
  assertEquals(await at("help serve chat "), []);
});

test("an exercise completes behind options and their values", async () => {
  assertEquals(await at("serve --port 0 "), names);
  assertEquals(await at("serve --trace "), names);
  assertEquals(await at("serve --json ch"), ["chat"]);
  assertEquals(await at("connect --name alice "), names);
});

test("options complete, those of the exercise included", async () => {
  assertEquals(await at("list --"), ["--json", "--color", "--help"]);
  assertEquals(await at("serve --max-c"), ["--max-clients"]);
  assertEquals(await at("connect chat --na"), ["--name"]);
  assertEquals(await at("connect chat localhost --na"), ["--name"]);
  assertEquals(await at("connect --na"), []);
});

test("values complete where there is a choice, behind a space and behind =", async () => {
  assertEquals(await at("serve chat --color "), ["auto", "always", "never"]);
  assertEquals(await at("serve chat --color a"), ["auto", "always"]);
  assertEquals((await at("connect chat --wire l")).slice(0, 2), ["line", "len1"]);
  assertEquals(await at("serve chat --port "), []);
  assertEquals(await at("serve chat --color=n"), ["--color=never"]);
  assertEquals(await at("serve chat --trace="), ["--trace=ladder", "--trace=hex"]);
  assertEquals(await at("serve chat --port="), []);
  assertEquals(await at("serve chat --bug one-r"), ["one-recv"]);
  assertEquals(await at("serve chat --bug=one-r"), ["--bug=one-recv"]);
  assertEquals((await at("grade chat --wire l")).slice(0, 2), ["line", "len1"]);
  assertEquals(await at("grade transfer --wire="), ["--wire=pdu", "--wire=seed"]);
  assertEquals(await at("grade --wire "), []);
  assertEquals(await at("grade transfer --profile "), ["transfer-seed", "transfer-seed-udp"]);
});

test("what files' client does completes, behind an address too, and once", async () => {
  for (const line of ["connect files ", "connect files localhost ", "connect files localhost 9002 "]) {
    assertEquals(await at(line), ["get", "stat", "list"]);
  }
  assertEquals(await at("connect files g"), ["get"]);
  assertEquals(await at("connect files get "), []);
  assertEquals(await at("connect calc "), []);
});

test("a file may stand where an option or a client takes one of this machine, and nowhere else", () => {
  const takesFile = (line: string) => mayBeFile(line.split(" "), commands);
  const yes = ["connect transfer ", "connect transfer localhost x", "serve files --dir ", "serve files --dir=x"];
  yes.push("connect stream --out ", "connect chat --trace-file ", "connect transfer --plot=", "serve files --dir = x");
  yes.push("grade chat --profile ", "grade chat --out ", "new chat ");
  const no = [
    "",
    "connect ",
    "connect files ",
    "connect files get ",
    "connect stream ",
    "connect chat ",
    "serve chat ",
  ];
  no.push(
    "new ",
    "new chat x ",
    "grade chat --wire ",
    "connect transfer --",
    "connect transfer --arq ",
    "serve chat --port=",
    "list ",
    "nonsense ",
  );
  for (const line of yes) assert(takesFile(line), line);
  for (const line of no) assert(!takesFile(line), line);
});

test("bash, which takes --color=never apart at the =, gets what it replaces", async () => {
  assertEquals(await at("serve chat --color = n"), ["never"]);
  assertEquals(await at("serve chat --color ="), ["auto", "always", "never"]);
  assertEquals(await at("serve chat --trace = h"), ["hex"]);
  assertEquals(await at("serve --port = 0 ch"), ["chat"]);
});

test("bash, which takes an address apart at its colons, gets what may stand behind it", async () => {
  for (const address of ["localhost : 9002", "[ :: 1] : 9002", "[fe80 :: 1] : 9002", "127.0.0.1 : 9002"]) {
    assertEquals(await at(`connect files ${address} `), ["get", "stat", "list"]);
    assertEquals(await at(`connect files ${address} g`), ["get"]);
    assert(mayBeFile(`connect transfer ${address} `.split(" "), commands), address);
  }
  assertEquals(await at("grade --server localhost : 5 ch"), ["chat"]);
  assertEquals(await at("connect files localhost :"), []);
});

test("the program answers the shells without a word on standard error", async () => {
  assertEquals(await runProgram(["complete", "--", "serve", ""]), { status: 0, out: `${names.join("\n")}\n`, err: "" });
  assertEquals(await netlab(["complete", "--", "nonsense", ""]), { status: 0, out: "", err: "" });
  assertEquals(await netlab(["complete", "--", "serve", "files", "--dir", ""]), { status: 1, out: "", err: "" });
});

test("a broken setting of netlab's does not disturb completion", async () => {
  assertEquals((await netlab(["complete", "--", "serve", ""], { NETLAB_PORT: "x" })).out, `${names.join("\n")}\n`);
});

/** Runs a script in a shell that finds `netlab`; `GLUE` in the script is replaced by the file with the shell's glue. */
async function inShell(shell: string[], script: string): Promise<string[]> {
  await using folder = await shimFolder();
  await Deno.writeTextFile(`${folder.path}/glue`, (await netlab(["completions", shell[0]])).out);
  const { out, err, status } = await runProgram([...shell.slice(1), script.replaceAll("GLUE", `${folder.path}/glue`)], {
    command: [shell[0]],
    env: {
      PATH: `${folder.path}:${Deno.env.get("PATH")}`,
      TEST_FOLDER: folder.path,
      XDG_DATA_HOME: folder.path,
      XDG_CONFIG_HOME: folder.path,
    },
  });
  assertEquals([status, err], [0, ""], out);
  return out.split("\n").filter((line) => line !== "");
}

test("bash completes with the glue that completions prints", async () => {
  const tries = [
    ["netlab", "se"],
    ["netlab", "serve", ""],
    ["netlab", "serve", "chat", "--color", "=", "n"],
    ["netlab", "connect", "files", ""],
    ["netlab", "serve", "files", "--dir", "="],
  ];
  const calls = tries.map((words) =>
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); ` +
    'COMPREPLY=(); _netlab; printf "%s " "${COMPREPLY[@]}" "$words_only"; words_only=; echo'
  );
  // compopt works only while bash completes.
  const stub = "words_only=; compopt() { words_only=$1; }";
  const script = ["set -u", stub, "source GLUE", "complete -p netlab", ...calls].join("\n");
  const [registered, ...answers] = await inShell(["bash", "--norc", "-c"], script);
  assertEquals(registered, "complete -o default -F _netlab netlab");
  const noFiles = "+o";
  const words = ["serve", names.join(" "), "never", "get stat list"].map((line) => `${line} ${noFiles} `);
  assertEquals(answers, [...words, " "]);
}, skipUnless("bash"));

// compadd works only while zsh completes: a stub stands in for it, and for compdef.
const ZSH = `
compdef() { print compdef "$@" }
compadd() { shift; print -r -- "$@" }
compset() { print compset "$@" }
_files() { print files }
source GLUE
words=(netlab se) CURRENT=2; _netlab
words=(netlab serve '' --port 0) CURRENT=3; _netlab
words=(netlab serve chat --color=n) CURRENT=4; _netlab
words=(netlab serve chat --trace-file '') CURRENT=5; _netlab
words=(netlab connect chat '') CURRENT=4; _netlab
words=(netlab connect files '') CURRENT=4; _netlab
`;

test("zsh completes with the glue that completions prints", async () => {
  assertEquals(await inShell(["zsh", "-f", "-c"], ZSH), [
    "compdef _netlab netlab",
    "serve",
    names.join(" "),
    "--color=never",
    "compset -P --*=",
    "files",
    "get stat list",
  ]);
}, skipUnless("zsh"));

test("zsh completes also when the glue is a file in its fpath", async () => {
  const script = `
    cp GLUE $TEST_FOLDER/_netlab; fpath=($TEST_FOLDER $fpath)
    compadd() { shift; print -r -- "$@" }
    autoload -Uz compinit && compinit -u -d $TEST_FOLDER/dump
    print $_comps[netlab]
    words=(netlab se) CURRENT=2; _netlab
  `;
  assertEquals(await inShell(["zsh", "-f", "-c"], script), ["_netlab", "serve"]);
}, skipUnless("zsh"));

test("fish completes with the glue that completions prints", async () => {
  const lines = ["netlab se", "netlab serve ", "netlab serve chat --color=n", "netlab serve --port 0 ch"];
  lines.push("netlab serve files --dir $TEST_FOLDER/gl", "netlab serve files --dir=$TEST_FOLDER/gl");
  lines.push("cd $TEST_FOLDER; netlab connect chat ", "cd $TEST_FOLDER; netlab connect files ");
  const script = ["cd $TEST_FOLDER", "source GLUE", ...lines.map((line) => `complete -C "${line}"`)].join("\n");
  const inOrder = [...names].sort(); // its own
  const answers = await inShell(["fish", "--no-config", "-c"], script);
  assertEquals(answers.slice(0, names.length + 3), ["serve", ...inOrder, "--color=never", "chat"]);
  const [path, assigned, ...words] = answers.slice(names.length + 3).map((line) => line.replace(/\t.*/, ""));
  assertMatch(path, /\/glue$/);
  assertEquals(assigned, `--dir=${path}`);
  assertEquals(words, ["get", "list", "stat"]);
}, skipUnless("fish"));

test("PowerShell's glue registers a completer that asks netlab", async () => {
  const { out } = await netlab("completions powershell");
  assertMatch(out, /^Register-ArgumentCompleter -Native -CommandName netlab -ScriptBlock \{\n/);
  assertStringIncludes(out, "netlab complete -- @words");
  // An empty word keeps PowerShell from offering files where none may stand.
  assertStringIncludes(out, "elseif ($LASTEXITCODE -eq 0) { '' }");
  assertEquals(out.split("{").length, out.split("}").length);
  assertEquals(out.split("(").length, out.split(")").length);
  assertEquals(await complete(["serve", '""'], commands), names);
});
