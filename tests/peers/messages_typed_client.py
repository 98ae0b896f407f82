"""The client of the first assignment, with a keyboard: a line is one send; at "quit" it reads the log to its end.

Usage: messages_typed_client.py PORT [END]    (lines from standard input; END is written behind each message, as in $'\\n')
"""

import socket
import sys

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
end = (sys.argv[2:] or [""])[0]
for line in sys.stdin:
    message = line.rstrip("\n")
    sock.sendall((message + end).encode())
    if message == "quit":
        break
log = b""
while data := sock.recv(1024):
    log += data
sock.close()
print(log.decode())
