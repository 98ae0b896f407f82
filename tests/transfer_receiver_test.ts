// netlab's receiver of files and senders that it did not expect: PDUs made by hand on real sockets, forged, stray, damaged, of
// others' sessions, too many or too few; and a sender that was written in Python.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parsePdu } from "../lib/exercises/transfer/notation.ts";
import { encodePdu, SCHEMES } from "../lib/exercises/transfer/protocol.ts";
import { Random } from "../lib/protocol/random.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { canReset, sendAndReset } from "./chat_helpers.ts";
import { runProgram } from "./cli_helpers.ts";
import { bytes, collect, eventually, Peer, skipUnless, test, within } from "./helpers.ts";
import { makeFile } from "./transfer_helpers.ts";
import {
  data,
  DatagramPeer,
  fin,
  makeSource,
  open,
  type PduPeer,
  Relay,
  sendFiles,
  sendHello,
  TRANSPORTS,
  withPeers,
  withReceiver,
  withRelay,
} from "./transfer_socket_helpers.ts";

const HELLO = encodeText("hello");
const WHOLE = encodeText("hello world");
/** A session in writing. */
const ofSession = (pdu: string) => /session=(\d+)/.exec(pdu)![1];
const wire = (pdu: string): Uint8Array => encodePdu(parsePdu(pdu)).slice();

/** The first two of the three chunks of `hello world` arrive. */
async function begin(peer: PduPeer, session: number, name: string, rest?: string): Promise<void> {
  assertMatch(await peer.ask(open(session, name, 11, rest)), /^ACCEPT/);
  assertMatch(await peer.ask(data(session, 0, "hello")), / seq=1/);
  assertMatch(await peer.ask(data(session, 1, " worl")), / seq=2/);
}

/** The third arrives, and the end. */
async function end(peer: PduPeer, session: number): Promise<void> {
  assertEquals(await peer.ask(data(session, 2, "d")), `ACK session=${session} seq=3`);
  assertMatch(await peer.ask(fin(session, 3, "hello world")), /^DONE /);
}

for (const transport of TRANSPORTS) {
  test(`over ${transport} one sender may send many files at once, in sessions of its own`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        for (const session of [1, 2, 3]) await begin(peer, session, `file-${session}`);
        for (const session of [3, 1, 2]) await end(peer, session);
      });
      receiver.has({ "file-1": WHOLE, "file-2": WHOLE, "file-3": WHOLE });
    }));

  test(`over ${transport} one sender may be sending 16 files, and another as soon as one of them is there`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        for (let session = 1; session <= 16; session++) await begin(peer, session, `file-${session}`);
        assertMatch(await peer.ask(open(17, "file-17", 11)), /^ERROR session=17 code=9 "you are sending 16 files/);
        await end(peer, 16);
        await begin(peer, 18, "file-18");
        for (const session of [...Array(15).keys()]) await end(peer, session + 1);
        await end(peer, 18);
      });
      assertEquals(receiver.files.length, 17);
    }));

  test(`over ${transport} a file that is there is refused without a trace: when it has gone, the same OPEN is accepted`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/a`, HELLO);
      await withPeers(transport, receiver.port, 1, async (peer) => {
        for (let i = 0; i < 100; i++) {
          assertEquals(await peer.ask(open(i, "a", 5)), `ERROR session=${i} code=3 "there is a file a already"`);
        }
        Deno.removeSync(`${receiver.dir}/a`);
        await sendHello(peer, 0, "a");
      });
      receiver.has({ a: HELLO });
    }));

  test(`over ${transport} of the files that one sender has sent the last word is remembered of 16`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        for (let session = 1; session <= 18; session++) await sendHello(peer, session, `file-${session}`);
        assertMatch(await peer.ask(fin(2, 1, "hello")), /^ERROR session=2 code=8/);
        for (const session of [3, 18]) assertMatch(await peer.ask(fin(session, 1, "hello")), /^DONE/);
      });
      assertEquals(receiver.files.length, 18);
    }));

  test(`over ${transport} somebody else's PDUs with our session never touch it`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 4, async (peer, ...strangers) => {
        await begin(peer, 7, "a");
        const unknown = /^ERROR session=7 code=8 "no such session/;
        assertMatch(await strangers[0].ask(data(7, 2, "!")), unknown);
        assertMatch(await strangers[1].ask(fin(7, 3, "hello wor!")), unknown);
        await strangers[2].send('ERROR session=7 code=11 "stop it"');
        await end(peer, 7);
      });
      receiver.has({ a: WHOLE });
    }));

  test(`over ${transport} chunks of no session, of the wrong length, or beyond the end change nothing`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        await begin(peer, 7, "a", "arq=selective-repeat");
        await peer.send(data(7, 2, "dd"), data(7, 3, "hello"), data(7, 4_294_967_295, "x"), data(7, 2, ""));
        await peer.send(
          "ACK session=7 seq=1",
          "ACCEPT session=7 seq=2",
          "DONE session=7 seq=3",
          fin(7, 2, "hello worl"),
        );
        assertMatch(await peer.receive(), /^ERROR session=7 code=1 "FIN says 2 chunks, OPEN said 3"/);
        await sendHello(peer, 8, "b");
      });
      receiver.has({ "a.part": encodeText("hello worl"), b: HELLO });
    }));

  test(`over ${transport} a petabyte, and whatever else cannot be meant, is refused and leaves nothing`, () =>
    withReceiver(transport, async (receiver) => {
      const refused: [string, string][] = [
        [open(1, "a", 2 ** 50).replace("chunk=5", "chunk=65000"), "too large: 1125899906842624 bytes"],
        [open(1, "a", 2 ** 33), "too large: 8589934592 bytes, the limit is 4294967296"],
        [open(1, "a", 2 ** 52), "too large: 4503599627370496 bytes in chunks of 5"],
        [open(1, "a", 5).replace("chunk=5", "chunk=0"), "no such chunk size: 0"],
        [open(1, "a", 5).replace("chunk=5", "chunk=65001"), "no such chunk size: 65001"],
        [open(1, "a", 5).replace("window=8", "window=0"), "no such window: 0"],
        [open(1, "a".repeat(300), 5), "the name is too long: 300 bytes, the limit is 255"],
        [open(1, "a".repeat(251), 5), "longer than 250 bytes"],
      ];
      for (const [pdu, why] of refused) {
        await withPeers(transport, receiver.port, 1, async (peer) => {
          assertStringIncludes(await peer.ask(pdu), why);
        });
      }
      receiver.has({});
    }));

  for (const arq of ["stop-and-wait", "none"]) {
    test(`over ${transport} a file by ${arq} whose size is not said has to keep to --max-size all the same`, () =>
      withReceiver(transport, async (receiver) => {
        await withPeers(transport, receiver.port, 1, async (peer) => {
          assertMatch(await peer.ask(open(1, "a", "unknown", `arq=${arq}`)), /^ACCEPT/);
          for (let seq = 0; seq < 4; seq++) {
            await peer.send(data(1, seq, "hello"));
            if (arq !== "none" && seq < 3) assertMatch(await peer.receive(), /^ACK/);
          }
          assertMatch(await peer.receive(), /^ERROR session=1 code=4 .*too large/);
          await sendHello(peer, 2, "b");
        });
        assert(receiver.partBytes("a") <= 15, "more than --max-size is on the disk");
      }, { "max-size": 15 }));
  }

  test(`over ${transport} a file whose size is not said ends where FIN says, empty or with a last chunk that is short`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        await peer.ask(open(1, "empty", "unknown"));
        assertMatch(await peer.ask(fin(1, 0, "")), /^DONE/);
        await peer.ask(open(2, "a", "unknown"));
        for (const [seq, text] of ["hello", " worl", "d"].entries()) await peer.ask(data(2, seq, text));
        assertMatch(await peer.ask(fin(2, 3, "hello world")), /^DONE/);
      });
      receiver.has({ empty: new Uint8Array(0), a: WHOLE });
    }));

  test(`over ${transport} a wrong digest is an ERROR, and what came keeps the name of an unfinished file`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        await begin(peer, 7, "a");
        await peer.ask(data(7, 2, "!"));
        assertMatch(await peer.ask(fin(7, 3, "hello world")), /^ERROR session=7 code=6 "the digest is another/);
      });
      assertEquals(receiver.files, ["a.part"]);
    }));

  test(`over ${transport} who opens files and does not begin is told so in time, and leaves nothing`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        await withPeers(transport, receiver.port, 1, async (peer) => {
          assertMatch(await peer.ask(open(1, "a", 5)), /^ACCEPT/);
          assertMatch(await peer.ask(open(2, "b", 5, "resume arq=go-back-n")), /^ACCEPT/);
          const told = [await peer.receive(), await peer.receive()].sort();
          assertEquals(told, [1, 2].map((session) => `ERROR session=${session} code=10 "nothing came for 1 s"`));
        });
        await eventually("the files to go", () => receiver.files.length === 0, 2000);
      },
      {},
      { limits: { idleMs: 1000 } },
    ));

  test(`over ${transport} of 256 transfers that were opened and not begun the longest silent gives way, and no other`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        await withPeers(transport, receiver.port, 18, async (sending, other, ...peers) => {
          await begin(sending, 7, "begun");
          const openOne = async (i: number) => assertMatch(await peers[i % 16].ask(open(i, `${i}`, 5)), /^ACCEPT/);
          for (let i = 0; i < 256; i++) await openOne(i);
          await openOne(0); // has been heard again
          await sendHello(other, 1000, "one");
          assertMatch(await peers[1].ask(data(1, 0, "hello")), /^ERROR session=1 code=8 /);
          assertEquals(await peers[0].ask(data(0, 0, "hello")), "ACK session=0 seq=1");
          // Who was displaced and says OPEN once more, as a sender does whose source is slow, goes on as if nothing had been.
          await sendHello(peers[1], 1, "1");
          await end(sending, 7);
          assertEquals(receiver.files.filter((name) => !name.endsWith(".part")), ["1", "begun", "one"]);
        });
      },
    ));

  test(`over ${transport} a sender that falls silent in the middle is told so, and its part is kept`, () =>
    withReceiver(
      transport,
      async (receiver) => {
        await withPeers(transport, receiver.port, 1, async (peer) => {
          await begin(peer, 7, "a");
          assertEquals(await peer.receive(), 'ERROR session=7 code=10 "nothing came for 1 s"');
        });
        receiver.has({ "a.part": encodeText("hello worl") });
        assertEquals([receiver.report.failure, receiver.report.chunks], ["nothing came for 1 s", 2]);
      },
      {},
      { limits: { idleMs: 1000 } },
    ));

  test(`over ${transport} a sender that cancels says why, and its part is kept`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        await begin(peer, 7, "a");
        await peer.send('ERROR session=7 code=11 "I have\\x1b[2J changed my mind"');
        await receiver.console.shows("not received: a");
      });
      receiver.has({ "a.part": encodeText("hello worl") });
      assertStringIncludes(String(receiver.report.failure), "the sender: I have");
    }));

  test(`over ${transport} a sender that cancels while its part is looked up leaves the next of that name alone`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        const cancelled = 'ERROR session=1 code=11 "no more"';
        await peer.send(open(1, "a", 5, "resume arq=go-back-n"), cancelled);
        await sendHello(peer, 2, "a");
      });
      receiver.has({ a: HELLO });
    }));

  test(`over ${transport} an OPEN that comes again gets the same answer, and starts nothing anew`, () =>
    withReceiver(transport, async (receiver) => {
      await withPeers(transport, receiver.port, 1, async (peer) => {
        await begin(peer, 7, "a");
        assertEquals(await peer.ask(open(7, "a", 11)), "ACCEPT session=7 seq=0 window=1");
        assertEquals(await peer.ask(open(7, "other", 5)), "ACCEPT session=7 seq=0 window=1");
        await end(peer, 7);
        assertMatch(await peer.ask(fin(7, 3, "hello world")), /^DONE/);
      });
      receiver.has({ a: WHOLE });
    }));
}

for (const arq of SCHEMES.filter((scheme) => scheme !== "none")) {
  test(`${arq}: forged, stray, damaged and foreign datagrams all the while do not disturb a transfer`, async () => {
    const random = new Random(11);
    let own = 0;
    await withRelay({
      onPass({ towards, pdu }, relay) {
        if (pdu?.type === "OPEN") own = pdu.session;
        if (pdu === null || pdu.session !== own || pdu.type === "OPEN") return;
        const { seq } = pdu;
        const other = (own + 1) % 2 ** 32;
        const good = encodePdu(pdu);
        const changed = good.slice();
        changed[random.int(0, good.length - 1)] ^= 1 << random.int(0, 7);
        const forged = towards === "receiver"
          ? [data(other, seq, "forged"), fin(other, seq, "forged"), 'ERROR session=0 code=1 "forged"']
          : [`ACK session=${other} seq=100`, `DONE session=${other} seq=200`, `ERROR session=${other} code=1 "forged"`];
        relay.inject(towards, changed);
        relay.inject(towards, good.subarray(0, random.int(0, good.length - 1)));
        relay.inject(towards, random.bytes(random.int(0, 60)));
        for (const pdu of forged) relay.inject(towards, wire(pdu));
      },
    }, async (relay, receiver) => {
      const options = { transport: "udp", arq, window: 8 } as const;
      await sendFiles(relay.port, [makeSource("a", makeFile(20_000))], options);
      receiver.has({ a: makeFile(20_000) });
    });
  });
}

test("a sender heeds nobody but the receiver it talks to, whatever session they name", async () => {
  const [played, stranger] = [new DatagramPeer(), new DatagramPeer()];
  const sending = sendFiles(played.port, [makeSource("a", HELLO)], { transport: "udp", arq: "stop-and-wait" });
  const session = ofSession(await played.receive());
  // Whom the stranger tells: the address that OPEN came from.
  const to = await senderOf(played, session, stranger);
  for (
    const pdu of [
      `ERROR session=${session} code=1 "no"`,
      `ERROR session=0 code=1 "no"`,
      `DONE session=${session} seq=1`,
    ]
  ) {
    await stranger.socket.send(wire(pdu), to);
  }
  assertMatch(await played.ask(`ACCEPT session=${session} seq=0 window=1`), /^DATA/);
  assertMatch(await played.ask(`ACK session=${session} seq=1`), /^FIN/);
  await played.send(`DONE session=${session} seq=1 duplicates=0`);
  assertEquals((await sending).events[0].chunks, 1);
  for (const peer of [played, stranger]) peer.close();
});

/** Where a sender is: it says OPEN again, and is heard with its address. */
async function senderOf(played: DatagramPeer, session: string, stranger: DatagramPeer): Promise<Deno.Addr> {
  const [bytes, from] = await within(played.socket.receive(), "OPEN again");
  assertEquals(bytes[0], 1);
  assert(Number(session) >= 0 && stranger.port !== (from as Deno.NetAddr).port);
  return from;
}

test("sessions are not to be guessed: of a hundred transfers no two have neighbouring ones", async () => {
  const played = new DatagramPeer();
  const sessions: number[] = [];
  for (let i = 0; i < 100; i++) {
    const sending = sendFiles(played.port, [makeSource("a", HELLO)], { transport: "udp" });
    const [bytes, from] = await played.socket.receive();
    const session = new DataView(bytes.buffer).getUint32(2);
    await played.socket.send(wire(`ERROR session=${session} code=9 "busy"`), from);
    await sending.catch(() => {});
    sessions.push(session);
  }
  played.close();
  const sorted = sessions.toSorted((a, b) => a - b);
  assert(sorted.every((session, i) => i === 0 || session - sorted[i - 1] > 1), "neighbours");
  assert(sorted.some((session) => session > 2 ** 31), "only small ones");
});

test("a datagram of a stranger is not remembered: a hundred of them leave no client behind", () =>
  withReceiver("udp", async (receiver) => {
    const { server } = receiver as unknown as { server: { clientCount: number } };
    const strange = [new Uint8Array(0), makeFile(40), wire("ACK session=1 seq=1"), wire(data(1, 0, "hello"))];
    const peers = Array.from({ length: 100 }, () => new DatagramPeer(receiver.port));
    for (const [i, peer] of peers.entries()) await peer.sendBytes(strange[i % 4]);
    for (const [i, peer] of peers.entries()) if (i % 4 === 3) assertMatch(await peer.receive(), /code=8/);
    await eventually("the strangers to be forgotten", () => server.clientCount === 0, 5000);
    for (const peer of peers) peer.close();
    receiver.has({});
  }));

for (const transport of TRANSPORTS) {
  test(`over ${transport} of a sender of the seed's form the log says, once, what that needs`, async () => {
    const trace = collect(["note", "close"]);
    await withReceiver(
      transport,
      (receiver) =>
        withPeers(transport, receiver.port, 1, async (peer) => {
          for (let i = 0; i < 5; i++) await peer.sendBytes(bytes("1".repeat(100)));
          await trace.until("its end", () => trace.of("close").length > 0);
          assertMatch(`${trace.of("close")[0].reason}`, /: a sender of the seed's form needs --wire seed here$/);
          assertEquals(trace.of("note").length, transport === "udp" ? 1 : 0);
        }),
      {},
      { trace },
    );
  });
}

test("a stray datagram before an OPEN from the same address does not swallow it", () =>
  withReceiver("udp", async (receiver) => {
    await withPeers("udp", receiver.port, 1, async (peer) => {
      for (let i = 0; i < 10; i++) {
        await peer.sendBytes(makeFile(30), wire(open(i, `file-${i}`, 5)));
        assertMatch(await within(peer.receive(), `the answer to OPEN ${i}`, 1000), /^ACCEPT/);
      }
    });
  }));

test("an OPEN right behind a refusal is answered, and not lost because nothing else was open", () =>
  withReceiver("udp", async (receiver) => {
    await withPeers("udp", receiver.port, 1, async (peer) => {
      for (let i = 0; i < 20; i++) {
        for (const name of ["../x", "CON", `x.part`]) {
          assertMatch(await within(peer.ask(open(i, name, 5)), `the answer to OPEN ${i} ${name}`, 1000), /^ERROR/);
        }
      }
    });
  }));

test("a stranger's chunk that asks for no answer gets none, so nobody can be flooded with them", () =>
  withReceiver("udp", async (receiver) => {
    await withPeers("udp", receiver.port, 2, async (peer, other) => {
      await peer.sendBytes(wire('DATA session=5 seq=0 "hello"'));
      assertMatch(await other.ask(fin(6, 0, "")), /^ERROR session=6 code=8/);
      assertMatch(await peer.ask(open(5, "a", 5)), /^ACCEPT session=5/);
    });
  }));

test("over tcp a PDU that was changed on the way is an ERROR, and the end of that connection only", () =>
  withReceiver("tcp", async (receiver) => {
    await withPeers("tcp", receiver.port, 1, async (other) => {
      await begin(other, 1, "b");
      const peer = await Peer.connect(receiver.server.address);
      const changed = wire(data(7, 0, "hello"));
      changed[18] ^= 1;
      await peer.send(wire(open(7, "a", 5)), changed);
      assertStringIncludes(await peer.rest(), "checksum is wrong: changed on the way");
      peer.close();
      await end(other, 1);
    });
    receiver.has({ b: WHOLE });
  }));

test("over tcp PDUs may come byte by byte, or all in one write", () =>
  withReceiver("tcp", async (receiver) => {
    const pdus = bytes(...[open(1, "a", 5), data(1, 0, "hello"), fin(1, 1, "hello")].map(wire));
    for (const size of [1, pdus.length]) {
      const peer = await Peer.connect(receiver.server.address);
      peer.conn.setNoDelay(true);
      for (let at = 0; at < pdus.length; at += size) await peer.send(pdus.subarray(at, at + size));
      await peer.conn.closeWrite();
      assertEquals((await peer.rest()).length > 0, true);
      peer.close();
      receiver.has({ a: HELLO });
      Deno.removeSync(`${receiver.dir}/a`);
    }
  }));

for (const how of ["closes", "ends its direction"]) {
  test(`over tcp a sender that ${how} behind FIN has its file, though its chunks came in another order`, () =>
    withReceiver("tcp", async (receiver) => {
      const chunks = [data(1, 1, " worl"), data(1, 2, "d"), data(1, 0, "hello")];
      const peer = await Peer.connect(receiver.server.address);
      await peer.send(bytes(...[open(1, "a", 11, "arq=none"), ...chunks, fin(1, 3, "hello world")].map(wire)));
      if (how === "closes") peer.close();
      else {
        await peer.conn.closeWrite();
        const types = [(await peer.read(18))[0], (await peer.rest())[0]];
        assertEquals(types, ["\x02", "\x06"]);
        peer.close();
      }
      await within(receiver.server.finished, "the end of the receiver");
      receiver.has({ a: WHOLE });
    }, { once: true }));
}

test("over tcp forty whole files may come in one write", () =>
  withReceiver("tcp", async (receiver) => {
    await withPeers("tcp", receiver.port, 1, async (peer) => {
      const sessions = [...Array(40).keys()];
      await peer.send(...sessions.flatMap((i) => [open(i, `file-${i}`, 5), data(i, 0, "hello"), fin(i, 1, "hello")]));
      for (const i of sessions) {
        assertMatch(await peer.receive(), /^ACCEPT/);
        assertMatch(await peer.receive(), /^ACK/);
        assertEquals(await peer.receive(), `DONE session=${i} seq=1 duplicates=0`);
      }
    });
    assertEquals(receiver.files.length, 40);
  }));

for (const text of ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "hello\n", "\0".repeat(100)]) {
  test(`over tcp ${JSON.stringify(text.slice(0, 20))} is answered with an ERROR at once, and not waited with`, () =>
    withReceiver("tcp", async (receiver) => {
      const peer = await Peer.connect(receiver.server.address);
      try {
        await peer.send(text);
        const [type] = await within(peer.read(1), "an answer", 2000);
        assertEquals(type, "\x07");
      } finally {
        peer.close();
      }
    }));
}

test(
  "over tcp a sender that is reset in the middle leaves its part, and is gone on with at once",
  () =>
    withReceiver("tcp", async (receiver) => {
      const pdus = bytes(...[open(1, "a", 11), data(1, 0, "hello"), data(1, 1, " worl")].map(wire));
      await sendAndReset(receiver.port, pdus, 18 + 16 + 16);
      await receiver.console.shows("not received: a");
      assertEquals(receiver.report.failure, "reset by peer");
      receiver.has({ "a.part": encodeText("hello worl") });
      const sent = await sendFiles(receiver.port, [makeSource("a", WHOLE)], { resume: true, chunk: 5 });
      receiver.has({ a: WHOLE });
      assertEquals([sent.events[0].bytes, sent.events[0].chunks], [1, 1]);
    }),
  canReset,
);

test("over tcp a sender that hangs up behind FIN has its file all the same", () =>
  withReceiver("tcp", async (receiver) => {
    const pdus = bytes(...[open(1, "a", 5), data(1, 0, "hello"), fin(1, 1, "hello")].map(wire));
    const peer = await Peer.connect(receiver.server.address);
    await peer.send(pdus);
    peer.close();
    await receiver.console.shows("received a from ");
    const { server } = receiver as unknown as { server: { clientCount: number } };
    await eventually("it to be forgotten", () => server.clientCount === 0, 5000);
    assertEquals(receiver.console.printed.length, 1, "the same file is told of twice");
    receiver.has({ a: HELLO });
  }));

test("whoever wants a name that somebody has who is silent gets it in a few seconds, and the silent one is told", () =>
  withReceiver("udp", async (receiver) => {
    await withPeers("udp", receiver.port, 2, async (silent, other) => {
      await begin(silent, 7, "a");
      await sendHello(other, 8, "a");
      assertEquals(await silent.receive(), 'ERROR session=7 code=9 "somebody else began to send it"');
    });
    receiver.has({ a: HELLO });
  }));

test("whoever wants a name that somebody is busy with is told who has it", () =>
  withReceiver("tcp", async (receiver) => {
    await withPeers("tcp", receiver.port, 2, async (busy, other) => {
      await begin(busy, 7, "a");
      let over = false;
      const refusal = other.ask(open(8, "a", 5)).finally(() => (over = true));
      while (!over) await busy.ask(data(7, 1, " worl"));
      assertEquals(await refusal, `ERROR session=8 code=9 "a is being received from ${busy.address}"`);
      await end(busy, 7);
    });
    receiver.has({ a: WHOLE });
  }));

test("the sender goes on in the window that the receiver allows, and believes no ACK for what it never sent", async () => {
  const played = new DatagramPeer();
  const options = { transport: "udp", arq: "go-back-n", window: 32, chunk: 5, timeout: 5000 } as const;
  const sending = sendFiles(played.port, [makeSource("a", makeFile(25))], options);
  const session = ofSession(await played.receive());
  const seqs = async (count: number) => {
    const got: string[] = [];
    for (let i = 0; i < count; i++) got.push(/^\w+ session=\d+ (seq=\d+)/.exec(await played.receive())![1]);
    return got;
  };
  await played.send(`ACCEPT session=${session} seq=0 window=2`);
  assertEquals(await seqs(2), ["seq=0", "seq=1"]);
  await played.send(`ACK session=${session} seq=4`, `ACK session=${session} seq=2`);
  assertEquals(await seqs(2), ["seq=2", "seq=3"]);
  await played.send(`DONE session=${session} seq=5`, `ACK session=${session} seq=4`);
  assertEquals(await seqs(1), ["seq=4"]);
  assertMatch(await played.ask(`ACK session=${session} seq=5`), /^FIN session=\d+ seq=5 /);
  await played.send(`DONE session=${session} seq=5 duplicates=0`);
  await sending;
  played.close();
});

const PYTHON = skipUnless("python3");
const command = ["python3", "tests/peers/transfer_pdu_sender.py"];

for (const transport of TRANSPORTS) {
  test(
    `a sender in Python that follows the description gets its files through over ${transport}`,
    () =>
      withReceiver(transport, async (receiver) => {
        for (const size of [0, 1, 100, 12_345]) {
          const path = makeSource("source", makeFile(size));
          const line = [transport, `${receiver.port}`, path, `größe ${size}`];
          assertEquals(await runProgram(line, { command }), { status: 0, out: "DONE\n", err: "" });
          assertEquals(receiver.read(`größe ${size}`), makeFile(size));
        }
      }),
    PYTHON,
  );

  test(
    `a sender in Python is told over ${transport} why its file is refused`,
    () =>
      withReceiver(transport, async (receiver) => {
        const line = [transport, `${receiver.port}`, makeSource("source", HELLO), "../x"];
        const { status, err } = await runProgram(line, { command });
        assertEquals([status, err], [1, 'ERROR 2 not a file name: "../x": it leads into another folder\n']);
      }),
    PYTHON,
  );
}

test("a sender in Python gets its file through a bad network", () =>
  withReceiver("udp", async (receiver) => {
    const relay = new Relay(receiver.port, { there: { loss: 0.1, duplicate: 0.1, corrupt: 0.05 }, seed: 4 });
    const line = ["udp", `${relay.port}`, makeSource("source", makeFile(5000)), "a", "500"];
    assertEquals((await runProgram(line, { command })).out, "DONE\n");
    receiver.has({ a: makeFile(5000) });
    await relay.close();
  }), PYTHON);

test("over UDP a full receiver refuses no refusal: two of them that a forger introduced would never end", async () => {
  const trace = collect(["close"]);
  await withReceiver(
    "udp",
    (receiver) =>
      withPeers("udp", receiver.port, 2, async (peer, stranger) => {
        await begin(peer, 7, "hello.txt");
        await stranger.send('ERROR session=0 code=9 "server full: 1 client"');
        await stranger.sendBytes(HELLO); // no PDU
        assertMatch(await stranger.ask(open(8, "x", 11)), /^ERROR .*"server full: 1 client"$/);
        assertEquals(trace.of("close").map(({ reason }) => reason), [
          "it refused us",
          "it refused us",
          "server full: 1 client",
        ]);
      }),
    {},
    { trace, limits: { maxClients: 1 } },
  );
});

test("over UDP who has opened and not begun gives way when the receiver is full, and is taken up again", () =>
  withReceiver(
    "udp",
    (receiver) =>
      withPeers("udp", receiver.port, 2, async (opened, other) => {
        assertMatch(await opened.ask(open(1, "a", 5)), /^ACCEPT/);
        await sendHello(other, 2, "b");
        await sendHello(opened, 1, "a");
        receiver.has({ a: HELLO, b: HELLO });
      }),
    {},
    { limits: { maxClients: 1 } },
  ));

test("over UDP a sender whose files are over gives way when the receiver is full, and one that is sending does not", () =>
  withReceiver(
    "udp",
    (receiver) =>
      withPeers("udp", receiver.port, 4, async (done, refused, sending, other) => {
        await sendHello(done, 1, "a");
        assertMatch(await refused.ask(open(2, "a", 5)), /^ERROR session=2 code=3/);
        await begin(sending, 3, "b");
        assertMatch(await other.ask(open(4, "c", 5)), /^ERROR session=0 code=9 "server full: 1 client"$/);
        await end(sending, 3);
        await sendHello(other, 5, "c");
        receiver.has({ a: HELLO, b: WHOLE, c: HELLO });
      }),
    {},
    { limits: { maxClients: 1 } },
  ));

for (const transport of TRANSPORTS) {
  test(`over ${transport} a file sent without ARQ is whole, in whatever order its chunks come`, () =>
    withReceiver(transport, (receiver) =>
      withPeers(transport, receiver.port, 1, async (peer) => {
        await peer.ask(open(1, "a", 12, "arq=none"));
        for (const [seq, text] of [[1, " worl"], [2, "d!"], [0, "hello"]] as const) await peer.send(data(1, seq, text));
        assertEquals(await peer.ask(fin(1, 3, "hello world!")), "DONE session=1 seq=3 duplicates=0");
        receiver.has({ a: encodeText("hello world!") });
      })));
}
