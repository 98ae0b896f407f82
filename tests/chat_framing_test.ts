// One chat server, clients of every framing: each is understood, answered in its own, and told when a frame has no room.

import { assertEquals, assertMatch } from "@std/assert";
import { type ChatClient, withChat } from "./chat_helpers.ts";
import { bytes, test } from "./helpers.ts";

const notANumber = (field: string, digits: number) =>
  `ERROR length field is not a number: "${field}" (a length is ${digits} decimal digits and counts bytes, not characters)`;

const WIRES = ["len2", "len4", "line", "raw", "be8", "len1", "len8"];

test("one server, clients of every framing at once: each names itself, lists, and messages each of the others", () =>
  withChat(async (room) => {
    // With one digit there is hardly room to talk: HELLO and a name of three letters are nine bytes.
    const wires = WIRES.filter((wire) => wire !== "len1");
    const clients: ChatClient[] = [];
    for (const wire of wires) {
      const client = await room.join(wire);
      assertEquals(await client.ask(`NAME ${wire}`), `HELLO ${wire}`);
      clients.push(client);
    }
    for (const client of clients) assertEquals(await client.ask("GET_NAMES"), wires.join(" "));
    for (const from of clients) {
      for (const to of clients) {
        await from.send(`MSG ${to.wire} to ${to.wire}: é 🦕`);
        assertEquals(await to.receive(), `${from.wire} sent to ${to.wire}: é 🦕`);
      }
    }
    for (const client of clients) assertEquals(await client.ask("MSG nobody x"), "ERROR no such user: nobody");
    for (const client of clients) {
      assertEquals(await client.ask("EXIT"), "EXIT");
      await client.ended();
    }
  }));

test("the decision is traced, with the words of each framing", () =>
  withChat(async (room) => {
    const words = {
      len1: "1 digit",
      len2: "2 digits",
      len8: "8 digits",
      line: "lines",
      be8: "an 8-byte length",
      raw: "nothing: one read is one message",
    };
    for (const [wire, said] of Object.entries(words)) {
      const client = await room.join(wire);
      await client.ask("NAME bob");
      const text = room.trace.of("note").at(-1)!.text;
      assertEquals(text, `client frames with ${said}`);
      await client.ask("EXIT");
      await client.ended();
    }
  }));

test("with one digit a name and short messages fit, and a long error is cut to nine bytes", () =>
  withChat(async (room) => {
    const client = await room.join("len1");
    assertEquals(await client.ask("NAME al"), "HELLO al");
    assertEquals(await client.ask("GET_NAMES"), "al");
    assertEquals(await client.ask("MSG b x"), "ERROR no ");
    const [bob] = await room.named("bob");
    await client.send("MSG bob x");
    await bob.got("al sent x");
    await bob.send("MSG al x");
    await bob.got("ERROR not delivered to al: 10 bytes do not fit: len1 carries 9 at most");
  }));

test("several frames in one write are taken one by one", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    for (const wire of ["len2", "len4", "line", "be8"]) {
      const client = await room.join(wire);
      await client.send(`NAME ${wire}`, "MSG bob one", "GET_NAMES", "MSG bob two", "EXIT");
      assertEquals(await client.receive(), `HELLO ${wire}`);
      assertEquals(await client.receive(), `bob ${wire}`);
      assertEquals(await client.receive(), "EXIT");
      await client.ended();
      await bob.got(`${wire} sent one`, `${wire} sent two`);
    }
  }));

test("the end of the typed line, counted as part of the message, is dropped", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const client = await room.join("len4");
    assertEquals(await client.ask("NAME alice\n"), "HELLO alice");
    assertEquals(await client.ask("GET_NAMES\r\n"), "bob alice");
    await client.send("MSG bob hi\n");
    await bob.got("alice sent hi");
    assertEquals(await client.ask("MSG bob \r\n"), "ERROR empty message");
    assertEquals(await client.ask("EXIT\r"), "EXIT");
  }));

test("a client of two digits that a long message is for gets nothing of it, and the sender is told", () =>
  withChat(async (room) => {
    const [alice, carol] = await room.named("alice", "carol");
    const bob = await room.join("len2");
    assertEquals(await bob.ask("NAME bob"), "HELLO bob");
    const fits = "x".repeat(99 - "alice sent ".length);
    await alice.send(`MSG bob ${fits}`);
    await bob.got(`alice sent ${fits}`);
    const answer = "ERROR not delivered to bob: 100 bytes do not fit: len2 carries 99 at most";
    assertEquals(await alice.ask(`MSG bob ${fits}y`), answer);
    await bob.got();
    // To all: those who have room get it.
    assertEquals(await alice.ask(`MSG BROADCAST ${fits}y`), answer);
    await carol.got(`alice sent ${fits}y`);
    // What is escaped grows: here it is the last byte that has no room.
    assertEquals(await alice.ask(`MSG bob ${fits.slice(3)}\x1b`), answer);
    await alice.send("MSG bob short again");
    await bob.got("alice sent short again");
  }));

test("a client of two digits that asks for more names than fit is told so, and goes on", () =>
  withChat(async (room) => {
    const names = Array.from({ length: 12 }, (_, i) => `student-${i + 10}`);
    const clients = await room.named(...names);
    const asker = await room.join("len2");
    assertEquals(await asker.ask("GET_NAMES"), "ERROR 131 bytes do not fit: len2 carries 99 at most");
    for (const client of clients.slice(3)) {
      await client.ask("EXIT");
      await client.ended();
    }
    assertEquals(await asker.ask("GET_NAMES"), names.slice(0, 3).join(" "));
  }));

test("an error too long for two digits is cut to fit, between characters", () =>
  withChat(async (room) => {
    const client = await room.join("len2");
    assertEquals(await client.ask("NAME bob"), "HELLO bob");
    assertEquals(await client.ask(`MSG ${"é".repeat(42)} x`), `ERROR no such user: ${"é".repeat(39)}`);
    assertEquals(await client.ask("GET_NAMES"), "bob");
  }));

test("a length that counts characters stays right for ASCII, and otherwise the error says what is wrong", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const sender = await room.join("len4");
    // As `str(len(text)).zfill(4) + text` in a student's client.
    const send = (...texts: string[]) =>
      sender.sendBytes(...texts.map((text) => `${[...text].length}`.padStart(4, "0") + text));
    await send("NAME alice", "MSG bob plain");
    assertEquals(await sender.receive(), "HELLO alice");
    await bob.got("alice sent plain");
    await send("MSG bob héllo", "MSG bob next");
    assertEquals(await sender.receive(), notANumber("o", 4));
    await sender.ended();
    // What the wrong length cut off cannot be known before it has been delivered; nothing behind it is.
    await bob.got("alice sent héll");
  }));

test("the same, where the length ends inside a character: the message is refused, then the length", () =>
  withChat(async (room) => {
    const sender = await room.join("len4");
    assertEquals(await sender.ask("NAME alice"), "HELLO alice");
    await sender.sendBytes("0013MSG alice hié");
    assertEquals(await sender.receive(), "ERROR invalid UTF-8 at byte 13");
    assertEquals(await sender.receive(), notANumber("\\xa9", 4));
    await sender.ended();
  }));

test("a length field that is no number is answered, then the connection ends, and nobody else minds", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const cases: [wire: string, sent: Uint8Array, field: string][] = [
      ["len4", bytes("0010NAME alice00-1x"), "00-"],
      ["len4", bytes("0010NAME aliceNAME alice"), "N"],
      ["len4", bytes("0010NAME alice", 0xff), "\\xff"],
      ["len4", bytes("0010NAME alice 9"), " "],
      ["len8", bytes("00000010NAME alice1e3"), "1e"],
    ];
    for (const [wire, sent, field] of cases) {
      const client = await room.join(wire);
      await client.sendBytes(sent);
      assertEquals(await client.receive(), "HELLO alice");
      assertEquals(await client.receive(), notANumber(field, Number(wire[3])));
      await client.ended();
    }
    const many = await room.join("line");
    await many.sendBytes("123456789NAME x");
    assertEquals(await many.receive(), 'ERROR length field is not a number of 1 to 8 digits: "123456789"');
    await many.ended();
    assertEquals(await bob.ask("GET_NAMES"), "bob");
  }));

test("a length that lies is survived: the rest of the stream is that message, and no more", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const liar = await room.join("len4");
    await liar.sendBytes("0020NAME alice");
    await bob.got();
    await liar.sendBytes("0009GET_NAMES");
    assertEquals(await liar.receive(), "HELLO alice0009GET_NA");
    assertEquals(await liar.receive(), notANumber("M", 4));
    await liar.ended();
    const huge = await room.join("be8");
    await huge.sendBytes(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    assertMatch(await huge.receive(), /^ERROR length field says \d+ bytes$/);
    await huge.ended();
    await bob.got();
  }));

test("a client without framing that later ends its messages with LF becomes one of lines", () =>
  withChat(async (room) => {
    const raw = await room.join("raw");
    assertEquals(await raw.ask("NAME alice"), "HELLO alice");
    await raw.sendBytes("GET_NAMES\nMSG alice to myself\n");
    const answers = "alice\nalice sent to myself\n";
    let got = "";
    while (got.length < answers.length) got += await raw.receive();
    assertEquals(got, answers);
    assertEquals(room.trace.of("note").map(({ text }) => text), [
      "client frames with nothing: one read is one message",
      "client frames with lines",
    ]);
  }));

test("a command in pieces, without LF, waits for its rest: only a complete one may be taken for a message", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const client = await room.join("raw");
    await client.sendBytes("MSG bo");
    const other = await room.join("raw");
    // By the time the other was understood, the silence of the first had been long enough, too.
    assertEquals(await other.ask("NAME carol"), "HELLO carol");
    await client.sendBytes("b hi");
    assertEquals(await client.receive(), "ERROR choose a name first: NAME <name>");
    // Had the two parts been two messages, the second would be answered first.
    assertEquals(await client.ask("GET_NAMES"), "bob carol");
    await bob.got();
  }));

test("a command without LF at the end of the stream is still answered, one that is framed and unfinished is not", () =>
  withChat(async (room) => {
    const answers = [
      ["NAME alice\r", "HELLO alice"],
      ["NAME", "ERROR invalid name: it is empty"],
      ["NAM", "ERROR unknown command: NAM (NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT)"],
    ];
    for (const [sent, answer] of answers) {
      const raw = await room.join("raw");
      await raw.sendBytes(sent);
      await raw.conn.closeWrite();
      assertEquals(await raw.receive(), answer);
      await raw.ended();
    }
    for (const [wire, part] of [["len4", "0011NAME alice"], ["line", "GET_NAMES\nNAME alice"]]) {
      const client = await room.join(wire);
      await client.sendBytes(part);
      await client.conn.closeWrite();
      if (wire === "line") assertEquals(await client.receive(), "");
      await client.ended();
    }
  }));

test("--wire says how clients frame, and then nothing is found out", () =>
  withChat(async (room) => {
    const line = await room.join("line");
    assertEquals(
      await line.ask("0010NAME alice"),
      "ERROR unknown command: 0010NAME (NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT)",
    );
    assertEquals(room.trace.of("note"), []);
    const len4 = await room.join("len4");
    await len4.send("GET_NAMES");
    await len4.conn.closeWrite();
    await len4.ended();
  }, { wire: "line" }));

test("a client that frames nothing is told at its first byte where --wire wants a length", () =>
  withChat(async (room) => {
    const client = await room.join("len4");
    await client.sendBytes("NAME alice");
    assertEquals(await client.receive(), notANumber("N", 4));
    await client.ended();
  }, { wire: "len4" }));
