"""The lockstep client of the seed's kind: a line is one send, then one recv is its reply; no newline, no framing.

Usage: talk_seed_client.py PORT    (lines from standard input; prints each reply)
"""

import socket
import sys

sock = socket.socket()
sock.connect(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    sock.send(line.rstrip("\n").encode())
    reply = sock.recv(1024)
    if not reply:
        break
    print("Server:", reply.decode(), flush=True)
sock.close()
