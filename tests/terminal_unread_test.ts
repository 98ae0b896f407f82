// A terminal that nobody reads, or that is closed: the clients of the server in it notice nothing, and it ends in good order.

import { assertEquals } from "@std/assert";
import { ChatClient } from "./chat_helpers.ts";
import { NETLAB, Program, ROOT } from "./cli_helpers.ts";
import { skipUnless, skipUnlessSignals, test } from "./helpers.ts";

const needsPython = { ignore: [skipUnless("python3"), skipUnlessSignals()].some(({ ignore }) => ignore) };

/** netlab in a terminal that has been read up to its first prompt. */
class HeldTerminal extends Program {
  process = 0;
  /** What was on it. */
  shown = "";

  static async run(line: string): Promise<HeldTerminal> {
    const terminal = new HeldTerminal(line, {
      command: ["python3", `${ROOT}tests/peers/held_terminal.py`, ...NETLAB],
    });
    terminal.process = Number(await terminal.out.until(/process (\d+)/));
    terminal.shown = await terminal.out.until(/([^]*)\nheld/);
    return terminal;
  }

  /** Waits for the end of netlab. @returns its status */
  async ended(): Promise<number> {
    await this.endInput();
    return Number(await this.out.until(/status (-?\d+)/));
  }
}

/** Runs `fn` with an operator's server that relays, in a terminal that nobody reads, and with clients of it. */
async function withRelay(
  options: string,
  fn: (terminal: HeldTerminal, ...clients: ChatClient[]) => Promise<void>,
): Promise<void> {
  await using terminal = await HeldTerminal.run(
    `serve multitalk --relay=bare --wire line --host 127.0.0.1 --port 0 --quiet --color never ${options}`,
  );
  const port = Number(/:(\d+) \(/.exec(terminal.shown)![1]);
  const clients: ChatClient[] = [];
  try {
    while (clients.length < fn.length - 1) clients.push(await ChatClient.connect(port, "line"));
    await clients.at(-1)!.send("hello"); // when the others have that, all are there
    for (const client of clients.slice(0, -1)) assertEquals(await client.receive(), "hello");
    await fn(terminal, ...clients);
  } finally {
    for (const client of clients) client.close();
  }
}

const GOODBYE = "ERROR server is shutting down";

/** Sends `count` lines, and waits for the other client to have them. */
async function flood(from: ChatClient, to: ChatClient, count: number, chars: number): Promise<void> {
  const line = "x".repeat(chars);
  for (let left = count; left > 0; left--) {
    await from.send(line);
    assertEquals(await to.receive(), line);
  }
}

test(
  "a terminal that nobody reads holds up no server at which somebody types: clients go on, and SIGTERM ends it",
  () =>
    withRelay("", async (terminal, one, two) => {
      await flood(one, two, 300, 1000);
      Deno.kill(terminal.process, "SIGTERM");
      for (const client of [one, two]) {
        assertEquals(await client.receive(), GOODBYE);
        await client.ended();
        client.close();
      }
      assertEquals(await terminal.ended(), 0);
    }),
  needsPython,
);

test(
  "at a terminal that nobody reads, Ctrl-C ends the server, and a second one cuts",
  () =>
    withRelay("--grace 60s", async (terminal, one, two) => {
      await flood(one, two, 300, 1000);
      await terminal.type("type \x03");
      assertEquals(await one.receive(), GOODBYE);
      await terminal.type("type \x03"); // neither of them has left
      assertEquals(await terminal.ended(), 130);
    }),
  needsPython,
);

test(
  "lines that nobody read are counted in their place, and the line being typed stays below",
  () =>
    withRelay("", async (terminal, one, two) => {
      const sent = 6000;
      await flood(one, two, sent, 999);
      await terminal.type("type abc", "read");
      const dropped = Number(await terminal.out.until(/… (\d+) lines? dropped: nobody read (?:it|them) …\r\n/));
      assertEquals(terminal.out.all.split("c1: x").length - 1 + dropped, sent);
      await one.send("still there?");
      await terminal.out.until(/c1: still there\?\r\n.*> abc/);
    }),
  needsPython,
);
