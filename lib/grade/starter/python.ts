// The starter kit in Python.

import { headLines, type Kit, onMessage, onTyped, otherEnd, PYTHON } from "./kit.ts";

export function pythonFiles(kit: Kit): Record<string, string> {
  const server = { [`${kit.program}.py`]: kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit) };
  return kit.both ? server : { ...server, "client.py": client(kit) };
}

const head = (kit: Kit, side: string, usage: string) =>
  `"""${headLines(kit, side, usage).join("\n").replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}
"""
`;

const tcpServer = (kit: Kit) => {
  const other = otherEnd(kit);
  return `${head(kit, "server", `${PYTHON} ${kit.program}.py PORT`)}
import socket
import sys
import threading


def serve(${other}, address):
    """Serves one ${other} until it hangs up."""
    with ${other}:
        while True:
            data = ${other}.recv(4096)
            if not data:
                break
            print("got", len(data), "bytes from", address)
            # TODO: collect what comes until a message is whole; it may be a piece of one, or several.
            # TODO: ${onMessage(kit, `${other}.sendall(...)`)}
    print(address, "hung up")

${kit.typed ? keyboard(kit, other) : ""}
def main():
    listener = socket.create_server(("", int(sys.argv[1])))
    print("listening on port", sys.argv[1])
${kit.typed ? "    threading.Thread(target=keyboard, daemon=True).start()\n" : ""}    while True:
        ${other}, address = listener.accept()
        threading.Thread(target=serve, args=(${other}, address), daemon=True).start()


main()
`;
};

const keyboard = (kit: Kit, other: string) => `
def keyboard():
    """Takes what is typed, while other threads wait for what comes."""
    for line in sys.stdin:
        # TODO: ${onTyped(kit, `${other}.sendall(...)`, "socket.create_connection((host, port))")}
        print("typed", line.rstrip())

`;

const udpServer = (kit: Kit) =>
  `${head(kit, "server", `${PYTHON} server.py PORT`)}
import socket
import sys


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("", int(sys.argv[1])))
    print("listening on port", sys.argv[1])
    while True:
        data, address = server.recvfrom(65535)
        print("got", len(data), "bytes from", address)
        # TODO: understand it, and answer with server.sendto(..., address).


main()
`;

const client = (kit: Kit) =>
  `${head(kit, "client", `${PYTHON} client.py HOST PORT`)}
import socket
import sys
import threading


def listen(server):
    """Shows what the server says, while the other thread waits for what is typed."""
    while True:
        data = server.recv(${kit.transport === "tcp" ? 4096 : 65535})
        if not data:
            break
        # TODO: ${
    kit.transport === "tcp" ? "collect what comes until a message is whole" : "understand it"
  }, and show what it means.
        print("got", len(data), "bytes")


def main():
    ${
    kit.transport === "tcp"
      ? "server = socket.create_connection((sys.argv[1], int(sys.argv[2])))"
      : "server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    server.connect((sys.argv[1], int(sys.argv[2])))"
  }
    threading.Thread(target=listen, args=(server,), daemon=True).start()
    for line in sys.stdin:
        # TODO: make a message of the line, and send it with server.${
    kit.transport === "tcp" ? "sendall" : "send"
  }(...).
        print("typed", line.rstrip())


main()
`;
