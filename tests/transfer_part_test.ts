// What a transfer leaves on the disk before it is complete: an interrupted file survives whoever only begins, nothing is written
// through a link, and what nobody goes on with leaves nothing.

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { openOwn } from "../lib/exercises/own_file.ts";
import { connectTransfer } from "../lib/exercises/transfer/client.ts";
import { PartFile } from "../lib/exercises/transfer/files.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { connectContext, FakeConsole, temporaryFolder } from "./chat_helpers.ts";
import { collect, eventually, skipIf, skipUnless, test } from "./helpers.ts";
import { makeFile } from "./transfer_helpers.ts";
import {
  data,
  DatagramPeer,
  FileServer,
  fin,
  makeSource,
  namesIn,
  open,
  sendFiles,
  sendHello,
  sendingFails,
  TRANSPORTS,
  withPeers,
  withReceiver,
} from "./transfer_socket_helpers.ts";

const LOCKS = skipIf("tryLockSync" in Deno.FsFile.prototype ? null : "this Deno cannot lock a file");
const UNIX = skipIf(Deno.build.os === "windows" ? "links need a privilege on Windows" : null);

for (const transport of TRANSPORTS) {
  for (const flag of ["", " resume"]) {
    test(`over ${transport} OPEN${flag}, and nothing behind it, leaves what was interrupted as it was`, () =>
      withReceiver(transport, async (receiver) => {
        const part = makeFile(1003);
        Deno.writeFileSync(`${receiver.dir}/a.part`, part);
        await withPeers(transport, receiver.port, 1, async (peer) => {
          const opening = `OPEN session=9 size=5 chunk=2000 window=8 arq=stop-and-wait${flag} "a"`;
          assertMatch(await peer.ask(opening), /^ACCEPT session=9 seq=0 /);
          await peer.send('ERROR session=9 code=11 "no more"');
          await receiver.console.shows("not received: a");
        });
        receiver.has({ "a.part": part });
      }));
  }

  test(`over ${transport} an interrupted file stays until there is more of the one that takes its place`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(8));
      const leave = async (session: number, ...chunks: string[]) => {
        await withPeers(transport, receiver.port, 1, async (peer) => {
          await peer.ask(open(session, "a", 11));
          for (const [seq, text] of chunks.entries()) await peer.ask(data(session, seq, text));
          await peer.send(`ERROR session=${session} code=11 "session ${session}"`);
          await receiver.console.shows(`session ${session}`);
        });
      };
      await leave(1, "hello");
      receiver.has({ "a.part": makeFile(8) });
      await leave(2, "hello", " worl");
      receiver.has({ "a.part": encodeText("hello worl") });
      await sendFiles(receiver.port, [makeSource("a", encodeText("hello world"))], { transport, arq: "go-back-n" });
      receiver.has({ a: encodeText("hello world") });
    }));

  test(
    `over ${transport} a link that was planted as a part is not written through`,
    () =>
      withReceiver(transport, async (receiver) => {
        const victim = makeSource("victim", makeFile(300, 5));
        const file = makeSource("a", makeFile(1000));
        Deno.symlinkSync(victim, `${receiver.dir}/a.part`);
        for (const resume of [false, true]) {
          const failure = await sendingFails(receiver.port, [file], { transport, arq: "go-back-n", resume });
          assertEquals(failure, "reply: the receiver: cannot write a: a.part is a link");
        }
        Deno.removeSync(`${receiver.dir}/a.part`);
        Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(10, 2));
        Deno.symlinkSync(victim, `${receiver.dir}/a..part`);
        const failure = await sendingFails(receiver.port, [file], { transport, arq: "go-back-n" });
        assertEquals(failure, "reply: the receiver: cannot write a: a..part is a link");
        assertEquals(Deno.readFileSync(victim), makeFile(300, 5));
      }),
    UNIX,
  );
}

test("a part of a name that leaves no room for another one beside it is begun anew with the first chunk", () => {
  const dir = temporaryFolder();
  const name = "x".repeat(250);
  Deno.writeFileSync(`${dir}/${name}.part`, makeFile(100));
  PartFile.create(dir, name).leave();
  assertEquals(Deno.readFileSync(`${dir}/${name}.part`), makeFile(100));
  const part = PartFile.create(dir, name);
  part.write(0, makeFile(7, 3));
  part.leave();
  assertEquals(Deno.readFileSync(`${dir}/${name}.part`), makeFile(7, 3));
});

for (const transport of TRANSPORTS) {
  test(`over ${transport} --resume of a file that is there already, whole chunks of it, takes none of what is behind them`, () =>
    withReceiver(transport, async (receiver) => {
      Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(25));
      const source = makeSource("a", makeFile(20));
      await sendFiles(receiver.port, [source], { transport, arq: "go-back-n", chunk: 10, resume: true });
      receiver.has({ a: makeFile(20) });
    }));
}

test("a part that a stopped receiver has left beside another is begun anew, and is gone with the whole file", () => {
  const dir = temporaryFolder();
  Deno.writeFileSync(`${dir}/a.part`, makeFile(10));
  Deno.writeFileSync(`${dir}/a..part`, makeFile(9, 2));
  const part = PartFile.create(dir, "a");
  part.write(0, makeFile(4));
  assertEquals(part.complete(false), true);
  part.leave();
  assertEquals([namesIn(dir), Deno.readFileSync(`${dir}/a`)], [["a"], makeFile(4)]);
});

test(
  "two receivers on one folder do not write into each other's files, and the second says why",
  () =>
    withReceiver("udp", async (receiver) => {
      const other = await FileServer.start("udp", { dir: receiver.dir });
      try {
        await withPeers("udp", receiver.port, 1, async (peer) => {
          await peer.ask(open(7, "a", 11));
          await peer.ask(data(7, 0, "hello"));
          const why = "cannot write a: another program is receiving a file of that name";
          for (const resume of [false, true]) {
            const options = { transport: "udp", arq: "go-back-n", resume } as const;
            const failure = await sendingFails(other.port, [makeSource("a", makeFile(1000))], options);
            assertEquals(failure, `reply: the receiver: ${why}`);
          }
          await sendFiles(other.port, [makeSource("b", makeFile(1000))], { transport: "udp" });
          await peer.ask(data(7, 1, " worl"));
          await peer.ask(data(7, 2, "d"));
          assertMatch(await peer.ask(fin(7, 3, "hello world")), /^DONE/);
        });
        receiver.has({ a: encodeText("hello world"), b: makeFile(1000) });
      } finally {
        await other.close();
      }
    }),
  LOCKS,
);

test(
  "of two programs that receive one name the first has it until the end, whatever part was there",
  () => {
    const dir = temporaryFolder();
    const refused = () => assertThrows(() => PartFile.create(dir, "a"), Error, "another program is receiving");
    Deno.writeFileSync(`${dir}/a.part`, makeFile(10));
    const part = PartFile.create(dir, "a");
    refused();
    part.write(0, makeFile(20, 2));
    part.flush(); // now it has the place of the earlier one
    refused();
    assertEquals(part.complete(false), true);
    const next = PartFile.create(dir, "a");
    refused();
    next.leave();
    PartFile.create(dir, "a").leave();
    assertEquals([namesIn(dir), Deno.readFileSync(`${dir}/a`)], [["a"], makeFile(20, 2)]);
  },
  LOCKS,
);

test("a part that cannot be read is given back: the name stays nobody's", async () => {
  const dir = temporaryFolder();
  Deno.writeFileSync(`${dir}/a.part`, makeFile(20));
  const { read } = Deno.FsFile.prototype;
  try {
    Deno.FsFile.prototype.read = () => Promise.reject(new Error("input/output error"));
    await assertRejects(() => PartFile.resume(dir, "a", 10), Error, "input/output error");
  } finally {
    Deno.FsFile.prototype.read = read;
  }
  const { part, next } = await PartFile.resume(dir, "a", 10);
  part.leave();
  assertEquals(next, 2);
});

test("a part in whose place somebody has put another file is not given its name", () => {
  const dir = temporaryFolder();
  const part = PartFile.create(dir, "a");
  part.write(0, makeFile(20));
  part.flush();
  Deno.removeSync(`${dir}/a.part`);
  Deno.writeFileSync(`${dir}/a.part`, makeFile(20, 2));
  assertThrows(() => part.complete(false), Error, "somebody has removed it");
  part.leave();
  assertEquals([namesIn(dir), Deno.readFileSync(`${dir}/a.part`)], [["a.part"], makeFile(20, 2)]);
});

test("what is opened to be written is a plain file, and has no other name", () => {
  const dir = temporaryFolder();
  const refusal = (name: string) => {
    try {
      openOwn(`${dir}/${name}`).close();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assertEquals([refusal("new"), refusal("new")], [null, null]);
  Deno.mkdirSync(`${dir}/folder`);
  Deno.symlinkSync("nowhere", `${dir}/dangling`);
  Deno.linkSync(`${dir}/new`, `${dir}/other-name`);
  assertEquals(
    ["folder", "dangling", "other-name"].map(refusal),
    ["folder is no file", "dangling is a link", "other-name is a link"],
  );
  assertEquals(namesIn(dir).includes("nowhere"), false);
}, UNIX);

/** A pipe with a name, into which another program has written `bytes` and may write more, until `fn` has ended. */
async function withPipe(bytes: Uint8Array, fn: (path: string) => Promise<void>): Promise<void> {
  const path = `${temporaryFolder()}/a`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const args = ["-c", 'exec cat "$0" - > "$1"', makeSource("source", bytes), path];
  const writer = new Deno.Command("sh", { args, stdin: "piped", stderr: "null" }).spawn();
  try {
    await fn(path);
  } finally {
    await writer.stdin.close();
    await writer.status;
  }
}

const PIPES = skipUnless("mkfifo");

test(
  "what can be read only once, a pipe, is not gone on with: what the receiver has of it stays",
  () =>
    withReceiver("tcp", (receiver) =>
      withPipe(encodeText("hello"), async (path) => {
        Deno.writeFileSync(`${receiver.dir}/a.part`, makeFile(300));
        const failure = await sendingFails(receiver.port, [path], { resume: true });
        assertEquals(failure, `usage: ${path} cannot be resumed (it can be read only once: only a file can)`);
        receiver.has({ "a.part": makeFile(300) });
      })),
  PIPES,
);

test(
  "who is interrupted while it sends a pipe is not told to go on with --resume",
  () =>
    withReceiver("tcp", (receiver) =>
      withPipe(makeFile(300_000), async (path) => {
        const console = new FakeConsole([]);
        let leave = () => {};
        const sending = connectTransfer(connectContext(receiver.port, console, {
          ...{ transport: "tcp", wire: "pdu", args: [path], options: { chunk: 10_000 } },
          onInterrupt: (fn) => void (leave = fn),
        }));
        await eventually("chunks to come", () => receiver.partBytes("a") > 0);
        leave();
        await assertRejects(() => sending, NetlabError, "interrupted");
        assertMatch(console.notes.join(), /^interrupted: \d+ bytes of a had arrived$/);
      })),
  PIPES,
);

const SEED = { wire: "seed" } as const;

test("garbage from very many addresses leaves no files in the seed's form, and keeps nobody from sending one", async () => {
  const trace = collect(["open"]);
  await withReceiver(
    "udp",
    async (receiver) => {
      const peers = Array.from({ length: 300 }, () => new DatagramPeer(receiver.port));
      for (const [i, peer] of peers.entries()) {
        await peer.sendBytes(makeFile(20));
        // A socket's buffer holds no more than a few hundred.
        if (i % 50 === 49) await eventually("them to be heard", () => trace.events.length > i);
      }
      await sendFiles(receiver.port, [makeSource("source", makeFile(1050))], { transport: "udp", ...SEED });
      await receiver.console.shows("received from-127.0.0.1-");
      assertEquals([receiver.files.length, receiver.read(receiver.files[0])], [1, makeFile(1050)]);
      for (const peer of peers) peer.close();
    },
    {},
    { ...SEED, trace },
  );
});

test("a file of the seed's form that cannot be kept is one failure over UDP, however much of it still comes", () =>
  withReceiver(
    "udp",
    async (receiver) => {
      await sendFiles(receiver.port, [makeSource("source", makeFile(5000))], { transport: "udp", ...SEED });
      await receiver.console.shows("not received: from-127.0.0.1-");
      const hello = new DatagramPeer(receiver.port);
      await hello.sendBytes(encodeText("hello"), new Uint8Array(0));
      await receiver.console.shows("received from-127.0.0.1-");
      assertEquals(receiver.console.events.map(({ event }) => event), ["failed", "received"]);
      hello.close();
    },
    { "max-size": 1000 },
    SEED,
  ));

test("a file of the seed's form does not touch what another one of its name has left", () =>
  withReceiver(
    "udp",
    async (receiver) => {
      const peer = new DatagramPeer(receiver.port);
      const name = `from-127.0.0.1-${peer.port}`;
      Deno.writeFileSync(`${receiver.dir}/${name}.part`, makeFile(10));
      await peer.sendBytes(encodeText("hello"), new Uint8Array(0));
      await receiver.console.shows(`received ${name}-2`);
      receiver.has({ [`${name}.part`]: makeFile(10), [`${name}-2`]: encodeText("hello") });
      peer.close();
    },
    {},
    SEED,
  ));

test("a receiver that has kept an interrupted file from a stranger takes it up with --resume", () =>
  withReceiver("udp", async (receiver) => {
    const file = makeFile(10_000);
    Deno.writeFileSync(`${receiver.dir}/a.part`, file.subarray(0, 5000));
    await withPeers("udp", receiver.port, 1, async (stranger) => {
      await stranger.ask(open(3, "a", 5));
      await stranger.ask(data(3, 0, "hello"));
      const sent = sendFiles(receiver.port, [makeSource("a", file)], {
        transport: "udp",
        arq: "go-back-n",
        resume: true,
      });
      await stranger.ask(fin(3, 1, "other"));
      const { bytes } = (await sent).events.at(-1)!;
      assertEquals(bytes, 5000);
    });
    receiver.has({ a: file });
    await withPeers("udp", receiver.port, 1, (peer) => sendHello(peer, 5, "b"));
  }));
