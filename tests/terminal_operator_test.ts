// The person at a server, in a real terminal: what clients send stands above the line being typed, and every way out ends
// the server in good order.

import { assertEquals } from "@std/assert";
import { ChatClient } from "./chat_helpers.ts";
import { test } from "./helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

/** Runs `fn` with an operator at a terminal, and clients of lines that can reach them. */
async function withOperator(
  exercise: string,
  fn: (screen: Screen, join: () => Promise<ChatClient>) => Promise<void>,
): Promise<void> {
  const options = "--host 127.0.0.1 --port 0 --quiet --color never";
  await using screen = await Screen.run(`serve ${exercise} ${options}`, { columns: 100 });
  await screen.shows(/listens on/);
  await screen.endsWith(">");
  const port = Number(/:(\d+) \(/.exec((await screen.rows()).join("\n"))![1]);
  const clients: ChatClient[] = [];
  try {
    await fn(screen, async () => {
      const client = await ChatClient.connect(port, "line");
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client.close();
  }
}

const COOKED = "echo icanon isig";

test(
  "multitalk's operator is not disturbed while typing, and completes labels",
  () =>
    withOperator("multitalk", async (screen, join) => {
      const one = await join();
      await one.send("hello");
      await screen.endsWith("c1: hello", ">");
      await screen.type("@c");
      await screen.endsWith("c1: hello", "> @c");
      await one.send("are you there?", "\x1b[31mred");
      await screen.endsWith("c1: hello", "c1: are you there?", "c1: \\x1b[31mred", "> @c");
      await screen.press("Tab");
      await screen.endsWith("> @c1");
      await screen.type("yes");
      await screen.endsWith("> @c1 yes");
      await screen.press("Enter");
      assertEquals(await one.receive(), "yes");
    }),
  needsTmux(),
);

test("exit, Ctrl-D and Ctrl-C end an operator's server with status 0, and tell the client", async (t) => {
  for (
    const [name, leave] of [
      ["exit", (screen: Screen) => screen.type("exit\n")],
      ["Ctrl-D", (screen: Screen) => screen.press("C-d")],
      ["Ctrl-C", (screen: Screen) => screen.press("C-c")],
    ] as const
  ) {
    await t.step(name, () =>
      withOperator("multitalk", async (screen, join) => {
        const one = await join();
        await one.send("hello");
        await screen.endsWith("c1: hello", ">");
        await leave(screen);
        assertEquals(await one.receive(), "ERROR server is shutting down");
        await one.ended();
        one.close();
        await screen.endsWith("status 0", COOKED);
      }));
  }
}, needsTmux());

test("a terminal on hold holds up no server at which nobody types", async () => {
  await using screen = await Screen.run("serve chat --host 127.0.0.1 --port 0 --color never", { columns: 100 });
  await screen.shows(/listens on/);
  const port = Number(/:(\d+) \(/.exec((await screen.rows()).join("\n"))![1]);
  await screen.press("C-s");
  for (const name of ["alice", "bob"]) {
    const client = await ChatClient.connect(port, "line");
    await client.send(`NAME ${name}`);
    assertEquals(await client.next(), `HELLO ${name}`);
    client.close();
  }
  await screen.press("C-q");
  await screen.shows(/bob left: end of stream/);
}, needsTmux());

test("talk's person is told whose turn it is, and may answer", () =>
  withOperator("talk", async (screen, join) => {
    const one = await join();
    await one.send("hello");
    await screen.shows(/^127\.0\.0\.1:\d+: hello$/);
    await screen.type("hi\n");
    assertEquals(await one.receive(), "hi");
    await one.send("how are you?", "still there?");
    assertEquals(await one.receive(), "ERROR wait for the reply");
    await screen.shows(/: how are you\?$/);
    await screen.type("fine\n");
    assertEquals(await one.receive(), "fine");
  }), needsTmux());

test("two peers in two terminals talk to each other", () =>
  withOperator("peer", async (one) => {
    const port = /:(\d+) \(/.exec((await one.rows()).join("\n"))![1];
    await withOperator("peer", async (other) => {
      await other.type(`connect localhost ${port}\nsend hello from here\n`);
      await one.shows(/^127\.0\.0\.1:\d+: hello from here$/);
      await one.type("send hello to you\nsend and again\n");
      await other.shows(new RegExp(`^127\\.0\\.0\\.1:${port}: hello to you$`));
      await other.endsWith(`127.0.0.1:${port}: and again`, ">");
      await other.type("exit\n");
      await other.endsWith(`127.0.0.1:${port}: and again`, "> exit", "status 0", COOKED);
    });
  }), needsTmux());
