"""The lockstep server of the seed's kind: one recv is a message, a line is its reply, in one send; one client after the other.

Usage: talk_seed_server.py [PORT]    (prints its port, then what comes; answers with lines from standard input)
"""

import socket
import sys

server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    while True:
        message = client.recv(1024).decode()
        if not message:
            break
        print("Client:", message, flush=True)
        client.send(input("Reply: ").encode())
    client.close()
