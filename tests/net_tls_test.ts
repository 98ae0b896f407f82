// TLS at the server's end, on a connection that is there already.

import { assertEquals, assertRejects } from "@std/assert";
import { makeIdentity } from "../lib/exercises/smtp/tls.ts";
import { Channel } from "../lib/net/channel.ts";
import { connectTcp } from "../lib/net/client.ts";
import { TlsServer } from "../lib/net/tls.ts";
import { UpgradableConn } from "../lib/net/tls_client.ts";
import { LineFramer } from "../lib/protocol/framing.ts";
import { decodeText, encodeText } from "../lib/protocol/text.ts";
import { test, within } from "./helpers.ts";
import { readAll, textCodec } from "./net_helpers.ts";

/** A listener whose next accept fails as it does when the process has no file left. */
function withoutFiles(listener: Deno.TlsListener): Deno.TlsListener {
  const accept = listener.accept.bind(listener);
  let failed = false;
  listener.accept = async () => {
    if (failed) return await accept();
    failed = true;
    (await accept()).close(); // somebody has called by then
    throw Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  };
  return listener;
}

test("an accept that fails costs those who wait their connections, and TLS goes on for all others", async () => {
  const { listenTls } = Deno;
  const identity = await makeIdentity();
  Deno.listenTls = ((options: Deno.ListenTlsOptions) => withoutFiles(listenTls(options as never))) as never;
  const tls = new TlsServer(identity);
  Deno.listenTls = listenTls;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  try {
    using refused = await connectTcp("127.0.0.1", port);
    const before = tls.over(await listener.accept());
    await assertRejects(() => before.read(new Uint8Array(1)), Error, "Too many open files");
    assertEquals(await refused.read(new Uint8Array(1)), null);

    const client = await UpgradableConn.connect("127.0.0.1", port);
    const secure = tls.over(await listener.accept());
    await Promise.all([client.startTls({ caCerts: [identity.cert] }), secure.write(encodeText("hello"))]);
    const buffer = new Uint8Array(5);
    assertEquals(decodeText(buffer.subarray(0, await client.read(buffer) ?? 0)), "hello");
    client.close();
    assertEquals(await secure.read(buffer), null);
    secure.close();
  } finally {
    tls.close();
  }
});

/** Calls `body` with a caller that has said nothing yet, the channel that it is accepted on, and the certificate. */
async function withCaller(
  body: (caller: UpgradableConn, channel: Channel<string>, cert: string) => Promise<void>,
): Promise<void> {
  const identity = await makeIdentity();
  const tls = new TlsServer(identity);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const caller = await UpgradableConn.connect("127.0.0.1", (listener.addr as Deno.NetAddr).port);
  const framer = new LineFramer(1_000_000);
  const channel = new Channel<string>(tls.over(await listener.accept()), { framer, codec: textCodec });
  try {
    await body(caller, channel, identity.cert);
  } finally {
    caller.close();
    await channel.close();
    tls.close();
  }
}

test("who has ended its stream still gets all that is sent to it before the connection closes", async () => {
  await withCaller(async (caller, channel, cert) => {
    const first = channel.receive();
    await caller.startTls({ caCerts: [cert] });
    await caller.write(encodeText("all, please\n"));
    await caller.closeWrite();
    assertEquals([await first, await channel.receive()], ["all, please", null]);

    const answer = "x".repeat(200_000);
    channel.send(answer);
    const [got] = await within(Promise.all([readAll(caller), channel.close()]), "the answer");
    assertEquals(got, `${answer}\n`);
  });
});

test("who says what is no TLS is told so in an alert", async () => {
  await withCaller(async (caller, channel) => {
    await caller.write(encodeText("EHLO client.example\r\n"));
    const alert = new Uint8Array(64);
    const [message, length] = await within(Promise.all([channel.receive(), caller.read(alert)]), "the alert");
    // RFC 8446 sections 5.1 and 6: a record of type 21 with two bytes, of which the first says that it is fatal.
    assertEquals([message, length, alert[0], alert[5]], [null, 7, 21, 2]);
  });
});
