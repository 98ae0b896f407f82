"""The calculator's first client: two integers, then the operator, no newline; one question a connection.

Usage: calc_seed_client.py PORT QUESTION...    (prints each answer)
"""

import socket
import sys

for question in sys.argv[2:]:
    sock = socket.socket()
    sock.connect(("127.0.0.1", int(sys.argv[1])))
    sock.send(question.encode())
    print("Result:", sock.recv(1024).decode())
    sock.close()
