// A folder that strangers may read from: whatever they ask for, they get its plain files and nothing else.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { files } from "../lib/exercises/files/mod.ts";
import { FileRefused, Folder } from "../lib/exercises/folder.ts";
import { fileNameProblem } from "../lib/exercises/names.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { skipIf, skipUnless, test } from "./helpers.ts";

const SECRET = "secret: nobody may read this";
const unix = skipIf(Deno.build.os === "windows" ? "this system has no FIFOs, and links need a privilege" : null);

/** A folder `shared` with a file, and beside it what must not be read. */
class Place {
  readonly root = temporaryFolder();
  readonly dir = `${this.root}/shared`;

  constructor() {
    Deno.mkdirSync(`${this.dir}/inner`, { recursive: true });
    Deno.mkdirSync(`${this.root}/shared-too`);
    Deno.mkdirSync(`${this.root}/outside`);
    for (const path of ["secret.txt", "shared-too/secret.txt", "outside/secret.txt"]) {
      Deno.writeTextFileSync(`${this.root}/${path}`, SECRET);
    }
    Deno.writeTextFileSync(`${this.dir}/hello.txt`, "hello\n");
    Deno.writeTextFileSync(`${this.dir}/inner/deep.txt`, "deep\n");
  }

  get folder(): Folder {
    return new Folder(this.dir);
  }

  link(name: string, target: string): this {
    Deno.symlinkSync(target, `${this.dir}/${name}`);
    return this;
  }
}

/** What a name gives: the content, or the number of the refusal. */
async function ask(folder: Folder, name: string): Promise<string | number> {
  try {
    const { file } = await folder.open(name);
    return await new Response(file.readable).text();
  } catch (error) {
    if (error instanceof FileRefused) return error.code;
    throw error;
  }
}

async function listed(folder: Folder): Promise<string[]> {
  return (await folder.list()).map(({ name }) => name);
}

/** Names that lead elsewhere on some system, or look as if they did. */
const TRICKS = [
  ...["..", ".", "...", "../secret.txt", "../../../../../../../../etc/passwd", "./hello.txt", "inner/../hello.txt"],
  ...["inner/deep.txt", "inner", "inner/", "hello.txt/", "hello.txt/..", "hello.txt/../../secret.txt"],
  ...["/etc/passwd", "//etc/passwd", "/", "~/.ssh/id_rsa", "~root/x", "/proc/self/environ", "/dev/zero"],
  ...["..\\secret.txt", "..\\..\\secret.txt", "\\\\server\\share\\x", "\\\\?\\C:\\boot.ini", "inner\\deep.txt", "\\"],
  ...["C:", "C:secret.txt", "C:\\boot.ini", "c:/boot.ini", "hello.txt::$DATA", "hello.txt:stream"],
  ...["..%2fsecret.txt", "%2e%2e%2fsecret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "%2fetc%2fpasswd"],
  ...["..%252fsecret.txt", "..%c0%afsecret.txt", "..%u2215secret.txt", "file:///etc/passwd", "..;/secret.txt"],
  ...["..／secret.txt", "..∕secret.txt", "．．/secret.txt", "‥/secret.txt", "..⁄secret.txt", "..＼secret.txt"],
  ...["hello.txt\0", "\0", "../secret.txt\0.txt", "hello.txt\0.png", "hello.txt\n", "hello.txt\r", "\x1b[2J", "a\tb"],
  ...["\u202etxt.olleh", "hello\u200b.txt", "\ufeffhello.txt", "\ud800", "hello.txt\x7f", "hello.txt\u2028"],
  ...["CON", "con", "nul.txt", "NUL.tar.gz", "Aux", "prn.txt", "COM1", "com9.log", "LPT1", "lpt³", "CONIN$", "CON "],
  ...["hello.txt.", "hello.txt..", "hello.txt ", "hello.txt. ", " ", ". .", ".. ", "..\t", " ..", "../", "..."],
  ...["", "*", "hello.*", "?ello.txt", "<hello.txt", "|id", "$(id)", "`id`", "; cat ../secret.txt", "--help", "-"],
  ...["x".repeat(256), "é".repeat(128), "x".repeat(100_000), "../".repeat(5000), `${"inner/../".repeat(300)}hello.txt`],
  ...["HELLO.TXT/../../secret.txt", "shared-too/secret.txt", "../shared-too/secret.txt", "../shared/hello.txt"],
];

test("none of more than a hundred names gets out of the folder", async () => {
  const { folder } = new Place();
  assertGreaterOrEqual(new Set(TRICKS).size, 100);
  for (const name of TRICKS) {
    const got = await ask(folder, name);
    const refused = got === 400 || got === 403 || got === 404;
    assert(refused, `${JSON.stringify(name).slice(0, 60)} gives ${got}`);
  }
});

test("overlong UTF-8 and other bytes that are no text are the names of nothing", async () => {
  const { folder } = new Place();
  for (const bytes of [[0xc0, 0xae, 0xc0, 0xae, 0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xf0, 0x80, 0x80, 0xaf], [0xff]]) {
    const name = new TextDecoder().decode(new Uint8Array([...bytes, ...new TextEncoder().encode("secret.txt")]));
    assertEquals(await ask(folder, name), 404, name);
  }
});

test("what is no name says so, and what is not there is not said to be forbidden", async () => {
  const { folder } = new Place();
  const codes = await Promise.all(["", "..", "/etc/passwd", "nothing.txt", "inner"].map((name) => ask(folder, name)));
  assertEquals(codes, [400, 403, 403, 404, 403]);
  const { message } = await assertRejects(() => folder.open("../secret.txt"), FileRefused);
  assertEquals(message, 'not a file name: "../secret.txt": it leads into another folder');
});

test("links out of the folder are refused, and not listed", async () => {
  const place = new Place();
  place.link("file", "../secret.txt").link("absolute", `${place.root}/secret.txt`).link("dir", "../outside")
    .link("sibling", "../shared-too/secret.txt").link("root", "/").link("up", "..").link("passwd", "/etc/passwd")
    .link("chain1", "chain2").link("chain2", "chain3").link("chain3", "file").link("byInner", "inner/../../secret.txt");
  for await (const { name } of Deno.readDir(place.dir)) {
    if (name !== "hello.txt") assertEquals(await ask(place.folder, name), 403, name);
  }
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, unix);

test("links that lead to a file in the folder are that file", async () => {
  const place = new Place();
  place.link("link", "hello.txt").link("to-link", "link").link("absolute", `${place.dir}/hello.txt`)
    .link("deep", "inner/deep.txt").link("out-and-in", "../shared/hello.txt");
  const names = await listed(place.folder);
  assertEquals(names, ["absolute", "deep", "hello.txt", "link", "out-and-in", "to-link"]);
  const contents = await Promise.all(names.map((name) => ask(place.folder, name)));
  assertEquals(contents, ["hello\n", "deep\n", "hello\n", "hello\n", "hello\n", "hello\n"]);
}, unix);

test("links to nowhere, to themselves and to folders are refused, and not listed", async () => {
  const place = new Place();
  place.link("dangling", "nothing").link("dangling-out", "../nothing").link("loop", "loop").link("a", "b").link(
    "b",
    "a",
  )
    .link("to-dir", "inner").link("to-itself", ".");
  const codes = [];
  for (const name of ["dangling", "dangling-out", "to-dir", "to-itself"]) codes.push(await ask(place.folder, name));
  assertEquals(codes, [404, 404, 403, 403]);
  for (const name of ["loop", "a", "b"]) assertEquals(typeof await ask(place.folder, name), "number", name);
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, unix);

test("a FIFO is refused at once, and not listed", async () => {
  const place = new Place();
  const { success } = await new Deno.Command("mkfifo", { args: [`${place.dir}/pipe`] }).output();
  assert(success);
  place.link("to-pipe", "pipe");
  assertEquals([await ask(place.folder, "pipe"), await ask(place.folder, "to-pipe")], [403, 403]);
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, skipUnless("mkfifo"));

test("a socket and a link to a device are refused, and not listed", async () => {
  const place = new Place();
  const code = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
  await new Deno.Command("python3", { args: ["-c", code, `${place.dir}/socket`] }).output();
  assert(Deno.lstatSync(`${place.dir}/socket`).isSocket);
  place.link("zero", "/dev/zero").link("stdin", "/dev/stdin").link("mem", "/proc/self/mem");
  for (const name of ["socket", "zero", "stdin", "mem"]) assertEquals(await ask(place.folder, name), 403, name);
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, skipUnless("python3"));

test("a file whose name is a trick elsewhere is neither read nor listed", async () => {
  const place = new Place();
  const names = [
    "CON",
    "nul.txt",
    "a:b",
    "back\\slash",
    "dot.",
    "space ",
    "new\nline",
    "\x1b[2J",
    "q?",
    "\u202egnp.exe",
  ];
  for (const name of names) Deno.writeTextFileSync(`${place.dir}/${name}`, SECRET);
  for (const name of names) assertEquals(await ask(place.folder, name), 403, name);
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, unix);

test("explain files names what is refused of names that lead nowhere else", async () => {
  const [, rules] = (await files.explanation()).wire.split("no file name on every system:");
  const devices = rules.match(/[A-Z]{3,}\$?/g)!.map((word) => /^(COM|LPT)$/.test(word) ? `${word}1` : word);
  assertEquals(devices, ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$", "COM1", "LPT1"]);
  const characters = /one of (.*) or a control character/.exec(rules)![1].split(" ");
  assertEquals(characters, [...'<>:"|?*']);
  for (const name of [...devices, ...devices.map((one) => `${one}.txt`), ...characters.map((one) => `a${one}b`)]) {
    assert(fileNameProblem(name) !== null, name);
  }
  assertStringIncludes(rules, "more than 255 bytes");
  assertStringIncludes(rules, "a dot or a space\nat its end");
});

const anyName = skipIf(Deno.build.os === "linux" ? null : "file systems other than Linux's take only names in UTF-8");

test("a file whose name is no UTF-8 keeps nobody from listing the others", async () => {
  const place = new Place();
  const code = "import os, sys; open(os.path.join(os.fsencode(sys.argv[1]), b'bad\\xff.txt'), 'w').write('x')";
  const { success } = await new Deno.Command("python3", { args: ["-c", code, place.dir] }).output();
  assert(success);
  assertEquals(await listed(place.folder), ["hello.txt"]);
}, anyName.ignore ? anyName : skipUnless("python3"));

test("names that are merely odd are read and listed, in order", async () => {
  const place = new Place();
  const names = [
    " leading",
    "%2e%2e",
    "--help",
    "..hidden",
    ".profile",
    "$(id)",
    "a b  c",
    "console",
    "comx",
    "~",
    "é漢🦕",
  ];
  for (const name of names) Deno.writeTextFileSync(`${place.dir}/${name}`, name);
  for (const name of names) assertEquals(await ask(place.folder, name), name);
  assertEquals(await listed(place.folder), [...names, "hello.txt"].sort());
});

test("a name of 255 bytes is one, however its characters are made, and one more is not", async () => {
  const place = new Place();
  for (const name of ["x".repeat(255), `x${"é".repeat(127)}`]) {
    Deno.writeTextFileSync(`${place.dir}/${name}`, "long");
    assertEquals([fileNameProblem(name), await ask(place.folder, name)], [null, "long"]);
    assertEquals(fileNameProblem(`${name}x`), "it is longer than 255 bytes");
    assertEquals(await ask(place.folder, `${name}x`), 403);
  }
});

test("a name of another case is the same file only where the system says so", async () => {
  const { folder, dir } = new Place();
  const same = await Deno.stat(`${dir}/HELLO.TXT`).then(() => true, () => false);
  assertEquals(await ask(folder, "HELLO.TXT"), same ? "hello\n" : 404);
});

test("a folder that is itself reached by a link, or is named with a slash behind it, is served", async () => {
  const place = new Place();
  Deno.symlinkSync("shared", `${place.root}/alias`);
  for (const dir of [`${place.root}/alias`, `${place.dir}/`, `${place.dir}/inner/..`]) {
    const folder = new Folder(dir);
    assertEquals([await ask(folder, "hello.txt"), await listed(folder)], ["hello\n", ["hello.txt"]], dir);
  }
}, unix);

test(
  "a folder in whose place somebody puts a link later gives nothing of where that leads, not even names",
  async () => {
    const place = new Place();
    const { folder } = place;
    Deno.renameSync(place.dir, `${place.root}/moved`);
    Deno.symlinkSync("outside", place.dir);
    assertEquals(await ask(folder, "secret.txt"), 403);
    assertEquals(await listed(folder).catch(() => []), []);
  },
  unix,
);

test("what is no folder is refused when the server starts", () => {
  const { dir } = new Place();
  const wrongs = { [`${dir}/hello.txt`]: "not a folder", [`${dir}/nothing`]: "no such folder", "": "no such folder" };
  for (const [wrong, problem] of Object.entries(wrongs)) {
    const error = assertThrows(() => new Folder(wrong), NetlabError, `${problem}: ${wrong}`);
    assertEquals(error.kind, "usage");
  }
});

test("the size is that of the file, not of a link to it", async () => {
  const place = new Place().link("link-with-a-long-target", "inner/../inner/../inner/deep.txt");
  const sizes = Object.fromEntries((await place.folder.list()).map(({ name, size }) => [name, size]));
  assertEquals(sizes, { "hello.txt": 6, "link-with-a-long-target": 5 });
}, unix);

test("a link that is swapped without end never gives what is outside", async () => {
  const place = new Place();
  const { folder } = place;
  const got = new Set<string | number>();
  for (let i = 0; i < 300; i++) {
    const opening = Promise.all(Array.from({ length: 4 }, () => ask(folder, "flip")));
    Deno.symlinkSync(i % 2 ? "../secret.txt" : "hello.txt", `${place.dir}/new`);
    Deno.renameSync(`${place.dir}/new`, `${place.dir}/flip`);
    for (const what of await opening) got.add(what);
  }
  assert([...got].every((what) => what === "hello\n" || typeof what === "number"), [...got].join());
}, unix);

/** What somebody does as fast as it goes in a process of its own, until it is stopped: `dir` is the folder. */
async function meanwhile(dir: string, code: string, fn: () => Promise<void>): Promise<void> {
  const loop = `const [dir] = Deno.args; const end = Date.now() + 60_000; console.log("begun");
    while (Date.now() < end) { try { ${code} } catch {} }`;
  const program = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(program, loop);
  const args = ["run", "--no-config", "--quiet", "--allow-read", "--allow-write", program, dir];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "null" }).spawn();
  try {
    const output = child.stdout.getReader();
    await output.read();
    await fn();
    await output.cancel();
  } finally {
    child.kill();
    await child.status;
    await Deno.remove(program);
  }
}

const SWAPS: [what: string, name: string, code: string][] = [
  [
    "a file in whose place a link comes and goes",
    "race",
    `Deno.symlinkSync("../secret.txt", dir + "/l"); Deno.renameSync(dir + "/l", dir + "/race");
     Deno.linkSync(dir + "/../hello", dir + "/f"); Deno.renameSync(dir + "/f", dir + "/race");`,
  ],
  [
    "a file in a folder in whose place a link comes and goes",
    "deep",
    `Deno.renameSync(dir + "/inner", dir + "/away"); Deno.symlinkSync("../outside", dir + "/inner");
     Deno.removeSync(dir + "/inner"); Deno.renameSync(dir + "/away", dir + "/inner");`,
  ],
];
for (const [what, name, code] of SWAPS) {
  test(`${what} never gives what is outside, nor its size`, async () => {
    const place = new Place().link("deep", "inner/secret.txt");
    const { folder, dir, root } = place;
    Deno.writeTextFileSync(`${root}/outside/secret.txt`, SECRET);
    Deno.writeTextFileSync(`${dir}/race`, "hello\n");
    Deno.writeTextFileSync(`${root}/hello`, "hello\n"); // a file written each time would wait for the disk, and be there for moments only
    Deno.writeTextFileSync(`${dir}/inner/secret.txt`, "hello\n");
    const got = new Map<string | number, number>();
    const sizes = new Set<number>();
    await meanwhile(dir, code, async () => {
      for (let i = 0; i < 4000; i++) {
        const answer = await ask(folder, name);
        got.set(answer, (got.get(answer) ?? 0) + 1);
        if (i % 4 > 0) continue;
        for (const { name, size } of await folder.list()) if (name === "race" || name === "deep") sizes.add(size);
      }
    });
    assertEquals([got.has(SECRET), sizes.has(SECRET.length)], [false, false], JSON.stringify([...got]));
    assert(got.size > 1, `nothing came or went: ${JSON.stringify([...got])}`);
  }, unix);
}

test("a folder with 10,000 files is listed in not much more time than it takes to make them", async () => {
  const dir = temporaryFolder();
  const begun = performance.now();
  for (let i = 0; i < 10_000; i++) Deno.writeFileSync(`${dir}/file ${i}`, new Uint8Array(i % 7));
  const madeMs = performance.now() - begun;
  const entries = await new Folder(dir).list();
  const ms = performance.now() - begun - madeMs;
  assertEquals([entries.length, entries[1]], [10_000, { name: "file 1", size: 1 }]);
  assert(ms < 2000 + 4 * madeMs, `it took ${ms} ms, and ${madeMs} ms to make them`);
});
