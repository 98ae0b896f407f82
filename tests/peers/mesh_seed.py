"""Many to many, as in the third assignment: a thread for each connection, a dictionary of names. One send a message, no newline.

Usage: mesh_seed.py [PORT]    (prints the port that it listens on, a free one unless said; on standard input: connect HOST PORT
                               ALIAS, send ALIAS MESSAGE, broadcast MESSAGE, set_alias ALIAS NEW, list_connections,
                               disconnect ALIAS, exit; who calls is called peer1, peer2, …)

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
        print(f"{name_of(sock)}: {data.decode()!r}", flush=True)
    alias = name_of(sock)
    del peers[alias]
    sock.close()
    print(alias, "disconnected", flush=True)


def name_of(sock):
    return [alias for alias in peers if peers[alias] is sock][0]


def start(alias, sock):
    threading.Thread(target=receive, args=(alias, sock), daemon=True).start()


def listen(server):
    for number in range(1, 1000):
        start(f"peer{number}", server.accept()[0])


server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
threading.Thread(target=listen, args=(server,), daemon=True).start()
for line in sys.stdin:
    command, _, rest = line.strip().partition(" ")
    alias, _, text = rest.partition(" ")
    if command == "connect":
        host, port, alias = rest.split()
        peers[alias] = socket.create_connection((host, int(port)))
        start(alias, peers[alias])
    elif command == "send":
        peers[alias].send(text.encode())
    elif command == "broadcast":
        for sock in list(peers.values()):
            sock.send(rest.encode())
    elif command == "set_alias":
        peers[text] = peers.pop(alias)
    elif command == "list_connections":
        for alias in peers:
            print(alias, *peers[alias].getpeername(), flush=True)
    elif command == "disconnect":
        peers[alias].shutdown(socket.SHUT_RDWR)
    elif command == "exit":
        break
