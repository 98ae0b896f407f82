"""The receiver of the seed's kind: takes up to 100 bytes for a chunk; over TCP it answers ACK, and the end of the stream ends the
file; over UDP an empty datagram does. Takes one file.

Usage: transfer_seed_receiver.py tcp|udp FILE [LATE [SECONDS]]    (prints its port; the ACK of chunk LATE comes SECONDS late, 2.5)
"""

import socket
import sys
import time

transport, path = sys.argv[1:3]
late = int((sys.argv[3:] or [-1])[0])
seconds = float((sys.argv[4:] or [2.5])[0])
sock = socket.socket(type=socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
if transport == "udp":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
else:
    sock.listen()
print(sock.getsockname()[1], flush=True)
if transport == "tcp":
    sock, _ = sock.accept()
with open(path, "wb") as file:
    number = 0
    while chunk := sock.recv(100):
        file.write(chunk)
        if transport == "tcp":
            if number == late:
                time.sleep(seconds)
            sock.sendall(b"ACK")
        number += 1
print(number, "chunks", flush=True)
