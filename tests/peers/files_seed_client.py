"""The client of the course's second problem: says a bare name, with no newline, and reads to the end of the stream.

Usage: files_seed_client.py PORT [get] NAME    (writes what comes to standard output)
"""

import socket
import sys

sock = socket.socket()
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.send(sys.argv[-1].encode())
while True:
    data = sock.recv(1024)
    if not data:
        break
    sys.stdout.buffer.write(data)
sock.close()
