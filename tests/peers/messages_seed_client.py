"""The client of the first assignment: one send a message, no newline, no framing; at "quit" the log comes back.

Usage: messages_seed_client.py PORT MESSAGE...    (sends them all, then "quit", and prints what comes)

It frames with nothing but time: half a second between two sends.
"""

import socket
import sys
import time

sock = socket.socket()
sock.connect(("127.0.0.1", int(sys.argv[1])))
for message in sys.argv[2:]:
    sock.send(message.encode())
    time.sleep(0.5)
sock.send("quit".encode())
log = b""
while True:
    data = sock.recv(1024)
    if not data:
        break
    log += data
sock.close()
print(log.decode())
