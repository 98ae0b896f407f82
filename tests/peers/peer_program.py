"""A peer as a good student writes one: lines, a thread for each connection, one of them at a time.

Usage: peer_program.py PORT    (on standard input: connect HOST PORT, send MESSAGE, disconnect, exit)
"""

import socket
import sys
import threading

peer = None
lock = threading.Lock()


def take(sock):
    """Keeps the connection, if there is none; says whether it did."""
    global peer
    with lock:
        if peer is not None:
            return False
        peer = sock
    threading.Thread(target=receive, args=(sock,), daemon=True).start()
    return True


def receive(sock):
    global peer
    print("connected", flush=True)
    try:
        for line in sock.makefile(encoding="utf-8", errors="replace", newline="\n"):
            print("peer:", line.rstrip("\r\n"), flush=True)
    except OSError:
        pass
    with lock:
        peer = None
    sock.close()
    print("disconnected", flush=True)


def listen(server):
    while True:
        sock, _ = server.accept()
        if not take(sock):
            try:
                sock.sendall(b"ERROR busy\n")
            except OSError:
                pass
            sock.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=listen, args=(server,), daemon=True).start()
for line in sys.stdin:
    command, _, rest = line.rstrip("\n").partition(" ")
    try:
        if command == "connect":
            host, port = rest.split()
            if peer is not None or not take(socket.create_connection((host, int(port)))):
                print("already connected: disconnect first", flush=True)
        elif command == "send":
            if peer is None:
                print("not connected", flush=True)
            else:
                peer.sendall(rest.encode() + b"\n")
        elif command == "disconnect" and peer is not None:
            peer.shutdown(socket.SHUT_RDWR)
        elif command == "exit":
            break
    except OSError as error:
        print("error:", error, flush=True)
