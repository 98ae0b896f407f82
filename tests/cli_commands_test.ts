// What can be asked of netlab without any network: what it is, the exercises, help; and what it says to words that it does
// not know.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { EXIT_MEANINGS } from "../lib/cli/exit.ts";
import { commands } from "../lib/cli/commands.ts";
import { run } from "../lib/cli/main.ts";
import { LineWriter } from "../lib/cli/output.ts";
import { calc } from "../lib/exercises/calc/mod.ts";
import { exercises } from "../lib/exercises/registry.ts";
import { CODES, STATES } from "../lib/exercises/smtp/codes.ts";
import { VERBS } from "../lib/exercises/smtp/protocol.ts";
import stringWidth from "fast-string-width";
import { Captured, environment, NETLAB, netlab, ROOT, runProgram } from "./cli_helpers.ts";
import { test } from "./helpers.ts";
import { explained } from "./registry_helpers.ts";

test("netlab alone says what it is, and the three commands a newcomer needs", async () => {
  const { status, out, err } = await netlab("");
  assertEquals([status, err], [0, ""]);
  assertEquals(out.match(/^ {2}netlab \w+/gm), ["  netlab list", "  netlab serve", "  netlab connect"]);
});

test("the program does what run says: output, error and exit status", async () => {
  assertEquals(await runProgram("list"), await netlab("list"));
  assertEquals(await runProgram("serve nope"), await netlab("serve nope"));
});

test("list shows name, transport, port and one line for every exercise", async () => {
  const { status, out, err } = await netlab("list");
  assertEquals([status, err], [0, ""]);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, exercises.length);
  exercises.forEach(({ name, transports, port, summary }, i) => {
    assertMatch(lines[i], new RegExp(`^${name} +${transports.join("\\+")} +${port}  `));
    assert(lines[i].endsWith(summary), lines[i]);
  });
});

test("list --json shows the same as an object a line", async () => {
  const { out } = await netlab("list --json");
  assertEquals(
    out.trimEnd().split("\n").map((line) => JSON.parse(line)),
    exercises.map(({ name, transports, port, summary }) => ({ name, transports, port, summary })),
  );
});

test("serve --list-bugs --json shows the same as --list-bugs, as an object a line", async () => {
  const { out, err } = await netlab("serve calc --list-bugs --json");
  const { bugs } = await calc.grading();
  assertEquals(
    out.trimEnd().split("\n").map((line) => JSON.parse(line)),
    bugs.map(({ name, summary }) => ({ name, summary })),
  );
  assertEquals(err, "");
});

/** A pattern that matches just this. */
const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

test("explain shows each exercise's messages, dialogue and framings", async () => {
  for (const { name, wires, explain, commands = [] } of explained) {
    const { status, out } = await netlab(`explain ${name}`, {}, Infinity);
    assertEquals(status, 0);
    for (const { form, meaning } of explain.messages) {
      assertMatch(out, new RegExp(`^  ${literal(form)} +${literal(meaning)}$`, "m"));
    }
    for (const { form } of explain.typed ?? []) assertMatch(out, new RegExp(`^  ${literal(form)}  `, "m"));
    for (const { name: own, summary } of commands) {
      assertMatch(out, new RegExp(`^netlab ${name} ${own} .*${literal(summary)}$`, "m"));
    }
    const dialogue = explain.dialogue.map(({ who, text, typed }) =>
      `  ${who}: ${text}${typed !== undefined && typed !== text ? `   (typed at the server: ${typed})` : ""}\n`
    );
    assertStringIncludes(out, dialogue.join(""));
    if (explain.makeNotation) {
      const isText = typeof explain.makeNotation().codec.encode(explain.dialogue[0].text) === "string";
      assertMatch(
        out,
        isText ? /The first message in bytes\n {2}\w.*\\r\\n\n$/ : /The first message in bytes\n {2}01 00 /,
      );
      continue;
    }
    const [, framings] = out.split("The same first message in each framing\n");
    assertEquals(framings.trimEnd().split("\n").length, wires.filter((wire) => wire !== "auto").length);
  }
});

test("explain chat shows what NAME alice looks like on the wire", async () => {
  const { out } = await netlab("explain chat");
  assertStringIncludes(out, "  line   NAME alice\\n\n");
  assertStringIncludes(out, "  len4   0010NAME alice\n");
  assertStringIncludes(out, "  be8    \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\nNAME alice\n");
});

test("explain smtp shows a line with its end, the code of each command in each state, and what may be typed", async () => {
  const { out } = await netlab("explain smtp");
  assertStringIncludes(out, "The first message in bytes\n  220 netlab ESMTP netlab\\r\\n\n");
  for (const verb of VERBS) {
    const codes = STATES.map((state) => String(CODES[verb][state]).padStart(7)).join("");
    assertMatch(out, new RegExp(`^  ${verb.padEnd(9)}${codes}$`, "m"));
  }
  for (const verb of VERBS) assertMatch(out, new RegExp(`^Messages[^]*\n  ${verb}[^]*What is typed`, "m"));
});

test("help lists every command and every exit status", async () => {
  const { status, out, err } = await netlab("help");
  assertEquals([status, err], [0, ""]);
  for (const { name, summary } of commands) assertMatch(out, new RegExp(`^  ${name} +${summary}$`, "m"));
  for (const [code, meaning] of EXIT_MEANINGS) assertMatch(out, new RegExp(`^ +${code}  ${meaning}$`, "m"));
  for (const other of ["--help", "-h"]) assertEquals((await netlab(other)).out, out);
});

for (const command of commands) {
  test(`help ${command.name} shows its summary, usage, options with defaults and examples`, async () => {
    const isOption = command.name.startsWith("-");
    const { status, out, err } = await netlab(isOption ? `${command.name} --help` : `help ${command.name}`);
    assertEquals([status, err], [0, ""]);
    assert(out.startsWith(`netlab ${command.name}: ${command.summary}\n\nUsage\n  netlab ${command.name} `), out);
    for (const { name, summary } of command.options([])) {
      assertMatch(out, new RegExp(`^  --${name}[ \\[\\n]`, "m"));
      assertStringIncludes(out.replace(/\s+/g, " "), summary);
    }
    for (const { output } of command.examples([])) {
      assertStringIncludes(
        out,
        output.map((line) => `  ${line}\n`).join(""),
      );
    }
    for (const asked of [`${command.name} --help`, `${command.name} -h`]) assertEquals((await netlab(asked)).out, out);
  });
}

test("help for a command and an exercise shows the exercise's own port, options and examples", async () => {
  for (const { name, port, clientWire, connectOptions } of exercises) {
    const { out } = await netlab(`help connect ${name}`);
    assertStringIncludes(out, `netlab connect ${name} [HOST`);
    assertMatch(out, new RegExp(`--port PORT .*\\[${port}\\]`));
    assertMatch(out, new RegExp(`--wire WIRE[^-]*\\[${clientWire}\\]`));
    for (const option of connectOptions) assertStringIncludes(out, `--${option.name}`);
    assertEquals((await netlab(`connect ${name} --help`)).out, out);
  }
});

test("everything that netlab says of itself fits the terminal, drawings, examples and long words apart", async () => {
  const about = [...exercises.map(({ name }) => `explain ${name}`), ...commands.map(({ name }) => `${name} --help`)];
  about.push(...exercises.flatMap(({ name }) => [`help serve ${name}`, `help connect ${name}`]));
  for (const width of [40, 80, 120]) {
    for (const line of ["", "help", "list", ...about]) {
      const { out } = await netlab(line, {}, width);
      const tooWide = out.split("\n").filter((row) => {
        const isExample = /^ {2}(\$|\{|netlab|eval|[a-z]+ +(tcp|udp))/.test(row);
        const isWord = row.trim().split(" ").some((word) => word.length > width - 10);
        const isDrawing = width < 80 && /^ .*(\||\+--|u8|byte|client {2})/.test(row) || /^ {2}be8/.test(row);
        return stringWidth(row) > width && !isExample && !isWord && !isDrawing;
      });
      assertEquals(tooWide, [], `${line} at ${width}`);
    }
  }
});

test("the tables of help are aligned", async () => {
  for (const { name } of commands.filter(({ usage }) => usage.startsWith("EXERCISE"))) {
    const { out } = await netlab(`help ${name}`);
    const rows = out.split("\nExercises\n")[1].split("\n").slice(0, exercises.length);
    const starts = rows.map((row, i) => row.indexOf(exercises[i].summary));
    assertEquals(new Set(starts).size, 1, rows.join("\n"));
  }
});

test("--version says which netlab this is, and --verbose on what it stands", async () => {
  assertEquals(await netlab("--version"), { status: 0, out: `netlab ${config.version}\n`, err: "" });
  const { out } = await netlab("--version --verbose");
  assertStringIncludes(out, `netlab ${config.version}\ndeno ${Deno.version.deno}, v8 `);
  assertStringIncludes(out, Deno.build.target);
});

/** What is typed, and the one line that it is answered with. */
const MISTAKES: readonly [string, string][] = [
  ["lst", 'no such command: lst (did you mean "list"?): netlab help shows the commands'],
  ["serve chat --transport udp", "chat runs on TCP only: there is no --transport to choose"],
  ["peer --transport udp", "peer runs on TCP only: there is no --transport to choose"],
  ["connect stream --transport=tcp", "stream runs on UDP only: there is no --transport to choose"],
  ["serve chat --host=", "--host needs a value: HOST"],
  ["connect chat [::1", 'not an address: "[::1": did you mean ::1?'],
  ["xyzzy", "no such command: xyzzy: netlab help shows the commands"],
  [
    "--verison",
    'no such command: --verison (did you mean "--version"?): options stand behind the command: netlab COMMAND [options]',
  ],
  ["-v", "no such command: -v: netlab --version"],
  ["chat", "no such command: chat: an exercise needs a command: netlab serve chat, or netlab connect chat"],
  ["help lst", 'no such command: lst (did you mean "list"?): netlab help shows the commands'],
  ["help serve cat", 'no such exercise: cat (did you mean "chat"?): netlab list shows them all'],
  ["serve cat --help", 'no such exercise: cat (did you mean "chat"?): netlab list shows them all'],
  ["serve cat", 'no such exercise: cat (did you mean "chat"?): netlab list shows them all'],
  ["connect CHAT", 'no such exercise: CHAT (did you mean "chat"?): netlab list shows them all'],
  ["explain zzzzzz", "no such exercise: zzzzzz: netlab list shows them all"],
  [
    "serve chat --bug one-rev",
    'chat has no mistake "one-rev" (did you mean "one-recv"?): netlab serve chat --list-bugs',
  ],
  ["serve", `no exercise given: one of ${exercises.map(({ name }) => name).join(", ")}`],
  ["serve chat chat", 'serve takes no "chat": netlab serve EXERCISE [options]'],
  [
    "connect chat localhost 7777 more",
    'connect chat takes no "more" behind the address: netlab connect chat [HOST[:PORT]] [options]',
  ],
  ["list chat", 'list takes no "chat": netlab list [--json]'],
  ["explain chat more", 'explain takes no "more": netlab explain EXERCISE'],
  ["--version chat", '--version takes no "chat": netlab --version [--verbose]'],
  ["completions", "no shell given: one of bash, zsh, fish, powershell"],
  ["completions tcsh", "no such shell: tcsh: one of bash, zsh, fish, powershell"],
  ["completions constructor", "no such shell: constructor: one of bash, zsh, fish, powershell"],
  ["smtp", "smtp needs a command: netlab smtp passwd; or netlab serve smtp, netlab connect smtp"],
  [
    "smtp passwrd",
    'smtp has no command passwrd (did you mean "passwd"?): netlab smtp passwd; or netlab serve smtp, netlab connect smtp',
  ],
  ["smtp passwd", "smtp passwd takes NAME: netlab smtp passwd NAME"],
  ["smtp passwd ann secret", "smtp passwd takes NAME: netlab smtp passwd NAME"],
  ["list --jsn", 'no such option: --jsn (did you mean "--json"?): --help lists the options'],
  ["serve chat --prot 1", 'no such option: --prot (did you mean "--port"?): --help lists the options'],
  ["serve chat -p 1", "no such option: -p: --help lists the options"],
  ["serve chat --no-json", 'no such option: --no-json (did you mean "--json"?): --help lists the options'],
];

test("a word that netlab does not know is answered with one line, status 2 and nothing on standard output", async () => {
  for (const [line, answer] of MISTAKES) {
    assertEquals(await netlab(line), { status: 2, out: "", err: `netlab: ${answer}\n` }, line);
  }
});

test("an empty word is shown as one", async () => {
  const answers = [
    [[""], 'no such command: "": netlab help shows the commands'],
    [["serve", ""], 'no such exercise: "": netlab list shows them all'],
    [["connect", "chat", ""], 'not an address: "": host, host:port, or [IPv6]:port'],
  ] as const;
  for (const [line, answer] of answers) {
    assertEquals(await netlab(line), { status: 2, out: "", err: `netlab: ${answer}\n` });
  }
});

test("help names every value of an option that takes only some", () => {
  for (const command of commands) {
    for (const words of [[], ...exercises.map(({ name }) => [name])]) {
      for (const { name, choices = [], value, bare, summary } of command.options(words)) {
        const said = [value, bare, summary].join(" ").replace("len1 to len8", WIRE_LENGTHS);
        if (summary.startsWith("the same")) continue; // as the option before it
        // What stands alone needs no value.
        for (const choice of choices.filter((choice) => choice !== bare)) {
          assert(said.split(/[ ,|;:()]+/).includes(choice), `${command.name} ${words}: --${name} ${choice}`);
        }
      }
    }
  }
});

const WIRE_LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8].map((digits) => `len${digits}`).join(" ");

test("help says of --json what it does at that end", async () => {
  assertStringIncludes(
    (await netlab("help serve chat")).out.replace(/\s+/g, " "),
    "an object a line; with --trace, messages, too",
  );
  assert(!(await netlab("help connect chat")).out.includes("messages, too"));
});

test("explain says each number that an error may have", async () => {
  assertMatch(
    (await netlab("explain transfer")).out,
    /code +1 request, 2 name, 3 exists, 4 too large,[^]* 11 cancelled\n/,
  );
  for (const code of [400, 403, 404, 500]) assertStringIncludes((await netlab("explain files")).out, `ERROR ${code} …`);
});

test("control characters in a word are not repeated to the terminal", async () => {
  const { err } = await netlab(["\x1b[31mlist"]);
  assertStringIncludes(err, "no such command: \\x1b[31mlist");
});

test("no stack trace is shown, unless NETLAB_DEBUG is 1", async () => {
  const plain = await runProgram("serve nope");
  assertEquals(plain.err.trimEnd().split("\n").length, 1);
  const { status, err } = await runProgram("serve nope", { env: { NETLAB_DEBUG: "1" } });
  assertEquals(status, 2);
  assert(err.startsWith(plain.err), err);
  assertMatch(err, /^ {4}at .*serve\.ts:\d+/m);
});

test("a fault of netlab itself is one line with status 3", async () => {
  const [out, err] = [new Captured(), new Captured()];
  const output = { out: new LineWriter(out), err: new LineWriter(err), width: 80 };
  const status = await run(["list"], output, (name) => {
    if (name === "NETLAB_JSON") throw new Error("two\nlines");
    return name === "NO_COLOR" ? "1" : undefined;
  });
  const message = "netlab: two lines: this is a fault of netlab, and NETLAB_DEBUG=1 shows where it arose\n";
  assertEquals([status, out.text, err.text], [3, "", message]);
});

test("results that cannot be written are missed, and a reader that has enough is not", async () => {
  const why = "netlab: cannot write standard output: no space left on device\n";
  const cases: [Error, number, string][] = [
    [new Error("No space left on device (os error 28)"), 3, why],
    [new Deno.errors.BrokenPipe("x"), 0, ""],
  ];
  for (const [cause, status, said] of cases) {
    const err = new Captured();
    const out = new LineWriter({ write: () => Promise.reject(cause) });
    const output = { out, err: new LineWriter(err), width: 80 };
    assertEquals([await run(["list"], output, () => undefined), err.text], [status, said]);
  }
});

test("netlab runs with the permissions of deno.json, asking for none", async () => {
  assert(NETLAB.includes("-P") && !NETLAB.some((word) => word.startsWith("--allow") || word === "-A"));
  assertEquals((await runProgram("--version", { cwd: "/" })).out, `netlab ${config.version}\n`);
});

test("only grade keeps the right to start programs that it is told", async () => {
  const probe = [
    Deno.execPath(),
    "run",
    "--quiet",
    "-P",
    "--config",
    `${ROOT}deno.json`,
    `${ROOT}tests/peers/permissions_probe.ts`,
  ];
  const states = await Promise.all(["serve", "connect", "list", "grade"].map(async (command) => {
    const [program, ...args] = [...probe, command, "--help"];
    const { stderr } = await new Deno.Command(program, { args, env: environment(), clearEnv: true }).output();
    return new TextDecoder().decode(stderr).trim();
  }));
  assertEquals(states, ["shell: prompt", "shell: prompt", "shell: prompt", "shell: granted"]);
});

test("the task that starts netlab shows no bar of downloads: at a first run it would wipe what netlab has said", () => {
  assertMatch(config.tasks.netlab.command, / deno run --quiet -P /);
});

test("the task that starts netlab does so in the folder where one is, as a kit's Makefile needs it", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "netlab", "grade", "chat", "--list", "--cwd", "peers"],
    cwd: `${ROOT}tests`,
    env: environment(),
    clearEnv: true,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});

test("who names a check that there is none of hears what shows them", async () => {
  const { status, err } = await netlab("grade chat --server 127.0.0.1:1 --only zzz");
  assertEquals([status, err], [2, 'netlab: no check of chat is called "zzz": --list shows them\n']);
});
