"""The sender of the seed's kind: chunks of 100 bytes and nothing else; over TCP it waits 2 s for the three bytes ACK after each,
and sends the chunk again; over UDP it waits for nothing, and an empty datagram ends the file.

Usage: transfer_seed_sender.py tcp|udp PORT FILE [LATE]    (at chunk LATE no ACK is heard for 2 s: it came too late)
"""

import socket
import sys
import time

transport, port, path = sys.argv[1:4]
late = int((sys.argv[4:] or [-1])[0])
sock = socket.socket(type=socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(port)))
sock.settimeout(2)
with open(path, "rb") as file:
    number = 0
    while chunk := file.read(100):
        sock.send(chunk)
        if transport == "udp":
            time.sleep(0.0005)  # nothing else keeps it from overrunning the receiver
        else:
            if number == late:
                time.sleep(2.1)
                sock.send(chunk)
            while True:
                try:
                    answer = sock.recv(3)
                    break
                except socket.timeout:
                    sock.send(chunk)
            if answer != b"ACK":
                sys.exit(f"not ACK: {answer}")
        number += 1
if transport == "udp":
    sock.send(b"")
sock.close()
