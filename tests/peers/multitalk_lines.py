"""One operator and many clients, as the page asks for it: a line is a message, a thread a client, @label and @all.

Usage: multitalk_lines.py PORT          (server: prints "label: message"; the operator types)
       multitalk_lines.py HOST PORT     (client: lines from standard input; prints what comes)
"""

import socket
import sys
import threading

clients = {}


def serve(label, client):
    clients[label] = client
    try:
        for line in client.makefile("r", errors="replace"):
            print(f"{label}: {line}", end="", flush=True)
    except OSError:
        pass
    del clients[label]
    client.close()


def operate():
    for line in sys.stdin:
        to, _, text = line.partition(" ")
        for label, client in list(clients.items()):
            if to in ("@all", "@" + label):
                client.sendall(text.encode())


def show(sock):
    for line in sock.makefile("r", errors="replace"):
        print(line, end="", flush=True)


if len(sys.argv) == 2:
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=operate, daemon=True).start()
    number = 0
    while True:
        number += 1
        threading.Thread(target=serve, args=[f"c{number}", server.accept()[0]], daemon=True).start()

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
    threading.Thread(target=show, args=[sock], daemon=True).start()
    for line in sys.stdin:
        sock.sendall(line.encode())
