"""The first chat client that anybody writes: send what was typed, print what comes, no framing at all.

Usage: chat_raw_client.py PORT    (commands from standard input, a line each)
"""

import socket
import sys
import threading


def listen(sock):
    while True:
        data = sock.recv(1024)
        if not data:
            break
        print(data.decode(), flush=True)
    print("connection closed", flush=True)


sock = socket.socket()
sock.connect(("127.0.0.1", int(sys.argv[1])))
listener = threading.Thread(target=listen, args=(sock,))
listener.start()
for line in sys.stdin:
    sock.send(line.strip().encode())
sock.shutdown(socket.SHUT_WR)
listener.join()
