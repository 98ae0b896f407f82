// The chat client in a real terminal: history, completion, and every way out; after each the terminal is as it was.

import { assertEquals } from "@std/assert";
import { type ChatClient, type ChatRoom, withChat, withListener } from "./chat_helpers.ts";
import { netlab, shimFolder, startServer } from "./cli_helpers.ts";
import { test } from "./helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

/** Runs `fn` with alice at a terminal, the screen of which is otherwise empty, and bob elsewhere. */
function withAlice(fn: (screen: Screen, bob: ChatClient, room: ChatRoom) => Promise<void>) {
  return withChat(async (room) => {
    const [bob] = await room.named("bob");
    await using screen = await Screen.connect(room.port, "--name alice --quiet", { columns: 100 });
    await screen.shows(/^>$/);
    await fn(screen, bob, room);
  });
}

/** The modes of a terminal that is left as it was found: lines, echo, and Ctrl-C that interrupts. */
const COOKED = "echo icanon isig";

test("Up and Down go through what was typed before, or what began like the line", () =>
  withAlice(async (screen) => {
    await screen.type("GET_NAMES\nMSG bob one\n");
    await screen.endsWith("bob alice", ">");
    const steps = [["Up", "> MSG bob one"], ["Up", "> GET_NAMES"], ["Down", "> MSG bob one"], ["Down", ">"]];
    for (const [key, row] of [...steps, ["G", "> G"], ["Up", "> GET_NAMES"], ["Down", "> G"]]) {
      await screen.press(key);
      await screen.endsWith("bob alice", row);
    }
  }), needsTmux());

test("Tab completes commands", () =>
  withAlice(async (screen) => {
    await screen.type("ge");
    await screen.endsWith("> ge");
    await screen.press("Tab");
    await screen.endsWith("> GET_NAMES");
  }), needsTmux());

test("Tab completes the names of those who sent a message", () =>
  withAlice(async (screen, bob) => {
    await bob.send("MSG alice hi");
    await screen.type("MSG b");
    await screen.endsWith("bob sent hi", "> MSG b");
    await screen.press("Tab");
    await screen.endsWith("bob sent hi", "> MSG bob");
    await screen.type("hello");
    await screen.endsWith("> MSG bob hello");
  }), needsTmux());

test("Tab completes the names that GET_NAMES lists", () =>
  withAlice(async (screen, _, room) => {
    await room.named("christopher");
    await screen.type("GET_NAMES\nBLOCK c");
    await screen.endsWith("bob alice christopher", "> BLOCK c");
    await screen.press("Tab");
    await screen.endsWith("> BLOCK christopher");
  }), needsTmux());

test("Ctrl-D on an empty line says EXIT and leaves with status 0", () =>
  withAlice(async (screen) => {
    await screen.press("C-d");
    await screen.is("HELLO alice", "EXIT", "status 0", COOKED);
  }), needsTmux());

test("Ctrl-D in a line leaves nothing", () =>
  withAlice(async (screen) => {
    await screen.type("GET_NAMES");
    await screen.endsWith("> GET_NAMES");
    await screen.press("C-d");
    await screen.press("Enter");
    await screen.is("HELLO alice", "> GET_NAMES", "bob alice", ">");
  }), needsTmux());

test("EXIT leaves with status 0, and no prompt behind its answer", () =>
  withAlice(async (screen) => {
    await screen.type("EXIT\n");
    await screen.is("HELLO alice", "> EXIT", "EXIT", "status 0", COOKED);
  }), needsTmux());

test("Ctrl-C leaves at once with status 130, below what was being typed", () =>
  withAlice(async (screen, bob) => {
    await screen.type("MSG bob never sent");
    await screen.endsWith("> MSG bob never sent");
    await screen.press("C-c");
    await screen.is("HELLO alice", "> MSG bob never sent", "status 130", COOKED);
    await bob.got();
  }), needsTmux());

test("at a server's shutdown its goodbye and one line of error stand around the line being typed", async () => {
  const { server, port } = await startServer();
  await using _ = server;
  await using screen = await Screen.connect(port, "--name alice --quiet", { columns: 130 });
  const typed = `> MSG bob ${"0123456789".repeat(20)}`;
  const rows = [typed.slice(0, 130), typed.slice(130)];
  await screen.shows(/^>$/);
  await screen.type(typed.slice(2));
  await screen.is("HELLO alice", ...rows);
  await screen.press("Home");
  server.signal("SIGINT");
  const error =
    `netlab: the server 127.0.0.1:${port} ended the connection (end of stream): it stopped, or it sent you away`;
  await screen.is(
    ...["HELLO alice", "ERROR server is shutting down", ...rows],
    ...[`${error}: its last words are above`, "status 1", COOKED],
  );
  assertEquals((await server.result()).status, 0);
}, needsTmux());

test("when a server is killed, one line of error says so, and the terminal is as it was", async () => {
  const { server, port } = await startServer();
  await using _ = server;
  await using screen = await Screen.connect(port, "--name alice --quiet", { columns: 130 });
  await screen.endsWith("HELLO alice", ">");
  server.signal("SIGKILL");
  await screen.endsWith("status 1", COOKED);
  const [hello, ...error] = (await screen.rows()).slice(0, -2);
  assertEquals(hello, "HELLO alice");
  assertEquals(error.join(" ").startsWith(`netlab: the server 127.0.0.1:${port} ended the connection (`), true);
}, needsTmux());

test(
  "a server that is gone before the first prompt leaves none",
  () =>
    withListener(() => Promise.resolve(), async (port) => {
      await using screen = await Screen.connect(port, "--quiet", { columns: 130 });
      await screen.endsWith("status 1", COOKED);
      const rows = await screen.rows();
      assertEquals(rows.join(" ").startsWith(`netlab: the server 127.0.0.1:${port} ended the connection (`), true);
    }),
  needsTmux(),
);

/** Types in a shell that has the glue, and presses Tab as a person would. */
async function completesIn(shell: string, start: string, source: string): Promise<void> {
  await using folder = await shimFolder();
  await Deno.writeTextFile(`${folder.path}/glue`, (await netlab(["completions", shell])).out);
  const env = {
    PATH: `${folder.path}:${Deno.env.get("PATH")}`,
    XDG_DATA_HOME: folder.path,
    XDG_CONFIG_HOME: folder.path,
    PS1: "$ ",
  };
  await using screen = await Screen.open(`${start}; cd ${folder.path}`, { env, columns: 100 });
  await screen.type(`cd ${folder.path}; ${source}; clear; echo ready\n`);
  await screen.shows(/^ready/);
  await screen.type("netlab se");
  await screen.shows(/netlab se$/);
  await screen.press("Tab");
  await screen.shows(/netlab serve$/);
  await screen.type("ch");
  await screen.shows(/netlab serve ch$/);
  await screen.press("Tab");
  await screen.shows(/netlab serve chat$/);
  await screen.type("--wire be");
  await screen.shows(/--wire be$/);
  await screen.press("Tab");
  await screen.shows(/netlab serve chat --wire be8$/);
}

test(
  "Tab in bash completes netlab's words",
  () => completesIn("bash", "bash --norc --noprofile -i", "source ./glue"),
  needsTmux("bash"),
);

test(
  "Tab in zsh completes netlab's words",
  () => completesIn("zsh", "zsh -f -i", "autoload -Uz compinit; compinit -u -d dump; source ./glue"),
  needsTmux("zsh"),
);

test(
  "Tab in fish completes netlab's words",
  () => completesIn("fish", "fish --no-config -i", "source ./glue"),
  needsTmux("fish"),
);
