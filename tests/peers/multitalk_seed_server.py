"""The many-clients server of the seed's kind: a thread a client; one recv is a message, and goes to all others as it is.

Usage: multitalk_seed_server.py [PORT]    (prints its port, and what comes)
"""

import socket
import sys
import threading

clients = []


def serve(client):
    clients.append(client)
    while True:
        message = client.recv(1024).decode()
        if not message:
            break
        print("Received:", message, flush=True)
        for other in clients:
            if other is not client:
                other.send(message.encode())
    clients.remove(client)
    client.close()


server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=server.accept()[:1]).start()
