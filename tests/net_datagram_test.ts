import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Address } from "../lib/net/conn.ts";
import { DatagramEndpoint } from "../lib/net/datagram.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import type { Trace } from "../lib/protocol/trace.ts";
import { bytes, collect, eventually, skipUnlessIpv6, test } from "./helpers.ts";

/** An endpoint that keeps what comes, and how `each` ended. */
function makeEndpoint(host = "127.0.0.1", trace?: Trace) {
  const endpoint = new DatagramEndpoint({ host, trace, id: 3 });
  const got: Uint8Array[] = [];
  const from: Address[] = [];
  const ended = endpoint.each((datagram, sender) => {
    got.push(datagram.slice());
    from.push(sender);
  });
  return { endpoint, got, from, ended };
}

/** Runs `body` with two endpoints that are closed in the end. */
async function withPair(
  body: (one: ReturnType<typeof makeEndpoint>, other: ReturnType<typeof makeEndpoint>) => Promise<void>,
  host = "127.0.0.1",
): Promise<void> {
  const [one, other] = [makeEndpoint(host), makeEndpoint(host)];
  try {
    await body(one, other);
  } finally {
    one.endpoint.close();
    other.endpoint.close();
    await Promise.all([one.ended, other.ended]);
  }
}

test("a datagram arrives whole, with the address that an answer goes to", () =>
  withPair(async (one, other) => {
    assert(await one.endpoint.send(bytes("question"), other.endpoint.address));
    await eventually("the question", () => other.got.length === 1);
    assertEquals(other.from[0].port, one.endpoint.address.port);
    await other.endpoint.send(bytes("answer"), other.from[0]);
    await eventually("the answer", () => one.got.length === 1);
    assertEquals([other.got, one.got], [[bytes("question")], [bytes("answer")]]);
  }));

test("datagrams are neither joined nor split, and an empty one is one", () =>
  withPair(async (one, other) => {
    const sizes = [1, 0, 60_000, 0, 1472, 65_507];
    for (const size of sizes) {
      const sent = new Uint8Array(size).map((_, i) => (i * 31 + size) & 0xff);
      const before = other.got.length;
      assert(await one.endpoint.send(sent, other.endpoint.address));
      await eventually(`${size} bytes`, () => other.got.length > before);
      assert(other.got[before].length === size && other.got[before].every((byte, i) => byte === sent[i]));
    }
    assertEquals(other.got.length, sizes.length);
  }));

test("endpoints work over IPv6", () =>
  withPair(async (one, other) => {
    assert(await one.endpoint.send(bytes("six"), other.endpoint.address));
    await eventually("it", () => other.got.length === 1);
    assertEquals([other.got, other.from[0].hostname], [[bytes("six")], "::1"]);
  }, "::1"), skipUnlessIpv6());

test("what UDP cannot carry is not sent, and said so", () =>
  withPair(async (one, other) => {
    const { address } = other.endpoint;
    const error = await assertRejects(() => one.endpoint.send(new Uint8Array(65_536), address), NetlabError);
    assertEquals(error.kind, "transport");
    const [message] = error.message.split(" (macOS");
    assertEquals(message, `cannot talk to 127.0.0.1:${address.port}: this system sends no datagram so large`);
    assert(await one.endpoint.send(bytes("fits"), other.endpoint.address));
    await eventually("what fits", () => other.got.length === 1);
    assertEquals(other.got, [bytes("fits")]);
  }));

test("sending to a port that nobody listens on does not end the endpoint", () =>
  withPair(async (one, other) => {
    const gone = new DatagramEndpoint({ host: "127.0.0.1" });
    gone.close();
    for (let i = 0; i < 10; i++) await one.endpoint.send(bytes("anybody?"), gone.address);
    await other.endpoint.send(bytes("here"), one.endpoint.address);
    await eventually("the living", () => one.got.length === 1);
    assertEquals(one.got, [bytes("here")]);
  }));

test("closing ends each, sends nothing more, and may be done twice", async () => {
  const { endpoint, got, ended } = makeEndpoint();
  endpoint.close();
  endpoint.close();
  await ended;
  assertEquals([got, await endpoint.send(bytes("late"), endpoint.address)], [[], false]);
});

test("closing from within each ends it, too", async () => {
  const endpoint = new DatagramEndpoint({ host: "127.0.0.1" });
  let count = 0;
  const ended = endpoint.each(() => {
    count++;
    endpoint.close();
  });
  await endpoint.send(bytes("one"), endpoint.address);
  await ended;
  assertEquals(count, 1);
});

test("a fault of whoever takes the datagrams is not blamed on the network", async () => {
  const endpoint = new DatagramEndpoint({ host: "127.0.0.1" });
  const ended = endpoint.each(() => {
    throw new TypeError("a bug");
  });
  await endpoint.send(bytes("one"), endpoint.address);
  await assertRejects(() => ended, TypeError, "a bug");
  endpoint.close();
});

test("bytes are traced in both directions", async () => {
  const trace = collect(["bytes"]);
  const { endpoint, got, ended } = makeEndpoint("127.0.0.1", trace);
  await endpoint.send(bytes("to myself\n"), endpoint.address);
  await eventually("it", () => got.length === 1);
  endpoint.close();
  await ended;
  const seen = trace.events.map(({ direction }) => direction).sort();
  assertEquals([seen, trace.events[0]], [
    ["in", "out"],
    { ...trace.events[0], id: 3, bytes: "to myself\\n" },
  ]);
});

test("a port in use is said in one line, with what to do", () => {
  const endpoint = new DatagramEndpoint({ host: "127.0.0.1" });
  const { port } = endpoint.address;
  const error = assertThrows(() => new DatagramEndpoint({ host: "127.0.0.1", port }), NetlabError);
  assertEquals([error.kind, error.message], ["transport", `port ${port} is in use on 127.0.0.1`]);
  endpoint.close();
});
