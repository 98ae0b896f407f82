// The least that Deno can do to take mail: what netlab's server is compared to. Nothing is checked, no dots are taken out, each
// read is looked at as one thing; each message becomes a file.
//
//   bare_smtp.ts PORT DIR           written at once, in one call
//   bare_smtp.ts PORT DIR fsync     in tmp, fsync, rename to new, fsync of the folder, and then 250

const [port, dir, fsync] = Deno.args;
const encoder = new TextEncoder();
const GREETING = encoder.encode("220 bare\r\n");
const OK = encoder.encode("250 ok\r\n");
const GO_AHEAD = encoder.encode("354 go ahead\r\n");
const GOODBYE = encoder.encode("221 goodbye\r\n");
let count = 0;

async function keep(message: Uint8Array): Promise<void> {
  const name = `${++count}`;
  if (fsync === undefined) {
    using file = Deno.openSync(`${dir}/${name}`, { write: true, createNew: true });
    file.writeSync(message);
    return;
  }
  using file = Deno.openSync(`${dir}/tmp/${name}`, { write: true, createNew: true });
  file.writeSync(message);
  await file.syncData();
  Deno.renameSync(`${dir}/tmp/${name}`, `${dir}/new/${name}`);
  await settle();
}

let running: Promise<void> | null = null;
let next: Promise<void> | null = null;

/** One fsync of the folder for all who wait. */
function settle(): Promise<void> {
  if (running === null) return running = syncFolder();
  return next ??= running.then(() => {
    next = null;
    return running = syncFolder();
  });
}

async function syncFolder(): Promise<void> {
  using folder = Deno.openSync(`${dir}/new`);
  await folder.sync();
  running = null;
}

function endsWith(bytes: Uint8Array, length: number): boolean {
  return length >= 5 && bytes[length - 5] === 13 && bytes[length - 4] === 10 && bytes[length - 3] === 46 &&
    bytes[length - 2] === 13 && bytes[length - 1] === 10;
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(131_072);
  await conn.write(GREETING);
  let used = 0;
  let data = false;
  for (;;) {
    const read = await conn.read(buffer.subarray(used));
    if (read === null) break;
    used += read;
    if (data) {
      if (!endsWith(buffer, used)) continue;
      data = false;
      await keep(buffer.subarray(0, used - 3));
      await conn.write(OK);
    } else {
      if (buffer[used - 1] !== 10) continue;
      const letter = buffer[0] & 0xdf;
      data = letter === 0x44;
      if (letter === 0x51) {
        await conn.write(GOODBYE);
        break;
      }
      await conn.write(data ? GO_AHEAD : OK);
    }
    used = 0;
  }
  conn.close();
}

if (fsync !== undefined) { for (const part of ["tmp", "new"]) Deno.mkdirSync(`${dir}/${part}`); }
for await (const conn of Deno.listen({ hostname: "127.0.0.1", port: Number(port) })) serve(conn).catch(() => {});
