// The least that Deno can do to move a file: what netlab's transfer is compared to. No chunks are acknowledged but where that
// is the point, nothing is checked.
//
//   bare_transfer.ts udp receive             counts datagrams until an empty one
//   bare_transfer.ts udp send PORT FILE CHUNK
//   bare_transfer.ts tcp receive DIR         writes what comes to a file
//   bare_transfer.ts tcp send PORT FILE
//   bare_transfer.ts echo receive tcp|udp    answers each chunk of 100 bytes with three
//   bare_transfer.ts echo send PORT tcp|udp COUNT
// A receiver first prints its port. Both print their result as a JSON line.

const [what, end, ...args] = Deno.args;
const loopback = { hostname: "127.0.0.1", port: 0 };
const print = (value: unknown) => console.log(JSON.stringify(value));
const seconds = (since: number) => (performance.now() - since) / 1000;
const udp = () => Deno.listenDatagram({ transport: "udp", ...loopback });
const portOf = (addr: Deno.Addr) => (addr as Deno.NetAddr).port;

if (what === "udp" && end === "receive") {
  const socket = udp();
  print({ port: portOf(socket.addr) });
  const buffer = new Uint8Array(65_536);
  let [count, begun] = [0, 0];
  for (;;) {
    const [bytes] = await socket.receive(buffer);
    if (bytes.length === 0) break;
    if (count++ === 0) begun = performance.now();
  }
  print({ datagrams: count, seconds: seconds(begun) });
} else if (what === "udp") {
  const socket = udp();
  const to = { transport: "udp" as const, hostname: "127.0.0.1", port: Number(args[0]) };
  const file = await Deno.readFile(args[1]);
  const chunk = Number(args[2]);
  const begun = performance.now();
  let count = 0;
  for (let at = 0; at < file.length; at += chunk, count++) await socket.send(file.subarray(at, at + chunk), to);
  print({ datagrams: count, seconds: seconds(begun) });
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await socket.send(new Uint8Array(0), to);
  }
} else if (what === "tcp" && end === "receive") {
  const listener = Deno.listen(loopback);
  print({ port: portOf(listener.addr) });
  const conn = await listener.accept();
  const begun = performance.now();
  const file = await Deno.open(`${args[0]}/bare`, { write: true, create: true, truncate: true });
  await conn.readable.pipeTo(file.writable);
  print({ seconds: seconds(begun) });
} else if (what === "tcp") {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(args[0]) });
  const file = await Deno.open(args[1]);
  const begun = performance.now();
  await file.readable.pipeTo(conn.writable);
  print({ seconds: seconds(begun) });
} else if (end === "receive" && args[0] === "udp") {
  const socket = udp();
  print({ port: portOf(socket.addr) });
  const buffer = new Uint8Array(65_536);
  const answer = new TextEncoder().encode("ACK");
  for (;;) {
    const [bytes, from] = await socket.receive(buffer);
    if (bytes.length === 0) break;
    await socket.send(answer, from);
  }
  print({});
} else if (end === "receive") {
  const listener = Deno.listen(loopback);
  print({ port: portOf(listener.addr) });
  const conn = await listener.accept();
  conn.setNoDelay(true);
  const buffer = new Uint8Array(100);
  const answer = new TextEncoder().encode("ACK");
  while (await conn.read(buffer) !== null) await conn.write(answer);
  print({});
} else {
  const [port, transport, rounds] = [Number(args[0]), args[1], Number(args[2])];
  const chunk = new Uint8Array(100).fill(0x61);
  const buffer = new Uint8Array(65_536);
  let begun: number;
  if (transport === "udp") {
    const socket = udp();
    const to = { transport: "udp" as const, hostname: "127.0.0.1", port };
    begun = performance.now();
    for (let i = 0; i < rounds; i++) {
      await socket.send(chunk, to);
      await socket.receive(buffer);
    }
    print({ rounds, seconds: seconds(begun) });
    await socket.send(new Uint8Array(0), to);
  } else {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    begun = performance.now();
    for (let i = 0; i < rounds; i++) {
      await conn.write(chunk);
      await conn.read(buffer);
    }
    print({ rounds, seconds: seconds(begun) });
  }
}
Deno.exit(0);
