// The starter kit in TypeScript, for Deno.

import { headLines, type Kit, onMessage, onTyped, otherEnd } from "./kit.ts";

export function typescriptFiles(kit: Kit): Record<string, string> {
  const server = { [`${kit.program}.ts`]: kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit) };
  return kit.both ? server : { ...server, "client.ts": client(kit) };
}

/** The line that runs a program: it may use the network, and where there are files those of its folder. */
export const runTypescript = (program: string, files: boolean): string =>
  `deno run --allow-net --unstable-net ${files ? "--allow-read=. --allow-write=. " : ""}${program}.ts`;

const head = (kit: Kit, side: string, program: string, args: string) =>
  headLines(kit, side, `${runTypescript(program, kit.files)} ${args}`).map((line) => `// ${line}`.trimEnd()).join("\n");

const tcpServer = (kit: Kit) => {
  const other = otherEnd(kit);
  return `${head(kit, "server", kit.program, "PORT")}

/** Serves one ${other} until it hangs up. */
async function serve(${other}: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await ${other}.read(buffer);
    if (count === null) break;
    console.log("got", buffer.subarray(0, count));
    // TODO: collect what comes until a message is whole; it may be a piece of one, or several.
    // TODO: ${onMessage(kit, `${other}.write(...), which may write less than all`)}
  }
  ${other}.close();
}
${
    kit.typed
      ? `
/** Takes what is typed, while what comes is waited for. */
async function keyboard(): Promise<void> {
${
        typed(onTyped(kit, `${other}.write(...)`, "Deno.connect({ hostname, port })"))
          .map((line) => `  ${line}\n`).join("")
      }}
`
      : ""
  }
const listener = Deno.listen({ port: Number(Deno.args[0]) });
console.log("listening on port", Deno.args[0]);
${kit.typed ? "keyboard();\n" : ""}for await (const ${other} of listener) {
  serve(${other}).catch((error) => console.error(error.message));
}
`;
};

const udpServer = (kit: Kit) =>
  `${head(kit, "server", kit.program, "PORT")}

const server = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: Number(Deno.args[0]) });
console.log("listening on port", Deno.args[0]);
for await (const [data, address] of server) {
  console.log("got", data, "from", address);
  // TODO: understand it, and answer with server.send(..., address).
}
`;

const client = (kit: Kit) =>
  kit.transport === "tcp"
    ? `${head(kit, "client", "client", "HOST PORT")}

const [hostname, port] = Deno.args;
const server = await Deno.connect({ hostname, port: Number(port) });

/** Shows what the server says, while what is typed is waited for. */
async function listen(): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await server.read(buffer);
    if (count === null) break;
    // TODO: collect what comes until a message is whole, and show what it means.
    console.log("got", buffer.subarray(0, count));
  }
}

listen().catch((error) => console.error(error.message));
${keyboard("server.write(...), which may write less than all")}`
    : `${head(kit, "client", "client", "HOST PORT")}

const [hostname, port] = Deno.args;
const server = { transport: "udp" as const, hostname, port: Number(port) };
const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });

/** Shows what the server says, while what is typed is waited for. */
async function listen(): Promise<void> {
  for await (const [data] of socket) {
    // TODO: understand it, and show what it means.
    console.log("got", data);
  }
}

listen().catch((error) => console.error(error.message));
console.log("talking to", server);
${keyboard("socket.send(..., server)")}`;

const keyboard = (send: string) => `\n${typed(`make a message of the line, and send it with ${send}.`).join("\n")}\n`;

/** What reads the keyboard, in lines. */
const typed = (todo: string): string[] => [
  'let rest = "";',
  "for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {",
  '  const lines = (rest + text).split("\\n");',
  "  rest = lines.pop()!;",
  "  for (const line of lines) {",
  `    // TODO: ${todo}`,
  '    console.log("typed", line);',
  "  }",
  "}",
];
