"""A streaming client of the seed's kind: asks once, and keeps what comes until EOF or END.

Usage: stream_seed_client.py PORT REQUEST OUT END [size]
With "size" the first datagram is the size in ASCII. It prints how many bytes came, and how long the datagrams were.
"""

import socket
import sys

port, request, out, end = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4].encode()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(20)
sock.sendto(request.encode(), ("127.0.0.1", port))
if len(sys.argv) > 5:
    print("size", int(sock.recvfrom(2048)[0].decode()))
lengths = []
with open(out, "wb") as file:
    while True:
        chunk, _ = sock.recvfrom(4096)
        if chunk == end:
            break
        file.write(chunk)
        lengths.append(len(chunk))
print("bytes", sum(lengths), "shortest", min(lengths[:-1], default=0), "longest", max(lengths, default=0))
