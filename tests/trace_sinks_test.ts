import { assert, assertEquals, assertMatch } from "@std/assert";
import { getColorEnabled, setColorEnabled } from "@std/fmt/colors";
import type { TraceEvent } from "../lib/protocol/trace.ts";
import { hasUnsafe } from "../lib/protocol/text.ts";
import type { Sink } from "../lib/trace/bus.ts";
import { clockTime, hexDump, Labels } from "../lib/trace/format.ts";
import { ALL_KINDS, jsonLinesSink, MESSAGE_KINDS } from "../lib/trace/json_lines.ts";
import { ladderSink } from "../lib/trace/ladder.ts";
import { logSink } from "../lib/trace/log.ts";
import stringWidth from "fast-string-width";
import { bytes, property, test } from "./helpers.ts";

const AT = new Date(2026, 0, 2, 14, 3, 59, 42).getTime();

/** A short life, with everything that can be seen of it. */
const STORY: TraceEvent[] = [
  { type: "open", id: 1, transport: "tcp", local: "127.0.0.1:7777", remote: "127.0.0.1:50312" },
  { type: "bytes", id: 1, direction: "in", bytes: bytes("0010NAME alice") },
  { type: "note", id: 1, text: "client frames with 4 digits" },
  { type: "message", id: 1, direction: "in", text: "NAME alice" },
  { type: "label", id: 1, label: "alice" },
  { type: "message", id: 1, direction: "out", text: "HELLO alice" },
  { type: "bytes", id: 1, direction: "out", bytes: bytes("0011HELLO alice") },
  { type: "note", text: "about everybody" },
  { type: "warning", id: 1, text: "something is odd" },
  { type: "close", id: 1, reason: "end of stream" },
  { type: "note", id: 1, text: "who was that?" },
];

/** What a sink writes for `events`, without colours. */
function show(make: (write: (line: string) => void) => Sink, events: readonly TraceEvent[]): string[] {
  const lines: string[] = [];
  const coloured = getColorEnabled();
  setColorEnabled(false);
  try {
    const sink = make((line) => lines.push(line));
    for (const event of events) if (sink.kinds.includes(event.type)) sink.event(event, AT);
    sink.close?.();
  } finally {
    setColorEnabled(coloured);
  }
  return lines;
}

test("the log says who came, who is who, who left and why, and nothing per message", () => {
  assertEquals(show(logSink, STORY), [
    "14:03:59 127.0.0.1:50312 connected",
    "14:03:59 127.0.0.1:50312: client frames with 4 digits",
    "14:03:59 127.0.0.1:50312 is now alice",
    "14:03:59 about everybody",
    "14:03:59 warning: something is odd",
    "14:03:59 alice left: end of stream",
    "14:03:59 #1: who was that?",
  ]);
});

test("the ladder draws each message as an arrow from its sender", () => {
  const lines = show((write) => ladderSink(write), STORY);
  assertEquals(lines, [
    "14:03:59.042  127.0.0.1:50312   connected to 127.0.0.1:7777",
    "14:03:59.042  127.0.0.1:50312   (client frames with 4 digits)",
    `14:03:59.042  127.0.0.1:50312   ── NAME alice ${"─".repeat(33)}▶`,
    `14:03:59.042  alice             ◀${"─".repeat(32)} HELLO alice ──`,
    "14:03:59.042                    (about everybody)",
    "14:03:59.042  alice             warning: something is odd",
    "14:03:59.042  alice             closed: end of stream",
    "14:03:59.042  #1                (who was that?)",
  ]);
});

test("bytes of a datagram that is no client's are a stranger's", () => {
  const story: TraceEvent[] = [{ type: "bytes", id: 0, direction: "in", bytes: bytes("hi") }];
  const [title] = show((write) => ladderSink(write, { hex: true }), story);
  assertEquals(title, `14:03:59.042  ${" ".repeat(16)}  2 bytes from a stranger`);
});

test("the arrows of a ladder are of one width, wide characters included", () => {
  const say = (text: string): TraceEvent => ({ type: "message", id: 1, direction: "in", text });
  const texts = ["", "short", "漢字", "👨\u200d👩\u200d👧"];
  const lines = show((write) => ladderSink(write, { width: 100 }), texts.map(say));
  const columns = (line: string) =>
    [...new Intl.Segmenter().segment(line)].reduce((sum, { segment }) => sum + (/[漢字👨]/u.test(segment) ? 2 : 1), 0);
  for (const line of lines) assertEquals(columns(line), columns(lines[0]), line);
  const named = show((write) => ladderSink(write, { width: 100 }), [
    { type: "label", id: 1, label: "漢字" },
    say("short"),
  ]);
  assertEquals(columns(named[0]), columns(lines[0]), named[0]);
});

test("a message that is longer than its row goes on in the rows below, and nothing of it is lost", () => {
  const say = (direction: "in" | "out", text: string): TraceEvent => ({ type: "message", id: 1, direction, text });
  for (const text of ["x".repeat(500), "many short  words ".repeat(20), "漢字".repeat(100)]) {
    for (const direction of ["in", "out"] as const) {
      for (const width of [60, 80, 120]) {
        const lines = show((write) => ladderSink(write, { width }), [say(direction, text)]);
        for (const line of lines) assert(stringWidth(line) <= width, line);
        const arrows = lines.join("\n").match(/[◀▶]/g);
        assertEquals(arrows, [direction === "in" ? "▶" : "◀"]);
        const rest = lines.map((line) => line.slice(32)).join("");
        const shown = rest.replaceAll(/[─◀▶ ]/g, "");
        assertEquals(shown, text.replaceAll(" ", ""));
      }
    }
  }
  const warning = { type: "warning", id: 1, text: "it is odd ".repeat(20) } as const;
  for (const line of show((write) => ladderSink(write, { width: 60 }), [warning])) assert(line.length <= 60, line);
});

test("the ladder with hex shows the bytes of each read and write", () => {
  const lines = show((write) => ladderSink(write, { hex: true }), STORY.slice(0, 2));
  assertEquals(lines, [
    "14:03:59.042  127.0.0.1:50312   connected to 127.0.0.1:7777",
    "14:03:59.042  127.0.0.1:50312   14 bytes from 127.0.0.1:50312",
    "              000000  30 30 31 30 4e 41 4d 45  20 61 6c 69 63 65        |0010NAME alice|",
  ]);
  const [, title] = show((write) => ladderSink(write, { hex: true }), [STORY[0], STORY[4], STORY[6]]);
  assertMatch(title, /alice +15 bytes to alice$/);
});

test("a dump shows sixteen bytes a row, and dots for what cannot be printed", () => {
  assertEquals(hexDump(bytes()), []);
  assertEquals(hexDump(Uint8Array.from({ length: 18 }, (_, i) => i + 0x70)), [
    "000000  70 71 72 73 74 75 76 77  78 79 7a 7b 7c 7d 7e 7f  |pqrstuvwxyz{|}~.|",
    "000010  80 81                                             |..|",
  ]);
});

test("JSON lines hold every event, bytes in base64", () => {
  const lines = show((write) => jsonLinesSink(write, ALL_KINDS), STORY);
  assertEquals(lines.length, STORY.length);
  const objects = lines.map((line) => JSON.parse(line));
  STORY.forEach((event, i) => {
    const { type, ...rest } = event;
    const expected = event.type === "bytes" ? { ...rest, bytes: btoa(String.fromCharCode(...event.bytes)) } : rest;
    assertEquals(objects[i], { event: type, at: AT, ...expected });
  });
  assertEquals(
    lines[3],
    `{"event":"message","at":${AT},"id":1,"direction":"in","text":"NAME alice"}`,
  );
});

test("JSON lines without bytes are for programs that watch", () => {
  const lines = show((write) => jsonLinesSink(write, MESSAGE_KINDS), STORY);
  assertEquals(lines.length, STORY.length - 2);
  let closed = 0;
  jsonLinesSink(() => {}, MESSAGE_KINDS, () => closed++).close?.();
  assertEquals(closed, 1);
});

test("a large read is written as JSON without overflowing the stack", () => {
  const large = new Uint8Array(1_000_000).map((_, i) => i & 0xff);
  const [line] = show((write) => jsonLinesSink(write, ALL_KINDS), [{
    type: "bytes",
    id: 1,
    direction: "in",
    bytes: large,
  }]);
  const decoded = atob(JSON.parse(line).bytes);
  assertEquals([decoded.length, decoded.charCodeAt(999_999)], [1_000_000, 999_999 & 0xff]);
});

const EVIL = "\x1b[2J\x9b31m\0\x07\u202egnp\u2066\u200b\ufeff\u2028\n\r\x7f\ud800";
const EVIL_STORY: TraceEvent[] = [
  { type: "open", id: 1, transport: "tcp", local: "127.0.0.1:1", remote: "127.0.0.1:2" },
  { type: "label", id: 1, label: EVIL },
  { type: "message", id: 1, direction: "in", text: EVIL },
  { type: "message", id: 1, direction: "out", text: EVIL },
  { type: "note", id: 1, text: EVIL },
  { type: "warning", id: 1, text: EVIL },
  { type: "bytes", id: 1, direction: "in", bytes: bytes(EVIL, 0xff, 0x9b) },
  { type: "close", id: 1, reason: EVIL },
];

const SINKS: Record<string, (write: (line: string) => void) => Sink> = {
  log: logSink,
  ladder: (write) => ladderSink(write, { hex: true }),
  "narrow ladder": (write) => ladderSink(write, { hex: true, width: 1 }),
  "JSON lines": (write) => jsonLinesSink(write, ALL_KINDS),
};

for (const [name, make] of Object.entries(SINKS)) {
  test(`${name}: nothing that a peer sends reaches the terminal raw, and no event breaks a line`, () => {
    const lines = show(make, EVIL_STORY);
    for (const line of lines) assert(!hasUnsafe(line), JSON.stringify(line));
    assert(lines.length >= make(() => {}).kinds.length, "something was not shown");
  });
}

test("JSON lines lose nothing by being safe", () => {
  const lines = show(SINKS["JSON lines"], EVIL_STORY);
  assertEquals(lines.map((line) => JSON.parse(line)).map(({ label, text, reason }) => label ?? text ?? reason), [
    undefined,
    ...Array(5).fill(EVIL),
    undefined,
    EVIL,
  ]);
});

property("no sink ever writes a character that steers a terminal", 200, (random) => {
  const text = Array.from(
    { length: 20 },
    () => String.fromCodePoint(random.int(0, random.pick([0xff, 0x2fff, 0x10ffff]))),
  );
  const events: TraceEvent[] = [
    { type: "label", id: 1, label: text.join("") },
    { type: "message", id: 1, direction: random.pick(["in", "out"]), text: text.join("") },
    { type: "close", id: 1, reason: text.join("") },
  ];
  for (const make of Object.values(SINKS)) {
    for (const line of show(make, events)) assert(!hasUnsafe(line), JSON.stringify(line));
  }
});

test("a connection is called by its address, then by its name, then forgotten", () => {
  const labels = new Labels();
  assertEquals([labels.of(undefined), labels.of(1)], ["", "#1"]);
  labels.learn(STORY[0]);
  assertEquals(labels.of(1), "127.0.0.1:50312");
  labels.learn(STORY[4]);
  assertEquals(labels.of(1), "alice");
  labels.forget(1);
  assertEquals(labels.of(1), "#1");
});

test("times are local, with milliseconds where asked", () => {
  assertEquals([clockTime(AT), clockTime(AT, true)], ["14:03:59", "14:03:59.042"]);
  const early = new Date(2026, 0, 2, 1, 2, 3, 4).getTime() + 0.9;
  assertEquals(clockTime(early, true), "01:02:03.004");
});
