// The chat server's names: who may have which, in what order they are listed, and when they are free again.

import { assertEquals } from "@std/assert";
import { invalidName } from "../lib/exercises/names.ts";
import { bytes, test } from "./helpers.ts";
import { canReset, sendAndReset, withChat } from "./chat_helpers.ts";

test("NAME is answered with HELLO and the name", () =>
  withChat(async (room) => {
    const alice = await room.join();
    assertEquals(await alice.ask("NAME alice"), "HELLO alice");
    assertEquals(await alice.ask("NAME alice"), "HELLO alice", "the same name again is no rename");
    await alice.got();
  }));

test("a name that is taken is refused in the documented words, and its owner keeps it", () =>
  withChat(async (room) => {
    const [alice, bob] = [...await room.named("alice"), await room.join()];
    assertEquals(await bob.ask("NAME alice"), "ERROR name taken: alice");
    assertEquals(await bob.ask("MSG alice hi"), "ERROR choose a name first: NAME <name>");
    assertEquals(await bob.ask("NAME bob"), "HELLO bob");
    assertEquals(await bob.ask("NAME alice"), "ERROR name taken: alice");
    assertEquals(await bob.ask("GET_NAMES"), "alice bob");
    await bob.send("MSG alice hi");
    await alice.got("bob sent hi");
  }));

test("names are case-sensitive", () =>
  withChat(async (room) => {
    const [, second] = await room.named("alice", "Alice");
    assertEquals(await second.ask("GET_NAMES"), "alice Alice");
  }));

test("NAME again renames: the old name is free, the new one gets the messages", () =>
  withChat(async (room) => {
    const [alice, bob, carol] = await room.named("alice", "bob", "carol");
    assertEquals(await alice.ask("NAME alicia"), "HELLO alicia");
    assertEquals(await bob.ask("MSG alice hi"), "ERROR no such user: alice");
    await bob.send("MSG alicia hi");
    await alice.got("bob sent hi");
    assertEquals(await carol.ask("NAME alice"), "HELLO alice");
    await alice.send("MSG alice hello");
    await carol.got("alicia sent hello");
  }));

test("a refused rename leaves the old name as it was", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    assertEquals(await alice.ask("NAME bob"), "ERROR name taken: bob");
    assertEquals(await alice.ask("NAME not a name"), "ERROR invalid name: use letters, digits, _ - .");
    await bob.send("MSG alice still you?");
    await alice.got("bob sent still you?");
    assertEquals(await alice.ask("GET_NAMES"), "alice bob");
  }));

test("GET_NAMES is empty when nobody has a name, and needs none", () =>
  withChat(async (room) => {
    const nobody = await room.join();
    assertEquals(await nobody.ask("GET_NAMES"), "");
    await room.named("alice");
    assertEquals(await nobody.ask("GET_NAMES"), "alice");
  }));

test("GET_NAMES joins the names by one space, in the order they came", () =>
  withChat(async (room) => {
    const names = ["zoe", "bob", "alice", "Mallory", "carol"];
    const clients = await room.named(...names);
    assertEquals(await clients[2].ask("GET_NAMES"), "zoe bob alice Mallory carol");
    clients[1].close();
    await room.trace.until("bob's end", ({ type }) => type === "close");
    assertEquals(await clients[2].ask("GET_NAMES"), "zoe alice Mallory carol");
    await room.named("bob");
    assertEquals(await clients[2].ask("GET_NAMES"), "zoe alice Mallory carol bob");
  }));

const LETTERS = "letters, digits, _ - .";

test("an invalid name is refused with the reason", () =>
  withChat(async (room) => {
    const client = await room.join();
    const cases: [name: string, why: string][] = [
      ["", "it is empty"],
      ["   ", "it is empty"],
      ["BROADCAST", "BROADCAST is reserved"],
      ["broadcast", "BROADCAST is reserved"],
      ["Error", "ERROR is reserved"],
      ["sent", "SENT is reserved"],
      ["a".repeat(33), "more than 32 characters"],
      ["🦕".repeat(33), "more than 32 characters"],
      ["alice smith", `use ${LETTERS}`],
      ["alice\tsmith", `use ${LETTERS}`],
      ["alice,bob", `use ${LETTERS}`],
      ["<alice>", `use ${LETTERS}`],
      ["\x1b[31mred\x1b[0m", `use ${LETTERS}`],
      ["al\0ice", `use ${LETTERS}`],
      ["\u202eecila", `use ${LETTERS}`],
      ["\u3164", `use ${LETTERS}`], // a letter that cannot be seen, as are the next
      ["alice\uffa0", `use ${LETTERS}`],
      ["alice\u200f", `use ${LETTERS}`],
      ["al\u200bice", `use ${LETTERS}`],
      ["🦕", `use ${LETTERS}`],
      ["alice\u0301", "use composed characters (Unicode NFC)"],
      ["z\u0308", `use ${LETTERS}`],
      ["a\u00a0b", `use ${LETTERS}`],
      ["ali\u2028ce", `use ${LETTERS}`],
    ];
    for (const [name, why] of cases) {
      assertEquals(await client.ask(`NAME ${name}`), `ERROR invalid name: ${why}`, JSON.stringify(name));
    }
    assertEquals(await client.ask("NAME"), "ERROR invalid name: it is empty");
    assertEquals(await client.ask("GET_NAMES"), "");
  }));

test("letters of every script, digits and _ - . make a name, up to 32 characters", () =>
  withChat(async (room) => {
    const names = [
      "a",
      "7",
      "_",
      "a-b.c_d",
      "a".repeat(32),
      "Zoë",
      "日本",
      "אליס",
      "علي",
      "Ωμέγα",
      "𝒜".repeat(32),
      "𐐷",
    ];
    const clients = await room.named(...names);
    assertEquals(await clients[0].ask("GET_NAMES"), names.join(" "));
    await clients[0].send("MSG אליס שלום");
    await clients[names.indexOf("אליס")].got("a sent שלום");
    assertEquals("𝒜".repeat(32).length, 64, "32 characters, 64 units, 128 bytes");
  }));

test("letters that can be written in two ways have one", () => {
  assertEquals(invalidName("Zo\u00eb"), null);
  assertEquals(invalidName("Zoe\u0308"), "use composed characters (Unicode NFC)");
  assertEquals(invalidName("\u212b"), "use composed characters (Unicode NFC)"); // the sign for ångström
  assertEquals(invalidName("\u1112\u1161\u11ab"), "use composed characters (Unicode NFC)"); // 한 in three letters
});

test("a word more than the name is part of the name, and spaces around it are not", () =>
  withChat(async (room) => {
    const client = await room.join();
    assertEquals(await client.ask("NAME   alice  "), "HELLO alice");
    assertEquals(await client.ask("NAME alice smith"), `ERROR invalid name: use ${LETTERS}`);
  }));

test("EXIT and end of stream free the name at once", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    await alice.send("EXIT");
    assertEquals(await alice.receive(), "EXIT");
    // The answer is out, so the name is free: whoever reads the one may rely on the other.
    assertEquals(await bob.ask("NAME alice"), "HELLO alice");
    await alice.ended();
    await bob.conn.closeWrite();
    await bob.ended();
    const carol = await room.join();
    assertEquals(await carol.ask("GET_NAMES"), "");
    assertEquals(await carol.ask("NAME alice"), "HELLO alice");
  }));

test(
  "a reset frees the name and leaves no connection behind",
  () =>
    withChat(async (room) => {
      const [bob] = await room.named("bob");
      for (let round = 0; round < 20; round++) {
        const remote = await sendAndReset(room.port, bytes("0010NAME alice"), "0011HELLO alice".length);
        const { id } = await room.trace.until("alice", (event) => event.remote === remote);
        await room.trace.until("alice's reset", ({ type, id: other, reason }) => {
          return type === "close" && id === other && reason === "reset by peer";
        });
        assertEquals(await bob.ask("GET_NAMES"), "bob");
      }
    }),
  canReset,
);
