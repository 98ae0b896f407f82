"""The receiver of the seed's kind, for one sender after the other: what one recv(100) returns is a chunk, and is answered with ACK.

Usage: transfer_seed_server.py PORT FILE
"""

import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    sock, sender = server.accept()
    print("connected:", *sender)
    with open(sys.argv[2], "wb") as file:
        while chunk := sock.recv(100):
            file.write(chunk)
            sock.sendall(b"ACK")
    sock.close()
    print("file received")
