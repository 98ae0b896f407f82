"""A streaming server of the seed's kind: any datagram, or a file name, is answered with the file in chunks of random size.

Usage: stream_seed_server.py FILE END [size] | stream_seed_server.py PORT
With FILE it prints its port, serves one client, and ends; with "size" the datagram has to be the file's name, and the size goes
first. With PORT the datagram is the name of any file, END is EOF, and it serves one client after the other.
"""

import os
import random
import socket
import sys
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def stream(path, end, client):
    with open(path, "rb") as file:
        while chunk := file.read(random.randint(1000, 2000)):
            sock.sendto(chunk, client)
            time.sleep(0.001)
    sock.sendto(end, client)


if sys.argv[1].isdigit():
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        request, client = sock.recvfrom(1024)
        try:
            stream(request.decode(), b"EOF", client)
        except FileNotFoundError:
            sock.sendto(b"Error: File not found", client)

path, end = sys.argv[1], sys.argv[2].encode()
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
request, client = sock.recvfrom(1024)
if len(sys.argv) > 3:
    if request.decode() != os.path.basename(path):
        sock.sendto(b"Error: File not found", client)
        sys.exit(0)
    sock.sendto(str(os.path.getsize(path)).encode(), client)
stream(path, end, client)
