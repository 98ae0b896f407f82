"""A node of a mesh as a good student writes one: lines, a thread for each connection, a dictionary of aliases.

Usage: mesh_program.py PORT    (on standard input: connect HOST PORT [ALIAS], send WHO MESSAGE, broadcast MESSAGE,
                                alias WHO ALIAS, list, disconnect WHO, exit; who has no alias is called HOST:PORT)
"""

import socket
import sys
import threading

peers = {}
lock = threading.Lock()


def name_of(sock):
    return next((name for name, one in peers.items() if one is sock), "?")


def add(name, sock):
    with lock:
        peers[name] = sock
    threading.Thread(target=receive, args=(sock,), daemon=True).start()


def receive(sock):
    try:
        for line in sock.makefile(encoding="utf-8", errors="replace", newline="\n"):
            print(f"{name_of(sock)}: {line.rstrip()}\n", end="", flush=True)
    except OSError:
        pass
    with lock:
        name = name_of(sock)
        peers.pop(name, None)
    sock.close()
    print(f"{name} has left\n", end="", flush=True)


def listen(server):
    while True:
        sock, (host, port) = server.accept()
        add(f"{host}:{port}", sock)


def run(command, rest):
    who, _, text = rest.partition(" ")
    if command == "connect":
        host, port, *alias = rest.split()
        sock = socket.create_connection((host, int(port)))
        add(alias[0] if alias else f"{host}:{port}", sock)
    elif command == "broadcast":
        for sock in list(peers.values()):
            try:
                sock.sendall(rest.encode() + b"\n")
            except OSError:
                pass
    elif command == "list":
        for name, sock in list(peers.items()):
            print(name, *sock.getpeername(), flush=True)
    elif who not in peers:
        print("nobody is called", who, flush=True)
    elif command == "send":
        peers[who].sendall(text.encode() + b"\n")
    elif command == "alias":
        with lock:
            peers[text] = peers.pop(who)
    elif command == "disconnect":
        peers[who].shutdown(socket.SHUT_RDWR)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=50)
threading.Thread(target=listen, args=(server,), daemon=True).start()
for line in sys.stdin:
    command, _, rest = line.rstrip("\n").partition(" ")
    if command == "exit":
        break
    try:
        run(command, rest)
    except OSError as error:
        print("error:", error, flush=True)
