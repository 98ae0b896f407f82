"""Many to many, as in the third assignment: a thread for each connection, a dictionary of names. One send a message, no newline.

Usage: mesh_seed.py    (prints the port that it listens on; on standard input: connect HOST PORT ALIAS, send ALIAS MESSAGE,
                        broadcast MESSAGE, exit; who calls is called peer1, peer2, …)

It frames with nothing: what one recv returns is one message, and is printed with quotes around it.
"""

import socket
import sys
import threading

peers = {}


def receive(alias, sock):
    peers[alias] = sock
    print(alias, "connected", flush=True)
    while data := sock.recv(1024):
        print(f"{alias}: {data.decode()!r}", flush=True)
    del peers[alias]
    print(alias, "disconnected", flush=True)


def start(alias, sock):
    threading.Thread(target=receive, args=(alias, sock), daemon=True).start()


def listen(server):
    for number in range(1, 1000):
        start(f"peer{number}", server.accept()[0])


server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
threading.Thread(target=listen, args=(server,), daemon=True).start()
for line in sys.stdin:
    command, _, rest = line.strip().partition(" ")
    if command == "connect":
        host, port, alias = rest.split()
        start(alias, socket.create_connection((host, int(port))))
    elif command == "send":
        alias, _, text = rest.partition(" ")
        peers[alias].send(text.encode())
    elif command == "broadcast":
        for sock in list(peers.values()):
            sock.send(rest.encode())
    elif command == "exit":
        break
