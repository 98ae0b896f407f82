// The chat client in a real terminal: what is typed stays whole while messages arrive, wherever the cursor is and however
// the window changes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ChatClient, withChat } from "./chat_helpers.ts";
import { NETLAB, ROOT } from "./cli_helpers.ts";
import { test } from "./helpers.ts";
import { needsTmux, Screen, type ScreenOptions } from "./terminal_helpers.ts";

/** Runs `fn` with alice at a terminal, the screen of which is otherwise empty, and bob elsewhere. */
function withAlice(fn: (screen: Screen, bob: ChatClient) => Promise<void>, options?: ScreenOptions, more = "--quiet") {
  return withChat(async (room) => {
    const [bob] = await room.named("bob");
    await using screen = await Screen.connect(room.port, `--name alice ${more}`, options);
    await screen.shows(/^>$/);
    await fn(screen, bob);
  });
}

test("a client in a terminal says where it is connected and shows a prompt", () =>
  withChat(async ({ port }) => {
    await using screen = await Screen.connect(port, "", { columns: 100 });
    await screen.is(`connected to 127.0.0.1:${port}; commands: NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT`, ">");
  }), needsTmux());

test("what it says is broken between words where the terminal is narrow", () =>
  withChat(async ({ port }) => {
    for (const columns of [50, 60]) {
      await using screen = await Screen.connect(port, "", { columns });
      await screen.shows(/^>$/);
      const said = (await screen.rows()).slice(0, -1);
      const note = `connected to 127.0.0.1:${port}; commands: NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT`;
      assertEquals([said.join(" "), said.length], [note, 2]);
    }
  }), needsTmux());

test("the prompt comes behind all that is said before it, however late that is out", async () => {
  const program = [...NETLAB.slice(0, -1), `${ROOT}tests/terminal_prompt.ts`].map((word) => `'${word}'`).join(" ");
  // Once line editing is loaded, the prompt is seven microtasks away at most.
  const microtasks = Array.from({ length: 10 }, (_, i) => i);
  await using screen = await Screen.open(`for n in ${microtasks.join(" ")}; do clear; ${program} $n; done`);
  for (const n of microtasks) {
    await screen.is("said first", `said second, ${n} later`, ">");
    await screen.press("Enter");
  }
}, needsTmux());

test("answers and messages stand above the line being typed, which is kept", () =>
  withAlice(async (screen, bob) => {
    await screen.is("HELLO alice", ">");
    await screen.type("MSG bob half a mes");
    await screen.is("HELLO alice", "> MSG bob half a mes");
    await bob.send("MSG alice one", "MSG alice two");
    await screen.is("HELLO alice", "bob sent one", "bob sent two", "> MSG bob half a mes");
    await screen.type("sage");
    await screen.press("Enter");
    assertEquals(await bob.receive(), "alice sent half a message");
    await screen.is("HELLO alice", "bob sent one", "bob sent two", "> MSG bob half a message", ">");
  }), needsTmux());

const LONG = "MSG bob this line is longer than the terminal is wide, by so much that it takes three rows of it";
const LONG_ROWS = [
  "> MSG bob this line is longer than the te",
  "rminal is wide, by so much that it takes",
  "three rows of it",
];

test(
  "a line over several rows is redrawn whole below what arrives, with the cursor at its place",
  () =>
    withAlice(async (screen, bob) => {
      await screen.type(LONG);
      await screen.is("HELLO alice", ...LONG_ROWS);
      await bob.send("MSG alice one");
      await screen.is("HELLO alice", "bob sent one", ...LONG_ROWS);
      await screen.press("Home");
      await screen.press("Right", "Right", "Right");
      await bob.send("MSG alice two");
      await screen.is("HELLO alice", "bob sent one", "bob sent two", ...LONG_ROWS);
      await screen.type("!");
      await screen.is(
        ...["HELLO alice", "bob sent one", "bob sent two", "> MSG! bob this line is longer than the t"],
        ...["erminal is wide, by so much that it takes", " three rows of it"],
      );
    }, { columns: 41 }),
  needsTmux(),
);

test("a full screen scrolls and keeps its order", () =>
  withAlice(async (screen, bob) => {
    await screen.type(LONG);
    const numbers = Array.from({ length: 30 }, (_, i) => `number ${i}`);
    await bob.send(...numbers.map((text) => `MSG alice ${text}`));
    await screen.is(...numbers.slice(-7).map((text) => `bob sent ${text}`), ...LONG_ROWS);
  }, { columns: 41, rows: 10 }), needsTmux());

test(
  "a window that becomes narrower and wider leaves no rubbish and eats no row",
  () =>
    withAlice(async (screen, bob) => {
      await screen.type(LONG);
      await bob.send(...["one", "two", "three", "four"].map((text) => `MSG alice ${text}`));
      await screen.endsWith("bob sent three", "bob sent four", ...LONG_ROWS);
      await screen.resize(30, 14);
      const narrow = [
        ...["> MSG bob this line is longer", "than the terminal is wide, by"],
        ...["so much that it takes three ro", "ws of it"],
      ];
      // tmux keeps the cursor in its row, so that the first rows leave the screen.
      await screen.endsWith("bob sent three", "bob sent four", ...narrow);
      await bob.send("MSG alice five");
      await screen.endsWith("bob sent three", "bob sent four", "bob sent five", ...narrow);
      await screen.resize(90, 14);
      const wide = [
        "> MSG bob this line is longer than the terminal is wide, by so much that it takes three ro",
        "ws of it",
      ];
      await screen.endsWith("bob sent four", "bob sent five", ...wide);
      await bob.send("MSG alice six");
      await screen.endsWith("bob sent four", "bob sent five", "bob sent six", ...wide);
    }, { columns: 41 }),
  needsTmux(),
);

test("characters of two columns wrap and come back whole", () =>
  withAlice(async (screen, bob) => {
    await screen.type("MSG bob 日本語日本語日本語日本語");
    await screen.is("HELLO alice", "> MSG bob 日本語日本", "語日本語日本語");
    await bob.send("MSG alice 好");
    await screen.is("HELLO alice", "bob sent 好", "> MSG bob 日本語日本", "語日本語日本語");
  }, { columns: 21 }), needsTmux());

test(
  "lines pasted at once are sent one by one, and what follows them stays to be edited",
  () =>
    withAlice(async (screen, bob) => {
      await screen.type("MSG bob one\nMSG bob two\nMSG bob th");
      assertEquals(await bob.receive(), "alice sent one");
      assertEquals(await bob.receive(), "alice sent two");
      await screen.endsWith("> MSG bob th");
      await screen.type("ree\n");
      assertEquals(await bob.receive(), "alice sent three");
    }),
  needsTmux(),
);

test("a trace on the same terminal does not run into the line being typed", () =>
  withAlice(
    async (screen, bob) => {
      await screen.type("MSG bob half");
      await screen.endsWith("> MSG bob half");
      await bob.send("MSG alice one");
      await screen.shows(/^bob sent one$/);
      const [trace, message, prompt] = (await screen.rows()).slice(-3);
      assertMatch(trace, /^[\d:.]{12} {2}127\.0\.0\.1:\d+ +── bob sent one ─+▶$/);
      assertMatch(`${message}\n${prompt}`, /^bob sent one\n> MSG bob half$/);
    },
    { columns: 80 },
    "--quiet --trace",
  ), needsTmux());

test("what could steer a terminal is shown written out", () =>
  withAlice(async (screen, bob) => {
    await bob.send("MSG alice \x1b[2J\x07\u202egone");
    await screen.is("HELLO alice", "bob sent \\x1b[2J\\x07\\u{202e}gone", ">");
  }), needsTmux());

test(
  "at Ctrl-Z the client is suspended, where this Deno can, and goes on where it was",
  () =>
    withChat(async ({ port }) => {
      const command = NETLAB.map((word) => `'${word}'`).join(" ");
      const env = { PS1: "shell ", NETLAB_PORT: `${port}`, NETLAB_QUIET: "1" };
      await using screen = await Screen.open("bash --norc --noprofile -i", { env });
      await screen.shows(/^shell/);
      await screen.type(`netlab() { ${command} "$@"; }; clear; netlab connect chat --name alice\n`);
      await screen.endsWith("HELLO alice", ">");
      await screen.type("GET_NA");
      await screen.endsWith("> GET_NA");
      await screen.press("C-z");
      if (!/^2\.[0-8]\./.test(Deno.version.deno)) {
        await screen.shows(/Stopped/);
        await screen.type("fg\n");
      }
      await screen.endsWith("> GET_NA");
      await screen.type("MES\n");
      await screen.endsWith("> GET_NAMES", "alice", ">");
    }),
  needsTmux(),
);

test("help is as wide as the terminal, up to 120 columns", async () => {
  const command = NETLAB.map((word) => `'${word}'`).join(" ");
  await using screen = await Screen.open(`${command} help serve chat`, { columns: 200, rows: 60 });
  await screen.shows(/--help/);
  const text = (await screen.rows()).filter((row) => !row.includes("{")); // an example is as wide as it is
  const widest = Math.max(...text.map((row) => row.length));
  assert(widest > 80 && widest <= 120, `${widest} columns`);
}, needsTmux());

test("in a terminal output is coloured, in a pipe it is not", async () => {
  const command = NETLAB.map((word) => `'${word}'`).join(" ");
  await using screen = await Screen.open(`${command} list; ${command} list | cat`, { columns: 100, rows: 40 });
  await screen.shows(/^chat/);
  // deno-lint-ignore no-control-regex
  assertMatch(await screen.coloured(), /^\x1b\[1mchat/);
}, needsTmux());
