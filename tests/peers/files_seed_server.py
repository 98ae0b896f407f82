"""The server of the course's second problem: a thread a client, and one read is the name of a file.

Usage: files_seed_server.py [PORT]    (prints its port, and serves the folder in which it is started)
"""

import socket
import sys
import threading


def handle(client):
    name = client.recv(1024).decode()
    try:
        with open(name, "rb") as file:
            while chunk := file.read(1024):
                client.send(chunk)
    except FileNotFoundError:
        client.send(b"Error: File not found")
    client.close()


server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    threading.Thread(target=handle, args=(client,), daemon=True).start()
