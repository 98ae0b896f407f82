// Standard output and error as they are written: what a slow reader holds up, and what it loses.

import { assert, assertEquals } from "@std/assert";
import { gapInText, LineWriter } from "../lib/cli/output.ts";
import { settle, test, within } from "./helpers.ts";

/** A reader that reads nothing until it is told to. */
class SlowReader {
  text = "";
  #begin: () => void = () => {};
  readonly #begun = new Promise<void>((resolve) => (this.#begin = resolve));

  async write(bytes: Uint8Array): Promise<number> {
    await this.#begun;
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }

  read(): void {
    this.#begin();
  }
}

const LINE = "x".repeat(999);
const LINES = 6000; // more than may wait

test("results wait for who reads slowly, however many they are: none is lost", async () => {
  const reader = new SlowReader();
  const writer = new LineWriter(reader);
  for (let i = 0; i < LINES; i++) writer.line(LINE);
  reader.read();
  await within(writer.flush(), "all lines");
  assertEquals(reader.text.length, LINES * (LINE.length + 1));
});

test("much does not wait for more", async () => {
  const written: number[] = [];
  const writer = new LineWriter({ write: (bytes) => Promise.resolve(written.push(bytes.length) && bytes.length) });
  writer.line("first");
  await settle();
  writer.text("x".repeat(300_000));
  await settle();
  assertEquals(written, [6, 300_000]);
  await writer.flush();
});

test("who can wait is told when much waits, and when it is out", async () => {
  const reader = new SlowReader();
  const writer = new LineWriter(reader);
  writer.line("first");
  assertEquals(writer.drained(), null);
  await settle();
  for (let i = 0; i < LINES; i++) writer.line(LINE);
  const drained = writer.drained();
  assert(drained !== null);
  reader.read();
  await within(drained, "the lines that waited");
  assertEquals(writer.drained(), null);
});

test("what a server says is dropped when nobody reads it, and the gap is said where it is", async () => {
  for (
    const [gap, said] of [
      [gapInText, /^… (\d+) lines dropped: nobody read them …$/],
      [(lines: number) => JSON.stringify({ event: "dropped", lines }), /^\{"event":"dropped","lines":(\d+)\}$/],
    ] as const
  ) {
    const reader = new SlowReader();
    const writer = new LineWriter(reader, gap);
    for (let i = 0; i < LINES; i++) writer.line(LINE);
    reader.read();
    await within(writer.flush(), "what is left");
    const lines = reader.text.trimEnd().split("\n");
    const dropped = Number(said.exec(lines.at(-1)!)?.[1]);
    assert(dropped > 0, lines.at(-1));
    assertEquals(lines.length - 1 + dropped, LINES);
    writer.line("more");
    await within(writer.flush(), "a line that comes later");
    assert(reader.text.endsWith("\nmore\n"), "what comes when the reader goes on is there");
  }
});

test("one line that was dropped is a line", () => assertEquals(gapInText(1), "… 1 line dropped: nobody read it …"));

test("lines stand above what is being typed as it is when they are written", async () => {
  const reader = new SlowReader();
  const writer = new LineWriter(reader);
  let typed = "> ";
  writer.edited = { clear: () => writer.draw("<"), show: () => writer.draw(typed) };
  writer.draw(typed);
  await settle();
  writer.line("one");
  for (const key of "ab") {
    typed += key;
    writer.draw(key);
  }
  writer.line("two");
  reader.read();
  await within(writer.flush(), "all of it");
  assertEquals(reader.text, "> ab<one\ntwo\n> ab");
});

test("who has only so much time for its last words does not wait longer for who does not read", async () => {
  const writer = new LineWriter(new SlowReader(), gapInText);
  writer.line("goodbye");
  await within(writer.flush(1), "the end of the wait");
});

test("a terminal that is closed is a reader that is gone, and no failure", async () => {
  for (const isTerminal of [true, false]) {
    const writer = new LineWriter({
      write: () => Promise.reject(new Error("Input/output error (os error 5)")),
      isTerminal: () => isTerminal,
    });
    writer.line("lost");
    await within(writer.flush(), "the failure");
    assertEquals(writer.failure === null, isTerminal);
  }
});

test("a writer that has failed goes on with what comes later", async () => {
  let fails = true;
  let text = "";
  const writer = new LineWriter({
    write(bytes) {
      if (fails) return settle().then(() => Promise.reject(new Error("no space left")));
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  }, gapInText);
  writer.line("lost");
  await Promise.resolve();
  for (let i = 0; i < LINES; i++) writer.line(LINE);
  await within(writer.flush(), "the failure");
  fails = false;
  writer.line("kept");
  await within(writer.flush(), "the line behind it");
  assertEquals(text, "kept\n");
});
