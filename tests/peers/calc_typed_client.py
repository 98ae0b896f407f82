"""The calculator's first client, with a keyboard: a line is a question, one a connection; one recv is its answer.

Usage: calc_typed_client.py PORT [END]    (questions from standard input; END is written behind each, as in $'\\n')
"""

import socket
import sys

for line in sys.stdin:
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.sendall((line.rstrip("\n") + (sys.argv[2:] or [""])[0]).encode())
    print("Result:", sock.recv(1024).decode(), flush=True)
    sock.close()
