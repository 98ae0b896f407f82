"""A client of the file server by somebody else: LIST, STAT and GET on one connection, as `netlab explain files` has them.

Usage: files_client.py PORT    (fetches all that is listed, the second half of each apart; prints name, size and digest)
"""

import hashlib
import socket
import sys

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
stream = sock.makefile("rwb")


def ask(request):
    stream.write(request.encode() + b"\n")
    stream.flush()
    status, *words = stream.readline().decode().split()
    assert status == "OK", (request, status, words)
    return words


count = int(ask("LIST")[0])
entries = [stream.readline().decode().rstrip("\n").split(" ", 1) for _ in range(count)]
for size, name in entries:
    known, digest = ask(f"STAT {name}")
    assert known == size, (known, size)
    half = int(size) // 2
    first = stream.read(int(ask(f"GET {name}")[0]))[:half]
    left, again = ask(f"GET {name} {half}")
    content = first + stream.read(int(left))
    right = again == digest == hashlib.sha256(content).hexdigest()
    print(name, len(content), "right" if right else "WRONG", flush=True)
