// The least that a file server in Deno takes: each connection gets the file, from its beginning to the end of the stream.
//   deno run -A bench/peers/pipe_files.ts FILE    (prints {"port":N})

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ port: (listener.addr as Deno.NetAddr).port }));
for await (const conn of listener) {
  const file = await Deno.open(Deno.args[0]);
  file.readable.pipeTo(conn.writable).catch(() => {});
}
