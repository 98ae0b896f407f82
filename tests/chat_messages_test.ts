// The chat server's messages: who gets which, in which words, and what the sender is told.

import { assertEquals, assertMatch } from "@std/assert";
import { hasUnsafe } from "../lib/protocol/text.ts";
import { withChat } from "./chat_helpers.ts";
import { bytes, test } from "./helpers.ts";

const COMMANDS = "NAME, GET_NAMES, MSG, BLOCK, UNBLOCK, EXIT";

test("MSG reaches the one it is for, and the sender gets nothing", () =>
  withChat(async (room) => {
    const [alice, bob, carol] = await room.named("alice", "bob", "carol");
    await alice.send("MSG bob hi there");
    await alice.got();
    await bob.got("alice sent hi there");
    await carol.got();
  }));

test("the message is everything behind the name, to the last space", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    await alice.send("MSG bob  two  spaces ", "MSG   bob padded", "msg bob MSG bob x", "MSG bob tab\there");
    await alice.got();
    await bob.got("alice sent  two  spaces ", "alice sent padded", "alice sent MSG bob x", "alice sent tab\there");
  }));

test("a message to oneself arrives", () =>
  withChat(async (room) => {
    const [alice] = await room.named("alice");
    assertEquals(await alice.ask("MSG alice note to self"), "alice sent note to self");
  }));

test("what is wrong with a message is told to its sender, in the documented words, and to nobody else", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    const cases: [command: string, answer: string][] = [
      ["MSG nobody hi", "ERROR no such user: nobody"],
      ["MSG Bob hi", "ERROR no such user: Bob"],
      ["MSG bob", "ERROR empty message"],
      ["MSG bob ", "ERROR empty message"],
      ["MSG bob    ", "ERROR empty message"],
      ["MSG", "ERROR missing name: MSG <name> <message>"],
      ["MSG  ", "ERROR missing name: MSG <name> <message>"],
    ];
    for (const [command, answer] of cases) assertEquals(await alice.ask(command), answer, command);
    await bob.got();
    await alice.send("MSG bob still here");
    await bob.got("alice sent still here");
  }));

test("without a name nobody can send, to one or to all", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    const nameless = await room.join();
    for (const command of ["MSG bob hi", "MSG BROADCAST hi", "MSG nobody hi", "MSG bob"]) {
      assertEquals(await nameless.ask(command), "ERROR choose a name first: NAME <name>", command);
    }
    await bob.got();
  }));

test("MSG BROADCAST reaches every other named user and nobody else", () =>
  withChat(async (room) => {
    const [alice, bob, carol] = await room.named("alice", "bob", "carol");
    const nameless = await room.join();
    await alice.send("MSG BROADCAST hi all", "MSG broadcast again");
    await alice.got();
    await bob.got("alice sent hi all", "alice sent again");
    await carol.got("alice sent hi all", "alice sent again");
    await nameless.got();
    assertEquals(await alice.ask("MSG BROADCAST "), "ERROR empty message");
  }));

test("BLOCK keeps a user's messages away, from one and from all, and UNBLOCK lets them through again", () =>
  withChat(async (room) => {
    const [alice, bob, carol] = await room.named("alice", "bob", "carol");
    await bob.send("BLOCK alice");
    await bob.got();
    await alice.send("MSG bob one", "MSG BROADCAST two");
    await alice.got();
    await carol.send("MSG bob three");
    await carol.got("alice sent two");
    await bob.got("carol sent three");
    await bob.send("MSG alice I do not hear you", "UNBLOCK alice");
    await bob.got();
    await alice.send("MSG bob four");
    await alice.got("bob sent I do not hear you");
    await bob.got("alice sent four");
  }));

test("BLOCK and UNBLOCK refuse what cannot be a name, and a block may come before the user", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    assertEquals(await bob.ask("BLOCK"), "ERROR invalid name: it is empty");
    assertEquals(await bob.ask("UNBLOCK a b"), "ERROR invalid name: use letters, digits, _ - .");
    assertEquals(await bob.ask("BLOCK broadcast"), "ERROR invalid name: BROADCAST is reserved");
    await bob.send("UNBLOCK never-blocked", "block alice");
    const [alice] = await room.named("alice");
    await alice.send("MSG bob hi");
    await alice.got();
    await bob.got();
  }));

test("a block holds for the user, whatever it is called by now, and for the name, whoever has it", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    await bob.send("BLOCK alice");
    await bob.got();
    for (const name of ["alice2", "alice3"]) assertEquals(await alice.ask(`NAME ${name}`), `HELLO ${name}`);
    await alice.send("MSG bob under another name", "MSG BROADCAST to all");
    await alice.got();
    const [other] = await room.named("alice");
    await other.send("MSG bob I am another alice");
    await other.got();
    await bob.got();
    // Lifted by the name that the user has now, also where it was blocked by another one.
    await bob.send("UNBLOCK alice3");
    await bob.got();
    await alice.send("MSG bob one");
    await alice.got();
    await other.send("MSG bob two");
    await other.got();
    await bob.got("alice3 sent one", "alice sent two");
  }));

test("a block is lifted by the name it was put on, and is not that of the next user behind the same name", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    await bob.send("BLOCK alice");
    await bob.got();
    await alice.ask("NAME alice2");
    await bob.send("BLOCK alice2", "UNBLOCK alice");
    await bob.got();
    await alice.send("MSG bob one");
    await alice.got();
    await bob.got("alice2 sent one");
    await bob.send("BLOCK alice2");
    await bob.got();
    assertEquals(await alice.ask("EXIT"), "EXIT");
    await alice.ended();
    const [carol] = await room.named("carol");
    await carol.send("MSG bob I am nobody's alice");
    await carol.got();
    await bob.got("carol sent I am nobody's alice");
  }));

test("a thousand names can be blocked, and one of them again", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    await bob.send(...Array.from({ length: 1000 }, (_, i) => `BLOCK user${i}`), "BLOCK user7");
    assertEquals(await bob.ask("BLOCK onemore"), "ERROR you have blocked 1000 names already");
    await bob.send("UNBLOCK user7", "BLOCK onemore");
    await bob.got();
  }));

test("EXIT is answered with EXIT, then the connection ends, and what came behind it is not looked at", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    await alice.send("MSG bob bye", "EXIT", "MSG bob too late", "GET_NAMES");
    assertEquals(await alice.receive(), "EXIT");
    await alice.ended();
    await bob.got("alice sent bye");
    assertEquals(await bob.ask("GET_NAMES"), "bob");
    const nameless = await room.join();
    assertEquals(await nameless.ask("exit"), "EXIT");
    await nameless.ended();
  }));

test("commands may be in any case", () =>
  withChat(async (room) => {
    const client = await room.join();
    assertEquals(await client.ask("name alice"), "HELLO alice");
    assertEquals(await client.ask("Name Alice"), "HELLO Alice");
    assertEquals(await client.ask("get_names"), "Alice");
    assertEquals(await client.ask("gEt_NaMeS"), "Alice");
    assertEquals(await client.ask("mSg Alice hi"), "Alice sent hi");
    await client.send("block bob", "Unblock bob");
    await client.got();
    assertEquals(await client.ask("Exit"), "EXIT");
    await client.ended();
  }));

test("anything else is an unknown command, named and with the list of those there are", () =>
  withChat(async (room) => {
    const [client] = await room.named("alice");
    for (const word of ["DANCE", "hello", "NAMES", "GET", "日本", "X".repeat(32)]) {
      assertEquals(await client.ask(`${word} x y`), `ERROR unknown command: ${word} (${COMMANDS})`);
    }
    assertEquals(await client.ask("X".repeat(33)), `ERROR unknown command: ${"X".repeat(32)} (${COMMANDS})`);
    for (const nothing of ["", "  ", "\n"]) assertEquals(await client.ask(nothing), `ERROR no command (${COMMANDS})`);
  }));

test("spaces before a command are no part of it", () =>
  withChat(async (room) => {
    const [alice] = await room.named("alice");
    assertEquals(await alice.ask("  MSG alice  hi"), "alice sent  hi");
    assertEquals(await alice.ask("\tname bob"), "HELLO bob");
  }));

test("a command of 1024 bytes is taken whole, one of 1025 is refused, and the session goes on behind exactly that", () =>
  withChat(async (room) => {
    const [bob] = await room.named("bob");
    for (const wire of ["len4", "line", "be8", "len8"]) {
      const sender = await room.join(wire);
      assertEquals(await sender.ask(`NAME ${wire}`), `HELLO ${wire}`);
      const tooLong = `ERROR message too long: ${
        wire === "line" ? "more than 1024 bytes" : "1025 bytes, the limit is 1024"
      }`;
      const message = (length: number) => `MSG bob ${"m".repeat(length - 8)}`;
      await sender.send(message(1024), message(1025), message(1023));
      await sender.got(tooLong);
      await bob.got(`${wire} sent ${"m".repeat(1016)}`, `${wire} sent ${"m".repeat(1015)}`);
      // The limit counts bytes, not characters.
      await sender.send(`MSG bob ${"é".repeat(508)}`, `MSG bob ${"é".repeat(508)}.`);
      await sender.got(tooLong);
      await bob.got(`${wire} sent ${"é".repeat(508)}`);
    }
  }));

test("a mebibyte in one frame is refused once and skipped exactly", () =>
  withChat(async (room) => {
    for (const wire of ["len8", "line", "be8"]) {
      const client = await room.join(wire);
      assertEquals(await client.ask(`NAME ${wire}`), `HELLO ${wire}`);
      await client.send("9".repeat(1_048_576), "GET_NAMES");
      const size = wire === "line" ? "more than 1024 bytes" : "1048576 bytes, the limit is 1024";
      assertEquals(await client.receive(), `ERROR message too long: ${size}`);
      assertEquals((await client.receive()).split(" ").at(-1), wire);
    }
  }));

/** What is sent, and what another client is shown of it. */
const UNSAFE: readonly (readonly [sent: string, shown: string])[] = [
  ["\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"],
  ["\x1b]0;title\x07", "\\x1b]0;title\\x07"],
  ["nul\0nul", "nul\\x00nul"],
  ["c1 \x9b31m", "c1 \\u{9b}31m"],
  ["del\x7f bs\b", "del\\x7f bs\\x08"],
  ["line\nfeed", "line\\nfeed"],
  ["over\rwrite", "over\\rwrite"],
  ["\u202ecod.exe", "\\u{202e}cod.exe"],
  ["\u2066isolate\u2069", "\\u{2066}isolate\\u{2069}"],
  ["rtl \u200f mark", "rtl \\u{200f} mark"],
  ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
  ["para\u2029graph", "para\\u{2029}graph"],
  ["tag \u{e0041}", "tag \\u{e0041}"],
];

test("escape sequences, NUL, line ends and bidirectional marks in a message are shown escaped, never raw", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    const carol = await room.join("line");
    assertEquals(await carol.ask("NAME carol"), "HELLO carol");
    for (const [sent, shown] of UNSAFE) {
      await alice.send(`MSG bob ${sent}.`, `MSG carol ${sent}.`);
      for (const receiver of [bob, carol]) {
        const text = await receiver.receive();
        assertEquals(text, `alice sent ${shown}.`);
        assertEquals(hasUnsafe(text), false);
      }
    }
    await alice.got();
  }));

test("letters of every script, combining characters and emoji in a message arrive as they are", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    const text = "héllo e\u0301 שלום سلام 日本語 𝒜 🦕 👩\u200d🚀 می\u200cخواهم \ttab";
    await alice.send(`MSG bob ${text}`);
    await bob.got(`alice sent ${text}`);
  }));

test("an error that repeats what was sent repeats it escaped, and shortened", () =>
  withChat(async (room) => {
    const [alice] = await room.named("alice");
    for (const [sent, shown] of UNSAFE.filter(([sent]) => !/[ \n\r]/.test(sent))) {
      assertEquals(await alice.ask(`MSG ${sent} hi`), `ERROR no such user: ${shown}`);
    }
    assertEquals(await alice.ask("\x1b[2J"), `ERROR unknown command: \\x1b[2J (${COMMANDS})`);
    assertEquals(await alice.ask(`MSG ${"é".repeat(200)} hi`), `ERROR no such user: ${"é".repeat(64)}`);
  }));

test("a message that is not UTF-8 is answered with the place, and the next one is taken", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    // The place is where the bytes stop being the beginning of something valid.
    const cases: [body: Uint8Array, offset: number][] = [
      [bytes("MSG bob ", 0xff), 8],
      [bytes("MSG bob ", 0xc0, 0xaf), 8],
      [bytes("MSG bob é", 0xc3), 11],
      [bytes("MSG bob ", 0xe2, 0x82), 10],
      [bytes("MSG bob ", 0xe2, 0x82, "x"), 10],
      [bytes("MSG bob ", 0xed, 0xa0, 0x80), 9],
      [bytes("MSG bob ", 0xf4, 0x90, 0x80, 0x80, " x"), 9],
      [bytes(0xfe), 0],
    ];
    for (const [body, offset] of cases) assertEquals(await alice.ask(body), `ERROR invalid UTF-8 at byte ${offset}`);
    await bob.got();
    await alice.send("MSG bob fine again");
    await bob.got("alice sent fine again");
  }));

test("who says nothing but nonsense is sent away in the end, who is only refused is not", () =>
  withChat(async (room) => {
    const [alice, bob] = [...await room.named("alice"), await room.join()];
    for (let i = 0; i < 4; i++) {
      assertMatch(await bob.ask("a"), /^ERROR unknown command: a /);
      assertMatch(await bob.ask("b"), /^ERROR unknown command: b /);
      assertEquals(await bob.ask("NAME alice"), "ERROR name taken: alice");
    }
    await bob.send("a", "b", "c", "NAME bob");
    for (const word of "abc") assertMatch(await bob.receive(), new RegExp(`^ERROR unknown command: ${word} `));
    assertEquals(await bob.receive(), "ERROR too many errors");
    await bob.ended();
    assertEquals(await alice.ask("GET_NAMES"), "alice");
  }, { limits: { maxErrors: 3 } }));
