// nodemailer's pool, sending one message again and again. Usage: nodemailer_pool.ts PORT CONNECTIONS COUNT FILE
//
// The message is made beforehand (`raw`), so that only the sending counts. Prints a JSON line: {"messages", "seconds"}.

import { createTransport } from "nodemailer";

const [port, connections, count] = Deno.args.slice(0, 3).map(Number);
const raw = Deno.readTextFileSync(Deno.args[3]);
const envelope = { from: "a@x.example", to: ["b@y.example"] };
const transport = createTransport(
  {
    pool: true,
    host: "127.0.0.1",
    port,
    maxConnections: connections,
    maxMessages: Infinity,
    ignoreTLS: true,
  } as Parameters<typeof createTransport>[0],
);

const begun = performance.now();
let left = count;
// As many at once as there are connections: what waits in its queue would only be in its way.
await Promise.all(Array.from({ length: 2 * connections }, async () => {
  while (left-- > 0) await transport.sendMail({ envelope, raw });
}));
console.log(JSON.stringify({ messages: count, seconds: (performance.now() - begun) / 1000 }));
transport.close();
Deno.exit(0);
