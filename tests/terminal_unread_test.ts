// A terminal that nobody reads, or that is closed: the clients of the server in it notice nothing, and it ends in good order.

import { assert, assertEquals } from "@std/assert";
import { ChatClient, withChat } from "./chat_helpers.ts";
import { NETLAB, Program, ROOT } from "./cli_helpers.ts";
import { skipUnless, skipUnlessSignals, test } from "./helpers.ts";

const needsPython = { ignore: [skipUnless("python3"), skipUnlessSignals()].some(({ ignore }) => ignore) };

/** netlab in a terminal that has been read up to its first prompt. */
class HeldTerminal extends Program {
  process = 0;
  /** Where a server in it listens. */
  port = 0;

  static async run(line: string): Promise<HeldTerminal> {
    const terminal = new HeldTerminal(line, {
      command: ["python3", `${ROOT}tests/peers/held_terminal.py`, ...NETLAB],
    });
    terminal.process = Number(await terminal.out.until(/process (\d+)/));
    terminal.port = Number(/:(\d+) \(/.exec(await terminal.out.until(/[^]*\nheld\n/))?.[1]);
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
  const clients: ChatClient[] = [];
  try {
    while (clients.length < fn.length - 1) clients.push(await ChatClient.connect(terminal.port, "line"));
    await clients.at(-1)!.send("hello"); // when the others have that, all are there
    for (const client of clients.slice(0, -1)) assertEquals(await client.receive(), "hello");
    await fn(terminal, ...clients);
  } finally {
    for (const client of clients) client.close();
  }
}

const GOODBYE = "ERROR server is shutting down";

/** The server says goodbye to its clients, and is done when they have left. */
async function endsWell(terminal: HeldTerminal, ...clients: ChatClient[]): Promise<void> {
  for (const client of clients) {
    assertEquals(await client.receive(), GOODBYE);
    await client.ended();
    client.close();
  }
  assertEquals(await terminal.ended(), 0);
}

/** Sends `count` lines, a few at a time, and waits for the other client to have them. */
async function flood(from: ChatClient, to: ChatClient, count: number, chars: number): Promise<void> {
  const line = "x".repeat(chars);
  for (let left = count; left > 0; left -= 10) {
    await from.send(...Array(10).fill(line));
    for (let i = 0; i < 10; i++) assertEquals(await to.receive(), line);
  }
}

test(
  "a terminal that nobody reads holds up no server at which somebody types: clients go on, and SIGTERM ends it",
  () =>
    withRelay("", async (terminal, one, two) => {
      await flood(one, two, 300, 1000);
      Deno.kill(terminal.process, "SIGTERM");
      await endsWell(terminal, one, two);
    }),
  needsPython,
);

test(
  "at a terminal that nobody reads, Ctrl-Z waits until somebody does, and the server goes on meanwhile",
  () =>
    withRelay("", async (terminal, one, two) => {
      await flood(one, two, 300, 1000);
      await terminal.type("type \x1a@all still here\r");
      for (const client of [one, two]) assertEquals(await client.receive(), "still here");
      Deno.kill(terminal.process, "SIGTERM");
      await endsWell(terminal, one, two);
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

test(
  "when its terminal is closed, a server delivers what it took, and says goodbye",
  () =>
    withRelay("--max-queue 64M --grace 60s", async (terminal, one, two, slow) => {
      const sent = 4000;
      await flood(one, two, sent, 4000); // more than the system keeps for who does not read
      await terminal.type("close");
      for (let left = sent; left > 0; left--) assertEquals((await slow.receive()).length, 4000);
      await endsWell(terminal, one, two, slow);
    }),
  needsPython,
);

test(
  "every server at which somebody types is done when its terminal is closed, and complains of nothing",
  async (t) => {
    for (const exercise of ["multitalk", "talk", "peer", "mesh"]) {
      await t.step(exercise, async () => {
        const options = "--host 127.0.0.1 --port 0 --quiet --color never";
        await using terminal = await HeldTerminal.run(`serve ${exercise} ${options}`);
        const client = await ChatClient.connect(terminal.port, "line");
        await client.send("hello");
        await terminal.type("read hello");
        await terminal.out.until(/held\n/);
        await terminal.type("close");
        while (await client.next() !== null);
        client.close();
        assertEquals([await terminal.ended(), terminal.err.all], [0, ""]);
      });
    }
  },
  needsPython,
);

test(
  "a client of which the terminal is closed leaves, or ends by the signal for that, and complains of nothing",
  () =>
    withChat(async (room) => {
      await using terminal = await HeldTerminal.run(`connect chat 127.0.0.1:${room.port} --name alice --quiet`);
      await terminal.type("close");
      assert([0, -1].includes(await terminal.ended()));
      assertEquals(terminal.err.all, "");
    }),
  needsPython,
);
