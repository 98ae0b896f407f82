import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { bytes, property, test } from "./helpers.ts";

function filled(text: string): ByteQueue {
  const queue = new ByteQueue();
  queue.push(bytes(text));
  return queue;
}

const LF = 0x0a;

test("bytes leave the queue in the order in which they came", () => {
  const queue = new ByteQueue(4);
  queue.push(bytes("abc"));
  queue.push(bytes("defgh"));
  assertEquals(queue.length, 8);
  assertEquals(queue.take(2), bytes("ab"));
  queue.push(bytes("ij"));
  assertEquals(queue.take(8), bytes("cdefghij"));
  assertEquals(queue.length, 0);
});

test("what is taken is a view of the queue's memory, not a copy", () => {
  const queue = filled("abcdef");
  const first = queue.take(2);
  const second = queue.take(2);
  assert(first.buffer === second.buffer);
  assertEquals(second.byteOffset, first.byteOffset + 2);
});

test("views stay valid while more is taken", () => {
  const queue = filled("abcdef");
  const views = [queue.take(1), queue.take(2), queue.take(3)];
  assertEquals(views, [bytes("a"), bytes("bc"), bytes("def")]);
});

test("space is filled in place and counts only once committed", () => {
  const queue = new ByteQueue(16);
  const space = queue.space(10);
  assert(space.length >= 10);
  space.set(bytes("hello world".slice(0, 10)));
  assertEquals(queue.length, 0);
  queue.commit(4);
  assertEquals(queue.peek(queue.length), bytes("hell"));
  queue.space(4).set(bytes("!"));
  queue.commit(1);
  assertEquals(queue.take(5), bytes("hell!"));
});

test("the queue grows while bytes wait, and keeps them", () => {
  const queue = new ByteQueue(8);
  const expected: number[] = [];
  for (let i = 0; i < 1000; i++) {
    queue.push(new Uint8Array([i & 0xff, (i >> 8) & 0xff]));
    expected.push(i & 0xff, (i >> 8) & 0xff);
  }
  assertEquals([...queue.peek(2000)], expected);
});

test("room is made by moving what waits before memory is asked for", () => {
  const queue = new ByteQueue(16);
  queue.push(bytes("0123456789abcdef"));
  queue.skip(12);
  queue.push(bytes("ghijklmn"));
  assertEquals(queue.capacity, 16);
  assertEquals(queue.take(12), bytes("cdefghijklmn"));
});

test("an empty queue gives back memory that the reads no longer need", () => {
  const queue = new ByteQueue(1024);
  queue.space(1_000_000);
  queue.commit(1_000_000);
  assert(queue.capacity >= 1_000_000);
  queue.skip(1_000_000);
  assertLessOrEqual(queue.space(2048).length, 8 * 2048);
  assertLessOrEqual(queue.capacity, 8 * 2048);
});

test("a queue that is filled and emptied again and again keeps its memory", () => {
  const queue = new ByteQueue(2048);
  const { buffer } = queue.space(2048);
  for (let i = 0; i < 100; i++) {
    assert(queue.space(2048).buffer === buffer);
    queue.commit(2048);
    queue.take(2048);
  }
  assertEquals(queue.capacity, 2048);
});

test("at counts from the first byte that waits", () => {
  const queue = filled("xxabc");
  queue.skip(2);
  assertEquals([queue.at(0), queue.at(2)], [0x61, 0x63]);
});

test("indexOf counts from the first byte that waits, and looks from where it is told", () => {
  const queue = filled("\n\nab\ncd\n");
  queue.skip(2);
  assertEquals(queue.indexOf(LF), 2);
  assertEquals(queue.indexOf(LF, 2), 2);
  assertEquals(queue.indexOf(LF, 3), 5);
  assertEquals(queue.indexOf(LF, 6), -1);
  assertEquals(queue.indexOf(0x7a), -1);
});

test("indexOf sees neither what was taken nor what is left over in memory", () => {
  const queue = filled("ab\ncd\n");
  queue.take(6);
  assertEquals(queue.indexOf(LF), -1);
  queue.push(bytes("e"));
  assertEquals(queue.indexOf(LF), -1);
});

test("peek and last show both ends and take nothing", () => {
  const queue = filled("abcdef");
  queue.skip(1);
  assertEquals([queue.peek(2), queue.last(2), queue.length], [bytes("bc"), bytes("ef"), 5]);
  assertEquals([queue.peek(0), queue.last(0)], [bytes(), bytes()]);
});

test("skip drops at most what there is, and says how much that was", () => {
  const queue = filled("abc");
  assertEquals(queue.skip(2), 2);
  assertEquals(queue.skip(5), 1);
  assertEquals(queue.skip(5), 0);
});

test("reaching outside the queue is a range error and changes nothing", () => {
  const queue = filled("abc");
  for (
    const reach of [
      () => queue.at(3),
      () => queue.at(-1),
      () => queue.peek(4),
      () => queue.peek(-1),
      () => queue.take(4),
      () => queue.take(-1),
      () => queue.last(4),
      () => queue.last(-1),
      () => queue.skip(-1),
      () => queue.commit(-1),
      () => queue.commit(queue.capacity),
    ]
  ) {
    assertThrows(reach, RangeError);
    assertEquals(queue.peek(queue.length), bytes("abc"));
  }
});

property("a queue holds what an array would hold", 60, (random) => {
  const queue = new ByteQueue(random.int(1, 64));
  let model: number[] = [];
  for (let step = 0; step < 50; step++) {
    const count = random.int(0, 100);
    const act = random.pick(["push", "push", "take", "skip"]);
    if (act === "push") {
      const some = random.bytes(count);
      queue.push(some);
      model.push(...some);
    } else if (act === "take") {
      assertEquals([...queue.take(Math.min(count, queue.length))], model.slice(0, count));
      model = model.slice(count);
    } else {
      assertEquals(queue.skip(count), Math.min(count, model.length));
      model = model.slice(count);
    }
    assertEquals([...queue.peek(queue.length)], model);
    const wanted = random.int(0, 255);
    assertEquals(queue.indexOf(wanted), model.indexOf(wanted));
  }
});
