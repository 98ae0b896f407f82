// Transfer through the command line: exit statuses, what goes to which output, JSON, standard input, several files, a sender that
// is killed, and the plot.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { temporaryFolder } from "./chat_helpers.ts";
import { netlab, Program, type Result, runProgram } from "./cli_helpers.ts";
import { deafAddress, eventually, skipUnless, skipUnlessSignals, test } from "./helpers.ts";
import { makeFile } from "./transfer_helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";
import { makeSource, namesIn, Relay, TRANSPORTS } from "./transfer_socket_helpers.ts";

const SIGNALS = skipUnlessSignals();

/** `netlab serve transfer` as a process, with a folder. */
async function serve(options = ""): Promise<AsyncDisposable & { server: Program; port: number; dir: string }> {
  const dir = temporaryFolder();
  const line = ["serve", "transfer", "--host", "127.0.0.1", "--port", "0", "--dir", dir];
  const server = new Program([...line, ...options.split(" ").filter((word) => word !== "")]);
  const port = Number(/(?:"port":|:)(\d+)/.exec(await server.out.line())![1]);
  return { server, port, dir, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** `netlab connect transfer`, in this process. */
const send = (port: number, ...words: string[]): Promise<Result> =>
  netlab(["connect", "transfer", `127.0.0.1:${port}`, ...words]);

/** How much of `a` is on the disk, while it is not complete. */
const partBytes = (dir: string): number => namesIn(dir).includes("a.part") ? Deno.statSync(`${dir}/a.part`).size : 0;

const jsonLines = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));

for (const transport of TRANSPORTS) {
  test(`a file goes from one netlab to another over ${transport}, and both report it on standard output`, async () => {
    await using receiver = await serve(`--transport ${transport} --once`);
    const path = makeSource("two words.bin", makeFile(12_345));
    const { status, out, err } = await send(receiver.port, path, "--transport", transport, "--arq", "go-back-n");
    assertEquals([status, err], [0, ""]);
    assertMatch(
      out,
      /^sent two words\.bin: 12345 bytes in 124 chunks, \d+\.\d\d s\n {2}0 retransmissions, .*\n {2}goodput .*\n$/,
    );
    const served = await receiver.server.result();
    assertEquals(served.status, 0);
    assertMatch(
      served.out,
      /\nreceived two words\.bin from 127\.0\.0\.1:\d+: 12345 bytes in 124 chunks, \d+\.\d\d s\n$/,
    );
    assertEquals(Deno.readFileSync(`${receiver.dir}/two words.bin`), makeFile(12_345));
  });

  test(`with --json each end prints one object for each file over ${transport}, and nothing else`, async () => {
    await using receiver = await serve(`--transport ${transport} --json`);
    const files = ["a", "b"].map((name) => makeSource(name, makeFile(250)));
    const { status, out } = await send(
      receiver.port,
      ...files,
      "--transport",
      transport,
      "--arq",
      "stop-and-wait",
      "--json",
    );
    assertEquals(status, 0);
    const sent = jsonLines(out).map(({ event, name, bytes, chunks }) => [event, name, bytes, chunks]);
    assertEquals(sent, [["sent", "a", 250, 3], ["sent", "b", 250, 3]]);
    await receiver.server.out.until(/"name":"b".*\n/);
    const received = jsonLines(receiver.server.out.all).filter(({ name }) => name !== undefined);
    assertEquals(received.map(({ event, name, bytes, failure }) => [event, name, bytes, failure]), [
      ["received", "a", 250, null],
      ["received", "b", 250, null],
    ]);
  });
}

test("with --once a receiver of a file that fails exits with 1, and says why", async () => {
  await using receiver = await serve("--transport udp --once");
  const relay = new Relay(receiver.port, { lose: ({ pdu }) => pdu?.type === "DATA" && pdu.seq === 1 });
  const { status, err } = await send(relay.port, makeSource("a", makeFile(250)), "--transport", "udp");
  const hint = "--arq selective-repeat sends again what is lost";
  assertEquals([status, err], [1, `netlab: the receiver: lost 1 of 3 chunks: 1: ${hint}\n`]);
  const served = await receiver.server.result();
  assertEquals([served.status, served.err.trimEnd().split("\n").at(-1)], [
    1,
    "netlab: not received: lost 1 of 3 chunks: 1",
  ]);
  await relay.close();
});

test("with --once a file that is refused is no transfer: the next one is", async () => {
  await using receiver = await serve("--once");
  const refused = await send(receiver.port, makeSource("a", makeFile(10)), "--as", "../a");
  assertEquals([refused.status, refused.out], [1, ""]);
  assertMatch(refused.err, /^netlab: the receiver: not a file name: "\.\.\/a": it leads into another folder\n$/);
  assertEquals((await send(receiver.port, makeSource("a", makeFile(10)))).status, 0);
  assertEquals((await receiver.server.result()).status, 0);
});

test("of several files one that is refused is told, the others arrive, and the exit status is 1", async () => {
  await using receiver = await serve();
  const files = ["a", "b.part", "c"].map((name) => makeSource(name, makeFile(10)));
  const { status, out, err } = await send(receiver.port, ...files);
  assertEquals(status, 1);
  assertMatch(out, /^sent a: [^]*\nnot sent: b\.part: the receiver: not a file name: "b\.part": .*\nsent c: /);
  assertEquals(err, "netlab: 1 of 3 files were not sent: why is said above\n");
  assertEquals(namesIn(receiver.dir), ["a", "c"]);
});

test("of several files those are told that were not sent because the connection ended", async () => {
  await using receiver = await serve("--once");
  const { status, out } = await send(receiver.port, ...["a", "b", "c"].map((name) => makeSource(name, makeFile(10))));
  assertEquals([status, out.split("\n").filter((line) => line.startsWith("not sent"))], [
    1,
    ["not sent: b", "not sent: c"],
  ]);
});

test("the seed's form has no names: standard input needs none, and --as is refused", async () => {
  await using receiver = await serve("--wire seed");
  const line = ["connect", "transfer", "127.0.0.1", `${receiver.port}`, "-", "--wire", "seed"];
  const { status, out } = await runProgram(line, { input: "hello" });
  assertEquals(status, 0);
  assertMatch(out, /^sent -: 5 bytes /);
  const named = await runProgram([...line, "--as", "name"], { input: "hello" });
  assertEquals([named.status, named.err], [2, "netlab: --wire seed sends no name: leave --as out\n"]);
});

test("what is drawn, or kept with each piece in its place, is no pipe: to open one may take for ever", async () => {
  const [pipe, file] = [`${temporaryFolder()}/pipe.svg`, makeSource("a", makeFile(10))];
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  for (
    const [command, err] of [
      [
        ["transfer", "127.0.0.1", "1", file, "--plot", pipe],
        `cannot write ${pipe}: it is no file: name another --plot`,
      ],
      [
        ["stream", "127.0.0.1", "1", "a", "--out", pipe],
        `${pipe} is a pipe, and pieces come in any order: --out - writes`,
      ],
    ] as const
  ) {
    const result = await runProgram(["connect", ...command]);
    assertStringIncludes(result.err, err);
  }
}, skipUnless("mkfifo"));

test("the log of a receiver says what it refuses, of each sender so often", async () => {
  await using receiver = await serve();
  await send(receiver.port, ...Array.from({ length: 25 }, (_, i) => makeSource(`${i}.part`, makeFile(10))));
  await receiver.server.err.until(/left: /);
  assertEquals(receiver.server.err.all.match(/refused: not a file name: "\d+\.part": /g)?.length, 20);
});

test("standard input is sent with - and --as, whatever bytes it has and however long it is", async () => {
  await using receiver = await serve();
  for (const input of ["", "hello\r\n\0world", "grüß\n".repeat(200_000)]) {
    const line = [
      "connect",
      "transfer",
      `127.0.0.1:${receiver.port}`,
      "-",
      "--as",
      `in ${input.length}`,
      "--chunk",
      "1k",
    ];
    const { status, out } = await runProgram([...line, "--arq", "go-back-n"], { input });
    assertEquals([status, out.split(":")[0]], [0, `sent in ${input.length}`]);
    assertEquals(Deno.readTextFileSync(`${receiver.dir}/in ${input.length}`), input);
  }
});

const USAGE: [string[], RegExp][] = [
  [["-"], /standard input has no name: give it one with --as NAME/],
  [["-", "--as", "x", "--resume"], /standard input cannot be resumed/],
  [["FILE", "FILE", "--as", "x"], /--as names one file, and there are several/],
  [[], /nothing to send: /],
  [["/no/such/file"], /no\/such\/file/],
  [["FILE", "--chunk", "0"], /--chunk/],
  [["FILE", "--chunk", "65001"], /--chunk/],
  [["FILE", "--window", "0"], /--window/],
  [["FILE", "--arq", "go-back"], /go-back-n/],
  [["FILE", "FILE", "--wire", "seed"], /--wire seed sends one file/],
  [["FILE", "--wire", "seed", "--arq", "go-back-n"], /--wire seed over TCP knows no --arq but stop-and-wait: leave /],
  [["FILE", "--wire", "seed", "--arq", "none"], /knows no --arq but stop-and-wait/],
  [
    ["FILE", "--wire", "seed", "--transport", "udp", "--arq", "stop-and-wait"],
    /--wire seed over UDP knows no --arq but none/,
  ],
  [["FILE", "--wire", "seed", "--resume"], /--wire seed cannot resume/],
];
for (const [words, expected] of USAGE) {
  test(`connect transfer ${words.join(" ")} is wrong usage: status 2, one line, and nobody is called`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const file = makeSource("a", makeFile(10));
    const { port } = listener.addr as Deno.NetAddr;
    const { status, out, err } = await send(port, ...words.map((word) => word === "FILE" ? file : word));
    listener.close();
    assertEquals([status, out, err.trimEnd().split("\n").length], [2, "", 1], err);
    assertMatch(err, expected);
  });
}

test("--idle, which a class may have in its environment, is no matter where nobody answers", async () => {
  await using receiver = await serve("--transport udp --wire seed");
  const options = ["--wire", "seed", "--transport", "udp", "--idle", "5s"];
  assertEquals((await send(receiver.port, makeSource("a", makeFile(10)), ...options)).status, 0);
});

test("a folder to receive in that is none is wrong usage", async () => {
  const { status, err } = await netlab("serve transfer --host 127.0.0.1 --port 0 --dir /no/such/folder");
  assertEquals([status, err], [2, "netlab: no such folder: /no/such/folder: make it, or name another with --dir\n"]);
});

test("where nobody answers the exit status is that of a timeout over UDP, and of a failure over TCP", async () => {
  const nobody = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = nobody.addr as Deno.NetAddr;
  const words = [makeSource("a", makeFile(10)), "--timeout", "5", "--retries", "2"];
  const { status, err } = await send(port, ...words, "--transport", "udp");
  assertEquals(status, 124);
  assertMatch(
    err,
    /^netlab: no answer to 3 tries: .*is a receiver there, on the same --transport, and the address right\?\n$/,
  );
  nobody.close();
  const { host, port: deaf } = deafAddress();
  assertEquals((await netlab(["connect", "transfer", `${host}:${deaf}`, ...words])).status, 1);
});

for (const transport of TRANSPORTS) {
  test(`a sender that is killed over ${transport} leaves its part, and --resume completes it`, async () => {
    await using receiver = await serve(`--transport ${transport} --json`);
    const path = makeSource("a", makeFile(40_000_000));
    const line = [
      "connect",
      "transfer",
      `127.0.0.1:${receiver.port}`,
      path,
      "--transport",
      transport,
      "--chunk",
      "1000",
    ];
    const options = ["--arq", "go-back-n", "--window", "8"];
    await using sender = new Program([...line, ...options]);
    await eventually("a part to be on the disk", () => partBytes(receiver.dir) > 0);
    sender.signal("SIGKILL");
    await sender.result();
    const { status, out } = await netlab([...line, ...options, "--resume", "--json"]);
    assertEquals([status, namesIn(receiver.dir)], [0, ["a"]]);
    const { bytes } = jsonLines(out)[0];
    assert(bytes > 0 && bytes < 40_000_000, `${bytes} bytes were sent the second time`);
    assertEquals(Deno.readFileSync(`${receiver.dir}/a`).length, 40_000_000);
  }, SIGNALS);

  test(`Ctrl-C at the receiver tells the sender over ${transport}, keeps the part, and is a good end`, async () => {
    await using receiver = await serve(`--transport ${transport}`);
    const path = makeSource("a", makeFile(40_000_000));
    const options = ["--transport", transport, "--arq", "stop-and-wait", "--chunk", "1000"];
    const sending = send(receiver.port, path, ...options);
    await eventually("a part to be on the disk", () => partBytes(receiver.dir) > 0);
    receiver.server.signal("SIGINT");
    const { status, err } = await sending;
    assertEquals(status, 1);
    assertMatch(err, /^netlab: the receiver: the receiver is shutting down/);
    assertEquals([(await receiver.server.result()).status, namesIn(receiver.dir)], [0, ["a.part"]]);
  }, SIGNALS);
}

for (const transport of TRANSPORTS) {
  for (const arq of ["stop-and-wait", "none"]) {
    test(
      `Ctrl-C at the sender of ${arq} over ${transport} is told to the receiver, and what is there is kept`,
      async () => {
        await using receiver = await serve(`--transport ${transport}`);
        const path = makeSource("a", makeFile(40_000_000));
        const options = ["--transport", transport, "--arq", arq, "--chunk", arq === "none" ? "100" : "1000"];
        const line = ["connect", "transfer", `127.0.0.1:${receiver.port}`, path, ...options];
        await using sender = new Program(line);
        await eventually("a part to be on the disk", () => partBytes(receiver.dir) > 0);
        sender.signal("SIGINT");
        const { status, out, err } = await sender.result();
        assertEquals([status, out], [130, ""]);
        const [, bytes, rest] = /^interrupted: (\d+) of 40000000 bytes of a (.*)\n$/.exec(err)!;
        assert(Number(bytes) > 0 && Number(bytes) < 40_000_000, err);
        assertEquals(rest, arq === "none" ? "were sent" : "had arrived; --resume goes on from there");
        await receiver.server.out.until(/not received: a from .*: the sender: interrupted/);
        assertEquals(namesIn(receiver.dir), ["a.part"]);
      },
      SIGNALS,
    );
  }

  test(`Ctrl-C at a sender of the seed's form over ${transport} says what the receiver makes of it`, async () => {
    await using receiver = await serve(`--transport ${transport} --wire seed`);
    const path = makeSource("a", makeFile(40_000_000));
    const options = ["--transport", transport, "--wire", "seed"];
    await using sender = new Program(["connect", "transfer", `127.0.0.1:${receiver.port}`, path, ...options]);
    const begun = () => namesIn(receiver.dir).some((name) => Deno.statSync(`${receiver.dir}/${name}`).size > 0);
    await eventually("something to be on the disk", begun);
    sender.signal("SIGINT");
    const { status, out, err } = await sender.result();
    assertEquals([status, out], [130, ""]);
    const expected = transport === "tcp"
      ? /^interrupted: \d+ bytes were sent, which the receiver takes for all of it: this form has no other end\n$/
      : /^interrupted: \d+ chunks were sent; the receiver waits in vain for the end\n$/;
    assertMatch(err, expected);
    if (transport === "udp") await receiver.server.out.until(/not received: from-.*: its end never came/);
  }, SIGNALS);
}

for (const [name, columns] of [["a", 100], ["a", 30], ["名".repeat(60), 100]] as const) {
  test(
    `Ctrl-C on a terminal of ${columns} columns takes the progress of ${name} away, and says how to go on`,
    async () => {
      await using receiver = await serve();
      const path = makeSource(name, makeFile(40_000_000));
      await using screen = await Screen.run(`connect transfer 127.0.0.1:${receiver.port} ${path}`, { columns });
      await screen.shows(/░/);
      await screen.press("C-c");
      await screen.endsWith("status 130", "echo icanon isig");
      const rows = await screen.rows();
      assertMatch(
        rows.join(" "),
        /^ *interrupted: \d+ of 40000000 bytes of .* had arrived; --resume goes on from there/,
      );
      assert(!rows.some((row) => /█|\^C/.test(row)), "the progress is still there");
      await receiver.server.out.until(/not received: .* from .*: the sender: interrupted/);
    },
    needsTmux(),
  );
}

const ADDRESSES = ["127.0.0.1", "HOST", "localhost:9001", "[::1]:9001", "nowhere 9001"];
const MISSING: [string, string][] = [
  ["nofile", "no such file: nofile"],
  ...[...ADDRESSES, ""].map((host): [string, string] => [`${host} nofile`, "no such file: nofile"]),
  ["FILE nofile", "no such file: nofile"],
  ["HOST FILE no1 no2", "no such file: no1"],
  ["FOLDER", "FOLDER is a folder, and files are sent"],
  ["HOST FOLDER", "FOLDER is a folder, and files are sent"],
  ["FILE FOLDER", "FOLDER is a folder, and files are sent"],
];
for (const [line, problem] of MISSING) {
  test(`connect transfer ${line} says what is missing`, async () => {
    const names: Record<string, string> = { FILE: makeSource("a", makeFile(1)), FOLDER: temporaryFolder() };
    const words = line.split(" ").filter((word) => word !== "").map((word) => names[word] ?? word);
    const { status, err } = await netlab(["connect", "transfer", ...words]);
    const what = problem.replace(/FOLDER/, names.FOLDER);
    assertEquals([status, err], [2, `netlab: ${what}: netlab connect transfer [HOST[:PORT]] [FILE…]\n`]);
  });
}

test("connect transfer with an address, and nothing else, says that there is nothing to send", async () => {
  for (const line of ADDRESSES.filter((line) => line !== "HOST")) {
    const { status, err } = await netlab(`connect transfer ${line}`);
    const expected = "netlab: nothing to send: netlab connect transfer [HOST[:PORT]] FILE…\n";
    assertEquals([status, err], [2, expected], line);
  }
});

test("--plot FILE.svg draws what happened into a file and says where, whatever the file that is sent is called", async () => {
  await using receiver = await serve("--transport udp");
  const relay = new Relay(receiver.port, { lose: ({ pdu, nth }) => pdu?.type === "DATA" && nth === 5 });
  const picture = `${temporaryFolder()}/plot.svg`;
  const options = ["--transport", "udp", "--arq", "stop-and-wait", "--timeout", "300", "--plot", picture];
  const { status, out, err } = await send(
    relay.port,
    makeSource(Deno.build.os === "windows" ? "a & 'b'.bin" : "a & <b>.bin", makeFile(1000)),
    ...options,
    "--as",
    "a",
  );
  assertEquals([status, err], [0, `the plot is in ${picture}\n`]);
  assertMatch(out, /^sent a: 1000 bytes/);
  const svg = Deno.readTextFileSync(picture);
  assertMatch(svg, /^<svg [^]*<\/svg>\n$/);
  for (const text of ["sent again (1)", "timeout (1)", "chunk sent"]) assertStringIncludes(svg, text);
  assert(!svg.includes("<b>"), "the file's name is markup");
  await relay.close();
});

test("--plot alone draws below the results, on standard error, in the width of the terminal", async () => {
  await using receiver = await serve();
  const path = makeSource("a", makeFile(1000));
  const { status, out, err } = await netlab(
    ["connect", "transfer", `127.0.0.1:${receiver.port}`, path, "--plot"],
    {},
    60,
  );
  assertEquals([status, out.split(":")[0]], [0, "sent a"]);
  const rows = err.trimEnd().split("\n");
  assertEquals([rows.length, rows.every((row) => row.length <= 60)], [20, true]);
  assertMatch(rows[0], /^10 │/);
  assertMatch(rows[15], /^ 0 │·/);
  assertEquals(rows.slice(18).map((row) => row.trim()), [
    "· chunk sent   a acknowledged up to   R sent again",
    "T timeout",
  ]);
});

test("with --plot a transfer that fails is drawn as well", async () => {
  await using receiver = await serve("--transport udp");
  const relay = new Relay(receiver.port, { lose: ({ pdu }) => pdu?.type === "ACK" });
  const picture = `${temporaryFolder()}/plot.svg`;
  const options = ["--transport", "udp", "--arq", "go-back-n", "--timeout", "5", "--retries", "2", "--plot", picture];
  const { status, err } = await send(relay.port, makeSource("a", makeFile(1000)), ...options);
  assertEquals(status, 124);
  const [drawn, failed] = err.split("\n");
  assertEquals(drawn, `the plot is in ${picture}`);
  assertMatch(failed, /^netlab: no answer to 3 tries: 0 of 10 chunks /);
  await relay.close();
});

test("a picture that cannot be written is said before anything is sent, and one that was there stays until then", async () => {
  await using receiver = await serve();
  const [path, folder] = [makeSource("a", makeFile(1000)), temporaryFolder()];
  const { status, out, err } = await send(receiver.port, path, "--plot", "/no/such/folder/plot.svg");
  assertEquals([status, out], [3, ""]);
  assertMatch(err, /^netlab: cannot write \/no\/such\/folder\/plot\.svg: .*: name another --plot\n$/);
  Deno.writeTextFileSync(`${folder}/old.svg`, "old");
  for (const name of ["old.svg", "new.svg"]) {
    const refused = await send(receiver.port, `${folder}/nothing`, "--plot", `${folder}/${name}`);
    assertMatch(refused.err, /nothing/);
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["old.svg"]);
  assertEquals(Deno.readTextFileSync(`${folder}/old.svg`), "old");
});

test("of a file without a chunk there is no picture, and that is said: an older one stays", async () => {
  await using receiver = await serve();
  const [path, folder] = [makeSource("a", makeFile(0)), temporaryFolder()];
  Deno.writeTextFileSync(`${folder}/old.svg`, "old");
  for (const name of ["old", "new"]) {
    const picture = `${folder}/${name}.svg`;
    const { status, err } = await send(receiver.port, path, "--plot", picture, "--as", name);
    assertEquals([status, err], [0, `no chunk was sent: there is no plot of it in ${picture}\n`]);
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["old.svg"]);
  assertEquals(Deno.readTextFileSync(`${folder}/old.svg`), "old");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const { err } = await send((listener.addr as Deno.NetAddr).port, path, "--plot", `${folder}/new.svg`);
  assertMatch(err, /^netlab: cannot connect to [^\n]*\n$/);
});

test("a picture that can no longer be written is a failure of this machine when all was sent", async () => {
  await using receiver = await serve("--transport udp");
  const folder = `${temporaryFolder()}/pictures`;
  Deno.mkdirSync(folder);
  let there = true;
  const remove = () => {
    if (there) Deno.removeSync(folder, { recursive: true });
    return there = false;
  };
  const relay = new Relay(receiver.port, { lose: ({ pdu }) => pdu?.type === "DONE" && remove() });
  const options = ["--transport", "udp", "--arq", "go-back-n", "--plot", `${folder}/plot.svg`];
  const { status, out, err } = await send(relay.port, makeSource("a", makeFile(1000)), ...options);
  assertEquals([status, out.split(":")[0]], [3, "sent a"]);
  assertMatch(err, /^netlab: cannot write .*\/plot\.svg: .*: the transfer is not drawn\n$/);
  await relay.close();
});

test("--plot=FILE that is no .svg is refused, and what is in it stays", async () => {
  const path = makeSource("a", makeFile(1000));
  const { status, err } = await send(9, path, `--plot=${path}`);
  assertEquals([status, err], [2, `netlab: --plot: cannot draw "${path}": its name says its form: FILE.svg\n`]);
  assertEquals(Deno.readFileSync(path), makeFile(1000));
});

test("--plot before a file that is no .svg leaves that to be sent", async () => {
  await using receiver = await serve();
  const { status, out, err } = await send(receiver.port, "--plot", makeSource("a", makeFile(1000)));
  assertEquals([status, out.split(":")[0]], [0, "sent a"]);
  assertStringIncludes(err, "chunk sent");
});

test("--wire seed says at both ends what it cannot promise", async () => {
  await using receiver = await serve("--wire seed");
  const { status, out, err } = await send(receiver.port, makeSource("a", makeFile(250)), "--wire", "seed");
  assertEquals([status, err], [0, "nothing is numbered or checked: compare the files to know\n"]);
  assertMatch(out, /^sent a: 250 bytes in 3 chunks/);
  await receiver.server.out.until(/received from-127\.0\.0\.1-\d+ from .*: 250 bytes in 3 chunks, .*\n/);
  await receiver.server.err.until(/nothing was checked: compare the files to know\n/);
});

test("an ACK that is later than the timeout makes --wire seed exit with 1, and say what is doubtful", async () => {
  const command = ["python3", "tests/peers/transfer_seed_receiver.py"];
  await using receiver = new Program(["tcp", `${temporaryFolder()}/a`, "1", "0.5"], { command });
  const port = Number(await receiver.out.line());
  const path = makeSource("a", makeFile(250));
  const { status, out, err } = await send(port, path, "--wire", "seed", "--timeout", "300");
  assertEquals([status, out.split(":")[0]], [1, "sent a"]);
  assertMatch(err, /^netlab: 1 chunk was acknowledged twice: the file may be too long there: .*\n$/);
}, skipUnless("python3"));
