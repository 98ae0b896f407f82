import { assertEquals, assertInstanceOf } from "@std/assert";
import { VirtualClock } from "../lib/protocol/clock.ts";
import { NetlabError, ProtocolError } from "../lib/protocol/errors.ts";
import { property, test } from "./helpers.ts";

test("virtual time moves only when told", () => {
  const clock = new VirtualClock(100);
  assertEquals([clock.now(), clock.next()], [100, null]);
  clock.advance(50);
  assertEquals(clock.now(), 150);
  clock.advanceTo(1000);
  clock.advanceTo(500);
  assertEquals(clock.now(), 1000);
});

test("timers fire in order of time, then of setting, each at its own time", () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const set = (when: number, name: string) => clock.at(when, () => fired.push(`${name}@${clock.now()}`));
  set(30, "c");
  set(10, "a");
  set(20, "b1");
  set(20, "b2");
  clock.advance(25);
  assertEquals(fired, ["a@10", "b1@20", "b2@20"]);
  assertEquals([clock.now(), clock.next()], [25, 30]);
  clock.advance(5);
  assertEquals(fired.at(-1), "c@30");
});

test("a timer fires at its time, not a millisecond before, and once", () => {
  const clock = new VirtualClock();
  let fired = 0;
  clock.at(300, () => fired++);
  clock.advance(299);
  assertEquals(fired, 0);
  clock.advance(1);
  assertEquals(fired, 1);
  clock.advance(10_000);
  assertEquals(fired, 1);
});

test("a timer set by a timer fires on the same way, if it falls due", () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const again = () => {
    fired.push(clock.now());
    clock.at(clock.now() + 10, again);
  };
  clock.at(10, again);
  clock.advance(35);
  assertEquals(fired, [10, 20, 30]);
  assertEquals(clock.next(), 40);
});

test("a timer whose time has passed fires on the next move, not while it is set", () => {
  const clock = new VirtualClock(100);
  let fired = false;
  clock.at(50, () => fired = true);
  assertEquals(fired, false);
  clock.advance(0);
  assertEquals([fired, clock.now()], [true, 100]);
});

test("a cancelled timer does not fire, and cancelling twice or late is harmless", () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const cancelA = clock.at(10, () => fired.push("a"));
  const cancelB = clock.at(10, () => fired.push("b"));
  cancelA();
  cancelA();
  clock.advance(10);
  cancelB();
  assertEquals([fired, clock.next()], [["b"], null]);
});

test("a timer may cancel another that falls due at the same time", () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.at(10, () => {
    fired.push("a");
    cancel();
  });
  const cancel = clock.at(10, () => fired.push("b"));
  clock.advance(10);
  assertEquals(fired, ["a"]);
});

property("random timers fire sorted, except the cancelled ones", 100, (random) => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const expected: number[] = [];
  for (let i = 0; i < 50; i++) {
    const when = random.int(0, 100);
    const cancel = clock.at(when, () => fired.push(when));
    if (random.chance(0.2)) cancel();
    else if (when <= 80) expected.push(when);
  }
  while (clock.now() < 80) clock.advanceTo(Math.min(80, clock.now() + random.int(1, 20)));
  assertEquals(fired, expected.sort((a, b) => a - b));
});

test("an error has a kind, one line, and may have a hint and a cause", () => {
  const cause = new Error("inner");
  const error = new NetlabError("transport", "cannot connect", { hint: "is it running?", cause });
  assertInstanceOf(error, Error);
  assertEquals(
    [error.name, error.kind, error.message, error.hint, error.cause],
    ["NetlabError", "transport", "cannot connect", "is it running?", cause],
  );
  assertEquals(new NetlabError("usage", "what?").hint, undefined);
});

test("a protocol error is the peer's and recoverable unless it says otherwise", () => {
  const plain = new ProtocolError("bad");
  assertInstanceOf(plain, NetlabError);
  assertEquals(
    [plain.name, plain.kind, plain.side, plain.fatal, plain.offset],
    ["ProtocolError", "protocol", "remote", false, undefined],
  );
  const full = new ProtocolError("too long", { kind: "limit", side: "local", fatal: true, offset: 7, hint: "less" });
  assertEquals([full.kind, full.side, full.fatal, full.offset, full.hint], ["limit", "local", true, 7, "less"]);
});
