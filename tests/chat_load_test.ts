// The chat server under load: nothing is lost, each sender's order is kept, and who does not read harms only itself.

import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { Random } from "../lib/protocol/random.ts";
import { canReset, type ChatClient, type ChatRoom, sendAndReset, withChat } from "./chat_helpers.ts";
import { bytes, Peer, property, test, within } from "./helpers.ts";

/** Connects clients of these framings, named s0, s1, …. */
function joinAll(room: ChatRoom, wires: readonly string[]): Promise<ChatClient[]> {
  return Promise.all(wires.map(async (wire, index) => {
    const client = await room.join(wire);
    assertEquals(await client.ask(`NAME s${index}`), `HELLO s${index}`);
    return client;
  }));
}

/** Takes what one receiver gets: each sender numbers what it sends, and no number may be missing or late. */
class Inbox {
  readonly counts = new Map<string, number>();
  total = 0;

  take(message: string): void {
    const [, from, number] = /^(\S+) sent (\d+)\b/.exec(message) ?? [];
    assert(from, `no message: ${message}`);
    assertEquals(Number(number), this.counts.get(from) ?? 0, `from ${from}`);
    this.counts.set(from, Number(number) + 1);
    this.total++;
  }
}

property(
  "however clients frame and cut what they send, each sender's order is kept",
  4,
  (random) =>
    withChat(async (room) => {
      const COUNT = 200;
      const [receiver] = await room.named("receiver");
      const senders = await joinAll(room, ["len2", "len2", "len4", "len4", "line", "line", "be8", "be8", "len8"]);
      const sending = senders.map(async (sender) => {
        const own = new Random(random.uint32());
        const texts = Array.from({ length: COUNT }, (_, i) => `MSG receiver ${i} ${"é".repeat(own.int(0, 30))}`);
        const stream = bytes(...texts.map((text) => sender.frame(text)));
        for (let at = 0; at < stream.length;) {
          const end = at + own.int(1, own.chance(0.5) ? 40 : 4000);
          await sender.sendBytes(stream.subarray(at, end));
          at = end;
        }
      });
      const inbox = new Inbox();
      while (inbox.total < COUNT * senders.length) inbox.take(await receiver.receive());
      await Promise.all(sending);
      await receiver.got();
      for (const sender of senders) await sender.got();
    }),
);

property(
  "200 clients that all message each other lose nothing, and each sender's order is kept",
  1,
  (random) =>
    withChat(async (room) => {
      const clients = await joinAll(
        room,
        Array.from({ length: 200 }, () => random.pick(["len2", "len4", "line", "be8"])),
      );
      const expected = clients.map(() => new Map<string, number>());
      await Promise.all(clients.map(async (client, from) => {
        // To one now and to another then, so that every receiver has many senders at once.
        for (let burst = 0; burst < 10; burst++) {
          const to = random.int(0, clients.length - 1);
          const first = expected[to].get(`s${from}`) ?? 0;
          expected[to].set(`s${from}`, first + 3);
          await client.send(...[0, 1, 2].map((i) => `MSG s${to} ${first + i}`));
        }
      }));
      let received = 0;
      await Promise.all(clients.map(async (client, index) => {
        const inbox = new Inbox();
        const count = [...expected[index].values()].reduce((sum, one) => sum + one, 0);
        while (inbox.total < count) inbox.take(await client.receive());
        assertEquals([...inbox.counts].toSorted(), [...expected[index]].toSorted());
        await client.got();
        received += inbox.total;
      }));
      assertEquals(received, 200 * 30);
      for (const client of clients) client.close();
      await room.emptied(200);
      const late = await room.join();
      assertEquals(await late.ask("GET_NAMES"), "");
    }),
);

test(
  "a thousand clients that take a name and are reset leave no name, no connection and no timer behind",
  () =>
    withChat(async (room) => {
      const streams = ["0006NAME a", "0006NAME b0", "NAME c\n", "NAME d\r\nMSG", "06NAME e00", "0006NAME f0009GET_N"];
      for (let done = 0; done < 1000; done += 25) {
        await Promise.all(Array.from({ length: 25 }, (_, i) => {
          // Some wait for HELLO or for a refusal, some are gone before it is sent.
          return sendAndReset(room.port, bytes(streams[(done + i) % streams.length]), i % 5 === 0 ? 0 : 8);
        }));
      }
      await room.emptied(1000);
      const late = await room.join();
      assertEquals(await late.ask("GET_NAMES"), "");
      for (const name of "abcdef") assertEquals(await late.ask(`NAME ${name}`), `HELLO ${name}`);
      assertEquals(room.trace.of("warning"), []);
    }),
  canReset,
);

/** Two who answer each other, one message at a time, until `enough`. */
async function pingPong(one: ChatClient, other: ChatClient, names: string[], enough: () => boolean): Promise<number> {
  let count = 0;
  for (; !enough(); count++) {
    await one.send(`MSG ${names[1]} ${count}`);
    assertEquals(await other.receive(), `${names[0]} sent ${count}`);
    await other.send(`MSG ${names[0]} ${count}`);
    assertEquals(await one.receive(), `${names[1]} sent ${count}`);
  }
  await one.got();
  await other.got();
  return count;
}

test("a client that never reads is cut when its queue is full, while 20 others chat and lose nothing", () =>
  withChat(async (room) => {
    const [stuck, flooder] = await room.named("stuck", "flooder");
    const others = await joinAll(room, Array.from({ length: 20 }, (_, i) => ["len4", "line"][i % 2]));
    let cut = "";
    void room.trace.until("the cut", (event) => {
      if (event.type === "close" && event.id === room.trace.of("label")[0].id) cut = `${event.reason}`;
      return cut !== "";
    });
    const chats = Array.from({ length: 10 }, (_, i) => {
      let after = 20; // exchanges that must still go well when the stuck one is gone
      const names = [`s${2 * i}`, `s${2 * i + 1}`];
      return pingPong(others[2 * i], others[2 * i + 1], names, () => cut !== "" && after-- === 0);
    });
    const line = `MSG stuck ${"x".repeat(1000)}`;
    // The system's buffers take some megabytes before the queue of the server, 1 MiB, begins to fill.
    for (let sent = 0; cut === "" && sent < 100_000; sent += 50) {
      await flooder.send(...Array.from({ length: 50 }, () => line));
    }
    assertMatch(cut, /^too slow: 10[45]\d{4} bytes waited for it to read$/);
    assertMatch(await flooder.receive(), /^ERROR (not delivered to stuck: it is gone|no such user: stuck)$/);
    for (const count of await Promise.all(chats)) assertGreaterOrEqual(count, 20);
    await others[0].send("GET_NAMES");
    assertEquals((await others[0].receive()).split(" ").includes("stuck"), false);
    await drained(stuck);
  }));

/** Reads all that was on its way to a client that was cut: in older Denos a write outlives its connection until then. */
async function drained(client: ChatClient): Promise<void> {
  await new Peer(client.conn).rest();
}

const goodbye = "ERROR server is shutting down";

/** Hands over everything that comes until the connection ends, by whatever means. */
async function readToEnd(client: ChatClient, onText: (text: string) => void): Promise<void> {
  try {
    for (let text = await client.next(); text !== null; text = await client.next()) onText(text);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
}

test("a shutdown under load delivers what was accepted without a gap, and tells the senders about the rest", () =>
  withChat(async (room) => {
    const senders = await joinAll(room, Array.from({ length: 10 }, () => "len4"));
    const receivers = await room.named(...senders.map((_, i) => `r${i}`));
    const told = senders.map(() => 0);
    const heard = senders.map((sender, index) =>
      readToEnd(sender, (text) => {
        assertEquals(text, goodbye);
        told[index]++;
      })
    );
    const underLoad = Promise.withResolvers<void>();
    const inboxes = receivers.map(() => new Inbox());
    const delivered = receivers.map((receiver, index) =>
      readToEnd(receiver, (text) => {
        if (text !== goodbye) inboxes[index].take(text);
        if (inboxes.every(({ total }) => total > 200)) underLoad.resolve();
      })
    );
    const sent = senders.map(() => 0);
    const sending = senders.map(async (sender, index) => {
      try {
        for (; sent[index] < 1_000_000; sent[index] += 10) {
          await sender.send(...Array.from({ length: 10 }, (_, i) => `MSG r${index} ${sent[index] + i}`));
        }
      } catch { /* the server has closed: the last ten may or may not have been read */ }
    });
    await within(underLoad.promise, "the load");
    const start = performance.now();
    await within(room.server.shutdown(2000), "the end of the server");
    assertLess(performance.now() - start, 2000 + 1000);
    await Promise.all([...sending, ...heard, ...delivered]);
    for (const [index, { total }] of inboxes.entries()) {
      assertLess(total, sent[index] + 11);
      assert(total === sent[index] + 10 || told[index] > 0, `s${index}: ${sent[index]} sent, ${total} delivered`);
    }
    assertEquals(room.clientCount, 0);
  }));

test("a shutdown tells the senders that a client which stopped reading has not got their last messages", () =>
  withChat(async (room) => {
    const [stuck, sender, witness] = await room.named("stuck", "sender", "witness");
    const line = `MSG stuck ${"x".repeat(1000)}`;
    for (let sent = 0; sent < 20_000; sent += 50) await sender.send(...Array.from({ length: 50 }, () => line));
    await sender.got();
    const start = performance.now();
    const graceMs = 1500;
    const stopped = room.server.shutdown(graceMs);
    // While what is queued has time to leave, nothing new is taken.
    for (const client of [sender, witness]) assertEquals(await client.receive(), goodbye);
    assertEquals(await witness.ask("MSG sender too late"), goodbye);
    assertEquals(await sender.receive(), "ERROR not delivered to stuck: the last messages, it stopped reading");
    await sender.ended();
    await within(stopped, "the end of the server");
    assertLess(performance.now() - start, graceMs + 2000);
    await drained(stuck);
  }, { limits: { queueBytes: 64 * 1_048_576 } }));

test("what is sent to a client that is just being sent away arrives, or its sender is told", () =>
  withChat(async (room) => {
    const [alice, bob] = await room.named("alice", "bob");
    let sent = 0;
    let told = 0;
    const heard: (string | null)[] = [];
    const listening = (async () => {
      while (heard.at(-1) !== null) heard.push(await bob.next());
    })();
    // Until bob, who says nothing, is sent away for it; alice's own questions keep her from that.
    while (heard.at(-1) !== null || told === 0) {
      await alice.send(`MSG bob ${sent++}`, "GET_NAMES");
      for (let answer = await alice.receive(); !answer.startsWith("alice"); answer = await alice.receive()) {
        assertMatch(answer, /^ERROR (no such user: bob|not delivered to bob: it is gone)$/);
        told++;
      }
    }
    await listening;
    const delivered = heard.filter((text) => text?.startsWith("alice sent"));
    assertEquals(delivered, Array.from({ length: sent - told }, (_, i) => `alice sent ${i}`));
    assert(heard.includes("ERROR idle for 0.4 s"));
  }, { limits: { idleMs: 400 } }));
