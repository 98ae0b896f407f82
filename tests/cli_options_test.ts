// From arguments and environment to values: what each kind of option takes and refuses, which source wins, and how
// addresses are written.

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { parseAddress, parseHost, takeAddress, takeAddressBefore } from "../lib/net/address.ts";
import { envName, parseLine } from "../lib/cli/args.ts";
import { commands } from "../lib/cli/commands.ts";
import { connectOptions, readLimits, serveOptions } from "../lib/cli/common_options.ts";
import { exercises, findExercise } from "../lib/exercises/registry.ts";
import type { OptionSpec } from "../lib/exercises/options.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { type Environment, netlab } from "./cli_helpers.ts";
import { test } from "./helpers.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "port", type: "number", summary: "", value: "PORT", max: 65_535, default: 7777 },
  { name: "max-clients", type: "number", summary: "", value: "N", min: 1 },
  { name: "idle", type: "duration", summary: "", value: "DURATION", min: 1 },
  { name: "max-queue", type: "size", summary: "", value: "SIZE", min: 1024 },
  { name: "name", type: "string", summary: "", value: "NAME" },
  { name: "text", type: "string", summary: "", value: "TEXT", empty: true },
  { name: "color", type: "string", summary: "", value: "WHEN", choices: ["auto", "always", "never"] },
  { name: "trace", type: "string", summary: "", value: "hex", choices: ["ladder", "hex"], bare: "ladder" },
  { name: "plot", type: "string", summary: "", value: "FILE.svg", bare: "terminal", suffix: ".svg" },
  { name: "header", type: "string", summary: "", value: '"X: y"', repeats: true },
  { name: "json", type: "flag", summary: "" },
  { name: "no-fsync", type: "flag", summary: "" },
  { name: "help", type: "flag", summary: "" },
];

const parse = (args: string[], env: Environment = {}) => parseLine(args, SPECS, (name) => env[name]);
const valueOf = (name: string, args: string[], env?: Environment) => parse(args, env).values[name];

/** That `args` are refused as wrong usage, with this message. */
function assertRefused(message: string, args: string[], env: Environment = {}): void {
  const error = assertThrows(() => parse(args, env), NetlabError);
  assertEquals([error.kind, error.message], ["usage", message]);
}

test("a value follows its option, behind = or as the next word", () => {
  assertEquals(valueOf("port", ["--port", "1"]), 1);
  assertEquals(valueOf("port", ["--port=1"]), 1);
  assertEquals(valueOf("port", ["--port=0"]), 0);
  assertEquals(valueOf("name", ["--name=a=b"]), "a=b");
  assertEquals(valueOf("name", ["--name=-x"]), "-x");
  assertEquals(valueOf("name", ["--name", "7"]), "7");
  assertEquals(valueOf("port", ["--port", "1", "--port", "2"]), 2);
});

test("an option that may be said several times has a line for each, and none of several", () => {
  assertEquals(valueOf("header", ["--header", "X: a", "--header=Y: b"]), "X: a\nY: b");
  assertEquals(valueOf("name", ["--name", "a\nb"]), "a\nb");
  assertRefused("--header takes one line", ["--header", "X: a\nY: b"]);
  assertRefused('--header needs a value: "X: y"', ["--header", "X: a", "--header="]);
  assertEquals([valueOf("header", []), valueOf("header", [], { NETLAB_HEADER: "X: b" })], [undefined, "X: b"]);
  assertEquals(valueOf("header", ["--header", "X: a"], { NETLAB_HEADER: "X: b" }), "X: a");
});

test("an option wins over its environment variable, and that over the default", () => {
  assertEquals(valueOf("port", []), 7777);
  assertEquals(valueOf("port", [], { NETLAB_PORT: "1" }), 1);
  assertEquals(valueOf("port", ["--port", "2"], { NETLAB_PORT: "1" }), 2);
  assertEquals(valueOf("port", [], { NETLAB_PORT: "" }), 7777);
  assertEquals(valueOf("max-clients", [], { NETLAB_MAX_CLIENTS: "5" }), 5);
  assertEquals(valueOf("trace", [], { NETLAB_TRACE: "hex" }), "hex");
  assertEquals(valueOf("json", [], { NETLAB_JSON: "1" }), true);
  assertEquals(valueOf("json", ["--json=false"], { NETLAB_JSON: "true" }), false);
});

test("every option of every command has an environment variable that netlab may read", () => {
  const specs = commands.flatMap((command) => [[], ...exercises.map(({ name }) => [name])].flatMap(command.options));
  for (const { name } of specs) assertMatch(envName(name), /^NETLAB_[A-Z0-9_]+$/);
});

test("durations take ms, s, m and h; a bare number is seconds", () => {
  const cases = { "500ms": 500, "30s": 30_000, "5m": 300_000, "1h": 3_600_000, "2": 2000, "1.5s": 1500, "0.5": 500 };
  for (const [text, ms] of Object.entries(cases)) assertEquals(valueOf("idle", ["--idle", text]), ms, text);
});

test("sizes take k, M and G; a bare number is bytes", () => {
  const cases = { "1500": 1500, "64k": 65_536, "64K": 65_536, "10M": 10_485_760, "1G": 1_073_741_824, "1.5k": 1536 };
  for (const [text, size] of Object.entries(cases)) {
    assertEquals(valueOf("max-queue", ["--max-queue", text]), size, text);
  }
});

test("a wrong value is refused with what would be right", () => {
  const port = "takes a whole number from 0 to 65535, not";
  for (const text of ["abc", "70000", "1.5", "1e3", "0x50", "7 ", "٣", "9".repeat(400)]) {
    assertRefused(`--port ${port} ${JSON.stringify(text)}`, [`--port=${text}`]);
  }
  assertRefused(`NETLAB_PORT ${port} "abc"`, [], { NETLAB_PORT: "abc" });
  assertRefused(`--max-clients takes a whole number, at least 1, not "0"`, ["--max-clients", "0"]);
  const duration = "takes a duration such as 500ms, 30s, 5m, 1h, at least 1ms, not";
  for (const text of ["5x", "0", "s", "1h30m", "5constructor", "1e400"]) {
    assertRefused(`--idle ${duration} "${text}"`, ["--idle", text]);
  }
  assertRefused(`--max-queue takes a size such as 1500, 64k, 10M, 1G, at least 1k, not "1T"`, ["--max-queue", "1T"]);
  assertRefused(`--max-queue takes a size such as 1500, 64k, 10M, 1G, at least 1k, not "1"`, ["--max-queue", "1"]);
  assertRefused(`--color takes one of auto, always, never, not "alway" (did you mean "always"?)`, ["--color=alway"]);
  for (const text of ["maybe", "yes", "constructor"]) {
    assertRefused(`--json takes true or false, not "${text}"`, [`--json=${text}`]);
  }
});

test("an option without its value is refused, though another option follows", () => {
  assertRefused("--port needs a value: a whole number from 0 to 65535", ["--port"]);
  assertRefused("--port needs a value: a whole number from 0 to 65535", ["--port="]);
  assertRefused("--name needs a value: NAME", ["--name", "--json"]);
  assertRefused("--color needs a value: one of auto, always, never", ["chat", "--color"]);
});

test("an empty value is one only where it may be, and a missing one nowhere", () => {
  for (const args of [["--text", ""], ["--text="]]) assertEquals(valueOf("text", args), "");
  assertEquals(parse(["--text", "", "chat", "--name", "a"]).positionals, ["chat"]);
  for (const args of [["--text"], ["--text", "--json"], ["--text", "--", "a"]]) {
    assertRefused("--text needs a value: TEXT", args);
  }
  for (const args of [["--name", ""], ["--name="]]) assertRefused("--name needs a value: NAME", args);
  assertEquals([valueOf("text", ["--text", "-"]), valueOf("text", ["--text", "-7"])], ["-", "-7"]);
});

test("what needs no value leaves the word behind it alone", () => {
  assertEquals(parse(["--trace", "chat", "--json", "true"]).positionals, ["chat", "true"]);
  assertEquals(valueOf("trace", ["--trace", "lab"]), "ladder");
  assertEquals(valueOf("trace", ["--trace=hex"]), "hex");
  assertEquals(valueOf("trace", []), undefined);
  assertRefused('--trace takes one of ladder, hex, not "ascii"', ["--trace=ascii"]);
  assertEquals(valueOf("json", ["--json", "false"]), true);
});

test("a word that can be nothing else is a value all the same", () => {
  assertEquals(valueOf("trace", ["--trace", "hex"]), "hex");
  assertEquals(parse(["chat", "--trace", "ladder", "hex"]).positionals, ["chat", "hex"]);
  assertEquals(parse(["--plot", "a.svg", "b.bin"]).positionals, ["b.bin"]);
  assertEquals([valueOf("plot", ["--plot", "a.svg"]), valueOf("plot", ["--plot", "b.bin"])], ["a.svg", "terminal"]);
  assertEquals(valueOf("plot", ["a.bin", "--plot"]), "terminal");
});

test("a flag is on or off by 1, true, 0 and false", () => {
  for (const [text, on] of Object.entries({ 1: true, true: true, 0: false, false: false })) {
    assertEquals([valueOf("json", [`--json=${text}`]), valueOf("json", [], { NETLAB_JSON: text })], [on, on]);
  }
});

test("an option may be called no-something, and none is switched off by a no- before it", () => {
  assertEquals([valueOf("no-fsync", []), valueOf("no-fsync", ["--no-fsync"])], [undefined, true]);
  assertEquals([valueOf("no-fsync", ["--no-fsync=0"]), valueOf("no-fsync", [], { NETLAB_NO_FSYNC: "1" })], [
    false,
    true,
  ]);
  assertRefused('no such option: --no-json (did you mean "--json"?)', ["--no-json"]);
});

test("words keep their order and form, wherever options stand", () => {
  assertEquals(parse(["--port", "0", "chat", "--json", "007", "-"]).positionals, ["chat", "007", "-"]);
  assertEquals(parse(["chat", "--", "--port", "-x", "--trace"]).positionals, ["chat", "--port", "-x", "--trace"]);
});

test("-h is --help, except behind --", () => {
  assertEquals(valueOf("help", ["chat", "-h"]), true);
  assertEquals(parse(["--", "-h"]), { ...parse(["--", "x"]), positionals: ["-h"] });
});

test("the exercise may stand behind options of its own", async () => {
  const { status, err } = await netlab("connect --name alice chat --port 0");
  assertEquals([status, err], [2, 'netlab: --port takes a whole number from 1 to 65535, not "0"\n']);
});

test("nothing is graded more than a thousand times", async () => {
  const { status, err } = await netlab("grade chat --server 127.0.0.1 --repeat 1001 --only none-of-them");
  assertEquals([status, err], [2, 'netlab: --repeat takes a whole number from 1 to 1000, not "1001"\n']);
});

const chat = findExercise("chat")!;

test("the defaults of serve are the limits of the server", () => {
  const { values } = parseLine([], serveOptions(chat), () => undefined);
  assertEquals(readLimits(values), {
    maxClients: 10_000,
    idleMs: 3_600_000,
    firstByteMs: 120_000,
    queueBytes: 1_048_576,
    maxErrors: 1000,
  });
  assertEquals([values.host, values.port, values.wire, values.grace], ["0.0.0.0", 7777, "auto", 5000]);
});

test("the options of serve set the limits of the server", () => {
  const args = "--max-clients 1 --idle 2s --first-byte 3ms --max-queue 4k --max-errors 5".split(" ");
  const { values } = parseLine(args, serveOptions(chat), () => undefined);
  const limits = { maxClients: 1, idleMs: 2000, firstByteMs: 3, queueBytes: 4096, maxErrors: 5 };
  assertEquals(readLimits(values), limits);
});

test("the defaults of connect are this machine and the exercise's own port and framing", () => {
  const { values } = parseLine([], connectOptions(chat), () => undefined);
  assertEquals([values.host, values.port, values.wire, values.idle], ["127.0.0.1", 7777, "len4", undefined]);
});

test("--wire takes the framings of the exercise; the server's auto is not for clients", async () => {
  const lengths = ["len1", "len2", "len3", "len4", "len5", "len6", "len7", "len8"];
  const choices = (specs: OptionSpec[]) => specs.find(({ name }) => name === "wire")?.choices;
  assertEquals(choices(serveOptions(chat)), ["auto", "line", ...lengths, "be8", "raw"]);
  assertEquals(choices(connectOptions(chat)), ["line", ...lengths, "be8", "raw"]);
  for (const wire of ["len9", "len0", "lenN", "len44", "bogus", "auto"]) {
    const { status, out, err } = await netlab(["connect", "chat", "--wire", wire]);
    assertEquals([status, out], [2, ""]);
    assert(err.startsWith("netlab: --wire takes one of line, len1, len2, "), err);
    assertStringIncludes(err, `, be8, raw, not "${wire}"`);
  }
});

test("an address is written host, host port, host:port, [v6]:port or v6", () => {
  const cases: [string[], { host: string; port?: number } | null, string[]][] = [
    [[], null, []],
    [["localhost"], { host: "localhost" }, []],
    [["localhost", "7000"], { host: "localhost", port: 7000 }, []],
    [["localhost:7000"], { host: "localhost", port: 7000 }, []],
    [["[::1]:7000"], { host: "::1", port: 7000 }, []],
    [["[::1]", "7000"], { host: "::1", port: 7000 }, []],
    [["::1"], { host: "::1" }, []],
    [["::1", "7000", "get"], { host: "::1", port: 7000 }, ["get"]],
    [["fe80::1%eth0"], { host: "fe80::1%eth0" }, []],
    [[":7000"], { host: "127.0.0.1", port: 7000 }, []],
    [["localhost", "get", "7000"], { host: "localhost" }, ["get", "7000"]],
    [["localhost:7000", "8000"], { host: "localhost", port: 7000 }, ["8000"]],
  ];
  for (const [words, address, rest] of cases) assertEquals(takeAddress(words), { address, rest }, words.join(" "));
});

test("a port in an address that is none is refused", () => {
  for (const port of ["b", "", "0", "65536", "-1", "1.5"]) {
    for (const word of [`a:${port}`, `[::1]:${port}`]) {
      const error = assertThrows(() => parseAddress(word), NetlabError);
      const message = port === "" ? `no port behind "${word}"` : `not a port: "${port}"`;
      assertEquals([error.kind, error.message], ["usage", message]);
    }
  }
  assertThrows(() => takeAddress(["localhost", "65536"]), NetlabError, 'not a port: "65536"');
});

test("a port alone is no host, and what is no address is not looked up", async () => {
  const why = 'not a host: "7777": port 7777 of this machine is :7777';
  assertEquals((await netlab("connect chat 7777")).err, `netlab: ${why}\n`);
  assertEquals([parseHost("[::1]"), parseHost("::1"), parseHost("lab")], ["::1", "::1", "lab"]);
});

test("what is no address is answered with what was probably meant", () => {
  const general = "host, host:port, or [IPv6]:port";
  const cases: [word: string, asWord: string, asOptions: string][] = [
    ["http://lab:7777/", "lab:7777", "--host lab --port 7777"],
    ["https://lab/chat?x=1#y", "lab", "--host lab"],
    ["tcp://ann@lab:7777", "lab:7777", "--host lab --port 7777"],
    ["ann@lab", "lab", "--host lab"],
    ["lab:7777/", "lab:7777", "--host lab --port 7777"],
    ["lab/7777", "lab:7777", "--host lab --port 7777"],
    ["lab, 7777", "lab:7777", "--host lab --port 7777"],
    [" lab 7777 ", "lab:7777", "--host lab --port 7777"],
    ["lab 99999", "lab:99999", "--host lab --port PORT"],
    ["10.0.0.1/8", "10.0.0.1", "--host 10.0.0.1"],
    ["[::1", "::1", "--host ::1"],
    ["[::1]7777", "[::1]:7777", "--host ::1 --port 7777"],
    ["http://[::1]:7777/", "[::1]:7777", "--host ::1 --port 7777"],
  ];
  for (const [word, asWord, asOptions] of cases) {
    const said = (parse: (word: string) => unknown) => assertThrows(() => parse(word), NetlabError).withHint;
    assertEquals(said(parseAddress), `not an address: "${word}": did you mean ${asWord}?`);
    assertEquals(said(parseHost), `not an address: "${word}": did you mean ${asOptions}?`);
  }
  for (const word of ["", "my lab", "lab:1:2", "::1:80:x", "http://", "]", "/"]) {
    const error = assertThrows(() => parseAddress(word), NetlabError);
    assertEquals(error.withHint, `not an address: "${word}": ${general}`);
  }
});

test("a host with a port is answered with the options of both", () => {
  const cases = [
    ["lab:7777", "--host lab --port 7777"],
    ["[::1]:7777", "--host ::1 --port 7777"],
    ["127.0.0.1:0", "--host 127.0.0.1 --port 0"],
    [":8000", "--port 8000"],
    ["lab:", "--host lab"],
    ["lab:http", "--host lab --port PORT"],
  ];
  for (const [word, options] of cases) {
    const error = assertThrows(() => parseHost(word), NetlabError);
    assertEquals(error.withHint, `a host is said without its port, not "${word}": ${options}`);
  }
  assertThrows(() => parseHost("8000"), NetlabError, 'not a host: "8000"');
});

test("an address where a port, or none at all, is expected is answered with its options", async () => {
  const port = (text: string) => `--port takes a whole number from 0 to 65535, not "${text}"`;
  const cases = [
    ["serve chat --port 8000:9000", `${port("8000:9000")}: did you mean --port 8000?`],
    ["serve chat --port :8000", `${port(":8000")}: did you mean --port 8000?`],
    ["serve chat --port 8000/tcp", `${port("8000/tcp")}: did you mean --port 8000?`],
    ["serve chat --port 8,000", `${port("8,000")}: did you mean --port 8000?`],
    ["serve chat --port 10.0.0.1:8000", `${port("10.0.0.1:8000")}: did you mean --host 10.0.0.1 --port 8000?`],
    ["serve chat --port localhost", `${port("localhost")}: did you mean --host localhost?`],
    ["serve chat --port http", port("http")],
    ["serve chat --port 99999", port("99999")],
    ["serve chat 8000", 'serve takes no "8000": netlab serve chat --port 8000'],
    ["serve chat :8000", 'serve takes no ":8000": netlab serve chat --port 8000'],
    ["serve chat lab 8000", 'serve takes no "lab": netlab serve chat --host lab --port 8000'],
    ["serve chat 10.0.0.1", 'serve takes no "10.0.0.1": netlab serve chat --host 10.0.0.1'],
    ["serve chat 99999", 'serve takes no "99999": netlab serve EXERCISE [options]'],
    ["peer 10011", 'peer takes no "10011": netlab peer --port 10011'],
    ["mesh lab 10002", 'mesh takes no "lab": netlab connect mesh lab 10002'],
    ["peer lab", 'peer takes no "lab": netlab peer [options]'],
    ["connect stream http://lab:9004/a.wav", 'not an address: "http://lab:9004/a.wav": did you mean lab:9004?'],
  ];
  for (const [line, answer] of cases) {
    assertEquals(await netlab(line), { status: 2, out: "", err: `netlab: ${answer}\n` }, line);
  }
});

test("a negative number is no option, wherever it stands", () => {
  const { positionals, values } = parse(["-7", "/", "2", "--name", "-1", "--", "-x", "-3"]);
  assertEquals(positionals, ["-7", "/", "2", "-x", "-3"]);
  assertEquals(values.name, "-1");
  assertRefused("no such option: -x", ["-x"]);
  for (const args of [["--_"], ["--_=5"], ["--_", "5"]]) assertRefused("no such option: --_", args);
  assertRefused('--port takes a whole number from 0 to 65535, not "-1"', ["--port", "-1"]);
});

test("what begins with a minus and has a blank is text, but for an option and its value in one word", () => {
  assertEquals(parse(["- 7 6", "--name", "- x", "--text", "-- \na = b"]).positionals, ["- 7 6"]);
  for (const text of ["- x", "-x y", "-- x", "-\n--=", "- a = b", "--port 1", "--x=y z"]) {
    for (const name of ["name", "text"]) assertEquals(valueOf(name, [`--${name}`, text]), text);
  }
  assertRefused("no such option: --zzzzzz", ["--zzzzzz=a b"]);
  assertRefused('no such option: --port 1 (did you mean "--port"?)', ["--port 1"]);
});

test("an address is told from the words behind it by what an exercise takes", () => {
  const accepts = (words: readonly string[]) => words.length === 3 && words[1] === "*";
  const expression = ["7", "*", "6"];
  const cases: [string[], ReturnType<typeof takeAddressBefore>][] = [
    [[], { address: null, rest: [] }],
    [expression, { address: null, rest: expression }],
    [["lab", ...expression], { address: { host: "lab" }, rest: expression }],
    [["lab:1", ...expression], { address: { host: "lab", port: 1 }, rest: expression }],
    [["lab", "1", ...expression], { address: { host: "lab", port: 1 }, rest: expression }],
    [["lab"], { address: { host: "lab" }, rest: [] }],
    [["lab", "1"], { address: { host: "lab", port: 1 }, rest: [] }],
    [["lab", "seven"], null],
    [["lab", "1", "seven"], null],
  ];
  for (const [words, read] of cases) assertEquals(takeAddressBefore(words, accepts), read, words.join(" "));
});

test("connect says what an exercise takes behind the address", async () => {
  // An address is no operand, even where what stands behind it is half an expression.
  const shell = "127.0.0.1:9003 7 LICENSE README.md 6";
  const problems = [
    ["lab seven", 'connect calc does not take "lab seven"'],
    ...["127.0.0.1:9003 7 *", "7 x 6", shell].map((words) => [
      words,
      `not two integers and an operator: "${words}"; * has to be in quotes`,
    ]),
  ];
  for (const [words, problem] of problems) {
    const { status, err } = await netlab(`connect calc ${words}`);
    assertEquals([status, err], [2, `netlab: ${problem}: netlab connect calc [HOST[:PORT]] [7 "*" 6]\n`]);
  }
});

test("of a client's commands, what is wrong with one is said, whatever address stands before it", async () => {
  const usage = "netlab connect files [HOST[:PORT]] [get NAME… | stat NAME | list]";
  for (const address of ["", "lab ", "lab:1 ", "lab 1 "]) {
    const cases = [
      ["get", "get needs NAME…"],
      ["stat a b", 'stat does not take "a b"'],
      ["list a", 'list does not take "a"'],
      ["gte a", 'no such command: gte (did you mean "get"?)'],
      ["nonsense a", `no such command: ${address === "" ? "a" : "nonsense"}`],
    ];
    for (const [words, said] of cases) {
      const { status, err } = await netlab(`connect files ${address}${words}`);
      assertEquals([status, err], [2, `netlab: ${said}: ${usage}\n`], address + words);
    }
  }
});

test("a command that is written wrong, and stands alone, is no host either", async () => {
  const { status, err } = await netlab("connect files gte");
  assertEquals([status, err], [2, 'netlab: no such command, and no such host: gte (did you mean "get"?)\n']);
});

test("a host may be called as a command is", async () => {
  const { status, err } = await netlab("connect files get:1 list");
  assertEquals([status, err.split(": ")[1]], [1, "cannot connect to get:1"]);
});

test("serve has the options of every server but those that the exercise has no use for", () => {
  const all = serveOptions().map(({ name }) => name);
  for (const exercise of exercises) {
    const { limits, name, unusedOptions = [] } = exercise;
    const missing = all.filter((option) => !serveOptions(exercise).some(({ name }) => name === option));
    assertEquals(missing.filter((option) => option !== "transport"), [...unusedOptions], name);
    // One at a time may be the exercise itself.
    assertEquals(missing.includes("max-clients"), limits?.maxClients === 1, name);
  }
  assertEquals(readLimits({ idle: 1, "max-queue": 3 }), { idleMs: 1, queueBytes: 3 });
});

test("an exercise that is both ends has a command of its own, with the options of its server", async () => {
  const names = exercises.filter(({ symmetric }) => symmetric).map(({ name }) => name);
  assertEquals(names, ["peer", "mesh"]);
  for (const name of names) {
    const { status, out } = await netlab(`${name} --help`);
    assertEquals(status, 0);
    assertStringIncludes(out, `netlab ${name}: short for netlab serve ${name}`);
    for (const option of serveOptions(findExercise(name)!)) assertStringIncludes(out, `--${option.name}`);
    assertEquals((await netlab(`${name} chat`)).status, 2);
  }
});
