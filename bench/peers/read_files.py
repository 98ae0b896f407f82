"""Reads from a file server as fast as it can, and prints how long it took: {"bytes": N, "seconds": S}.

Usage: read_files.py PORT CLIENTS BYTES [REQUEST]

Each client connects, sends the request, if there is one, and then reads so many bytes, behind the line that answers a
request. Time is counted from the first connection on.
"""

import json
import selectors
import socket
import sys
import time

port, clients, size = (int(word) for word in sys.argv[1:4])
request = sys.argv[4].encode() + b"\n" if len(sys.argv) > 4 else b""
buffer = bytearray(1 << 20)
view = memoryview(buffer)


def connect():
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(request)
    if request:
        line = b""
        while not line.endswith(b"\n"):
            line += sock.recv(1)
        assert line.startswith(b"OK %d " % size), line
    return sock


start = time.perf_counter()
total = 0
if clients == 1:
    with connect() as sock:
        while total < size:
            count = sock.recv_into(buffer)
            assert count > 0, f"the end came after {total} bytes"
            total += count
else:
    left = {}
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            sock = connect()
            left[sock] = size
            selector.register(sock, selectors.EVENT_READ)
        while left:
            for key, _ in selector.select():
                sock = key.fileobj
                count = sock.recv_into(view)
                assert count > 0, f"the end came {left[sock]} bytes early"
                total += count
                left[sock] -= count
                if left[sock] == 0:
                    selector.unregister(sock)
                    sock.close()
                    del left[sock]
print(json.dumps({"bytes": total, "seconds": time.perf_counter() - start}))
