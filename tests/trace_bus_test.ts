import { assert, assertEquals } from "@std/assert";
import { Channel } from "../lib/net/channel.ts";
import { memoryPair } from "../lib/net/memory.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { NO_TRACE, type Trace, type TraceEvent, type TraceKind, wanting } from "../lib/protocol/trace.ts";
import { type Sink, TraceBus } from "../lib/trace/bus.ts";
import { ALL_KINDS } from "../lib/trace/json_lines.ts";
import { bytes, test } from "./helpers.ts";

const note = (text: string): TraceEvent => ({ type: "note", text });
const message = (text: string): TraceEvent => ({ type: "message", id: 1, direction: "in", text });

/** A sink that keeps what it gets. */
function makeSink(...kinds: TraceKind[]): Sink & { got: string[]; closed: number } {
  const sink = {
    kinds,
    got: [] as string[],
    closed: 0,
    event: (event: TraceEvent, at: number) =>
      void sink.got.push(`${at} ${event.type} ${"text" in event ? event.text : ""}`),
    close: () => void sink.closed++,
  };
  return sink;
}

test("a bus without sinks wants nothing", () => {
  const bus = new TraceBus();
  assertEquals([bus.wants, NO_TRACE.wants], [wanting([]), wanting([])]);
  assert(Object.values(bus.wants).every((wanted) => !wanted));
  assertEquals(Object.keys(bus.wants).sort(), [
    "bytes",
    "close",
    "label",
    "mark",
    "message",
    "note",
    "open",
    "warning",
  ]);
});

test("a bus wants what any of its sinks wants, as they come and go", () => {
  const bus = new TraceBus();
  const detachOne = bus.attach(makeSink("note", "message"));
  const detachOther = bus.attach(makeSink("note", "bytes"));
  assertEquals(bus.wants, wanting(["note", "message", "bytes"]));
  detachOne();
  assertEquals(bus.wants, wanting(["note", "bytes"]));
  detachOther();
  assertEquals(bus.wants, wanting([]));
});

test("each sink gets the kinds that it wants, in order, with the time of the event", () => {
  let now = 100;
  const bus = new TraceBus(() => now);
  const [notes, all] = [makeSink("note"), makeSink(...ALL_KINDS)];
  bus.attach(notes);
  bus.attach(all);
  bus.emit(note("one"));
  now = 200.5;
  bus.emit(message("two"));
  bus.emit(note("three"));
  assertEquals(notes.got, ["100 note one", "200.5 note three"]);
  assertEquals(all.got, ["100 note one", "200.5 message two", "200.5 note three"]);
});

test("the time is the wall clock's, with its fractions", () => {
  const bus = new TraceBus();
  let seen = 0;
  bus.attach({ kinds: ["note"], event: (_, at) => seen = at });
  bus.emit(note("now"));
  assert(Math.abs(seen - Date.now()) < 5000, `${seen}`);
});

test("a detached sink gets nothing more and is closed once, and detaching twice is harmless", () => {
  const bus = new TraceBus(() => 0);
  const sink = makeSink("note");
  const detach = bus.attach(sink);
  bus.emit(note("one"));
  detach();
  detach();
  bus.emit(note("two"));
  bus.close();
  assertEquals([sink.got, sink.closed], [["0 note one"], 1]);
});

test("closing the bus closes every sink, and it wants nothing any more", () => {
  const bus = new TraceBus();
  const sinks = [makeSink("note"), makeSink("bytes")];
  const detach = sinks.map((sink) => bus.attach(sink));
  bus.close();
  bus.close();
  for (const one of detach) one();
  assertEquals([sinks.map(({ closed }) => closed), bus.wants], [[1, 1], wanting([])]);
  bus.emit(note("late"));
  assertEquals(sinks[0].got, []);
});

test("a sink may leave while an event is on its way to the others", () => {
  const bus = new TraceBus(() => 0);
  const last = makeSink("note");
  const detach = bus.attach({ kinds: ["note"], event: () => detach() });
  bus.attach(last);
  bus.emit(note("one"));
  bus.emit(note("two"));
  assertEquals(last.got, ["0 note one", "0 note two"]);
});

test("with no sink a channel builds no event", async () => {
  const asked = new Set<string>();
  const trace: Trace = {
    wants: new Proxy(wanting([]), {
      get(target, kind: TraceKind) {
        asked.add(kind);
        return target[kind];
      },
    }),
    emit(event) {
      throw new Error(`built ${event.type}, which nobody wants`);
    },
  };
  const [ours, peer] = memoryPair();
  const codec = { decode: () => "message", encode: (text: string) => text };
  const channel = new Channel(ours, { framer: new LineFramer(64), codec, trace });
  channel.send("out");
  await peer.write(bytes("in\n"));
  assertEquals(await channel.receive(), "message");
  await peer.closeWrite();
  assertEquals(await channel.receive(), null);
  await channel.close();
  assertEquals([...asked].sort(), ["bytes", "close", "message", "open"]);
});
