// A folder of submissions: each is graded by itself, in a copy, once; and all can meet all.

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { toCsv } from "../lib/grade/csv.ts";
import { inParallel } from "../lib/grade/folder.ts";
import { takeAway } from "../lib/grade/leftovers.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { netlab, runProgram } from "./cli_helpers.ts";
import { settle, skipIf, skipUnless, skipUnlessSh, test } from "./helpers.ts";

const python = skipUnless("python3");
const ordinary = skipIf(
  Deno.build.os !== "windows" && Deno.uid() !== 0 ? null : "root may read everything, and Windows has no such modes",
);
const linux = skipIf(Deno.build.os === "linux" ? null : "only Linux has names that are not UTF-8");

/** A calculator of two answers; it leaves a file where it runs. */
const SERVER = `
import socket, sys, threading
open("been-here", "w").write("x")
def serve(client):
    for line in client.makefile():
        client.sendall({"7 * 6": b"42\\n", "7 + 6": b"13\\n"}.get(line.strip(), b"ERROR\\n"))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
/** As good, but it takes one recv() for one message. */
const UNFRAMED = SERVER.replace(
  / {4}for line.*\n/,
  `    while True:\n        line = client.recv(100).decode()\n        if not line: return\n`,
);

/** A chat server and client that do what a meeting asks. */
const CHAT_SERVER = `
import socket, sys, threading
users = {}
def serve(client):
    name = None
    for line in client.makefile(encoding="utf-8"):
        word, _, rest = line.rstrip("\\n").partition(" ")
        if word == "NAME":
            name = rest
            users[name] = client
            client.sendall(f"HELLO {name}\\n".encode())
        elif word == "MSG":
            to, _, text = rest.partition(" ")
            users[to].sendall(f"{name} sent {text}\\n".encode())
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;
const CHAT_CLIENT = `
import os, socket, sys, threading
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def show():
    for line in server.makefile(encoding="utf-8"):
        print(line.rstrip())
    os._exit(0)
threading.Thread(target=show, daemon=True).start()
for line in sys.stdin:
    server.sendall(line.encode())
`;

/** A folder of submissions: their names, and their files by name. */
function folderOf(submissions: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const dir = temporaryFolder();
  for (const [name, files] of Object.entries(submissions)) {
    Deno.mkdirSync(`${dir}/${name}`);
    for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(`${dir}/${name}/${file}`, text);
  }
  return dir;
}

/** In a check of two messages: pieces of the first may reach a program together that was slow to accept. */
const gradeCalc = (dir: string, ...more: string[]) => gradeWith("python3 server.py {port}", dir, ...more);

const gradeWith = (command: string, dir: string, ...more: string[]) =>
  netlab([
    ...["grade", "calc", "--batch", dir, "--run", command, "--wire", "line", "--timeout", "3s"],
    ...["--only", "ask again", "--start", "20s", ...more],
  ]);

test("each submission is graded in a copy, into a table", async () => {
  const dir = folderOf({ good: { "server.py": SERVER }, unframed: { "server.py": UNFRAMED }, empty: {} });
  const { status, out, err } = await gradeCalc(dir);
  assertEquals(status, 1);
  assertEquals(err, `the table is in ${dir}/netlab-grades.csv\nthe table is in ${dir}/netlab-grades.html\n`);
  const page = Deno.readTextFileSync(`${dir}/netlab-grades.html`);
  for (
    const text of [
      "3 submissions",
      "<code>python3 server.py {port}</code>",
      "points on average · tcp, line · seed 1",
      'href="#submission-3">unframed</a>',
    ]
  ) assertStringIncludes(page, text);
  assertMatch(page, /takes one recv\(\) for one message|as &quot;it multiplies&quot;: a write a byte/);
  const rows = Deno.readTextFileSync(`${dir}/netlab-grades.csv`).trimEnd().split("\r\n").map((row) => row.split(","));
  assertEquals(rows[0], ["submission", "points", "max", "a client may ask again on the same connection", "notes"]);
  const points = Object.fromEntries(rows.slice(1).map(([name, points]) => [name, Number(points)]));
  const max = Number(rows[1][2]);
  assertEquals([points.empty, points.good], [0, max]);
  assert(points.unframed > 0 && points.unframed < max, String(points.unframed));
  for (const name of ["good", "unframed", "empty"]) assertMatch(out, new RegExp(`of ${max}  ${name}  [\\d.]+ s`));
  assertEquals([...Deno.readDirSync(`${dir}/good`)].map(({ name }) => name), ["server.py"]);
}, python);

test("a copy is gone when it has been graded", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  const log = `${temporaryFolder()}/where`;
  assertEquals((await gradeWith(`pwd >>${log}; exec python3 server.py {port}`, dir)).status, 0);
  const copies = new Set(Deno.readTextFileSync(log).trimEnd().split("\n"));
  assertEquals(copies.size, 1);
  for (const copy of copies) assertThrows(() => Deno.statSync(copy), Deno.errors.NotFound);
}, python);

test("a machine without the language is at fault, and no submission", async () => {
  for (
    const [run, ...more] of [["no-such-language {port}"], ["true {port}", "--matrix", "--client", "no-such-language"]]
  ) {
    const dir = folderOf({ one: {} });
    const { status, out, err } = await netlab([
      "grade",
      "chat",
      "--batch",
      dir,
      "--run",
      run,
      ...more,
      "--port",
      "5555",
    ]);
    assertEquals([status, out], [3, ""]);
    assertEquals(err, "netlab: this machine has no no-such-language: install it, or write its path\n");
  }
}, skipUnlessSh());

test("what the machine is at fault for is a result of nobody's: it says why, and so does the status", async () => {
  const dir = folderOf({ one: { "server.py": SERVER }, two: { "server.py": UNFRAMED } });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String((other.addr as Deno.NetAddr).port);
  const taken = await gradeWith("python3 server.py", dir, "--port", port);
  const why = `another program listens on port ${port} already: end that one first, or write {port} in the command, ` +
    "for a free port";
  assertEquals([taken.status, taken.out], [3, `    not graded  one  ${why}\n    not graded  two  ${why}\n`]);
  const line = ["grade", "calc", "--batch", dir, "--run", "python3 server.py {port}"];
  const { status, out } = await runProgram(line, {
    env: { TMPDIR: `${dir}/none`, TEMP: `${dir}/none`, TMP: `${dir}/none` },
  });
  assertEquals([status, out.match(/not graded {2}(one|two) {2}cannot make a temporary folder: /g)?.length], [3, 2]);
  assertStringIncludes(Deno.readTextFileSync(`${dir}/netlab-grades.csv`), "it could not be graded: cannot make a");
});

test("what is wrong whoever is graded is wrong usage, and not what submissions have no points for", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  const unnamed = await netlab([
    "grade",
    "calc",
    "--batch",
    dir,
    "--run",
    "python3 server.py {port}",
    "--only",
    "juggles",
  ]);
  assertEquals([unnamed.status, unnamed.out], [2, ""]);
  assertStringIncludes(unnamed.err, 'no check of calc is called "juggles"');
  for (const more of [[], ["--matrix", "--client", "python3 client.py {port}"]]) {
    const { status, out, err } = await netlab(["grade", "chat", "--batch", dir, "--run", "python3 server.py", ...more]);
    assertEquals([status, out], [2, ""]);
    assertStringIncludes(err, "where does python3 server.py listen?");
  }
}, python);

test("a result that cannot be kept for the next time counts all the same, and that is said", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  Deno.writeTextFileSync(`${dir}/.netlab-grades`, "");
  const { status, out, err } = await gradeCalc(dir);
  assertEquals(status, 0);
  assertMatch(out, /5 of 5 {2}one {2}[\d.]+ s\n/);
  assertMatch(err, /note: results are not kept for the next time: .+\n/);
}, python);

test("what is no folder is not graded, and that is said", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  Deno.writeTextFileSync(`${dir}/two.zip`, "PK");
  Deno.writeTextFileSync(`${dir}/.hidden`, "");
  Deno.symlinkSync("one", `${dir}/three`);
  await gradeCalc(dir);
  const { out, err } = await gradeCalc(`${dir}/`);
  assertMatch(out, /^ *5 of 5 {2}one {2}unchanged\n$/);
  assertEquals(err.split("\n").slice(0, 2), [
    "note: not graded, as it is no folder: three (a link), two.zip",
    `the table is in ${dir}/netlab-grades.csv`,
  ]);
}, python);

test("what has not changed is not graded again", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  await gradeCalc(dir);
  assertStringIncludes(Deno.readTextFileSync(`${dir}/netlab-grades.html`), "<h1>calc server: 1 submission</h1>");
  Deno.mkdirSync(`${dir}/two`);
  Deno.writeTextFileSync(`${dir}/two/server.py`, UNFRAMED);
  await gradeCalc(dir);
  assertEquals((await gradeCalc(dir)).out.match(/unchanged/g)?.length, 2);
  Deno.writeTextFileSync(`${dir}/two/server.py`, SERVER + "# now with framing\n");
  const { status, out } = await gradeCalc(dir);
  assertMatch(out, /one {2}unchanged/);
  assertMatch(out, /two {2}[\d.]+ s/);
  assertEquals(status, 0);
  // Other settings are another grading, and so is an order to do it anew.
  assert(!(await gradeCalc(dir, "--seed", "2")).out.includes("unchanged"));
  for (const more of [["--limit", "50s"], ["--start", "4s"], ["--fail-fast"]]) {
    assert(!(await gradeCalc(dir, ...more)).out.includes("unchanged"), more.join(" "));
  }
  // What is graded anew is kept, too.
  for (const entry of Deno.readDirSync(`${dir}/.netlab-grades`)) Deno.removeSync(`${dir}/.netlab-grades/${entry.name}`);
  for (let times = 0; times < 2; times++) {
    assert(!(await gradeCalc(dir, "--no-cache")).out.includes("unchanged"));
  }
  assertEquals((await gradeCalc(dir)).out.match(/unchanged/g)?.length, 2);
  // Where a program keeps its files there may be none yet.
  Deno.mkdirSync(`${dir}/one/data`);
  assertMatch((await gradeCalc(dir)).out, /one {2}[\d.]+ s\n/);
}, python);

test("what cannot be graded is a row with its reason, and the others are graded", async () => {
  const leaves = `import os, shutil\nshutil.rmtree(os.getcwd())\n${SERVER}`;
  const dir = folderOf({ good: { "server.py": SERVER }, leaves: { "server.py": leaves } });
  // What an archive makes of an umlaut may be no UTF-8: where such a folder is listed, it cannot be read by the name it has.
  await new Deno.Command("sh", { args: ["-c", "mkdir \"$(printf 'J\\374rgen')\""], cwd: dir }).output();
  const listed = [...Deno.readDirSync(dir)].some(({ name }) => name.startsWith("J"));
  const { status, out } = await gradeCalc(dir);
  assertEquals(status, listed ? 3 : 1);
  assertMatch(out, /5 of 5 {2}good/);
  const table = Deno.readTextFileSync(`${dir}/netlab-grades.csv`);
  assertMatch(table, /^leaves,\d/m);
  if (listed) {
    assertMatch(table, /^J.rgen,0,5,.*it could not be graded: its name is not UTF-8: give the folder another/m);
  }
}, python);

test("what cannot be read of a submission is named in its reason", async () => {
  const dir = folderOf({
    file: { "server.py": SERVER },
    folder: { "server.py": SERVER },
    whole: { "server.py": SERVER },
  });
  Deno.mkdirSync(`${dir}/file/lib`);
  Deno.writeTextFileSync(`${dir}/file/lib/x.py`, "");
  Deno.chmodSync(`${dir}/file/lib/x.py`, 0);
  Deno.mkdirSync(`${dir}/folder/lib`, { mode: 0 });
  Deno.chmodSync(`${dir}/whole`, 0);
  const { status, out } = await gradeCalc(dir);
  for (const path of ["file/lib/x.py", "folder/lib", "whole"]) Deno.chmodSync(`${dir}/${path}`, 0o700);
  assertEquals(status, 3);
  assertMatch(out, /not graded {2}file {2}cannot read lib\/x\.py: permission denied/);
  assertMatch(out, /not graded {2}folder {2}cannot read lib\/: permission denied/);
  assertMatch(out, /not graded {2}whole {2}cannot read it: permission denied/);
}, ordinary.ignore ? ordinary : python);

test("a file or folder whose name is not UTF-8 is left out, by name, and costs nothing else", async () => {
  const dir = folderOf({ one: { "server.py": SERVER, "\uFFFD": "so it is called" } });
  const make = "touch \"$(printf '\\334bung')\" && mkdir \"$(printf '\\334b')\" && touch \"$(printf '\\334b/x')\"";
  await new Deno.Command("sh", { args: ["-c", make], cwd: `${dir}/one` }).output();
  const { status, out } = await gradeCalc(dir);
  assertEquals(status, 0);
  assertMatch(out, /5 of 5 {2}one {2}[\d.]+ s\n/);
  // An older Deno does not list such a name at all.
  const listed = [...Deno.readDirSync(`${dir}/one`)].length > 2;
  const note =
    /^one,5,5,5,"files and folders with names that are not UTF-8 are not in the copy that was graded: (.bung, .b|.b, .bung)"/m;
  assertMatch(Deno.readTextFileSync(`${dir}/netlab-grades.csv`), listed ? note : /^one,5,5,5,$/m);
  assertMatch((await gradeCalc(dir)).out, /one {2}unchanged/);
}, linux.ignore ? linux : python);

test("a link in a submission is part of it, and one that leads out is not", async () => {
  const dir = folderOf({ linked: {}, leading: {}, src: { "server.py": SERVER } });
  Deno.mkdirSync(`${dir}/linked/src`);
  Deno.writeTextFileSync(`${dir}/linked/src/server.py`, SERVER);
  Deno.symlinkSync("src/server.py", `${dir}/linked/server.py`);
  // Not even by way of another link, behind which `..` is not where it looks to be.
  Deno.symlinkSync(".", `${dir}/leading/here`);
  Deno.symlinkSync("here/../src/server.py", `${dir}/leading/server.py`);
  Deno.symlinkSync("./here/", `${dir}/leading/again`);
  const { out } = await gradeCalc(dir);
  assertMatch(out, /5 of 5 {2}linked/);
  assertMatch(out, / 0 of 5 {2}leading/);
  // A program that needs it fails for no reason of its own: that is said, as is what else is noted.
  Deno.mkdirSync(`${dir}/src/.venv/bin`, { recursive: true });
  for (const name of ["python", "python3", "c", "d"]) Deno.symlinkSync("/bin/sh", `${dir}/src/.venv/bin/${name}`);
  await gradeCalc(dir);
  const note = "links that lead out of the submission are not in the copy that was graded: ";
  const [table, page] = ["csv", "html"].map((form) => Deno.readTextFileSync(`${dir}/netlab-grades.${form}`));
  for (const text of [table, page]) assertStringIncludes(text, `${note}server.py`);
  assertMatch(table, new RegExp(`^src,5,5,5,"${note}(\\.venv/bin/\\w+, ){3}and 1 more"`, "m"));
  assert(!table.match(/^linked,.*links/m));
  // One that leads elsewhere is another submission.
  Deno.writeTextFileSync(`${dir}/linked/src/other.py`, "");
  await gradeCalc(dir);
  Deno.removeSync(`${dir}/linked/server.py`);
  Deno.symlinkSync("src/other.py", `${dir}/linked/server.py`);
  assertMatch((await gradeCalc(dir)).out, / 0 of 5 {2}linked/);
}, python);

test("every client meets every server, netlab's among them", async () => {
  const chat = { "server.py": CHAT_SERVER, "client.py": CHAT_CLIENT };
  const dir = folderOf({ ann: chat, ben: { "server.py": "exit(5)", "client.py": "print('not yet')" } });
  const meet = () =>
    netlab([
      ...["grade", "chat", "--matrix", "--batch", dir, "--wire", "line", "--timeout", "3s", "--start", "5s"],
      ...["--run", "python3 server.py {port}", "--client", "python3 client.py {host} {port}"],
    ]);
  const { status, out } = await meet();
  assertEquals(status, 1);
  assertEquals(out.trimEnd().split("\n").length, 9);
  assertStringIncludes(Deno.readTextFileSync(`${dir}/netlab-matrix.html`), "4 of 9 pairs get on");
  const table = () =>
    Deno.readTextFileSync(`${dir}/netlab-matrix.csv`).trimEnd().split("\r\n").map((row) => row.split(","));
  const [head, ...rows] = table();
  assertEquals(head, ["server \\ client", "netlab", "ann", "ben"]);
  for (const [name, ...cells] of rows) {
    const good = name === "ben" ? 0 : 2;
    for (const cell of cells.slice(0, good)) assertEquals(cell, "ok", name);
    const why = cells.slice(good).join().match(name === "ben" ? /ended with status 5/g : /ended with status 0/g);
    assertEquals(why?.length, 3 - good, name);
  }
  // Who is called as netlab is, is not taken for it.
  Deno.renameSync(`${dir}/ben`, `${dir}/netlab`);
  assertEquals((await meet()).status, 1);
  assertEquals(table()[0].slice(1), ["netlab itself", "ann", "netlab"]);
  Deno.removeSync(`${dir}/netlab`, { recursive: true });
  assertEquals((await meet()).status, 0);
  assertEquals(table().slice(1), [["netlab", "ok", "ok"], ["ann", "ok", "ok"]]);
}, python);

test("a pair that cannot meet is one that did not, says why, and does not end the others", async () => {
  const programs = { "server.py": "exit(5)", "client.py": "exit(5)" };
  const dir = folderOf({ clash: { ...programs, "hello.txt": "its own" }, other: programs });
  const { status, out } = await netlab([
    ...["grade", "files", "--matrix", "--batch", dir, "--jobs", "3", "--run", "python3 server.py {port}"],
    ...["--client", "python3 client.py {host} {port} {args}"],
  ]);
  assertEquals(status, 3);
  assertEquals(
    out.match(/^✗ .*clash.* {2}they could not meet: the checks need a file hello.txt of their own/gm)?.length,
    5,
  );
  assertEquals(out.match(/^✗ .* {2}(the server is started|alice's client).*status 5/gm)?.length, 3);
  assertStringIncludes(out, "✓ server of netlab, client of netlab\n");
  assertMatch(
    Deno.readTextFileSync(`${dir}/netlab-matrix.csv`),
    /they could not meet: the checks need a file hello\.txt/,
  );
}, python);

test("behind an error nothing more is begun, and what had been is waited for", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done: string[] = [];
  const running = inParallel(["slow", "bad", "never"], 2, async (item) => {
    if (item === "bad") throw new Error("bad");
    await promise;
    done.push(item);
  });
  let isOver = false;
  running.catch(() => isOver = true);
  await settle();
  assert(!isOver);
  resolve();
  await assertRejects(() => running, Error, "bad");
  assertEquals(done, ["slow"]);
});

test("in a matrix a profile counts: what is typed, what counts as an answer, and how messages are framed", async () => {
  const server = CHAT_SERVER.replace('"NAME"', '"LOGIN"').replace("HELLO {name}", "HELLO");
  const dir = folderOf({ ann: { "server.py": server, "client.py": CHAT_CLIENT } });
  const profile = `${temporaryFolder()}/course.json`;
  Deno.writeTextFileSync(
    profile,
    JSON.stringify({
      wire: "line",
      typed: { "NAME $who": "LOGIN $who" },
      replies: { "HELLO $who": "^HELLO$" },
    }),
  );
  const meet = (...more: string[]) =>
    netlab([
      ...["grade", "chat", "--matrix", "--batch", dir, "--timeout", "3s", "--start", "5s", ...more],
      ...["--run", "python3 server.py {port}", "--client", "python3 client.py {host} {port}"],
    ]);
  const { out } = await meet("--profile", profile);
  assertMatch(out, /✓ server of ann, client of ann\n/);
  const { status, err } = await meet("--profile", profile, "--only", "x");
  assertEquals([status, err], [2, "netlab: --only means nothing to --matrix\n"]);
}, python);

test("a folder without submissions, or without a command, is wrong usage", async () => {
  const empty = await gradeCalc(temporaryFolder());
  assertEquals(empty.status, 2);
  assertStringIncludes(empty.err, "has no submissions: a submission is a folder in it");
  assertEquals((await netlab("grade chat --matrix --batch . --run x")).status, 2);
  assertEquals((await netlab("grade chat --batch . --server 127.0.0.1:1")).status, 2);
  for (const [option, value] of [["--repeat", "3"], ["--format", "json"], ["--out", "x"]]) {
    const idle = await gradeCalc(temporaryFolder(), option, value);
    assertEquals(idle.status, 2);
    assertStringIncludes(idle.err, `${option} is for one program`);
  }
  assertEquals((await gradeCalc(temporaryFolder(), "--cwd", ".")).err, "netlab: --cwd means nothing to --batch\n");
});

test("a table that cannot be written is known before anything is graded", async () => {
  const dir = folderOf({ one: { "server.py": SERVER } });
  Deno.mkdirSync(`${dir}/netlab-grades.html`);
  Deno.mkdirSync(`${dir}/netlab-matrix.csv`);
  for (const [table, ...how] of [["grades.html"], ["matrix.csv", "--matrix", "--client", "python3 client.py {port}"]]) {
    const { status, out, err } = await netlab([
      ...["grade", "chat", "--batch", dir, "--run", "python3 server.py {port}", ...how],
    ]);
    assertEquals([status, out], [3, ""]);
    assert(err.startsWith(`netlab: cannot write ${dir}/netlab-${table}: `), err);
    assertMatch(err, /: grade a copy of it/);
  }
});

test("CSV quotes what has to be, and holds no formula of a student's", () => {
  assertEquals(
    toCsv([["a,b", 'say "hi"', 1.5], ["=1+1", "-x", "two\nlines"], ["\n=1+1"]]),
    `"a,b","say ""hi""",1.5\r\n'=1+1,'-x,"two\nlines"\r\n"'\n=1+1"\r\n`,
  );
});

test("a folder that the system keeps for a moment is taken away as soon as it lets go of it, and one that is gone is", async () => {
  const dir = `${temporaryFolder()}/kept`;
  Deno.mkdirSync(dir);
  let tries = 0;
  await takeAway(dir, async (path) => {
    if (++tries < 3) throw new Deno.errors.Busy("used by another process");
    await Deno.remove(path, { recursive: true });
  });
  assertEquals(tries, 3);
  assertThrows(() => Deno.statSync(dir), Deno.errors.NotFound);
  await takeAway(dir);
});
