"""The chat of the second assignment: listens and calls, and a thread prints what comes. One send a message, no newline.

Usage: peer_seed.py [PORT]    (prints the port that it listens on, a free one unless said; on standard input: connect HOST PORT,
                               send MESSAGE, disconnect, exit)

It frames with nothing: what one recv returns is one message, and is printed with quotes around it.
"""

import socket
import sys
import threading

peer = None


def receive(sock):
    global peer
    peer = sock
    print("connected", flush=True)
    while data := sock.recv(1024):
        print("peer:", repr(data.decode()), flush=True)
    print("disconnected", flush=True)
    sock.close()
    peer = None


def listen(server):
    while True:
        receive(server.accept()[0])


server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
threading.Thread(target=listen, args=(server,), daemon=True).start()
for line in sys.stdin:
    command, _, rest = line.strip().partition(" ")
    if command == "connect":
        host, port = rest.split()
        peer = socket.create_connection((host, int(port)))
        threading.Thread(target=receive, args=(peer,), daemon=True).start()
    elif command == "send":
        peer.send(rest.encode())
    elif command == "disconnect":
        peer.shutdown(socket.SHUT_RDWR)
    elif command == "exit":
        break
if peer:
    peer.close()
