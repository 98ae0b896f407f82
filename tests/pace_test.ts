// Who writes waits for those who read, and for nobody else.

import { assert, assertEquals } from "@std/assert";
import { Room } from "../lib/exercises/chat/server.ts";
import type { Command } from "../lib/exercises/chat/protocol.ts";
import { Restraint } from "../lib/exercises/pace.ts";
import type { Channel } from "../lib/net/channel.ts";
import { makeFramer } from "../lib/protocol/framing.ts";
import { NO_TRACE } from "../lib/protocol/trace.ts";
import { settle, test, within } from "./helpers.ts";

/** One who is written to, and how far behind it is. */
function peer(queuedBytes: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { framer: makeFramer("line", 1000)!, queuedBytes, queueBytes: 1000, flushed: () => promise, read: resolve };
}

test("who has written much waits for a peer whose queue is more than half full, until it has read", async () => {
  const behind = peer(501);
  const restraint = new Restraint();
  assertEquals([restraint.after(131_071, behind), restraint.after(1, peer(500))], [undefined, undefined]);
  let over = false;
  const waiting = restraint.after(0, behind)!.then(() => (over = true));
  await settle();
  assertEquals(over, false);
  behind.read();
  await within(waiting, "the reader");
  assertEquals(restraint.after(131_071, behind), undefined, "it begins anew");
});

test("who does not read at all is not waited for again, until it reads; who reads slowly is, for a while", async () => {
  const restraint = new Restraint();
  const deaf = peer(1000);
  await within(restraint.after(200_000, deaf)!, "the first look");
  assertEquals(restraint.after(200_000, deaf), undefined);
  deaf.queuedBytes = 500;
  assertEquals(restraint.after(1, deaf), undefined);
  deaf.queuedBytes = 1000;
  assert(restraint.after(131_072, deaf) !== undefined);
  let asked = 0;
  const slow = Object.defineProperty(peer(0), "queuedBytes", { get: () => 1000 - asked++ });
  await within(new Restraint().after(200_000, slow)!, "three looks");
  assertEquals(asked, 7);
});

test("in a chat, who writes much to one who is behind is not heard until that one has read, to everybody, too", async () => {
  const room = new Room(NO_TRACE);
  const behind = peer(900);
  const enter = (id: number, peers: object) =>
    room.enter({ id, ending: false, send: () => true, ...peers } as unknown as Channel<Command, string>);
  const users = [enter(1, peer(0)), enter(2, behind), enter(3, peer(0))];
  for (const [i, user] of users.entries()) user.onMessage({ type: "name", name: `u${i}` });
  for (const to of ["u1", "BROADCAST"]) {
    const say = (text: string) => users[0].onMessage({ type: "message", to, text });
    assertEquals(say("little"), undefined);
    const held = say("x".repeat(200_000));
    assert(held !== undefined, to);
    behind.read();
    await within(held, "the reader");
  }
  assertEquals(users[2].onMessage({ type: "message", to: "u1", text: "who writes little" }), undefined);
});
