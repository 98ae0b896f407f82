"""The server of the first assignment: one read is one message; "quit" is answered with all of them, in one send.

Usage: messages_seed_server.py [PORT]    (prints the port that it listens on, then what one client sends)
"""

import socket
import sys

server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
server.close()
messages = []
while True:
    message = client.recv(1024).decode()
    if not message:
        break
    print("Client:", message, flush=True)
    if message == "quit":
        client.send("\n".join(messages).encode())
        break
    messages.append(message)
client.close()
