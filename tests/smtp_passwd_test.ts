// `netlab smtp passwd`: the line that it prints lets its owner log in, and nobody sees the password.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeUserLine, Users } from "../lib/exercises/smtp/users.ts";
import { FakeConsole, temporaryFolder } from "./chat_helpers.ts";
import { NETLAB, runProgram } from "./cli_helpers.ts";
import { test } from "./helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

const LINE = /^ann:scrypt:16384:8:1:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{43}=$/;

const here = () => true;

/** Whether each password is the one of `name` in a file of users. */
async function check(file: string, name: string, ...passwords: string[]): Promise<boolean[]> {
  const users = (await Users.load(undefined, file))!;
  return await Promise.all(passwords.map((password) => users.check(name, password, "192.0.2.1", here)));
}

test("smtp passwd: the first line of a pipe is the password, and each hash has a salt of its own", async () => {
  const file = `${temporaryFolder()}/users`;
  const lines: string[] = [];
  for (const input of ["wörd pass\n", "wörd pass\r\nmore\n", "wörd pass"]) {
    const { status, out, err } = await runProgram("smtp passwd ann", { input });
    assertEquals([status, err], [0, ""]);
    assertMatch(out.trimEnd(), LINE);
    lines.push(out);
    Deno.writeTextFileSync(file, out);
    assertEquals(await check(file, "ann", "wörd pass", "wörd", "", "more"), [true, false, false, false]);
  }
  assertEquals(new Set(lines).size, lines.length);
});

test("a hash that nobody could log in with is told when the file is read, with its line", async () => {
  const salt = btoa("salt");
  const hash = btoa("x".repeat(32));
  const cases: [cost: string, hash: string, problem: RegExp | null][] = [
    ["16384:8:1", hash, null],
    ["2:1:99", hash, null],
    ["16383:8:1", hash, /N is a power of two, and 16383 is none$/],
    ["1:8:1", hash, /N is a power of two, and 1 is none$/],
    ["16384:0:1", hash, /r and p are at least 1$/],
    ["16384:8:0", hash, /r and p are at least 1$/],
    ["8388608:99:1", hash, /8388608:99:1 takes more than 256 MiB for a login$/],
    ["16384:8:999999999", hash, /more than 256 MiB/],
    ["16384:8:1", "    ", /the hash has 0 bytes, and 16 are the least$/],
    ["16384:8:1", "x", /is not name:scrypt:N:r:p:salt:hash$/],
  ];
  for (const [cost, hashed, problem] of cases) {
    const file = `${temporaryFolder()}/users`;
    Deno.writeTextFileSync(file, `# those who may\nann:scrypt:${cost}:${salt}:${hashed}\n`);
    const users = await Users.load(undefined, file).catch((error) => error);
    if (problem === null) assertEquals(await users.check("ann", "wrong", "192.0.2.1", here), false, cost);
    else {
      assertEquals([users.kind, users.message?.startsWith(`${file}:2`)], ["usage", true], users.message);
      assertMatch(users.message, problem);
    }
  }
});

test("logins from one address do not delay those from another", async () => {
  const users = new Users(new Map());
  const done: string[] = [];
  const logIn = async (from: string) => {
    await users.check("ann", "wrong", from, here);
    done.push(from);
  };
  const many = Array.from({ length: 30 }, () => logIn("192.0.2.1"));
  await Promise.all([...many, logIn("192.0.2.2"), logIn("192.0.2.2"), logIn("192.0.2.3")]);
  assertEquals(done.length, 33);
  // Two are computed at once, the others take turns; in the order of their coming these would be the last ones.
  const last = Math.max(done.lastIndexOf("192.0.2.2"), done.lastIndexOf("192.0.2.3"));
  assert(last < 24, done.join());
});

test("who may not be answered any more when the turn comes is not logged in, and keeps nobody waiting", async () => {
  const users = (await Users.load("ann:secret", undefined))!;
  let open = true;
  const [first, ...rest] = Array.from({ length: 2000 }, () => users.check("ann", "secret", "192.0.2.1", () => open));
  assertEquals(await first, true);
  open = false;
  assert((await Promise.all(rest)).filter((isRight) => isRight).length < 10);
});

test("smtp passwd: no password, and names that a file of users cannot have, are refused", async () => {
  for (const input of ["", "\n", "\nlater\n"]) {
    const { status, out, err } = await runProgram("smtp passwd ann", { input });
    assertEquals([status, out, err], [2, "", "netlab: there is no password\n"]);
  }
  for (const name of ["", "#ann", "a:b", "a\nb", "a\0b"]) {
    const console = new FakeConsole(["secret"]);
    const error = await makeUserLine(name, console).then(() => null, (error) => error);
    assertMatch(error.message, /is no name$/);
    assertEquals(console.printed, []);
  }
});

test("smtp passwd on a terminal: asked twice until both are the same, and never shown", async () => {
  const file = `${temporaryFolder()}/users`;
  await using screen = await Screen.run(`smtp passwd ann >${file}`);
  await screen.endsWith("password for ann:");
  await screen.type("first");
  await screen.press("Enter");
  await screen.endsWith("the same again:");
  await screen.type("other");
  await screen.press("Enter");
  await screen.endsWith("they differ; password for ann:");
  // With a mistake that is taken back.
  await screen.type("sesamx");
  await screen.press("BSpace");
  await screen.type("e");
  await screen.press("Enter");
  await screen.endsWith("the same again:");
  await screen.type("sesame");
  await screen.press("Enter");
  await screen.is(
    ...["password for ann:", "the same again:", "they differ; password for ann:", "the same again:", "status 0"],
    "echo icanon isig",
  );
  assertEquals(await check(file, "ann", "sesame", "first"), [true, false]);
}, needsTmux());

for (const [key, status] of [["C-c", 130], ["C-d", 2]] as const) {
  test(`smtp passwd on a terminal: ${key} ends it with status ${status}, and the terminal echoes again`, async () => {
    const file = `${temporaryFolder()}/users`;
    await using screen = await Screen.run(`smtp passwd ann >${file}`);
    await screen.endsWith("password for ann:");
    await screen.type("half");
    if (key === "C-d") await screen.press("C-u");
    await screen.press(key);
    await screen.endsWith(`status ${status}`, "echo icanon isig");
    assertEquals(Deno.readTextFileSync(file), "");
    assert(!(await screen.rows()).join().includes("half"));
  }, needsTmux());
}

test("smtp passwd on a terminal: who suspends it is asked again, and has typed what was typed", async () => {
  const file = `${temporaryFolder()}/users`;
  const command = NETLAB.map((word) => `'${word}'`).join(" ");
  await using screen = await Screen.open("bash --norc --noprofile -i", { env: { PS1: "shell " } });
  await screen.shows(/^shell/);
  await screen.type(`netlab() { ${command} "$@"; }; clear; netlab smtp passwd ann >${file}\n`);
  for (const question of ["password for ann:", "the same again:"]) {
    await screen.endsWith(question);
    await screen.type("ses");
    await screen.press("C-z");
    if (!/^2\.[0-8]\./.test(Deno.version.deno)) {
      await screen.endsWith("shell");
      await screen.type("clear; fg\n");
      await screen.endsWith(question);
    }
    await screen.type("ame\n");
  }
  await screen.endsWith("shell");
  assert(!(await screen.rows()).some((row) => /^(?:ses|.*: *ame)/.test(row)));
  assertEquals(await check(file, "ann", "sesame", "first"), [true, false]);
}, needsTmux());

test("the client asks for the password on a terminal, too, where --password-file is -", async () => {
  await using screen = await Screen.run(
    "connect smtp --port 1 --from a@x.example --to b@x.example --user ann --password-file -",
  );
  await screen.endsWith("password for ann:");
  await screen.type("sesame");
  await screen.press("Enter");
  await screen.shows(/^netlab: .*127\.0\.0\.1:1/);
  assert(!(await screen.rows()).join().includes("sesame"));
}, needsTmux());
