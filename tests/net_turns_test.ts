// One thread serves everybody: a peer whose input never ends, and whose answers always leave, must not keep the runtime from
// timers, signals and other sockets.

import { assert, assertEquals } from "@std/assert";
import { Channel } from "../lib/net/channel.ts";
import { systemClock } from "../lib/net/clock.ts";
import type { Conn } from "../lib/net/conn.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { Turns } from "../lib/net/turns.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { bytes, test } from "./helpers.ts";
import { textCodec } from "./net_helpers.ts";

/** Before this the runtime has to come round: only a broken program takes so long. */
const PATIENCE_MS = 20_000;

/** A channel whose peer has always sent `text` already, until `enough`. */
function flooded(text: string, enough: () => boolean): Channel<string> {
  const [end] = memoryPair();
  const conn: Conn = {
    ...end,
    read(into) {
      if (enough()) return Promise.resolve(null);
      into.set(bytes(text));
      return Promise.resolve(text.length);
    },
    write: (written) => Promise.resolve(written.length),
  };
  return new Channel(conn, { framer: new LineFramer(64), codec: textCodec });
}

function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test("peers whose input is always there leave timers and sockets their turn, and each other", async () => {
  const end = performance.now() + PATIENCE_MS;
  let rounds = 0;
  const done = () => rounds >= 20 || performance.now() > end;
  let cancel = () => {};
  const count = () => {
    rounds++;
    cancel = systemClock.at(systemClock.now(), count);
  };
  cancel = systemClock.at(systemClock.now(), count);
  const taken = [0, 0, 0];
  const flooders = taken.map((_, i) => {
    const channel = flooded("7 * 6\n".repeat(300), done);
    return channel.each((text) => {
      taken[i]++;
      channel.send(text);
    }, () => {}).then(() => channel.abort("done"));
  });
  await Promise.all(flooders);
  cancel();
  assert(rounds >= 20, `in ${PATIENCE_MS} ms of flood a timer came ${rounds} times`);
  assert(Math.min(...taken) > 0, `${taken}`);
});

test("one read of a thousand dear messages leaves others their turn before its last", async () => {
  let reads = 0;
  const channel = flooded("x\n".repeat(1000), () => reads++ > 0);
  let taken = 0;
  let takenAtTimer: number | null = null;
  const cancel = systemClock.at(systemClock.now(), () => (takenAtTimer = taken));
  await channel.each(() => {
    taken++;
    work(0.1);
  }, () => {});
  cancel();
  channel.abort("done");
  assertEquals(taken, 1000);
  assert(takenAtTimer !== null && takenAtTimer < 1000, `the timer came at ${takenAtTimer}`);
});

test("who has just come has a turn before it waits for those that work already", async () => {
  const [busy, fresh] = [new Turns(), new Turns()];
  let wait: Promise<void> | null;
  do wait = busy.next(); while (wait === null);
  assertEquals(fresh.next(), null);
  const freshWait = fresh.next();
  assert(freshWait !== null);
  await Promise.all([wait, freshWait]);
  busy.end();
  fresh.end();
});
