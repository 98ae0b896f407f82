// The npm package smtp-server, as a peer: STARTTLS and AUTH. Usage: smtp_npm_server.ts CERT KEY [tls]. Says its port, then of
// each message who sent it, to whom, as whom, whether encrypted, and how many bytes.

import { SMTPServer } from "smtp-server";

const [cert, key, tls] = Deno.args;
// deno-lint-ignore no-explicit-any
type Any = any;

const server = new SMTPServer({
  secure: tls === "tls",
  key: Deno.readTextFileSync(key),
  cert: Deno.readTextFileSync(cert),
  size: 100_000,
  onAuth(auth: Any, session: Any, callback: Any) {
    if (!session.secure || auth.username !== "bob" || auth.password !== "pass w0rd") return callback(new Error("no"));
    callback(null, { user: auth.username });
  },
  onData(stream: Any, session: Any, callback: Any) {
    let bytes = 0;
    stream.on("data", (chunk: Uint8Array) => (bytes += chunk.length));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      const to = rcptTo.map(({ address }: Any) => address).join();
      console.log(`${mailFrom.address} ${to} ${session.user} ${session.secure} ${bytes}`);
      callback(null, "kept");
    });
  },
} as Any);
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => console.log((server.server.address() as Any).port));
