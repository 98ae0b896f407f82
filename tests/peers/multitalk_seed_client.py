"""The many-clients chat client of the seed's kind: a thread prints what comes, each line is one bare send; no framing.

Usage: multitalk_seed_client.py PORT    (lines from standard input; ends with it)
"""

import socket
import sys
import threading


def receive():
    while True:
        data = sock.recv(1024)
        if not data:
            break
        print("Received:", data.decode(), flush=True)


sock = socket.socket()
sock.connect(("127.0.0.1", int(sys.argv[1])))
receiver = threading.Thread(target=receive)
receiver.start()
for line in sys.stdin:
    sock.send(line.rstrip("\n").encode())
sock.shutdown(socket.SHUT_WR)
receiver.join()
sock.close()
