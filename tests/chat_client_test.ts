// The chat client, run in this process with a console without a person, against netlab's server and against servers that a
// test plays: what it sends, when, and how it ends.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connectChat } from "../lib/exercises/chat/client.ts";
import { openChannel, TextClient } from "../lib/exercises/client.ts";
import { NetlabError, ProtocolError } from "../lib/protocol/errors.ts";
import { ChatClient, connectContext, endOfScript, FakeConsole, withChat, withListener } from "./chat_helpers.ts";
import { bytes, collect, deafAddress, eventually, settle, test, within } from "./helpers.ts";

/** Runs the client with a script, to its end; returns what it printed. */
async function runScript(
  port: number,
  script: readonly string[],
  changes: Parameters<typeof connectContext>[2] = {},
  refusals = 0,
): Promise<FakeConsole> {
  const console = new FakeConsole(script);
  await endOfScript(connectChat(connectContext(port, console, changes)), refusals);
  return console;
}

/** A server that a test plays: `play` gets each client, as the other end of the conversation. */
function withPlayed(
  play: (client: ChatClient) => Promise<void>,
  fn: (port: number) => Promise<void>,
  wire = "len4",
): Promise<void> {
  return withListener((conn) => play(new ChatClient(conn, wire)), fn);
}

/** Everything that the client sends, to its end; each is answered by `answer`, if that says something. */
async function readAll(client: ChatClient, answer: (text: string) => string | null = () => null): Promise<string[]> {
  const got: string[] = [];
  for (let text = await client.next(); text !== null; text = await client.next()) {
    got.push(text);
    const said = answer(text);
    if (said !== null) await client.send(said);
    if (text === "EXIT") return got;
  }
  return got;
}

test("a script prints its replies in the order of a dialogue, in every framing", () =>
  withChat(async (room) => {
    for (const wire of ["len2", "len4", "line", "be8", "raw"]) {
      const script = ["NAME alice", "get_names", "MSG alice hi  there ", "DANCE", "EXIT", "GET_NAMES"];
      const { printed, events } = await runScript(room.port, script, { wire }, 1);
      assertEquals(printed, [
        "HELLO alice",
        "alice",
        "alice sent hi  there ",
        "ERROR unknown command: DANCE (NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT)",
        "EXIT",
      ], wire);
      assertEquals(events[1], { event: "reply", text: "alice" });
      assertEquals(events[2], { event: "message", from: "alice", text: "hi  there " });
    }
  }));

test("a script without EXIT sends one at its end, and the replies that are outstanding are printed before", () =>
  withChat(async (room) => {
    const script = ["NAME alice", "MSG nobody hi", "MSG alice one", "MSG alice two"];
    const { printed } = await runScript(room.port, script, {}, 1);
    assertEquals(printed, ["HELLO alice", "ERROR no such user: nobody", "alice sent one", "alice sent two", "EXIT"]);
    await room.emptied(1);
    assertEquals(room.trace.of("close")[0].reason, "EXIT");
  }));

test("a script waits for the answer to NAME and GET_NAMES before its next line", () =>
  withPlayed(async (server) => {
    assertEquals(await server.receive(), "NAME alice");
    // Nothing may come before the answer: what this server would read first is checked below.
    await server.send("Welcome!", "Hello alice");
    assertEquals(await server.receive(), "GET_NAMES");
    await server.send("alice, bob");
    assertEquals(await readAll(server), ["EXIT"]);
  }, async (port) => {
    const { printed } = await runScript(port, ["NAME alice", "", "   ", "GET_NAMES"]);
    assertEquals(printed, ["Welcome!", "Hello alice", "alice, bob"]);
  }));

test("a person whom the server never answers is told why that may be", () =>
  withPlayed(async (server) => {
    assertEquals(await readAll(server), ["NAME alice", "EXIT"]);
  }, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectChat(connectContext(port, console));
    console.type("NAME alice");
    await console.shows(
      `nothing has come from 127.0.0.1:${port}: does it frame with len4? otherwise try another --wire`,
    );
    console.type("EXIT");
    await within(running, "the client's end");
  }));

test("a script whose questions are not answered has failed, and so it has with EXIT as its last word", () =>
  withPlayed(async (server) => {
    assertEquals(await readAll(server), ["GET_NAMES", "EXIT"]);
    await server.send("EXIT");
  }, async (port) => {
    const running = connectChat(connectContext(port, new FakeConsole(["GET_NAMES", "MSG bob hi", "EXIT"])));
    const error = await assertRejects(() => running, NetlabError, "a question was not answered");
    assertEquals(error.kind, "timeout");
  }));

test("a server that greets one who is called `sent` has answered, and sent no message of HELLO", () =>
  withPlayed(async (server) => {
    assertEquals(await readAll(server, (text) => text === "NAME sent" ? "HELLO sent" : null), ["NAME sent", "EXIT"]);
  }, async (port) => {
    const { events } = await runScript(port, ["NAME sent"]);
    assertEquals(events, [{ event: "reply", text: "HELLO sent" }]);
  }));

/** A client that shows what comes, and says nothing. */
class Listener extends TextClient {
  protected override show(text: string): void {
    this.console.print(text);
  }

  protected override say(_line: string): Promise<void> {
    return Promise.resolve();
  }

  protected override leave(): Promise<void> {
    this.leaving = true;
    return this.channel.close();
  }
}

test("who reads slowly what is printed holds up the server, and hears no silence of it meanwhile", () =>
  withPlayed(async (server) => {
    await server.send("one", "two", "three");
    await readAll(server);
  }, async (port) => {
    const drained = Promise.withResolvers<void>();
    const console = Object.assign(new FakeConsole(undefined, true), { drained: () => drained.promise });
    const context = connectContext(port, console);
    const client = new Listener(await openChannel(context, 1024), context);
    const running = client.run();
    await console.shows("one");
    await settle();
    // What is no number is unlike itself, too: who compares it now and then finds it changed each time.
    assertEquals([client.reads, console.printed], [NaN, ["one"]]);
    drained.resolve();
    await console.shows("three");
    await eventually("it to listen again", () => client.reads > 0);
    console.endInput();
    await within(running, "the client's end");
  }));

/** A client that waits for two messages, and for the second not for long. */
class Impatient extends Listener {
  heard = 0;
  /** How often it has looked for the second: once more when it has waited in vain, and goes on waiting. */
  looks = 0;

  protected override show(text: string): void {
    this.heard++;
    super.show(text);
  }

  protected override async say(line: string): Promise<void> {
    this.send(line);
    this.expectAnswer();
    await this.until(() => this.heard > 0);
    await this.until(() => ++this.looks > 0 && this.heard > 1, 10);
    this.console.note(`heard ${this.heard}`);
  }

  protected override leave(): Promise<void> {
    this.leaving = true;
    return this.channel.closeWrite();
  }
}

test("what is there but not listened to, while who reads what is printed is slow, is no answer that is missing", () =>
  withPlayed(async (server) => {
    await server.receive();
    await server.conn.write(bytes("0003one0003two"));
    await readAll(server);
  }, async (port) => {
    // The first time, it takes longer than the client waits for an answer.
    const waitedInVain = () => client.looks > 1 || console.notes.length > 0;
    const drained = () => eventually("the client to wait in vain", waitedInVain);
    const console = Object.assign(new FakeConsole(["hello"]), { drained });
    const context = connectContext(port, console);
    const client = new Impatient(await openChannel(context, 1024), context);
    await within(client.run(), "the client's end");
    assertEquals([console.printed, console.notes], [["one", "two"], ["heard 2"]]);
  }));

test("a server that does not end the connection, too, is left after a while, and not said to be silent", async () => {
  const left = Promise.withResolvers<void>();
  await withPlayed(async (server) => {
    await server.receive();
    await server.conn.write(bytes("0003one0003two"));
    await left.promise;
  }, async (port) => {
    const console = new FakeConsole(["hello"]);
    const context = connectContext(port, console);
    await within(new Impatient(await openChannel(context, 1024), context).run(), "the client's end");
    left.resolve();
    assertEquals([console.printed, console.notes], [["one", "two"], ["heard 2"]]);
  });
});

test("an answer to MSG is never waited for", () => {
  let got: string[] = [];
  return withPlayed(async (server) => {
    got = await readAll(server);
  }, async (port) => {
    const script = Array.from({ length: 100 }, (_, i) => `MSG bob ${i}`);
    // Waiting would take two seconds each.
    await within(runScript(port, script), "a hundred messages without an answer", 20_000);
    assertEquals(got, [...script, "EXIT"]);
  });
});

test("each frame leaves in a write of its own, length and body together", () =>
  withChat(async (room) => {
    for (const wire of ["len4", "line", "be8"]) {
      const trace = collect(["bytes"]);
      const script = ["NAME alice", ...Array.from({ length: 20 }, (_, i) => `MSG alice ${"x".repeat(i)}.`), "EXIT"];
      await runScript(room.port, script, { wire, trace });
      const frame = {
        len4: (text: string) => `${String(text.length).padStart(4, "0")}${text}`,
        line: (text: string) => `${text}\\n`,
      }[wire];
      const sent = trace.of("bytes").filter(({ direction }) => direction === "out").map((event) => event.bytes);
      assertEquals(sent.length, script.length, wire);
      if (frame) assertEquals(sent, script.map(frame));
    }
  }));

test("a long script waits for a server that reads slowly, and still sends one frame a write", () =>
  withPlayed(async (server) => {
    await server.send("Welcome");
    assertEquals((await readAll(server)).length, 5001);
  }, async (port) => {
    const trace = collect(["bytes"]);
    const script = Array.from({ length: 5000 }, (_, i) => `MSG bob ${i} ${"x".repeat(1000)}`);
    await runScript(port, script, { trace });
    const sent = trace.of("bytes").filter(({ direction }) => direction === "out").map(({ bytes }) => `${bytes}`);
    const frames = [...script, "EXIT"].map((text) => `${String(text.length).padStart(4, "0")}${text}`);
    assert(sent.join("") === frames.join(""), "something else was sent");
    assertEquals(sent.filter((part) => part.length > 1024).length, 0, "writes of more than one frame");
  }));

test("what could not be sent, because the server never reads, is an error even if EXIT was the last word", () => {
  const done = Promise.withResolvers<void>();
  return withPlayed(() => done.promise, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectChat(connectContext(port, console, { wire: "line" }));
    console.type(...Array.from({ length: 200 }, () => `MSG bob ${"x".repeat(100_000)}`), "EXIT");
    const error = await assertRejects(() => within(running, "the client's end"), NetlabError);
    assertEquals(error.kind, "transport");
    assertMatch(error.message, /too slow/);
    done.resolve();
  });
});

test("--name takes the name first", () =>
  withChat(async (room) => {
    const { printed } = await runScript(room.port, ["GET_NAMES"], { options: { name: "alice" } });
    assertEquals(printed, ["HELLO alice", "alice", "EXIT"]);
  }));

test("a server in other words is shown as it is: a greeting, Hello, send, FROM, ERROR", () =>
  withPlayed(async (server) => {
    await server.send("Welcome to the chat\tserver!");
    assertEquals(await server.receive(), "NAME alice");
    await server.send("Hello alice", "bob send hi", "FROM bob  hi", "bob sent ", "bob says hi", "Error: no");
    await readAll(server, (text) => text === "GET_NAMES" ? "alice, bob, " : null);
  }, async (port) => {
    const { printed, events } = await runScript(port, ["NAME alice", "GET_NAMES"], {}, 1);
    const said = ["bob send hi", "FROM bob  hi", "bob sent ", "bob says hi", "Error: no", "alice, bob, "];
    assertEquals(printed, ["Welcome to the chat\tserver!", "Hello alice", ...said]);
    const messages = events.filter(({ event }) => event === "message");
    assertEquals(messages.map(({ from, text }) => [from, text]), [["bob", "hi"], ["bob", " hi"], ["bob", ""], [
      "bob",
      "hi",
    ]]);
  }));

test("a server that ends the session is an error with a next step, whether a person or a script is at work", () =>
  withPlayed(async (server) => {
    await server.receive();
    await server.send("Hello alice");
  }, async (port) => {
    for (const interactive of [true, false]) {
      const console = new FakeConsole(undefined, interactive);
      const running = connectChat(connectContext(port, console));
      console.type("NAME alice");
      await console.shows("Hello alice");
      const error = await assertRejects(() => within(running, "the client's end"), NetlabError);
      assertEquals([error.kind, error.message], [
        "transport",
        `the server 127.0.0.1:${port} ended the connection (end of stream)`,
      ]);
      assert(error.hint);
      assertEquals(console.printed, ["Hello alice"]);
    }
  }));

test("a server that goes while a script waits for its answer is an error at once; one without a word may frame otherwise", async () => {
  for (const words of [[], ["HELLO alice"]]) {
    await withPlayed(async (server) => {
      await server.receive();
      await server.send(...words);
    }, async (port) => {
      const { kind, hint } = await assertRejects(() => runScript(port, ["NAME alice", "GET_NAMES"]), NetlabError);
      assertEquals([kind, hint], [
        "transport",
        words.length > 0
          ? "it stopped, or it sent you away: its last words are above"
          : "it said nothing: does it frame with len4? otherwise try another --wire",
      ]);
    });
  }
});

test("a server that frames otherwise is a protocol error that says what to try", () =>
  withPlayed(async (server) => {
    await server.send("Welcome to the chat server");
    await readAll(server);
  }, async (port) => {
    const error = await assertRejects(() => runScript(port, ["NAME alice"]), ProtocolError);
    assertEquals(error.kind, "protocol");
    assertEquals(error.message, 'cannot read the server: length field is not a number: "W"');
    assertEquals(error.hint, "the server does not frame with len4: try another --wire");
  }, "line"));

test("what a server sends that is not UTF-8 is noted, what follows is shown, and the end is an error", () =>
  withPlayed(async (server) => {
    await server.receive();
    await server.send(bytes("caf", 0xe9), "Hello alice");
    await readAll(server);
  }, async (port) => {
    const console = new FakeConsole(["NAME alice"]);
    const error = await assertRejects(() => connectChat(connectContext(port, console)), ProtocolError);
    assertMatch(error.message, /^cannot read the server: invalid UTF-8 at byte \d$/);
    assertEquals(console.printed, ["Hello alice"]);
    assert(console.notes.some((note) => note.startsWith("unreadable: invalid UTF-8")), console.notes.join());
  }));

test("a client cannot find out a framing: auto is refused, with a hint, and so is a framing that does not exist", async () => {
  for (const wire of ["auto", "len9", "nothing"]) {
    const error = await assertRejects(() => connectChat(connectContext(1, new FakeConsole([]), { wire })), NetlabError);
    assertEquals([error.kind, error.message], [
      "usage",
      `no such framing for a client: ${wire} (line, len1 to len8, be8, raw)`,
    ]);
    assertMatch(error.hint!, /--wire/);
  }
});

test("a server that refuses the connection is an error with a next step", async () => {
  const { host, port } = deafAddress();
  const context = connectContext(port, new FakeConsole([]), { host });
  const error = await assertRejects(() => connectChat(context), NetlabError);
  assertEquals([error.kind, error.message], ["transport", `cannot connect to ${host}:${port}: connection refused`]);
  assert(error.hint);
});

test("a line that the framing has no room for is not sent, and said so; the others are, and the script has failed", () =>
  withChat(async (room) => {
    const console = new FakeConsole(["NAME alice", `MSG alice ${"x".repeat(90)}`, "MSG alice ok"]);
    const running = connectChat(connectContext(room.port, console, { wire: "len2" }));
    const error = await assertRejects(() => within(running, "the client's end"), NetlabError);
    assertEquals([error.kind, error.message], ["reply", "a line of the script failed"]);
    assertEquals(console.printed, ["HELLO alice", "alice sent ok", "EXIT"]);
    assertEquals(console.notes.at(-1), "not sent: 100 bytes do not fit: len2 carries 99 at most");
  }));

test("silence of the server for as long as --idle says ends the client", () =>
  withPlayed(async (server) => {
    await readAll(server);
  }, async (port) => {
    const console = new FakeConsole(undefined, true);
    const error = await assertRejects(
      () => within(connectChat(connectContext(port, console, { idleMs: 50 })), "the client's end"),
      NetlabError,
    );
    assertEquals([error.kind, error.message], ["timeout", `127.0.0.1:${port} has said nothing for 50ms`]);
  }));

test("Tab offers the commands, then the names that the client has seen", () =>
  withChat(async (room) => {
    const [bob, bella] = await room.named("bob", "bella");
    const console = new FakeConsole(undefined, true);
    const running = connectChat(connectContext(room.port, console));
    await console.shows("connected to");
    assertEquals(console.complete(""), ["NAME ", "GET_NAMES", "MSG ", "BLOCK ", "UNBLOCK ", "EXIT"]);
    assertEquals(console.complete("ms"), ["MSG "]);
    assertEquals(console.complete("MSG b"), []);
    console.type("NAME alice");
    await console.shows("HELLO alice");
    await bob.send("MSG alice hi");
    await console.shows("bob sent hi");
    assertEquals(console.complete("MSG b"), ["MSG bob "]);
    console.type("MSG bob hello", "GET_NAMES"); // the first has no answer, and the answer to the second is no other's
    await console.shows("bob bella alice");
    assertEquals(console.complete("MSG b"), ["MSG bob ", "MSG bella "]);
    assertEquals(console.complete("MSG BR"), ["MSG BROADCAST "]);
    assertEquals(console.complete("block be"), ["block bella "]);
    assertEquals(console.complete("UNBLOCK BR"), []);
    assertEquals(console.complete("NAME b"), []);
    assertEquals(console.complete("MSG bob b"), []);
    await bella.ask("EXIT");
    console.type("GET_NAMES");
    await console.shows("bob alice");
    assertEquals(console.complete("MSG b"), ["MSG bob "]);
    console.endInput();
    await running;
    assertEquals(console.printed.at(-1), "EXIT");
  }));

test("of a server that makes up names for ever, a client remembers some", () =>
  withPlayed(async (client) => {
    await client.send(`${"x".repeat(1000)} sent hi`);
    for (let i = 0; i < 10_001; i++) await client.send(`x${i} sent hi`);
    await client.send("the last one sent hi");
    await readAll(client);
  }, async (port) => {
    const console = new FakeConsole(undefined, true);
    const running = connectChat(connectContext(port, console));
    await console.shows("the last one sent hi");
    assertEquals(console.complete("MSG x").length, 10_000);
    assertEquals(console.complete("MSG xx"), []);
    console.endInput();
    await running;
  }));

test("a person who types while messages arrive is never held up", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const console = new FakeConsole(undefined, true);
    const running = connectChat(connectContext(room.port, console, { options: { name: "alice" } }));
    await console.shows("HELLO alice");
    for (let i = 0; i < 50; i++) {
      console.type(`MSG bob to bob ${i}`);
      await bob.send(`MSG alice to alice ${i}`);
    }
    for (let i = 0; i < 50; i++) assertEquals(await bob.receive(), `alice sent to bob ${i}`);
    await console.shows("to alice 49");
    assertEquals(console.printed.slice(1), Array.from({ length: 50 }, (_, i) => `bob sent to alice ${i}`));
    console.type("EXIT");
    await within(running, "the client's end");
  }));
