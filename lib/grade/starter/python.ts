// The starter kit in Python.

import type { Kit } from "./mod.ts";

export function pythonFiles(kit: Kit): Record<string, string> {
  return { "server.py": kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit), "client.py": client(kit) };
}

const head = ({ name, wire }: Kit, side: string, usage: string) =>
  `"""The ${side} of ${name}.

Usage: ${usage}

${wire.join("\n").replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}
"""
`;

const tcpServer = (kit: Kit) =>
  `${head(kit, "server", "python3 server.py PORT")}
import socket
import sys
import threading


def serve(client, address):
    """Serves one client until it hangs up."""
    with client:
        while True:
            data = client.recv(4096)
            if not data:
                break
            print("got", data, "from", address)
            # TODO: collect what comes until a message is whole; it may be a piece of one, or several.
            # TODO: understand it, and answer with client.sendall(...).
    print(address, "hung up")


def main():
    listener = socket.create_server(("", int(sys.argv[1])))
    print("listening on port", sys.argv[1])
    while True:
        client, address = listener.accept()
        threading.Thread(target=serve, args=(client, address), daemon=True).start()


main()
`;

const udpServer = (kit: Kit) =>
  `${head(kit, "server", "python3 server.py PORT")}
import socket
import sys


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("", int(sys.argv[1])))
    print("listening on port", sys.argv[1])
    while True:
        data, address = server.recvfrom(65535)
        print("got", data, "from", address)
        # TODO: understand it, and answer with server.sendto(..., address).


main()
`;

const client = (kit: Kit) =>
  `${head(kit, "client", "python3 client.py HOST PORT")}
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
        print("got", data)


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
